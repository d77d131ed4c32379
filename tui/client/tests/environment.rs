//! What the client takes from the environment: proxies and certificates. Each case runs in a process
//! of its own, because the environment belongs to the whole process.

#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod support;

use std::process::Command;
use support::{Reply, Scripted, seed};
use wb_client::{Key, Reader, Settings};
use wb_core::ids::ProjectHash;

const DOMAIN: &str = "WB_TEST_DOMAIN";

/// Runs one of the `child_…` tests below with this environment; gives what it printed.
async fn child(name: &str, env: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--ignored", "--nocapture"]);
    for proxy in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(proxy).env_remove(proxy.to_uppercase());
    }
    command.envs(env.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_of_the_environment_is_used() {
    let proxy = Scripted::start(|_, _| Reply::status(403, r#"{"message":"by the proxy"}"#)).await;
    let domain = "http://encord.invalid";
    let text = child(
        "child_asks_for_a_project",
        &[("http_proxy", &proxy.domain), (DOMAIN, domain)],
    )
    .await;
    assert!(text.contains("by the proxy"), "{text}");
    let requests = proxy.requests();
    assert!(requests.iter().all(|r| {
        r.target
            .starts_with("http://encord.invalid/v2/public/projects/")
    }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_without_certificates_uses_the_built_in_ones() {
    let server = Scripted::start(|_, _| Reply::status(403, r#"{"message":"reached"}"#)).await;
    let env = [
        ("SSL_CERT_FILE", "/dev/null"),
        ("SSL_CERT_DIR", "/nonexistent"),
        (DOMAIN, &*server.domain),
    ];
    let text = child("child_asks_for_a_project", &env).await;
    assert!(
        text.contains("reached") && text.contains("the built-in ones are used"),
        "{text}"
    );
}

#[tokio::test]
#[ignore = "run by the tests above with an environment of its own"]
async fn child_asks_for_a_project() {
    tracing_subscriber::fmt().with_ansi(false).init();
    let domain = std::env::var(DOMAIN).unwrap();
    let settings = Settings::new(&domain, Key::from_seed(&seed())).unwrap();
    let reader = Reader::new(settings).unwrap();
    let error = reader
        .project(ProjectHash(uuid::Uuid::from_u128(1)))
        .await
        .unwrap_err();
    println!("{error}");
}
