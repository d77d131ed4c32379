//! What an event holds, line by line: values, label differences, logs, JSON, errors, the commit.

use super::super::timeline::{self, Mark, Row, What};
use crate::Ui;
use crate::text::{clean, clock, duration, fit, left, width, wrap};
use crate::theme::Styles;
use crate::widgets::field;
use ratatui::text::{Line, Span};
use serde_json::Value;
use wb_core::error::Error;
use wb_core::state::State;
use wb_core::step::{At, Log, Stepper};
use wb_core::work::{Committed, LabelChange, Outcome};

pub(super) fn json_lines<'a>(ui: &Ui, columns: usize, rows: usize) -> Vec<Line<'a>> {
    let st = &ui.st;
    let json = &ui.task.read.json;
    if json.is_empty() {
        return vec![Line::styled("Nothing was fetched yet.", st.dim)];
    }
    let top = ui.task.scroll.min(json.len().saturating_sub(rows));
    json.iter()
        .skip(top)
        .take(rows)
        .map(|text| {
            let style = if text.starts_with("//") {
                st.strong
            } else {
                st.text
            };
            Line::styled(fit(text, columns), style)
        })
        .collect()
}

/// Lines of a log, newest last.
pub fn log_lines<'a>(log: &Log, columns: usize, offset_s: i32, st: &Styles) -> Vec<Line<'a>> {
    if log.lines.is_empty() {
        return vec![Line::styled("The agent has written nothing.", st.dim)];
    }
    let mut all = Vec::with_capacity(log.lines.len() + 1);
    let dropped = log.total.saturating_sub(log.lines.len() as u64);
    if dropped > 0 {
        all.push(Line::styled(
            format!(
                "… {} earlier lines are not kept",
                crate::text::number(dropped)
            ),
            st.dim,
        ));
    }
    for line in &log.lines {
        let level = ["", "ERROR", "WARN ", "INFO ", "DEBUG", "TRACE"]
            .get(usize::from(line.level))
            .copied()
            .unwrap_or("");
        let target = fit(line.target.rsplit("::").next().unwrap_or_default(), 16);
        let used = 16 + width(&target) + 2;
        all.push(Line::from(vec![
            Span::styled(format!("{} ", clock(line.at, offset_s)), st.dim),
            Span::styled(format!("{} ", left(level, 5)), st.level(line.level)),
            Span::styled(format!("{target}  "), st.dim),
            Span::styled(
                fit(&line.text, columns.saturating_sub(used)),
                st.level(line.level.max(3)),
            ),
        ]));
    }
    all
}

/// Label differences, a line each.
pub fn change_line<'a>(change: &LabelChange, columns: usize, st: &Styles) -> Line<'a> {
    // In a narrow pane what changed is worth more than the hash.
    let (name_w, hash_w) = if columns < 52 { (11, 0) } else { (18, 10) };
    let hash = if hash_w > 0 {
        left(&format!("#{}", change.hash), hash_w)
    } else {
        String::new()
    };
    Line::from(vec![
        Span::styled(
            format!("{} {} ", change.sign, left(&change.name, name_w)),
            st.sign(change.sign),
        ),
        Span::styled(hash, st.dim),
        Span::raw(fit(
            &change.detail,
            columns.saturating_sub(name_w + hash_w + 3),
        )),
    ])
}

pub(super) fn labels<'a>(
    step: &Stepper,
    state: &State,
    columns: usize,
    st: &Styles,
) -> Vec<Line<'a>> {
    match &step.result {
        None => vec![Line::styled(
            "No outcome yet: the agent was not called.",
            st.dim,
        )],
        Some(Err(_)) => vec![Line::styled("The agent failed; nothing changes.", st.dim)],
        Some(Ok(outcome)) => patch(outcome, state, columns, st),
    }
}

