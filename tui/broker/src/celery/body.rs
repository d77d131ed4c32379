//! The body of a message: arguments, keywords, and what Celery embeds.

use super::ResultShape;
use crate::message::QueueMessage;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::io::Read;

/// Longest body that is read, in bytes, after it was unpacked.
const LONGEST: u64 = 64 << 20;
/// What would have to run after the task. A worker that left it out would end a workflow without a word.
const FOLLOWING: [(&str, &str); 3] = [
    ("callbacks", "a callback (`link`)"),
    ("chain", "a chain"),
    ("chord", "a chord"),
];

/// The arguments of a message, and how their results are put together.
pub(super) fn read(
    message: &QueueMessage,
    task: &str,
) -> Result<(Vec<Value>, ResultShape), String> {
    let content = message.content_type.as_deref().unwrap_or("no content type");
    if content != "application/json" {
        return Err(format!(
            "its content type is {content}; only application/json is read (`task_serializer = 'json'`)"
        ));
    }
    let body = unpacked(message)?;
    let body: (Vec<Value>, Map<String, Value>, Value) = serde_json::from_slice(&body)
        .map_err(|error| format!("its body is not [args, kwargs, embed]: {error}"))?;
    let (args, mut kwargs, embedded) = body;
    for (name, words) in FOLLOWING {
        let something = match &embedded[name] {
            Value::Null => false,
            Value::Array(list) => !list.is_empty(),
            _ => true,
        };
        if something {
            return Err(format!(
                "{words} follows this task, and this worker runs none"
            ));
        }
    }
    match task {
        "celery.map" => Ok((items(&mut kwargs)?, ResultShape::List)),
        "celery.starmap" => Ok((first_of_each(items(&mut kwargs)?)?, ResultShape::List)),
        "celery.chunks" => {
            let length = kwargs.get("n").and_then(Value::as_u64).unwrap_or(0);
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if length == 0 {
                return Err("its keyword `n`, the length of a chunk, is missing".to_owned());
            }
            let arguments = first_of_each(items(&mut kwargs)?)?;
            Ok((arguments, ResultShape::Chunks(length)))
        }
        _ => {
            let first = args.into_iter().next();
            match first.or_else(|| kwargs.remove("task_spec")) {
                Some(argument) => Ok((vec![argument], ResultShape::One)),
                None => Err("it has neither an argument nor the keyword `task_spec`".to_owned()),
            }
        }
    }
}

/// The keyword `it`.
fn items(kwargs: &mut Map<String, Value>) -> Result<Vec<Value>, String> {
    match kwargs.remove("it") {
        Some(Value::Array(items)) => Ok(items),
        _ => Err("its keyword `it` is not a list".to_owned()),
    }
}

/// Of lists of arguments the first argument each.
fn first_of_each(lists: Vec<Value>) -> Result<Vec<Value>, String> {
    let first = |list| match list {
        Value::Array(list) => list.into_iter().next(),
        _ => None,
    };
    let firsts: Option<Vec<Value>> = lists.into_iter().map(first).collect();
    firsts.ok_or_else(|| "an entry of its keyword `it` has no argument".to_owned())
}

/// The body as JSON: kombu packs with zlib when it is asked for `gzip`.
fn unpacked(message: &QueueMessage) -> Result<Cow<'_, [u8]>, String> {
    let packed = message.headers.get("compression").and_then(Value::as_str);
    let too_long = || format!("its body is longer than {} MB", LONGEST >> 20);
    match packed {
        None | Some("") if message.body.len() as u64 > LONGEST => Err(too_long()),
        None | Some("") => Ok(Cow::Borrowed(&message.body)),
        Some("application/x-gzip") => {
            let mut body = Vec::new();
            let decoder = flate2::read::ZlibDecoder::new(message.body.as_slice());
            decoder
                .take(LONGEST + 1)
                .read_to_end(&mut body)
                .map_err(|error| format!("its body cannot be unpacked: {error}"))?;
            match body.len() as u64 > LONGEST {
                true => Err(too_long()),
                false => Ok(Cow::Owned(body)),
            }
        }
        Some(other) => Err(format!(
            "its body is packed with {other}; only gzip is unpacked"
        )),
    }
}
