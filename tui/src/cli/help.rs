//! Help: each command's group and examples, and what is made of them: the help texts, the shells'
//! completions, the manual pages. The words about flags stand with the flags.

use super::examples::EXAMPLES;
use super::{Cli, CompletionsArgs, ManArgs};
use clap::error::{ContextKind, ContextValue};
use clap::{Command, CommandFactory};
use std::fmt::Write as _;
use wb_core::error::{Error, ErrorKind};
use wb_core::workflow::nearest;

/// Commands by what they are for, in the order in which people meet them.
const GROUPS: &[(&str, &[&str])] = &[
    ("Develop", &["ui", "demo", "new", "check"]),
    (
        "Run",
        &[
            "run", "plan", "review", "compare", "apply", "undo", "resume", "exec", "queue",
            "worker",
        ],
    ),
    (
        "Look",
        &[
            "graph", "stages", "tasks", "journal", "runs", "attach", "replay",
        ],
    ),
    ("Test", &["serve"]),
    ("Other", &["keys", "config", "print", "completions", "man"]),
];

/// The command line with all its help.
#[must_use]
pub fn command_line() -> Command {
    let plain = Cli::command();
    let list = groups(&plain);
    let mut whole = plain.help_template(format!(
        "{{before-help}}{{about}}\n\n{{usage-heading}} {{usage}}\n\n{list}\nOptions:\n{{options}}{{after-help}}"
    ));
    for &(name, examples) in EXAMPLES {
        let text = shown(examples);
        whole = match name {
            "" => whole.before_help(text),
            name => whole.mut_subcommand(name, |command| command.before_help(text)),
        };
    }
    whole
}

/// The examples, their explanations in a column of their own where they fit a line.
fn shown(examples: &[(&str, &str)]) -> String {
    let width = examples.iter().map(|(line, _)| line.len()).max();
    let mut text = "Examples:".to_owned();
    for (line, why) in examples {
        let _ = write!(text, "\n  workbench {line:<0$}  {why}", width.unwrap_or(0));
        text.truncate(text.trim_end().len());
    }
    text
}

/// Whether a part of an error is what somebody typed.
const fn of_person(kind: ContextKind) -> bool {
    use ContextKind::{InvalidArg, InvalidSubcommand, InvalidValue};
    matches!(kind, InvalidArg | InvalidSubcommand | InvalidValue)
}

/// A command that does not exist is answered with the nearest one: clap's own measure knows nothing near
/// `rnu`.
#[must_use]
pub fn with_nearest(mut error: clap::Error) -> clap::Error {
    // What was typed is repeated in it, and must not look like a line of its own.
    let typed = error.context().filter_map(|(kind, value)| match value {
        ContextValue::String(text) if text.contains('\n') && of_person(kind) => {
            Some((kind, ContextValue::String(text.replace('\n', " "))))
        }
        _ => None,
    });
    for (kind, value) in typed.collect::<Vec<_>>() {
        error.insert(kind, value);
    }
    let typed = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(typed)) if !typed.is_empty() => typed.clone(),
        _ => return error,
    };
    // Before the one that clap finds, which counts two letters in the wrong order as two mistakes.
    let known = GROUPS.iter().flat_map(|(_, names)| *names).copied();
    if let Some(near) = nearest(&typed, known).first() {
        let near = ContextValue::Strings(vec![(*near).to_owned()]);
        error.insert(ContextKind::SuggestedSubcommand, near);
    }
    error
}

/// All commands with a line each, by group.
fn groups(line: &Command) -> String {
    let mut text = String::new();
    for (title, names) in GROUPS {
        let _ = writeln!(text, "{title}:");
        for name in *names {
            let about = line.find_subcommand(name).and_then(Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {name:<13}{about}");
        }
    }
    text
}

/// `workbench completions`: a script for the shell, on stdout.
pub fn completions(args: &CompletionsArgs) {
    let mut line = command_line();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut line, "workbench", &mut script);
    crate::print::text(&String::from_utf8_lossy(&script));
}

/// The child process is started by the workbench, with `host` as its first argument.
#[must_use]
pub fn host_is_internal() -> Error {
    Error::new(
        ErrorKind::Usage,
        "`host` is started by the workbench itself, and takes no other options",
    )
}

