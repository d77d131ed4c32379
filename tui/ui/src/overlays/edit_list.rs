//! What of a task can be edited: what its agent is given, or its outcome; one is chosen. Typing a value is left to
//! [`super::edit_value`].

use super::edit_value::edit;
use super::moved;
use crate::Ui;
use crate::actions::{self, Action, Hints, Scope};
use crate::edit_of::EditOf;
use crate::layer::{Handled, Layer};
use crate::screens::timeline;
use crate::text::{clean, fit, left};
use crate::widgets::{centred, hanging, lines, list};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use std::borrow::Cow;
use std::sync::Arc;
use wb_core::command::Command;
use wb_core::ids::TaskId;
use wb_core::patch::{OutcomeEdit, label_text};
use wb_core::state::State;
use wb_core::step::At;

/// Rows that are shown at once.
const ROWS: usize = 16;
/// Rows for the reason of a refused edit.
const REFUSED: u16 = 3;

/// Whose edits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Of what the agent of the open task is given.
    Given,
    /// Of the outcome of a task.
    Outcome(TaskId),
    /// The route of the outcome of a task.
    Route(TaskId),
}

/// The list and its cursor.
pub struct EditList {
    whose: Whose,
    at: usize,
    top: usize,
    /// Made when what they are of has changed, not at every frame: reading a label row takes a while.
    items: Vec<EditItem>,
    made_of: Option<usize>,
}

/// What a row is.
enum EditItemKind {
    Route,
    Value(EditOf),
    /// Through this pathway, by its UUID; `None`: it stays.
    Way(Option<String>),
    /// It cannot be edited, and why.
    Fixed(&'static str),
}

struct EditItem {
    name: String,
    value: String,
    kind: EditItemKind,
}

impl EditList {
    /// What the agent of the open task is given.
    pub fn given(state: &State) -> Self {
        Self::new(Whose::Given, state)
    }

    fn new(whose: Whose, state: &State) -> Self {
        let mut list = Self {
            whose,
            at: 0,
            top: 0,
            items: Vec::new(),
            made_of: None,
        };
        list.follow(state);
        list
    }

    /// What the items are made of, while that is there.
    fn print(&self, state: &State) -> Option<usize> {
        match self.whose {
            Whose::Given => {
                let step = state.step.as_ref().filter(|step| {
                    !matches!(step.at, At::Calling | At::Committing | At::Committed)
                })?;
                step.inputs.as_ref()?;
                Some(Arc::as_ptr(&step.given) as usize)
            }
            Whose::Outcome(task) | Whose::Route(task) => {
                Some(Arc::as_ptr(state.editable(task)?.2) as usize)
            }
        }
    }

    fn follow(&mut self, state: &State) {
        let print = self.print(state);
        if self.made_of != print {
            self.made_of = print;
            self.items = self.make(state);
        }
        self.at = self.at.min(self.items.len().saturating_sub(1));
    }

    /// The outcome of a task, with the cursor on what a row of the timeline is about: `move`, `priority`, …
    pub fn outcome(task: TaskId, about: &str, state: &State) -> Self {
        let mut list = Self::new(Whose::Outcome(task), state);
        let name = match about {
            "labels" => "label",
            "move" => "route",
            about => about,
        };
        let found = list.items.iter().position(|item| item.name.contains(name));
        list.at = found.filter(|_| !name.is_empty()).unwrap_or(0);
        list
    }

    fn make(&self, state: &State) -> Vec<EditItem> {
        let value = |name: &str, of: EditOf| {
            let value = of.value(state)?;
            let value = if value == "null" {
                "–".to_owned()
            } else {
                value
            };
            let (name, kind) = (name.to_owned(), EditItemKind::Value(of));
            Some(EditItem { name, value, kind })
        };
        match self.whose {
            Whose::Given => [
                (state
                    .step
                    .as_ref()
                    .is_some_and(|step| state.takes_parameters(step.stage)))
                .then(|| value("parameters", EditOf::Params))
                .flatten(),
                value("client metadata", EditOf::GivenMetadata),
                value("priority", EditOf::GivenPriority),
            ]
            .into_iter()
            .flatten()
            .collect(),
            Whose::Outcome(task) => outcome_items(task, value, state),
            Whose::Route(task) => route_items(task, state),
        }
    }

    /// Why the newest edit of the outcome was refused.
    fn refused<'s>(&self, state: &'s State) -> Option<Cow<'s, str>> {
        let (task, error) = state.refused_edit.as_ref()?;
        (self.whose == Whose::Outcome(*task)).then(|| clean(&error.summary))
    }

    fn choose_at(&self, ui: &mut Ui, state: &State) -> Handled {
        let Some(item) = self.items.get(self.at) else {
            return Handled::done();
        };
        match (&item.kind, self.whose) {
            (EditItemKind::Value(of), _) => Handled::Stay(edit(of.clone(), ui, state)),
            (EditItemKind::Route, Whose::Outcome(task)) => {
                Handled::Stay(ui.open(Self::new(Whose::Route(task), state)))
            }
            (EditItemKind::Way(way), Whose::Route(task)) => {
                let edit = Box::new(OutcomeEdit::Route(way.clone()));
                Handled::Close(vec![Command::EditOutcome { task, edit }])
            }
            (EditItemKind::Fixed(why), _) => {
                ui.notice = Some((*why).to_owned());
                Handled::done()
            }
            _ => Handled::done(),
        }
    }

    /// Takes a label out of the outcome, or leaves priority or metadata as they are upstream.
    fn take_out(&self, ui: &mut Ui) -> Handled {
        let of = self.items.get(self.at).map(|item| &item.kind);
        let (task, edit) = match of {
            Some(EditItemKind::Value(EditOf::Label(task, hash))) => {
                (*task, OutcomeEdit::RemoveLabel(hash.clone()))
            }
            Some(EditItemKind::Value(EditOf::Priority(task))) => {
                (*task, OutcomeEdit::Priority(None))
            }
            Some(EditItemKind::Value(EditOf::Metadata(task))) => {
                (*task, OutcomeEdit::Metadata(None))
            }
            _ => {
                ui.notice = Some("this cannot be taken out of the outcome".to_owned());
                return Handled::done();
            }
        };
        let edit = Box::new(edit);
        Handled::Stay(vec![Command::EditOutcome { task, edit }])
    }
}

