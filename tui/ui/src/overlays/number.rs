//! Questions that are answered by a number: how many tasks, requests a second, seconds of an attempt.
//! Nothing here writes; a run in live mode asks again.

use crate::actions::{Action, Hints, Scope};
use crate::keys::name;
use crate::layer::{Handled, Layer};
use crate::picture::FrameStep;
use crate::text::{fit, limit_word};
use crate::widgets::{centred, lines, typed_spans};
use crate::{Ui, keys};
use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::command::Command;
use wb_core::ids::StageId;
use wb_core::run::Source;
use wb_core::state::State;

/// What a number is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Tasks to run.
    Tasks {
        /// Of this stage.
        stage: StageId,
        /// In the order and with the filter of the queue.
        from_queue: bool,
    },
    /// Requests a second; empty is unlimited.
    Rate,
    /// Seconds of one attempt; empty: the agents' own limits.
    Timeout,
    /// A frame of the video, the group or the document in sight, from 0.
    Frame {
        /// How many there are.
        count: u64,
    },
}

/// The number being typed.
pub struct Number {
    of: Of,
    line: keys::Line,
    /// The number that is offered: the first key replaces it.
    offered: bool,
    /// Why the number was not accepted.
    refused: Option<String>,
}

impl Number {
    /// Asks, and offers a number.
    pub fn new(of: Of, offer: &str) -> Self {
        Self {
            of,
            line: keys::Line::new(offer),
            offered: true,
            refused: None,
        }
    }

    /// What entering the number does, for the hints.
    const fn word(&self) -> &'static str {
        match self.of {
            Of::Tasks { .. } => "run",
            Of::Rate | Of::Timeout => "set",
            Of::Frame { .. } => "show",
        }
    }
}

impl Layer for Number {
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
                self.refused = None;
                type_key(self, key, name);
                Handled::done()
            }
        }
    }

    fn on(&mut self, action: Action, ui: &mut Ui, state: &State) -> Handled {
        match action {
            Action::Out => return Handled::Close(Vec::new()),
            Action::Quit | Action::Suspend => return Handled::No,
            Action::In => match answer(ui, self, state) {
                Ok(commands) => return Handled::Close(commands),
                Err(why) => self.refused = Some(why),
            },
            _ => {}
        }
        Handled::done()
    }

    fn lines(&mut self, _: &mut Ui, state: &State) -> Option<Vec<String>> {
        let (title, unit, aside, holds) = words(self.of, state);
        let offer = match self.line.text.as_str() {
            "" => String::new(),
            text => format!(" An empty line takes {text}."),
        };
        let none = match self.of {
            Of::Tasks { .. } | Of::Frame { .. } => "",
            Of::Rate | Of::Timeout => " none: no limit.",
        };
        Some(vec![
            title,
            format!("{aside}; {holds}"),
            format!("Type the number of {unit}.{offer}{none} out: not now."),
        ])
    }

    fn hints(&self, _: &Ui, _: &State) -> Hints {
        vec![
            (Action::In, self.word().into()),
            (Action::Out, "not now".into()),
        ]
    }

    fn draw(&mut self, ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
        let st = ui.st;
        let place = centred(area, 66, 8);
        let (title, unit, aside, holds) = words(self.of, state);
        let inner = ui.overlay(buf, place, (&title, ""));
        let live = matches!(self.of, Of::Tasks { .. }) && state.writes_at_once();
        let mut typed = Line::from("  ");
        typed.spans.extend(typed_spans(&self.line, st.strong));
        typed.push_span(Span::raw(format!(" {unit}")));
        typed.push_span(Span::styled(format!("   {aside}"), st.dim));
        let all = [
            Line::default(),
            typed,
            Line::default(),
            ui.keyed_line(&format!(
                "  {{key:In}} {}      {{key:Out}} not now",
                self.word()
            )),
            match &self.refused {
                Some(why) => Line::styled(format!("  ✗ {why}"), st.bad),
                None => Line::styled(format!("  {holds}"), if live { st.bad } else { st.dim }),
            },
        ];
        lines(buf, inner, &all, 0);
    }
}

