//! What of the workflow is shown: all of it, the stages that a filter matches, and groups of stages without agents folded
//! into one box each. Where boxes stand is left to the drawing, what is in them too.

use super::kind_mark;
use crate::screens::stage::kind_word;
use crate::text::{clean, fit, number, plural};
use std::collections::{BTreeSet, HashMap};
use wb_core::ids::StageId;
use wb_core::state::State;
use wb_core::workflow::{Stage, StageKind, Workflow};

/// Which stages are folded and which match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ShapeChoice {
    /// Words that a stage's title or kind must have.
    pub(super) filter: String,
    /// A stage of each group that is folded.
    pub(super) folded: BTreeSet<StageId>,
}

/// A box: one stage, or a folded group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShownBox {
    /// Places in the workflow's stages, at least one.
    pub(super) stages: Vec<usize>,
}

/// An edge between boxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShownEdge {
    /// `None`: the start of the workflow.
    pub(super) from: Option<usize>,
    pub(super) to: usize,
    /// Numbers of the pathways that lead there, of a box with one stage.
    pub(super) pathways: Vec<usize>,
    /// `approve`, `reject`, or nothing.
    pub(super) label: String,
    /// It leads past stages that do not match.
    pub(super) past: bool,
}

/// The boxes and edges that are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FlowShape {
    pub(super) boxes: Vec<ShownBox>,
    pub(super) edges: Vec<ShownEdge>,
    /// Stages that the filter leaves out.
    pub(super) left_out: usize,
}

/// An edge of the workflow, by the places of its stages.
struct StageEdge<'a> {
    from: Option<usize>,
    to: usize,
    pathway: Option<usize>,
    label: &'a str,
}

fn edges_of(flow: &Workflow) -> Vec<StageEdge<'_>> {
    let places: HashMap<StageId, usize> = flow
        .stages
        .iter()
        .enumerate()
        .map(|(i, s)| (s.id, i))
        .collect();
    let mut all = Vec::new();
    for (from, stage) in flow.stages.iter().enumerate() {
        for (n, pathway) in stage.pathways.iter().enumerate() {
            all.extend(places.get(&pathway.to).map(|to| StageEdge {
                from: Some(from),
                to: *to,
                pathway: Some(n + 1),
                label: "",
            }));
        }
    }
    for edge in &flow.edges {
        let from = edge.from.map(|from| places.get(&from).copied());
        // The start has no place; a stage that is not there has no edge.
        if let (Some(to), None | Some(Some(_))) = (places.get(&edge.to), from) {
            all.push(StageEdge {
                from: from.flatten(),
                to: *to,
                pathway: None,
                label: &edge.label,
            });
        }
    }
    all
}

fn matches(stage: &Stage, words: &[String]) -> bool {
    let text = format!("{} {}", clean(&stage.title), kind_word(&stage.kind)).to_lowercase();
    words.iter().all(|word| text.contains(word))
}

/// Whether a stage can be folded: no agent works there, and it is not an end.
fn foldable(stage: &Stage) -> bool {
    !matches!(stage.kind, StageKind::Agent | StageKind::Done)
}

/// The first stage of a group, while groups are joined.
fn root(group: &mut [usize], mut at: usize) -> usize {
    while group[at] != at {
        group[at] = group[group[at]];
        at = group[at];
    }
    at
}

/// The group of each stage: stages without agents that lead to one another are in one.
pub(super) fn groups(flow: &Workflow) -> Vec<usize> {
    let mut group: Vec<usize> = (0..flow.stages.len()).collect();
    for edge in edges_of(flow) {
        let Some(from) = edge.from else { continue };
        if foldable(&flow.stages[from]) && foldable(&flow.stages[edge.to]) {
            let (a, b) = (root(&mut group, from), root(&mut group, edge.to));
            group[a.max(b)] = a.min(b);
        }
    }
    (0..group.len()).map(|at| root(&mut group, at)).collect()
}

impl FlowShape {
    /// What is shown of a workflow.
    pub(super) fn of(flow: &Workflow, choice: &ShapeChoice) -> Self {
        let words: Vec<String> = choice
            .filter
            .to_lowercase()
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        let group = groups(flow);
        let folded: BTreeSet<usize> = (flow.stages.iter().zip(&group))
            .filter(|(stage, _)| choice.folded.contains(&stage.id))
            .map(|(_, group)| *group)
            .collect();
        let mut shape = Self::default();
        let mut box_of: Vec<Option<usize>> = vec![None; flow.stages.len()];
        let mut box_of_group: HashMap<usize, usize> = HashMap::new();
        for (place, stage) in flow.stages.iter().enumerate() {
            if !matches(stage, &words) {
                shape.left_out += 1;
                continue;
            }
            let own = shape.boxes.len();
            let at = match folded.contains(&group[place]) {
                true => *box_of_group.entry(group[place]).or_insert(own),
                false => own,
            };
            if at == own {
                shape.boxes.push(ShownBox { stages: Vec::new() });
            }
            shape.boxes[at].stages.push(place);
            box_of[place] = Some(at);
        }
        shape.connect(flow, &box_of);
        shape
    }

