//! What an event holds, line by line: values, label differences, logs, JSON, errors, the commit.

use super::super::timeline::{self, Mark, Row, What};
use super::checks;
use crate::Ui;
use crate::text::{clean, clock, duration, fit, left, width};
use crate::theme::Styles;
use crate::widgets::{field, hanging, wrapped};
use ratatui::text::{Line, Span};
use serde_json::Value;
use wb_core::error::Error;
use wb_core::pause::{difference, pretty};
use wb_core::state::State;
use wb_core::step::{At, Log, LogLine, Stepper};
use wb_core::work::Committed;

pub(super) fn json_lines<'a>(ui: &Ui, columns: usize) -> Vec<Line<'a>> {
    let st = &ui.st;
    let json = &ui.task.read.json;
    if json.is_empty() {
        return vec![Line::styled("Nothing was fetched yet.", st.dim)];
    }
    let line = |text: &String| match text.starts_with("//") {
        true => Line::styled(fit(text, columns), st.strong),
        false => Line::styled(fit(text, columns), st.text),
    };
    json.iter().map(line).collect()
}

/// Lines of a log, newest last.
pub fn log_lines<'a>(log: &Log, columns: usize, offset_s: i32, st: &Styles) -> Vec<Line<'a>> {
    let mut all = Vec::with_capacity(log.lines.len() + 1);
    let dropped = log.dropped();
    if dropped > 0 {
        all.push(Line::styled(
            format!(
                "… {} earlier lines are not kept",
                crate::text::number(dropped)
            ),
            st.dim,
        ));
    }
    all.extend(log_tail(log, 0, columns, offset_s, st));
    all
}

/// Lines of a log from one of them on.
fn log_tail<'a>(
    log: &Log,
    first: usize,
    columns: usize,
    offset_s: i32,
    st: &Styles,
) -> Vec<Line<'a>> {
    let lines = log.lines.iter().skip(first);
    let lines = lines.map(|line| log_line(line, columns, offset_s, st));
    lines.chain(log_note(log, st)).collect()
}

/// What stands below a log to which the newest attempt has added nothing.
pub fn log_note(log: &Log, st: &Styles) -> Option<Line<'static>> {
    let nothing = log.newest() == log.lines.len();
    nothing.then(|| Line::styled("The agent has written nothing.", st.dim))
}

/// One line of a log.
pub fn log_line<'a>(line: &LogLine, columns: usize, offset_s: i32, st: &Styles) -> Line<'a> {
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
            fit(&line.text, columns.saturating_sub(used)),
            st.level(line.level.max(3)),
        ),
    ])
}

pub(super) fn labels<'a>(
    step: &Stepper,
    state: &State,
    columns: usize,
    st: &Styles,
) -> Vec<Line<'a>> {
    match &step.result {
        None => {
            let text = "No outcome yet: the agent was not called.";
            vec![Line::styled(text, st.dim)]
        }
        Some(Err(_)) => vec![Line::styled("The agent failed; nothing changes.", st.dim)],
        Some(Ok(outcome)) => checks::patch(outcome, state, columns, st),
    }
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
    let is_here = matches!(event.what, What::Task | What::Input(_) | What::Parameters)
        && step.inputs.is_some();
    if event.mark == Mark::Todo && !is_here {
        all.push(Line::styled("This has not happened yet.", st.dim));
        return all;
    }
    match event.what {
        What::Task => all.extend(task_facts(step, state, columns, st)),
        What::Input(i) => all.extend(input(ui, step, i, columns)),
        What::Step(i) => {
            let outcome = step.result.as_ref().and_then(|r| r.as_ref().ok());
            if let Some(s) = outcome.and_then(|outcome| outcome.steps.get(i)) {
                all.push(fact("what", s.name.clone()));
                #[allow(clippy::cast_precision_loss)] // milliseconds for a person
                let began = duration(s.at_us as f64 / 1000.0);
                all.push(fact("began", format!("{began} after the start")));
                all.extend(wrapped(&s.value, columns, st.text));
            }
        }
        What::Place(number) => all.extend(super::place::lines(step, number, columns, st)),
        What::Call => all.extend(call(ui, step, columns)),
        What::Parameters => all.extend(parameters(step, state, columns, st)),
        What::Effect(effect) => {
            if let Some(Ok(outcome)) = &step.result {
                all.extend(checks::effect(effect, outcome, state, columns, st));
            }
        }
        What::Validation => all.extend(checks::validation(step, state, columns, st)),
        What::Outcome | What::Review => match &step.result {
            Some(Ok(outcome)) => all.extend(checks::outcome(outcome, state, columns, st)),
            Some(Err(error)) => all.extend(error_lines(error, columns, st)),
            None => {}
        },
        What::Commit => all.extend(committed(step, state, columns, st)),
    }
    all
}

