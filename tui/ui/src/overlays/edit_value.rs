//! The value that a task is paused at, edited as JSON on a line. What follows from it is left to the core.

use crate::Ui;
use crate::actions::{Action, Hints, Scope};
use crate::keys::{self, name};
use crate::layer::{Handled, Layer};
use crate::text::{fit, wrap};
use crate::widgets::{centred, lines, typed_spans};
use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use wb_core::command::Command;
use wb_core::pause::difference;
use wb_core::state::State;

/// Longest value that is edited here, in bytes.
const LONGEST: usize = 4000;
/// Changes that are shown.
const CHANGES: usize = 3;

/// The value being edited.
pub struct EditValue {
    at: String,
    old: String,
    line: keys::Line,
}

impl EditValue {
    /// Offers the value that the open task is paused at, or what was typed for it before.
    ///
    /// # Errors
    /// There is none, or it is too long for a line.
    pub fn new(state: &State) -> Result<Self, String> {
        let step = state.step.as_ref();
        let reached = step.and_then(|step| step.held_at());
        let reached = reached.ok_or("the task is not paused at a checkpoint")?;
        let old = reached.place.value.to_string();
        if old.len() > LONGEST {
            let kb = old.len() / 1024;
            return Err(format!(
                "this value is too long to edit on a line ({kb} kB)"
            ));
        }
        let draft = step.and_then(|step| step.draft.as_deref());
        Ok(Self {
            at: reached.place.words(),
            line: keys::Line::new(draft.unwrap_or(&old)),
            old,
        })
    }

    /// Why it is not JSON, or what is different.
    fn verdict(&self) -> (Vec<String>, bool) {
        match serde_json::from_str::<serde_json::Value>(&self.line.text) {
            Err(error) => (vec![format!("not JSON yet: {error}")], false),
            Ok(_) => {
                let changes = difference(&self.old, &self.line.text, CHANGES).into_iter();
                let changes: Vec<_> = changes.map(|c| format!("{} {}", c.sign, c.text)).collect();
                match changes.is_empty() {
                    true => (vec!["as the agent gave it".to_owned()], true),
                    false => (changes, true),
                }
            }
        }
    }
}

impl Layer for EditValue {
    fn scope(&self) -> Scope {
        Scope::List
    }

    fn is_over(&self, state: &State) -> bool {
        let step = state.step.as_ref();
        step.and_then(|step| step.held_at())
            .is_none_or(|reached| *reached.place.value != *self.old)
    }

    fn typing(&self, _: &Ui) -> bool {
        true
    }

    fn on_text(&mut self, key: &KeyEvent, _: &mut Ui, _: &State) -> Handled {
        match name(key).as_deref() {
            None | Some("Enter" | "Esc" | "F1" | "Tab") => Handled::No,
            Some(name) => {
                let types = name.chars().count() == 1 || name == "Space";
                if !types || self.line.text.len() < 2 * LONGEST {
                    self.line.key(key);
                }
                Handled::done()
            }
        }
    }

    fn on_paste(&mut self, text: &str, _: &mut Ui, _: &State) -> Vec<Command> {
        let text: Vec<&str> = text.lines().map(str::trim).collect();
        let text = text.join(" ");
        if text.len() + self.line.text.len() <= 2 * LONGEST {
            self.line.insert(&text);
        }
        Vec::new()
    }

    fn on(&mut self, action: Action, _: &mut Ui, _: &State) -> Handled {
        match action {
            Action::Out => Handled::Close(Vec::new()),
            Action::Quit | Action::Suspend => Handled::No,
            Action::In if self.verdict().1 => {
                Handled::Close(vec![Command::EditValue(self.line.text.clone())])
            }
            _ => Handled::done(),
        }
    }

    fn hints(&self, _: &Ui, _: &State) -> Hints {
        vec![
            (Action::In, "go on with it".into()),
            (Action::Out, "not now".into()),
        ]
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, _: &State) {
        let st = ui.st;
        let columns = usize::from(area.width.min(100)).saturating_sub(6).max(1);
        let typed = self.line.text.chars().count() / columns + 1;
        let rows = u16::try_from(typed.min(12) + 7).unwrap_or(12);
        let place = centred(area, 100, rows);
        let title = format!("Edit {}", fit(&self.at, 50));
        let inner = ui.overlay(buf, place, (&title, ""));
        let mut all = vec![Line::default()];
        all.extend(chunked(&self.line, columns, &st));
        all.push(Line::default());
        let (verdict, good) = self.verdict();
        let style = if good { st.accent } else { st.bad };
        for text in verdict {
            let wrapped = wrap(&text, columns).into_iter().take(2);
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
