//! The tasks of the queue in groups, with how many there are; a group is filtered or marked. What a group is, is left to
//! [`wb_core::queue`].

use super::moved;
use crate::Ui;
use crate::actions::{self, Action, Hints, Scope};
use crate::layer::{Handled, Layer};
use crate::text::{bar, clean, fit, left, number, plural, right, width};
use crate::widgets::{list, padded};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use wb_core::command::Command;
use wb_core::filter::Filter;
use wb_core::ids::StageId;
use wb_core::queue::{GroupBy, Queue, TaskGroup};
use wb_core::state::State;
use wb_core::work::TaskRow;

/// Label rows that are read at a time.
const CHUNK: usize = 600;

/// What the groups were made of: when one of these numbers changes they are made again.
type Made = (usize, usize, usize, usize, usize);

/// The groups of a stage's tasks.
pub struct Groups {
    stage: Option<StageId>,
    by: usize,
    ways: Vec<GroupBy>,
    groups: Vec<TaskGroup>,
    made: Option<Made>,
    at: usize,
    top: usize,
}

impl Groups {
    /// The groups by failure, or by route where nothing failed.
    pub fn new(ui: &Ui, state: &State) -> Self {
        let queue = ui.stage.and_then(|stage| state.queues.get(&stage));
        let failed = queue.is_some_and(|queue| {
            let rows = (0..queue.view.len()).filter_map(|place| queue.at(place));
            rows.filter_map(|row| state.results.get(&row.id))
                .any(|last| last.failed)
        });
        Self {
            stage: ui.stage,
            by: usize::from(!failed),
            ways: Vec::new(),
            groups: Vec::new(),
            made: None,
            at: 0,
            top: 0,
        }
    }

    fn queue<'s>(&self, state: &'s State) -> Option<&'s Queue> {
        state.queues.get(&self.stage?)
    }

    /// Counts again where something has changed.
    fn follow(&mut self, state: &State) {
        let Some(queue) = self.queue(state) else {
            return;
        };
        let results = state.results.len();
        let made = (
            queue.rows.len(),
            queue.view.len(),
            queue.known.len(),
            results,
            self.by,
        );
        if self.made.replace(made) == Some(made) {
            return;
        }
        self.ways = queue.groupings();
        self.by = self.by.min(self.ways.len() - 1);
        self.groups = queue.groups(&self.ways[self.by], &state.results);
        self.at = self.at.min(self.groups.len().saturating_sub(1));
    }

    fn term(&self) -> Option<&str> {
        self.groups.get(self.at)?.term.as_deref()
    }

    /// Adds the chosen group to the filter of the queue.
    fn filter(&self, state: &State) -> Vec<Command> {
        let (Some(stage), Some(term), Some(queue)) = (self.stage, self.term(), self.queue(state))
        else {
            return Vec::new();
        };
        let text = match queue.filter_text.as_str() {
            "" => term.to_owned(),
            before => format!("{before} {term}"),
        };
        vec![Command::Filter { stage, text }]
    }

    fn mark(&self, state: &State) -> Vec<Command> {
        let filter = self.term().and_then(|term| Filter::parse(term).ok());
        let (Some(stage), Some(filter), Some(queue)) = (self.stage, filter, self.queue(state))
        else {
            return Vec::new();
        };
        let tasks = queue.matching(&filter, state.now, &state.results);
        let on = tasks.iter().any(|task| !queue.marks.contains(task));
        vec![Command::Mark { stage, tasks, on }]
    }

    /// The ways to group, the one in use in brackets.
    fn tabs(&self, columns: usize, ui: &Ui) -> Line<'static> {
        let mut line = Line::from(Span::styled(" by ", ui.st.dim));
        for (place, way) in self.ways.iter().enumerate() {
            let name = clean(&way.word()).into_owned();
            let (text, style) = match place == self.by {
                true => (format!("[{name}]"), ui.st.strong),
                false => (format!(" {name} "), ui.st.dim),
            };
            // The one in use is seen, however many there are.
            if line.width() + width(&text) + 2 > columns {
                if place > self.by {
                    break;
                }
                line = Line::from(Span::styled(" … ", ui.st.dim));
            }
            line.push_span(Span::styled(text, style));
        }
        line
    }
}

