//! The filter language of the queue, `--filter` and `tasks`.
//!
//! Bare words match the title; `field:value`, `field~part`, `field>n` and friends match fields;
//! `-` negates, `|` between two terms is "or", quotes hold blanks together. Unknown fields are
//! answered with the nearest known one.

use crate::ids::Millis;
use crate::queue::LastResult;
use crate::work::TaskRow;
use crate::workflow::nearest;

/// Fields that a filter may name.
pub const FIELDS: [&str; 9] = [
    "title", "status", "age", "assignee", "branch", "result", "route", "build", "label",
];

/// What is known of a task when it is matched.
pub struct Facts<'a> {
    /// The task.
    pub row: &'a TaskRow,
    /// Now.
    pub now: Millis,
    /// What the last job gave.
    pub result: Option<&'a LastResult>,
}

/// A parsed filter: all groups must match, in a group any term.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    groups: Vec<Vec<Term>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Term {
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Title(String),
    TitleIs(Vec<String>),
    Status(Vec<String>),
    Age(Cmp, u64),
    Assignee(Vec<String>),
    Branch(Vec<String>),
    Result(Vec<String>),
    Route(Vec<String>),
    Build(Cmp, u64),
    Labels(Cmp, u64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Cmp {
    Less,
    LessEq,
    Equal,
    MoreEq,
    More,
}

impl Cmp {
    const fn holds(self, left: u64, right: u64) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessEq => left <= right,
            Self::Equal => left == right,
            Self::MoreEq => left >= right,
            Self::More => left > right,
        }
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
            if word == "|" {
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

    /// Whether a task matches.
    #[must_use]
    pub fn matches(&self, facts: &Facts<'_>) -> bool {
        self.groups
            .iter()
            .all(|group| group.iter().any(|t| t.test.holds(facts) != t.negated))
    }
}

/// Splits at blanks, keeps quoted parts together.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '|' if !quoted => {
                words.push(std::mem::take(&mut word));
                words.push("|".into());
            }
            c if c.is_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|w| !w.is_empty());
    words
}

fn parse_term(word: &str) -> Result<Term, String> {
    let (negated, body) = match word.strip_prefix('-') {
        Some(rest) if !rest.is_empty() => (true, rest),
        _ => (false, word),
    };
    let split = body.find([':', '~', '>', '<', '=']);
    let test = match split {
        None | Some(0) => Test::Title(body.to_lowercase()),
        Some(at) => {
            let (field, rest) = body.split_at(at);
            let value = rest.trim_start_matches([':', '~', '>', '<', '=']);
            let operator = &rest[..rest.len() - value.len()];
            parse_test(field, operator, value)?
        }
    };
    Ok(Term { negated, test })
}

