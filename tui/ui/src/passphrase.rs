//! The question for the passphrase of a key, asked before a connection, and with it a [`State`], exists.
//!
//! Reading what is typed, and waiting for it, is left to the binary: nothing here ever has the passphrase.
//!
//! [`State`]: wb_core::state::State

use crate::frames::bright;
use crate::text::{clean, fit_middle};
use crate::theme::Styles;
use crate::widgets::{self, centred, lines, padded};
use ratatui::Frame;
use ratatui::text::{Line, Span};

/// Columns and rows of the question.
const SIZE: (u16, u16) = (72, 11);

/// What is asked, and how much is typed.
pub struct PassphraseView<'a> {
    /// Variable or path of the key.
    pub place: &'a str,
    /// `SHA256:…` of its public half.
    pub fingerprint: &'a str,
    /// 1, then 2 and 3 after wrong ones.
    pub attempt: u32,
    /// Characters that are typed.
    pub typed: usize,
    /// Whether the terminal draws Unicode.
    pub unicode: bool,
}

/// Draws the question in the middle of the screen.
pub fn draw(frame: &mut Frame<'_>, st: &Styles, view: &PassphraseView<'_>) {
    let area = frame.area();
    let buf = frame.buffer_mut();
    buf.set_style(area, st.text);
    let place = centred(area, SIZE.0, SIZE.1);
    let inner = bright(buf, place, "Passphrase", "", st);
    let inner = padded(inner);
    let columns = usize::from(inner.width);
    let shown = view.typed.min(columns.saturating_sub(13));
    let wrong = match view.attempt {
        1 => Line::default(),
        n => Line::styled(format!("Wrong passphrase. Attempt {n} of 3."), st.bad),
    };
    let all = [
        Line::default(),
        Line::raw("This key is protected by a passphrase:"),
        Line::styled(fit_middle(&clean(view.place), columns), st.strong),
        Line::styled(format!("Ed25519 {}", view.fingerprint), st.dim),
        Line::default(),
        Line::from(vec![
            Span::raw("Passphrase: "),
            Span::styled("•".repeat(shown), st.strong),
            Span::styled(" ", st.selected),
        ]),
        wrong,
        Line::default(),
        Line::styled("Enter opens the key      Esc quits", st.dim),
    ];
    lines(buf, inner, &all, 0);
    widgets::guard(buf);
    if !view.unicode {
        widgets::to_ascii(buf);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Theme;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn screen(w: u16, h: u16, attempt: u32, typed: usize) -> String {
        let mut terminal = Terminal::new(TestBackend::new(w, h)).unwrap();
        let view = PassphraseView {
            place: "/home/me/.ssh/id_\u{1b}[31med25519",
            fingerprint: "SHA256:lbmsoA0yIEcEiVDRnMWuzm+nV+3ZEEpVIURqFoeSspg",
            attempt,
            typed,
            unicode: true,
        };
        let drawn = terminal.draw(|frame| draw(frame, &Theme::Dark.styles(), &view));
        drawn.unwrap();
        format!("{}", terminal.backend())
    }

    #[test]
    fn the_question_names_the_key_and_shows_no_character() {
        let first = screen(80, 24, 1, 6);
        assert!(first.contains("Passphrase: •••••• "), "{first}");
        assert!(
            first.contains("SHA256:lbmsoA0yIEcEiVDRnMWuzm+nV+3ZEEpVIURqFoeSspg"),
            "{first}"
        );
        assert!(
            first.contains(".ssh/id_") && !first.contains('\u{1b}'),
            "{first}"
        );
        assert!(!first.contains("Wrong"), "{first}");
        let second = screen(80, 24, 2, 0);
        assert!(
            second.contains("Wrong passphrase. Attempt 2 of 3."),
            "{second}"
        );
        // A long one ends before the border, and a small terminal does not panic.
        assert!(screen(80, 24, 1, 500).contains("•  │"));
        for (w, h) in [(20, 5), (1, 1), (40, 10)] {
            screen(w, h, 2, 10);
        }
    }
}
