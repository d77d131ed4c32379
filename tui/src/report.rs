//! Reports of a run: one HTML file that needs no network, and JUnit XML for CI. What a run prints
//! while it goes is left to the headless face.

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use wb_core::error::{Error, ErrorKind};
use wb_core::event::NetStats;
use wb_core::run::{Ending, Report, Totals};
use wb_core::work::Route;
use wb_engine::files::{self, OutFile};

/// Tasks that the HTML report lists; those that did not go well come first.
const LISTED: usize = 5000;

/// One task, in short.
struct Line {
    title: String,
    task: String,
    stage: String,
    outcome: &'static str,
    way: String,
    labels: (usize, usize, usize),
    ms: f64,
    trouble: Option<String>,
    /// Whose fault it was.
    kind: &'static str,
}

/// Gathers what the wished-for reports need; nothing when none is wished for.
pub struct Sheet {
    html: Option<(PathBuf, OutFile)>,
    junit: Option<(PathBuf, OutFile)>,
    lines: Vec<Line>,
}

impl Sheet {
    /// Begins the files, so that a wrong path is told before the run.
    ///
    /// # Errors
    /// A file cannot be made.
    pub async fn new(html: Option<&Path>, junit: Option<&Path>) -> Result<Self, Error> {
        let mut sheet = Self {
            html: None,
            junit: None,
            lines: Vec::new(),
        };
        if let Some(path) = html {
            sheet.html = Some((path.to_owned(), files::begin("--report", path).await?));
        }
        if let Some(path) = junit {
            sheet.junit = Some((path.to_owned(), files::begin("--junit", path).await?));
        }
        Ok(sheet)
    }

    /// Takes a task in.
    pub fn add(&mut self, report: &Report, stage: &str) {
        if self.html.is_none() && self.junit.is_none() {
            return;
        }
        let (outcome, trouble) = match &report.ending {
            Ending::Moved => ("moved", None),
            Ending::Stayed => ("stayed", None),
            Ending::Failed(error) => ("failed", Some(details(error))),
            Ending::Conflict(by) => ("conflict", Some(by.clone())),
        };
        let kind = match &report.ending {
            Ending::Failed(error) => error.kind.word(),
            _ => "",
        };
        let outcome_of = report.outcome.as_ref();
        let way = match outcome_of.map(|o| &o.way) {
            Some(Route::Pathway { name, .. }) => name.clone(),
            _ => String::new(),
        };
        #[allow(clippy::cast_precision_loss)] // milliseconds
        let ms = report.run_us as f64 / 1000.0;
        self.lines.push(Line {
            title: report.row.title.to_string(),
            task: report.row.id.to_string(),
            stage: stage.to_owned(),
            outcome,
            way,
            labels: outcome_of.map(|o| o.patch.counts()).unwrap_or_default(),
            ms,
            trouble,
            kind,
        });
    }

    /// Writes the files.
    ///
    /// # Errors
    /// One could not be written; the run itself is done.
    pub fn finish(
        &mut self,
        project: &str,
        totals: &Totals,
        net: NetStats,
        wall_s: f64,
        dry: bool,
    ) -> Result<(), Error> {
        let broken = |path: &Path, e: std::io::Error| {
            Error::new(
                ErrorKind::Settings,
                format!(
                    "the report {} could not be written: {e}; the run itself is done",
                    path.display()
                ),
            )
        };
        if let Some((path, mut file)) = self.junit.take() {
            junit(&mut file, &self.lines, project, wall_s)
                .and_then(|()| file.finish())
                .map_err(|e| broken(&path, e))?;
        }
        if let Some((path, mut file)) = self.html.take() {
            let text = html(&mut self.lines, project, totals, net, wall_s, dry);
            file.write_all(text.as_bytes())
                .and_then(|()| file.finish())
                .map_err(|e| broken(&path, e))?;
        }
        Ok(())
    }
}

fn details(error: &Error) -> String {
    let mut text = error.summary.clone();
    for more in error.cause.iter().chain(&error.hints) {
        text.push('\n');
        text.push_str(more);
    }
    text
}

