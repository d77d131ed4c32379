//! A run of this screen that goes on without it, and the runs without a screen that it hears of. Starting the process is left to
//! the engine.

use super::Session;
use crate::cli::Global;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{Effect, Event};
use wb_core::ids::ProjectHash;
use wb_core::run::RunRest;
use wb_engine::background::{self, BackgroundFlags, BackgroundNews};
use wb_engine::runtime::Engine;

/// Why a run cannot go on without a screen on which a passphrase was typed.
pub(super) const TYPED: &str = "the passphrase of the key was typed here, and nobody can be asked for it in the background \
    (an ssh-agent or ENCORD_SSH_KEY_PASSPHRASE has it for both)";

/// What the screen needs for it.
pub(super) struct Background {
    flags: BackgroundFlags,
    /// What is printed when the terminal is the shell's again.
    line: Option<String>,
    _news: Option<BackgroundNews>,
}

impl Background {
    /// Hears of runs without a screen from now on.
    pub(super) fn begin(global: &Global, project: ProjectHash, engine: &Engine) -> Self {
        let flags = global.flags();
        Self {
            flags: BackgroundFlags { flags, project },
            line: None,
            _news: BackgroundNews::begin(project, engine.news()),
        }
    }

    /// Where the run is now.
    pub(super) fn print(&mut self) {
        if let Some(line) = self.line.take() {
            notice!("{line}");
        }
    }
}

impl Session {
    /// Starts a process for what is left of the run, when that was asked for.
    pub(super) async fn go_on_if_asked(&mut self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::GoOnInBackground(rest) = effect {
                self.go_on(rest.clone()).await;
            }
        }
    }

    /// Leaves when the process has started.
    async fn go_on(&mut self, rest: Box<RunRest>) {
        let flags = self.background.flags.clone();
        let begun = tokio::task::spawn_blocking(move || background::begin(&rest, &flags)).await;
        let begun = begun.unwrap_or_else(|error| {
            let text = format!("what is left of the run was not handed over: {error}");
            Err(Error::new(ErrorKind::Bug, text))
        });
        match begun {
            Ok(run) => {
                let (number, progress) = (run.run, run.progress());
                self.background.line = Some(format!(
                    "run #{number} goes on in the background ({progress}): workbench attach {number}"
                ));
                self.quit = true;
            }
            Err(error) => drop(self.engine.feed(Event::NotInBackground(error))),
        }
    }
}
