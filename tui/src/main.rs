//! `workbench`: a terminal workbench for Encord workflow agents.
//!
//! Reads the command line and hands over; ends with the right exit code.

// Words go out by `out!` and `notice!`, which outlive their readers.
#![deny(clippy::print_stdout, clippy::print_stderr)]

#[macro_use]
mod print;

mod anchored;
mod appearance;
mod begin;
// Without the local server nothing asks for the sample agents.
#[cfg_attr(not(feature = "local"), allow(dead_code))]
mod carried;
mod check;
mod cli;
mod crash;
#[cfg(feature = "local")]
mod demo;
mod editor;
mod exit;
mod graphics;
mod headless;
mod links;
mod logging;
mod look;
mod new;
#[cfg(not(feature = "broker"))]
mod no_broker;
#[cfg(not(feature = "local"))]
mod no_local;
mod notify;
mod passphrase;
mod pictures;
#[cfg(feature = "broker")]
mod queue;
mod recorder;
mod replay;
mod report;
mod screen;
#[cfg(feature = "local")]
mod serve;
mod signals;
mod terminal;

use clap::FromArgMatches;
use cli::{Cli, Command};
#[cfg(feature = "local")]
use demo::demo;
use exit::Ending;
#[cfg(feature = "broker")]
use headless::worker;
#[cfg(not(feature = "broker"))]
use no_broker::{queue, worker};
#[cfg(not(feature = "local"))]
use no_local::{demo, serve};
#[cfg(feature = "broker")]
use queue::queue;
#[cfg(feature = "local")]
use serve::serve;
use std::process::ExitCode;
use wb_core::error::{Error, ErrorKind};
use wb_core::limits;
use wb_engine::files;

fn main() -> ExitCode {
    // The child process takes no part in anything below: no runtime, no log, no settings.
    if std::env::args_os().nth(1).is_some_and(|a| a == "host") {
        return wb_host::child_main(std::env::args_os().skip(2));
    }
    wb_host::keep_private();
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    wb_core::secret::mask(std::env::vars_os().map(|(name, value)| (text(name), text(value))));
    let parsed = cli::command_line().try_get_matches();
    let cli = match parsed.and_then(|found| Cli::from_arg_matches(&found)) {
        Ok(cli) => cli,
        Err(error) => {
            let error = cli::with_nearest(error);
            return ExitCode::from(unparsed(&error));
        }
    };
    files::owner_rights_stay();
    crash::report_panics();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            let text = format!("no threads can be started: {error}");
            let error = limits::reached(&text)
                .map_or(Error::new(ErrorKind::Settings, &text), |f| f.because(text));
            exit::print_error(&error);
            return ExitCode::from(error.kind.exit_code());
        }
    };
    let mut ending = runtime.block_on(dispatch(&cli));
    begin::report_state();
    if let Some(loss) = print::lost() {
        ending.lost(loss);
    }
    files::remove_scratch();
    // What still runs in the background has no claim on the person's time.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    ExitCode::from(ending.code())
}

/// Prints help, or what is wrong with the command line.
fn unparsed(error: &clap::Error) -> u8 {
    let mut ending = Ending::default();
    // What was typed is repeated in it.
    let text = error.render().to_string();
    if error.use_stderr() {
        for line in text.trim_end().lines() {
            notice!("{line}");
        }
        return 2;
    }
    print::text(&text);
    if let Some(loss) = print::lost() {
        ending.lost(loss);
    }
    ending.code()
}

async fn dispatch(cli: &Cli) -> Ending {
    let mut ending = Ending::default();
    let result = match signals::survive_file_limit() {
        Ok(_kept) => Box::pin(command(cli, &mut ending)).await,
        Err(error) => Err(error),
    };
    if let Err(error) = result {
        ending.fail(error);
    }
    ending
}

/// Performs the command: one arm for each.
async fn command(cli: &Cli, ending: &mut Ending) -> Result<(), Error> {
    let global = &cli.global;
    let flags = &global.flags();
    let record = cli.recorded()?;
    let begun = begin::begin(cli.command.as_ref(), global)?;
    let begin::Begun {
        config, appearance, ..
    } = &begun;
    match &cli.command {
        None => *ending = screen::open(global, config, false, &record).await?,
        Some(Command::Ui(args)) => {
            *ending = screen::open(global, config, args.build, &record).await?;
        }
        Some(Command::Demo(args)) => *ending = demo(global, config, args, &record).await?,
        Some(Command::New(args)) => new::new(global, config, args).await?,
        Some(Command::Check(args)) => *ending = check::check(global, config, args).await?,
        Some(Command::Run(args)) => {
            *ending = Box::pin(headless::run(flags, config, &args.request())).await;
        }
        Some(Command::Plan(args)) => *ending = Box::pin(headless::plan(global, config, args)).await,
        Some(Command::Compare(args)) => {
            *ending = Box::pin(headless::compare(global, config, args)).await;
        }
        Some(Command::Review(args)) => headless::review(global, config, args)?,
        Some(Command::Apply(args)) => {
            *ending = headless::apply(flags, config, &args.request()).await;
        }
        Some(Command::Undo(args)) => *ending = headless::undo(flags, config, &args.request()).await,
        Some(Command::Resume(args)) => *ending = headless::resume(flags, config, args).await,
        Some(Command::Exec(args)) => *ending = Box::pin(headless::exec(flags, config, args)).await,
        Some(Command::Queue(args)) => Box::pin(queue(global, config, args)).await?,
        Some(Command::Worker(args)) => *ending = Box::pin(worker(flags, config, args)).await,
        Some(Command::Graph(args)) => look::graph(global, config, args, ending).await?,
        Some(Command::Stages(args)) => look::stages(global, config, args, ending).await?,
        Some(Command::Tasks(args)) => look::tasks(global, config, args, ending).await?,
        Some(Command::Journal(args)) => headless::journal(global, args)?,
        Some(Command::Runs(args)) => headless::runs(global, args)?,
        Some(Command::Attach(args)) => *ending = headless::attach(global, args).await?,
        Some(Command::Background(args)) => {
            *ending = Box::pin(headless::background(args.run)).await;
        }
        Some(Command::Replay(args)) => *ending = Box::pin(replay::replay(args)).await?,
        Some(Command::Serve(args)) => serve(args, ending).await?,
        Some(Command::Keys) => look::keys(global, &appearance.keymap().0),
        Some(Command::Config) => look::config(global, config, appearance),
        Some(Command::Print(what)) => look::print(global, config, what, ending).await?,
        Some(Command::Completions(args)) => cli::completions(args),
        Some(Command::Man(args)) => cli::manual(args)?,
        Some(Command::Host) => return Err(cli::host_is_internal()),
    }
    Ok(())
}
