//! What was written from this folder: operations, the tasks of the chosen one, and its undo.
//!
//! An undo is first previewed, then confirmed, then written. Reading the journal and restoring are left to
//! the engine.

mod details;

use super::ask::Ask;
use super::moved;
use crate::Ui;
use crate::actions::{self, Action, Hints, Scope, can_undo, reviewed};
use crate::frames::list_and_details;
use crate::layer::{Handled, Layer};
use crate::linear_text::{COLUMNS, PAGE, numbered, text, texts};
use crate::panes::PaneName;
use crate::text::{clean, clock, fit, left, number, plural, right};
use crate::theme::Styles;
use crate::widgets::{lines, list, padded, wrapped};
use details::{about, entry_lines, restore_lines, to_usize};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::command::Command;
use wb_core::ids::Millis;
use wb_core::journal::{Op, OpenOp, Undoing};
use wb_core::state::{State, shell};

/// The first operation in sight; the chosen one is that which the engine has open.
#[derive(Default)]
pub struct Journal {
    top: usize,
}

/// Opens the overlay; with `undo` at the newest operation that is not undone.
pub fn open(ui: &mut Ui, undo: bool) -> Vec<Command> {
    ui.open(Journal::default());
    vec![match undo {
        true => Command::UndoNewest,
        false => Command::Journal,
    }]
}

fn ops(state: &State) -> &[Op] {
    state.journal.ops.as_deref().unwrap_or_default()
}

fn place(state: &State) -> Option<usize> {
    let open = state.journal.open.as_ref()?.id;
    ops(state).iter().position(|op| op.id == open)
}

impl Layer for Journal {
    fn scope(&self) -> Scope {
        Scope::Journal
    }

    fn opened_by(&self) -> Option<Action> {
        Some(Action::Journal)
    }

    fn on(&mut self, action: Action, ui: &mut Ui, state: &State) -> Handled {
        let open = state.journal.open.as_ref().map(|open| open.id);
        match action {
            Action::In | Action::Right => ui.set_focus(PaneName::Details),
            Action::Out | Action::Left if !ui.in_main() => ui.set_focus(PaneName::Main),
            Action::Left => {}
            _ if action.moves() && ui.in_main() => {
                return Handled::Stay(other_op(action, ui.page(), state));
            }
            Action::Refresh => return Handled::Stay(vec![Command::Journal]),
            Action::FinishOp => return Handled::Stay(ui.ask(Ask::Finish, state)),
            // What an undo would restore is shown before the question.
            Action::UndoOp if reviewed(state) => {
                return Handled::Stay(
                    open.map_or_else(Vec::new, |op| ui.ask(Ask::Undo(op), state)),
                );
            }
            Action::UndoLast | Action::UndoOp => match can_undo(ui, state) {
                Ok(()) => {
                    return Handled::Stay(open.map(Command::ReviewUndo).into_iter().collect());
                }
                Err(why) => ui.notice = Some(why.into_owned()),
            },
            _ => return Handled::No,
        }
        Handled::done()
    }

    /// The chosen operation is the engine's: it can be chosen once for each event.
    fn wheel_rows(&self, _: &Ui) -> usize {
        1
    }

    fn on_click(&mut self, _: usize, _: &mut Ui, _: &State) -> bool {
        true
    }

    fn lines(&mut self, ui: &mut Ui, state: &State) -> Option<Vec<String>> {
        let ops = state.journal.ops.as_deref().filter(|ops| !ops.is_empty())?;
        let mut all =
            vec!["Journal: what was written from this folder, the newest first.".to_owned()];
        let row = |op| text(&op_line((&ui.st, ui.utc_offset_s), op, state.now, COLUMNS));
        let page = place(state).unwrap_or(0) / PAGE * PAGE;
        let shown = ops.iter().enumerate().skip(page).take(PAGE);
        all.extend(shown.map(|(place, op)| numbered(place, row(op))));
        if let Some(open) = &state.journal.open {
            all.push(format!("Operation {}:", open.id));
            let lines = open_lines(ui, open, state, COLUMNS);
            all.extend(texts(&lines));
        }
        Some(all)
    }

    fn choose(&mut self, row: usize, _: &mut Ui, state: &State) -> Option<Vec<Command>> {
        Some(vec![Command::OpenOp(ops(state).get(row)?.id)])
    }

