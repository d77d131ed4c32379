//! Pause points on the Task screen: the place that the chosen event is, and the points of the stage below the events.

use super::Events;
use crate::Ui;
use crate::screens::timeline::What;
use crate::text::{clean, fit};
use crate::theme::Styles;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use wb_core::ids::StageId;
use wb_core::pause::{PointAt, Sight};
use wb_core::state::State;
use wb_core::step::Stepper;

/// The number of the place that the chosen event is; of what the agent is given that of the first one.
pub fn chosen_number(ui: &Ui, state: &State) -> Option<usize> {
    let step = state.step.as_ref()?;
    let events = Events::new(ui, step, state);
    match events.rows.get(events.at)?.what {
        What::Place(number) => Some(number),
        What::Input(_) | What::Parameters | What::Call => Some(0),
        _ => None,
    }
}

/// What the chosen event is about.
pub fn chosen_event(ui: &Ui, state: &State) -> Option<What> {
    let step = state.step.as_ref()?;
    let events = Events::new(ui, step, state);
    Some(events.rows.get(events.at)?.what)
}

/// The chosen event's place of a pause point, and what a condition would see there.
pub fn chosen_place(ui: &Ui, state: &State) -> Option<(StageId, PointAt, Option<Sight>)> {
    let step = state.step.as_ref()?;
    let events = Events::new(ui, step, state);
    let row = events.rows.get(events.at)?;
    let before = |document: Option<&str>, ms| Some(Sight::before(&step.row, document, ms));
    let inputs = step.inputs.as_ref();
    let sight = match (row.what, &step.result) {
        (What::Task, _) => inputs.and_then(|inputs| before(Some(&inputs.task_json), 0.0)),
        (What::Input(place), _) => inputs.and_then(|inputs| {
            let timing = inputs.timings.get(place)?;
            before(inputs.document(&timing.what).map(|json| &**json), timing.ms)
        }),
        (What::Parameters, _) => before(Some(&state.params_of(step.stage)), 0.0),
        (What::Place(number), _) => {
            let reached = step.places.get(number)?;
            Some(Sight::inside(&step.row, &reached.place, reached.ran_ms))
        }
        (What::Outcome | What::Effect(_) | What::Validation | What::Review, Some(result)) => {
            let result = result.as_ref().map(|outcome| &**outcome);
            Some(Sight::ended(&step.row, result, step.run_us))
        }
        _ => None,
    };
    Some((step.stage, row.at.clone()?, sight))
}

/// The pause points of the stage, below the events as far as there is room.
pub(super) fn draw(
    buf: &mut Buffer,
    area: Rect,
    step: &Stepper,
    rows: usize,
    state: &State,
    st: &Styles,
) {
    let points = state.points_of(step.stage);
    let earlier = usize::from(step.earlier.is_some());
    let room = usize::from(area.height).saturating_sub(rows + earlier + 1);
    let shown = points.len().min(room);
    for (number, point) in points.iter().take(shown).enumerate() {
        let text = format!(" ● pauses at {}", clean(&point.words()));
        let line = Line::styled(fit(&text, usize::from(area.width)), st.warn);
        let row = usize::from(area.height) - earlier - shown + number;
        crate::widgets::line(buf, area, u16::try_from(row).unwrap_or(0), &line);
    }
}
