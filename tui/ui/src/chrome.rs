//! What every screen has: the header with the one global fact, the row of hints, the state in
//! words. The screens between them are left to [`crate::screens`].

use crate::keys::shown;
use crate::text::{age, clean, duration, fit, number, width};
use crate::{Hit, Screen, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use wb_core::build::BuildStatus;
use wb_core::command::{Verb, entry};
use wb_core::state::State;
use wb_core::step::{At, Stepper};

/// Trouble that is over sooner is not shown, in milliseconds.
const SHORT_MS: u64 = 1_500;

/// Draws header, hints and status; gives the room between.
pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) -> Rect {
    header(ui, buf, Rect { height: 1, ..area }, state);
    let hints_row = Rect {
        y: area.bottom() - 2,
        height: 1,
        ..area
    };
    hints(ui, buf, hints_row, state);
    let status_row = Rect {
        y: area.bottom() - 1,
        height: 1,
        ..area
    };
    status(ui, buf, status_row, state);
    Rect {
        y: area.y + 1,
        height: area.height - 3,
        ..area
    }
}

/// The whole screen when it is too small for anything else.
pub fn too_small(ui: &Ui, buf: &mut Buffer, area: Rect) {
    let text = format!(
        "Too small ({}×{}). Work goes on; enlarge the window to at least 40×10.",
        area.width, area.height
    );
    for (row, line) in crate::text::wrap(&text, usize::from(area.width))
        .iter()
        .enumerate()
    {
        if let Ok(row) = u16::try_from(row)
            && row < area.height
        {
            buf.set_string(area.x, area.y + row, line, ui.st.warn);
        }
    }
}

/// The mode in words and how it looks: the one global fact.
pub fn mode(state: &State) -> &'static str {
    match (state.options.read_only, state.live) {
        (true, _) => "READ-ONLY",
        (false, true) => "LIVE",
        (false, false) => "DRY-RUN",
    }
}

fn header(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let st = ui.st;
    let tabs = tabs(ui, ui.room.w < 100);
    let tabs_w: usize = tabs.iter().map(|(_, t)| width(t) + 1).sum();
    let mut x = area
        .right()
        .saturating_sub(u16::try_from(tabs_w).unwrap_or(0));
    let tabs_x = x;
    for (screen, text) in tabs {
        let style = if screen == ui.screen {
            st.strong
        } else {
            st.dim
        };
        buf.set_string(x, area.y, &text, style);
        let w = u16::try_from(width(&text)).unwrap_or(0);
        ui.hits
            .push((Rect::new(x, area.y, w, 1), Hit::Screen(screen)));
        x += w + 1;
    }
    let room = usize::from(tabs_x - area.x).saturating_sub(2);
    let title = state
        .project
        .as_ref()
        .map_or("no project", |p| p.title.as_str());
    let mode = mode(state);
    let (build, build_style) = build_word(ui, state);
    let (doing, doing_style) = doing(ui, state);
    let name = if ui.room.narrow() { "" } else { "workbench  " };
    let mut rest = vec![
        (
            if mode == "LIVE" {
                " LIVE ".to_owned()
            } else {
                mode.to_owned()
            },
            mode_style(ui, state),
        ),
        (build, build_style),
    ];
    if !doing.is_empty() {
        rest.push((doing, doing_style));
    }
    rest.extend(watch_word(ui, state));
    // The title gives way first, then what comes last.
    let fixed: usize = rest.iter().map(|(t, _)| width(t) + 3).sum();
    let title = fit(title, room.saturating_sub(fixed + name.len() + 1).max(8));
    let mut line = Line::from(vec![
        Span::raw(" "),
        Span::styled(name, st.dim),
        Span::styled(title, st.strong),
    ]);
    for (text, style) in rest {
        line.push_span(Span::styled(" · ", st.dim));
        line.push_span(Span::styled(text, style));
    }
    buf.set_line(area.x, area.y, &line, u16::try_from(room).unwrap_or(0));
    let mode_at = u16::try_from(2 + name.len()).unwrap_or(0);
    ui.hits.push((
        Rect::new(
            area.x + mode_at,
            area.y,
            u16::try_from(room).unwrap_or(0),
            1,
        ),
        Hit::Overlay("builds"),
    ));
}

