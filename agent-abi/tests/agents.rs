//! Agents written with the macros: descriptors, parameters, answers, failures.
#![allow(clippy::unwrap_used)] // a test may stop anywhere

use agent_abi::glue::Agent;
use agent_abi::prelude::*;
use agent_abi::table::{flags, needs, status};
use agent_abi::testing::{ontology, task};
use agent_abi::wire::AgentSpec;
use serde::Deserialize;

#[stage(
    "pre-label",
    overwrite,
    routes = ["annotate", "sk\"ip"],
    timeout = "30s",
    idempotent,
    serial,
    cancellable,
    include(client_metadata, include_children, branch_name = "b"),
    initialise(objects = ["abcdefgh"], reviews, include_signed_url),
)]
fn full(
    task: &Task,
    stage: &Stage,
    project: &Project,
    labels: &mut LabelRow,
    item: Option<&StorageItem>,
    frame: Option<Frame<'_>>,
    frames: Frames<'_>,
    asset: Option<AssetPath>,
    params: Params<Limits>,
) -> Result<Route> {
    let _ = (task, stage, project, labels, item, frame, frames, asset);
    Ok(Route::to("annotate").priority(params.limit))
}

#[derive(Deserialize)]
struct Limits {
    #[serde(default)]
    limit: f64,
}

#[stage("plain")]
fn plain() -> Route {
    Route::stay()
}

#[test]
fn the_descriptor_holds_what_the_attribute_declares() {
    let all = flags::OVERWRITE | flags::IDEMPOTENT | flags::NO_PARALLEL | flags::CANCEL_AWARE;
    assert_eq!((full::STAGE, full::FLAGS), ("pre-label", all));
    let spec: AgentSpec = serde_json::from_str(full::SPEC).unwrap();
    assert_eq!(spec.function, "full");
    assert!(spec.location.contains("agents.rs:"), "{}", spec.location);
    assert_eq!(spec.routes, ["annotate", "sk\"ip"]);
    assert_eq!(spec.timeout_ms, Some(30_000));
    assert!(spec.include.client_metadata && spec.include.children && !spec.include.images_data);
    assert_eq!(spec.include.branch_name.as_deref(), Some("b"));
    assert_eq!(
        spec.initialise.include_object_feature_hashes,
        Some(vec!["abcdefgh".to_owned()])
    );
    assert!(
        spec.initialise.include_reviews
            && spec.initialise.include_signed_url
            && !spec.initialise.overwrite
    );
    assert_eq!(spec.parameters[3], "labels: &mut LabelRow");
    assert_eq!(spec.parameters[5], "frame: Option<Frame<'_>>");

    let spec: AgentSpec = serde_json::from_str(plain::SPEC).unwrap();
    assert_eq!((plain::FLAGS, plain::NEEDS, spec.routes.len()), (0, 0, 0));
}

#[test]
fn the_fetch_list_is_the_union_of_what_the_parameters_need() {
    let wanted = needs::LABEL_ROW
        | needs::LABEL_ROW_WRITE
        | needs::PROJECT
        | needs::STORAGE_ITEM
        | needs::FRAME
        | needs::FRAMES
        | needs::ASSET
        | needs::CLIENT_METADATA;
    assert_eq!(full::NEEDS, wanted);
}

#[test]
fn parameters_come_from_the_settings_and_misfits_are_reported() {
    let run = task("a.jpg").params(json!({"limit": 0.25})).run::<full>();
    assert_eq!(
        (run.route(), run.priority()),
        (Some("annotate"), Some(0.25))
    );
    let run = task("a.jpg").params(json!({"limit": "much"})).run::<full>();
    let failure = run.failure().unwrap();
    assert_eq!(
        failure.message,
        "the parameters of stage \"pre-label\" in workbench.toml do not fit"
    );
    assert!(
        failure.chain[0].contains("limit") || failure.chain[0].contains("invalid type"),
        "{:?}",
        failure.chain
    );
    assert!(!failure.retry);
}

#[stage("s")]
fn needs_a_frame(_frame: Frame<'_>) -> Route {
    Route::to("x")
}

#[test]
fn an_absent_parameter_is_none_or_a_clear_failure() {
    let run = task("beep.wav").audio().run::<needs_a_frame>();
    let failure = run.failure().unwrap();
    assert_eq!(run.status(), status::DEPENDENCY);
    assert_eq!(failure.dependency.as_deref(), Some("_frame: Frame<'_>"));
    let place = failure.location.as_deref().unwrap();
    assert!(place.contains("agents.rs:"), "{place}");
    assert!(
        failure.message.contains("take it as Option<..>"),
        "{}",
        failure.message
    );
    assert!(!failure.retry);
}

