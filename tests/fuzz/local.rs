//! Fuzz targets of the local server: page tokens, signatures, scenario and workflow files, fault specs.

mod check;

use super::paging;
use crate::auth::Keyring;
use crate::fault::FaultSpec;
use crate::workflow::Graph;
use crate::world::World;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::OnceLock;

check::target!(page_token, token);
check::target!(request_signature, signature);
check::target!(scenario_file, scenario);
check::target!(workflow_file, workflow);
check::target!(fault_spec, fault);

fn token(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    match paging::after(Some(text)) {
        Ok(row) => {
            let again = paging::token(row);
            assert_eq!(paging::after(Some(&again)).ok(), Some(row));
        }
        Err(refusal) => assert!(refusal.message().contains("page token")),
    }
}

/// `METHOD TARGET`, headers, an empty line, the body. Only the three reference requests are signed by the
/// known key: whatever is accepted must be one of them.
fn signature(input: &[u8]) {
    let (head, body) = match input.windows(2).position(|pair| pair == b"\n\n") {
        Some(end) => (&input[..end], &input[end + 2..]),
        None => (input, &b""[..]),
    };
    let Ok(head) = std::str::from_utf8(head) else {
        return;
    };
    let mut lines = head.lines();
    let Some((method, target)) = lines.next().and_then(|line| line.split_once(' ')) else {
        return;
    };
    let headers: HeaderMap = lines
        .filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            Some((
                HeaderName::from_bytes(name.as_bytes()).ok()?,
                HeaderValue::from_str(value).ok()?,
            ))
        })
        .collect();
    const SIGNED: i64 = 1_700_000_000;
    let keyring = keyring();
    if keyring
        .check_v2(method, target, &headers, body, SIGNED)
        .is_ok()
    {
        let empty = method == "GET"
            && target.ends_with("dataTitleContains=a+b%26%C3%A9")
            && body.is_empty();
        let post = method == "POST" && target.ends_with("/actions") && body.len() == 107;
        assert!(empty || post, "a request that was never signed is let in");
    }
    if keyring.check_legacy(&headers, body, SIGNED).is_ok() {
        assert!(body.starts_with(b"{\"query_type\": \"labelrowmetadata\""));
    }
}

fn keyring() -> &'static Keyring {
    static GATE: OnceLock<Keyring> = OnceLock::new();
    GATE.get_or_init(|| {
        let seed: [u8; 32] = std::array::from_fn(|i| u8::try_from(i).unwrap());
        let key = ed25519_dalek::SigningKey::from_bytes(&seed);
        let user = ("agent@example.test".to_owned(), key.verifying_key());
        Keyring::new([user], [7; 32])
    })
}

fn scenario(input: &[u8]) {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().unwrap());
    let file = folder.path().join("scenario.json");
    std::fs::write(&file, input).unwrap();
    match World::read(&file) {
        Ok(world) => assert!(!world.ontologies.is_empty() && !world.workflow_templates.is_empty()),
        Err(error) => assert!(error.to_string().contains("scenario"), "{error}"),
    }
}

fn workflow(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    match Graph::parse(text) {
        Ok(graph) => {
            let written = graph.specification();
            let again = Graph::from_value(&written).unwrap();
            assert_eq!(again.stages_json(), graph.stages_json(), "{written}");
        }
        Err(why) => assert!(!why.trim().is_empty()),
    }
}

fn fault(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    match text.parse::<FaultSpec>() {
        Ok(spec) => {
            let spelled = spec.to_string();
            let again: FaultSpec = spelled.parse().unwrap();
            let rest = |spec: &FaultSpec| (spec.target, spec.action, spec.limit);
            assert_eq!(rest(&again), rest(&spec), "{spelled}");
            assert!((again.share - spec.share).abs() < 1e-9, "{spelled}");
            assert!((0.0..=1.0).contains(&spec.share));
        }
        Err(why) => assert!(why.starts_with("--fault"), "{why}"),
    }
}
