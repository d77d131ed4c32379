//! The first build of the agents: how far it is, while nothing can run without them. The errors of one that
//! failed are left to [`crate::overlays::first_failure`].

use crate::Ui;
use crate::actions::Action;
use crate::panes::PaneName;
use crate::text::{clean, fit, fit_middle, width};
use crate::theme::Styles;
use crate::widgets::{line, padded, wrapped};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{LineGauge, Widget};
use wb_core::event::CompileFailure;
use wb_core::state::{Compiling, State};

/// A build that is over sooner is not shown, in milliseconds.
const SHOWN_AFTER_MS: u64 = 400;
/// Rows of the pane.
pub const HEIGHT: u16 = 7;

/// The build that everything waits for: it runs, or failed, and no agent is loaded.
pub fn awaited(state: &State) -> Option<&Compiling> {
    let nothing = state.builds.active().is_none();
    state.compiling.as_ref().filter(|_| nothing)
}

/// The same once it is worth a pane: a build that finds everything compiled is over at once.
pub fn shown(state: &State) -> Option<&Compiling> {
    let lasts = |build: &&Compiling| state.now.since(build.since) >= SHOWN_AFTER_MS;
    awaited(state).filter(|build| build.failed.is_some() || lasts(build))
}

/// The pane: a bar, the crate, what can be done meanwhile.
pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, build: &Compiling, state: &State) {
    let st = &{ ui.st };
    let seconds = format!("{} s", state.now.since(build.since) / 1000);
    let (title, right) = match (&build.failed, build.opening.is_some()) {
        (Some(_), _) => ("The agents did not compile", "waiting for a change"),
        (None, true) => ("Loading the agents", seconds.as_str()),
        (None, false) => ("Compiling the agents", seconds.as_str()),
    };
    let inner = ui.pane(buf, PaneName::Still, area, (title, right));
    let room = padded(inner);
    let columns = usize::from(room.width);
    let text = match &build.failed {
        Some(failure) => failed(ui, failure, columns),
        None => {
            gauge(buf, room, build, st);
            running(build, state, columns, st)
        }
    };
    for (row, text) in (0..).zip(&text) {
        line(buf, room, row, text);
    }
    line(buf, room, 4, &meanwhile(ui, state, columns));
}

fn failed(ui: &Ui, failure: &CompileFailure, columns: usize) -> Vec<Line<'static>> {
    let first = failure
        .first
        .as_deref()
        .unwrap_or("the build failed before anything was compiled");
    let mut all = wrapped(first, columns, ui.st.bad);
    all.truncate(2);
    all.push(ui.keyed_line("Fix it and save: it is built again. {key:Builds} shows the errors."));
    all
}

/// `crate 12 of 20 █████░░░`
fn gauge(buf: &mut Buffer, room: Rect, build: &Compiling, st: &Styles) {
    let (label, part) = match (build.opening.is_some(), build.crates.place()) {
        (true, _) => ("compiled".to_owned(), 1.0),
        (false, Some((n, total))) => (format!("crate {n} of {total}"), build.crates.part()),
        (false, None) => ("compiling".to_owned(), 0.0),
    };
    let row = Rect {
        height: room.height.min(1),
        ..room
    };
    LineGauge::default()
        .label(Line::styled(label, st.strong))
        .ratio(part.clamp(0.0, 1.0))
        .filled_symbol("█")
        .unfilled_symbol("░")
        .filled_style(st.accent)
        .unfilled_style(st.dim)
        .render(row, buf);
}

/// What stands below the bar.
fn running(build: &Compiling, state: &State, columns: usize, st: &Styles) -> Vec<Line<'static>> {
    let opening = state.opening().and_then(|loading| loading.words(state.now));
    let newest = match (build.opening.is_some(), build.crates.newest.as_str()) {
        (true, _) => {
            opening.unwrap_or_else(|| "Each library is opened in a process of its own.".to_owned())
        }
        (false, "") => clean(&build.line).into_owned(),
        (false, name) => format!("Compiling {}", clean(name)),
    };
    let about = match build.crates.is_first() && build.opening.is_none() {
        true => "First time only, about a minute. Later builds compile only what you change.",
        false => "Nothing has run yet, and nothing is written until you commit.",
    };
    let about = Line::styled(fit(about, columns), st.dim);
    vec![Line::default(), Line::from(fit(&newest, columns)), about]
}

/// What is queued, or what can be done meanwhile.
fn meanwhile(ui: &Ui, state: &State, columns: usize) -> Line<'static> {
    if let Some(text) = queued_text(state) {
        let back = format!(" ({} takes it back)", ui.key_of(Action::Out));
        let text = format!("Queued: {text}");
        let room = width(&text) + width(&back) <= columns;
        let text = if room { text + &back } else { text };
        return Line::styled(fit(&text, columns), ui.st.accent);
    }
    let text = match state.libraries_coming() {
        true => {
            "Meanwhile: {key:ShowQueue} lists the tasks, {key:StepFirst} queues one to be stepped."
        }
        false => "Meanwhile: {key:ShowQueue} lists the tasks.",
    };
    Line::from(fit(&ui.keyed(text), columns))
}

/// The task that is stepped once its agent is loaded.
pub fn queued_text(state: &State) -> Option<String> {
    let step = state.queued_step.as_ref()?;
    let when = match state.compiling.as_ref() {
        Some(build) if build.failed.is_some() => "as soon as a build succeeds",
        Some(build) if build.opening.is_none() => "as soon as the build is done",
        _ => "as soon as the agents are loaded",
    };
    Some(format!("will step {} {when}", fit_middle(&step.title, 36)))
}
