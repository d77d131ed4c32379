//! Compare: two sides over the tasks of a stage, as a matrix of routes, labels by class, and tasks, the worst first.
//!
//! Running the agents is left to the engine, comparing to the core; how one task looks is in `task`.

mod figures;
mod progress;
pub(super) mod task;

use self::figures::figures;
use self::progress::{how, progress, run_words};
use super::ListCursor;
use crate::Ui;
use crate::actions::{self, Action, Hints, Scope};
use crate::frames::{head_of, list_and_details};
use crate::layer::{Handled, Layer};
use crate::panes::PaneName;
use crate::text::{clean, fit, fit_middle, left};
use crate::widgets::{lines, list, padded};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::command::Command;
use wb_core::compare::ComparedTask;
use wb_core::comparing::{CompareCommand, CompareSide, CompareSpec, Comparing};
use wb_core::counted::{number, plural};
use wb_core::ids::{DataHash, StageId};
use wb_core::state::State;

/// Earlier runs that can be chosen, the newest.
const RUNS: usize = 10;

/// Why there is no picture.
const NO_PICTURES: &str =
    "no picture: of an earlier run the changes are kept, not the labels as they were drawn";

/// The comparison, with both sides of the chosen task.
pub struct Compare {
    stage: Option<StageId>,
    sides: [CompareSide; 2],
    cursor: ListCursor,
}

impl Compare {
    /// The newest comparison; without one, the build before the newest against the newest.
    pub fn new(ui: &Ui, state: &State) -> Self {
        let known = state.comparing.as_ref();
        let stage = ui.stage.or_else(|| known.map(|c| c.stage));
        let here = known.filter(|c| Some(c.stage) == stage).map(|c| c.sides);
        let choices = choices(stage, state);
        let newest = choices.first().copied().unwrap_or(CompareSide::Upstream);
        let before = choices.get(1).copied().unwrap_or(CompareSide::Upstream);
        Self {
            stage,
            sides: here.unwrap_or([before, newest]),
            cursor: ListCursor::default(),
        }
    }

    /// The comparison of what is chosen, if there is one.
    fn shown<'a>(&self, state: &'a State) -> Option<&'a Comparing> {
        let comparing = state.comparing.as_deref()?;
        (Some(comparing.stage) == self.stage && comparing.sides == self.sides).then_some(comparing)
    }

    /// Whether the comparison in sight has not ended: leaving stops it, and what was compared stays.
    fn under_way(&self, state: &State) -> bool {
        self.shown(state)
            .is_some_and(|comparing| !comparing.is_over())
    }

    fn rows<'a>(&self, state: &'a State) -> &'a [ComparedTask] {
        self.shown(state)
            .map_or(&[], |comparing| &comparing.found.rows)
    }

    /// Chooses the next side that is not the other one.
    fn turn(&mut self, at: usize, state: &State) {
        let all = choices(self.stage, state);
        let now = all.iter().position(|side| *side == self.sides[at]);
        let after = now.map_or(0, |now| now + 1);
        let next = all.iter().cycle().skip(after).take(all.len());
        let other = self.sides[1 - at];
        if let Some(next) = next.copied().find(|side| *side != other) {
            self.sides[at] = next;
            self.cursor = ListCursor::default();
        }
    }

    fn has_run(&self) -> bool {
        self.sides.iter().any(|side| side.run().is_some())
    }

    fn begin(&self, state: &State) -> Vec<Command> {
        let Some(stage) = self.stage else {
            return Vec::new();
        };
        let sides = self.sides;
        // Of two runs the tasks of both are compared.
        let queue = state.queues.get(&stage);
        let queue = queue.filter(|_| !CompareSide::are_runs(sides));
        let rows = queue.map_or_else(Vec::new, |queue| queue.chosen(usize::MAX));
        vec![Command::Compare(CompareCommand::Begin(CompareSpec {
            stage,
            rows,
            sides,
        }))]
    }
}

/// Asks which earlier runs there are.
pub fn opened() -> Vec<Command> {
    vec![Command::Compare(CompareCommand::ListRuns)]
}

