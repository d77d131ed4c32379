//! Findings: how each is shown to a person and to a script, and which of them keep tasks from being begun.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use wb_core::error::{Error, ErrorKind};
use wb_core::text::clean;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What, in a word.
    pub check: &'static str,
    /// How it stands.
    pub mark: Mark,
    /// One line.
    pub message: String,
    /// The same as a sentence of its own, for a command that stops at it.
    pub sentence: Option<String>,
    /// Further lines: where, why.
    pub details: Vec<String>,
    /// What to do, the best first.
    pub fix: Vec<String>,
}

/// How a finding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// No task is begun.
    Bad,
}

impl Finding {
    /// As it should be.
    pub fn good(check: &'static str, message: impl Into<String>) -> Self {
        Self {
            check,
            mark: Mark::Good,
            message: message.into(),
            sentence: None,
            details: Vec::new(),
            fix: Vec::new(),
        }
    }

    /// Worth knowing.
    pub fn note(check: &'static str, message: impl Into<String>) -> Self {
        Self {
            mark: Mark::Note,
            ..Self::good(check, message)
        }
    }

    /// Wrong, and what to do.
    pub fn bad(check: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        let fix = Some(fix.into()).filter(|fix| !fix.is_empty());
        Self {
            mark: Mark::Bad,
            fix: fix.into_iter().collect(),
            ..Self::good(check, message)
        }
    }

    /// The lines that a person reads.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = match self.mark {
            Mark::Good => format!("✓ {:16} {}", self.check, clean(&self.message)),
            Mark::Note => format!("! {}", clean(&self.message)),
            Mark::Bad => format!("✗ {}", clean(&self.message)),
        };
        for line in &self.details {
            text.push_str(&format!("\n  {}", clean(line)));
        }
        for line in &self.fix {
            text.push_str(&format!("\n  → {}", clean(line)));
        }
        text
    }

    /// The same for a script.
    #[must_use]
    pub fn json(&self) -> Value {
        let fix = (!self.fix.is_empty()).then(|| self.fix.join("\n"));
        let mut json = json!({"check": self.check, "ok": self.mark != Mark::Bad, "message": self.message, "fix": fix});
        if !self.details.is_empty() {
            json["details"] = json!(self.details);
        }
        json
    }
}

/// The first finding that keeps tasks from being begun, with all others beside it.
///
/// # Errors
/// There is one.
pub fn none_bad(findings: Vec<Finding>) -> Result<(), Error> {
    let mut bad = findings.into_iter().filter(|f| f.mark == Mark::Bad);
    let Some(first) = bad.next() else {
        return Ok(());
    };
    let summary = first.sentence.unwrap_or(first.message);
    let mut error = Error::new(ErrorKind::Settings, summary);
    let (mut lines, mut fixes) = (first.details, first.fix);
    for other in bad {
        lines.push(other.message);
        lines.extend(other.details);
        fixes.extend(other.fix);
    }
    if !lines.is_empty() {
        error = error.because(lines.join("\n"));
    }
    let mut shown = BTreeSet::new();
    for fix in fixes.into_iter().filter(|fix| shown.insert(fix.clone())) {
        error = error.hint(fix);
    }
    Err(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_one_fault_with_each_fix_once() {
        let fine = vec![
            Finding::good("project", "P"),
            Finding::note("stage", "no agent"),
        ];
        assert_eq!(none_bad(fine), Ok(()));
        let bad = |message: &str| Finding::bad("pathway", message, "there are: a, b");
        let error = none_bad(vec![Finding::good("x", "y"), bad("one"), bad("two")]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Settings);
        assert_eq!(
            (error.summary.as_str(), error.cause.as_deref()),
            ("one", Some("two"))
        );
        assert_eq!(error.hints, ["there are: a, b"]);
    }

    #[test]
    fn a_finding_is_printed_as_lines_and_as_json() {
        let bad = Finding::bad("pathway", "no \u{7}such", "there are: a");
        assert_eq!(bad.text(), "✗ no such\n  → there are: a");
        assert_eq!(Finding::good("twin", "T").text(), "✓ twin             T");
        let json = bad.json();
        assert_eq!(
            (&json["ok"], &json["fix"]),
            (&json!(false), &json!("there are: a"))
        );
        assert!(Finding::note("stage", "s").json()["fix"].is_null());
    }
}
