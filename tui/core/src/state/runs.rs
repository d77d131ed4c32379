//! Starting, steering and following the newest run.

use super::*;

impl State {
    pub(super) fn start_run(&mut self, mut spec: RunSpec) -> Vec<Effect> {
        if self.run.as_ref().is_some_and(|r| !r.is_over()) {
            self.warn(
                Kind::Run,
                "a run is under way; cancel it first (X on the Run screen)",
                None,
            );
            return Vec::new();
        }
        if self.options.screen {
            spec.sink = if self.live { Sink::Commit } else { Sink::Hold };
        }
        if let Source::Stages(stages) = &mut spec.source
            && stages.is_empty()
        {
            *stages = self.builds.order();
        }
        spec.batch_size = spec.batch_size.max(1);
        spec.timeout_ms = spec.timeout_ms.or(self.options.timeout_ms);
        self.runs += 1;
        let concurrency = spec.concurrency.max(1);
        let run = Run::new(self.runs, spec, self.now);
        self.say(
            Kind::Run,
            format!(
                "run {} began{}",
                self.runs,
                if self.live {
                    ""
                } else {
                    " (every write is held)"
                }
            ),
        );
        self.run = Some(run);
        self.log = Log::default();
        let mut effects = vec![Effect::Concurrency(concurrency)];
        effects.extend(self.advance_run());
        effects
    }

    pub(super) fn concurrency(&mut self, delta: i32) -> Vec<Effect> {
        let Some(run) = self.run.as_mut().filter(|r| !r.is_over()) else {
            return Vec::new();
        };
        let wanted = i64::try_from(run.spec.concurrency).unwrap_or(1) + i64::from(delta);
        run.spec.concurrency = usize::try_from(wanted.clamp(1, 64)).unwrap_or(1);
        let mut effects = vec![Effect::Concurrency(run.spec.concurrency)];
        effects.extend(self.advance_run());
        effects
    }

    pub(super) fn advance_run(&mut self) -> Vec<Effect> {
        let (Some(run), Some(project)) = (&mut self.run, &self.project) else {
            return Vec::new();
        };
        let builds = &self.builds;
        let agent = |stage| {
            let binding = builds.binding(stage)?;
            let (build, agent) = builds.agent(stage)?;
            Some((build.id, binding.agent, agent.clone()))
        };
        let mut around = Around {
            now: self.now,
            project,
            agent: &agent,
            next_job: &mut self.jobs,
        };
        let mut effects = run.advance(&mut around);
        let mut at = 0;
        while at < effects.len() {
            match &effects[at] {
                Effect::Record(report) => {
                    let report = report.clone();
                    self.recorded(&report);
                }
                Effect::RunOver => self.run_over(),
                _ => {}
            }
            at += 1;
        }
        if self.options.screen {
            effects.retain(|e| !matches!(e, Effect::Record(_) | Effect::RunOver));
        }
        effects
    }

    /// A task of the run is final: the queue, the results and the held outcomes follow.
    pub(super) fn recorded(&mut self, report: &Report) {
        if !self.options.screen {
            return;
        }
        let result = match (&report.ending, &report.outcome) {
            (Ending::Failed(fault), _) => Err(fault.clone()),
            (Ending::Conflict(by), _) => {
                Err(Fault::new(FaultKind::Upstream, format!("conflict: {by}")))
            }
            (_, Some(outcome)) => Ok(outcome.clone()),
            _ => return,
        };
        let last = last_result(report.build, &result, report.run_us, self.now);
        self.results.insert(report.row.id, last);
        let sink = self.run.as_ref().map(|r| r.spec.sink);
        match (sink, result, &report.inputs) {
            (Some(Sink::Hold), Ok(outcome), Some(inputs)) => {
                let held = Held {
                    stage: report.stage,
                    inputs: inputs.clone(),
                    outcome,
                    build: report.build,
                    taken: true,
                    at: self.now,
                };
                self.held.insert(report.row.id, held);
            }
            (Some(Sink::Commit), Ok(outcome), _) => {
                if let Way::Pathway { to, .. } = outcome.way {
                    self.gone(report.stage, &HashSet::from([report.row.id]), Some(to));
                }
            }
            _ => {}
        }
    }

    pub(super) fn run_over(&mut self) {
        let Some(run) = &self.run else { return };
        let t = &run.totals;
        let mut text = format!("run {} ended: {} tasks", run.id, t.tasks);
        for (route, n) in &t.routes {
            text.push_str(&format!(" · {n} {route}"));
        }
        if t.failed > 0 {
            text.push_str(&format!(
                " · {} failed in {} groups",
                t.failed,
                t.groups.len()
            ));
        }
        let bad = t.failed > 0 || run.fatal.is_some();
        let fatal = run.fatal.clone();
        self.note(Kind::Run, bad, text, None);
        if let Some(fault) = fatal {
            self.complain(&fault);
        }
    }
}
