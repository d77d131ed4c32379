//! Starting and stopping: options in, a server that answers on loopback out.

use std::fs::{File, TryLockError};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::app::{App, Parts, Shared};
use crate::auth::Gate;
use crate::endpoint::Counters;
use crate::error::LocalError;
use crate::fault::{FaultSpec, Injector};
use crate::ids::Names;
use crate::routes::{self, DropConnection};
use crate::store::catalog::Catalog;
use crate::store::{Durability, Store, schema};
use crate::workflow::Graph;
use crate::world::builtin::{Scenario, project};
use crate::world::{TemplateSpec, World, build, import, ontology};
use crate::{keys, people, time};

/// Requests that are under way when the server is told to stop may take so long.
const GRACE: Duration = Duration::from_secs(5);
/// Room for request lines and headers: a batch of 1000 data hashes fits.
const HEAD_LIMIT: usize = 512 << 10;

/// What to serve, and how.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The built-in world; not used with `import` or `scenario_file`.
    pub scenario: Scenario,
    /// Folder of the database and the key. Reopened if it holds one. `None`: the data go with the
    /// process.
    pub data: Option<PathBuf>,
    /// How many tasks the main project has. `None`: as many as the scenario likes. Not used with
    /// `import` or `scenario_file`, nor when `data` is reopened.
    pub tasks: Option<usize>,
    /// All names and all faults hang on it.
    pub seed: u64,
    /// 0 picks a free one.
    pub port: u16,
    /// Results per page, 1 to 10,000.
    pub page_size: usize,
    /// Every request of the API waits this long.
    pub latency: Duration,
    /// Faults to inject from the start.
    pub faults: Vec<FaultSpec>,
    /// A folder of one's own media instead of the scenario's.
    pub import: Option<PathBuf>,
    /// A workflow in the specification format instead of the scenario's.
    pub import_workflow: Option<PathBuf>,
    /// A whole world of one's own.
    pub scenario_file: Option<PathBuf>,
    /// Tasks per second that people annotate or review, above 0.0 and at most 1000.0.
    pub people: Option<f64>,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            scenario: Scenario::Demo,
            data: None,
            tasks: None,
            seed: 1,
            port: 0,
            page_size: 100,
            latency: Duration::ZERO,
            faults: Vec::new(),
            import: None,
            import_workflow: None,
            scenario_file: None,
            people: None,
        }
    }
}

/// A running server. Dropping it stops it without waiting; [`Served::shutdown`] waits.
pub struct Served {
    /// `http://127.0.0.1:PORT`
    pub domain: String,
    /// The main project.
    pub project_hash: Uuid,
    /// The project on the same data, where the scenario has one.
    pub twin_project_hash: Option<Uuid>,
    /// The private key that the server accepts, readable by its owner only.
    pub ssh_key_file: PathBuf,
    app: Shared,
    stop: watch::Sender<bool>,
    listener: Option<JoinHandle<()>>,
    people: Option<JoinHandle<()>>,
    /// Keeps other servers away from the folder.
    _lock: File,
    /// Goes, with everything in it, when the server goes.
    _scratch: Option<tempfile::TempDir>,
}

/// Starts a local project and returns as soon as it takes requests.
///
/// # Errors
/// Options that cannot be met, files that cannot be read or written, a port that is taken, a
/// database that cannot be opened.
pub async fn serve(options: ServeOptions) -> Result<Served, LocalError> {
    check(&options)?;
    let (folder, scratch) = folder(&options)?;
    let lock = lock(&folder)?;
    let port = options.port;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|source| LocalError::Bind { port, source })?;
    let port = listener
        .local_addr()
        .map_err(|source| LocalError::Bind { port, source })?
        .port();
    let domain = format!("http://127.0.0.1:{port}");
    let key_file = folder.join("id_ed25519");
    let durability = if scratch.is_some() {
        Durability::Process
    } else {
        Durability::Disk
    };
    let people_rate = options.people;
    let (at, key) = (domain.clone(), key_file.clone());
    let opened =
        tokio::task::spawn_blocking(move || open(&options, &folder, &key, durability, at)).await;
    let app = opened
        .map_err(|e| LocalError::Options(format!("the local project could not be made: {e}")))??;
    let twin = app
        .store
        .read_here(|c| Ok(schema::meta(c, "twin")?))
        .ok()
        .flatten();
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(accept(listener, Arc::clone(&app), stopped.clone()));
    let people =
        people_rate.map(|rate| tokio::spawn(people::work(Arc::clone(&app), rate, stopped)));
    Ok(Served {
        domain,
        project_hash: app.project,
        twin_project_hash: twin.and_then(|t| Uuid::parse_str(&t).ok()),
        ssh_key_file: key_file,
        app,
        stop,
        listener: Some(serving),
        people,
        _lock: lock,
        _scratch: scratch,
    })
}

