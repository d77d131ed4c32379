//! Custom dependencies: nesting, sharing, arguments, closing in reverse order, host scope, circles.
#![allow(clippy::unwrap_used)] // a test may stop anywhere

use agent_abi::inject::{Provide, Scope, Stop};
use agent_abi::prelude::*;
use agent_abi::table::{needs, status};
use agent_abi::testing::{ontology, task};
use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};

thread_local! {
    /// What happened on this test's thread.
    static DIARY: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn note(line: impl Into<String>) {
    DIARY.with_borrow_mut(|diary| diary.push(line.into()));
}

fn diary() -> Vec<String> {
    DIARY.take()
}

struct Connection(String);
struct Table {
    name: String,
    rows: u32,
}

#[dependency(close = disconnect)]
fn connection(project: &Project, #[arg] user: &'static str) -> Result<Connection> {
    note(format!("connect {user}"));
    assert_ne!(user, "guest", "guests break it");
    if user == "nobody" {
        bail!("no such user in {}", project.title());
    }
    Ok(Connection(user.to_owned()))
}

fn disconnect(connection: Connection, end: End) {
    note(format!("disconnect {} {end:?}", connection.0));
}

#[dependency(close = forget)]
fn table(labels: &LabelRow, #[depends(connection("ann"))] connection: &Connection) -> Table {
    note(format!("open {}", connection.0));
    Table {
        name: format!("{}'s", connection.0),
        rows: labels.objects().len() as u32,
    }
}

fn forget(table: Table, end: End) -> Result<()> {
    note(format!("close {} {end:?}", table.name));
    match table.rows {
        77 => panic!("the table fell over"),
        78 => bail!("the table is full"),
        _ => Ok(()),
    }
}

#[stage("s")]
fn uses(
    task: &Task,
    labels: &mut LabelRow,
    #[depends(table)] table: &mut Table,
    #[depends(connection("ann"))] again: &Connection,
    #[depends(connection("bob"))] other: &Connection,
) -> Result<Route> {
    note(format!("call {} {} {}", table.name, again.0, other.0));
    labels.classify("Notes", "x")?;
    match task.title() {
        "error" => bail!("no"),
        "cancel" => check_cancelled()?,
        "panic" => panic!("oh"),
        "bad teardown" => table.rows = 77,
        "failing teardown" => table.rows = 78,
        _ => {}
    }
    Ok(Route::to("done"))
}

fn run(title: &str) -> agent_abi::testing::Run {
    task(title).ontology(ontology().text("Notes")).run::<uses>()
}

#[test]
fn values_are_shared_by_equal_arguments_and_closed_in_reverse_order() {
    let result = run("fine");
    assert_eq!(result.route(), Some("done"));
    assert_eq!(
        diary(),
        [
            "connect ann",
            "connect bob",
            "open ann",
            "call ann's ann bob",
            "close ann's Done",
            "disconnect bob Done",
            "disconnect ann Done"
        ]
    );
    let kinds: Vec<&str> = result.steps().iter().map(|s| s.kind.as_str()).collect();
    assert_eq!(kinds.iter().filter(|k| **k == "close").count(), 3);
}

#[test]
fn they_are_closed_after_an_error_and_a_panic_too() {
    for (title, end) in [("error", "Failed"), ("panic", "Panicked")] {
        let result = run(title);
        assert!(result.failure().is_some());
        let lines = diary();
        assert_eq!(
            &lines[4..],
            [
                format!("close ann's {end}"),
                format!("disconnect bob {end}"),
                format!("disconnect ann {end}")
            ]
        );
    }
}

#[test]
fn a_failing_teardown_fails_the_attempt_and_the_others_are_closed_all_the_same() {
    for (title, word) in [
        ("bad teardown", "panicked: the table fell over"),
        ("failing teardown", "the table is full"),
    ] {
        let result = run(title);
        let failure = result.failure().unwrap();
        assert_eq!(
            (result.status(), failure.dependency.as_deref()),
            (status::DEPENDENCY, Some("table"))
        );
        assert_eq!(failure.message, "closing table");
        assert!(failure.chain[0].contains(word), "{:?}", failure.chain);
        assert_eq!(
            diary().last().map(String::as_str),
            Some("disconnect ann Done")
        );
    }
}

#[test]
fn the_fetch_list_covers_nested_dependencies() {
    use agent_abi::glue::Agent;
    assert_eq!(table::NEEDS, needs::LABEL_ROW | needs::PROJECT);
    assert_eq!(
        uses::NEEDS,
        needs::LABEL_ROW | needs::LABEL_ROW_WRITE | needs::PROJECT
    );
    assert_eq!(only_nested::NEEDS, needs::LABEL_ROW | needs::PROJECT);
}

#[stage("s")]
fn only_nested(#[depends(table)] table: &Table) -> Route {
    Route::stay().priority(f64::from(table.rows))
}

#[stage("s")]
fn refused(#[depends(connection("nobody"))] _connection: &Connection) -> Route {
    Route::stay()
}

#[test]
fn a_dependency_that_cannot_be_opened_is_named() {
    let result = task("a").run::<refused>();
    let failure = result.failure().unwrap();
    assert_eq!(
        (result.status(), failure.dependency.as_deref()),
        (status::DEPENDENCY, Some("connection"))
    );
    assert_eq!(failure.message, "no such user in Test project");
    assert!(
        failure
            .location
            .as_deref()
            .unwrap()
            .contains("dependencies.rs")
    );
    diary();
}

static LOADED: AtomicU32 = AtomicU32::new(0);

struct Model {
    calls: u32,
}

#[dependency(scope = host)]
fn model() -> Model {
    LOADED.fetch_add(1, Ordering::SeqCst);
    Model { calls: 0 }
}

#[stage("s")]
fn predicts(task: &Task, #[depends(model)] model: &mut Model) -> Route {
    model.calls += 1;
    assert_ne!(
        task.title(),
        "broken",
        "the model is in an unknown state now"
    );
    checkpoint("calls", &model.calls).unwrap();
    Route::stay()
}

#[test]
fn a_model_in_host_scope_is_loaded_once_and_again_after_a_panic_that_may_have_broken_it() {
    let mut last = String::new();
    for i in 0..1000 {
        let run = task(&format!("t{i}")).run::<predicts>();
        last = run
            .steps()
            .iter()
            .find(|s| s.name == "calls")
            .unwrap()
            .value
            .clone();
    }
    assert_eq!((LOADED.load(Ordering::SeqCst), last.as_str()), (1, "1000"));
    assert_eq!(task("broken").run::<predicts>().status(), status::PANIC);
    assert!(task("next").run::<predicts>().failure().is_none());
    assert_eq!(LOADED.load(Ordering::SeqCst), 2);
}

/// A type that provides itself, and may be absent inside.
#[derive(Clone, Debug)]
struct Site(Option<String>);

impl Provide for Site {
    const NAME: &'static str = "Site";
    const NEEDS: u64 = needs::STORAGE_ITEM;
    type Args = ();
    type Value = Self;
    fn open(scope: &Scope<'_>, (): &()) -> Result<Self, Stop> {
        let item = scope.need(
            "item: &StorageItem",
            <StorageItem as agent_abi::inject::Lend>::lend,
        )?;
        Ok(Self(
            item.client_metadata()
                .get("site")
                .and_then(Value::as_str)
                .map(str::to_owned),
        ))
    }
}

#[dependency]
fn shift(#[depends] site: Site) -> Option<String> {
    site.0.filter(|site| site.starts_with("night"))
}

#[stage("s")]
fn by_type(#[depends] site: &Site, #[depends(shift)] shift: Option<&String>) -> Route {
    Route::to(format!("{:?} {shift:?}", site.0))
}

#[test]
fn types_provide_themselves_and_options_stay_options() {
    assert_eq!(task("a").run::<by_type>().route(), Some("None None"));
    let night = task("a").metadata("site", "night-2").run::<by_type>();
    assert_eq!(night.route(), Some("Some(\"night-2\") Some(\"night-2\")"));
}

struct Hen;
struct Egg;

impl Provide for Hen {
    const NAME: &'static str = "Hen";
    type Args = ();
    type Value = Self;
    fn open(scope: &Scope<'_>, (): &()) -> Result<Self, Stop> {
        scope.depend::<Egg>("egg", ()).map(|_| Self)
    }
}

impl Provide for Egg {
    const NAME: &'static str = "Egg";
    type Args = ();
    type Value = Self;
    fn open(scope: &Scope<'_>, (): &()) -> Result<Self, Stop> {
        scope.depend::<Hen>("hen", ()).map(|_| Self)
    }
}

#[stage("s")]
fn circle(#[depends] _hen: &Hen) -> Route {
    Route::stay()
}

#[test]
fn a_circle_is_reported_with_its_names() {
    let result = task("a").run::<circle>();
    let failure = result.failure().unwrap();
    assert_eq!(
        failure.message,
        "dependencies ask for each other in a circle: Hen → Egg → Hen"
    );
    assert!(!failure.retry);
}

#[test]
fn a_retry_sees_everything_fresh() {
    #[stage("s")]
    fn twice(labels: &mut LabelRow, frames: Frames<'_>, task: &Task) -> Result<Route> {
        let seen = frames.iter().count();
        let ontology = labels.ontology();
        labels.add(ontology.object("Car")?.bounding_box(0.1, 0.1, 0.1, 0.1)?)?;
        if task.attempt() < 3 {
            bail!("not yet");
        }
        Ok(Route::to(format!(
            "{seen} frames, {} boxes",
            labels.objects().len()
        )))
    }
    let clip = vec![Picture::filled(2, 2, [9, 9, 9]); 12];
    let unit = task("clip")
        .ontology(ontology().object("Car", "bounding_box"))
        .video(clip);
    let runs: Vec<_> = (1..=3)
        .map(|n| unit.clone().attempt(n).run::<twice>())
        .collect();
    assert!(runs[0].failure().is_some() && runs[1].failure().is_some());
    assert_eq!(runs[2].route(), Some("12 frames, 1 boxes"));
}

#[test]
fn they_are_notified_when_the_attempt_was_cancelled() {
    let result = task("cancel")
        .ontology(ontology().text("Notes"))
        .cancelled()
        .run::<uses>();
    assert_eq!(result.status(), status::CANCELLED);
    assert_eq!(
        diary().last().map(String::as_str),
        Some("disconnect ann Cancelled")
    );
}

#[stage("s")]
fn guest(
    #[depends(connection("ann"))] _ann: &Connection,
    #[depends(connection("guest"))] _guest: &Connection,
) -> Route {
    Route::stay()
}

#[test]
fn a_dependency_that_panics_is_named_and_the_others_are_closed() {
    let result = task("a").run::<guest>();
    let failure = result.failure().unwrap();
    assert_eq!(
        (result.status(), failure.dependency.as_deref()),
        (status::PANIC, Some("connection"))
    );
    assert!(failure.message.contains("guests break it"));
    assert_eq!(
        diary(),
        ["connect ann", "connect guest", "disconnect ann Panicked"]
    );
    let broken: Vec<&str> = result
        .steps()
        .iter()
        .filter(|s| s.value == "panicked")
        .map(|s| s.name.as_str())
        .collect();
    assert_eq!(broken, ["_guest: &Connection"]);
}
