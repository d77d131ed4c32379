//! Where a person is in Flow: drawing or list, what is folded and filtered, how far the drawing is moved.

use super::arranged::Drawn;
use super::shape::{FlowShape, ShapeChoice, all_groups, group_of};
use crate::actions::Action;
use crate::keys::Line as Typed;
use crate::text::{fit, plural};
use crate::theme::Styles;
use crate::widgets::typed_spans;
use crate::{Room, Ui};
use ratatui::text::{Line, Span};
use std::collections::BTreeSet;
use wb_core::command::Command;
use wb_core::ids::StageId;
use wb_core::state::State;
use wb_core::workflow::Workflow;

/// Columns and rows that one key moves the drawing.
const PAN: (u16, u16) = (16, 4);

/// Cursor and scroll of this screen.
#[derive(Default)]
pub struct FlowCursor {
    /// Drawing or list, once the user has chosen.
    pub drawing: Option<bool>,
    /// The drawing of the last frame, kept while nothing it depends on changes.
    pub(super) drawn: Option<Drawn>,
    pub(super) scroll: (u16, u16),
    /// The stage that the scroll follows.
    pub(super) followed: Option<StageId>,
    /// A person moved the drawing since a stage was selected.
    pub(super) panned: bool,
    pub(super) list_top: usize,
    pub activity_back: usize,
    /// The filter while it is typed, and the one that Esc brings back.
    pub(super) typing: Option<(Typed, String)>,
    pub(super) choice: ShapeChoice,
    /// What is shown, of the workflow and choice beside it.
    pub(super) shape: FlowShape,
    shaped: Option<(Workflow, ShapeChoice)>,
}

impl FlowCursor {
    /// Whether the list is shown in this much room.
    pub fn lists(&self, room: Room) -> bool {
        !self.drawing.unwrap_or(!room.narrow())
    }

    /// What is shown of a workflow, made again only when it or the choice has changed.
    pub(super) fn shape_of(&mut self, flow: &Workflow) -> &FlowShape {
        let same = self
            .shaped
            .as_ref()
            .is_some_and(|(of, choice)| of == flow && *choice == self.choice);
        if !same {
            self.shape = FlowShape::of(flow, &self.choice);
            self.shaped = Some((flow.clone(), self.choice.clone()));
        }
        &self.shape
    }

    /// Lays the graph out for this much room, unless that was done already; returns its rows.
    pub(super) fn arrange(&mut self, flow: &Workflow, state: &State, room: (u16, u16)) -> u16 {
        self.shape_of(flow);
        let drawn = Drawn::arranged(self.drawn.take(), flow, &self.shape, state, room);
        let rows = drawn.layout.h;
        self.drawn = Some(drawn);
        rows
    }

    /// What is shown of a workflow, for what only reads.
    pub(super) fn shape_now(&self, flow: &Workflow) -> FlowShape {
        FlowShape::of(flow, &self.choice)
    }

    /// The title of the pane: how many stages match.
    pub(super) fn title(&self, flow: &Workflow) -> String {
        let all = flow.stages.len();
        match self.choice.filter.as_str() {
            "" => "Workflow".to_owned(),
            filter => format!(
                "Workflow · {} of {} match {}",
                all - self.shape.left_out,
                plural(all, "stage"),
                fit(filter, 24)
            ),
        }
    }

    pub fn filter(&self) -> &str {
        &self.choice.filter
    }

    pub(super) fn set_filter(&mut self, text: &str) {
        text.clone_into(&mut self.choice.filter);
    }

    pub(super) fn begin_filter(&mut self) {
        let before = self.choice.filter.clone();
        self.typing = Some((Typed::new(&before), before));
    }

    /// The line being typed, for the last row of the pane.
    pub(super) fn typed_line(&self, st: &Styles) -> Option<Line<'static>> {
        let (line, _) = self.typing.as_ref()?;
        let mut spans = vec![Span::styled(" stages: ", st.accent)];
        spans.extend(typed_spans(line, st.strong));
        Some(Line::from(spans))
    }

    /// The filter follows what is typed.
    pub(super) fn typed(&mut self) {
        if let Some((line, _)) = &self.typing {
            line.text.trim().clone_into(&mut self.choice.filter);
        }
    }

    /// Whether the group of a stage has other stages.
    pub fn can_fold(flow: &Workflow, stage: StageId) -> bool {
        group_of(flow, stage).len() > 1
    }

    /// Whether any stages can be folded.
    pub fn can_fold_any(flow: &Workflow) -> bool {
        !all_groups(flow).is_empty()
    }

    /// Whether a stage is in a box with others.
    pub fn is_folded(&self, stage: Option<StageId>) -> bool {
        let (Some(stage), Some((flow, _))) = (stage, &self.shaped) else {
            return false;
        };
        let at = self.shape.box_of(flow, stage);
        at.is_some_and(|at| self.shape.boxes[at].stages.len() > 1)
    }

    /// A stage of each group that is folded.
    pub const fn folded(&self) -> &BTreeSet<StageId> {
        &self.choice.folded
    }

    /// Folds these groups.
    pub fn fold_these(&mut self, folded: BTreeSet<StageId>) {
        self.choice.folded = folded;
    }

    /// Folds the group of a stage, or unfolds it.
    pub fn fold(&mut self, flow: &Workflow, stage: StageId) {
        let group = group_of(flow, stage);
        let folded = group.iter().any(|one| self.choice.folded.contains(one));
        match (folded, group.first()) {
            (false, Some(first)) => drop(self.choice.folded.insert(*first)),
            _ => self.choice.folded.retain(|one| !group.contains(one)),
        }
    }

    /// Folds all groups, or unfolds them when all are folded.
    pub fn fold_all(&mut self, flow: &Workflow) {
        let all = all_groups(flow);
        self.choice.folded = if self.choice.folded == all {
            BTreeSet::new()
        } else {
            all
        };
    }

    /// Moves the drawing, whatever is selected.
    pub fn pan(&mut self, action: Action) {
        let (x, y) = self.scroll;
        self.panned = true;
        self.scroll = match action {
            Action::PanLeft => (x.saturating_sub(PAN.0), y),
            Action::PanRight => (x.saturating_add(PAN.0), y),
            Action::PanUp => (x, y.saturating_sub(PAN.1)),
            _ => (x, y.saturating_add(PAN.1)),
        };
    }
}

impl Ui {
    /// A stage of each group that Flow shows as one box.
    #[must_use]
    pub const fn folded_stages(&self) -> &BTreeSet<StageId> {
        self.flow.folded()
    }

    /// Begins to type the filter of Flow; a search where another pane than the workflow has the focus.
    pub(crate) fn filter_stages(&mut self, state: &State) -> Vec<Command> {
        if !self.filters_stages() {
            return self.dispatch(Action::Search, state);
        }
        self.flow.begin_filter();
        Vec::new()
    }

    /// Shows these groups of stages as one box each.
    pub fn fold_stages(&mut self, folded: BTreeSet<StageId>) {
        self.flow.fold_these(folded);
    }
}
