//! Names of a project as Rust items: the ontology's objects, attributes and options, and the pathways of agent
//! stages. A name that the project does not have is then an error of the compiler.
//!
//! Each thing is a constant, and a module of the same name holds what is below it: `VEHICLE`, `vehicle::COLOUR`,
//! `vehicle::colour::RED`. The constants are what the functions of `agent_abi` take: the name, or where several
//! things have that name, the feature hash or UUID. Reading and writing files is left to those who ask.

mod collect;
mod drift;
mod identifier;
mod source;
mod stubs;

pub use drift::{Drift, NamedItem, items};
pub use source::is_generated;
pub use stubs::sources;

/// Something that has a name, and what is below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedThing {
    /// Its name, as people read it.
    pub title: String,
    /// What it is, in a word: `object`, `pathway`.
    pub kind: &'static str,
    /// What else there is to know of it: how it is drawn, where it leads.
    pub about: String,
    /// Feature hash or UUID: it stays when the thing is renamed.
    pub id: String,
    /// What finds it: its name, or its identity.
    pub value: String,
    /// What is below it.
    pub below: Vec<NamedThing>,
}

/// A generated file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamesFile {
    /// `src/ontology.rs`
    Ontology,
    /// `src/pathways.rs`
    Pathways,
}

impl NamesFile {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Ontology, Self::Pathways];

    /// Its module in the crate.
    #[must_use]
    pub const fn module(self) -> &'static str {
        match self {
            Self::Ontology => "ontology",
            Self::Pathways => "pathways",
        }
    }

    /// Its path in the crate.
    #[must_use]
    pub fn path(self) -> std::path::PathBuf {
        std::path::Path::new("src").join(format!("{}.rs", self.module()))
    }

    /// Its text for a project.
    ///
    /// # Errors
    /// The project's ontology cannot be read.
    pub fn of(self, project: &wb_core::work::Project) -> Result<String, wb_core::error::Error> {
        let (things, about) = match self {
            Self::Ontology => (collect::ontology(project)?, "the ontology"),
            Self::Pathways => (
                collect::pathways(&project.workflow),
                "the agent stages and their pathways",
            ),
        };
        Ok(source::render(&things, about, &project.title))
    }
}

#[cfg(test)]
mod tests;
