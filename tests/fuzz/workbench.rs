//! Fuzz targets of the program: settings files, plan files, task specs.

mod check;

use super::specs;
use crate::cli::Cli;
use clap::Parser;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::path::PathBuf;
use std::sync::OnceLock;
use wb_engine::config::Config;
use wb_engine::plan::Plan;

check::target!(settings_file, settings);
check::target!(plan_file, plan);
check::target!(task_specs, tasks);

/// A file of this test program's own with the given content.
fn file(name: &str, content: &[u8]) -> PathBuf {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().unwrap());
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn settings(input: &[u8]) {
    static CLI: OnceLock<Cli> = OnceLock::new();
    let path = file("workbench.toml", input);
    let cli = CLI.get_or_init(|| {
        let words = ["workbench".as_ref(), "--config".as_ref(), path.as_os_str()];
        Cli::try_parse_from(words).unwrap()
    });
    match Config::load(&cli.global.flags()) {
        Ok(config) => drop(config.lines()),
        Err(fault) => assert!(!fault.summary.is_empty()),
    }
}

/// The lines of a plan, packed as a plan is; and the same bytes as they are.
fn plan(input: &[u8]) {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(input).unwrap();
    for content in [packed.finish().unwrap(), input.to_vec()] {
        let path = file("p.wbplan", &content);
        let Ok(mut plan) = Plan::verified(&path) else {
            continue;
        };
        while plan.next_line().unwrap().is_some() {}
    }
}

fn tasks(input: &[u8]) {
    for (number, line) in (1..).zip(input.split(|byte| *byte == b'\n')) {
        let line = specs::parse(line, number);
        for entry in &line.entries {
            let named = entry
                .error
                .as_ref()
                .is_none_or(|why| why.contains(&format!("line {number}")));
            assert!(named, "an error names its line");
        }
    }
}
