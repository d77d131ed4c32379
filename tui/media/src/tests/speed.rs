//! Decoding speed, printed on demand:
//! `cargo test -p wb-media --release tests::speed -- --ignored --nocapture`;
//! `WB_MEDIA_FILE=…` adds another video.

use super::*;
use std::time::Instant;

#[test]
#[ignore = "prints timings; run with --nocapture"]
fn frames_per_second_in_order_and_at_random() {
    let mut paths = vec![real("bigbuckbunny-3s.mp4")];
    paths.extend(std::env::var_os("WB_MEDIA_FILE").map(PathBuf::from));
    for path in paths {
        let start = Instant::now();
        let mut source = Source::open(&path, None, "video", &[]).unwrap();
        let opened = start.elapsed();
        let count = source.frame_count();
        let start = Instant::now();
        let mut size = (0, 0);
        for index in 0..count {
            let picture = source.frame(index).unwrap().unwrap();
            size = (picture.width, picture.height);
        }
        let in_order = count as f64 / start.elapsed().as_secs_f64();
        let mut source = Source::open(&path, None, "video", &[]).unwrap();
        let order: Vec<u64> = shuffled(count).into_iter().take(40).collect();
        let start = Instant::now();
        for index in &order {
            source.frame(*index).unwrap().unwrap();
        }
        let at_random = start.elapsed().as_secs_f64() * 1000.0 / order.len() as f64;
        println!(
            "{} {}x{} {count} frames: open {:.2} ms, in order {in_order:.0} frames/s, at random {at_random:.1} ms/frame",
            path.display(),
            size.0,
            size.1,
            opened.as_secs_f64() * 1000.0,
        );
    }
}