#[stage("s")]
fn changes_then_fails(labels: &mut LabelRow) -> Result<Route> {
    labels.classify("Notes", "half done")?;
    let number: u8 = "many".parse()?;
    Ok(Route::stay().priority(f64::from(number)))
}

#[test]
fn a_failed_attempt_gives_its_error_with_place_and_no_labels() {
    let run = task("a.jpg")
        .ontology(ontology().text("Notes"))
        .run::<changes_then_fails>();
    let failure = run.failure().unwrap();
    assert_eq!(run.status(), status::ERROR);
    assert_eq!(failure.message, "invalid digit found in string");
    assert!(failure.location.as_deref().unwrap().contains("agents.rs:"));
    assert!(failure.retry);
}

#[stage("s")]
fn any_error(task: &Task) -> std::result::Result<Route, Box<dyn std::error::Error>> {
    if task.title() == "text" {
        return Err("just text".into());
    }
    Err(Box::new(std::fmt::Error))
}

#[stage("s")]
fn text_error() -> std::result::Result<Route, String> {
    Err("only a string".to_owned())
}

#[stage("s")]
fn panics(labels: &mut LabelRow) -> Route {
    let objects = labels.objects();
    let _ = objects[7].hash();
    Route::stay()
}

#[test]
fn errors_of_any_type_and_panics_end_in_a_failure() {
    assert_eq!(
        task("text").run::<any_error>().failure().unwrap().message,
        "just text"
    );
    assert!(task("x").run::<any_error>().failure().is_some());
    assert_eq!(
        task("x").run::<text_error>().failure().unwrap().message,
        "only a string"
    );
    let run = task("x").run::<panics>();
    assert_eq!(run.status(), status::PANIC);
    assert!(run.failure().unwrap().message.contains("out of bounds"));
    assert_eq!(run.steps().last().unwrap().value, "panicked");
}

#[stage("s")]
fn answers(task: &Task, item: &mut StorageItem) -> Route {
    item.set_metadata("seen", task.attempt());
    match task.title() {
        "priority" => Route::stay().priority(1.5),
        "nan" => Route::stay().priority(f64::NAN),
        "list" => Route::stay().metadata(json!([1])),
        "both" => Route::stay().metadata(json!({})),
        _ => Route::to(task.uuid()).priority(0.0),
    }
}

#[test]
fn answers_are_checked_before_they_leave() {
    let run = task("fine")
        .metadata("site", "cam3")
        .attempt(2)
        .run::<answers>();
    assert_eq!(run.priority(), Some(0.0), "nought counts");
    assert!(Uuid::parse_str(run.route().unwrap()).is_ok());
    assert_eq!(
        serde_json::to_value(run.metadata()).unwrap(),
        json!({"site": "cam3", "seen": 2})
    );
    for (title, word) in [
        ("priority", "1.5"),
        ("nan", "NaN"),
        ("list", "[1]"),
        ("both", "use one"),
    ] {
        let run = task(title).run::<answers>();
        let failure = run.failure().unwrap();
        assert!(failure.message.contains(word), "{}", failure.message);
        assert!(!failure.retry);
    }
}

#[stage("s")]
fn watches(frames: Frames<'_>, labels: &LabelRow) -> Result<Route> {
    assert_eq!(frames.len(), labels.frame_count());
    let mut numbers = Vec::new();
    for frame in &frames {
        let frame = frame?;
        numbers.push(frame.index());
        progress(frame.index() as f64 / 10.0);
        check_cancelled()?;
    }
    let sampled: Vec<u64> = frames
        .sample(0.4)?
        .map(|f| f.map(|f| f.index()))
        .collect::<Result<_>>()?;
    checkpoint("all", &format!("{numbers:?}"))?;
    checkpoint("sampled", &format!("{sampled:?}"))?;
    assert!(frames.get(5)?.is_none() && frames.sample(0.0).is_err() && frames.sample(1.1).is_err());
    warn!("{} frames", numbers.len());
    Ok(Route::stay())
}

