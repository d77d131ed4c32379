//! The text of the tab in sight: moved in, folded, copied.

use super::log::{log_line, log_parts};
use super::read::Read;
use super::{Events, IMAGE_TAB, TABS, history, tabs};
use crate::actions::Action;
use crate::reading::{PagePart, PageStep, TextPage};
use crate::{Ui, copy};
use wb_core::state::State;
use wb_core::step::Stepper;

/// Moves in the text of the tab in sight, or folds in it; returns whether the action was one of these.
pub(super) fn move_in_tab(ui: &mut Ui, action: Action, state: &State) -> bool {
    let (Some(step), Some(way)) = (&state.step, page_step(action)) else {
        return false;
    };
    let tab = ui.task.tab;
    let mut view = std::mem::take(&mut ui.task.views[tab]);
    let columns = ui.task.columns;
    let done = match tab {
        IMAGE_TAB => false,
        _ => view.go(way, &page(ui, &ui.task.read, step, state, columns)),
    };
    ui.task.views[tab] = view;
    done
}

const fn page_step(action: Action) -> Option<PageStep> {
    Some(match action {
        Action::Up => PageStep::Up,
        Action::Down => PageStep::Down,
        Action::HalfUp => PageStep::HalfUp,
        Action::HalfDown => PageStep::HalfDown,
        Action::PageUp => PageStep::PageUp,
        Action::PageDown => PageStep::PageDown,
        Action::Top => PageStep::Top,
        Action::Bottom => PageStep::Bottom,
        Action::FoldJson => PageStep::FoldLine,
        Action::FoldAllJson => PageStep::FoldAll,
        _ => return None,
    })
}

/// The text of the tab in sight.
pub(super) fn page<'a>(
    ui: &Ui,
    read: &'a Read,
    step: &'a Stepper,
    state: &State,
    columns: usize,
) -> TextPage<'a> {
    let st = &ui.st;
    let parts = match ui.task.tab {
        0 => {
            let events = Events::new(ui, step, state);
            tabs::value_parts((ui, read), step, &events.rows[events.at], state, columns)
        }
        1 => vec![PagePart::Lines(tabs::labels(step, state, columns, st))],
        3 => log_parts(&step.log, st),
        5 => vec![PagePart::Lines(history::lines(step, columns, st))],
        _ => tabs::json_parts(read, st),
    };
    TextPage {
        id: step.id * TABS.len() as u64 + ui.task.tab as u64,
        parts,
        log_line,
        columns,
        utc_offset_s: ui.utc_offset_s,
        st: ui.st,
    }
}

/// The value at the cursor, or else the text of the tab in sight in full width; a picture has none.
pub fn shown_text(ui: &Ui, state: &State) -> Option<(String, String)> {
    const WIDE: usize = 2000;
    let step = state.step.as_ref().filter(|_| ui.task.tab != IMAGE_TAB)?;
    let page = page(ui, &ui.task.read, step, state, WIDE);
    // A clipboard takes no more; linear mode has everything.
    let most = if ui.linear {
        usize::MAX
    } else {
        copy::MOST + 1
    };
    if let Some(value) = ui.task.views[ui.task.tab]
        .value(&page, most)
        .filter(|_| !ui.linear)
    {
        return Some(("the value".to_owned(), value));
    }
    let name = TABS[ui.task.tab].trim_end_matches('±');
    let name = if name == "JSON" {
        name.to_owned()
    } else {
        name.to_lowercase()
    };
    Some((format!("the {name}"), page.text(most)))
}
