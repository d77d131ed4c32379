//! Every action in one table: a row carries its name, help, default keys, whether it writes, when it
//! is enabled, its hint, and what it does. Hints, help, palette, refusals, the keymap, `workbench keys`
//! and the generated key tables come from here alone. What a [`Command`] does is left to the engine.

mod begin_run;
mod can_step;
mod debug;
mod enabled;
mod run;
mod table;

pub use table::{ACTIONS, Action};

use crate::Ui;
use std::borrow::Cow;
use wb_core::command::Command;
use wb_core::state::State;

pub(crate) use enabled::{can_undo, reviewed, watchable, watched};

/// Why an action is not enabled; may name the keys of other actions as `{key:Quit}`.
pub(crate) type Why = Cow<'static, str>;

/// Actions to hint at, each with a word, the most useful first.
pub(crate) type Hints = Vec<(Action, Cow<'static, str>)>;

type Enabled = fn(&Ui, &State) -> Result<(), Why>;
type Hint = fn(&Ui, &State) -> Option<Cow<'static, str>>;
type Run = fn(&mut Ui, &State) -> Vec<Command>;

/// Where a key works.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[allow(missing_docs)] // each name is the screen's or the overlay's
pub enum Scope {
    Global,
    List,
    Search,
    Flow,
    Queue,
    Task,
    Run,
    Review,
    Conflicts,
    Journal,
    Watch,
    Compare,
    Edit,
    Question,
}

impl Scope {
    /// In the order of the documentation.
    pub const ALL: [Self; 14] = [
        Self::Global,
        Self::List,
        Self::Search,
        Self::Flow,
        Self::Queue,
        Self::Task,
        Self::Run,
        Self::Review,
        Self::Conflicts,
        Self::Journal,
        Self::Watch,
        Self::Compare,
        Self::Edit,
        Self::Question,
    ];

    /// Heading in help.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Global => "Everywhere",
            Self::List => "In lists",
            Self::Search => "While a search is active",
            Self::Flow => "Flow",
            Self::Queue => "Queue",
            Self::Task => "Task",
            Self::Run => "Run",
            Self::Review => "Review",
            Self::Conflicts => "Conflicts",
            Self::Journal => "Journal",
            Self::Watch => "Watch",
            Self::Compare => "Compare",
            Self::Edit => "Edit",
            Self::Question => "Question",
        }
    }

    /// Its table under `[keys]`, e.g. `queue`.
    #[must_use]
    pub fn table(self) -> String {
        match self {
            Self::Global => "global".to_owned(),
            Self::List => "list".to_owned(),
            Self::Search => "search".to_owned(),
            other => other.title().to_lowercase(),
        }
    }

    /// Whether a key of one of them can hide the same key of the other.
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        // What a search has is its own while it lasts.
        let wide = |s| matches!(s, Self::Global | Self::List);
        self == other || wide(self) || wide(other)
    }
}

/// What an action does while an open overlay does not handle it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OverOverlay {
    /// Nothing.
    Ignored,
    /// It runs, and the overlay stays open.
    Stays,
    /// All overlays are closed, then it runs.
    Closes,
}

/// One row of the table.
pub struct ActionRow {
    /// Which action.
    pub action: Action,
    /// Where its keys work.
    pub scope: Scope,
    /// Default keys as written in help: `s`, `Ctrl-d`, `Enter`, `Space`, `F1`.
    pub keys: &'static [&'static str],
    /// Whether it writes upstream; read-only mode disables exactly these.
    pub writes: bool,
    /// Name in the palette.
    pub name: &'static str,
    /// What it does, in one line.
    pub help: &'static str,
    /// Whether a repeated key is ignored.
    pub(crate) once: bool,
    /// Whether the palette offers it.
    pub(crate) listed: bool,
    /// Whether it asks for a line to be typed, which linear mode takes as its argument.
    pub(crate) asks: bool,
    pub(crate) over: OverOverlay,
    enabled: Enabled,
    hint: Hint,
    pub(crate) run: Run,
}

