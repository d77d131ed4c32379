//! Checkpoints at the C border: values that a host edits, refuses to let go, or does not look at.
#![allow(unsafe_code)] // this is the host's side of the border
#![allow(clippy::unwrap_used)] // a test may stop anywhere

use agent_abi::prelude::*;
use agent_abi::table::{self, Bytes, Host, Out};
use serde::{Deserialize, Serialize};
use std::ffi::c_void;
use std::mem::offset_of;
use std::sync::Mutex;

#[derive(Clone, Serialize, Deserialize)]
struct Scored {
    name: String,
    score: f64,
}

#[dependency]
fn limit() -> f64 {
    0.5
}

#[stage("s")]
fn count(task: &Task, #[depends(limit)] limit: &f64) -> Result<Route> {
    let found = vec![Scored {
        name: task.title().to_owned(),
        score: 0.4,
    }];
    let found = checkpoint("found", &found)?;
    let above = found.iter().filter(|f| f.score > *limit).count();
    Ok(Route::to(format!("{above}")))
}

/// The value of a thread that the agent starts itself.
#[stage("threads")]
fn threads() -> Result<Route> {
    let given = std::thread::spawn(|| checkpoint("elsewhere", &1).map_err(|e| e.to_string()));
    let given = given.join().unwrap().map_err(Error::new)?;
    Ok(Route::to(format!("{given}")))
}

export![count, threads];

unsafe extern "C" {
    fn wb_agent_module() -> *const table::Module;
}

/// A host that answers checkpoints in turn.
#[derive(Default)]
struct Fake {
    looks: bool,
    /// What each value is edited to; an empty text is refused with a reason.
    answers: Vec<Option<String>>,
    seen: Vec<String>,
    given: Vec<String>,
}

fn text<'a>(bytes: Bytes) -> &'a str {
    // SAFETY: every caller in this file passes text that outlives the use.
    std::str::from_utf8(unsafe { bytes.as_slice() }).unwrap()
}

unsafe fn fake<'a>(ctx: *mut c_void) -> &'a mut Fake {
    // SAFETY: `ctx` is the `Fake` of `Fake::host`, used by one call at a time.
    unsafe { &mut *ctx.cast::<Fake>() }
}

impl Fake {
    /// The answer to a value, kept until the end.
    fn answer(&mut self, what: String, out: *mut Bytes) -> i32 {
        self.seen.push(what);
        let answer = match self.answers.is_empty() {
            true => None,
            false => self.answers.remove(0),
        };
        let code = match answer.as_deref() {
            None => 1,
            Some("") => 2,
            Some(_) => 0,
        };
        let answer = match code {
            2 => "the attempt is to stop".to_owned(),
            _ => answer.unwrap_or_default(),
        };
        self.given.push(answer);
        // SAFETY: the library's; the text lives as long as the fake, and strings do not move.
        unsafe { *out = Bytes::borrow(self.given.last().unwrap().as_bytes()) };
        code
    }
}

unsafe extern "C" fn shown(ctx: *mut c_void, name: Bytes, value: Bytes, out: *mut Bytes) -> i32 {
    // SAFETY: see `fake`.
    let fake = unsafe { fake(ctx) };
    fake.answer(format!("{} {}", text(name), text(value)), out)
}

unsafe extern "C" fn call(ctx: *mut c_void, name: Bytes, asked: Bytes, out: *mut Bytes) -> i32 {
    // SAFETY: see `fake`.
    let fake = unsafe { fake(ctx) };
    assert_eq!(text(name), "pause");
    if text(asked).is_empty() {
        let answer = if fake.looks { "true" } else { "false" };
        // SAFETY: the library's.
        unsafe { *out = Bytes::borrow(answer.as_bytes()) };
        return 0;
    }
    if text(asked).contains("refused") {
        return match fake.answer(text(asked).replace('\n', " "), out) {
            1 => 0, // an empty answer: go on
            code => code,
        };
    }
    fake.seen.push(text(asked).replace('\n', " "));
    0
}

