//! A call as it leaves: its URL checked against what is signed, its headers, its signature.

use super::proxy::is_this_machine;
use super::{Call, Wire, now, sign};
use crate::error::ClientError;
use crate::settings::{Credential, SettingsError};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};

impl Wire {
    pub(super) async fn request(
        &self,
        call: &Call<'_>,
        trace: &str,
        correction: i64,
    ) -> Result<reqwest::Request, ClientError> {
        let url = reqwest::Url::parse(&format!("{}{}", self.domain, call.target))
            .map_err(|error| ClientError::Bug(format!("{error} in {}", call.path())))?;
        let same = match url.query() {
            Some(query) => call.target.split_once('?') == Some((url.path(), query)),
            None => url.path() == call.target,
        };
        if !same {
            // It would go out other than it is signed.
            return Err(ClientError::Bug(format!(
                "the request target {} is not in its final form",
                call.path()
            )));
        }
        let method = reqwest::Method::from_bytes(call.method.as_bytes())
            .map_err(|error| ClientError::Bug(error.to_string()))?;
        let mut request = reqwest::Request::new(method, url.clone());
        let body = call.body.clone().unwrap_or_default();
        let headers = request.headers_mut();
        if call.body.is_some() {
            put(headers, header::CONTENT_TYPE, "application/json")?;
        }
        put(
            headers,
            HeaderName::from_static("x-cloud-trace-context"),
            &format!("{trace}/1;o=1"),
        )?;
        // Between two processes of one machine, packing costs more than it saves.
        if !is_this_machine(&url) {
            put(headers, header::ACCEPT_ENCODING, "gzip")?;
        }
        self.authorise(headers, call, &body, correction).await?;
        if call.body.is_some() {
            *request.body_mut() = Some(body.into());
        }
        Ok(request)
    }

    async fn authorise(
        &self,
        headers: &mut HeaderMap,
        call: &Call<'_>,
        body: &[u8],
        correction: i64,
    ) -> Result<(), ClientError> {
        if let Some(scope) = call.legacy {
            let (kind, id) = scope.headers();
            put(headers, header::ACCEPT, "application/json")?;
            put(headers, HeaderName::from_static("resourcetype"), kind)?;
            put(headers, HeaderName::from_static("resourceid"), &id)?;
        }
        let key = match &self.credential {
            Credential::Key(key) => key,
            Credential::Token(token) => {
                let mut value = HeaderValue::from_str(&format!("Bearer {}", &*token.0))
                    .map_err(|_| SettingsError::Token)?;
                value.set_sensitive(true);
                headers.insert(header::AUTHORIZATION, value);
                return Ok(());
            }
        };
        if call.legacy.is_some() {
            let signature = key.sign(&sign::legacy_message(body)).await?;
            let value = sign::legacy(key.id(), &signature);
            put(headers, header::AUTHORIZATION, &value)?;
        } else {
            let created = now().0.div_euclid(1000) + correction;
            let message =
                sign::SigningInput::new(key.id(), call.method, &call.target, body, created);
            let signature = key.sign(message.base.as_bytes()).await?;
            let made = message.signed(&signature);
            let name = HeaderName::from_static;
            put(headers, name("content-digest"), &made.digest)?;
            put(headers, name("signature-input"), &made.input)?;
            put(headers, name("signature"), &made.signature)?;
        }
        Ok(())
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), ClientError> {
    let value =
        HeaderValue::from_str(value).map_err(|_| ClientError::Bug(format!("header {name}")))?;
    headers.insert(name, value);
    Ok(())
}
