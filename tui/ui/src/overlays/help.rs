//! Keys of the screen in sight, then all keys; typing searches. Made from the table of actions and the keymap.

use crate::actions::{self, Action, ActionRow, Hints, Scope};
use crate::keys::{Line as Typed, name};
use crate::layer::{Handled, Layer};
use crate::panes::PaneName;
use crate::reading::mark_typed;
use crate::text::{left, width};
use crate::theme::Styles;
use crate::widgets::{hanging, lines, padded};
use crate::{Screen, Ui};
use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use wb_core::filter::FORMS;
use wb_core::state::State;

/// The search and what it finds.
#[derive(Default)]
pub struct Help {
    all: bool,
    line: Typed,
    /// Whose keys: an overlay's, else the screen's.
    scope: Option<Scope>,
}

impl Help {
    /// The keys of what is topmost now.
    pub fn new(ui: &Ui) -> Self {
        let scope = Some(ui.top(|layer| layer.scope())).filter(|scope| *scope != Scope::List);
        Self {
            scope,
            ..Self::default()
        }
    }
}

impl Layer for Help {
    fn scope(&self) -> Scope {
        Scope::List
    }

    fn typing(&self, _: &Ui) -> bool {
        true
    }

    fn on_text(&mut self, key: &KeyEvent, ui: &mut Ui, _: &State) -> Handled {
        // Turning the page is more useful than searching for this letter.
        if name(key).and_then(|key| ui.keymap.find(&key, &[Scope::Global])) == Some(Action::Help) {
            return Handled::No;
        }
        match self.line.key(key) {
            None => Handled::No,
            Some(_) => Handled::done(),
        }
    }

    fn on(&mut self, action: Action, _: &mut Ui, _: &State) -> Handled {
        match action {
            Action::Out if self.line.text.is_empty() => return Handled::Close(Vec::new()),
            Action::Out => self.line = Typed::default(),
            Action::Help => self.all = !self.all,
            Action::Quit | Action::Suspend => return Handled::No,
            _ if action.scrolls() => return Handled::No,
            _ => {}
        }
        Handled::done()
    }

    fn hints(&self, ui: &Ui, state: &State) -> Hints {
        let mut all = actions::hints(ui, state, &[Action::Up, Action::Down]);
        all.push((Action::Help, self.other_page().into()));
        all.push((Action::Out, "close".into()));
        all
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        let st = ui.st;
        let right = format!("{} {}", ui.key_of(Action::Help), self.other_page());
        let title = match self.all {
            true => "All keys".to_owned(),
            false => format!("Keys: {}", self.own_scope(ui).title()),
        };
        let inner = ui.overlay(buf, area, (&title, &right));
        let typed = self.line.text.as_str();
        let search = if typed.is_empty() {
            Line::styled(" type to search by key or word", st.dim)
        } else {
            Line::from(vec![
                Span::styled(" search ", st.dim),
                Span::styled(format!("{typed}▏"), st.strong),
            ])
        };
        let [top, body] =
            Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(inner);
        lines(buf, top, &[search], 0);
        let columns = usize::from(padded(body).width);
        let mut all = key_lines(ui, self, state, columns);
        if typed.is_empty() {
            all.extend(mark_lines(ui, columns));
        }
        if all.is_empty() {
            let clear = ui.key_of(Action::Out);
            all.push(Line::default());
            all.push(Line::from(format!(
                "No key matches \"{typed}\". {clear} clears the search."
            )));
        }
        let about = (self.all, &self.line.text);
        ui.pane_text(buf, PaneName::Main, body, &all, about);
        mark_typed(buf, padded(body), self.searched());
    }
}

impl Help {
    /// The screen or overlay whose keys come first.
    fn own_scope(&self, ui: &Ui) -> Scope {
        self.scope.unwrap_or(ui.screen.layer().scope())
    }

    /// What is searched: a slash before it is only how a search begins elsewhere.
    fn searched(&self) -> &str {
        let text = self.line.text.as_str();
        let bare = text.strip_prefix('/');
        bare.filter(|bare| !bare.is_empty()).unwrap_or(text)
    }

    const fn other_page(&self) -> &'static str {
        if self.all {
            "keys of this screen"
        } else {
            "all keys"
        }
    }
}

