//! Questions. What writes is answered by `y` and nothing else; Enter never confirms a write, a
//! repeated key neither. In a protected project the answer is its title, typed in full. Numbers are
//! left to [`super::number`].

mod words;

use super::Overlay;
use crate::text::{fit, wrap};
use crate::widgets::{centred, lines, overlay};
use crate::{Screen, Ui, keys};
use crossterm::event::{KeyEvent, KeyEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use wb_core::command::{Command, Verb};
use wb_core::ids::{StageId, TaskId};
use wb_core::run::{OnConflict, RunSpec};
use wb_core::state::State;
use wb_core::twin;
use wb_core::work::TaskRow;
use words::words;

/// What is asked.
pub enum Ask {
    /// Write these outcomes.
    Commit(Vec<TaskId>),
    /// Write every batch as it finishes, from now on.
    Live,
    /// Leave although something runs or is held.
    Quit,
    /// Start this run.
    Run(Box<RunSpec>),
    /// Run failed tasks of a stage again and write them.
    Retry(StageId, Vec<TaskRow>),
    /// Throw held outcomes away.
    Drop(Vec<TaskId>),
    /// Write our labels over somebody else's.
    Overwrite(Vec<TaskId>),
    /// Take an operation back.
    Undo(i64),
    /// Finish what interrupted commands had begun to write.
    Finish,
}

impl Ask {
    /// Whether the answer yes lets something be written.
    const fn writes(&self) -> bool {
        matches!(
            self,
            Self::Commit(_) | Self::Live | Self::Overwrite(_) | Self::Undo(_) | Self::Finish
        )
    }

    /// The words of the command that does in a shell what yes does here.
    pub fn twin(&self, state: &State) -> Option<Vec<String>> {
        match self {
            Self::Commit(tasks) => Some(twin::commit(state, tasks, false)),
            Self::Overwrite(tasks) => Some(twin::commit(state, tasks, true)),
            Self::Undo(op) => Some(twin::undo(state, *op)),
            Self::Finish => Some(twin::resume(state)),
            Self::Run(spec) => {
                let live = state.live && !state.options.read_only;
                Some(twin::run(state, spec, live))
            }
            Self::Live | Self::Quit | Self::Retry(..) | Self::Drop(_) => None,
        }
    }

    fn command(self) -> Command {
        match self {
            Self::Commit(tasks) => Command::Commit(tasks),
            Self::Live => Command::Live(true),
            Self::Quit => Command::Quit,
            Self::Drop(tasks) => Command::Drop(tasks),
            Self::Run(spec) => Command::Run(spec),
            Self::Retry(stage, rows) => Command::Retry { stage, rows },
            Self::Overwrite(tasks) => Command::Resolve {
                tasks,
                how: OnConflict::Overwrite,
            },
            Self::Undo(op) => Command::Undo(op),
            Self::Finish => Command::Finish,
        }
    }
}

/// A question, and the title of a protected project as far as it is typed.
pub struct Question {
    pub ask: Ask,
    /// There when the title is the answer.
    pub title: Option<keys::Line>,
}

impl Question {
    /// Asks; what writes to a protected project wants its title typed.
    pub fn new(ask: Ask, state: &State) -> Self {
        let title = (ask.writes() && state.wants_title()).then(keys::Line::default);
        Self { ask, title }
    }
}

pub fn on_key(
    ui: &mut Ui,
    mut question: Question,
    key: &KeyEvent,
    name: &str,
    state: &State,
) -> Vec<Command> {
    if let Some(line) = &mut question.title {
        match name {
            "Esc" => return Vec::new(),
            "Enter" if key.kind == KeyEventKind::Press => {
                let title = line.text.clone();
                if is_title(&title, state) {
                    let then = Box::new(yes(ui, question.ask));
                    return vec![Command::Confirm { title, then }];
                }
                ui.notice = Some("that is not the project's title; nothing was written".into());
            }
            _ => {
                line.key(key);
            }
        }
        ui.overlays.push(Overlay::Ask(question));
        return Vec::new();
    }
    match name {
        "y" if key.kind == KeyEventKind::Press => vec![yes(ui, question.ask)],
        "n" | "Esc" | "q" => Vec::new(),
        "Y" => {
            ui.overlays.push(Overlay::Ask(question));
            ui.copy(Verb::CopyCommand, state);
            Vec::new()
        }
        _ => {
            ui.overlays.push(Overlay::Ask(question));
            Vec::new()
        }
    }
}

fn is_title(typed: &str, state: &State) -> bool {
    let title = state.project.as_ref().map(|p| p.title.trim());
    title == Some(typed.trim())
}

fn yes(ui: &mut Ui, ask: Ask) -> Command {
    if matches!(ask, Ask::Run(_) | Ask::Retry(..)) {
        ui.overlays.clear();
        ui.screen = Screen::Run;
    }
    ask.command()
}

pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, question: &Question, state: &State) {
    let st = ui.st;
    let (title, text, yes, no) = words(&question.ask, state);
    let columns = area.width.saturating_sub(4).min(72);
    let inside = usize::from(columns).saturating_sub(6);
    let mut all = vec![Line::default()];
    for part in text {
        let indent = if part.starts_with('•') { "  " } else { "" };
        for (i, t) in wrap(&part, inside).into_iter().enumerate() {
            all.push(Line::from(format!(
                "  {}{t}",
                if i == 0 { "" } else { indent }
            )));
        }
    }
    all.push(Line::default());
    match &question.title {
        Some(line) => all.extend(title_lines(line, yes, no, inside, state, &st)),
        None => all.push(Line::from(vec![
            Span::raw("  "),
            Span::styled("y", st.key),
            Span::raw(format!(" {yes}      ")),
            Span::styled("n", st.key),
            Span::raw(format!(" {no}")),
        ])),
    }
    let height = u16::try_from(all.len() + 2).unwrap_or(u16::MAX);
    let place = centred(area, columns, height);
    let title = fit(&title, usize::from(columns).saturating_sub(6));
    let inner = overlay(buf, place, &title, "", &st);
    lines(
        buf,
        inner,
        &all,
        all.len().saturating_sub(usize::from(inner.height)),
    );
}

/// The line in which the title of a protected project is typed.
fn title_lines<'a>(
    line: &keys::Line,
    yes: &'static str,
    no: &'static str,
    columns: usize,
    state: &State,
    st: &crate::theme::Styles,
) -> Vec<Line<'a>> {
    let project = state.project.as_ref().map_or("", |p| p.title.as_str());
    let (before, under, after) = line.parts();
    let under = if under.is_empty() { " " } else { under };
    let (enter, style) = if is_title(&line.text, state) {
        (format!(" {yes}      "), st.key)
    } else {
        (" when the title is there      ".to_owned(), st.dim)
    };
    let ask = format!("This project is PROTECTED. Type its title to {yes}:");
    let mut all: Vec<Line<'a>> = wrap(&ask, columns)
        .into_iter()
        .map(|t| Line::styled(format!("  {t}"), st.warn))
        .collect();
    all.push(Line::styled(format!("  {}", fit(project, columns)), st.dim));
    all.push(Line::from(vec![
        Span::raw("  "),
        Span::styled(before.to_owned(), st.strong),
        Span::styled(under.to_owned(), st.strong.add_modifier(Modifier::REVERSED)),
        Span::styled(after.to_owned(), st.strong),
    ]));
    all.push(Line::default());
    all.push(Line::from(vec![
        Span::raw("  "),
        Span::styled("enter", style),
        Span::raw(enter),
        Span::styled("esc", st.key),
        Span::raw(format!(" {no}")),
    ]));
    all
}
