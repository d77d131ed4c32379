//! `workbench check`: everything that can be known before the first task, each finding with a fix. What is
//! compared stands in `preflight`, which commands that run agents begin with too.

use crate::cli::{Global, LookArgs};
use crate::exit::Ending;
use crate::print;
use serde_json::{Value, json};
use std::path::PathBuf;
use wb_client::Reader;
use wb_core::error::{Error, ErrorKind};
use wb_core::state::{Options, State};
use wb_engine::attempt_limit::AttemptLimit;
use wb_engine::config::{Config, cache_dir};
use wb_engine::host_limits::HostLimits;
use wb_engine::library::Library;
use wb_engine::max_time::MaxTime;
use wb_engine::preflight::{self, Finding, Mark};
use wb_engine::runtime::{Engine, Setup};
use wb_engine::{library, upstream};

/// A clock that is off by more seconds than this is a finding.
const CLOCK: u64 = 60;

/// Checks and prints; exit 3 when something is wrong, 9 when there was no time to look at everything.
///
/// # Errors
/// Settings or credentials are not usable: the first finding.
pub async fn check(global: &Global, config: &Config, args: &LookArgs) -> Result<Ending, Error> {
    let mut ending = Ending::default();
    let limit = MaxTime::new(args.max_time);
    let hash = upstream::project_hash(config)?;
    let up = upstream::look(&global.flags(), config)?;
    let mut findings = vec![
        Finding::good("key", up.credential),
        Finding::good("domain", up.name.clone()),
    ];
    let libraries = library::files(&config.agents.value, print::notify)?;
    // As a run has them.
    let concurrency = config.concurrency.as_ref().map_or(1, |c| c.value);
    let limits = HostLimits::of(&global.flags(), config, concurrency);
    let mut engine = Engine::start(Setup {
        reader: up.reader,
        writer: None,
        project: hash,
        libraries: libraries.iter().map(|l| l.path.clone()).collect(),
        twins: Vec::new(),
        drain: None,
        cache: cache_dir()?,
        params: config.params.clone(),
        options: Options {
            dry_run: true,
            timeout_ms: upstream::timeout_ms(None, config),
            ..Options::default()
        },
        concurrency: 1,
        limits: limits.clone(),
        verbose: 0,
    })?;
    let all = look(
        &up.name,
        &mut engine,
        (libraries, limits),
        config,
        &mut findings,
    );
    let looked = limit.unless_over(all).await;
    if looked.is_none() {
        ending.stopped();
        let text = "--max-time was over before everything was checked";
        findings.push(Finding::bad(
            "time",
            text,
            "raise --max-time, or leave it out",
        ));
    }
    print(global, &findings);
    limit.shut_down(&mut engine).await;
    looked.unwrap_or(Ok(()))?;
    if findings.iter().any(|f| f.mark == Mark::Bad) {
        ending.fail(Error::new(ErrorKind::Settings, "check found something"));
    }
    Ok(ending)
}

fn print(global: &Global, findings: &[Finding]) {
    if global.json {
        let ok = findings.iter().all(|f| f.mark != Mark::Bad);
        let all: Vec<Value> = findings.iter().map(Finding::json).collect();
        out!("{}", json!({"ok": ok, "findings": all}));
        return;
    }
    for finding in findings {
        for line in finding.text().lines() {
            out!("{line}");
        }
    }
}

async fn look(
    host: &str,
    engine: &mut Engine,
    (libraries, limits): (Vec<Library>, HostLimits),
    config: &Config,
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    preflight::project(engine).await?;
    let title = engine.state().project.as_ref().map(|p| p.title.clone());
    findings.push(Finding::good("project", title.unwrap_or_default()));
    findings.push(clock(engine.reader(), host));
    findings.extend(preflight::files(&libraries));
    let paths = libraries.into_iter().map(|l| l.path);
    let there: Vec<PathBuf> = paths.filter(|path| path.exists()).collect();
    findings.extend(preflight::libraries(engine, &there, &limits, print::notify).await);
    findings.extend(opened(engine.state()));
    findings.extend(stages(engine.state()));
    findings.extend(preflight::agent_stages(engine.state()));
    if !there.is_empty() {
        findings.extend(preflight::bound(engine.state()));
    }
    let order = engine.state().builds.order();
    findings.extend(preflight::agents(engine, &order, &config.params).await?);
    if let Some(project) = &engine.state().project {
        findings.extend(preflight::names(project, &config.agents.value)?);
    }
    Ok(())
}

/// A clock that is further off than the platform may accept: signatures carry the time.
fn clock(reader: &Reader, host: &str) -> Finding {
    let Some(ahead) = reader.clock_skew() else {
        return Finding::note("clock", format!("the answers of {host} have no time"));
    };
    let side = if ahead > 0 { "behind" } else { "ahead of" };
    match ahead.unsigned_abs() {
        0..=2 => Finding::good("clock", format!("as {host}")),
        off @ 3..=CLOCK => Finding::good("clock", format!("{off} s {side} {host}")),
        off => {
            let text = format!(
                "this machine's clock is {off} s {side} {host}: requests signed with a wrong time are refused"
            );
            Finding::bad(
                "clock",
                text,
                "set the clock, e.g. timedatectl set-ntp true",
            )
        }
    }
}

/// What is in the libraries.
fn opened(state: &State) -> Vec<Finding> {
    let mut findings = Vec::new();
    for build in &state.builds.all {
        let library = &build.probed.descriptor;
        let count = library.agents.len();
        let s = if count == 1 { "" } else { "s" };
        let text = format!("{} {}, {count} agent{s}", library.name, library.version);
        findings.push(Finding::good("library", text));
        let notes = build.notes.iter();
        findings.extend(notes.map(|note| Finding::note("library", note.clone())));
    }
    findings
}

/// Who works on each stage, and how long one attempt may take there.
fn stages(state: &State) -> Vec<Finding> {
    let Some(project) = &state.project else {
        return Vec::new();
    };
    let of = |stage: &wb_core::workflow::Stage| match state.agent(stage.id) {
        Some((build, _, agent)) => {
            let limit = AttemptLimit::of_ms(state.limit_of(agent));
            let function = &agent.spec.function;
            let text = format!(
                "{} ← {function} (build {build}, limit {limit})",
                stage.title
            );
            Finding::good("stage", text)
        }
        None => {
            let text = format!(
                "stage {} has no agent; its tasks are left alone",
                stage.title
            );
            Finding::note("stage", text)
        }
    };
    project.workflow.agent_stages().map(of).collect()
}
