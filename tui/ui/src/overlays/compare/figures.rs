//! What was found over all tasks: the matrix of routes and the labels by class. Single tasks are left to the list.

use crate::text::{clean, fit, left, right};
use crate::theme::Styles;
use ratatui::text::{Line, Span};
use wb_core::compare::{Comparison, label_words};
use wb_core::counted::{number, plural};

/// Pairs of routes that are shown.
const ROUTES: usize = 6;

/// The matrix of routes beside the labels by class; where there is no room for both, one below the other.
pub(super) fn figures<'a>(found: &Comparison, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let (routes, classes) = (routes(found), classes(found));
    let wide = columns >= 100;
    let half = if wide { columns / 2 } else { columns };
    let style = |changed: bool| if changed { st.changed } else { st.text };
    if !wide {
        let all = routes.into_iter().chain(classes);
        return all
            .map(|(text, changed)| Line::styled(fit(&text, columns), style(changed)))
            .collect();
    }
    let rows = routes.len().max(classes.len());
    let cell = |all: &[(String, bool)], row: usize| {
        let (text, changed) = all.get(row).cloned().unwrap_or_default();
        Span::styled(left(&fit(&text, half - 2), half), style(changed))
    };
    (0..rows)
        .map(|row| Line::from(vec![cell(&routes, row), cell(&classes, row)]))
        .collect()
}

/// Pairs of routes, those that changed first.
fn routes(found: &Comparison) -> Vec<(String, bool)> {
    let mut all: Vec<(&(String, String), &usize)> = found.routes.iter().collect();
    all.sort_by_key(|((from, to), n)| (from == to, std::cmp::Reverse(**n)));
    let more = all.len().saturating_sub(ROUTES);
    let line = |((from, to), n): &(&(String, String), &usize)| {
        let text = format!("{} {} → {}", right(&number(**n), 7), clean(from), clean(to));
        (text, from != to)
    };
    let mut lines: Vec<_> = all.iter().take(ROUTES).map(line).collect();
    if more > 0 {
        lines.push((format!("        and {}", plural(more, "more pair")), false));
    }
    lines
}

/// Labels by class, those with the most differences first.
fn classes(found: &Comparison) -> Vec<(String, bool)> {
    let mut all: Vec<_> = found.classes.iter().collect();
    all.sort_by(|a, b| b.1.weight().total_cmp(&a.1.weight()));
    let line = |(name, counts): &(&String, &wb_core::compare::LabelCounts)| {
        let name = left(&fit(&clean(name), 16), 16);
        let text = format!(
            "{name} same {} {}",
            number(counts.same),
            label_words(counts)
        );
        (text.trim_end().to_owned(), counts.differing() > 0)
    };
    all.iter().take(ROUTES).map(line).collect()
}
