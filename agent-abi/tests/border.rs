//! The C border of a Rust library: a host of a few lines calls its functions through the table.
#![allow(unsafe_code, clippy::unwrap_used)] // the C border; a test may stop anywhere

use agent_abi::glue::Agent;
use agent_abi::prelude::*;
use agent_abi::table::{self, Bytes, Frame as RawFrame, Host, Out, status};
use agent_abi::wire::{Failure, Outcome};
use std::collections::HashMap;
use std::ffi::c_void;

#[stage("s")]
fn labels_and_logs(task: &Task, labels: &mut LabelRow, frame: Option<Frame<'_>>) -> Result<Route> {
    match task.title() {
        "panic" => inner(),
        "thread" => {
            let joined = std::thread::spawn(|| {
                error!("from a thread of its own");
                panic!("alone")
            })
            .join();
            assert!(joined.is_err());
        }
        "error" => bail!("no: {}", frame.is_some()),
        _ => {}
    }
    info!(
        "{} {:?}",
        task.title(),
        frame.as_ref().map(|f| (f.width(), f.pixel(1, 0)))
    );
    progress(0.5);
    labels.classify("Notes", "x")?;
    Ok(Route::to("done"))
}

#[inline(never)]
fn inner() {
    panic!("deep inside");
}

#[dependency(scope = host, close = put_away)]
fn tool() -> u32 {
    7
}

fn put_away(_: u32, end: End) {
    assert_eq!(end, End::Retired);
    RETIRED.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
}

static RETIRED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

#[stage("t")]
fn with_tool(#[depends(tool)] tool: &u32) -> Route {
    Route::stay().priority(f64::from(*tool) / 10.0)
}

fn look(project: &Project) -> Result<()> {
    project.ontology().classification("Notes")?;
    project.stage("s")?;
    Ok(())
}

export![labels_and_logs, with_tool, preflight = look];

unsafe extern "C" {
    fn wb_agent_module() -> *const table::Module;
}

/// A host in memory.
#[derive(Default)]
struct Fake {
    documents: HashMap<String, String>,
    pixels: Vec<u8>,
    logs: Vec<String>,
    released: Vec<u64>,
    progress: f64,
}

fn text<'a>(bytes: Bytes) -> &'a str {
    // SAFETY: every caller in this file passes text that outlives the use.
    std::str::from_utf8(unsafe { bytes.as_slice() }).unwrap()
}

unsafe fn fake<'a>(ctx: *mut c_void) -> &'a mut Fake {
    // SAFETY: `ctx` is the `Fake` of `Fake::host`, used by one call at a time.
    unsafe { &mut *ctx.cast::<Fake>() }
}

unsafe extern "C" fn log(ctx: *mut c_void, level: u32, target: Bytes, message: Bytes) {
    // SAFETY: see `fake`.
    let fake = unsafe { fake(ctx) };
    fake.logs
        .push(format!("{level} {} {}", text(target), text(message)));
}

unsafe extern "C" fn input(ctx: *mut c_void, name: Bytes, out: *mut Bytes) -> i32 {
    // SAFETY: see `fake`; `out` is the library's.
    unsafe {
        match fake(ctx).documents.get(text(name)) {
            None => 1,
            Some(found) if found.starts_with("fail:") => {
                *out = Bytes::borrow(found.as_bytes());
                2
            }
            Some(found) => {
                *out = Bytes::borrow(found.as_bytes());
                0
            }
        }
    }
}

unsafe extern "C" fn frame(ctx: *mut c_void, index: u64, out: *mut RawFrame) -> i32 {
    // SAFETY: see `fake`; `out` is the library's.
    unsafe {
        let fake = fake(ctx);
        if fake.pixels.is_empty() || index > 0 {
            return 1;
        }
        let raw = &mut *out;
        (raw.format, raw.data, raw.len) = (1, fake.pixels.as_ptr(), fake.pixels.len());
        (raw.width, raw.height, raw.stride, raw.handle) = (2, 2, 8, 42);
        0
    }
}

unsafe extern "C" fn frame_release(ctx: *mut c_void, handle: u64) {
    // SAFETY: see `fake`.
    unsafe { fake(ctx) }.released.push(handle);
}

unsafe extern "C" fn report(ctx: *mut c_void, share: f64) {
    // SAFETY: see `fake`.
    unsafe { fake(ctx) }.progress = share;
}

