//! A value edited as JSON on a line, or shown with what is wrong with it after it was edited in an editor. What it is of,
//! and what follows, is left to [`crate::edit_of`].

use crate::Ui;
use crate::actions::{Action, Hints, Scope};
use crate::edit_of::EditOf;
use crate::keys::{self, name};
use crate::layer::{Handled, Layer};
use crate::outside::{Outside, ValueText};
use crate::text::{clean, fit, wrap};
use crate::widgets::{centred, lines, typed_spans};
use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use wb_core::command::Command;
use wb_core::pause::{difference, pretty};
use wb_core::state::State;

/// Longest value that is edited here, in bytes.
const LONGEST: usize = 4000;
/// A value with more lines than this is edited in the editor.
const FEW: usize = 12;
/// Changes that are shown.
const CHANGES: usize = 3;
/// Lines that are shown before and after one that is wrong.
const AROUND: usize = 3;

/// The value being edited.
pub struct EditValue {
    of: EditOf,
    at: String,
    old: String,
    line: keys::Line,
}

/// Edits a value: in the editor where it has many lines, else on a line.
pub fn edit(of: EditOf, ui: &mut Ui, state: &State) -> Vec<Command> {
    let Some(old) = of.value(state) else {
        ui.notice = Some("nothing to edit here".to_owned());
        return Vec::new();
    };
    let draft = (state.step.as_ref()).and_then(|step| step.draft.clone());
    let text = draft
        .filter(|_| of == EditOf::Place)
        .unwrap_or_else(|| old.clone());
    let value = ValueText::new(of, old, text, state);
    if value.text.lines().count() > FEW {
        ui.outside = Some(Outside::Value(value));
        return Vec::new();
    }
    ui.edit_on_line(value, state)
}

impl Ui {
    /// Edits a value on a line, where no editor can be used.
    pub fn edit_on_line(&mut self, value: ValueText, state: &State) -> Vec<Command> {
        if value.text.len() > LONGEST {
            let kb = value.text.len() / 1024;
            self.notice = Some(format!(
                "this value is too long to edit on a line ({kb} kB)"
            ));
            return Vec::new();
        }
        let text = compact(&value.text);
        self.open(EditValue::new(value, &text, state))
    }

    /// Takes what a person made of a value in the editor.
    pub fn value_typed(&mut self, value: ValueText, text: &str, state: &State) -> Vec<Command> {
        if text.trim() == value.text.trim() {
            self.notice = Some("nothing was changed".to_owned());
            return Vec::new();
        }
        if !value.of.stands(&value.old, state) {
            self.notice = Some("the task has gone on; nothing was edited".to_owned());
            return Vec::new();
        }
        match value.of.command(text, state) {
            Ok(_) if same(&value.old, text) => {
                self.notice = Some("nothing was changed".to_owned());
                Vec::new()
            }
            Ok(command) => vec![command],
            Err(_) => self.open(EditValue::new(value, text, state)),
        }
    }
}

fn same(old: &str, new: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    read(old).is_some() && read(old) == read(new)
}

/// JSON on one line; anything else as it is, but for its line breaks.
fn compact(text: &str) -> String {
    if let Ok(value) = serde_json::from_str::<serde_json::Value>(text) {
        return value.to_string();
    }
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join(" ")
}

impl EditValue {
    fn new(value: ValueText, text: &str, state: &State) -> Self {
        Self {
            at: value.of.words(state),
            old: value.old,
            of: value.of,
            line: keys::Line::new(text),
        }
    }

    /// Whether it is for the editor: it has lines.
    fn has_lines(&self) -> bool {
        self.line.text.contains('\n')
    }

    /// Why it is not a value, or what is different.
    fn verdict(&self, state: &State) -> (Vec<String>, bool) {
        if let Err(error) = serde_json::from_str::<serde_json::Value>(&self.line.text) {
            return (vec![format!("not JSON yet: {error}")], false);
        }
        if let Err(why) = self.of.command(&self.line.text, state) {
            return (vec![why], false);
        }
        let changes = difference(&self.old, &self.line.text, CHANGES).into_iter();
        let changes: Vec<_> = changes.map(|c| format!("{} {}", c.sign, c.text)).collect();
        let same = same(&self.old, &self.line.text);
        match (changes.is_empty(), same, &self.of) {
            (true, true, EditOf::Place) => (vec!["as the agent gave it".to_owned()], true),
            (true, true, _) => (vec!["as it is".to_owned()], true),
            (true, false, _) => (vec![format!("~ {}", fit(&self.line.text, 60))], true),
            (false, ..) => (changes, true),
        }
    }

