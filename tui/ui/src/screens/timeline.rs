//! The events of one stepped task, from fetch to commit, and the sentence about what the next key
//! does. Pure: reads a [`Stepper`], draws nothing.

use crate::actions::Action;
use crate::text::{clean, decimal, duration, limit_word, plural};
use wb_core::pause::{PointAt, PointKind};
use wb_core::state::State;
use wb_core::step::{At, HeldEffect, Stepper};
use wb_core::work::{Committed, Outcome, Route};

mod around;
mod places;

/// The state of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// Done.
    Done,
    /// In progress.
    Now,
    /// Not begun.
    Todo,
    /// Failed.
    Bad,
}

impl Mark {
    /// Its sign.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Done => "✓",
            Self::Now => "▶",
            Self::Todo => "·",
            Self::Bad => "✗",
        }
    }
}

/// What an event is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// The task as listed.
    Task,
    /// One input, by its place in the timings.
    Input(usize),
    /// A part of the agent's call, by its place in the steps.
    Step(usize),
    /// A place that the running agent reached, by its number.
    Place(usize),
    /// The agent's call as a whole.
    Call,
    /// The parameters of the settings.
    Parameters,
    /// Something that the outcome would write.
    Effect(HeldEffect),
    /// Route or error.
    Outcome,
    /// What the outcome was checked against.
    Validation,
    /// What would be written.
    Review,
    /// What was written.
    Commit,
}

/// One line of the timeline.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// Its state.
    pub mark: Mark,
    /// What it is about.
    pub what: What,
    /// Its name.
    pub name: String,
    /// Milliseconds, when measured.
    pub ms: Option<f64>,
    /// A short note.
    pub note: String,
    /// The place where it can pause.
    pub at: Option<PointAt>,
}

impl Row {
    fn new(mark: Mark, what: What, name: impl Into<String>) -> Self {
        Self {
            mark,
            what,
            name: name.into(),
            ms: None,
            note: String::new(),
            at: None,
        }
    }

    fn at(mut self, at: PointAt) -> Self {
        self.at = Some(at);
        self
    }

    fn ms(mut self, ms: f64) -> Self {
        self.ms = Some(ms);
        self
    }

    fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

/// Name of the agent's function, with brackets.
pub fn function(step: &Stepper, state: &State) -> String {
    let build = state.builds.get(step.build);
    let named = state
        .builds
        .binding(step.stage)
        .filter(|b| b.build == step.build);
    let agent = match (build, named) {
        (Some(build), Some(binding)) => build.probed.descriptor.agents.get(binding.agent),
        _ => state.agent(step.stage).map(|(_, _, a)| a),
    };
    agent.map_or_else(
        || "the agent".into(),
        |a| format!("{}()", clean(&a.spec.function)),
    )
}

/// Every event of the task, in order.
pub fn rows(step: &Stepper, state: &State) -> Vec<Row> {
    let mut all = Vec::new();
    around::before(step, state, &mut all);
    call(step, state, &mut all);
    around::after(step, state, &mut all);
    all
}

/// The event that the task is at.
pub fn newest(step: &Stepper, rows: &[Row]) -> usize {
    if step.at == At::Outcome && step.looks_at.is_none() {
        let outcome = rows.iter().rposition(|row| row.what == What::Outcome);
        return outcome.unwrap_or(0);
    }
    rows.iter().rposition(|r| r.mark != Mark::Todo).unwrap_or(0)
}

#[allow(clippy::cast_precision_loss)] // milliseconds for a person
fn call(step: &Stepper, state: &State, all: &mut Vec<Row>) {
    let name = format!("call {}", function(step, state));
    let called = |mark| Row::new(mark, What::Call, name.clone()).at(PointAt::only(PointKind::Call));
    let ms = step.run_us as f64 / 1000.0;
    match (&step.result, step.at) {
        _ if !step.places.is_empty() && step.at >= At::Calling => {
            places::rows(step, state, &name, all);
        }
        (Some(Ok(outcome)), _) => {
            for (i, s) in outcome.steps.iter().enumerate() {
                // Parameters are named `frame: Frame`; the type is shown with the value.
                let short = s.name.split(':').next().unwrap_or_default();
                let name = match s.kind.as_str() {
                    "call" => name.clone(),
                    "checkpoint" => format!("at {}", clean(&s.name)),
                    "dependency" => format!("dep {}", clean(short)),
                    kind => format!("{} {}", clean(kind), clean(&s.name)),
                };
                let row = Row::new(Mark::Done, What::Step(i), name).note(clean(&s.value));
                let ms = (s.took_us > 0).then_some(s.took_us as f64 / 1000.0);
                let at = places::of_step(s);
                all.push(Row { ms, at, ..row });
            }
            if !outcome.steps.iter().any(|s| s.kind == "call") {
                all.push(called(Mark::Done).ms(ms));
            }
        }
        (Some(Err(_)), _) if step.inputs.is_some() => all.push(called(Mark::Bad).ms(ms)),
        (_, At::Calling) if step.waits() => {
            all.push(called(Mark::Now).note("waiting for a host"));
        }
        (_, At::Calling) => {
            all.push(places::running(step, state, called(Mark::Now)));
        }
        _ => all.push(called(Mark::Todo)),
    }
}

/// Where an outcome sends the task.
pub fn route(outcome: &Outcome) -> String {
    match &outcome.way {
        Route::Stay => "stays".into(),
        way => clean(&way.name()).into_owned(),
    }
}

/// What an outcome would change, in short.
pub fn changes(outcome: &Outcome) -> String {
    let (added, changed, removed) = outcome.patch.counts();
    let mut parts = Vec::new();
    if added + changed + removed > 0 {
        parts.push(format!("+{added} ~{changed} -{removed}"));
    }
    if outcome.patch.priority.is_some() {
        parts.push("priority".into());
    }
    if outcome.patch.metadata.is_some() {
        parts.push("metadata".into());
    }
    if !outcome.patch.changes.is_empty() {
        parts.push(plural(outcome.patch.changes.len(), "further change"));
    }
    if parts.is_empty() {
        parts.push(if outcome.way == Route::Stay {
            "changes nothing".into()
        } else {
            "only the move".into()
        });
    }
    parts.join(", ")
}

/// What a kill would end: a call that waits, or one that has run for a while.
fn under_way(step: &Stepper, state: &State, function: &str) -> String {
    if let Some(why) = state.step_waits_for() {
        return format!("takes the call back; {why}");
    }
    #[allow(clippy::cast_precision_loss)] // seconds for a person
    let ran = duration((step.ran_ms(state.now) as f64).max(1.0));
    let limit = limit_word(step.limit_ms);
    if let Some(words) = step.loading.as_ref().and_then(|l| l.words(state.now)) {
        return format!("kills the host; {words}; its limit is `load_timeout`");
    }
    format!("kills the host; {function} has run {ran}, limit {limit}")
}

/// The most useful action, when there is one, and what it does.
pub fn next(step: &Stepper, state: &State) -> (Option<Action>, String) {
    use Action::{Accept, CommitTask, KillJob, NextTask, Rerun, StepOn};
    if let Some(reached) = step.held_at() {
        return (Some(StepOn), places::next(reached));
    }
    if let Some(text) = around::next(step, state) {
        return (Some(StepOn), text);
    }
    let function = function(step, state);
    let build = step.build;
    let active = state.agent(step.stage).map(|(active, _, _)| active);
    let newer = active.filter(|active| *active != build);
    let held = state.held.contains_key(&step.row.id);
    let (action, text) = match (step.at, &step.result, newer) {
        (At::Opened, ..) => (StepOn, "fetches what the agent needs; that only reads"),
        (At::Fetching, ..) => return (None, "the inputs are being fetched".into()),
        (At::Fetched, ..) => {
            let text = format!("calls {function} with these inputs, on build {build}");
            return (Some(StepOn), text);
        }
        (At::Calling, ..) => return (Some(KillJob), under_way(step, state, &function)),
        (_, Some(Err(_)), _) => (
            Rerun,
            "runs it again from the same inputs, {key:WatchOpen} at every build; the task stays",
        ),
        (At::Outcome | At::Review, _, Some(newer)) => {
            let text = format!(
                "runs it again on build {newer}, the active one; this is from build {build}"
            );
            return (Some(Rerun), text);
        }
        (At::Outcome, ..) => (StepOn, "shows what a commit would write"),
        (At::Review, ..) if state.options.read_only => (
            Accept,
            "keeps this for review; DRY-RUN: this process cannot write",
        ),
        (At::Review, ..) if held => (
            NextTask,
            "steps the next task; this one is held: {key:Review} reviews, {key:CommitTask} commits",
        ),
        (At::Review, ..) => (
            CommitTask,
            "commits this task (asks) · {key:Accept} keeps it for review · {key:Discard} discards",
        ),
        (At::Committing, ..) => {
            let text = "writing: labels, then priority and metadata, then the move";
            return (None, text.into());
        }
        (At::Committed, ..) => (NextTask, after_commit(step)),
    };
    (Some(action), text.to_owned())
}

const fn after_commit(step: &Stepper) -> &'static str {
    match &step.committed {
        Some(Committed::Conflict { .. }) => {
            "steps the next task; this one was left as others changed it"
        }
        Some(Committed::Refused(_) | Committed::Partial { .. }) => {
            "steps the next task; this one was refused and stays"
        }
        _ => "steps the next task; this one is done · {key:UndoLast} undoes it",
    }
}

