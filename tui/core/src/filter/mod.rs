//! The filter language of the queue, `--filter` and `tasks`.
//!
//! Bare words match the title; `field:value`, `field~part`, `field>n` and friends match fields;
//! `-` negates, `|` between two terms is "or". What stands in quotes is text: blanks, commas and
//! operators in it do not count. Unknown fields are answered with the nearest known one.
//!
//! Most terms are decided by the task as it was listed. Priority, client metadata and labels stand in
//! the label row, which costs requests: [`Filter::asks`] is what is needed, [`Filter::cheap`] is the
//! part that can be decided before it is there.

mod term;
mod words;

use crate::ids::Millis;
use crate::span;
use crate::work::{LastResult, TaskRow, TaskStatus};
use crate::workflow::{Stage, nearest};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use term::{Cmp, Match, Route, Test};
use words::{Word, words};

/// Fields that a filter may name.
pub const FIELDS: [&str; 12] = [
    "title", "status", "age", "assignee", "branch", "pri", "meta.", "label", "result", "fault",
    "route", "build",
];

/// Each form with what it matches, for help and reference.
pub const FORMS: &[(&str, &str)] = &[
    (
        "night",
        "the title contains it; upper and lower case are equal",
    ),
    ("title~night", "the same; title:NAME is the whole title"),
    (
        "title:\"a, b\"",
        "in quotes, blanks, commas and colons are text; a backslash comes before a quote",
    ),
    ("status:new,reopened", "the status is one of these"),
    ("age>2d", "changed longer ago; ms s m h d w, also 1h30m"),
    ("assignee:none", "nobody is assigned; or a part of a name"),
    ("branch:main", "the label branch"),
    ("pri>=0.5", "the priority; > >= < <= ="),
    (
        "meta.site=cam3",
        "a value of the client metadata; meta.a.b goes deeper",
    ),
    (
        "meta.lux>100",
        "one that is a number; ~ is a part, :none is without",
    ),
    (
        "label:Car>3",
        "labels of that name in the row; alone: at least one",
    ),
    ("label>3", "labels that the last outcome added"),
    (
        "result:error",
        "the last outcome: ok, error, none, or a part of it",
    ),
    (
        "fault:1a2b3c4d",
        "failed like this; a run names its groups of failures so",
    ),
    (
        "route:skip",
        "the pathway of the last outcome, by name or UUID; route:\"stage Archive\": moved to a stage without one",
    ),
    ("build:42", "the build of the last outcome"),
];

/// What is known of a task when it is matched.
pub struct Facts<'a> {
    /// The task.
    pub row: &'a TaskRow,
    /// Now.
    pub now: Millis,
    /// What the last job gave.
    pub result: Option<&'a LastResult>,
    /// What stands in its label row, when that was read; terms about it do not hold without.
    pub known: Option<&'a Known>,
}

/// What stands in a label row, as far as filters look at it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Known {
    /// Priority, 0.0 to 1.0.
    pub priority: Option<f64>,
    /// Client metadata.
    pub metadata: Option<Map<String, Value>>,
    /// Number of objects and classifications by name; `None`: not read.
    pub labels: Option<BTreeMap<String, u64>>,
    /// It was asked for and could not be read, so that nothing of it is known.
    pub unreadable: bool,
}

/// What a filter needs beside the tasks as listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    /// Priority or client metadata.
    pub row: bool,
    /// The labels.
    pub labels: bool,
}

impl Asks {
    /// Whether `known` answers this.
    #[must_use]
    pub const fn answered_by(self, known: &Known) -> bool {
        !self.labels || known.labels.is_some() || known.unreadable
    }

    /// Whether anything is needed.
    #[must_use]
    pub const fn any(self) -> bool {
        self.row || self.labels
    }
}

/// A parsed filter: all groups must match, in a group any term.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    groups: Vec<Vec<Term>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Term {
    negated: bool,
    test: Test,
}

