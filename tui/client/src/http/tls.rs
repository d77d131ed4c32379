//! The pooled HTTP client with its TLS: rustls with ring, the platform's certificates, and the
//! built-in ones where the platform has none. HTTP/2 where the server offers it.

use crate::error::ClientError;
use crate::settings::Settings;
use reqwest::redirect::Policy;
use std::time::Duration;

/// Builds the client. Proxies and `SSL_CERT_FILE` come from the usual environment.
pub(crate) fn client(settings: &Settings) -> Result<reqwest::Client, ClientError> {
    // reqwest panics without a provider; a second install is refused and means it is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match builder(settings).build() {
        Ok(client) => Ok(client),
        Err(error) => {
            tracing::warn!(%error, "no certificates of the platform; the built-in ones are used");
            builder(settings)
                .tls_backend_preconfigured(built_in_roots())
                .build()
                .map_err(|error| ClientError::Bug(format!("no HTTP client: {error}")))
        }
    }
}

fn builder(settings: &Settings) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("workbench/", env!("CARGO_PKG_VERSION")))
        // A followed redirect would not be what was signed; downloads follow theirs by hand.
        .redirect(Policy::none())
        .connect_timeout(settings.connect_timeout)
        .read_timeout(settings.timeout)
        .pool_idle_timeout(Duration::from_secs(60))
        .pool_max_idle_per_host(32)
        .tcp_nodelay(true)
        // Windows of fixed size would hold rows of some megabytes to a window per round trip.
        .http2_adaptive_window(true)
        .http2_keep_alive_interval(Duration::from_secs(30))
        .gzip(true)
}

fn built_in_roots() -> rustls::ClientConfig {
    let roots: rustls::RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let mut config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}
