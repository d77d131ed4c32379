//! Task: the timeline of one task at the left, what an event holds at the right, the next key in
//! words below. What the events are is left to [`super::timeline`].

use super::timeline::{self, Mark, Row, What};
use crate::picture::Bounds;
use crate::text::{clean, clock, duration, fit, fit_middle, left, right, width, wrap};
use crate::theme::Styles;
use crate::widgets::{field, lines, pane, scroll_to, scrollbar, shade};
use crate::{Hit, PictureWish, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use wb_core::command::Verb;
use wb_core::fault::Fault;
use wb_core::state::State;
use wb_core::step::{Log, Stepper};
use wb_core::work::{Committed, LabelChange, Outcome};

/// The tabs at the right.
pub const TABS: [&str; 5] = ["Value", "Labels±", "Image", "Logs", "JSON"];
/// Place of the picture among them.
pub const IMAGE_TAB: usize = 2;
/// Lines of JSON that are kept for showing.
const JSON_LINES: usize = 20_000;

/// Cursor, tab, scroll, and what was read from the JSON of the task in sight.
#[derive(Default)]
pub struct Pane {
    tab: usize,
    /// The chosen event; `None` follows the newest.
    pub event: Option<usize>,
    scroll: usize,
    step: u64,
    read: Read,
}

/// JSON read once for each change of inputs or outcome.
#[derive(Default)]
struct Read {
    inputs: Option<usize>,
    outcome: Option<usize>,
    json: Vec<String>,
    item: Option<Value>,
    asset: Option<Value>,
    row: Vec<(String, String)>,
    before: Vec<Bounds>,
    marks: Vec<Bounds>,
}

impl Pane {
    pub fn select_tab(&mut self, tab: usize) {
        self.tab = tab.min(TABS.len() - 1);
        self.scroll = 0;
    }

    /// The picture, or what stood there before.
    pub fn turn_image(&mut self) {
        let tab = if self.tab == IMAGE_TAB { 0 } else { IMAGE_TAB };
        self.select_tab(tab);
    }

    pub fn turn_tab(&mut self, forward: bool) {
        let n = TABS.len();
        self.select_tab((self.tab + if forward { 1 } else { n - 1 }) % n);
    }

    /// A new task begins at its newest event; changed inputs and outcomes are read again.
    pub fn follow(&mut self, state: &State) {
        let Some(step) = &state.step else { return };
        if step.id != self.step {
            *self = Self {
                step: step.id,
                tab: self.tab,
                ..Self::default()
            };
        }
        let inputs = step.inputs.as_ref().map(|i| Arc::as_ptr(i) as usize);
        let outcome = match &step.result {
            Some(Ok(o)) => Some(Arc::as_ptr(o) as usize),
            _ => None,
        };
        if self.read.inputs != inputs || self.read.outcome != outcome {
            self.read = read(step);
            self.read.inputs = inputs;
            self.read.outcome = outcome;
        }
    }

    pub fn move_cursor(&mut self, verb: Verb, state: &State) {
        let Some(step) = &state.step else { return };
        let rows = timeline::rows(step, state);
        let last = rows.len().saturating_sub(1);
        let at = self.event.unwrap_or_else(|| newest(&rows)).min(last);
        match verb {
            Verb::Left => self.event = Some(at.saturating_sub(1)),
            Verb::Right => self.event = Some((at + 1).min(last)),
            Verb::Up => self.scroll = self.scroll.saturating_sub(1),
            Verb::Down => self.scroll += 1,
            Verb::PageUp => self.scroll = self.scroll.saturating_sub(10),
            Verb::PageDown => self.scroll += 10,
            Verb::Top => self.scroll = 0,
            Verb::Bottom => self.scroll = usize::MAX / 2,
            _ => {}
        }
        if matches!(verb, Verb::Left | Verb::Right) {
            self.scroll = 0;
            self.tab = if self.tab == IMAGE_TAB { self.tab } else { 0 };
        }
    }
}

/// The last event that is not still to come.
fn newest(rows: &[Row]) -> usize {
    rows.iter().rposition(|r| r.mark != Mark::Todo).unwrap_or(0)
}

fn read(step: &Stepper) -> Read {
    let mut read = Read::default();
    let Some(inputs) = &step.inputs else {
        return read;
    };
    let parse = |text: &str| serde_json::from_str::<Value>(text).ok();
    read.item = inputs.item_json.as_deref().and_then(parse);
    read.asset = inputs.asset_json.as_deref().and_then(parse);
    let mut show = |title: &str, value: Option<&Value>| {
        let Some(value) = value else { return };
        read.json.push(format!("// {title}"));
        let pretty = serde_json::to_string_pretty(value).unwrap_or_default();
        let room = JSON_LINES.saturating_sub(read.json.len());
        read.json
            .extend(pretty.lines().take(room).map(str::to_owned));
        read.json.push(String::new());
    };
    show("task", parse(&inputs.task_json).as_ref());
    let row = inputs.labels.as_ref().and_then(|l| parse(&l.json));
    show("label row, as the agent is given it", row.as_ref());
    show("storage item", read.item.as_ref());
    let labels = row.as_ref().and_then(|r| r.get("labels"));
    read.before = labels
        .map(|l| crate::picture::boxes(l, 0))
        .unwrap_or_default();
    if let Some(input) = &inputs.labels {
        read.row = row_facts(input.label_hash.is_some(), input.priority, row.as_ref());
    }
    read.marks = read.before.clone();
    if let Some(Ok(outcome)) = &step.result {
        read.marks = marked(&read.before, outcome);
    }
    read
}

fn row_facts(exists: bool, priority: Option<f64>, row: Option<&Value>) -> Vec<(String, String)> {
    let meta = |key: &str| {
        let value = row
            .and_then(|r| r.get("metadata"))
            .and_then(|m| m.get(key))?;
        match value {
            Value::Null => None,
            Value::String(s) => Some(s.clone()),
            other => Some(other.to_string()),
        }
    };
    let mut facts = vec![(
        "upstream".to_owned(),
        if exists {
            "has a label row".to_owned()
        } else {
            "no label row yet; a commit with labels makes it".into()
        },
    )];
    facts.push((
        "priority".into(),
        priority.map_or_else(|| "not set".into(), |p| p.to_string()),
    ));
    for key in [
        "data_title",
        "data_type",
        "annotation_task_status",
        "workflow_graph_node",
        "last_edited_at",
        "width",
        "height",
        "frames_per_second",
        "number_of_frames",
    ] {
        if let Some(value) = meta(key) {
            facts.push((key.replace('_', " "), value));
        }
    }
    facts
}

/// Boxes before and after with the signs of the patch.
fn marked(before: &[Bounds], outcome: &Outcome) -> Vec<Bounds> {
    let sign = |hash: &str| {
        let changed = outcome.patch.labels.iter().find(|l| l.hash == hash);
        changed.map_or(' ', |l| l.sign)
    };
    let mut all: Vec<Bounds> = before
        .iter()
        .cloned()
        .map(|b| Bounds {
            sign: if sign(&b.hash) == '-' { '-' } else { ' ' },
            ..b
        })
        .collect();
    if let Some(after) = &outcome.labels_after {
        let new = crate::picture::boxes(after, 0).into_iter();
        all.extend(
            new.map(|b| Bounds {
                sign: sign(&b.hash),
                ..b
            })
            .filter(|b| matches!(b.sign, '+' | '~')),
        );
    }
    all
}

/// The picture of the task being stepped: the file its agent is given.
pub fn picture_wish(ui: &Ui, state: &State) -> Option<PictureWish> {
    let step = state
        .step
        .as_ref()
        .filter(|_| ui.task.tab == IMAGE_TAB || ui.room.wide())?;
    let path = ui
        .task
        .read
        .asset
        .as_ref()
        .and_then(|a| a.get("path"))
        .and_then(Value::as_str);
    Some(PictureWish {
        task: step.row.id,
        data: step.row.data,
        path: path.map(PathBuf::from),
    })
}

pub fn draw(ui: &mut Ui, buf: &mut Buffer, area: Rect, state: &State) {
    let st = ui.st;
    let Some(step) = &state.step else {
        no_task(buf, area, state, &st);
        return;
    };
    top_line(buf, Rect { height: 1, ..area }, step, state, ui);
    let next_h = if ui.room.tiny() { 1 } else { 3 };
    let body = Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1 + next_h),
        ..area
    };
    let below = Rect {
        y: body.bottom(),
        height: next_h,
        ..area
    };
    next_line(buf, below, step, state, &st);
    let rows = timeline::rows(step, state);
    let at = ui
        .task
        .event
        .unwrap_or_else(|| newest(&rows))
        .min(rows.len() - 1);
    let left_w = match ui.room.w {
        160.. => 52,
        100.. => 46,
        80.. => 38,
        _ => body.width,
    };
    let (first, second) = if ui.room.tiny() {
        let h = body.height / 2;
        (
            Rect { height: h, ..body },
            Rect {
                y: body.y + h,
                height: body.height - h,
                ..body
            },
        )
    } else {
        (
            Rect {
                width: left_w,
                ..body
            },
            Rect {
                x: body.x + left_w,
                width: body.width - left_w,
                ..body
            },
        )
    };
    let right_w = if ui.room.wide() { second.width / 2 } else { 0 };
    draw_timeline(ui, buf, first, step, &rows, at);
    let tabs = Rect {
        width: second.width - right_w,
        ..second
    };
    draw_tab(ui, buf, tabs, step, &rows, at, state);
    if right_w > 0 {
        let beside = Rect {
            x: tabs.right(),
            width: right_w,
            ..second
        };
        let inner = pane(buf, beside, "Image", picture_key(), false, &st);
        let marks = ui.task.read.marks.clone();
        ui.shelf.draw(buf, inner, step.row.id, &marks, &st);
    }
}

