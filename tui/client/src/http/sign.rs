//! Both signing schemes of the platform, as pure functions over the exact bytes that are sent.
//!
//! Times and headers of other kinds are left to the sender.

use crate::key::{Key, hex};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The three headers of an HTTP message signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct MessageSignature {
    pub digest: String,
    pub input: String,
    pub signature: String,
}

/// Signs a request of the v2 API. `target` is path and query exactly as on the request line,
/// `created` is in Unix seconds.
pub(crate) fn message(
    key: &Key,
    method: &str,
    target: &str,
    body: &[u8],
    created: i64,
) -> MessageSignature {
    let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)));
    let params = format!(
        "(\"@method\" \"@request-target\" \"content-digest\");created={created};keyid=\"{}\";alg=\"ed25519\"",
        key.id()
    );
    let base = format!(
        "\"@method\": {method}\n\"@request-target\": {target}\n\"content-digest\": {digest}\n\"@signature-params\": {params}"
    );
    MessageSignature {
        digest,
        input: format!("encord-sig={params}"),
        signature: format!(
            "encord-sig=:{}:",
            STANDARD.encode(key.sign(base.as_bytes()))
        ),
    }
}

/// The `Authorization` header of the legacy API: the SHA-256 digest of the body is what is signed.
pub(crate) fn legacy(key: &Key, body: &[u8]) -> String {
    let signature = key.sign(&Sha256::digest(body));
    format!("{}:{}", key.id(), hex(&signature))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::target::Target;
    use crate::key::tests::seed;

    const KEY_ID: &str = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
    const STAGE: &str = "/v2/public/projects/00000000-0000-0000-0000-000000000001/workflow/stages/00000000-0000-0000-0000-000000000002";

    #[test]
    fn a_get_without_body_is_signed_as_the_sdk_signs_it() {
        let target = Target::new(&format!("{STAGE}/tasks"))
            .with("dataHashes", "00000000-0000-0000-0000-000000000003")
            .with("dataHashes", "00000000-0000-0000-0000-000000000004")
            .with("dataTitleContains", "a b&é")
            .done();
        assert_eq!(
            target,
            format!(
                "{STAGE}/tasks?dataHashes=00000000-0000-0000-0000-000000000003&dataHashes=00000000-0000-0000-0000-000000000004&dataTitleContains=a+b%26%C3%A9"
            )
        );
        let made = message(&Key::from_seed(&seed()), "GET", &target, b"", 1_700_000_000);
        assert_eq!(
            made.digest,
            "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
        );
        assert_eq!(
            made.input,
            format!(
                "encord-sig=(\"@method\" \"@request-target\" \"content-digest\");created=1700000000;keyid=\"{KEY_ID}\";alg=\"ed25519\""
            )
        );
        assert_eq!(
            made.signature,
            "encord-sig=:Ua/tYLUHF7FvS1TOofN0GDzBXc7tlAQleLIZ6htkUCL4NcxACkVXcFpCIx5VGuy42Gl0AnzsyLluDZHkboYKDw==:"
        );
    }

    #[test]
    fn a_post_is_signed_over_its_bytes() {
        let body = br#"[{"taskUuid": "00000000-0000-0000-0000-000000000005", "action": "PATHWAY_ACTION", "pathwayName": "\u00e9"}]"#;
        assert_eq!(body.len(), 107);
        let made = message(
            &Key::from_seed(&seed()),
            "POST",
            &format!("{STAGE}/actions"),
            body,
            1_700_000_000,
        );
        assert_eq!(
            made.digest,
            "sha-256=:9Dbmwe4yLDSf6BiJW11wbwOpvhm9w5Xeq50vcwZ7yvc=:"
        );
        assert_eq!(
            made.signature,
            "encord-sig=:IJ5dSR3R+CiydIygLsJNKeh2hA6wauqIIC3XBXtpprYD+CNXGth29A5f/aQq1SLYSMK3/+hLK5hAJGB8IOp1DQ==:"
        );
    }

    #[test]
    fn a_legacy_body_is_signed_by_its_digest() {
        let body = br#"{"query_type": "labelrowmetadata", "query_method": "GET", "values": {"uid": null, "payload": {"data_hashes": ["00000000-0000-0000-0000-000000000003"]}}}"#;
        assert_eq!(
            legacy(&Key::from_seed(&seed()), body),
            format!(
                "{KEY_ID}:9927b564af29f937babba8d6d581408ed64b3a3dbf263f0ab91617f2da54e8d7f7f88e76588cda0e2febc7895051abcbd71a4739361f426ccb1ea36628ca6c03"
            )
        );
    }
}
