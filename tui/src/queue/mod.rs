//! `workbench queue`: what is on a broker's queue, for people and scripts. Running agents on it is left to `worker`.

mod broker;
mod push;

pub use broker::{Connecting, WORKER_PATIENCE, connect, redis_results};

use crate::cli::{Global, PeekArgs, PurgeArgs, QueueArgs, QueueWhat};
use crate::print;
use serde_json::{Value, json};
use std::time::Duration;
use wb_broker::{Broker, DeadLetter, Delivery, History, QueueMessage, QueuePart, celery};
use wb_core::counted::plural;
use wb_core::error::{Error, ErrorKind};
use wb_engine::config::Config;
use wb_engine::session::refuse_read_only;

/// Messages of `peek` and `dead` that are asked for at once.
const PREFETCH: u16 = 1;

/// How long the broker may take to be there: a person waits for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// `workbench queue`
///
/// # Errors
/// The broker cannot be reached, or refuses.
pub async fn queue(global: &Global, config: &Config, args: &QueueArgs) -> Result<(), Error> {
    let flags = global.flags();
    match &args.what {
        QueueWhat::Push(_) => refuse_read_only(&flags, "queue push")?,
        QueueWhat::Purge(_) => refuse_read_only(&flags, "queue purge")?,
        QueueWhat::Retry(_) => refuse_read_only(&flags, "queue retry")?,
        _ => {}
    }
    let place = args.what.broker();
    // Nothing else makes a queue: its name may be mistyped.
    let create = matches!(&args.what, QueueWhat::Push(_)) && !global.dry_run;
    let how = Connecting {
        prefetch: PREFETCH,
        create,
        patience: PATIENCE,
    };
    let broker = connect(place, how).await?;
    let done = match &args.what {
        QueueWhat::Push(args) => push::push(global, config, args, &*broker).await,
        QueueWhat::Status(_) => status(global, &place.queue, &*broker).await,
        QueueWhat::Peek(args) => peek(global, args, &*broker).await,
        QueueWhat::Dead(args) => dead(global, args, &*broker).await,
        QueueWhat::Purge(args) => purge(global, args, &*broker).await,
        QueueWhat::Retry(_) => retry(global, &*broker).await,
    };
    broker.close().await;
    done
}

async fn status(global: &Global, queue: &str, broker: &dyn Broker) -> Result<(), Error> {
    let depth = broker.depth().await?;
    if global.json {
        let mut document = json!(depth);
        document["queue"] = json!(queue);
        out!("{document}");
        return Ok(());
    }
    let unknown = || "not counted by this broker".to_owned();
    let number = |n: Option<u64>| n.map_or_else(unknown, |n| n.to_string());
    let age = |seconds: u64| wb_core::text::duration(seconds as f64 * 1000.0);
    out!("queue      {queue}");
    out!("ready      {}", depth.ready);
    out!("delayed    {}", depth.delayed);
    out!("unacked    {}", number(depth.unacked));
    out!("consumers  {}", number(depth.consumers));
    out!("oldest     {}", depth.oldest_s.map_or("-".to_owned(), age));
    out!("dead       {}", depth.dead);
    Ok(())
}

/// What a message asks for, in one document.
fn summary(message: &QueueMessage) -> Value {
    match celery::read(message) {
        Ok(call) => json!({"id": call.id, "task": call.task, "specs": call.specs(), "error": null}),
        Err(unreadable) => {
            json!({"id": unreadable.id, "task": null, "specs": [], "error": unreadable.why})
        }
    }
}

