//! The server as its clients see it: one program, a file per subject.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the failure")]

#[path = "../common/mod.rs"]
mod common;
mod data;
mod exact;
mod faults;
mod imports;
mod items;
mod labels;
mod limits;
mod making;
mod own_pages;
mod projects;
mod rows;
mod scenarios;
mod signing;
mod tasks;
