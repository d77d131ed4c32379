//! The selected stage in detail: who handles it, what waits, where its tasks go and went.

use super::flow::{count, kind_mark, ways};
use crate::Ui;
use crate::text::{bar, clean, fit, left, number, right, width};
use crate::theme::Styles;
use crate::widgets::{field, lines, pane};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::state::State;
use wb_core::workflow::{Stage, StageKind};

const KIND: [(&str, &str); 4] = [
    ("AGENT", "agent"),
    ("ANNOTATION", "annotate"),
    ("REVIEW", "review"),
    ("DONE", "final"),
];

/// A word for a stage's kind.
pub fn kind_word(kind: &StageKind) -> String {
    let wire = kind.wire();
    KIND.iter()
        .find(|(w, _)| *w == wire)
        .map_or_else(|| wire.to_lowercase(), |(_, word)| (*word).to_owned())
}

pub fn draw(ui: &Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let st = &ui.st;
    let stage = state
        .project
        .as_ref()
        .and_then(|p| ui.stage.and_then(|s| p.workflow.stage(s)));
    let Some(stage) = stage else {
        pane(buf, area, "Stage", "", false, st);
        return;
    };
    let title = format!("{} {}", kind_mark(&stage.kind), clean(&stage.title));
    let inner = pane(buf, area, &title, &kind_word(&stage.kind), false, st);
    let room = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let columns = usize::from(room.width);
    let mut all = vec![waiting(stage, state, st)];
    // A low pane keeps what matters most.
    if room.height > 8 {
        all.push(field(st, "uuid", stage.id.to_string()));
    }
    if stage.kind == StageKind::Agent {
        all.extend(agent(stage, state, columns, room.height > 8, st));
        if room.height > 8 {
            all.push(Line::default());
        }
        all.extend(pathways(stage, state, columns, st));
    } else {
        all.extend(others(stage, state, columns, st));
    }
    lines(buf, room, &all, 0);
}

fn waiting<'a>(stage: &Stage, state: &State, st: &Styles) -> Line<'a> {
    let marked = state.queues.get(&stage.id).map_or(0, |q| q.marks.len());
    let mut text = match state.count(stage.id) {
        Some((0, true)) => "empty".to_owned(),
        Some((n, true)) => format!("{} waiting", number(n as u64)),
        Some(_) => format!("{} listed so far", count(state, stage.id)),
        None => "not listed yet".into(),
    };
    if marked > 0 {
        text.push_str(&format!(" · {} marked", number(marked as u64)));
    }
    field(st, "tasks", text)
}

/// What to say where no agent answers.
fn no_agent(state: &State) -> String {
    if state.builds.active().is_some() {
        return "no agent: no loaded library has one for this stage".into();
    }
    match state.options.agents.as_slice() {
        [] => "no agent loaded: start with --agents PATH".into(),
        all => format!("no agent loaded; looked for {}", all.join(", ")),
    }
}

fn agent<'a>(
    stage: &Stage,
    state: &State,
    columns: usize,
    roomy: bool,
    st: &Styles,
) -> Vec<Line<'a>> {
    let Some((build, _, agent)) = state.agent(stage.id) else {
        let mut all: Vec<Line<'_>> =
            crate::text::wrap(&no_agent(state), columns.saturating_sub(12))
                .into_iter()
                .enumerate()
                .map(|(i, text)| {
                    let head = if i == 0 {
                        left("agent", 10)
                    } else {
                        " ".repeat(10)
                    };
                    Line::from(vec![
                        Span::styled(head, st.dim),
                        Span::styled(text, st.warn),
                    ])
                })
                .collect();
        all.push(Line::from(vec![
            Span::raw(" ".repeat(10)),
            Span::styled(
                fit(
                    &format!("write one: #[stage(\"{}\")]", stage.title),
                    columns.saturating_sub(10),
                ),
                st.dim,
            ),
        ]));
        return all;
    };
    let function = clean(&agent.spec.function).into_owned();
    let at = clean(&agent.spec.location).into_owned();
    let mut all = vec![Line::from(vec![
        Span::styled(left("agent", 10), st.dim),
        Span::styled(function, st.strong),
        Span::raw(format!(" on build {build}  ")),
        Span::styled(at, st.dim),
    ])];
    if roomy && !agent.spec.parameters.is_empty() {
        all.push(field(
            st,
            "takes",
            fit(
                &agent.spec.parameters.join(", "),
                columns.saturating_sub(10),
            ),
        ));
    }
    all
}

