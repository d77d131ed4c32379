//! Servers that are silent, stall or trickle are given up; slow lines are not.

use super::*;

const LIMITS: Limits = Limits {
    floor: 10_000,
    window: Duration::from_millis(300),
    whole: Duration::from_secs(1),
    unknown: Duration::from_secs(1),
};
/// A byte every 20 ms: 50 B/s.
const PAUSE: Duration = Duration::from_millis(20);
/// More than any of these may take: the limit for the whole and one attempt that began just before.
const SOON: Duration = Duration::from_secs(4);

async fn asked(script: impl Fn(usize) -> Reply + Send + Sync + 'static) -> (Error, Duration) {
    let server = Scripted::start(move |n, _| script(n)).await;
    let mut settings = server.settings();
    settings.limits = LIMITS;
    let reader = Reader::new(settings).unwrap();
    let began = Instant::now();
    let error = list(&reader, TaskFilter::default()).await.unwrap_err();
    let requests = server.requests().len();
    assert!(requests <= 4, "{requests} requests");
    (Error::from(error), began.elapsed())
}

#[tokio::test]
async fn an_answer_that_trickles_is_given_up_and_its_speed_is_named() {
    let body = EMPTY_PAGE.repeat(500).into_bytes();
    let (error, took) =
        asked(move |_| Reply::Trickle(Vec::new(), body.clone(), 1, PAUSE, usize::MAX)).await;
    assert!(took < SOON, "{took:?}");
    assert!(error.summary.contains("too slowly: "), "{error:?}");
    assert!(
        error.summary.contains("given up below 10000 B/s"),
        "{error:?}"
    );
    assert!(error.hints[0].contains("try again later"), "{error:?}");
    assert_eq!(error.kind.exit_code(), 7);
}

#[tokio::test]
async fn an_answer_that_stalls_and_a_server_that_is_silent_are_given_up() {
    let body = EMPTY_PAGE.as_bytes().to_vec();
    let (error, took) =
        asked(move |_| Reply::Trickle(Vec::new(), body.clone(), 5, PAUSE, 10)).await;
    assert!(took < SOON, "{took:?}");
    assert!(
        error.summary.contains("stalled: nothing came for 0.3 s"),
        "{error:?}"
    );
    let (error, took) = asked(|_| Reply::Silence).await;
    assert!(took < SOON, "{took:?}");
    assert!(error.summary.contains("no answer within "), "{error:?}");
}

#[tokio::test]
async fn the_head_of_an_answer_that_trickles_is_given_up_too() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let domain = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                use tokio::io::AsyncWriteExt;
                for byte in b"HTTP/1.1 200 OK\r\nX-Long: "
                    .iter()
                    .chain(std::iter::repeat(&b'x'))
                {
                    if stream.write_all(&[*byte]).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            });
        }
    });
    let key = wb_client::Key::from_seed(&seed());
    let mut settings = wb_client::Settings::new(&domain, key).unwrap();
    (settings.limits, settings.timeout) = (LIMITS, Duration::from_millis(400));
    let began = Instant::now();
    let reader = Reader::new(settings).unwrap();
    list(&reader, TaskFilter::default()).await.unwrap_err();
    assert!(began.elapsed() < SOON);
}

#[tokio::test]
async fn a_write_whose_answer_trickles_is_lost_and_asked_about() {
    let server = Scripted::start(|_, request| match request.method.as_str() {
        "POST" => Reply::Trickle(Vec::new(), vec![b' '; 500], 1, PAUSE, usize::MAX),
        _ => Reply::json(EMPTY_PAGE),
    })
    .await;
    let mut settings = server.settings();
    settings.limits = LIMITS;
    let reader = Reader::new(settings).unwrap();
    let writer = reader.writer(Permission::Command("test")).unwrap();
    let began = Instant::now();
    let _ = writer.commit(&project(), vec![mover(1)]).await;
    assert!(began.elapsed() < SOON);
    let posts = server
        .requests()
        .iter()
        .filter(|r| r.method == "POST")
        .count();
    assert_eq!(posts, 1, "what may have been applied is not sent again");
}

/// An item whose file is sent by `reply`.
async fn store(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Scripted {
    Scripted::start(move |_, request| match request.path() {
        "/file" => reply(request),
        _ => Reply::json(
            &json!({"uuid": Uuid::from_u128(77), "itemType": "image", "name": "x", "mimeType": "image/png",
                "signedUrl": format!("http://{}/file?X-Sig=geheim", request.headers["host"])})
            .to_string(),
        ),
    })
    .await
}

async fn download(server: &Scripted) -> Result<usize, Error> {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = server.settings();
    settings.limits = LIMITS;
    let reader = Reader::new(settings).unwrap();
    let cache = AssetCache::new(dir.path(), 1 << 24);
    let file = reader.download(ItemId(Uuid::from_u128(77)), &cache).await;
    Ok(std::fs::read(file?.path).unwrap().len())
}

#[tokio::test]
async fn a_download_that_trickles_is_given_up_even_where_it_can_be_resumed() {
    let server = store(|request| {
        let body = vec![1; 50_000];
        let tag = ("ETag", "\"one\"".to_owned());
        let Some(range) = request.headers.get("range") else {
            return Reply::Trickle(vec![tag], body, 1, PAUSE, usize::MAX);
        };
        let from: usize = range[6..].trim_end_matches('-').parse().unwrap();
        let range = format!("bytes {from}-49999/50000");
        let head = vec![tag, ("Content-Range", range)];
        Reply::Trickle(head, body[from..].to_vec(), 1, PAUSE, usize::MAX)
    })
    .await;
    let began = Instant::now();
    let error = download(&server).await.unwrap_err();
    assert!(began.elapsed() < 3 * SOON, "{:?}", began.elapsed());
    assert!(error.summary.contains("too slowly"), "{error:?}");
}

#[tokio::test]
async fn a_large_download_over_a_slow_but_honest_line_passes() {
    // 2,000 bytes each 20 ms: ten times the floor, and longer than a request may take in all.
    let server =
        store(|_| Reply::Trickle(Vec::new(), vec![1; 150_000], 2000, PAUSE, usize::MAX)).await;
    let began = Instant::now();
    assert_eq!(download(&server).await, Ok(150_000));
    assert!(began.elapsed() > LIMITS.whole, "{:?}", began.elapsed());
}

#[tokio::test]
async fn the_usual_limits_are_those_of_the_documentation() {
    assert_eq!(
        (Limits::DEFAULT.floor, Limits::DEFAULT.window.as_secs()),
        (1_000, 30)
    );
    assert_eq!(Limits::DEFAULT.whole.as_secs(), 300);
}
