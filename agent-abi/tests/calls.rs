//! What an agent declares and asks for beyond its own task: twins, questions upstream, pathways, parameters.
#![allow(clippy::unwrap_used)] // a test may stop anywhere

use agent_abi::prelude::*;
use agent_abi::testing::{ontology, task};

const TWIN: &str = "8d7a0c0e-56f1-4b0c-9d4e-6a3a4a8f1b11";

#[stage("copy", routes = ["complete", "review"], params(every: u64 = 10))]
fn copy(
    #[depends(twin("8d7a0c0e-56f1-4b0c-9d4e-6a3a4a8f1b11", include_task = true))] other: Option<
        Twin,
    >,
) -> Result<Route> {
    let Some(other) = other else {
        return Ok(Route::to("elsewhere"));
    };
    let weather = other
        .labels
        .classification("Weather")
        .context("no weather")?;
    checkpoint("sunny", &(weather.answer() == Some("Sunny".into())))?;
    checkpoint("task", other.task.context("no task")?.title())?;
    Ok(Route::to("complete"))
}

#[test]
fn a_twin_is_read_with_its_own_ontology_and_task() {
    #[stage("x")]
    fn sunny(labels: &mut LabelRow) -> Result<Route> {
        labels.classify("Weather", "Sunny")?;
        Ok(Route::stay())
    }
    let mut other = task("b.jpg").ontology(ontology().radio("Weather", &["Sunny", "Night"]));
    other = other.clone().labels(other.run::<sunny>().into_labels());
    let run = task("a.jpg").twin(TWIN, &other).run::<copy>();
    assert_eq!(run.route(), Some("complete"));
    let noted: Vec<&str> = run
        .steps()
        .iter()
        .filter(|s| s.kind == "checkpoint")
        .map(|s| s.value.as_str())
        .collect();
    assert_eq!(noted, ["true", "b.jpg"]);
}

#[test]
fn an_undeclared_pathway_is_refused_with_what_to_do_and_a_twin_may_be_absent() {
    let run = task("a.jpg").run::<copy>();
    let failure = run.failure().unwrap();
    assert!(!failure.retry);
    assert_eq!(
        failure.message,
        "the agent returned pathway \"elsewhere\", which it does not declare; its routes are [complete, review]: add it there"
    );
}

#[test]
fn a_twin_without_option_must_be_there() {
    #[stage("x")]
    fn by_value(#[depends(twin("8d7a0c0e-56f1-4b0c-9d4e-6a3a4a8f1b11"))] other: Twin) -> Route {
        Route::to(other.labels.title())
    }
    #[stage("y")]
    fn by_reference(
        #[depends(twin("8d7a0c0e-56f1-4b0c-9d4e-6a3a4a8f1b11"))] other: &Twin,
    ) -> Route {
        Route::to(other.labels.title())
    }
    let there = task("a.jpg").twin(TWIN, &task("b.jpg"));
    assert_eq!(there.run::<by_value>().route(), Some("b.jpg"));
    assert_eq!(there.run::<by_reference>().route(), Some("b.jpg"));
    let absent = task("a.jpg").run::<by_value>();
    let failure = absent.failure().unwrap();
    assert!(!failure.retry);
    assert_eq!(
        failure.message,
        "other: Twin: there is none for \"a.jpg\"; take it as Option<..> if the agent can go on without"
    );
}

