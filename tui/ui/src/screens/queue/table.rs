//! The table: only the rows in sight are made.

use super::*;
use crate::panes::PaneName;
use crate::text::{clean, number};
use crate::widgets::{hanging, lines, list};
use crate::{Hit, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::ids::StageId;
use wb_core::queue::Queue;
use wb_core::state::State;
use wb_core::work::TaskRow;

pub(super) fn table(ui: &mut Ui, buf: &mut Buffer, area: Rect, stage: StageId, state: &State) {
    let Some(area) = ui.panes.place(PaneName::Main, area) else {
        return;
    };
    let Some(queue) = state.queues.get(&stage) else {
        let inner = ui.pane(buf, PaneName::Main, area, ("Tasks", ""));
        let text = ui.keyed_line("  Not listed yet. {key:Refresh} lists it.");
        lines(buf, inner, &[Line::default(), text], 0);
        return;
    };
    let loaded = loaded(queue, state);
    let inner = ui.pane(buf, PaneName::Main, area, ("Tasks", &loaded));
    if queue.view.is_empty() {
        let title = clean(state.stage_title(stage)).into_owned();
        let text = if queue.rows.is_empty() {
            without_tasks(ui, queue, &title, stage, state)
        } else {
            without_matches(ui, queue, usize::from(inner.width))
        };
        lines(buf, inner, &text, 0);
        return;
    }
    let chosen = ui.queue.columns.clone();
    let columns = Columns::new(chosen.as_deref(), usize::from(inner.width));
    let [head, body] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(inner);
    headings(ui, buf, head, queue, &columns);
    ui.queue.drawn = columns.places().map(|(column, ..)| column).collect();
    ui.queue.rows = usize::from(body.height);
    let cursor = ui.queue.cursors.get(&stage).copied().unwrap_or_default();
    let at = (cursor.place, queue.view.len());
    let top = list(ui, buf, body, cursor.top, at, |ui, place| {
        let here = place == cursor.place;
        let task = queue.at(place);
        task.map_or_else(Line::default, |task| {
            table_row(ui, task, queue, state, here, &columns)
        })
    });
    ui.queue.cursors.insert(stage, Cursor { top, ..cursor });
}

fn loaded(queue: &Queue, state: &State) -> String {
    match (queue.loading, queue.loaded) {
        (true, _) => "listing…".to_owned(),
        (false, _) if queue.asking => format!(
            "label rows read for the filter: {}…",
            number(queue.known.len())
        ),
        (false, Some(at)) => format!("listed {}", crate::chrome::ago(state.now.since(at))),
        (false, None) => "not listed".into(),
    }
}

fn table_row(
    ui: &Ui,
    task: &TaskRow,
    queue: &Queue,
    state: &State,
    here: bool,
    columns: &Columns,
) -> Line<'static> {
    let st = &ui.st;
    let marked = queue.marks.contains(&task.id);
    let mark = match (marked, state.watch.task(task.id)) {
        (true, _) => Span::styled("● ", st.key),
        (false, Some(_)) => Span::styled("w ", st.accent),
        (false, None) => Span::raw("  "),
    };
    let mut line = Line::from(vec![
        Span::styled(if here { "▌" } else { " " }, st.accent),
        mark,
    ]);
    line.spans.extend(columns.cells(ui, task, queue, state));
    line
}

/// The names of the columns; a click on one sorts by it.
fn headings(ui: &mut Ui, buf: &mut Buffer, area: Rect, queue: &Queue, columns: &Columns) {
    for (column, at, width) in columns.places() {
        let [at, columns] = [at, width].map(|n| u16::try_from(n).unwrap_or(u16::MAX));
        let place = Rect::new(area.x.saturating_add(at), area.y, columns, 1).intersection(area);
        let name = Columns::heading(column, width, queue);
        lines(buf, place, &[Line::styled(name, ui.st.dim)], 0);
        if let Some(sort) = column.sort() {
            ui.hits.push((place, Hit::Sort(sort)));
        }
    }
}

/// The text of a stage that has no tasks, or none that are listed yet.
fn without_tasks<'a>(
    ui: &Ui,
    queue: &Queue,
    title: &str,
    stage: StageId,
    state: &State,
) -> Vec<Line<'a>> {
    if queue.loading || queue.loaded.is_none() {
        let text = format!("  Listing the tasks of {title}…");
        return vec![Line::default(), Line::from(text)];
    }
    let mut all = vec![Line::default(), Line::from(format!("  {title} is empty."))];
    let others = state
        .queues
        .iter()
        .filter(|(s, q)| **s != stage && !q.rows.is_empty());
    let elsewhere = others.map(|(s, q)| {
        let count = number(q.rows.len());
        format!("{count} in {}", clean(state.stage_title(*s)))
    });
    let elsewhere: Vec<String> = elsewhere.collect();
    if !elsewhere.is_empty() {
        let text = format!("  Tasks elsewhere: {}.", elsewhere.join(" · "));
        all.extend([Line::default(), Line::styled(text, ui.st.dim)]);
    }
    all.push(Line::default());
    all.push(ui.keyed_line("  {key:Refresh} lists it again   {key:Out} back to the workflow"));
    all
}

/// The text of a filter that nothing matches.
fn without_matches<'a>(ui: &Ui, queue: &Queue, columns: usize) -> Vec<Line<'a>> {
    let st = &ui.st;
    if queue.asking {
        let text = format!(
            "  None of the {} label rows read so far match; the others are being read.",
            number(queue.known.len())
        );
        return vec![Line::default(), Line::from(text)];
    }
    let count = number(queue.rows.len());
    let text = format!("  0 of {count} match this filter.");
    let mut all = vec![Line::default(), Line::from(text)];
    if let Some(error) = &queue.filter_error {
        all.extend(hanging(
            "  ✗ ",
            st.bad,
            error,
            columns.saturating_sub(2),
            st.bad,
        ));
        let text = "  The last valid filter is still applied.";
        all.push(Line::styled(text, st.dim));
    }
    all.push(Line::default());
    all.push(ui.keyed_line("  {key:Filter} changes the filter   {key:Out} clears it"));
    all
}