const fn picture_key() -> &'static str {
    "labels: white unchanged  + added  ~ changed  - removed"
}

fn no_task(buf: &mut Buffer, area: Rect, state: &State, st: &Styles) {
    let inner = pane(buf, area, "Task", "", true, st);
    let key = |k: &'static str| Span::styled(k, st.key);
    let mut all = vec![Line::default(), Line::from("  No task is open.")];
    all.push(Line::default());
    all.push(Line::from(vec![
        Span::raw("  "),
        key("1"),
        Span::raw(" Flow: choose a stage, "),
        key("s"),
        Span::raw(" steps its first task"),
    ]));
    all.push(Line::from(vec![
        Span::raw("  "),
        key("2"),
        Span::raw(" Queue: choose a task, "),
        key("s"),
        Span::raw(" steps it"),
    ]));
    if state.builds.active().is_none() {
        all.push(Line::default());
        all.push(Line::styled(
            "  ! No agent is loaded: a task can be fetched only for an agent.",
            st.warn,
        ));
    }
    lines(buf, inner, &all, 0);
}

fn top_line(buf: &mut Buffer, area: Rect, step: &Stepper, state: &State, ui: &Ui) {
    let st = &ui.st;
    let room = usize::from(area.width);
    let attempt = if step.attempts > 1 {
        format!(" · attempt {}", step.attempts)
    } else {
        String::new()
    };
    let right_text = format!("build {}{attempt} · {} ", step.build, step.at.word());
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
}