#[test]
fn what_is_changed_in_a_twin_is_part_of_the_outcome() {
    #[stage("changes")]
    fn changes(
        #[depends(twin("8d7a0c0e-56f1-4b0c-9d4e-6a3a4a8f1b11"))] other: &mut Twin,
    ) -> Result<Route> {
        other.labels.classify("Weather", "Sunny")?;
        Ok(Route::stay())
    }
    #[stage("may change")]
    fn may_change(
        task: &Task,
        #[depends(twin("8d7a0c0e-56f1-4b0c-9d4e-6a3a4a8f1b11"))] other: Option<&mut Twin>,
    ) -> Result<Route> {
        if let Some(other) = other {
            other.labels.classify("Weather", "Night")?;
        }
        if task.title() == "bad.jpg" {
            bail!("after the change");
        }
        Ok(Route::stay())
    }
    #[stage("copies")]
    fn copies(
        #[depends(twin("8d7a0c0e-56f1-4b0c-9d4e-6a3a4a8f1b11"))] mut other: Twin,
    ) -> Result<Route> {
        other.labels.classify("Weather", "Sunny")?;
        Ok(Route::stay())
    }
    use agent_abi::glue::Agent;
    let other = task("b.jpg").ontology(ontology().radio("Weather", &["Sunny", "Night"]));
    let here = task("a.jpg").twin(TWIN, &other);
    for run in [here.run::<changes>(), here.run::<may_change>()] {
        let [change] = run.changes() else {
            panic!("{:?}", run.changes());
        };
        assert_eq!(change.kind, "labels");
        assert_eq!(change.project, Uuid::parse_str(TWIN).ok());
        let labels = change.labels.as_ref().unwrap().to_string();
        assert!(labels.contains("Weather"), "{labels}");
    }
    assert!(here.run::<copies>().changes().is_empty());
    assert!(task("a.jpg").run::<may_change>().changes().is_empty());
    let failed = task("bad.jpg").twin(TWIN, &other).run::<may_change>();
    assert!(failed.failure().is_some());
    let spec: agent_abi::wire::AgentSpec = serde_json::from_str(changes::SPEC).unwrap();
    assert_eq!(spec.twins[0]["write"], true);
    let spec: agent_abi::wire::AgentSpec = serde_json::from_str(copies::SPEC).unwrap();
    assert_eq!(spec.twins[0].get("write"), None);
}

#[test]
fn changes_beyond_the_row_are_given_with_the_route() {
    #[stage("also")]
    fn also(task: &Task) -> Route {
        let (project, data) = (Uuid::from_u128(1), task.data_hash());
        Route::stay()
            .also(Change::metadata(project, data, json!({"seen": 1})))
            .also(Change::item_metadata(Uuid::from_u128(2), json!({})))
    }
    #[stage("wrong")]
    fn wrong() -> Route {
        Route::stay().also(Change::item_metadata(Uuid::from_u128(2), json!([1])))
    }
    let run = task("a.jpg").run::<also>();
    let text = serde_json::to_value(run.changes()).unwrap();
    assert_eq!(text[0]["client_metadata"], json!({"seen": 1}));
    let item = json!({"kind": "metadata", "item_uuid": Uuid::from_u128(2), "client_metadata": {}});
    assert_eq!(text[1], item);
    let failed = task("a.jpg").run::<wrong>();
    assert_eq!(
        failed.failure().unwrap().message,
        "a further change (metadata): client metadata are a JSON object, not [1]"
    );
}

#[test]
fn a_declared_pathway_may_be_returned_by_its_uuid() {
    #[stage("by uuid", routes = ["complete"])]
    fn by_uuid(stage: &Stage) -> Result<Route> {
        Ok(Route::to(stage.pathway("complete")?.uuid))
    }
    let run = task("a.jpg")
        .pathways(&["complete", "review"])
        .run::<by_uuid>();
    assert!(Uuid::parse_str(run.route().unwrap()).is_ok());
}

#[test]
fn twins_parameters_and_routes_are_declared_in_the_descriptor() {
    use agent_abi::glue::Agent;
    let spec: agent_abi::wire::AgentSpec = serde_json::from_str(copy::SPEC).unwrap();
    assert_eq!(
        spec.twins,
        [json!({"project": TWIN, "init_labels": true, "include_task": true})]
    );
    assert_eq!(spec.params.unwrap()["properties"]["every"]["default"], 10);
    assert_eq!(copy::ROUTES, ["complete", "review"]);
    assert_ne!(copy::NEEDS & agent_abi::table::needs::TWIN, 0);
}

#[test]
fn a_question_that_the_workbench_does_not_know_is_a_failure() {
    #[stage("asks")]
    fn asks(upstream: Upstream<'_>) -> Result<Route> {
        upstream.storage_items(&[])?;
        upstream.ask("the weather", &json!({}))?;
        Ok(Route::stay())
    }
    let run = task("a").answer("storage_items", json!([])).run::<asks>();
    let failure = run.failure().unwrap();
    assert!(
        failure.message.contains("does not know \"the weather\""),
        "{failure:?}"
    );
}