    /// Edges between boxes, also past stages that are left out.
    fn connect(&mut self, flow: &Workflow, box_of: &[Option<usize>]) {
        let edges = edges_of(flow);
        let mut leaving: Vec<Vec<usize>> = vec![Vec::new(); flow.stages.len()];
        for (at, edge) in edges.iter().enumerate() {
            if let Some(from) = edge.from {
                leaving[from].push(at);
            }
        }
        let mut known: HashMap<(Option<usize>, usize), usize> = HashMap::new();
        for first in &edges {
            let from = match first.from.map(|from| box_of[from]) {
                None => None,
                Some(None) => continue, // reached from where it is shown
                Some(from) => from,
            };
            let mut seen = BTreeSet::from([first.to]);
            let mut open = vec![first.to];
            while let Some(to) = open.pop() {
                let Some(end) = box_of[to] else {
                    let next = leaving[to].iter().map(|at| edges[*at].to);
                    open.extend(next.filter(|to| seen.insert(*to)));
                    continue;
                };
                let folded = self.boxes[end].stages.len() > 1;
                if from == Some(end) && (folded || to != first.to) {
                    continue; // within a group, or round through what is left out
                }
                let at = *known.entry((from, end)).or_insert_with(|| {
                    self.edges.push(ShownEdge {
                        from,
                        to: end,
                        pathways: Vec::new(),
                        label: first.label.to_owned(),
                        past: true,
                    });
                    self.edges.len() - 1
                });
                let pathways = &mut self.edges[at].pathways;
                let new = first.pathway.filter(|n| !pathways.contains(n));
                pathways.extend(new);
                self.edges[at].past &= to != first.to;
            }
        }
    }

    /// The box of a stage.
    pub(super) fn box_of(&self, flow: &Workflow, stage: StageId) -> Option<usize> {
        let has = |b: &ShownBox| b.stages.iter().any(|place| flow.stages[*place].id == stage);
        self.boxes.iter().position(has)
    }

    /// The stage that a box selects.
    pub(super) fn stage_of(&self, flow: &Workflow, at: usize) -> Option<StageId> {
        let first = self.boxes.get(at)?.stages.first()?;
        flow.stages.get(*first).map(|stage| stage.id)
    }

    pub(super) fn has_start(&self) -> bool {
        self.edges.iter().any(|edge| edge.from.is_none())
    }
}

impl ShownBox {
    /// The stage, unless it is a folded group.
    pub(super) fn single<'f>(&self, flow: &'f Workflow) -> Option<&'f Stage> {
        match self.stages.as_slice() {
            [one] => flow.stages.get(*one),
            _ => None,
        }
    }

    /// `▸ Annotate … Review` and `5 stages`.
    pub(super) fn title(&self, flow: &Workflow, columns: usize) -> String {
        if let Some(stage) = self.single(flow) {
            let title = fit(&stage.title, columns.saturating_sub(2));
            return format!("{} {title}", kind_mark(&stage.kind));
        }
        let name = self
            .stages
            .first()
            .map_or("", |at| flow.stages[*at].title.as_str());
        let stages = format!(" +{}", self.stages.len() - 1);
        format!(
            "▸ {}{stages}",
            fit(name, columns.saturating_sub(2 + stages.len()))
        )
    }

    /// The tasks of all its stages: `1,204`, `800…` while they are listed, `–` when unknown.
    pub(super) fn count(&self, flow: &Workflow, state: &State) -> String {
        let (mut sum, mut whole) = (None, true);
        for place in &self.stages {
            match state.count(flow.stages[*place].id) {
                Some((n, listed)) => {
                    sum = Some(sum.unwrap_or(0) + n);
                    whole &= listed;
                }
                None => whole = false,
            }
        }
        match (sum, whole) {
            (None, _) => "–".into(),
            (Some(n), true) => number(n),
            (Some(n), false) => format!("{}…", number(n)),
        }
    }

    /// What is in a folded group, in words.
    pub(super) fn words(&self, flow: &Workflow) -> String {
        let titles: Vec<_> = self
            .stages
            .iter()
            .map(|at| clean(&flow.stages[*at].title))
            .collect();
        format!(
            "{}: {}",
            plural(self.stages.len(), "stage"),
            titles.join(", ")
        )
    }
}

/// Stages of the groups that can be folded: of each the first, when there are others.
pub(super) fn all_groups(flow: &Workflow) -> BTreeSet<StageId> {
    let group = groups(flow);
    let mut sizes: HashMap<usize, usize> = HashMap::new();
    group
        .iter()
        .for_each(|g| *sizes.entry(*g).or_default() += 1);
    let first = sizes
        .into_iter()
        .filter(|(_, n)| *n > 1)
        .map(|(g, _)| flow.stages[g].id);
    first.collect()
}

/// The stages of a stage's group, the first one first.
pub(super) fn group_of(flow: &Workflow, stage: StageId) -> Vec<StageId> {
    let group = groups(flow);
    let Some(at) = flow.stages.iter().position(|s| s.id == stage) else {
        return Vec::new();
    };
    let alike = flow
        .stages
        .iter()
        .zip(&group)
        .filter(|(_, g)| **g == group[at]);
    alike.map(|(stage, _)| stage.id).collect()
}
