//! Opens the database behind a server, and creates it first if there is none.

use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};

use ed25519_dalek::VerifyingKey;
use rusqlite::Connection;
use uuid::Uuid;

use super::ServeOptions;
use super::folder::{Folder, UPLOADS};
use crate::app::{App, SharedApp};
use crate::auth::Keyring;
use crate::endpoint::LiveCounters;
use crate::error::{LocalError, Refusal};
use crate::fault::Injector;
use crate::ids::Names;
use crate::media::MediaLibrary;
use crate::routes::{BodyBudget, OWN_PAGES};
use crate::store::catalog::Catalog;
use crate::store::sql::Sql as _;
use crate::store::{Durability, Store, schema};
use crate::workflow::Graph;
use crate::world::builtin::project;
use crate::world::{TemplateSpec, World, build, import, ontology};
use crate::{keys, time};

/// Addresses and keys of users.
type Users = Vec<(String, VerifyingKey)>;

/// A server that is ready to answer, and notes about its data.
pub(super) struct Opened {
    pub app: SharedApp,
    pub twin: Option<Uuid>,
    /// For the server's own pages.
    pub local_token: String,
    pub notes: Vec<String>,
}

/// The file of the database.
pub(super) const DATABASE: &str = "project.db";
/// The file of the private key that the server accepts.
pub(super) const KEY: &str = "id_ed25519";
/// The file of the secret behind signed URLs and tokens.
pub(super) const SECRET: &str = "secret";
/// The file of the token for the server's own pages.
pub(super) const TOKEN: &str = "local-token";

/// Opens the database, or creates it, and assembles the server.
pub(super) fn open(
    options: &ServeOptions,
    folder: &Folder,
    domain: String,
) -> Result<Opened, LocalError> {
    let path = folder.path.join(DATABASE);
    let names = Names::new(options.seed);
    let mut notes = Vec::new();
    if path.exists() {
        notes.push(format!(
            "reopened {}: it keeps the scenario, tasks, imports and hashes it was created with",
            folder.path.display()
        ));
    } else {
        let world = world(options, names)?;
        build::build(&path, &world, names, time::now())?;
        notes = world.notes;
    }
    let durability = if folder.is_temporary() {
        Durability::Process
    } else {
        Durability::Disk
    };
    let store = Store::open(&path, durability)?;
    let refused = |refusal: Refusal| LocalError::content(&path, refusal.message());
    let (catalog, [main, twin], more) = store.read_here(kept).map_err(refused)?;
    let (keyring, local_token) = guarded(folder, more)?;
    let project =
        main.ok_or_else(|| LocalError::content(&path, "the database names no project"))?;
    let app = App {
        library: Arc::new(MediaLibrary::with_uploads(folder.path.join(UPLOADS))),
        store,
        keyring,
        catalog: RwLock::new(Arc::new(catalog)),
        reloading: tokio::sync::Mutex::default(),
        injector: Mutex::new(Injector::new(options.seed, options.faults.clone())),
        seed: options.seed,
        counters: LiveCounters::default(),
        bodies: BodyBudget::default(),
        domain,
        page_size: options.page_size,
        latency: options.latency,
        project,
    };
    Ok(Opened {
        app: Arc::new(app),
        twin,
        local_token,
        notes,
    })
}

/// The catalogue, the main project and its twin, and the users in the database.
fn kept(db: &Connection) -> Result<(Catalog, [Option<Uuid>; 2], Users), Refusal> {
    let uuid =
        |key: &str| Ok::<_, Refusal>(schema::meta(db, key)?.and_then(|t| Uuid::parse_str(&t).ok()));
    let projects = [uuid("project")?, uuid("twin")?];
    Ok((Catalog::load(db)?, projects, known_users(db)?))
}

/// Reads the key, the secret and the token in the folder, or creates them. The owner and `more` users have access.
fn guarded(folder: &Folder, more: Users) -> Result<(Keyring, String), LocalError> {
    let key = keys::load_or_make(&folder.path.join(KEY), build::OWNER)?;
    let mut users = vec![(build::OWNER.to_owned(), key)];
    users.extend(more);
    let keyring = Keyring::new(users, keys::secret(&folder.path.join(SECRET))?);
    let token = keyring.seal(OWN_PAGES);
    keys::write_private(&folder.path.join(TOKEN), token.as_bytes())?;
    Ok((keyring, token))
}

fn known_users(connection: &Connection) -> Result<Users, Refusal> {
    let pairs: Vec<(String, String)> =
        connection.rows("SELECT email, key FROM user", [], |r| r.try_into())?;
    let key = |(email, text): (String, String)| Some((email, crate::auth::verifying_key(&text)?));
    Ok(pairs.into_iter().filter_map(key).collect())
}

fn world(options: &ServeOptions, names: Names) -> Result<World, LocalError> {
    let mut unused = Vec::new();
    if options.tasks.is_some() && (options.scenario_file.is_some() || options.import.is_some()) {
        unused.push(
            "--tasks is ignored: the scenario file or imported folder has its own items".to_owned(),
        );
    }
    if let Some(path) = &options.scenario_file {
        let mut world = World::read(path)?;
        world.notes.extend(unused);
        return Ok(world);
    }
    let tasks = options
        .tasks
        .unwrap_or_else(|| options.scenario.default_tasks());
    let mut world = options.scenario.world(tasks, names);
    if let Some(folder) = &options.import {
        let (dataset, notes) = import::dataset(folder)?;
        world.projects = vec![project(&dataset.title)];
        world.datasets = vec![dataset];
        world.ontologies = vec![ontology::spec()];
        world.lively = false;
        world.notes = notes;
        world.notes.extend(unused);
    }
    if let Some(path) = &options.import_workflow {
        let (template, notes) = imported_workflow(path)?;
        world.workflow_templates = vec![template];
        world.notes.extend(notes);
        world.lively = false;
    }
    Ok(world)
}

fn imported_workflow(path: &Path) -> Result<(TemplateSpec, Vec<String>), LocalError> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| LocalError::file("cannot read the workflow", path, e))?;
    let (graph, guesses) =
        Graph::parse_noting(&text).map_err(|problem| LocalError::content(path, problem))?;
    let notes = guesses.iter().map(|g| format!("{}: {g}", path.display()));
    let title = path.file_stem().map_or_else(
        || "Imported".to_owned(),
        |n| n.to_string_lossy().into_owned(),
    );
    let template = TemplateSpec {
        id: None,
        title,
        graph_nodes: graph.specification()["graphNodes"].take(),
    };
    Ok((template, notes.collect()))
}
