//! From command line and environment to a reader, and a writer where writing is allowed.

use crate::attempt_limit::AttemptLimit;
use crate::config::Config;
use crate::flags::Flags;
use std::sync::{Arc, OnceLock};
use uuid::Uuid;
use wb_client::{Environment, Passphrase, Permission, Reader, Settings, Writer};
use wb_core::error::{Error, ErrorKind};
use wb_core::ids::ProjectHash;
use wb_core::run::OnDuplicate;
use wb_core::state::Level;

/// Largest file of a key, in bytes.
const KEY_FILE: u64 = 1 << 20;

/// Who we talk to.
pub struct Upstream {
    /// Reads.
    pub reader: Reader,
    /// Writes; `None` in a dry run and with `--read-only`.
    pub writer: Option<Arc<Writer>>,
    /// Host name, for the screen.
    pub name: String,
    /// What authenticates requests and where it comes from, for `check`; nothing secret.
    pub credential: String,
}

/// Connects with the credentials of the environment. Nothing is sent yet.
///
/// # Errors
/// No key, a bad key, a bad domain.
fn connect(
    flags: &Flags,
    config: &Config,
    rate: Option<f64>,
    permission: Permission,
) -> Result<Upstream, Error> {
    // A command may connect twice, and a passphrase is asked for once.
    static KNOWN: OnceLock<Settings> = OnceLock::new();
    let settings = match KNOWN.get() {
        Some(settings) => settings.clone(),
        None => {
            let settings = from_env(flags)?;
            KNOWN.get_or_init(|| settings).clone()
        }
    };
    with_settings(flags, config, rate, permission, settings)
}

fn from_env(flags: &Flags) -> Result<Settings, Error> {
    Ok(Settings::from_env(Environment {
        var: &|name| std::env::var(name).ok(),
        read: &|path| wb_host::read_named(path, KEY_FILE),
        ask: &|request| match &flags.ask {
            Some(ask) => ask.passphrase(request),
            None => Passphrase::Unavailable,
        },
    })?)
}

/// Connects for a command whose job is to write; its name stands in the log.
///
/// # Errors
/// As `connect`.
pub fn command(
    flags: &Flags,
    config: &Config,
    rate: Option<f64>,
    name: &'static str,
) -> Result<Upstream, Error> {
    connect(flags, config, rate, Permission::Command(name))
}

/// Connects for the screen, where a person confirms before anything is written.
///
/// # Errors
/// As `connect`.
pub fn person(flags: &Flags, config: &Config) -> Result<Upstream, Error> {
    connect(flags, config, None, Permission::Person)
}

/// Connects the screen with settings that are known already: the demo's own server.
///
/// # Errors
/// The HTTP client cannot be made.
pub fn demo(flags: &Flags, config: &Config, settings: Settings) -> Result<Upstream, Error> {
    with_settings(flags, config, None, Permission::Person, settings)
}

/// Connects for a command that only looks.
///
/// # Errors
/// As `connect`.
pub fn look(flags: &Flags, config: &Config) -> Result<Upstream, Error> {
    let flags = Flags {
        read_only: true,
        ..flags.clone()
    };
    connect(&flags, config, None, Permission::Command("look"))
}

/// Connects with settings that are known already.
///
/// # Errors
/// The HTTP client cannot be made.
fn with_settings(
    flags: &Flags,
    config: &Config,
    rate: Option<f64>,
    permission: Permission,
    mut settings: Settings,
) -> Result<Upstream, Error> {
    settings.read_only = flags.read_only;
    settings.rate = rate.or(config.rate.as_ref().map(|r| r.value));
    let name = name_of(&settings.domain);
    let credential = format!("{} from {}", settings.credential, settings.origin);
    let reader = Reader::new(settings)?;
    let writer = if flags.dry_run || flags.read_only {
        None
    } else {
        let mut writer = reader.writer(permission)?;
        writer.watch_steps(crate::journal::points::at);
        let level = config.level.as_ref().map(|level| level.value);
        if let (Some(Level::Protected), Permission::Command(_)) = (level, permission) {
            writer.protect(flags.confirmed().cloned().collect());
        }
        Some(Arc::new(writer))
    };
    Ok(Upstream {
        reader,
        writer,
        name,
        credential,
    })
}

/// Host name and port of a domain, as plans and the screen name it.
fn name_of(domain: &str) -> String {
    let rest = domain.split_once("://").map_or(domain, |(_, rest)| rest);
    rest.to_owned()
}

/// The name of the platform that the environment names, when it names one.
///
/// # Errors
/// The domain is not usable.
pub fn named() -> Result<Option<String>, Error> {
    let domain = Settings::named_domain(|name| std::env::var(name).ok())?;
    Ok(domain.as_deref().map(name_of))
}

/// The name of the platform that a command would connect to.
///
/// # Errors
/// The domain is not usable.
pub fn name() -> Result<String, Error> {
    Ok(named()?.unwrap_or_else(|| name_of(wb_client::DEFAULT_DOMAIN)))
}

/// The project named on the command line, in the environment or in a settings file.
///
/// # Errors
/// None is named, or it is not a UUID.
pub fn project_hash(config: &Config) -> Result<ProjectHash, Error> {
    let Some(value) = &config.project else {
        return Err(Error::new(ErrorKind::Usage, "no project is named")
            .hint("workbench --project-hash=UUID, WORKBENCH_PROJECT, or `project = \"UUID\"` in workbench.toml")
            .hint("no project at hand: workbench demo"));
    };
    Uuid::parse_str(value.value.trim()).map(ProjectHash).map_err(|_| {
        Error::new(ErrorKind::Usage, format!("\"{}\" (from {}) is not a project hash", value.value, value.origin))
            .hint("a project hash is a UUID such as 6011c844-fb26-438b-b465-0b0825951015; it stands in the project's address in the browser")
    })
}

/// What happens to labels that stand there already.
#[must_use]
pub fn on_duplicate(flag: Option<OnDuplicate>, config: &Config) -> OnDuplicate {
    let from_file = config.on_duplicate.as_ref().map(|what| what.value);
    flag.or(from_file).unwrap_or_default()
}

/// Limit of one attempt in milliseconds, where the agent declares none: of the flag, the settings, or the default.
#[must_use]
pub fn timeout_ms(flag: Option<AttemptLimit>, config: &Config) -> Option<u64> {
    flag.unwrap_or_else(|| config.attempt_limit().value).ms()
}
