//! Tasks that run dry again at every build: what each gave, and what changed against the last build.
//!
//! Running them is left to the engine; how one task looks is in `sides`, both in lines in `linear`.

mod linear;
mod sides;

use super::ListCursor;
use crate::Ui;
use crate::actions::{self, Action, Hints, Scope};
use crate::frames::{head_of, list_and_details};
use crate::layer::{Handled, Layer};
use crate::panes::PaneName;
use crate::text::{clean, fit, fit_middle, left, number, plural};
use crate::theme::Styles;
use crate::widgets::{hanging, lines, list, padded, scroll_to};
use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use wb_core::command::Command;
use wb_core::compare::TaskComparison;
use wb_core::state::State;
use wb_core::watch::{Phase, Watched};

/// From so many tasks on those that differ are shown first.
const MANY: usize = 100;
/// Tasks that differ and can be listed, the worst ones.
const LISTED: usize = 5_000;

/// The watched tasks, with the differences of the chosen one.
#[derive(Default)]
pub struct Watch {
    cursor: ListCursor,
    /// Whether only those that differ or fail are listed; `None`: when there are many.
    differing: Option<bool>,
}

impl Watch {
    /// Whether only those that differ or fail are listed.
    fn only_differing(&self, state: &State) -> bool {
        let many = state.watch.len() > MANY && state.watch.worst_len() > 0;
        self.differing.unwrap_or(many)
    }

    /// How many are listed.
    fn count(&self, state: &State) -> usize {
        match self.only_differing(state) {
            true => state.watch.worst_len().min(LISTED),
            false => state.watch.len(),
        }
    }

    /// The task at this place of the list.
    fn listed<'a>(&self, state: &'a State, place: usize) -> Option<&'a Watched> {
        match self.only_differing(state) {
            true => state.watch.worst(place.min(LISTED)).next(),
            false => state.watch.at(place),
        }
    }

    /// The task under the cursor.
    fn task<'a>(&self, state: &'a State) -> Option<&'a Watched> {
        self.listed(state, self.cursor.at)
    }

    /// Lists the others.
    fn turn(&mut self, state: &State) {
        self.differing = Some(!self.only_differing(state));
        self.cursor = ListCursor::default();
    }

    /// Actions on the chosen task.
    fn on_task(action: Action, task: &Watched, ui: &mut Ui, state: &State) -> Handled {
        let command = match action {
            Action::Again => Command::WatchAgain(vec![task.row.id]),
            Action::HoldWatched if task.can_hold() => Command::HoldWatched(task.row.id),
            Action::HoldWatched => {
                let gone = task.now.as_ref().is_some_and(|now| !now.failed);
                ui.notice = Some(match gone {
                    true => "its outcome is no longer kept: {key:Again} runs it again".into(),
                    false => "there is no outcome to keep yet".into(),
                });
                return Handled::done();
            }
            Action::Unwatch => unwatch(task),
            Action::StepWatched => {
                return Handled::CloseAll(ui.open_task(task.stage, task.row.id, state));
            }
            _ => return Handled::No,
        };
        Handled::Stay(vec![command])
    }
}

fn unwatch(task: &Watched) -> Command {
    Command::Watch {
        stage: task.stage,
        rows: vec![task.row.clone()],
        on: false,
    }
}

impl Layer for Watch {
    fn scope(&self) -> Scope {
        Scope::Watch
    }

    fn opened_by(&self) -> Option<Action> {
        Some(Action::Watching)
    }

    fn on(&mut self, action: Action, ui: &mut Ui, state: &State) -> Handled {
        if self.cursor.on(action, self.count(state), ui) {
            return Handled::done();
        }
        match action {
            Action::KeepWatchResults => {
                Handled::Stay(vec![Command::KeepWatchResults(!state.watch.kept)])
            }
            Action::UnwatchAll => Handled::Stay(vec![Command::UnwatchAll]),
            Action::SortWatched => {
                self.turn(state);
                Handled::done()
            }
            _ => match self.task(state) {
                Some(task) => Self::on_task(action, task, ui, state),
                None => Handled::No,
            },
        }
    }

    fn on_click(&mut self, row: usize, _: &mut Ui, state: &State) -> bool {
        self.cursor.choose(row, self.count(state));
        true
    }

