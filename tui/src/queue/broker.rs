//! Where the broker is, from the command line, the environment or a file; and what keeps its password out of sight.

use crate::cli::BrokerArgs;
use crate::print;
use std::os::unix::process::CommandExt as _;
use std::time::Duration;
use wb_broker::{Address, Broker, QueueSettings, RedisResults};
use wb_core::error::{Error, ErrorKind};

/// How long the first connection may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a message on Redis stays with its worker when nothing is heard of it: Celery's default.
const VISIBILITY: Duration = Duration::from_secs(3_600);
/// Set in the process that took the place of one whose arguments had a password.
const HIDDEN: &str = "WORKBENCH_BROKER_HIDDEN";

/// Connects to the broker.
///
/// # Errors
/// No address, or the broker cannot be reached or refuses.
pub async fn connect(args: &BrokerArgs, prefetch: u16) -> Result<Box<dyn Broker>, Error> {
    let address = address(args)?;
    if address.has_password() {
        hide_password()?;
    }
    let settings = QueueSettings {
        queue: args.queue.clone(),
        prefetch,
        patience: PATIENCE,
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
    RedisResults::connect(Address::parse(url)?, PATIENCE, print::notify).await
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

/// Everyone on this machine can read the arguments of a process. Those that hold a password are taken out: the program starts
/// once more in the same process, with the address in its environment, which only its owner can read.
fn hide_password() -> Result<(), Error> {
    if std::env::var_os(HIDDEN).is_some() {
        notice!(
            "warning: a password in --broker can be seen by others while the command starts; use WORKBENCH_BROKER or --broker-file"
        );
        return Ok(());
    }
    let (mut kept, mut address) = (Vec::new(), None);
    let mut args = std::env::args_os().skip(1);
    while let Some(arg) = args.next() {
        let text = arg.to_string_lossy().into_owned();
        match text.strip_prefix("--broker") {
            Some("") => address = args.next(),
            Some(value) if value.starts_with('=') => address = Some(value[1..].into()),
            _ => kept.push(arg),
        }
    }
    let Some(address) = address else {
        return Ok(());
    };
    let program = std::env::current_exe()
        .map_err(|error| Error::new(ErrorKind::Bug, format!("where this program is: {error}")))?;
    let error = std::process::Command::new(program)
        .args(kept)
        .env("WORKBENCH_BROKER", address)
        .env(HIDDEN, "1")
        .exec();
    Err(Error::new(
        ErrorKind::Bug,
        format!("the program cannot be started again: {error}"),
    ))
}