impl Fake {
    fn new() -> Self {
        let project = json!({
            "project_hash": "5e1f2c1e-5f0a-4a5e-9f37-0d1e8b7a0001", "title": "P", "stages": [{
                "uuid": "5e1f2c1e-5f0a-4a5e-9f37-0d1e8b7a0002", "title": "s", "stage_type": "AGENT"}],
            "ontology": {"objects": [], "classifications": [{"id": "1", "featureNodeHash": "NotesCl1", "attributes": [
                {"id": "1.1", "name": "Notes", "type": "text", "featureNodeHash": "NotesAt1"}]}]},
        });
        let row = json!({"metadata": {"data_type": "IMAGE"}, "labels": {
            "data_type": "image", "data_units": {"d": {"labels": {}}}, "classification_answers": {}, "object_answers": {}}});
        let documents = [("project", project), ("label_row", row)];
        Self {
            documents: documents
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v.to_string()))
                .collect(),
            // Two rows of two pixels and two bytes of padding.
            pixels: vec![1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10, 11, 12],
            ..Self::default()
        }
    }

    fn host(&mut self) -> Host {
        Host {
            size: size_of::<Host>() as u32,
            minor: 0,
            ctx: (&raw mut *self).cast(),
            log: Some(log),
            input: Some(input),
            frame: Some(frame),
            frame_release: Some(frame_release),
            progress: Some(report),
            is_cancelled: None,
            call: None,
            child_frame: None,
            checkpoint: None,
        }
    }

    /// Runs agent `index` on a task with this title; status, kind, answer.
    fn run(&mut self, index: usize, title: &str) -> (i32, u32, String) {
        let task = json!({
            "uuid": "5e1f2c1e-5f0a-4a5e-9f37-0d1e8b7a0003", "data_hash": "5e1f2c1e-5f0a-4a5e-9f37-0d1e8b7a0004",
            "data_title": title, "label_branch_name": "main",
        })
        .to_string();
        let stage = json!({"uuid": "5e1f2c1e-5f0a-4a5e-9f37-0d1e8b7a0002", "title": "s", "stage_type": "AGENT"}).to_string();
        self.run_raw(index, &task, &stage)
    }

    fn run_raw(&mut self, index: usize, task: &str, stage: &str) -> (i32, u32, String) {
        let host = self.host();
        let task = table::Task {
            size: size_of::<table::Task>() as u32,
            reserved: 0,
            id: 1,
            attempt: 1,
            build: 1,
            stage: Bytes::borrow(stage.as_bytes()),
            task: Bytes::borrow(task.as_bytes()),
            params: Bytes::EMPTY,
        };
        let mut out = Out::empty();
        // SAFETY: everything is alive until `run` returns.
        let code = unsafe {
            let agent = &*(*wb_agent_module()).agents.add(index);
            (agent.run.unwrap())(agent.user, &raw const task, &raw const host, &raw mut out)
        };
        (code, out.kind, take(&mut out))
    }
}

/// Copies the answer and frees the library's.
fn take(out: &mut Out) -> String {
    if out.data.is_null() {
        return String::new();
    }
    // SAFETY: the library put its own buffer there, with the function that frees it, once.
    unsafe {
        let answer = std::slice::from_raw_parts(out.data, out.len).to_vec();
        (out.free.unwrap())(out.data, out.len, out.cap);
        String::from_utf8(answer).unwrap()
    }
}

#[test]
fn the_module_describes_its_agents_in_the_order_of_export() {
    // SAFETY: a static table.
    let module = unsafe { &*wb_agent_module() };
    assert_eq!(
        (module.magic, module.abi_major, module.agent_count),
        (table::MAGIC, 1, 2)
    );
    assert_eq!(
        (text(module.name), module.agent_stride),
        ("agent-abi", size_of::<table::Agent>())
    );
    // SAFETY: the table has two entries.
    let stages: Vec<&str> = (0..2)
        .map(|i| text(unsafe { (*module.agents.add(i)).stage }))
        .collect();
    assert_eq!(stages, ["s", "t"]);
    // SAFETY: as above.
    assert_eq!(unsafe { (*module.agents).needs }, labels_and_logs::NEEDS);
}

#[test]
fn an_outcome_crosses_with_labels_steps_logs_and_released_frames() {
    let mut fake = Fake::new();
    let (code, kind, answer) = fake.run(0, "fine");
    assert_eq!((code, kind), (status::OK, 1), "{answer}");
    let outcome: Outcome = serde_json::from_str(&answer).unwrap();
    assert_eq!(outcome.route.as_deref(), Some("done"));
    assert_eq!(
        outcome.labels.unwrap()["classification_answers"]
            .as_object()
            .unwrap()
            .len(),
        1
    );
    assert!(outcome.steps.iter().any(|step| step.kind == "call"));
    assert_eq!(fake.logs, ["3 border fine Some((2, [4, 5, 6]))"]);
    assert_eq!((fake.released.as_slice(), fake.progress), (&[42][..], 0.5));

    fake.pixels.clear();
    let (code, _, _) = fake.run(0, "no frame");
    assert_eq!(code, status::OK);
    assert_eq!(fake.logs[1], "3 border no frame None");
}

