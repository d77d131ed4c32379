//! Untrusted text made safe, measured and cut; ages and times for people.
//!
//! Every string from outside this program passes [`clean`] before it is drawn. Widths
//! are terminal columns. Styling is left to [`crate::theme`].

use unicode_width::UnicodeWidthChar;
pub use wb_core::counted::{counted, number, plural};
use wb_core::ids::{BuildId, Millis};
pub use wb_core::text::{clean, duration};

/// `build #3`; a build of an earlier process has no number here.
pub fn build_name(build: BuildId) -> String {
    match build {
        BuildId(0) => "an earlier build".to_owned(),
        build => format!("build {build}"),
    }
}

/// Columns that a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// Bytes of a text that may be needed for so many columns. What is beyond is not looked at: a name of a megabyte costs
/// no more than one that fills its column.
fn needed(columns: usize) -> usize {
    1024 + columns * 8
}

/// The first bytes of a text, whole characters only.
fn head(text: &str, bytes: usize) -> &str {
    let boundary = |at: &usize| text.is_char_boundary(*at);
    &text[..(0..=bytes.min(text.len()))
        .rev()
        .find(boundary)
        .unwrap_or(0)]
}

/// The last bytes of a text, whole characters only.
fn tail(text: &str, bytes: usize) -> &str {
    let boundary = |at: &usize| text.is_char_boundary(*at);
    let from = text.len().saturating_sub(bytes);
    &text[(from..=text.len()).find(boundary).unwrap_or(text.len())..]
}

/// Cleans a text and cuts it at the right, with `…` when something is missing.
#[must_use]
pub fn fit(text: &str, columns: usize) -> String {
    let start = head(text, needed(columns));
    let cleaned = clean(start);
    if start.len() == text.len() && width(&cleaned) <= columns {
        return cleaned.into_owned();
    }
    let mut out = take(&cleaned, columns.saturating_sub(1));
    if columns > 0 {
        out.push('…');
    }
    out
}

/// Cleans a text and cuts it in the middle: titles of data often differ at their end only.
#[must_use]
pub fn fit_middle(text: &str, columns: usize) -> String {
    let start = head(text, needed(columns));
    let first = clean(start);
    if start.len() == text.len() && width(&first) <= columns {
        return first.into_owned();
    }
    if columns < 8 {
        return fit(text, columns);
    }
    let tail_columns = columns / 2;
    let mut out = take(&first, columns - tail_columns - 1);
    out.push('…');
    let last = clean(tail(text, needed(columns)));
    let mut skipped = width(&last);
    let end = last.char_indices().find(|(_, c)| {
        let here = skipped <= tail_columns;
        skipped -= c.width().unwrap_or(0);
        here
    });
    if let Some((at, _)) = end {
        out.push_str(&last[at..]);
    }
    out
}

fn take(text: &str, columns: usize) -> String {
    let mut used = 0;
    text.chars()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= columns
        })
        .collect()
}

/// Cut or filled with blanks to exactly this many columns, text at the left.
#[must_use]
pub fn left(text: &str, columns: usize) -> String {
    let mut out = fit(text, columns);
    out.extend(std::iter::repeat_n(' ', columns - width(&out).min(columns)));
    out
}

/// Cut or filled with blanks to exactly this many columns, text at the right.
#[must_use]
pub fn right(text: &str, columns: usize) -> String {
    let text = fit(text, columns);
    let mut out = " ".repeat(columns - width(&text).min(columns));
    out.push_str(&text);
    out
}

/// How a line goes on from the one above.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrapped {
    /// It was broken at a blank.
    AtBlank,
    /// A long word was cut.
    InWord,
}

/// Breaks a text at blanks into lines of at most so many columns; longer words are cut hard.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let lines = wrap_marked(text, columns).into_iter();
    lines.map(|(line, _)| line).collect()
}

/// The same, with how each line goes on from the one above; `None`: it is the first of a paragraph.
#[must_use]
pub fn wrap_marked(text: &str, columns: usize) -> Vec<(String, Option<Wrapped>)> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut how = None;
        for word in clean(paragraph).split_whitespace() {
            let mut word = word;
            if !line.is_empty() && width(&line) + 1 + width(word) > columns {
                lines.push((std::mem::take(&mut line), how));
                how = Some(Wrapped::AtBlank);
            }
            while width(word) > columns {
                let head = take(word, columns);
                if head.is_empty() {
                    break;
                }
                word = &word[head.len()..];
                lines.push((head, how));
                how = Some(Wrapped::InWord);
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push((line, how));
    }
    lines
}

