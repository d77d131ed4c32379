//! Limits that a host sets on itself before it opens a library.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// No core files; and, when given, at most so many bytes of address space.
///
/// The address space counts everything mapped, the host's own libraries included. A limit that
/// cannot be set is not worth a refusal: the host then runs without it.
pub(crate) fn apply(memory: Option<u64>) {
    lower(Resource::Core, 0);
    if let Some(bytes) = memory {
        lower(Resource::As, bytes);
    }
}

fn lower(resource: Resource, to: u64) {
    let to = getrlimit(resource).maximum.map_or(to, |max| max.min(to));
    let limit = Rlimit {
        current: Some(to),
        maximum: Some(to),
    };
    let _ = setrlimit(resource, limit);
}
