//! A comparison as JSON, and as one HTML file that loads nothing from the network.

use super::STYLE;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use wb_core::compare::{
    ComparedLabel, ComparedTask, Comparison, LabelCounts, label_words, two_digits,
};
use wb_core::comparing::{CompareSide, Comparing};
use wb_core::error::{Error, ErrorKind};
use wb_core::text::clean;
use wb_engine::files::OutFile;

/// Labels that are shown of a task at most.
const SHOWN: usize = 20;

/// What was compared.
pub struct Compared<'a> {
    /// Names of A and of B.
    pub names: [String; 2],
    /// What was found; its rows in the order in which they are shown.
    pub found: &'a Comparison,
}

impl<'a> Compared<'a> {
    /// A comparison of the screen.
    pub fn of(comparing: &'a Comparing) -> Self {
        Self {
            names: comparing.sides.map(CompareSide::words),
            found: &comparing.found,
        }
    }

    /// `{"a", "b", "summary", "tasks", "differing", …}`.
    pub fn json(&self) -> Value {
        let mut all = json!(self.found);
        all["a"] = json!(self.names[0]);
        all["b"] = json!(self.names[1]);
        all["summary"] = json!(self.found.words());
        all
    }

    /// Writes `compare.json` and `compare.html` into the current folder.
    ///
    /// # Errors
    /// A file cannot be written.
    pub async fn save(&self) -> Result<(), Error> {
        let json = format!("{:#}\n", self.json());
        write(Path::new("compare.json"), json.as_bytes()).await?;
        let page = self.page().into_string();
        write(Path::new("compare.html"), page.as_bytes()).await
    }

    /// The page.
    pub fn page(&self) -> Markup {
        let [a, b] = self.names.each_ref().map(|name| clean(name));
        let title = format!("{a} against {b}");
        let found = self.found;
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    h1 { (title) }
                    p { (found.words()) "." }
                    @if let Some([a, b]) = found.times.mean_ms() {
                        p { "Mean time " (format!("{a:.1}")) " ms → " (format!("{b:.1}")) " ms." }
                    }
                    h2 { "Routes" }
                    table {
                        tr { th { "A" } th { "B" } th.n { "tasks" } }
                        @for ((from, to), tasks) in &found.routes {
                            tr { td { (clean(from)) } td { (clean(to)) } td.n { (tasks) } }
                        }
                    }
                    (classes(found))
                    (tasks(found))
                }
            }
        }
    }
}

/// Writes a file.
///
/// # Errors
/// It cannot be written.
pub async fn write(path: &Path, content: &[u8]) -> Result<(), Error> {
    let file = wb_engine::files::begin("compare", path).await?;
    fill(file, content).map_err(|error| {
        let text = format!("cannot write {}: {error}", path.display());
        Error::new(ErrorKind::Settings, text)
    })
}

fn fill(mut file: OutFile, content: &[u8]) -> std::io::Result<()> {
    file.write_all(content)?;
    file.finish()
}

fn classes(found: &Comparison) -> Markup {
    let row = |name: &str, counts: &LabelCounts| {
        let overlap = counts.mean_overlap().map(two_digits).unwrap_or_default();
        html! {
            tr {
                td { (clean(name)) }
                td.n { (counts.same) } td.n { (counts.moved) } td.n { (counts.changed) }
                td.n { (counts.added) } td.n { (counts.removed) } td.n { (overlap) }
            }
        }
    };
    html! {
        @if !found.classes.is_empty() {
            h2 { "Labels" }
            table {
                tr {
                    th { "class" } th.n { "same" } th.n { "moved" } th.n { "other answers" }
                    th.n { "only B" } th.n { "only A" } th.n { "mean overlap" }
                }
                @for (name, counts) in &found.classes { (row(name, counts)) }
                (row("all", &found.labels))
            }
        }
    }
}

fn tasks(found: &Comparison) -> Markup {
    let differing = || found.rows.iter().filter(|row| row.differs.differs());
    html! {
        h2 { "Tasks that differ" }
        table {
            tr { th { "title" } th { "route" } th { "labels" } th { "others" } }
            @for row in differing() { (task(row)) }
        }
        @let left = found.differing.saturating_sub(differing().count());
        @if left > 0 { p { "and " (left) " more; the worst are listed" } }
    }
}

fn task(row: &ComparedTask) -> Markup {
    let differs = &*row.differs;
    let class = if differs.failed[1] { "failed" } else { "" };
    html! {
        tr.(class) {
            td title=(row.task) { (clean(&row.title)) }
            td { (clean(&differs.route_words())) }
            td { (label_words(&differs.counts)) }
            td {
                @for other in &differs.others {
                    div {
                        (clean(&other.what)) ": " (side(other.before.as_ref()))
                        " → " (side(other.after.as_ref()))
                    }
                }
            }
        }
        @if !differs.labels.is_empty() {
            tr { td {} td.changes colspan="3" {
                @for label in differs.labels.iter().take(SHOWN) { div { (label_line(label)) } }
                @if differs.counts.differing() > SHOWN {
                    div { "and " (differs.counts.differing() - SHOWN) " more" }
                }
            } }
        }
    }
}

fn side(text: Option<&String>) -> String {
    text.map_or_else(|| "none".to_owned(), |text| clean(text).into_owned())
}

/// `~ Car: box 1 → box 2 · overlap 0.83`.
pub fn label_line(label: &ComparedLabel) -> String {
    let [a, b] = label.details.each_ref().map(Option::as_ref);
    let what = match (a, b) {
        (Some(a), Some(b)) => format!("{} → {}", clean(a), clean(b)),
        (one, two) => one
            .or(two)
            .map_or_else(String::new, |text| clean(text).into_owned()),
    };
    let overlap = label.overlap.map(two_digits);
    let overlap = overlap.map_or_else(String::new, |overlap| format!(" · overlap {overlap}"));
    let name = clean(&label.name);
    format!("{} {name}: {what}{overlap}", label.fate.sign())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use wb_core::compare::TaskComparison;
    use wb_core::ids::TaskId;

    #[test]
    fn a_page_and_its_json_hold_the_figures_and_no_foreign_markup() {
        let differs = TaskComparison {
            routes: ["auto".into(), "<script>".into()],
            changed_route: true,
            ..TaskComparison::default()
        };
        let mut found = Comparison::default();
        found.add(ComparedTask {
            task: TaskId(uuid::Uuid::nil()),
            title: "</td><script>\u{1b}".into(),
            differs: Arc::new(differs),
        });
        let compared = Compared {
            names: ["a".into(), "b".into()],
            found: &found,
        };
        let page = compared.page().into_string();
        assert!(
            !page.contains("<script>") && !page.contains('\u{1b}'),
            "{page}"
        );
        assert!(page.contains("1 of 1 task changed route"), "{page}");
        let json = compared.json();
        assert_eq!(
            (&json["a"], &json["changed_route"]),
            (&json!("a"), &json!(1))
        );
        assert_eq!(json["routes"], json!([["auto", "<script>", 1]]));
        assert_eq!(json["rows"][0]["changed_route"], json!(true));
    }
}
