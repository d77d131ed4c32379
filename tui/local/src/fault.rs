//! Injected faults: which requests they affect, how, and how often. The seed makes them reproducible;
//! they can be changed while the server runs.
//!
//! A fault is written as `TARGET:ACTION[@P%][*N]`, for example `save_labels:500@2%`, `any:429/4s@1%`,
//! `actions:lost@0.5%`, `get_tasks:slow/2s@5%`, `storage:truncate@1%`, `get:drop@1%*10` (at most ten
//! times), `actions:403!applied` (does the work and then refuses), `save_labels:page` (a gateway's web page
//! instead of an answer). TARGET is an endpoint or a group of them, see [`crate::Endpoint`]; without `@P%`
//! every request is affected. `routes::dispatch` carries faults out.

mod injector;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::SpanRelativeTo;
use jiff::fmt::friendly::SpanParser;

use crate::endpoint::{Endpoint, FaultTarget};
use crate::suggest::did_you_mean;

pub(crate) use injector::Injector;

/// What a fault does to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultAction {
    /// Answer with this HTTP status, and `Retry-After` if given, without doing the work.
    Status(u16, Option<Duration>),
    /// Do the work, then answer with this HTTP status, as a gateway may.
    Applied(u16, Option<Duration>),
    /// Answer 200 with a web page, such as a login page; `true`: after doing the work.
    Page(bool),
    /// Wait this long, then answer normally.
    Slow(Duration),
    /// Do the work, then close the connection without an answer.
    Lost,
    /// Close the connection at once without doing the work.
    Drop,
    /// Do the work, announce the full length of the answer, send half of it, and close.
    Truncate,
    /// Somebody else interferes: before `actions` and `save_labels`, after `get_tasks` and `get_labels`.
    Conflict,
    /// Signed URLs in the answer have already expired; for a download, its own has.
    Expire,
    /// The server's clock is this many seconds ahead, or behind if negative.
    Clock(i64),
}

/// One fault to inject.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultSpec {
    /// The affected requests.
    pub target: FaultTarget,
    /// What it does to them.
    pub action: FaultAction,
    /// Share of the affected requests, 0.0 to 1.0.
    pub share: f64,
    /// How many times at most.
    pub limit: Option<u64>,
}

impl FromStr for FaultSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: String| {
            format!(
                "--fault {text:?}: {why}; write TARGET:ACTION@PERCENT%, for example save_labels:500@2%"
            )
        };
        let (target, rest) = text
            .split_once(':')
            .ok_or_else(|| wrong("it has no `:`".into()))?;
        let target = target.trim().parse::<FaultTarget>().map_err(&wrong)?;
        let (rest, limit) = match rest.split_once('*') {
            None => (rest, None),
            Some((rest, n)) => {
                let n = n
                    .trim()
                    .parse()
                    .map_err(|_| wrong(format!("{n:?} is not a number of times")))?;
                (rest, Some(n))
            }
        };
        let (action, share) = match rest.split_once('@') {
            None => (rest, 1.0),
            Some((action, share)) => (action, percent(share).map_err(&wrong)?),
        };
        let action = parse_action(action.trim()).map_err(&wrong)?;
        possible(target, action).map_err(&wrong)?;
        Ok(Self {
            target,
            action,
            share,
            limit,
        })
    }
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text
        .trim()
        .strip_suffix('%')
        .ok_or_else(|| format!("{text:?} has no percent sign"))?;
    let value: f64 = number
        .trim()
        .parse()
        .map_err(|_| format!("{number:?} is not a number"))?;
    if !(0.0..=100.0).contains(&value) {
        return Err(format!("{number}% is not between 0% and 100%"));
    }
    Ok(value / 100.0)
}

/// The actions without an argument.
const ACTIONS: [(&str, FaultAction); 6] = [
    ("lost", FaultAction::Lost),
    ("drop", FaultAction::Drop),
    ("truncate", FaultAction::Truncate),
    ("conflict", FaultAction::Conflict),
    ("expire", FaultAction::Expire),
    ("page", FaultAction::Page(false)),
];
/// The suffix of an error status or `page` that does the work first.
const APPLIED: &str = "!applied";
/// The actions with a duration, with an example.
const TIMED: [(&str, &str); 3] = [
    ("slow", "slow/2s"),
    ("ahead", "ahead/400s"),
    ("behind", "behind/400s"),
];
/// A day, in milliseconds.
const LONGEST_MS: f64 = 86_400_000.0;

