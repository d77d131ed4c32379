//! `workbench review`: what a plan would do, in groups and label by label. Needs no network.

use crate::cli::{Global, ReviewArgs};
use crate::plan::{Plan, PlanLine};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use wb_core::fault::{Fault, FaultKind};
use wb_core::filter::{Facts, Filter};
use wb_ui::text::clean;

/// Outcomes that are alike.
#[derive(Default)]
struct Group {
    tasks: u64,
    labels: (usize, usize, usize),
    priorities: u64,
    metadata: u64,
    first: String,
}

/// `workbench review`
///
/// # Errors
/// The file is no plan, or the filter is none.
pub fn review(global: &Global, args: &ReviewArgs) -> Result<(), Fault> {
    let only = filter(args.only.as_deref())?;
    let mut plan = Plan::open(&args.plan)?;
    if global.json {
        say!("{}", json!({"plan": plan.header}));
    }
    let mut groups: BTreeMap<(String, String), Group> = BTreeMap::new();
    let mut changes = String::new();
    let (mut tasks, mut writes) = (0_u64, 0_u64);
    while let Some(line) = plan.next()? {
        if !matches(&only, &line) {
            continue;
        }
        tasks += 1;
        writes += u64::from(line.deed.is_some());
        if global.json {
            if !crate::print::say(format_args!("{}", json_line(&line))) {
                return Ok(());
            }
            continue;
        }
        add(&mut groups, &line);
        if args.diff {
            difference(&line, &mut changes);
        }
    }
    if global.json {
        say!(
            "{}",
            json!({"summary": {"tasks": tasks, "changes": writes}})
        );
        return Ok(());
    }
    let header = &plan.header;
    say!(
        "Plan for \"{}\" on {}, made {}: {tasks} tasks, {writes} of them change something",
        clean(&header.project_title),
        clean(&header.upstream),
        wb_client::rfc3339(header.made)
    );
    for ((stage, way), group) in &groups {
        say!("{}", sentence(stage, way, group));
    }
    crate::print::text(&changes);
    Ok(())
}

/// Reads `--only`.
pub fn filter(text: Option<&str>) -> Result<Filter, Fault> {
    Filter::parse(text.unwrap_or_default())
        .map_err(|e| Fault::new(FaultKind::Usage, format!("--only: {e}")))
}

/// Whether a line of a plan is wanted.
pub fn matches(only: &Filter, line: &PlanLine) -> bool {
    let (row, result) = (line.row(), line.result());
    only.is_empty()
        || only.matches(&Facts {
            row: &row,
            now: crate::runtime::now(),
            result: Some(&result),
            known: Some(&line.known()),
        })
}

fn json_line(line: &PlanLine) -> serde_json::Value {
    json!({
        "task_uuid": line.task,
        "data_hash": line.data,
        "data_title": line.title,
        "stage_uuid": line.stage,
        "build": line.build,
        "attempts": line.attempts,
        "outcome": line.outcome(),
        "pathway_name": line.pathway,
        "fault": line.fault,
        "run_ms": line.run_ms,
        "patch": line.patch,
        "follows_stage_uuid": line.follows,
    })
}

fn add(groups: &mut BTreeMap<(String, String), Group>, line: &PlanLine) {
    let way = match (&line.fault, &line.pathway) {
        (Some(fault), _) => format!("failed: {}", fault.group_key()),
        (None, Some(name)) => format!("→ {name}"),
        (None, None) => "stays".to_owned(),
    };
    let stage = if line.follows.is_some() {
        format!("{} (after an outcome of this plan)", line.stage_title)
    } else {
        line.stage_title.clone()
    };
    let group = groups.entry((stage, way)).or_default();
    if group.tasks == 0 {
        group.first.clone_from(&line.title);
    }
    group.tasks += 1;
    let (added, changed, removed) = line.patch.counts();
    group.labels = (
        group.labels.0 + added,
        group.labels.1 + changed,
        group.labels.2 + removed,
    );
    group.priorities += u64::from(line.patch.priority.is_some());
    group.metadata += u64::from(line.patch.metadata.is_some());
}

fn sentence(stage: &str, way: &str, group: &Group) -> String {
    let mut text = format!("  {:>7}  {}  {}", group.tasks, clean(stage), clean(way));
    let (added, changed, removed) = group.labels;
    for (n, sign) in [(added, '+'), (changed, '~'), (removed, '-')] {
        if n > 0 {
            let _ = write!(text, "  {sign}{n}");
        }
    }
    for (n, word) in [
        (group.priorities, "priorities"),
        (group.metadata, "metadata"),
    ] {
        if n > 0 {
            let _ = write!(text, "  {n} {word}");
        }
    }
    if way.starts_with("failed") {
        let _ = write!(text, "  first: {}", clean(&group.first));
    }
    text
}

fn difference(line: &PlanLine, out: &mut String) {
    if line.patch.is_empty() {
        return;
    }
    let way = line
        .pathway
        .as_deref()
        .map_or_else(|| "stays".to_owned(), |p| format!("→ {p}"));
    let _ = writeln!(
        out,
        "\n{} ({}) {}",
        clean(&line.title),
        line.task,
        clean(&way)
    );
    for change in &line.patch.labels {
        let _ = writeln!(
            out,
            "  {} {} {}",
            change.sign,
            clean(&change.name),
            clean(&change.detail)
        );
    }
    if let Some((before, after)) = line.patch.priority {
        let before = before.map_or_else(|| "?".to_owned(), |p| p.to_string());
        let _ = writeln!(out, "  priority {before} → {after}");
    }
    if let Some(metadata) = &line.patch.metadata {
        let _ = writeln!(
            out,
            "  client metadata {}",
            clean(&json!(metadata).to_string())
        );
    }
}
