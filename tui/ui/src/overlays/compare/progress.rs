//! What stands above the figures of a comparison: how to begin, what the runs were, how far it is and what was found.

use crate::Ui;
use crate::text::{age, clean, fit};
use crate::theme::Styles;
use crate::widgets::hanging;
use ratatui::text::Line;
use wb_core::comparing::{CompareSide, Comparing};
use wb_core::counted::{number, plural};
use wb_core::figures::KeptRun;
use wb_core::state::State;

/// How to begin.
pub(super) fn how<'a>(ui: &Ui, columns: usize) -> Vec<Line<'a>> {
    let text = ui.keyed("{key:BeginCompare} runs both sides dry on the marked tasks, or on all that match the filter, from the same inputs. {key:SideA} and {key:SideB} choose what is compared: the builds of this session, outcomes held for review, what is upstream now, or an earlier run of this folder. Two runs are compared on the tasks of both, and no agent runs.");
    let mut all = hanging("", ui.st.text, &text, columns, ui.st.text);
    all.push(Line::default());
    all.push(Line::styled(
        "Comparing writes nothing and runs behind everything else, also while this is closed.",
        ui.st.dim,
    ));
    all
}

/// How far it is, or what was found, in a line or two.
pub(super) fn progress<'a>(
    comparing: &Comparing,
    state: &State,
    columns: usize,
    st: &Styles,
) -> Vec<Line<'a>> {
    let (done, asked) = (number(comparing.done()), number(comparing.asked));
    let found = comparing.found.words();
    let mut all = Vec::new();
    if !comparing.is_over() && comparing.is_reading() {
        let runs = comparing
            .sides
            .into_iter()
            .filter(|side| side.run().is_some());
        let names: Vec<String> = runs.map(CompareSide::words).collect();
        let text = format!("… reads what {} gave", names.join(" and "));
        all.push(Line::styled(fit(&text, columns), st.accent));
    } else if !comparing.is_over() {
        let build = comparing.builds().next();
        let waits = match build.filter(|_| comparing.found.tasks == 0) {
            Some(build) => format!(
                " · {}",
                state.waits_for(build, wb_core::event::Priority::Background)
            ),
            None => String::new(),
        };
        let text = format!("… {done} of {asked} compared{waits}");
        all.push(Line::styled(fit(&text, columns), st.accent));
    } else if comparing.stopped {
        let text = format!("{done} of {asked} compared, stopped");
        all.push(Line::styled(fit(&text, columns), st.warn));
    }
    let style = match comparing.found.differing {
        0 => st.good,
        _ => st.changed,
    };
    if comparing.found.tasks > 0 || comparing.is_over() && comparing.has_run() {
        all.extend(hanging("", style, &found, columns, style));
    }
    let remarks = comparing
        .remarks
        .iter()
        .map(|remark| clean(remark).into_owned());
    for remark in remarks.chain(by_totals(comparing)) {
        all.push(Line::styled(fit(&remark, columns), st.warn));
    }
    if let Some(error) = &comparing.error {
        let text = format!(
            "the inputs of {} could not be read: {}",
            plural(comparing.unread, "task"),
            error.summary
        );
        all.push(Line::styled(fit(&clean(&text), columns), st.bad));
    }
    if let Some([a, b]) = comparing.found.times.mean_ms() {
        let text = format!("mean time {a:.1} ms → {b:.1} ms");
        all.push(Line::styled(fit(&text, columns), st.dim));
    }
    all
}

/// How many tasks were compared by the number of their labels.
fn by_totals(comparing: &Comparing) -> Option<String> {
    let n = comparing.tasks_by_totals();
    let text = || {
        let tasks = plural(n, "task");
        format!(
            "{tasks} by route and number of labels: what a run would have changed is kept of small and recent outcomes"
        )
    };
    (n > 0).then(text)
}

/// `run 3 · dry · 1,000 tasks, 2 failed · 2h ago`.
pub(super) fn run_words(run: &KeptRun, state: &State) -> String {
    let sink = if run.live { "live" } else { "dry" };
    let failed = match run.failed {
        0 => String::new(),
        n => format!(", {} failed", number(n)),
    };
    let ended = match (run.ended, run.stopped) {
        (Some(_), false) => "",
        (Some(_), true) => " · stopped",
        (None, _) => " · not ended",
    };
    let tasks = plural(run.tasks, "task");
    let ago = age(state.now.since(run.began));
    let ago = if ago == "now" { ago } else { ago + " ago" };
    format!(
        "run {} · {sink} · {tasks}{failed} · {ago}{ended}",
        run.number
    )
}
