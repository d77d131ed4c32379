//! Every build seen and its result; the compiler's messages, errors first.

use super::errors::ErrorCursor;
use crate::actions::{self, Action, Hints, Scope};
use crate::layer::{Handled, Layer};
use crate::panes::PaneName;
use crate::text::{clean, clock, fit, fit_middle, left};
use crate::widgets::{hanging, padded, wrapped};
use crate::{Ui, outside};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use std::path::PathBuf;
use wb_core::build::{Build, BuildStatus, Refusal};
use wb_core::code_place::CodePlace;
use wb_core::event::CompileFailure;
use wb_core::loading::Loading;
use wb_core::state::State;

/// The list of builds.
#[derive(Default)]
pub struct Builds {
    errors: ErrorCursor,
}

impl Layer for Builds {
    fn scope(&self) -> Scope {
        Scope::List
    }

    fn opened_by(&self) -> Option<Action> {
        Some(Action::Builds)
    }

    fn on(&mut self, action: Action, _: &mut Ui, state: &State) -> Handled {
        self.errors.on(action, failed(state))
    }

    fn hints(&self, ui: &Ui, state: &State) -> Hints {
        let all = [Action::Up, Action::Down, Action::Edit, Action::Out];
        actions::hints(ui, state, &all)
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        let st = ui.st;
        let (word, _) = crate::chrome::build_word(ui, state);
        let inner = ui.overlay(buf, area, ("Builds", &word));
        let columns = usize::from(padded(inner).width);
        let mut all = compiler(ui, &self.errors, state, columns);
        all.extend(opening(ui, state, columns));
        all.extend(refused(ui, state, columns));
        if state.builds.all.is_empty() {
            all.push(Line::from("No library has been opened yet."));
            let searched = if state.options.agents.is_empty() {
                "Start with --agents PATH: a library, a crate folder, or a folder of libraries."
                    .to_owned()
            } else {
                format!("Searched in {}", state.options.agents.join(", "))
            };
            all.extend(wrapped(&searched, columns, st.dim));
        } else {
            let head = format!(
                "{} {}  {} {} stages",
                left("build", 7),
                left("state", 9),
                left("when", 8),
                left("library", 28),
            );
            all.push(Line::styled(head, st.dim));
        }
        for build in state.builds.all.iter().rev() {
            all.extend(rows(ui, build, state, columns));
        }
        ui.pane_text(buf, PaneName::Main, inner, &all, self.errors.at());
        ui.link_code(buf, inner);
    }

    fn code_place(&self, ui: &Ui, state: &State) -> Option<CodePlace> {
        match failed(state) {
            Some(failure) => self.errors.place(failure),
            None => outside::agent_place(ui.stage, state),
        }
    }

    fn value(&self, _: &Ui, state: &State) -> Option<(String, String)> {
        let compiler = failed(state).map(|failure| failure.messages.clone());
        let refused = state.refused.all().last();
        let refused = refused.map(|refusal| refusal.error.summary.clone());
        Some(("the build's error".to_owned(), compiler.or(refused)?))
    }
}

/// Why the newest build failed, while it stands.
fn failed(state: &State) -> Option<&CompileFailure> {
    state.compiling.as_ref()?.failed.as_ref()
}

fn rows<'a>(ui: &Ui, build: &Build, state: &State, columns: usize) -> Vec<Line<'a>> {
    let st = &ui.st;
    let (mark, word, style) = match &build.status {
        BuildStatus::Active => ("✓", "active", st.good),
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
        let about = fit(&format!("        {about}"), columns);
        all.push(Line::styled(about, st.dim));
    }
    let reason = match &build.status {
        BuildStatus::Rejected(reason) => Some(reason),
        _ => None,
    };
    // What a build that nothing runs on any more could not bind is of no interest.
    let retired = build.status == BuildStatus::Retired;
    let notes = build.notes.iter().filter(|_| !retired);
    let notes = notes.map(|n| ("!", n)).chain(reason.map(|r| ("✗", r)));
    for (mark, note) in notes {
        let mark = format!("        {mark} ");
        all.extend(hanging(&mark, st.warn, note, columns, st.warn));
    }
    all
}

/// Libraries of which a new content is being opened, each with what is waited for.
fn opening<'a>(ui: &Ui, state: &State, columns: usize) -> Vec<Line<'a>> {
    let st = &ui.st;
    let line = |(library, loading): (&PathBuf, &Loading)| {
        let name = library.file_name().unwrap_or_default().to_string_lossy();
        let text = format!("… {}: {}", clean(&name), loading.words(state.now)?);
        Some(Line::styled(fit_middle(&text, columns), st.warn))
    };
    let mut all: Vec<Line<'_>> = state.opening.iter().filter_map(line).collect();
    if !all.is_empty() {
        if let Some(active) = state.builds.active() {
            let text = format!("  Build {} stays active until then.", active.id);
            all.push(Line::styled(text, st.dim));
        }
        all.push(Line::default());
    }
    all
}

/// Libraries that were refused, each with the reason and what to do.
fn refused<'a>(ui: &Ui, state: &State, columns: usize) -> Vec<Line<'a>> {
    let st = &ui.st;
    let mut all = Vec::new();
    for Refusal { library, error, at } in state.refused.all() {
        let path = library.display().to_string();
        let ago = crate::chrome::ago(state.now.since(*at));
        let title = format!("✗ {} refused, {ago}", clean(&path));
        all.push(Line::styled(fit(&title, columns), st.bad));
        all.extend(hanging("  ", st.text, &error.summary, columns, st.text));
        for hint in &error.hints {
            all.extend(hanging("  → ", st.warn, hint, columns, st.warn));
        }
    }
    if all.is_empty() {
        return all;
    }
    let kept = state.builds.active().map_or_else(
        || "  No build is active: nothing can run.".to_owned(),
        |b| format!("  Build {} stays active: steps and runs use it.", b.id),
    );
    all.push(Line::styled(kept, st.dim));
    all.push(Line::default());
    all
}

/// The compiler's messages, the first error at the top.
fn compiler<'a>(ui: &Ui, errors: &ErrorCursor, state: &State, columns: usize) -> Vec<Line<'a>> {
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
        Some(failure) => {
            let kept = match state.builds.active() {
                Some(_) => "the loaded build stays active",
                None => "no agent is loaded",
            };
            let text = format!("✗ The agents did not compile; {kept}.");
            all.push(Line::styled(text, st.bad));
            all.extend(errors.lines(failure, columns, st));
        }
    }
    all.push(Line::default());
    all
}
