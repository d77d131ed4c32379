//! Linear mode: every action by its name, arguments, and that what is read has no drawing in it.

use super::Desk;
use super::keys::stepped;
use crate::fixture::{PRELABEL, World, stage, task};
use crate::linear::{Linear, is_settled};
use crate::{ACTIONS, Screen, Ui, UiSettings};
use wb_core::command::Command;
use wb_core::run::Source;

struct Lines {
    desk: Desk,
    linear: Linear,
}

impl Lines {
    fn new(world: World) -> Self {
        let mut desk = Desk::new(world, 120, 36);
        desk.ui = Ui::new(UiSettings {
            unicode: true,
            linear: true,
            ..UiSettings::default()
        });
        let mut lines = Self {
            desk,
            linear: Linear::new(),
        };
        lines.read();
        lines
    }

    fn read(&mut self) -> String {
        let state = &self.desk.world.state;
        let settled = is_settled(state);
        let lines = self.linear.take_lines(&mut self.desk.ui, state, settled);
        lines.join("\n")
    }

    fn commands(&mut self, line: &str) -> Vec<Command> {
        self.linear
            .line(line, &mut self.desk.ui, &self.desk.world.state)
    }

    /// Lets the engine do what a line asks for; gives what is read then.
    fn line(&mut self, line: &str) -> String {
        let commands = self.commands(line);
        self.desk.world.all(commands);
        self.read()
    }
}

#[test]
fn every_action_is_known_by_its_name_and_nothing_that_is_read_is_drawn() {
    for row in ACTIONS {
        let mut lines = Lines::new(World::ran());
        for name in [row.id(), row.name.to_owned()] {
            let text = lines.line(&name);
            assert!(!text.contains("is not a command"), "{name}: {text}");
            let drawn = text.chars().find(|c| ('\u{2500}'..='\u{259f}').contains(c));
            assert_eq!(drawn, None, "{name}: {text}");
            lines.line("out");
        }
    }
}

#[test]
fn actions_take_rows_stages_and_values() {
    let mut lines = Lines::new(World::demo());
    let marks = lines.commands("mark 1,3-4");
    let marked = |command: &Command| match command {
        Command::Mark { tasks, on, .. } if *on => tasks.first().copied(),
        _ => None,
    };
    let marked: Vec<_> = marks.iter().filter_map(marked).collect();
    assert_eq!(marked, [0, 2, 3].map(|n| task(PRELABEL, n)));
    assert_eq!(lines.desk.ui.screen(), Screen::Queue, "marks belong there");
    let commands = lines.commands("dry-run some 7");
    assert!(
        matches!(&commands[..], [.., Command::Run(spec)]
            if spec.max_tasks == Some(7) && spec.source == Source::Stages(vec![stage(PRELABEL)])),
        "{commands:?}"
    );
    let text = lines.line("queue ann");
    assert!(text.contains("Annotate:"), "{text}");
    let text = lines.line("queue nowhere");
    assert!(text.contains("no stage \"nowhere\""), "{text}");
    let text = lines.line("step 99999");
    assert!(text.contains("no row 99999"), "{text}");
    let text = lines.line("step x");
    assert!(text.contains("takes the number of a row"), "{text}");
}

#[test]
fn a_line_that_is_asked_for_is_typed_and_can_be_left() {
    let mut lines = Lines::new(World::demo());
    lines.line("queue pre-label");
    let text = lines.line("filter");
    assert!(text.starts_with("Filter, now \"\""), "{text}");
    let commands = lines.commands("title~zz");
    let last = commands.last();
    assert!(
        matches!(last, Some(Command::Filter { text, .. }) if text == "title~zz"),
        "{last:?}"
    );
    let text = lines.line("rate");
    assert!(text.contains("none: no limit"), "{text}");
    assert_eq!(lines.commands("4.5"), [Command::Rate(Some(4.5))]);
    lines.line("rate");
    assert_eq!(lines.commands("out"), []);
    lines.line("rate");
    assert_eq!(lines.commands("none"), [Command::Rate(None)]);
}

#[test]
fn only_yes_confirms() {
    let mut lines = Lines::new(stepped().world);
    lines.line("commit-task");
    for line in ["", "1", "commit-task", "in", "accept"] {
        let commands = lines.commands(line);
        assert!(commands.is_empty(), "{line}: {commands:?}");
    }
    assert!(matches!(&lines.commands("y")[..], [Command::Commit(tasks)] if tasks.len() == 1));
}
