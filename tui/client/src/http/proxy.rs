//! Which requests go through a proxy of the environment, and through which one.
//!
//! Addresses of this machine never do, whatever `HTTP_PROXY` and `NO_PROXY` hold: a proxy elsewhere
//! would connect to its own machine.

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;
use std::fmt;
use std::net::IpAddr;

/// The proxy that requests to a host go through.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Proxy {
    /// Scheme, host and port; never a user name or password.
    pub address: String,
    /// The variable of the environment that names it.
    pub variable: &'static str,
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.address, self.variable)
    }
}

/// The proxies of the environment, read as the HTTP library reads them.
pub(crate) struct Proxies(Matcher);

impl Proxies {
    /// Reads the environment once.
    pub fn from_env() -> Self {
        Self(Matcher::from_system())
    }

    /// The proxy for this address; `None`: the connection is direct.
    pub fn of(&self, url: &Url) -> Option<Proxy> {
        if is_this_machine(url) {
            return None;
        }
        let proxy = self.0.intercept(&url.as_str().parse().ok()?)?;
        let (uri, https) = (proxy.uri(), url.scheme() == "https");
        let scheme = uri.scheme_str().unwrap_or("http");
        let port = uri
            .port_u16()
            .map_or_else(String::new, |port| format!(":{port}"));
        Some(Proxy {
            address: format!("{scheme}://{}{port}", uri.host().unwrap_or_default()),
            variable: variable(https),
        })
    }
}

/// The variable that the library takes the proxy from.
fn variable(https: bool) -> &'static str {
    let names: [&'static str; 4] = if https {
        ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
    } else {
        ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
    };
    let set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    names.into_iter().find(set).unwrap_or(names[0])
}

/// Whether a URL names this machine: `localhost` and names below it, 127.0.0.0/8, ::1, and the
/// unspecified addresses, which connect to this machine too.
pub(crate) fn is_this_machine(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let host = host.trim_end_matches('.');
    if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        let address = address.to_canonical(); // ::ffff:127.0.0.1 is 127.0.0.1
        return address.is_loopback() || address.is_unspecified();
    }
    host == "localhost" || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_are_recognised_however_they_are_written() {
        for url in [
            "http://127.0.0.1:8080",
            "http://127.1.2.3",
            "http://127.1",
            "http://0x7f000001/x",
            "http://localhost",
            "http://LOCALHOST:1",
            "http://localhost.",
            "http://project.localhost",
            "https://[::1]:80",
            "http://[::ffff:127.0.0.1]",
            "http://0.0.0.0:4000",
            "http://[::]:4000",
        ] {
            assert!(is_this_machine(&Url::parse(url).unwrap()), "{url}");
        }
        for url in [
            "http://10.0.0.1",
            "http://127.0.0.1.example.test",
            "http://localhost.example.test",
            "http://notlocalhost",
            "http://[2001:db8::1]",
            "http://[::ffff:10.0.0.1]",
        ] {
            assert!(!is_this_machine(&Url::parse(url).unwrap()), "{url}");
        }
    }

    #[test]
    fn a_proxy_is_named_without_its_password_and_never_for_this_machine() {
        let proxies = Proxies(
            Matcher::builder()
                .all("http://ann:geheim@proxy.test:3128")
                .build(),
        );
        let of = |url: &str| proxies.of(&Url::parse(url).unwrap());
        let proxy = of("https://api.encord.com/v2").unwrap();
        assert_eq!(proxy.address, "http://proxy.test:3128");
        assert!(!format!("{proxy} {proxy:?}").contains("geheim"));
        assert_eq!(of("http://127.0.0.1:9/x"), None);
        assert_eq!(of("http://localhost/x"), None);
    }
}
