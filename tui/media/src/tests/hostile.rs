//! Hostile files: no panic, no endless loop, no memory beyond reason.

use super::*;
use std::time::{Duration, Instant};

/// Opens a file and takes some of its frames; the time it took.
fn exercise(path: &std::path::Path) -> Duration {
    let start = Instant::now();
    if let Ok(mut source) = open_alone(path, "video") {
        let count = source.frame_count();
        for index in (0..count.min(12)).chain([count / 2, count.saturating_sub(1), count]) {
            let shown = source.frame(index);
            if let Ok(Some(picture)) = &shown {
                assert_eq!(
                    picture.rgb.len(),
                    (picture.stride * picture.height) as usize
                );
                assert_eq!(picture.index, index);
            }
            if index >= count {
                assert!(matches!(shown, Ok(None)));
            }
        }
    }
    start.elapsed()
}

fn every_variant_returns(name: &str, variants: u64, mut change: impl FnMut(&mut Vec<u8>, u64)) {
    // WB_MEDIA_ROUNDS=50 tries fifty times as many.
    let times = std::env::var("WB_MEDIA_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1);
    let original = std::fs::read(fixture(name)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile.mp4");
    for variant in 0..variants * times {
        let mut bytes = original.clone();
        change(&mut bytes, variant);
        std::fs::write(&path, &bytes).unwrap();
        let took = exercise(&path);
        // Milliseconds, but for an endless loop or a busy machine.
        assert!(
            took < Duration::from_secs(20),
            "{name}, variant {variant} took {took:?}"
        );
    }
}

#[test]
fn random_corruption_does_not_panic() {
    for name in ["cfr.mp4", "fragmented.mp4", "hybrid.mp4", "interlaced.mp4"] {
        let mut random = Random(0xdead_beef);
        every_variant_returns(name, 120, |bytes, _| {
            for _ in 0..=random.below(4) {
                let at = random.below(bytes.len() as u64) as usize;
                bytes[at] = random.next() as u8;
            }
        });
    }
}

#[test]
fn corrupt_tables_do_not_panic() {
    for name in ["cfr.mp4", "trim.mp4", "fragmented.mp4"] {
        let mut random = Random(0x1234_5678);
        every_variant_returns(name, 200, |bytes, variant| {
            let mark = if variant % 2 == 0 {
                &b"moov"[..]
            } else {
                b"moof"
            };
            let start = bytes
                .windows(4)
                .position(|w| w == mark)
                .or_else(|| bytes.windows(4).position(|w| w == b"moov"))
                .unwrap();
            let at = start + random.below((bytes.len() - start).min(1200) as u64) as usize;
            let worst = [0u8, 0xff, 0x7f, 0x80, random.next() as u8];
            let value = worst[random.below(5) as usize];
            let end = (at + 1 + random.below(4) as usize).min(bytes.len());
            bytes[at..end].fill(value);
        });
    }
}

#[test]
fn truncated_files_do_not_panic() {
    for name in ["cfr.mp4", "fragmented.mp4"] {
        every_variant_returns(name, 100, |bytes, variant| {
            let keep = bytes.len() * (variant as usize % 100) / 100;
            bytes.truncate(keep);
        });
    }
}

/// Overwrites bytes behind the first `mark`.
fn patch(bytes: &mut [u8], mark: &[u8; 4], skip: usize, with: &[u8]) {
    let at = bytes.windows(4).position(|w| w == mark).unwrap() + 4 + skip;
    bytes[at..at + with.len()].copy_from_slice(with);
}

#[test]
fn tables_that_claim_billions_are_refused() {
    const MANY: [u8; 4] = [0xff; 4];
    let claims: [(&str, &[u8; 4], usize, &[u8]); 7] = [
        ("cfr.mp4", b"stsz", 8, &MANY),
        ("cfr.mp4", b"stsz", 4, &[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]),
        ("cfr.mp4", b"stco", 4, &MANY),
        ("cfr.mp4", b"stsc", 4, &MANY),
        ("cfr.mp4", b"stts", 4, &MANY),
        ("cfr.mp4", b"elst", 4, &MANY),
        ("fragmented.mp4", b"trun", 4, &MANY),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claim.mp4");
    for (name, mark, skip, with) in claims {
        let mut bytes = std::fs::read(fixture(name)).unwrap();
        patch(&mut bytes, mark, skip, with);
        std::fs::write(&path, &bytes).unwrap();
        let error = open_alone(&path, "video").unwrap_err();
        assert!(
            matches!(error, MediaError::VideoDamaged { .. }),
            "{mark:?}: {error}"
        );
    }
}

#[test]
fn an_endless_run_of_times_stops_at_the_last_sample() {
    let mut bytes = std::fs::read(fixture("cfr.mp4")).unwrap();
    // One run of decode times: 75 samples become four billion.
    patch(&mut bytes, b"stts", 8, &[0xff; 4]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.mp4");
    std::fs::write(&path, &bytes).unwrap();
    let mut source = open_alone(&path, "video").unwrap();
    assert_eq!(source.frame_count(), 75);
    assert_eq!(number(&source.frame(74).unwrap().unwrap()), 74);
}

#[test]
fn a_playlist_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    for text in [
        "#EXTM3U\nfile:///etc/passwd\n",
        "ffconcat version 1.0\nfile /etc/passwd\n",
    ] {
        let path = folder.path().join("list.mp4");
        std::fs::write(&path, text).unwrap();
        let error = Source::open(&path, Some("video/mp4"), "video", &[]).unwrap_err();
        assert!(matches!(error, MediaError::Playlist { .. }), "{error}");
    }
}

#[test]
fn an_empty_or_unknown_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nothing.bin");
    for bytes in [&b""[..], b"\0", b"hello, this is not a video"] {
        std::fs::write(&path, bytes).unwrap();
        assert!(open_alone(&path, "video").is_err());
        assert!(matches!(
            open_alone(&path, "image").unwrap_err(),
            MediaError::StillFormat { .. }
        ));
    }
    assert!(matches!(
        open_alone(&folder.path().join("gone.mp4"), "video").unwrap_err(),
        MediaError::Io { .. }
    ));
}
