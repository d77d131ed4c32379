//! The selected stage in detail: its agent, its tasks, where they go and went.

use super::flow::{count, kind_mark, routes};
use crate::Ui;
use crate::actions::Action;
use crate::panes::PaneName;
use crate::text::{bar, clean, fit, fit_middle, left, number, plural, right, width};
use crate::theme::Styles;
use crate::widgets::{field, hanging, padded};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use wb_core::run::Run;
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

pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let Some(area) = ui.panes.place(PaneName::Stage, area) else {
        return;
    };
    let st = &{ ui.st };
    let stage = state
        .project
        .as_ref()
        .and_then(|p| ui.stage.and_then(|s| p.workflow.stage(s)));
    let Some(stage) = stage else {
        ui.pane(buf, PaneName::Stage, area, ("Stage", ""));
        return;
    };
    let title = format!("{} {}", kind_mark(&stage.kind), clean(&stage.title));
    let kind = kind_word(&stage.kind);
    let inner = ui.pane(buf, PaneName::Stage, area, (&title, &kind));
    let room = padded(inner);
    let columns = usize::from(room.width);
    // A low pane shows the most important lines only.
    let mut all = facts(stage, state, columns, room.height > 8, st);
    let last = room.height.saturating_sub(1);
    if usize::from(last) > all.len() {
        all.resize(usize::from(last), Line::default());
        all.push(next(ui, stage, state));
    }
    ui.pane_text(buf, PaneName::Stage, inner, &all, stage.id);
}

/// All of it in lines, for linear mode.
pub fn lines_of(ui: &Ui, stage: &Stage, state: &State, columns: usize) -> Vec<Line<'static>> {
    let mut all = facts(stage, state, columns, true, &ui.st);
    all.push(next(ui, stage, state));
    all
}

fn facts<'a>(
    stage: &Stage,
    state: &State,
    columns: usize,
    roomy: bool,
    st: &Styles,
) -> Vec<Line<'a>> {
    let mut all = vec![waiting(stage, state, st)];
    if roomy {
        all.push(field(st, "uuid", stage.id.to_string()));
    }
    if stage.kind == StageKind::Agent {
        all.extend(agent(stage, state, columns, roomy, st));
        if roomy {
            all.push(Line::default());
        }
        all.extend(pathways(stage, state, columns, st));
    } else {
        all.extend(others(stage, state, columns, st));
    }
    all
}

/// The next useful action, in words.
fn next<'a>(ui: &Ui, stage: &Stage, state: &State) -> Line<'a> {
    let st = &ui.st;
    let some = state.count(stage.id).is_some_and(|(n, _)| n > 0);
    let bound = state.agent(stage.id).is_some();
    let queued = state.queued_step.as_ref();
    let (action, words) = if let Some(queued) = queued.filter(|q| q.stage == stage.id) {
        let title = fit_middle(&queued.title, 36);
        (
            Action::Out,
            format!("takes back the queued step of {title}"),
        )
    } else if !state.held.is_empty() {
        let held = plural(state.held.len(), "held outcome");
        let words = format!("reviews {held}; nothing is written yet");
        (Action::Review, words)
    } else if state.agent_coming(stage.id) && some {
        let words = "queues the first task until its agent is loaded".to_owned();
        (Action::StepFirst, words)
    } else if state.builds.active().is_none() {
        let words = "shows why no library is loaded".to_owned();
        (Action::Builds, words)
    } else if bound && some && state.results.is_empty() {
        let words = "steps the first task; nothing is written".to_owned();
        (Action::StepFirst, words)
    } else if bound && some {
        let words = match state.writes_at_once() {
            true => "runs many of them and writes them (asks first)",
            false => "runs many of them; every write is held for review",
        };
        (Action::RunSome, words.to_owned())
    } else {
        (Action::In, "shows its tasks".to_owned())
    };
    Line::from(vec![
        Span::styled("next: ", st.strong),
        Span::styled(ui.key_of(action), st.key),
        Span::raw(format!(" {words}")),
    ])
}

fn waiting<'a>(stage: &Stage, state: &State, st: &Styles) -> Line<'a> {
    let marked = state.queues.get(&stage.id).map_or(0, |q| q.marks.len());
    let mut text = match state.count(stage.id) {
        Some((0, true)) => "empty".to_owned(),
        Some((n, true)) => format!("{} waiting", number(n)),
        Some(_) => format!("{} listed so far", count(state, stage.id)),
        None => "not listed yet".into(),
    };
    if marked > 0 {
        text.push_str(&format!(" · {} marked", number(marked)));
    }
    field(st, "tasks", text)
}

