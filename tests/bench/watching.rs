//! Ten thousand watched tasks: what a round at a new build takes, what a key costs meanwhile, and memory.

use super::busy::keys;
use super::support::{Server, c_agent, c_text, memory};
use super::{load, ms, open};
use std::path::Path;
use std::time::Instant;

/// Keys that are measured while a round goes on.
const KEYS: usize = 100;

pub fn watched_tasks(dir: &Path) {
    let agents = c_agent(
        dir,
        "noop",
        &[&c_text("OUTCOME", "{\"route\":\"complete\"}")],
    );
    let server = Server::start(&[
        "--scenario",
        "seed",
        "--tasks",
        "10000",
        "--page-size",
        "1000",
    ]);
    let mut screen = open(dir, &server, &agents);
    screen.wait("build #1");
    screen.keys("2").wait("10,000 · sort");
    let before = memory(screen.pid(), "VmRSS") / 1_000_000;
    screen.keys("A").keys("w").wait("10,000 tasks watched");
    screen.keys("W").wait("ran once");
    // Built beside it and renamed, as linkers do.
    let newer = |priority: &str| {
        let folder = dir.join(priority);
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        let outcome = format!("{{\"route\":\"complete\",\"priority\":{priority}}}");
        let library = c_agent(&folder, "noop", &[&c_text("OUTCOME", &outcome)]);
        std::fs::rename(library, &agents).expect("it is in the same file system");
        Instant::now()
    };
    let began = newer("0.25");
    screen.wait("10,000 of 10,000 tasks differ");
    screen.wait_until("the end of the round", |text| !text.contains(" to go"));
    println!(
        "10,000 watched: a round     {:7.1} s from the new library to the last comparison",
        began.elapsed().as_secs_f64()
    );
    screen.keys("\u{1b}").wait("[2 Queue]");
    newer("0.5");
    screen.wait("build #3");
    let (mut times, _) = keys(&mut screen, KEYS);
    times.sort_unstable();
    println!(
        "a key during a round        {:7.1} ms median, {:.1} at most (wanted: 16)",
        ms(times[KEYS / 2]),
        ms(times[KEYS - 1])
    );
    screen.wait_until("the end of the round", |text| !text.contains("watch …"));
    println!(
        "10,000 watched: memory      {before:7} MB before, {} MB at most; load {}",
        memory(screen.pid(), "VmHWM") / 1_000_000,
        load()
    );
    screen.quit();
}
