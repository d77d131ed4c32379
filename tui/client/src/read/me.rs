//! Who the owner of the key is.

use super::Reader;
use crate::settings::Bearer;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::sync::Arc;

/// Claims that may hold an e-mail address, the best first.
const CLAIMS: [&str; 4] = ["email", "user_email", "preferred_username", "sub"];

impl Reader {
    /// The e-mail address of the key's owner, under which the platform notes who made a label. The API has no
    /// question for it: it stands in the claims of a bearer token, where those can be read. Asked once.
    pub async fn me(&self) -> Option<Arc<str>> {
        let ask = async {
            match self.bearer_token().await {
                Ok(token) => owner(&token),
                Err(error) => {
                    tracing::debug!(%error, "the owner of the key is not known");
                    None
                }
            }
        };
        self.me.get_or_init(|| ask).await.clone()
    }

    /// The same, as far as it was asked before.
    #[must_use]
    pub fn known_me(&self) -> Option<Arc<str>> {
        self.me.get().cloned().flatten()
    }
}

/// The address in the claims of a token. The token itself is a secret.
fn owner(token: &Bearer) -> Option<Arc<str>> {
    let claims = token.0.split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    let mut found = CLAIMS.iter().filter_map(|name| claims.get(name)?.as_str());
    found.find(|text| text.contains('@')).map(Arc::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_owner_is_read_from_the_claims_of_a_token() {
        let token = |claims: &Value| {
            let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
            owner(&Bearer::new(&format!("head.{claims}.seal")).unwrap())
        };
        let mail = token(&json!({"sub": "4711", "email": "me@example.test", "exp": 1}));
        assert_eq!(mail.as_deref(), Some("me@example.test"));
        let subject = token(&json!({"sub": "me@example.test"}));
        assert_eq!(subject.as_deref(), Some("me@example.test"));
        assert_eq!(token(&json!({"sub": "4711"})), None);
        assert_eq!(owner(&Bearer::new("opaque").unwrap()), None);
    }
}
