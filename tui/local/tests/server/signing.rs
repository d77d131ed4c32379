//! Authentication: signatures and bearer tokens.

use serde_json::{Value, json};
use wb_local::{Scenario, ServeOptions};

use crate::common::{Client, file, start, with};

#[tokio::test]
async fn unsigned_modified_and_foreign_requests_are_refused() {
    let (served, client) = start(Scenario::Seed, 1).await;
    let target = format!("/v2/public/projects/{}", client.project);
    let send =
        async |request: reqwest::RequestBuilder| request.send().await.unwrap().status().as_u16();
    assert_eq!(
        send(client.http.get(format!("{}{target}", client.domain))).await,
        401
    );
    let request = client
        .signed("GET", &target, b"")
        .header("Signature-Input", "encord-sig=()");
    assert_eq!(send(request).await, 401);
    assert_eq!(
        send(client.signed("GET", &target, b"").body("{}")).await,
        401
    );
    let (other, _) = start(Scenario::Seed, 1).await;
    let foreign = Client::new(&served.domain, client.project, &other.ssh_key_file);
    assert_eq!(
        foreign
            .v2("GET", &format!("/projects/{}", client.project), None)
            .await
            .0,
        401
    );
    let refusal = foreign
        .legacy("labelrowmetadata", "GET", Value::Null, json!({}))
        .await;
    assert_eq!(refusal.unwrap_err(), "AUTHENTICATION_ERROR");
}

#[tokio::test]
async fn a_bearer_token_opens_both_generations() {
    let (_served, client) = start(Scenario::Seed, 1).await;
    let token = client.get("/user/bearer-token").await["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let v2 = client
        .http
        .get(format!(
            "{}/v2/public/projects/{}",
            client.domain, client.project
        ))
        .bearer_auth(&token);
    assert_eq!(v2.send().await.unwrap().status(), 200);
    let body = json!({"query_type": "labelrowmetadata", "query_method": "GET", "values": {"uid": null, "payload": null}});
    let legacy = client
        .http
        .post(format!("{}/public", client.domain))
        .header("ResourceType", "project")
        .header("ResourceID", client.project.to_string())
        .bearer_auth(&token)
        .body(body.to_string());
    assert_eq!(
        client
            .envelope(legacy)
            .await
            .unwrap()
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn users_of_a_scenario_sign_with_their_own_keys() {
    let folder = tempfile::tempdir().unwrap();
    let pair = ssh_key::private::Ed25519Keypair::from_seed(&[9; 32]);
    let key = ssh_key::PrivateKey::from(pair);
    let key_file = folder.path().join("key");
    std::fs::write(
        &key_file,
        key.to_openssh(ssh_key::LineEnding::LF).unwrap().as_bytes(),
    )
    .unwrap();
    let line = key.public_key().to_openssh().unwrap();
    let text = json!({"users": [{"email": "eve@example.test", "publicKey": line}],
                      "datasets": [{"title": "d", "items": [{"type": "image"}]}]});
    let path = file(folder.path(), "world.json", &text.to_string());
    let (served, client) = with(ServeOptions {
        scenario_file: Some(path),
        ..ServeOptions::default()
    })
    .await;
    let eve = Client::new(&served.domain, client.project, &key_file);
    let tasks = eve.tasks("Agent 1").await;
    assert_eq!(
        eve.proceed("Agent 1", &[&tasks[0]], "complete").await.0,
        200
    );
    assert_eq!(
        client.local("state").await["tasks"][0]["last_actioned_by"],
        "eve@example.test"
    );
}
