//! One task of 1 kB to an agent in a host and back: median, p99, and the machine's load beside it.
//!
//! `cargo bench -p wb-host --bench round_trip`; needs a C compiler.
#![allow(clippy::unwrap_used)] // what fails here is a failed measurement

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Instant;
use support::Desk;
use wb_host::HostEvent;

const WARM_UP: usize = 2_000;
const ROUNDS: usize = 20_000;

fn main() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    for size in [0, 1 << 10, 100 << 10] {
        measure(&mut desk, build, size);
    }
    throughput(&mut desk, build);
}

fn measure(desk: &mut Desk, build: wb_core::ids::BuildId, size: usize) {
    let document: std::sync::Arc<str> = "x".repeat(size).into();
    let mut took = Vec::with_capacity(ROUNDS);
    for round in 0..WARM_UP + ROUNDS {
        let mut request = desk.request(build, 0);
        request.inputs = vec![("label_row".into(), document.clone())];
        let job = request.job;
        let began = Instant::now();
        desk.hosts.run(request);
        loop {
            if let Some(HostEvent::Done { job: j, .. }) = desk.raw()
                && j == job
            {
                break;
            }
        }
        if round >= WARM_UP {
            took.push(began.elapsed());
        }
    }
    took.sort();
    println!(
        "round trip, {size} byte label row: min {:?}, median {:?}, p90 {:?}, p99 {:?} (n={ROUNDS}, load {})",
        took[0],
        took[ROUNDS / 2],
        took[ROUNDS * 9 / 10],
        took[ROUNDS * 99 / 100],
        load()
    );
}

fn throughput(desk: &mut Desk, build: wb_core::ids::BuildId) {
    for depth in [1, 8, 32] {
        let began = Instant::now();
        let (mut given, mut done) = (0, 0);
        while done < ROUNDS {
            while given < ROUNDS && given - done < depth {
                let request = desk.request(build, 0);
                desk.hosts.run(request);
                given += 1;
            }
            if let Some(HostEvent::Done { .. }) = desk.raw() {
                done += 1;
            }
        }
        let rate = ROUNDS as f64 / began.elapsed().as_secs_f64();
        println!(
            "one host, {depth} jobs waiting: {rate:.0} empty tasks/s (load {})",
            load()
        );
    }
}

fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}