#[test]
fn pictures_are_encoded_by_the_host_and_only_while_a_task_runs() {
    #[stage("encodes")]
    fn encodes(frame: Frame<'_>) -> Result<Route> {
        let url = frame.jpeg(80)?.data_url();
        assert!(url.starts_with("data:image/jpeg;base64,"), "{url}");
        let part = frame.crop(&BoundingBox {
            x: 0.5,
            y: 0.0,
            w: 0.5,
            h: 1.0,
        });
        checkpoint("bytes", &part.png()?.len())?;
        Ok(Route::stay())
    }
    let picture = Picture::filled(4, 2, [1, 2, 3]);
    assert!(picture.png().is_err());
    let run = task("a").image(picture).run::<encodes>();
    assert_eq!(run.route(), None);
    let bytes = run.steps().iter().find(|s| s.name == "bytes").unwrap();
    assert_eq!(bytes.value, (b"P6 2 2 255\n".len() + 12).to_string());
}

#[test]
fn the_images_of_a_group_come_with_file_and_picture() {
    #[stage("group")]
    fn group(images: Children<'_>) -> Result<Route> {
        for image in images.iter() {
            let light = image.frame()?.mean_luma();
            checkpoint(
                "image",
                &format!("{} {} {light:.0}", image.index, image.file.title()),
            )?;
        }
        Ok(Route::stay())
    }
    let run = task("g")
        .image_group(vec![
            Picture::filled(2, 2, [10, 10, 10]),
            Picture::filled(2, 2, [20, 20, 20]),
        ])
        .children(&["a.jpg", "b.jpg"])
        .run::<group>();
    assert_eq!((run.route(), run.frames_held()), (None, 0));
    let seen: Vec<&str> = run
        .steps()
        .iter()
        .filter(|s| s.name == "image")
        .map(|s| s.value.as_str())
        .collect();
    assert_eq!(seen, ["0 a.jpg 10", "1 b.jpg 20"]);
    let none = task("single").run::<group>();
    assert!(none.failure().unwrap().message.contains("images: Children"));
}

#[test]
fn lists_are_read_entry_by_entry_and_an_address_is_never_shown() {
    use agent_abi::inject::{ListedRow, Listing};

    #[stage("s")]
    fn lists(project: &Project, upstream: Upstream<'_>) -> Result<Route> {
        let rows: Listing<'_, ListedRow> = upstream.list_rows(project.hash());
        let titles = rows.map(|row| Ok(row?.title().to_owned()));
        let titles = titles.collect::<Result<Vec<_>>>()?;
        let tasks = upstream.list_tasks(project.hash(), "route").titled("b");
        let tasks = tasks
            .map(|task| Ok(task?.title().to_owned()))
            .collect::<Result<Vec<_>>>()?;
        let mut sizes = Vec::new();
        for collection in upstream.list_collections(None) {
            let id = collection?.uuid().context("no UUID")?;
            for item in upstream.collection_items(id) {
                sizes.push(item?.file_size());
            }
        }
        let missing = upstream.list_items(Uuid::nil()).recursive().next();
        let url = upstream.signed_url(Uuid::nil())?;
        let shown = format!("{url:?}");
        assert_eq!(
            url.as_ref().map(|url| url.expose()),
            Some("https://e.com/a?sig=x")
        );
        Ok(Route::to(format!(
            "{titles:?} {tasks:?} {sizes:?} {} {shown}",
            missing.is_some_and(|m| m.is_err())
        )))
    }
    let row = |title: &str| json!({"data_title": title, "data_hash": Uuid::nil()});
    let there = json!({
        "uuid": Uuid::nil(), "created_at": "2026-11-22T07:57:06Z", "updated_at": "2026-11-22T07:57:06Z",
        "status": "NEW", "data_hash": Uuid::nil(), "data_title": "b.jpg", "label_branch_name": "main",
        "assignee": null, "last_actioned_by": null,
    });
    let run = task("a.jpg")
        .listed("label_rows", vec![row("a.jpg"), row("b.jpg")])
        .listed("tasks", vec![there])
        .listed(
            "collections",
            vec![json!({"uuid": Uuid::nil(), "name": "picked"})],
        )
        .listed(
            "collection_items",
            vec![json!({"uuid": Uuid::nil(), "fileSize": 7})],
        )
        .answer("signed_url", "https://e.com/a?sig=x")
        .run::<lists>();
    let wanted = r#"["a.jpg", "b.jpg"] ["b.jpg"] [Some(7)] true Some(SignedUrl(…))"#;
    assert_eq!(run.route(), Some(wanted));
}