/// The key that helps next, in words, and where the task stands as to writing.
fn next_line(buf: &mut Buffer, area: Rect, step: &Stepper, state: &State, st: &Styles) {
    let (key, text) = timeline::next(step, state);
    let mut line = Line::from(Span::styled(" next: ", st.strong));
    if let Some(key) = key {
        line.push_span(Span::styled(format!("{key} "), st.key));
    }
    let room = usize::from(area.width).saturating_sub(line.width() + 3);
    line.push_span(Span::raw(fit(&text, room)));
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
    let inner = pane(buf, area, "", "", false, st);
    buf.set_string(area.x + 2, area.y, format!(" {title} "), style);
    crate::widgets::line(buf, inner, 0, &line);
}

fn mark_style(mark: Mark, st: &Styles) -> ratatui::style::Style {
    match mark {
        Mark::Done => st.good,
        Mark::Now => st.key,
        Mark::Todo => st.dim,
        Mark::Bad => st.bad,
    }
}

fn draw_timeline(
    ui: &mut Ui,
    buf: &mut Buffer,
    area: Rect,
    step: &Stepper,
    rows: &[Row],
    at: usize,
) {
    let st = ui.st;
    // What happens inside the agent is part of its call.
    let fetched: f64 = rows
        .iter()
        .filter(|r| matches!(r.what, What::Input(_)))
        .filter_map(|r| r.ms)
        .sum();
    #[allow(clippy::cast_precision_loss)] // milliseconds for a person
    let total = fetched + step.run_us as f64 / 1000.0;
    let total = if total > 0.0 {
        duration(total)
    } else {
        String::new()
    };
    let inner = pane(buf, area, "Timeline", &total, true, &st);
    let count = usize::from(inner.height);
    let top = scroll_to(0, at, count, rows.len());
    let columns = usize::from(inner.width);
    let longest = rows.iter().map(|r| width(&r.name)).max().unwrap_or(8);
    let name_w = longest.min(columns.saturating_sub(24)).max(12);
    for (row, event) in rows.iter().enumerate().skip(top).take(count) {
        let y = u16::try_from(row - top).unwrap_or(0);
        let ms = event.ms.map_or_else(String::new, duration);
        let note_w = columns.saturating_sub(name_w + 14);
        let style = mark_style(event.mark, &st);
        let line = Line::from(vec![
            Span::styled(format!(" {} ", event.mark.sign()), style),
            Span::styled(
                left(&event.name, name_w),
                if event.mark == Mark::Todo {
                    st.dim
                } else {
                    st.text
                },
            ),
            Span::styled(right(&ms, 8), st.dim),
            Span::raw(format!("  {}", fit(&event.note, note_w))),
        ]);
        crate::widgets::line(buf, inner, y, &line);
        if row == at {
            shade(buf, inner, y, st.selected);
        }
    }
    ui.hits.push((inner, Hit::Rows(top)));
    if let Some((build, text, labels)) = &step.earlier {
        let y = inner.height.saturating_sub(1);
        if rows.len() < count {
            let text = format!(
                " build {build} gave: {}  {}",
                clean(text),
                super::queue::labels_word(*labels)
            );
            crate::widgets::line(buf, inner, y, &Line::styled(fit(&text, columns), st.dim));
        }
    }
}

