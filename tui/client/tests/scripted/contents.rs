//! Stores that send something else than the file, or send it packed.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const ITEM: u128 = 77;

/// An item of a type and a length, whose file is sent by `reply`: the number of the request for it.
async fn store(
    kind: &'static str,
    size: Option<usize>,
    reply: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static,
) -> Scripted {
    let count = AtomicUsize::new(0);
    Scripted::start(move |_, request| match request.path() {
        path if path.starts_with("/v2/") => Reply::json(
            &json!({"uuid": Uuid::from_u128(ITEM), "itemType": kind, "name": "x", "fileSize": size,
                "signedUrl": format!("http://{}/file?X-Sig=geheim", request.headers["host"])})
            .to_string(),
        ),
        "/login" => Reply::status(200, "<html><title>Log in</title>"),
        _ => reply(count.fetch_add(1, Relaxed), request),
    })
    .await
}

async fn download(server: &Scripted, dir: &Path) -> Result<Vec<u8>, Error> {
    let cache = AssetCache::new(dir, 1 << 20);
    let file = server
        .reader()
        .download(ItemId(Uuid::from_u128(ITEM)), &cache)
        .await?;
    Ok(std::fs::read(file.path).unwrap())
}

/// Files anywhere below a folder.
fn files(dir: &Path) -> usize {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|e| {
            if e.path().is_dir() {
                files(&e.path())
            } else {
                1
            }
        })
        .sum()
}

fn picture() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut state = 0x9e37_79b9_u32; // noise, so that it cannot be packed to nothing
    bytes.extend((0..9000).map(|_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        if state.is_multiple_of(3) {
            0
        } else {
            state.to_le_bytes()[1]
        }
    }));
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn file_requests(server: &Scripted) -> usize {
    let all = server.requests();
    all.iter().filter(|r| r.path() == "/file").count()
}

#[tokio::test]
async fn a_wrong_file_is_fetched_again_once_and_not_kept() {
    for (body, name) in [
        (
            &b"<!DOCTYPE html><title>Sign in</title>"[..],
            "a web page titled \"Sign in\" (HTML)",
        ),
        (
            b"<?xml version=\"1.0\"?><Error><Code>SlowDown</Code></Error>",
            "an XML document: SlowDown",
        ),
        (b"{\"error\":\"?X-Sig=geheim\"}", "a JSON document"),
        (b"", "an empty file"),
    ] {
        // Even where the item's length is not known, or happens to be that of the page.
        for size in [None, Some(body.len())] {
            let server = store("image", size, move |_, _| {
                Reply::Full(200, Vec::new(), body.to_vec())
            })
            .await;
            let dir = tempfile::tempdir().unwrap();
            let error = download(&server, dir.path()).await.unwrap_err();
            assert!(error.summary.contains(name), "{name} is not in {error:?}");
            assert!(!format!("{error:?}").contains("geheim"), "{error:?}");
            assert_eq!(error.kind, ErrorKind::Upstream, "it costs this task only");
            assert_eq!(file_requests(&server), 2, "{name}");
            assert_eq!(files(dir.path()), 0, "{name} was kept");
        }
    }
}

#[tokio::test]
async fn a_file_that_is_right_the_second_time_is_taken() {
    for wrong in [
        Reply::status(200, "<html>busy"),
        Reply::Full(302, vec![("Location", "/login".to_owned())], Vec::new()),
        Reply::Full(
            200,
            vec![(
                "Repr-Digest",
                "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:".to_owned(),
            )],
            picture(),
        ),
        Reply::Full(
            200,
            vec![("Content-Encoding", "gzip".to_owned())],
            gzip(&picture())[..4000].to_vec(),
        ),
        Reply::Full(
            200,
            vec![("Content-Encoding", "br".to_owned())],
            vec![7; 40],
        ),
        Reply::Full(200, Vec::new(), picture()[..3000].to_vec()),
    ] {
        let once = Mutex::new(Some(wrong));
        let server = store("image", Some(picture().len()), move |_, _| {
            let wrong = once.lock().unwrap().take();
            wrong.unwrap_or_else(|| Reply::Full(200, Vec::new(), picture()))
        })
        .await;
        let dir = tempfile::tempdir().unwrap();
        assert!(download(&server, dir.path()).await == Ok(picture()));
        assert_eq!(files(dir.path()), 1);
    }
}