/// The parameters that the agent is given, and what of them was edited.
fn parameters<'a>(step: &Stepper, state: &State, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let mut all = Vec::new();
    let set = state.params_of(step.stage);
    let edited = step.given.params.clone();
    let edited = edited.map(|params| Value::from(params).to_string());
    if let Some(edited) = &edited {
        let text = "Edited for this step; workbench.toml stays as it is:";
        all.extend(wrapped(text, columns, st.accent));
        for change in difference(&set, edited, 200) {
            let text = format!("{} {}", change.sign, clean(&change.text));
            all.push(Line::styled(fit(&text, columns), st.sign(change.sign)));
        }
        all.push(Line::default());
    }
    let text = pretty(edited.as_ref().unwrap_or(&set), 2000);
    all.extend(
        text.iter()
            .map(|line| Line::styled(fit(line, columns), st.text)),
    );
    all
}

fn task_facts<'a>(step: &Stepper, state: &State, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let row = &step.row;
    let fact = |name: &str, text: &str| field(st, name, fit(text, columns.saturating_sub(10)));
    vec![
        fact("title", &row.title),
        fact("task", &row.id.to_string()),
        fact("data", &row.data.to_string()),
        fact("status", &row.status.wire().to_lowercase()),
        fact("assignee", row.assignee.as_deref().unwrap_or("nobody")),
        fact("branch", &row.branch),
        fact("changed", &crate::chrome::ago(state.now.since(row.updated))),
    ]
}

/// The agent's call: on which build and host, its progress or error, the end of its log.
fn call<'a>(ui: &Ui, step: &Stepper, columns: usize) -> Vec<Line<'a>> {
    let st = &ui.st;
    let mut all = vec![
        field(st, "build", step.build.to_string()),
        field(st, "attempt", step.attempts.to_string()),
    ];
    if let Some(pid) = step.pid {
        all.push(field(st, "host", format!("process {pid}")));
    }
    if let Some(p) = step.progress.filter(|_| step.job.is_some()) {
        let bar = crate::text::bar(p, 30);
        all.push(Line::from(format!("{bar} {:.0}%", p * 100.0)));
    }
    if let Some(Err(error)) = &step.result {
        all.extend(error_lines(error, columns, st));
    }
    all.push(Line::default());
    let last = step.log.lines.len().saturating_sub(8);
    let first = last.max(step.log.newest());
    all.extend(log_tail(&step.log, first, columns, ui.utc_offset_s, st));
    all
}

/// What a person edited of the inputs for this step.
fn given<'a>(step: &Stepper, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let mut all = Vec::new();
    if let Some(priority) = step.given.priority {
        all.push(format!("edited for this step: priority {priority}"));
    }
    if let Some(metadata) = step.given.metadata.clone() {
        let metadata = Value::from(metadata);
        all.push(format!("edited for this step: client metadata {metadata}"));
    }
    let lines = all.iter();
    lines
        .flat_map(|line| wrapped(&clean(line), columns, st.accent))
        .collect()
}