/// What can be compared at a stage: its builds, the newest first, held outcomes, upstream, and the newest earlier runs.
fn choices(stage: Option<StageId>, state: &State) -> Vec<CompareSide> {
    let Some(stage) = stage else {
        return vec![CompareSide::Upstream];
    };
    let builds = state.comparable(stage).into_iter().map(CompareSide::Build);
    let held = state.held.values().any(|held| held.stage == stage);
    let held = held.then_some(CompareSide::Held);
    let runs = state.earlier_runs.iter();
    let runs = runs.filter(|run| run.stages.contains(&stage)).take(RUNS);
    builds
        .chain(held)
        .chain([CompareSide::Upstream])
        .chain(runs.map(|run| CompareSide::Run(run.number)))
        .collect()
}

impl Layer for Compare {
    fn scope(&self) -> Scope {
        Scope::Compare
    }

    fn opened_by(&self) -> Option<Action> {
        Some(Action::Compare)
    }

    fn on(&mut self, action: Action, ui: &mut Ui, state: &State) -> Handled {
        if self.cursor.on(action, self.rows(state).len(), ui) {
            return Handled::done();
        }
        match action {
            Action::Out if self.under_way(state) => {
                return Handled::Stay(vec![Command::Compare(CompareCommand::Stop)]);
            }
            Action::SideA | Action::SideB => {
                self.turn(usize::from(action == Action::SideB), state);
                // One may have ended meanwhile.
                return Handled::Stay(opened());
            }
            Action::ComparePicture if self.has_run() => {
                ui.notice = Some(NO_PICTURES.to_owned());
            }
            Action::BeginCompare => return Handled::Stay(self.begin(state)),
            Action::EndCompare => {
                return Handled::Stay(vec![Command::Compare(CompareCommand::Stop)]);
            }
            Action::SortCompared => {
                return Handled::Stay(vec![Command::Compare(CompareCommand::Sort)]);
            }
            Action::SaveCompared => {
                return Handled::Stay(vec![Command::Compare(CompareCommand::Save)]);
            }
            Action::StepCompared => {
                let task = self.rows(state).get(self.cursor.at);
                let open = task.zip(self.stage);
                return open.map_or_else(Handled::done, |(task, stage)| {
                    Handled::CloseAll(ui.open_task(stage, task.task, state))
                });
            }
            _ => return Handled::No,
        }
        Handled::done()
    }

    fn on_click(&mut self, row: usize, _: &mut Ui, state: &State) -> bool {
        self.cursor.choose(row, self.rows(state).len());
        true
    }

    fn hints(&self, ui: &Ui, state: &State) -> Hints {
        use Action::*;
        let mut all = actions::hints(ui, state, &[BeginCompare, SideA, SideB]);
        if !self.rows(state).is_empty() {
            if ui.in_main() {
                all.push((In, "both sides".into()));
            }
            let on_tasks = [StepCompared, SortCompared, SaveCompared];
            all.extend(actions::hints(ui, state, &on_tasks));
            if !self.has_run() {
                let pictures = [ComparePicture, PrevFrame, NextFrame];
                all.extend(actions::hints(ui, state, &pictures));
            }
        }
        match self.under_way(state) {
            true => all.push((Out, "stop, keep what was compared".into())),
            false => all.extend(actions::hints(ui, state, &[Out])),
        }
        all
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        let st = ui.st;
        let title = self.stage.map_or("–", |stage| state.stage_title(stage));
        let title = format!("Compare at {}", clean(title));
        let over = self.shown(state).filter(|comparing| comparing.is_over());
        let order = over.map_or("", |comparing| comparing.order.word());
        let title = (&*title, order);
        let columns = usize::from(area.width).saturating_sub(4);
        let mut head = vec![self.sides_line(ui, state, columns)];
        head.extend(self.run_lines(ui, state, columns));
        let Some(comparing) = self.shown(state) else {
            head.push(Line::default());
            head.extend(how(ui, columns));
            let inner = ui.overlay(buf, area, title);
            return lines(buf, padded(inner), &head, 0);
        };
        head.extend(progress(comparing, state, columns, &st));
        head.push(Line::default());
        head.extend(figures(&comparing.found, columns, &st));
        let inner = ui.overlay_of_panes(buf, area, title);
        let rows = u16::try_from(head.len()).unwrap_or(u16::MAX);
        let [top, body] = head_of(inner, rows.min(inner.height / 2));
        if let Some(top) = ui.panes.place(PaneName::Still, top) {
            let room = ui.still_pane(top);
            lines(buf, padded(room), &head, 0);
        }
        let count = comparing.found.rows.len();
        self.cursor.at = self.cursor.at.min(count.saturating_sub(1));
        let tasks = u16::try_from(count + 2)
            .unwrap_or(u16::MAX)
            .min(body.height / 2)
            .max(4);
        let [tasks, details] = list_and_details(body, ui.room.narrow(), tasks, body.width / 2);
        self.draw_list(ui, buf, tasks, comparing);
        task::draw(ui, buf, details, &self.cursor, comparing);
    }