#[test]
fn frames_are_counted_sampled_and_given_back() {
    let clip = vec![Picture::filled(4, 4, [1, 2, 3]); 5];
    let run = task("clip.mp4").video(clip.clone()).run::<watches>();
    assert_eq!(run.route(), None);
    let notes: Vec<&str> = run
        .steps()
        .iter()
        .filter(|s| s.kind == "checkpoint")
        .map(|s| s.value.as_str())
        .collect();
    assert_eq!(
        notes,
        ["[0, 1, 2, 3, 4]", "[0, 2]"],
        "int(k / 0.4) is 0, 2, 5"
    );
    assert_eq!((run.frames_held(), run.progress()), (0, Some(0.4)));
    assert_eq!(
        (run.logs()[0].level, run.logs()[0].message.as_str()),
        (2, "5 frames")
    );
    let stopped = task("clip.mp4").video(clip).cancelled().run::<watches>();
    assert_eq!(stopped.status(), status::CANCELLED);
    assert_eq!(stopped.frames_held(), 0);
}

#[test]
fn steps_are_named_timed_and_in_order() {
    let run = task("a.jpg").run::<full>();
    let names: Vec<&str> = run.steps().iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names.last(), Some(&"call"));
    assert!(names.contains(&"labels: &mut LabelRow"));
    assert!(
        run.steps()
            .windows(2)
            .all(|pair| pair[0].at_us <= pair[1].at_us)
    );
    let frame = run
        .steps()
        .iter()
        .find(|s| s.name.starts_with("frame:"))
        .unwrap();
    assert_eq!(frame.value, "none");
}

#[test]
fn a_skeleton_is_written_by_its_vertices_and_two_of_a_name_are_refused() {
    use agent_abi::model::Vertex;
    #[stage("poses")]
    fn poses(labels: &mut LabelRow) -> Result<Route> {
        let ontology = labels.ontology();
        let kind = ontology.object("Pose")?;
        let vertex = |name: &str, x: f64| Vertex::new(name, x, 0.5);
        labels.add(kind.skeleton(&[vertex("head", 0.2), vertex("tail", 0.8)])?)?;
        let refused = kind
            .skeleton(&[vertex("head", 0.2), vertex("head", 0.8)])
            .err();
        checkpoint("refused", &refused.context("taken")?.to_string())?;
        Ok(Route::stay())
    }
    let run = task("a.jpg")
        .ontology(ontology().object("Pose", "skeleton"))
        .run::<poses>();
    let labels = run.labels();
    let points = labels.objects()[0].points(0);
    assert_eq!(points, [Point { x: 0.2, y: 0.5 }, Point { x: 0.8, y: 0.5 }]);
    let refused = run.steps().iter().find(|s| s.name == "refused").unwrap();
    assert!(refused.value.contains("two vertices \"head\""));
}

#[stage("s")]
fn named_lifetimes<'t>(frames: Frames<'t>, task: &'t Task, labels: &'t LabelRow) -> Route {
    Route::to(format!("{} {} {frames:?}", task.title(), labels.title()))
}

#[test]
fn a_function_may_name_its_lifetimes() {
    let run = task("a.jpg")
        .image(Picture::filled(2, 2, [1, 2, 3]))
        .run::<named_lifetimes>();
    assert_eq!(run.route(), Some("a.jpg a.jpg Frames(Some(1))"));
}

#[dependency]
fn words() -> Vec<String> {
    vec!["a".to_owned(), "b".to_owned()]
}

#[dependency]
fn word() -> String {
    "word".to_owned()
}

#[stage("s")]
fn borrows(#[depends(words)] words: &[String], #[depends(word)] word: &str) -> Route {
    Route::to(format!("{word} {}", words.join(" ")))
}

#[test]
fn a_dependencys_text_and_list_are_taken_as_slices() {
    assert_eq!(task("a").run::<borrows>().route(), Some("word a b"));
}

#[stage("s")]
fn by_list(frames: Frames<'_>) -> Result<Route> {
    let found: Vec<u64> = frames
        .at([3, 0, 3])
        .map(|f| Ok(f?.index()))
        .collect::<Result<_>>()?;
    let beyond = frames.at([9]).next().context("nothing")?.err();
    Ok(Route::to(format!(
        "{found:?} {}",
        beyond.context("a frame")?
    )))
}

#[test]
fn frames_of_a_list_come_once_in_order_and_one_beyond_the_end_is_an_error() {
    let clip = vec![Picture::filled(2, 2, [1, 2, 3]); 5];
    let run = task("clip").video(clip).run::<by_list>();
    assert_eq!(run.route(), Some("[0, 3] there is no frame 9"));
}