    fn hints(&self, ui: &Ui, state: &State) -> Hints {
        use Action::*;
        let mut all = actions::hints(ui, state, &[StepWatched, Again]);
        if self.task(state).is_some_and(Watched::can_hold) {
            all.extend(actions::hints(ui, state, &[HoldWatched]));
        }
        all.extend(actions::hints(ui, state, &[Unwatch]));
        if self.task(state).is_some() && ui.in_main() {
            all.push((In, "read on".into()));
        }
        if state.watch.worst_len() > 0 || self.only_differing(state) {
            let word = match self.only_differing(state) {
                true => "all",
                false => "what differs",
            };
            all.push((SortWatched, word.into()));
        }
        all.extend(actions::hints(
            ui,
            state,
            &[Out, KeepWatchResults, WatchPicture, PrevFrame, NextFrame],
        ));
        all
    }

    fn lines(&mut self, ui: &mut Ui, state: &State) -> Option<Vec<String>> {
        Some(linear::lines(self, ui, state))
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        let st = ui.st;
        let all = state.watch.len();
        let (title, right) = match all {
            0 => ("Watch".to_owned(), String::new()),
            _ => (
                format!("Watch: {} at every build", plural(all, "task")),
                against(state),
            ),
        };
        if all == 0 {
            let room = padded(ui.overlay(buf, area, (&title, &right)));
            let how = nothing(ui, usize::from(room.width));
            lines(buf, room, &how, 0);
            return;
        }
        let inner = ui.overlay_of_panes(buf, area, (&title, &right));
        let columns = usize::from(padded(inner).width);
        let round = summary(state, columns, &st);
        let rows = u16::try_from(round.len().min(2)).unwrap_or(2);
        let [top, body] = head_of(inner, rows);
        if let Some(top) = ui.panes.place(PaneName::Still, top) {
            lines(buf, padded(top.inner(Margin::new(1, 0))), &round, 0);
        }
        let count = self.count(state);
        self.cursor.at = self.cursor.at.min(count.saturating_sub(1));
        let tasks = u16::try_from(count + 2).unwrap_or(u16::MAX);
        let tasks = tasks.min(body.height / 3).max(4);
        let [list, details] = list_and_details(body, ui.room.narrow(), tasks, body.width / 2);
        draw_list(ui, buf, list, self, state);
        sides::draw(ui, buf, details, self, state);
    }

    fn value(&self, _: &Ui, state: &State) -> Option<(String, String)> {
        let task = self.task(state)?;
        Some(("the task's UUID".to_owned(), task.row.id.to_string()))
    }
}

/// What newer builds are compared with.
fn against(state: &State) -> String {
    match state.watch.pinned() {
        Some(build) => format!("against build {build} (pinned)"),
        None => "against the last build".to_owned(),
    }
}

/// How to begin.
fn nothing<'a>(ui: &Ui, columns: usize) -> Vec<Line<'a>> {
    let text = ui.keyed("{key:WatchTask} on the Queue, Task or Run screen watches tasks: they run at once, and again at every new build, from the same inputs. What changed since the previous build is shown here.");
    let mut all = vec![
        Line::default(),
        Line::from(" No task is watched."),
        Line::default(),
    ];
    all.extend(hanging(" ", ui.st.text, &text, columns, ui.st.text));
    all.push(Line::styled(" Watching writes nothing.", ui.st.dim));
    all
}

/// How far the round is and what it has come to, with the style of that.
fn summary<'a>(state: &State, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let (figures, pending) = (state.watch.figures(), state.watch.pending());
    let style = match (pending, figures.failed, figures.differing) {
        (1.., _, _) => st.accent,
        (_, 1.., _) => st.bad,
        (_, _, 1..) => st.changed,
        _ => st.dim,
    };
    hanging("", style, &round_words(state), columns, style)
}

/// How far the round is and what it has come to.
fn round_words(state: &State) -> String {
    let watch = &state.watch;
    let (figures, pending) = (watch.figures(), watch.pending());
    let mut parts = Vec::new();
    if pending > 0 {
        let on = watch
            .newest()
            .map_or_else(String::new, |build| format!(" on build {build}"));
        parts.push(format!(
            "… {} of {} to go{on}",
            number(pending),
            number(watch.len())
        ));
    }
    match (pending, figures.compared) {
        (0, 0) => parts.push("ran once; change the agent and build it".to_owned()),
        (_, 0) => {}
        _ => parts.push(figures.words()),
    }
    if figures.failed > figures.broken {
        parts.push(format!("{} failed", number(figures.failed)));
    }
    parts.push("nothing was written".to_owned());
    parts.join(" · ")
}

