//! Draws the review: groups or tasks at the left, the patch at the right, what will be sent below.

use super::*;
use crate::Ui;
use crate::frames::{foot_of, list_and_details};
use crate::linear_text::{COLUMNS, PAGE, numbered, text, texts};
use crate::panes::PaneName;
use crate::picture::Subject;
use crate::screens::task::patch;
use crate::text::{clean, counted, fit, fit_middle, left, number, plural, right};
use crate::theme::Styles;
use crate::widgets::{lines, list, padded};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Margin, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use wb_core::state::{CommitState, State};

pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &mut Review, state: &State) {
    pane.follow(state);
    let title = format!("Review: {} held", plural(state.held.len(), "outcome"));
    let title = (&*title, "nothing is sent before you commit");
    let room = padded(area.inner(Margin::new(1, 1)));
    let foot = footer(ui, pane, state, usize::from(room.width));
    let foot_h = u16::try_from(foot.len()).unwrap_or(0).min(room.height / 2);
    if pane.groups.is_empty() {
        let inner = ui.overlay(buf, area, title);
        let foot_h = Constraint::Length(foot_h);
        let [body, below] = Layout::vertical([Constraint::Fill(1), foot_h]).areas(padded(inner));
        lines(buf, below, &foot, 0);
        let all = [
            Line::default(),
            Line::from(" Nothing is held."),
            Line::default(),
            ui.keyed_line(" {key:Accept} on the Task screen holds an outcome;"),
            ui.keyed_line(" {key:RunSome} on Flow and {key:RunMarked} on Queue dry-run tasks and hold all outcomes."),
        ];
        lines(buf, body, &all, 0);
        return;
    }
    let inner = ui.overlay_of_panes(buf, area, title);
    let [body, below] = foot_of(inner, foot_h);
    if let Some(below) = ui.panes.place(PaneName::Still, below) {
        let inner = ui.pane(buf, PaneName::Still, below, ("", ""));
        lines(buf, padded(inner), &foot, 0);
    }
    let rows = (body.height / 2).max(4).min(body.height);
    let [list, beside] = list_and_details(body, ui.room.narrow(), rows, body.width * 12 / 25);
    draw_list(ui, buf, list, pane, state);
    details(ui, buf, beside, pane, state);
}

/// The same in lines, for linear mode.
pub fn lines_of(ui: &Ui, pane: &mut Review, state: &State) -> Vec<String> {
    pane.follow(state);
    let held = plural(state.held.len(), "outcome");
    let mut all = vec![format!(
        "Review: {held} held; nothing is sent before you commit."
    )];
    let Some(group) = pane.groups.get(pane.at) else {
        all.extend(footer(ui, pane, state, COLUMNS).iter().map(text));
        return all;
    };
    match pane.inside {
        Some(at) => {
            all.push(format!(
                "{} at {}:",
                group.name,
                clean(state.stage_title(group.stage))
            ));
            let first = at / PAGE * PAGE;
            let last = (first + PAGE).min(group.tasks.len());
            let row = |place| text(&task_line(group, place, state, COLUMNS, &ui.st));
            all.extend((first..last).map(|place| numbered(place, row(place))));
            let task = pane.task().and_then(|task| state.held.get(&task));
            if let Some(held) = task {
                all.push(format!("{}:", clean(&held.inputs.row.title)));
                let patch = patch(&held.outcome, state, COLUMNS, &ui.st);
                all.extend(texts(&patch));
            }
        }
        None => {
            let rows = pane.groups.iter().enumerate();
            all.extend(rows.map(|(place, group)| {
                numbered(place, text(&group_line(group, state, COLUMNS, &ui.st)))
            }));
            all.push("[x] is selected for the commit.".into());
        }
    }
    all.extend(footer(ui, pane, state, COLUMNS).iter().map(text));
    all
}

fn draw_list(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &mut Review, state: &State) {
    let Some(area) = ui.panes.place(PaneName::Main, area) else {
        return;
    };
    let st = ui.st;
    let group = &pane.groups[pane.at];
    let (title, count, at) = match pane.inside {
        Some(place) => (
            format!(
                "{} at {}",
                group.name,
                clean(state.stage_title(group.stage))
            ),
            group.tasks.len(),
            place,
        ),
        None => ("By outcome".to_owned(), pane.groups.len(), pane.at),
    };
    let position = if pane.inside.is_some() {
        format!("{}/{}", number(at + 1), number(count))
    } else {
        String::new()
    };
    let inner = ui.pane(buf, PaneName::Main, area, (&title, &position));
    let columns = usize::from(inner.width);
    pane.top = list(
        ui,
        buf,
        inner,
        pane.top,
        (at, count),
        |_, place| match pane.inside {
            Some(_) => task_line(group, place, state, columns, &st),
            None => group_line(&pane.groups[place], state, columns, &st),
        },
    );
}

