//! `workbench exec`: the queue is somebody else's. Task specs in, one JSON a line (or an array of
//! them), one result a line out, in the same order. Running, retrying and committing is the engine's.

mod again;
mod words;

use super::intake::{self, Text};
use super::run::unless_interrupted;
use super::specs::{self, Answer, Line};
use crate::cli::ExecArgs;
use crate::exit::Ending;
use crate::print;
use crate::signals::{FINISHING, Signals};
use std::collections::{HashMap, HashSet};
use std::io::Write;
use tokio::sync::mpsc;
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
use wb_engine::outage::OutageReporter;
use wb_engine::preflight::Checked;
use wb_engine::runtime::{Engine, now};
use wb_engine::session::{self, Need};
use wb_engine::upstream;

/// `workbench exec`
pub async fn exec(flags: &Flags, config: &Config, args: &ExecArgs) -> Ending {
    let mut ending = Ending::default();
    let result = async {
        let limit = MaxTime::new(args.max_time);
        let prepared = Box::pin(prepare(flags, config, args, limit));
        let prepared = unless_interrupted(prepared, limit, flags.dry_run, &mut ending);
        let Some(mut exec) = prepared.await? else {
            return Ok(());
        };
        let result = exec.work(&mut ending).await;
        if let (Some(journal), false) = (exec.engine.journal(), exec.given_up) {
            journal.close(now().0);
        }
        exec.limit.shut_down(&mut exec.engine).await;
        for line in exec.engine.agent_output() {
            notice!("{line}");
        }
        result
    };
    if let Err(error) = result.await {
        ending.fail(error);
    }
    ending
}

struct Exec {
    engine: Engine,
    stage: StageId,
    spec: RunSpec,
    checked: Checked,
    signals: Signals,
    limit: MaxTime,
    /// Its time was over before everything had ended.
    given_up: bool,
    lines: mpsc::Receiver<std::io::Result<Text>>,
    read: u64,
    stopped: bool,
    counts: Counts,
    /// Tasks of interrupted commands that stay where they are and are written, with no answer given yet.
    stayed: HashSet<TaskId>,
}

/// The results of the entries.
#[derive(Clone, Copy, Default)]
struct Counts {
    done: u64,
    failed: u64,
    left: u64,
    not_run: u64,
}

async fn prepare(
    flags: &Flags,
    config: &Config,
    args: &ExecArgs,
    limit: MaxTime,
) -> Result<Exec, Error> {
    let timeout_ms = upstream::timeout_ms(args.timeout, config);
    let need = Need {
        operation: Operation {
            kind: "exec",
            ..Operation::default()
        },
        rate: args.rate,
        timeout_ms,
        concurrency: args.concurrency,
        stages: std::slice::from_ref(&args.stage),
        drains: false,
        on_duplicate: upstream::on_duplicate(args.on_duplicate, config),
    };
    let (engine, stages) = session::engine(flags, config, &need, print::notify).await?;
    let Some(stage) = stages.first().copied() else {
        return Err(Error::new(
            ErrorKind::Settings,
            format!("no agent is for stage \"{}\"", args.stage),
        ));
    };
    let spec = RunSpec {
        sink: if engine.state().options.dry_run {
            Sink::Report
        } else {
            Sink::Commit
        },
        batch_size: args.task_batch_size,
        retries: args.num_retries,
        concurrency: args.concurrency,
        timeout_ms,
        ..RunSpec::default()
    };
    let stayed = again::go_on(&engine)?;
    Ok(Exec {
        stayed,
        checked: Checked::new(engine.state(), &[stage], &config.params),
        engine,
        stage,
        spec,
        signals: Signals::new()?,
        limit,
        given_up: false,
        lines: intake::of_stdin(),
        read: 0,
        stopped: false,
        counts: Counts::default(),
    })
}

impl Exec {
    async fn work(&mut self, ending: &mut Ending) -> Result<(), Error> {
        let _outages = OutageReporter::start(self.engine.reader(), print::notify);
        let mut ended = false;
        while !self.stopped {
            let first = tokio::select! {
                line = self.lines.recv() => line,
                _ = self.engine.turn() => continue,
                () = self.limit.over() => {
                    ending.stopped();
                    break;
                }
                signal = self.signals.next() => {
                    ending.signal(signal);
                    break;
                }
            };
            let Some(first) = first else {
                ended = true;
                break;
            };
            let group = self.read_group(first)?;
            let answers = self.group(&group, ending).await;
            if let Err(error) = self.print(&group, &answers, ending) {
                notice!("workbench: stdout: {error}; the results of the last lines are lost");
                print::kept(Err(error));
                break;
            }
        }
        if !ended {
            self.print_unread().await;
        }
        self.print_counts(ending);
        Ok(())
    }

