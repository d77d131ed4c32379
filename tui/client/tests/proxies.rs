//! Proxies of the environment: plain requests, tunnels, passwords, exceptions.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod support;

use base64::Engine;
use std::sync::{Arc, Mutex};
use support::child::{ask, asked};
use support::tls::{Authority, Valid, accept};
use support::{Reply, Scripted};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
#[ignore = "run by the other tests with an environment of its own"]
async fn child() {
    ask().await;
}

/// A proxy that opens tunnels, all of them to `target`. `user:password` is asked for when there is one.
/// Gives its address and what was asked of it: the first lines.
async fn tunnel(target: &str, login: Option<&str>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let (all, target) = (Arc::clone(&asked), target.to_owned());
    let wanted = login.map(|login| {
        let text = base64::engine::general_purpose::STANDARD.encode(login);
        format!("Basic {text}")
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (all, target, wanted) = (Arc::clone(&all), target.clone(), wanted.clone());
            tokio::spawn(async move {
                let request = support::read(&mut stream, &mut Vec::new()).await.unwrap();
                let line = format!("{} {}", request.method, request.target);
                all.lock().unwrap().push(line);
                if wanted.as_ref() != request.headers.get("proxy-authorization") {
                    let no =
                        "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n";
                    stream.write_all(no.as_bytes()).await.unwrap();
                    return;
                }
                let mut there = TcpStream::connect(target).await.unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut there).await;
            });
        }
    });
    (address, asked)
}

