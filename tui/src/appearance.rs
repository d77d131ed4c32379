//! Keys and colours of the screen, as settings files have them: `[keys]`, `keys.toml` and `theme`.
//! Which actions, keys and colours exist is left to the ui crate.

use toml::Value as Toml;
use wb_core::error::{Error, ErrorKind};
use wb_core::workflow::nearest;
use wb_engine::config::{self, Config, Value};
use wb_ui::recording::RecordedScreen;
use wb_ui::{Keymap, Patch, Styles, Theme};

/// Keys and colours of the settings files; the file that takes precedence comes first.
#[derive(Clone, Debug, Default)]
pub struct Appearance {
    /// Theme, by its name.
    pub theme: Option<Value<Theme>>,
    /// Set of keys, by its name.
    pub key_set: Option<Value<String>>,
    colours: Vec<(String, String)>,
    patches: Vec<Patch>,
    warnings: Vec<String>,
}

impl Appearance {
    /// Keys and colours as the settings files have them.
    ///
    /// # Errors
    /// An unknown theme or colour.
    pub fn of(config: &Config) -> Result<Self, Error> {
        let mut all = Self::default();
        for part in config.appearance.clone() {
            match (part.keys, part.keys_only) {
                (Some(Toml::Table(table)), true) => all.add_keys_file(table, &part.file),
                (keys, _) => all.add(keys, part.theme, &part.file)?,
            }
        }
        Ok(all)
    }

    /// Adds the settings of the next file.
    fn add(&mut self, keys: Option<Toml>, theme: Option<Toml>, file: &str) -> Result<(), Error> {
        match keys {
            None => {}
            Some(Toml::String(set)) => self.set_keys(set, format!("{file}: keys")),
            Some(Toml::Table(table)) => self.add_keys(table, file, "keys."),
            Some(_) => self.warnings.push(format!("{file}: keys must be a table")),
        }
        match theme {
            None => Ok(()),
            Some(Toml::String(name)) => self.set_theme(&name, format!("{file}: theme")),
            Some(Toml::Table(table)) => table
                .into_iter()
                .try_for_each(|(name, value)| self.add_colour(name, &value, file)),
            Some(_) => Err(settings(format!("{file}: theme must be a name or a table"))),
        }
    }

    /// Adds a `keys.toml`: what `[keys]` has, with or without that heading.
    fn add_keys_file(&mut self, mut table: toml::Table, file: &str) {
        if let Some(Toml::Table(keys)) = table.remove("keys") {
            self.add_keys(keys, file, "keys.");
        }
        self.add_keys(table, file, "");
    }

    fn set_keys(&mut self, set: String, place: String) {
        self.key_set.get_or_insert(Value {
            value: set,
            origin: place,
        });
    }

    fn add_keys(&mut self, table: toml::Table, file: &str, under: &str) {
        for (name, value) in table {
            let place = format!("{file}: {under}{name}");
            match value {
                Toml::String(set) if name == "set" => self.set_keys(set, place),
                Toml::Table(screen) => {
                    for (action, keys) in screen {
                        let place = format!("{place}.{action}");
                        self.add_patch(place, Some(name.clone()), action, keys);
                    }
                }
                keys => self.add_patch(place, None, name, keys),
            }
        }
    }

    fn add_patch(&mut self, place: String, screen: Option<String>, action: String, keys: Toml) {
        let text = |key: Toml| match key {
            Toml::String(key) => Some(key),
            _ => None,
        };
        let keys = match keys {
            Toml::Array(keys) => keys.into_iter().map(text).collect(),
            key => text(key).map(|key| vec![key]),
        };
        match keys {
            Some(keys) => self.patches.push(Patch {
                place,
                screen,
                action,
                keys,
            }),
            None => self
                .warnings
                .push(format!("{place}: write a key or a list of keys, in quotes")),
        }
    }

    fn set_theme(&mut self, name: &str, place: String) -> Result<(), Error> {
        let Some(theme) = Theme::from_name(name) else {
            let near = nearest(name, Theme::NAMES);
            let hint = match near.first() {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("themes: {}", Theme::NAMES.join(", ")),
            };
            return Err(settings(format!(
                "{place}: unknown theme \"{name}\"; {hint}"
            )));
        };
        self.theme.get_or_insert(Value {
            value: theme,
            origin: place,
        });
        Ok(())
    }

    fn add_colour(&mut self, name: String, value: &Toml, file: &str) -> Result<(), Error> {
        let place = format!("{file}: theme.{name}");
        let Toml::String(text) = value else {
            return Err(settings(format!(
                "{place}: write colours in quotes, e.g. \"bold red\""
            )));
        };
        if name == "set" {
            return self.set_theme(text, place);
        }
        Styles::default()
            .patch(&name, text)
            .map_err(|why| settings(format!("{place}: {why}")))?;
        // The file that takes precedence comes first.
        if !self.colours.iter().any(|(known, _)| *known == name) {
            self.colours.push((name, text.clone()));
        }
        Ok(())
    }

