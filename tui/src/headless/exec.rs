//! `workbench exec`: the queue is somebody else's. Task specs in, one JSON a line (or an array of
//! them), one result a line out, in the same order. Running, retrying and committing is the engine's.

mod words;

use super::batch::{TaskBatch, TaskBatchOptions};
use super::intake::{self, Text};
use super::run::unless_interrupted;
use super::specs::{self, Answer, Line};
use crate::cli::ExecArgs;
use crate::exit::Ending;
use crate::print;
use std::collections::{HashMap, HashSet};
use std::io::Write;
use tokio::sync::mpsc;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::TaskId;
use wb_core::run::RunSpec;
use wb_engine::config::Config;
use wb_engine::flags::Flags;
use wb_engine::max_time::MaxTime;
use wb_engine::outage::OutageReporter;
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
        exec.batch.end().await;
        result
    };
    if let Err(error) = result.await {
        ending.fail(error);
    }
    ending
}

struct Exec {
    batch: TaskBatch,
    lines: mpsc::Receiver<std::io::Result<Text>>,
    read: u64,
    counts: Counts,
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
    let options = TaskBatchOptions {
        kind: "exec",
        stage: Some(&args.stage),
        spec: RunSpec {
            batch_size: args.task_batch_size,
            retries: args.num_retries,
            concurrency: args.concurrency,
            timeout_ms: upstream::timeout_ms(args.timeout, config),
            ..RunSpec::default()
        },
        rate: args.rate,
        on_duplicate: upstream::on_duplicate(args.on_duplicate, config),
        limit,
        grace: None,
    };
    Ok(Exec {
        batch: TaskBatch::prepare(flags, config, options).await?,
        lines: intake::of_stdin(),
        read: 0,
        counts: Counts::default(),
    })
}

impl Exec {
    async fn work(&mut self, ending: &mut Ending) -> Result<(), Error> {
        let _outages = OutageReporter::start(self.batch.engine.reader(), print::notify);
        let mut ended = false;
        while !self.batch.stopped {
            let first = tokio::select! {
                line = self.lines.recv() => line,
                _ = self.batch.engine.turn() => continue,
                () = self.batch.limit.over() => {
                    ending.stopped();
                    break;
                }
                signal = self.batch.signals.next() => {
                    ending.signal(signal);
                    break;
                }
            };
            let Some(first) = first else {
                ended = true;
                break;
            };
            let group = self.read_group(first)?;
            let worked = self.batch.group(&group, &HashSet::new(), ending).await;
            if let Some(error) = worked.fatal {
                ending.fail(error);
            }
            let answers = worked.answers;
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
            next = match tasks < self.batch.spec.batch_size {
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
            let text = specs::result(line, answers, self.batch.stage).to_string();
            let mut text = wb_core::text::json(&text).into_owned();
            text.push('\n');
            out.write_all(text.as_bytes())?;
            out.flush()?;
        }
        Ok(())
    }
}