fn tabs(ui: &Ui, short: bool) -> Vec<(Screen, String)> {
    Screen::ALL
        .iter()
        .enumerate()
        .map(|(i, screen)| {
            let n = i + 1;
            let name = screen.name();
            let text = match (*screen == ui.screen, short) {
                (true, _) => format!("[{n} {name}]"),
                (false, true) if ui.room.tiny() => format!("{n}"),
                (false, true) => format!("{n} {name}"),
                (false, false) => format!(" {n} {name} "),
            };
            (*screen, text)
        })
        .collect()
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
        #[allow(clippy::cast_precision_loss)] // seconds for a person
        let ms = state.now.since(compiling.since) as f64;
        return (format!("… compiling {}", duration(ms.max(1.0))), st.warn);
    }
    if state.rejected.is_some() {
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

/// `now`, `3m ago`.
pub fn ago(ms: u64) -> String {
    match age(ms).as_str() {
        "now" => "now".into(),
        other => format!("{other} ago"),
    }
}

fn doing(ui: &Ui, state: &State) -> (String, Style) {
    let st = &ui.st;
    if let Some(commit) = state.commit.as_ref().filter(|c| c.ended.is_none()) {
        return (
            format!(
                "COMMITTING {}/{}",
                number(commit.answered as u64),
                number(commit.asked as u64)
            ),
            st.warn,
        );
    }
    if let Some(run) = state.run.as_ref().filter(|r| !r.is_over()) {
        let done = crate::screens::run::percent(run, state)
            .map_or_else(String::new, |p| format!(" {p:.0}%"));
        let word = match (run.paused, run.cancelled) {
            (_, true) => "STOPPING",
            (true, _) => "PAUSED",
            _ => "RUN",
        };
        return (format!("{word}{done}"), st.accent);
    }
    let busy = |step: &&Stepper| matches!(step.at, At::Fetching | At::Calling);
    match state.step.as_ref().filter(busy) {
        Some(step) => (step.word().to_uppercase(), st.accent),
        None => (String::new(), st.text),
    }
}

/// What the watched tasks tell, in a word or two.
fn watch_word(ui: &Ui, state: &State) -> Option<(String, Style)> {
    let st = &ui.st;
    let watch = &state.watch;
    if watch.tasks.is_empty() || ui.room.tiny() {
        return None;
    }
    let pending = watch.tasks.iter().filter(|t| t.pending()).count();
    let told = match (pending, watch.failing(), watch.differing()) {
        (1.., _, _) => (format!("watch …{}", number(pending as u64)), st.accent),
        (_, failing @ 1.., _) => (format!("watch ✗{}", number(failing as u64)), st.bad),
        (_, _, differing @ 1..) => (format!("watch ~{}", number(differing as u64)), st.changed),
        _ => ("watch =".to_owned(), st.good),
    };
    Some(told)
}

/// Hints: only keys that work now, the rarest dropped first.
fn hints(ui: &Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let st = &ui.st;
    let room = usize::from(area.width).saturating_sub(1);
    let mut line = Line::from(" ");
    let mut used = 1;
    let typing = ui.queue.typing.is_some() && ui.screen == Screen::Queue;
    let all: Hints = match ui.overlays.last() {
        Some(overlay) => overlay.hints(state),
        None if typing => [
            ("enter", "keep"),
            ("esc", "as before"),
            ("tab", "complete"),
            ("↑ ↓", "move"),
        ]
        .map(|(k, w)| (k.to_owned(), w.to_owned()))
        .to_vec(),
        None if ui.room.tiny() => Vec::new(),
        None => crate::allowed::hinted(ui, state)
            .into_iter()
            .map(|(verb, word)| (key_of(verb), word))
            .collect(),
    };
    let open = !ui.overlays.is_empty() || typing;
    let tail: &[(&str, &str)] = if open {
        &[]
    } else {
        &[(":", "commands"), ("?", "help")]
    };
    let tail_w: usize = tail.iter().map(|(k, w)| width(k) + width(w) + 3).sum();
    for (key, word) in all {
        let w = width(&key) + width(&word) + 3;
        if used + w + tail_w > room {
            break;
        }
        used += w;
        line.push_span(Span::styled(key, st.key));
        line.push_span(Span::raw(format!(" {word}  ")));
    }
    for (key, word) in tail.iter().copied() {
        line.push_span(Span::styled(key, st.key));
        line.push_span(Span::raw(format!(" {word}  ")));
    }
    buf.set_line(area.x, area.y, &line, area.width);
}

/// The key that is hinted at: an arrow rather than a letter that means the same.
fn key_of(verb: Verb) -> String {
    let keys = entry(verb).keys;
    let arrow = keys
        .iter()
        .find(|k| matches!(**k, "Up" | "Down" | "Left" | "Right"));
    arrow
        .or(keys.first())
        .map_or_else(String::new, |k| shown(k))
}

/// The last row: the state in one word and what it means for writes; the numbers that change.
fn status(ui: &Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let st = &ui.st;
    let net = &state.net;
    let mut right = String::new();
    if !ui.room.tiny() {
        if state.held.is_empty() {
            right = format!(
                "{} requests · {} writes ",
                number(net.requests),
                number(net.writes)
            );
        } else {
            right = format!(
                "{} held · {} requests · {} writes ",
                number(state.held.len() as u64),
                number(net.requests),
                number(net.writes)
            );
        }
        if ui.room.narrow() {
            right = format!("{} writes ", number(net.writes));
        }
    }
    let room = usize::from(area.width).saturating_sub(width(&right) + 2);
    let (text, style) = status_text(ui, state);
    let line = Line::from(Span::styled(format!(" {}", fit(&text, room)), style));
    crate::widgets::split_line(
        buf,
        area,
        0,
        &line,
        &Line::from(Span::styled(right, st.dim)),
    );
}

fn status_text(ui: &Ui, state: &State) -> (String, Style) {
    let st = &ui.st;
    if let Some(notice) = &ui.notice {
        return (clean(notice).into_owned(), st.warn);
    }
    if let Some(text) = waiting(state) {
        return (text, st.bad);
    }
    if let Some((error, at)) = &state.net_error {
        let since = crate::text::clock(*at, ui.utc_offset_s);
        return (
            format!(
                "! {} · showing what was there before {since} · R tries again",
                clean(&error.summary)
            ),
            st.bad,
        );
    }
    let writes = match (state.options.read_only, state.live) {
        (true, _) => "read-only: nothing can be written",
        (false, true) => "LIVE: runs write as they go; m goes back to dry-run",
        (false, false) => "nothing is written until you commit",
    };
    let word = if state.busy() { "WORKING" } else { "READY" };
    let style = if state.live && !state.options.read_only {
        st.bad
    } else {
        st.text
    };
    (format!("{word} · {writes}"), style)
}

/// Requests that are tried again and again: since when, until when, why. A short trouble is not worth
/// a flicker.
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

/// Keys and words of hints, the most useful first.
pub type Hints = Vec<(String, String)>;