    /// Both as `workbench config` prints them, with where they come from.
    #[must_use]
    pub fn lines(&self) -> [[String; 3]; 2] {
        [
            config::line("theme", self.theme.as_ref(), |theme| {
                theme.name().to_owned()
            }),
            config::line("keys", self.key_set.as_ref(), String::clone),
        ]
    }

    /// The keymap, and warnings about the settings of keys.
    #[must_use]
    pub fn keymap(&self) -> (Keymap, Vec<String>) {
        let set = self.key_set.as_ref();
        let set = set.map(|set| (set.value.as_str(), set.origin.as_str()));
        let (map, mut warnings) = Keymap::new(set, &self.patches);
        warnings.extend(self.warnings.iter().cloned());
        (map, warnings)
    }

    /// The same in a recording, which names the theme that was chosen.
    #[must_use]
    pub fn recorded(&self, plain: bool) -> RecordedScreen {
        let theme = self.chosen(plain);
        RecordedScreen {
            theme: theme.name().to_owned(),
            colours: match theme {
                Theme::Plain => Vec::new(),
                _ => self.colours.clone(),
            },
            key_set: self.key_set.as_ref().map(|set| set.value.clone()),
            keys: self.patches.clone(),
            ..RecordedScreen::default()
        }
    }

    fn chosen(&self, plain: bool) -> Theme {
        let chosen = self.theme.as_ref().map(|theme| theme.value);
        let chosen = if plain { Some(Theme::Plain) } else { chosen };
        Theme::detect(chosen, |name| std::env::var(name).ok())
    }

    /// The styles of the screen; without colours if the environment or `plain` turns them off.
    #[must_use]
    pub fn styles(&self, plain: bool) -> Styles {
        let theme = self.chosen(plain);
        let mut styles = theme.styles();
        if theme != Theme::Plain {
            for (name, text) in &self.colours {
                // Checked when it was read.
                let _ = styles.patch(name, text);
            }
        }
        styles
    }
}

fn settings(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Settings, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wb_ui::Action;

    fn add(appearance: &mut Appearance, text: &str, file: &str) -> Result<(), Error> {
        let mut table: toml::Table = toml::from_str(text).unwrap();
        appearance.add(table.remove("keys"), table.remove("theme"), file)
    }

    #[test]
    fn the_first_file_takes_precedence_for_keys_and_colours() {
        let mut all = Appearance::default();
        let first =
            "[keys]\nreview = \"F9\"\n[keys.queue]\nbuilds = [\"F7\"]\n[theme]\nbad = \"red\"\n";
        add(&mut all, first, "a.toml").unwrap();
        let second = "theme = \"light\"\n[keys]\nset = \"vim\"\nreview = \"F8\"\n";
        add(&mut all, second, "b.toml").unwrap();
        let (map, warnings) = all.keymap();
        assert_eq!(warnings, [""; 0]);
        assert_eq!(map.keys_of(Action::Review), ["F9"]);
        assert_eq!(map.keys_of(Action::PageUp), ["Ctrl-b", "PageUp"]);
        assert_eq!(all.theme.unwrap().value, Theme::Light);
        assert_eq!(all.key_set.unwrap().origin, "b.toml: keys.set");
    }

    #[test]
    fn keys_toml_needs_no_heading() {
        let mut all = Appearance::default();
        let text = "review = \"F9\"\n[keys]\nbuilds = \"F8\"\n";
        all.add_keys_file(toml::from_str(text).unwrap(), "keys.toml");
        let (map, warnings) = all.keymap();
        assert_eq!(warnings, [""; 0]);
        assert_eq!(map.keys_of(Action::Review), ["F9"]);
        assert_eq!(map.keys_of(Action::Builds), ["F8"]);
    }

    #[test]
    fn an_unknown_theme_or_colour_is_an_error_with_the_nearest_name() {
        let error = |text: &str| add(&mut Appearance::default(), text, "w.toml").unwrap_err();
        assert_eq!(
            error("theme = \"drak\"").summary,
            "w.toml: theme: unknown theme \"drak\"; did you mean \"dark\"?"
        );
        assert!(error("[theme]\nbad = \"redd\"").summary.contains("redd"));
        assert!(
            error("[theme]\nbda = \"red\"")
                .summary
                .contains("did you mean \"bad\"?")
        );
        assert!(error("theme = 16").summary.contains("must be a name"));
    }

    #[test]
    fn a_key_that_is_not_text_is_warned_about() {
        let mut all = Appearance::default();
        add(&mut all, "[keys]\nreview = 9\n", "w.toml").unwrap();
        let (_, warnings) = all.keymap();
        assert_eq!(
            warnings,
            ["w.toml: keys.review: write a key or a list of keys, in quotes"]
        );
    }
}
