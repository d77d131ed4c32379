//! Limits on the size of requests.

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wb_local::Scenario;

use crate::common::start;

/// The largest request target and the largest body that are taken, in bytes.
const TARGET: usize = 65_534;
const BODY: usize = 256 << 20;

async fn connect(domain: &str) -> TcpStream {
    let address = domain.strip_prefix("http://").unwrap();
    TcpStream::connect(address).await.unwrap()
}

/// The status and the message of the answer to what was sent; the server may keep the connection.
async fn answer(stream: &mut TcpStream) -> (u16, String) {
    let mut text = String::new();
    let mut piece = [0; 4096];
    loop {
        let n = stream.read(&mut piece).await.unwrap();
        text.push_str(std::str::from_utf8(&piece[..n]).unwrap());
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        if let Ok(value) = serde_json::from_str::<Value>(body) {
            let status = text[9..12].parse().unwrap();
            return (
                status,
                value["message"].as_str().unwrap_or_default().to_owned(),
            );
        }
        assert!(n > 0, "the connection ended after {text:?}");
    }
}

#[tokio::test]
async fn request_targets_of_sixty_kilobytes_and_answers_in_gzip_are_fine() {
    let (_served, client) = start(Scenario::Seed, 300).await;
    let path = client.stage_path("Agent 1").await;
    let tasks = client.tasks("Agent 1").await;
    let mut query: Vec<String> = tasks
        .iter()
        .map(|t| format!("dataHashes={}", t["dataHash"].as_str().unwrap()))
        .collect();
    while query.iter().map(|q| q.len() + 1).sum::<usize>() < 60_000 {
        query.push(format!("dataHashes={}", uuid::Uuid::new_v4()));
    }
    let page = client
        .get(&format!("{path}/tasks?{}", query.join("&")))
        .await;
    assert_eq!(page["results"].as_array().unwrap().len(), tasks.len());
    let request = client
        .signed("GET", &format!("/v2/public{path}/tasks"), b"")
        .header("Accept-Encoding", "gzip");
    let response = request.send().await.unwrap();
    let value: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(value["results"].as_array().unwrap().len(), tasks.len());
}

#[tokio::test]
async fn a_request_target_longer_than_65534_bytes_is_refused_with_a_reason() {
    let (_served, client) = start(Scenario::Seed, 1).await;
    for (length, status, words) in [(TARGET, 200, ""), (TARGET + 1, 414, "65534 bytes")] {
        let mut stream = connect(&client.domain).await;
        let filler = "x".repeat(length - "/local/health?".len());
        let request = format!(
            "GET /local/health?{filler} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
            client.token
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let (found, message) = answer(&mut stream).await;
        assert_eq!(found, status, "{length} bytes");
        assert!(message.contains(words), "{message}");
    }
    let mut stream = connect(&client.domain).await;
    stream.write_all(b"nonsense\r\n\r\n").await.unwrap();
    let (status, message) = answer(&mut stream).await;
    assert_eq!(status, 400);
    assert!(message.contains("HTTP/1.1"), "{message}");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_after_it_is_sent() {
    let (_served, client) = start(Scenario::Seed, 1).await;
    let mut stream = connect(&client.domain).await;
    let length = BODY + 1;
    let head = format!(
        "POST /v2/public/projects HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let piece = vec![b' '; 1 << 20];
    let mut left = length;
    while left > 0 {
        let n = left.min(piece.len());
        stream.write_all(&piece[..n]).await.unwrap();
        left -= n;
    }
    let (status, message) = answer(&mut stream).await;
    assert_eq!(status, 413);
    assert!(message.contains("256 MB"), "{message}");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_sent_if_the_client_asks() {
    let (_served, client) = start(Scenario::Seed, 1).await;
    let mut stream = connect(&client.domain).await;
    let head = format!(
        "POST /public HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        BODY + 1
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(answer(&mut stream).await.0, 413);
}

#[tokio::test]
async fn large_bodies_wait_for_each_other_and_all_are_answered() {
    let (_served, client) = start(Scenario::Seed, 1).await;
    let row = {
        let hash = client.rows(serde_json::json!({})).await[0]["data_hash"].clone();
        client.label_row(&hash).await
    };
    let large = "x".repeat(6 << 20);
    let saves = (0..4).map(|n| {
        let mut row = crate::common::with_box(row.clone(), &format!("AAAAAAA{n}"));
        row["spaces"] = serde_json::json!({"note": large});
        let client = client.clone();
        async move { client.save(&[&row]).await }
    });
    for saved in futures_util::future::join_all(saves).await {
        assert_eq!(saved.unwrap(), true);
    }
}

#[tokio::test]
async fn a_path_that_is_not_utf8_is_refused_in_the_envelope_of_its_api() {
    let (_served, client) = start(Scenario::Seed, 1).await;
    let (status, answer) = client.v2("GET", "/projects/%ff%fe", None).await;
    assert_eq!(
        (status, answer["message"].as_str()),
        (400, Some("the path is not UTF-8"))
    );
    let (status, _) = client.v2("GET", "/projects/%C3%A9%zz", None).await;
    assert_eq!(status, 403, "a project of this odd name is not there");
}
