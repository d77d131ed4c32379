//! What was written from this folder: operations, the tasks of the chosen one, and taking it back.
//!
//! An undo is looked at before it is asked, and asked before it writes. Reading the journal and
//! restoring are left to the engine.

mod details;

use super::Overlay;
use super::ask::Ask;
use crate::chrome::Hints;
use crate::text::{clean, clock, fit, left, number, plural, right, wrap};
use crate::widgets::{above, beside, lines, overlay, pane as frame, scroll_to, scrollbar, shade};
use crate::{Hit, Ui};
use details::{about, entry_lines, restore_lines, to_usize};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::command::{Command, Verb};
use wb_core::ids::Millis;
use wb_core::journal::{Op, OpenOp, Undoing};
use wb_core::state::State;

/// Scroll positions; the chosen operation is the one that the engine has open.
#[derive(Default)]
pub struct Pane {
    top: usize,
    /// Reading its tasks instead of choosing.
    inside: bool,
    scroll: usize,
}

/// Opens the overlay; with `undo` on the newest operation that still stands.
pub fn open(ui: &mut Ui, undo: bool, _state: &State) -> Vec<Command> {
    ui.open(Overlay::Journal(Pane::default()));
    vec![if undo {
        Command::UndoNewest
    } else {
        Command::Journal
    }]
}

fn ops(state: &State) -> &[Op] {
    state.journal.ops.as_deref().unwrap_or_default()
}

fn place(state: &State) -> Option<usize> {
    let open = state.journal.open.as_ref()?.id;
    ops(state).iter().position(|op| op.id == open)
}

impl Pane {
    pub fn hints(&self, state: &State) -> Hints {
        let reviewed = state
            .journal
            .open
            .as_ref()
            .is_some_and(|o| matches!(o.undo, Undoing::Reviewed(_)));
        let mut all = vec![("↑ ↓", if self.inside { "scroll" } else { "choose" })];
        if !self.inside {
            all.push(("enter", "its tasks"));
        }
        if why_not(state).is_none() {
            all.push(("u", "what an undo would restore"));
            if reviewed && !state.options.read_only {
                all.push(("U", "take it back…"));
            }
        }
        if may_finish(state).is_ok() && !state.options.read_only {
            all.push(("F", "finish what was interrupted…"));
        }
        all.push(("esc", "back"));
        all.into_iter()
            .map(|(k, w)| (k.to_owned(), w.to_owned()))
            .collect()
    }

    pub fn move_cursor(&mut self, verb: Verb, _state: &State) {
        self.scroll = super::moved(self.scroll, verb, 10);
    }

    pub fn select(&mut self, _row: usize, _state: &State) {
        self.inside = false;
    }
}

/// Why the chosen operation cannot be taken back.
fn why_not(state: &State) -> Option<String> {
    let Some(op) = place(state).and_then(|p| ops(state).get(p)) else {
        return Some("no operation is chosen".into());
    };
    if !op.here {
        return Some("this operation belongs to another project".into());
    }
    if op.under_way {
        return Some("it is still under way".into());
    }
    if op.unanswered() > 0 {
        return Some("it was interrupted: F finishes what it had begun".into());
    }
    (op.standing() == 0).then(|| "nothing of it stands any more".into())
}

/// Whether something that had begun can be finished now.
fn may_finish(state: &State) -> Result<(), &'static str> {
    match state.journal.finishable() {
        false if state.journal.ops.is_none() => Err("the journal is being read"),
        false => Err("nothing from this folder was interrupted"),
        _ if state.journal.finishing => Err("it is being finished"),
        _ if state.busy() => Err("something runs: finish it once that is over"),
        _ => Ok(()),
    }
}

/// Commands that mean something special here; `None`: not one of them.
pub fn on_verb(ui: &mut Ui, verb: Verb, state: &State) -> Option<Vec<Command>> {
    let Some(Overlay::Journal(pane)) = ui.overlays.last_mut() else {
        return None;
    };
    match verb {
        Verb::In | Verb::Right => {
            pane.inside = true;
            Some(Vec::new())
        }
        Verb::Out | Verb::Left if pane.inside => {
            (pane.inside, pane.scroll) = (false, 0);
            Some(Vec::new())
        }
        Verb::Left => Some(Vec::new()),
        Verb::Refresh => Some(vec![Command::Journal]),
        Verb::Up | Verb::Down | Verb::PageUp | Verb::PageDown | Verb::Top | Verb::Bottom
            if !pane.inside =>
        {
            let last = ops(state).len().checked_sub(1)?;
            let at = place(state).unwrap_or(0);
            let to = super::moved(at, verb, 10).min(last);
            pane.scroll = 0;
            Some(vec![Command::OpenOp(ops(state)[to].id)])
        }
        Verb::FinishOp => {
            let refused = crate::allowed::refusal(ui, verb, state);
            let why = refused.or_else(|| may_finish(state).err().map(str::to_owned));
            if why.is_some() {
                ui.notice = why;
                return Some(Vec::new());
            }
            Some(ui.ask(Ask::Finish, state))
        }
        Verb::UndoLast | Verb::UndoOp => {
            if let Some(why) = why_not(state) {
                ui.notice = Some(why);
                return Some(Vec::new());
            }
            let open = state.journal.open.as_ref()?;
            if verb == Verb::UndoOp && matches!(open.undo, Undoing::Reviewed(_)) {
                if let Some(why) = crate::allowed::refusal(ui, verb, state) {
                    ui.notice = Some(why);
                    return Some(Vec::new());
                }
                return Some(ui.ask(Ask::Undo(open.id), state));
            }
            Some(vec![Command::ReviewUndo(open.id)])
        }
        _ => None,
    }
}

pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &mut Pane, state: &State) {
    let st = ui.st;
    let inner = overlay(
        buf,
        area,
        "Journal",
        "what was written from this folder",
        &st,
    );
    let room = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let Some(ops) = &state.journal.ops else {
        let text = match &state.journal.error {
            Some(error) => Line::styled(fit(&error.summary, usize::from(room.width)), st.bad),
            None => Line::styled("… reading the journal", st.dim),
        };
        lines(buf, room, &[Line::default(), text], 0);
        return;
    };
    if ops.is_empty() {
        let all = [
            Line::default(),
            Line::from(" Nothing was written from this folder yet."),
            Line::default(),
            Line::styled(
                " A commit, a run, an apply and an undo are one line each here.",
                st.dim,
            ),
        ];
        lines(buf, room, &all, 0);
        return;
    }
    let (list, details) = if ui.room.narrow() {
        above(room, (room.height * 2 / 5).max(4))
    } else {
        beside(room, (room.width * 12 / 25).max(55))
    };
    draw_ops(ui, buf, list, pane, state);
    if let Some(open) = &state.journal.open {
        draw_open(ui, buf, details, pane, open, state);
    }
}

fn draw_ops(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &mut Pane, state: &State) {
    let (ops, at) = (ops(state), place(state));
    let st = ui.st;
    let inner = frame(buf, area, "Operations", "newest first", !pane.inside, &st);
    let (rows, columns) = (usize::from(inner.height), usize::from(inner.width));
    pane.top = scroll_to(pane.top, at.unwrap_or(0), rows, ops.len());
    for (row, op) in ops.iter().skip(pane.top).take(rows).enumerate() {
        let y = u16::try_from(row).unwrap_or(0);
        crate::widgets::line(buf, inner, y, &op_line(ui, op, state.now, columns));
        if Some(pane.top + row) == at {
            shade(buf, inner, y, st.selected);
        }
    }
    scrollbar(buf, inner, pane.top, rows, ops.len(), &st);
    ui.hits.push((inner, Hit::Rows(pane.top)));
}

/// The time of day for what was written today, the age for what is older.
fn when(ui: &Ui, op: &Op, now: Millis) -> String {
    let day = |at: Millis| (at.0 / 1000 + i64::from(ui.utc_offset_s)).div_euclid(86_400);
    if day(op.began) == day(now) {
        clock(op.began, ui.utc_offset_s)
    } else {
        crate::chrome::ago(now.since(op.began))
    }
}

fn op_line<'a>(ui: &Ui, op: &Op, now: Millis, columns: usize) -> Line<'a> {
    let st = &ui.st;
    let (mark, style) = match op.state() {
        "stands" => ("●", st.good),
        "interrupted" => ("!", st.warn),
        "partly taken back" => ("◐", st.warn),
        _ => ("○", st.dim),
    };
    let what = match op.undoes {
        Some(of) => format!("undo of {of}"),
        None => op.kind.clone(),
    };
    let mut line = Line::from(vec![
        Span::styled(format!(" {mark} "), style),
        Span::styled(right(&op.id.to_string(), 4), st.strong),
        Span::styled(format!("  {}  ", left(&when(ui, op, now), 8)), st.dim),
        Span::raw(left(&what, 11)),
        Span::raw(right(&number(op.done), 8)),
    ]);
    let used = line.width();
    let state = if op.here { op.state() } else { "other project" };
    line.push_span(Span::styled(
        format!("  {}", fit(state, columns.saturating_sub(used + 2))),
        style,
    ));
    line
}

fn draw_open(ui: &Ui, buf: &mut Buffer, area: Rect, pane: &mut Pane, open: &OpenOp, state: &State) {
    let st = &ui.st;
    let title = format!("Operation {}", open.id);
    let word = match &open.undo {
        Undoing::No => "",
        Undoing::Looking => "looking what stands there now…",
        Undoing::Reviewed(_) => "nothing is restored before U, then y",
        Undoing::Writing => "taking it back…",
        Undoing::Over(_) => "taken back",
        Undoing::Failed(_) => "could not be taken back",
    };
    let inner = frame(buf, area, &title, word, pane.inside, st);
    let room = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let columns = usize::from(room.width);
    let mut all = Vec::new();
    if let Some(op) = state.journal.op(open.id) {
        all.extend(about(op, columns, st));
    }
    match &open.undo {
        Undoing::Reviewed(restores) => all.extend(restore_lines(restores, columns, st)),
        Undoing::Over(done) => {
            let text = format!("{} restored.", plural(to_usize(done.restored), "task"));
            all.push(Line::styled(text, st.good));
            for (title, why) in done.left.iter().chain(&done.failed) {
                let text = format!("left: {} — {}", clean(title), clean(why));
                all.push(Line::styled(fit(&text, columns), st.warn));
            }
            all.push(Line::styled("To do it again: take the undo back.", st.dim));
        }
        Undoing::Failed(error) => {
            for text in wrap(&error.summary, columns) {
                all.push(Line::styled(text, st.bad));
            }
        }
        Undoing::No | Undoing::Looking | Undoing::Writing => {
            all.extend(entry_lines(open, state, columns, st));
        }
    }
    let rows = usize::from(room.height);
    pane.scroll = pane.scroll.min(all.len().saturating_sub(rows));
    lines(buf, room, &all, pane.scroll);
    scrollbar(buf, inner, pane.scroll, rows, all.len(), st);
}
