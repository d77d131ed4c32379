//! A text with its labelled ranges marked, a page of lines at a time.

use super::store::TextFile;
use crate::text::{clean, width};
use crate::theme::Styles;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use wb_core::marks::RangeMark;

/// Marks the ranges and wraps the lines. A range stands in brackets behind its sign and its name, so that it is
/// recognised without colours; also gives the first line with a range that changes, or else with any.
pub fn lines_of(
    file: &TextFile,
    marks: &[RangeMark],
    columns: usize,
    st: &Styles,
) -> (Vec<Line<'static>>, usize) {
    let mut page = TextLines::new(columns.max(8));
    let mut open: Vec<&RangeMark> = Vec::new();
    let mut marks = marks.iter().peekable();
    for (place, letter) in (0u64..).zip(file.text.chars()) {
        while let Some(at) = open.iter().position(|mark| mark.to <= place) {
            let mark = open.remove(at);
            page.word("]", name_style(mark, st));
        }
        while let Some(mark) = marks.next_if(|mark| mark.from <= place) {
            page.begin(mark);
            let sign = if mark.sign == ' ' { "" } else { sign_of(mark) };
            page.word(
                &format!("[{sign}{}: ", clean(&mark.name)),
                name_style(mark, st),
            );
            open.push(mark);
        }
        match letter {
            '\n' => page.end_line(),
            '\r' => {}
            '\t' => page.word("    ", Style::new()),
            letter => page.letter(letter, open.last().map_or(st.text, |mark| inside(mark, st))),
        }
    }
    for mark in open {
        page.word("]", name_style(mark, st));
    }
    page.end_line();
    let first = page.changed.or(page.labelled).unwrap_or(0);
    (page.lines, first)
}

const fn sign_of(mark: &RangeMark) -> &'static str {
    match (mark.sign, mark.was) {
        ('~', true) => "was ",
        ('+', _) => "+ ",
        ('~', _) => "~ ",
        _ => "- ",
    }
}

fn name_style(mark: &RangeMark, st: &Styles) -> Style {
    st.sign(mark.sign).add_modifier(Modifier::BOLD)
}

fn inside(mark: &RangeMark, st: &Styles) -> Style {
    let style = st.sign(mark.sign);
    match mark.was {
        true => style.add_modifier(Modifier::CROSSED_OUT),
        false => style.add_modifier(Modifier::UNDERLINED),
    }
}

/// Lines as they fill.
struct TextLines {
    columns: usize,
    lines: Vec<Line<'static>>,
    spans: Vec<Span<'static>>,
    run: (String, Style),
    used: usize,
    changed: Option<usize>,
    labelled: Option<usize>,
}

impl TextLines {
    fn new(columns: usize) -> Self {
        Self {
            columns,
            lines: Vec::new(),
            spans: Vec::new(),
            run: (String::new(), Style::new()),
            used: 0,
            changed: None,
            labelled: None,
        }
    }

    fn begin(&mut self, mark: &RangeMark) {
        // A full line is ended by the next letter.
        let here = self.lines.len() + usize::from(self.used >= self.columns);
        self.labelled.get_or_insert(here);
        if mark.sign != ' ' {
            self.changed.get_or_insert(here);
        }
    }

    fn word(&mut self, text: &str, style: Style) {
        text.chars().for_each(|letter| self.letter(letter, style));
    }

    fn letter(&mut self, letter: char, style: Style) {
        let text = letter.to_string();
        let text = clean(&text);
        let w = width(&text);
        if self.used + w > self.columns {
            self.end_line();
        }
        if self.run.1 != style {
            self.end_run();
            self.run.1 = style;
        }
        self.run.0.push_str(&text);
        self.used += w;
    }

    fn end_run(&mut self) {
        let text = std::mem::take(&mut self.run.0);
        if !text.is_empty() {
            self.spans.push(Span::styled(text, self.run.1));
        }
    }

    fn end_line(&mut self) {
        self.end_run();
        self.lines.push(Line::from(std::mem::take(&mut self.spans)));
        self.used = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(sign: char, was: bool, from: u64, to: u64) -> RangeMark {
        RangeMark {
            hash: String::new(),
            name: "Plate".to_owned(),
            sign,
            was,
            from,
            to,
        }
    }

    fn drawn(text: &str, marks: &[RangeMark], columns: usize) -> (Vec<String>, usize) {
        let file = TextFile { text: text.into() };
        let (lines, first) = lines_of(&file, marks, columns, &Styles::default());
        (lines.iter().map(Line::to_string).collect(), first)
    }

    #[test]
    fn ranges_are_marked_where_they_are() {
        let marks = [
            mark('~', true, 4, 6),
            mark('~', false, 4, 8),
            mark('+', false, 11, 14),
        ];
        let (lines, first) = drawn("car AB-1\nand XYZ", &marks, 60);
        assert_eq!(
            lines,
            ["car [was Plate: [~ Plate: AB]-1]", "an[+ Plate: d X]YZ"]
        );
        assert_eq!(first, 0);
    }

    #[test]
    fn lines_are_wrapped_and_controls_never_reach_the_screen() {
        let (lines, first) = drawn(
            "0123456789ab\r\n\u{1b}[31mred",
            &[mark(' ', false, 10, 12)],
            10,
        );
        assert_eq!(first, 1);
        assert_eq!(lines[0], "0123456789");
        assert_eq!(lines[1], "[Plate: ab");
        assert!(
            lines.iter().all(|line| !line.contains('\u{1b}')),
            "{lines:?}"
        );
    }
}
