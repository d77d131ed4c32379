//! `workbench compare`: two plans, or two libraries of which each is run dry on the same tasks. Comparing a task is the
//! core's, running is `plan`'s.

use super::run::plan_into;
use crate::cli::{CompareArgs, Global};
use crate::exit::Ending;
use crate::report::comparison::{Compared, label_line, write};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use wb_core::compare::{Comparison, TaskOrder, label_words};
use wb_core::counted::{number, plural};
use wb_core::error::{Error, ErrorKind};
use wb_core::run::OnConflict;
use wb_engine::config::Config;
use wb_engine::plan::{OnlyIn, compare_plans};
use wb_engine::saved::{ProgressForm, RunRequest};
use wb_ui::text::clean;

/// Tasks that are listed at most in the text; `--json` and `--report` list more.
const LISTED: usize = 20;
/// Labels that are listed of a task.
const LABELS: usize = 5;

/// `workbench compare`
pub async fn compare(global: &Global, config: &Config, args: &CompareArgs) -> Ending {
    let mut ending = Ending::default();
    if let Err(error) = Box::pin(work(global, config, args, &mut ending)).await {
        ending.fail(error);
    }
    ending
}

async fn work(
    global: &Global,
    config: &Config,
    args: &CompareArgs,
    ending: &mut Ending,
) -> Result<(), Error> {
    let names = [&args.a, &args.b].map(|path| path.display().to_string());
    let plans = [is_plan(&args.a)?, is_plan(&args.b)?];
    let folder = tempfile::tempdir().map_err(|e| {
        let text = format!("cannot make a temporary folder: {e}");
        Error::new(ErrorKind::Settings, text)
    })?;
    let paths = match plans {
        [true, true] => [args.a.clone(), args.b.clone()],
        [false, false] => {
            let mut paths = Vec::new();
            for (name, library) in [("a", &args.a), ("b", &args.b)] {
                let path = folder.path().join(name);
                if !Box::pin(run(global, config, args, library, &path, ending)).await? {
                    return Ok(());
                }
                paths.push(path);
            }
            [paths.remove(0), paths.remove(0)]
        }
        _ => {
            let text = format!(
                "cannot compare a plan with a library: {} and {}",
                names[0], names[1]
            );
            return Err(Error::new(ErrorKind::Usage, text)
                .hint("name two plans (workbench plan -o F), or two libraries or crate folders"));
        }
    };
    show(global, args, (names, &paths), ending).await
}

/// Compares the plans, and prints and writes what was found.
async fn show(
    global: &Global,
    args: &CompareArgs,
    (names, paths): ([String; 2], &[PathBuf; 2]),
    ending: &mut Ending,
) -> Result<(), Error> {
    let tolerance = args.tolerance.unwrap_or_default();
    let (mut found, mut beyond) = (Comparison::default(), 0_usize);
    let only = compare_plans(&paths[0], &paths[1], |_, task| {
        beyond += usize::from(tolerance.exceeded_by(&task.differs));
        found.add(task);
    })?;
    found.sort(TaskOrder::Worst);
    let compared = Compared {
        names,
        found: &found,
    };
    if let Some(path) = &args.report {
        write(path, compared.page().into_string().as_bytes()).await?;
    }
    let slow = tolerance.too_slow(&found);
    if global.json {
        let mut all = compared.json();
        all["only_a"] = only.a.into();
        all["only_b"] = only.b.into();
        all["beyond_tolerance"] = beyond.into();
        all["too_slow"] = slow.into();
        let text = wb_core::text::json(&all.to_string()).into_owned();
        out!("{text}");
    } else {
        print(&compared, only, beyond, slow, args.tolerance.is_some());
    }
    if beyond > 0 || slow || only != OnlyIn::default() {
        ending.differences();
    }
    Ok(())
}

