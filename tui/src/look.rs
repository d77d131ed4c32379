//! Commands that only look: graph, stages, tasks, config, print.

use crate::cli::{Global, PrintWhat, TasksArgs};
use crate::config::{Config, state_dir};
use crate::limits::HostLimits;
use crate::runtime::matching;
use crate::tried::Tried;
use crate::{print, screen, upstream};
use serde_json::json;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use wb_client::TaskFilter;
use wb_core::fault::{Fault, FaultKind};
use wb_core::filter::Filter;
use wb_core::ids::{ProjectHash, TaskId};
use wb_core::queue::LastResult;
use wb_core::work::Project;
use wb_core::workflow::{Pathway, Stage, StageKind};

async fn project(global: &Global, config: &Config) -> Result<(upstream::Upstream, Project), Fault> {
    let hash = upstream::project_hash(config)?;
    let upstream = upstream::look(global, config)?;
    let mut project = upstream.reader.project(hash).await?;
    if let Some(specification) = screen::specification(config)? {
        project.workflow.learn_edges(&specification);
    }
    Ok((upstream, project))
}

/// `workbench graph`
///
/// # Errors
/// The project cannot be had.
pub async fn graph(global: &Global, config: &Config) -> Result<(), Fault> {
    let (_, project) = project(global, config).await?;
    if global.json {
        say!(
            "{}",
            json!({"stages": project.workflow.stages, "edges": project.workflow.edges})
        );
        return Ok(());
    }
    say!("{}", wb_ui::text::clean(&project.title));
    for edge in project.workflow.edges.iter().filter(|e| e.from.is_none()) {
        say!("  start → {}", title(&project, edge.to));
    }
    for stage in &project.workflow.stages {
        say!("  {} {}", mark(stage), wb_ui::text::clean(&stage.title));
        for pathway in &stage.pathways {
            say!(
                "      {} → {}",
                wb_ui::text::clean(&pathway.name),
                title(&project, pathway.to)
            );
        }
        for edge in project
            .workflow
            .edges
            .iter()
            .filter(|e| e.from == Some(stage.id))
        {
            let label = if edge.label.is_empty() {
                "·"
            } else {
                &edge.label
            };
            say!(
                "      {} → {}",
                wb_ui::text::clean(label),
                title(&project, edge.to)
            );
        }
    }
    Ok(())
}

fn title(project: &Project, id: wb_core::ids::StageId) -> String {
    project.workflow.stage(id).map_or_else(
        || id.to_string(),
        |s| wb_ui::text::clean(&s.title).into_owned(),
    )
}

fn mark(stage: &Stage) -> &'static str {
    match stage.kind {
        StageKind::Agent => "A",
        StageKind::Annotation => "E",
        StageKind::Review => "R",
        StageKind::Done => "#",
        StageKind::Other(_) => "·",
    }
}

/// `workbench stages`
///
/// # Errors
/// The project or its tasks cannot be had.
pub async fn stages(global: &Global, config: &Config) -> Result<(), Fault> {
    let (upstream, project) = project(global, config).await?;
    for stage in &project.workflow.stages {
        let mut count = 0_usize;
        let mut token: Option<String> = None;
        loop {
            let page = upstream
                .reader
                .tasks_page(
                    project.hash,
                    stage,
                    &TaskFilter::default(),
                    token.as_deref(),
                )
                .await?;
            count += page.rows.len();
            token = page.next;
            if token.is_none() {
                break;
            }
        }
        if global.json {
            say!(
                "{}",
                json!({"uuid": stage.id, "title": stage.title, "type": stage.kind.wire(), "tasks": count})
            );
        } else {
            say!(
                "{}  {:>9}  {}  {}",
                mark(stage),
                count,
                stage.id,
                wb_ui::text::clean(&stage.title)
            );
        }
    }
    Ok(())
}

/// What became of tasks when they were run last from this folder, when the filter asks for it.
fn earlier(
    filter: &Filter,
    project: ProjectHash,
) -> Result<Arc<HashMap<TaskId, LastResult>>, Fault> {
    if filter.is_empty() || !Path::new(".workbench/tried.db").exists() {
        return Ok(Arc::default());
    }
    Ok(Tried::open(&state_dir("")?, project)?.earlier())
}

