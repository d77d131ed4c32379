//! Figures of the real program, printed with the machine's load beside them: start to first frame,
//! a hundred thousand tasks in the queue, tasks a second of `run`, keys under load, watched tasks. Bounds are printed, not judged:
//! a benchmark is not a test.

#[path = "busy.rs"]
mod busy;
#[path = "../support/mod.rs"]
mod support;
#[path = "watching.rs"]
mod watching;

use std::path::Path;
use std::time::{Duration, Instant};
use support::{Server, Terminal, c_agent, lines, memory, run};

fn main() {
    // `cargo test --benches` only checks that this compiles and starts.
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let library = c_agent(dir.path(), "noop", &[]);
    println!("load average {}", load());
    // `cargo bench --bench figures -- watching` prints one of them.
    let named = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let figures: [(&str, &dyn Fn()); 5] = [
        ("start", &|| start_up(dir.path(), &library)),
        ("queue", &|| large_queue(dir.path(), &library)),
        ("throughput", &|| throughput(dir.path(), &library)),
        ("busy", &|| busy::busy_screen(dir.path())),
        ("watching", &|| watching::watched_tasks(dir.path())),
    ];
    for (name, print) in figures {
        if named.as_deref().is_none_or(|named| named == name) {
            print();
        }
    }
    println!("load average {}", load());
}

fn load() -> String {
    std::fs::read_to_string("/proc/loadavg")
        .unwrap_or_default()
        .split(' ')
        .take(3)
        .collect::<Vec<_>>()
        .join(" ")
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn open(dir: &Path, server: &Server, library: &Path) -> Terminal {
    let args = [
        "--project-hash",
        &server.project(),
        "--agents",
        library.to_str().unwrap_or_default(),
    ];
    Terminal::start(dir, &args, &server.env(), (120, 36))
}

fn start_up(dir: &Path, library: &Path) {
    let server = Server::start(&["--scenario", "seed", "--tasks", "500"]);
    let (mut frames, mut ready) = (Vec::new(), Vec::new());
    for _ in 0..15 {
        let began = Instant::now();
        let mut screen = open(dir, &server, library);
        screen.wait("Flow");
        frames.push(began.elapsed());
        screen.wait("build #1");
        ready.push(began.elapsed());
        screen.quit();
    }
    println!(
        "start to first frame        {:7.1} ms median of 15 (wanted: 100)",
        ms(median(frames))
    );
    println!(
        "start to agents active     {:7.1} ms median of 15",
        ms(median(ready))
    );
}

fn large_queue(dir: &Path, library: &Path) {
    let server = Server::start(&[
        "--scenario",
        "seed",
        "--tasks",
        "100000",
        "--page-size",
        "1000",
    ]);
    let began = Instant::now();
    let mut screen = open(dir, &server, library);
    screen.wait("Flow");
    let opened = Instant::now();
    screen.keys("2");
    screen.wait_until("a first row", |t| t.contains("astronaut.jpg"));
    println!(
        "100,000 tasks: first rows   {:7.1} ms after the key (wanted: 300)",
        ms(opened.elapsed())
    );
    screen.wait("100,000");
    println!(
        "100,000 tasks: all listed   {:7.1} ms after the start",
        ms(began.elapsed())
    );
    screen.keys("/");
    screen.wait_until("an empty filter", |t| !t.contains("filter none"));
    let mut times = Vec::new();
    for typed in ["9", "99", "997"] {
        let began = Instant::now();
        screen.keys(&typed[typed.len() - 1..]);
        // The count beside the filter is that of the rows which match now.
        screen.wait_until("the rows of the filter", |t| {
            t.contains(&format!("filter {typed}")) && t.contains("of 100,000")
        });
        times.push(began.elapsed());
    }
    println!(
        "100,000 tasks: filter       {:7.1} ms slowest of three keys (wanted: 50)",
        times.iter().map(|t| ms(*t)).fold(0.0, f64::max)
    );
    let megabytes = memory(screen.pid(), "VmHWM") / 1_000_000;
    println!("100,000 tasks: memory       {megabytes:7} MB at most (wanted: 150)");
}

fn throughput(dir: &Path, library: &Path) {
    for (tasks, jobs) in [(10_000, "1"), (10_000, "2")] {
        let server = Server::start(&[
            "--scenario",
            "seed",
            "--tasks",
            &tasks.to_string(),
            "--page-size",
            "1000",
        ]);
        let began = Instant::now();
        let output = run(dir, &server, library, &["-j", jobs]);
        let wall = began.elapsed();
        let (_, summary) = lines(&output);
        assert_eq!(
            summary["moved"],
            tasks,
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        println!(
            "run, no-op agent, -j {jobs}      {:7.0} tasks/s (wanted with -j 1: 1000)",
            f64::from(tasks) / wall.as_secs_f64()
        );
    }
}
