//! `queue` and `worker`: where the broker is, and what is done with its messages.

use super::values::{positive, rate, some_time};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::time::Duration;
use wb_engine::attempt_limit::AttemptLimit;

/// Where the broker is.
#[derive(Args, Debug, Clone)]
pub struct BrokerArgs {
    /// Broker, as Celery's broker_url: amqp://, amqps://, redis:// or rediss://; a password is safer in the variable or a file
    #[arg(
        long,
        value_name = "URL",
        env = "WORKBENCH_BROKER",
        hide_env_values = true
    )]
    pub broker: Option<String>,
    /// File that holds the broker's address; it takes precedence over the variable
    #[arg(long, value_name = "FILE")]
    pub broker_file: Option<PathBuf>,
    /// Name of the queue
    #[arg(long, value_name = "NAME", default_value = "celery")]
    pub queue: String,
}

/// `workbench queue`
#[derive(Args, Debug, Clone)]
pub struct QueueArgs {
    /// What to do with the queue
    #[command(subcommand)]
    pub what: QueueWhat,
}

/// What is done with the queue.
#[derive(Subcommand, Debug, Clone)]
pub enum QueueWhat {
    /// Put the specs of all tasks that wait at a stage on the queue, each once
    Push(PushArgs),
    /// Count messages, workers and dead letters
    Status(BrokerArgs),
    /// Show the first messages; they stay where they are
    Peek(PeekArgs),
    /// Remove all messages that wait
    Purge(PurgeArgs),
    /// Show the dead letters, with their reasons
    Dead(PeekArgs),
    /// Send the dead letters again
    Retry(BrokerArgs),
}

impl QueueWhat {
    /// Where the broker is.
    #[must_use]
    pub const fn broker(&self) -> &BrokerArgs {
        match self {
            Self::Push(args) => &args.broker,
            Self::Peek(args) | Self::Dead(args) => &args.broker,
            Self::Purge(args) => &args.broker,
            Self::Status(broker) | Self::Retry(broker) => broker,
        }
    }
}

/// `workbench queue push`
#[derive(Args, Debug, Clone)]
pub struct PushArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub broker: BrokerArgs,
    /// Name that the workers registered their task under
    #[arg(long, value_name = "NAME", default_value = "celery_function")]
    pub task_name: String,
    /// Stage, by name or UUID [default: the first agent stage]
    #[arg(long, value_name = "NAME|UUID")]
    pub stage: Option<String>,
    /// Only tasks that match
    #[arg(long, value_name = "FILTER", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// Tasks that were pushed from here before, too
    #[arg(long)]
    pub again: bool,
}

/// `workbench queue peek`, `workbench queue dead`
#[derive(Args, Debug, Clone)]
pub struct PeekArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub broker: BrokerArgs,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = positive)]
    pub limit: usize,
}

/// `workbench queue purge`
#[derive(Args, Debug, Clone)]
pub struct PurgeArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub broker: BrokerArgs,
    /// The dead letters instead
    #[arg(long)]
    pub dead: bool,
}

/// `workbench worker`
#[derive(Args, Debug, Clone)]
pub struct WorkerArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub broker: BrokerArgs,
    /// Redis result back end of the producers; results for rpc:// need none
    #[arg(
        long,
        value_name = "URL",
        env = "WORKBENCH_RESULT_BACKEND",
        hide_env_values = true
    )]
    pub result_backend: Option<String>,
    /// Stage, by name or UUID [default: the only one that has an agent]
    #[arg(long, value_name = "NAME|UUID")]
    pub stage: Option<String>,
    /// Refuse messages for any other task than this one [default: take all]
    #[arg(long, value_name = "NAME")]
    pub task_name: Option<String>,
    /// Later attempts of a message whose task failed, each after a longer wait; then it is a dead letter
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub num_retries: u32,
    /// Jobs at the same time
    #[arg(short = 'j', long, value_name = "N", default_value_t = 1, value_parser = positive)]
    pub concurrency: usize,
    /// Messages that are taken together [default: 64, at least the number of jobs]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub prefetch: Option<usize>,
    /// At most this many requests a second, e.g. 20/s
    #[arg(long, value_name = "N/s", value_parser = rate)]
    pub rate: Option<f64>,
    /// Limit of one attempt where the agent declares none, e.g. 30s, or none
    /// [default: `timeout` of the settings, or 10m]
    #[arg(long, value_name = "D")]
    pub timeout: Option<AttemptLimit>,
    /// End after this many messages
    #[arg(long, value_name = "N", value_parser = positive)]
    pub max_tasks: Option<usize>,
    /// Stop after this time, e.g. 2h: what is done stays done, the rest goes back to the queue
    #[arg(long, value_name = "D", value_parser = some_time)]
    pub max_time: Option<Duration>,
    /// How long running jobs may go on after SIGTERM or Ctrl-C; then they go back to the queue
    #[arg(long, value_name = "D", default_value = "30s", value_parser = some_time)]
    pub grace: Duration,
}