impl Served {
    /// The one line that `workbench serve` prints when it is ready.
    #[must_use]
    pub fn ready_line(&self) -> String {
        json!({
            "domain": self.domain,
            "project_hash": self.project_hash,
            "twin_project_hash": self.twin_project_hash,
            "ssh_key_file": self.ssh_key_file,
            "pid": std::process::id(),
        })
        .to_string()
    }

    /// The main project's workflow in the specification format, with the edges that the API does not
    /// show: `toNode` of START and ANNOTATION, `approveNode` and `rejectNode` of REVIEW.
    #[must_use]
    pub fn workflow_spec(&self) -> Value {
        let catalog = self.app.catalog();
        catalog
            .project(self.project_hash)
            .map_or(Value::Null, |p| p.graph.specification())
    }

    /// What the server has seen so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.app.tally.read()
    }

    /// Stops taking requests, finishes those under way, closes the database.
    ///
    /// # Errors
    /// None at present; kept for what a later database may report on closing.
    pub async fn shutdown(mut self) -> Result<(), LocalError> {
        let _ = self.stop.send(true);
        for task in [self.people.take(), self.listener.take()]
            .into_iter()
            .flatten()
        {
            if let Err(error) = task.await {
                tracing::error!(%error, "a part of the local server ended early");
            }
        }
        self.app.store.close();
        Ok(())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

impl std::fmt::Debug for Served {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Served")
            .field("domain", &self.domain)
            .field("project_hash", &self.project_hash)
            .finish()
    }
}

fn check(options: &ServeOptions) -> Result<(), LocalError> {
    let wrong = |text: &str| Err(LocalError::Options(text.to_owned()));
    if !(1..=10_000).contains(&options.page_size) {
        return wrong("--page-size is between 1 and 10000");
    }
    if options
        .people
        .is_some_and(|rate| !(rate > 0.0 && rate <= 1000.0))
    {
        return wrong("--people is a number of tasks per second, above 0 and at most 1000");
    }
    if options.tasks == Some(0) {
        return wrong("--tasks is at least 1");
    }
    if options.scenario_file.is_some()
        && (options.import.is_some() || options.import_workflow.is_some())
    {
        return wrong(
            "--scenario-file describes everything; it does not go with --import or --import-workflow",
        );
    }
    Ok(())
}

/// The folder of the database and the key; a temporary one where the data need not stay.
fn folder(options: &ServeOptions) -> Result<(PathBuf, Option<tempfile::TempDir>), LocalError> {
    match &options.data {
        Some(folder) => {
            private_folder(folder)?;
            let folder = folder
                .canonicalize()
                .map_err(|e| LocalError::file("cannot open", folder, e))?;
            Ok((folder, None))
        }
        None => {
            let mut builder = tempfile::Builder::new();
            builder.prefix("workbench-local-");
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
            let scratch = builder.tempdir();
            let scratch =
                scratch.map_err(|e| LocalError::file("cannot make", &std::env::temp_dir(), e))?;
            Ok((scratch.path().to_owned(), Some(scratch)))
        }
    }
}

/// One server per folder: two would not know of each other's projects.
fn lock(folder: &Path) -> Result<File, LocalError> {
    let path = folder.join("lock");
    let file = File::create(&path).map_err(|e| LocalError::file("cannot write", &path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LocalError::Options(format!(
            "another server has {} open; stop it, or name another --data folder",
            folder.display()
        ))),
        Err(TryLockError::Error(e)) => Err(LocalError::file("cannot lock", &path, e)),
    }
}

fn private_folder(folder: &Path) -> Result<(), LocalError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(|e| LocalError::file("cannot make the folder", folder, e))
}

