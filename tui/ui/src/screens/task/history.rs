//! The attempts of the task in sight: what each came to, and what was edited in it.

use super::super::timeline;
use crate::text::{clean, duration, fit, left};
use crate::theme::Styles;
use ratatui::text::{Line, Span};
use wb_core::step::{Reached, Stepper};

/// Each attempt with its edits, the newest last.
pub(super) fn lines<'a>(step: &Stepper, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let mut all = Vec::new();
    for past in &step.past {
        let text = format!("{}  {}", clean(&past.text), labels(past.labels));
        let head = head(past.number, &past.build.to_string(), past.run_us);
        all.extend(attempt_lines(&head, &text, columns, st));
        all.extend(edits(&past.places, columns, st));
    }
    if step.attempts > 0 {
        let text = match &step.result {
            Some(Ok(outcome)) => {
                format!(
                    "{}  {}",
                    timeline::route(outcome),
                    labels(outcome.patch.counts())
                )
            }
            Some(Err(error)) => clean(&error.summary).into_owned(),
            None => step.word().to_owned(),
        };
        let head = head(step.attempts, &step.build.to_string(), step.run_us);
        all.extend(attempt_lines(&head, &text, columns, st));
        all.extend(edits(&step.places, columns, st));
        let outcome = step.result.as_ref().and_then(|result| result.as_ref().ok());
        let by_hand = outcome.and_then(|outcome| outcome.patch.edited_line());
        all.extend(by_hand.map(|text| {
            let text = format!("  {}", clean(&text));
            Line::styled(fit(&text, columns), st.accent)
        }));
    }
    if all.is_empty() {
        all.push(Line::styled("The agent was not called yet.", st.dim));
    }
    all
}

fn head(number: u32, build: &str, run_us: u64) -> String {
    #[allow(clippy::cast_precision_loss)] // milliseconds for a person
    let took = duration(run_us as f64 / 1000.0);
    format!("attempt {number} · build {build} · {took}")
}

fn labels((added, changed, removed): (usize, usize, usize)) -> String {
    format!("labels +{added} ~{changed} -{removed}")
}

/// What an attempt came to, below its head where there is no room beside it.
fn attempt_lines<'a>(head: &str, text: &str, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    const HEAD: usize = 34;
    let text = |room: usize| Span::styled(format!("  {}", fit(text, room)), st.text);
    if columns < 2 * HEAD {
        let head = Span::styled(fit(head, columns), st.dim);
        return vec![
            Line::from(head),
            Line::from(text(columns.saturating_sub(2))),
        ];
    }
    let head = Span::styled(left(head, HEAD), st.dim);
    vec![Line::from(vec![head, text(columns - HEAD - 2)])]
}

fn edits<'a>(places: &[Reached], columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let edited = places.iter().filter_map(|reached| {
        let edited = reached.edited.as_ref()?;
        Some(format!("  {} edited to {}", reached.place.words(), edited))
    });
    edited
        .map(|text| Line::styled(fit(&clean(&text), columns), st.accent))
        .collect()
}
