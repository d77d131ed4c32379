//! `workbench`: a terminal workbench for Encord workflow agents.
//!
//! Reads the command line and hands over; ends with the exit code that tells the truth.

// Words go out by `say!` and `tell!`, which outlive their readers.
#![deny(clippy::print_stdout, clippy::print_stderr)]

#[macro_use]
mod print;

mod anchored;
mod check;
mod cli;
mod crash;
mod demo;
mod exit;
mod headless;
mod logging;
mod look;
mod new;
mod pictures;
mod report;
mod screen;
mod serve;
mod signals;
mod terminal;

use clap::FromArgMatches;
use cli::{Cli, Command, Global};
use exit::Ending;
use std::process::ExitCode;
use wb_core::error::{Error, ErrorKind};
use wb_core::limits;
use wb_engine::config::Config;
use wb_engine::files;

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
    tell_of_state();
    if let Some(loss) = print::lost() {
        ending.lost(loss);
    }
    files::remove_scratch();
    // What still runs in the background has no claim on the person's time.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    ExitCode::from(ending.code())
}

/// Reports what is wrong with the state folder, where it was used.
fn tell_of_state() {
    if let Some(note) = files::take_note() {
        tell!("{note}");
    }
}

/// Prints help, or what is wrong with the command line.
fn unparsed(error: &clap::Error) -> u8 {
    let mut ending = Ending::default();
    // What was typed is repeated in it.
    let text = error.render().to_string();
    if error.use_stderr() {
        for line in text.trim_end().lines() {
            tell!("{line}");
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
        Ok(_kept) => command(cli, &mut ending).await,
        Err(error) => Err(error),
    };
    if let Err(error) = result {
        ending.told(error);
    }
    ending
}

/// Commands that need no settings; the others go on to [`with_settings`].
async fn command(cli: &Cli, ending: &mut Ending) -> Result<(), Error> {
    let global = &cli.global;
    match &cli.command {
        Some(Command::Keys) => {
            print::text(&match global.json {
                true => wb_ui::keys_json(),
                false => wb_ui::keys_text(),
            });
        }
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
) -> Result<(), Error> {
    let config = Config::load(&global.flags())?;
    match command {
        Some(Command::New(args)) => {
            let project = config.project.as_ref().map(|p| p.value.as_str());
            new::new(args, project)
        }
        Some(Command::Review(args)) => headless::review(global, &config, args),
        Some(Command::Journal(args)) => headless::journal(global, args),
        Some(Command::Config) => look::config(global, &config),
        Some(Command::Print(what)) => look::print(global, &config, what, ending).await,
        other => {
            if matches!(other, None | Some(Command::Ui(_))) {
                terminal::required("the screen needs a terminal")?;
            }
            if leaves_nothing(other, global) {
                files::allow_scratch();
            }
            let _log = logging::start(global.log_file.as_deref(), global.verbose)?;
            tell_of_state();
            logged(other, global, &config, ending).await
        }
    }
}

/// Whether nobody needs what a command stores for itself, so that it can do without a folder to write to.
fn leaves_nothing(command: Option<&Command>, global: &Global) -> bool {
    match command {
        Some(Command::Check(_) | Command::Graph(_) | Command::Stages(_)) => true,
        Some(Command::Tasks(_) | Command::Plan(_)) => true,
        Some(Command::Run(_) | Command::Exec(_)) => global.dry_run,
        _ => false,
    }
}

/// Commands that work on a project.
async fn logged(
    command: Option<&Command>,
    global: &Global,
    config: &Config,
    ending: &mut Ending,
) -> Result<(), Error> {
    match command {
        None => *ending = screen::open(global, config, false).await?,
        Some(Command::Ui(args)) => *ending = screen::open(global, config, args.build).await?,
        Some(Command::Demo(args)) => *ending = demo::demo(global, config, args).await?,
        Some(Command::Run(args)) => *ending = Box::pin(headless::run(global, config, args)).await,
        Some(Command::Plan(args)) => *ending = Box::pin(headless::plan(global, config, args)).await,
        Some(Command::Apply(args)) => *ending = headless::apply(global, config, args).await,
        Some(Command::Undo(args)) => *ending = headless::undo(global, config, args).await,
        Some(Command::Resume(args)) => *ending = headless::resume(global, config, args).await,
        Some(Command::Exec(args)) => *ending = headless::exec(global, config, args).await,
        Some(Command::Check(args)) => *ending = check::check(global, config, args).await?,
        Some(Command::Graph(args)) => look::graph(global, config, args, ending).await?,
        Some(Command::Stages(args)) => look::stages(global, config, args, ending).await?,
        Some(Command::Tasks(args)) => look::tasks(global, config, args, ending).await?,
        Some(other) => {
            return Err(Error::new(ErrorKind::Bug, format!("nobody does {other:?}")));
        }
    }
    Ok(())
}
