//! What is copied to the terminal's clipboard: the value under the cursor, or the shell command that does
//! the same. Each layer provides both; sending the text is left to the binary.

use crate::Ui;
use std::borrow::Cow;
use wb_core::command::Command;
use wb_core::error::Error;
use wb_core::run::{RunSpec, Source};
use wb_core::state::State;
use wb_core::state::shell;

/// Common terminals refuse more than this many bytes.
pub const MOST: usize = 64 * 1024;

impl Ui {
    /// Copies what the cursor is on.
    pub(crate) fn copy_value(&mut self, state: &State) -> Vec<Command> {
        let found = self.top(|layer| layer.value(self, state));
        self.copy(found)
    }

    /// Copies the shell command that does the same.
    pub(crate) fn copy_command(&mut self, state: &State) -> Vec<Command> {
        let words = self.top(|layer| layer.shell_command(self, state));
        let text = |words: Vec<String>| format!("workbench {}", shell::quoted(&words));
        self.copy(words.map(|words| ("the command".to_owned(), text(words))))
    }

    pub(crate) fn copy(&mut self, found: Option<(String, String)>) -> Vec<Command> {
        if let (true, Some((_, text))) = (self.linear, &found) {
            // It is written out: nobody needs a clipboard for it.
            self.copied = Some(text.clone());
            return Vec::new();
        }
        self.notice = Some(match found {
            None => "there is nothing to copy here".into(),
            Some((what, text)) if text.len() > MOST => {
                format!(
                    "{what}: too long for a clipboard (more than {} kB)",
                    MOST / 1024
                )
            }
            Some((what, text)) => {
                self.copied = Some(text);
                format!("copied {what} (needs a terminal that supports OSC 52)")
            }
        });
        Vec::new()
    }

    /// The text for the clipboard, once.
    pub fn take_copied(&mut self) -> Option<String> {
        self.copied.take()
    }
}

/// An error with its causes, its place, its hints and its details.
pub fn error_text(error: &Error) -> String {
    let mut all = vec![error.summary.clone()];
    all.extend(error.reasons().map(Cow::into_owned));
    all.extend(error.hints.iter().map(|hint| format!("→ {hint}")));
    all.extend(error.details.clone());
    all.join("\n")
}

/// The command that runs these tasks; it holds every write where the screen does.
pub fn of_source(state: &State, source: Source) -> Vec<String> {
    let spec = RunSpec {
        source,
        ..RunSpec::default()
    };
    shell::run(state, &spec, state.writes_at_once())
}
