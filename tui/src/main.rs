//! `workbench`: a terminal workbench for Encord workflow agents.
//!
//! Reads the command line and hands over; ends with the exit code that tells the truth.

// Words go out by `say!` and `tell!`, which outlive their readers.
#![deny(clippy::print_stdout, clippy::print_stderr)]

#[macro_use]
mod print;

mod builder;
mod check;
mod cli;
mod config;
mod crash;
mod database;
mod demo;
mod exit;
mod headless;
mod journal;
mod library;
mod limits;
mod loading;
mod logging;
mod look;
mod new;
mod params;
mod pictures;
mod plan;
mod report;
mod runtime;
mod screen;
mod serve;
mod signals;
mod terminal;
mod tried;
mod undo;
mod upstream;

use clap::FromArgMatches;
use clap::error::ErrorKind;
use cli::{Cli, Command, Global};
use exit::Ending;
use std::process::ExitCode;
use wb_core::fault::{Fault, FaultKind};

fn main() -> ExitCode {
    // The child process takes no part in anything below: no runtime, no log, no settings.
    if std::env::args_os().nth(1).is_some_and(|a| a == "host") {
        return wb_host::child_main(std::env::args_os().skip(2));
    }
    wb_host::keep_private();
    let parsed = cli::command_line().try_get_matches();
    let cli = match parsed.and_then(|found| Cli::from_arg_matches(&found)) {
        Ok(cli) => cli,
        Err(error) => {
            let error = cli::with_nearest(error);
            let help = matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            );
            let _ = error.print();
            return ExitCode::from(if help { 0 } else { 2 });
        }
    };
    crash::report_panics();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            tell!("workbench: no threads can be started: {error}");
            return ExitCode::from(70);
        }
    };
    let ending = runtime.block_on(dispatch(&cli));
    // What still runs in the background has no claim on the person's time.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    ExitCode::from(ending.code())
}

async fn dispatch(cli: &Cli) -> Ending {
    let mut ending = Ending::default();
    let result = command(cli, &mut ending).await;
    if let Err(fault) = result {
        ending.told(fault);
    }
    ending
}

/// Commands that need no settings; the others go on to [`with_settings`].
async fn command(cli: &Cli, ending: &mut Ending) -> Result<(), Fault> {
    let global = &cli.global;
    match &cli.command {
        Some(Command::Keys) if global.json => print::text(&wb_ui::keys_json()),
        Some(Command::Keys) => print::text(&wb_ui::keys_text()),
        Some(Command::Completions(args)) => cli::completions(args),
        Some(Command::Man(args)) => cli::manual(args)?,
        Some(Command::Serve(args)) => {
            // A server leaves nothing behind in the folder it was started in, unless it is asked to.
            let _log = match &global.log_file {
                Some(file) => Some(logging::start(Some(file), global.verbose)?),
                None => None,
            };
            serve::serve(args, ending).await?;
        }
        other => with_settings(other.as_ref(), global, ending).await?,
    }
    Ok(())
}

/// Commands that leave no log; the others go on to [`logged`].
async fn with_settings(
    command: Option<&Command>,
    global: &Global,
    ending: &mut Ending,
) -> Result<(), Fault> {
    let config = config::Config::load(global)?;
    match command {
        Some(Command::New(args)) => {
            let project = config.project.as_ref().map(|p| p.value.as_str());
            new::new(args, project)
        }
        Some(Command::Review(args)) => headless::review(global, args),
        Some(Command::Journal(args)) => headless::journal(global, args),
        Some(Command::Config) => look::config(global, &config),
        Some(Command::Print(what)) => look::print(global, &config, what).await,
        other => {
            if matches!(other, None | Some(Command::Ui(_))) {
                terminal::required("the screen needs a terminal")?;
            }
            let _log = logging::start(global.log_file.as_deref(), global.verbose)?;
            logged(other, global, &config, ending).await
        }
    }
}

/// Commands that work on a project.
async fn logged(
    command: Option<&Command>,
    global: &Global,
    config: &config::Config,
    ending: &mut Ending,
) -> Result<(), Fault> {
    match command {
        None => *ending = screen::open(global, config, false).await?,
        Some(Command::Ui(args)) => *ending = screen::open(global, config, args.build).await?,
        Some(Command::Demo(args)) => *ending = demo::demo(global, config, args).await?,
        Some(Command::Run(args)) => *ending = headless::run(global, config, args).await,
        Some(Command::Plan(args)) => *ending = headless::plan(global, config, args).await,
        Some(Command::Apply(args)) => *ending = headless::apply(global, config, args).await,
        Some(Command::Undo(args)) => *ending = headless::undo(global, config, args).await,
        Some(Command::Resume(args)) => *ending = headless::resume(global, config, args).await,
        Some(Command::Exec(args)) => *ending = headless::exec(global, config, args).await,
        Some(Command::Check) => *ending = check::check(global, config).await?,
        Some(Command::Graph) => look::graph(global, config).await?,
        Some(Command::Stages) => look::stages(global, config).await?,
        Some(Command::Tasks(args)) => look::tasks(global, config, args).await?,
        Some(other) => {
            return Err(Fault::new(FaultKind::Bug, format!("nobody does {other:?}")));
        }
    }
    Ok(())
}