/// Everything an outcome would change.
pub fn patch<'a>(outcome: &Outcome, state: &State, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let (added, changed, removed) = outcome.patch.counts();
    let head = if added + changed + removed == 0 {
        "Labels unchanged.".to_owned()
    } else {
        format!("Labels: {added} added, {changed} changed, {removed} removed")
    };
    let mut all = vec![Line::styled(head, st.strong)];
    all.extend(
        outcome
            .patch
            .labels
            .iter()
            .map(|l| change_line(l, columns, st)),
    );
    if let Some(metadata) = &outcome.patch.metadata {
        all.push(Line::default());
        all.push(Line::styled("Metadata after", st.strong));
        for (key, value) in metadata {
            all.push(field(
                st,
                &fit(key, 9),
                fit(&value.to_string(), columns.saturating_sub(10)),
            ));
        }
    }
    all.push(Line::default());
    all.push(Line::styled("A commit would", st.strong));
    for text in timeline::would_send(outcome, state) {
        all.extend(
            wrap(&text, columns.saturating_sub(2))
                .into_iter()
                .enumerate()
                .map(|(i, t)| Line::from(format!("{}{t}", if i == 0 { "• " } else { "  " }))),
        );
    }
    all
}

/// What an event holds.
pub(super) fn value<'a>(
    ui: &Ui,
    step: &Stepper,
    event: &Row,
    state: &State,
    columns: usize,
) -> Vec<Line<'a>> {
    let st = &ui.st;
    let fact = |name: &str, text: String| field(st, name, fit(&text, columns.saturating_sub(10)));
    let mut all = vec![Line::styled(event.name.clone(), st.strong)];
    if let Some(ms) = event.ms {
        all.push(Line::styled(format!("took {}", duration(ms)), st.dim));
    }
    all.push(Line::default());
    if event.mark == Mark::Todo {
        all.push(Line::styled("This has not happened yet.", st.dim));
        return all;
    }
    match event.what {
        What::Task => {
            let row = &step.row;
            all.push(fact("title", row.title.to_string()));
            all.push(fact("task", row.id.to_string()));
            all.push(fact("data", row.data.to_string()));
            all.push(fact("status", row.status.wire().to_lowercase()));
            all.push(fact(
                "assignee",
                row.assignee.as_deref().unwrap_or("nobody").to_owned(),
            ));
            all.push(fact("branch", row.branch.to_string()));
            all.push(fact(
                "changed",
                crate::chrome::ago(state.now.since(row.updated)),
            ));
        }
        What::Input(i) => all.extend(input(ui, step, i, columns)),
        What::Step(i) => {
            if let Some(Ok(outcome)) = &step.result
                && let Some(s) = outcome.steps.get(i)
            {
                all.push(fact("what", s.name.clone()));
                #[allow(clippy::cast_precision_loss)] // milliseconds for a person
                all.push(fact(
                    "began",
                    format!("{} after the start", duration(s.at_us as f64 / 1000.0)),
                ));
                all.extend(wrap(&s.value, columns).into_iter().map(Line::from));
            }
        }
        What::Call => {
            all.push(fact("build", step.build.to_string()));
            all.push(fact("attempt", step.attempts.to_string()));
            if let Some(pid) = step.pid {
                all.push(fact("host", format!("process {pid}")));
            }
            if let Some(p) = step.progress.filter(|_| step.job.is_some()) {
                all.push(Line::from(format!(
                    "{} {:.0}%",
                    crate::text::bar(p, 30),
                    p * 100.0
                )));
            }
            if let Some(Err(error)) = &step.result {
                all.extend(error_lines(error, columns, st));
            }
            let log = log_lines(&step.log, columns, ui.utc_offset_s, st);
            all.push(Line::default());
            all.extend(log.into_iter().rev().take(8).rev());
        }
        What::Outcome | What::Review => match &step.result {
            Some(Ok(outcome)) => {
                let to = timeline::route(outcome);
                all.push(fact("route", to));
                all.extend(patch(outcome, state, columns, st));
            }
            Some(Err(error)) => all.extend(error_lines(error, columns, st)),
            None => {}
        },
        What::Commit => all.extend(committed(step, state, columns, st)),
    }
    all
}

