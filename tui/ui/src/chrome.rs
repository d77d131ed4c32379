//! What every screen has: the header with mode and build, the status line. The row of hints is left to [`crate::hints`], the
//! screens between them to [`crate::screens`].

use crate::actions::Action;
use crate::screens::run::{background_word, percent};
use crate::text::{age, clean, duration, fit, fit_middle, number, width};
use crate::widgets::{lines, split_line, wrapped};
use crate::{Hit, Screen, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use wb_core::build::BuildStatus;
use wb_core::state::{Level, State};
use wb_core::step::{At, Stepper};

/// An outage that is over sooner is not shown, in milliseconds.
const SHORT_MS: u64 = 1_500;

/// Draws the header; returns the room below, and the rows of the hints and of the status.
pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) -> (Rect, [Rect; 2]) {
    let [header_row, body, hints_row, status_row] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(area);
    header(ui, buf, header_row, state);
    (body, [hints_row, status_row])
}

/// Draws the status: what came of the newest key may be in it.
pub fn draw_status(ui: &Ui, buf: &mut Buffer, row: Rect, state: &State) {
    status(ui, buf, row, state);
}

/// The whole screen when it is too small for anything else.
pub fn too_small(ui: &Ui, buf: &mut Buffer, area: Rect) {
    let text = format!(
        "Too small ({}×{}). Work continues; enlarge the window to at least 40×10.",
        area.width, area.height
    );
    let text = wrapped(&text, usize::from(area.width), ui.st.warn);
    lines(buf, area, &text, 0);
}

/// The mode: DRY-RUN cannot write, HOLD writes what is committed, LIVE writes as it goes.
pub fn mode(state: &State) -> &'static str {
    match (state.options.read_only, state.live) {
        (true, _) => "DRY-RUN",
        (false, true) => "LIVE",
        (false, false) => "HOLD",
    }
}

/// What the header has, for linear mode.
pub fn head_text(name: &str, ui: &Ui, state: &State) -> String {
    let title = state.project.as_ref();
    let title = title.map_or("no project", |p| p.title.as_str());
    let build = build_word(ui, state).0;
    format!("{name}. {}. {}, {build}.", clean(title), mode(state))
}

fn header(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let st = ui.st;
    let tabs_w = draw_tabs(ui, buf, area);
    let room = area.width.saturating_sub(tabs_w + 2);
    let area = Rect {
        width: room,
        ..area
    };
    let title = state.project.as_ref();
    let title = title.map_or("no project", |p| p.title.as_str());
    let name = if ui.room.narrow() { "" } else { "workbench  " };
    let mode = match mode(state) {
        "LIVE" => " LIVE ",
        other => other,
    };
    let level = state.options.level.filter(|_| !ui.room.tiny());
    let level = level.map(|level| (level.word().to_owned(), level_style(ui, level)));
    let mut facts: Vec<_> = level.map(|fact| (fact, Action::Mode)).into_iter().collect();
    facts.push(((mode.to_owned(), mode_style(ui, state)), Action::Mode));
    facts.push((build_word(ui, state), Action::Builds));
    facts.extend(doing(ui, state));
    facts.extend(background_word(ui, state).map(|fact| (fact, Action::ShowRun)));
    facts.extend(watch_word(ui, state).map(|fact| (fact, Action::Watching)));
    // The title gives way first, then what comes last.
    let fixed: usize = facts.iter().map(|((t, _), _)| width(t) + 3).sum();
    let title = fit(
        title,
        usize::from(room)
            .saturating_sub(fixed + name.len() + 1)
            .max(8),
    );
    let mut line = Line::from(vec![
        Span::raw(" "),
        Span::styled(name, st.dim),
        Span::styled(title, st.strong),
    ]);
    for ((text, style), action) in facts {
        line.push_span(Span::styled(" · ", st.dim));
        let columns = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let x = area.x.saturating_add(columns(line.width()));
        let word = Rect::new(x, area.y, columns(width(&text)), 1);
        // A word that is cut off is not there to be clicked.
        ui.hits.push((word.intersection(area), Hit::Runs(action)));
        line.push_span(Span::styled(text, style));
    }
    lines(buf, area, &[line], 0);
}

fn level_style(ui: &Ui, level: Level) -> Style {
    match level {
        Level::Sandbox => ui.st.dim,
        Level::Staging => ui.st.accent,
        Level::Protected => ui.st.warn,
    }
}

