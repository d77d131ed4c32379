//! Encord over HTTP: signing, retries, paging, bundling, wire types.
//!
//! [`Reader`] can only read. Everything that writes goes through [`Writer`], a type of its own that
//! a dry run simply does not have; with [`Settings::read_only`] none can be made. What a run means,
//! what is shown and which builds exist is left to the engine; running agents is left to the hosts.

mod assets;
mod error;
#[cfg(test)]
#[path = "../../../tests/fuzz/client.rs"]
mod fuzz;
mod http;
mod key;
mod labels;
mod read;
mod settings;
mod time;
mod write;

pub use assets::AssetCache;
pub use error::{At, BadCertificate, ClientError, Obstacle};
pub use http::stats::Stats;
pub use http::{Limits, Outage};
pub use key::agent::AgentError;
pub use key::{Key, KeyError};
pub use labels::{compare, saved_as, transplant};
pub use read::Reader;
pub use read::lists::{DocumentList, DocumentPage};
pub use read::projects::ProjectSummary;
pub use read::tasks::{TaskFilter, TaskPage};
pub use settings::{
    Bearer, Credential, DEFAULT_DOMAIN, Environment, Origin, Passphrase, PassphraseRequest,
    Settings, SettingsError,
};
pub use time::{parse_time, rfc3339};
pub use write::{Permission, Writer};
pub use zeroize::Zeroizing;
