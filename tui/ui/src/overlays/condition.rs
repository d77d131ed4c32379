//! The condition of a pause point, typed. What conditions mean is left to the core.

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
use wb_core::ids::StageId;
use wb_core::pause::{Condition, PausePoint, PointAt, PointChange, Sight};
use wb_core::state::State;

/// Characters of a condition.
const LONGEST: usize = 500;

/// The condition being typed.
pub struct ConditionLine {
    stage: StageId,
    at: PointAt,
    line: keys::Line,
    /// What a condition would see at the chosen place of the open task.
    sight: Option<Sight>,
}

impl ConditionLine {
    /// Asks for the condition of a place; the one that is there is offered.
    pub fn new(stage: StageId, at: PointAt, sight: Option<Sight>, state: &State) -> Self {
        let known = state.point_at(stage, &at);
        let known = known.and_then(|point| point.condition.as_ref());
        let line = keys::Line::new(known.map_or("", Condition::text));
        Self {
            stage,
            at,
            line,
            sight,
        }
    }

    /// What the condition comes to at the chosen place, or why it cannot be read.
    fn verdict(&self) -> (String, bool) {
        let condition = match Condition::parse(&self.line.text) {
            Ok(condition) => condition,
            Err(_) if self.line.text.trim().is_empty() => {
                let text = "names of the value, or title, ms, route, error, priority, labels.added";
                return (text.to_owned(), true);
            }
            Err(error) => return (error.to_string(), false),
        };
        let Some(sight) = &self.sight else {
            return ("it has not been reached yet".to_owned(), true);
        };
        let at = self.at.clone();
        let condition = Some(condition);
        match (PausePoint { at, condition }).holds(sight) {
            Some(None) => ("holds for this value: the task would wait".to_owned(), true),
            None => ("does not hold for this value".to_owned(), true),
            Some(Some(why)) => (format!("cannot be evaluated for this value: {why}"), false),
        }
    }
}

impl Layer for ConditionLine {
    fn scope(&self) -> Scope {
        Scope::List
    }

    fn typing(&self, _: &Ui) -> bool {
        true
    }

    fn on_text(&mut self, key: &KeyEvent, _: &mut Ui, _: &State) -> Handled {
        match name(key).as_deref() {
            None | Some("Enter" | "Esc" | "F1" | "Tab") => Handled::No,
            Some(name) => {
                let types = name.chars().count() == 1 || name == "Space";
                if !types || self.line.text.len() < LONGEST {
                    self.line.key(key);
                }
                Handled::done()
            }
        }
    }

    fn on_paste(&mut self, text: &str, _: &mut Ui, _: &State) -> Vec<Command> {
        let line = text.lines().next().unwrap_or_default();
        if line.len() + self.line.text.len() <= LONGEST {
            self.line.insert(line);
        }
        Vec::new()
    }

    fn on(&mut self, action: Action, ui: &mut Ui, _: &State) -> Handled {
        match action {
            Action::Out => return Handled::Close(Vec::new()),
            Action::Quit | Action::Suspend => return Handled::No,
            Action::In => match Condition::parse(&self.line.text) {
                Ok(condition) => {
                    return Handled::Close(vec![Command::Point {
                        stage: self.stage,
                        at: self.at.clone(),
                        change: PointChange::If(Box::new(condition)),
                    }]);
                }
                Err(error) => ui.notice = Some(error.to_string()),
            },
            _ => {}
        }
        Handled::done()
    }

    fn hints(&self, _: &Ui, _: &State) -> Hints {
        vec![(Action::In, "set".into()), (Action::Out, "not now".into())]
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, _: &State) {
        let st = ui.st;
        let place = centred(area, 76, 9);
        let title = format!("Pause at {} if…", fit(&self.at.words(), 40));
        let inner = ui.overlay(buf, place, (&title, ""));
        let mut typed = Line::from("  ");
        typed.spans.extend(typed_spans(&self.line, st.strong));
        let (verdict, good) = self.verdict();
        let style = if good { st.dim } else { st.bad };
        let columns = usize::from(inner.width).saturating_sub(4);
        let mut all = vec![Line::default(), typed, Line::default()];
        let verdict = wrap(&verdict, columns).into_iter().take(2);
        all.extend(verdict.map(|line| Line::styled(format!("  {line}"), style)));
        all.push(Line::default());
        let example = "  count(score > 0.5) < 5    ms > 500    route == \"skip\"    error";
        all.push(Line::styled(example, st.dim));
        lines(buf, inner, &all, 0);
    }
}