/// The sign of a task's newest result, and its style.
pub fn sign(task: &Watched, state: &State, st: &Styles) -> (&'static str, Style) {
    match state.watch.phase(task) {
        Phase::Running(..) if state.watch.pid(task).is_some() => ("▶", st.accent),
        Phase::NoAgent => ("!", st.warn),
        Phase::Waiting | Phase::Fetching(_) | Phase::Running(..) => ("·", st.dim),
        _ if task.failed() => ("✗", st.bad),
        _ if task.differs() => ("~", st.changed),
        _ if task.before.is_some() => ("=", st.good),
        _ => ("✓", st.good),
    }
}

/// Where the task goes, on both builds when they differ; or why that is not known.
fn result_word(task: &Watched, state: &State) -> String {
    match (state.watch.phase(task), &task.now, &task.before) {
        (Phase::NoAgent, ..) => "no agent".to_owned(),
        (Phase::Unfetched, ..) => "inputs not read".to_owned(),
        (Phase::Fetching(_), None, _) => "fetching".to_owned(),
        (_, None, _) => "not run yet".to_owned(),
        (_, Some(now), Some(before)) if now.word() != before.word() => {
            format!("{} → {}", before.word(), now.word())
        }
        (_, Some(now), _) => {
            let found = task.comparison.as_ref().and_then(|c| c.found.as_ref());
            let words = found.map_or_else(String::new, |found| difference_words(found));
            match (task.differs(), words.is_empty()) {
                (false, _) => now.word().to_owned(),
                (true, true) => format!("{} · differs", now.word()),
                (true, false) => format!("{} · {words}", now.word()),
            }
        }
    }
}

/// What differs beside the route, in a few words: `+1 moved 2 · overlap 0.93, priority`.
fn difference_words(found: &TaskComparison) -> String {
    let labels = found.label_words();
    let labels = (!labels.is_empty()).then_some(labels);
    let others = found.others.iter().map(|other| other.what.clone());
    let all: Vec<String> = labels.into_iter().chain(others.take(2)).collect();
    all.join(", ")
}

fn draw_list(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &mut Watch, state: &State) {
    let Some(area) = ui.panes.place(PaneName::Main, area) else {
        return;
    };
    let st = ui.st;
    let (count, at) = (pane.count(state), pane.cursor.at);
    let differing = pane.only_differing(state);
    let title = if differing {
        "What differs, worst first"
    } else {
        "Tasks"
    };
    let of = match state.watch.worst_len() {
        all if differing && all > count => format!("{} of {}", number(count), number(all)),
        _ => number(count),
    };
    let place = format!("{}/{of}", number(count.min(at + 1)));
    let inner = ui.pane(buf, PaneName::Main, area, (title, &place));
    let columns = usize::from(inner.width);
    if count == 0 {
        let text = ui.keyed("No task differs or fails. {key:SortWatched} lists all.");
        lines(
            buf,
            inner,
            &hanging("  ", st.dim, &text, columns, st.dim),
            0,
        );
        return;
    }
    let title_w = (columns / 2).clamp(8, 40);
    let top = scroll_to(pane.cursor.top, at, usize::from(inner.height), count);
    let rows: Vec<&Watched> = match differing {
        true => state
            .watch
            .worst(top)
            .take(usize::from(inner.height))
            .collect(),
        false => (top..)
            .map_while(|place| state.watch.at(place))
            .take(usize::from(inner.height))
            .collect(),
    };
    pane.cursor.top = list(ui, buf, inner, top, (at, count), |_, place| {
        let Some(task) = place.checked_sub(top).and_then(|row| rows.get(row)) else {
            return Line::default();
        };
        let (sign, style) = sign(task, state, &st);
        let what = fit(
            &clean(&result_word(task, state)),
            columns.saturating_sub(title_w + 4),
        );
        Line::from(vec![
            Span::styled(if place == at { "▌" } else { " " }, st.accent),
            Span::styled(format!("{sign} "), style),
            Span::raw(left(&fit_middle(&task.row.title, title_w), title_w)),
            Span::styled(format!(" {what}"), style),
        ])
    });
}
