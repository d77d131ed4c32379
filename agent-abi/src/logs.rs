//! Which log lines are wanted: directives as in `RUST_LOG`. Who writes lines, and where they go, is left to others.

/// Environment variable with the directives, which hosts get.
pub const VARIABLE: &str = "WORKBENCH_LOG";

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
const WARN: u8 = 2;
const TRACE: u8 = 5;

/// Parsed directives, such as `info,hyper=debug,ort=off`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// For targets without one of their own.
    rest: Option<u8>,
    /// Of a target and those below it.
    targets: Vec<(String, u8)>,
}

impl Filter {
    /// Reads directives, separated by commas: a level (`off`, `error`, `warn`, `info`, `debug`, `trace`) for all
    /// targets, or `TARGET=LEVEL` for one crate or module and what is below it.
    ///
    /// # Errors
    /// What cannot be read, and what can.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut filter = Self::default();
        for directive in text.split(',').map(str::trim).filter(|d| !d.is_empty()) {
            let (target, level) = match directive.split_once('=') {
                Some((target, level)) => (target.trim(), level.trim()),
                None => ("", directive),
            };
            let level = level.to_ascii_lowercase();
            let Some(level) = LEVELS.iter().position(|known| *known == level) else {
                return Err(format!(
                    "\"{directive}\" is neither a level ({}) nor TARGET=LEVEL, such as hyper=debug",
                    LEVELS.join(", ")
                ));
            };
            let level = u8::try_from(level).unwrap_or(TRACE);
            match target {
                "" => filter.rest = Some(level),
                target => filter.targets.push((target.replace('-', "_"), level)),
            }
        }
        Ok(filter)
    }

    /// The directives of this process's environment; those that cannot be read count as none.
    #[must_use]
    pub fn of_environment() -> Self {
        let text = std::env::var(VARIABLE).unwrap_or_default();
        Self::parse(&text).unwrap_or_default()
    }

    /// The finest level that the directives allow for a target, 0 off … 5 trace; `None` where they name none.
    #[must_use]
    pub fn level(&self, target: &str) -> Option<u8> {
        let named = self.targets.iter().filter(|(name, _)| is_in(target, name));
        let nearest = named.max_by_key(|(name, _)| name.len());
        nearest.map(|(_, level)| *level).or(self.rest)
    }

    /// The finest level that the directives name, 0 off … 5 trace; `None` where there are none.
    #[must_use]
    pub fn finest(&self) -> Option<u8> {
        let named = self.targets.iter().map(|(_, level)| *level);
        named.chain(self.rest).max()
    }

    /// Whether a line is wanted: everything of the agent's own crates, from `warn` of others, unless directives
    /// change it.
    #[must_use]
    pub fn allows(&self, level: u8, target: &str, own: &[&str]) -> bool {
        let default = match own.iter().any(|name| is_in(target, name)) {
            true => TRACE,
            false => WARN,
        };
        level <= self.level(target).unwrap_or(default)
    }
}

/// Whether a target is this module, or below it.
fn is_in(target: &str, name: &str) -> bool {
    let below = target.strip_prefix(name);
    below.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_crates_log_everything_and_others_from_warn_unless_directives_change_it() {
        let allowed = |directives: &str| {
            let filter = Filter::parse(directives).unwrap();
            [
                ("cars", 5),
                ("cars::score", 5),
                ("carsharing", 3),
                ("hyper::proto", 4),
                ("hyper", 2),
                ("ort", 1),
            ]
            .map(|(target, level)| filter.allows(level, target, &["cars"]))
        };
        let (yes, no) = (true, false);
        assert_eq!(allowed(""), [yes, yes, no, no, yes, yes]);
        assert_eq!(allowed("info"), [no, no, yes, no, yes, yes]);
        assert_eq!(
            allowed("hyper=debug, ort=off"),
            [yes, yes, no, yes, yes, no]
        );
        assert_eq!(
            allowed("cars=info,cars::score=TRACE"),
            [no, yes, no, no, yes, yes]
        );
        assert_eq!(allowed("off,hyper::proto=trace"), [no, no, no, yes, no, no]);
    }

    #[test]
    fn the_finest_level_is_that_of_any_directive() {
        let finest = |directives: &str| Filter::parse(directives).unwrap().finest();
        assert_eq!(finest(""), None);
        assert_eq!(finest("error,cars=trace,hyper=info"), Some(5));
        assert_eq!(finest("off"), Some(0));
    }

    #[test]
    fn a_bad_directive_is_named_with_what_can_be_written() {
        let error = Filter::parse("info,hyper=loud").unwrap_err();
        assert!(
            error.contains("\"hyper=loud\"") && error.contains("debug"),
            "{error}"
        );
        assert_eq!(Filter::parse(" , "), Ok(Filter::default()));
        assert_eq!(
            Filter::parse("my-crate=info").unwrap().level("my_crate::x"),
            Some(3)
        );
    }
}
