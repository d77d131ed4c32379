//! `workbench serve`: a local Encord server on 127.0.0.1 until it is stopped.

use crate::cli::ServeArgs;
use crate::exit::Ending;
use crate::signals::Signals;
use std::io::IsTerminal;
use std::str::FromStr;
use wb_core::error::{Error, ErrorKind};
use wb_local::{FaultSpec, LocalError, Scenario, ServeOptions, Served};

/// Serves until SIGINT or SIGTERM; a second one does not wait for requests under way.
///
/// # Errors
/// A bad scenario or error, a taken port, a database that cannot be used.
pub async fn serve(args: &ServeArgs, _ending: &mut Ending) -> Result<(), Error> {
    let options = options(args)?;
    let mut signals = Signals::new()?;
    let served = tokio::select! {
        served = wb_local::serve(options) => served.map_err(error)?,
        _ = signals.next() => return Ok(()),
    };
    if args.scenario.is_some() && args.scenario_file.is_some() {
        notice!("workbench: --scenario is not used: the scenario file describes everything");
    }
    for note in &served.notes {
        notice!("workbench: {note}");
    }
    let ready = format!("{}\n", served.ready_line());
    if !crate::print::text(&ready) {
        // Nobody can know where it listens.
        return served.shutdown().await.map_err(error);
    }
    if std::io::stderr().is_terminal() {
        explain(&served);
    }
    signals.next().await;
    tokio::select! {
        stopped = served.shutdown() => stopped.map_err(error),
        _ = signals.next() => Ok(()),
    }
}

/// What a person types next.
fn explain(served: &Served) {
    notice!("serving until Ctrl-C; in another terminal:");
    notice!("  export ENCORD_DOMAIN={}", served.domain);
    notice!(
        "  export ENCORD_SSH_KEY_FILE='{}'",
        served.ssh_key_file.display()
    );
    notice!("  workbench --project-hash={}", served.project_hash);
    notice!(
        "Python scripts of your own: EncordUserClient.create_with_ssh_private_key(domain=os.environ[\"ENCORD_DOMAIN\"])"
    );
}

/// The server's options from the command line.
///
/// # Errors
/// A scenario or error that does not exist.
pub fn options(args: &ServeArgs) -> Result<ServeOptions, Error> {
    let usage = |e: String| Error::new(ErrorKind::Usage, e);
    // The server reads them by itself, and a named pipe would keep it waiting for ever.
    for path in args.scenario_file.iter().chain(&args.import_workflow) {
        wb_host::open_regular(path).map_err(|e| {
            Error::new(
                ErrorKind::Settings,
                format!("cannot read {}: {e}", path.display()),
            )
        })?;
    }
    let faults: Result<Vec<FaultSpec>, String> =
        args.fault.iter().map(|f| FaultSpec::from_str(f)).collect();
    Ok(ServeOptions {
        scenario: args
            .scenario
            .as_deref()
            .map_or(Ok(Scenario::Demo), Scenario::from_str)
            .map_err(usage)?,
        data: args.data.clone(),
        tasks: args.tasks,
        seed: args.seed,
        port: args.port,
        page_size: args.page_size,
        latency: args.latency.unwrap_or_default(),
        faults: faults.map_err(usage)?,
        import: args.import.clone(),
        import_workflow: args.import_workflow.clone(),
        scenario_file: args.scenario_file.clone(),
        people: args.people,
    })
}

/// An error of the local project.
pub fn error(error: LocalError) -> Error {
    let kind = match error {
        LocalError::Options(_) => ErrorKind::Usage,
        _ => ErrorKind::Settings,
    };
    Error::new(kind, format!("the local project cannot be served: {error}"))
}
