//! Find an action, a stage or a task by name. Matching is nucleo's, done when a key is typed,
//! never while drawing.

use super::moved;
use crate::actions::{self, ACTIONS, Action, Hints, Scope};
use crate::keys::Line as Typed;
use crate::layer::{Handled, Layer};
use crate::linear_text::{COLUMNS, PAGE, numbered, text};
use crate::text::{clean, fit_middle, left, right};
use crate::widgets::{centred, lines, list, padded};
use crate::{Screen, Ui};
use crossterm::event::KeyEvent;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use wb_core::command::Command;
use wb_core::ids::{StageId, TaskId};
use wb_core::state::State;

/// Results at most.
const OFFERED: usize = 60;

/// One thing that was found.
#[derive(Clone, Debug, PartialEq)]
enum Found {
    Action(Action),
    Stage(StageId, String),
    Task(StageId, TaskId, usize, String),
}

/// What is typed, what was found, and the cursor.
#[derive(Default)]
pub struct Palette {
    line: Typed,
    at: usize,
    top: usize,
    found: Vec<Found>,
}

impl Palette {
    pub fn new(ui: &Ui, state: &State) -> Self {
        let mut pane = Self::default();
        pane.search(ui, state);
        pane
    }

    /// Searches again for what is typed.
    fn search(&mut self, ui: &Ui, state: &State) {
        self.at = 0;
        self.top = 0;
        let mut matcher = Matcher::new(Config::DEFAULT);
        let pattern = Pattern::parse(&self.line.text, CaseMatching::Smart, Normalization::Smart);
        let mut buffer = Vec::new();
        let mut score = |text: &str| pattern.score(Utf32Str::new(text, &mut buffer), &mut matcher);
        let mut hits: Vec<(u32, Found)> = Vec::new();
        let here = ui.screen.layer().scope();
        for row in ACTIONS {
            let fits = row.scope == Scope::Global || row.scope == here;
            if !fits || !row.listed || row.action.enabled(ui, state).is_err() {
                continue;
            }
            // An action comes before a task of the same score, and one of this screen before the others.
            let first = if row.scope == here { 3 } else { 2 };
            if let Some(s) = score(&format!("{} {}", row.name, row.help)) {
                hits.push((s + first, Found::Action(row.action)));
            }
        }
        for stage in state.project.iter().flat_map(|p| &p.workflow.stages) {
            if let Some(s) = score(&format!("{} stage", stage.title)) {
                hits.push((s + 1, Found::Stage(stage.id, stage.title.clone())));
            }
        }
        let queue = ui.stage.and_then(|s| Some((s, state.queues.get(&s)?)));
        if let Some((stage, queue)) = queue.filter(|_| !self.line.text.is_empty()) {
            let rows = (0..queue.view.len()).filter_map(|place| Some((place, queue.at(place)?)));
            for (place, row) in rows {
                let by_id =
                    self.line.text.len() >= 8 && row.id.to_string().starts_with(&self.line.text);
                let score = if by_id {
                    Some(u32::MAX)
                } else {
                    score(&row.title)
                };
                let found = || Found::Task(stage, row.id, place, row.title.to_string());
                hits.extend(score.map(|score| (score, found())));
            }
        }
        hits.sort_by_key(|(s, _)| std::cmp::Reverse(*s));
        self.found = hits.into_iter().take(OFFERED).map(|(_, f)| f).collect();
    }
}

impl Layer for Palette {
    fn scope(&self) -> Scope {
        Scope::List
    }

    fn typing(&self, _: &Ui) -> bool {
        true
    }

    fn on_text(&mut self, key: &KeyEvent, ui: &mut Ui, state: &State) -> Handled {
        match self.line.key(key) {
            Some(true) => self.search(ui, state),
            Some(false) => {}
            None => return Handled::No,
        }
        Handled::done()
    }

    fn on_paste(&mut self, text: &str, ui: &mut Ui, state: &State) -> Vec<Command> {
        self.line.insert(text.trim());
        self.search(ui, state);
        Vec::new()
    }