fn outcome_items(
    task: TaskId,
    value: impl Fn(&str, EditOf) -> Option<EditItem>,
    state: &State,
) -> Vec<EditItem> {
    let Some((_, _, outcome)) = state.editable(task) else {
        return Vec::new();
    };
    let mut all = vec![EditItem {
        name: "route".to_owned(),
        value: timeline::route(outcome),
        kind: EditItemKind::Route,
    }];
    all.extend(value("priority", EditOf::Priority(task)));
    all.extend(value("client metadata", EditOf::Metadata(task)));
    let labels = outcome.patch.labels.iter().map(|label| EditItem {
        name: format!("{} label {}", label.sign, label.name),
        value: format!("#{} {}", label.hash, label.text()),
        kind: match label_text::text(label) {
            Some(_) => EditItemKind::Value(EditOf::Label(task, label.hash.clone())),
            None => EditItemKind::Fixed("a label that the outcome removes cannot be edited"),
        },
    });
    all.extend(labels);
    all
}

/// The pathways of the stage of a task, and staying.
fn route_items(task: TaskId, state: &State) -> Vec<EditItem> {
    let stage = state.editable(task).map(|(stage, ..)| stage);
    let project = state.project.as_ref();
    let stage = stage.and_then(|stage| project?.workflow.stage(stage));
    let pathways = stage.map_or(&[][..], |stage| &stage.pathways);
    let mut all: Vec<EditItem> = pathways
        .iter()
        .map(|pathway| EditItem {
            name: pathway.name.clone(),
            value: format!("to {}", state.stage_title(pathway.to)),
            kind: EditItemKind::Way(Some(pathway.id.0.to_string())),
        })
        .collect();
    all.push(EditItem {
        name: "stay".to_owned(),
        value: "the task stays at its stage".to_owned(),
        kind: EditItemKind::Way(None),
    });
    all
}

impl Layer for EditList {
    fn scope(&self) -> Scope {
        Scope::Edit
    }

    fn is_over(&self, state: &State) -> bool {
        self.print(state).is_none()
    }

    fn on(&mut self, action: Action, ui: &mut Ui, state: &State) -> Handled {
        self.follow(state);
        let last = self.items.len().saturating_sub(1);
        match action {
            Action::In => self.choose_at(ui, state),
            Action::TakeOut => self.take_out(ui),
            _ if action.moves() => {
                self.at = moved(self.at, action, ui.page()).min(last);
                Handled::done()
            }
            _ => Handled::No,
        }
    }

    fn on_click(&mut self, row: usize, _: &mut Ui, state: &State) -> bool {
        self.at = row;
        self.follow(state);
        true
    }

    fn lines(&mut self, _: &mut Ui, state: &State) -> Option<Vec<String>> {
        self.follow(state);
        let line = |(place, item): (usize, &EditItem)| {
            let text = format!("{}: {}", clean(&item.name), clean(&item.value));
            crate::linear_text::numbered(place, text)
        };
        let mut all: Vec<String> = self.items.iter().enumerate().map(line).collect();
        all.extend(self.refused(state).map(Cow::into_owned));
        Some(all)
    }

    fn hints(&self, ui: &Ui, state: &State) -> Hints {
        let word = match self.whose {
            Whose::Route(_) => "take it",
            _ => "edit",
        };
        let mut all: Hints = vec![(Action::In, word.into())];
        if matches!(self.whose, Whose::Outcome(_)) {
            all.push((Action::TakeOut, "take out".into()));
        }
        let moves = [Action::Up, Action::Down, Action::Out];
        all.extend(actions::hints(ui, state, &moves));
        all
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        let st = ui.st;
        self.follow(state);
        let title = match self.whose {
            Whose::Given => "Edit what the agent is given, for this step",
            Whose::Outcome(_) => "Edit the outcome",
            Whose::Route(_) => "Edit the route",
        };
        let rows = u16::try_from(self.items.len().min(ROWS)).unwrap_or(0);
        let refused = self.refused(state);
        let below = refused.as_ref().map_or(0, |_| REFUSED);
        let place = centred(area, 84, rows + below + 2);
        let inner = ui.overlay(buf, place, (title, ""));
        let [inner, last] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(below)]).areas(inner);
        if let Some(why) = refused {
            let columns = usize::from(last.width).saturating_sub(3);
            let why = hanging(" ✗ ", st.bad, &why, columns, st.bad);
            lines(buf, last, &why, 0);
        }
        let columns = usize::from(inner.width);
        let (items, count) = (&self.items, self.items.len());
        self.top = list(ui, buf, inner, self.top, (self.at, count), |_, row| {
            let item = &items[row];
            let name = left(&fit(&clean(&item.name), 24), 26);
            Line::from(vec![
                Span::styled(format!(" {name}"), st.key),
                Span::raw(fit(&clean(&item.value), columns.saturating_sub(29))),
            ])
        });
    }
}
