//! The screen under load: a million tasks, a dry run under way, watched tasks and agents that print much. What a key
//! costs is measured from the key to the frame in which the marked row has moved.

use super::support::{Server, Terminal, c_agent, memory};
use super::{load, ms, open};
use std::path::Path;
use std::time::{Duration, Instant};

/// Keys that are measured, each after the frame of the one before.
const KEYS: usize = 400;

pub fn busy_screen(dir: &Path) {
    let agents = c_agent(dir, "noisy", &[]);
    let server = Server::start(&[
        "--scenario",
        "seed",
        "--tasks",
        "1000000",
        "--page-size",
        "1000",
    ]);
    let began = Instant::now();
    let mut screen = open(dir, &server, &agents);
    screen.wait("build #1");
    screen.keys("2").wait("1,000,000");
    println!(
        "1,000,000 tasks: all listed {:7.1} s after the start",
        began.elapsed().as_secs_f64()
    );
    println!(
        "1,000,000 tasks: idle       {:7.2} % of a core (wanted: 1)",
        idle(&mut screen)
    );
    let (_, bytes) = keys(&mut screen, 50);
    println!("a key that moves a row      {bytes:7} bytes at most (wanted: 20000)");
    // Three tasks are watched, and all are run.
    screen.keys("   w").keys("N");
    screen.wait("1,000,000 tasks");
    screen.keys("y").wait("[4 Run]");
    screen.wait("Failures");
    screen.keys("2").wait("[2 Queue]");
    let (mut times, _) = keys(&mut screen, KEYS);
    times.sort_unstable();
    let part = |percent: usize| ms(times[times.len() * percent / 100]);
    println!(
        "a key during a run          {:7.1} ms median, {:.1} p99, {:.1} at most (p99 wanted: 16)",
        part(50),
        part(99),
        ms(times[times.len() - 1])
    );
    let megabytes = memory(screen.pid(), "VmHWM") / 1_000_000;
    println!(
        "1,000,000 tasks: memory     {megabytes:7} MB at most (wanted: 300); load {}",
        load()
    );
    screen.quit();
}

/// The share of a core that the program takes while nothing happens, in percent.
fn idle(screen: &mut Terminal) -> f64 {
    let (before, began) = (processor_time(screen.pid()), Instant::now());
    while began.elapsed() < Duration::from_secs(10) {
        screen.settle();
    }
    let used = processor_time(screen.pid()) - before;
    used / began.elapsed().as_secs_f64() * 100.0
}

/// User and system time of a process in seconds.
fn processor_time(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks = after.split(' ').skip(11).take(2);
    let ticks: f64 = ticks.filter_map(|n| n.parse::<f64>().ok()).sum();
    ticks / rustix::param::clock_ticks_per_second() as f64
}

/// Moves the marked row down and up: what each key took, and the most bytes that one brought.
pub fn keys(screen: &mut Terminal, count: usize) -> (Vec<Duration>, usize) {
    let marked = |text: &str| text.lines().position(|line| line.contains('▌'));
    let (mut times, mut most) = (Vec::with_capacity(count), 0);
    for n in 0..count {
        screen.settle();
        let (before, sent) = (marked(&screen.text()), screen.raw.len());
        screen.keys(if n % 20 < 10 { "j" } else { "k" });
        times.push(screen.wait_until("the next row marked", |text| marked(text) != before));
        most = most.max(screen.raw.len() - sent);
    }
    (times, most)
}
