//! The screen: one loop that takes an event, drains the rest, and draws when due (at most every 16 ms).
//!
//! Decisions are left to the core, drawing to the ui crate.

mod background;
mod begin;
mod comparison;
mod keeping;
mod linear;
mod outside;
mod recording;
mod settings;
mod specification;

use settings::ui_settings;
pub use specification::specification;

use crate::appearance::Appearance;
use crate::cli::{Global, RecordArgs};
use crate::exit::Ending;
use crate::graphics::{FoundGraphics, Setting};
use crate::links::TerminalLinks;
use crate::notify::Notifier;
use crate::passphrase;
use crate::pictures::{Pictures, ReadyPicture};
use crate::recorder::RecordingFile;
use crate::signals::Signals;
use crate::terminal::{self, Screen};
use begin::Begin;
use crossterm::event::Event as Key;
use keeping::Keeping;
use recording::Recording;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use wb_core::error::Error;
use wb_core::event::{Effect, Event};
use wb_core::ids::ProjectHash;
use wb_core::journal::{JournalEvent, Op};
use wb_engine::builder::{BuildSetting, Builder, Source};
use wb_engine::config::{Config, cache_dir, state_dir};
use wb_engine::flags::AskPassphrase;
use wb_engine::host_limits::HostLimits;
use wb_engine::journal::Journal;
use wb_engine::library::{self, Library};
use wb_engine::runtime::{Engine, Setup, Twin};
use wb_engine::upstream::{self, Upstream};
use wb_ui::Ui;
use wb_ui::recording::RecordedEntry;

/// Least time between two frames.
const FRAME: Duration = Duration::from_millis(16);
/// Time between two ticks of the clock when nothing happens.
const TICK: Duration = Duration::from_millis(250);

/// SIGHUP: how a screen ends whose terminal was closed, whether or not the signal came.
const HANG_UP: u8 = 1;

/// What the screen is opened on.
pub struct Opening {
    /// Upstream.
    pub upstream: Upstream,
    /// The project.
    pub project: ProjectHash,
    /// Libraries to watch.
    pub libraries: Vec<Library>,
    /// Crates to build now and whenever one of their files is saved.
    pub builds: Vec<Source>,
    /// Workflow specification with the edges that the API does not report.
    pub specification: Option<serde_json::Value>,
    /// The libraries of `--agents`, for the text without builds.
    pub named: Vec<String>,
    /// Why a run cannot go on without the screen.
    pub no_background: Option<String>,
    /// Where the session is recorded.
    pub recording: Option<RecordingFile>,
}

/// Opens the screen on the project of the command line; with `build` its agent crates are built
/// whenever they are saved.
///
/// # Errors
/// Settings, credentials or the project hash are not usable.
pub async fn open(
    global: &Global,
    config: &Config,
    build: bool,
    record: &RecordArgs,
) -> Result<Ending, Error> {
    let recording = record.file(global.yes)?;
    let project = upstream::project_hash(config)?;
    let mut flags = global.flags();
    // With `--no-input` nobody is asked, here neither.
    if flags.ask.is_some() && !terminal::is_linear(global.plain) {
        let look = ui_settings(global, &Appearance::of(config)?);
        flags.ask = Some(AskPassphrase::new(move |request| {
            passphrase::on_screen(request, &look)
        }));
    }
    let upstream = upstream::person(&flags, config)?;
    let libraries = library::find(&config.agents.value)?;
    let named = libraries
        .iter()
        .map(|l| l.path.display().to_string())
        .collect();
    let specification = specification(config)?;
    let setting = match config.build.as_ref().map(|build| &build.value) {
        // The flag asks for a build; a command that is set is the way to have one.
        None | Some(BuildSetting::Off) if build => &BuildSetting::Cargo,
        None => &BuildSetting::Off,
        Some(setting) => setting,
    };
    let watch = config.watch.as_ref().map(|watch| &watch.value);
    let builds = Source::among(setting, watch, &config.agents.value, &libraries);
    let opening = Opening {
        upstream,
        project,
        libraries,
        builds,
        specification,
        named,
        no_background: passphrase::was_typed().then(|| background::TYPED.to_owned()),
        recording,
    };
    let mut session = Session::start(global, config, opening)?;
    session.run().await
}

/// What earlier processes began and did not finish.
fn unfinished(journal: &Journal, project: ProjectHash) -> Result<Vec<Op>, Error> {
    let left = |op: &Op| op.here && !op.under_way && (op.interrupted || op.open > 0);
    Ok(journal.view(project)?.into_iter().filter(left).collect())
}

/// Builds that are no longer active and can still be compared.
const KEPT_BUILDS: usize = 4;