/// `workbench man`: a manual page in roff, on stdout.
///
/// # Errors
/// There is no such command.
pub fn manual(args: &ManArgs) -> Result<(), Error> {
    let mut line = command_line();
    line.build();
    let page = match &args.about {
        None => line,
        Some(name) => line.find_subcommand(name).cloned().ok_or_else(|| {
            Error::new(ErrorKind::Usage, format!("there is no command \"{name}\""))
                .hint("workbench --help lists them")
        })?,
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page)
        .render(&mut text)
        .map_err(|e| Error::new(ErrorKind::Bug, format!("the page was not made: {e}")))?;
    crate::print::text(&String::from_utf8_lossy(&text));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_command_line_is_consistent() {
        command_line().debug_assert();
    }

    /// The commands as REFERENCE.md lists them.
    fn markdown() -> String {
        let line = Cli::command();
        let mut text = "| for | command | does |\n|---|---|---|\n".to_owned();
        for (title, names) in GROUPS {
            for name in *names {
                let about = line.find_subcommand(name).unwrap().get_about().unwrap();
                let _ = writeln!(text, "| {title} | `{name}` | {about} |");
            }
        }
        text
    }

    #[test]
    fn the_reference_of_the_readme_lists_the_commands() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/REFERENCE.md");
        let text = std::fs::read_to_string(path).unwrap();
        let start = text.find("<!-- commands: ").unwrap();
        let start = start + text[start..].find('\n').unwrap() + 1;
        let end = text.find("<!-- end of commands").unwrap();
        if std::env::var_os("UPDATE_README").is_some() {
            let wanted = format!("{}{}{}", &text[..start], markdown(), &text[end..]);
            std::fs::write(path, wanted).unwrap();
        } else {
            assert!(
                text[start..end] == markdown(),
                "run UPDATE_README=1 cargo test -p encord-workbench --bin workbench readme"
            );
        }
    }

    #[test]
    fn every_command_leads_with_examples() {
        let line = command_line();
        for command in line.get_subcommands().filter(|c| !c.is_hide_set()) {
            let examples = command.get_before_help().map(ToString::to_string);
            assert!(
                examples.is_some_and(|e| e.starts_with("Examples:")),
                "{}",
                command.get_name()
            );
        }
    }

    #[test]
    fn a_mistyped_command_is_answered_with_the_nearest_however_short_it_is() {
        for (typed, meant) in [
            ("rnu", "run"),
            ("rum", "run"),
            ("u", "ui"),
            ("aply", "apply"),
            ("excec", "exec"),
            ("udno", "undo"),
            ("check-all", "check"),
        ] {
            let error = command_line()
                .try_get_matches_from(["workbench", typed])
                .unwrap_err();
            let text = with_nearest(error).to_string();
            assert!(text.contains(&format!("'{meant}'")), "{typed}: {text}");
        }
        let error = command_line()
            .try_get_matches_from(["workbench", "hello"])
            .unwrap_err();
        let text = with_nearest(error).to_string();
        assert!(!text.contains("similar"), "{text}");
    }

    #[test]
    fn every_command_that_people_see_is_in_one_group() {
        let line = Cli::command();
        let seen: Vec<&str> = line
            .get_subcommands()
            .filter(|c| !c.is_hide_set())
            .map(Command::get_name)
            .collect();
        let grouped: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        assert_eq!(grouped.len(), seen.len(), "{grouped:?} {seen:?}");
        assert_eq!(
            grouped.iter().collect::<BTreeSet<_>>(),
            seen.iter().collect::<BTreeSet<_>>()
        );
    }

    #[test]
    fn every_example_without_an_ellipsis_is_a_command_line_that_is_understood() {
        for (line, _) in EXAMPLES.iter().flat_map(|(_, examples)| *examples) {
            if line.contains('…') {
                continue;
            }
            let line = line
                .split(['<', '>', '|'])
                .next()
                .unwrap_or(line)
                .trim_end();
            let line = line.strip_suffix(" >").unwrap_or(line);
            let mut words = vec!["workbench".to_owned()];
            for (at, part) in line.split('\'').enumerate() {
                match at % 2 {
                    0 => words.extend(part.split_whitespace().map(str::to_owned)),
                    _ => words.push(part.to_owned()),
                }
            }
            assert!(
                command_line().try_get_matches_from(&words).is_ok(),
                "{words:?}"
            );
        }
    }
}