fn pathways<'a>(stage: &Stage, state: &State, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let run = state.run.as_ref().filter(|r| r.stages.contains(&stage.id));
    let declared = state
        .agent(stage.id)
        .map(|(_, _, a)| a.spec.routes.clone())
        .unwrap_or_default();
    let routes = run.map(|r| &r.totals.routes);
    let counted = |name: &str| routes.map(|r| r.get(name).copied().unwrap_or(0));
    let most = routes
        .and_then(|r| r.values().max().copied())
        .unwrap_or(0)
        .max(run.map_or(0, |r| r.totals.failed));
    let name_w = stage
        .pathways
        .iter()
        .map(|p| width(&clean(&p.name)))
        .max()
        .unwrap_or(4)
        .clamp(4, 16);
    let to_w = stage
        .pathways
        .iter()
        .map(|p| width(&clean(state.stage_title(p.to))))
        .max()
        .unwrap_or(4)
        .clamp(4, 16);
    let warned = if stage
        .pathways
        .iter()
        .any(|p| !declared.is_empty() && !declared.contains(&p.name))
    {
        18
    } else {
        0
    };
    let bar_w = columns.saturating_sub(name_w + to_w + 20 + warned).min(24);
    let head = run.map_or_else(String::new, |r| format!("run {}", r.id));
    let mut all = vec![Line::from(vec![
        Span::styled(left("Pathways", name_w + to_w + 8), st.strong),
        Span::styled(right(&head, bar_w + 9), st.dim),
    ])];
    let figure = |n: Option<u64>, style| match n {
        #[allow(clippy::cast_precision_loss)] // a bar
        Some(n) => {
            let part = if most == 0 {
                0.0
            } else {
                n as f64 / most as f64
            };
            vec![
                Span::styled(bar(part, bar_w), style),
                Span::raw(right(&number(n), 9)),
            ]
        }
        None => Vec::new(),
    };
    for (i, p) in stage.pathways.iter().enumerate() {
        let mut line = Line::from(vec![
            Span::styled(format!("({}) ", i + 1), st.accent),
            Span::raw(left(&p.name, name_w)),
            Span::styled(
                format!(" → {} ", left(state.stage_title(p.to), to_w)),
                st.dim,
            ),
        ]);
        line.spans.extend(figure(counted(&p.name), st.accent));
        if !declared.is_empty() && !declared.contains(&p.name) {
            line.push_span(Span::styled("  ! never returned", st.warn));
        }
        all.push(line);
    }
    if let Some(run) = run {
        let label = |mark: &str, word: &str| {
            vec![
                Span::styled(format!(" {mark}  "), st.dim),
                Span::raw(left(word, name_w + to_w + 4)),
            ]
        };
        let mut stay = Line::from(label("–", "stay"));
        stay.spans.extend(figure(counted("stay"), st.dim));
        all.push(stay);
        let mut failed = Line::from(label("✗", "failed"));
        failed.spans.extend(figure(Some(run.totals.failed), st.bad));
        all.push(failed);
    }
    all
}

fn others<'a>(stage: &Stage, state: &State, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let Some(project) = &state.project else {
        return Vec::new();
    };
    let about = match stage.kind {
        StageKind::Annotation => "people draw labels here",
        StageKind::Review => "people approve or reject here",
        StageKind::Done => "tasks end here",
        _ => "agents do not work here",
    };
    let mut all = vec![field(st, "", about)];
    let to = ways(&project.workflow, stage);
    let to = match (to.is_empty(), &stage.kind) {
        (true, StageKind::Done) => String::new(),
        (true, _) => "the platform does not tell where its tasks go".into(),
        (false, _) => to,
    };
    if !to.is_empty() {
        all.push(field(st, "goes to", fit(&to, columns.saturating_sub(10))));
    }
    let from: Vec<String> = project
        .workflow
        .stages
        .iter()
        .filter(|s| s.pathways.iter().any(|p| p.to == stage.id))
        .map(|s| clean(&s.title).into_owned())
        .collect();
    if !from.is_empty() {
        all.push(field(
            st,
            "comes from",
            fit(&format!(" {}", from.join(", ")), columns.saturating_sub(10)),
        ));
    }
    all
}