fn draw_tab(
    ui: &mut Ui,
    buf: &mut Buffer,
    area: Rect,
    step: &Stepper,
    rows: &[Row],
    at: usize,
    state: &State,
) {
    let st = ui.st;
    let inner = pane(buf, area, "", "", false, &st);
    let tab = ui.task.tab;
    let mut x = area.x + 2;
    for (i, name) in TABS.iter().enumerate() {
        let text = if i == tab {
            format!("[{name}]")
        } else {
            format!(" {name} ")
        };
        let w = u16::try_from(width(&text)).unwrap_or(0);
        if x + w + 1 >= area.right() {
            break;
        }
        buf.set_string(x, area.y, &text, if i == tab { st.strong } else { st.dim });
        ui.hits.push((Rect::new(x, area.y, w, 1), Hit::Tab(i)));
        x += w;
    }
    let room = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let columns = usize::from(room.width);
    if tab == IMAGE_TAB {
        let marks = ui.task.read.marks.clone();
        let picture = Rect {
            height: room.height.saturating_sub(1),
            ..room
        };
        ui.shelf.draw(buf, picture, step.row.id, &marks, &st);
        let line = Line::styled(picture_key(), st.dim);
        crate::widgets::line(buf, room, room.height.saturating_sub(1), &line);
        return;
    }
    let rows_here = usize::from(room.height);
    let all = match tab {
        0 => value(ui, step, &rows[at], state, columns),
        1 => labels(step, state, columns, &st),
        3 => log_lines(&step.log, columns, ui.utc_offset_s, &st),
        _ => json_lines(ui, columns, rows_here),
    };
    let count = if tab == 4 {
        ui.task.read.json.len()
    } else {
        all.len()
    };
    let top = ui.task.scroll.min(count.saturating_sub(rows_here));
    ui.task.scroll = top;
    // JSON lines are made for the rows in sight only.
    lines(buf, room, &all, if tab == 4 { 0 } else { top });
    scrollbar(buf, inner, top, rows_here, count, &st);
}