/// A fraction with four decimals at most: `0.5`, `0.5062`.
#[must_use]
pub fn decimal(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// An age in one unit: `now`, `4s`, `12m`, `3h`, `2d`, `5w`.
#[must_use]
pub fn age(ms: u64) -> String {
    let s = ms / 1000;
    match s {
        0 => "now".into(),
        1..=59 => format!("{s}s"),
        60..=3599 => format!("{}m", s / 60),
        3600..=86_399 => format!("{}h", s / 3600),
        86_400..=1_209_599 => format!("{}d", s / 86_400),
        1_209_600..=63_071_999 => format!("{}w", s / 604_800),
        _ => format!("{}y", s / 31_536_000),
    }
}

/// The limit of one attempt, exactly; `None`: no limit.
#[must_use]
pub fn limit_word(ms: Option<u64>) -> String {
    ms.map_or_else(|| "none".to_owned(), wb_core::span::spell)
}

/// The time of day in the zone `offset_s` seconds east of UTC: `07:41:02`.
#[must_use]
pub fn clock(at: Millis, offset_s: i32) -> String {
    let s = (at.0.div_euclid(1000) + i64::from(offset_s)).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}

/// A bar of eighth blocks, `columns` wide; never empty when there is something to show.
#[must_use]
pub fn bar(part: f64, columns: usize) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )]
    let eighths = (part.clamp(0.0, 1.0) * columns as f64 * 8.0).round() as usize;
    let eighths = if part > 0.0 { eighths.max(1) } else { 0 };
    let mut out = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        out.push(EIGHTHS[eighths % 8]);
    }
    left(&out, columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_as_wide_on_screen_as_it_was_measured_whatever_stands_in_it() {
        use ratatui::buffer::Buffer;
        use ratatui::layout::Rect;
        for text in [
            "👩\u{200d}👩\u{200d}👧\u{200d}👦🚀🏳\u{fe0f}\u{200d}🌈.jpg",
            "👍\u{1f3fd} ok ❤\u{fe0f} 1\u{fe0f}\u{20e3} 🇩🇪",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "لا عربي ملف",
            "क्षि 한글 한글 e\u{301}\u{301}",
            "夜の街\u{200b}zero",
            "می\u{200c}خواهم ක\u{200d}ෂ",
        ] {
            for cut in [12, 40] {
                let mut buf = Buffer::empty(Rect::new(0, 0, 60, 1));
                buf.set_string(
                    0,
                    0,
                    format!("{}|", left(text, cut)),
                    ratatui::style::Style::new(),
                );
                assert_eq!(
                    buf[(u16::try_from(cut).unwrap(), 0)].symbol(),
                    "|",
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn cutting_counts_columns_and_never_splits_a_wide_character() {
        assert_eq!(fit("漢字漢字", 5), "漢字…");
        assert_eq!(fit("e\u{301}tude", 3), "e\u{301}t…");
        assert_eq!(left("漢", 3), "漢 ");
        assert_eq!(right("12", 4), "  12");
        assert_eq!(fit("abc", 0), "");
        assert_eq!(fit_middle("cam3_night_000414.jpg", 13), "cam3_n…14.jpg");
        for columns in 0..24 {
            assert!(width(&fit_middle("cam漢_night_字00414.jpg", columns)) <= columns);
            assert_eq!(width(&left("cam漢_night_字00414.jpg", columns)), columns);
        }
    }

    #[test]
    fn a_name_without_end_is_looked_at_no_further_than_it_is_shown() {
        let long = "漢\u{200b}字a\u{1b}[31m".repeat(100_000);
        assert_eq!(fit(&long, 6), "漢字a…");
        assert_eq!(fit_middle(&long, 12), "漢字a…a漢字a");
        // Marks that stack on one letter fill no column, and are not drawn by the thousand.
        let stacked = format!("e{}", "\u{301}".repeat(100_000));
        assert!(fit(&stacked, 20).len() < 2048);
        assert!(fit(&stacked, 20).ends_with('…'));
        for columns in 0..24 {
            assert!(width(&fit_middle(&stacked, columns)) <= columns);
        }
    }

    #[test]
    fn figures_read_as_people_write_them() {
        assert_eq!(
            (age(400), age(61_000), age(3 * 86_400_000)),
            ("now".into(), "1m".into(), "3d".into())
        );
        assert_eq!(
            (decimal(0.5), decimal(1.0), decimal(0.506_213)),
            ("0.5".into(), "1".into(), "0.5062".into())
        );
        assert_eq!(duration(0.06), "60 µs");
        assert_eq!(duration(8000.0), "8.0 s");
        assert_eq!(clock(Millis(0), 3600), "01:00:00");
        assert_eq!(clock(Millis(-1000), 0), "23:59:59");
    }

    #[test]
    fn a_bar_shows_the_smallest_part_and_never_overflows() {
        assert_eq!(bar(0.0, 4), "    ");
        assert_eq!(bar(0.0001, 4), "▏   ");
        assert_eq!(bar(0.5, 4), "██  ");
        assert_eq!(width(&bar(7.0, 4)), 4);
    }

    #[test]
    fn wrapping_keeps_every_word() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("a\n\nb", 4), ["a", "", "b"]);
    }
}
