//! What surrounds the timeline: the task and its build above, the next key in words below, and
//! what to do while no task is open.

use crate::Ui;
use crate::panes::PaneName;
use crate::screens::{first_build, timeline};
use crate::text::{fit, fit_middle, width};
use crate::widgets::{hanging, lines, padded};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use wb_core::state::State;
use wb_core::step::Stepper;

pub fn no_task(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let st = &{ ui.st };
    let inner = ui.pane(buf, PaneName::Main, area, ("Task", ""));
    let mut all = vec![Line::default(), Line::from("  No task is open.")];
    if let Some(queued) = first_build::queued_text(state) {
        let columns = usize::from(padded(inner).width);
        all.push(Line::default());
        all.extend(hanging(
            "  → ",
            st.accent,
            &format!("Queued: {queued}"),
            columns,
            st.accent,
        ));
    }
    all.push(Line::default());
    let how = [
        "  {key:ShowFlow} Flow: choose a stage, {key:StepFirst} steps its first task",
        "  {key:ShowQueue} Queue: choose a task, {key:Step} steps it",
    ];
    all.extend(how.map(|text| ui.keyed_line(text)));
    if state.builds.active().is_none() && !state.libraries_coming() {
        all.push(Line::default());
        all.push(Line::styled(
            "  ! No agent is loaded: a task can be fetched only for an agent.",
            st.warn,
        ));
    }
    lines(buf, inner, &all, 0);
}

/// Draws the task and its build; gives where the title stands.
pub fn top_line(buf: &mut Buffer, area: Rect, step: &Stepper, state: &State, ui: &Ui) -> Rect {
    let st = &ui.st;
    let room = usize::from(area.width);
    let attempt = if step.attempts > 1 {
        format!(" · attempt {}", step.attempts)
    } else {
        String::new()
    };
    let right_text = format!("build {}{attempt} · {} ", step.build, step.word());
    let title_room = room.saturating_sub(width(&right_text) + 20).max(12);
    let left_line = Line::from(vec![
        Span::styled(
            format!(" {} › ", fit(state.stage_title(step.stage), 16)),
            st.dim,
        ),
        Span::styled(fit_middle(&step.row.title, title_room), st.strong),
    ]);
    crate::widgets::split_line(
        buf,
        area,
        0,
        &left_line,
        &Line::styled(right_text, st.accent),
    );
    let columns = |span: &Span<'_>| u16::try_from(span.width()).unwrap_or(u16::MAX);
    let [before, title] = [0, 1].map(|n| columns(&left_line.spans[n]));
    Rect::new(area.x.saturating_add(before), area.y, title, 1).intersection(area)
}

/// The most useful action, in words, and what of the task was written.
pub fn next_line(ui: &mut Ui, buf: &mut Buffer, area: Rect, step: &Stepper, state: &State) {
    let Some(area) = ui.panes.place(PaneName::Still, area) else {
        return;
    };
    let st = &{ ui.st };
    let queued = state.queued_step.as_ref();
    let (key, text) = match first_build::queued_text(state) {
        Some(text) if queued.is_some_and(|q| q.task == step.row.id) => (None, text),
        _ => timeline::next(step, state),
    };
    let mut line = Line::from(Span::styled(" next: ", st.strong));
    if let Some(key) = key {
        line.push_span(Span::styled(format!("{} ", ui.key_of(key)), st.key));
    }
    let room = usize::from(area.width).saturating_sub(line.width() + 3);
    line.push_span(Span::raw(fit(&ui.keyed(&text), room)));
    let standing = timeline::standing(step, state);
    let style = if step.committed.is_some() || state.live {
        st.warn
    } else {
        st.dry
    };
    if area.height < 3 {
        crate::widgets::line(buf, area, 0, &line);
        return;
    }
    let columns = usize::from(area.width).saturating_sub(4);
    let title = fit(&standing, columns.saturating_sub(4));
    let inner = ui.pane(buf, PaneName::Still, area, ("", ""));
    buf.set_string(area.x + 2, area.y, format!(" {title} "), style);
    crate::widgets::line(buf, inner, 0, &line);
}
