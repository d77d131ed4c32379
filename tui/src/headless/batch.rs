//! Tasks that a queue gives, worked on together: looked at where they are now, run, and committed by the engine. Where
//! they come from and where the results go is left to `exec` and `worker`.

mod again;

use super::specs::{Answer, Line};
use crate::exit::Ending;
use crate::print;
use crate::signals::{FINISHING, Signals};
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use wb_core::command::Command;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{Effect, Event};
use wb_core::ids::{DataHash, StageId, TaskId};
use wb_core::run::{RunSpec, Sink, Source};
use wb_core::work::TaskRow;
use wb_engine::config::Config;
use wb_engine::flags::Flags;
use wb_engine::journal::Operation;
use wb_engine::max_time::{Due, MaxTime};
use wb_engine::preflight::Checked;
use wb_engine::runtime::{Engine, now};
use wb_engine::session::{self, Need};

/// How the tasks are run.
pub(super) struct TaskBatchOptions<'a> {
    /// The command, as the journal names it.
    pub kind: &'static str,
    /// The stage, by name or UUID; `None`: the only one that has an agent.
    pub stage: Option<&'a str>,
    /// What is run and how, but for the tasks.
    pub spec: RunSpec,
    /// Requests a second.
    pub rate: Option<f64>,
    /// What happens to labels that stand there already.
    pub on_duplicate: wb_core::run::OnDuplicate,
    /// When it stops.
    pub limit: MaxTime,
    /// How long what runs at the first signal may go on; `None`: until it has ended.
    pub grace: Option<Duration>,
}

/// An engine that works on the tasks of one stage.
pub(super) struct TaskBatch {
    pub engine: Engine,
    pub stage: StageId,
    pub spec: RunSpec,
    checked: Checked,
    pub signals: Signals,
    pub limit: MaxTime,
    grace: Option<Duration>,
    /// Its time was over before everything had ended.
    pub given_up: bool,
    /// Nothing more is begun.
    pub stopped: bool,
    /// Tasks of interrupted commands that stay where they are and are written, with no answer given yet.
    stayed: HashSet<TaskId>,
}

/// What came of some lines.
pub(super) struct Worked {
    /// The answer for each task that could be read.
    pub answers: HashMap<TaskId, Answer>,
    /// What ended the work on them early.
    pub fatal: Option<Error>,
    /// Tasks whose answer is that error.
    pub unanswered: HashSet<TaskId>,
}

impl TaskBatch {
    /// Starts an engine with its libraries.
    pub async fn prepare(
        flags: &Flags,
        config: &Config,
        options: TaskBatchOptions<'_>,
    ) -> Result<Self, Error> {
        let named: Vec<String> = options.stage.map(str::to_owned).into_iter().collect();
        let need = Need {
            operation: Operation {
                kind: options.kind,
                ..Operation::default()
            },
            rate: options.rate,
            timeout_ms: options.spec.timeout_ms,
            concurrency: options.spec.concurrency,
            stages: &named,
            drains: false,
            on_duplicate: options.on_duplicate,
        };
        let (engine, stages) = session::engine(flags, config, &need, print::notify).await?;
        let stage = match (stages.as_slice(), options.stage) {
            ([stage, ..], Some(_)) | ([stage], None) => *stage,
            ([], Some(name)) => {
                let text = format!("no agent is for stage \"{name}\"");
                return Err(Error::new(ErrorKind::Settings, text));
            }
            (several, None) => {
                let titles = several.iter().map(|s| engine.state().stage_title(*s));
                let titles: Vec<&str> = titles.collect();
                let text = format!(
                    "{} stages have an agent: {}",
                    several.len(),
                    titles.join(", ")
                );
                return Err(Error::new(ErrorKind::Settings, text).hint("choose one: --stage NAME"));
            }
        };
        let sink = if engine.state().options.dry_run {
            Sink::Report
        } else {
            Sink::Commit
        };
        let stayed = again::go_on(&engine, options.kind)?;
        Ok(Self {
            stayed,
            checked: Checked::new(engine.state(), &[stage], &config.params),
            engine,
            stage,
            spec: RunSpec {
                sink,
                ..options.spec
            },
            signals: Signals::new()?,
            limit: options.limit,
            grace: options.grace,
            given_up: false,
            stopped: false,
        })
    }

    /// Ends the engine, and prints what the agents printed last.
    pub async fn end(&mut self) {
        if let (Some(journal), false) = (self.engine.journal(), self.given_up) {
            journal.close(now().0);
        }
        self.limit.shut_down(&mut self.engine).await;
        for line in self.engine.agent_output() {
            notice!("{line}");
        }
    }