    fn hints(&self, ui: &Ui, state: &State) -> Hints {
        use Action::*;
        let mut all = actions::hints(ui, state, &[Up, Down]);
        if ui.in_main() {
            all.push((In, "its tasks".into()));
        }
        if can_undo(ui, state).is_ok() {
            all.extend(actions::hints(ui, state, &[UndoLast]));
        }
        all.extend(actions::hints(ui, state, &[UndoOp, FinishOp, Out]));
        all
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        let st = ui.st;
        let title = ("Journal", "what was written from this folder");
        let Some(ops) = &state.journal.ops else {
            let room = padded(ui.overlay(buf, area, title));
            let text = match &state.journal.error {
                Some(error) => Line::styled(fit(&error.summary, usize::from(room.width)), st.bad),
                None => Line::styled("… reading the journal", st.dim),
            };
            lines(buf, room, &[Line::default(), text], 0);
            return;
        };
        if ops.is_empty() {
            let room = padded(ui.overlay(buf, area, title));
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
        let room = ui.overlay_of_panes(buf, area, title);
        let rows = (room.height * 2 / 5).max(4);
        let columns = (room.width * 12 / 25).max(55);
        let [list, details] = list_and_details(room, ui.room.narrow(), rows, columns);
        draw_ops(ui, buf, list, self, state);
        if let Some(open) = &state.journal.open {
            draw_open(ui, buf, details, open, state);
        }
    }

    fn shell_command(&self, _: &Ui, state: &State) -> Option<Vec<String>> {
        let open = state.journal.open.as_ref()?;
        Some(state.journal.op(open.id)?.words.clone())
    }
}

/// Opens another operation.
fn other_op(action: Action, page: usize, state: &State) -> Vec<Command> {
    let ops = ops(state);
    let Some(last) = ops.len().checked_sub(1) else {
        return Vec::new();
    };
    let to = moved(place(state).unwrap_or(0), action, page).min(last);
    vec![Command::OpenOp(ops[to].id)]
}

fn draw_ops(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &mut Journal, state: &State) {
    let Some(area) = ui.panes.place(PaneName::Main, area) else {
        return;
    };
    let (ops, at) = (ops(state), place(state).unwrap_or(0));
    let title = ("Operations", "newest first");
    let inner = ui.pane(buf, PaneName::Main, area, title);
    let inner = ui.search_room(buf, inner, PaneName::Main);
    let columns = usize::from(inner.width);
    let (st, offset_s) = (ui.st, ui.utc_offset_s);
    let text = |place: usize| {
        let op: &Op = &ops[place];
        let command = shell::quoted(&op.words);
        let line = op_line((&st, offset_s), op, state.now, 200);
        format!("{line} {}", clean(&command))
    };
    let stamp = ops.first().and_then(|op| u64::try_from(op.id).ok());
    let rows = (at, ops.len());
    if let Some(found) = ui.search_rows(PaneName::Main, stamp.unwrap_or(0), rows, text) {
        // The chosen operation is the engine's.
        ui.want(Command::OpenOp(ops[found].id));
    }
    pane.top = list(ui, buf, inner, pane.top, (at, ops.len()), |ui, place| {
        op_line((&ui.st, ui.utc_offset_s), &ops[place], state.now, columns)
    });
    ui.mark_found(buf, inner, PaneName::Main);
}

/// The time of day for what was written today, the age for what is older.
fn when(offset_s: i32, op: &Op, now: Millis) -> String {
    let day = |at: Millis| (at.0 / 1000 + i64::from(offset_s)).div_euclid(86_400);
    if day(op.began) == day(now) {
        clock(op.began, offset_s)
    } else {
        crate::chrome::ago(now.since(op.began))
    }
}

fn op_line<'a>((st, offset_s): (&Styles, i32), op: &Op, now: Millis, columns: usize) -> Line<'a> {
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
        Span::styled(format!("  {}  ", left(&when(offset_s, op, now), 8)), st.dim),
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

fn draw_open(ui: &mut Ui, buf: &mut Buffer, area: Rect, open: &OpenOp, state: &State) {
    let Some(area) = ui.panes.place(PaneName::Details, area) else {
        return;
    };
    let title = format!("Operation {}", open.id);
    let word = match &open.undo {
        Undoing::No => "",
        Undoing::Looking => "reading the current state…",
        Undoing::Reviewed(_) => "nothing is restored yet ({key:UndoOp} asks)",
        Undoing::Writing => "undoing it…",
        Undoing::Over(_) => "undone",
        Undoing::Failed(_) => "could not be undone",
    };
    let word = ui.keyed(word);
    let inner = ui.pane(buf, PaneName::Details, area, (&title, &word));
    let all = open_lines(ui, open, state, usize::from(padded(inner).width));
    ui.pane_text(buf, PaneName::Details, inner, &all, open.id);
}

/// What is known of the open operation, and what its undo would restore.
fn open_lines(ui: &Ui, open: &OpenOp, state: &State, columns: usize) -> Vec<Line<'static>> {
    let st = &ui.st;
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
            all.push(Line::styled("To redo it: undo the undo.", st.dim));
        }
        Undoing::Failed(error) => all.extend(wrapped(&error.summary, columns, st.bad)),
        Undoing::No | Undoing::Looking | Undoing::Writing => {
            all.extend(entry_lines(open, state, columns, st));
        }
    }
    all
}
