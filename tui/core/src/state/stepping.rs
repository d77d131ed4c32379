//! Stepping one task; the steps themselves are described in [`crate::step`].

use super::*;

impl State {
    pub(super) fn open(&mut self, stage: StageId, task: TaskId) -> Vec<Effect> {
        let row = self.queues.get(&stage).and_then(|q| q.task(task)).cloned();
        let Some(row) = row else {
            self.warn(
                Kind::Error,
                "that task is no longer in the queue ({key:Refresh} lists it again)",
                None,
            );
            return Vec::new();
        };
        if self.agent_coming(stage) {
            self.queue_step(stage, task, &row.title);
            return Vec::new();
        }
        let mut effects = self.leave_step();
        let Some((build, _, _)) = self.agent(stage) else {
            self.warn(Kind::Error, format!("no agent for stage \"{}\" in any loaded library; export one with #[stage(\"{}\")]", self.stage_title(stage), self.stage_title(stage)), None);
            return effects;
        };
        self.queued_step = None;
        self.steps += 1;
        self.step = Some(Stepper::new(self.steps, stage, row, build, self.now));
        effects.extend(self.step_on());
        effects
    }

    /// The next step of the open task.
    pub(super) fn step_on(&mut self) -> Vec<Effect> {
        let Some(step) = self.step.as_ref() else {
            return Vec::new();
        };
        match step.at {
            At::Opened => self.step_fetch(),
            At::Fetched => self.look_on_before(),
            At::Outcome => {
                self.look_on_after();
                Vec::new()
            }
            At::Calling => self.go_on(Until::Next, None),
            At::Fetching | At::Review | At::Committing | At::Committed => Vec::new(),
        }
    }

    pub(super) fn step_fetch(&mut self) -> Vec<Effect> {
        let Some(step) = self.step.as_ref() else {
            return Vec::new();
        };
        let (stage, row) = (step.stage, step.row.clone());
        let Some((build, _, agent)) = self.agent(stage) else {
            return Vec::new();
        };
        let fetch = FetchSpec::of(agent);
        let batch = BatchId::next(BatchOwner::Step, &mut self.batches);
        if let Some(step) = &mut self.step {
            step.at = At::Fetching;
            step.build = build;
            step.fetched_for = Some(fetch.clone());
            self.fetches.insert(batch, step.id);
        }
        vec![Effect::Fetch {
            batch,
            stage,
            rows: vec![row],
            fetch,
        }]
    }

    pub(super) fn step_call(&mut self) -> Vec<Effect> {
        let Some(step) = self.step.as_ref() else {
            return Vec::new();
        };
        let (stage, Some(inputs)) = (step.stage, step.inputs.clone()) else {
            return Vec::new();
        };
        if step.job.is_some() {
            return self.launch_paused();
        }
        let given = Arc::clone(&step.given);
        let Some((build, agent, descriptor)) = self.agent(stage) else {
            self.warn(Kind::Error, "no agent for this stage any more", None);
            return Vec::new();
        };
        if step.fetched_for.as_ref() != Some(&FetchSpec::of(descriptor)) {
            if let Some(step) = &mut self.step {
                step.to_end = true;
            }
            return self.step_fetch();
        }
        let deadline_ms = self.limit_of(descriptor);
        self.jobs += 1;
        let job = JobId(self.jobs);
        let now = self.now;
        let Some(step) = &mut self.step else {
            return Vec::new();
        };
        step.at = At::Calling;
        step.build = build;
        step.job = Some(job);
        step.since = now;
        step.attempts += 1;
        step.progress = None;
        step.limit_ms = deadline_ms;
        // The process of the attempt before is not this one's.
        (step.pid, step.loading) = (None, None);
        step.begin_attempt();
        let attempt = step.attempts;
        if !step.log.lines.is_empty() {
            step.name_attempt(); // also where it writes nothing
        }
        vec![Effect::Launch(Launch {
            job,
            build,
            agent,
            attempt,
            stage,
            inputs,
            deadline_ms,
            priority: Priority::Person,
            pauses: true,
            given,
        })]
    }

    pub(super) fn rerun(&mut self) -> Vec<Effect> {
        if (self.step.as_ref()).is_some_and(|s| s.at == At::Fetched && s.job.is_some()) {
            return self.step_until(Until::End); // its one attempt has not begun
        }
        let mut effects = self.let_run_go_on().unwrap_or_default();
        let Some(step) = &mut self.step else {
            return effects;
        };
        if matches!(step.at, At::Fetching | At::Calling | At::Committing) {
            return effects;
        }
        if step.at == At::Committed {
            self.warn(
                Kind::Error,
                "this task was committed; step another one",
                None,
            );
            return Vec::new();
        }
        if let Some(result) = step.result.take() {
            let (text, labels) = short(&result);
            step.remember(&text, labels);
            step.earlier = Some((step.build, text, labels));
        }
        (step.to_end, step.until) = (true, Until::End);
        step.at = if step.inputs.is_some() {
            At::Fetched
        } else {
            At::Opened
        };
        effects.extend(self.step_on());
        effects
    }

    pub(super) fn discard(&mut self) -> Vec<Effect> {
        let job = self.step.as_ref().and_then(|s| s.job);
        let parked = self.discard_parked();
        if let Some(step) = self.step.take() {
            self.held.remove(&step.row.id);
            if step.at < At::Committing {
                self.info(
                    Kind::Task,
                    format!(
                        "{}: outcome thrown away; nothing was written",
                        step.row.title
                    ),
                );
            }
        }
        parked.unwrap_or_else(|| job.map(Effect::Kill).into_iter().collect())
    }