/// The screen while it is open.
pub struct Session {
    engine: Engine,
    ui: Ui,
    pictures: Pictures,
    graphics: Setting,
    begin: Begin,
    builder: Option<Builder>,
    /// Files and folders of the agents' crates.
    crates: Vec<PathBuf>,
    /// Read and driven by lines.
    linear: bool,
    links: Option<TerminalLinks>,
    keeping: Keeping,
    notifier: Notifier,
    /// Where what was held went.
    planned: Option<PathBuf>,
    background: background::Background,
    recording: Recording,
    quit: bool,
}

impl Session {
    /// Starts the engine; the terminal is not touched yet.
    ///
    /// # Errors
    /// Hosts, caches or the journal cannot be used.
    pub fn start(global: &Global, config: &Config, mut opening: Opening) -> Result<Self, Error> {
        // Without a writer it is only read.
        let journal = Journal::open(&state_dir("")?)?;
        let unfinished = unfinished(&journal, opening.project)?;
        let store = keeping::store(opening.project);
        let options = settings::options(global, config, &mut opening, store.is_ok());
        let crates = outside::crates(&opening.builds, &opening.libraries);
        let mut engine = Engine::start(Setup {
            reader: opening.upstream.reader,
            writer: opening.upstream.writer,
            project: opening.project,
            twins: Twin::of_all(&opening.libraries),
            libraries: opening.libraries.into_iter().map(|l| l.path).collect(),
            drain: None,
            cache: cache_dir()?,
            params: config.params.clone(),
            options,
            concurrency: 1,
            limits: HostLimits::of(&global.flags(), config, 1),
            verbose: 0,
        })?;
        let (settings, graphics) = keeping::settings(global, config)?;
        let recording = match opening.recording {
            Some(file) => Recording::begin(file, &mut engine, &settings, &Appearance::of(config)?)?,
            None => Recording::default(),
        };
        engine.keep_journal(journal);
        let background = background::Background::begin(global, opening.project, &engine);
        engine.feed(Event::Journal(JournalEvent::Interrupted(unfinished)));
        let mut ui = Ui::new(settings);
        let keeping = Keeping::begin(store, &mut engine, &mut ui);
        recording.view(&ui);
        let builds = opening.builds;
        let builder = (!builds.is_empty()).then(|| Builder::start(builds, engine.news()));
        let links = Some(TerminalLinks::of(config, crates.clone())?);
        Ok(Self {
            engine,
            builder,
            crates,
            links,
            ui,
            pictures: Pictures::new(),
            graphics,
            begin: Begin::new(&config.params),
            linear: terminal::is_linear(global.plain),
            keeping,
            notifier: Notifier::of(config),
            planned: None,
            background,
            recording,
            quit: false,
        })
    }

    /// Shows the screen until the user quits.
    ///
    /// # Errors
    /// The terminal cannot be used.
    pub async fn run(&mut self) -> Result<Ending, Error> {
        let mut ending = Ending::default();
        let mut shown = match self.linear {
            true => self.read_lines(&mut ending).await,
            false => self.show(&mut ending).await,
        };
        // An error that comes from a closed terminal is not reported.
        if shown.is_err() && terminal::hung_up() {
            ending.signal(HANG_UP);
            shown = Ok(());
        }
        if let Some(builder) = self.builder.take() {
            builder.stop().await;
        }
        self.keep_view();
        self.engine.shutdown().await;
        self.recording.finish();
        if let (Some(path), Ok(())) = (self.planned.take(), &shown) {
            let plan = path.display();
            notice!("What was held is in {plan}: workbench review {plan} · workbench apply {plan}");
        }
        self.background.print();
        shown.map(|()| ending)
    }