fn json_lines<'a>(ui: &Ui, columns: usize, rows: usize) -> Vec<Line<'a>> {
    let st = &ui.st;
    let json = &ui.task.read.json;
    if json.is_empty() {
        return vec![Line::styled("Nothing was fetched yet.", st.dim)];
    }
    let top = ui.task.scroll.min(json.len().saturating_sub(rows));
    json.iter()
        .skip(top)
        .take(rows)
        .map(|text| {
            let style = if text.starts_with("//") {
                st.strong
            } else {
                st.text
            };
            Line::styled(fit(text, columns), style)
        })
        .collect()
}

/// Lines of a log, newest last.
pub fn log_lines<'a>(log: &Log, columns: usize, offset_s: i32, st: &Styles) -> Vec<Line<'a>> {
    if log.lines.is_empty() {
        return vec![Line::styled("The agent has written nothing.", st.dim)];
    }
    let mut all = Vec::with_capacity(log.lines.len() + 1);
    let dropped = log.total.saturating_sub(log.lines.len() as u64);
    if dropped > 0 {
        all.push(Line::styled(
            format!(
                "… {} earlier lines are not kept",
                crate::text::number(dropped)
            ),
            st.dim,
        ));
    }
    for line in &log.lines {
        let level = ["", "ERROR", "WARN ", "INFO ", "DEBUG", "TRACE"]
            .get(usize::from(line.level))
            .copied()
            .unwrap_or("");
        let target = fit(&line.target, 16);
        let used = 16 + width(&target) + 2;
        all.push(Line::from(vec![
            Span::styled(format!("{} ", clock(line.at, offset_s)), st.dim),
            Span::styled(format!("{} ", left(level, 5)), st.level(line.level)),
            Span::styled(format!("{target}  "), st.dim),
            Span::styled(
                fit(&line.text, columns.saturating_sub(used)),
                st.level(line.level.max(3)),
            ),
        ]));
    }
    all
}

/// Label differences, a line each.
pub fn change_line<'a>(change: &LabelChange, columns: usize, st: &Styles) -> Line<'a> {
    // In a narrow pane what changed is worth more than the hash.
    let (name_w, hash_w) = if columns < 52 { (11, 0) } else { (18, 10) };
    let hash = if hash_w > 0 {
        left(&format!("#{}", change.hash), hash_w)
    } else {
        String::new()
    };
    Line::from(vec![
        Span::styled(
            format!("{} {} ", change.sign, left(&change.name, name_w)),
            st.sign(change.sign),
        ),
        Span::styled(hash, st.dim),
        Span::raw(fit(
            &change.detail,
            columns.saturating_sub(name_w + hash_w + 3),
        )),
    ])
}

fn labels<'a>(step: &Stepper, state: &State, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    match &step.result {
        None => vec![Line::styled(
            "No outcome yet: the agent was not called.",
            st.dim,
        )],
        Some(Err(_)) => vec![Line::styled("The agent failed; nothing changes.", st.dim)],
        Some(Ok(outcome)) => patch(outcome, state, columns, st),
    }
}