impl ActionRow {
    const fn new(
        action: Action,
        scope: Scope,
        keys: &'static [&'static str],
        name: &'static str,
        help: &'static str,
    ) -> Self {
        Self {
            action,
            scope,
            keys,
            writes: false,
            name,
            help,
            once: false,
            listed: true,
            asks: false,
            over: OverOverlay::Ignored,
            enabled: |_, _| Ok(()),
            hint: |_, _| None,
            run: |_, _| Vec::new(),
        }
    }

    const fn writes(mut self) -> Self {
        self.writes = true;
        self.once = true;
        self
    }

    const fn once(mut self) -> Self {
        self.once = true;
        self
    }

    const fn unlisted(mut self) -> Self {
        self.listed = false;
        self
    }

    const fn asks(mut self) -> Self {
        self.asks = true;
        self
    }

    const fn stays(mut self) -> Self {
        self.over = OverOverlay::Stays;
        self
    }

    const fn closes(mut self) -> Self {
        self.over = OverOverlay::Closes;
        self
    }

    const fn when(mut self, enabled: Enabled) -> Self {
        self.enabled = enabled;
        self
    }

    const fn hint(mut self, hint: Hint) -> Self {
        self.hint = hint;
        self
    }

    const fn does(mut self, run: Run) -> Self {
        self.run = run;
        self
    }

    /// The name that settings and scripts use, e.g. `dry-run-some`.
    #[must_use]
    pub fn id(&self) -> String {
        self.name.replace(' ', "-")
    }
}

impl Action {
    /// Its row of the table.
    #[must_use]
    pub fn row(self) -> &'static ActionRow {
        &ACTIONS[self as usize]
    }

    /// Whether it moves a cursor.
    pub(crate) const fn moves(self) -> bool {
        matches!(self, Self::Left | Self::Right) || self.scrolls()
    }

    /// Whether it goes up or down.
    pub(crate) const fn scrolls(self) -> bool {
        use Action::{Bottom, Down, HalfDown, HalfUp, PageDown, PageUp, Top, Up};
        matches!(
            self,
            Up | Down | Top | Bottom | PageUp | PageDown | HalfUp | HalfDown
        )
    }

    /// Up for down, and down for up.
    pub(crate) const fn mirrored(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
            Self::Top => Self::Bottom,
            Self::Bottom => Self::Top,
            Self::PageUp => Self::PageDown,
            Self::PageDown => Self::PageUp,
            Self::HalfUp => Self::HalfDown,
            Self::HalfDown => Self::HalfUp,
            other => other,
        }
    }

    /// Why it is not enabled now.
    pub(crate) fn enabled(self, ui: &Ui, state: &State) -> Result<(), Why> {
        let row = self.row();
        if state.options.read_only && row.writes {
            return Err(enabled::READ_ONLY.into());
        }
        (row.enabled)(ui, state)
    }
}

/// These actions with their hints, as far as they are enabled.
pub(crate) fn hints(ui: &Ui, state: &State, actions: &[Action]) -> Hints {
    actions
        .iter()
        .filter(|action| action.enabled(ui, state).is_ok())
        .filter_map(|action| Some((*action, (action.row().hint)(ui, state)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_stands_at_its_actions_place() {
        for (place, row) in ACTIONS.iter().enumerate() {
            assert_eq!(row.action as usize, place, "{}", row.name);
        }
    }

    #[test]
    fn names_are_unique() {
        for a in ACTIONS {
            for b in ACTIONS {
                assert!(a.action == b.action || a.id() != b.id(), "{}", a.name);
            }
        }
    }

    #[test]
    fn every_writing_action_has_an_upper_case_key() {
        for row in ACTIONS.iter().filter(|row| row.writes) {
            let upper = |key: &&str| key.chars().all(char::is_uppercase);
            assert!(row.keys.iter().all(upper), "{}", row.name);
        }
    }
}
