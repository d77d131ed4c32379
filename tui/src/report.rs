//! Reports of a run: one HTML file that loads nothing from the network, and JUnit XML for CI. The output
//! during a run is left to `headless`.

pub mod comparison;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use std::borrow::Cow;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wb_core::counted::plural;
use wb_core::error::{Error, ErrorKind};
use wb_core::event::NetStats;
use wb_core::run::{Ending, Report, Totals};
use wb_core::text::{clean, clean_lines};
use wb_core::work::{Patch, Route};
use wb_engine::files::{self, OutFile};

/// Tasks that the HTML report lists at most; failures and conflicts come first.
const LISTED: usize = 5000;
/// Changes that it shows of a task at most.
const SHOWN: usize = 20;

/// One task of a report. All its text is free of control and invisible characters.
struct TaskLine {
    title: String,
    task: String,
    stage: String,
    outcome: &'static str,
    route: String,
    labels: (usize, usize, usize),
    /// What the outcome changes, a line each.
    changes: Vec<String>,
    time: Duration,
    /// Why it failed, or who else changed it.
    reason: Option<String>,
    /// Where the error comes from: `agent`, `encord`, …
    kind: &'static str,
}

/// Collects the tasks of a run for the requested reports; nothing if no report was requested.
pub struct RunReports {
    html: Option<(PathBuf, OutFile)>,
    junit: Option<(PathBuf, OutFile)>,
    lines: Vec<TaskLine>,
}

impl RunReports {
    /// Opens the files, so that a wrong path is reported before the run.
    ///
    /// # Errors
    /// A file cannot be created.
    pub async fn new(html: Option<&Path>, junit: Option<&Path>) -> Result<Self, Error> {
        let mut reports = Self {
            html: None,
            junit: None,
            lines: Vec::new(),
        };
        if let Some(path) = html {
            reports.html = Some((path.to_owned(), files::begin("--report", path).await?));
        }
        if let Some(path) = junit {
            reports.junit = Some((path.to_owned(), files::begin("--junit", path).await?));
        }
        Ok(reports)
    }

    /// Adds a finished task.
    pub fn add(&mut self, report: &Report, stage: &str) {
        if self.html.is_none() && self.junit.is_none() {
            return;
        }
        let (outcome, reason) = match &report.ending {
            Ending::Moved => ("moved", None),
            Ending::Stayed => ("stayed", None),
            Ending::Failed(error) => ("failed", Some(details(error))),
            Ending::Conflict(by) => ("conflict", Some(clean(by).into_owned())),
        };
        let kind = match &report.ending {
            Ending::Failed(error) => error.kind.word(),
            _ => "",
        };
        let given = report.outcome.as_ref();
        let wanted = self.html.is_some() && self.lines.len() < LISTED;
        let changes = given.filter(|_| wanted).map(|given| changes(&given.patch));
        let route = match given.map(|o| &o.way) {
            None | Some(Route::Stay) => String::new(),
            Some(way) => clean(&way.name()).into_owned(),
        };
        self.lines.push(TaskLine {
            title: clean(&report.row.title).into_owned(),
            task: report.row.id.to_string(),
            stage: clean(stage).into_owned(),
            outcome,
            route,
            labels: given.map(|o| o.patch.counts()).unwrap_or_default(),
            changes: changes.unwrap_or_default(),
            time: Duration::from_micros(report.run_us),
            reason,
            kind,
        });
    }