#[test]
fn a_panic_crosses_as_a_failure_with_message_place_and_frames() {
    let mut fake = Fake::new();
    let (code, kind, answer) = fake.run(0, "panic");
    assert_eq!((code, kind), (status::PANIC, 3));
    let failure: Failure = serde_json::from_str(&answer).unwrap();
    assert_eq!(failure.message, "deep inside");
    assert!(
        failure
            .location
            .unwrap()
            .starts_with("agent-abi/tests/border.rs:")
    );
    assert_eq!(
        fake.released,
        [42],
        "the frame was given back while unwinding"
    );
    #[cfg(target_os = "linux")]
    {
        assert!(failure.frames.len() > 3, "{:?}", failure.frames);
        // Relative to the load address: smaller than the file that they point into.
        let size = std::fs::metadata(std::env::current_exe().unwrap())
            .unwrap()
            .len();
        assert!(
            failure.frames.iter().all(|at| *at > 0 && *at < size),
            "{:?}",
            failure.frames
        );
    }
    let (code, _, _) = fake.run(0, "fine");
    assert_eq!(code, status::OK, "the next task is as if nothing had been");
}

#[test]
fn errors_and_unreadable_input_cross_as_failures() {
    let mut fake = Fake::new();
    let (code, _, answer) = fake.run(0, "error");
    let failure: Failure = serde_json::from_str(&answer).unwrap();
    assert_eq!(
        (code, failure.message.as_str()),
        (status::ERROR, "no: true")
    );

    let (code, _, answer) = fake.run_raw(0, "{", "{}");
    let failure: Failure = serde_json::from_str(&answer).unwrap();
    assert_eq!(
        (code, failure.message.as_str()),
        (status::UNSUPPORTED, "the task cannot be read")
    );

    fake.documents
        .insert("label_row".to_owned(), "fail: the row is gone".to_owned());
    let (code, _, answer) = fake.run(0, "fine");
    let failure: Failure = serde_json::from_str(&answer).unwrap();
    assert_eq!(code, status::DEPENDENCY);
    assert_eq!(
        (failure.message.as_str(), failure.chain[0].as_str()),
        (
            "the label row could not be fetched",
            "fail: the row is gone"
        )
    );

    fake.documents.remove("label_row");
    let (code, _, answer) = fake.run(0, "fine");
    let failure: Failure = serde_json::from_str(&answer).unwrap();
    assert_eq!(
        (code, failure.dependency.as_deref()),
        (status::DEPENDENCY, Some("labels: &mut LabelRow"))
    );

    let mut fake = Fake {
        pixels: vec![0; 5],
        ..Fake::new()
    };
    let (code, _, answer) = fake.run(0, "fine");
    assert_eq!(code, status::DEPENDENCY, "{answer}");
    assert!(answer.contains("not a picture of 2x2"), "{answer}");
    assert_eq!(fake.released, [42]);
}

#[test]
fn preflight_sees_the_project_and_may_refuse_it() {
    let run = |fake: &mut Fake| {
        let host = fake.host();
        let mut out = Out::empty();
        // SAFETY: everything is alive until the function returns.
        let code =
            unsafe { ((*wb_agent_module()).preflight.unwrap())(&raw const host, &raw mut out) };
        (code, take(&mut out))
    };
    let mut fake = Fake::new();
    assert_eq!(run(&mut fake), (status::OK, String::new()));
    let other = fake.documents["project"].replace("\"Notes\"", "\"Note\"");
    fake.documents.insert("project".to_owned(), other);
    let (code, answer) = run(&mut fake);
    assert_eq!(code, status::ERROR);
    assert!(answer.contains("Did you mean \\\"Note\\\"?"), "{answer}");
}

#[test]
fn shutdown_closes_what_is_kept_in_host_scope() {
    let mut fake = Fake::new();
    assert_eq!(fake.run(1, "a").0, status::OK);
    assert_eq!(fake.run(1, "b").0, status::OK);
    // SAFETY: a function of the library's without arguments.
    unsafe { ((*wb_agent_module()).shutdown.unwrap())() };
    assert_eq!(RETIRED.load(std::sync::atomic::Ordering::SeqCst), 1);
}

/// Run by the test below, in a process whose stderr can be read.
#[test]
#[ignore = "helper of the next test"]
fn run_a_thread_that_panics() {
    assert_eq!(Fake::new().run(0, "thread").0, status::OK);
}

#[test]
fn a_panic_on_a_thread_of_the_agent_goes_to_stderr_and_is_not_the_attempts() {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "run_a_thread_that_panics",
            "--ignored",
            "--nocapture",
        ])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let place = "panicked at agent-abi/tests/border.rs:";
    for line in ["ERROR border: from a thread of its own", place, ": alone"] {
        assert!(text.contains(line), "{text}");
    }
}
