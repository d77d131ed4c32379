//! The task under the cursor: facts, picture, last result.

use super::*;
use crate::Ui;
use crate::panes::PaneName;
use crate::picture::{Look, Subject};
use crate::text::{duration, fit, fit_middle};
use crate::theme::Styles;
use crate::widgets::{field, lines, padded, wrapped};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use wb_core::ids::StageId;
use wb_core::marks::LabelSide;
use wb_core::state::State;
use wb_core::work::TaskRow;

pub(super) fn result_lines<'a>(
    row: &TaskRow,
    state: &State,
    columns: usize,
    ui: &Ui,
) -> Vec<Line<'a>> {
    let st = &ui.st;
    let Some(result) = state.results.get(&row.id) else {
        return vec![
            Line::styled("Not run here yet.", st.dim),
            ui.keyed_line("{key:Step} steps it, nothing is written"),
        ];
    };
    let held = state.held.contains_key(&row.id);
    let (mark, style) = result_mark(result, held, st);
    let text = format!("{mark} {}", result.text);
    let mut all = wrapped(&text, columns, style);
    all.truncate(5);
    let labels = labels_word(result.labels);
    let labels = if labels.is_empty() {
        "labels unchanged".into()
    } else {
        format!("labels {labels}")
    };
    all.push(Line::styled(
        format!(
            "build {} · {} · {}",
            result.build,
            duration(result.ms),
            crate::chrome::ago(state.now.since(result.at))
        ),
        st.dim,
    ));
    all.push(Line::from(labels));
    let note = match (result.failed, held) {
        (true, _) if result.text.contains("stays") => "",
        (true, _) => "The task stays where it is.",
        (_, true) => "Held for review; not written.",
        (_, false) => "Not held for review; nothing was written.",
    };
    all.extend(wrapped(note, columns, st.dim));
    all
}

pub(super) fn preview(ui: &mut Ui, buf: &mut Buffer, area: Rect, stage: StageId, state: &State) {
    let place = ui.queue.place(stage);
    let Some(row) = state.queues.get(&stage).and_then(|q| q.at(place)) else {
        if let Some(area) = ui.panes.place(PaneName::Preview, area) {
            ui.pane(buf, PaneName::Preview, area, ("Preview", ""));
        }
        return;
    };
    let result_h = Constraint::Length(12.min(area.height / 2));
    let [above, below] = Layout::vertical([Constraint::Fill(1), result_h]).areas(area);
    if let Some(area) = ui.panes.place(PaneName::Preview, above) {
        facts_and_picture(ui, buf, area, row, stage, state);
    }
    if let Some(area) = ui.panes.place(PaneName::Result, below) {
        let inner = ui.pane(buf, PaneName::Result, area, ("Last result", ""));
        let all = result_lines(row, state, usize::from(padded(inner).width), ui);
        ui.pane_text(buf, PaneName::Result, inner, &all, row.id);
    }
}

fn facts_and_picture(
    ui: &mut Ui,
    buf: &mut Buffer,
    area: Rect,
    row: &TaskRow,
    stage: StageId,
    state: &State,
) {
    let st = ui.st;
    let title = fit_middle(&row.title, usize::from(area.width).saturating_sub(6));
    let inner = ui.pane(buf, PaneName::Preview, area, (&title, ""));
    let room = padded(inner);
    let mut all = facts(row, state, usize::from(room.width), &st).to_vec();
    let picture = ui.queue.shows_picture(ui.room);
    if !picture {
        all.push(Line::default());
        all.push(ui.keyed_line("{key:Preview} shows the picture"));
    }
    // The last two facts: the task's and the data unit's UUIDs.
    for fact in room.rows().take(FACTS).skip(FACTS - 2) {
        ui.link_page(value_of(fact), row.data, state);
    }
    if !picture {
        ui.pane_text(buf, PaneName::Preview, inner, &all, row.id);
        return;
    }
    lines(buf, room, &all, 0);
    let used = Constraint::Length(u16::try_from(all.len() + 1).unwrap_or(0));
    let [_, image] = Layout::vertical([used, Constraint::Fill(1)]).areas(room);
    let subject = subject(row, stage, state);
    ui.pictures
        .draw(buf, image, &subject, Look::of(LabelSide::Both), &st);
}

/// The picture of a task, with its labels as far as they were fetched for its agent.
fn subject<'a>(row: &'a TaskRow, stage: StageId, state: &'a State) -> Subject<'a> {
    let held = state.held.get(&row.id);
    let step = state.step.as_ref().filter(|step| step.row.id == row.id);
    let stepped = step.and_then(|step| step.inputs.as_ref());
    Subject {
        stage,
        row,
        inputs: held.map(|held| &held.inputs).or(stepped),
        earlier: None,
        outcome: held.map(|held| &held.outcome),
        compared: false,
    }
}

/// How many facts there are.
const FACTS: usize = 7;

/// The part of a fact's row that has its value.
fn value_of(row: Rect) -> Rect {
    const NAME: u16 = 10;
    const UUID: u16 = 36;
    let room = row.width.saturating_sub(NAME);
    Rect::new(row.x + NAME.min(row.width), row.y, room.min(UUID), 1)
}

fn facts<'a>(row: &TaskRow, state: &State, columns: usize, st: &Styles) -> [Line<'a>; FACTS] {
    let room = columns.saturating_sub(10);
    let ago = |at| crate::chrome::ago(state.now.since(at));
    let fact = |name: &str, text: &str| field(st, name, fit_middle(text, room));
    [
        fact("status", &row.status.wire().to_lowercase()),
        fact("assignee", row.assignee.as_deref().unwrap_or("nobody")),
        fact("branch", &row.branch),
        fact("changed", &ago(row.updated)),
        fact("created", &ago(row.created)),
        fact("task", &row.id.to_string()),
        fact("data", &row.data.to_string()),
    ]
}

/// Three lines about the task under the cursor, for narrow screens.
pub(super) fn strip_preview(
    ui: &mut Ui,
    buf: &mut Buffer,
    area: Rect,
    stage: StageId,
    state: &State,
) {
    let Some(area) = ui.panes.place(PaneName::Preview, area) else {
        return;
    };
    let st = ui.st;
    let place = ui.queue.place(stage);
    let Some(row) = state.queues.get(&stage).and_then(|q| q.at(place)) else {
        ui.pane(buf, PaneName::Preview, area, ("Preview", ""));
        return;
    };
    let key = format!("{}: step it", ui.key_of(Action::In));
    let title = fit_middle(&row.title, 50);
    let inner = ui.pane(buf, PaneName::Preview, area, (&title, &key));
    let room = padded(inner);
    let about = format!(
        "task {} · {} · {}",
        &row.id.to_string()[..8],
        row.assignee.as_deref().unwrap_or("nobody"),
        row.branch
    );
    let mut all = vec![Line::styled(fit(&about, usize::from(room.width)), st.dim)];
    let result = result_lines(row, state, usize::from(room.width), ui);
    all.extend(result);
    ui.pane_text(buf, PaneName::Preview, inner, &all, row.id);
}
