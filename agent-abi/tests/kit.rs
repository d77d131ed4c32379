//! The testing kit: what it can describe, and that it does not give what a run would not give.
#![allow(clippy::unwrap_used)] // a test may stop anywhere

use agent_abi::model::{HtmlRange, Picture};
use agent_abi::prelude::*;
use agent_abi::testing::{TestTask, ontology, ontology_of, task};

#[test]
fn nested_questions_numbers_and_whole_ontologies_are_described_in_a_line() {
    #[stage("s")]
    fn labels_all(labels: &mut LabelRow) -> Result<Route> {
        let ontology = labels.ontology();
        let car = ontology.object("Car")?.bounding_box(0.1, 0.1, 0.2, 0.2)?;
        let car = car
            .answer("Colour", "Red")?
            .answer("Shade", "Dark")?
            .answer("Why", "rust")?
            .answer_on("Lights", "On", 0, 2)?
            .answer_on("Beam", "high", 1, 2)?;
        labels.add(car.on_frames(0, 2))?;
        let weather = labels.classify("Weather", "Rainy")?;
        labels.answer(&weather, "How much", 3_usize)?;
        labels.classify("People", 4)?;
        Ok(Route::stay())
    }
    let kinds = ontology()
        .object("Car", "bounding_box")
        .attribute("Colour", "radio", &["Red", "Blue"])
        .nested("Colour", "Red", "Shade", "radio", &["Dark", "Light"])
        .nested("Shade", "Dark", "Why", "text", &[])
        .dynamic("Lights", "radio", &["On", "Off"])
        .nested("Lights", "On", "Beam", "text", &[])
        .radio("Weather", &["Sunny", "Rainy"])
        .nested("Weather", "Rainy", "How much", "numeric", &[])
        .numeric("People");
    let clip = vec![Picture::filled(4, 4, [0; 3]); 3];
    let described = task("clip.mp4").ontology(kinds.clone()).video(clip.clone());
    let copied = task("clip.mp4")
        .ontology(ontology_of(&kinds.editor()).text("Notes"))
        .video(clip);
    for task in [described, copied] {
        let run = task.run::<labels_all>();
        let labels = run.labels();
        assert_eq!(labels.problems(), []);
        let car = &labels.objects()[0];
        assert_eq!(car.answer("Why"), Some("rust".into()));
        assert_eq!(car.answer_on("Beam", 0), None);
        assert_eq!(car.answer_on("Beam", 2), Some("high".into()));
        let weather = labels.classification("Weather").unwrap();
        assert_eq!(weather.nested("How much").unwrap().as_number(), Some(3.0));
    }
}

#[test]
#[should_panic(expected = "has no option \"Green\"")]
fn a_question_below_an_option_that_is_not_there_is_a_mistake_of_the_test() {
    let kinds = ontology().radio("Light", &["Red"]);
    let _ = kinds.nested("Light", "Green", "Why", "text", &[]);
}

#[test]
fn a_file_is_there_for_the_run_and_gone_after_it() {
    #[stage("s")]
    fn reads(file: AssetPath, labels: &mut LabelRow) -> Result<Route> {
        let text = file.read_text()?;
        let words = labels.ontology();
        let word = words.object("Word")?;
        let end = text.chars().count() as u64 - 1;
        if labels.is_html() {
            let node = "/html[1]/body[1]/p[1]/text()[1]";
            labels.add(word.html_range(HtmlRange::new((node, 0), (node, end)))?)?;
        } else {
            labels.add(word.range(0, end)?)?;
        }
        checkpoint("path", &file.path().display().to_string())?;
        Ok(Route::to(text))
    }
    let noted = |task: TestTask| {
        let run = task
            .ontology(ontology().object("Word", "text"))
            .file("grüß")
            .run::<reads>();
        assert_eq!(run.route(), Some("grüß"));
        assert_eq!(run.labels().problems(), []);
        let steps = run.steps().iter();
        let step = steps.clone().find(|s| s.kind == "checkpoint").unwrap();
        std::path::PathBuf::from(&step.value)
    };
    for task in [task("note.txt").text(), task("page.html").html()] {
        let path = noted(task);
        assert!(!path.exists(), "{}", path.display());
    }
}

#[test]
fn a_video_may_have_times_of_its_own_and_frames_that_fail() {
    #[stage("s")]
    fn counts(frames: Frames<'_>) -> Route {
        let found = (&frames).into_iter().map(|frame| match frame {
            Ok(frame) => format!("{:.2}", frame.seconds()),
            Err(error) => error
                .chain()
                .last()
                .map_or_else(|| error.to_string(), Clone::clone),
        });
        Route::to(found.collect::<Vec<_>>().join(" "))
    }
    let clip = task("clip.mp4").video(vec![Picture::filled(2, 2, [9; 3]); 4]);
    let run = clip.clone().times(&[0.0, 0.5, 0.75]).run::<counts>();
    assert_eq!(run.route(), Some("0.00 0.50 0.75 0.30"));
    let run = clip.broken_frame(2, "cut off").run::<counts>();
    assert_eq!(run.route(), Some("0.00 0.10 cut off"));
}

