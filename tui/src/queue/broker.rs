//! Where the broker is, from the command line, the environment or a file; and what keeps its password out of sight.

use crate::cli::BrokerArgs;
use crate::print;
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::time::Duration;
use wb_broker::{Address, Broker, QueueSettings, RedisResults};
use wb_core::error::{Error, ErrorKind};

/// How long the first connection of a worker may take: both may have been started together.
pub const WORKER_PATIENCE: Duration = Duration::from_secs(60);
/// How long a message on Redis stays with its worker when nothing is heard of it: Celery's default.
const VISIBILITY: Duration = Duration::from_secs(3_600);
/// Set in the process that took the place of one whose arguments had a password.
const HIDDEN: &str = "WORKBENCH_BROKER_HIDDEN";

/// How a command uses the broker.
#[derive(Clone, Copy)]
pub struct Connecting {
    /// Messages that are taken and not yet finished, at most.
    pub prefetch: u16,
    /// Whether a queue that is missing is made.
    pub create: bool,
    /// How long the first connection may take.
    pub patience: Duration,
}

/// Connects to the broker.
///
/// # Errors
/// No address, or the broker cannot be reached or refuses.
pub async fn connect(args: &BrokerArgs, how: Connecting) -> Result<Box<dyn Broker>, Error> {
    let address = address(args)?;
    hide_passwords()?;
    let settings = QueueSettings {
        queue: args.queue.clone(),
        prefetch: how.prefetch,
        create: how.create,
        patience: how.patience,
        visibility: VISIBILITY,
        notify: print::notify,
    };
    wb_broker::connect(address, settings).await
}

/// Connects to a Redis result back end.
///
/// # Errors
/// As [`connect`].
pub async fn redis_results(url: &str) -> Result<RedisResults, Error> {
    RedisResults::connect(Address::parse(url)?, WORKER_PATIENCE, print::notify).await
}

/// The address of the broker.
///
/// # Errors
/// There is none, or the file cannot be read.
pub fn address(args: &BrokerArgs) -> Result<Address, Error> {
    if let Some(file) = &args.broker_file {
        let text = std::fs::read_to_string(file).map_err(|error| {
            let text = format!("--broker-file {}: {error}", file.display());
            Error::new(ErrorKind::Settings, text)
        })?;
        return Address::parse(&text);
    }
    match &args.broker {
        Some(text) => Address::parse(text),
        None => Err(Error::new(ErrorKind::Usage, "no broker is named")
            .hint("set WORKBENCH_BROKER, or give --broker-file FILE or --broker amqp://HOST")),
    }
}

/// Options that hold an address, and the variables that hold it as well.
const ADDRESSES: [(&str, &str); 2] = [
    ("--broker", "WORKBENCH_BROKER"),
    ("--result-backend", "WORKBENCH_RESULT_BACKEND"),
];

/// The arguments without the addresses that hold a password, and these for the environment.
fn split(args: impl Iterator<Item = OsString>) -> (Vec<OsString>, Vec<(&'static str, OsString)>) {
    let has_password = |value: &OsString| {
        let address = Address::parse(&value.to_string_lossy());
        address.is_ok_and(|address| address.has_password())
    };
    let (mut kept, mut hidden) = (Vec::new(), Vec::new());
    let mut args = args.peekable();
    while let Some(arg) = args.next() {
        let text = arg.to_string_lossy().into_owned();
        let named = ADDRESSES.iter().find_map(|(option, variable)| {
            let rest = text.strip_prefix(option)?;
            (rest.is_empty() || rest.starts_with('=')).then(|| (*variable, rest.get(1..)))
        });
        match named {
            Some((variable, Some(value))) if has_password(&value.into()) => {
                hidden.push((variable, value.into()));
            }
            Some((variable, None)) if args.peek().is_some_and(has_password) => {
                hidden.extend(args.next().map(|value| (variable, value)));
            }
            _ => kept.push(arg),
        }
    }
    (kept, hidden)
}

/// Everyone on this machine can read the arguments of a process. Those that hold a password are taken out: the program starts
/// once more in the same process, with the addresses in its environment, which only its owner can read.
fn hide_passwords() -> Result<(), Error> {
    if std::env::var_os(HIDDEN).is_some() {
        notice!(
            "warning: a password among the arguments can be seen by others while the command starts; use WORKBENCH_BROKER or --broker-file, and WORKBENCH_RESULT_BACKEND"
        );
        return Ok(());
    }
    let (kept, hidden) = split(std::env::args_os().skip(1));
    if hidden.is_empty() {
        return Ok(());
    }
    let program = std::env::current_exe()
        .map_err(|error| Error::new(ErrorKind::Bug, format!("where this program is: {error}")))?;
    let error = std::process::Command::new(program)
        .args(kept)
        .envs(hidden)
        .env(HIDDEN, "1")
        .exec();
    Err(Error::new(
        ErrorKind::Bug,
        format!("the program cannot be started again: {error}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_a_password_are_taken_out_of_the_arguments() {
        let text = "worker --broker amqp://a:b@h --result-backend=redis://:c@h/1 --broker-file f -j 2 --broker redis://h";
        let (kept, hidden) = split(text.split(' ').map(OsString::from));
        assert_eq!(
            kept.join(" ".as_ref()),
            "worker --broker-file f -j 2 --broker redis://h"
        );
        assert_eq!(
            hidden,
            [
                ("WORKBENCH_BROKER", "amqp://a:b@h".into()),
                ("WORKBENCH_RESULT_BACKEND", "redis://:c@h/1".into()),
            ]
        );
    }
}
