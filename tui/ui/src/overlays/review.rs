//! What is held, in groups by where it goes and what it changes; what a commit would send.
//!
//! Groups are made when what is held changes, not at every frame: there may be a hundred thousand
//! outcomes. Writing is left to the engine, asking to [`super::ask`].

use super::ask::Ask;
use super::{Overlay, moved};
use crate::screens::task::patch;
use crate::text::{clean, fit, fit_middle, left, number, plural, right};
use crate::widgets::{lines, overlay, pane as frame, scroll_to, scrollbar, shade};
use crate::{Hit, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use std::sync::Arc;
use wb_core::command::{Command, Verb};
use wb_core::ids::{StageId, TaskId};
use wb_core::state::State;
use wb_core::work::Way;

/// Groups, cursor, and the group that is open.
#[derive(Default)]
pub struct Pane {
    groups: Vec<Group>,
    made_of: Option<u64>,
    at: usize,
    inside: Option<usize>,
    top: usize,
    send: Send,
}

struct Group {
    stage: StageId,
    name: String,
    tasks: Vec<TaskId>,
    taken: usize,
    /// Something is taken away: worth a look.
    removes: bool,
}

#[derive(Clone, Copy, Default)]
struct Send {
    tasks: usize,
    labels: usize,
    priorities: usize,
    metadata: usize,
    moves: usize,
}

impl Pane {
    /// Makes the groups anew when what is held, or what is taken of it, has changed.
    fn follow(&mut self, state: &State) {
        let mut print = state.held.len() as u64;
        for held in state.held.values() {
            let at = Arc::as_ptr(&held.outcome) as u64;
            print = print.rotate_left(5) ^ at ^ u64::from(held.taken);
        }
        if self.made_of == Some(print) {
            return;
        }
        self.made_of = Some(print);
        self.groups.clear();
        self.send = Send::default();
        for (task, held) in &state.held {
            let name = held.group();
            let known = self
                .groups
                .iter_mut()
                .find(|g| g.stage == held.stage && g.name == name);
            let group = match known {
                Some(group) => group,
                None => {
                    let removes = held.outcome.patch.counts().2 > 0;
                    self.groups.push(Group {
                        stage: held.stage,
                        name,
                        tasks: Vec::new(),
                        taken: 0,
                        removes,
                    });
                    let last = self.groups.len() - 1;
                    &mut self.groups[last]
                }
            };
            group.tasks.push(*task);
            if held.taken {
                group.taken += 1;
                let outcome = &held.outcome;
                self.send.tasks += 1;
                self.send.labels += usize::from(outcome.labels_after.is_some());
                self.send.priorities += usize::from(outcome.patch.priority.is_some());
                self.send.metadata += usize::from(outcome.patch.metadata.is_some());
                self.send.moves += usize::from(matches!(outcome.way, Way::Pathway { .. }));
            }
        }
        self.groups.sort_by(|a, b| {
            b.tasks
                .len()
                .cmp(&a.tasks.len())
                .then_with(|| a.name.cmp(&b.name))
        });
        self.at = self.at.min(self.groups.len().saturating_sub(1));
        if self.groups.is_empty() {
            self.inside = None;
        }
    }

    pub fn move_cursor(&mut self, verb: Verb) {
        match self.inside {
            Some(place) => {
                let last = self
                    .groups
                    .get(self.at)
                    .map_or(0, |g| g.tasks.len().saturating_sub(1));
                self.inside = Some(moved(place, verb, 10).min(last));
            }
            None => self.at = moved(self.at, verb, 10).min(self.groups.len().saturating_sub(1)),
        }
    }

    pub fn select(&mut self, row: usize) {
        match self.inside {
            Some(_) => self.inside = Some(row),
            None => self.at = row,
        }
        self.move_cursor(Verb::Review);
    }

    /// The tasks that a command is about: the one under the cursor, or the group.
    fn chosen(&self) -> Vec<TaskId> {
        let Some(group) = self.groups.get(self.at) else {
            return Vec::new();
        };
        match self.inside {
            Some(place) => group.tasks.get(place).copied().into_iter().collect(),
            None => group.tasks.clone(),
        }
    }

    fn task(&self) -> Option<TaskId> {
        let group = self.groups.get(self.at)?;
        group.tasks.get(self.inside.unwrap_or(0)).copied()
    }
}

/// Commands that mean something special here; `None`: not one of them.
pub fn on_verb(ui: &mut Ui, verb: Verb, state: &State) -> Option<Vec<Command>> {
    let Some(Overlay::Review(pane)) = ui.overlays.last_mut() else {
        return None;
    };
    pane.follow(state);
    match verb {
        Verb::In | Verb::Right => {
            if pane.inside.is_none() && !pane.groups.is_empty() {
                pane.inside = Some(0);
            }
            Some(Vec::new())
        }
        Verb::Out | Verb::Left if pane.inside.is_some() => {
            pane.inside = None;
            Some(Vec::new())
        }
        Verb::Left => Some(Vec::new()),
        Verb::Toggle => {
            let tasks = pane.chosen();
            let taken = |t: &TaskId| state.held.get(t).is_some_and(|h| h.taken);
            let on = !tasks.iter().all(taken);
            if pane.inside.is_some() {
                pane.move_cursor(Verb::Down);
            }
            Some(vec![Command::Take { tasks, on }])
        }
        Verb::DropAll => {
            let tasks = pane.chosen();
            Some(if tasks.is_empty() {
                Vec::new()
            } else {
                ui.open(Overlay::Ask(Ask::Drop(tasks)))
            })
        }
        Verb::CommitAll => Some(commit(ui, state)),
        _ => None,
    }
}

fn commit(ui: &mut Ui, state: &State) -> Vec<Command> {
    if let Some(why) = crate::act::refusal(ui, Verb::CommitAll, state) {
        ui.notice = Some(why);
        return Vec::new();
    }
    let tasks: Vec<TaskId> = state
        .held
        .iter()
        .filter(|(_, h)| h.taken)
        .map(|(t, _)| *t)
        .collect();
    if tasks.is_empty() {
        ui.notice = Some("nothing is taken: space takes a group".into());
        return Vec::new();
    }
    ui.open(Overlay::Ask(Ask::Commit(tasks)))
}

pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &mut Pane, state: &State) {
    let st = ui.st;
    pane.follow(state);
    let title = format!("Review: {} held", plural(state.held.len(), "outcome"));
    let inner = overlay(buf, area, &title, "nothing is sent before C, then y", &st);
    let room = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let foot = footer(pane, state, usize::from(room.width), &st);
    let foot_h = u16::try_from(foot.len()).unwrap_or(0).min(room.height / 2);
    let body = Rect {
        height: room.height.saturating_sub(foot_h + 1),
        ..room
    };
    let below = Rect {
        y: room.bottom() - foot_h,
        height: foot_h,
        ..room
    };
    lines(buf, below, &foot, 0);
    if pane.groups.is_empty() {
        let all = [
            Line::default(),
            Line::from(" Nothing is held."),
            Line::default(),
            Line::from(vec![
                Span::raw(" "),
                Span::styled("a", st.key),
                Span::raw(" on the Task screen keeps an outcome; a dry run ("),
                Span::styled("n", st.key),
                Span::raw(") keeps all of its outcomes."),
            ]),
        ];
        lines(buf, body, &all, 0);
        return;
    }
    if ui.room.narrow() {
        let h = (body.height / 2).max(3).min(body.height);
        draw_list(ui, buf, Rect { height: h, ..body }, pane, state);
        details(
            ui,
            buf,
            Rect {
                y: body.y + h,
                height: body.height - h,
                ..body
            },
            pane,
            state,
        );
    } else {
        let w = body.width * 9 / 20;
        draw_list(ui, buf, Rect { width: w, ..body }, pane, state);
        details(
            ui,
            buf,
            Rect {
                x: body.x + w,
                width: body.width - w,
                ..body
            },
            pane,
            state,
        );
    }
}

