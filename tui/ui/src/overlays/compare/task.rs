//! One compared task, side by side: route, labels, priority, metadata and further changes of A and of B.

use super::super::ListCursor;
use crate::Ui;
use crate::panes::PaneName;
use crate::picture::Subject;
use crate::text::{clean, fit, wrap};
use crate::theme::Styles;
use crate::widgets::padded;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::compare::{ComparedLabel, ComparedTask, KEPT, LabelFate, TaskComparison, two_digits};
use wb_core::comparing::{ComparedSides, Comparing};

pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, cursor: &ListCursor, comparing: &Comparing) {
    let task = comparing.found.rows.get(cursor.at);
    let sides = task.and_then(|task| comparing.sides_of(task.task));
    let area = match sides.map(|sides| subject(comparing, sides)) {
        Some(subject) => ui.draw_beside(buf, area, &subject),
        None => Some(area),
    };
    let Some(area) = area.and_then(|area| ui.panes.place(PaneName::Details, area)) else {
        return;
    };
    let st = &{ ui.st };
    let title = task.map_or_else(
        || "Both sides".to_owned(),
        |task| clean(&task.title).into_owned(),
    );
    let inner = ui.pane(buf, PaneName::Details, area, (&title, ""));
    let Some(task) = task else { return };
    let by_totals = comparing.is_by_totals(task.task);
    let all = lines(task, by_totals, usize::from(padded(inner).width), st);
    ui.pane_text(buf, PaneName::Details, inner, &all, task.task);
}

/// The labels of both sides on the task's picture.
fn subject<'a>(comparing: &Comparing, sides: &'a ComparedSides) -> Subject<'a> {
    let [a, b] = sides.outcomes.each_ref().map(Option::as_ref);
    Subject {
        stage: comparing.stage,
        row: &sides.inputs.row,
        inputs: Some(&sides.inputs),
        earlier: a,
        outcome: b,
        compared: true,
    }
}

fn lines<'a>(task: &ComparedTask, by_totals: bool, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let differs = &*task.differs;
    let mut all = Vec::new();
    for (side, name) in ["A", "B"].into_iter().enumerate() {
        let style = if differs.failed[side] {
            st.bad
        } else {
            st.text
        };
        let took = time(differs, side);
        let room = columns.saturating_sub(took.len() + 4);
        all.push(Line::from(vec![
            Span::styled(format!("{name}  "), st.dim),
            Span::styled(fit(&clean(&differs.routes[side]), room), style),
            Span::styled(took, st.dim),
        ]));
    }
    all.push(Line::default());
    if let Some(note) = &differs.note {
        all.extend(
            wrap(&clean(note), columns)
                .into_iter()
                .map(|line| Line::styled(line, st.warn)),
        );
    }
    if !differs.differs() {
        let text = match by_totals {
            true => "The same route and as many labels.",
            false => "Nothing differs.",
        };
        all.push(Line::styled(text, st.good));
    }
    all.extend(difference_lines(differs, ["A", "B"], columns, st));
    all
}

/// What differs but for the route: other things first, then labels, the worst first.
pub fn difference_lines<'a>(
    differs: &TaskComparison,
    names: [&str; 2],
    columns: usize,
    st: &Styles,
) -> Vec<Line<'a>> {
    let mut all = Vec::new();
    for other in &differs.others {
        let head = format!("{} {}", other.sign, clean(&other.what));
        all.push(Line::styled(fit(&head, columns), st.sign(other.sign)));
        all.extend(sides([&other.before, &other.after], names, columns, st));
    }
    for label in &differs.labels {
        all.push(head(label, names, columns, st));
        all.extend(sides(label.details.each_ref(), names, columns, st));
    }
    let more = differs
        .counts
        .differing()
        .saturating_sub(differs.labels.len());
    if more > 0 {
        let text = format!("and {more} more labels; the worst {KEPT} are kept");
        all.push(Line::styled(fit(&text, columns), st.dim));
    }
    all
}

#[allow(clippy::cast_precision_loss)] // milliseconds for a person
fn time(differs: &TaskComparison, side: usize) -> String {
    differs.run_us[side].map_or_else(String::new, |us| format!("  {:.1} ms", us as f64 / 1_000.0))
}

fn head<'a>(label: &ComparedLabel, [a, b]: [&str; 2], columns: usize, st: &Styles) -> Line<'a> {
    let what = match (label.fate, label.overlap, label.distance) {
        (LabelFate::Added, ..) => format!("only {b} has it"),
        (LabelFate::Removed, ..) => format!("only {a} has it"),
        (LabelFate::Changed, ..) if label.hashes == [None, None] => "changed".to_owned(),
        (LabelFate::Changed, ..) => "other answers".to_owned(),
        (LabelFate::Moved, Some(overlap), _) => format!("overlap {}", two_digits(overlap)),
        (LabelFate::Moved, None, Some(distance)) => {
            format!("moved by {:.1} % of the diagonal", distance * 100.0)
        }
        (LabelFate::Moved, None, None) => "elsewhere".to_owned(),
    };
    let sign = label.fate.sign();
    let text = format!("{sign} {}: {what}", clean(&label.name));
    Line::styled(fit(&text, columns), st.sign(sign))
}

/// What A has and what B has, where they have something.
fn sides<'a>(
    sides: [&Option<String>; 2],
    names: [&str; 2],
    columns: usize,
    st: &Styles,
) -> Vec<Line<'a>> {
    let each = sides.into_iter().zip(names);
    let line = |(text, name): (&Option<String>, &str)| {
        let text = text.as_ref()?;
        let room = columns.saturating_sub(name.len() + 4);
        Some(Line::from(vec![
            Span::styled(format!("  {name}  "), st.dim),
            Span::styled(fit(&clean(text), room), st.text),
        ]))
    };
    each.filter_map(line).collect()
}