impl Term {
    /// A term about a label row that was not read holds neither way.
    fn holds(&self, facts: &Facts<'_>) -> bool {
        let asks = self.test.asks();
        let known = |known: &Known| asks.answered_by(known) && !known.unreadable;
        let decided = !asks.any() || facts.known.is_some_and(known);
        decided && self.test.holds(facts) != self.negated
    }
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// What is wrong with it and what was perhaps meant.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut groups: Vec<Vec<Term>> = Vec::new();
        let mut join = false;
        for word in words(text) {
            if word.is_bar() {
                join = true;
                continue;
            }
            let term = parse_term(&word)?;
            match groups.last_mut() {
                Some(group) if join => group.push(term),
                _ => groups.push(vec![term]),
            }
            join = false;
        }
        Ok(Self { groups })
    }

    /// Whether everything matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Whether each name in it means one thing in these stages.
    ///
    /// # Errors
    /// Two pathways of a stage have the name of a route; with the UUIDs that can be written instead.
    pub fn is_clear_in(&self, stages: &[Stage]) -> Result<(), String> {
        let routes = self
            .groups
            .iter()
            .flatten()
            .filter_map(|term| match &term.test {
                Test::Route(routes) => Some(routes),
                _ => None,
            });
        let routes: Vec<&Route> = routes.flatten().collect();
        let unclear = |stage| routes.iter().find_map(|route| route.unclear(stage));
        stages.iter().find_map(unclear).map_or(Ok(()), Err)
    }

    /// What must be read beside the tasks as listed before [`Filter::matches`] gives a true result.
    #[must_use]
    pub fn asks(&self) -> Asks {
        let mut all = Asks::default();
        for term in self.groups.iter().flatten() {
            let asks = term.test.asks();
            all.row |= asks.row;
            all.labels |= asks.labels;
        }
        all
    }

    /// The part that can be decided by the tasks as listed: whatever it refuses, the whole filter
    /// refuses too.
    #[must_use]
    pub fn cheap(&self) -> Self {
        let decided = |group: &&Vec<Term>| !group.iter().any(|t| t.test.asks().any());
        Self {
            groups: self.groups.iter().filter(decided).cloned().collect(),
        }
    }

    /// Whether a task matches.
    #[must_use]
    pub fn matches(&self, facts: &Facts<'_>) -> bool {
        self.groups
            .iter()
            .all(|group| group.iter().any(|term| term.holds(facts)))
    }
}

/// The term that holds for tasks whose `field` has this value: `route:"to people"`.
#[must_use]
pub fn term(field: &str, value: &str) -> String {
    format!("{field}:{}", words::quoted(value))
}

const OPERATORS: [char; 5] = [':', '~', '>', '<', '='];

fn parse_term(word: &Word) -> Result<Term, String> {
    let (negated, body) = match word.strip('-') {
        Some(rest) if !rest.is_empty() => (true, rest),
        _ => (false, word.clone()),
    };
    let test = match body.split_at_run(&OPERATORS) {
        Some((field, operator, value)) if !field.is_empty() => {
            parse_test(&field.text(), &operator, &value)?
        }
        _ => Test::Title(body.text().to_lowercase()),
    };
    Ok(Term { negated, test })
}

/// Statuses, or how they begin. One that no task can have would match nothing, without a word.
fn statuses(list: Vec<String>) -> Result<Test, String> {
    let known = || TaskStatus::ALL.iter().map(|s| s.wire().to_lowercase());
    match list.iter().find(|s| !known().any(|k| k.starts_with(*s))) {
        None => Ok(Test::Status(list)),
        Some(wrong) => Err(format!(
            "no status \"{wrong}\"; there are {}",
            known().collect::<Vec<_>>().join(", ")
        )),
    }
}