/// Runs agent `index`; status and answer. `size` is that of the host's table.
fn run(fake: &mut Fake, index: usize, size: usize) -> (i32, String) {
    // `init` keeps it for threads without an attempt, and the panic hook logs to it.
    let host: &Host = Box::leak(Box::new(Host {
        size: u32::try_from(size).unwrap(),
        minor: 1,
        ctx: (&raw mut *fake).cast(),
        log: None,
        input: None,
        frame: None,
        frame_release: None,
        progress: None,
        is_cancelled: None,
        call: Some(call),
        child_frame: None,
        checkpoint: Some(shown),
    }));
    let hash = "5e1f2c1e-5f0a-4a5e-9f37-0d1e8b7a0004";
    let task = json!({"uuid": hash, "data_hash": hash, "data_title": "a.jpg", "label_branch_name": "main"}).to_string();
    let stage = json!({"uuid": hash, "title": "s", "stage_type": "AGENT"}).to_string();
    let task = table::Task {
        size: u32::try_from(size_of::<table::Task>()).unwrap(),
        reserved: 0,
        id: 1,
        attempt: 1,
        build: 1,
        stage: Bytes::borrow(stage.as_bytes()),
        task: Bytes::borrow(task.as_bytes()),
        params: Bytes::EMPTY,
    };
    let mut out = Out::empty();
    // One host at a time: `init` keeps the newest for threads without an attempt.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    // SAFETY: everything is alive until `run` returns; the table of agents is static.
    unsafe {
        let module = &*wb_agent_module();
        assert_eq!(module.init.unwrap()(host, &raw mut out), 0);
        let agent = &*module.agents.byte_add(index * module.agent_stride);
        let code = agent.run.unwrap()(agent.user, &raw const task, host, &raw mut out);
        let answer = Bytes {
            ptr: out.data,
            len: out.len,
        };
        let answer = text(answer).to_owned();
        if let (Some(free), false) = (out.free, out.data.is_null()) {
            free(out.data, out.len, out.cap);
        }
        (code, answer)
    }
}

fn route(answer: &str) -> String {
    let outcome: Value = serde_json::from_str(answer).unwrap();
    outcome["route"].as_str().unwrap().to_owned()
}

#[test]
fn an_edited_value_is_what_the_agent_goes_on_with() {
    let mut fake = Fake {
        looks: true,
        answers: vec![Some(r#"[{"name":"b","score":0.9}]"#.into())],
        ..Fake::default()
    };
    let (code, answer) = run(&mut fake, 0, size_of::<Host>());
    assert_eq!((code, route(&answer).as_str()), (0, "1"));
    let seen: Vec<&str> = fake.seen.iter().map(String::as_str).collect();
    assert_eq!(
        seen,
        [
            r#"{"kind":"dependency","name":"limit: &f64"} "#,
            r#"{"kind":"parameter","name":"task: &Task"} "#,
            r#"{"kind":"call","name":"call"} "#,
            r#"found [{"name":"a.jpg","score":0.4}]"#,
        ]
    );
    let steps: Value = serde_json::from_str(&answer).unwrap();
    assert!(
        steps["steps"].to_string().contains("edited to [{"),
        "{steps}"
    );
}

#[test]
fn a_value_that_does_not_fit_is_refused_and_the_task_stays_held() {
    let mut fake = Fake {
        looks: true,
        answers: vec![Some(r#"{"name":"b"}"#.into()), None],
        ..Fake::default()
    };
    let (code, answer) = run(&mut fake, 0, size_of::<Host>());
    assert_eq!((code, route(&answer).as_str()), (0, "0"));
    let last = fake.seen.last().unwrap();
    assert!(
        last.starts_with(r#"{"kind":"refused","name":"found"}"#),
        "{last}"
    );
}

#[test]
fn an_attempt_that_is_to_stop_ends_at_its_checkpoint() {
    let mut fake = Fake {
        looks: true,
        answers: vec![Some(String::new())],
        ..Fake::default()
    };
    let (code, answer) = run(&mut fake, 0, size_of::<Host>());
    assert_eq!(code, table::status::CANCELLED, "{answer}");
}

#[test]
fn a_thread_of_the_agents_own_reaches_the_host() {
    let mut fake = Fake {
        looks: true,
        answers: vec![Some("7".into())],
        ..Fake::default()
    };
    let (code, answer) = run(&mut fake, 1, size_of::<Host>());
    assert_eq!((code, route(&answer).as_str()), (0, "7"));
}

#[test]
fn nothing_is_asked_where_nobody_looks_or_the_host_is_older() {
    let mut fake = Fake::default();
    let (code, answer) = run(&mut fake, 0, size_of::<Host>());
    assert_eq!((code, route(&answer).as_str()), (0, "0"));
    assert!(fake.seen.is_empty());
    fake.looks = true;
    let (code, _) = run(&mut fake, 0, offset_of!(Host, checkpoint));
    assert_eq!((code, fake.seen.len()), (0, 0));
}
