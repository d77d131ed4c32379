//! Commands that only look: graph, stages, tasks, config, print.

use crate::appearance::Appearance;
use crate::cli::{Global, GraphArgs, GraphFormat, LookArgs, PrintWhat, TasksArgs};
use crate::exit::Ending;
use crate::{print, screen};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use wb_client::TaskFilter;
use wb_core::error::{Error, ErrorKind};
use wb_core::filter::Filter;
use wb_core::ids::{ProjectHash, TaskId};
use wb_core::queue::LastResult;
use wb_core::work::Project;
use wb_core::workflow::export;
use wb_core::workflow::{Pathway, Stage, StageKind};
use wb_engine::config::Config;
use wb_engine::files;
use wb_engine::history::AttemptHistory;
use wb_engine::host_limits::HostLimits;
use wb_engine::max_time::MaxTime;
use wb_engine::runtime::matching;
use wb_engine::upstream;

/// The project as it is now, and how it is read.
///
/// # Errors
/// It cannot be had.
pub async fn project(
    global: &Global,
    config: &Config,
) -> Result<(upstream::Upstream, Project), Error> {
    let hash = upstream::project_hash(config)?;
    let upstream = upstream::look(&global.flags(), config)?;
    let mut project = upstream.reader.project(hash).await?;
    if let Some(specification) = screen::specification(config)? {
        project.workflow.learn_edges(&specification);
    }
    Ok((upstream, project))
}

/// Work that only looks, as far as it comes within its time.
async fn within(
    args: &LookArgs,
    work: impl Future<Output = Result<(), Error>>,
    ending: &mut Ending,
) -> Result<(), Error> {
    let limit = MaxTime::new(args.max_time);
    let Some(done) = limit.unless_over(work).await else {
        ending.stopped();
        notice!("workbench: --max-time was over before the output was complete");
        return Ok(());
    };
    done
}

/// `workbench graph`
///
/// # Errors
/// The project cannot be had.
pub async fn graph(
    global: &Global,
    config: &Config,
    args: &GraphArgs,
    ending: &mut Ending,
) -> Result<(), Error> {
    let format = args.format(global.json)?;
    within(&args.look, draw_graph(global, config, format), ending).await
}

async fn draw_graph(global: &Global, config: &Config, format: GraphFormat) -> Result<(), Error> {
    let (_, project) = project(global, config).await?;
    let flow = &project.workflow;
    match format {
        GraphFormat::Json => {
            let document = json!({"stages": flow.stages, "edges": flow.edges});
            out!("{document}");
        }
        GraphFormat::Dot => {
            print::text(&export::dot(&project.title, flow));
        }
        GraphFormat::Mermaid => {
            print::text(&export::mermaid(&project.title, flow));
        }
        GraphFormat::Text => graph_text(&project),
    }
    Ok(())
}

