//! Damaged videos: the error is at the right frame and the other numbers do not move.

use super::*;
use crate::mp4;
use std::fs::File;

/// Samples of a fixture, with the frame that each shows.
fn samples(name: &str) -> Vec<(u32, u64, u32)> {
    let file = File::open(fixture(name)).unwrap();
    let movie = mp4::read(&file, file.metadata().unwrap().len()).unwrap();
    let frames = movie.timeline.frame_of.iter();
    let samples = movie.track.samples.iter();
    samples
        .zip(frames)
        .map(|(s, frame)| (*frame, s.offset, s.size))
        .collect()
}

/// Writes a copy of `name` in which the first length inside the sample of `frame` is nonsense.
fn damaged(name: &str, frame: u32) -> (tempfile::TempDir, PathBuf) {
    let mut bytes = std::fs::read(fixture(name)).unwrap();
    let (_, offset, _) = *samples(name).iter().find(|s| s.0 == frame).unwrap();
    bytes[offset as usize] = 0x7f;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.mp4");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// What every frame gives: its number, or the first letter of the error.
fn verdicts(path: &std::path::Path, order: impl Iterator<Item = u64>) -> Vec<(u64, String)> {
    let mut source = open_alone(path, "video").unwrap();
    let mut all: Vec<(u64, String)> = order
        .map(|index| {
            let verdict = match source.frame(index) {
                Ok(Some(picture)) => number(&picture).to_string(),
                Ok(None) => "none".into(),
                Err(MediaError::FrameDamaged { frame, .. }) if frame == index => "damaged".into(),
                Err(MediaError::FrameUnsure { frame, .. }) if frame == index => "unsure".into(),
                Err(other) => panic!("frame {index}: {other}"),
            };
            (index, verdict)
        })
        .collect();
    all.sort();
    all
}

#[test]
fn a_damaged_picture_never_shifts_or_falsifies_another() {
    for name in ["cfr.mp4", "open-gop.mp4", "hybrid.mp4", "fragmented.mp4"] {
        let count = video(name).frame_count();
        for target in [0, 1, 2, 3, 13, 14, 24, 30, 47] {
            let (_folder, path) = damaged(name, target as u32);
            let in_order = verdicts(&path, 0..count);
            assert_eq!(in_order[target].1, "damaged", "{name} {target}");
            for (index, verdict) in &in_order {
                let right = verdict == &index.to_string() || verdict == "unsure";
                assert!(
                    right || *index == target as u64,
                    "{name}: {index} gives {verdict}"
                );
            }
            let unsure = in_order.iter().filter(|v| v.1 == "unsure").count();
            assert!(
                unsure < 40,
                "{name}, {target}: {unsure} frames lost with one"
            );
            let at_random = verdicts(&path, shuffled(count).into_iter());
            assert_eq!(at_random, in_order, "{name}, {target} damaged");
        }
    }
}

#[test]
fn a_damaged_unreferenced_frame_loses_only_itself() {
    // The script's encoder made frame 2 a B-frame that no other is predicted from.
    let (_folder, path) = damaged("cfr.mp4", 2);
    let all = verdicts(&path, 0..75);
    let wrong: Vec<_> = all.iter().filter(|(i, v)| *v != i.to_string()).collect();
    assert_eq!(wrong, [&(2, "damaged".to_string())]);
}

#[test]
fn decoding_recovers_at_the_next_group() {
    // Frame 0 is the IDR of the first group; the next group begins at 30.
    let (_folder, path) = damaged("cfr.mp4", 0);
    let all = verdicts(&path, 0..75);
    assert_eq!(all[0].1, "damaged");
    assert!(all[1..30].iter().all(|v| v.1 == "unsure"));
    assert!(all[30..].iter().all(|(i, v)| *v == i.to_string()));
}

#[test]
fn errors_name_the_frame_and_the_remedy() {
    let (_folder, path) = damaged("cfr.mp4", 0);
    let mut source = open_alone(&path, "video").unwrap();
    let message = source.frame(0).unwrap_err().to_string();
    assert!(
        message.contains("frame 0 is damaged") && message.contains("keep their numbers"),
        "{message}"
    );
    let message = source.frame(7).unwrap_err().to_string();
    assert!(
        message.contains("frame 7 is predicted from a damaged picture"),
        "{message}"
    );
}

#[test]
fn a_file_without_its_header_is_reported_as_cut_off() {
    let bytes = std::fs::read(fixture("cfr.mp4")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("half.mp4");
    std::fs::write(&path, &bytes[..bytes.len() / 3]).unwrap();
    let error = open_alone(&path, "video").unwrap_err();
    assert!(matches!(error, MediaError::VideoDamaged { .. }), "{error}");
    assert!(error.to_string().contains("cut off"), "{error}");
}

#[test]
fn a_truncated_fragmented_file_decodes_up_to_the_cut() {
    let bytes = std::fs::read(fixture("fragmented.mp4")).unwrap();
    let last = samples("fragmented.mp4")
        .into_iter()
        .find(|s| s.0 == 45)
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.mp4");
    std::fs::write(&path, &bytes[..last.1 as usize]).unwrap();
    let all = verdicts(&path, 0..60);
    assert!(
        all[..45].iter().all(|(i, v)| *v == i.to_string()),
        "{all:?}"
    );
    // Of those behind it, 46 and 48 lie before it in the file.
    assert_eq!(all[45].1, "damaged");
    assert!(
        all[49..]
            .iter()
            .all(|(_, v)| v == "damaged" || v == "unsure"),
        "{all:?}"
    );
}