    /// The lines around the one that is wrong, with their numbers.
    fn around(&self, st: &crate::theme::Styles, columns: usize) -> Vec<Line<'static>> {
        let error = serde_json::from_str::<serde_json::Value>(&self.line.text).err();
        let wrong = error.map_or(1, |error| error.line().max(1));
        let first = wrong.saturating_sub(AROUND).max(1);
        let shown = (1..).zip(self.line.text.lines()).skip(first - 1);
        let shown = shown.take(2 * AROUND + 1);
        let line = |(number, text): (usize, &str)| {
            let text = fit(&clean(text), columns.saturating_sub(8));
            let style = if number == wrong { st.bad } else { st.dim };
            Line::styled(format!("  {number:>5} {text}"), style)
        };
        shown.map(line).collect()
    }

    fn in_editor(&self, ui: &mut Ui, state: &State) -> Handled {
        let text = match self.has_lines() {
            true => self.line.text.clone(),
            false => pretty(&self.line.text, usize::MAX).join("\n"),
        };
        let (of, old) = (self.of.clone(), self.old.clone());
        let mut value = ValueText::new(of, old, String::new(), state);
        value.text = text;
        ui.outside = Some(Outside::Value(value));
        Handled::Close(Vec::new())
    }
}

impl Layer for EditValue {
    fn scope(&self) -> Scope {
        Scope::Edit
    }

    fn is_over(&self, state: &State) -> bool {
        !self.of.stands(&self.old, state)
    }

    fn typing(&self, _: &Ui) -> bool {
        !self.has_lines()
    }

    fn on_text(&mut self, key: &KeyEvent, ui: &mut Ui, _: &State) -> Handled {
        let Some(name) = name(key) else {
            return Handled::No;
        };
        let types = name.chars().count() == 1 || name == "Space";
        let opens = !types && ui.keymap.find(&name, &[Scope::Edit]).is_some();
        if opens || matches!(name.as_str(), "Enter" | "Esc" | "F1" | "Tab") {
            return Handled::No;
        }
        if !types || self.line.text.len() < 2 * LONGEST {
            self.line.key(key);
        }
        Handled::done()
    }

    fn on_paste(&mut self, text: &str, _: &mut Ui, _: &State) -> Vec<Command> {
        let text = compact(text);
        if !self.has_lines() && text.len() + self.line.text.len() <= 2 * LONGEST {
            self.line.insert(&text);
        }
        Vec::new()
    }

    fn on(&mut self, action: Action, ui: &mut Ui, state: &State) -> Handled {
        match action {
            Action::Out => Handled::Close(Vec::new()),
            Action::Quit | Action::Suspend => Handled::No,
            Action::InEditor => self.in_editor(ui, state),
            Action::In if self.has_lines() => self.in_editor(ui, state),
            Action::In if self.verdict(state).1 => {
                if same(&self.old, &self.line.text) && self.of != EditOf::Place {
                    return Handled::Close(Vec::new());
                }
                let command = self.of.command(&self.line.text, state);
                Handled::Close(command.into_iter().collect())
            }
            _ => Handled::done(),
        }
    }

    fn hints(&self, _: &Ui, _: &State) -> Hints {
        let word = match (&self.of, self.has_lines()) {
            (_, true) => "edit it again",
            (EditOf::Place, _) => "go on with it",
            _ => "set",
        };
        let mut all: Hints = vec![(Action::In, word.into())];
        if !self.has_lines() {
            all.push((Action::InEditor, "editor".into()));
        }
        all.push((Action::Out, "not now".into()));
        all
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        let st = ui.st;
        let columns = usize::from(area.width.min(100)).saturating_sub(6).max(1);
        let shown = match self.has_lines() {
            true => self.around(&st, columns),
            false => chunked(&self.line, columns, &st),
        };
        let rows = u16::try_from(shown.len().min(12) + 7).unwrap_or(12);
        let place = centred(area, 100, rows);
        let title = format!("Edit {}", fit(&self.at, 50));
        let inner = ui.overlay(buf, place, (&title, ""));
        let mut all = vec![Line::default()];
        all.extend(shown);
        all.push(Line::default());
        let (verdict, good) = self.verdict(state);
        let style = if good { st.accent } else { st.bad };
        for text in verdict {
            let wrapped = wrap(&clean(&text), columns).into_iter().take(2);
            all.extend(wrapped.map(|line| Line::styled(format!("  {line}"), style)));
        }
        lines(buf, inner, &all, 0);
    }
}

/// The typed line with its cursor, on as many rows as it needs.
fn chunked<'a>(line: &keys::Line, columns: usize, st: &crate::theme::Styles) -> Vec<Line<'a>> {
    let mut rows = vec![Line::from("  ")];
    let mut used = 0;
    for span in typed_spans(line, st.strong) {
        for c in span.content.chars() {
            if used == columns {
                rows.push(Line::from("  "));
                used = 0;
            }
            if let Some(row) = rows.last_mut() {
                row.push_span(ratatui::text::Span::styled(c.to_string(), span.style));
            }
            used += 1;
        }
    }
    rows
}
