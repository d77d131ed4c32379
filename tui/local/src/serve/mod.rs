//! Starting and stopping: options in, a server that answers on loopback out.
//!
//! `folder` chooses the data folder, `open` opens or creates the data, `listen` accepts connections.

mod folder;
mod listen;
mod open;
mod options;
mod plain;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::app::SharedApp;
use crate::endpoint::Counters;
use crate::error::LocalError;
use crate::people;
use folder::Folder;

pub use folder::remove_data;
pub use options::ServeOptions;

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
    /// The token that requests to `/local/…` must send (`Authorization: Bearer …`).
    pub local_token: String,
    /// Notes about the data, a sentence each: files that were not imported, or that existing data were
    /// reopened. Mostly empty.
    pub notes: Vec<String>,
    app: SharedApp,
    stop: watch::Sender<bool>,
    listener: Option<JoinHandle<()>>,
    people: Option<JoinHandle<()>>,
    _folder: Folder,
}

/// A limit on the size of files (`ulimit -f`) kills the process at the first write beyond it. With the
/// signal handled, that write fails as on a full disk: its request is refused, and reads still work.
fn outlive_file_limits() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        /// SIGXFSZ on every supported system.
        const FILE_TOO_LARGE: i32 = 25;
        // Handled from now on, though nothing waits for it.
        if let Err(error) = signal(SignalKind::from_raw(FILE_TOO_LARGE)) {
            tracing::warn!(%error, "a limit on the size of files would kill this server");
        }
    }
}

/// Starts a local server and returns as soon as it accepts requests.
///
/// # Errors
/// Invalid options, files that cannot be read or written, a port in use, a database that cannot be
/// opened.
pub async fn serve(options: ServeOptions) -> Result<Served, LocalError> {
    options.check()?;
    outlive_file_limits();
    // The port first: creating a large project would be wasted if the port is in use.
    let (listener, domain) = bind(options.port).await?;
    let people_rate = options.people;
    let at = domain.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let folder = Folder::open(options.data.as_deref())?;
        let opened = open::open(&options, &folder, at)?;
        Ok::<_, LocalError>((folder, opened))
    });
    let (folder, opened) = opened
        .await
        .map_err(|e| LocalError::World(format!("the local project could not be created: {e}")))??;
    let app = opened.app;
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(listen::listen(listener, Arc::clone(&app), stopped.clone()));
    let people =
        people_rate.map(|rate| tokio::spawn(people::work(Arc::clone(&app), rate, stopped)));
    Ok(Served {
        domain,
        project_hash: app.project,
        twin_project_hash: opened.twin,
        ssh_key_file: folder.path.join(open::KEY),
        local_token: opened.local_token,
        notes: opened.notes,
        app,
        stop,
        listener: Some(serving),
        people,
        _folder: folder,
    })
}

async fn bind(port: u16) -> Result<(TcpListener, String), LocalError> {
    let taken = |source| LocalError::Bind { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(taken)?;
    let found = listener.local_addr().map_err(taken)?.port();
    Ok((listener, format!("http://127.0.0.1:{found}")))
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
            "local_token": self.local_token,
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
        self.app.counters.read()
    }

    /// Stops accepting requests, finishes those in progress, and closes the database.
    ///
    /// # Errors
    /// None at present; reserved for errors on closing the database.
    pub async fn shutdown(mut self) -> Result<(), LocalError> {
        let _ = self.stop.send(true);
        for task in [self.people.take(), self.listener.take()]
            .into_iter()
            .flatten()
        {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the local server panicked");
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
