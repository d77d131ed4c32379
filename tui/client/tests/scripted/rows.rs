//! Label rows of any size: asked for in answers that are bearable, however many and however large.

use super::*;

/// Rows of `size` bytes, as many as are asked for.
fn rows_of(size: usize) -> impl Fn(usize, &Request) -> Reply + Send + Sync {
    move |_, request| {
        let asked = request.json();
        if asked["query_type"] == "labelrowmetadata" {
            let keys = asked["values"]["payload"]["data_hashes"]
                .as_array()
                .unwrap();
            let rows: Vec<_> = keys
                .iter()
                .map(|key| json!({"data_hash": key, "label_hash": key, "branch_name": "main", "data_type": "IMAGE"}))
                .collect();
            return Reply::json(&json!({"status": 200, "response": rows}).to_string());
        }
        let keys = asked["values"]["uid"].as_array().unwrap();
        let rows: Vec<_> = keys
            .iter()
            .map(|key| json!({"label_hash": key, "data_hash": key, "pad": "x".repeat(size)}))
            .collect();
        Reply::json(&json!({"status": 200, "response": rows}).to_string())
    }
}

/// How many label rows were asked for by each request.
async fn chunks(size: usize, count: u128) -> Vec<usize> {
    let server = Scripted::start(rows_of(size)).await;
    let mut settings = server.settings();
    settings.timeout = Duration::from_secs(20);
    let reader = Reader::new(settings).unwrap();
    let units: Vec<_> = (1..=count)
        .map(|n| (DataHash(Uuid::from_u128(n)), "main".into()))
        .collect();
    let (include, initialise) = Default::default();
    let rows = reader
        .label_rows(hash(), &units, &include, &initialise)
        .await;
    for ((data, _), row) in units.iter().zip(&rows) {
        let row = row.as_ref().unwrap();
        assert_eq!(row.label_hash.unwrap().0, data.0);
        assert!(row.json.len() > size);
    }
    let asked = server.requests().into_iter().filter_map(|request| {
        let body = request.json();
        Some(body["values"]["uid"].as_array()?.len())
    });
    asked.collect()
}

#[tokio::test]
async fn rows_of_usual_size_take_one_request_for_three_hundred() {
    assert_eq!(chunks(2_000, 310).await, [10, 300]);
}

#[tokio::test]
async fn large_rows_are_asked_for_a_few_at_a_time() {
    let chunks = chunks(2_000_000, 40).await;
    assert_eq!(chunks.iter().sum::<usize>(), 40);
    let largest = chunks[1..].iter().max().unwrap();
    assert!(*largest <= 8, "{chunks:?}");
}

#[tokio::test]
async fn an_answer_that_would_be_too_large_is_not_read_to_its_end() {
    let chunks = chunks(9_000_000, 12).await;
    // Ten rows of nine megabytes are begun with and given up; then come few at a time.
    assert_eq!(chunks[0], 10);
    assert_eq!(chunks[1..].iter().sum::<usize>(), 12, "{chunks:?}");
    assert!(chunks[1..].iter().all(|n| *n <= 3), "{chunks:?}");
}
