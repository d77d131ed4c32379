//! What has to be there before a command starts: settings, a terminal, a folder for its state, a log.

use crate::appearance::Appearance;
use crate::cli::{Command, Global, QueueWhat};
use crate::{logging, terminal};
use tracing_appender::non_blocking::WorkerGuard;
use wb_core::error::Error;
use wb_engine::config::Config;
use wb_engine::files;

/// A command that may start.
pub struct Begun {
    /// The settings; the defaults for a command that needs none.
    pub config: Config,
    /// Keys and colours of the screen.
    pub appearance: Appearance,
    /// Writes the rest of the log when it is dropped.
    _log: Option<WorkerGuard>,
}

/// What a command needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// A log where one is named: it leaves nothing behind in the folder it was started in.
    NamedLog,
    Settings,
    /// A state folder that may be a temporary one: nobody needs what it keeps there.
    Scratch,
    /// A state folder that lasts: every command that writes keeps its journal there.
    State,
    /// The same, and a terminal.
    Screen,
}

impl Needs {
    const fn of(command: Option<&Command>, dry_run: bool) -> Self {
        match command {
            Some(Command::Completions(_) | Command::Man(_) | Command::Host) => Self::Nothing,
            Some(Command::Serve(_) | Command::Replay(_)) => Self::NamedLog,
            Some(Command::New(_) | Command::Review(_) | Command::Journal(_)) => Self::Settings,
            Some(Command::Runs(_) | Command::Attach(_)) => Self::Settings,
            Some(Command::Keys | Command::Config | Command::Print(_)) => Self::Settings,
            Some(Command::Queue(args)) => match args.what {
                QueueWhat::Push(_) | QueueWhat::Purge(_) => Self::State,
                _ => Self::Settings,
            },
            Some(Command::Check(_) | Command::Graph(_) | Command::Stages(_)) => Self::Scratch,
            Some(Command::Tasks(_) | Command::Plan(_) | Command::Compare(_)) => Self::Scratch,
            Some(Command::Run(_) | Command::Exec(_)) if dry_run => Self::Scratch,
            Some(Command::Run(_) | Command::Exec(_) | Command::Demo(_)) => Self::State,
            Some(Command::Background(_) | Command::Worker(_)) => Self::State,
            Some(Command::Apply(_) | Command::Undo(_) | Command::Resume(_)) => Self::State,
            None | Some(Command::Ui(_)) => Self::Screen,
        }
    }
}

/// Prepares what the command needs.
///
/// # Errors
/// Settings that cannot be read, no terminal for the screen, or a folder that cannot be written.
pub fn begin(command: Option<&Command>, global: &Global) -> Result<Begun, Error> {
    let needs = Needs::of(command, global.dry_run);
    let file = global.log_file.as_deref();
    let config = match needs {
        Needs::Nothing | Needs::NamedLog => Config::default(),
        _ => Config::load(&global.flags())?,
    };
    if let Some(state) = &config.state {
        files::keep_state_in(state.value.clone());
    }
    let appearance = Appearance::of(&config)?;
    for warning in appearance.keymap().1 {
        notice!("warning: {}", wb_ui::text::clean(&warning));
    }
    match needs {
        Needs::Screen if terminal::is_linear(global.plain) => {}
        Needs::Screen => terminal::required("the screen needs a terminal")?,
        Needs::Scratch => files::allow_scratch(),
        _ => {}
    }
    let log = match needs {
        Needs::Nothing | Needs::Settings => None,
        Needs::NamedLog if file.is_none() => None,
        _ => Some(logging::start(file, global.verbose)?),
    };
    report_state();
    Ok(Begun {
        config,
        appearance,
        _log: log,
    })
}

/// Reports what is wrong with the state folder, where it was used.
pub fn report_state() {
    if let Some(note) = files::take_note() {
        notice!("{note}");
    }
}