#[test]
fn a_pdf_has_pages_to_draw_on() {
    #[stage("s")]
    fn marks(labels: &mut LabelRow, frame: Option<Frame<'_>>) -> Result<Route> {
        assert!(frame.is_none());
        let last = labels.frame_count().context("no pages")? - 1;
        let kinds = labels.ontology();
        let mark = kinds.object("Mark")?.bounding_box(0.1, 0.1, 0.1, 0.1)?;
        labels.add(mark.on_frame(last))?;
        Ok(Route::stay())
    }
    let form = task("form.pdf")
        .pdf(3)
        .ontology(ontology().object("Mark", "bounding_box"));
    assert_eq!(form.run::<marks>().labels().objects()[0].frames(), [2]);
}

#[test]
fn client_metadata_come_with_the_row_only_where_they_are_included() {
    #[stage("s")]
    fn without(labels: &LabelRow) -> Route {
        Route::to(format!("{:?}", labels.client_metadata().is_some()))
    }
    #[stage("s", include(client_metadata))]
    fn with(labels: &LabelRow) -> Route {
        Route::to(format!("{:?}", labels.client_metadata().is_some()))
    }
    let task = task("a.jpg").metadata("site", "cam1");
    assert_eq!(task.run::<without>().route(), Some("false"));
    assert_eq!(task.run::<with>().route(), Some("true"));
}

#[test]
fn with_pathways_given_another_one_fails_as_in_a_run() {
    #[stage("s")]
    fn errs() -> Route {
        Route::to("compelte")
    }
    assert_eq!(task("a").run::<errs>().route(), Some("compelte"));
    let run = task("a").pathways(&["complete", "review"]).run::<errs>();
    assert_eq!(
        run.failure().unwrap().message,
        "the agent returned a pathway that is not there: \"compelte\" is not a pathway of stage \"s\". Did you mean \"complete\"?"
    );
}

#[test]
fn labels_and_the_storage_item_are_there_before_the_run() {
    #[stage("s")]
    fn sees(labels: &LabelRow, item: &StorageItem) -> Route {
        let cars = labels.objects_named("Car").count();
        Route::to(format!("{cars} {:?} {:?}", item.file_size(), item.fps()))
    }
    let task = task("clip.mp4")
        .ontology(ontology().object("Car", "bounding_box"))
        .video(vec![Picture::filled(4, 4, [0; 3]); 3])
        .with_labels(|labels| {
            let ontology = labels.ontology();
            let car = ontology.object("Car")?.bounding_box(0.1, 0.1, 0.2, 0.2)?;
            labels.add(car.on_frames(0, 2))?;
            Ok(())
        })
        .item_field("fileSize", 7)
        .item_field("fps", 12.5);
    let run = task.run::<sees>();
    assert_eq!(run.route(), Some("1 Some(7) Some(12.5)"));
    assert!(!run.changed_labels());
}

#[test]
#[should_panic(expected = "cannot be made: the ontology has no object \"Car\"")]
fn labels_that_cannot_be_made_are_a_mistake_of_the_test() {
    let _ = task("a.jpg").with_labels(|labels| {
        labels.ontology().object("Car")?;
        Ok(())
    });
}

mod hosts {
    use super::*;
    use agent_abi::testing::host;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    static CLOSED: AtomicUsize = AtomicUsize::new(0);

    #[dependency(scope = host, close = unload)]
    fn model() -> usize {
        0
    }

    fn unload(_: usize, end: End) {
        assert_eq!(end, End::Retired);
        CLOSED.fetch_add(1, Ordering::SeqCst);
    }

    #[stage("s")]
    fn uses(#[depends(model)] uses: &mut usize) -> Route {
        *uses += 1;
        Route::to(uses.to_string())
    }

    #[test]
    fn a_value_of_the_host_is_made_once_in_each_host_and_closed_with_it() {
        let (one, other) = (host(), host());
        let task = task("a.jpg");
        let routes = [&one, &one, &other, &one].map(|host| {
            let run = host.run::<uses>(&task);
            run.route().unwrap_or_default().to_owned()
        });
        assert_eq!(routes, ["1", "2", "1", "3"]);
        drop(one);
        assert_eq!(CLOSED.load(Ordering::SeqCst), 1);
        assert_eq!(other.run::<uses>(&task).route(), Some("2"));
        drop(other);
        assert_eq!(CLOSED.load(Ordering::SeqCst), 2);
    }

    /// Values that were closed, in order.
    static UNLOADED: Mutex<Vec<String>> = Mutex::new(Vec::new());

    #[derive(serde::Deserialize)]
    struct Chosen {
        #[serde(alias = "network")]
        model: String,
    }

