//! Commands that only look: `graph`, and what the others have in common.

use super::values::{Words, one_of, some_time};
use clap::{Args, Subcommand};
use std::time::Duration;
use wb_core::error::{Error, ErrorKind};

/// Commands that ask the platform and write nothing
#[derive(Args, Debug, Clone)]
pub struct LookArgs {
    /// Stop after this time, e.g. 2m
    #[arg(long, value_name = "D", value_parser = some_time)]
    pub max_time: Option<Duration>,
}

/// How the graph is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphFormat {
    /// Lines for people.
    Text,
    /// A flowchart of Mermaid.
    Mermaid,
    /// Graphviz's DOT.
    Dot,
    /// Stages and edges.
    Json,
}

const FORMATS: Words<GraphFormat> = &[
    ("text", "Lines for people", GraphFormat::Text),
    (
        "mermaid",
        "A Mermaid flowchart, for Markdown",
        GraphFormat::Mermaid,
    ),
    ("dot", "Graphviz DOT", GraphFormat::Dot),
    ("json", "Stages and edges, as --json", GraphFormat::Json),
];

/// `workbench graph`
#[derive(Args, Debug, Clone)]
pub struct GraphArgs {
    /// How it is written [default: text, or json with --json]
    #[arg(long, value_name = "FORMAT", value_parser = one_of(FORMATS))]
    pub format: Option<GraphFormat>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub look: LookArgs,
}

impl GraphArgs {
    /// The format in use; `json` is `--json`.
    ///
    /// # Errors
    /// Both were given, and differ.
    pub fn format(&self, json: bool) -> Result<GraphFormat, Error> {
        match (self.format, json) {
            (None, false) => Ok(GraphFormat::Text),
            (None | Some(GraphFormat::Json), true) => Ok(GraphFormat::Json),
            (Some(format), false) => Ok(format),
            (Some(_), true) => {
                let text = "--json and --format ask for different things: give one of them";
                Err(Error::new(ErrorKind::Usage, text))
            }
        }
    }
}

/// `workbench print`
#[derive(Subcommand, Debug)]
pub enum PrintWhat {
    /// Agent stages with their pathways
    AgentNodes(LookArgs),
    /// Version and machine, for bug reports
    SystemInfo,
}

/// `workbench completions`
#[derive(Args, Debug, Clone)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `workbench man`
#[derive(Args, Debug, Clone)]
pub struct ManArgs {
    /// The command [default: workbench itself]
    #[arg(value_name = "COMMAND")]
    pub about: Option<String>,
}
