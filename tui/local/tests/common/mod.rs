//! A small signed client of the tests' own, written from the protocol alone.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: a panic is the failure"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use wb_local::{Scenario, ServeOptions, Served, serve};

/// A client with the server's key.
#[derive(Clone)]
pub struct Client {
    pub http: reqwest::Client,
    pub domain: String,
    pub project: Uuid,
    /// For the server's own pages.
    pub token: String,
    key: SigningKey,
}

/// Starts a server with so many tasks.
pub async fn start(scenario: Scenario, tasks: usize) -> (Served, Client) {
    with(ServeOptions {
        scenario,
        tasks: Some(tasks),
        ..ServeOptions::default()
    })
    .await
}

/// Starts a server with these options.
pub async fn with(options: ServeOptions) -> (Served, Client) {
    let served = serve(options).await.unwrap();
    let client = Client::new(&served.domain, served.project_hash, &served.ssh_key_file);
    (served, client)
}

/// Writes a file into a folder.
pub fn file(folder: &std::path::Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

impl Client {
    pub fn new(domain: &str, project: Uuid, key_file: &std::path::Path) -> Self {
        // Only the first call of a process installs one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let text = std::fs::read_to_string(key_file).unwrap();
        let key = ssh_key::PrivateKey::from_openssh(text).unwrap();
        let seed = key.key_data().ed25519().unwrap().private.to_bytes();
        Self {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            domain: domain.to_owned(),
            project,
            // A key outside the data folder has no token next to it.
            token: std::fs::read_to_string(key_file.with_file_name("local-token"))
                .unwrap_or_default(),
            key: SigningKey::from_bytes(&seed),
        }
    }

    /// A signed request of the second generation, not sent yet.
    pub fn signed(&self, method: &str, target: &str, body: &[u8]) -> reqwest::RequestBuilder {
        let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)));
        let created = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let keyid = hex(self.key.verifying_key().as_bytes());
        let parameters = format!(
            "(\"@method\" \"@request-target\" \"content-digest\");created={created};keyid=\"{keyid}\";alg=\"ed25519\""
        );
        let base = format!(
            "\"@method\": {method}\n\"@request-target\": {target}\n\"content-digest\": {digest}\n\"@signature-params\": {parameters}"
        );
        let signature = STANDARD.encode(self.key.sign(base.as_bytes()).to_bytes());
        self.http
            .request(method.parse().unwrap(), format!("{}{target}", self.domain))
            .header("Content-Digest", digest)
            .header("Signature-Input", format!("encord-sig={parameters}"))
            .header("Signature", format!("encord-sig=:{signature}:"))
            .header("Content-Type", "application/json")
            .body(body.to_vec())
    }

    /// Sends a request of the second generation; the path is below `/v2/public`.
    pub async fn v2(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.try_v2(method, path, body).await.unwrap()
    }

    /// As `v2`, for servers that may not answer.
    pub async fn try_v2(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<(u16, Value), reqwest::Error> {
        let bytes = body.map(|b| b.to_string().into_bytes()).unwrap_or_default();
        let response = self
            .signed(method, &format!("/v2/public{path}"), &bytes)
            .send()
            .await?;
        let status = response.status().as_u16();
        Ok((
            status,
            serde_json::from_slice(&response.bytes().await?).unwrap_or(Value::Null),
        ))
    }

    /// Gets what must be there.
    pub async fn get(&self, path: &str) -> Value {
        let (status, value) = self.v2("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {value}");
        value
    }

    /// A signed legacy request, not sent yet.
    pub fn legacy_request(
        &self,
        path: &str,
        scope: (&str, &str),
        body: &Value,
    ) -> reqwest::RequestBuilder {
        self.legacy_text(path, scope, body.to_string())
    }

    /// As `legacy_request`, with a body that need not be one that this language's JSON can hold.
    pub fn legacy_text(
        &self,
        path: &str,
        scope: (&str, &str),
        body: String,
    ) -> reqwest::RequestBuilder {
        let body = body.into_bytes();
        let signature = self.key.sign(&Sha256::digest(&body)).to_bytes();
        let keyid = hex(self.key.verifying_key().as_bytes());
        self.http
            .post(format!("{}{path}", self.domain))
            .header("Authorization", format!("{keyid}:{}", hex(&signature)))
            .header("ResourceType", scope.0)
            .header("ResourceID", scope.1)
            .header("Content-Type", "application/json")
            .body(body)
    }

    /// A legacy call in the main project: its `response`, or its error code.
    pub async fn legacy(
        &self,
        kind: &str,
        method: &str,
        uid: Value,
        payload: Value,
    ) -> Result<Value, String> {
        self.legacy_in(&self.project.to_string(), kind, method, uid, payload)
            .await
    }

    /// A legacy call in any project.
    pub async fn legacy_in(
        &self,
        project: &str,
        kind: &str,
        method: &str,
        uid: Value,
        payload: Value,
    ) -> Result<Value, String> {
        let body = json!({"query_type": kind, "query_method": method, "values": {"uid": uid, "payload": payload}});
        self.envelope(self.legacy_request("/public", ("project", project), &body))
            .await
    }

    /// Sends a legacy request and opens its envelope.
    pub async fn envelope(&self, request: reqwest::RequestBuilder) -> Result<Value, String> {
        let response = request.send().await.map_err(|e| e.to_string())?;
        assert_eq!(
            response.status(),
            200,
            "legacy errors travel inside the envelope"
        );
        let mut answer: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        if answer["status"] == 200 {
            return Ok(answer["response"].take());
        }
        Err(answer["response"][0].as_str().unwrap().to_owned())
    }

    /// One of the server's own pages.
    pub async fn local(&self, path: &str) -> Value {
        let response = self
            .http
            .get(format!("{}/local/{path}", self.domain))
            .bearer_auth(&self.token)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
    }

    pub async fn local_post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self
            .http
            .post(format!("{}/local/{path}", self.domain))
            .bearer_auth(&self.token)
            .body(body.to_string());
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (
            status,
            serde_json::from_slice(&response.bytes().await.unwrap()).unwrap(),
        )
    }

    /// The stages of the main project by title.
    pub async fn stage(&self, title: &str) -> Value {
        self.stage_in(&self.project.to_string(), title).await
    }

    pub async fn stage_in(&self, project: &str, title: &str) -> Value {
        let project = self.get(&format!("/projects/{project}")).await;
        let stages = project["workflow"]["stages"].as_array().unwrap().clone();
        stages.into_iter().find(|s| s["title"] == title).unwrap()
    }

    /// The path of a stage of the main project.
    pub async fn stage_path(&self, title: &str) -> String {
        let uuid = self.stage(title).await["uuid"].as_str().unwrap().to_owned();
        format!("/projects/{}/workflow/stages/{uuid}", self.project)
    }

    /// All tasks of a stage, following the pages.
    pub async fn tasks(&self, stage: &str) -> Vec<Value> {
        let path = self.stage_path(stage).await;
        let mut out = Vec::new();
        let mut query = String::new();
        loop {
            let page = self.get(&format!("{path}/tasks{query}")).await;
            out.extend(page["results"].as_array().unwrap().iter().cloned());
            let Some(token) = page["nextPageToken"].as_str() else {
                return out;
            };
            query = format!("?pageToken={token}");
        }
    }

    /// Sends tasks along a pathway, in one request.
    pub async fn proceed(&self, stage: &str, tasks: &[&Value], pathway: &str) -> (u16, Value) {
        let path = self.stage_path(stage).await;
        let actions: Vec<Value> = tasks
            .iter()
            .map(|t| json!({"taskUuid": t["uuid"], "action": "PATHWAY_ACTION", "pathwayName": pathway}))
            .collect();
        self.v2("POST", &format!("{path}/actions"), Some(json!(actions)))
            .await
    }

    /// Row metadata with the filters and includes of `payload`.
    pub async fn rows(&self, payload: Value) -> Vec<Value> {
        self.legacy("labelrowmetadata", "GET", Value::Null, payload)
            .await
            .unwrap()
            .as_array()
            .unwrap()
            .clone()
    }

    /// The label row of a data unit on `main`, created if need be.
    pub async fn label_row(&self, data_hash: &Value) -> Value {
        let payload =
            json!({"multi_request": true, "get_signed_url": false, "branch_name": "main"});
        self.legacy("labelrow", "PUT", json!([data_hash]), payload)
            .await
            .unwrap()[0]
            .take()
    }

    /// A signed URL of the item behind a row of metadata.
    pub async fn signed_url(&self, row: &Value) -> String {
        let item = row["backing_item_uuid"].as_str().unwrap();
        let path = format!("/storage/items/{item}?signUrl=True");
        self.get(&path).await["signedUrl"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The bytes behind a URL, fetched without any header.
    pub async fn download(&self, url: &str) -> bytes::Bytes {
        let response = self.http.get(url).send().await.unwrap();
        response.bytes().await.unwrap()
    }

    /// Saves label rows in one request.
    pub async fn save(&self, rows: &[&Value]) -> Result<Value, String> {
        let uid: Vec<&Value> = rows.iter().map(|r| &r["label_hash"]).collect();
        let payload =
            json!({"multi_request": true, "labels": rows, "validate_before_saving": false});
        self.legacy("labelrow", "POST", json!(uid), payload).await
    }
}

/// A label row with one box on its first unit.
pub fn with_box(mut row: Value, object: &str) -> Value {
    let unit = row["data_units"]
        .as_object_mut()
        .unwrap()
        .values_mut()
        .next()
        .unwrap();
    unit["labels"]["objects"] = json!([{
        "name": "Car", "color": "#D33115", "shape": "bounding_box", "value": "car", "objectHash": object,
        "featureHash": "CarBox01", "createdBy": null, "createdAt": "Sun, 22 Nov 2026 07:57:53 UTC",
        "lastEditedAt": "Sun, 22 Nov 2026 07:57:53 UTC", "confidence": 0.9, "manualAnnotation": false,
        "boundingBox": {"h": 0.1, "w": 0.2, "x": 0.3, "y": 0.4},
    }]);
    row["object_answers"] = json!({object: {"objectHash": object, "classifications": []}});
    row
}