fn parse_test(field: &str, operator: &str, value: &str) -> Result<Test, String> {
    let list = || value.split(',').map(str::to_lowercase).collect::<Vec<_>>();
    let number = |what: &str| {
        value
            .parse::<u64>()
            .map_err(|_| format!("{field}{operator}{value}: {what} is a number"))
    };
    match (field, operator) {
        ("title", "~") => Ok(Test::Title(value.to_lowercase())),
        ("title", _) => Ok(Test::TitleIs(list())),
        ("status", _) => Ok(Test::Status(list())),
        ("age", _) => Ok(Test::Age(cmp(operator)?, duration_ms(value)?)),
        ("assignee", _) => Ok(Test::Assignee(list())),
        ("branch", _) => Ok(Test::Branch(list())),
        ("result", _) => Ok(Test::Result(list())),
        ("route", _) => Ok(Test::Route(list())),
        ("build", _) => Ok(Test::Build(cmp(operator)?, number("a build")?)),
        ("label", _) => Ok(Test::Labels(cmp(operator)?, number("a count of labels")?)),
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

/// `90s`, `5m`, `3h`, `2d`, `1w` in milliseconds.
fn duration_ms(value: &str) -> Result<u64, String> {
    let digits = value.trim_end_matches(char::is_alphabetic);
    let count: u64 = digits
        .parse()
        .map_err(|_| format!("\"{value}\" is no age; write 2d, 3h, 45m"))?;
    let unit = match &value[digits.len()..] {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "" | "d" => 86_400,
        "w" => 604_800,
        other => return Err(format!("\"{other}\" is no unit of time; use s m h d w")),
    };
    Ok(count.saturating_mul(unit).saturating_mul(1000))
}

impl Test {
    fn holds(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::Title(part) => contains_ignoring_case(&facts.row.title, part),
            Self::TitleIs(list) => list.iter().any(|t| facts.row.title.eq_ignore_ascii_case(t)),
            Self::Status(list) => {
                let word = facts.row.status.wire();
                list.iter()
                    .any(|s| word.len() >= s.len() && word[..s.len()].eq_ignore_ascii_case(s))
            }
            Self::Age(cmp, ms) => cmp.holds(facts.now.since(facts.row.updated), *ms),
            Self::Assignee(list) => list.iter().any(|a| match &facts.row.assignee {
                None => a == "none",
                Some(who) => contains_ignoring_case(who, a),
            }),
            Self::Branch(list) => list
                .iter()
                .any(|b| facts.row.branch.eq_ignore_ascii_case(b)),
            Self::Result(list) => list.iter().any(|r| result_is(facts.result, r)),
            Self::Route(list) => facts
                .result
                .is_some_and(|r| !r.failed && list.iter().any(|l| r.text.eq_ignore_ascii_case(l))),
            Self::Build(cmp, n) => facts
                .result
                .is_some_and(|r| cmp.holds(u64::from(r.build.0), *n)),
            Self::Labels(cmp, n) => facts
                .result
                .is_some_and(|r| cmp.holds(r.labels.0 as u64, *n)),
        }
    }
}

fn result_is(result: Option<&LastResult>, word: &str) -> bool {
    match word {
        "none" => result.is_none(),
        "ok" => result.is_some_and(|r| !r.failed),
        "error" | "failed" => result.is_some_and(|r| r.failed),
        other => result.is_some_and(|r| contains_ignoring_case(&r.text, other)),
    }
}

/// Whether `text` contains `part` (already in lower case). ASCII without allocation, since a
/// hundred thousand titles are tried at every key; other letters by a lower-cased copy.
fn contains_ignoring_case(text: &str, part: &str) -> bool {
    if part.is_empty() {
        return true;
    }
    if !part.is_ascii() {
        return text.to_lowercase().contains(part);
    }
    let (text, part) = (text.as_bytes(), part.as_bytes());
    let first = part[0];
    text.len() >= part.len()
        && (0..=text.len() - part.len()).any(|i| {
            text[i].to_ascii_lowercase() == first
                && text[i..i + part.len()].eq_ignore_ascii_case(part)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{BuildId, DataHash, TaskId};
    use crate::work::TaskStatus;
    use uuid::Uuid;

    fn row(title: &str) -> TaskRow {
        TaskRow {
            id: TaskId(Uuid::nil()),
            data: DataHash(Uuid::nil()),
            created: Millis(0),
            updated: Millis(0),
            title: title.into(),
            assignee: Some("ann@example.test".into()),
            branch: "main".into(),
            status: TaskStatus::New,
        }
    }

    fn hit(filter: &str, title: &str) -> bool {
        let result = LastResult {
            build: BuildId(42),
            text: "skip".into(),
            failed: false,
            labels: (4, 0, 0),
            ms: 1.0,
            at: Millis(0),
        };
        let row = row(title);
        let facts = Facts {
            row: &row,
            now: Millis(3 * 86_400_000),
            result: Some(&result),
        };
        Filter::parse(filter).unwrap().matches(&facts)
    }

    #[test]
    fn bare_words_match_the_title_and_all_must_match() {
        assert!(hit("night CAM3", "cam3_night_000412.jpg"));
        assert!(!hit("night cam4", "cam3_night_000412.jpg"));
        assert!(hit("\"two words\"", "has two words inside"));
        assert!(!hit("\"two words\"", "two other words"));
        assert!(hit("straße", "STRASSE straße"));
    }

    #[test]
    fn fields_compare_negate_and_join() {
        assert!(hit("status:new,reopened age>2d", "x"));
        assert!(!hit("age>4d", "x"));
        assert!(hit("-title~night", "day"));
        assert!(hit("title~night | title~day", "day"));
        assert!(hit(
            "assignee:ann build:42 label>3 route:skip result:ok",
            "x"
        ));
        assert!(!hit("-result:ok", "x"));
    }

    #[test]
    fn an_unknown_field_is_answered_with_the_nearest() {
        assert_eq!(
            Filter::parse("statsu:new").unwrap_err(),
            "no field \"statsu\"; did you mean status:new?"
        );
        assert!(Filter::parse("age>tomorrow").unwrap_err().contains("2d"));
    }

    #[test]
    fn half_typed_filters_never_panic() {
        for text in [
            "-",
            "|",
            "\"",
            ":",
            "age>",
            "status:",
            "~",
            "ä",
            "-|-",
            "status:ä",
        ] {
            if let Ok(filter) = Filter::parse(text) {
                let row = row("é");
                let _ = filter.matches(&Facts {
                    row: &row,
                    now: Millis(0),
                    result: None,
                });
            }
        }
    }
}
