//! Agents of the kinds that teams run, one file each, to copy from. Their dependencies are heavier than those of
//! the other samples, so they are a library of their own.
//!
//! `workbench serve --scenario-file sample-agents/real/world.json` serves a project with a stage and data for each.

pub mod chain;
pub mod detect;
pub mod document;
pub mod entities;
pub mod fields;
pub mod judge;
pub mod masks;
pub mod model;
pub mod recognise;
pub mod sort;
pub mod sounds;
pub mod transfer;

use agent_abi::prelude::*;

export![
    detect::detect,
    recognise::recognise,
    masks::masks,
    sounds::sounds,
    fields::fields,
    entities::entities,
    sort::sort,
    model::model,
    chain::draft,
    chain::vet,
    document::document,
    transfer::transfer,
    judge::judge,
];