fn group_line<'a>(group: &Group, state: &State, columns: usize, st: &Styles) -> Line<'a> {
    let mark = match group.taken {
        0 => "[ ]",
        n if n == group.tasks.len() => "[x]",
        _ => "[~]",
    };
    let warn = if group.removes { " !" } else { "  " };
    let stage = fit(state.stage_title(group.stage), 10);
    let name_w = columns.saturating_sub(27).max(10);
    Line::from(vec![
        Span::styled(format!(" {mark} "), st.key),
        Span::raw(left(&group.name, name_w)),
        Span::raw(right(&number(group.tasks.len()), 8)),
        Span::styled(warn, st.warn),
        Span::styled(format!("  {stage}"), st.dim),
    ])
}

fn task_line<'a>(
    group: &Group,
    place: usize,
    state: &State,
    columns: usize,
    st: &Styles,
) -> Line<'a> {
    let Some(held) = group.tasks.get(place).and_then(|t| state.held.get(t)) else {
        return Line::default();
    };
    let mark = if held.taken { "[x]" } else { "[ ]" };
    let labels = crate::screens::queue::labels_word(held.outcome.patch.counts());
    let title_w = columns.saturating_sub(18).max(8);
    Line::from(vec![
        Span::styled(format!(" {mark} "), st.key),
        Span::raw(left(&fit_middle(&held.inputs.row.title, title_w), title_w)),
        Span::raw(right(&labels, 11)),
    ])
}

/// The picture and the patch of the task under the cursor; of a group its first one.
fn details(ui: &mut Ui, buf: &mut Buffer, area: Rect, pane: &Review, state: &State) {
    let st = &{ ui.st };
    let Some(held) = pane.task().and_then(|t| state.held.get(&t)) else {
        ui.pane(buf, PaneName::Still, area, ("", ""));
        return;
    };
    let area = ui.draw_beside(buf, area, &Subject::held(held));
    let Some(area) = area.and_then(|area| ui.panes.place(PaneName::Details, area)) else {
        return;
    };
    let title = fit_middle(
        &held.inputs.row.title,
        usize::from(area.width).saturating_sub(24),
    );
    let right = if pane.inside.is_some() {
        crate::text::build_name(held.build)
    } else {
        "the first of the group".into()
    };
    let inner = ui.pane(buf, PaneName::Details, area, (&title, &right));
    let patch = patch(&held.outcome, state, usize::from(padded(inner).width), st);
    ui.pane_text(buf, PaneName::Details, inner, &patch, held.inputs.row.id);
}

/// The last commit; what the next one would send, and how it is guarded.
fn footer<'a>(ui: &Ui, pane: &Review, state: &State, columns: usize) -> Vec<Line<'a>> {
    let st = &ui.st;
    let named = |name: &'static str, text: &str, style: Style| {
        Line::from(vec![
            Span::styled(left(name, 13), st.strong),
            Span::styled(fit(text, columns.saturating_sub(13)), style),
        ])
    };
    let mut all = Vec::new();
    if let Some(commit) = &state.commit {
        let bad = !commit.conflicts.is_empty() || !commit.refused.is_empty();
        let style = if bad { st.warn } else { st.good };
        all.push(named("Last commit", &last_commit(ui, commit), style));
    }
    if pane.groups.is_empty() {
        return all;
    }
    let selected = format!(
        "{}   ({} of {} selected)",
        will_send(pane.send),
        number(pane.send.tasks),
        number(state.held.len())
    );
    all.push(named("Will send", &selected, st.text));
    let guard = "each row is checked again; rows changed by others are skipped";
    all.push(named("Guard", guard, st.dim));
    if state.options.read_only {
        let text = " DRY-RUN: nothing can be committed from here";
        all.push(Line::styled(text, st.warn));
    }
    all
}

fn last_commit(ui: &Ui, commit: &CommitState) -> String {
    let asked = number(commit.asked);
    let mut text = match commit.ended {
        None => format!("writing… {} of {asked} answered", number(commit.answered)),
        Some(_) => format!("{} of {asked} written", number(commit.done)),
    };
    if !commit.conflicts.is_empty() {
        let n = number(commit.conflicts.len());
        let more = format!(" · {n} left: changed by others ({{key:Conflicts}} compares)");
        text.push_str(&ui.keyed(&more));
    }
    if let Some((title, error)) = commit.refused.first() {
        text.push_str(&format!(
            " · {} refused, first {}: {}",
            number(commit.refused.len()),
            clean(title),
            clean(&error.summary)
        ));
    }
    text
}

fn will_send(send: Send) -> String {
    let parts: Vec<String> = [
        (send.labels, "label save", "label saves"),
        (send.priorities, "priority", "priorities"),
        (send.metadata, "metadata change", "metadata changes"),
        (send.moves, "move", "moves"),
        (
            send.further,
            "change of another row or item",
            "changes of other rows and items",
        ),
    ]
    .into_iter()
    .filter(|(n, ..)| *n > 0)
    .map(|(n, one, many)| counted(n, one, many))
    .collect();
    match parts.is_empty() {
        true => "nothing".to_owned(),
        false => parts.join(" · "),
    }
}
