//! A library of 1.0 in a host of a later 1.x, whose structs have grown behind the fields of 1.0.
#![allow(clippy::unwrap_used)] // what fails here is a failed test

use super::super::functions;
use super::*;
use agent_abi::table::status;
use agent_abi::table::{Frame, Task};
use std::process::Command;

/// What a later version would have: more fields behind those of today.
#[repr(C)]
struct Later<T> {
    known: T,
    appended: [u64; 4],
}

const APPENDED: u64 = 0x1bad_1bad_1bad_1bad;

fn later<T>(known: T) -> Later<T> {
    Later {
        known,
        appended: [APPENDED; 4],
    }
}

fn size<T>() -> u32 {
    u32::try_from(size_of::<Later<T>>()).unwrap()
}

/// `tests/agents/first.c`, built with the header of 1.0.
fn first_library(dir: &Path) -> &'static Dl {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = dir.join("libfirst.so");
    let output = Command::new("cc")
        .args([
            "-std=c99", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
        ])
        .arg("-I")
        .arg(root.join("../../agent-abi/tests/c/abi-1.0"))
        .arg(root.join("tests/agents/first.c"))
        .arg("-o")
        .arg(&library)
        .output()
        .expect("a C compiler named cc");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    // SAFETY: our own library, without constructors.
    let dl = unsafe { Dl::open(Some(&library), RTLD_NOW | RTLD_LOCAL) }.unwrap();
    Box::leak(Box::new(dl))
}

/// A later host's `frame`: as large as the caller's `size`, and no larger.
unsafe extern "C" fn frame(_: *mut c_void, index: u64, place: *mut Frame) -> i32 {
    let mut answer = later(Frame::empty());
    // SAFETY: the library's frame.
    let room = unsafe { (*place).size } as usize;
    let kept = room.min(size_of::<Later<Frame>>());
    answer.known.size = u32::try_from(kept).unwrap();
    (answer.known.width, answer.known.index) = (7, index);
    // SAFETY: as above, with room for as much.
    unsafe { functions::fill(place.cast::<Later<Frame>>(), room, &answer) };
    0
}

unsafe extern "C" fn absent(_: *mut c_void, _: Bytes, _: Bytes, _: *mut Bytes) -> i32 {
    1
}

#[test]
fn a_library_of_1_0_runs_in_a_host_whose_structs_have_grown() {
    let dir = tempfile::tempdir().unwrap();
    let dl = first_library(dir.path());
    // SAFETY: the symbol's type is frozen by the ABI.
    let entry = unsafe { dl.get::<unsafe extern "C" fn() -> *const Module>(b"wb_agent_module") };
    // SAFETY: as above; it gives a static table.
    let module = unsafe { entry.unwrap()() };
    let table = Table::read(module).map_err(|flaw| flaw.reason).unwrap();
    let descriptor = table.describe().map_err(|flaw| flaw.reason).unwrap();
    let stages: Vec<&str> = descriptor.agents.iter().map(|a| a.stage.as_str()).collect();
    assert_eq!(
        (stages, descriptor.abi, descriptor.preflight),
        (vec!["one", "two"], (1, 0), true)
    );

    // Every function of today's table; without a context each of them does nothing.
    let mut host = later(functions::table());
    (host.known.size, host.known.minor) = (size::<Host>(), 9);
    host.known.frame = Some(frame);
    host.known.call = Some(absent);
    let mut out = later(Out::empty());
    out.known.size = size::<Out>();
    // SAFETY: of the library; every pointer is valid for the call.
    let status = unsafe { table.init.unwrap()((&raw const host).cast(), (&raw mut out).cast()) };
    assert_eq!(status, status::OK);
    let json = Bytes::of("{}");
    let task = later(Task {
        size: size::<Task>(),
        reserved: 0,
        id: 5,
        attempt: 2,
        build: 1,
        stage: json,
        task: json,
        params: Bytes::EMPTY,
    });
    for ((run, user), stage) in table.functions().agents.into_iter().zip(["one", "two"]) {
        let (task, host) = (&raw const task, &raw const host);
        // SAFETY: as above.
        let status = unsafe { run(user, task.cast(), host.cast(), (&raw mut out).cast()) };
        let (kind, text) = super::super::run::collect(&mut out.known).unwrap();
        // init once, a picture, 64 bytes behind it untouched, its size kept, width, attempt, no such call, a task.
        let wanted = format!(r#"{{"route":"{stage} 1 0 64 1 7 2 1 1"}}"#);
        assert_eq!(
            (status, kind, String::from_utf8(text).unwrap()),
            (0, 1, wanted)
        );
    }
    assert_eq!(out.appended, [APPENDED; 4]);
}

#[test]
fn only_the_sizes_of_1_0_decide_whether_an_entry_is_large_enough() {
    let agent = |size: usize| Agent {
        size: u32::try_from(size).unwrap(),
        flags: 0,
        needs: 0,
        stage: Bytes::of("one"),
        spec: Bytes::EMPTY,
        run: None,
        user: std::ptr::null(),
    };
    // Without a function it is refused for that, and not for its size.
    for (size, stride, why) in [
        (first::AGENT, first::AGENT, "has no function"),
        (first::AGENT, first::AGENT + 8, "has no function"),
        (first::AGENT + 8, first::AGENT + 8, "has no function"),
        (first::AGENT - 8, first::AGENT, "has 56 bytes in a table"),
        (first::AGENT + 8, first::AGENT, "has 72 bytes in a table"),
    ] {
        let agent = agent(size);
        let reason = describe_agent(&raw const agent, 0, stride);
        let reason = reason.map_err(|flaw| flaw.reason).unwrap_err();
        assert!(reason.contains(why), "{size} in {stride}: {reason}");
    }
    let one = agent(first::AGENT);
    for (stride, fits) in [(first::AGENT - 1, false), (first::AGENT, true), (200, true)] {
        assert_eq!(
            agent_entries(&raw const one, 1, stride).is_ok(),
            fits,
            "{stride}"
        );
    }
}