pub(super) fn input<'a>(ui: &Ui, step: &Stepper, i: usize, columns: usize) -> Vec<Line<'a>> {
    let st = &ui.st;
    let Some(timing) = step
        .inputs
        .as_ref()
        .and_then(|inputs| inputs.timings.get(i))
    else {
        return match &step.result {
            Some(Err(error)) => error_lines(error, columns, st),
            _ if step.at == At::Fetching => {
                vec![Line::styled("They are on their way.", st.dim)]
            }
            _ => vec![Line::styled(
                "The agent asks for nothing that must be fetched.",
                st.dim,
            )],
        };
    };
    let mut all = vec![field(st, "note", timing.note.clone())];
    let facts = |value: Option<&Value>| -> Vec<Line<'a>> {
        let members = value.and_then(Value::as_object).into_iter().flatten();
        members
            .filter(|(_, v)| !v.is_null())
            .map(|(k, v)| {
                let text = v.as_str().map_or_else(|| v.to_string(), str::to_owned);
                // A signed URL is a key: it never reaches the screen.
                let text = if text.starts_with("http") {
                    "(an address; not shown)".into()
                } else {
                    text
                };
                Line::from(vec![
                    Span::styled(left(k, 22), st.dim),
                    Span::raw(fit(&text, columns.saturating_sub(22))),
                ])
            })
            .collect()
    };
    let what = timing.what.as_str();
    if what.contains("label") || what.contains("row") {
        all.extend(ui.task.read.row.iter().map(|(k, v)| {
            Line::from(vec![
                Span::styled(left(k, 22), st.dim),
                Span::raw(fit(v, columns.saturating_sub(22))),
            ])
        }));
        all.push(Line::default());
        all.extend(ui.task.read.before.iter().map(|b| {
            Line::from(format!(
                "{} #{} box {:.2} {:.2} {:.2} {:.2}",
                left(&b.name, 18),
                clean(&b.hash),
                b.x,
                b.y,
                b.w,
                b.h
            ))
        }));
    } else if what.contains("item") {
        all.extend(facts(ui.task.read.item.as_ref()));
    } else {
        all.extend(facts(ui.task.read.asset.as_ref()));
    }
    all
}

/// An error in full: what happened, what lies behind it, what to do.
pub fn error_lines<'a>(error: &Error, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let mut all: Vec<Line<'_>> = wrap(&error.summary, columns.saturating_sub(2))
        .into_iter()
        .enumerate()
        .map(|(i, t)| Line::styled(format!("{}{t}", if i == 0 { "✗ " } else { "  " }), st.bad))
        .collect();
    let retry = if error.retry {
        "another attempt may help"
    } else {
        "another attempt alone will not help"
    };
    let whose = format!("{} fault; {retry}", error.kind.word());
    all.extend(
        wrap(&whose, columns)
            .into_iter()
            .map(|t| Line::styled(t, st.dim)),
    );
    if !error.hints.is_empty() {
        all.push(Line::default());
    }
    for hint in &error.hints {
        for (i, t) in wrap(hint, columns.saturating_sub(2))
            .into_iter()
            .enumerate()
        {
            all.push(Line::from(vec![
                Span::styled(if i == 0 { "→ " } else { "  " }, st.accent),
                Span::raw(t),
            ]));
        }
    }
    if let Some(cause) = &error.cause {
        all.push(Line::default());
        for line in cause.lines() {
            all.push(Line::styled(fit(line, columns), st.dim));
        }
    }
    all
}

pub(super) fn committed<'a>(
    step: &Stepper,
    state: &State,
    columns: usize,
    st: &Styles,
) -> Vec<Line<'a>> {
    let mut all: Vec<Line<'_>> = wrap(&timeline::standing(step, state), columns)
        .into_iter()
        .map(Line::from)
        .collect();
    match (&step.committed, &step.result) {
        (Some(Committed::Done), Some(Ok(outcome))) => {
            all.push(Line::default());
            all.extend(
                timeline::would_send(outcome, state)
                    .into_iter()
                    .map(|t| Line::styled(format!("✓ {t}"), st.good)),
            );
        }
        (Some(Committed::Refused(error) | Committed::Partial { error, .. }), _) => {
            all.extend(error_lines(error, columns, st));
        }
        (Some(Committed::Conflict { .. }), _) => {
            all.push(Line::default());
            all.extend(wrap("Somebody changed the label row after the agent had read it. The task was left as it is; step it again to run on the new labels.", columns).into_iter().map(Line::from));
        }
        _ => {}
    }
    all
}