fn draw_list(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &mut Pane, state: &State) {
    let st = ui.st;
    let group = &pane.groups[pane.at];
    let (title, count, at) = match pane.inside {
        Some(place) => (
            format!(
                "{} at {}",
                group.name,
                clean(state.stage_title(group.stage))
            ),
            group.tasks.len(),
            place,
        ),
        None => ("By outcome".to_owned(), pane.groups.len(), pane.at),
    };
    let position = if pane.inside.is_some() {
        format!("{}/{}", number((at + 1) as u64), number(count as u64))
    } else {
        String::new()
    };
    let inner = frame(buf, area, &title, &position, true, &st);
    let rows = usize::from(inner.height);
    let columns = usize::from(inner.width);
    pane.top = scroll_to(pane.top, at, rows, count);
    for row in 0..rows.min(count.saturating_sub(pane.top)) {
        let place = pane.top + row;
        let y = u16::try_from(row).unwrap_or(0);
        let line = match pane.inside {
            Some(_) => task_line(group, place, state, columns, &st),
            None => group_line(&pane.groups[place], state, columns, &st),
        };
        crate::widgets::line(buf, inner, y, &line);
        if place == at {
            shade(buf, inner, y, st.selected);
        }
    }
    scrollbar(buf, inner, pane.top, rows, count, &st);
    ui.hits.push((inner, Hit::Rows(pane.top)));
}