    /// Writes the files.
    ///
    /// # Errors
    /// A file could not be written. The run itself is complete.
    pub fn finish(
        &mut self,
        project: &str,
        totals: &Totals,
        net: NetStats,
        wall_s: f64,
        dry: bool,
    ) -> Result<(), Error> {
        let unwritable = |path: &Path, e: std::io::Error| {
            Error::new(
                ErrorKind::Settings,
                format!(
                    "cannot write the report {}: {e}; the run itself is complete",
                    path.display()
                ),
            )
        };
        if let Some((path, mut file)) = self.junit.take() {
            junit(&self.lines, project, wall_s)
                .serialize(&mut file)
                .map_err(std::io::Error::other)
                .and_then(|()| file.finish())
                .map_err(|e| unwritable(&path, e))?;
        }
        if let Some((path, mut file)) = self.html.take() {
            let writes = (!dry).then_some(net.writes);
            let page = page(&mut self.lines, project, totals, writes, wall_s);
            file.write_all(page.into_string().as_bytes())
                .and_then(|()| file.finish())
                .map_err(|e| unwritable(&path, e))?;
        }
        Ok(())
    }
}

/// The summary, causes and hints of an error, a line each.
fn details(error: &Error) -> String {
    let mut text = clean_lines(&error.summary).into_owned();
    let hints = error.hints.iter().map(|hint| Cow::Borrowed(hint.as_str()));
    for line in error.explanation().chain(hints) {
        text.push('\n');
        text.push_str(&clean_lines(&line));
    }
    text
}

fn junit(lines: &[TaskLine], project: &str, wall_s: f64) -> quick_junit::Report {
    let mut suite = TestSuite::new(clean(project));
    suite.set_time(Duration::try_from_secs_f64(wall_s).unwrap_or_default());
    for line in lines {
        let status = match (line.outcome, &line.reason) {
            ("failed", Some(reason)) => {
                let mut failure = TestCaseStatus::non_success(NonSuccessKind::Failure);
                failure.set_type(line.kind);
                failure.set_message(reason.lines().next().unwrap_or_default());
                failure.set_description(reason.as_str());
                failure
            }
            (_, Some(reason)) => {
                let mut skipped = TestCaseStatus::skipped();
                skipped.set_message(reason.as_str());
                skipped
            }
            _ => TestCaseStatus::success(),
        };
        let mut case = TestCase::new(format!("{} {}", line.title, line.task), status);
        case.set_classname(line.stage.as_str()).set_time(line.time);
        suite.add_test_case(case);
    }
    let mut report = quick_junit::Report::unnamed();
    report.add_test_suite(suite);
    report
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222;background:#fff}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}\
.failed td:first-child{color:#b00020}.conflict td:first-child{color:#9a6700}.n{text-align:right}.changes div{white-space:pre-wrap}pre{white-space:pre-wrap;margin:0;font-size:12px}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}td,th{border-color:#333}.failed td:first-child{color:#ff7b86}}";

/// `writes`: writing requests that were sent; `None` in a dry run.
fn page(
    lines: &mut [TaskLine],
    project: &str,
    totals: &Totals,
    writes: Option<u64>,
    wall_s: f64,
) -> Markup {
    let title = format!("{} – run", clean(project));
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                p {
                    (plural(totals.tasks, "task")) " in " (format!("{wall_s:.1}")) " s: " (totals.moved) " moved, "
                    (totals.stayed) " stayed, " (totals.failed) " failed, "
                    (totals.conflicts) " left because others had changed them. "
                    @match writes {
                        Some(writes) => { (writes) " writing requests." }
                        None => { "Dry run: nothing was written." }
                    }
                }
                h2 { "Routes" }
                table {
                    tr { th { "route" } th.n { "tasks" } }
                    @for (route, tasks) in &totals.routes {
                        tr { td { (clean(route)) } td.n { (tasks) } }
                    }
                }
                (failures(totals))
                (tasks(lines))
            }
        }
    }
}

fn failures(totals: &Totals) -> Markup {
    html! {
        @if !totals.groups.is_empty() {
            h2 { "Failures" }
            p {
                "Errors that differ only in their numbers are one group. To run a group again: "
                code { "workbench run … --filter fault:NAME" }
            }
            table {
                tr { th.n { "tasks" } th { "name" } th { "kind" } th { "error" } th { "first task" } }
                @for group in &totals.groups {
                    tr {
                        td.n { (group.count) }
                        td { code { (format!("{:08x}", group.id)) } }
                        td { (group.first.kind.word()) }
                        td {
                            (clean(&group.first.summary))
                            @if let Some(reason) = group.first.reason() { br; (clean(&reason)) }
                        }
                        td { (clean(&group.title)) }
                    }
                }
            }
        }
    }
}