    fn data(&self, _: &Ui, state: &State) -> Option<DataHash> {
        let comparing = self.shown(state)?;
        let task = comparing.found.rows.get(self.cursor.at)?;
        Some(comparing.sides_of(task.task)?.inputs.row.data)
    }

    fn value(&self, _: &Ui, state: &State) -> Option<(String, String)> {
        let task = self.rows(state).get(self.cursor.at)?;
        Some(("the task's UUID".to_owned(), task.task.to_string()))
    }
}

impl Compare {
    fn sides_line<'a>(&self, ui: &Ui, state: &State, columns: usize) -> Line<'a> {
        let queue = self.stage.and_then(|stage| state.queues.get(&stage));
        let queue = queue.filter(|_| !CompareSide::are_runs(self.sides));
        let tasks = queue.map_or_else(String::new, |queue| match queue.marks.len() {
            0 => format!("{} listed", plural(queue.view.len(), "task")),
            n => format!("{} marked", plural(n, "task")),
        });
        let [a, b] = self.sides.map(CompareSide::words);
        let st = &ui.st;
        let text = format!("   {tasks}");
        let room = columns.saturating_sub(a.len() + b.len() + 10);
        Line::from(vec![
            Span::styled("A ", st.dim),
            Span::styled(a, st.strong),
            Span::styled("   B ", st.dim),
            Span::styled(b, st.strong),
            Span::styled(fit(&text, room), st.dim),
        ])
    }

    /// What the sides that are runs were.
    fn run_lines<'a>(&self, ui: &Ui, state: &State, columns: usize) -> Vec<Line<'a>> {
        let known = |side: CompareSide| {
            let run = side.run()?;
            state.earlier_runs.iter().find(|known| known.number == run)
        };
        let runs = self.sides.into_iter().filter_map(known);
        runs.map(|run| Line::styled(fit(&run_words(run, state), columns), ui.st.dim))
            .collect()
    }

    fn draw_list(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, comparing: &Comparing) {
        let Some(area) = ui.panes.place(PaneName::Main, area) else {
            return;
        };
        let st = ui.st;
        let rows = &comparing.found.rows;
        let place = format!("{}/{}", number(self.cursor.at + 1), number(rows.len()));
        let place = if rows.is_empty() {
            String::new()
        } else {
            place
        };
        let inner = ui.pane(buf, PaneName::Main, area, ("Tasks", &place));
        let columns = usize::from(inner.width);
        let title_w = (columns / 2).clamp(8, 40);
        let at = self.cursor.at;
        self.cursor.top = list(
            ui,
            buf,
            inner,
            self.cursor.top,
            (at, rows.len()),
            |_, place| {
                let row = &rows[place];
                let (sign, style) = match &row.differs {
                    differs if differs.failed[1] && !differs.failed[0] => ("✗", st.bad),
                    differs if differs.differs() => ("~", st.changed),
                    _ => ("=", st.good),
                };
                let labels = row.differs.label_words();
                let what = format!("{}  {labels}", row.differs.route_words());
                let what = fit(&clean(what.trim_end()), columns.saturating_sub(title_w + 4));
                Line::from(vec![
                    Span::styled(if place == at { "▌" } else { " " }, st.accent),
                    Span::styled(format!("{sign} "), style),
                    Span::raw(left(&fit_middle(&row.title, title_w), title_w)),
                    Span::styled(format!(" {what}"), style),
                ])
            },
        );
    }
}
