//! Run: progress by stage, outcomes, failures in groups, workers, the agents' log.

use super::error_lines;
use super::task::{log_line, log_note};
use crate::Ui;
use crate::actions::Action;
use crate::overlays::moved;
use crate::panes::PaneName;
use crate::text::{
    bar, clean, clock, duration, fit, fit_middle, left, limit_word, number, plural, width,
};
use crate::theme::Styles;
use crate::widgets::{lines, padded};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use std::cmp::Ordering;
use wb_core::event::Priority;
use wb_core::ids::StageId;
use wb_core::run::{Run, Sink};
use wb_core::state::{PausedTask, State};

mod background;
mod layer;
mod lines;
mod outcomes;

use outcomes::{draw_failures, draw_outcomes};

pub use background::background_word;
pub use layer::RunScreen;

/// The chosen group of failures.
#[derive(Default)]
pub struct RunCursor {
    pub at: usize,
}

impl RunCursor {
    pub fn follow(&mut self, state: &State) {
        self.at = self.at.min(state.failures.len().saturating_sub(1));
    }
}

pub fn move_cursor(ui: &mut Ui, action: Action, state: &State) {
    let last = state.failures.len().saturating_sub(1);
    ui.run.at = moved(ui.run.at, action, ui.page()).min(last);
}

/// How far, 0 to 100, when the end is known.
#[allow(clippy::cast_precision_loss)] // a percentage
pub fn percent(run: &Run, state: &State) -> Option<f64> {
    let all = state.run_expects(run).filter(|n| *n > 0)?;
    Some((run.decided() as f64 * 100.0 / all as f64).min(100.0))
}

pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let area = background::draw(ui, buf, area, state);
    let (Some(run), None) = (&state.run, &state.not_started) else {
        no_run(ui, buf, area, state);
        return;
    };
    let stages = u16::try_from(run.stages.len().min(4)).unwrap_or(4);
    let workers = u16::from(!ui.room.narrow());
    let [top, progress, rest] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(stages + 3 + workers),
        Constraint::Fill(1),
    ])
    .areas(area);
    top_line(buf, top, run, state, ui);
    ui.panes.set_whole(progress.union(rest));
    draw_progress(buf, progress, run, state, ui);
    let log_h = match ui.room.tiny() {
        true => 0,
        false => (rest.height / 3).clamp(3, 14),
    };
    let [middle, log] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(log_h)]).areas(rest);
    let outcomes_w = Constraint::Length(middle.width * 9 / 20);
    let [outcomes, failures] = Layout::horizontal([outcomes_w, Constraint::Fill(1)]).areas(middle);
    draw_outcomes(buf, outcomes, run, state, ui);
    draw_failures(ui, buf, failures, state);
    draw_log(ui, buf, log, state);
}

/// Columns of a line of the log that may be searched.
const WIDE: usize = 2000;

fn draw_log(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let Some(area) = ui.panes.place(PaneName::Log, area) else {
        return;
    };
    let right = match state.log.total {
        0 => String::new(),
        n => plural(usize::try_from(n).unwrap_or(0), "line"),
    };
    let inner = ui.pane(buf, PaneName::Log, area, ("Agent log", &right));
    let columns = usize::from(padded(inner).width);
    let (offset_s, st) = (ui.utc_offset_s, ui.st);
    let nothing = log_note(&state.log, &st);
    let count = state.log.lines.len() + nothing.iter().len();
    let run = state.run.as_ref().map(|run| run.id);
    // Only lines in sight are made.
    ui.pane_tail(
        buf,
        PaneName::Log,
        inner,
        (count, state.log.total, run),
        |at| {
            let line = state.log.lines.get(at);
            line.map_or_else(
                || nothing.clone().unwrap_or_default(),
                |line| log_line(line, (columns, WIDE), offset_s, &st),
            )
        },
    );
}

fn no_run(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let st = &{ ui.st };
    if let Some(error) = &state.not_started {
        let inner = ui.pane(buf, PaneName::Main, area, ("The run was not started", ""));
        lines(buf, inner, &error_lines(error, inner.width, st), 0);
        return;
    }
    let inner = ui.pane(buf, PaneName::Main, area, ("Run", ""));
    let held = if state.writes_at_once() {
        "each batch is written as it finishes"
    } else {
        "every write is held"
    };
    let how = [
        "  {key:ShowFlow} Flow: choose a stage, {key:RunSome} runs some of its tasks, {key:RunEvery} all of them;",
        "  {key:ShowQueue} Queue: mark tasks with {key:Mark}, then {key:RunMarked}",
    ];
    let mut all = vec![
        Line::default(),
        Line::from("  Nothing has run yet."),
        Line::default(),
    ];
    all.extend(how.map(|text| ui.keyed_line(text)));
    all.insert(4, Line::styled(format!("         {held}"), st.dim));
    lines(buf, inner, &all, 0);
}