async fn peek(global: &Global, args: &PeekArgs, broker: &dyn Broker) -> Result<(), Error> {
    let messages = broker.peek(QueuePart::Ready, args.limit).await?;
    if messages.is_empty() && !global.json {
        notice!("no message waits on \"{}\"", args.broker.queue);
    }
    for message in messages {
        let mut document = summary(&message);
        document["attempts"] = json!(message.history().attempts);
        let heard = match global.json {
            true => print::out("", format_args!("{document}")),
            false => {
                let words = match document["error"].as_str() {
                    Some(why) => format!("cannot be worked on: {why}"),
                    None => titles(&document["specs"]),
                };
                let id = document["id"].as_str().unwrap_or("-");
                print::out("", format_args!("{id}  {words}"))
            }
        };
        if !heard {
            break;
        }
    }
    Ok(())
}

/// The titles of the first specs.
fn titles(specs: &Value) -> String {
    let specs = specs.as_array().map_or(&[][..], Vec::as_slice);
    let title = |spec: &Value| spec["data_title"].as_str().unwrap_or("-").to_owned();
    let first: Vec<String> = specs.iter().take(3).map(title).collect();
    match specs.len() {
        0..=3 => first.join(", "),
        n => format!("{} and {} more", first.join(", "), n - 3),
    }
}

async fn dead(global: &Global, args: &PeekArgs, broker: &dyn Broker) -> Result<(), Error> {
    let messages = broker.peek(QueuePart::Dead, args.limit).await?;
    if messages.is_empty() && !global.json {
        notice!("no dead letters on \"{}\"", args.broker.queue);
    }
    for message in messages {
        let letter = DeadLetter::of(&message);
        let heard = match global.json {
            true => print::out("", format_args!("{}", json!(letter))),
            false => {
                let task = match &letter.task_uuid {
                    Value::String(task) => task.clone(),
                    Value::Array(tasks) => format!("{} tasks", tasks.len()),
                    _ => "-".to_owned(),
                };
                let reason = letter
                    .reason
                    .unwrap_or_else(|| "no reason noted".to_owned());
                let reason = reason.lines().next().unwrap_or_default();
                let (last, n) = (letter.last_at.unwrap_or_default(), letter.attempts);
                print::out("", format_args!("{task}  {last}  attempts: {n}  {reason}"))
            }
        };
        if !heard {
            break;
        }
    }
    Ok(())
}

async fn purge(global: &Global, args: &PurgeArgs, broker: &dyn Broker) -> Result<(), Error> {
    let queue = &args.broker.queue;
    let part = if args.dead {
        QueuePart::Dead
    } else {
        QueuePart::Ready
    };
    let depth = broker.depth().await?;
    let (number, one) = match part {
        QueuePart::Dead => (depth.dead, "dead letter"),
        QueuePart::Ready => (depth.ready + depth.delayed, "waiting message"),
    };
    let there = plural(number, one);
    if global.dry_run {
        notice!("{there} of the queue \"{queue}\" would be removed");
        return Ok(());
    }
    if !global.yes {
        let text = format!("{there} of the queue \"{queue}\" would be removed for good");
        return Err(Error::new(ErrorKind::Refused, text).hint("to remove them: --yes"));
    }
    let removed = broker.purge(part).await?;
    if part == QueuePart::Ready {
        push::forget(&args.broker)?;
    }
    match global.json {
        true => out!("{}", json!({"removed": removed})),
        false => notice!("{} removed", plural(removed, one)),
    }
    Ok(())
}

/// Sends every dead letter that is there now again, as its producer made it.
async fn retry(global: &Global, broker: &dyn Broker) -> Result<(), Error> {
    let there = broker.depth().await?.dead;
    if global.dry_run {
        notice!("{} would be sent again", plural(there, "dead letter"));
        return Ok(());
    }
    let mut sent = 0_u64;
    while sent < there
        && let Some(Delivery {
            message, receipt, ..
        }) = broker.take_dead().await?
    {
        broker
            .publish(&[message.with_history(History::default())])
            .await?;
        broker.acknowledge(&receipt).await?;
        sent += 1;
    }
    match global.json {
        true => out!("{}", json!({"sent": sent})),
        false => notice!("{} sent again", plural(sent, "dead letter")),
    }
    Ok(())
}
