//! Other programs while the screen is open: the editor has the terminal until it ends, and the engine goes on meanwhile.

use super::{Session, TICK};
use crate::editor;
use crate::signals::Signals;
use crate::terminal::{self, Screen, TerminalEvents};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use wb_core::code_place::CodePlace;
use wb_core::error::Error;
use wb_core::event::Effect;
use wb_core::text::clean;
use wb_engine::builder::Source;
use wb_engine::library::Library;
use wb_ui::{Outside, ValueText};

impl Session {
    /// Opens what was asked for; gives the events that are read from now on.
    ///
    /// # Errors
    /// The terminal cannot be used any more.
    pub(super) async fn open_outside(
        &mut self,
        what: Outside,
        screen: &mut Screen,
        events: TerminalEvents,
        signals: &mut Signals,
    ) -> Result<TerminalEvents, Error> {
        match what {
            Outside::Code(place) => return self.edit(&place, screen, events, signals).await,
            Outside::Value(value) => return self.edit_value(value, screen, events, signals).await,
            Outside::Page(url) => {
                if let Err(error) = editor::browse(&url) {
                    self.note(format!("copied {url} (no browser: {error})"));
                }
            }
        }
        Ok(events)
    }

    /// The file and line of a place, for whoever has an editor of their own.
    pub(super) fn file_and_line(&self, place: &CodePlace) -> String {
        let file = editor::file(place, &self.crates);
        let file = file.map_or_else(|| place.path.clone(), |file| file.display().to_string());
        clean(&format!("{file}:{}", place.line)).into_owned()
    }

    async fn edit(
        &mut self,
        place: &CodePlace,
        screen: &mut Screen,
        events: TerminalEvents,
        signals: &mut Signals,
    ) -> Result<TerminalEvents, Error> {
        let near = self.crates.clone();
        let Some(file) = editor::file(place, &near) else {
            let name = clean(&place.path).into_owned();
            self.note(format!(
                "{name}:{} is in no folder of the agents on this machine",
                place.line
            ));
            return Ok(events);
        };
        let (name, command) = editor::command(&file, place);
        let (ended, events) = self.lend_terminal(command, screen, events, signals).await?;
        if let Some(why) = failure(&ended) {
            self.note(format!("{}: {why}", clean(&name)));
        }
        Ok(events)
    }

    /// A value in the editor, as a file that only its owner can read and that is gone afterwards.
    async fn edit_value(
        &mut self,
        value: ValueText,
        screen: &mut Screen,
        events: TerminalEvents,
        signals: &mut Signals,
    ) -> Result<TerminalEvents, Error> {
        let file = match editor::value_file(&value.name, &value.text) {
            Ok(file) => file,
            Err(error) => {
                self.note(format!("no file for the editor could be written: {error}"));
                return Ok(events);
            }
        };
        let wrong = serde_json::from_str::<serde::de::IgnoredAny>(&value.text).err();
        let line = |error: serde_json::Error| u32::try_from(error.line()).unwrap_or(1);
        let place = CodePlace {
            path: file.path().display().to_string(),
            line: wrong.map_or(1, line).max(1),
            column: None,
        };
        let (name, command) = editor::command(file.path(), &place);
        let (ended, events) = self.lend_terminal(command, screen, events, signals).await?;
        if let Some(why) = failure(&ended) {
            self.note(format!("{}: {why}", clean(&name)));
            self.ui.edit_on_line(value, self.engine.state());
            return Ok(events);
        }
        let typed = tokio::fs::read_to_string(file.path()).await;
        let commands = match typed {
            Ok(text) => self.ui.value_typed(value, &text, self.engine.state()),
            Err(error) => {
                self.note(format!("what the editor wrote cannot be read: {error}"));
                Vec::new()
            }
        };
        for command in commands {
            self.begin.command(command, &mut self.engine);
        }
        Ok(events)
    }

    /// Gives the terminal to a program until it ends.
    async fn lend_terminal(
        &mut self,
        command: std::process::Command,
        screen: &mut Screen,
        events: TerminalEvents,
        signals: &mut Signals,
    ) -> Result<(std::io::Result<ExitStatus>, TerminalEvents), Error> {
        events.stop().await;
        screen.lend();
        let ended = self.while_it_runs(command, signals).await;
        screen.retake()?;
        Ok((ended, terminal::events()?))
    }

    /// Waits for a program; what comes in is taken in meanwhile. Ctrl-C is the program's.
    async fn while_it_runs(
        &mut self,
        command: std::process::Command,
        signals: &mut Signals,
    ) -> std::io::Result<ExitStatus> {
        let mut child = tokio::process::Command::from(command).spawn()?;
        let mut tick = tokio::time::interval(TICK);
        loop {
            let effects = tokio::select! {
                status = child.wait() => return status,
                effects = self.engine.turn() => effects,
                () = self.begin.next() => Vec::new(),
                ready = self.pictures.next() => { self.take(ready); Vec::new() }
                number = signals.next() => {
                    if number != INTERRUPT {
                        child.start_kill()?;
                        self.quit = true;
                    }
                    Vec::new()
                }
                _ = tick.tick() => self.engine.tick(),
            };
            let settled = self.begin.settle(&mut self.engine);
            self.quit |= effects.iter().chain(&settled).any(|e| *e == Effect::Exit);
        }
    }
}

/// Why a program has not done what it was started for.
fn failure(ended: &std::io::Result<ExitStatus>) -> Option<String> {
    match ended {
        Ok(status) if status.success() => None,
        Ok(status) => Some(status.to_string()),
        Err(error) => Some(error.to_string()),
    }
}

/// Number of the signal that Ctrl-C sends.
const INTERRUPT: u8 = 2;

/// Where the sources of the agents may be: the crates that are built, the libraries, and where this was started.
pub(super) fn crates(builds: &[Source], libraries: &[Library]) -> Vec<PathBuf> {
    let built = builds.iter().flat_map(Source::folders).map(Path::to_owned);
    let libraries = libraries.iter().map(|library| &library.path);
    let libraries = libraries.map(|l| std::path::absolute(l).unwrap_or_else(|_| l.clone()));
    let here = std::env::current_dir().ok();
    built.chain(libraries).chain(here).collect()
}
