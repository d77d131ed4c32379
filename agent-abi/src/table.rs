//! The C table between an agent library and its host: layouts, constants, nothing else.
//!
//! Rules that hold for every 1.x: the first 16 bytes of [`Module`] never change; fields are only
//! appended, and a reader uses a field only when `size` covers it; the agent table is walked by
//! `agent_stride`; an unknown *need* or an unknown high flag means "this library needs a newer
//! workbench", an unknown low flag is ignored. What the JSON bytes hold is left to [`crate::wire`].
//!
//! Memory: inputs are borrowed until `run` returns; documents that the host hands out live as
//! long; frames live until they are released or `run` returns; a result is copied by the host,
//! which then calls its `free` once, on the same thread. Nobody frees the other's memory.
#![allow(unsafe_code)] // the C border

use std::ffi::c_void;

/// `"WBAGENT1"` read as a little-endian number: the first eight bytes of every module.
pub const MAGIC: u64 = u64::from_le_bytes(*b"WBAGENT1");
/// Libraries of another major version are refused with both versions in the message.
pub const ABI_MAJOR: u16 = 1;
/// Grows when a field is appended.
pub const ABI_MINOR: u16 = 1;
/// The one exported symbol, frozen for ever: `const wb_module *wb_agent_module(void)`.
pub const ENTRY_SYMBOL: &str = "wb_agent_module";

/// Bytes borrowed from the other side; UTF-8 where they are text, no NUL, null + 0 = empty.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Bytes {
    /// First byte, or null when `len` is 0.
    pub ptr: *const u8,
    /// How many bytes.
    pub len: usize,
}

// SAFETY: a `Bytes` in a static descriptor points at static memory; elsewhere it is only used on
// the thread that received it.
unsafe impl Sync for Bytes {}

impl Bytes {
    /// No bytes.
    pub const EMPTY: Self = Self {
        ptr: std::ptr::null(),
        len: 0,
    };

    /// Borrows text that lives for ever.
    #[must_use]
    pub const fn of(text: &'static str) -> Self {
        Self {
            ptr: text.as_ptr(),
            len: text.len(),
        }
    }

    /// Borrows any slice; the caller keeps it alive as long as the other side may read it.
    #[must_use]
    pub const fn borrow(bytes: &[u8]) -> Self {
        Self {
            ptr: bytes.as_ptr(),
            len: bytes.len(),
        }
    }

    /// The bytes.
    ///
    /// # Safety
    /// `ptr` must be null or valid for `len` bytes for as long as `'a`.
    #[must_use]
    pub const unsafe fn as_slice<'a>(self) -> &'a [u8] {
        if self.ptr.is_null() || self.len == 0 {
            return &[];
        }
        // SAFETY: promised by the caller.
        unsafe { std::slice::from_raw_parts(self.ptr, self.len) }
    }
}

/// What the entry symbol returns: one library, its facts and its agents.
#[repr(C)]
pub struct Module {
    /// [`MAGIC`].
    pub magic: u64,
    /// [`ABI_MAJOR`] of the library.
    pub abi_major: u16,
    /// [`ABI_MINOR`] of the library.
    pub abi_minor: u16,
    /// Size of this struct as the library knows it, in bytes.
    pub size: u32,
    /// Crate name.
    pub name: Bytes,
    /// Crate version.
    pub version: Bytes,
    /// What made this table, `agent-abi 0.1.0` or free text.
    pub sdk: Bytes,
    /// rustc, profile, target and panic strategy, for messages only.
    pub build_info: Bytes,
    /// First agent.
    pub agents: *const Agent,
    /// How many agents.
    pub agent_count: usize,
    /// Bytes from one agent to the next (a later minor version may have larger entries).
    pub agent_stride: usize,
    /// Once per host process, before the first task. May be null.
    pub init: Option<unsafe extern "C" fn(*const Host, *mut Out) -> i32>,
    /// Best effort and time-limited, when the build retires. May be null.
    pub shutdown: Option<unsafe extern "C" fn()>,
    /// Sees the project before the first task of a run and may refuse it. May be null.
    pub preflight: Option<unsafe extern "C" fn(*const Host, *mut Out) -> i32>,
    /// First resource, or null. From 1.1 on.
    pub resources: *const Resource,
    /// How many resources.
    pub resource_count: usize,
    /// Bytes from one resource to the next.
    pub resource_stride: usize,
}
// SAFETY: a module is a static table of constants and functions.
unsafe impl Sync for Module {}

/// One agent: a function for one stage.
#[repr(C)]
pub struct Agent {
    /// Size of this struct as the library knows it, in bytes.
    pub size: u32,
    /// See [`flags`]. The high 16 bits must be understood by the host.
    pub flags: u32,
    /// See [`needs`]. Unknown bits make the host refuse the library.
    pub needs: u64,
    /// Name or UUID of the stage.
    pub stage: Bytes,
    /// JSON, [`crate::wire::AgentSpec`].
    pub spec: Bytes,
    /// The agent. Returns one of [`status`]; writes its result or error text to the last argument.
    pub run: Option<unsafe extern "C" fn(*const c_void, *const Task, *const Host, *mut Out) -> i32>,
    /// Handed to `run` as it is.
    pub user: *const c_void,
}
// SAFETY: as for `Module`.
unsafe impl Sync for Agent {}

