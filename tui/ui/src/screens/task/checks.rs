//! What an outcome would write, one thing at a time, and what it was checked against.

use super::super::timeline;
use crate::text::{clean, decimal, fit, left, plural, wrap};
use crate::theme::Styles;
use crate::widgets::{field, hanging, wrapped};
use ratatui::text::{Line, Span};
use wb_core::pause::pretty;
use wb_core::state::State;
use wb_core::step::{HeldEffect, Stepper};
use wb_core::work::{LabelChange, Outcome, Route};

/// Lines of client metadata that are shown.
const MOST: usize = 2000;

/// Everything an outcome would change.
pub fn patch<'a>(outcome: &Outcome, state: &State, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let (added, changed, removed) = outcome.patch.counts();
    let head = if added + changed + removed == 0 {
        "Labels unchanged.".to_owned()
    } else {
        format!("Labels: {added} added, {changed} changed, {removed} removed")
    };
    let edited = outcome.patch.edited_line().into_iter();
    let mut all: Vec<Line<'a>> =
        (edited.flat_map(|line| wrapped(&clean(&line), columns, st.accent))).collect();
    all.push(Line::styled(head, st.strong));
    all.extend(
        outcome
            .patch
            .labels
            .iter()
            .flat_map(|l| change_lines(l, columns, st)),
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
    for change in &outcome.patch.changes {
        all.push(Line::default());
        all.extend(wrapped(&change.headline(), columns, st.strong));
        if let Some(item) = change.item.as_ref().filter(|item| !item.delete) {
            all.extend(wrapped(&item.excerpt(), columns, st.text));
        }
        let labels = change.labels.iter();
        all.extend(labels.flat_map(|l| change_lines(l, columns, st)));
    }
    all.push(Line::default());
    all.push(Line::styled("A commit would", st.strong));
    for text in timeline::would_send(outcome, state) {
        all.extend(hanging("• ", st.text, &text, columns, st.text));
    }
    all
}

/// A label difference: its place and answers on as many lines as they need.
pub(super) fn change_lines<'a>(change: &LabelChange, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    // In a narrow pane what changed is worth more than the hash.
    let (name_w, hash_w) = if columns < 52 { (11, 0) } else { (18, 10) };
    let hash = if hash_w > 0 {
        left(&format!("#{}", change.hash), hash_w)
    } else {
        String::new()
    };
    let indent = name_w + hash_w + 3;
    let mut head = vec![
        Span::styled(
            format!("{} {} ", change.sign, left(&change.name, name_w)),
            st.sign(change.sign),
        ),
        Span::styled(hash, st.dim),
    ];
    let text = wrap(&change.text(), columns.saturating_sub(indent).max(12));
    let mut texts = text.into_iter();
    head.push(Span::raw(texts.next().unwrap_or_default()));
    let more = texts.map(|text| Line::from(format!("{}{text}", " ".repeat(indent))));
    std::iter::once(Line::from(head)).chain(more).collect()
}

/// One thing that a commit would write.
pub(super) fn effect<'a>(
    effect: HeldEffect,
    outcome: &Outcome,
    state: &State,
    columns: usize,
    st: &Styles,
) -> Vec<Line<'a>> {
    let patch = &outcome.patch;
    let mut all = match effect {
        HeldEffect::Labels => {
            let labels = patch.labels.iter();
            labels
                .flat_map(|label| change_lines(label, columns, st))
                .collect()
        }
        HeldEffect::Priority => patch.priority.map_or_else(Vec::new, |(old, new)| {
            let old = old.map_or_else(|| "unset".into(), decimal);
            vec![Line::raw(format!("{old} → {}", decimal(new)))]
        }),
        HeldEffect::Metadata => {
            let metadata = patch.metadata.clone().unwrap_or_default();
            let text = pretty(&serde_json::Value::from(metadata).to_string(), MOST);
            text.iter()
                .flat_map(|line| wrapped(&clean(line), columns, st.text))
                .collect()
        }
        HeldEffect::Further(place) => {
            let Some(change) = patch.changes.get(place) else {
                return Vec::new();
            };
            let mut all = wrapped(&change.headline(), columns, st.strong);
            let labels = change.labels.iter();
            all.extend(labels.flat_map(|label| change_lines(label, columns, st)));
            all
        }
        HeldEffect::Move => {
            let sent = timeline::would_send(outcome, state);
            let sent = sent.last().cloned().unwrap_or_default();
            wrapped(&sent, columns, st.text)
        }
    };
    all.push(Line::default());
    all.extend(wrapped(
        "Held: nothing is written before a commit.",
        columns,
        st.dim,
    ));
    all
}

/// What the outcome was checked against, and with which result.
pub(super) fn validation<'a>(
    step: &Stepper,
    state: &State,
    columns: usize,
    st: &Styles,
) -> Vec<Line<'a>> {
    let Some(Ok(outcome)) = &step.result else {
        return vec![Line::styled("No outcome to check.", st.dim)];
    };
    let mut all = vec![Line::styled("Workflow", st.strong)];
    let good = |text: &str| hanging("✓ ", st.good, text, columns, st.text);
    all.extend(good(&of_route(&outcome.way, step, state)));
    if let Some((_, priority)) = outcome.patch.priority {
        let priority = decimal(priority);
        all.extend(good(&format!("priority {priority} is between 0 and 1")));
    }
    all.push(Line::default());
    all.push(Line::styled("Ontology", st.strong));
    all.extend(of_labels(outcome).iter().flat_map(|text| good(text)));
    if let Some(edited) = outcome.patch.edited_line() {
        let text = format!("{}; checked again after the edit", clean(&edited));
        all.push(Line::default());
        all.extend(wrapped(&text, columns, st.accent));
    }
    all
}

/// What was checked of where the task goes.
fn of_route(way: &Route, step: &Stepper, state: &State) -> String {
    let stage = clean(state.stage_title(step.stage));
    match way {
        Route::Stay => format!("the task stays at {stage}"),
        Route::Pathway { name, to, .. } => format!(
            "pathway \"{}\" leaves {stage} and leads to {}",
            clean(name),
            clean(state.stage_title(*to))
        ),
        Route::Stage { title, .. } => format!("the project has one stage {}", clean(title)),
    }
}

/// What was checked of labels and further changes.
fn of_labels(outcome: &Outcome) -> Vec<String> {
    let (added, changed, removed) = outcome.patch.counts();
    let mut all = vec![match added + changed + removed {
        0 => "no label is changed".to_owned(),
        count => format!(
            "{}: kinds, shapes, attributes and options are those of the ontology",
            plural(count, "changed label")
        ),
    }];
    if outcome.patch.already_there > 0 {
        let count = plural(outcome.patch.already_there, "label");
        all.push(format!("{count} already present, and not added again"));
    }
    if !outcome.further.is_empty() {
        let count = plural(outcome.further.len(), "further change");
        all.push(format!(
            "{count}: every project, row, stage and label was found"
        ));
    }
    all
}

/// The outcome as a whole.
pub(super) fn outcome<'a>(
    outcome: &Outcome,
    state: &State,
    columns: usize,
    st: &Styles,
) -> Vec<Line<'a>> {
    let route = timeline::route(outcome);
    let mut all = vec![field(st, "route", fit(&route, columns.saturating_sub(10)))];
    all.extend(patch(outcome, state, columns, st));
    all
}