    /// A line and whatever has been read behind it: these are fetched and committed together.
    fn read_group(&mut self, first: std::io::Result<Text>) -> Result<Vec<Line>, Error> {
        let (mut group, mut tasks) = (Vec::new(), 0);
        let mut next = Some(first);
        while let Some(line) = next {
            let line = line
                .map_err(|e| Error::new(ErrorKind::Usage, format!("stdin cannot be read: {e}")))?;
            self.read += 1;
            if !line.bytes.trim_ascii().is_empty() {
                let line = match line.cut {
                    true => specs::unread(format!(
                        "line {} is longer than {} MB and was not read",
                        self.read,
                        intake::LONGEST >> 20
                    )),
                    false => specs::parse(&line.bytes, self.read),
                };
                tasks += line.entries.len();
                group.push(line);
            }
            next = match tasks < self.spec.batch_size {
                true => self.lines.try_recv().ok(),
                false => None,
            };
        }
        Ok(group)
    }

    /// Prints the results in the order of the lines.
    fn print(
        &mut self,
        group: &[Line],
        answers: &HashMap<TaskId, Answer>,
        ending: &mut Ending,
    ) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        for line in group {
            for entry in &line.entries {
                match answers.get(&entry.task).filter(|_| entry.error.is_none()) {
                    Some(answer) if answer.left => {
                        self.counts.left += 1;
                        ending.conflicts();
                    }
                    Some(answer) if answer.success => self.counts.done += 1,
                    Some(answer) if answer.not_run => {
                        self.counts.not_run += 1;
                        ending.failures();
                    }
                    _ => {
                        self.counts.failed += 1;
                        ending.failures();
                    }
                }
            }
            let text = specs::result(line, answers, self.stage).to_string();
            let mut text = wb_core::text::json(&text).into_owned();
            text.push('\n');
            out.write_all(text.as_bytes())?;
            out.flush()?;
        }
        Ok(())
    }

    /// Works on some lines together; the answer for each task that could be read.
    async fn group(&mut self, group: &[Line], ending: &mut Ending) -> HashMap<TaskId, Answer> {
        let wanted: Vec<(TaskId, DataHash)> = group
            .iter()
            .flat_map(|l| &l.entries)
            .filter(|e| e.error.is_none())
            .map(|e| (e.task, e.data))
            .collect();
        let all = |answer: Answer| {
            let answered = |(task, _): &(TaskId, DataHash)| (*task, answer.clone());
            wanted.iter().map(answered).collect()
        };
        let limit = self.limit;
        let rows = match limit.unless_over(self.ready(&wanted)).await {
            Some(Ok(rows)) => rows,
            None => {
                ending.stopped();
                self.stopped = true;
                return all(Answer::not_run());
            }
            Some(Err(error)) => {
                let answers = all(Answer::failed(&error));
                ending.fail(error);
                return answers;
            }
        };
        let done = match self.done_before(&wanted) {
            Ok(done) => done,
            Err(error) => {
                let answers = all(Answer::failed(&error));
                self.stopped = true;
                ending.fail(error);
                return answers;
            }
        };
        let (run, mut answers) = self.sort(&wanted, &rows, &done);
        if !run.is_empty() {
            answers.extend(self.run(run, ending).await);
        }
        answers
    }

    fn stage_title(&self) -> &str {
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

    async fn run(&mut self, rows: Vec<TaskRow>, ending: &mut Ending) -> HashMap<TaskId, Answer> {
        let ids: Vec<TaskId> = rows.iter().map(|r| r.id).collect();
        let spec = RunSpec {
            source: Source::Tasks(self.stage, rows),
            ..self.spec.clone()
        };
        let mut answers = HashMap::new();
        let mut effects = self.engine.feed(Event::Input(Command::Run(Box::new(spec))));
        'run: loop {
            for line in self.engine.agent_output() {
                notice!("{line}");
            }
            for effect in std::mem::take(&mut effects) {
                match effect {
                    Effect::Record(report) => {
                        answers.insert(report.row.id, Answer::of(&report));
                    }
                    Effect::RunOver => break 'run,
                    _ => {}
                }
            }
            tokio::select! {
                more = self.engine.turn() => effects = more,
                due = self.limit.due() => {
                    ending.stopped();
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
                    ending.signal(signal);
                    if self.stopped {
                        // Writes may be on their way.
                        self.given_up = true;
                        break 'run;
                    }
                    notice!("{FINISHING}");
                    self.stopped = true;
                    effects = self.engine.feed(Event::Input(Command::CancelRun));
                }
            }
        }
        self.without_answer(&ids, &mut answers, ending);
        answers
    }

    /// Answers for tasks that have none when a run is over, and reports what ended it early.
    fn without_answer(
        &mut self,
        ids: &[TaskId],
        answers: &mut HashMap<TaskId, Answer>,
        ending: &mut Ending,
    ) {
        let fatal = self
            .engine
            .state()
            .run
            .as_ref()
            .and_then(|r| r.fatal.clone());
        let left = fatal.as_ref().map_or_else(Answer::not_run, Answer::failed);
        for id in ids {
            answers.entry(*id).or_insert_with(|| left.clone());
        }
        if let Some(error) = fatal {
            // Without a journal nothing more may be written.
            self.stopped |= error.kind == ErrorKind::Settings;
            ending.fail(error);
        }
    }
}