fn parse_action(text: &str) -> Result<FaultAction, String> {
    let (text, applied) = match text.strip_suffix(APPLIED) {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let (name, argument) = match text.split_once('/') {
        None => (text, None),
        Some((name, argument)) => (name, Some(parse_duration(argument)?)),
    };
    if let Ok(status) = name.parse::<u16>() {
        if !(400..600).contains(&status) {
            return Err(format!("{status} is not an error status (400 to 599)"));
        }
        return Ok(match applied {
            true => FaultAction::Applied(status, argument),
            false => FaultAction::Status(status, argument),
        });
    }
    if applied && name != "page" {
        return Err(format!(
            "{APPLIED} works with an error status or page only, as in 403{APPLIED}"
        ));
    }
    if let Some((name, example)) = TIMED.into_iter().find(|(timed, _)| *timed == name) {
        let time = argument.ok_or_else(|| format!("{name} needs a duration, as in {example}"))?;
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        return Ok(match name {
            "ahead" => FaultAction::Clock(seconds),
            "behind" => FaultAction::Clock(-seconds),
            _ => FaultAction::Slow(time),
        });
    }
    if argument.is_some() {
        return Err(format!("{name} takes no duration"));
    }
    if applied {
        return Ok(FaultAction::Page(true));
    }
    let found = ACTIONS.into_iter().find(|(known, _)| *known == name);
    found.map(|(_, action)| action).ok_or_else(|| {
        let plain = ACTIONS.map(|(name, _)| name);
        format!(
            "unknown action {name:?}{}; known are an error status (500, 429/4s, 403!applied), {}, {}",
            did_you_mean(name, plain.into_iter().chain(TIMED.map(|(name, _)| name))),
            TIMED.map(|(_, example)| example).join(", "),
            plain.join(", ")
        )
    })
}

impl FaultAction {
    /// Whether it can affect requests to this endpoint. Others neither count nor use up its limit.
    fn strikes(self, endpoint: Endpoint) -> bool {
        use Endpoint as E;
        match self {
            Self::Conflict => matches!(
                endpoint,
                E::Actions | E::SaveLabels | E::GetTasks | E::GetLabels
            ),
            Self::Expire => matches!(
                endpoint,
                E::GetItems | E::CreateLabels | E::GetLabels | E::Download
            ),
            _ => true,
        }
    }
}

/// Refuses faults that can never affect a request.
fn possible(target: FaultTarget, action: FaultAction) -> Result<(), String> {
    let strikes = |e: &Endpoint| target.covers(*e) && action.strikes(*e);
    if Endpoint::ALL.iter().any(strikes) {
        return Ok(());
    }
    Err(match action {
        FaultAction::Conflict => {
            "conflict applies to actions, save_labels, get_tasks and get_labels only"
        }
        _ => {
            "expire applies to endpoints with signed URLs only: get_items, create_labels, get_labels and storage"
        }
    }
    .to_owned())
}

/// `250ms`, `2s`, `1m30s`: at most a day, in whole milliseconds.
fn parse_duration(text: &str) -> Result<Duration, String> {
    if text.parse::<f64>().is_ok() {
        return Err(format!("{text:?} has no unit; did you mean {text}s?"));
    }
    let span = SpanParser::new().parse_span(text);
    let time = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    let time = time.map_err(|_| {
        format!("{text:?} is not a duration; write e.g. 500ms, 30s, 5m, 2h, 1d or 1h30m")
    })?;
    let rounded = Duration::try_from(time).map(|t| (t.as_secs_f64() * 1000.0).round());
    match rounded {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to a day
        Ok(ms) if ms <= LONGEST_MS => Ok(Duration::from_millis(ms as u64)),
        _ => Err(format!("{text:?} is not between 0 and a day")),
    }
}

fn spell(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{}s", duration.as_secs())
    } else {
        format!("{}ms", duration.as_millis())
    }
}

impl fmt::Display for FaultSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.target)?;
        match self.action {
            FaultAction::Status(status, after) | FaultAction::Applied(status, after) => {
                write!(f, "{status}")?;
                if let Some(after) = after {
                    write!(f, "/{}", spell(after))?;
                }
                if matches!(self.action, FaultAction::Applied(..)) {
                    f.write_str(APPLIED)?;
                }
            }
            FaultAction::Page(true) => write!(f, "page{APPLIED}")?,
            FaultAction::Slow(time) => write!(f, "slow/{}", spell(time))?,
            FaultAction::Clock(s) if s < 0 => write!(f, "behind/{}s", s.unsigned_abs())?,
            FaultAction::Clock(s) => write!(f, "ahead/{s}s")?,
            plain => {
                let found = ACTIONS.iter().find(|(_, action)| *action == plain);
                f.write_str(found.map_or("", |(name, _)| name))?;
            }
        }
        write!(f, "@{}%", self.share * 100.0)?;
        self.limit.map_or(Ok(()), |n| write!(f, "*{n}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_faults_round_trip() {
        for text in [
            "save_labels:500@2%",
            "actions:lost@0.5%",
            "any:429/4s@1%",
            "get_tasks:slow/2s@5%",
            "any:ahead/400s@100%",
            "get:behind/60s@100%*3",
            "storage:page@100%*1",
            "storage:truncate@1%",
            "get:drop@1%",
            "any:slow/250ms@100%*3",
            "actions:403!applied@100%",
            "actions:429/1s!applied@100%*1",
            "save_labels:page@100%",
            "write:page!applied@5%",
        ] {
            let spec: FaultSpec = text.parse().unwrap();
            assert_eq!(spec.to_string(), text);
        }
    }

    #[test]
    fn durations_up_to_a_day_are_read_as_in_the_shared_table() {
        let table = include_str!("../../../agent-abi/macros/tests/durations.txt");
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let (text, ms) = line.split_once('|').unwrap();
            let ms = ms.trim().parse().ok().filter(|ms| *ms <= 86_400_000);
            let read = parse_duration(text.trim()).ok();
            assert_eq!(read, ms.map(Duration::from_millis), "{line}");
        }
    }

    #[test]
    fn an_invalid_fault_is_explained() {
        for (text, word) in [
            ("save_label:500@2%", "save_labels"),
            ("any:500@2", "percent"),
            ("any:500@200%", "100%"),
            ("any:200", "error status"),
            ("any:slow", "slow/2s"),
            ("actions:lost!applied", "403!applied"),
            ("any:lose@1%", "did you mean lost?"),
            ("save_lables:500", "did you mean save_labels?"),
            ("priorities:conflict", "conflict applies to"),
            ("get_tasks:expire", "signed URLs"),
            ("write:expire", "signed URLs"),
            ("storage:conflict", "conflict applies to"),
            ("any:slow/25h", "a day"),
            ("any:slow/2", "did you mean 2s?"),
            ("any:slow/2 parsecs", "not a duration"),
            ("any:slow/9999m", "a day"),
            ("any", "`:`"),
        ] {
            let problem = text.parse::<FaultSpec>().unwrap_err();
            assert!(problem.contains(word), "{problem}");
        }
    }
}
