//! Decoding beside the screen: how fast, in which order, and what is left out.

use super::*;
use std::time::{Duration, Instant};

const TASK: TaskId = TaskId(uuid::Uuid::nil());

fn clip() -> AssetDoc {
    AssetDoc {
        path: concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/local/media/bigbuckbunny-3s.mp4"
        )
        .to_owned(),
        mime_type: Some("video/mp4".to_owned()),
        item_type: "video".to_owned(),
        title: "clip.mp4".to_owned(),
        children: Vec::new(),
    }
}

fn id(frame: u64) -> PictureId {
    PictureId {
        task: TASK,
        frame,
        small: false,
    }
}

struct Screen {
    bench: Arc<Bench>,
    done: mpsc::Receiver<ReadyPicture>,
    here: HashSet<u64>,
    decoded: usize,
    count: u64,
}

impl Screen {
    fn new(asset: AssetDoc) -> Self {
        let (send, done) = mpsc::channel(8);
        let bench = Bench::start(None, send);
        bench.put(TASK, asset);
        Self {
            bench,
            done,
            here: HashSet::new(),
            decoded: 0,
            count: 0,
        }
    }

    /// Takes what is ready.
    fn take(&mut self, ready: ReadyPicture) {
        self.bench.taken(&ready);
        match ready {
            ReadyPicture::Medium(_, Ok(Medium::Pictures { count })) => self.count = count,
            ReadyPicture::Picture(id, shot) => {
                assert!(shot.is_ok(), "{shot:?}");
                self.here.insert(id.frame);
                self.decoded += 1;
            }
            ReadyPicture::Medium(_, Err(why)) => panic!("{why}"),
            _ => {}
        }
    }

    /// Requests these frames until the first is here; how long that took.
    fn show(&mut self, frames: &[u64]) -> Duration {
        let began = Instant::now();
        loop {
            let missing = frames.iter().filter(|frame| !self.here.contains(frame));
            self.bench.want(missing.map(|frame| id(*frame)).collect());
            if self.here.contains(&frames[0]) {
                return began.elapsed();
            }
            let ready = self.done.blocking_recv().unwrap();
            self.take(ready);
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.bench.close();
    }
}

#[test]
#[allow(clippy::print_stdout)] // the figures
fn scrubbing_through_a_video_is_answered_at_once() {
    let mut screen = Screen::new(clip());
    let opened = screen.show(&[0]);
    let count = screen.count;
    assert!(count > 60, "{count} frames");
    let onwards = |frame: u64| (frame..(frame + 9).min(count)).collect::<Vec<_>>();
    let mut forth: Vec<Duration> = (1..count).map(|n| screen.show(&onwards(n))).collect();
    // A frame that arrives while it is asked for again is decoded twice.
    let decoded = screen.decoded as u64;
    assert!((count..count + count / 10).contains(&decoded), "{decoded}");
    screen.here.clear();
    let mut jumps: Vec<Duration> = (0..20).map(|n| screen.show(&[n * 31 % count])).collect();
    forth.sort();
    jumps.sort();
    let (middle, most) = (forth[forth.len() / 2], forth[forth.len() - 1]);
    let (jump, far) = (jumps[jumps.len() / 2], jumps[jumps.len() - 1]);
    println!(
        "opened {opened:?}; on: {middle:?}, at most {most:?}; jumps: {jump:?}, at most {far:?}"
    );
    let limit = Duration::from_millis(100);
    assert!(middle < limit && jump < limit, "{middle:?} {jump:?}");
}

#[test]
fn what_is_no_longer_wanted_is_not_decoded() {
    let mut screen = Screen::new(clip());
    screen.show(&[0]);
    let before = screen.decoded;
    screen.bench.want((1..60).map(id).collect());
    screen.show(&[70]);
    assert!(screen.decoded - before < 20, "{}", screen.decoded);
}

#[test]
fn a_file_that_is_not_a_picture_is_named_once() {
    let asset = AssetDoc {
        path: "/dev/null".to_owned(),
        ..clip()
    };
    let mut screen = Screen::new(asset);
    screen.bench.want(vec![id(0), id(1)]);
    let ready = screen.done.blocking_recv().unwrap();
    let ReadyPicture::Medium(TASK, Err(why)) = &ready else {
        panic!("no reason");
    };
    assert!(!why.is_empty());
    assert!(screen.bench.knows(TASK), "until the screen has taken it");
    screen.bench.taken(&ready);
    assert!(!screen.bench.knows(TASK));
}
