//! The legacy API: one path, the call inside the body, every answer in an envelope with status 200.
//! What the calls do is in the `legacy_` modules beside this one.

use std::sync::Arc;

use axum::http::request::Parts;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::error::{Refusal, invalid};
use crate::routes::dispatch::not_served;
use crate::routes::extract::uuid;
use crate::routes::table::{self, EndpointRow, Style};

/// A legacy call as it was sent.
#[derive(Debug)]
pub(super) struct LegacyCall {
    /// What the call is sent to, and its UUID.
    style: Style,
    pub resource: String,
    query_type: String,
    query_method: String,
    /// What the call is about: UUIDs, or an object.
    pub uid: Value,
    /// A part of the body, not copied: a save of many rows is large.
    pub payload: Option<Bytes>,
}

impl LegacyCall {
    pub(super) fn read(parts: &Parts, body: &Bytes) -> Result<Self, Refusal> {
        #[derive(Deserialize)]
        struct Envelope<'a> {
            query_type: String,
            query_method: String,
            #[serde(borrow, default)]
            values: Values<'a>,
        }
        #[derive(Default, Deserialize)]
        struct Values<'a> {
            #[serde(default)]
            uid: Value,
            #[serde(borrow)]
            payload: Option<&'a RawValue>,
        }
        let call: Envelope<'_> = serde_json::from_slice(body)
            .map_err(|error| invalid!("not a legacy request: {error}"))?;
        let header = |name: &str| {
            let value = parts.headers.get(name).and_then(|v| v.to_str().ok());
            value.unwrap_or_default()
        };
        let style = match (parts.uri.path(), header("ResourceType")) {
            ("/public/user", _) => Style::user,
            (_, "project") => Style::project,
            (_, "dataset") => Style::dataset,
            (_, other) => {
                return Err(invalid!(
                    "the header ResourceType is {other:?}, not project or dataset"
                ));
            }
        };
        let part = |raw: &RawValue| body.slice_ref(raw.get().as_bytes());
        Ok(Self {
            style,
            resource: header("ResourceID").to_owned(),
            query_type: call.query_type,
            query_method: call.query_method,
            uid: call.values.uid,
            payload: call.values.payload.map(part),
        })
    }

    /// The row of the table that serves the call.
    pub(super) fn resolve(self) -> Result<(&'static EndpointRow, Option<Arc<Self>>), Refusal> {
        let (method, query) = (&self.query_method, &self.query_type);
        if let Some(row) = table::legacy(self.style, method, query) {
            return Ok((row, Some(Arc::new(self))));
        }
        Err(match table::refused_legacy(query) {
            Some(instead) => not_served(method, query, instead),
            None => Refusal::Method(format!("this server has no call {method} {query}")),
        })
    }

    /// The UUIDs that the call is about; one alone is a list of one.
    pub(super) fn uuids(&self) -> Result<Vec<Uuid>, Refusal> {
        let one = |value: &Value| match value.as_str() {
            Some(text) => uuid(text, "uid"),
            None => Err(invalid!("`uid` holds something other than text")),
        };
        match &self.uid {
            Value::Null => Ok(Vec::new()),
            Value::Array(list) => list.iter().map(one).collect(),
            single => Ok(vec![one(single)?]),
        }
    }
}
