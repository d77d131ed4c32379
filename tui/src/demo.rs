//! `workbench demo`: a local project in this process, the sample agents built and loaded, the
//! screen on top. No account, no network.

use crate::carried::folder::SourceFolder;
use crate::carried::sample_agents;
use crate::cli::{DemoArgs, Global, RecordArgs};
use crate::exit::Ending;
use crate::screen::{Opening, Session};
use crate::{serve, terminal};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use wb_client::Settings;
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::ProjectHash;
use wb_engine::builder::{BuildSetting, Source};
use wb_engine::config::{Config, state_dir};
use wb_engine::library::{self, Library};
use wb_engine::screen_store;
use wb_engine::upstream;
use wb_local::{Scenario, ServeOptions, Served};

/// Serves the demo project and opens the screen on it.
///
/// # Errors
/// The local project or the screen cannot be started.
pub async fn demo(
    global: &Global,
    config: &Config,
    args: &DemoArgs,
    record: &RecordArgs,
) -> Result<Ending, Error> {
    let recording = record.file(global.yes)?;
    let dir = state_dir("demo")?;
    if args.reset {
        reset(&dir)?;
    }
    let served = start(&dir, args).await?;
    if args.reset {
        screen_store::forget(&state_dir("")?, ProjectHash(served.project_hash))?;
    }
    let samples = Samples::find(args.reset)?;
    let linear = terminal::is_linear(global.plain);
    if !linear && terminal::required("the screen needs a terminal").is_err() {
        explain(&served, &samples);
        served.shutdown().await.map_err(serve::error)?;
        return Ok(Ending::default());
    }
    let settings = Settings::from_key_file(&served.domain, &served.ssh_key_file)?;
    let mut upstream = upstream::demo(&global.flags(), config, settings)?;
    upstream.name = "local project".to_owned();
    let libraries = samples.libraries()?;
    let opening = Opening {
        upstream,
        project: ProjectHash(served.project_hash),
        named: libraries
            .iter()
            .map(|l| l.path.display().to_string())
            .collect(),
        builds: match args.no_build {
            false => Source::among(
                &BuildSetting::Cargo,
                None,
                std::slice::from_ref(&samples.dir),
                &libraries,
            ),
            true => Vec::new(),
        },
        libraries,
        specification: Some(served.workflow_spec()),
        no_background: Some("the server of the demo ends with this screen".to_owned()),
        recording,
    };
    let mut session = Session::start(global, config, opening)?;
    let ending = session.run().await;
    served.shutdown().await.map_err(serve::error)?;
    ending
}

async fn start(dir: &Path, args: &DemoArgs) -> Result<Served, Error> {
    let options = ServeOptions {
        scenario: Scenario::Demo,
        data: Some(dir.to_owned()),
        tasks: Some(args.tasks),
        page_size: 1000,
        ..ServeOptions::default()
    };
    wb_local::serve(options).await.map_err(|e| {
        let error = serve::error(e);
        match error.kind {
            ErrorKind::Usage => error,
            _ => error.hint(
                "is another demo running in this folder? `workbench demo --reset` starts over",
            ),
        }
    })
}

fn reset(dir: &Path) -> Result<(), Error> {
    wb_local::remove_data(dir).map_err(|e| {
        Error::new(
            ErrorKind::Settings,
            format!("the demo cannot start over: {e}"),
        )
    })?;
    state_dir("demo").map(|_| ())
}

/// The sample agents' crate.
struct Samples {
    dir: PathBuf,
    /// Where cargo writes its library, if nobody has set another place.
    target: PathBuf,
}

impl Samples {
    /// In the checkout that the demo is started in; else a copy in the user's cache folder, as this program has it.
    /// Changes of the user's own stay there until a program with other sources comes, or the demo starts over; then
    /// they are moved away.
    fn find(start_over: bool) -> Result<Self, Error> {
        let here = Path::new("sample-agents");
        if here.join("Cargo.toml").is_file() {
            return Ok(Self {
                dir: here.to_owned(),
                target: "target".into(),
            });
        }
        let cache = cache_folder()?.join("demo");
        unpack(&cache, start_over).map_err(|error| {
            error.hint("set XDG_CACHE_HOME to a folder that can be written, or start the demo in a checkout")
        })?;
        let dir = cache.join("sample-agents");
        let target = dir.join("target");
        Ok(Self { dir, target })
    }

    /// What the build writes. Where cargo cannot be asked, the build reports why.
    fn libraries(&self) -> Result<Vec<Library>, Error> {
        library::of_debug_build(&self.dir).or_else(|_| {
            let (prefix, ending) = (std::env::consts::DLL_PREFIX, library::ENDING);
            let file = format!("debug/{prefix}sample_agents.{ending}");
            library::find(&[self.target.join(file)])
        })
    }
}

fn unpack(dir: &Path, start_over: bool) -> Result<(), Error> {
    let folder = SourceFolder::open(dir, sample_agents()?)?;
    if !start_over && !folder.is_outdated() {
        return folder.restore();
    }
    let edited = folder.edited();
    if !edited.is_empty() {
        let aside = folder.move_away(&edited)?;
        notice!(
            "note: your changes to the sample agents ({}) are in {} now; the demo starts with those of this program",
            edited.join(", "),
            aside.display()
        );
    }
    folder.write().map(|_| ())
}

/// The user's cache folder for this program.
fn cache_folder() -> Result<PathBuf, Error> {
    let named = |variable| std::env::var_os(variable).map(PathBuf::from);
    // A relative one does not count: the specification of these folders ignores it.
    let cache = named("XDG_CACHE_HOME").filter(|dir| dir.is_absolute());
    let cache = cache.or_else(|| named("HOME").map(|home| home.join(".cache")));
    cache.map(|cache| cache.join("workbench")).ok_or_else(|| {
        Error::new(
            ErrorKind::Settings,
            "cannot unpack the sample agents: neither HOME nor XDG_CACHE_HOME is set",
        )
    })
}

/// The text for scripts, instead of a screen.
fn explain(served: &Served, samples: &Samples) {
    out!(
        "A made-up project with its own Encord server was started on this machine and stopped again:"
    );
    out!("project {}", served.project_hash);
    out!("The demo is a screen and needs a terminal. In scripts:");
    out!("  workbench serve --scenario demo --port 0        prints domain, project and key file");
    let agents = samples.dir.display();
    out!("  cargo build --manifest-path {agents}/Cargo.toml");
    out!("  workbench run --project-hash UUID --agents {agents} --dry-run");
    if !std::io::stderr().is_terminal() {
        notice!("workbench: no terminal; nothing is running any more");
    }
}
