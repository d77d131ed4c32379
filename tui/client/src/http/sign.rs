//! Both signing schemes of the platform, as pure functions over the exact bytes that are sent.
//!
//! Times and headers of other kinds are left to the sender.

use crate::key::hex;
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

/// A request of the v2 API that is to be signed.
pub(crate) struct SigningInput {
    digest: String,
    params: String,
    /// What is signed.
    pub base: String,
}

impl SigningInput {
    /// `target` is path and query exactly as on the request line, `created` is in Unix seconds.
    pub fn new(key_id: &str, method: &str, target: &str, body: &[u8], created: i64) -> Self {
        let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)));
        let params = format!(
            "(\"@method\" \"@request-target\" \"content-digest\");created={created};keyid=\"{key_id}\";alg=\"ed25519\""
        );
        let base = format!(
            "\"@method\": {method}\n\"@request-target\": {target}\n\"content-digest\": {digest}\n\"@signature-params\": {params}"
        );
        Self {
            digest,
            params,
            base,
        }
    }

    /// The headers with the signature of [`Self::base`].
    pub fn signed(self, signature: &[u8; 64]) -> MessageSignature {
        MessageSignature {
            digest: self.digest,
            input: format!("encord-sig={}", self.params),
            signature: format!("encord-sig=:{}:", STANDARD.encode(signature)),
        }
    }
}

/// What is signed of a request to the legacy API.
pub(crate) fn legacy_message(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

/// The `Authorization` header of the legacy API, with the signature of [`legacy_message`].
pub(crate) fn legacy(key_id: &str, signature: &[u8; 64]) -> String {
    format!("{key_id}:{}", hex(signature))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::target::Target;
    use crate::key::Key;
    use crate::key::tests::seed;

    const KEY_ID: &str = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
    const STAGE: &str = "/v2/public/projects/00000000-0000-0000-0000-000000000001/workflow/stages/00000000-0000-0000-0000-000000000002";

    async fn message(method: &str, target: &str, body: &[u8]) -> MessageSignature {
        let key = Key::from_seed(&seed());
        let message = SigningInput::new(key.id(), method, target, body, 1_700_000_000);
        let signature = key.sign(message.base.as_bytes()).await.unwrap();
        message.signed(&signature)
    }

    #[tokio::test]
    async fn a_get_without_body_is_signed_as_the_sdk_signs_it() {
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
        let made = message("GET", &target, b"").await;
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

    #[tokio::test]
    async fn a_post_is_signed_over_its_bytes() {
        let body = br#"[{"taskUuid": "00000000-0000-0000-0000-000000000005", "action": "PATHWAY_ACTION", "pathwayName": "\u00e9"}]"#;
        assert_eq!(body.len(), 107);
        let made = message("POST", &format!("{STAGE}/actions"), body).await;
        assert_eq!(
            made.digest,
            "sha-256=:9Dbmwe4yLDSf6BiJW11wbwOpvhm9w5Xeq50vcwZ7yvc=:"
        );
        assert_eq!(
            made.signature,
            "encord-sig=:IJ5dSR3R+CiydIygLsJNKeh2hA6wauqIIC3XBXtpprYD+CNXGth29A5f/aQq1SLYSMK3/+hLK5hAJGB8IOp1DQ==:"
        );
    }

    #[tokio::test]
    async fn a_legacy_body_is_signed_by_its_digest() {
        let body = br#"{"query_type": "labelrowmetadata", "query_method": "GET", "values": {"uid": null, "payload": {"data_hashes": ["00000000-0000-0000-0000-000000000003"]}}}"#;
        let signature = Key::from_seed(&seed()).sign(&legacy_message(body)).await;
        assert_eq!(
            legacy(KEY_ID, &signature.unwrap()),
            format!(
                "{KEY_ID}:9927b564af29f937babba8d6d581408ed64b3a3dbf263f0ab91617f2da54e8d7f7f88e76588cda0e2febc7895051abcbd71a4739361f426ccb1ea36628ca6c03"
            )
        );
    }
}
