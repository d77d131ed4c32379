//! Write Encord workflow agents in Rust, as a dynamic library behind a stable C ABI.
//!
//! [`table`] is the C border, [`wire`] the JSON that crosses it. Everything an author touches is
//! in `prelude`. Running, watching and reloading libraries is left to the workbench.

pub mod table;
pub mod wire;