/// What an outcome changes, a line each, as long as it fits.
fn changes(patch: &Patch) -> Vec<String> {
    let lines = patch.lines();
    let mut shown: Vec<String> = lines
        .iter()
        .take(SHOWN)
        .map(|l| clean(l).into_owned())
        .collect();
    if lines.len() > SHOWN {
        shown.push(format!("and {} more", lines.len() - SHOWN));
    }
    shown
}

fn tasks(lines: &mut [TaskLine]) -> Markup {
    lines.sort_by_key(|line| match line.outcome {
        "failed" => 0,
        "conflict" => 1,
        _ => 2,
    });
    html! {
        h2 { "Tasks" }
        table {
            tr {
                th { "outcome" } th { "title" } th { "stage" } th { "route" } th { "labels" } th.n { "ms" }
            }
            @for line in lines.iter().take(LISTED) {
                @let (added, changed, removed) = line.labels;
                tr.(line.outcome) {
                    td { (line.outcome) }
                    td title=(line.task) { (line.title) }
                    td { (line.stage) }
                    td { (line.route) }
                    td { "+" (added) " ~" (changed) " -" (removed) }
                    td.n { (format!("{:.1}", line.time.as_secs_f64() * 1000.0)) }
                }
                @if let Some(reason) = &line.reason {
                    tr.(line.outcome) { td {} td colspan="5" { pre { (reason) } } }
                }
                @if !line.changes.is_empty() {
                    tr { td {} td.changes colspan="5" { @for change in &line.changes { div { (change) } } } }
                }
            }
        }
        @if lines.len() > LISTED {
            p { "and " (lines.len() - LISTED) " more; --jsonl lists every task" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(title: &str) -> TaskLine {
        TaskLine {
            title: clean(title).into_owned(),
            task: "t".into(),
            stage: "s".into(),
            outcome: "failed",
            route: String::new(),
            labels: (0, 0, 0),
            changes: Vec::new(),
            time: Duration::from_millis(1),
            reason: Some("a <b>\nmore".into()),
            kind: "agent",
        }
    }

    #[test]
    fn titles_are_escaped_in_both_reports() {
        let mut lines = [failed("</td><script>\u{1b}&\"")];
        let xml = junit(&lines, "p", 1.0).to_string().unwrap();
        let page = page(&mut lines, "p", &Totals::default(), Some(0), 1.0);
        for text in [xml, page.into_string()] {
            assert!(
                !text.contains("<script>") && !text.contains('\u{1b}'),
                "{text}"
            );
            assert!(text.contains("&lt;/td&gt;"), "{text}");
            assert!(text.contains("a &lt;b&gt;\nmore"), "{text}");
        }
    }

    #[test]
    fn a_junit_report_counts_failures_and_skipped_conflicts() {
        let conflict = TaskLine {
            outcome: "conflict",
            ..failed("second")
        };
        let moved = TaskLine {
            outcome: "moved",
            reason: None,
            ..failed("third")
        };
        let lines = [failed("first"), conflict, moved];
        let xml = junit(&lines, "p", 2.5).to_string().unwrap();
        for part in [
            "name=\"p\" tests=\"3\" skipped=\"1\" errors=\"0\" failures=\"1\" time=\"2.500\"",
            "<testcase name=\"first t\" classname=\"s\" time=\"0.001\">",
            "<failure message=\"a &lt;b&gt;\" type=\"agent\">a &lt;b&gt;\nmore</failure>",
            "<skipped message=\"a &lt;b&gt;",
        ] {
            assert!(xml.contains(part), "{part} in {xml}");
        }
    }
}