/// Each stage and where its pathways lead.
fn graph_text(project: &Project) {
    out!("{}", wb_ui::text::clean(&project.title));
    for edge in project.workflow.edges.iter().filter(|e| e.from.is_none()) {
        out!("  start → {}", title(project, edge.to));
    }
    for stage in &project.workflow.stages {
        out!("  {} {}", mark(stage), wb_ui::text::clean(&stage.title));
        for pathway in &stage.pathways {
            out!(
                "      {} → {}",
                wb_ui::text::clean(&pathway.name),
                title(project, pathway.to)
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
            out!(
                "      {} → {}",
                wb_ui::text::clean(label),
                title(project, edge.to)
            );
        }
    }
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
pub async fn stages(
    global: &Global,
    config: &Config,
    args: &LookArgs,
    ending: &mut Ending,
) -> Result<(), Error> {
    within(args, list_stages(global, config), ending).await
}

async fn list_stages(global: &Global, config: &Config) -> Result<(), Error> {
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
            out!(
                "{}",
                json!({"uuid": stage.id, "title": stage.title, "type": stage.kind.wire(), "tasks": count})
            );
        } else {
            out!(
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

/// The results of tasks when they were run last from this folder, when the filter asks for it.
///
/// # Errors
/// They cannot be read.
pub fn earlier(
    filter: &Filter,
    project: ProjectHash,
) -> Result<Arc<HashMap<TaskId, LastResult>>, Error> {
    match files::existing("tried.db") {
        Some(path) if !filter.is_empty() => AttemptHistory::earlier_in(&path, project),
        _ => Ok(Arc::default()),
    }
}

/// `workbench tasks`, as far as it comes within its time.
///
/// # Errors
/// As [`list_tasks`].
pub async fn tasks(
    global: &Global,
    config: &Config,
    args: &TasksArgs,
    ending: &mut Ending,
) -> Result<(), Error> {
    within(&args.look, list_tasks(global, config, args), ending).await
}

/// Lists tasks.
///
/// # Errors
/// The stage does not exist, the filter is none, or upstream does not answer.
async fn list_tasks(global: &Global, config: &Config, args: &TasksArgs) -> Result<(), Error> {
    let filter = Filter::parse(args.filter.as_deref().unwrap_or_default())
        .map_err(|e| Error::new(ErrorKind::Usage, format!("--filter: {e}")))?;
    let (upstream, project) = project(global, config).await?;
    filter
        .is_clear_in(&project.workflow.stages)
        .map_err(|e| Error::new(ErrorKind::Settings, format!("--filter: {e}")))?;
    let stage = match &args.stage {
        Some(name) => (project.workflow.find(name)).ok_or_else(|| project.workflow.no_stage(name)),
        None => (project.workflow.agent_stages().next())
            .ok_or_else(|| Error::new(ErrorKind::Settings, "the project has no agent stage")),
    };
    let stage =
        stage.map_err(|error| error.hint(format!("its stages: {}", project.workflow.titles())))?;
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
        let rows = matching(&upstream.reader, &project, rows, &filter, &earlier).await?;
        let left = rows.len().saturating_sub(args.limit - shown);
        if shown + rows.len() >= args.limit {
            limit_reached(args.limit, left > 0, page.next.is_some(), &filter);
        }
        for row in rows.into_iter().take(args.limit - shown) {
            shown += 1;
            let line = if global.json {
                json!(row.doc(wb_client::rfc3339)).to_string()
            } else {
                format!("{}  {:10}  {}", row.id, row.status.wire(), row.title)
            };
            let heard = print::out("", format_args!("{line}"));
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

/// What is not listed because of `--limit`: `left` tasks that were seen, or `unseen` ones on further pages.
fn limit_reached(limit: usize, left: bool, unseen: bool, filter: &Filter) {
    let more = match (left, unseen) {
        (true, _) => "there are more",
        (false, true) if filter.is_empty() => "there are more",
        (false, true) => "there may be more",
        (false, false) => return,
    };
    notice!("Stopped at {limit} tasks; {more}: --limit N lists up to N.");
}

/// `workbench keys`
pub fn keys(global: &Global, map: &wb_ui::Keymap) {
    print::text(&match global.json {
        true => wb_ui::keys_json(map),
        false => wb_ui::keys_text(map),
    });
}

/// `workbench config`
pub fn config(global: &Global, config: &Config, appearance: &Appearance) {
    let limits = HostLimits::lines(&global.flags(), config);
    let lines = config.lines().into_iter().chain(limits);
    for [name, value, origin] in lines.chain(appearance.lines()) {
        if global.json {
            out!(
                "{}",
                json!({"name": name, "value": value, "origin": origin})
            );
        } else {
            out!(
                "{name:20} {:40} {}",
                wb_ui::text::clean(&value),
                wb_ui::text::clean(&origin)
            );
        }
    }
}

/// `workbench print`
///
/// # Errors
/// The project cannot be had.
pub async fn print(
    global: &Global,
    config: &Config,
    what: &PrintWhat,
    ending: &mut Ending,
) -> Result<(), Error> {
    match what {
        PrintWhat::SystemInfo => system_info(global.json),
        PrintWhat::AgentNodes(args) => within(args, agent_nodes(global, config), ending).await?,
    }
    Ok(())
}

async fn agent_nodes(global: &Global, config: &Config) -> Result<(), Error> {
    let (_, project) = project(global, config).await?;
    for stage in project.workflow.agent_stages() {
        agent_node(&project, stage, global.json);
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
        out!(
            "{}",
            json!({"workbench": version, "agent_abi": abi, "os": OS, "arch": ARCH, "cores": cores})
        );
        return;
    }
    out!("workbench   {version}");
    out!("agent ABI   {ABI_MAJOR}.{ABI_MINOR}");
    out!("system      {OS} {ARCH}");
    out!("cores       {cores}");
}

/// A stage with its pathways: as they stand in an agent's code, or a line of JSON.
fn agent_node(project: &Project, stage: &Stage, as_json: bool) {
    if as_json {
        let to = |p: &Pathway| project.workflow.stage(p.to).map(|s| s.title.clone());
        let pathway = |p: &Pathway| json!({"uuid": p.id, "name": p.name, "to": to(p).unwrap_or_else(|| p.to.to_string())});
        let pathways: Vec<_> = stage.pathways.iter().map(pathway).collect();
        out!(
            "{}",
            json!({"uuid": stage.id, "title": stage.title, "pathways": pathways})
        );
        return;
    }
    // As Rust's own text: the code must name exactly this stage.
    out!("#[stage({:?})]  // {}", stage.title, stage.id);
    for p in &stage.pathways {
        out!(
            "    Route::to({:?})  // {} → {}",
            p.name,
            p.id,
            title(project, p.to)
        );
    }
}