/// Draws the screens' names at the right; gives the columns that they take.
fn draw_tabs(ui: &mut Ui, buf: &mut Buffer, area: Rect) -> u16 {
    let tabs = tabs(ui, ui.room.w < 100);
    let columns = |text: &str| u16::try_from(width(text)).unwrap_or(0);
    let all: u16 = tabs.iter().map(|(_, text)| columns(text) + 1).sum();
    let mut x = area.right().saturating_sub(all);
    for (screen, text) in tabs {
        let style = match screen == ui.screen {
            true => ui.st.strong,
            false => ui.st.dim,
        };
        buf.set_string(x, area.y, &text, style);
        let place = Rect::new(x, area.y, columns(&text), 1);
        ui.hits.push((place, Hit::Screen(screen)));
        x += columns(&text) + 1;
    }
    all
}

fn tabs(ui: &Ui, short: bool) -> Vec<(Screen, String)> {
    let tab = |screen: Screen| {
        let (name, n) = (screen.name(), ui.key_of(screen.shown_by()));
        let text = match (screen == ui.screen, short) {
            (true, _) => format!("[{n} {name}]"),
            (false, true) if ui.room.tiny() => n,
            (false, true) => format!("{n} {name}"),
            (false, false) => format!(" {n} {name} "),
        };
        (screen, text)
    };
    Screen::ALL.map(tab).to_vec()
}

fn mode_style(ui: &Ui, state: &State) -> Style {
    match (state.options.read_only, state.live) {
        (true, _) => ui.st.accent,
        (false, true) => ui.st.live,
        (false, false) => ui.st.dry,
    }
}

/// Build number, result and age.
pub fn build_word(ui: &Ui, state: &State) -> (String, Style) {
    let st = &ui.st;
    let active: Vec<_> = state
        .builds
        .all
        .iter()
        .filter(|b| b.status == BuildStatus::Active)
        .collect();
    let still = match active.last() {
        Some(build) => format!(", still {}", build.id),
        None => String::new(),
    };
    if let Some(compiling) = &state.compiling {
        if compiling.failed.is_some() {
            return (format!("✗ build failed{still}"), st.bad);
        }
        if compiling.opening.is_some() {
            let text = opening_words(state).unwrap_or_else(|| "loading the agents".into());
            return (format!("… {text}"), st.warn);
        }
        let place = compiling.crates.place().filter(|_| active.is_empty());
        let place = place.map_or_else(String::new, |(n, total)| format!("{n}/{total} "));
        #[allow(clippy::cast_precision_loss)] // seconds for a person
        let ms = state.now.since(compiling.since) as f64;
        let took = duration(ms.max(1.0));
        return (format!("… compiling {place}{took}"), st.warn);
    }
    if let Some(text) = opening_words(state) {
        let still = if ui.room.w < 100 { "" } else { &still };
        return (format!("… {text}{still}"), st.warn);
    }
    if !state.refused.all().is_empty() {
        return (format!("✗ library refused{still}"), st.bad);
    }
    match active.as_slice() {
        // Libraries are opened meanwhile, but bound to the stages of a project.
        [] if state.project.is_none() => ("agents wait".into(), st.dim),
        [] => ("! no agents loaded".into(), st.warn),
        [one] if ui.room.w < 100 => (
            format!("{} ok {}", one.id, age(state.now.since(one.at))),
            st.good,
        ),
        [one] => (
            format!("build {} ok {}", one.id, ago(state.now.since(one.at))),
            st.good,
        ),
        [.., last] => {
            let text = format!(
                "{} libraries, newest {} ok {}",
                active.len(),
                last.id,
                ago(state.now.since(last.at))
            );
            (text, st.good)
        }
    }
}

/// What the newest content of a library waits for: `loading model · 41 s`.
fn opening_words(state: &State) -> Option<String> {
    /// A name is cut in its middle, so that the time is seen.
    const COLUMNS: usize = 40;
    let words = state.opening()?.words(state.now)?;
    Some(fit_middle(&words, COLUMNS))
}

/// `now`, `3m ago`.
pub fn ago(ms: u64) -> String {
    match age(ms).as_str() {
        "now" => "now".into(),
        other => format!("{other} ago"),
    }
}