fn parse_test(field: &str, operator: &str, word: &Word) -> Result<Test, String> {
    let values = || word.values().into_iter();
    let list = || values().map(|v| v.to_lowercase()).collect::<Vec<_>>();
    let text = word.text();
    let value = text.as_str();
    let number = |what: &str| {
        value
            .parse::<u64>()
            .map_err(|_| format!("{field}{operator}{value}: {what} is a number"))
    };
    match (field, operator) {
        ("title", "~") => Ok(Test::Title(value.to_lowercase())),
        ("title", _) => Ok(Test::TitleIs(list())),
        ("status", _) => statuses(list()),
        ("age", _) => Ok(Test::Age(cmp(operator)?, age(operator, value)?)),
        ("assignee", _) => Ok(Test::Assignee(list())),
        ("branch", _) => Ok(Test::Branch(list())),
        ("result", _) => Ok(Test::Result(list())),
        ("fault", _) => errors(&word.values()),
        ("route", _) => Ok(Test::Route(values().map(|v| Route::read(&v)).collect())),
        ("build", _) => Ok(Test::Build(cmp(operator)?, number("a build")?)),
        ("label", ":" | "=") if value.parse::<u64>().is_err() => named_labels(word),
        ("label", _) => Ok(Test::Labels(cmp(operator)?, number("a count of labels")?)),
        ("pri" | "priority", _) => Ok(Test::Priority(cmp(operator)?, decimal(value)?)),
        (meta, _) if meta.starts_with("meta.") => metadata(&meta["meta.".len()..], operator, word),
        ("meta" | "metadata", _) => Err("meta.NAME=VALUE looks at the client metadata".to_owned()),
        _ => {
            let near = nearest(field, FIELDS.iter().copied());
            let hint = near.first().map_or_else(
                || format!("fields: {}", FIELDS.join(", ")),
                |near| format!("did you mean {near}{operator}{value}?"),
            );
            Err(format!("no field \"{field}\"; {hint}"))
        }
    }
}

/// `Car`, `Car>3`, `Car<=2`: how many labels of that name.
fn named_labels(word: &Word) -> Result<Test, String> {
    let Some((name, operator, count)) = word.split_at_run(&['>', '<', '=']) else {
        let name = word.text();
        return match name.is_empty() {
            true => Err("label:NAME, or label:NAME>3".to_owned()),
            false => Ok(Test::LabelsNamed(name, Cmp::More, 0)),
        };
    };
    if name.is_empty() {
        return Err("label:NAME, or label:NAME>3".to_owned());
    }
    let count = (count.text().parse())
        .map_err(|_| format!("label:{}: a count of labels is a number", word.text()))?;
    Ok(Test::LabelsNamed(name.text(), cmp(&operator)?, count))
}

fn metadata(path: &str, operator: &str, word: &Word) -> Result<Test, String> {
    if path.is_empty() {
        return Err("meta.NAME=VALUE looks at the client metadata".to_owned());
    }
    let path = path.split('.').map(str::to_owned).collect();
    let wanted = match operator {
        "~" => Match::Has(word.text().to_lowercase()),
        ":" | "=" => Match::Is(word.values()),
        _ => Match::Number(cmp(operator)?, decimal(&word.text())?),
    };
    Ok(Test::Meta(path, wanted))
}

fn decimal(value: &str) -> Result<f64, String> {
    match value.parse::<f64>() {
        Ok(n) if n.is_finite() => Ok(n),
        _ => Err(format!("\"{value}\" is not a number")),
    }
}

/// `1a2b3c4d`, or several with commas.
fn errors(values: &[String]) -> Result<Test, String> {
    let one = |text: &String| {
        u32::from_str_radix(text, 16)
            .map_err(|_| format!("fault:{text}: a group of failures is named like fault:1a2b3c4d"))
    };
    let list: Result<_, _> = values.iter().map(one).collect();
    list.map(Test::Error)
}

/// An age has a unit, as every span of time.
fn age(operator: &str, value: &str) -> Result<u64, String> {
    span::read(value).map_err(|why| format!("age{operator}{value}: {why}"))
}

fn cmp(operator: &str) -> Result<Cmp, String> {
    match operator {
        ">" => Ok(Cmp::More),
        ">=" => Ok(Cmp::MoreEq),
        "<" => Ok(Cmp::Less),
        "<=" => Ok(Cmp::LessEq),
        ":" | "=" => Ok(Cmp::Equal),
        other => Err(format!("\"{other}\" compares nothing; use > >= < <= =")),
    }
}

#[cfg(test)]
mod tests;
