//! Committing what was held, and what follows from the answers.

use super::*;

impl State {
    /// Whether this project may be written to from here; else why not.
    pub(super) fn may_write(&self) -> Result<(), String> {
        if self.options.read_only {
            return Err("dry run: start without --dry-run and --read-only to write".into());
        }
        let title = self.project.as_ref().map_or("", |p| p.title.as_str());
        let typed = self.typed_title.as_deref().map(str::trim);
        if self.needs_title() && typed != Some(title.trim()) {
            return Err(format!(
                "project \"{title}\" is protected: nothing is written unless its title is typed"
            ));
        }
        Ok(())
    }

    /// Whether a run writes each batch as it finishes.
    #[must_use]
    pub fn writes_at_once(&self) -> bool {
        self.live && !self.options.read_only
    }

    /// Whether a write must be confirmed by typing the project's title.
    #[must_use]
    pub fn needs_title(&self) -> bool {
        let title = self.project.as_ref().map(|p| p.title.as_str());
        let named = self.options.confirm.as_deref();
        self.options.level == Some(Level::Protected) && (named.is_none() || named != title)
    }

    pub(super) fn commit_held(&mut self, tasks: &[TaskId], overwrite: bool) -> Vec<Effect> {
        if let Err(why) = self.may_write() {
            self.warn(Kind::Error, why, None);
            return Vec::new();
        }
        self.hold_open_task(tasks);
        let mut by_stage: BTreeMap<StageId, Vec<crate::work::Change>> = BTreeMap::new();
        let mut asked = 0;
        let mut empty = Vec::new();
        for task in tasks {
            let Some(held) = self.held.get(task) else {
                continue;
            };
            match item(&held.outcome, &held.inputs, held.stage) {
                Some(item) => {
                    asked += 1;
                    by_stage.entry(held.stage).or_default().push(item);
                }
                None => empty.push(*task),
            }
        }
        for task in &empty {
            self.held.remove(task);
        }
        if let Some(step) = self.step.as_mut().filter(|s| tasks.contains(&s.row.id)) {
            if empty.contains(&step.row.id) {
                step.at = At::Committed;
                step.committed = Some(Committed::Done);
            } else {
                step.at = At::Committing;
            }
        }
        self.commit = Some(CommitState {
            asked,
            ..CommitState::default()
        });
        let mut effects = Vec::new();
        // One operation for one commit, however many stages it concerns.
        let words = shell::commit(self, tasks, overwrite);
        let operation = self.new_operation("commit", words, None);
        for (_, items) in by_stage {
            let batch = BatchId::next(BatchOwner::Commit, &mut self.batches);
            self.commits
                .insert(batch, items.iter().map(|i| i.task).collect());
            let under = Some(operation.clone());
            effects.extend(self.begin_commit(batch, items, overwrite, under));
        }
        if !effects.is_empty() {
            self.open_operations.push(operation);
        }
        if effects.is_empty() {
            self.info(
                Kind::Commit,
                "nothing to write: these tasks stay and change nothing",
            );
        }
        effects
    }

    /// Committing the open task holds its outcome first, so that there is one way to write.
    pub(super) fn hold_open_task(&mut self, tasks: &[TaskId]) {
        if self
            .step
            .as_ref()
            .is_some_and(|s| tasks.contains(&s.row.id) && s.can_commit())
        {
            self.accept();
            self.activity.pop_back();
        }
    }

    pub(super) fn committed(
        &mut self,
        batch: BatchId,
        results: &[(TaskId, Committed)],
        operation: Option<OperationId>,
    ) -> Vec<Effect> {
        match self.commits.remove(&batch) {
            Some(tasks) => {
                self.figure_commits(results, operation);
                self.held_committed(tasks.len(), results)
            }
            None => self.run_committed(batch, results, operation),
        }
    }

