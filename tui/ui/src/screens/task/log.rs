//! The log of a task, line by line.

use crate::reading::PagePart;
use crate::text::{clock, fit, left, width};
use crate::theme::Styles;
use ratatui::text::{Line, Span};
use wb_core::step::{Log, LogLine};

/// How many lines of a log are gone, and those that are there, the newest last.
pub(super) fn log_parts<'a>(log: &'a Log, st: &Styles) -> Vec<PagePart<'a>> {
    vec![
        PagePart::Lines(dropped(log, st)),
        PagePart::Log(log),
        PagePart::Lines(log_note(log, st).into_iter().collect()),
    ]
}

fn dropped<'a>(log: &Log, st: &Styles) -> Vec<Line<'a>> {
    let dropped = Some(log.dropped()).filter(|dropped| *dropped > 0);
    let text = dropped.map(|n| format!("… {} earlier lines are not kept", crate::text::number(n)));
    text.map(|text| Line::styled(text, st.dim))
        .into_iter()
        .collect()
}

/// What stands below a log to which the newest attempt has added nothing.
pub fn log_note(log: &Log, st: &Styles) -> Option<Line<'static>> {
    let nothing = log.newest() == log.lines.len();
    nothing.then(|| Line::styled("The agent has written nothing.", st.dim))
}

/// Lines of a log, newest last.
pub fn log_lines<'a>(log: &Log, columns: usize, offset_s: i32, st: &Styles) -> Vec<Line<'a>> {
    let mut all = dropped(log, st);
    all.extend(log_tail(log, 0, columns, offset_s, st));
    all
}

/// Lines of a log from one of them on.
pub(super) fn log_tail<'a>(
    log: &Log,
    first: usize,
    columns: usize,
    offset_s: i32,
    st: &Styles,
) -> Vec<Line<'a>> {
    let lines = log.lines.iter().skip(first);
    let mut all: Vec<Line<'a>> = lines
        .map(|line| log_line(line, (columns, columns), offset_s, st))
        .collect();
    all.extend(log_note(log, st));
    all
}

/// A line of a log in so many columns; its text may have more, where it is cut later.
pub fn log_line<'a>(
    line: &LogLine,
    (columns, most): (usize, usize),
    offset_s: i32,
    st: &Styles,
) -> Line<'a> {
    if line.is_heading() {
        let name = format!("── {} ", fit(&line.text, columns.saturating_sub(6)));
        let rest = "─".repeat(columns.saturating_sub(width(&name)));
        return Line::styled(format!("{name}{rest}"), st.dim);
    }
    let level = ["", "ERROR", "WARN ", "INFO ", "DEBUG", "TRACE"]
        .get(usize::from(line.level))
        .copied()
        .unwrap_or("");
    let target = fit(line.target.rsplit("::").next().unwrap_or_default(), 16);
    let used = 16 + width(&target) + 2;
    Line::from(vec![
        Span::styled(format!("{} ", clock(line.at, offset_s)), st.dim),
        Span::styled(format!("{} ", left(level, 5)), st.level(line.level)),
        Span::styled(format!("{target}  "), st.dim),
        Span::styled(
            fit(&line.text, most.saturating_sub(used)),
            st.level(line.level.max(3)),
        ),
    ])
}
