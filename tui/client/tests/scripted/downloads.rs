//! Downloads from a store that breaks off, moves and lies.

use super::*;

#[tokio::test]
async fn a_download_resumes_where_it_broke_and_follows_redirects() {
    let item = Uuid::from_u128(77);
    let bytes: Vec<u8> = (0..=255).cycle().take(3050).collect();
    let content = bytes.clone();
    let server = Scripted::start(move |_, request| {
        let host = &request.headers["host"];
        match (
            request.path(),
            request.headers.get("range").map(String::as_str),
        ) {
            ("/moved", _) => Reply::Full(
                302,
                vec![("Location", "/file?X-Sig=geheim2".to_owned())],
                Vec::new(),
            ),
            ("/file", None) => Reply::Cut(content[..3000].to_vec()),
            ("/file", Some("bytes=3000-")) => Reply::Full(
                206,
                vec![("Content-Range", "bytes 3000-3049/3050".to_owned())],
                content[3000..].to_vec(),
            ),
            _ => Reply::json(
                &json!({"uuid": item, "itemType": "image", "name": "x", "mimeType": "image/png",
                    "signedUrl": format!("http://{host}/moved?X-Sig=geheim")})
                .to_string(),
            ),
        }
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let cache = AssetCache::new(dir.path(), 1 << 20);
    let file = server
        .reader()
        .download(ItemId(item), &cache)
        .await
        .unwrap();
    assert_eq!(std::fs::read(&file.path).unwrap(), bytes);
    assert!(
        !server
            .requests()
            .iter()
            .any(|r| r.path() == "/file" && r.headers.contains_key("signature"))
    );
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_refused_before_it_is_read() {
    let server = Scripted::start(|_, request| match request.path() {
        "/file" => Reply::Full(200, Vec::new(), vec![0; 5000]),
        _ => Reply::json(
            &json!({"uuid": Uuid::from_u128(7), "itemType": "image",
                "signedUrl": format!("http://{}/file?X-Sig=geheim", request.headers["host"])})
            .to_string(),
        ),
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let cache = AssetCache::new(dir.path(), 1000);
    let error = server
        .reader()
        .download(ItemId(Uuid::from_u128(7)), &cache)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("limited to 1000"), "{error}");
    assert!(!format!("{error:?}").contains("geheim"));
}

/// A store that breaks off after `sent` bytes of each answer, unless it is asked for the rest.
fn breaking(
    content: Vec<u8>,
    tag: &'static str,
    sent: usize,
) -> impl Fn(usize, &Request) -> Reply + Send + Sync {
    move |_, request| {
        let host = &request.headers["host"];
        let range = request.headers.get("range");
        let same = request
            .headers
            .get("if-range")
            .is_none_or(|asked| asked == tag);
        match (request.path(), range.filter(|_| same)) {
            ("/file", None) => {
                let head = vec![("ETag", tag.to_owned())];
                Reply::Broken(head, content.clone(), sent)
            }
            ("/file", Some(range)) => {
                let from: usize = range["bytes=".len()..range.len() - 1].parse().unwrap();
                let last = content.len() - 1;
                let range = format!("bytes {from}-{last}/{}", content.len());
                let head = vec![("Content-Range", range), ("ETag", tag.to_owned())];
                Reply::Full(206, head, content[from..].to_vec())
            }
            _ => Reply::json(
                &json!({"uuid": Uuid::from_u128(77), "itemType": "video", "mimeType": "video/mp4",
                    "fileSize": content.len(), "url": "bucket/x",
                    "signedUrl": format!("http://{host}/file?X-Sig=geheim")})
                .to_string(),
            ),
        }
    }
}

fn content(seed: u8) -> Vec<u8> {
    (0..50_000_u32)
        .map(|n| (n.wrapping_mul(31) >> 3) as u8 ^ seed)
        .collect()
}

/// A process that is asked for the file and gives up: its patience is nothing.
async fn gives_up(server: &Scripted, cache: &AssetCache) {
    let mut settings = server.settings();
    settings.patience = Duration::ZERO;
    let reader = Reader::new(settings).unwrap();
    let error = reader.download(ItemId(Uuid::from_u128(77)), cache).await;
    assert!(Error::from(error.unwrap_err()).retry);
}

#[tokio::test]
async fn a_later_process_goes_on_with_the_download_of_an_earlier_one() {
    let dir = tempfile::tempdir().unwrap();
    let server = Scripted::start(breaking(content(0), "\"one\"", 30_000)).await;
    gives_up(&server, &AssetCache::new(dir.path(), 1 << 20)).await;
    // A cache of its own, as another process has.
    let cache = AssetCache::new(dir.path(), 1 << 20);
    let file = server
        .reader()
        .download(ItemId(Uuid::from_u128(77)), &cache)
        .await
        .unwrap();
    assert_eq!(std::fs::read(&file.path).unwrap(), content(0));
    let requests = server.requests();
    let last = requests.last().unwrap();
    assert_eq!(last.headers["range"], "bytes=30000-");
    assert_eq!(last.headers["if-range"], "\"one\"");
    assert_eq!(requests.iter().filter(|r| r.path() == "/file").count(), 2);
}

#[tokio::test]
async fn a_file_that_changed_meanwhile_is_downloaded_again_and_never_mixed() {
    let dir = tempfile::tempdir().unwrap();
    let old = Scripted::start(breaking(content(0), "\"one\"", 30_000)).await;
    gives_up(&old, &AssetCache::new(dir.path(), 1 << 20)).await;
    let new = Scripted::start(breaking(content(9), "\"two\"", 50_000)).await;
    let cache = AssetCache::new(dir.path(), 1 << 20);
    let file = new
        .reader()
        .download(ItemId(Uuid::from_u128(77)), &cache)
        .await
        .unwrap();
    assert_eq!(std::fs::read(&file.path).unwrap(), content(9));
}

#[tokio::test]
async fn two_processes_at_once_both_have_the_whole_file() {
    let dir = tempfile::tempdir().unwrap();
    let server = Scripted::start(breaking(content(0), "\"one\"", 30_000)).await;
    let caches = [(); 4].map(|()| AssetCache::new(dir.path(), 1 << 20));
    let downloads = caches.iter().map(|cache| {
        let reader = server.reader();
        async move {
            reader
                .download(ItemId(Uuid::from_u128(77)), cache)
                .await
                .unwrap()
        }
    });
    for file in futures_util::future::join_all(downloads).await {
        assert_eq!(std::fs::read(&file.path).unwrap(), content(0));
    }
    let folder = std::fs::read_dir(dir.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing is left over"
    );
}

/// Downloads from a store that answers `status` to everything.
async fn refused_by_its_store(status: u16) -> (Error, usize) {
    let server = Scripted::start(move |_, request| match request.path() {
        "/file" => Reply::Full(status, Vec::new(), Vec::new()),
        _ => Reply::json(
            &json!({"uuid": Uuid::from_u128(7), "itemType": "image",
                "signedUrl": format!("http://{}/file?X-Sig=geheim", request.headers["host"])})
            .to_string(),
        ),
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let cache = AssetCache::new(dir.path(), 1 << 20);
    let mut settings = server.settings();
    settings.patience = Duration::from_millis(1);
    let reader = Reader::new(settings).unwrap();
    let error = reader.download(ItemId(Uuid::from_u128(7)), &cache).await;
    (Error::from(error.unwrap_err()), server.requests().len())
}

#[tokio::test]
async fn a_file_that_its_store_refuses_is_the_matter_of_its_task_only() {
    for status in [403, 404, 410, 503] {
        let (error, requests) = refused_by_its_store(status).await;
        assert_eq!(error.kind, ErrorKind::Upstream, "{error:?}");
        assert!(error.summary.contains(&status.to_string()), "{error:?}");
        assert!(!format!("{error:?}").contains("geheim"));
        assert!(requests <= 6, "{status}: {requests} requests");
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_reached_is_an_outage() {
    let server = Scripted::start(|_, _| {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        Reply::json(
            &json!({"uuid": Uuid::from_u128(7), "itemType": "image",
                "signedUrl": format!("http://{nobody}/file")})
            .to_string(),
        )
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let mut settings = server.settings();
    settings.patience = Duration::from_millis(1);
    let reader = Reader::new(settings).unwrap();
    let cache = AssetCache::new(dir.path(), 1 << 20);
    let error = reader.download(ItemId(Uuid::from_u128(7)), &cache).await;
    assert_eq!(Error::from(error.unwrap_err()).kind, ErrorKind::Network);
}