/// A value that lives in a process of its own and answers the questions of all agents.
///
/// Agents ask with the host's `call` by the name `resource`, see [`crate::wire::call::RESOURCE`]. Both functions
/// are called on the main thread of that process, one call at a time.
#[repr(C)]
pub struct Resource {
    /// Size of this struct as the library knows it, in bytes.
    pub size: u32,
    /// 0.
    pub reserved: u32,
    /// JSON, [`crate::wire::ResourceSpec`].
    pub spec: Bytes,
    /// Makes the value, once per process, after `init`. Returns one of [`status`].
    pub open: Option<unsafe extern "C" fn(*const c_void, *const Host, *mut Out) -> i32>,
    /// Answers a question with bytes of any kind ([`ANSWER`] in [`Out::kind`]), or with an error.
    pub answer: Option<unsafe extern "C" fn(*const c_void, Bytes, *const Host, *mut Out) -> i32>,
    /// Handed to both as it is.
    pub user: *const c_void,
}
// SAFETY: as for `Module`.
unsafe impl Sync for Resource {}

/// [`Out::kind`] of the answer of a [`Resource`]: bytes that need not be text.
pub const ANSWER: u32 = 4;

/// One attempt on one task.
#[repr(C)]
pub struct Task {
    /// Size of this struct, in bytes.
    pub size: u32,
    /// 0.
    pub reserved: u32,
    /// Number of the job, unique in the host process.
    pub id: u64,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// Number of the build.
    pub build: u32,
    /// JSON, [`crate::wire::StageDoc`].
    pub stage: Bytes,
    /// JSON, [`crate::wire::TaskDoc`].
    pub task: Bytes,
    /// JSON object, the stage's parameters from `workbench.toml`; empty when there are none.
    pub params: Bytes,
}

/// What a library may ask of its host while it runs.
#[repr(C)]
pub struct Host {
    /// Size of this struct, in bytes.
    pub size: u32,
    /// [`ABI_MINOR`] of the host.
    pub minor: u32,
    /// Handed back as the first argument of every function here.
    pub ctx: *mut c_void,
    /// Log line: level 1 error … 5 trace, target, message.
    pub log: Option<unsafe extern "C" fn(*mut c_void, u32, Bytes, Bytes)>,
    /// A named document (see [`crate::wire::input`]); 0 found, 1 absent, 2 failed (text = why).
    pub input: Option<unsafe extern "C" fn(*mut c_void, Bytes, *mut Bytes) -> i32>,
    /// Decodes frame `index` of the task's asset; 0 found, 1 past the end, 2 failed (`error` = why).
    pub frame: Option<unsafe extern "C" fn(*mut c_void, u64, *mut Frame) -> i32>,
    /// Gives a frame back; optional, all of them end with `run`.
    pub frame_release: Option<unsafe extern "C" fn(*mut c_void, u64)>,
    /// Progress of this task, 0 to 1.
    pub progress: Option<unsafe extern "C" fn(*mut c_void, f64)>,
    /// 1 when the workbench asks this attempt to stop.
    pub is_cancelled: Option<unsafe extern "C" fn(*mut c_void) -> i32>,
    /// Calls by name, for what is added later: 0 ok, 1 unknown name, 2 failed (text = why).
    pub call: Option<unsafe extern "C" fn(*mut c_void, Bytes, Bytes, *mut Bytes) -> i32>,
    /// Since 1.1: as `frame`, of one of the files of a group: its place in `children` of the asset's document
    /// ([`crate::wire::AssetDoc`]), then the frame.
    pub child_frame: Option<unsafe extern "C" fn(*mut c_void, u64, u64, *mut Frame) -> i32>,
    /// Since 1.1: a named value (JSON) that a person may look at and edit; blocks while the task is held there.
    /// 0 edited (the new JSON), 1 go on with yours, 2 the attempt is to stop (text = why). From any thread of the job.
    pub checkpoint: Option<unsafe extern "C" fn(*mut c_void, Bytes, Bytes, *mut Bytes) -> i32>,
}

/// A decoded picture, RGB8, owned by the host.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// Size of this struct, in bytes; set by the caller.
    pub size: u32,
    /// 1 = RGB8.
    pub format: u32,
    /// First byte of the first row.
    pub data: *const u8,
    /// `stride * height`.
    pub len: usize,
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes from one row to the next.
    pub stride: u32,
    /// 0.
    pub reserved: u32,
    /// Number of the frame as Encord counts it, from 0.
    pub index: u64,
    /// Presentation time in microseconds from the start; 0 for stills.
    pub pts_us: i64,
    /// For `frame_release`.
    pub handle: u64,
    /// Why there is no frame, when there is none.
    pub error: Bytes,
}