/// Text for XML and HTML in one line, without control and invisible characters, of which XML cannot hold many.
fn escape(text: &str) -> String {
    let text = wb_core::text::clean(text);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// The same in as many lines as it has.
fn escape_lines(text: &str) -> String {
    text.lines().map(escape).collect::<Vec<_>>().join("\n")
}

fn junit(out: &mut impl Write, lines: &[Line], project: &str, wall_s: f64) -> std::io::Result<()> {
    let failures = lines.iter().filter(|l| l.outcome == "failed").count();
    let skipped = lines.iter().filter(|l| l.outcome == "conflict").count();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites><testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"{wall_s:.3}\">",
        escape(project),
        lines.len()
    )?;
    for line in lines {
        write!(
            out,
            "<testcase classname=\"{}\" name=\"{} {}\" time=\"{:.3}\"",
            escape(&line.stage),
            escape(&line.title),
            line.task,
            line.ms / 1000.0
        )?;
        match (line.outcome, &line.trouble) {
            ("failed", Some(text)) => {
                let first = text.lines().next().unwrap_or_default();
                writeln!(
                    out,
                    "><failure type=\"{}\" message=\"{}\">{}</failure></testcase>",
                    line.kind,
                    escape(first),
                    escape_lines(text)
                )?;
            }
            (_, Some(text)) => {
                writeln!(out, "><skipped message=\"{}\"/></testcase>", escape(text))?;
            }
            _ => writeln!(out, "/>")?,
        }
    }
    writeln!(out, "</testsuite></testsuites>")?;
    out.flush()
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222;background:#fff}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}\
.failed td:first-child{color:#b00020}.conflict td:first-child{color:#9a6700}.n{text-align:right}pre{white-space:pre-wrap;margin:0;font-size:12px}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}td,th{border-color:#333}.failed td:first-child{color:#ff7b86}}";

fn html(
    lines: &mut [Line],
    project: &str,
    totals: &Totals,
    net: NetStats,
    wall_s: f64,
    dry: bool,
) -> String {
    let mut out = String::new();
    let title = format!("{} – run", escape(project));
    let _ = write!(
        out,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style><h1>{title}</h1><p>"
    );
    let _ = write!(
        out,
        "{} tasks in {wall_s:.1} s: {} moved, {} stayed, {} failed, {} left because others had changed them. ",
        totals.tasks, totals.moved, totals.stayed, totals.failed, totals.conflicts
    );
    let _ = write!(
        out,
        "{}",
        if dry {
            "Dry run: nothing was written.".to_owned()
        } else {
            format!("{} writing requests.", net.writes)
        }
    );
    let _ = write!(out, "</p><h2>Ways</h2><table><tr><th>way<th class=n>tasks");
    for (route, n) in &totals.routes {
        let _ = write!(out, "<tr><td>{}<td class=n>{n}", escape(route));
    }
    let _ = write!(out, "</table>");
    if !totals.groups.is_empty() {
        let _ = write!(
            out,
            "<h2>Failures</h2><p>The same fault with other numbers is one group; <code>workbench run … --filter fault:NAME</code> runs a group again.</p><table><tr><th class=n>tasks<th>name<th>whose<th>fault<th>first"
        );
        for group in &totals.groups {
            let _ = write!(
                out,
                "<tr><td class=n>{}<td><code>{:08x}</code><td>{}<td>{}<td>{}",
                group.count,
                group.id,
                group.first.kind.word(),
                escape(&group.first.summary),
                escape(&group.title)
            );
        }
        let _ = write!(out, "</table>");
    }
    lines.sort_by_key(|l| match l.outcome {
        "failed" => 0,
        "conflict" => 1,
        _ => 2,
    });
    let _ = write!(
        out,
        "<h2>Tasks</h2><table><tr><th>outcome<th>title<th>stage<th>way<th>labels<th class=n>ms"
    );
    for line in lines.iter().take(LISTED) {
        let (added, changed, removed) = line.labels;
        let _ = write!(
            out,
            "<tr class={}><td>{}<td title=\"{}\">{}<td>{}<td>{}<td>+{added} ~{changed} -{removed}<td class=n>{:.1}",
            line.outcome,
            line.outcome,
            line.task,
            escape(&line.title),
            escape(&line.stage),
            escape(&line.way),
            line.ms
        );
        if let Some(text) = &line.trouble {
            let _ = write!(
                out,
                "<tr class={}><td><td colspan=5><pre>{}</pre>",
                line.outcome,
                escape_lines(text)
            );
        }
    }
    let _ = write!(out, "</table>");
    if lines.len() > LISTED {
        let _ = write!(
            out,
            "<p>and {} more; --jsonl lists every task</p>",
            lines.len() - LISTED
        );
    }
    out.push_str("</html>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_cannot_break_out_of_a_report() {
        let line = Line {
            title: "</td><script>\u{1b}&\"".into(),
            task: "t".into(),
            stage: "s".into(),
            outcome: "failed",
            way: String::new(),
            labels: (0, 0, 0),
            ms: 1.0,
            trouble: Some("a <b>\nmore".into()),
            kind: "agent",
        };
        let mut xml = Vec::new();
        junit(&mut xml, std::slice::from_ref(&line), "p", 1.0).unwrap();
        let page = html(
            &mut [line],
            "p",
            &Totals::default(),
            NetStats::default(),
            1.0,
            false,
        );
        for text in [String::from_utf8(xml).unwrap(), page] {
            assert!(
                !text.contains("<script>") && !text.contains('\u{1b}'),
                "{text}"
            );
            assert!(text.contains("&lt;/td&gt;"), "{text}");
        }
    }
}
