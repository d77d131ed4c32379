//! The pooled HTTP client with its TLS: rustls with ring, the platform's certificates, and the
//! built-in ones where the platform has none. HTTP/2 where the server offers it.

use crate::error::ClientError;
use crate::settings::Settings;
use reqwest::redirect::Policy;
use rustls::RootCertStore;
use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

/// The client of the API, and the one for files that lie elsewhere.
///
/// To read the platform's certificates costs a third of a short command. A local project has no use
/// for them: they are read there when a file is signed for somewhere else.
pub(crate) struct Clients {
    times: Times,
    api: reqwest::Client,
    elsewhere: OnceLock<reqwest::Client>,
    /// Whether the API's client knows no certificates.
    bare: bool,
}

/// How long is waited for what.
#[derive(Clone, Copy)]
struct Times {
    connect: Duration,
    read: Duration,
}

impl Clients {
    /// Proxies and `SSL_CERT_FILE` come from the usual environment.
    pub(crate) fn new(settings: &Settings) -> Result<Self, ClientError> {
        // reqwest panics without a provider; a second install is refused and means it is there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let times = Times {
            connect: settings.connect_timeout,
            read: settings.timeout,
        };
        let bare = settings.domain.starts_with("http://") && !proxied_by_tls();
        let api = if bare {
            let no_certificates = config(RootCertStore::empty());
            // Between two processes of one machine, packing costs more than it saves.
            let builder = builder(times).gzip(!on_this_machine(&settings.domain));
            build(builder.tls_backend_preconfigured(no_certificates))
        } else {
            with_certificates(times)
        };
        Ok(Self {
            times,
            api: api?,
            elsewhere: OnceLock::new(),
            bare,
        })
    }

    /// For requests to the API.
    pub(crate) fn api(&self) -> &reqwest::Client {
        &self.api
    }

    /// For the file behind a signed URL.
    pub(crate) fn files(&self, url: &reqwest::Url) -> &reqwest::Client {
        if !self.bare || url.scheme() != "https" {
            return &self.api;
        }
        if let Some(client) = self.elsewhere.get() {
            return client;
        }
        match with_certificates(self.times) {
            Ok(client) => self.elsewhere.get_or_init(|| client),
            Err(error) => {
                tracing::error!(%error, "files elsewhere cannot be had");
                &self.api
            }
        }
    }
}

fn on_this_machine(domain: &str) -> bool {
    let url = reqwest::Url::parse(domain);
    let host = url.ok().and_then(|url| url.host_str().map(str::to_owned));
    host.is_some_and(|host| {
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    })
}

/// Whether even plain requests go over TLS, as far as a proxy.
fn proxied_by_tls() -> bool {
    let names = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    let mut proxies = names
        .into_iter()
        .filter_map(|name| std::env::var(name).ok());
    proxies.any(|proxy| proxy.starts_with("https://"))
}

/// Knows the platform's certificates, or the built-in ones where the platform has none.
fn with_certificates(times: Times) -> Result<reqwest::Client, ClientError> {
    builder(times).build().or_else(|error| {
        tracing::warn!(%error, "no certificates of the platform; the built-in ones are used");
        let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        build(builder(times).tls_backend_preconfigured(config(roots)))
    })
}

fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, ClientError> {
    builder
        .build()
        .map_err(|error| ClientError::Bug(format!("no HTTP client: {error}")))
}

fn builder(times: Times) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("workbench/", env!("CARGO_PKG_VERSION")))
        // A followed redirect would not be what was signed; downloads follow theirs by hand.
        .redirect(Policy::none())
        .connect_timeout(times.connect)
        .read_timeout(times.read)
        .pool_idle_timeout(Duration::from_secs(60))
        .pool_max_idle_per_host(32)
        .tcp_nodelay(true)
        // Windows of fixed size would hold rows of some megabytes to a window per round trip.
        .http2_adaptive_window(true)
        .http2_keep_alive_interval(Duration::from_secs(30))
        .gzip(true)
}

fn config(roots: RootCertStore) -> rustls::ClientConfig {
    let mut config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_are_on_this_machine() {
        for domain in [
            "http://127.0.0.1:8080",
            "http://localhost",
            "http://[::1]:80",
        ] {
            assert!(on_this_machine(domain), "{domain}");
        }
        for domain in [
            "http://10.0.0.1",
            "http://127.0.0.1.example.test",
            "http://[2001:db8::1]",
        ] {
            assert!(!on_this_machine(domain), "{domain}");
        }
    }
}