impl Frame {
    /// A frame to be filled in by the host.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            #[allow(clippy::cast_possible_truncation)] // a few dozen bytes
            size: size_of::<Self>() as u32,
            format: 0,
            data: std::ptr::null(),
            len: 0,
            width: 0,
            height: 0,
            stride: 0,
            reserved: 0,
            index: 0,
            pts_us: 0,
            handle: 0,
            error: Bytes::EMPTY,
        }
    }
}

/// Where a library leaves its result or its error.
#[repr(C)]
pub struct Out {
    /// Size of this struct, in bytes; set by the host.
    pub size: u32,
    /// 0 nothing, 1 JSON ([`crate::wire::Outcome`]), 2 text, 3 JSON ([`crate::wire::Failure`]), 4 [`ANSWER`].
    pub kind: u32,
    /// First byte; the host copies `len` bytes and then calls `free`.
    pub data: *mut u8,
    /// How many bytes.
    pub len: usize,
    /// For `free` only.
    pub cap: usize,
    /// Frees `data`. May be null (then the host frees nothing).
    pub free: Option<unsafe extern "C" fn(*mut u8, usize, usize)>,
}

impl Out {
    /// Nothing yet.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            #[allow(clippy::cast_possible_truncation)] // a few dozen bytes
            size: size_of::<Self>() as u32,
            kind: 0,
            data: std::ptr::null_mut(),
            len: 0,
            cap: 0,
            free: None,
        }
    }
}

/// Sizes in 1.0, in bytes. Each reaches to the end of the last field of 1.0, so that it stays as it is when fields
/// are appended. What is as large as this is read, whatever this version's own size is.
pub mod first {
    use super::{Agent, Bytes, Frame, Module, Resource};
    use std::mem::offset_of;

    /// Of a [`Module`], to the end of what it must have.
    pub const MODULE: usize = offset_of!(Module, agent_stride) + size_of::<usize>();
    /// Of an [`Agent`].
    pub const AGENT: usize = offset_of!(Agent, user) + size_of::<usize>();
    /// Of a [`Resource`], which is there from 1.1 on.
    pub const RESOURCE: usize = offset_of!(Resource, user) + size_of::<usize>();
    /// Of a [`Frame`].
    pub const FRAME: usize = offset_of!(Frame, error) + size_of::<Bytes>();
}

/// What an agent needs prepared before it runs.
pub mod needs {
    /// The label row, to read.
    pub const LABEL_ROW: u64 = 1;
    /// The label row, to change: what was changed is part of the outcome.
    pub const LABEL_ROW_WRITE: u64 = 1 << 1;
    /// The storage item behind the task's data.
    pub const STORAGE_ITEM: u64 = 1 << 2;
    /// The project with its ontology, workflow and datasets.
    pub const PROJECT: u64 = 1 << 3;
    /// The client metadata.
    pub const CLIENT_METADATA: u64 = 1 << 4;
    /// The asset as a file.
    pub const ASSET: u64 = 1 << 5;
    /// The first frame.
    pub const FRAME: u64 = 1 << 6;
    /// Any frames of a video.
    pub const FRAMES: u64 = 1 << 7;
    /// A twin label row of another project.
    pub const TWIN: u64 = 1 << 8;
    /// The children of an image group.
    pub const CHILDREN: u64 = 1 << 9;
    /// Read-only calls to the upstream while it runs.
    pub const UPSTREAM: u64 = 1 << 10;
    /// Every bit that this version knows.
    pub const KNOWN: u64 = (1 << 11) - 1;
    /// The names of the bits, lowest first, as `check` and the screen print them.
    pub const NAMES: [&str; 11] = [
        "label row",
        "label row (write)",
        "storage item",
        "project",
        "client metadata",
        "asset",
        "frame",
        "frames",
        "twin",
        "children",
        "upstream",
    ];
}

/// Properties of an agent. Low 16 bits may be ignored, high 16 bits must be understood.
pub mod flags {
    /// May take a stage over from another library.
    pub const OVERWRITE: u32 = 1;
    /// Looks at `is_cancelled`.
    pub const CANCEL_AWARE: u32 = 1 << 1;
    /// May be run again on its own after it was killed half-way.
    pub const IDEMPOTENT: u32 = 1 << 2;
    /// One at a time.
    pub const NO_PARALLEL: u32 = 1 << 3;
    /// High flags that this version knows.
    pub const KNOWN_HIGH: u32 = 0;
}

/// What `run`, `init` and `preflight` return.
pub mod status {
    /// Done; the outcome is in `Out`.
    pub const OK: i32 = 0;
    /// The agent refused; the reason is in `Out`.
    pub const ERROR: i32 = 1;
    /// It panicked; message and place are in `Out`.
    pub const PANIC: i32 = 2;
    /// It saw the cancel and stopped.
    pub const CANCELLED: i32 = 3;
    /// A dependency failed; the reason is in `Out`.
    pub const DEPENDENCY: i32 = 4;
    /// It asks for what this host cannot give.
    pub const UNSUPPORTED: i32 = 5;
}