    pub(super) fn accept(&mut self) -> Vec<Effect> {
        let Some(step) = self.step.as_ref().filter(|s| s.can_commit()) else {
            return Vec::new();
        };
        let (Some(Ok(outcome)), Some(inputs)) = (&step.result, &step.inputs) else {
            return Vec::new();
        };
        let held = Held {
            stage: step.stage,
            inputs: inputs.clone(),
            outcome: outcome.clone(),
            build: step.build,
            taken: true,
            at: self.now,
        };
        let (title, task) = (step.row.title.clone(), step.row.id);
        self.held.insert(task, held);
        self.conflicts.remove(&task);
        self.mended(task);
        self.info(
            Kind::Task,
            format!("{title}: held for review ({{key:Review}})"),
        );
        Vec::new()
    }

    pub(super) fn prefetched(
        &mut self,
        batch: BatchId,
        mut results: Vec<Result<Arc<Inputs>, Error>>,
    ) -> Vec<Effect> {
        let Some(id) = self.fetches.remove(&batch) else {
            if let Some(effects) = self.watch_fetched(batch, &results) {
                return effects;
            }
            if let Some(effects) = self.compare_fetched(batch, &results) {
                return effects;
            }
            if let Some(run) = &mut self.run {
                run.prefetched(batch, results);
            }
            return self.advance_run();
        };
        let Some(step) = self
            .step
            .as_mut()
            .filter(|s| s.id == id && s.at == At::Fetching)
        else {
            return Vec::new();
        };
        match results.pop() {
            Some(Ok(inputs)) => {
                step.inputs = Some(inputs);
                step.at = At::Fetched;
                step.looks_at = None;
                self.look_on_before()
            }
            Some(Err(error)) => {
                step.result = Some(Err(error.clone()));
                step.at = At::Outcome;
                step.to_end = false;
                self.complain(&error);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    pub(super) fn job(&mut self, news: JobEvent) -> Vec<Effect> {
        match news {
            JobEvent::Started { job, pid } => {
                self.job_in_host(job, Some(pid));
                Vec::new()
            }
            JobEvent::Waits { job } => {
                self.job_in_host(job, None);
                Vec::new()
            }
            JobEvent::Loading { job, name } => {
                self.job_loading(job, name);
                Vec::new()
            }
            JobEvent::Paused { job, place } => self.job_paused(job, *place),
            JobEvent::Log {
                job,
                level,
                target,
                text,
            } => {
                let line = LogLine {
                    at: self.now,
                    level,
                    target,
                    text,
                };
                let stepped = self.step.as_mut().filter(|s| job.is_some() && s.job == job);
                if let Some(step) = stepped {
                    step.name_attempt();
                    step.log.push(line);
                } else if let Some(running) = job.and_then(|job| self.watch.job_mut(job)) {
                    running.log.push(line);
                } else if !job.is_some_and(|job| self.compares(job)) {
                    let run = self.run.as_ref().zip(job);
                    if let Some((run, job)) = run.filter(|(run, job)| run.has(*job)) {
                        let name = || run.name_of(job).unwrap_or_default();
                        self.log.belongs_to(job, name);
                    }
                    self.log.push(line);
                }
                Vec::new()
            }
            JobEvent::Progress { job, fraction } => {
                if let Some(step) = self.step.as_mut().filter(|s| s.job == Some(job)) {
                    step.progress = Some(fraction);
                }
                Vec::new()
            }
            done @ JobEvent::Done { .. } => {
                let now = self.wait_for_names(done);
                now.unwrap_or_else(|done| self.job_done(done))
            }
        }
    }

    /// An attempt is over.
    pub(super) fn job_done(&mut self, news: JobEvent) -> Vec<Effect> {
        let JobEvent::Done {
            job,
            mut result,
            crashed,
            run_us,
        } = news
        else {
            return Vec::new();
        };
        self.warn_of_unread(job, &result);
        if (self.step.as_ref()).is_some_and(|step| step.job == Some(job)) {
            self.note_edits(&mut result);
        }
        if let Some(step) = self.step.as_mut().filter(|s| s.job == Some(job)) {
            if !std::mem::take(&mut step.of_run) {
                self.step_done(result, run_us);
                return Vec::new();
            }
            self.step_done(result.clone(), run_us);
            return self.stepped_ended(job, result, crashed, run_us);
        }
        if let Some(effects) = self.watch_done(job, &result, run_us) {
            return effects;
        }
        if let Some(effects) = self.compare_done(job, &result, run_us) {
            return effects;
        }
        self.run_ended(job, result, crashed, run_us)
    }

    pub(super) fn step_done(&mut self, result: Result<Arc<Outcome>, Error>, run_us: u64) {
        let now = self.now;
        let Some(step) = &mut self.step else { return };
        step.job = None;
        (step.loading, step.held_since) = (None, None);
        step.at = At::Outcome;
        step.looks_at = (step.until == Until::Next && !step.to_end).then_some(0);
        step.to_end = false;
        step.run_us = run_us;
        let (text, labels) = short(&result);
        let last = last_result(step.build, &result, run_us, now);
        let line = format!(
            "{}: {text}  labels +{} ~{} -{}  on build {}",
            step.row.title, labels.0, labels.1, labels.2, step.build
        );
        let failed = result.is_err();
        let error = result.as_ref().err().cloned();
        step.result = Some(result);
        let (task, stage, row) = (step.row.id, step.stage, step.row.clone());
        let outcome = step.result.as_ref().and_then(|r| r.as_ref().ok()).cloned();
        self.keep_result(0, stage, &row, &last, outcome);
        self.results.insert(task, last);
        match error {
            Some(error) => self.complain(&error),
            None => self.note(Kind::Task, failed, line, None),
        }
        if self.step.as_ref().is_some_and(|s| s.until == Until::End) {
            self.stop_after(0);
        }
    }
}
