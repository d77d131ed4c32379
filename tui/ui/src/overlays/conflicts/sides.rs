//! One conflict in lines: who changed the row, each label as the agent read it, theirs and ours, and where
//! ours would send the task.

use crate::text::{clean, fit};
use crate::theme::Styles;
use crate::widgets::wrapped;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use wb_core::state::{Conflict, State, Theirs};
use wb_core::work::{LabelChange, Route};

/// Who changed the row, then each label that differs in its three versions, then our route.
pub(super) fn sides<'a>(
    conflict: &Conflict,
    state: &State,
    columns: usize,
    st: &Styles,
) -> Vec<Line<'a>> {
    let mut all: Vec<Line<'a>> = wrapped(&conflict.by, columns, st.warn);
    all.push(Line::default());
    let ours = &conflict.ours.outcome.patch.labels;
    match &conflict.theirs {
        Theirs::Unasked => all.push(Line::styled("Their version has not been read yet.", st.dim)),
        Theirs::Asked => all.push(Line::styled("… reading their version", st.dim)),
        Theirs::Failed(error) => {
            let text = format!("Their version cannot be read: {}", error.summary);
            all.extend(wrapped(&text, columns, st.bad));
        }
        Theirs::Known(theirs) => {
            if theirs.is_empty() {
                let text =
                    "Their labels are what the agent saw: something else in the row changed.";
                all.extend(wrapped(text, columns, st.dim));
            }
            let only_theirs = theirs
                .iter()
                .filter(|t| !ours.iter().any(|o| o.hash == t.hash));
            for label in ours.iter().chain(only_theirs) {
                let find =
                    |side: &[LabelChange]| side.iter().find(|c| c.hash == label.hash).cloned();
                all.extend(label_sides(find(theirs), find(ours), columns, st));
            }
        }
    }
    all.push(Line::default());
    let route = match &conflict.ours.outcome.way {
        Route::Stay => "Ours: the task stays.".to_owned(),
        Route::Pathway { name, to, .. } => {
            let to = clean(state.stage_title(*to)).into_owned();
            format!("Ours: through {} to {to}.", clean(name))
        }
        Route::Stage { title, .. } => format!("Ours: without a pathway to {}.", clean(title)),
    };
    all.push(Line::styled(fit(&route, columns), st.dim));
    all
}

/// One label in three versions: as the agent read it, theirs now, ours.
fn label_sides<'a>(
    theirs: Option<LabelChange>,
    ours: Option<LabelChange>,
    columns: usize,
    st: &Styles,
) -> Vec<Line<'a>> {
    let Some(any) = theirs.as_ref().or(ours.as_ref()) else {
        return Vec::new();
    };
    let saw = match any.sign {
        '+' => "not there".to_owned(),
        '~' => any.sides().0.to_owned(),
        _ => any.detail.clone(),
    };
    let same =
        theirs.as_ref().map(|t| (&t.detail, t.sign)) == ours.as_ref().map(|o| (&o.detail, o.sign));
    let side = |change: Option<&LabelChange>| match change {
        None => ("= as it was".to_owned(), st.dim),
        Some(c) => {
            let detail = if c.sign == '~' {
                c.sides().1
            } else {
                &c.detail
            };
            let style: Style = match c.sign {
                '+' => st.added,
                '-' => st.removed,
                _ => st.changed,
            };
            (format!("{} {detail}", c.sign), style)
        }
    };
    let room = columns.saturating_sub(10);
    let line = |name: &'static str, text: &str, style| {
        Line::from(vec![
            Span::styled(format!("  {name:<7} "), st.dim),
            Span::styled(fit(text, room), style),
        ])
    };
    let head = format!("{} #{}", any.name, any.hash);
    let (their_text, their_style) = side(theirs.as_ref());
    let (our_text, our_style) = side(ours.as_ref());
    let our_text = if same {
        format!("{our_text}  (the same)")
    } else {
        our_text
    };
    vec![
        Line::styled(fit(&head, columns), st.strong),
        line("saw", &saw, st.text),
        line("theirs", &their_text, their_style),
        line("ours", &our_text, our_style),
    ]
}
