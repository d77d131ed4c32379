//! What differs between operating systems, one file per concern, each with a portable fallback.
//!
//! Linux is measured and tested. The fallbacks for other Unix systems compile from the same calls
//! but have not been run there. Everything above this folder is written without `cfg`.

pub(crate) mod adopted;
pub(crate) mod crash;
pub(crate) mod exit;
pub(crate) mod limits;
pub(crate) mod memory;
pub(crate) mod modules;
pub(crate) mod orphan;
pub(crate) mod private;
pub(crate) mod stdio;
pub(crate) mod supervisor;
pub(crate) mod usage;
