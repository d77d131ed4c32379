//! TLS: authorities of one's own, certificates that are not to be trusted, HTTP/2 where it is offered.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod support;

use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use support::child::{ask, asked, output_of, reader};
use support::tls::{Authority, Valid, accept};
use support::{Reply, Scripted};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use wb_client::AssetCache;
use wb_core::ids::ItemId;

#[tokio::test]
#[ignore = "run by the other tests with an environment of its own"]
async fn child() {
    ask().await;
}

/// A server with a certificate for this name; whoever reaches it is refused in its own words.
async fn server(authority: &Authority, name: &str, valid: Valid) -> Scripted {
    let acceptor = authority.server(name, valid, &["http/1.1"]);
    let reached = |_: usize, _: &_| Reply::status(403, r#"{"message":"reached"}"#);
    Scripted::listen("https", reached, move |stream| {
        accept(acceptor.clone(), stream)
    })
    .await
}

/// A file with the authority's certificate, in a folder of its own.
fn trusted(authority: &Authority, name: &str) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(name);
    std::fs::write(&file, &authority.pem).unwrap();
    let path = file.to_str().unwrap().to_owned();
    (dir, path)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_of_ones_own_is_trusted_by_file_and_by_folder() {
    let authority = Authority::new("Own");
    let server = server(&authority, "127.0.0.1", Valid::Now).await;
    let (_dir, file) = trusted(&authority, "own.pem");
    let text = asked(&server.domain, &[("SSL_CERT_FILE", &file)]).await;
    assert!(text.contains("reached"), "{text}");
    // The names in such a folder are those that `openssl rehash` gives.
    let (dir, _) = trusted(&authority, "0a1b2c3d.0");
    let folder = dir.path().to_str().unwrap();
    let text = asked(&server.domain, &[("SSL_CERT_DIR", folder)]).await;
    assert!(text.contains("reached"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bundle_of_the_python_sdk_is_trusted_in_place_of_everything_else() {
    let (authority, stranger) = (Authority::new("Own"), Authority::new("Stranger"));
    let server = server(&authority, "127.0.0.1", Valid::Now).await;
    let (dir, own) = trusted(&authority, "own.pem");
    let (_other, strange) = trusted(&stranger, "stranger.pem");
    let folder = dir.path().to_str().unwrap();
    for env in [
        &[("REQUESTS_CA_BUNDLE", &*own)][..],
        &[("REQUESTS_CA_BUNDLE", folder)],
        &[("CURL_CA_BUNDLE", &own)],
        &[("REQUESTS_CA_BUNDLE", &own), ("CURL_CA_BUNDLE", &strange)],
        &[("REQUESTS_CA_BUNDLE", &own), ("SSL_CERT_FILE", &strange)],
        &[("REQUESTS_CA_BUNDLE", ""), ("SSL_CERT_FILE", &own)],
    ] {
        let text = asked(&server.domain, env).await;
        assert!(text.contains("reached"), "{env:?}: {text}");
    }
    let env = [("REQUESTS_CA_BUNDLE", &*strange), ("SSL_CERT_FILE", &own)];
    let text = asked(&server.domain, &env).await;
    assert!(
        text.contains("signed by nobody this machine trusts"),
        "{text}"
    );
    assert!(text.contains("REQUESTS_CA_BUNDLE"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_bad_certificate_names_the_domain_what_it_means_and_the_cure() {
    let authority = Authority::new("Own");
    let (_dir, file) = trusted(&authority, "own.pem");
    let stranger = Authority::new("Stranger");
    let name = "127.0.0.1";
    for (server, reason, cure) in [
        (
            server(&stranger, name, Valid::Now).await,
            "its certificate is signed by nobody this machine trusts",
            "SSL_CERT_FILE",
        ),
        (
            server(&authority, name, Valid::Once).await,
            "its certificate has expired",
            "clock",
        ),
        (
            server(&authority, name, Valid::Later).await,
            "its certificate is not valid yet",
            "clock",
        ),
        (
            server(&authority, "other.test", Valid::Now).await,
            "its certificate is for other.test",
            "ENCORD_DOMAIN",
        ),
    ] {
        let text = asked(&server.domain, &[("SSL_CERT_FILE", &file)]).await;
        for part in [
            server.address(),
            reason,
            "no task was touched",
            cure,
            "exit 7, retry false",
            "trace",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(server.requests().is_empty(), "nothing was sent");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_self_signed_certificate_is_called_that() {
    let acceptor = Authority::new("Own").itself();
    let wrap = move |stream| accept(acceptor.clone(), stream);
    let server = Scripted::listen("https", |_, _| Reply::Drop, wrap).await;
    let text = asked(&server.domain, &[]).await;
    assert!(text.contains("(self-signed)"), "{text}");
    assert!(text.contains("CA:FALSE"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_tls_is_called_that() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let domain = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            // Read to the end, or the answer may be lost with the connection.
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        }
    });
    let text = asked(&domain, &[]).await;
    assert!(text.contains("does not speak TLS"), "{text}");
    assert!(text.contains("begins with http://"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_without_certificates_uses_the_built_in_ones() {
    let server = server(&Authority::new("Own"), "127.0.0.1", Valid::Now).await;
    let env = [
        ("SSL_CERT_FILE", "/dev/null"),
        ("SSL_CERT_DIR", "/nonexistent"),
    ];
    let text = asked(&server.domain, &env).await;
    assert!(
        text.contains("signed by nobody") && text.contains("the built-in ones are used"),
        "{text}"
    );
}

#[tokio::test]
#[ignore = "run by another test with an environment of its own"]
async fn downloading_child() {
    let dir = tempfile::tempdir().unwrap();
    let cache = AssetCache::new(dir.path(), 1 << 20);
    let item = ItemId(uuid::Uuid::from_u128(7));
    let file = reader().download(item, &cache).await.unwrap();
    println!("{}", std::fs::read_to_string(&file.path).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_without_tls_may_keep_its_files_where_there_is_tls() {
    let authority = Authority::new("Own");
    let acceptor = authority.server("127.0.0.1", Valid::Now, &["http/1.1"]);
    let file = |_: usize, _: &_| Reply::Full(200, Vec::new(), b"over TLS".to_vec());
    let wrap = move |stream| accept(acceptor.clone(), stream);
    let store = Scripted::listen("https", file, wrap).await;
    let url = format!("{}/file", store.domain);
    let platform = Scripted::start(move |_, _| {
        let item = serde_json::json!({"uuid": uuid::Uuid::from_u128(7), "itemType": "image", "name": "x",
            "mimeType": "image/png", "signedUrl": url});
        Reply::json(&item.to_string())
    })
    .await;
    let (_dir, trusted) = trusted(&authority, "own.pem");
    let env = [("SSL_CERT_FILE", &*trusted)];
    let text = output_of("downloading_child", &platform.domain, &env).await;
    assert!(text.contains("over TLS"), "{text}");
}

/// A server that speaks HTTP/2 only; gives its address and the numbers of connections and requests.
async fn http2(authority: &Authority) -> (String, Arc<[AtomicUsize; 2]>) {
    let acceptor = authority.server("127.0.0.1", Valid::Now, &["h2"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let domain = format!("https://{}", listener.local_addr().unwrap());
    let counts = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let counted = Arc::clone(&counts);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, counts) = (acceptor.clone(), Arc::clone(&counted));
            tokio::spawn(async move {
                let Some(stream) = accept(acceptor, stream).await else {
                    return;
                };
                counts[0].fetch_add(1, Relaxed);
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    counts[1].fetch_add(1, Relaxed);
                    assert!(request.headers().contains_key("signature"));
                    let answer = http::Response::builder().status(403).body(()).unwrap();
                    let mut body = respond.send_response(answer, false).unwrap();
                    let text = Bytes::from_static(br#"{"message":"reached by two"}"#);
                    body.send_data(text, true).unwrap();
                }
            });
        }
    });
    (domain, counts)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_2_is_spoken_where_it_is_offered_over_one_connection() {
    let authority = Authority::new("Own");
    let (domain, counts) = http2(&authority).await;
    let (_dir, file) = trusted(&authority, "own.pem");
    let text = asked(&domain, &[("SSL_CERT_FILE", &file)]).await;
    assert!(text.contains("reached by two"), "{text}");
    // The project and its datasets are asked for at the same time.
    let [connections, requests] = &*counts;
    assert_eq!(requests.load(Relaxed), 2);
    assert!(connections.load(Relaxed) <= 2);
}
