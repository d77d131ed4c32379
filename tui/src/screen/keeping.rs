//! What a screen leaves for the next one of its folder: held outcomes and what a person had set up. Writing it to the disk is
//! left to [`ScreenStore`].

use super::{Session, ui_settings};
use crate::appearance::Appearance;
use crate::cli::Global;
use crate::graphics::Setting;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::PathBuf;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::{Effect, Event};
use wb_core::ids::{ProjectHash, StageId};
use wb_core::run::{Ending as TaskEnding, Report};
use wb_core::state::{Held, SavedView};
use wb_core::work::Route;
use wb_engine::config::{Config, state_dir};
use wb_engine::files;
use wb_engine::plan::PlanFile;
use wb_engine::runtime::Engine;
use wb_engine::screen_store::ScreenStore;
use wb_ui::{Ui, UiSettings};

/// Ticks of the clock between two looks at what is set up.
const EVERY: u32 = 4;

/// What is kept of a screen. Fields may be added.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct SavedScreen {
    stage: Option<StageId>,
    mouse_off: bool,
    /// A stage of each group that Flow shows as one box.
    folded: BTreeSet<StageId>,
    #[serde(flatten)]
    view: SavedView,
}

/// What was kept last, and when to look again.
#[derive(Default)]
pub(super) struct Keeping {
    kept: SavedScreen,
    ticks: u32,
}

/// The store of this folder and project, or why held outcomes end with this process.
pub(super) fn store(project: ProjectHash) -> Result<ScreenStore, Error> {
    ScreenStore::open(&state_dir("")?, project)
}

/// What the screen starts with, and how it shows pictures.
pub(super) fn settings(global: &Global, config: &Config) -> Result<(UiSettings, Setting), Error> {
    let mut settings = ui_settings(global, &Appearance::of(config)?);
    let graphics = Setting::of(config, &settings)?;
    if config.tutorial.as_ref().is_none_or(|on| on.value) {
        settings.seen_cards = Some(files::seen_cards());
    }
    Ok((settings, graphics))
}

impl Keeping {
    /// Brings back what an earlier screen left, and keeps what this one does.
    pub(super) fn begin(
        store: Result<ScreenStore, Error>,
        engine: &mut Engine,
        ui: &mut Ui,
    ) -> Self {
        let begun = store.and_then(|mut store| {
            store.begin(engine.news())?;
            engine.feed(Event::FiguresBefore(Box::new(store.take_figures())));
            let saved: Option<SavedScreen> = store
                .take_view()
                .and_then(|text| serde_json::from_str(&text).ok());
            engine.keep_screen(store);
            Ok(saved)
        });
        let saved = match begun {
            Ok(saved) => saved.unwrap_or_default(),
            Err(error) => {
                engine.feed(Event::NotKept(error));
                return Self::default();
            }
        };
        ui.set_mouse_off(saved.mouse_off);
        ui.fold_stages(saved.folded.clone());
        if let Some(stage) = saved.stage {
            ui.select_stage(stage);
        }
        engine.feed(Event::ViewBefore(saved.view.clone()));
        Self {
            kept: saved,
            ticks: 0,
        }
    }
}

impl Session {
    /// Keeps which cards were seen.
    pub(super) fn keep_cards(&mut self) {
        if let Some(seen) = self.ui.take_seen_cards() {
            tokio::task::spawn_blocking(move || files::keep_seen_cards(&seen));
        }
    }

    /// A tick of the clock: keeps what is set up now and then.
    pub(super) fn keep_now_and_then(&mut self) {
        self.keeping.ticks += 1;
        if self.keeping.ticks.is_multiple_of(EVERY) {
            self.keep_view();
        }
    }

    /// Keeps what is set up, if that has changed.
    pub(super) fn keep_view(&mut self) {
        let Some(store) = self.engine.screen_store() else {
            return;
        };
        let now = SavedScreen {
            stage: self.ui.stage(),
            mouse_off: self.ui.mouse_off(),
            folded: self.ui.folded_stages().clone(),
            view: self.engine.state().saved_view(),
        };
        // Before the project is there nothing is known of it.
        if now == self.keeping.kept || self.engine.state().project.is_none() {
            return;
        }
        if let Ok(document) = serde_json::to_string(&now) {
            store.view(document);
        }
        self.keeping.kept = now;
    }

    /// Writes what is held to a plan file, when that was asked for.
    pub(super) async fn plan_if_asked(&mut self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::PlanAndExit(held) = effect {
                self.plan_and_exit(held).await;
            }
        }
    }

    /// Writes what is held to a plan file beside `.workbench`, and leaves when that has worked.
    async fn plan_and_exit(&mut self, held: &[Held]) {
        match self.write_plan(held).await {
            Ok(path) => {
                let tasks = held.iter().map(|held| held.inputs.row.id).collect();
                self.engine.drop_kept(tasks);
                self.planned = Some(path);
                self.quit = true;
            }
            Err(error) => drop(self.engine.feed(Event::NotPlanned(error))),
        }
    }

    async fn write_plan(&self, held: &[Held]) -> Result<PathBuf, Error> {
        let stamp = jiff::ZonedDateTime::now()
            .strftime("%Y%m%d-%H%M%S")
            .to_string();
        let path = PathBuf::from(format!("held-{stamp}.wbplan"));
        if path.exists() {
            let text = format!("{} exists already; nothing was written", path.display());
            return Err(Error::new(ErrorKind::Settings, text));
        }
        let file = files::begin("plan", &path).await?;
        let mut plan = PlanFile::of_state(&path, file, self.engine.state())?;
        for held in held {
            plan.add(&report(held));
        }
        plan.finish().map(|_| path)
    }
}

/// The outcome as a run reports it.
fn report(held: &Held) -> Report {
    Report {
        row: held.inputs.row.clone(),
        stage: held.stage,
        build: held.build,
        attempts: 1,
        ending: match held.outcome.way {
            Route::Stay => TaskEnding::Stayed,
            Route::Pathway { .. } | Route::Stage { .. } => TaskEnding::Moved,
        },
        outcome: Some(held.outcome.clone()),
        inputs: Some(held.inputs.clone()),
        run_us: 0,
        gone: false,
        follows: None,
    }
}
