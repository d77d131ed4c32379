//! A place that the agent reached: its value as it was there, and what has changed in it since the place before.

use super::super::timeline::{Row, What};
use crate::reading::JsonDoc;
use crate::text::{clean, duration, fit};
use crate::theme::Styles;
use crate::widgets::field;
use ratatui::text::Line;
use std::sync::Arc;
use wb_core::pause::{PlaceKind, difference, pretty};
use wb_core::step::{Reached, Stepper};

/// Lines of a value that are shown where it is not a document.
const MOST: usize = 5000;
/// Longest value that is shown as its lines because it is not JSON to its end, in bytes.
const PRETTY: usize = 256 << 10;
/// Changes that are shown.
const CHANGES: usize = 200;

pub(super) fn lines<'a>(
    step: &Stepper,
    number: usize,
    doc: Option<&JsonDoc>,
    columns: usize,
    st: &Styles,
) -> Vec<Line<'a>> {
    let Some(reached) = step.places.get(number) else {
        return Vec::new();
    };
    let place = &reached.place;
    #[allow(clippy::cast_precision_loss)] // milliseconds for a person
    let ran = duration(reached.ran_ms as f64);
    let mut all = vec![
        field(st, "what", fit(&place.name, columns.saturating_sub(10))),
        field(st, "reached", format!("{ran} after the start")),
    ];
    if let Some(edited) = &reached.edited {
        all.push(Line::default());
        all.push(Line::styled(
            "Edited here, from what the agent gave:",
            st.accent,
        ));
        all.extend(changes(&place.value, edited, columns, st));
    } else if let Some((before, name)) = before(&step.places, number) {
        let changed = changes(before, &place.value, columns, st);
        if !changed.is_empty() {
            all.push(Line::default());
            all.push(Line::styled(
                format!("Changed since {}:", clean(&name)),
                st.accent,
            ));
            all.extend(changed);
        }
    }
    if let Some((before, attempt)) = in_earlier_attempt(step, number) {
        let changed = changes(before, &place.value, columns, st);
        if !changed.is_empty() {
            all.push(Line::default());
            all.push(Line::styled(
                format!("Changed since attempt {attempt}:"),
                st.accent,
            ));
            all.extend(changed);
        }
    }
    let value = reached.edited.as_ref().unwrap_or(&place.value);
    if value.is_empty() {
        return all;
    }
    all.push(Line::default());
    if !doc.is_some_and(is_document) {
        all.extend(as_it_is(value, place.editable, columns, st));
    }
    all
}

/// A value on the lines that it has; where it is cut, [`below`] has a word for it.
fn as_it_is<'a>(value: &str, whole: bool, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let text = pretty(value, MOST + 1);
    let shown = text.iter().take(MOST);
    let mut all: Vec<Line<'a>> = shown
        .map(|line| Line::styled(fit(line, columns), st.text))
        .collect();
    if text.len() > MOST && whole {
        all.push(not_shown(st));
    }
    all
}

/// Whether a value is shown as a document; else it has the lines that it has.
pub(super) fn is_document(doc: &JsonDoc) -> bool {
    !doc.text().is_empty() && (!doc.has_mistake() || doc.text().len() > PRETTY)
}

/// What stands below a value.
pub(super) fn below<'a>(step: &Stepper, number: usize, st: &Styles) -> Vec<Line<'a>> {
    let place = step.places.get(number).map(|reached| &reached.place);
    let cut = place.is_some_and(|place| !place.editable && !place.value.is_empty());
    cut.then(|| not_shown(st)).into_iter().collect()
}

fn not_shown<'a>(st: &Styles) -> Line<'a> {
    Line::styled("… the rest is not shown", st.dim)
}

/// The value at a place of the timeline, as it was there or as it was edited.
pub(super) fn value<'a>(step: &'a Stepper, row: Option<&Row>) -> Option<&'a Arc<str>> {
    let What::Place(number) = row?.what else {
        return None;
    };
    let reached = step.places.get(number)?;
    Some(reached.edited.as_ref().unwrap_or(&reached.place.value))
}

/// The value that this place had in the last attempt before this one, and the number of that.
fn in_earlier_attempt(step: &Stepper, number: usize) -> Option<(&str, u32)> {
    let past = step.past.last()?;
    let place = &step.places.get(number)?.place;
    let same =
        |reached: &&Reached| (reached.place.kind, &reached.place.name) == (place.kind, &place.name);
    let turn = step.places.get(..number)?.iter().filter(same).count();
    let before = past.places.iter().filter(same).nth(turn)?;
    Some((&before.place.value, past.number))
}

/// What this place is compared with: the last one of its name, else the last checkpoint.
fn before(places: &[Reached], number: usize) -> Option<(&str, String)> {
    let place = &places.get(number)?.place;
    if !matches!(place.kind, PlaceKind::Checkpoint | PlaceKind::Refused) {
        return None;
    }
    let earlier = places.get(..number)?.iter().rev();
    let mut earlier = earlier.filter(|r| r.place.kind == PlaceKind::Checkpoint);
    let last = earlier.clone().next();
    let same = earlier.find(|r| r.place.name == place.name);
    let found = same.or(last)?;
    let value = found.edited.as_ref().unwrap_or(&found.place.value);
    Some((value, found.place.words()))
}

/// The differences of two values, a line each; none where they have nothing in common.
fn changes<'a>(old: &str, new: &str, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let all = difference(old, new, CHANGES);
    let line = |change: wb_core::pause::Difference| {
        let text = format!("{} {}", change.sign, clean(&change.text));
        Line::styled(fit(&text, columns), st.sign(change.sign))
    };
    all.into_iter().map(line).collect()
}