    /// Works on some lines together. `again` are tasks that were given before: one that has left the stage since was done then.
    pub async fn group(
        &mut self,
        group: &[Line],
        again: &HashSet<TaskId>,
        ending: &mut Ending,
    ) -> Worked {
        let wanted: Vec<(TaskId, DataHash)> = group
            .iter()
            .flat_map(|l| &l.entries)
            .filter(|e| e.error.is_none())
            .map(|e| (e.task, e.data))
            .collect();
        let limit = self.limit;
        let rows = match limit.unless_over(self.ready(&wanted)).await {
            Some(Ok(rows)) => rows,
            None => {
                ending.stopped();
                self.stopped = true;
                return Worked::all(&wanted, &Answer::not_run(), None);
            }
            Some(Err(error)) => {
                return Worked::all(&wanted, &Answer::failed(&error), Some(error));
            }
        };
        let done = match self.done_before(&wanted) {
            Ok(done) => done,
            Err(error) => {
                self.stopped = true;
                return Worked::all(&wanted, &Answer::failed(&error), Some(error));
            }
        };
        let (run, answers) = self.sort(&wanted, &rows, &done, again);
        let mut worked = Worked {
            answers,
            fatal: None,
            unanswered: HashSet::new(),
        };
        if !run.is_empty() {
            self.run(run, &mut worked, ending).await;
        }
        worked
    }

    pub fn stage_title(&self) -> &str {
        self.engine.state().stage_title(self.stage)
    }

    /// The tasks, once the active agent was compared with the project.
    async fn ready(&mut self, wanted: &[(TaskId, DataHash)]) -> Result<Vec<TaskRow>, Error> {
        if self.engine.state().agent(self.stage).is_none() {
            let text = format!(
                "no agent is for stage \"{}\" any more: its library is gone; the task is where it was",
                self.stage_title()
            );
            return Err(Error::new(ErrorKind::Settings, text));
        }
        let (checked, engine) = (&mut self.checked, &mut self.engine);
        checked.renew(engine, &[self.stage]).await?;
        self.finish_earlier().await;
        self.look(wanted).await
    }

    /// The tasks as they are at the stage now.
    async fn look(&self, wanted: &[(TaskId, DataHash)]) -> Result<Vec<TaskRow>, Error> {
        let Some(project) = &self.engine.state().project else {
            return Ok(Vec::new());
        };
        let Some(stage) = project.workflow.stage(self.stage) else {
            return Ok(Vec::new());
        };
        let mut data: Vec<DataHash> = wanted.iter().map(|(_, data)| *data).collect();
        data.sort_unstable();
        data.dedup();
        Ok(self
            .engine
            .reader()
            .tasks_of(project.hash, stage, &data)
            .await?)
    }

    async fn run(&mut self, rows: Vec<TaskRow>, worked: &mut Worked, ending: &mut Ending) {
        let ids: Vec<TaskId> = rows.iter().map(|r| r.id).collect();
        let spec = RunSpec {
            source: Source::Tasks(self.stage, rows),
            ..self.spec.clone()
        };
        let mut effects = self.engine.feed(Event::Input(Command::Run(Box::new(spec))));
        'run: loop {
            for line in self.engine.agent_output() {
                notice!("{line}");
            }
            for effect in std::mem::take(&mut effects) {
                match effect {
                    Effect::Record(report) => {
                        let answer = Answer::of(&report);
                        worked.answers.insert(report.row.id, answer);
                    }
                    Effect::RunOver => break 'run,
                    _ => {}
                }
            }
            tokio::select! {
                more = self.engine.turn() => effects = more,
                due = self.limit.due() => {
                    if !self.stopped {
                        ending.stopped();
                    }
                    self.stopped = true;
                    match due {
                        Due::Command(command) => effects = self.engine.feed(Event::Input(command)),
                        Due::GiveUp => {
                            self.given_up = true;
                            break 'run;
                        }
                    }
                }
                signal = self.signals.next() => {
                    if self.stopped {
                        // Writes may be on their way.
                        ending.signal(signal);
                        self.given_up = true;
                        break 'run;
                    }
                    notice!("{FINISHING}");
                    self.asked(signal, ending);
                    effects = self.engine.feed(Event::Input(Command::CancelRun));
                }
            }
        }
        self.without_answer(&ids, worked);
    }

    /// A signal: nothing more is begun. With a grace, being terminated is a good end.
    pub fn asked(&mut self, signal: u8, ending: &mut Ending) {
        self.stopped = true;
        match self.grace {
            Some(grace) => {
                self.limit = MaxTime::new(Some(grace));
                if signal != 15 {
                    ending.signal(signal);
                }
            }
            None => ending.signal(signal),
        }
    }

    /// Answers for tasks that have none when a run is over, and what ended it early.
    fn without_answer(&mut self, ids: &[TaskId], worked: &mut Worked) {
        let run = self.engine.state().run.as_ref();
        worked.fatal = run.and_then(|r| r.fatal.clone());
        let left = worked.fatal.as_ref();
        let left = left.map_or_else(Answer::not_run, Answer::failed);
        for id in ids {
            if !worked.answers.contains_key(id) {
                worked.answers.insert(*id, left.clone());
                worked.unanswered.insert(*id);
            }
        }
        // Without a journal nothing more may be written.
        let settings = |error: &Error| error.kind == ErrorKind::Settings;
        self.stopped |= worked.fatal.as_ref().is_some_and(settings);
    }
}

impl Worked {
    fn all(wanted: &[(TaskId, DataHash)], answer: &Answer, fatal: Option<Error>) -> Self {
        let tasks = wanted.iter().map(|(task, _)| *task);
        Self {
            answers: tasks.clone().map(|task| (task, answer.clone())).collect(),
            fatal,
            unanswered: tasks.collect(),
        }
    }
}
