//! Opening a library and reading its table.
//!
//! Everything in the table is checked before it is believed, within reason: a pointer that leads
//! nowhere crashes this process, which is what it is for.
#![allow(unsafe_code)] // the C border

use super::context::Context;
use super::flaw::{AnswerFn, Flaw, opened, text_of};
use super::refusal::refused;
use super::resources;
use crate::page::{ControlPage, Phase};
use crate::sys::modules;
use agent_abi::table::{
    ABI_MAJOR, ABI_MINOR, Agent, Bytes, ENTRY_SYMBOL, Host, MAGIC, Module, Out, Resource, first,
    flags, needs,
};
use agent_abi::wire::AgentSpec;
use libloading::os::unix::{Library as Dl, RTLD_LOCAL, RTLD_NOW};
use std::ffi::c_void;
use std::mem::offset_of;
use std::path::Path;
use wb_core::build::{AgentDescriptor, Descriptor};

const MAX_AGENTS: usize = 1024;

type Call = unsafe extern "C" fn(*const Host, *mut Out) -> i32;
/// The function of one agent, as in the C table.
pub(super) type Run = unsafe extern "C" fn(
    *const c_void,
    *const agent_abi::table::Task,
    *const Host,
    *mut Out,
) -> i32;

/// An open library. It is never closed: the process ends instead.
pub(super) struct Library {
    /// In the order of the table.
    pub agents: Vec<(Run, *const c_void)>,
    pub preflight: Option<Call>,
    /// The function of the resource that this process was opened for.
    pub resource: Option<(AnswerFn, *const c_void)>,
    shutdown: Option<unsafe extern "C" fn()>,
}

impl Library {
    /// Opens, checks and initialises a library; gives its descriptor and load address.
    pub(super) fn open(
        path: &Path,
        page: &ControlPage,
        context: &'static Context,
        resource: Option<&str>,
    ) -> Result<(Self, Descriptor, u64), Flaw> {
        page.claims.enter(Phase::Loading);
        // SAFETY: constructors of foreign code run here; this process exists for that.
        let dl = unsafe { Dl::open(Some(path), RTLD_NOW | RTLD_LOCAL) }
            .map_err(|e| refused(&e, path))?;
        // Dropping the handle would unmap code that we hold pointers into.
        let dl: &'static Dl = Box::leak(Box::new(dl));
        // SAFETY: the symbol's type is frozen by the ABI.
        let entry =
            unsafe { dl.get::<unsafe extern "C" fn() -> *const Module>(ENTRY_SYMBOL.as_bytes()) }
                .map_err(|_| {
                Flaw::new(
                    format!(
                        "it has no function `{ENTRY_SYMBOL}`, so it is not an agent library: \
                         a Rust crate ends with `export![…]` and has crate-type = [\"cdylib\"]"
                    ),
                    "end the crate with `export![…]`; crate-type = [\"cdylib\"]",
                )
            })?;
        let entry = *entry;
        let base = modules::base_of(entry as *const c_void);
        // SAFETY: takes nothing, returns a static table or null.
        let module = unsafe { entry() };
        let table = Table::read(module)?;
        let descriptor = table.describe()?;
        let mut library = table.functions();
        page.claims.enter(Phase::Init);
        if let Some(init) = table.init {
            initialise(init, context)?;
        }
        if let Some(name) = resource {
            library.resource = Some(resources::open(&table.resources, name, context)?);
        }
        Ok((library, descriptor, base))
    }

    /// The library's goodbye; its time limit is the workbench's matter.
    pub(super) fn shutdown(&self) {
        if let Some(shutdown) = self.shutdown {
            // SAFETY: a function of the table, called once, after the last task.
            unsafe { shutdown() }
        }
    }
}

fn initialise(init: Call, context: &'static Context) -> Result<(), Flaw> {
    let mut out = Out::empty();
    // SAFETY: both pointers are valid for the call; the host table lives for ever.
    let status = unsafe { init(context.table(), &raw mut out) };
    opened(status, &mut out, "its `init`")
}

/// The module's table, read field by field as far as its size goes.
struct Table {
    module: *const Module,
    agents: Vec<*const Agent>,
    stride: usize,
    minor: u16,
    init: Option<Call>,
    preflight: Option<Call>,
    shutdown: Option<unsafe extern "C" fn()>,
    resources: Vec<*const Resource>,
}