/// Opens the database, building it first where there is none, and puts the server together.
fn open(
    options: &ServeOptions,
    folder: &Path,
    key_file: &Path,
    durability: Durability,
    domain: String,
) -> Result<Shared, LocalError> {
    let path = folder.join("project.db");
    let names = Names::new(options.seed);
    if path.exists() {
        tracing::info!(path = %path.display(), "reopened; scenario, tasks and seed are those it was made with");
    } else {
        build::build(&path, &world(options, names)?, names, time::now())?;
    }
    let store = Store::open(&path, durability)?;
    let key = keys::load_or_make(key_file, build::OWNER)?;
    let mut users = vec![(build::OWNER.to_owned(), key)];
    let secret = secret(&folder.join("secret"))?;
    let refused = |refusal: crate::error::Refusal| LocalError::content(&path, refusal.message());
    let (catalog, main, more) = store
        .read_here(|c| {
            Ok((
                Catalog::load(c)?,
                schema::meta(c, "project")?,
                known_users(c)?,
            ))
        })
        .map_err(refused)?;
    users.extend(more);
    let main = main.and_then(|m| Uuid::parse_str(&m).ok());
    let project =
        main.ok_or_else(|| LocalError::content(&path, "the database names no project"))?;
    Ok(App::new(Parts {
        store,
        gate: Gate::new(users, secret),
        catalog,
        injector: Injector::new(options.seed, options.faults.clone()),
        seed: options.seed,
        domain,
        page_size: options.page_size,
        latency: options.latency,
        project,
    }))
}

fn known_users(
    connection: &Connection,
) -> Result<Vec<(String, ed25519_dalek::VerifyingKey)>, crate::error::Refusal> {
    let mut find = connection.prepare("SELECT email, key FROM user")?;
    let pairs: Vec<(String, String)> = find
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let key = |(email, text): (String, String)| Some((email, crate::auth::verifying_key(&text)?));
    Ok(pairs.into_iter().filter_map(key).collect())
}

/// The secret behind signed URLs and tokens: kept, so that they outlive a restart.
fn secret(path: &Path) -> Result<[u8; 32], LocalError> {
    if let Ok(bytes) = std::fs::read(path)
        && let Ok(secret) = <[u8; 32]>::try_from(bytes)
    {
        return Ok(secret);
    }
    let secret = keys::random();
    keys::write_private(path, &secret)?;
    Ok(secret)
}

fn world(options: &ServeOptions, names: Names) -> Result<World, LocalError> {
    if let Some(path) = &options.scenario_file {
        return World::read(path);
    }
    let tasks = options
        .tasks
        .unwrap_or_else(|| options.scenario.default_tasks());
    let mut world = options.scenario.world(tasks, names);
    if let Some(folder) = &options.import {
        let dataset = import::dataset(folder)?;
        world.projects = vec![project(&dataset.title)];
        world.datasets = vec![dataset];
        world.ontologies = vec![ontology::spec()];
        world.lively = false;
    }
    if let Some(path) = &options.import_workflow {
        let text = std::fs::read_to_string(path)
            .map_err(|e| LocalError::file("cannot read the workflow", path, e))?;
        let graph = Graph::parse(&text).map_err(|problem| LocalError::content(path, problem))?;
        let title = path.file_stem().map_or_else(
            || "Imported".to_owned(),
            |n| n.to_string_lossy().into_owned(),
        );
        let graph_nodes = graph.specification()["graphNodes"].take();
        world.workflow_templates = vec![TemplateSpec {
            id: None,
            title,
            graph_nodes,
        }];
        world.lively = false;
    }
    Ok(world)
}

/// Takes connections until told to stop, then lets those under way finish.
async fn accept(listener: TcpListener, app: Shared, mut stop: watch::Receiver<bool>) {
    let service = TowerToHyperService::new(routes::router(Arc::clone(&app)));
    let graceful = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            _ = stop.changed() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file handles, mostly: those in use will be given back.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                }
            },
        };
        app.tally.connection();
        connection(stream, service.clone(), &graceful);
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("requests were still under way when the server stopped");
    }
}

fn connection(
    stream: TcpStream,
    service: TowerToHyperService<axum::Router>,
    graceful: &GracefulShutdown,
) {
    let _ = stream.set_nodelay(true);
    let answer =
        hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let service = service.clone();
            async move {
                let response = hyper::service::Service::call(&service, request)
                    .await
                    .unwrap_or_else(|never| match never {});
                if response.extensions().get::<DropConnection>().is_some() {
                    return Err(std::io::Error::new(
                        std::io::ErrorKind::ConnectionAborted,
                        "an injected fault",
                    ));
                }
                Ok(response)
            }
        });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .max_buf_size(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), answer);
    let serving = graceful.watch(serving);
    tokio::spawn(async move {
        if let Err(error) = serving.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}
