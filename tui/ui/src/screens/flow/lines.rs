//! Flow in lines, for linear mode.

use super::{agent_word, count, list_order, routes};
use crate::linear_text::{COLUMNS, numbered, texts};
use crate::screens::stage;
use crate::screens::stage::kind_word;
use crate::text::{clean, plural};
use crate::{Ui, chrome};
use wb_core::state::State;

/// The stages, and the chosen one in detail.
pub fn lines(ui: &Ui, state: &State) -> Vec<String> {
    let Some(project) = &state.project else {
        return Vec::new();
    };
    if ui.flow.typing.is_some() {
        return vec![format!(
            "Filter of stages, now \"{}\": type words of a title or a kind, e.g. review. An empty line shows all stages; out leaves it as it is.",
            clean(ui.flow.filter())
        )];
    }
    let mut all = vec![chrome::head_text("Flow", ui, state)];
    let flow = &project.workflow;
    let shape = ui.flow.shape_now(flow);
    if !ui.flow.filter().is_empty() {
        all.push(format!(
            "Stages that match \"{}\"; {} left out:",
            clean(ui.flow.filter()),
            shape.left_out
        ));
    }
    for (place, at) in list_order(flow, &shape).into_iter().enumerate() {
        let shown = &shape.boxes[at];
        let Some(each) = shown.single(flow) else {
            let count = shown.count(flow, state);
            let words = shown.words(flow);
            all.push(numbered(place, format!("folded, {words}; {count} tasks")));
            continue;
        };
        let mut parts = vec![format!("{}, {}", clean(&each.title), kind_word(&each.kind))];
        parts.push(format!("{} tasks", count(state, each.id)));
        parts.extend(agent_word(state, each).map(|(word, _)| word));
        let to = routes(flow, each);
        parts.extend((!to.is_empty()).then(|| format!("leads to {to}")));
        all.push(numbered(place, parts.join("; ")));
    }
    let chosen = ui.stage.and_then(|id| project.workflow.stage(id));
    if let Some(chosen) = chosen {
        all.push(format!("Stage {}:", clean(&chosen.title)));
        let lines = stage::lines_of(ui, chosen, state, COLUMNS);
        all.extend(texts(&lines));
    }
    if !state.held.is_empty() {
        let held = plural(state.held.len(), "outcome");
        all.push(format!(
            "{held} held for review; nothing of it was written."
        ));
    }
    all
}
