//! `workbench demo`: a local project in this process, the sample agents built and loaded, the
//! screen on top. No account, no network.

use crate::cli::{DemoArgs, Global};
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
use wb_engine::{library, upstream};
use wb_local::{Scenario, ServeOptions, Served};

/// Serves the demo project and opens the screen on it.
///
/// # Errors
/// The local project or the screen cannot be started.
pub async fn demo(global: &Global, config: &Config, args: &DemoArgs) -> Result<Ending, Error> {
    let dir = state_dir("demo")?;
    if args.reset {
        reset(&dir)?;
    }
    let served = start(&dir, args).await?;
    if terminal::required("the screen needs a terminal").is_err() {
        explain(&served);
        served.shutdown().await.map_err(serve::error)?;
        return Ok(Ending::default());
    }
    let settings = Settings::from_key_file(&served.domain, &served.ssh_key_file)?;
    let mut upstream = upstream::demo(&global.flags(), config, settings)?;
    upstream.name = "local project".to_owned();
    let source = sources();
    let libraries = match &source {
        Some(dir) => library::of_debug_build(dir)?,
        None => Vec::new(),
    };
    let opening = Opening {
        upstream,
        project: ProjectHash(served.project_hash),
        named: libraries
            .iter()
            .map(|l| l.path.display().to_string())
            .collect(),
        builds: match (&source, args.no_build) {
            (Some(dir), false) => Source::among(
                &BuildSetting::Cargo,
                None,
                std::slice::from_ref(dir),
                &libraries,
            ),
            _ => Vec::new(),
        },
        libraries,
        specification: Some(served.workflow_spec()),
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

/// Where the sample agents' source is: in this folder, or where this program was built.
fn sources() -> Option<PathBuf> {
    let here = PathBuf::from("sample-agents");
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sample-agents");
    [here, built]
        .into_iter()
        .find(|dir| dir.join("Cargo.toml").is_file())
}

/// The text for scripts, instead of a screen.
fn explain(served: &Served) {
    out!(
        "A made-up project with its own Encord server was started on this machine and stopped again:"
    );
    out!("project {}", served.project_hash);
    out!("The demo is a screen and needs a terminal. In scripts:");
    out!("  workbench serve --scenario demo --port 0        prints domain, project and key file");
    out!("  workbench run --project-hash UUID --agents sample-agents --dry-run");
    if !std::io::stderr().is_terminal() {
        notice!("workbench: no terminal; nothing is running any more");
    }
}
