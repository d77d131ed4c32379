//! The errors of a build: a list of them with the whole of the chosen one below, coloured as the compiler does.

use super::moved;
use crate::actions::Action;
use crate::layer::Handled;
use crate::text::{clean, fit};
use crate::theme::Styles;
use ratatui::text::{Line, Span};
use wb_core::code_place::CodePlace;
use wb_core::event::CompileFailure;

/// Columns of a line of the compiler that may be searched.
const WIDE: usize = 2000;

/// The chosen error.
#[derive(Default)]
pub struct ErrorCursor {
    at: usize,
}

impl ErrorCursor {
    /// Up and down choose another error where there are several.
    pub fn on(&mut self, action: Action, failure: Option<&CompileFailure>) -> Handled {
        let count = failure.map_or(0, |failure| failure.errors.len());
        match action {
            Action::Up | Action::Down if count > 1 => {
                self.at = moved(self.at, action, 1).min(count - 1);
                Handled::done()
            }
            _ => Handled::No,
        }
    }

    /// Which error is chosen.
    pub const fn at(&self) -> usize {
        self.at
    }

    /// Where the chosen error is.
    pub fn place(&self, failure: &CompileFailure) -> Option<CodePlace> {
        let chosen = failure.errors.get(self.at).map(|error| &error.short);
        CodePlace::read(chosen.or(failure.first.as_ref())?)
    }

    /// The list and the chosen error; where nothing is listed, all that was reported, the first error at the top.
    pub fn lines(
        &self,
        failure: &CompileFailure,
        columns: usize,
        st: &Styles,
    ) -> Vec<Line<'static>> {
        let at = self.at.min(failure.errors.len().saturating_sub(1));
        let Some(chosen) = failure.errors.get(at) else {
            return messages(&failure.messages, WIDE, st);
        };
        let mut all = Vec::new();
        if failure.errors.len() > 1 {
            for (place, error) in failure.errors.iter().enumerate() {
                let here = place == at;
                let text = fit(&clean(&error.short), columns.saturating_sub(3));
                all.push(Line::from(vec![
                    Span::styled(if here { "▌ " } else { "  " }, st.accent),
                    Span::styled(text, if here { st.strong } else { st.text }),
                ]));
            }
            all.push(Line::default());
        }
        all.extend(chosen.rendered.lines().map(|line| coloured(line, WIDE, st)));
        all
    }
}

/// What compiler and cargo reported, the first error at the top.
pub fn messages(text: &str, columns: usize, st: &Styles) -> Vec<Line<'static>> {
    let all: Vec<&str> = text.lines().collect();
    let is_error = |line: &&str| clean(line).starts_with("error");
    let first = all.iter().position(is_error).unwrap_or(0);
    let lines = all[first..].iter().chain(&all[..first]);
    lines.map(|line| coloured(line, columns, st)).collect()
}

/// A line of a compiler's message: its level, its place, and what it underlines have colours of their own.
fn coloured(line: &str, columns: usize, st: &Styles) -> Line<'static> {
    let text = fit(&clean(line), columns.saturating_sub(2));
    let indent = Span::raw("  ");
    let bare = text.trim_start();
    for (word, style) in [("error", st.bad), ("warning", st.warn)] {
        if text.starts_with(word) {
            return Line::from(vec![indent, Span::styled(text, style)]);
        }
    }
    if bare.starts_with("--> ") || bare.starts_with("::: ") {
        return Line::from(vec![indent, Span::styled(text, st.accent)]);
    }
    // ` 88 |     Route::to(3)`, `    |               ^ expected`, `    = note: …`
    let number = bare
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .trim_start();
    let Some(rest) = number.strip_prefix(['|', '=']) else {
        return Line::from(vec![indent, Span::raw(text)]);
    };
    let margin = text[..text.len() - rest.len()].to_owned();
    let marks = rest.trim_start();
    let style = match marks.chars().next() {
        Some('^') => st.bad,
        Some('-' | '+' | '~') if number.starts_with('|') => st.accent,
        _ if number.starts_with('=') => st.dim,
        _ => st.text,
    };
    Line::from(vec![
        indent,
        Span::styled(margin, st.dim),
        Span::styled(rest.to_owned(), style),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Theme;

    #[test]
    fn the_caret_and_its_text_have_the_colour_of_the_error() {
        let st = Theme::Dark.styles();
        for (line, wanted) in [
            ("error[E0308]: mismatched types", st.bad),
            ("warning: unused variable", st.warn),
            ("  --> src/prelabel.rs:88:18", st.accent),
            ("88 |     Route::to(3)", st.text),
            ("   |               ^ expected `&str`", st.bad),
            ("   |     --------- arguments to this function", st.accent),
            ("   = note: expected reference", st.dim),
        ] {
            let drawn = coloured(line, 80, &st);
            assert_eq!(drawn.spans.last().unwrap().style, wanted, "{line}");
            assert_eq!(drawn.to_string(), format!("  {line}"));
        }
    }
}
