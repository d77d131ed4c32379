//! The columns of the queue's table: which are shown, how wide they are, and what each holds for a task.

use super::{labels_word, result_mark};
use crate::Ui;
use crate::text::{age, clean, duration, fit_middle, left, right};
use crate::theme::Styles;
use ratatui::style::Style;
use ratatui::text::Span;
use wb_core::queue::{Queue, Sort};
use wb_core::state::State;
use wb_core::work::{TaskRow, TaskStatus};

/// A column of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // each name is what it shows
pub enum Column {
    Priority,
    Status,
    Title,
    Assignee,
    Branch,
    Age,
    Result,
    Labels,
    Took,
}

use Column::{Age, Assignee, Branch, Labels, Priority, Result, Status, Title, Took};

/// Least columns of a title, where there is room.
const TITLE: usize = 22;

impl Column {
    /// In the order of the table.
    pub const ALL: [Self; 9] = [
        Priority, Status, Title, Assignee, Branch, Age, Result, Labels, Took,
    ];

    /// Those shown until a person chooses, the most important first: as many as there is room for.
    const USUAL: [Self; 7] = [Title, Status, Result, Age, Labels, Priority, Took];

    pub const fn name(self) -> &'static str {
        match self {
            Priority => "pri",
            Status => "status",
            Title => "title",
            Assignee => "assignee",
            Branch => "branch",
            Age => "age",
            Result => "last result",
            Labels => "labels",
            Took => "took",
        }
    }

    /// What it shows, for the list of columns.
    pub const fn help(self) -> &'static str {
        match self {
            Priority => "priority, read from the label rows in sight",
            Status => "state of the task",
            Title => "title of the data unit",
            Assignee => "who it is assigned to",
            Branch => "label branch",
            Age => "time since it changed",
            Result => "route or error of the last outcome here",
            Labels => "labels added, changed, removed by it",
            Took => "how long the agent ran",
        }
    }

    /// What a click on its name sorts by.
    pub const fn sort(self) -> Option<Sort> {
        match self {
            Priority => Some(Sort::Priority),
            Title => Some(Sort::Title),
            Age => Some(Sort::Age),
            Result => Some(Sort::Result),
            Status | Assignee | Branch | Labels | Took => None,
        }
    }

    const fn is_right(self) -> bool {
        matches!(self, Priority | Age | Took)
    }

    /// Columns of its text, in a table of so many; the title takes what is left.
    const fn width(self, table: usize) -> usize {
        match self {
            Priority => 5,
            Status => 6,
            Title => TITLE,
            Assignee => 18,
            Branch => 10,
            Age => 4,
            Result => match table {
                ..60 => 14,
                60..110 => 18,
                _ => 30,
            },
            Labels => 9,
            Took => 8,
        }
    }
}

/// The columns in sight with their widths.
pub struct Columns(Vec<(Column, usize)>);

impl Columns {
    /// The chosen columns as far as there is room, or else the usual ones; the title always.
    pub fn new(chosen: Option<&[Column]>, table: usize) -> Self {
        let least = if table < 60 { 8 } else { TITLE };
        // Cursor and mark, and a blank between columns.
        let mut room = table.saturating_sub(3 + least);
        let mut shown = vec![Title];
        let wanted = chosen.unwrap_or(match table {
            ..76 => &Column::USUAL[..5],
            _ => &Column::USUAL,
        });
        for column in wanted.iter().copied().filter(|c| *c != Title) {
            let needed = column.width(table) + 1;
            if needed <= room {
                room -= needed;
                shown.push(column);
            }
        }
        let all = Column::ALL.into_iter().filter(|c| shown.contains(c));
        let width = |c: Column| match c {
            Title => least + room,
            other => other.width(table),
        };
        Self(all.map(|c| (c, width(c))).collect())
    }

    /// Column, first column of the screen and width of each, from the left border of the table on.
    pub fn places(&self) -> impl Iterator<Item = (Column, usize, usize)> {
        let mut x = 3;
        self.0.iter().map(move |(column, width)| {
            let at = x;
            x += width + 1;
            (*column, at, *width)
        })
    }

    /// The name of a column, with the way round of the order that it has.
    pub fn heading(column: Column, width: usize, queue: &Queue) -> String {
        let name = match column.sort() {
            Some(sort) if sort == queue.sort => {
                let arrow = sort.arrow(queue.reversed);
                format!("{}{arrow}", column.name())
            }
            _ => column.name().to_owned(),
        };
        match column.is_right() {
            true => right(&name, width),
            false => left(&name, width),
        }
    }

    /// What the columns hold for a task, as far as they go before what it is loading.
    pub fn cells(
        &self,
        ui: &Ui,
        task: &TaskRow,
        queue: &Queue,
        state: &State,
    ) -> Vec<Span<'static>> {
        let st = &ui.st;
        let loading = state.loading_of(task.id);
        let loading = loading.and_then(|loading| loading.words(state.now));
        let mut all = Vec::with_capacity(self.0.len() + 1);
        for (n, (column, width)) in self.0.iter().enumerate() {
            if let (Result, Some(words)) = (column, &loading) {
                let room = self.0[n..].iter().map(|(_, w)| w + 1).sum();
                all.push(Span::styled(
                    fit_middle(&format!("▶ {words}"), room),
                    st.accent,
                ));
                break;
            }
            let (text, style) = cell(*column, *width, task, (queue, state), st);
            let text = match column.is_right() {
                true => right(&text, *width),
                false => left(&text, *width),
            };
            all.push(Span::styled(format!("{text} "), style));
        }
        all
    }
}

fn cell(
    column: Column,
    width: usize,
    task: &TaskRow,
    (queue, state): (&Queue, &State),
    st: &Styles,
) -> (String, Style) {
    let result = state.results.get(&task.id);
    let text = match column {
        Priority => {
            let known = queue.known.get(&task.id);
            return match known.map(|known| known.priority) {
                Some(Some(priority)) => (format!("{priority:.2}"), st.text),
                Some(None) => ("–".into(), st.dim),
                None => ("·".into(), st.dim),
            };
        }
        Title => return (fit_middle(&task.title, width), st.text),
        Status => status_word(task.status).to_owned(),
        Assignee => clean(task.assignee.as_deref().unwrap_or("nobody")).into_owned(),
        Branch => clean(&task.branch).into_owned(),
        Age => age(state.now.since(task.updated)),
        Result => {
            let held = state.held.contains_key(&task.id);
            return result.map_or_else(Default::default, |result| {
                let (mark, style) = result_mark(result, held, st);
                (format!("{mark} {}", clean(&result.text)), style)
            });
        }
        Labels => {
            let word = result.map_or_else(String::new, |result| labels_word(result.labels));
            return (word, st.text);
        }
        Took => result.map_or_else(String::new, |result| duration(result.ms)),
    };
    (text, st.dim)
}

/// Encord's status in at most six letters.
pub fn status_word(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::New => "new",
        TaskStatus::Assigned => "assign",
        TaskStatus::Released => "releas",
        TaskStatus::Skipped => "skip",
        TaskStatus::Reopened => "reopen",
        TaskStatus::Completed => "done",
        TaskStatus::Unknown => "?",
    }
}