/// Everything an outcome would change.
pub fn patch<'a>(outcome: &Outcome, state: &State, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let (added, changed, removed) = outcome.patch.counts();
    let head = if added + changed + removed == 0 {
        "Labels unchanged.".to_owned()
    } else {
        format!("Labels: {added} added, {changed} changed, {removed} removed")
    };
    let mut all = vec![Line::styled(head, st.strong)];
    all.extend(
        outcome
            .patch
            .labels
            .iter()
            .map(|l| change_line(l, columns, st)),
    );
    if let Some(metadata) = &outcome.patch.metadata {
        all.push(Line::default());
        all.push(Line::styled("Metadata after", st.strong));
        for (key, value) in metadata {
            all.push(field(
                st,
                &fit(key, 9),
                fit(&value.to_string(), columns.saturating_sub(10)),
            ));
        }
    }
    all.push(Line::default());
    all.push(Line::styled("A commit would", st.strong));
    for text in timeline::would_send(outcome, state) {
        all.extend(
            wrap(&text, columns.saturating_sub(2))
                .into_iter()
                .enumerate()
                .map(|(i, t)| Line::from(format!("{}{t}", if i == 0 { "• " } else { "  " }))),
        );
    }
    all
}

/// What an event holds.
fn value<'a>(ui: &Ui, step: &Stepper, event: &Row, state: &State, columns: usize) -> Vec<Line<'a>> {
    let st = &ui.st;
    let fact = |name: &str, text: String| field(st, name, fit(&text, columns.saturating_sub(10)));
    let mut all = vec![Line::styled(event.name.clone(), st.strong)];
    if let Some(ms) = event.ms {
        all.push(Line::styled(format!("took {}", duration(ms)), st.dim));
    }
    all.push(Line::default());
    if event.mark == Mark::Todo {
        all.push(Line::styled("This has not happened yet.", st.dim));
        return all;
    }
    match event.what {
        What::Task => {
            let row = &step.row;
            all.push(fact("title", row.title.to_string()));
            all.push(fact("task", row.id.to_string()));
            all.push(fact("data", row.data.to_string()));
            all.push(fact("status", row.status.wire().to_lowercase()));
            all.push(fact(
                "assignee",
                row.assignee.as_deref().unwrap_or("nobody").to_owned(),
            ));
            all.push(fact("branch", row.branch.to_string()));
            all.push(fact(
                "changed",
                crate::chrome::ago(state.now.since(row.updated)),
            ));
        }
        What::Input(i) => all.extend(input(ui, step, i, columns)),
        What::Step(i) => {
            if let Some(Ok(outcome)) = &step.result
                && let Some(s) = outcome.steps.get(i)
            {
                #[allow(clippy::cast_precision_loss)] // milliseconds for a person
                all.push(fact(
                    "began",
                    format!("{} after the start", duration(s.at_us as f64 / 1000.0)),
                ));
                all.extend(wrap(&s.value, columns).into_iter().map(Line::from));
            }
        }
        What::Call => {
            all.push(fact("build", step.build.to_string()));
            all.push(fact("attempt", step.attempts.to_string()));
            if let Some(pid) = step.pid {
                all.push(fact("host", format!("process {pid}")));
            }
            if let Some(p) = step.progress.filter(|_| step.job.is_some()) {
                all.push(Line::from(format!(
                    "{} {:.0}%",
                    crate::text::bar(p, 30),
                    p * 100.0
                )));
            }
            if let Some(Err(fault)) = &step.result {
                all.extend(fault_lines(fault, columns, st));
            }
            let log = log_lines(&step.log, columns, ui.utc_offset_s, st);
            all.push(Line::default());
            all.extend(log.into_iter().rev().take(8).rev());
        }
        What::Outcome | What::Review => match &step.result {
            Some(Ok(outcome)) => {
                let to = timeline::route(outcome);
                all.push(fact("route", to));
                all.extend(patch(outcome, state, columns, st));
            }
            Some(Err(fault)) => all.extend(fault_lines(fault, columns, st)),
            None => {}
        },
        What::Commit => all.extend(committed(step, state, columns, st)),
    }
    all
}