/// Whether a file is a plan, which is compressed; anything else has to be a library.
fn is_plan(path: &Path) -> Result<bool, Error> {
    if path.is_dir() {
        return Ok(false);
    }
    let unreadable = |e| Error::new(ErrorKind::Usage, format!("{}: {e}", path.display()));
    let mut start = [0; 2];
    let read = File::open(path).and_then(|mut file| file.read(&mut start));
    Ok(read.map_err(unreadable)? == 2 && start == [0x1f, 0x8b])
}

/// Runs one library dry and keeps its outcomes in a plan; false when it did not come to its end.
async fn run(
    global: &Global,
    config: &Config,
    args: &CompareArgs,
    library: &Path,
    output: &Path,
    ending: &mut Ending,
) -> Result<bool, Error> {
    let mut flags = global.flags();
    flags.dry_run = true;
    // The lines of its tasks would stand before the one object that is asked for.
    flags.json = false;
    let mut config = config.clone();
    config.agents.value = vec![library.to_owned()];
    let request = RunRequest {
        refresh_every: None,
        num_retries: 0,
        task_batch_size: 100,
        max_tasks_per_stage: Some(args.tasks),
        stage: args.stage.clone(),
        filter: args.filter.clone(),
        task: Vec::new(),
        concurrency: args.concurrency,
        rate: None,
        timeout: None,
        max_failures: None,
        max_time: None,
        on_conflict: OnConflict::Skip,
        on_duplicate: None,
        progress: ProgressForm::Auto,
        report: None,
        junit: None,
        jsonl: None,
    };
    notice!(
        "Runs {} dry on up to {} of each stage.",
        library.display(),
        plural(args.tasks, "task")
    );
    let mut ran = Ending::default();
    let kept = Box::pin(plan_into(&flags, &config, &request, output, &mut ran)).await;
    // A task that fails is a result like any other.
    let whole = kept.is_some() && matches!(ran.code(), 0 | 1 | 9) && !ran.interrupted();
    if let Some(plan) = kept.filter(|_| whole) {
        plan.finish()?;
        return Ok(true);
    }
    *ending = ran;
    Ok(false)
}

fn print(compared: &Compared<'_>, only: OnlyIn, beyond: usize, slow: bool, tolerant: bool) {
    let found = compared.found;
    out!("A {}", clean(&compared.names[0]));
    out!("B {}", clean(&compared.names[1]));
    out!("{}", found.words());
    for (n, side) in [(only.a, "A"), (only.b, "B")] {
        if n > 0 {
            out!("{} only in {side}", plural(n, "task"));
        }
    }
    out!("");
    for ((from, to), n) in &found.routes {
        out!("{:>7} {} → {}", number(*n), clean(from), clean(to));
    }
    for (name, counts) in &found.classes {
        let words = label_words(counts);
        out!(
            "        {}: same {} {words}",
            clean(name),
            number(counts.same)
        );
    }
    if let Some([a, b]) = found.times.mean_ms() {
        out!("        mean time {a:.1} ms → {b:.1} ms");
    }
    print_rows(found);
    if found.differing > LISTED {
        out!("");
        out!(
            "and {} more that differ; --json and --report list them",
            number(found.differing - LISTED)
        );
    }
    if tolerant {
        let text = if slow {
            "; the mean time of B is longer than is tolerated"
        } else {
            ""
        };
        out!("{} beyond the tolerance{text}", plural(beyond, "task"));
    }
}

/// The tasks that differ, the worst first.
fn print_rows(found: &Comparison) {
    for row in found
        .rows
        .iter()
        .filter(|row| row.differs.differs())
        .take(LISTED)
    {
        let differs = &*row.differs;
        out!("");
        out!(
            "{}  {}  {}",
            clean(&row.title),
            clean(&differs.route_words()),
            differs.label_words()
        );
        for other in &differs.others {
            let side = |text: Option<&String>| {
                text.map_or_else(|| "none".into(), |text| clean(text).into_owned())
            };
            out!(
                "    {} {}: {} → {}",
                other.sign,
                clean(&other.what),
                side(other.before.as_ref()),
                side(other.after.as_ref())
            );
        }
        for label in differs.labels.iter().take(LABELS) {
            out!("    {}", label_line(label));
        }
    }
}
