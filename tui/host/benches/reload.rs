//! From "the library is complete" to the first answer of the new code: median of 30.
//!
//! `cargo bench -p wb-host --bench reload`; needs a C compiler. Each round renames a finished
//! library over the watched one, as a linker does, and runs one task on what was probed. The
//! library is made as large as a debug build of a small Rust agent.
#![allow(clippy::unwrap_used)] // what fails here is a failed measurement

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};
use support::{Desk, compile, outcome};
use wb_core::ids::BuildId;

const ROUNDS: u32 = 30;
const SIZE: usize = 6_600_000;

fn main() {
    let mut desk = Desk::new();
    let library = desk.path("libhostile.so");
    let mut took: Vec<(Duration, Duration)> = Vec::new();
    desk.hosts.watch(library.clone());
    for round in 0..=ROUNDS {
        let next = desk.path("next");
        compile("hostile.c", &next, &[&format!("-DANSWER=\"v{round}\"")]);
        let mut content = std::fs::read(&next).unwrap();
        content.resize(SIZE, 0);
        std::fs::write(&next, content).unwrap();
        std::fs::rename(&next, &library).unwrap();
        let complete = Instant::now();
        let probed = desk.probed();
        let seen = complete.elapsed();
        let build = BuildId(round + 1);
        desk.hosts.activate(build, &probed);
        desk.hosts.retire(BuildId(round));
        let answer = desk.run(build, "answer");
        assert_eq!(answer, outcome(&format!(r#"{{"route":"v{round}"}}"#)));
        if round > 0 {
            took.push((complete.elapsed(), seen)); // the first one has no warm spare
        }
    }
    took.sort();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!(
        "library of {} MB complete to first answer: min {:?}, median {:?}, max {:?}; of it until probed, median {:?} (n={ROUNDS}, load {})",
        SIZE / 1_000_000,
        took[0].0,
        took[took.len() / 2].0,
        took[took.len() - 1].0,
        took[took.len() / 2].1,
        load.split(' ').next().unwrap_or_default()
    );
}
