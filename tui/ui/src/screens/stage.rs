//! The selected stage in detail: its agent, its tasks, where they go and went.

use super::flow::{count, kind_mark, routes};
use super::stage_figures;
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
use wb_core::figures::{StageFigures, TakenRoute};
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

/// A pane of so many rows or fewer shows little.
const LOW: u16 = 8;

/// How much of a stage is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    Little,
    /// All that changes, without the stage's UUID and what its agent takes.
    Figures,
    All,
}

impl Detail {
    const fn of(rows: u16) -> Self {
        if rows > LOW { Self::All } else { Self::Little }
    }
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
    // A low pane shows the most important lines only, and one that is not high enough leaves out what is always the same.
    let last = room.height.saturating_sub(1);
    let mut all = facts(stage, state, columns, Detail::of(room.height), st);
    if usize::from(last) <= all.len() && room.height > LOW {
        all = facts(stage, state, columns, Detail::Figures, st);
    }
    if usize::from(last) > all.len() {
        all.resize(usize::from(last), Line::default());
        all.push(next(ui, stage, state));
    }
    ui.pane_text(buf, PaneName::Stage, inner, &all, stage.id);
}

/// All of it in lines, for linear mode.
pub fn lines_of(ui: &Ui, stage: &Stage, state: &State, columns: usize) -> Vec<Line<'static>> {
    let mut all = facts(stage, state, columns, Detail::All, &ui.st);
    all.push(next(ui, stage, state));
    all
}

fn facts<'a>(
    stage: &Stage,
    state: &State,
    columns: usize,
    detail: Detail,
    st: &Styles,
) -> Vec<Line<'a>> {
    let mut all = vec![waiting(stage, state, st)];
    let roomy = detail == Detail::All;
    if roomy {
        all.push(field(st, "uuid", stage.id.to_string()));
    }
    if stage.kind == StageKind::Agent {
        all.extend(agent(stage, state, columns, roomy, st));
        all.extend(stage_figures::figures(
            stage.id,
            state,
            detail != Detail::Little,
            st,
        ));
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

/// Columns of a count.
const COUNT: usize = 9;

impl Table {
    fn new(stage: &Stage, state: &State, columns: usize, figures: Option<&StageFigures>) -> Self {
        let widest =
            |widths: &mut dyn Iterator<Item = usize>| widths.max().unwrap_or(4).clamp(4, 16);
        let ways = &stage.pathways;
        let name = widest(&mut ways.iter().map(|p| width(&clean(&p.name))));
        let to = widest(&mut ways.iter().map(|p| width(&clean(state.stage_title(p.to)))));
        let routes = ways.iter().map(|p| TakenRoute::Pathway(p.id));
        let routes = routes.chain([TakenRoute::Stay, TakenRoute::Failed]);
        let counts = figures.map(|f| routes.map(|route| f.routes.recent(route)).max());
        let rest = columns.saturating_sub(name + to + 8 + 2 * COUNT);
        Self {
            name,
            to,
            bar: rest.min(20),
            most: counts.flatten().unwrap_or(0).max(1),
        }
    }

    /// A bar with the count of the newest tasks, and the count of all.
    fn figure<'a>(&self, figures: &StageFigures, route: TakenRoute, style: Style) -> [Span<'a>; 3] {
        let (recent, ever) = (figures.routes.recent(route), figures.routes.ever(route));
        #[allow(clippy::cast_precision_loss)] // a bar
        let part = recent as f64 / self.most as f64;
        [
            Span::styled(bar(part, self.bar), style),
            Span::raw(right(&number(recent), COUNT)),
            Span::raw(right(&number(ever), COUNT)),
        ]
    }

    /// A row besides those of the pathways.
    fn other<'a>(
        &self,
        (mark, word): (&str, &str),
        figures: &StageFigures,
        route: TakenRoute,
        style: Style,
        st: &Styles,
    ) -> Line<'a> {
        let mut line = Line::from(vec![
            Span::styled(format!(" {mark}  "), st.dim),
            Span::raw(left(word, self.name + self.to + 4)),
        ]);
        line.spans.extend(self.figure(figures, route, style));
        line
    }
}