/// Marks of the screens, explained below the keys.
const MARKS: [(&str, &str); 15] = [
    ("A E R #", "kind of a stage: agent, annotate, review, end"),
    (
        "(1)",
        "a pathway of an agent stage, named in the stage's pane",
    ),
    ("●", "marked"),
    ("○", "has an outcome that is held for review"),
    ("w", "runs dry at every build"),
    (
        "= ~",
        "in watch: the newest build gave the same, or something else",
    ),
    ("✓", "done, or ran well"),
    ("✗", "failed; the task stays where it is"),
    ("!", "in conflict, interrupted, or worth a look"),
    ("–", "stopped or paused before its end"),
    ("◐", "in the journal: undone in part"),
    ("▶", "happens now"),
    ("·", "still to come"),
    ("+ ~ -", "labels added, changed, removed"),
    ("[x] [ ] [~]", "in review: all taken, none, some"),
];

fn scopes(ui: &Ui, pane: &Help) -> Vec<Scope> {
    let last = [Scope::List, Scope::Global];
    if !pane.all {
        return [pane.own_scope(ui)].into_iter().chain(last).collect();
    }
    let special = Scope::ALL.into_iter().filter(|s| !last.contains(s));
    special.chain(last).collect()
}

fn matches(row: &ActionRow, keys: &[String], typed: &str) -> bool {
    keys.iter().any(|key| key.to_lowercase() == typed)
        || row.name.contains(typed)
        || row.help.to_lowercase().contains(typed)
}

/// The keys, by where they count; actions that are disabled now are dim. A screen's own keys of actions
/// that belong elsewhere come last in its part.
fn key_lines<'a>(ui: &Ui, pane: &Help, state: &State, columns: usize) -> Vec<Line<'a>> {
    let typed = pane.searched().to_lowercase();
    let mut all = Vec::new();
    for scope in scopes(ui, pane) {
        let found: Vec<_> = ui
            .keymap
            .rows(scope)
            .into_iter()
            .filter(|(row, keys)| typed.is_empty() || matches(row, keys, &typed))
            .filter(|(row, _)| !(state.options.read_only && row.writes))
            .collect();
        if found.is_empty() {
            continue;
        }
        all.push(Line::default());
        all.push(Line::styled(scope.title(), ui.st.strong));
        for (row, keys) in found {
            let enabled = pane.all || row.action.enabled(ui, state).is_ok();
            all.extend(key_entry(row, &keys.join(" "), enabled, columns, &ui.st));
        }
    }
    all
}

/// The keys of one action and its help, on as many lines as that takes.
fn key_entry<'a>(
    row: &ActionRow,
    keys: &str,
    enabled: bool,
    columns: usize,
    st: &Styles,
) -> Vec<Line<'a>> {
    const INDENT: usize = 24;
    let (key, text) = match enabled {
        true => (st.key, st.text),
        false => (st.dim, st.dim),
    };
    let mut all = Vec::new();
    let mut keys = keys;
    if width(keys) > INDENT - 3 {
        // Keys that somebody added.
        all.extend(hanging("  ", key, keys, columns, key));
        keys = "";
    }
    let mark = format!("  {} ", left(keys, INDENT - 3));
    all.extend(hanging(&mark, key, row.help, columns, text));
    let writes = row.writes.then(|| Span::styled("writes", st.bad));
    let disabled = (!enabled).then(|| Span::styled("(not now)", st.dim));
    for note in writes.into_iter().chain(disabled) {
        match all.last_mut() {
            Some(line) if line.width() + 2 + note.width() <= columns => {
                line.spans.extend([Span::raw("  "), note]);
            }
            _ => all.push(Line::from(vec![Span::raw(" ".repeat(INDENT)), note])),
        }
    }
    all
}

/// What the marks mean; on the Queue the filter language too.
fn mark_lines<'a>(ui: &Ui, columns: usize) -> Vec<Line<'a>> {
    let st = &ui.st;
    let mut all = vec![Line::default(), Line::styled("Marks", st.strong)];
    for (mark, meaning) in MARKS {
        let mark = format!("  {} ", left(mark, 15));
        all.extend(hanging(&mark, st.accent, meaning, columns, st.text));
    }
    if ui.screen == Screen::Queue {
        all.push(Line::default());
        all.push(Line::styled("Filter", st.strong));
        let signs = ("-  |  \" \"", "not, or, blanks");
        for (form, matches) in FORMS.iter().chain([&signs]) {
            let form = format!("  {form:<19} ");
            all.extend(hanging(&form, st.text, matches, columns, st.text));
        }
    }
    all
}