fn sink_word(run: &Run) -> &'static str {
    match run.spec.sink {
        Sink::Commit => "LIVE",
        Sink::Hold => "dry-run",
        Sink::Report => "report only",
    }
}

/// The limit of requests per second.
fn rate_word(state: &State) -> String {
    state.rate.map_or_else(
        || "no rate limit".to_owned(),
        |rate| format!("{rate} req/s"),
    )
}

fn top_line(buf: &mut Buffer, area: Rect, run: &Run, state: &State, ui: &Ui) {
    let st = &ui.st;
    // What can be changed stays when room is short; the build and the start are left out first.
    let mut parts = vec![format!("run {}", run.id), sink_word(run).to_owned()];
    if !ui.room.narrow() {
        parts.push(format!("build {}", run.build));
    }
    if ui.room.w >= 112 {
        parts.push(format!("started {}", clock(run.started, ui.utc_offset_s)));
    }
    if !ui.room.tiny() {
        parts.push(format!("{} at a time", run.spec.concurrency));
        if state.rate.is_some() || !ui.room.narrow() {
            parts.push(rate_word(state));
        }
        parts.push(format!("limit {}", limit_word(run.limit_ms())));
        parts.push(if run.spec.retries == 1 {
            "1 retry".into()
        } else {
            format!("{} retries", run.spec.retries)
        });
    }
    let text = parts.join(" · ");
    let (word, style) = match (&run.fatal, run.is_over(), run.cancelled, run.paused) {
        (Some(_), _, _, _) => ("✗ STOPPED ", st.bad),
        (_, true, true, _) => ("STOPPED ", st.warn),
        (_, true, _, _) => ("✓ FINISHED ", st.good),
        (_, _, true, _) => ("STOPPING ", st.warn),
        (_, _, _, true) => ("PAUSED ", st.warn),
        _ => ("RUNNING ", st.accent),
    };
    let room = usize::from(area.width).saturating_sub(width(word) + 3);
    crate::widgets::split_line(
        buf,
        area,
        0,
        &Line::styled(format!(" {}", fit(&text, room)), st.text),
        &Line::styled(word, style),
    );
}

#[allow(clippy::cast_precision_loss)] // milliseconds for a person
fn draw_progress(buf: &mut Buffer, area: Rect, run: &Run, state: &State, ui: &mut Ui) {
    let Some(area) = ui.panes.place(PaneName::Still, area) else {
        return;
    };
    let st = &{ ui.st };
    let elapsed = run.ended.unwrap_or(state.now).since(run.started) as f64;
    let elapsed = duration(elapsed.max(1.0));
    let inner = ui.pane(buf, PaneName::Still, area, ("Progress", &elapsed));
    let room = padded(inner);
    let columns = usize::from(room.width);
    let figures = figures(run, state, ui);
    let bar_w = columns.saturating_sub(width(&figures)).clamp(4, 60);
    let bar = bar(part(run, state), bar_w).replace(' ', "░");
    let mut all = vec![Line::from(vec![
        Span::styled(bar, st.accent),
        Span::raw(figures),
    ])];
    all.extend(stage_lines(run, state, st));
    if let Some(paused) = state.paused.first() {
        all.push(paused_line(ui, state.paused.len(), paused));
    } else if let Some(error) = &run.fatal {
        let text = fit(&format!("✗ {}", error.summary), columns);
        all.push(Line::styled(text, st.bad));
    } else if !ui.room.narrow() {
        all.push(workers(run, state, columns, st));
    }
    lines(buf, room, &all, 0);
}

/// The task that has waited longest at a pause point, and how many wait.
fn paused_line(ui: &Ui, count: usize, paused: &PausedTask) -> Line<'static> {
    let (title, at) = (fit_middle(&paused.row.title, 30), clean(&paused.at));
    let mut line = ui.keyed_line(&format!("● {count} paused  {{key:OpenPaused}} steps "));
    line.push_span(Span::raw(format!("{title} at {at}")));
    line.style(ui.st.warn)
}

