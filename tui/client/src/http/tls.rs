//! The pooled HTTP clients with their TLS: rustls with ring, the platform's certificates, and the
//! built-in ones where the platform has none. HTTP/2 where the server offers it. Certificates that a variable
//! names are read in `bundle`.

use super::bundle;
use super::proxy::{Proxies, Proxy, is_this_machine};
use crate::error::ClientError;
use crate::settings::Settings;
use reqwest::Url;
use reqwest::redirect::Policy;
use rustls::RootCertStore;
use std::sync::OnceLock;
use std::time::Duration;

/// One client for each way to a server, made when it is first needed.
///
/// To read the platform's certificates costs a third of a short command. Plain requests have no use for
/// them.
pub(crate) struct Clients {
    connect: Duration,
    proxies: Proxies,
    /// By [`Way::index`].
    made: [OnceLock<reqwest::Client>; 4],
}

/// What decides which client an address takes.
#[derive(Clone, Copy)]
struct Way {
    /// Past every proxy.
    direct: bool,
    /// With certificates: to the server or to its proxy.
    tls: bool,
}

impl Way {
    const fn index(self) -> usize {
        (self.direct as usize) * 2 + self.tls as usize
    }
}

impl Clients {
    /// Proxies and certificates come from the usual environment.
    pub(crate) fn new(settings: &Settings) -> Self {
        // reqwest panics without a provider; a second install is refused and means it is there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            connect: settings.connect_timeout,
            proxies: Proxies::from_env(),
            made: Default::default(),
        }
    }

    /// The client for an address, of the API or of a store.
    ///
    /// # Errors
    /// [`ClientError::Bug`]: it cannot be made. [`SettingsError::Certificates`]: they cannot be read.
    ///
    /// [`SettingsError::Certificates`]: crate::settings::SettingsError::Certificates
    pub(crate) fn of(&self, url: &Url) -> Result<&reqwest::Client, ClientError> {
        let way = Way {
            direct: is_this_machine(url),
            tls: url.scheme() == "https"
                || self
                    .proxy(url)
                    .is_some_and(|p| p.address.starts_with("https:")),
        };
        let made = &self.made[way.index()];
        if let Some(client) = made.get() {
            return Ok(client);
        }
        let client = make(way, self.connect)?;
        Ok(made.get_or_init(|| client))
    }

    /// The proxy that requests to this address go through.
    pub(crate) fn proxy(&self, url: &Url) -> Option<Proxy> {
        self.proxies.of(url)
    }
}

/// Knows the platform's certificates, or the built-in ones where the platform has none; none at all
/// where there is no TLS.
fn make(way: Way, connect: Duration) -> Result<reqwest::Client, ClientError> {
    let builder = || {
        let builder = builder(connect);
        if way.direct {
            builder.no_proxy()
        } else {
            builder
        }
    };
    if !way.tls {
        let no_certificates = config(RootCertStore::empty());
        return build(builder().tls_backend_preconfigured(no_certificates));
    }
    if let Some(roots) = bundle::named(|name| std::env::var_os(name))? {
        return build(builder().tls_backend_preconfigured(config(roots)));
    }
    builder().build().or_else(|error| {
        tracing::warn!(%error, "no certificates of the platform; the built-in ones are used");
        let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        build(builder().tls_backend_preconfigured(config(roots)))
    })
}

fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, ClientError> {
    builder
        .build()
        .map_err(|error| ClientError::Bug(format!("no HTTP client: {error}")))
}

fn builder(connect: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("workbench/", env!("CARGO_PKG_VERSION")))
        // A followed redirect would not be what was signed; downloads follow theirs by hand.
        .redirect(Policy::none())
        .connect_timeout(connect)
        .pool_idle_timeout(Duration::from_secs(60))
        .pool_max_idle_per_host(32)
        .tcp_nodelay(true)
        // Windows of fixed size would hold rows of some megabytes to a window per round trip.
        .http2_adaptive_window(true)
        .http2_keep_alive_interval(Duration::from_secs(30))
        // Bodies are unpacked by `unpack`: lengths, digests and ranges are those of the bytes that come.
        .gzip(false)
}

fn config(roots: RootCertStore) -> rustls::ClientConfig {
    let mut config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}