/// A build that handled fewer tasks has not shown yet which pathways it does not return.
const SHOWN_BY: u64 = 20;

/// Why a pathway is doubtful: its agent does not declare it, or the build has handled many tasks and returned it for none.
fn warning(stage: &Stage, at: usize, state: &State) -> Option<String> {
    let (build, _, agent) = state.agent(stage.id)?;
    let (pathway, declared) = (stage.pathways.get(at)?, &agent.spec.routes);
    if !declared.is_empty() && !declared.contains(&pathway.name) {
        return Some("! never returned".to_owned());
    }
    let counts = &state.stage_figures(stage.id)?.routes;
    let hash = &state.builds.get(build)?.probed.hash;
    let (taken, all) = counts.of_build(hash, TakenRoute::Pathway(pathway.id))?;
    (taken == 0 && all >= SHOWN_BY).then(|| format!("! never by {build}"))
}

/// Every pathway with where it leads, how often tasks of runs took it, and whether the agent never returns it.
fn pathways<'a>(stage: &Stage, state: &State, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let figures = state
        .stage_figures(stage.id)
        .filter(|f| f.routes.count() > 0);
    let table = Table::new(stage, state, columns, figures);
    let mut all = vec![head(stage, &table, figures, st)];
    for (i, p) in stage.pathways.iter().enumerate() {
        let to = left(state.stage_title(p.to), table.to);
        let mut line = Line::from(vec![
            Span::styled(format!("({}) ", i + 1), st.accent),
            Span::raw(left(&p.name, table.name)),
            Span::styled(format!(" → {to} "), st.dim),
        ]);
        let (route, warning) = (TakenRoute::Pathway(p.id), warning(stage, i, state));
        match (figures, warning) {
            (Some(figures), Some(warning)) if figures.routes.recent(route) == 0 => {
                let room = table.bar + COUNT;
                line.push_span(Span::styled(left(&warning, room), st.warn));
                let ever = figures.routes.ever(route);
                line.push_span(Span::raw(right(&number(ever), COUNT)));
            }
            (Some(figures), warning) => {
                line.spans.extend(table.figure(figures, route, st.accent));
                let warning = warning.map(|text| Span::styled(format!("  {text}"), st.warn));
                line.spans.extend(warning);
            }
            (None, warning) => {
                let warning = warning.map(|text| Span::styled(format!("  {text}"), st.warn));
                line.spans.extend(warning);
            }
        }
        all.push(line);
    }
    if let Some(figures) = figures {
        let stay = ("–", "stay");
        all.push(table.other(stay, figures, TakenRoute::Stay, st.dim, st));
        let failed = ("✗", "failed");
        all.push(table.other(failed, figures, TakenRoute::Failed, st.bad, st));
    }
    all
}

/// The heads of the table: how many pathways were ever returned, what the counts stand for.
fn head<'a>(stage: &Stage, table: &Table, figures: Option<&StageFigures>, st: &Styles) -> Line<'a> {
    let title = Span::styled("Pathways", st.strong);
    let Some(figures) = figures else {
        return Line::from(title);
    };
    let routes = stage.pathways.iter().map(|p| TakenRoute::Pathway(p.id));
    let returned = routes
        .filter(|route| figures.routes.ever(*route) > 0)
        .count();
    let coverage = format!("  {returned} of {} returned", stage.pathways.len());
    let recent = format!(" last {}", number(figures.routes.count()));
    let room = table.name + table.to + table.bar + COUNT;
    Line::from(vec![
        title,
        Span::styled(left(&coverage, room.saturating_sub(width(&recent))), st.dim),
        Span::styled(recent, st.dim),
        Span::styled(right("ever", COUNT), st.dim),
    ])
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
