//! A call as it leaves: its URL checked against what is signed, its headers, its signature.

use super::proxy::is_this_machine;
use super::{Call, Wire, now, sign};
use crate::error::ClientError;
use crate::settings::{Bearer, SettingsError};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};

impl Wire {
    pub(super) fn request(
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
        self.authorise(headers, call, &body, correction)?;
        if call.body.is_some() {
            *request.body_mut() = Some(body.into());
        }
        Ok(request)
    }

    fn authorise(
        &self,
        headers: &mut HeaderMap,
        call: &Call<'_>,
        body: &[u8],
        correction: i64,
    ) -> Result<(), ClientError> {
        if let Some(project) = call.legacy {
            put(headers, header::ACCEPT, "application/json")?;
            put(headers, HeaderName::from_static("resourcetype"), "project")?;
            put(
                headers,
                HeaderName::from_static("resourceid"),
                &project.to_string(),
            )?;
        }
        if let Some(Bearer(token)) = &self.bearer {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| SettingsError::Token)?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        } else if call.legacy.is_some() {
            put(
                headers,
                header::AUTHORIZATION,
                &sign::legacy(&self.key, body),
            )?;
        } else {
            let created = now().0.div_euclid(1000) + correction;
            let made = sign::message(&self.key, call.method, &call.target, body, created);
            put(
                headers,
                HeaderName::from_static("content-digest"),
                &made.digest,
            )?;
            put(
                headers,
                HeaderName::from_static("signature-input"),
                &made.input,
            )?;
            put(
                headers,
                HeaderName::from_static("signature"),
                &made.signature,
            )?;
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