/// How far, 0 to 1; 0 while the end is not known.
fn part(run: &Run, state: &State) -> f64 {
    match percent(run, state) {
        Some(percent) => percent / 100.0,
        None if run.is_over() && !run.stopped() => 1.0,
        None => 0.0,
    }
}

/// Progress, rate and the time left.
#[allow(clippy::cast_precision_loss)] // an estimate
fn figures(run: &Run, state: &State, ui: &Ui) -> String {
    let (done, all) = (run.decided(), state.run_expects(run));
    if run.is_over() && run.stopped() {
        let of = all.map_or_else(String::new, |all| format!(" of {}", number(all)));
        return format!(" {}{of}, stopped", number(done));
    }
    let rate = run.rate(state.now);
    let loading = run.loading().and_then(|loading| loading.words(state.now));
    let left = match all {
        _ if let Some(words) = loading => format!("  {}", fit_middle(&words, 40)),
        _ if run.paused => ui.keyed("  paused ({key:Pause} goes on)"),
        Some(all) if !run.is_over() && rate > 0.0 && all > done && done > 0 => {
            format!("  {} left", duration((all - done) as f64 / rate * 1000.0))
        }
        _ => String::new(),
    };
    format!(
        " {} / {}  {:.0} %  {rate:.1}/s{left}",
        number(done),
        all.map_or_else(|| "?".into(), number),
        part(run, state) * 100.0
    )
}

/// The first stages of the run, and where it is among them.
fn stage_lines(run: &Run, state: &State, st: &Styles) -> Vec<Line<'static>> {
    let titles = run.stages.iter().map(|s| state.stage_title(*s));
    let title_w = titles.map(|t| width(&clean(t))).max().unwrap_or(8).min(24);
    let line = |(at, stage): (usize, &StageId)| {
        let whole = !run.stopped();
        let (mark, word, style) = match (at.cmp(&run.stage_at), run.is_over()) {
            (Ordering::Less, _) => ("✓", "done".to_owned(), st.good),
            (Ordering::Equal, false) if run.paused => {
                let taken = plural(run.taken, "task");
                ("–", format!("{taken} taken, paused"), st.warn)
            }
            (Ordering::Equal, false) => (
                "▶",
                format!("{} taken", plural(run.taken, "task")),
                st.accent,
            ),
            (_, true) if whole => ("✓", "done".to_owned(), st.good),
            (_, true) => ("–", "stopped".to_owned(), st.warn),
            _ => ("·", "waiting for the stage before".to_owned(), st.dim),
        };
        Line::from(vec![
            Span::styled(format!("{mark} "), style),
            Span::raw(format!("{}  ", left(state.stage_title(*stage), title_w))),
            Span::styled(word, st.dim),
        ])
    };
    run.stages.iter().enumerate().take(4).map(line).collect()
}

#[allow(clippy::cast_precision_loss)] // seconds for a person
fn workers<'a>(run: &Run, state: &State, columns: usize, st: &Styles) -> Line<'a> {
    let all = run.workers(state.now);
    if all.is_empty() {
        let word = match (run.is_over(), run.waits(), run.paused) {
            (true, _, _) => "nothing runs any more".to_owned(),
            (_, true, _) => state.waits_for(run.build, Priority::Bulk),
            (_, _, true) => "none: the run is paused".to_owned(),
            _ => "no job runs: fetching or writing".to_owned(),
        };
        return Line::styled(
            format!("jobs  {}", fit(&word, columns.saturating_sub(6))),
            st.dim,
        );
    }
    let mut line = Line::from(Span::styled("jobs  ", st.dim));
    let mut used = 6;
    for (i, worker) in all.iter().enumerate() {
        let loading = worker.loading.and_then(|loading| loading.words(state.now));
        let does = loading.unwrap_or_else(|| duration(worker.ms as f64));
        let title = fit_middle(worker.title, 22);
        let text = format!(
            "▶ {title} {} (pid {})   ",
            fit_middle(&does, 40),
            worker.pid
        );
        if used + width(&text) + 8 > columns {
            line.push_span(Span::styled(format!("and {} more", all.len() - i), st.dim));
            break;
        }
        used += width(&text);
        line.push_span(Span::raw(text));
    }
    line
}
