//! A sound over time: its loudness, and below it a bar for each labelled range.

use super::store::Sound;
use crate::text::{clean, fit, width};
use crate::theme::Styles;
use crate::widgets::wrapped;
use ratatui::text::{Line, Span};
use wb_core::marks::RangeMark;

/// Rows of the waveform at most.
const ROWS: usize = 8;

/// What is drawn: the waveform or why there is none, the time axis, a row for each range.
pub fn lines_of(
    sound: &Sound,
    marks: &[RangeMark],
    (columns, rows): (usize, usize),
    st: &Styles,
) -> Vec<Line<'static>> {
    let last = marks.iter().map(|mark| mark.to).max().unwrap_or(0);
    let length = sound.ms.max(last).max(1);
    let high = (rows / 3).clamp(1, ROWS);
    let mut all = match &sound.why {
        None => waveform(&sound.peaks, (columns, high), st),
        Some(why) => wrapped(why, columns, st.dim),
    };
    all.push(axis(length, columns, st));
    all.extend(marks.iter().map(|mark| bar(mark, length, columns, st)));
    if marks.is_empty() {
        all.push(Line::styled("no labelled ranges", st.dim));
    }
    all
}

/// Bars from the bottom up.
fn waveform(peaks: &[u8], (columns, high): (usize, usize), st: &Styles) -> Vec<Line<'static>> {
    let level = |column: usize| {
        let from = column * peaks.len() / columns.max(1);
        let to = ((column + 1) * peaks.len() / columns.max(1)).max(from + 1);
        let part = peaks.get(from..to.min(peaks.len())).unwrap_or_default();
        part.iter().copied().max().unwrap_or(0)
    };
    let rows = (0..high).rev().map(|row| {
        let filled = |column: usize| {
            let needed = (2 * row + 1) * 255 / (2 * high);
            if usize::from(level(column)) >= needed {
                '█'
            } else {
                ' '
            }
        };
        let text: String = (0..columns).map(filled).collect();
        Line::styled(text, st.accent)
    });
    rows.collect()
}

fn axis(length: u64, columns: usize, st: &Styles) -> Line<'static> {
    let (first, last) = (time(0), time(length));
    let middle = columns.saturating_sub(first.len() + last.len());
    let text = format!("{first}{}{last}", "─".repeat(middle));
    Line::styled(text, st.dim)
}

/// `0:01.200` as labels have it.
fn time(ms: u64) -> String {
    format!("{}:{:02}.{:03}", ms / 60_000, ms / 1_000 % 60, ms % 1_000)
}

/// Where the range lies, and behind it or before it what it is.
fn bar(mark: &RangeMark, length: u64, columns: usize, st: &Styles) -> Line<'static> {
    let place = |ms: u64| usize::try_from(ms * columns as u64 / length).unwrap_or(columns);
    let from = place(mark.from).min(columns.saturating_sub(1));
    let to = place(mark.to).clamp(from + 1, columns.max(from + 1));
    // What is no longer there is dashed.
    let letter = if mark.was { '╌' } else { '━' };
    let line: String = std::iter::repeat_n(letter, to - from).collect();
    let sign = if mark.sign == ' ' {
        String::new()
    } else {
        format!("{} ", mark.sign)
    };
    let last = mark.to.saturating_sub(1);
    let name = format!(
        "{sign}{} {}–{}",
        clean(&mark.name),
        time(mark.from),
        time(last)
    );
    let style = st.sign(mark.sign);
    let behind = columns.saturating_sub(to + 1);
    let before = from.saturating_sub(1);
    let spans = if width(&name) <= behind || behind >= before {
        vec![
            Span::raw(" ".repeat(from)),
            Span::styled(line, style),
            Span::styled(format!(" {}", fit(&name, behind)), style),
        ]
    } else {
        let name = fit(&name, before);
        let blank = from - width(&name);
        vec![
            Span::styled(name, style),
            Span::raw(" ".repeat(blank)),
            Span::styled(line, style),
        ]
    };
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(sign: char, was: bool, from: u64, to: u64) -> RangeMark {
        RangeMark {
            hash: String::new(),
            name: "Beep".to_owned(),
            sign,
            was,
            from,
            to,
        }
    }

    fn drawn(sound: &Sound, marks: &[RangeMark]) -> Vec<String> {
        let lines = lines_of(sound, marks, (40, 6), &Styles::default());
        let text = lines.iter().map(Line::to_string);
        text.map(|line| line.trim_end().to_owned()).collect()
    }

    #[test]
    fn a_sound_is_drawn_with_its_ranges_below_it() {
        let sound = Sound {
            ms: 2_000,
            peaks: [[0; 10], [255; 10], [100; 10], [0; 10]].concat(),
            why: None,
        };
        let marks = [mark('+', false, 0, 501), mark('-', true, 1_500, 2_000)];
        assert_eq!(
            drawn(&sound, &marks),
            [
                "          ██████████",
                "          ████████████████████",
                "0:00.000────────────────────────0:02.000",
                "━━━━━━━━━━ + Beep 0:00.000–0:00.500",
                "    - Beep 0:01.500–0:01.999  ╌╌╌╌╌╌╌╌╌╌",
            ]
            .map(|line| line.replace(
                "    - Beep 0:01.500–0:01.999  ╌",
                "- Beep 0:01.500–0:01.999      ╌"
            ))
        );
    }

    #[test]
    fn without_a_decoder_the_ranges_stand_on_a_time_axis() {
        let sound = Sound {
            ms: 0,
            peaks: Vec::new(),
            why: Some("only WAV files are read without ffmpeg".to_owned()),
        };
        let lines = drawn(&sound, &[mark(' ', false, 1_000, 4_000)]);
        assert_eq!(lines[0], "only WAV files are read without ffmpeg");
        assert_eq!(lines[1], "0:00.000────────────────────────0:04.000");
        assert!(
            lines[2].starts_with("Beep") || lines[2].contains("━━━ "),
            "{lines:?}"
        );
    }
}
