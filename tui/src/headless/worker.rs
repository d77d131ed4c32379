//! `workbench worker`: task specs from a broker, as a Celery worker takes them. What a message asks for is read in
//! `messages`, how it ends is decided in `finish`; running, retrying and committing is the engine's.
//!
//! A message is acknowledged after its commit and after its result was sent. Whatever happens before, it is given out again,
//! and a task that was written already is recognised by the journal and by having left its stage.

mod finish;
mod messages;

use super::batch::{TaskBatch, TaskBatchOptions, Worked};
use super::run::unless_interrupted;
use super::specs::Line;
use crate::cli::WorkerArgs;
use crate::exit::Ending;
use crate::{print, queue};
use futures_util::future::join_all;
use std::collections::HashSet;
use std::time::Duration;
use wb_broker::celery::TaskCall;
use wb_broker::{Broker, Delivery, History, QueueMessage, Receipt, RedisResults};
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::TaskId;
use wb_core::run::RunSpec;
use wb_engine::config::Config;
use wb_engine::flags::Flags;
use wb_engine::max_time::MaxTime;
use wb_engine::outage::OutageReporter;
use wb_engine::upstream;

/// Messages that are taken together where nothing else is set.
const PREFETCH: usize = 64;
/// Most that RabbitMQ counts.
const MOST: usize = 65_535;
/// How long a message behind the first may take to arrive.
const NEXT: Duration = Duration::from_millis(2);
/// First and longest wait before a platform that is away is tried again.
const AWAY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// `workbench worker`
pub async fn worker(flags: &Flags, config: &Config, args: &WorkerArgs) -> Ending {
    let mut ending = Ending::default();
    let result = async {
        if flags.dry_run {
            let text = "a worker that writes nothing would take messages away from those that do";
            return Err(Error::new(ErrorKind::Usage, text).hint(
                "to see what the agents would do: `workbench exec --dry-run`, or `workbench plan`",
            ));
        }
        let limit = MaxTime::new(args.max_time);
        let prepared = Box::pin(prepare(flags, config, args, limit));
        // There is no run to go on with: what is on the queue stays there.
        let nothing_written = true;
        let prepared = unless_interrupted(prepared, limit, nothing_written, &mut ending);
        let Some(mut worker) = prepared.await? else {
            return Ok(());
        };
        let result = worker.work(&mut ending).await;
        // What is unfinished goes back to the queue.
        worker.broker.close().await;
        worker.batch.end().await;
        worker.print_counts(&ending);
        result
    };
    if let Err(error) = Box::pin(result).await {
        ending.fail(error);
    }
    ending
}

struct Worker<'a> {
    args: &'a WorkerArgs,
    batch: TaskBatch,
    broker: Box<dyn Broker>,
    results: Option<RedisResults>,
    counts: Counts,
    /// How long the platform is waited for the next time.
    away: Duration,
}

/// Messages by how they ended.
#[derive(Clone, Copy, Default)]
struct Counts {
    done: u64,
    left: u64,
    retried: u64,
    dead: u64,
    given_back: u64,
}

/// A message that is to be run.
struct Taken {
    receipt: Receipt,
    message: QueueMessage,
    history: History,
    call: TaskCall,
    /// One for each argument.
    lines: Vec<Line>,
    /// It was given out before.
    before: bool,
}

/// How a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Done,
    Left,
    Retried,
    Dead,
    GivenBack,
}

impl Ended {
    /// Adds it to the counts.
    const fn count(self, counts: &mut Counts) {
        match self {
            Self::Done => counts.done += 1,
            Self::Left => counts.left += 1,
            Self::Retried => counts.retried += 1,
            Self::Dead => counts.dead += 1,
            Self::GivenBack => counts.given_back += 1,
        }
    }
}

async fn prepare<'a>(
    flags: &Flags,
    config: &Config,
    args: &'a WorkerArgs,
    limit: MaxTime,
) -> Result<Worker<'a>, Error> {
    let prefetch = args.prefetch.unwrap_or(PREFETCH.max(args.concurrency));
    let prefetch = u16::try_from(prefetch.min(MOST)).unwrap_or(u16::MAX);
    let how = queue::Connecting {
        prefetch,
        create: true,
        patience: queue::WORKER_PATIENCE,
    };
    // The broker first: without it no library has to be opened.
    let broker = queue::connect(&args.broker, how).await?;
    let results = match &args.result_backend {
        Some(url) => Some(queue::redis_results(url).await?),
        None => None,
    };
    let options = TaskBatchOptions {
        kind: "worker",
        stage: args.stage.as_deref(),
        spec: RunSpec {
            batch_size: usize::from(prefetch),
            // Later attempts are the broker's.
            retries: 0,
            concurrency: args.concurrency,
            timeout_ms: upstream::timeout_ms(args.timeout, config),
            ..RunSpec::default()
        },
        rate: args.rate,
        on_duplicate: upstream::on_duplicate(None, config),
        limit,
        grace: Some(args.grace),
    };
    let batch = TaskBatch::prepare(flags, config, options).await?;
    let stage = batch.stage_title();
    notice!(
        "waiting for messages on \"{}\" for stage \"{stage}\"",
        args.broker.queue
    );
    Ok(Worker {
        args,
        batch,
        broker,
        results,
        counts: Counts::default(),
        away: AWAY.0,
    })
}

