//! Tasks that run dry again at every build: what each gave, and what changed against the last build.
//!
//! Running them is left to the engine; how one task looks is in `sides`.

mod sides;

use super::{Overlay, moved};
use crate::chrome::Hints;
use crate::text::{clean, fit, fit_middle, left, number, plural, wrap};
use crate::theme::Styles;
use crate::widgets::{above, beside, lines, overlay, pane as frame, scroll_to, scrollbar, shade};
use crate::{Hit, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use wb_core::command::{Command, Verb};
use wb_core::ids::TaskId;
use wb_core::state::State;
use wb_core::watch::{Phase, WatchResult, Watched, route};

/// Cursor, and how far the differences are scrolled.
#[derive(Default)]
pub struct Pane {
    at: usize,
    top: usize,
    /// Reading the differences instead of choosing a task.
    inside: bool,
    scroll: usize,
}

impl Pane {
    /// The task under the cursor.
    pub fn task<'a>(&self, state: &'a State) -> Option<&'a Watched> {
        state.watch.tasks.get(self.at)
    }

    pub fn move_cursor(&mut self, verb: Verb, state: &State) {
        if self.inside {
            self.scroll = moved(self.scroll, verb, 10);
            return;
        }
        self.scroll = 0;
        let last = state.watch.tasks.len().saturating_sub(1);
        self.at = moved(self.at, verb, 10).min(last);
    }

    /// Keys that work now.
    pub fn hints(&self, state: &State) -> Hints {
        let keep = if state.watch.kept {
            "compare with the last"
        } else {
            "keep this build to compare"
        };
        let holds = self.task(state).is_some_and(can_hold);
        let all = [
            ("s", "step", true),
            ("x", "run again", true),
            ("a", "hold", holds),
            ("w", "unwatch", true),
            ("enter", "read on", !self.inside),
            ("esc", "back", true),
            ("p", keep, true),
        ];
        all.into_iter()
            .filter(|(_, _, now)| *now)
            .map(|(key, word, _)| (key.to_owned(), word.to_owned()))
            .collect()
    }

    pub fn select(&mut self, row: usize, state: &State) {
        self.inside = false;
        self.at = row;
        self.move_cursor(Verb::Watching, state);
    }
}

/// Commands that mean something special here; `None`: not one of them.
pub fn on_verb(ui: &mut Ui, verb: Verb, state: &State) -> Option<Vec<Command>> {
    let Some(Overlay::Watch(pane)) = ui.overlays.last_mut() else {
        return None;
    };
    let chosen = pane.task(state);
    let task: Option<TaskId> = chosen.map(|t| t.row.id);
    let commands = match verb {
        Verb::In | Verb::Right => {
            pane.inside = chosen.is_some();
            Vec::new()
        }
        Verb::Out | Verb::Left if pane.inside => {
            (pane.inside, pane.scroll) = (false, 0);
            Vec::new()
        }
        Verb::Left => Vec::new(),
        Verb::Again => task
            .map(|t| Command::WatchAgain(vec![t]))
            .into_iter()
            .collect(),
        // Half of the tasks would be compared with one build, half with another.
        Verb::KeepWatchResults
            if !state.watch.kept && state.watch.tasks.iter().any(Watched::pending) =>
        {
            ui.notice = Some("not every task has run on this build yet".into());
            return Some(Vec::new());
        }
        Verb::KeepWatchResults if task.is_some() => {
            vec![Command::KeepWatchResults(!state.watch.kept)]
        }
        Verb::HoldWatched => {
            if !chosen.is_some_and(can_hold) {
                ui.notice = Some("there is no outcome to keep yet".into());
                return Some(Vec::new());
            }
            task.map(Command::HoldWatched).into_iter().collect()
        }
        Verb::Unwatch => chosen
            .map(|t| Command::Watch {
                stage: t.stage,
                rows: vec![t.row.clone()],
                on: false,
            })
            .into_iter()
            .collect(),
        Verb::UnwatchAll => state
            .watch
            .tasks
            .iter()
            .map(|t| Command::Watch {
                stage: t.stage,
                rows: vec![t.row.clone()],
                on: false,
            })
            .collect(),
        Verb::StepWatched => {
            let Some((stage, id)) = chosen.map(|t| (t.stage, t.row.id)) else {
                return Some(Vec::new());
            };
            ui.overlays.clear();
            ui.open_task(stage, id, state)
        }
        _ => return None,
    };
    Some(commands)
}

/// Whether the newest build gave something that can be held.
pub fn can_hold(task: &Watched) -> bool {
    task.inputs.is_some() && task.now.as_ref().is_some_and(|l| l.result.is_ok())
}

pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &mut Pane, state: &State) {
    let st = ui.st;
    let count = state.watch.tasks.len();
    let (title, right) = match count {
        0 => ("Watch".to_owned(), String::new()),
        _ => (
            format!("Watch: {} at every build", plural(count, "task")),
            against(state),
        ),
    };
    let inner = overlay(buf, area, &title, &right, &st);
    let room = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    if count == 0 {
        let how = nothing(usize::from(room.width), &st);
        lines(buf, room, &how, 0);
        return;
    }
    pane.at = pane.at.min(count - 1);
    let (body, below) = above(room, room.height.saturating_sub(1));
    let summary = summary(state, usize::from(room.width), &st);
    lines(buf, below, &[summary], 0);
    let tasks = u16::try_from(count + 2).unwrap_or(u16::MAX);
    let (list, details) = if ui.room.narrow() {
        above(body, tasks.min(body.height / 3).max(3))
    } else {
        beside(body, body.width / 2)
    };
    draw_list(ui, buf, list, pane, state);
    sides::draw(ui, buf, details, pane, state);
}