fn group_line<'a>(
    group: &Group,
    state: &State,
    columns: usize,
    st: &crate::theme::Styles,
) -> Line<'a> {
    let mark = match group.taken {
        0 => "[ ]",
        n if n == group.tasks.len() => "[x]",
        _ => "[~]",
    };
    let warn = if group.removes { " !" } else { "  " };
    let stage = fit(state.stage_title(group.stage), 10);
    let name_w = columns.saturating_sub(27).max(10);
    Line::from(vec![
        Span::styled(format!(" {mark} "), st.key),
        Span::raw(left(&group.name, name_w)),
        Span::raw(right(&number(group.tasks.len() as u64), 8)),
        Span::styled(warn, st.warn),
        Span::styled(format!("  {stage}"), st.dim),
    ])
}

fn task_line<'a>(
    group: &Group,
    place: usize,
    state: &State,
    columns: usize,
    st: &crate::theme::Styles,
) -> Line<'a> {
    let Some(held) = group.tasks.get(place).and_then(|t| state.held.get(t)) else {
        return Line::default();
    };
    let mark = if held.taken { "[x]" } else { "[ ]" };
    let labels = crate::screens::queue::labels_word(held.outcome.patch.counts());
    let title_w = columns.saturating_sub(18).max(8);
    Line::from(vec![
        Span::styled(format!(" {mark} "), st.key),
        Span::raw(left(&fit_middle(&held.inputs.row.title, title_w), title_w)),
        Span::raw(right(&labels, 11)),
    ])
}

/// The patch of the task under the cursor; of a group its first one.
fn details(ui: &Ui, buf: &mut Buffer, area: Rect, pane: &Pane, state: &State) {
    let st = &ui.st;
    let Some(held) = pane.task().and_then(|t| state.held.get(&t)) else {
        frame(buf, area, "", "", false, st);
        return;
    };
    let title = fit_middle(
        &held.inputs.row.title,
        usize::from(area.width).saturating_sub(24),
    );
    let right = if pane.inside.is_some() {
        format!("build {}", held.build)
    } else {
        "the first of the group".into()
    };
    let inner = frame(buf, area, &title, &right, false, st);
    let room = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    lines(
        buf,
        room,
        &patch(&held.outcome, state, usize::from(room.width), st),
        0,
    );
}

fn footer<'a>(
    pane: &Pane,
    state: &State,
    columns: usize,
    st: &crate::theme::Styles,
) -> Vec<Line<'a>> {
    let s = pane.send;
    let mut all = Vec::new();
    if let Some(commit) = &state.commit {
        let mut text = format!(
            "{} of {} written",
            number(commit.done as u64),
            number(commit.asked as u64)
        );
        if commit.ended.is_none() {
            text = format!(
                "writing… {} of {} answered",
                number(commit.answered as u64),
                number(commit.asked as u64)
            );
        }
        if !commit.conflicts.is_empty() {
            text.push_str(&format!(
                " · {} left: changed by others",
                number(commit.conflicts.len() as u64)
            ));
        }
        if let Some((title, fault)) = commit.refused.first() {
            text.push_str(&format!(
                " · {} refused, first {}: {}",
                number(commit.refused.len() as u64),
                clean(title),
                clean(&fault.summary)
            ));
        }
        let bad = !commit.conflicts.is_empty() || !commit.refused.is_empty();
        all.push(Line::from(vec![
            Span::styled("Last commit  ", st.strong),
            Span::styled(
                fit(&text, columns.saturating_sub(13)),
                if bad { st.warn } else { st.good },
            ),
        ]));
    }
    if pane.groups.is_empty() {
        return all;
    }
    let mut parts = Vec::new();
    let mut part = |n: usize, one: &str| {
        if n > 0 {
            parts.push(plural(n, one).replace("prioritys", "priorities"));
        }
    };
    part(s.labels, "label save");
    part(s.priorities, "priority");
    part(s.metadata, "metadata change");
    part(s.moves, "move");
    let send = if parts.is_empty() {
        "nothing".to_owned()
    } else {
        parts.join(" · ")
    };
    let taken = format!(
        "{} of {} taken",
        number(s.tasks as u64),
        number(state.held.len() as u64)
    );
    all.push(Line::from(vec![
        Span::styled("Will send    ", st.strong),
        Span::raw(fit(
            &format!("{send}   ({taken})"),
            columns.saturating_sub(13),
        )),
    ]));
    all.push(Line::from(vec![Span::styled("Guard        ", st.strong), Span::styled(fit("each row is checked again just before its write; rows that others changed are left and listed", columns.saturating_sub(13)), st.dim)]));
    if state.options.read_only {
        all.push(Line::styled(
            " read-only: nothing can be committed from here",
            st.warn,
        ));
    }
    all
}