/// Reads a field only when `size` covers it.
macro_rules! field {
    ($from:expr, $size:expr, $type:ty, $name:ident) => {{
        let at = offset_of!($type, $name);
        let end = at + size_of_val_of(|t: &$type| &t.$name);
        if ($size as usize) < end {
            None
        } else {
            // SAFETY: the library's size shows that its table reaches beyond this field; the field may lie
            // at any alignment in a hostile table.
            Some(unsafe { (&raw const (*$from).$name).read_unaligned() })
        }
    }};
}

/// Size of a field, known from its type alone.
const fn size_of_val_of<T, F>(_: fn(&T) -> &F) -> usize {
    size_of::<F>()
}

impl Table {
    fn read(module: *const Module) -> Result<Self, Flaw> {
        if module.is_null() {
            return Err(Flaw::new(
                format!("`{ENTRY_SYMBOL}` returned nothing"),
                "it must return a static wb_module",
            ));
        }
        // SAFETY: the first 16 bytes are frozen for every version; anything without a table
        // there is not an agent library, and reading it may end this process.
        let (magic, major, minor, size) = unsafe {
            (
                (&raw const (*module).magic).read_unaligned(),
                (&raw const (*module).abi_major).read_unaligned(),
                (&raw const (*module).abi_minor).read_unaligned(),
                (&raw const (*module).size).read_unaligned(),
            )
        };
        if magic != MAGIC {
            return Err(Flaw::new(
                format!("its table does not begin with WBAGENT1 but with {magic:#018x}"),
                "fill in wb_module.magic, or rebuild with the agent-abi of this workbench",
            ));
        }
        if major != ABI_MAJOR {
            return Err(of_another_major(major, minor));
        }
        let too_small = || {
            Flaw::new(
                format!("its table is too small ({size} bytes)"),
                "set wb_module.size to sizeof(wb_module)",
            )
        };
        let agents = field!(module, size, Module, agents).ok_or_else(too_small)?;
        let count = field!(module, size, Module, agent_count).ok_or_else(too_small)?;
        let stride = field!(module, size, Module, agent_stride).ok_or_else(too_small)?;
        Ok(Self {
            module,
            agents: agent_entries(agents, count, stride)?,
            stride,
            minor,
            init: field!(module, size, Module, init).flatten(),
            preflight: field!(module, size, Module, preflight).flatten(),
            shutdown: field!(module, size, Module, shutdown).flatten(),
            resources: resources::entries(
                field!(module, size, Module, resources),
                field!(module, size, Module, resource_count),
                field!(module, size, Module, resource_stride),
            )?,
        })
    }

    fn describe(&self) -> Result<Descriptor, Flaw> {
        let module = self.module;
        let text = |bytes: Bytes, what| text_of(bytes, what);
        // SAFETY: `read` has seen that the table reaches beyond these fields.
        let (name, version, sdk, build_info) = unsafe {
            (
                (&raw const (*module).name).read_unaligned(),
                (&raw const (*module).version).read_unaligned(),
                (&raw const (*module).sdk).read_unaligned(),
                (&raw const (*module).build_info).read_unaligned(),
            )
        };
        let mut agents: Vec<AgentDescriptor> = Vec::new();
        for (n, agent) in self.agents.iter().enumerate() {
            let described = describe_agent(*agent, n, self.stride)?;
            if let Some(first) = agents.iter().find(|a| a.stage == described.stage) {
                return Err(twice(first, &described));
            }
            agents.push(described);
        }
        Ok(Descriptor {
            name: text(name, "name")?,
            version: text(version, "version")?,
            sdk: text(sdk, "sdk")?,
            build_info: text(build_info, "build_info")?,
            abi: (ABI_MAJOR, self.minor),
            preflight: self.preflight.is_some(),
            resources: resources::describe(&self.resources)?,
            agents,
        })
    }

    fn functions(&self) -> Library {
        let agents = self.agents.iter().filter_map(|agent| {
            // SAFETY: `describe` has read the entry and seen that it reaches this far.
            let (run, user) = unsafe {
                (
                    (&raw const (**agent).run).read_unaligned(),
                    (&raw const (**agent).user).read_unaligned(),
                )
            };
            run.map(|run| (run, user))
        });
        Library {
            agents: agents.collect(),
            preflight: self.preflight,
            resource: None,
            shutdown: self.shutdown,
        }
    }
}

