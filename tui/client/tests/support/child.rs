//! Asking from a process of its own: proxies and certificates come from the environment, which belongs to the
//! whole process.

#![allow(dead_code, clippy::unwrap_used)] // each test program uses a part of this, and may panic

use super::seed;
use std::process::Command;
use wb_client::{Key, Reader, Settings};
use wb_core::error::Error;
use wb_core::ids::ProjectHash;

const DOMAIN: &str = "WB_TEST_DOMAIN";

/// Asks `domain` for a project in another process with this environment; gives what it printed. The test
/// program must have an ignored test `child` that calls [`ask`].
pub async fn asked(domain: &str, env: &[(&str, &str)]) -> String {
    output_of("child", domain, env).await
}

/// What an ignored test of this program prints in a process with this environment.
pub async fn output_of(test: &str, domain: &str, env: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    for proxy in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(proxy).env_remove(proxy.to_uppercase());
    }
    for name in [
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ] {
        command.env_remove(name);
    }
    command.env(DOMAIN, domain).envs(env.iter().copied());
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

/// A reader of the domain that the process was started for.
pub fn reader() -> Reader {
    tracing_subscriber::fmt().with_ansi(false).init();
    let domain = std::env::var(DOMAIN).unwrap();
    let mut settings = Settings::new(&domain, Key::from_seed(&seed())).unwrap();
    settings.patience = std::time::Duration::from_secs(1);
    Reader::new(settings).unwrap()
}

/// What the other process does: prints the whole error of the answer, with the log.
pub async fn ask() {
    let reader = reader();
    let hash = ProjectHash(uuid::Uuid::from_u128(1));
    let error = reader.project(hash).await.unwrap_err();
    let shown = Error::from(&error);
    println!("{error:?}\n{}", shown.summary);
    for line in shown.hints.iter().chain(&shown.cause) {
        println!("{line}");
    }
    println!("exit {}, retry {}", shown.kind.exit_code(), shown.retry);
}
