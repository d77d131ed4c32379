//! The runs without a screen of this folder, a line for each above what the screen itself runs.

use crate::Ui;
use crate::text::{clean, number};
use crate::widgets;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use wb_core::background::{BackgroundRun, BackgroundState};
use wb_core::state::State;

/// Lines of them at most.
const MOST: usize = 3;

/// The oldest of them in a few words, for the header.
#[allow(clippy::cast_precision_loss)] // a percentage
pub fn background_word(ui: &Ui, state: &State) -> Option<(String, Style)> {
    let run = state.background.first().filter(|_| !ui.room.tiny())?;
    let percent = run
        .all
        .filter(|all| *all > 0)
        .map_or_else(String::new, |all| {
            format!(" {:.0}%", (run.done as f64 * 100.0 / all as f64).min(100.0))
        });
    let text = match ui.room.w {
        140.. => format!("{}{percent}", run.name()),
        _ => format!("run #{}{percent}", run.run),
    };
    Some((text, ui.st.accent))
}

/// Draws the lines; gives the room below.
pub fn draw(ui: &Ui, buf: &mut Buffer, area: Rect, state: &State) -> Rect {
    let n = state.background.len().min(MOST);
    let height = Constraint::Length(u16::try_from(n).unwrap_or(0));
    let [top, rest] = Layout::vertical([height, Constraint::Fill(1)]).areas(area);
    let lines: Vec<Line<'_>> = state
        .background
        .iter()
        .take(n)
        .map(|run| line(ui, run))
        .collect();
    widgets::lines(buf, top, &lines, 0);
    rest
}

fn line<'a>(ui: &Ui, run: &BackgroundRun) -> Line<'a> {
    let mut line = Line::from(vec![
        Span::styled(" ▶ ", ui.st.accent),
        Span::styled(sentence(run), ui.st.text),
    ]);
    if run.state == BackgroundState::Running {
        let stops = ui.keyed_line("  {key:StopBackground} stops it");
        line.spans.extend(stops.spans);
    }
    line
}

/// `run #18 in the background · Agent 1 · 4,120 of 10,000 · 31/s · 2 failed`
pub fn sentence(run: &BackgroundRun) -> String {
    let (name, stage, progress) = (run.name(), clean(&run.stage), run.progress());
    let mut text = format!("{name} · {stage} · {progress} · {:.0}/s", run.rate);
    if run.failed > 0 {
        text.push_str(&format!(" · {} failed", number(run.failed)));
    }
    if run.state == BackgroundState::Stopping {
        text.push_str(" · stopping");
    }
    text
}
