//! Tests of signatures, tokens and seals.

use axum::http::HeaderValue;

use super::*;

const CREATED: i64 = 1_700_000_000;
const EMPTY: &str = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
const INPUT: &str = "encord-sig=(\"@method\" \"@request-target\" \"content-digest\");created=1700000000;\
                     keyid=\"03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8\";alg=\"ed25519\"";
const TARGET_A: &str = "/v2/public/projects/00000000-0000-0000-0000-000000000001/workflow/stages/\
    00000000-0000-0000-0000-000000000002/tasks?dataHashes=00000000-0000-0000-0000-000000000003&\
    dataHashes=00000000-0000-0000-0000-000000000004&dataTitleContains=a+b%26%C3%A9";
const SIGNATURE_A: &str = "encord-sig=:Ua/tYLUHF7FvS1TOofN0GDzBXc7tlAQleLIZ6htkUCL4NcxACkVXcFpCIx5VGuy42Gl0AnzsyLluDZHkboYKDw==:";
const TARGET_B: &str = "/v2/public/projects/00000000-0000-0000-0000-000000000001/workflow/stages/\
    00000000-0000-0000-0000-000000000002/actions";
const BODY_B: &str = r#"[{"taskUuid": "00000000-0000-0000-0000-000000000005", "action": "PATHWAY_ACTION", "pathwayName": "\u00e9"}]"#;
const LEGACY: &str = r#"{"query_type": "labelrowmetadata", "query_method": "GET", "values": {"uid": null, "payload": {"data_hashes": ["00000000-0000-0000-0000-000000000003"]}}}"#;
const LEGACY_SIGNATURE: &str = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8:\
    9927b564af29f937babba8d6d581408ed64b3a3dbf263f0ab91617f2da54e8d7f7f88e76588cda0e2febc7895051abcb\
    d71a4739361f426ccb1ea36628ca6c03";

fn keyring() -> Keyring {
    let seed: [u8; 32] = std::array::from_fn(|i| i as u8);
    let key = ed25519_dalek::SigningKey::from_bytes(&seed);
    Keyring::new(
        [("agent@example.test".to_owned(), key.verifying_key())],
        [7; 32],
    )
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(n, v)| (n.parse().unwrap(), HeaderValue::from_str(v).unwrap()))
        .collect()
}

fn signed(digest: &str, signature: &str) -> HeaderMap {
    headers(&[
        ("content-digest", digest),
        ("signature-input", INPUT),
        ("signature", signature),
    ])
}

#[test]
fn the_reference_signatures_are_accepted() {
    let a = keyring()
        .check_v2(
            "GET",
            TARGET_A,
            &signed(EMPTY, SIGNATURE_A),
            b"",
            CREATED + 9,
        )
        .unwrap();
    assert_eq!(&*a.email, "agent@example.test");
    assert_eq!(BODY_B.len(), 107);
    let b = signed(
        "sha-256=:9Dbmwe4yLDSf6BiJW11wbwOpvhm9w5Xeq50vcwZ7yvc=:",
        "encord-sig=:IJ5dSR3R+CiydIygLsJNKeh2hA6wauqIIC3XBXtpprYD+CNXGth29A5f/aQq1SLYSMK3/+hLK5hAJGB8IOp1DQ==:",
    );
    keyring()
        .check_v2("POST", TARGET_B, &b, BODY_B.as_bytes(), CREATED)
        .unwrap();
    let legacy = headers(&[("authorization", LEGACY_SIGNATURE)]);
    keyring()
        .check_legacy(&legacy, LEGACY.as_bytes(), CREATED)
        .unwrap();
}

#[test]
fn a_modified_request_is_refused() {
    let fine = signed(EMPTY, SIGNATURE_A);
    let refused = |method: &str, target: &str, headers: &HeaderMap, body: &[u8], now| {
        keyring()
            .check_v2(method, target, headers, body, now)
            .unwrap_err()
            .message()
            .to_owned()
    };
    assert!(refused("POST", TARGET_A, &fine, b"", CREATED).contains("does not match"));
    assert!(
        refused(
            "GET",
            &TARGET_A.replace("a+b", "a%20b"),
            &fine,
            b"",
            CREATED
        )
        .contains("does not match")
    );
    assert!(refused("GET", TARGET_A, &fine, b"x", CREATED).contains("Content-Digest"));
    assert!(refused("GET", TARGET_A, &fine, b"", CREATED + CLOCK_WINDOW + 1).contains("clock"));
    assert!(refused("GET", TARGET_A, &HeaderMap::new(), b"", CREATED).contains("not signed"));
    let legacy = headers(&[("authorization", LEGACY_SIGNATURE)]);
    assert!(keyring().check_legacy(&legacy, b"{}", CREATED).is_err());
}

#[test]
fn an_unknown_key_is_refused() {
    let stranger = Keyring::new([], [7; 32]);
    let refusal = stranger
        .check_v2("GET", TARGET_A, &signed(EMPTY, SIGNATURE_A), b"", CREATED)
        .unwrap_err();
    assert!(refusal.message().contains("is not registered"));
}

#[test]
fn bearer_tokens_are_valid_until_they_expire() {
    let keyring = keyring();
    let caller = Caller {
        email: Arc::from("agent@example.test"),
    };
    let token = format!("Bearer {}", keyring.bearer(&caller, CREATED));
    let headers = headers(&[("authorization", &token)]);
    assert_eq!(
        keyring
            .check_v2("GET", "/", &headers, b"", CREATED + 10)
            .unwrap(),
        caller
    );
    assert_eq!(
        keyring.check_legacy(&headers, b"", CREATED + 10).unwrap(),
        caller
    );
    assert!(
        keyring
            .check_legacy(&headers, b"", CREATED + BEARER_LIFE + 1)
            .is_err()
    );
    let other = Keyring::new([], [8; 32]);
    assert!(other.check_legacy(&headers, b"", CREATED + 10).is_err());
}

#[test]
fn a_seal_matches_its_message_only() {
    let seal = keyring().seal("a");
    assert!(keyring().sealed("a", &seal));
    assert!(!keyring().sealed("b", &seal));
    assert!(!keyring().sealed("a", "zz"));
}