    /// A batch of the run was committed.
    fn run_committed(
        &mut self,
        batch: BatchId,
        results: &[(TaskId, Committed)],
        operation: Option<OperationId>,
    ) -> Vec<Effect> {
        let written = results
            .iter()
            .filter(|(_, result)| *result == Committed::Done);
        if let Some(stage) = self.run.as_ref().and_then(Run::stage) {
            self.figure_commit(stage, operation, written.count());
        }
        let run = self.run.as_mut();
        let mut effects = run.map_or_else(Vec::new, |run| run.committed(batch, results));
        for effect in &effects {
            if let Effect::Record(report) = effect {
                self.recorded(report);
            }
        }
        if self.options.screen {
            effects.clear();
            effects.extend(self.look_at_conflicts());
        }
        effects.extend(self.advance_run());
        effects
    }

    /// Held outcomes of one stage were committed.
    fn held_committed(&mut self, tasks: usize, results: &[(TaskId, Committed)]) -> Vec<Effect> {
        let mut moved: BTreeMap<(StageId, Option<StageId>), HashSet<TaskId>> = BTreeMap::new();
        for (task, result) in results {
            let Some(held) = self.held.get(task) else {
                continue;
            };
            let title = held.inputs.row.title.to_string();
            let to = held.outcome.way.to();
            let from = held.stage;
            let commit = self.commit.get_or_insert_default();
            commit.answered += 1;
            match result {
                Committed::Done => {
                    commit.done += 1;
                    if to.is_some() {
                        moved.entry((from, to)).or_default().insert(*task);
                    }
                }
                Committed::AlreadyMoved => {
                    commit
                        .conflicts
                        .push((title, "had already left the stage".into()));
                    moved.entry((from, None)).or_default().insert(*task);
                }
                Committed::Conflict { by } => {
                    commit.conflicts.push((title, by.clone()));
                    let (held, by) = (held.clone(), by.clone());
                    self.held.remove(task);
                    self.in_conflict(*task, held, by);
                }
                other => (commit.refused).extend(other.error().map(|f| (title, f.clone()))),
            }
            if matches!(result, Committed::Done | Committed::AlreadyMoved) {
                self.held.remove(task);
                self.mended(*task);
            }
            if let Some(step) = self.step.as_mut().filter(|s| s.row.id == *task) {
                step.at = At::Committed;
                step.committed = Some(result.clone());
            }
        }
        for ((from, to), tasks) in moved {
            self.gone(from, &tasks, to);
        }
        self.report_commit(tasks);
        let mut effects = self.look_at_conflicts();
        if self.commits.is_empty() {
            let over = std::mem::take(&mut self.open_operations);
            effects.extend(
                over.iter()
                    .map(|operation| Effect::CloseOperation(operation.id)),
            );
        }
        effects
    }

    pub(super) fn report_commit(&mut self, tasks: usize) {
        if !self.commits.is_empty() {
            return;
        }
        let now = self.now;
        let Some(commit) = &mut self.commit else {
            return;
        };
        commit.ended = Some(now);
        let mut text = format!("{} of {} committed", commit.done, commit.asked.max(tasks));
        let bad = !commit.conflicts.is_empty() || !commit.refused.is_empty();
        if !commit.conflicts.is_empty() {
            text.push_str(&format!(
                " · {} left: changed by somebody else (! answers)",
                commit.conflicts.len()
            ));
        }
        if let Some((title, error)) = commit.refused.first() {
            text.push_str(&format!(
                " · {} refused, first {title}: {}",
                commit.refused.len(),
                error.summary
            ));
        }
        self.note(Kind::Commit, bad, text, None);
    }

    /// Tasks left a stage: its queue is updated, and the one they went to is listed again soon.
    pub(super) fn gone(&mut self, from: StageId, tasks: &HashSet<TaskId>, to: Option<StageId>) {
        if let Some(queue) = self.queues.get_mut(&from) {
            queue.remove(tasks, self.now, &self.results);
        }
        if let Some(queue) = to.and_then(|to| self.queues.get_mut(&to)) {
            // The arrivals have new ids upstream.
            queue.stale = true;
        }
    }
}
