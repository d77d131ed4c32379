//! The figures of a stage in words: speed and time left of the run under way, times of attempts, what is held and failed,
//! the last run, the last commit; and the line of them that fits a box. Counting is left to the core.

use crate::text::{duration, number, plural, width};
use crate::theme::Styles;
use crate::widgets::field;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use wb_core::figures::{LastCommit, LastRun, StageFigures};
use wb_core::ids::{Millis, StageId};
use wb_core::state::{CommitStanding, State};

/// `41/s`, `0.4/s`.
pub fn speed_word(per_second: f64) -> String {
    match per_second {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // far below 2^64
        s if s >= 9.95 => format!("{}/s", number(s.round() as u64)),
        s => format!("{s:.1}/s"),
    }
}

fn ago(at: Millis, state: &State) -> String {
    crate::chrome::ago(state.now.since(at))
}

/// What the run under way does here; `None` while none does.
fn now_words(stage: StageId, state: &State) -> Option<String> {
    let speed = state.stage_speed(stage)?;
    let mut parts = vec![speed_word(speed)];
    let left = state.stage_time_left(stage);
    parts.extend(left.map(|ms| format!("{} left", duration(ms))));
    parts.push(format!("{} in flight", number(state.in_flight(stage))));
    Some(parts.join(" · "))
}

#[allow(clippy::cast_precision_loss)] // times to be read by a person
fn times_words(figures: &StageFigures) -> Option<String> {
    let times = &figures.times;
    let (half, most) = (times.percentile(50)?, times.percentile(95)?);
    let of = match times.count() {
        1 => "of one attempt".to_owned(),
        n => format!("of the last {} attempts", number(n)),
    };
    let [half, most] = [half, most].map(|us| duration(us as f64 / 1000.0));
    Some(format!("p50 {half} · p95 {most} {of}"))
}

fn run_words(last: &LastRun, state: &State) -> String {
    let kind = if last.live { "live" } else { "dry" };
    let mut parts = vec![
        format!("{} {kind}", last.number),
        plural(last.tasks, "task"),
    ];
    if last.conflicts > 0 {
        parts.push(plural(last.conflicts, "conflict"));
    }
    let is_now = state
        .run
        .as_ref()
        .is_some_and(|run| run.id == last.number && !run.is_over());
    parts.push(match last.ended {
        Some(at) if last.stopped => format!("stopped {}", ago(at, state)),
        Some(at) => ago(at, state),
        None if is_now => "under way".to_owned(),
        None => format!("did not end, began {}", ago(last.began, state)),
    });
    parts.join(" · ")
}

fn commit_words(last: &LastCommit, state: &State) -> String {
    let mut parts = Vec::new();
    parts.extend(last.number.map(|number| format!("operation {number}")));
    parts.push(plural(last.tasks, "task"));
    parts.push(ago(last.at, state));
    let standing = match state.commit_standing(last) {
        CommitStanding::Undoable => "can be undone",
        CommitStanding::Partly => "partly undone",
        CommitStanding::TakenBack => "undone",
        CommitStanding::Pruned => "no longer in the journal",
    };
    parts.push(standing.to_owned());
    parts.join(" · ")
}

/// What is held and what failed, in spans with their colours.
fn held_and_failed(stage: StageId, state: &State, st: &Styles) -> Vec<(String, Style)> {
    let mut parts = Vec::new();
    let held = state.held.of_stage(stage);
    if held > 0 {
        parts.push((format!("{} held", number(held)), st.accent));
    }
    let last = state
        .stage_figures(stage)
        .and_then(|figures| figures.last_run.as_ref());
    if let Some(last) = last.filter(|last| last.failed > 0) {
        let text = format!("{} failed in run {}", number(last.failed), last.number);
        parts.push((text, st.bad));
    }
    parts
}

fn joined(mark: Span<'static>, parts: Vec<(String, Style)>) -> Line<'static> {
    let mut line = Line::from(mark);
    for (at, (text, style)) in parts.into_iter().enumerate() {
        if at > 0 {
            line.push_span(Span::raw(" · "));
        }
        line.push_span(Span::styled(text, style));
    }
    line
}

/// The figures of an agent's stage, a line for each fact that is known. Without much room only what changes now.
pub fn figures(stage: StageId, state: &State, roomy: bool, st: &Styles) -> Vec<Line<'static>> {
    let known = state.stage_figures(stage);
    let mut all = Vec::new();
    all.extend(now_words(stage, state).map(|words| field(st, "now", words)));
    let parts = held_and_failed(stage, state, st);
    if !parts.is_empty() {
        let mark = Span::styled(crate::text::left("outcomes", 10), st.dim);
        all.push(joined(mark, parts));
    }
    if !roomy {
        return all;
    }
    all.extend(
        known
            .and_then(times_words)
            .map(|words| field(st, "attempts", words)),
    );
    let run = known.and_then(|figures| figures.last_run.as_ref());
    all.extend(run.map(|last| field(st, "last run", run_words(last, state))));
    let commit = known.and_then(|figures| figures.last_commit.as_ref());
    all.extend(commit.map(|last| field(st, "commit", commit_words(last, state))));
    all
}

/// The same for a box, as much as fits into so many columns: speed and time left during a run, else what is held and
/// failed and how many of a hundred succeed. `None`: nothing is known.
pub fn box_line(
    stage: StageId,
    state: &State,
    columns: usize,
    st: &Styles,
) -> Option<Line<'static>> {
    let figures = state.stage_figures(stage);
    let mut parts: Vec<(String, Style)> = Vec::new();
    if let Some(speed) = state.stage_speed(stage) {
        parts.push((speed_word(speed), st.accent));
        let left = state.stage_time_left(stage);
        parts.extend(left.map(|ms| (duration(ms), st.text)));
    } else {
        let held = state.held.of_stage(stage);
        parts.extend((held > 0).then(|| (format!("{} held", number(held)), st.accent)));
    }
    let last = figures.and_then(|figures| figures.last_run.as_ref());
    let failed = last.map_or(0, |last| last.failed);
    parts.extend((failed > 0).then(|| (format!("✗ {}", number(failed)), st.bad)));
    let succeeded = figures.and_then(|figures| figures.routes.succeeded());
    parts.extend(succeeded.map(|part| (ok_word(part), st.dim)));
    let mut used = 0;
    let fits = parts.into_iter().take_while(|(text, _)| {
        let gap = if used == 0 { 0 } else { 3 };
        used += gap + width(text);
        used <= columns
    });
    let fits: Vec<(String, Style)> = fits.collect();
    (!fits.is_empty()).then(|| joined(Span::raw(""), fits))
}

/// `98.9 % ok`: never 100 while something fails.
fn ok_word(part: f64) -> String {
    match part * 100.0 {
        p if p >= 100.0 => "100 % ok".to_owned(),
        p => format!("{:.1} % ok", (p * 10.0).floor() / 10.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_and_parts_are_short_and_a_part_is_never_rounded_up() {
        let speeds = [0.42, 9.96, 41.2, 1234.5].map(speed_word);
        assert_eq!(speeds, ["0.4/s", "10/s", "41/s", "1,235/s"]);
        assert_eq!(
            [1.0, 0.9999, 0.989, 0.0].map(ok_word),
            ["100 % ok", "99.9 % ok", "98.9 % ok", "0.0 % ok"]
        );
    }
}
