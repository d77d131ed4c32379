//! Clocks that differ, and clocks that are put right while requests go on.

use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

/// Tolerance of the platform, in seconds.
const TOLERANCE: i64 = 300;

/// A platform whose clock is `ahead` of ours by so many seconds, at present. It sends its time and refuses
/// signatures of another one. `refusals` counts these.
async fn platform(ahead: Arc<AtomicI64>, refusals: Arc<AtomicUsize>) -> Scripted {
    platforms(move |_| ahead.load(Relaxed), refusals).await
}

/// The same with a clock of its own for each request, by their number.
async fn platforms(
    ahead: impl Fn(usize) -> i64 + Send + Sync + 'static,
    refusals: Arc<AtomicUsize>,
) -> Scripted {
    let requests = AtomicUsize::new(0);
    Scripted::start(move |_, request| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let ahead = ahead(requests.fetch_add(1, Relaxed));
        let now = i64::try_from(now.as_secs()).unwrap() + ahead;
        let date = jiff::Timestamp::from_second(now).unwrap();
        let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let date = vec![("Date", date)];
        let created = request.headers.get("signature-input").map(|input| {
            let (_, rest) = input.split_once("created=").unwrap();
            rest.split(';').next().unwrap().parse::<i64>().unwrap()
        });
        if created.is_none_or(|created| (created - now).abs() > TOLERANCE) {
            refusals.fetch_add(1, Relaxed);
            return Reply::Full(401, date, b"{}".to_vec());
        }
        Reply::Full(200, date, EMPTY_PAGE.into())
    })
    .await
}

#[tokio::test]
async fn a_clock_that_jumps_any_number_of_times_costs_one_refusal_each() {
    let (ahead, refusals) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicUsize::new(0)));
    let server = platform(Arc::clone(&ahead), Arc::clone(&refusals)).await;
    let reader = server.reader();
    // Wrong at the start; put right by NTP; a laptop that wakes; back; a little beyond the tolerance.
    for (jump, refused) in [
        (0, 0),
        (4000, 1),
        (4000, 1),
        (0, 2),
        (-86_400 * 30, 3),
        (0, 4),
        (-320, 5),
        (320, 6),
        (0, 7),
    ] {
        ahead.store(jump, Relaxed);
        for _ in 0..3 {
            list(&reader, TaskFilter::default()).await.unwrap();
        }
        assert_eq!(refusals.load(Relaxed), refused, "after {jump}");
        assert!((reader.clock_skew().unwrap() - jump).abs() <= 2, "{jump}");
    }
}

#[tokio::test]
async fn requests_under_way_together_all_survive_a_jump() {
    let (ahead, refusals) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicUsize::new(0)));
    let server = platform(Arc::clone(&ahead), Arc::clone(&refusals)).await;
    let reader = server.reader();
    for jump in [0, 5000, -5000, 0] {
        ahead.store(jump, Relaxed);
        let asked = (0..8).map(|_| list(&reader, TaskFilter::default()));
        for result in futures_util::future::join_all(asked).await {
            result.unwrap();
        }
    }
    let refused = refusals.load(Relaxed);
    assert!(refused <= 3 * 8, "each request once for a jump: {refused}");
}

#[tokio::test]
async fn answers_with_different_times_cost_no_request() {
    // Put right in the middle, for each request that may be under way then; and servers that disagree.
    for boundary in 1..12 {
        let ahead = move |n| if n < boundary { -900 } else { 0 };
        let server = platforms(ahead, Arc::default()).await;
        let reader = server.reader();
        for _ in 0..3 {
            let asked = (0..6).map(|_| list(&reader, TaskFilter::default()));
            for result in futures_util::future::join_all(asked).await {
                result.unwrap();
            }
        }
    }
    for other in [-900, 900] {
        let server = platforms(move |n| if n % 4 == 0 { other } else { 0 }, Arc::default()).await;
        let reader = server.reader();
        for _ in 0..40 {
            list(&reader, TaskFilter::default()).await.unwrap();
        }
    }
    // One that never agrees is given up.
    let refusals = Arc::new(AtomicUsize::new(0));
    let never = |n| 10_000 * i64::try_from(n).unwrap();
    let server = platforms(never, Arc::clone(&refusals)).await;
    let reader = server.reader();
    list(&reader, TaskFilter::default()).await.unwrap();
    list(&reader, TaskFilter::default()).await.unwrap_err();
    assert!(refusals.load(Relaxed) < 40);
}

#[tokio::test]
async fn a_refusal_that_has_nothing_to_do_with_the_clock_is_not_repeated() {
    let date = || {
        let now = jiff::Timestamp::now();
        vec![(
            "Date",
            now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        )]
    };
    let (result, requests) = listing(move |_| Reply::Full(401, date(), b"{}".to_vec())).await;
    result.unwrap_err();
    assert_eq!(requests, 1, "the clocks agree");
    // A token bears no time.
    let ahead = Arc::new(AtomicI64::new(9000));
    let server = platform(ahead, Arc::default()).await;
    let mut settings = server.settings();
    settings.credential = Credential::Token(Bearer::new("t0ken").unwrap());
    let reader = Reader::new(settings).unwrap();
    list(&reader, TaskFilter::default()).await.unwrap_err();
    assert_eq!(server.requests().len(), 1);
}
