//! The sources of a new crate for a project: a file for each agent stage, all of them exported in the order of the
//! stages. What else a crate has is left to `workbench new`.

use super::identifier::unique_identifiers;
use super::source::in_comment;
use super::{NamedThing, NamesFile, collect};
use std::path::{Path, PathBuf};
use wb_core::error::{Error, ErrorKind};
use wb_core::work::Project;

/// Modules and crates that a stage's file would hide, or be taken for.
const TAKEN: [&str; 11] = [
    "agent_abi",
    "alloc",
    "build",
    "core",
    "lib",
    "main",
    "ontology",
    "pathways",
    "serde",
    "std",
    "tests",
];
/// The longest line that rustfmt makes, and the longest list of paths that it leaves on one.
const WIDTH: usize = 100;
const LIST: usize = 60;

/// Every source file, by its path in the crate.
///
/// # Errors
/// The project has no agent stage, or its ontology cannot be read.
pub fn sources(project: &Project) -> Result<Vec<(PathBuf, String)>, Error> {
    let stages = collect::pathways(&project.workflow);
    if stages.is_empty() {
        let text = format!("project \"{}\" has no agent stage", project.title);
        return Err(Error::new(ErrorKind::Settings, text)
            .hint("add one to its workflow on the platform; or begin with a template: workbench new NAME --template prelabel"));
    }
    let modules = unique_identifiers(&stages, &TAKEN);
    let mut files = vec![(source("lib"), lib(project, &modules))];
    for file in NamesFile::ALL {
        files.push((file.path(), file.of(project)?));
    }
    let pathways = unique_identifiers(&stages, &[]);
    for ((stage, module), pathways) in stages.iter().zip(&modules).zip(&pathways) {
        files.push((source(module), stub(stage, module, pathways)));
    }
    Ok(files)
}

fn source(module: &str) -> PathBuf {
    Path::new("src").join(format!("{module}.rs"))
}

fn lib(project: &Project, modules: &[String]) -> String {
    let mut text = format!(
        "//! The agents of project {}: a file for each stage, in the order of its workflow.\n\
         //! Generated names are in `ontology` and `pathways`.\n\n",
        in_comment(&project.title)
    );
    let names = project_names(project);
    if !names.is_ascii() {
        // These lints have no effect in a module.
        text.push_str(
            "#![allow(confusable_idents, mixed_script_confusables, uncommon_codepoints)]\n\n",
        );
    }
    text.push_str("mod ontology;\nmod pathways;\n\n");
    let mut sorted: Vec<&String> = modules.iter().collect();
    sorted.sort();
    for module in sorted {
        if !module.is_ascii() {
            // The compiler looks for no file by such a name.
            text.push_str(&format!("#[path = \"{module}.rs\"]\n"));
        }
        text.push_str(&format!("mod {module};\n"));
    }
    let paths: Vec<String> = modules.iter().map(|m| format!("{m}::{m}")).collect();
    let line = paths.join(", ");
    text.push_str("\nuse agent_abi::prelude::*;\n\n");
    match line.len() <= LIST {
        true => text.push_str(&format!("export![{line}];\n")),
        false => text.push_str(&format!("export![\n    {},\n];\n", paths.join(",\n    "))),
    }
    text
}

/// Everything of a project that becomes an identifier.
fn project_names(project: &Project) -> String {
    let files = NamesFile::ALL.map(|file| file.of(project).unwrap_or_default());
    let items = files.iter().flat_map(|text| super::items(text));
    items.map(|item| item.path).collect()
}

fn stub(stage: &NamedThing, module: &str, pathways: &str) -> String {
    let title = in_comment(&stage.title);
    let below = unique_identifiers(&stage.below, &[]);
    let ways: Vec<String> = (stage.below.iter().zip(below))
        .map(|(pathway, name)| {
            let name = super::identifier::constant(&name);
            let about = in_comment(&pathway.about);
            let way = format!("    // Route::to(crate::pathways::{pathways}::{name}) {about}");
            format!("{}\n", way.trim_end())
        })
        .collect();
    let ways = match ways.is_empty() {
        true => "    // No pathway leaves this stage yet.\n".to_owned(),
        false => format!("    // Where a task can go from here:\n{}", ways.concat()),
    };
    let head = format!("pub fn {module}(task: &Task, labels: &mut LabelRow) -> Result<Route> {{");
    let head = match head.chars().count() <= WIDTH {
        true => head,
        false => format!(
            "pub fn {module}(\n    task: &Task,\n    labels: &mut LabelRow,\n) -> Result<Route> {{"
        ),
    };
    format!(
        "//! The agent of stage {title}.\n\
         \n\
         use agent_abi::prelude::*;\n\
         \n\
         /// Called for each task that waits at the stage. The task leaves by the pathway that this returns.\n\
         #[stage({:?})]\n\
         {head}\n    \
             info!(\"{{}}: {{}} objects\", task.title(), labels.objects().len());\n\
         {ways}    \
             Ok(Route::stay())\n\
         }}\n\
         \n\
         #[cfg(test)]\n\
         mod tests {{\n    \
             use super::*;\n    \
             use agent_abi::testing::task;\n\
         \n    \
             #[test]\n    \
             fn a_task_stays_until_it_is_sent_somewhere() {{\n        \
                 let run = task(\"a.jpg\").run::<{module}>();\n        \
                 assert_eq!(run.route(), None);\n    \
             }}\n\
         }}\n",
        stage.value
    )
}
