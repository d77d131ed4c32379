//! Every build seen and what became of it; what the compiler said, errors first.

use crate::Ui;
use crate::text::{clean, clock, fit, left};
use crate::widgets::{lines, overlay, scrollbar};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::build::{Build, BuildStatus};
use wb_core::state::State;

pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, top: &mut usize, state: &State) {
    let st = ui.st;
    let (word, _) = crate::chrome::build_word(ui, state);
    let inner = overlay(buf, area, "Builds", &word, &st);
    let room = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let columns = usize::from(room.width);
    let mut all = compiler(ui, state, columns);
    all.extend(refused(ui, state, columns));
    if state.builds.all.is_empty() {
        all.push(Line::from("No library was opened yet."));
        let looked = if state.options.agents.is_empty() {
            "Start with --agents PATH: a library, a crate folder, or a folder of libraries."
                .to_owned()
        } else {
            format!("Looked for {}", state.options.agents.join(", "))
        };
        all.extend(
            crate::text::wrap(&looked, columns)
                .into_iter()
                .map(|t| Line::styled(t, st.dim)),
        );
    } else {
        all.push(Line::styled(
            format!(
                "{} {}  {} {} {}",
                left("build", 7),
                left("state", 9),
                left("when", 8),
                left("library", 28),
                "stages"
            ),
            st.dim,
        ));
    }
    for build in state.builds.all.iter().rev() {
        all.extend(rows(ui, build, state, columns));
    }
    let count = usize::from(room.height);
    *top = (*top).min(all.len().saturating_sub(count));
    lines(buf, room, &all, *top);
    scrollbar(buf, inner, *top, count, all.len(), &st);
}

fn rows<'a>(ui: &Ui, build: &Build, state: &State, columns: usize) -> Vec<Line<'a>> {
    let st = &ui.st;
    let (mark, word, style) = match &build.status {
        BuildStatus::Active => ("✓", "in charge", st.good),
        BuildStatus::Retired => ("·", "retired", st.dim),
        BuildStatus::Rejected(_) => ("✗", "refused", st.bad),
    };
    let probed = &build.probed;
    let stages: Vec<String> = build
        .stages
        .iter()
        .map(|s| clean(state.stage_title(*s)).into_owned())
        .collect();
    let library = format!(
        "{} {} {}",
        probed.descriptor.name,
        probed.descriptor.version,
        probed.hash.get(..8).unwrap_or("")
    );
    let mut all = vec![Line::from(vec![
        Span::styled(format!("{mark} {} ", left(&build.id.to_string(), 5)), style),
        Span::styled(format!("{}  ", left(word, 9)), style),
        Span::raw(format!("{} ", left(&clock(build.at, ui.utc_offset_s), 8))),
        Span::raw(format!("{} ", left(&library, 28))),
        Span::raw(fit(&stages.join(", "), columns.saturating_sub(58))),
    ])];
    if build.status == BuildStatus::Active {
        let about = format!(
            "{} · agent-abi {}.{} · {} kB",
            clean(&probed.descriptor.build_info),
            probed.descriptor.abi.0,
            probed.descriptor.abi.1,
            probed.size / 1024
        );
        all.push(Line::styled(
            fit(&format!("        {about}"), columns),
            st.dim,
        ));
    }
    let reason = match &build.status {
        BuildStatus::Rejected(reason) => Some(reason),
        _ => None,
    };
    let notes = build
        .notes
        .iter()
        .map(|n| ("!", n))
        .chain(reason.map(|r| ("✗", r)));
    for (mark, note) in notes {
        for (i, t) in crate::text::wrap(note, columns.saturating_sub(10))
            .into_iter()
            .enumerate()
        {
            let mark = if i == 0 { mark } else { " " };
            all.push(Line::styled(format!("        {mark} {t}"), st.warn));
        }
    }
    all
}

/// Libraries that were refused, each with the reason and what to do.
fn refused<'a>(ui: &Ui, state: &State, columns: usize) -> Vec<Line<'a>> {
    let st = &ui.st;
    let mut all = Vec::new();
    for (library, error) in &state.refused {
        let path = library.display().to_string();
        let newest = state.rejected.as_ref().filter(|(r, _)| *r == error.summary);
        let when = newest.map(|(_, at)| crate::chrome::ago(state.now.since(*at)));
        let when = when.map_or_else(String::new, |ago| format!(", {ago}"));
        let title = format!("✗ {} refused{when}", clean(&path));
        all.push(Line::styled(fit(&title, columns), st.bad));
        let reason = crate::text::wrap(&error.summary, columns.saturating_sub(2));
        all.extend(reason.into_iter().map(|t| Line::from(format!("  {t}"))));
        for hint in &error.hints {
            let hint = crate::text::wrap(hint, columns.saturating_sub(4));
            for (n, text) in hint.into_iter().enumerate() {
                let mark = if n == 0 { "→" } else { " " };
                all.push(Line::styled(format!("  {mark} {text}"), st.warn));
            }
        }
    }
    if all.is_empty() {
        return all;
    }
    let kept = state.builds.active().map_or_else(
        || "  No build is in charge: nothing can run.".to_owned(),
        |b| {
            format!(
                "  Build {} stays in charge: what you step and run uses it.",
                b.id
            )
        },
    );
    all.push(Line::styled(kept, st.dim));
    all.push(Line::default());
    all
}

/// What the compiler said: the first error at the top.
fn compiler<'a>(ui: &Ui, state: &State, columns: usize) -> Vec<Line<'a>> {
    let st = &ui.st;
    let Some(compiling) = &state.compiling else {
        return Vec::new();
    };
    let mut all = Vec::new();
    match &compiling.failed {
        None => all.push(Line::from(vec![
            Span::styled("… compiling  ", st.warn),
            Span::raw(fit(&compiling.line, columns.saturating_sub(14))),
        ])),
        Some(messages) => {
            all.push(Line::styled(
                "✗ The agents did not compile; what was loaded stays in charge.",
                st.bad,
            ));
            let messages: Vec<&str> = messages.lines().collect();
            let first = messages
                .iter()
                .position(|l| clean(l).starts_with("error"))
                .unwrap_or(0);
            for message in messages[first..].iter().chain(&messages[..first]) {
                let text = fit(message, columns.saturating_sub(2));
                let style = if text.starts_with("error") {
                    st.bad
                } else {
                    st.text
                };
                all.push(Line::styled(format!("  {text}"), style));
            }
        }
    }
    all.push(Line::default());
    all
}
