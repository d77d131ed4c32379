//! Keys of the screen in sight, then all keys; typing searches. Made from the table of commands.

use super::Overlay;
use crate::allowed::refusal;
use crate::keys::{Line as Typed, shown};
use crate::text::{left, wrap};
use crate::theme::Styles;
use crate::widgets::{lines, overlay, scrollbar};
use crate::{Screen, Ui};
use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::command::{COMMANDS, Command, Entry, Scope};
use wb_core::state::State;

/// What is searched, where the list begins.
#[derive(Default)]
pub struct Pane {
    pub top: usize,
    all: bool,
    line: Typed,
    /// Whose keys: an overlay's, else the screen's.
    scope: Option<Scope>,
}

impl Pane {
    /// The keys of what is topmost now.
    pub fn new(ui: &Ui) -> Self {
        let scope = match ui.overlays.last() {
            Some(Overlay::Review(_)) => Some(Scope::Review),
            Some(Overlay::Conflicts(_)) => Some(Scope::Conflicts),
            Some(Overlay::Journal(_)) => Some(Scope::Journal),
            Some(Overlay::Watch(_)) => Some(Scope::Watch),
            _ => None,
        };
        Self {
            scope,
            ..Self::default()
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

pub fn on_key(ui: &mut Ui, mut pane: Pane, key: &KeyEvent, name: &str) -> Vec<Command> {
    use wb_core::command::Verb;
    let verb = match name {
        "Esc" if !pane.line.text.is_empty() => {
            pane.line = Typed::default();
            None
        }
        "Esc" => return Vec::new(),
        "?" | "F1" => {
            pane.all = !pane.all;
            pane.top = 0;
            None
        }
        "Up" => Some(Verb::Up),
        "Down" => Some(Verb::Down),
        "PageUp" => Some(Verb::PageUp),
        "PageDown" => Some(Verb::PageDown),
        "Enter" => None,
        _ => {
            if pane.line.key(key) == Some(true) {
                pane.top = 0;
            }
            None
        }
    };
    if let Some(verb) = verb {
        pane.top = super::moved(pane.top, verb, 10);
    }
    ui.overlays.push(Overlay::Help(pane));
    Vec::new()
}

fn scopes(ui: &Ui, pane: &Pane) -> Vec<Scope> {
    if pane.all {
        return vec![
            Scope::Flow,
            Scope::Queue,
            Scope::Task,
            Scope::Run,
            Scope::Review,
            Scope::Conflicts,
            Scope::Journal,
            Scope::Watch,
            Scope::List,
            Scope::Global,
        ];
    }
    vec![
        pane.scope.unwrap_or(ui.screen.scope()),
        Scope::List,
        Scope::Global,
    ]
}

fn matches(entry: &Entry, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    entry.keys.iter().any(|k| shown(k).to_lowercase() == wanted)
        || entry.name.contains(&wanted)
        || entry.help.to_lowercase().contains(&wanted)
}

pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &mut Pane, state: &State) {
    let st = ui.st;
    let right = if pane.all {
        "? keys of this screen"
    } else {
        "? all keys"
    };
    let title = if pane.all {
        "All keys".to_owned()
    } else {
        format!("Keys: {}", pane.scope.unwrap_or(ui.screen.scope()).title())
    };
    let inner = overlay(buf, area, &title, right, &st);
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
            "No key is about \"{typed}\". esc clears the search."
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
    pane: &Pane,
    typed: &str,
    state: &State,
    columns: usize,
) -> Vec<Line<'a>> {
    let st = &ui.st;
    let mut all = Vec::new();
    for scope in scopes(ui, pane) {
        let found: Vec<&Entry> = COMMANDS
            .iter()
            .filter(|e| e.scope == scope && (typed.is_empty() || matches(e, typed)))
            .filter(|e| !(state.options.read_only && e.writes))
            .collect();
        if found.is_empty() {
            continue;
        }
        all.push(Line::default());
        all.push(Line::styled(scope.title(), st.strong));
        for e in found {
            let here = pane.all || refusal(ui, e.verb, state).is_none();
            all.extend(key_entry(st, e, here, columns));
        }
    }
    all
}

/// One key and all that is said of it, on as many lines as that takes.
fn key_entry<'a>(st: &Styles, e: &Entry, here: bool, columns: usize) -> Vec<Line<'a>> {
    const INDENT: usize = 18;
    let (key, text) = if here {
        (st.key, st.text)
    } else {
        (st.dim, st.dim)
    };
    let keys: Vec<String> = e.keys.iter().map(|k| shown(k)).collect();
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