/// What newer builds are compared with.
fn against(state: &State) -> String {
    let kept = state.watch.tasks.iter().filter_map(|t| t.before.as_ref());
    match kept.map(|l| l.build).max() {
        Some(build) if state.watch.kept => format!("against build {build}, kept (p)"),
        _ => "against the last build".to_owned(),
    }
}

/// How to begin.
fn nothing<'a>(columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let text = "w on the Queue, Task or Run screen watches tasks: they run at once, and again whenever a new build is there, from the same inputs. What changed against the last build is shown here.";
    let mut all = vec![
        Line::default(),
        Line::from(" No task is watched."),
        Line::default(),
    ];
    let text = wrap(text, columns.saturating_sub(1));
    all.extend(text.into_iter().map(|t| Line::from(format!(" {t}"))));
    all.push(Line::styled(" Nothing is written by that.", st.dim));
    all
}

fn summary<'a>(state: &State, columns: usize, st: &Styles) -> Line<'a> {
    let tasks = &state.watch.tasks;
    let pending = tasks.iter().filter(|t| t.pending()).count();
    let (differing, failing) = (state.watch.differing(), state.watch.failing());
    let mut text = match (pending, differing) {
        (0, 0) if tasks.iter().any(|t| t.before.is_some()) => "no task differs".to_owned(),
        (0, 0) => "looked at once; change the agent and build it".to_owned(),
        (0, 1) => "1 task differs".to_owned(),
        (0, n) => format!("{} tasks differ", number(n as u64)),
        (n, _) => format!("… {} to go", number(n as u64)),
    };
    if failing > 0 {
        text.push_str(&format!(" · {} failed", number(failing as u64)));
    }
    text.push_str(" · nothing was written");
    let style = match (pending, failing, differing) {
        (1.., _, _) => st.accent,
        (_, 1.., _) => st.bad,
        (_, _, 1..) => st.changed,
        _ => st.dim,
    };
    Line::styled(fit(&text, columns), style)
}

/// A sign and its look: what became of a task.
pub fn sign(task: &Watched, st: &Styles) -> (&'static str, Style) {
    match task.phase {
        Phase::Running(..) if task.pid.is_some() => ("▶", st.accent),
        Phase::NoAgent => ("!", st.warn),
        _ if task.pending() => ("·", st.dim),
        _ if task.failed() => ("✗", st.bad),
        _ if task.differs() => ("~", st.changed),
        _ if task.before.is_some() => ("=", st.good),
        _ => ("✓", st.good),
    }
}

/// Where the task goes, on both builds when they differ; or why that is not known.
fn way(task: &Watched) -> String {
    let word = |look: &WatchResult| match look.result {
        Ok(_) => route(look),
        Err(_) => "failed".to_owned(),
    };
    match (&task.phase, &task.now, &task.before) {
        (Phase::NoAgent, ..) => "no agent".to_owned(),
        (Phase::Unfetched, ..) => "inputs not read".to_owned(),
        (Phase::Wanted | Phase::Fetching(_), None, _) => "fetching".to_owned(),
        (_, None, _) => "not run yet".to_owned(),
        (_, Some(now), Some(before)) if word(now) != word(before) => {
            format!("{} → {}", word(before), word(now))
        }
        (_, Some(now), _) => match task.differences().map_or(0, |d| d.len()) {
            0 => word(now),
            n => format!("{} · {}", word(now), plural(n, "difference")),
        },
    }
}

fn draw_list(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &mut Pane, state: &State) {
    let st = ui.st;
    let count = state.watch.tasks.len();
    let place = format!("{}/{}", number((pane.at + 1) as u64), number(count as u64));
    let inner = frame(buf, area, "Tasks", &place, !pane.inside, &st);
    let rows = usize::from(inner.height);
    let columns = usize::from(inner.width);
    pane.top = scroll_to(pane.top, pane.at, rows, count);
    let title_w = (columns / 2).clamp(8, 40);
    let shown = state.watch.tasks.iter().enumerate();
    for (row, (place, task)) in shown.skip(pane.top).take(rows).enumerate() {
        let y = u16::try_from(row).unwrap_or(0);
        let (sign, style) = sign(task, &st);
        let here = place == pane.at;
        let title = left(&fit_middle(&task.row.title, title_w), title_w);
        let line = Line::from(vec![
            Span::styled(if here { "▌" } else { " " }, st.accent),
            Span::styled(format!("{sign} "), style),
            Span::raw(title),
            Span::styled(
                format!(
                    " {}",
                    fit(&clean(&way(task)), columns.saturating_sub(title_w + 4))
                ),
                style,
            ),
        ]);
        crate::widgets::line(buf, inner, y, &line);
        if here {
            shade(buf, inner, y, st.selected);
        }
    }
    scrollbar(buf, inner, pane.top, rows, count, &st);
    ui.hits.push((inner, Hit::Rows(pane.top)));
}