fn input<'a>(ui: &Ui, step: &Stepper, i: usize, columns: usize) -> Vec<Line<'a>> {
    let st = &ui.st;
    let Some(timing) = step
        .inputs
        .as_ref()
        .and_then(|inputs| inputs.timings.get(i))
    else {
        return match &step.result {
            Some(Err(fault)) => fault_lines(fault, columns, st),
            _ => vec![Line::styled(
                "The agent asks for nothing that must be fetched.",
                st.dim,
            )],
        };
    };
    let mut all = vec![field(st, "note", timing.note.clone())];
    let facts = |value: Option<&Value>| -> Vec<Line<'a>> {
        let members = value.and_then(Value::as_object).into_iter().flatten();
        members
            .filter(|(_, v)| !v.is_null())
            .map(|(k, v)| {
                let text = v.as_str().map_or_else(|| v.to_string(), str::to_owned);
                // A signed URL is a key: it never reaches the screen.
                let text = if text.starts_with("http") {
                    "(an address; not shown)".into()
                } else {
                    text
                };
                Line::from(vec![
                    Span::styled(left(k, 22), st.dim),
                    Span::raw(fit(&text, columns.saturating_sub(22))),
                ])
            })
            .collect()
    };
    let what = timing.what.as_str();
    if what.contains("label") {
        all.extend(ui.task.read.row.iter().map(|(k, v)| {
            Line::from(vec![
                Span::styled(left(k, 22), st.dim),
                Span::raw(fit(v, columns.saturating_sub(22))),
            ])
        }));
        all.push(Line::default());
        all.extend(ui.task.read.before.iter().map(|b| {
            Line::from(format!(
                "{} #{} box {:.2} {:.2} {:.2} {:.2}",
                left(&b.name, 18),
                clean(&b.hash),
                b.x,
                b.y,
                b.w,
                b.h
            ))
        }));
    } else if what.contains("item") {
        all.extend(facts(ui.task.read.item.as_ref()));
    } else {
        all.extend(facts(ui.task.read.asset.as_ref()));
    }
    all
}

/// A fault in full: what happened, what lies behind it, what to do.
pub fn fault_lines<'a>(fault: &Fault, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let mut all: Vec<Line<'_>> = wrap(&fault.summary, columns.saturating_sub(2))
        .into_iter()
        .enumerate()
        .map(|(i, t)| Line::styled(format!("{}{t}", if i == 0 { "✗ " } else { "  " }), st.bad))
        .collect();
    all.push(Line::styled(
        format!(
            "{} fault; {}",
            fault.kind.word(),
            if fault.retry {
                "another attempt may help"
            } else {
                "another attempt alone will not help"
            }
        ),
        st.dim,
    ));
    if !fault.hints.is_empty() {
        all.push(Line::default());
    }
    for hint in &fault.hints {
        for (i, t) in wrap(hint, columns.saturating_sub(2))
            .into_iter()
            .enumerate()
        {
            all.push(Line::from(vec![
                Span::styled(if i == 0 { "→ " } else { "  " }, st.accent),
                Span::raw(t),
            ]));
        }
    }
    if let Some(cause) = &fault.cause {
        all.push(Line::default());
        for line in cause.lines() {
            all.push(Line::styled(fit(line, columns), st.dim));
        }
    }
    all
}

fn committed<'a>(step: &Stepper, state: &State, columns: usize, st: &Styles) -> Vec<Line<'a>> {
    let mut all: Vec<Line<'_>> = wrap(&timeline::standing(step, state), columns)
        .into_iter()
        .map(Line::from)
        .collect();
    match (&step.committed, &step.result) {
        (Some(Committed::Done), Some(Ok(outcome))) => {
            all.push(Line::default());
            all.extend(
                timeline::would_send(outcome, state)
                    .into_iter()
                    .map(|t| Line::styled(format!("✓ {t}"), st.good)),
            );
        }
        (Some(Committed::Refused(fault)), _) => all.extend(fault_lines(fault, columns, st)),
        (Some(Committed::Conflict { .. }), _) => {
            all.push(Line::default());
            all.extend(wrap("Somebody changed the label row after the agent had read it. The task was left as it is; step it again to run on the new labels.", columns).into_iter().map(Line::from));
        }
        _ => {}
    }
    all
}