/// A server with a certificate for `encord.invalid`, and the environment that trusts it.
async fn hidden() -> (Scripted, tempfile::TempDir, String) {
    let authority = Authority::new("Own");
    let acceptor = authority.server("encord.invalid", Valid::Now, &["http/1.1"]);
    let reached = |_: usize, _: &_| Reply::status(403, r#"{"message":"reached"}"#);
    let wrap = move |stream| accept(acceptor.clone(), stream);
    let server = Scripted::listen("https", reached, wrap).await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("own.pem");
    std::fs::write(&file, &authority.pem).unwrap();
    let path = file.to_str().unwrap().to_owned();
    (server, dir, path)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_for_plain_requests_is_used() {
    let proxy = Scripted::start(|_, _| Reply::status(403, r#"{"message":"by the proxy"}"#)).await;
    let env = [("http_proxy", &*proxy.domain)];
    let text = asked("http://encord.invalid", &env).await;
    assert!(text.contains("by the proxy"), "{text}");
    let requests = proxy.requests();
    assert!(requests.iter().all(|r| {
        r.target
            .starts_with("http://encord.invalid/v2/public/projects/")
    }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tunnel_carries_tls_to_the_platform_itself() {
    let (server, _dir, file) = hidden().await;
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let (proxy, tunnels) = tunnel(server.address(), Some("ann:geheim")).await;
        let proxy = format!("http://ann:geheim@{proxy}");
        let env = [(variable, &*proxy), ("SSL_CERT_FILE", &*file)];
        let text = asked("https://encord.invalid", &env).await;
        assert!(text.contains("reached"), "{text}");
        assert!(!text.contains("geheim"), "{text}");
        let tunnels = tunnels.lock().unwrap();
        assert!(
            !tunnels.is_empty() && tunnels.iter().all(|t| t == "CONNECT encord.invalid:443"),
            "{tunnels:?}"
        );
    }
    assert!(
        server
            .requests()
            .iter()
            .all(|r| r.headers["host"] == "encord.invalid")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_needs_a_password_is_named_as_the_obstacle() {
    let (server, _dir, file) = hidden().await;
    let (proxy, _) = tunnel(server.address(), Some("ann:geheim")).await;
    let proxy = format!("http://ann:verraten@{proxy}");
    let env = [("HTTPS_PROXY", &*proxy), ("SSL_CERT_FILE", &*file)];
    let text = asked("https://encord.invalid", &env).await;
    for part in [
        "the proxy did not let us through",
        "check HTTPS_PROXY",
        "exit 7",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(!text.contains("verraten"), "{text}");
    assert!(server.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_that_are_excepted_are_asked_without_the_proxy() {
    let server = Scripted::start(|_, _| Reply::status(403, r#"{"message":"reached"}"#)).await;
    let nobody = [
        ("HTTP_PROXY", "http://127.0.0.1:9"),
        ("NO_PROXY", "127.0.0.1"),
    ];
    let text = asked(&server.domain, &nobody).await;
    assert!(text.contains("reached"), "{text}");
}

/// Every variable that names a proxy, all of them to a port where nobody listens.
fn every_proxy(address: &str) -> Vec<(&'static str, &str)> {
    let mut all = Vec::new();
    for name in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ] {
        all.push((name, address));
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn this_machine_is_asked_without_a_proxy_whatever_no_proxy_holds() {
    let server = Scripted::start(|_, _| Reply::status(403, r#"{"message":"reached"}"#)).await;
    let port = server.address().split_once(':').unwrap().1;
    for host in ["127.0.0.1", "localhost"] {
        for exceptions in [None, Some(""), Some("example.test")] {
            let mut env = every_proxy("http://127.0.0.1:9");
            env.extend(exceptions.map(|list| ("NO_PROXY", list)));
            let text = asked(&format!("http://{host}:{port}"), &env).await;
            assert!(text.contains("reached"), "{host}: {text}");
        }
    }
}

#[tokio::test]
#[ignore = "run by the other tests with an environment of its own"]
async fn fetching_child() {
    let dir = tempfile::tempdir().unwrap();
    let cache = wb_client::AssetCache::new(dir.path(), 1 << 20);
    let item = wb_core::ids::ItemId(uuid::Uuid::from_u128(7));
    match support::child::reader().download(item, &cache).await {
        Ok(file) => println!("came: {}", file.size),
        Err(error) => println!("{:?}", wb_core::error::Error::from(error)),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_on_this_machine_come_without_the_proxy_of_the_api_and_the_other_way_round() {
    let here = Scripted::start(|_, _| Reply::status(200, "the bytes")).await;
    let address = here.domain.clone();
    let item = move |url: String| {
        let text = format!(
            r#"{{"uuid":"{}","itemType":"image","signedUrl":"{url}"}}"#,
            uuid::Uuid::from_u128(7)
        );
        move |_: usize, _: &_| Reply::json(&text)
    };
    // The API behind a proxy, the file here.
    let proxy = Scripted::start(item(format!("{address}/file"))).await;
    let env = [("HTTP_PROXY", &*proxy.domain)];
    let text = support::child::output_of("fetching_child", "http://encord.invalid", &env).await;
    assert!(text.contains("came: 9"), "{text}");
    // The API here, the file behind a proxy.
    let api = Scripted::start(item("http://store.invalid/file".to_owned())).await;
    let env = [("HTTP_PROXY", &*address)];
    let text = support::child::output_of("fetching_child", &api.domain, &env).await;
    assert!(text.contains("came: 9"), "{text}");
    let requests = here.requests();
    assert_eq!(requests.last().unwrap().target, "http://store.invalid/file");
    // And where that proxy is not there, the error names it.
    let env = [("HTTP_PROXY", "http://ann:geheim@127.0.0.1:9")];
    let text = support::child::output_of("fetching_child", &api.domain, &env).await;
    assert!(
        text.contains("through the proxy http://127.0.0.1:9 (HTTP_PROXY)"),
        "{text}"
    );
    assert!(!text.contains("geheim"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_error_names_the_proxy_without_its_password() {
    for (domain, variable) in [
        ("http://encord.invalid", "HTTP_PROXY"),
        ("http://encord.invalid", "http_proxy"),
        ("https://encord.invalid", "HTTPS_PROXY"),
        ("https://encord.invalid", "ALL_PROXY"),
    ] {
        let env = [(variable, "http://ann:geheim@127.0.0.1:9")];
        let text = asked(domain, &env).await;
        let named = format!("through the proxy http://127.0.0.1:9 ({variable})");
        assert!(text.contains(&named), "{variable}: {text}");
        assert!(text.contains("connection refused"), "{variable}: {text}");
        assert!(text.contains("is the proxy running"), "{variable}: {text}");
        assert!(text.contains("NO_PROXY=encord.invalid"), "{text}");
        assert!(!text.contains("geheim") && !text.contains("ann:"), "{text}");
    }
    let proxy = Scripted::start(|_, _| Reply::status(407, "")).await;
    let text = asked("http://encord.invalid", &[("HTTP_PROXY", &*proxy.domain)]).await;
    assert!(
        text.contains("user name and a password") && text.contains("exit 7"),
        "{text}"
    );
    assert!(text.contains(&proxy.domain), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_fails_behind_a_proxy_names_the_proxy() {
    for (status, body) in [
        (400, r#"{"message":"no"}"#),
        (401, r#"{"message":"no"}"#),
        (403, "<html><title>Blocked</title></html>"),
        (404, r#"{"message":"no"}"#),
        (200, "<html><title>Log in</title></html>"),
    ] {
        let proxy = Scripted::start(move |_, _| Reply::status(status, body)).await;
        let address = proxy.address();
        let with_login = format!("http://ann:geheim@{address}");
        let text = asked("http://encord.invalid", &[("HTTP_PROXY", &*with_login)]).await;
        let named = format!("through the proxy http://{address} (HTTP_PROXY)");
        assert!(text.contains(&named), "{status}: {text}");
        assert!(!text.contains("geheim") && !text.contains("ann:"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_name_and_a_closed_port_are_different_errors() {
    let text = asked("https://nobody.invalid", &[]).await;
    assert!(text.contains("there is no host of that name"), "{text}");
    assert!(
        text.contains("nobody.invalid") && text.contains("spelling"),
        "{text}"
    );
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let text = asked(&free, &[]).await;
    assert!(text.contains("connection refused"), "{text}");
    assert!(text.contains("workbench serve"), "{text}");
}