fn of_another_major(major: u16, minor: u16) -> Flaw {
    let (which, hint) = if major > ABI_MAJOR {
        (
            "newer",
            "use a newer workbench, or build against agent-abi 1",
        )
    } else {
        (
            "older",
            "rebuild it against the agent-abi of this workbench",
        )
    };
    Flaw::new(
        format!(
            "it is built for the {which} agent ABI {major}.{minor}; this workbench speaks {ABI_MAJOR}.{ABI_MINOR}"
        ),
        hint,
    )
}

fn agent_entries(
    first: *const Agent,
    count: usize,
    stride: usize,
) -> Result<Vec<*const Agent>, Flaw> {
    if count == 0 || first.is_null() {
        return Err(Flaw::new(
            "it has no agents",
            "name them: `export![my_agent]`",
        ));
    }
    if count > MAX_AGENTS || !(first::AGENT..=1 << 16).contains(&stride) {
        return Err(Flaw::new(
            format!("its agent table makes no sense ({count} agents, {stride} bytes each)"),
            "set agent_count, and agent_stride to sizeof(wb_agent)",
        ));
    }
    Ok((0..count)
        .map(|n| first.wrapping_byte_add(n * stride))
        .collect())
}

fn describe_agent(agent: *const Agent, n: usize, stride: usize) -> Result<AgentDescriptor, Flaw> {
    // SAFETY: inside the table as the library states it; see `Table::read`.
    let (size, flag_bits, need_bits, stage, spec, run) = unsafe {
        (
            (&raw const (*agent).size).read_unaligned(),
            (&raw const (*agent).flags).read_unaligned(),
            (&raw const (*agent).needs).read_unaligned(),
            (&raw const (*agent).stage).read_unaligned(),
            (&raw const (*agent).spec).read_unaligned(),
            (&raw const (*agent).run).read_unaligned(),
        )
    };
    if !(first::AGENT..=stride).contains(&(size as usize)) {
        return Err(Flaw::new(
            format!("agent {n} has {size} bytes in a table of entries of {stride}"),
            "set wb_agent.size and wb_module.agent_stride to sizeof(wb_agent)",
        ));
    }
    let stage = text_of(stage, "stage")?;
    check_bits(&stage, need_bits, flag_bits)?;
    if run.is_none() {
        return Err(Flaw::new(
            format!("the agent for stage \"{stage}\" has no function"),
            "fill in wb_agent.run",
        ));
    }
    if stage.trim().is_empty() {
        return Err(Flaw::new(
            format!("agent {n} names no stage"),
            "give the name or the UUID of a stage",
        ));
    }
    let spec = text_of(spec, "spec")?;
    let spec = if spec.trim().is_empty() {
        AgentSpec::default()
    } else {
        serde_json::from_str(&spec).map_err(|e| {
            Flaw::new(
                format!("the spec of the agent for stage \"{stage}\" is not JSON that fits: {e}"),
                "leave it empty, or see AgentSpec in agent-abi",
            )
        })?
    };
    Ok(AgentDescriptor {
        stage,
        needs: need_bits,
        flags: flag_bits,
        spec,
    })
}

/// Refuses what only a newer workbench understands.
fn check_bits(stage: &str, need_bits: u64, flag_bits: u32) -> Result<(), Flaw> {
    let unknown_needs = need_bits & !needs::KNOWN;
    let unknown_flags = (flag_bits & 0xffff_0000) & !flags::KNOWN_HIGH;
    let what = if unknown_needs != 0 {
        format!("needs what this workbench does not know (bits {unknown_needs:#x})")
    } else if unknown_flags != 0 {
        format!("has flags this workbench must understand and does not ({unknown_flags:#x})")
    } else {
        return Ok(());
    };
    Err(Flaw::new(
        format!("the agent for stage \"{stage}\" {what}"),
        "it needs a newer workbench, or an older agent-abi",
    ))
}

fn twice(first: &AgentDescriptor, second: &AgentDescriptor) -> Flaw {
    let name = |a: &AgentDescriptor| match (a.spec.function.as_str(), a.spec.location.as_str()) {
        ("", _) => "an agent".to_owned(),
        (function, "") => function.to_owned(),
        (function, place) => format!("{function} ({place})"),
    };
    Flaw::new(
        format!(
            "it has two agents for stage \"{}\": {} and {}",
            first.stage,
            name(first),
            name(second)
        ),
        "keep one of them",
    )
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
