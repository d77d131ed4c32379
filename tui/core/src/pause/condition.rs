//! Conditions of pause points: a small language over the value at a place and the facts of its task.
//!
//! `count(score > 0.5) < 5`, `route == "skip"`, `ms > 500`, `error`. How it is read is left to `parse`, what it
//! comes to for given values to `eval`.

mod eval;
mod parse;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// A condition, parsed. In documents it is the text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Condition {
    text: String,
    expr: Expr,
}

/// Why a text is not a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionError {
    /// Where, in characters from 0.
    pub at: usize,
    /// What is wrong there.
    pub why: String,
}

impl From<Condition> for String {
    fn from(condition: Condition) -> Self {
        condition.text
    }
}

impl TryFrom<String> for Condition {
    type Error = ConditionError;

    fn try_from(text: String) -> Result<Self, ConditionError> {
        Self::parse(&text)
    }
}

impl fmt::Display for ConditionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at character {})", self.why, self.at + 1)
    }
}

/// What a condition is evaluated over.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'s> {
    /// The value at the place: its own names take precedence.
    pub value: &'s Value,
    /// `title`, `kind`, `name`, `ms`, `route`, `error`, `priority`, `labels`, …: an object.
    pub facts: &'s Value,
    /// The value at the place, where `value` is an element of a list in it.
    outer: Option<&'s Value>,
}

impl<'s> Scene<'s> {
    /// A value and the facts beside it.
    #[must_use]
    pub const fn new(value: &'s Value, facts: &'s Value) -> Self {
        Self {
            value,
            facts,
            outer: None,
        }
    }

    /// What has a name beside the value: the object around it, then the facts.
    fn further(&self, name: &str) -> Option<&'s Value> {
        let outer = self.outer.and_then(Value::as_object);
        let around = outer.and_then(|outer| outer.get(name));
        around.or_else(|| self.facts.get(name))
    }
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// Where it cannot be read, and why.
    pub fn parse(text: &str) -> Result<Self, ConditionError> {
        let text = text.trim();
        let expr = parse::parse(text)?;
        let text = text.to_owned();
        Ok(Self { text, expr })
    }

    /// As it was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// It compares or computes with what does not fit, such as a text with a number.
    pub fn holds(&self, scene: Scene<'_>) -> Result<bool, String> {
        eval::truth(&self.expr, scene)
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Expr {
    Literal(Value),
    /// A name of the value or of the facts, and what is read of it.
    Path(Vec<PathKey>),
    Not(Box<Self>),
    Negative(Box<Self>),
    Binary(Op, Box<Self>, Box<Self>),
    /// Over the elements of a list; `None`: the list that is the value, or its only one.
    Fold(Fold, Option<Box<Self>>, Option<Box<Self>>),
    Length(Box<Self>),
    Contains(Box<Self>, Box<Self>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum PathKey {
    Name(String),
    Place(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Plus,
    Minus,
    Times,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fold {
    Count,
    Any,
    All,
    Min,
    Max,
    Sum,
}

impl Fold {
    const ALL: [(&'static str, Self); 6] = [
        ("count", Self::Count),
        ("any", Self::Any),
        ("all", Self::All),
        ("min", Self::Min),
        ("max", Self::Max),
        ("sum", Self::Sum),
    ];

    fn of(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, fold)| *fold)
    }
}
