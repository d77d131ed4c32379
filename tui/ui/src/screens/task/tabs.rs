//! What an event holds, line by line: values, label differences, JSON, errors, the commit.

use super::super::timeline::{self, Mark, Row, What};
use super::{Read, checks};
use crate::Ui;
use crate::reading::{JsonDoc, PagePart};
use crate::text::{clean, duration, fit, left};
use crate::theme::Styles;
use crate::widgets::{field, hanging, wrapped};
use ratatui::text::{Line, Span};
use serde_json::Value;
use wb_core::error::Error;
use wb_core::pause::{difference, pretty};
use wb_core::state::State;
use wb_core::step::{At, Stepper};
use wb_core::work::Committed;

/// The documents that were fetched for the task, each below its title.
pub(super) fn json_parts<'a>(read: &'a Read, st: &Styles) -> Vec<PagePart<'a>> {
    if read.docs.is_empty() {
        let nothing = Line::styled("Nothing was fetched yet.", st.dim);
        return vec![PagePart::Lines(vec![nothing])];
    }
    let mut parts = Vec::new();
    for (title, doc) in &read.docs {
        let blank = (!parts.is_empty()).then(Line::default);
        let title = Line::styled(format!("// {title}"), st.strong);
        parts.push(PagePart::Lines(blank.into_iter().chain([title]).collect()));
        parts.push(PagePart::Json(doc));
    }
    parts
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

/// What an event holds: facts in lines, and its value as a document where it is one.
pub(super) fn value_parts<'a>(
    (ui, read): (&Ui, &'a Read),
    step: &Stepper,
    event: &Row,
    state: &State,
    columns: usize,
) -> Vec<PagePart<'a>> {
    let lines = value((ui, read), step, event, state, columns);
    let mut parts = vec![PagePart::Lines(lines)];
    let doc = match event.what {
        What::Place(_) => {
            let value = read.value.as_ref();
            value.filter(|doc| super::place::is_document(doc))
        }
        What::Input(i) => input_doc(read, step, i),
        _ => None,
    };
    parts.extend(doc.map(PagePart::Json));
    if let What::Place(number) = event.what {
        parts.push(PagePart::Lines(super::place::below(step, number, &ui.st)));
    }
    parts
}

/// The document that an input is.
fn input_doc<'a>(read: &'a Read, step: &Stepper, i: usize) -> Option<&'a JsonDoc> {
    let what = step.inputs.as_ref()?.timings.get(i)?.what.as_str();
    match what {
        _ if what.contains("label") || what.contains("row") => None,
        _ if what.contains("item") => read.item.as_ref(),
        _ => read.asset.as_ref(),
    }
}

fn value<'a>(
    (ui, read): (&Ui, &Read),
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
        What::Input(i) => all.extend(input((ui, read), step, i, columns)),
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
        What::Place(number) => all.extend(super::place::lines(
            step,
            number,
            read.value.as_ref(),
            columns,
            st,
        )),
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
    all.extend(super::log::log_tail(
        &step.log,
        first,
        columns,
        ui.utc_offset_s,
        st,
    ));
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

fn input<'a>((ui, read): (&Ui, &Read), step: &Stepper, i: usize, columns: usize) -> Vec<Line<'a>> {
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
    all.push(Line::default());
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
