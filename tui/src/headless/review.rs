//! `workbench review`: what a plan would do, in groups and label by label. Needs no network.

use super::output::{add_route, named};
use crate::cli::{Global, ReviewArgs};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use wb_core::counted::plural;
use wb_core::error::{Error, ErrorKind};
use wb_core::filter::Filter;
use wb_core::work::Patch;
use wb_engine::config::Config;
use wb_engine::plan::{Header, Plan, PlanLine};
use wb_engine::upstream;
use wb_ui::text::clean;

/// Outcomes that are alike.
#[derive(Default)]
struct Group {
    tasks: u64,
    labels: (usize, usize, usize),
    priorities: u64,
    metadata: u64,
    further: u64,
    first: String,
}

/// `workbench review`
///
/// # Errors
/// The file is not a plan, is damaged or for another project, or the filter is none.
pub fn review(global: &Global, config: &Config, args: &ReviewArgs) -> Result<(), Error> {
    let only = filter(args.only.as_deref())?;
    // Lines of JSON go out one by one: what is in them must be known to be whole before.
    let mut plan = match global.json {
        true => Plan::verified(&args.plan)?,
        false => Plan::open(&args.plan)?,
    };
    is_clear(&only, &plan.header)?;
    let upstream = upstream::named()?;
    if global.json {
        is_for(&plan.header, config, upstream.as_deref())?;
        return as_json(&mut plan, &only);
    }
    let mut groups: BTreeMap<(String, String), Group> = BTreeMap::new();
    let mut changes = String::new();
    let (mut tasks, mut writes) = (0_u64, 0_u64);
    while let Some(line) = plan.next_line()? {
        let patch = line.patch(&plan.ontology)?;
        if !line.matches(&only, &patch) {
            continue;
        }
        tasks += 1;
        writes += u64::from(line.change.is_some());
        add(&mut groups, &line, &patch);
        if args.diff {
            difference(&line, &patch, &mut changes);
        }
    }
    let header = &plan.header;
    is_for(header, config, upstream.as_deref())?;
    out!(
        "Plan for \"{}\" on {}, made {}: {}, {writes} with a change",
        clean(&header.project_title),
        clean(&header.upstream),
        wb_client::rfc3339(header.made),
        plural(tasks, "task")
    );
    for ((stage, way), group) in &groups {
        out!("{}", sentence(stage, way, group));
    }
    crate::print::text(&changes);
    Ok(())
}

fn as_json(plan: &mut Plan, only: &Filter) -> Result<(), Error> {
    let header = &plan.header;
    out!(
        "{}",
        json!({"plan": {
            "workbench_plan": header.workbench_plan, "id": header.id, "project": header.project,
            "project_title": header.project_title, "upstream": header.upstream, "made": header.made,
            "workbench": header.workbench, "builds": header.builds,
        }})
    );
    let (mut tasks, mut writes) = (0_u64, 0_u64);
    while let Some(line) = plan.next_line()? {
        let patch = line.patch(&plan.ontology)?;
        if !line.matches(only, &patch) {
            continue;
        }
        tasks += 1;
        writes += u64::from(line.change.is_some());
        if !crate::print::out("", format_args!("{}", json_line(&line, &patch))) {
            return Ok(());
        }
    }
    out!(
        "{}",
        json!({"summary": {"tasks": tasks, "changes": writes}})
    );
    Ok(())
}

/// A plan is for one project on one platform; what else is named may only agree.
///
/// # Errors
/// The settings name another project, or the platform is another one.
pub fn is_for(header: &Header, config: &Config, upstream: Option<&str>) -> Result<(), Error> {
    let hash = header.project.to_string();
    if let Some(named) = &config.project
        && !named.value.trim().eq_ignore_ascii_case(&hash)
    {
        let text = format!(
            "the plan is for project {hash}, but {} names {}; nothing was written",
            named.origin, named.value
        );
        return Err(Error::new(ErrorKind::Usage, text)
            .hint("leave --project-hash out: the plan knows its project"));
    }
    match upstream {
        Some(upstream) if upstream != header.upstream => {
            let text = format!(
                "the plan is for the platform at {}, but ENCORD_DOMAIN leads to {upstream}; nothing was written",
                header.upstream
            );
            Err(Error::new(ErrorKind::Settings, text)
                .hint("set ENCORD_DOMAIN to the platform that the plan was made on, or plan again"))
        }
        _ => Ok(()),
    }
}

/// Reads `--only`.
pub fn filter(text: Option<&str>) -> Result<Filter, Error> {
    Filter::parse(text.unwrap_or_default())
        .map_err(|e| Error::new(ErrorKind::Usage, format!("--only: {e}")))
}

/// Whether each name in `--only` means one thing in the plan.
///
/// # Errors
/// It means several.
pub fn is_clear(only: &Filter, header: &Header) -> Result<(), Error> {
    only.is_clear_in(&header.stages)
        .map_err(|e| Error::new(ErrorKind::Settings, format!("--only: {e}")))
}

fn json_line(line: &PlanLine, patch: &Patch) -> serde_json::Value {
    let mut json = json!({
        "task_uuid": line.task,
        "data_hash": line.data,
        "data_title": line.title,
        "stage_uuid": line.stage,
        "build": line.build,
        "attempts": line.attempts,
        "outcome": line.outcome(),
        "fault": line.error.as_ref().map(|error| named(error, line.attempts)),
        "run_ms": line.run_ms,
        "patch": patch,
        "follows_stage_uuid": line.follows,
    });
    add_route(&mut json, Some(&line.way));
    json
}

fn add(groups: &mut BTreeMap<(String, String), Group>, line: &PlanLine, patch: &Patch) {
    let way = match (&line.error, &line.route) {
        (Some(error), _) => format!("failed: {}", error.group_key()),
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
    let (added, changed, removed) = patch.counts();
    group.labels = (
        group.labels.0 + added,
        group.labels.1 + changed,
        group.labels.2 + removed,
    );
    group.priorities += u64::from(patch.priority.is_some());
    group.metadata += u64::from(patch.metadata.is_some());
    group.further += patch.changes.len() as u64;
}

fn sentence(stage: &str, way: &str, group: &Group) -> String {
    let mut text = format!("  {:>7}  {}  {}", group.tasks, clean(stage), clean(way));
    let (added, changed, removed) = group.labels;
    for (n, sign) in [(added, '+'), (changed, '~'), (removed, '-')] {
        if n > 0 {
            let _ = write!(text, "  {sign}{n}");
        }
    }
    let priority = match group.priorities {
        1 => "priority",
        _ => "priorities",
    };
    for (n, word) in [
        (group.priorities, priority),
        (group.metadata, "metadata"),
        (group.further, "of other rows and items"),
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

fn difference(line: &PlanLine, patch: &Patch, out: &mut String) {
    if patch.is_empty() {
        return;
    }
    let way = line
        .route
        .as_deref()
        .map_or_else(|| "stays".to_owned(), |p| format!("→ {p}"));
    let _ = writeln!(
        out,
        "\n{} ({}) {}",
        clean(&line.title),
        line.task,
        clean(&way)
    );
    for change in patch.lines() {
        let _ = writeln!(out, "  {}", clean(&change));
    }
}
