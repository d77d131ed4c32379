//! Keys of the screen in sight, then all keys; typing searches. Made from the table of commands.

use super::moved;
use crate::actions::{self, ACTIONS, Action, ActionRow, Hints, Scope};
use crate::keys::{Line as Typed, name, shown};
use crate::layer::{Handled, Layer};
use crate::text::{left, wrap};
use crate::widgets::{lines, overlay, scrollbar};
use crate::{Screen, Ui};
use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::state::State;

/// What is searched, where the list begins.
#[derive(Default)]
pub struct Help {
    top: usize,
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
        // It is more useful to turn the page than to search for this letter.
        if name(key).and_then(|key| ui.keymap.find(&key, &[Scope::Global])) == Some(Action::Help) {
            return Handled::No;
        }
        match self.line.key(key) {
            None => return Handled::No,
            Some(true) => self.top = 0,
            Some(false) => {}
        }
        Handled::done()
    }

    fn on(&mut self, action: Action, _: &mut Ui, _: &State) -> Handled {
        match action {
            Action::Out if self.line.text.is_empty() => return Handled::Close(Vec::new()),
            Action::Out => self.line = Typed::default(),
            Action::Help => (self.all, self.top) = (!self.all, 0),
            Action::Quit | Action::Suspend => return Handled::No,
            _ => self.top = moved(self.top, action, 10),
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
        draw(ui, buf, area, self, state);
    }
}

impl Help {
    const fn other_page(&self) -> &'static str {
        if self.all {
            "keys of this screen"
        } else {
            "all keys"
        }
    }
}

/// Marks of the screens, explained below the keys.
const MARKS: [(&str, &str); 12] = [
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
    ("▶", "happens now"),
    ("·", "still to come"),
    ("+ ~ -", "labels added, changed, removed"),
    ("[x] [ ] [~]", "in review: all taken, none, some"),
];

fn scopes(ui: &Ui, pane: &Help) -> Vec<Scope> {
    let last = [Scope::List, Scope::Global];
    if !pane.all {
        let own = pane.scope.unwrap_or(ui.screen.layer().scope());
        return [own].into_iter().chain(last).collect();
    }
    let special = Scope::ALL.into_iter().filter(|s| !last.contains(s));
    special.chain(last).collect()
}

fn matches(ui: &Ui, entry: &ActionRow, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    let mut keys = ui.keymap.keys_of(entry.action).into_iter();
    keys.any(|k| shown(k).to_lowercase() == wanted)
        || entry.name.contains(&wanted)
        || entry.help.to_lowercase().contains(&wanted)
}

fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &mut Help, state: &State) {
    let st = ui.st;
    let right = format!("{} {}", ui.key_of(Action::Help), pane.other_page());
    let title = if pane.all {
        "All keys".to_owned()
    } else {
        format!(
            "Keys: {}",
            pane.scope.unwrap_or(ui.screen.layer().scope()).title()
        )
    };
    let inner = overlay(buf, area, &title, &right, &st);
    let room = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let (before, under, after) = pane.line.parts();
    let typed = format!("{before}{under}{after}");
    let search = if typed.is_empty() {
        Line::styled("type to search by key or word", st.dim)
    } else {
        Line::from(vec![
            Span::styled("search ", st.dim),
            Span::styled(format!("{typed}▏"), st.strong),
        ])
    };
    crate::widgets::line(buf, room, 0, &search);
    let body = Rect {
        y: room.y + 1,
        height: room.height.saturating_sub(1),
        ..room
    };
    let mut all = key_lines(ui, pane, &typed, state, usize::from(body.width));
    if typed.is_empty() {
        all.extend(mark_lines(ui));
    }
    if all.is_empty() {
        all.push(Line::default());
        all.push(Line::from(format!(
            "No key matches \"{typed}\". {} clears the search.",
            ui.key_of(Action::Out)
        )));
    }
    let count = usize::from(body.height);
    pane.top = pane.top.min(all.len().saturating_sub(count));
    lines(buf, body, &all, pane.top);
    scrollbar(
        buf,
        Rect {
            y: body.y,
            height: body.height,
            ..inner
        },
        pane.top,
        count,
        all.len(),
        &st,
    );
}

/// The keys, by where they count; those that mean nothing now are dim and say so.
fn key_lines<'a>(
    ui: &Ui,
    pane: &Help,
    typed: &str,
    state: &State,
    columns: usize,
) -> Vec<Line<'a>> {
    let st = &ui.st;
    let mut all = Vec::new();
    for scope in scopes(ui, pane) {
        let found: Vec<&ActionRow> = ACTIONS
            .iter()
            .filter(|e| e.scope == scope && (typed.is_empty() || matches(ui, e, typed)))
            .filter(|e| !(state.options.read_only && e.writes))
            .collect();
        if found.is_empty() {
            continue;
        }
        all.push(Line::default());
        all.push(Line::styled(scope.title(), st.strong));
        for e in found {
            let here = pane.all || e.action.enabled(ui, state).is_ok();
            all.extend(key_entry(ui, e, here, columns));
        }
    }
    all
}

/// One key and all that is said of it, on as many lines as that takes.
fn key_entry<'a>(ui: &Ui, e: &ActionRow, here: bool, columns: usize) -> Vec<Line<'a>> {
    const INDENT: usize = 18;
    let st = &ui.st;
    let (key, text) = if here {
        (st.key, st.text)
    } else {
        (st.dim, st.dim)
    };
    let keys = ui.keymap.keys_of(e.action).into_iter().map(shown);
    let keys: Vec<String> = keys.collect();
    let mut words = wrap(e.help, columns.saturating_sub(INDENT)).into_iter();
    let first = words.next().unwrap_or_default();
    let mut all = vec![vec![
        Span::styled(format!("  {} ", left(&keys.join(" "), INDENT - 3)), key),
        Span::styled(first, text),
    ]];
    let indent = || Span::raw(" ".repeat(INDENT));
    all.extend(words.map(|more| vec![indent(), Span::styled(more, text)]));
    let writes = e.writes.then(|| Span::styled("writes", st.bad));
    let idle = (!here).then(|| Span::styled("(not now)", st.dim));
    for note in writes.into_iter().chain(idle) {
        let used: usize = all.last().into_iter().flatten().map(Span::width).sum();
        match all.last_mut() {
            Some(line) if used + 2 + note.width() <= columns => {
                line.extend([Span::raw("  "), note]);
            }
            _ => all.push(vec![indent(), note]),
        }
    }
    all.into_iter().map(Line::from).collect()
}

/// What the marks mean; on the Queue the filter language too.
fn mark_lines<'a>(ui: &Ui) -> Vec<Line<'a>> {
    let st = &ui.st;
    let mut all = vec![Line::default(), Line::styled("Marks", st.strong)];
    for (mark, meaning) in MARKS {
        let mark = Span::styled(format!("  {} ", left(mark, 15)), st.accent);
        all.push(Line::from(vec![mark, Span::raw(meaning)]));
    }
    if ui.screen == Screen::Queue {
        all.push(Line::default());
        all.push(Line::styled("Filter", st.strong));
        let form = |(form, matches): &(&'static str, &'static str)| {
            Line::from(format!("  {form:<19} {matches}"))
        };
        all.extend(wb_core::filter::FORMS.iter().map(form));
        all.push(Line::from(format!(
            "  {:<19} {}",
            "-  |  \" \"", "not, or, blanks"
        )));
    }
    all
}