    #[dependency(scope = host, close = unload_network)]
    fn network(chosen: Params<Chosen>, stage: &Stage, #[arg] size: u32) -> String {
        format!("{} {size} at {}", chosen.model, stage.title())
    }

    fn unload_network(network: String, end: End) {
        assert_eq!(end, End::Retired);
        UNLOADED.lock().unwrap().push(network);
    }

    /// It reads no parameter by itself, and its network does.
    #[dependency(scope = host)]
    fn pipeline(#[depends(network(2))] network: &String, project: &Project) -> (String, u32) {
        let classes = project.ontology().objects.len();
        (format!("{network} with {classes} classes"), 0)
    }

    #[stage("s")]
    fn detects(
        #[depends(network(1))] network: &String,
        #[depends(pipeline)] pipeline: &mut (String, u32),
    ) -> Route {
        pipeline.1 += 1;
        Route::to(format!("{network}, {} ({})", pipeline.0, pipeline.1))
    }

    #[test]
    fn a_value_of_the_host_is_made_again_when_the_parameters_that_it_read_are_others() {
        let host = host();
        let run = |params: Value, classes: &[&str]| {
            let mut all = ontology();
            for class in classes {
                all = all.object(class, "bounding_box");
            }
            let task = task("a.jpg").params(params).ontology(all);
            host.run::<detects>(&task).route().unwrap().to_owned()
        };
        let unloaded = || std::mem::take(&mut *UNLOADED.lock().unwrap());
        let first = json!({"model": "small", "threshold": 0.5});
        let small = "small 1 at s, small 2 at s with 0 classes";
        assert_eq!(run(first.clone(), &[]), format!("{small} (1)"));
        assert_eq!(run(first, &[]), format!("{small} (2)"));
        let other = json!({"threshold": 0.6, "model": "small"});
        assert_eq!(run(other, &[]), format!("{small} (3)"), "none that it read");
        assert_eq!(unloaded(), [""; 0]);

        let large = json!({"network": "large"});
        let text = "large 1 at s, large 2 at s with 0 classes (1)";
        assert_eq!(run(large.clone(), &[]), text);
        assert_eq!(unloaded(), ["small 1 at s", "small 2 at s"]);
        let text = "large 1 at s, large 2 at s with 1 classes (1)";
        assert_eq!(run(large, &["Car"]), text, "the project is another one");
        assert_eq!(unloaded(), [""; 0]);
    }

    #[stage("s")]
    fn flaky(task: &Task, labels: &mut LabelRow) -> Result<Route> {
        labels.classify("Weather", "Sunny")?;
        match task.title() {
            "never" => Err(Error::new("no such file").permanent()),
            _ if task.attempt() < 3 => bail!("busy, {} classified", labels.classifications().len()),
            _ => Ok(Route::to("done")),
        }
    }

    #[test]
    fn an_attempt_is_made_again_as_often_as_a_run_would() {
        let of = |title: &str, retries: u32| {
            let task = task(title).ontology(ontology().radio("Weather", &["Sunny"]));
            host().attempts::<flaky>(&task, retries)
        };
        let runs = of("a.jpg", 3);
        assert_eq!(runs.len(), 3);
        let message = |n: usize| runs[n].failure().map(|failure| failure.message.as_str());
        assert_eq!(message(1), Some("busy, 1 classified"));
        assert_eq!(runs[2].route(), Some("done"));
        assert!(of("a.jpg", 1).iter().all(|run| run.failure().is_some()));
        assert_eq!(of("never", 3).len(), 1);
    }

    #[stage("s", cancellable)]
    fn endless() -> Result<Route> {
        loop {
            check_cancelled()?;
            std::thread::yield_now();
        }
    }

    #[test]
    fn past_its_limit_an_attempt_is_asked_to_stop_and_gives_nothing() {
        let run = task("a.jpg")
            .timeout(Duration::from_millis(20))
            .run::<endless>();
        let failure = run.failure().unwrap();
        assert_eq!(
            failure.message,
            "the attempt took longer than its limit of 20ms"
        );
        assert!(failure.retry);
        let run = task("a.jpg").timeout(Duration::ZERO).run::<uses>();
        assert!(run.failure().is_some(), "a result that came too late");
        let run = task("a.jpg").timeout(Duration::from_secs(60)).run::<uses>();
        assert!(run.failure().is_none());
    }
}

#[test]
fn what_threads_of_an_agent_log_is_there_after_the_run() {
    #[stage("s")]
    fn threads() -> Route {
        info!("by the agent");
        std::thread::scope(|scope| {
            scope.spawn(|| warn!("by a thread"));
        });
        Route::stay()
    }
    let run = task("a").run::<threads>();
    let own: Vec<&str> = run
        .logs()
        .iter()
        .map(|line| line.message.as_str())
        .collect();
    assert_eq!(own, ["by the agent"]);
    let is_warning =
        |line: &agent_abi::testing::LogLine| line.level == 2 && line.message == "by a thread";
    assert!(run.thread_logs().iter().any(is_warning));
}