    async fn show(&mut self, ending: &mut Ending) -> Result<(), Error> {
        let mut signals = Signals::new()?;
        let mut continued = crate::signals::going_on()?;
        let mut screen = Screen::take(self.links.take().unwrap_or_default())?;
        let mut typed = self.find_graphics(&mut screen).await?.into_iter();
        let mut events = terminal::events()?;
        let mut tick = tokio::time::interval(TICK);
        let mut drawn = Instant::now() - FRAME;
        let mut dirty = true;
        while !self.quit {
            if dirty && drawn.elapsed() >= FRAME {
                if self.draw(&mut screen).is_err() || terminal::hung_up() {
                    ending.signal(HANG_UP);
                    break;
                }
                drawn = Instant::now();
                dirty = self.ui.goes_on();
            }
            let due = FRAME.saturating_sub(drawn.elapsed());
            let mut effects = tokio::select! {
                Some(event) = async { typed.next() } => self.key(&event),
                event = events.recv() => match event {
                    Some(event) => self.key(&event),
                    // The terminal can no longer be read.
                    None => { ending.signal(HANG_UP); break }
                },
                effects = self.engine.turn() => effects,
                () = self.begin.next() => Vec::new(),
                ready = self.pictures.next() => { self.take(ready); Vec::new() }
                number = signals.next() => { ending.signal(number); break }
                // Stopped from outside: the shell has used the terminal since.
                _ = continued.recv() => { screen.retake()?; Vec::new() }
                _ = tick.tick() => { self.keep_now_and_then(); self.engine.tick() }
                () = tokio::time::sleep(due), if dirty => Vec::new(),
            };
            effects.extend(self.begin.settle(&mut self.engine));
            dirty = true;
            self.quit |= effects.contains(&Effect::Exit);
            self.plan_if_asked(&effects).await;
            self.go_on_if_asked(&effects).await;
            if effects.contains(&Effect::WriteComparison) {
                self.save_comparison().await;
            }
            if effects.contains(&Effect::Suspend) {
                screen.suspend()?;
                self.notifier.forget();
            }
            if let Some(what) = self.ui.take_outside() {
                let opened = self.open_outside(what, &mut screen, events, &mut signals);
                events = opened.await?;
            }
            effects.extend(self.ask_for_what_is_shown());
            self.watch_recording();
        }
        Ok(())
    }

    /// Asks for what the visible screen shows and does not have yet.
    fn ask_for_what_is_shown(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Some(shown) = self.ui.shown_stages() {
            effects.extend(self.begin.command(shown, &mut self.engine));
        }
        if let Some(missing) = self.ui.missing_facts(self.engine.state()) {
            effects.extend(self.begin.command(missing, &mut self.engine));
        }
        for command in self.ui.take_wanted() {
            effects.extend(self.begin.command(command, &mut self.engine));
        }
        self.find_pictures();
        effects
    }

    /// Shows the first frame, and then finds out how the terminal shows pictures; gives what was typed meanwhile.
    async fn find_graphics(&mut self, screen: &mut Screen) -> Result<Vec<Key>, Error> {
        let found = match self.graphics {
            Setting::Fixed(graphics) => FoundGraphics::known(graphics),
            Setting::Ask(plan) => {
                if self.draw(screen).is_err() {
                    return Ok(Vec::new());
                }
                let asked = tokio::task::spawn_blocking(move || plan.ask());
                asked.await.unwrap_or_default()
            }
        };
        screen.canvas = found.canvas();
        self.ui.set_graphics(found.graphics);
        let letters = recording::letters(found.graphics);
        self.recording.note(|| RecordedEntry::Letters(letters));
        Ok(found.typed)
    }

    /// Requests what the newest frame lacks.
    fn find_pictures(&mut self) {
        self.pictures.want(self.ui.wanted_pictures(), &self.engine);
        for request in self.ui.wanted_labels() {
            self.pictures.parse(request);
        }
        while let Some(request) = self.ui.missing_pixels() {
            self.pictures.encode(request);
        }
    }

    fn take(&mut self, ready: ReadyPicture) {
        self.recording.picture(&ready);
        match ready {
            ReadyPicture::Medium(task, medium) => self.ui.set_medium(task, medium),
            ReadyPicture::Picture(id, shot) => self.ui.set_picture(id, shot),
            ReadyPicture::Labels(labels) => self.ui.set_labels(labels),
            ReadyPicture::Pixels(pixels) => self.ui.set_pixels(pixels),
        }
    }

    fn key(&mut self, key: &Key) -> Vec<Effect> {
        // For the test that a panic gives the terminal back; not in a release.
        #[cfg(debug_assertions)]
        assert!(
            std::env::var_os("WORKBENCH_PANIC_ON_KEY").is_none(),
            "a panic was asked for"
        );
        let mut effects = self.engine.feed(Event::Tick(wb_engine::runtime::now()));
        self.recording.note(|| RecordedEntry::Input(key.into()));
        for command in self.ui.on_event(key, self.engine.state()) {
            effects.extend(self.begin.command(command, &mut self.engine));
        }
        self.copy();
        effects
    }

    fn copy(&mut self) {
        if let Some(text) = self.ui.take_copied() {
            terminal::copy(&text);
        }
    }

    /// Fails when the terminal is gone.
    fn draw(&mut self, screen: &mut Screen) -> std::io::Result<()> {
        let (ui, state) = (&mut self.ui, self.engine.state());
        terminal::take_mouse(!ui.mouse_off())?;
        let area = screen.draw(ui, state)?;
        let codes = self.notifier.look(&ui.window_title(state), state);
        if !codes.is_empty() {
            terminal::send(&codes);
        }
        self.copy();
        self.keep_cards();
        self.recording
            .note(|| RecordedEntry::Frame(area.width, area.height));
        Ok(())
    }
}
