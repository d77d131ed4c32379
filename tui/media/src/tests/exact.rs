//! Frame numbers, times, colours and orientation of undamaged H.264.

use super::*;

/// Checks numbers in order, at random and backwards; frame 0 of the file shows `first`.
fn frame_numbers_are_exact(name: &str, count: u64, first: u64) {
    let mut source = video(name);
    assert_eq!(source.frame_count(), count, "{name}");
    let mut in_order = Vec::new();
    for index in 0..count {
        let picture = source.frame(index).unwrap().unwrap();
        assert_eq!(number(&picture), first + index, "{name}, in order");
        assert_eq!(picture.index, index);
        in_order.push(picture);
    }
    assert_eq!(source.frame(count).unwrap(), None, "{name}, past the end");
    assert_eq!(
        source.frame(u64::MAX).unwrap(),
        None,
        "{name}, far past the end"
    );
    let backwards = (0..count).rev();
    for index in shuffled(count).into_iter().chain(backwards) {
        let picture = source.frame(index).unwrap().unwrap();
        assert!(
            picture == in_order[index as usize],
            "{name}: frame {index} differs at random"
        );
        // From nothing, too: no help from what was decoded before.
        let fresh = video(name).frame(index).unwrap().unwrap();
        assert!(
            fresh == in_order[index as usize],
            "{name}: frame {index} differs when fresh"
        );
    }
}

#[test]
fn a_source_can_move_to_another_thread() {
    let mut source = video("cfr.mp4");
    let picture = std::thread::spawn(move || source.frame(9)).join().unwrap();
    assert_eq!(number(&picture.unwrap().unwrap()), 9);
}

#[test]
fn constant_rate_with_b_frames_is_exact() {
    frame_numbers_are_exact("cfr.mp4", 75, 0);
    let mut source = video("cfr.mp4");
    assert_eq!(source.fps(), Some(25.0));
    for index in 0..75 {
        assert_eq!(
            source.frame(index).unwrap().unwrap().pts_us,
            index as i64 * 40_000
        );
    }
}

#[test]
fn variable_rate_is_exact_with_its_times() {
    frame_numbers_are_exact("vfr.mp4", 60, 0);
    frame_numbers_are_exact("hybrid.mp4", 60, 0);
    // The second has no edit list, so the delay of its B-frames stays, as ffprobe shows it.
    for (name, start) in [("vfr.mp4", 0), ("hybrid.mp4", 8400)] {
        let mut source = video(name);
        for n in 0..60i64 {
            let ticks = start + n * 3600 + n * n % 7 * 300;
            let pts = source.frame(n as u64).unwrap().unwrap().pts_us;
            assert_eq!(pts, ticks * 1_000_000 / 90_000, "{name}, frame {n}");
        }
    }
}

#[test]
fn an_edit_list_in_the_middle_of_a_group_is_exact() {
    // ffmpeg shows 52 of the 75 samples, the first being number 23.
    frame_numbers_are_exact("trim.mp4", 52, 23);
}

#[test]
fn an_edit_list_of_two_stretches_shows_both() {
    let mut source = video("cuts.mp4");
    assert_eq!(source.frame_count(), 20);
    for index in shuffled(20) {
        let picture = source.frame(index).unwrap().unwrap();
        let drawn = if index < 10 { 5 + index } else { 40 + index };
        assert_eq!(number(&picture), drawn, "frame {index}");
        assert_eq!(picture.pts_us, index as i64 * 40_000);
    }
}

#[test]
fn a_late_start_keeps_its_time() {
    frame_numbers_are_exact("delayed.mp4", 20, 0);
    let pts = video("delayed.mp4").frame(0).unwrap().unwrap().pts_us;
    assert_eq!(pts, 500_000);
}

#[test]
fn fragments_are_exact() {
    frame_numbers_are_exact("fragmented.mp4", 75, 0);
}

#[test]
fn open_groups_are_exact() {
    frame_numbers_are_exact("open-gop.mp4", 60, 0);
}

#[test]
fn intra_refresh_is_exact_despite_wrong_sync_samples() {
    frame_numbers_are_exact("intra-refresh.mp4", 48, 0);
}

#[test]
fn interlaced_is_exact() {
    frame_numbers_are_exact("interlaced.mp4", 40, 0);
}

#[test]
fn parameter_sets_in_the_stream_are_exact() {
    frame_numbers_are_exact("avc3.mp4", 30, 0);
}

#[test]
fn ten_bits_and_four_two_two_are_exact() {
    frame_numbers_are_exact("hi422.mov", 6, 0);
}

#[test]
fn colours_follow_range_and_matrix() {
    // BT.601 limited, BT.709 full range, BT.709 limited at 10 bits and 4:2:2.
    for name in ["cfr.mp4", "full709.mp4", "hi422.mov"] {
        let picture = video(name).frame(3).unwrap().unwrap();
        let wanted = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [128, 128, 128]];
        for (patch, wanted) in wanted.into_iter().enumerate() {
            let found = pixel(&picture, patch as u32 * 40 + 20, 80);
            let off = found
                .iter()
                .zip(wanted)
                .map(|(a, b)| a.abs_diff(b))
                .max()
                .unwrap();
            assert!(
                off <= 5,
                "{name}, patch {patch}: {found:?} instead of {wanted:?}"
            );
        }
    }
}

#[test]
fn rotated_videos_are_turned_upright() {
    // Where a pixel of the stored picture lies after the turn that the header asks for; the
    // script's tag counts anticlockwise.
    type Place = fn(u32, u32) -> (u32, u32);
    let places: [(&str, Place); 3] = [
        ("turned90.mp4", |x, y| (y, 159 - x)),
        ("turned180.mp4", |x, y| (159 - x, 95 - y)),
        ("turned270.mp4", |x, y| (95 - y, x)),
    ];
    for (name, place) in places {
        let mut source = video(name);
        for index in 0..4 {
            let picture = source.frame(index).unwrap().unwrap();
            let size = if name == "turned180.mp4" {
                (160, 96)
            } else {
                (96, 160)
            };
            assert_eq!((picture.width, picture.height), size);
            assert_eq!(picture.stride, picture.width * 3);
            assert_eq!(number_by(&picture, place), index, "{name}");
            let (x, y) = place(20, 80);
            let red = pixel(&picture, x, y);
            assert!(red[0] > 250 && red[1] < 5 && red[2] < 5, "{name}: {red:?}");
        }
    }
}

#[test]
fn the_real_clip_is_the_same_in_any_order() {
    let path = real("bigbuckbunny-3s.mp4");
    let mut source = open_alone(&path, "video").unwrap();
    assert_eq!(source.frame_count(), 75);
    assert_eq!(source.fps(), Some(25.0));
    let in_order: Vec<Picture> = (0..75).map(|i| source.frame(i).unwrap().unwrap()).collect();
    assert_eq!(
        (in_order[0].width, in_order[0].height, in_order[0].stride),
        (320, 180, 960)
    );
    assert_eq!(in_order[0].rgb.len(), 960 * 180);
    // A moving picture: neighbours differ, so a shifted number would be seen below.
    assert!(in_order.windows(2).filter(|w| w[0].rgb != w[1].rgb).count() >= 70);
    let mut source = open_alone(&path, "imageSequence").unwrap();
    for index in shuffled(75) {
        let picture = source.frame(index).unwrap().unwrap();
        assert!(picture == in_order[index as usize], "frame {index}");
    }
}