    fn on(&mut self, action: Action, ui: &mut Ui, state: &State) -> Handled {
        match action {
            Action::Out => return Handled::Close(Vec::new()),
            Action::Quit | Action::Suspend => return Handled::No,
            Action::In => return Handled::Close(choose(ui, self, state)),
            _ => {
                self.at = moved(self.at, action, ui.page()).min(self.found.len().saturating_sub(1));
            }
        }
        Handled::done()
    }

    fn on_click(&mut self, row: usize, _: &mut Ui, _: &State) -> bool {
        self.at = row;
        true
    }

    fn lines(&mut self, ui: &mut Ui, state: &State) -> Option<Vec<String>> {
        let found = self.found.iter().take(PAGE).enumerate();
        let mut all = vec![
            "Find: type a part of a name, or the number of what was found; out closes.".to_owned(),
        ];
        all.extend(
            found.map(|(place, found)| {
                numbered(place, text(&found_line(ui, found, state, COLUMNS)))
            }),
        );
        Some(all)
    }

    fn choose(&mut self, row: usize, _: &mut Ui, _: &State) -> Option<Vec<Command>> {
        self.found.get(row)?;
        self.at = row;
        Some(Vec::new())
    }

    fn picks(&self) -> bool {
        true
    }

    fn hints(&self, ui: &Ui, state: &State) -> Hints {
        let mut all = vec![(Action::In, "choose".into())];
        all.extend(actions::hints(ui, state, &[Action::Up, Action::Down]));
        all.push((Action::Out, "close".into()));
        all
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        let st = ui.st;
        let height = u16::try_from(self.found.len()).unwrap_or(0).clamp(3, 18) + 3;
        let mut place = centred(area, 90, height);
        place.y = area.y + (area.height - place.height) / 4;
        let inner = ui.overlay(buf, place, ("Find", ""));
        let typed = if self.line.text.is_empty() {
            Line::styled(" ▏action, stage or task", st.dim)
        } else {
            Line::styled(format!(" {}▏", self.line.text), st.strong)
        };
        let [top, found] =
            Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(inner);
        lines(buf, top, &[typed], 0);
        if self.found.is_empty() {
            lines(buf, found, &[Line::styled(" Nothing matches.", st.dim)], 0);
            return;
        }
        self.at = self.at.min(self.found.len() - 1);
        let columns = usize::from(padded(found).width);
        let at = (self.at, self.found.len());
        self.top = list(ui, buf, found, self.top, at, |ui, place| {
            found_line(ui, &self.found[place], state, columns)
        });
    }
}

/// Enter here only chooses: an action that writes still asks.
fn choose(ui: &mut Ui, pane: &Palette, state: &State) -> Vec<Command> {
    match pane.found.get(pane.at) {
        Some(Found::Action(action)) => ui.dispatch(*action, state),
        Some(Found::Stage(stage, _)) => {
            ui.stage = Some(*stage);
            if ui.screen == Screen::Flow {
                Vec::new()
            } else {
                ui.go(Screen::Queue)
            }
        }
        Some(Found::Task(stage, _, place, _)) => {
            ui.stage = Some(*stage);
            ui.queue.go_to(*stage, *place, state);
            ui.go(Screen::Queue)
        }
        None => Vec::new(),
    }
}

fn found_line<'a>(ui: &Ui, found: &Found, state: &State, columns: usize) -> Line<'a> {
    let st = &ui.st;
    let (kind, name, about, key) = match found {
        Found::Action(action) => {
            let row = action.row();
            (
                "do",
                row.name.to_owned(),
                row.help.to_owned(),
                ui.key_of(*action),
            )
        }
        Found::Stage(id, title) => (
            "stage",
            clean(title).into_owned(),
            format!("{} waiting", crate::screens::flow::count(state, *id)),
            String::new(),
        ),
        Found::Task(stage, id, _, title) => (
            "task",
            fit_middle(title, 30),
            format!(
                "{} · {}",
                clean(state.stage_title(*stage)),
                &id.to_string()[..8]
            ),
            String::new(),
        ),
    };
    let name_w = 30.min(columns / 3);
    let about_w = columns.saturating_sub(name_w + 14);
    Line::from(vec![
        Span::styled(format!(" {} ", left(kind, 5)), st.accent),
        Span::raw(format!("{} ", left(&name, name_w))),
        Span::styled(left(&about, about_w), st.dim),
        Span::styled(right(&key, 6), st.key),
    ])
}