impl Layer for Groups {
    fn scope(&self) -> Scope {
        Scope::Queue
    }

    fn opened_by(&self) -> Option<Action> {
        Some(Action::Groups)
    }

    fn on(&mut self, action: Action, ui: &mut Ui, state: &State) -> Handled {
        let ways = self.ways.len().max(1);
        match action {
            Action::In if self.term().is_some() => return Handled::Close(self.filter(state)),
            Action::In => {}
            Action::Mark => return Handled::Stay(self.mark(state)),
            Action::NextPane | Action::Right => (self.by, self.at) = ((self.by + 1) % ways, 0),
            Action::PrevPane | Action::Left => {
                (self.by, self.at) = ((self.by + ways - 1) % ways, 0);
            }
            _ if action.moves() => {
                let last = self.groups.len().saturating_sub(1);
                self.at = moved(self.at, action, ui.page()).min(last);
            }
            _ => return Handled::No,
        }
        Handled::done()
    }

    fn on_click(&mut self, row: usize, _: &mut Ui, _: &State) -> bool {
        self.at = row.min(self.groups.len().saturating_sub(1));
        true
    }

    fn hints(&self, ui: &Ui, state: &State) -> Hints {
        let mut all: Hints = vec![
            (Action::In, "filter".into()),
            (Action::Mark, "mark them".into()),
            (Action::NextPane, "other groups".into()),
        ];
        all.extend(actions::hints(
            ui,
            state,
            &[Action::Up, Action::Down, Action::Out],
        ));
        all
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        self.follow(state);
        let st = ui.st;
        let Some(queue) = self.queue(state) else {
            return;
        };
        let mut words = plural(queue.view.len(), "task");
        if queue.asking {
            words = format!("{words}, label rows read: {}…", number(queue.known.len()));
        }
        let inner = ui.overlay(buf, area, ("Groups", &words));
        let [tabs, body] =
            Layout::vertical([Constraint::Length(2), Constraint::Fill(1)]).areas(inner);
        crate::widgets::lines(buf, tabs, &[self.tabs(usize::from(tabs.width), ui)], 0);
        let columns = usize::from(padded(body).width);
        let count = self.groups.len();
        let all = queue.view.len().max(1);
        let marks = &queue.marks;
        self.top = list(ui, buf, body, self.top, (self.at, count), |_, place| {
            let group = &self.groups[place];
            #[allow(clippy::cast_precision_loss)] // a bar
            let part = group.tasks as f64 / all as f64;
            let name_w = columns.saturating_sub(40).max(12);
            let style = if group.term.is_some() {
                st.text
            } else {
                st.dim
            };
            Line::from(vec![
                Span::styled(right(&number(group.tasks), 9), st.strong),
                Span::styled(right(&format!("{:.1} % ", part * 100.0), 9), st.dim),
                Span::styled(left(&bar(part, 14), 15), st.accent),
                Span::styled(fit(&clean(&group.name), name_w), style),
            ])
        });
        if !marks.is_empty() {
            let text = format!(" {} ", plural(marks.len(), "marked task"));
            let line = Line::styled(text, st.key);
            crate::widgets::line(buf, tabs, 1, &line);
        }
    }

    /// Which keys there are is known once some label rows were read; all of them are read for a key in use.
    fn unread_rows(&self, _: &Ui, state: &State) -> Vec<TaskRow> {
        let Some(queue) = self.queue(state) else {
            return Vec::new();
        };
        let by_key = matches!(self.ways.get(self.by), Some(GroupBy::Metadata(_)));
        let places = if by_key { queue.view.len() } else { CHUNK };
        queue.unread(0..places).take(CHUNK).cloned().collect()
    }
}
