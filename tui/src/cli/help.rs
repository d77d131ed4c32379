//! Help: each command's examples and its group, and what is made of them: the help texts, the shells'
//! completions, the manual pages. The words about flags stand with the flags.

use super::{Cli, CompletionsArgs, ManArgs};
use clap::{Command, CommandFactory};
use std::fmt::Write as _;
use wb_core::fault::{Fault, FaultKind};

/// Commands by what they are for, in the order in which people meet them.
const GROUPS: &[(&str, &[&str])] = &[
    ("Develop", &["ui", "demo", "new", "check"]),
    (
        "Run",
        &["run", "plan", "review", "apply", "undo", "resume", "exec"],
    ),
    ("Look", &["graph", "stages", "tasks", "journal"]),
    ("Test", &["serve"]),
    ("Other", &["keys", "config", "print", "completions", "man"]),
];

/// Examples that lead each help text: the command line after `workbench`, and what it is for.
const EXAMPLES: &[(&str, &[(&str, &str)])] = &[
    (
        "",
        &[
            ("demo", "a project on this machine, no account"),
            (
                "--project-hash=UUID --agents ./agents",
                "the screen on your project",
            ),
            (
                "run -p UUID -a ./agents --dry-run",
                "all tasks, every write held",
            ),
            (
                "serve --scenario demo --port 0",
                "a local Encord for scripts and tests",
            ),
        ],
    ),
    (
        "ui",
        &[
            ("-p UUID -a ./my-agents", "the screen, on your own project"),
            (
                "ui -p UUID -a ./my-agents --build",
                "and the crate is built whenever you save",
            ),
        ],
    ),
    (
        "demo",
        &[
            ("demo", "build the sample agents and open the screen"),
            ("demo --reset --tasks 5000", "start over, with more tasks"),
        ],
    ),
    (
        "new",
        &[
            ("new my-agents", "pixels in, a label out"),
            ("new my-agents --template route", "a pathway by the labels"),
            ("new my-agents --stage 'Agent 1'", "for a stage of your own"),
        ],
    ),
    (
        "check",
        &[
            ("check -p UUID -a ./my-agents", "before the first task"),
            ("check --json", "the findings, for a script"),
        ],
    ),
    (
        "run",
        &[
            ("run -p UUID -a libmine.so", "drain the queues, then end"),
            ("run … --dry-run --json", "same outcomes, nothing written"),
            (
                "run … --refresh-every 60 -j 4",
                "look again every minute, four at a time",
            ),
            (
                "run … --filter 'title~night age>2d'",
                "only tasks that match",
            ),
            (
                "run … --max-failures 5% --report r.html",
                "stop in time, and show why",
            ),
        ],
    ),
    (
        "plan",
        &[
            ("plan … -o monday.wbplan", "run, every write held in a file"),
            ("review monday.wbplan --diff", "what it would change"),
            ("apply monday.wbplan", "write exactly that"),
        ],
    ),
    (
        "review",
        &[
            ("review monday.wbplan", "groups and totals"),
            ("review monday.wbplan --diff", "label by label"),
            (
                "review monday.wbplan --only route:skip",
                "only what takes one pathway",
            ),
        ],
    ),
    (
        "apply",
        &[
            ("apply monday.wbplan", "write what the plan holds, once"),
            (
                "apply monday.wbplan --only route:complete",
                "a part; the rest later",
            ),
        ],
    ),
    (
        "undo",
        &[
            (
                "journal",
                "the operations of this folder, with their numbers",
            ),
            ("undo", "take the newest back"),
            ("undo 12", "take operation 12 back"),
        ],
    ),
    ("resume", &[("resume", "after a crash or Ctrl-C")]),
    (
        "exec",
        &[(
            "exec --stage 'Agent 1' -p UUID -a libmine.so < specs > results",
            "a line each",
        )],
    ),
    (
        "tasks",
        &[
            (
                "tasks --stage 'Agent 1' --filter 'status:new pri>=0.5'",
                "those that match",
            ),
            (
                "tasks --json --limit 1000000 > tasks.jsonl",
                "all of them, a line each",
            ),
        ],
    ),
    (
        "journal",
        &[
            ("journal", "what was written from this folder"),
            ("journal --commands", "as commands to be run again"),
            (
                "journal --prune 30d",
                "forget finished operations older than that",
            ),
        ],
    ),
    (
        "serve",
        &[
            (
                "serve --port 0",
                "prints one line of JSON, then serves until Ctrl-C",
            ),
            ("serve --data ./local --tasks 5000", "kept in a folder"),
            ("serve --import ./my-images", "your own images and videos"),
            (
                "serve --fault 'save_labels:500@2%' --latency 50ms",
                "as bad as a real network",
            ),
        ],
    ),
    (
        "completions",
        &[(
            "completions bash > ~/.local/share/bash-completion/completions/workbench",
            "",
        )],
    ),
    (
        "man",
        &[("man run > workbench-run.1", "then: man ./workbench-run.1")],
    ),
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

/// `workbench man`: a manual page in roff, on stdout.
///
/// # Errors
/// There is no such command.
pub fn manual(args: &ManArgs) -> Result<(), Fault> {
    let mut line = command_line();
    line.build();
    let page = match &args.about {
        None => line,
        Some(name) => line.find_subcommand(name).cloned().ok_or_else(|| {
            Fault::new(FaultKind::Usage, format!("there is no command \"{name}\""))
                .hint("workbench --help lists them")
        })?,
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page)
        .render(&mut text)
        .map_err(|e| Fault::new(FaultKind::Bug, format!("the page was not made: {e}")))?;
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

    /// The commands as the README shows them.
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
    fn the_readme_lists_the_commands_as_they_are() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
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
                "run UPDATE_README=1 cargo test -p workbench --bin workbench readme"
            );
        }
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
            let line = line.split(['<', '>']).next().unwrap_or(line).trim_end();
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
