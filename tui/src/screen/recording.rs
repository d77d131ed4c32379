//! What of a session is recorded, with `--record`. Writing it is left to [`crate::recorder`], playing it to
//! `workbench replay`.

use super::Session;
use crate::appearance::Appearance;
use crate::pictures::ReadyPicture;
use crate::recorder::{Recorder, RecordingFile};
use wb_core::error::Error;
use wb_engine::runtime::Engine;
use wb_ui::recording::{
    FORMAT, RecordedEntry, RecordedMedium, RecordedScreen, RecordedShot, RecordingHeader,
};
use wb_ui::{Graphics, Letters, Ui, UiSettings};

/// Variables that decide what a terminal can draw.
const TERMINAL: [&str; 5] = [
    "TERM",
    "COLORTERM",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "LANG",
];

/// Pictures as letters: what a recording plays.
pub const fn letters(graphics: Graphics) -> Option<Letters> {
    match graphics {
        Graphics::Off => None,
        Graphics::Letters(letters) | Graphics::Pixels { letters, .. } => Some(letters),
    }
}

/// The recording of a session, if there is one.
#[derive(Default)]
pub struct Recording {
    recorder: Option<Recorder>,
    /// What was reported to be wrong with it.
    reported: Option<String>,
}

impl Recording {
    /// Begins the recording of an engine that has just started, and of a screen with these settings.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn begin(
        file: RecordingFile,
        engine: &mut Engine,
        settings: &UiSettings,
        appearance: &Appearance,
    ) -> Result<Self, Error> {
        let var = |name: &&str| Some(((*name).to_owned(), std::env::var(name).ok()?));
        let state = engine.state();
        let header = RecordingHeader {
            workbench_recording: FORMAT,
            workbench: env!("CARGO_PKG_VERSION").to_owned(),
            started: state.now,
            options: state.options.clone(),
            screen: RecordedScreen {
                size: crossterm::terminal::size().unwrap_or((80, 24)),
                utc_offset_s: settings.utc_offset_s,
                unicode: settings.unicode,
                linear: settings.linear,
                letters: letters(settings.graphics),
                seen_cards: settings.seen_cards.clone(),
                terminal: TERMINAL.iter().filter_map(var).collect(),
                pictures: file.pictures,
                ..appearance.recorded(settings.linear)
            },
        };
        let recorder = file.begin(&header)?;
        let tap = recorder.clone();
        engine.tap(Box::new(move |event| tap.event(event)));
        Ok(Self {
            recorder: Some(recorder),
            reported: None,
        })
    }

    /// Records an entry.
    pub fn note(&self, entry: impl FnOnce() -> RecordedEntry) {
        if let Some(recorder) = &self.recorder {
            recorder.note(entry());
        }
    }

    /// Records what an earlier screen left.
    pub fn view(&self, ui: &Ui) {
        if let Some(stage) = ui.stage() {
            self.note(|| RecordedEntry::Stage(stage));
        }
        if ui.mouse_off() || !ui.folded_stages().is_empty() {
            self.note(|| RecordedEntry::View {
                folded: ui.folded_stages().clone(),
                mouse_off: ui.mouse_off(),
            });
        }
    }

    /// Records what was found for a picture.
    pub fn picture(&self, ready: &ReadyPicture) {
        let Some(recorder) = &self.recorder else {
            return;
        };
        let whole = recorder.pictures;
        match ready {
            ReadyPicture::Medium(task, medium) => {
                let medium = medium.as_ref().map_err(Clone::clone);
                let medium = medium.and_then(|medium| RecordedMedium::of(medium, whole));
                recorder.note(RecordedEntry::Medium(*task, medium));
            }
            ReadyPicture::Picture(id, shot) => {
                let shot = shot.as_ref().map_err(Clone::clone);
                let shot = shot.and_then(|shot| RecordedShot::of(shot, whole));
                recorder.note(RecordedEntry::Shot(*id, shot));
            }
            // Both are made again of what is recorded.
            ReadyPicture::Labels(_) | ReadyPicture::Pixels(_) => {}
        }
    }

    /// What is wrong with it, once.
    fn take_problem(&mut self) -> Option<String> {
        let problem = self.recorder.as_ref().and_then(Recorder::problem);
        if problem == self.reported {
            return None;
        }
        self.reported.clone_from(&problem);
        problem
    }

    /// Ends it, and names its file.
    pub fn finish(&mut self) {
        let Some(recorder) = self.recorder.take() else {
            return;
        };
        recorder.finish();
        let path = recorder.path().display();
        match recorder.problem() {
            Some(problem) => notice!("{path}: {problem}"),
            None => notice!("The session is in {path}: workbench replay {path}"),
        }
    }
}

impl Session {
    /// Shows a text in the last row.
    pub(super) fn note(&mut self, text: String) {
        self.recording.note(|| RecordedEntry::Notice(text.clone()));
        self.ui.notify(text);
    }

    /// Reports once what is wrong with the recording.
    pub(super) fn watch_recording(&mut self) {
        if let Some(problem) = self.recording.take_problem() {
            self.note(problem);
        }
    }
}