fn input<'a>(ui: &Ui, step: &Stepper, i: usize, columns: usize) -> Vec<Line<'a>> {
    let st = &ui.st;
    let inputs = step.inputs.as_ref();
    let Some(timing) = inputs.and_then(|inputs| inputs.timings.get(i)) else {
        let text = match &step.result {
            Some(Err(error)) => return error_lines(error, columns, st),
            _ if step.at == At::Fetching => "They are being fetched.",
            _ => "The agent takes nothing that must be fetched.",
        };
        return vec![Line::styled(text, st.dim)];
    };
    let fact = |name: &str, text: &str| {
        Line::from(vec![
            Span::styled(left(name, 23), st.dim),
            Span::raw(fit(text, columns.saturating_sub(23))),
        ])
    };
    let read = &ui.task.read;
    let mut all = vec![field(st, "note", timing.note.clone())];
    all.extend(given(step, columns, st));
    let what = timing.what.as_str();
    if what.contains("label") || what.contains("row") {
        all.extend(read.row.iter().map(|(name, text)| fact(name, text)));
        all.push(Line::default());
        all.extend(read.before.iter().map(|b| {
            let (name, hash) = (left(&b.name, 18), clean(&b.hash));
            let around = b.bounds().unwrap_or_default();
            let [x, y, w, h] = around.map(|share| (share * 1e4).round() / 1e2);
            Line::from(format!("{name} #{hash} {x} %, {y} %, {w} × {h} %"))
        }));
        return all;
    }
    let value = if what.contains("item") {
        &read.item
    } else {
        &read.asset
    };
    let members = value
        .as_ref()
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    all.extend(members.filter(|(_, v)| !v.is_null()).map(|(name, value)| {
        match value.as_str() {
            // A signed URL is a key: it never reaches the screen.
            Some(text) if text.starts_with("http") => fact(name, "(an address; not shown)"),
            Some(text) => fact(name, text),
            None => fact(name, &value.to_string()),
        }
    }));
    all
}

/// An error in full: what failed, why and where, whose error it is, what to do, the details.
pub fn error_lines<'a>(error: &Error, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let mut all = hanging("✗ ", st.bad, &error.summary, columns, st.bad);
    for reason in error.reasons() {
        all.extend(hanging("  ", st.text, &reason, columns, st.text));
    }
    // What a run does, not what would help: that the agent's code cannot know.
    let retry = if error.retry {
        "runs try it again"
    } else {
        "runs do not try it again"
    };
    let whose = format!("{} error; {retry}", error.kind.word());
    all.extend(wrapped(&whose, columns, st.dim));
    if !error.hints.is_empty() {
        all.push(Line::default());
    }
    for hint in &error.hints {
        all.extend(hanging("→ ", st.accent, hint, columns, st.text));
    }
    if let Some(details) = &error.details {
        all.push(Line::default());
        let details = details.lines().map(|line| fit(line, columns));
        all.extend(details.map(|line| Line::styled(line, st.dim)));
    }
    all
}

fn committed<'a>(step: &Stepper, state: &State, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    const CONFLICT: &str = "Somebody changed the label row after the agent read it. The task was left as it is; step it again to run on the new labels.";
    let mut all = wrapped(&timeline::standing(step, state), columns, st.text);
    match (&step.committed, &step.result) {
        (Some(Committed::Done), Some(Ok(outcome))) => {
            all.push(Line::default());
            let sent = timeline::would_send(outcome, state).into_iter();
            all.extend(sent.map(|t| Line::styled(format!("✓ {t}"), st.good)));
        }
        (Some(Committed::Refused(error) | Committed::Partial { error, .. }), _) => {
            all.extend(error_lines(error, columns, st));
        }
        (Some(Committed::Conflict { .. }), _) => {
            all.push(Line::default());
            all.extend(wrapped(CONFLICT, columns, st.text));
        }
        _ => {}
    }
    all
}