/// Why a stage has no agent.
fn no_agent(state: &State) -> String {
    if state.builds.active().is_none() && state.libraries_coming() {
        return "being built and loaded".into();
    }
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
        let mark = left("agent", 10);
        let mut all = hanging(&mark, st.dim, &no_agent(state), columns, st.warn);
        if !state.libraries_coming() {
            let text = format!("{:10}write one: #[stage(\"{}\")]", "", stage.title);
            all.push(Line::styled(fit(&text, columns), st.dim));
        }
        return all;
    };
    let function = format!("{} {build}  ", clean(&agent.spec.function));
    let room = columns.saturating_sub(10 + width(&function));
    let mut all = vec![Line::from(vec![
        Span::styled(left("agent", 10), st.dim),
        Span::styled(function, st.strong),
        Span::styled(fit_middle(&agent.spec.location, room), st.dim),
    ])];
    if roomy && !agent.spec.parameters.is_empty() {
        let takes = agent.spec.parameters.join(", ");
        let takes = hanging(&left("takes", 10), st.dim, &takes, columns, st.text);
        all.extend(takes.into_iter().take(2));
    }
    all
}

/// Widths of the pathway table, and the largest count a bar stands for.
struct Table {
    name: usize,
    to: usize,
    bar: usize,
    most: u64,
}

impl Table {
    fn new(
        stage: &Stage,
        state: &State,
        columns: usize,
        undeclared: bool,
        run: Option<&Run>,
    ) -> Self {
        let widest =
            |widths: &mut dyn Iterator<Item = usize>| widths.max().unwrap_or(4).clamp(4, 16);
        let ways = &stage.pathways;
        let name = widest(&mut ways.iter().map(|p| width(&clean(&p.name))));
        let to = widest(&mut ways.iter().map(|p| width(&clean(state.stage_title(p.to)))));
        let warning = if undeclared { 18 } else { 0 };
        let counts = run.map(|r| r.totals.routes.values().copied().chain([r.totals.failed]));
        Self {
            name,
            to,
            bar: columns.saturating_sub(name + to + 20 + warning).min(24),
            most: counts.and_then(Iterator::max).unwrap_or(0).max(1),
        }
    }

    /// A bar and its number.
    fn figure<'a>(&self, n: u64, style: Style) -> [Span<'a>; 2] {
        #[allow(clippy::cast_precision_loss)] // a bar
        let part = n as f64 / self.most as f64;
        [
            Span::styled(bar(part, self.bar), style),
            Span::raw(right(&number(n), 9)),
        ]
    }

    /// A row besides those of the pathways.
    fn other<'a>(&self, mark: &str, word: &str, n: u64, style: Style, st: &Styles) -> Line<'a> {
        let mut line = Line::from(vec![
            Span::styled(format!(" {mark}  "), st.dim),
            Span::raw(left(word, self.name + self.to + 4)),
        ]);
        line.spans.extend(self.figure(n, style));
        line
    }
}

/// Every pathway with where it leads, how often the newest run took it, and whether the agent
/// declares that it never returns it.
fn pathways<'a>(stage: &Stage, state: &State, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let run = state.run.as_ref().filter(|r| r.stages.contains(&stage.id));
    let agent = state
        .agent(stage.id)
        .map(|(_, _, a)| a.spec.routes.as_slice());
    let declared = agent.unwrap_or_default();
    let never = |name: &String| !declared.is_empty() && !declared.contains(name);
    let undeclared = stage.pathways.iter().any(|p| never(&p.name));
    let table = Table::new(stage, state, columns, undeclared, run);
    let head = run.map_or_else(String::new, |r| format!("run {}", r.id));
    let mut all = vec![Line::from(vec![
        Span::styled(left("Pathways", table.name + table.to + 8), st.strong),
        Span::styled(right(&head, table.bar + 9), st.dim),
    ])];
    for (i, p) in stage.pathways.iter().enumerate() {
        let to = left(state.stage_title(p.to), table.to);
        let mut line = Line::from(vec![
            Span::styled(format!("({}) ", i + 1), st.accent),
            Span::raw(left(&p.name, table.name)),
            Span::styled(format!(" → {to} "), st.dim),
        ]);
        if let Some(run) = run {
            let n = run.totals.routes.get(&p.name).copied().unwrap_or(0);
            line.spans.extend(table.figure(n, st.accent));
        }
        if never(&p.name) {
            line.push_span(Span::styled("  ! never returned", st.warn));
        }
        all.push(line);
    }
    if let Some(run) = run {
        let stayed = run.totals.routes.get("stay").copied().unwrap_or(0);
        all.push(table.other("–", "stay", stayed, st.dim, st));
        all.push(table.other("✗", "failed", run.totals.failed, st.bad, st));
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
    let to = routes(&project.workflow, stage);
    let to = match (to.is_empty(), &stage.kind) {
        (true, StageKind::Done) => String::new(),
        (true, _) => "the API does not report where its tasks go".into(),
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
        let from = fit(&format!(" {}", from.join(", ")), columns.saturating_sub(10));
        all.push(field(st, "comes from", from));
    }
    all
}