fn type_key(pane: &mut Number, key: &KeyEvent, name: &str) {
    let point = name == "." && !matches!(pane.of, Of::Tasks { .. } | Of::Frame { .. });
    let digit = point || name.len() == 1 && name.bytes().all(|b| b.is_ascii_digit());
    if !digit && name.len() == 1 {
        return;
    }
    if digit && pane.offered {
        pane.line = keys::Line::new("");
    }
    if name == "Backspace" && pane.offered {
        pane.line = keys::Line::new("");
    } else if pane.line.text.len() < 7 || !digit {
        pane.line.key(key);
    }
    pane.offered = false;
}

fn answer(ui: &mut Ui, pane: &Number, state: &State) -> Result<Vec<Command>, String> {
    let text = pane.line.text.as_str();
    match pane.of {
        Of::Tasks { stage, from_queue } => {
            let n = text
                .parse::<usize>()
                .ok()
                .filter(|n| *n > 0)
                .ok_or_else(|| match text {
                    "" => "type how many tasks to run, 1 or more".to_owned(),
                    _ => format!("\"{text}\" is not a number of tasks; type 1 or more"),
                })?;
            if from_queue {
                let queue = state.queues.get(&stage);
                let rows = queue.map(|q| q.chosen(n)).unwrap_or_default();
                return Ok(ui.run_or_ask(Source::Tasks(stage, rows), None, state));
            }
            Ok(ui.run_or_ask(Source::Stages(vec![stage]), Some(n), state))
        }
        Of::Rate => {
            let rate = positive(
                text,
                "a rate; type requests per second, or nothing for no limit",
            )?;
            Ok(vec![Command::Rate(rate)])
        }
        Of::Timeout => {
            let seconds = positive(
                text,
                "a time; type seconds, or nothing for the agents' own limits",
            )?;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            // seven characters at most, checked to be positive
            let ms = seconds.map(|seconds| (seconds * 1000.0).ceil() as u64);
            Ok(vec![Command::Timeout(ms)])
        }
        Of::Frame { count } => {
            let frame = text.parse::<u64>().ok().filter(|frame| *frame < count);
            let frame = frame.ok_or_else(|| {
                format!("\"{text}\" is not a frame here; type 0 to {}", count - 1)
            })?;
            Ok(ui.go_frame(FrameStep::To(frame)))
        }
    }
}

/// A positive number; `None` when nothing is typed.
fn positive(text: &str, what: &str) -> Result<Option<f64>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let number = text.parse::<f64>().ok();
    match number.filter(|n| *n > 0.0 && n.is_finite()) {
        Some(number) => Ok(Some(number)),
        None => Err(format!("\"{text}\" is not {what}")),
    }
}

/// Title, unit, a note beside it, and the limit in use or what a run does.
fn words(of: Of, state: &State) -> (String, &'static str, &'static str, String) {
    match of {
        Of::Tasks { stage, from_queue } => {
            let live = state.writes_at_once();
            let title = format!(
                "{} how many of {}?",
                if live { "LIVE: run" } else { "Dry-run" },
                fit(state.stage_title(stage), 20)
            );
            let order = if from_queue {
                "the first in the order and filter of the queue"
            } else {
                "the first as the platform lists them"
            };
            let what = if live {
                "asks before it writes"
            } else {
                "every write is held; nothing is sent"
            };
            (title, "tasks", order, what.to_owned())
        }
        Of::Rate => {
            let now = state.rate.map_or_else(
                || "now: no limit".to_owned(),
                |rate| format!("now: {rate} a second"),
            );
            (
                "How many requests a second?".into(),
                "a second",
                "empty: no limit",
                format!("{now}; applies immediately, to every request"),
            )
        }
        Of::Timeout => {
            let limit = state.run.as_ref().filter(|r| !r.is_over());
            let now = limit.and_then(wb_core::run::Run::limit_ms);
            let now = now
                .or(state.typed_timeout_ms)
                .or(state.options.timeout_ms)
                .map_or_else(
                    || "now: the agents' own limits".to_owned(),
                    |ms| format!("now: {}", limit_word(Some(ms))),
                );
            (
                "How long may one attempt take?".into(),
                "seconds",
                "empty: the agents' own limits",
                format!("{now}; applies from the next attempt on"),
            )
        }
        Of::Frame { count } => (
            "Which frame?".into(),
            "the frame",
            "counted from 0, as in labels",
            format!("the last one is {}", count.saturating_sub(1)),
        ),
    }
}