/// `workbench tasks`
///
/// # Errors
/// The stage does not exist, the filter is none, or upstream does not answer.
pub async fn tasks(global: &Global, config: &Config, args: &TasksArgs) -> Result<(), Fault> {
    let filter = Filter::parse(args.filter.as_deref().unwrap_or_default())
        .map_err(|e| Fault::new(FaultKind::Usage, format!("--filter: {e}")))?;
    let (upstream, project) = project(global, config).await?;
    let stage = match &args.stage {
        Some(name) => project.workflow.find(name),
        None => project.workflow.agent_stages().next(),
    };
    let Some(stage) = stage else {
        return Err(
            Fault::new(FaultKind::Settings, "the project has no such stage")
                .hint(format!("its stages: {}", project.workflow.titles())),
        );
    };
    let earlier = earlier(&filter, project.hash)?;
    let (mut shown, mut token) = (0, None::<String>);
    while shown < args.limit {
        let page = upstream
            .reader
            .tasks_page(
                project.hash,
                stage,
                &TaskFilter::default(),
                token.as_deref(),
            )
            .await?;
        let rows = page.rows;
        for row in matching(&upstream.reader, &project, rows, &filter, &earlier).await? {
            if shown >= args.limit {
                break;
            }
            shown += 1;
            let heard = if global.json {
                print::say(format_args!("{}", json!(row.doc(wb_client::rfc3339))))
            } else {
                let title = wb_ui::text::clean(&row.title);
                print::say(format_args!(
                    "{}  {:10}  {title}",
                    row.id,
                    row.status.wire()
                ))
            };
            if !heard {
                return Ok(());
            }
        }
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    Ok(())
}

/// `workbench config`
///
/// # Errors
/// None; the signature is that of its neighbours.
pub fn config(global: &Global, config: &Config) -> Result<(), Fault> {
    let lines = config.lines().into_iter();
    for [name, value, origin] in lines.chain(HostLimits::lines(global, config)) {
        if global.json {
            say!(
                "{}",
                json!({"name": name, "value": value, "origin": origin})
            );
        } else {
            say!(
                "{name:20} {:40} {}",
                wb_ui::text::clean(&value),
                wb_ui::text::clean(&origin)
            );
        }
    }
    Ok(())
}

/// `workbench print`
///
/// # Errors
/// The project cannot be had.
pub async fn print(global: &Global, config: &Config, what: &PrintWhat) -> Result<(), Fault> {
    match what {
        PrintWhat::SystemInfo => system_info(global.json),
        PrintWhat::AgentNodes => {
            let (_, project) = project(global, config).await?;
            for stage in project.workflow.agent_stages() {
                agent_node(&project, stage, global.json);
            }
        }
    }
    Ok(())
}

fn system_info(as_json: bool) {
    use agent_abi::table::{ABI_MAJOR, ABI_MINOR};
    use std::env::consts::{ARCH, OS};
    let version = env!("CARGO_PKG_VERSION");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if as_json {
        let abi = format!("{ABI_MAJOR}.{ABI_MINOR}");
        say!(
            "{}",
            json!({"workbench": version, "agent_abi": abi, "os": OS, "arch": ARCH, "cores": cores})
        );
        return;
    }
    say!("workbench   {version}");
    say!("agent ABI   {ABI_MAJOR}.{ABI_MINOR}");
    say!("system      {OS} {ARCH}");
    say!("cores       {cores}");
}

/// A stage with its pathways: as they stand in an agent's code, or a line of JSON.
fn agent_node(project: &Project, stage: &Stage, as_json: bool) {
    if as_json {
        let pathway =
            |p: &Pathway| json!({"uuid": p.id, "name": p.name, "to": title(project, p.to)});
        let pathways: Vec<_> = stage.pathways.iter().map(pathway).collect();
        say!(
            "{}",
            json!({"uuid": stage.id, "title": stage.title, "pathways": pathways})
        );
        return;
    }
    say!(
        "#[stage(\"{}\")]  // {}",
        wb_ui::text::clean(&stage.title),
        stage.id
    );
    for p in &stage.pathways {
        say!(
            "    Route::to(\"{}\")  // {} → {}",
            wb_ui::text::clean(&p.name),
            p.id,
            title(project, p.to)
        );
    }
}