/// What was or was not written of the task: the words of the status line.
pub fn standing(step: &Stepper, state: &State) -> String {
    let mode = crate::chrome::mode(state);
    match (step.at, &step.committed) {
        (At::Calling, _) if step.held_since.is_some() => {
            let pid = step.pid.unwrap_or_default();
            format!("{mode}: process {pid} waits, its time limit stands still, nothing was written")
        }
        (At::Committing, _) => "being written now".into(),
        (At::Committed, Some(Committed::Done)) => "written".into(),
        (At::Committed, Some(Committed::Conflict { by })) => {
            format!("nothing was written: changed by {}", clean(by))
        }
        (At::Committed, Some(Committed::Refused(f))) => format!("refused: {}", clean(&f.summary)),
        (At::Committed, Some(Committed::Partial { error, .. })) => {
            clean(&error.summary).into_owned()
        }
        (At::Committed, _) => "the task had already left the stage".into(),
        _ if state.held.contains_key(&step.row.id) => {
            format!("{mode}: held for review, nothing written")
        }
        _ => format!("{mode}: nothing was written"),
    }
}

/// What a commit of this outcome would send, a line each.
pub fn would_send(outcome: &Outcome, state: &State) -> Vec<String> {
    let mut all = Vec::new();
    if !outcome.patch.labels.is_empty() {
        all.push(format!(
            "save the label row: {}",
            plural(outcome.patch.labels.len(), "change")
        ));
    }
    if let Some((old, new)) = outcome.patch.priority {
        let old = old.map_or_else(|| "unset".into(), decimal);
        all.push(format!("set the priority: {old} → {}", decimal(new)));
    }
    if let Some(metadata) = &outcome.patch.metadata {
        all.push(format!(
            "replace the metadata: {}",
            plural(metadata.len(), "field")
        ));
    }
    for change in &outcome.patch.changes {
        all.push(format!("also write {}", clean(&change.headline())));
    }
    match &outcome.way {
        Route::Stay => {}
        Route::Pathway { name, to, .. } => all.push(format!(
            "move it by \"{}\" to {}",
            clean(name),
            clean(state.stage_title(*to))
        )),
        Route::Stage { title, .. } => {
            all.push(format!("move it to {}, without a pathway", clean(title)));
        }
    }
    if all.is_empty() {
        all.push("nothing: the task stays and changes nothing".into());
    }
    all
}