/// What is under way, and what shows it.
pub fn doing(ui: &Ui, state: &State) -> Option<((String, Style), Action)> {
    let st = &ui.st;
    if let Some(commit) = state.commit.as_ref().filter(|c| c.ended.is_none()) {
        let (answered, asked) = (number(commit.answered), number(commit.asked));
        let text = format!("COMMITTING {answered}/{asked}");
        return Some(((text, st.warn), Action::Journal));
    }
    if let Some(run) = state.run.as_ref().filter(|r| !r.is_over()) {
        let done = percent(run, state).map_or_else(String::new, |p| format!(" {p:.0}%"));
        let word = match (run.paused, run.cancelled) {
            (_, true) => "STOPPING",
            (true, _) => "PAUSED",
            _ => "RUN",
        };
        return Some(((format!("{word}{done}"), st.accent), Action::ShowRun));
    }
    let busy = |step: &&Stepper| matches!(step.at, At::Fetching | At::Calling);
    let step = state.step.as_ref().filter(busy)?;
    Some(((step.word().to_uppercase(), st.accent), Action::ShowTask))
}

/// The results of the watched tasks, in a word or two.
fn watch_word(ui: &Ui, state: &State) -> Option<(String, Style)> {
    let st = &ui.st;
    let watch = &state.watch;
    if watch.is_empty() || ui.room.tiny() {
        return None;
    }
    let figures = watch.figures();
    Some(match (watch.pending(), figures.failed, figures.differing) {
        (pending @ 1.., _, _) => (format!("watch …{}", number(pending)), st.accent),
        (_, failing @ 1.., _) => (format!("watch ✗{}", number(failing)), st.bad),
        (_, _, differing @ 1..) => (format!("watch ~{}", number(differing)), st.changed),
        _ => ("watch =".to_owned(), st.good),
    })
}

/// The last row: the state in one word, whether anything is written, and counters.
fn status(ui: &Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let st = &ui.st;
    let net = &state.net;
    let (requests, writes) = (number(net.requests), number(net.writes));
    let right = match state.held.len() {
        _ if ui.room.tiny() => String::new(),
        _ if ui.room.narrow() => format!("{writes} writes "),
        0 => format!("{requests} requests · {writes} writes "),
        n => format!(
            "{} held · {requests} requests · {writes} writes ",
            number(n)
        ),
    };
    let right = match ui.mouse_off {
        true => {
            let mouse = format!("mouse off ({}) ", ui.key_of(Action::Mouse));
            if right.is_empty() {
                mouse
            } else {
                format!("{mouse}· {right}")
            }
        }
        false => right,
    };
    let room = usize::from(area.width).saturating_sub(width(&right) + 2);
    let (text, style) = status_text(ui, state);
    let left = Line::styled(format!(" {}", fit(&text, room)), style);
    split_line(buf, area, 0, &left, &Line::styled(right, st.dim));
}

fn status_text(ui: &Ui, state: &State) -> (String, Style) {
    let st = &ui.st;
    if let Some(notice) = &ui.notice {
        return (clean(&ui.keyed(notice)).into_owned(), st.warn);
    }
    if let Some(text) = waiting(state) {
        return (text, st.bad);
    }
    if let Some(text) = crate::screens::first_build::queued_text(state) {
        return (format!("QUEUED · {text}"), st.accent);
    }
    if let Some((error, at)) = &state.net_error {
        let since = crate::text::clock(*at, ui.utc_offset_s);
        return (
            format!(
                "! {} · showing data from before {since} · {} tries again",
                clean(&error.summary),
                ui.key_of(Action::Refresh)
            ),
            st.bad,
        );
    }
    let writes = match (state.options.read_only, state.live) {
        (true, _) => "DRY-RUN: this process cannot write",
        (false, true) => "LIVE: runs write as they go ({key:Mode} goes back to HOLD)",
        _ if state.background.iter().any(|run| !run.holds) => {
            "nothing is written here until you commit; the run in the background writes"
        }
        (false, false) => "nothing is written until you commit",
    };
    let paused = state.run.as_ref().is_some_and(|r| r.paused && !r.is_over());
    let word = match (paused, state.busy()) {
        (true, _) => "PAUSED ({key:Pause} on the Run screen goes on)",
        (_, true) => "WORKING",
        _ => "READY",
    };
    let writes_now = state.live && !state.options.read_only;
    let style = if writes_now { st.bad } else { st.text };
    (ui.keyed(&format!("{word} · {writes}")), style)
}

/// Requests that are tried again and again: since when, until when, why. A short outage is not worth a
/// flicker.
fn waiting(state: &State) -> Option<String> {
    let outage = state.outage.as_ref()?;
    let lasts = state.now.since(outage.since);
    if lasts < SHORT_MS {
        return None;
    }
    let next = match outage.again.since(state.now) {
        0 => String::new(),
        ms => format!(" · next try in {} s", ms.div_ceil(1000)),
    };
    let why = clean(&outage.why).into_owned();
    Some(format!(
        "! waiting for the platform, {}{next} · {why}",
        age(lasts)
    ))
}
