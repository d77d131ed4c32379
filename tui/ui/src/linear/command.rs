//! What is typed in linear mode: the name of an action, with an argument where it takes one; the number of a row; or the
//! answer that a line is typed for.

use super::Linear;
use crate::actions::{ACTIONS, Action, ActionRow, Scope};
use crate::{Screen, Ui};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use wb_core::command::Command;
use wb_core::state::State;
use wb_core::workflow::nearest;

/// What leaves a line that is being typed as it was.
const BACK: [&str; 2] = ["out", "cancel"];

/// Short forms of answers to a question.
const ANSWERS: [(&str, Action); 2] = [("y", Action::Yes), ("n", Action::No)];

/// Largest range of rows.
const RANGE: usize = 10_000;

impl Linear {
    /// Does what a line asks for.
    pub fn line(&mut self, text: &str, ui: &mut Ui, state: &State) -> Vec<Command> {
        ui.notice = None;
        ui.follow(state);
        let text = text.trim();
        if ui.top(|layer| layer.typing(ui)) {
            return self.typed(text, ui, state);
        }
        if text.is_empty() {
            self.again = true;
            return Vec::new();
        }
        if let Some(row) = row_number(text) {
            return self.choose(row, ui, state);
        }
        let asks = ui.top(|layer| layer.scope()) == Scope::Question;
        let answer = ANSWERS.iter().find(|(short, _)| asks && *short == text);
        let found = answer
            .map(|(_, action)| (action.row(), ""))
            .or_else(|| named(text));
        match found {
            Some((row, argument)) => self.act(row, argument, ui, state),
            None => {
                self.reply.push(unknown(text));
                Vec::new()
            }
        }
    }

    /// Does an action, where it belongs.
    fn act(&mut self, row: &ActionRow, argument: &str, ui: &mut Ui, state: &State) -> Vec<Command> {
        match row.action {
            Action::Help => {
                self.reply.extend(help(ui, argument));
                return Vec::new();
            }
            Action::ShowFlow | Action::ShowQueue if !argument.is_empty() => {
                if let Err(why) = choose_stage(argument, ui, state) {
                    self.reply.push(why);
                    return Vec::new();
                }
            }
            _ => {}
        }
        let mut all = match go_where_it_works(row, ui, state) {
            Ok(commands) => commands,
            Err(why) => {
                self.reply.push(why);
                return Vec::new();
            }
        };
        let takes_rows = !row.asks && !matches!(row.action, Action::ShowFlow | Action::ShowQueue);
        if takes_rows && !argument.is_empty() {
            match rows(argument) {
                Some(rows) => {
                    for row_number in rows {
                        match choose_row(row_number, ui, state) {
                            Ok(commands) => all.extend(commands),
                            Err(why) => {
                                self.reply.push(why);
                                return all;
                            }
                        }
                        all.extend(ui.dispatch(row.action, state));
                    }
                }
                None => self.reply.push(format!(
                    "{} takes the number of a row, not \"{argument}\"",
                    row.id()
                )),
            }
            self.again = true;
            return all;
        }
        all.extend(ui.dispatch(row.action, state));
        if row.asks && !argument.is_empty() && ui.top(|layer| layer.typing(ui)) {
            all.extend(self.typed(argument, ui, state));
        }
        self.again |= !super::LinearPlace::of(ui).is_followed();
        all
    }

    /// Chooses a row by its number, and goes into it.
    fn choose(&mut self, row: usize, ui: &mut Ui, state: &State) -> Vec<Command> {
        self.again = true;
        match choose_row(row, ui, state) {
            Ok(mut commands) => {
                commands.extend(ui.dispatch(Action::In, state));
                commands
            }
            Err(why) => {
                self.reply.push(why);
                Vec::new()
            }
        }
    }

    /// The answer that a line is typed for: an empty one takes what is offered.
    fn typed(&mut self, text: &str, ui: &mut Ui, state: &State) -> Vec<Command> {
        self.again = true;
        if BACK.contains(&text) {
            return ui.dispatch(Action::Out, state);
        }
        let picks = ui.top(|layer| layer.picks());
        if let Some(row) = row_number(text).filter(|_| picks) {
            return self.choose(row, ui, state);
        }
        let offered = ui.top(|layer| layer.scope()) == Scope::List && !picks;
        let mut all = Vec::new();
        if !(text.is_empty() && offered) {
            all.extend(press(ui, KeyCode::Char('u'), KeyModifiers::CONTROL, state));
            let text = if offered && text == "none" { "" } else { text };
            for c in text.chars() {
                all.extend(press(ui, KeyCode::Char(c), KeyModifiers::NONE, state));
            }
        }
        if !picks {
            all.extend(ui.dispatch(Action::In, state));
        }
        all
    }
}

fn press(ui: &mut Ui, code: KeyCode, modifiers: KeyModifiers, state: &State) -> Vec<Command> {
    ui.on_event(&Event::Key(KeyEvent::new(code, modifiers)), state)
}

