//! The resources in a library's table, and opening one: a process is opened for one at most.
#![allow(unsafe_code)] // the C border

use super::context::Context;
use super::flaw::{AnswerFn, Flaw, opened, text_of};
use agent_abi::table::{Out, Resource, first};
use agent_abi::wire::ResourceSpec;
use std::ffi::c_void;

const MAX: usize = 1024;

/// The entries of a table that may be too old to have any.
pub(super) fn entries(
    first: Option<*const Resource>,
    count: Option<usize>,
    stride: Option<usize>,
) -> Result<Vec<*const Resource>, Flaw> {
    let (Some(first), Some(count), Some(stride)) = (first, count, stride) else {
        return Ok(Vec::new());
    };
    if count == 0 || first.is_null() {
        return Ok(Vec::new());
    }
    if count > MAX || !(first::RESOURCE..=1 << 16).contains(&stride) {
        return Err(Flaw::new(
            format!(
                "its table of resources makes no sense ({count} resources, {stride} bytes each)"
            ),
            "set resource_count, and resource_stride to sizeof(wb_resource)",
        ));
    }
    Ok((0..count)
        .map(|n| first.wrapping_byte_add(n * stride))
        .collect())
}

/// What they declare.
pub(super) fn describe(entries: &[*const Resource]) -> Result<Vec<ResourceSpec>, Flaw> {
    let mut specs: Vec<ResourceSpec> = Vec::new();
    for (n, entry) in entries.iter().enumerate() {
        // SAFETY: inside the table as the library states it; see `entries`.
        let (size, spec) = unsafe {
            (
                (&raw const (**entry).size).read_unaligned(),
                (&raw const (**entry).spec).read_unaligned(),
            )
        };
        if (size as usize) < first::RESOURCE {
            return Err(Flaw::new(
                format!("resource {n} has {size} bytes"),
                "set wb_resource.size to sizeof(wb_resource)",
            ));
        }
        let spec: ResourceSpec = serde_json::from_str(&text_of(spec, "spec of a resource")?)
            .map_err(|e| {
                Flaw::new(
                    format!("the spec of resource {n} is not JSON that fits: {e}"),
                    "see ResourceSpec in agent-abi",
                )
            })?;
        if specs.iter().any(|other| other.name == spec.name) {
            return Err(Flaw::new(
                format!("it has two resources named {}", spec.name),
                "keep one of them, or give the other one another name",
            ));
        }
        specs.push(spec);
    }
    Ok(specs)
}

/// Opens the resource of this name; the function that answers, with its pointer.
pub(super) fn open(
    entries: &[*const Resource],
    name: &str,
    context: &'static Context,
) -> Result<(AnswerFn, *const c_void), Flaw> {
    let specs = describe(entries)?;
    let at = specs.iter().position(|spec| spec.name == name);
    let Some(entry) = at.and_then(|at| entries.get(at)) else {
        return Err(Flaw::new(
            format!("it has no resource {name}"),
            "build it again",
        ));
    };
    // SAFETY: as in `describe`, which has seen its size.
    let (open, answer, user) = unsafe {
        (
            (&raw const (**entry).open).read_unaligned(),
            (&raw const (**entry).answer).read_unaligned(),
            (&raw const (**entry).user).read_unaligned(),
        )
    };
    let Some(answer) = answer else {
        return Err(Flaw::new(
            format!("resource {name} has no function that answers"),
            "fill in wb_resource.answer",
        ));
    };
    if let Some(open) = open {
        let mut out = Out::empty();
        // SAFETY: the table's function with the table's pointer; both others are valid for the call.
        let status = unsafe { open(user, context.table(), &raw mut out) };
        opened(status, &mut out, "opening it")?;
    }
    Ok((answer, user))
}