impl Worker<'_> {
    async fn work(&mut self, ending: &mut Ending) -> Result<(), Error> {
        let _outages = OutageReporter::start(self.batch.engine.reader(), print::notify);
        while !self.batch.stopped && self.room() > 0 {
            let first = tokio::select! {
                taken = self.broker.take() => taken?,
                _ = self.batch.engine.turn() => continue,
                () = self.batch.limit.over() => {
                    ending.stopped();
                    break;
                }
                signal = self.batch.signals.next() => {
                    self.batch.asked(signal, ending);
                    break;
                }
            };
            let group = self.gather(first).await?;
            if group.is_empty() {
                continue;
            }
            if let Some(away) = self.group(group, ending).await? {
                self.wait(away, ending).await;
            }
        }
        Ok(())
    }

    /// Messages that may still be begun.
    fn room(&self) -> usize {
        let Counts {
            done,
            left,
            retried,
            dead,
            ..
        } = self.counts;
        let ended = usize::try_from(done + left + retried + dead).unwrap_or(usize::MAX);
        let most = self.args.max_tasks.unwrap_or(usize::MAX);
        most.saturating_sub(ended).min(self.batch.spec.batch_size)
    }

    /// A message and those that are there already: they are fetched and committed together.
    async fn gather(&mut self, first: Delivery) -> Result<Vec<Taken>, Error> {
        let mut group = Vec::new();
        let mut next = Some(first);
        while let Some(delivery) = next.take() {
            group.extend(self.sort_in(delivery).await?);
            if group.len() < self.room()
                && let Ok(taken) = tokio::time::timeout(NEXT, self.broker.take()).await
            {
                next = Some(taken?);
            }
        }
        Ok(group)
    }

    /// Runs some messages together and ends each. An error that passes: they are back on the queue.
    async fn group(
        &mut self,
        group: Vec<Taken>,
        ending: &mut Ending,
    ) -> Result<Option<Error>, Error> {
        let (mut lines, mut again) = (Vec::<Line>::new(), HashSet::<TaskId>::new());
        let mut parts = Vec::with_capacity(group.len());
        for mut taken in group {
            let from = lines.len();
            lines.append(&mut taken.lines);
            if taken.before {
                let entries = lines[from..].iter().flat_map(|line| &line.entries);
                again.extend(entries.map(|entry| entry.task));
            }
            parts.push((taken, from..lines.len()));
        }
        let worked = self.batch.group(&lines, &again, ending).await;
        let ends = parts
            .iter()
            .map(|(taken, part)| self.end(taken, &lines[part.clone()], &worked));
        let ends = join_all(ends).await;
        for ended in ends {
            ended?.count(&mut self.counts);
        }
        match worked.fatal {
            Some(error) if passes(&error) => Ok(Some(error)),
            Some(error) => Err(error),
            None => {
                self.away = AWAY.0;
                Ok(None)
            }
        }
    }

    /// The platform is away: the messages are back on the queue, and nothing is taken for a while.
    async fn wait(&mut self, error: Error, ending: &mut Ending) {
        notice!(
            "workbench: {}; tried again in {} s",
            error.summary,
            self.away.as_secs()
        );
        let over = tokio::time::sleep(self.away);
        tokio::pin!(over);
        self.away = (self.away * 2).min(AWAY.1);
        loop {
            tokio::select! {
                () = &mut over => return,
                _ = self.batch.engine.turn() => {}
                () = self.batch.limit.over() => return,
                signal = self.batch.signals.next() => return self.batch.asked(signal, ending),
            }
        }
    }

    fn print_counts(&self, ending: &Ending) {
        let Counts {
            done,
            left,
            retried,
            dead,
            given_back,
        } = self.counts;
        let mut text = format!("{done} done");
        for (n, word) in [
            (left, "left: others were there first"),
            (retried, "to be tried again later"),
            (dead, "given up (`workbench queue dead`)"),
            (given_back, "given back"),
        ] {
            if n > 0 {
                text.push_str(&format!(" · {n} {word}"));
            }
        }
        notice!("{text}");
        if ending.code() == 9 {
            notice!("Stopped by --max-time; what was not done is on the queue.");
        }
    }
}

/// Whether it may work later: the platform is away, or limits this key.
fn passes(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Network | ErrorKind::Upstream)
}

/// Whether all tasks of a message have an answer of their own.
fn is_complete(lines: &[Line], worked: &Worked) -> bool {
    let entries = lines.iter().flat_map(|line| &line.entries);
    let mut read = entries.filter(|entry| entry.error.is_none());
    read.all(|entry| {
        let answer = worked.answers.get(&entry.task);
        !worked.unanswered.contains(&entry.task) && answer.is_some_and(|a| !a.not_run)
    })
}
