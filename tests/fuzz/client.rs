//! Fuzz targets of the client: answers of both APIs, label rows, storage items, times, keys.

mod check;

use crate::assets::AssetCache;
use crate::assets::item::Item;
use crate::error::{clean, tests::at};
use crate::http::{answer, retry};
use crate::labels::{blank::blank, compare, merge_partial, saved_as, transplant};
use crate::read::tasks::read_page;
use crate::{Key, parse_time, rfc3339};
use bytes::Bytes;
use serde_json::Value;
use serde_json::value::RawValue;
use std::path::Component;
use wb_core::ids::Millis;
use wb_core::workflow::StageKind;

check::target!(answer_envelope, envelope);
check::target!(task_page, page);
check::target!(label_row, labels);
check::target!(row_metadata, metadata);
check::target!(storage_item, item);
check::target!(header_text, header);
check::target!(private_key, key);

/// An answer of either API: a result is JSON and lies in the body, a refusal leaks no signed URL.
fn envelope(input: &[u8]) {
    if guessed(input) {
        return;
    }
    let mut body = input.to_vec();
    body.extend_from_slice(b" https://store.test/x?X-Signature=geheim ");
    for body in [Bytes::from(body), Bytes::copy_from_slice(input)] {
        for status in [200, 204, 302, 400, 401, 403, 404, 413, 429, 502] {
            match answer::legacy(status, &body, None, at()) {
                Ok(result) => {
                    serde_json::from_slice::<&RawValue>(&result).unwrap();
                }
                Err(failure) => no_secret(&failure.error.to_string()),
            }
            if let Err(failure) = answer::v2(status, body.clone(), None, at()) {
                no_secret(&failure.error.to_string());
            }
        }
    }
}

/// Whether the input holds the word that stands for a secret: a fuzzer that watches comparisons learns it.
fn guessed(input: &[u8]) -> bool {
    let shown = |c: &char| !c.is_control();
    let text: String = String::from_utf8_lossy(input)
        .chars()
        .filter(shown)
        .collect();
    text.contains("geheim")
}

fn no_secret(text: &str) {
    assert!(!text.contains("geheim"), "{text}");
}

fn page(input: &[u8]) {
    for kind in [StageKind::Agent, StageKind::Review, StageKind::Done] {
        match read_page(&kind, input) {
            Ok((rows, _)) => assert!(rows.len() <= input.len()),
            Err(why) => assert!(!why.is_empty()),
        }
    }
}

/// Reading a row and writing it back loses nothing, whatever it holds; carrying labels from one into another
/// takes the labels whole and leaves the rest.
fn labels(input: &[u8]) {
    let Ok(row) = serde_json::from_slice::<Value>(input) else {
        return;
    };
    let text = row.to_string();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), row);
    assert!(compare(&row, &row) && saved_as(&row, &row));
    if let Ok(same) = transplant(row.clone(), &row) {
        assert!(compare(&same, &row));
        let (before, after) = (row.as_object().unwrap(), same.as_object().unwrap());
        let lost = |key: &&String| !after.contains_key(*key);
        for key in before.keys().filter(lost) {
            assert!(
                ["is_valid", "task_uuid", "priority"].contains(&key.as_str()),
                "{key} was lost"
            );
        }
    }
    let nothing = Value::Object(serde_json::Map::new());
    let _ = merge_partial(row.clone(), &nothing, &row);
    let _ = merge_partial(row.clone(), &row, &nothing);
    let _ = transplant(nothing, &row);
}

fn metadata(input: &[u8]) {
    if let Ok(row) = blank(input) {
        let row: Value = serde_json::from_slice(&row).unwrap();
        assert!(row["data_units"].is_object());
        assert!(
            transplant(row.clone(), &row).is_ok(),
            "an empty row can be saved"
        );
    }
}

/// No name, type or address of an item leads out of the cache.
fn item(input: &[u8]) {
    let Ok(item) = serde_json::from_slice::<Item>(input) else {
        return;
    };
    let path = AssetCache::new("/cache", 1).path(&item);
    let inside = path.strip_prefix("/cache").unwrap();
    assert_eq!(inside.components().count(), 2);
    assert!(
        inside
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
    );
    assert!(inside.to_str().unwrap().len() < 80);
}

fn header(input: &[u8]) {
    if guessed(input) {
        return;
    }
    let text = String::from_utf8_lossy(input);
    let _ = retry::retry_after(&text, Millis(1_700_000_000_000));
    if let Some(time) = parse_time(&text) {
        assert_eq!(parse_time(&rfc3339(time)), Some(time));
    }
    let shown = clean(&format!("{text} https://store.test/x?X-Signature=geheim"));
    no_secret(&shown);
    assert!(!shown.chars().any(char::is_control) && shown.chars().count() <= 300);
}

fn key(input: &[u8]) {
    if let Err(error) = Key::read(input) {
        assert!(!error.to_string().is_empty());
    }
}