/// The action that the line begins with, and the rest; the longest name wins. Blanks are as good as hyphens.
fn named(text: &str) -> Option<(&'static ActionRow, &str)> {
    let lower = text.to_lowercase().replace(' ', "-");
    let fits = |row: &&ActionRow| {
        let id = row.id();
        lower == id
            || lower.starts_with(&format!("{id}-")) && text.as_bytes().get(id.len()) == Some(&b' ')
    };
    let row = ACTIONS
        .iter()
        .filter(fits)
        .max_by_key(|row| row.name.len())?;
    Some((row, text.get(row.name.len()..)?.trim()))
}

fn unknown(text: &str) -> String {
    let word = text.split(' ').next().unwrap_or_default();
    let ids: Vec<String> = ACTIONS.iter().map(ActionRow::id).collect();
    let near = nearest(word, ids.iter().map(String::as_str));
    let near = near
        .first()
        .map_or_else(String::new, |near| format!("; did you mean {near}?"));
    format!(
        "\"{}\" is not a command{near} (help lists them)",
        crate::text::fit(text, 60)
    )
}

/// Counted from 0.
fn row_number(text: &str) -> Option<usize> {
    text.parse::<usize>().ok()?.checked_sub(1)
}

/// `3`, `1-5`, `1,4 7`.
fn rows(text: &str) -> Option<Vec<usize>> {
    let mut all = Vec::new();
    for part in text.split([',', ' ']).filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (row_number(first)?, row_number(last)?);
        if last < first || last - first >= RANGE {
            return None;
        }
        all.extend(first..=last);
    }
    Some(all)
}

fn choose_row(row: usize, ui: &mut Ui, state: &State) -> Result<Vec<Command>, String> {
    let chosen = ui.with_top(|layer, ui| layer.choose(row, ui, state));
    chosen.ok_or_else(|| format!("there is no row {} here", row + 1))
}

/// A stage by its number, its title or the beginning of its title.
fn choose_stage(text: &str, ui: &mut Ui, state: &State) -> Result<(), String> {
    let Some(project) = &state.project else {
        return Err("the project is not loaded yet".into());
    };
    let stages = &project.workflow.stages;
    let listed = crate::screens::flow::in_order(&project.workflow, &ui.flow);
    let lower = text.to_lowercase();
    let titled = |exact: bool| {
        let found = stages.iter().find(|stage| {
            let title = stage.title.to_lowercase();
            title == lower || (!exact && title.starts_with(&lower))
        });
        found.map(|stage| stage.id)
    };
    let by_number = row_number(text).and_then(|place| listed.get(place).copied());
    match titled(true).or(by_number).or_else(|| titled(false)) {
        Some(stage) => {
            ui.stage = Some(stage);
            Ok(())
        }
        None => {
            let near = nearest(text, stages.iter().map(|stage| stage.title.as_str()));
            let near = near
                .first()
                .map_or_else(String::new, |near| format!("; did you mean {near}?"));
            Err(format!("no stage \"{text}\"{near}"))
        }
    }
}

/// Goes to the screen or opens the overlay that an action belongs to.
fn go_where_it_works(row: &ActionRow, ui: &mut Ui, state: &State) -> Result<Vec<Command>, String> {
    let here = ui.top(|layer| layer.scope());
    if matches!(row.scope, Scope::Global | Scope::List) || row.scope == here {
        return Ok(Vec::new());
    }
    let opens = match row.scope {
        Scope::Question => return Err("no question is open".into()),
        Scope::Global | Scope::List | Scope::Search => return Ok(Vec::new()),
        Scope::Flow => Screen::Flow.shown_by(),
        Scope::Queue => Screen::Queue.shown_by(),
        Scope::Task => Screen::Task.shown_by(),
        Scope::Run => Screen::Run.shown_by(),
        Scope::Review => Action::Review,
        Scope::Conflicts => Action::Conflicts,
        Scope::Journal => Action::Journal,
        Scope::Watch => Action::Watching,
        Scope::Compare => Action::Compare,
        Scope::Edit => Action::EditValue,
    };
    Ok(ui.dispatch(opens, state))
}

/// The commands of this place and those of every place; with `all`, of all places.
fn help(ui: &Ui, argument: &str) -> Vec<String> {
    let here = ui.top(|layer| layer.scope());
    let scopes: Vec<Scope> = match argument {
        "all" => Scope::ALL.to_vec(),
        _ if matches!(here, Scope::List | Scope::Global) => vec![Scope::List, Scope::Global],
        _ => vec![here, Scope::List, Scope::Global],
    };
    let mut all = Vec::new();
    for scope in scopes {
        all.push(format!("{}:", scope.title()));
        let rows = ACTIONS.iter().filter(|row| row.scope == scope);
        all.extend(rows.map(|row| {
            let writes = if row.writes { " (writes)" } else { "" };
            format!("{}: {}{writes}", row.id(), row.help)
        }));
    }
    all.push("A number chooses a row of the list and goes in; step 3, mark 1-5, queue pre-label and filter status:new take an argument.".into());
    all.push("An empty line reads this place again; help all lists every command.".into());
    all
}
