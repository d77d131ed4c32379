//! A place that the agent reached: its value as it was there, and what has changed in it since the place before.

use crate::text::{clean, duration, fit};
use crate::theme::Styles;
use crate::widgets::field;
use ratatui::text::Line;
use wb_core::pause::{PlaceKind, difference, pretty};
use wb_core::step::{Reached, Stepper};

/// Lines of a value that are shown.
const MOST: usize = 5000;
/// Changes that are shown.
const CHANGES: usize = 200;

pub(super) fn lines<'a>(
    step: &Stepper,
    number: usize,
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
    let text = pretty(value, MOST + 1);
    let more = text.len() > MOST;
    let shown = text.iter().take(MOST);
    all.extend(shown.map(|line| Line::styled(fit(line, columns), st.text)));
    if more || !place.editable {
        all.push(Line::styled("… the rest is not shown", st.dim));
    }
    all
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