#[tokio::test]
async fn a_redirect_to_a_login_page_is_called_one() {
    let server = store("video", None, |_, _| {
        Reply::Full(
            302,
            vec![("Location", "/login?next=geheim".to_owned())],
            Vec::new(),
        )
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let error = download(&server, dir.path()).await.unwrap_err();
    assert!(
        error
            .summary
            .contains("a web page titled \"Log in\" (HTML) in place of the file (video)"),
        "{error:?}"
    );
    assert_eq!(files(dir.path()), 0);
}

#[tokio::test]
async fn a_file_with_another_digest_than_announced_is_never_kept() {
    for (name, value) in [
        (
            "x-goog-hash",
            "crc32c=AAAAAA==,md5=kAFQmDzST7DWlj99KOF/cg==",
        ),
        (
            "x-amz-checksum-sha256",
            "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
        ),
    ] {
        let server = store("image", None, move |_, _| {
            Reply::Full(200, vec![(name, value.to_owned())], picture())
        })
        .await;
        let dir = tempfile::tempdir().unwrap();
        let error = download(&server, dir.path()).await.unwrap_err();
        assert!(
            error
                .summary
                .contains("is not the one that its store announced"),
            "{error:?}"
        );
        assert_eq!((file_requests(&server), files(dir.path())), (2, 0));
    }
}

#[tokio::test]
async fn a_file_that_is_cut_short_is_not_kept_and_one_in_another_form_is() {
    let cut = |head: Vec<(&'static str, String)>, announced: usize| async move {
        let reply = move |_: usize, _: &Request| Reply::Full(200, head.clone(), picture());
        let server = store("image", Some(announced), reply).await;
        let dir = tempfile::tempdir().unwrap();
        let file = download(&server, dir.path()).await;
        (
            file.map(|f| f.len()),
            file_requests(&server),
            files(dir.path()),
        )
    };
    let long = picture().len();
    let (file, requests, kept) = cut(Vec::new(), long + 5000).await;
    let why = file.unwrap_err().into_facts().summary;
    assert!(
        why.contains(&format!(
            "{long} bytes came where {} were announced, twice",
            long + 5000
        )),
        "{why}"
    );
    assert_eq!((requests, kept), (2, 0));
    // Longer than announced, or vouched for by its store.
    assert_eq!(cut(Vec::new(), long - 5000).await, (Ok(long), 2, 1));
    let digest = STANDARD.encode(Sha256::digest(picture()));
    let vouched = vec![("x-amz-checksum-sha256", digest)];
    assert_eq!(cut(vouched, long + 5000).await, (Ok(long), 2, 1));
}

#[tokio::test]
async fn a_packed_file_is_unpacked_whichever_length_the_item_has() {
    let packed = gzip(&picture());
    let long = packed.len();
    assert_ne!(long, picture().len());
    for size in [None, Some(picture().len()), Some(long)] {
        for name in ["gzip", "x-gzip", "GZIP"] {
            let packed = packed.clone();
            let server = store("image", size, move |_, _| {
                Reply::Full(
                    200,
                    vec![("Content-Encoding", name.to_owned())],
                    packed.clone(),
                )
            })
            .await;
            let dir = tempfile::tempdir().unwrap();
            assert!(download(&server, dir.path()).await == Ok(picture()));
            assert_eq!((file_requests(&server), files(dir.path())), (1, 1));
        }
    }
}

#[tokio::test]
async fn a_packed_file_that_breaks_off_is_resumed_and_one_unpacked_on_the_way_is_taken_as_it_is() {
    let packed = gzip(&picture());
    let server = store("image", None, move |n, request| {
        let mut head = vec![
            ("Content-Encoding", "gzip".to_owned()),
            ("ETag", "\"one\"".to_owned()),
        ];
        if n == 0 {
            return Reply::Broken(head, packed.clone(), 2000);
        }
        let from: usize = request.headers["range"][6..]
            .trim_end_matches('-')
            .parse()
            .unwrap();
        let last = packed.len() - 1;
        head.push((
            "Content-Range",
            format!("bytes {from}-{last}/{}", packed.len()),
        ));
        Reply::Full(206, head, packed[from..].to_vec())
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    assert!(download(&server, dir.path()).await == Ok(picture()));
    let server = store("image", None, move |_, _| {
        Reply::Full(
            200,
            vec![("Content-Encoding", "gzip".to_owned())],
            picture(),
        )
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    assert!(download(&server, dir.path()).await == Ok(picture()));
}

#[tokio::test]
async fn a_file_that_is_larger_than_the_cache_once_unpacked_is_refused() {
    let bomb = gzip(&vec![0; 3 << 20]);
    assert!(bomb.len() < 1 << 16);
    let server = store("image", None, move |_, _| {
        Reply::Full(
            200,
            vec![("Content-Encoding", "gzip".to_owned())],
            bomb.clone(),
        )
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let error = download(&server, dir.path()).await.unwrap_err();
    assert!(
        error.summary.contains("more than 1048576 bytes"),
        "{error:?}"
    );
    assert_eq!(files(dir.path()), 0);
}

#[tokio::test]
async fn a_wrong_file_that_an_earlier_version_has_kept_is_replaced() {
    let server = store("image", None, |_, _| {
        Reply::Full(200, Vec::new(), picture())
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    download(&server, dir.path()).await.unwrap();
    let cache = AssetCache::new(dir.path(), 1 << 20);
    let reader = server.reader();
    let file = reader
        .download(ItemId(Uuid::from_u128(ITEM)), &cache)
        .await
        .unwrap();
    std::fs::remove_file(&file.path).unwrap();
    std::fs::write(&file.path, "<html><title>Log in</title>").unwrap();
    assert!(download(&server, dir.path()).await == Ok(picture()));
}

#[tokio::test]
async fn a_cached_file_is_downloaded_again_when_asked_and_no_other_file_is_touched() {
    let server = store("image", None, |_, _| {
        Reply::Full(200, Vec::new(), picture())
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let cache = AssetCache::new(dir.path().join("cache"), 1 << 20);
    let reader = Arc::new(server.reader());
    let file = reader
        .download(ItemId(Uuid::from_u128(ITEM)), &cache)
        .await
        .unwrap();
    let again = reader.download_again(&file.path, &cache).await.unwrap();
    assert_eq!(
        (again.path.clone(), again.cached),
        (file.path.clone(), false)
    );
    assert_eq!(file_requests(&server), 2);
    reader.discard_download(&file.path, &cache);
    assert!(!file.path.exists());
    let id = Uuid::from_u128(ITEM).simple();
    for other in [
        dir.path().join("mine.png"),
        dir.path().join(format!("{id}-00.png")),
        cache.dir().join(format!("../{id}-00.png")),
        cache.dir().join(format!("00/../../{id}-00.png")),
    ] {
        std::fs::create_dir_all(cache.dir().join("00")).unwrap();
        std::fs::write(&other, "kept").unwrap();
        assert!(reader.download_again(&other, &cache).await.is_err());
        reader.discard_download(&other, &cache);
        assert_eq!(
            std::fs::read(&other).unwrap(),
            b"kept",
            "{}",
            other.display()
        );
    }
}
