//! The author's manual: every kind of parameter, answer, option and dependency, with examples that run.
//!
//! The examples use the [testing kit](crate::testing), as an agent's own tests would. To see an agent at work on
//! a project, `workbench demo` and `workbench new` are the places to begin.
//!
//! 1. [A stage](#a-stage) · 2. [Parameters](#parameters) · 3. [Where the task goes](#where-the-task-goes) ·
//! 4. [Labels](#labels) · 5. [Pixels and files](#pixels-and-files) · 6. [Settings](#settings) ·
//! 7. [Metadata](#metadata) · 8. [Twins and other projects](#twins-and-other-projects) ·
//! 9. [Dependencies](#dependencies) · 10. [Errors and retries](#errors-and-retries) ·
//! 11. [Long work](#long-work) · 12. [Tests](#tests) · 13. [Building](#building)
//!
//! [Recipes](recipes): preflight, threads and async, HTTP with secrets, paths, PDF pages, sounds, JSON from a model.
//! [Helpers](helpers): boxes from a detector, masks, frames in batches, tracks, copies, schemas for language models.
//! [Checkpoints](checkpoints): values to look at and edit. [Heavy models](models), once for all processes. [Moving from Python](python): `encord-agents` word by word.
//!
//! # A stage
//!
//! [`#[stage("…")]`](macro@crate::stage) names the stage by its title or its UUID. [`export!`](crate::export) lists
//! the agents of a library in the order in which their stages are worked through:
//!
//! ```standalone_crate
//! use agent_abi::prelude::*;
//!
//! #[stage("prelabel", routes = ["review"])]
//! fn prelabel(labels: &mut LabelRow) -> Result<Route> {
//!     labels.classify("Weather", "Sunny")?;
//!     Ok(Route::to("review"))
//! }
//!
//! #[stage("6011c844-fb26-438b-b465-0b0825951015")]
//! fn validate(labels: &LabelRow) -> Route {
//!     if labels.classifications().is_empty() { Route::stay() } else { Route::to("complete") }
//! }
//!
//! export![prelabel, validate];
//! # fn main() {}
//! ```
//!
//! | option | meaning |
//! |---|---|
//! | `overwrite` | may take the stage over from another library that is loaded too |
//! | `routes = ["complete"]` | the pathways it may return; `workbench check` compares them with the workflow |
//! | `timeout = "30s"` | limit of one attempt; without it the workbench's own |
//! | `idempotent` | may be run again by itself after its process was ended half-way: time limit, memory, killed from outside |
//! | `serial` | one task at a time, however many processes run |
//! | `cancellable` | checks [`check_cancelled`](crate::prelude::check_cancelled), so it may be asked to stop before it is killed |
//! | `params(every: u64 = 10)` | what may stand in `workbench.toml` for this stage |
//! | `include(client_metadata, …)` | what comes with the label row's metadata, as `LabelRowMetadataIncludeArgs` |
//! | `initialise(reviews, …)` | how labels are fetched, as `LabelRowInitialiseLabelsArgs` |
//!
//! # Parameters
//!
//! A function asks for what it needs by the types of its parameters, in any order. What is asked for is known
//! before the agent runs and fetched for a whole batch at once; what is not asked for is not fetched.
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::task;
//!
//! #[stage("route")]
//! fn by_title(task: &Task, stage: &Stage, project: &Project, labels: &LabelRow) -> Route {
//!     info!("{} in {} of {}", task.title(), stage.title(), project.title());
//!     match labels.data_type() {
//!         DataType::Video => Route::to("slow lane"),
//!         _ if task.title().contains("night") => Route::to("experts"),
//!         _ => Route::to("complete"),
//!     }
//! }
//!
//! assert_eq!(task("night-7.jpg").run::<by_title>().route(), Some("experts"));
//! ```
//!
//! `Option<…>` of any parameter is `None` where there is no such thing: a sound has no picture. What is there but
//! cannot be had is a failure all the same, so that a network that is down never looks like an empty picture.
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::task;
//!
//! #[stage("pre-label")]
//! fn looks(frame: Option<Frame<'_>>) -> Route {
//!     Route::to(if frame.is_some() { "annotate" } else { "skip" })
//! }
//!
//! assert_eq!(task("beep.wav").audio().run::<looks>().route(), Some("skip"));
//! ```
//!
//! # Where the task goes
//!
//! An agent returns [`Route`](crate::Route) or a `Result` of it with any error. A pathway is named by its title or
//! its UUID, a stage past the pathways too; [`Route::stay`](crate::Route::stay) leaves the task for the next run. A
//! priority goes along, 0 to 1 (0.0 counts), and so do changed labels, by themselves.
//!
//! ```
//! use agent_abi::prelude::*;
//! # use agent_abi::testing::task;
//! # #[stage("s")]
//! # fn forms(stage: &Stage) -> Result<Route> {
//! let by_name = Route::to("complete");
//! let by_uuid = Route::to(Uuid::from_u128(7));
//! let by_pathway = Route::to(&stage.pathways()[0]);
//! let to_any_stage = Route::to_stage("Archive");
//! let urgent = Route::to("review").priority(1.0);
//! let later = Route::stay().priority(0.0);
//! # assert_eq!(by_name.pathway(), Some("complete"), "{by_uuid:?} {to_any_stage:?} {urgent:?} {later:?}");
//! # Ok(by_pathway)
//! # }
//! # assert!(task("a").pathways(&["complete"]).run::<forms>().route().is_some());
//! ```
//!
//! # Labels
//!
//! `&mut LabelRow` lends the labels to be changed; what was changed is part of the outcome. Objects and
//! classifications are found in the ontology by their titles, and made from what was found, so that a label that
//! the ontology does not know cannot be written. Coordinates are shares of the picture, 0 to 1, give or take 1e-6.
//!
//! ```
//! use agent_abi::model::Circle;
//! use agent_abi::prelude::*;
//! use agent_abi::testing::{ontology, task};
//!
//! #[stage("pre-label")]
//! fn draw(labels: &mut LabelRow) -> Result<Route> {
//!     let ontology = labels.ontology();
//!     let car = ontology.object("Car")?.bounding_box(0.1, 0.2, 0.3, 0.4)?;
//!     let car = car.on_frame(0).confidence(0.9)?.answer("Colour", "Red")?;
//!     let hash = labels.add(car)?;
//!     labels.answer(&hash, "Plate", "ZH 1")?;
//!     let corners = [(0.1, 0.1), (0.5, 0.1), (0.5, 0.5)].map(|(x, y)| Point { x, y });
//!     labels.add(ontology.object("Area")?.polygon(&corners)?)?;
//!     labels.add(ontology.object("Lamp")?.circle(Circle::new(0.5, 0.5, 0.1))?)?;
//!     labels.classify("Weather", "Sunny")?;
//!     for object in labels.objects_named("Car") {
//!         info!("{:?} {:?}", object.bounding_box(0), object.answer("Colour"));
//!     }
//!     Ok(Route::to("annotate"))
//! }
//!
//! let kinds = ontology()
//!     .object("Car", "bounding_box")
//!     .attribute("Colour", "radio", &["Red", "Blue"])
//!     .attribute("Plate", "text", &[])
//!     .object("Area", "polygon")
//!     .object("Lamp", "circle")
//!     .radio("Weather", &["Sunny", "Night"]);
//! let run = task("a.jpg").ontology(kinds).run::<draw>();
//! assert_eq!(run.labels().objects().len(), 3);
//! ```
//!
//! Every shape, on the kind of object that the ontology draws so:
//!
//! | shape | call |
//! |---|---|
//! | box | `car.bounding_box(x, y, w, h)?`, or `car.boxed(area)?` |
//! | turned box | `car.rotatable_box(RotatableBox { upright: BoundingBox::new(x, y, w, h)?, theta: 30.0 })?` |
//! | polygon | `area.polygon(&points)?`, `area.polygon_with_holes(&[&outer, &hole])?`, `area.polygons(&[…])?` |
//! | line, point | `road.polyline(&points)?`, `spot.point(x, y)?` |
//! | mask | `puddle.bitmask(&Bitmask::from_pixels(width, height, &bits)?)?`, a `bool` for each pixel |
//! | skeleton | `pose.skeleton(&ontology.skeleton("Pose")?.place([("head", x, y), …])?)?` |
//! | ellipse, circle | `wheel.ellipse(Ellipse { center, rx, ry, theta })?`, `lamp.circle(Circle::new(x, y, r))?` |
//! | cuboid | `crate_.cuboid(&Cuboid { front, back: CuboidBack::Isometric { offset } })?` |
//! | sound, text | `siren.range(from, to)?`, in milliseconds or in characters; `.and_range(…)?` for more |
//! | HTML | `word.html_range(HtmlRange::new((xpath, offset), (xpath, offset)))?` |
//! | of a newer kind | `thing.other("key", json!({…}))?`; what is there is carried along as it is |
//!
//! What is there already is found, answered again, moved (`object_mut`) and removed by its hash; all else of it
//! stays. Answers that only another option asked for go with it:
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::{ontology, task};
//!
//! #[stage("track")]
//! fn track(labels: &mut LabelRow) -> Result<Route> {
//!     let ontology = labels.ontology();
//!     let car = ontology.object("Car")?;
//!     // One object over many frames, with another place on each.
//!     let hash = labels.add(car.bounding_box(0.1, 0.1, 0.2, 0.2)?.on_frame(0))?;
//!     for n in 1..=9 {
//!         let x = 0.1 + n as f64 / 20.0;
//!         labels.add_to(&hash, &car.bounding_box(x, 0.1, 0.2, 0.2)?.on_frame(n))?;
//!     }
//!     labels.answer_on(&hash, "Speed", "fast", 0, 9)?; // a dynamic attribute
//!     labels.answer_on(&hash, "Speed", "slow", 4, 6)?;
//!     // Reading lends the row: take the hashes first, then change it.
//!     let hashes: Vec<String> = labels.objects_named("Car").map(|o| o.hash().to_owned()).collect();
//!     for hash in &hashes {
//!         labels.answer(hash, "Colour", "Red")?;
//!         labels.answer(hash, "Shade", "dark")?; // asked because the colour is red
//!     }
//!     let rain = labels.classify("Weather", "Rainy")?;
//!     labels.answer(&rain, "How much", 3)?;
//!     labels.add(ontology.classification("Light")?.answer("Dim")?.on_frames(3, 5))?;
//!     for problem in labels.problems() {
//!         warn!("{problem}");
//!     }
//!     Ok(Route::to("review"))
//! }
//!
//! let kinds = ontology()
//!     .object("Car", "bounding_box")
//!     .dynamic("Speed", "radio", &["slow", "fast"])
//!     .attribute("Colour", "radio", &["Red", "Blue"])
//!     .nested("Colour", "Red", "Shade", "text", &[])
//!     .radio("Weather", &["Sunny", "Rainy"])
//!     .nested("Weather", "Rainy", "How much", "numeric", &[])
//!     .radio("Light", &["Dim", "Bright"]);
//! let clip = vec![Picture::filled(8, 8, [0; 3]); 10];
//! let run = task("clip.mp4").ontology(kinds).video(clip).run::<track>();
//! let labels = run.labels();
//! let car = &labels.objects()[0];
//! assert_eq!(car.frames().len(), 10);
//! assert_eq!(car.answer_on("Speed", 5), Some("slow".into()));
//! assert_eq!(car.answer_on("Speed", 7), Some("fast".into()));
//! ```
//!
//! - [`BoundingBox::iou`](crate::model::BoundingBox::iou), areas and crops are there for comparing; what detectors and
//!   trackers need beside them is under [helpers].
//! - [`LabelRow::problems`](crate::model::LabelRow::problems) lists what in a row the ontology does not allow, with
//!   the path to each mistake.
//!
//! # Pixels and files
//!
//! Pictures are decoded outside of the agent and lent as RGB8; an agent links no codec. [`Frame`](crate::model::Frame)
//! is the first picture, [`Frames`](crate::model::Frames) gives any by its exact number, all in order, every n-th, a
//! share of them (`sample(0.5)`) or a list (`at([0, 7, 30])`):
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::task;
//!
//! #[stage("video")]
//! fn bright(frames: Frames<'_>) -> Result<Route> {
//!     let mut brightest = (0.0, 0);
//!     for frame in frames.every(2) {
//!         let frame = frame?;
//!         if frame.mean_luma() > brightest.0 {
//!             brightest = (frame.mean_luma(), frame.index());
//!         }
//!     }
//!     if let Some(frame) = frames.get(brightest.1)? {
//!         let middle = BoundingBox::new(0.25, 0.25, 0.5, 0.5)?;
//!         let crop = frame.crop(&middle);
//!         let url = frame.jpeg(85)?.data_url(); // for a model behind an API
//!         info!("{} × {} pixels, {} bytes", crop.width, crop.height, url.len());
//!     }
//!     Ok(Route::to(format!("frame {}", brightest.1)))
//! }
//!
//! let clip = (0..6).map(|n| Picture::filled(8, 8, [n * 40, 0, 0])).collect();
//! assert_eq!(task("clip.mp4").video(clip).run::<bright>().route(), Some("frame 4"));
//! ```
//!
//! [`AssetPath`](crate::inject::AssetPath) is the downloaded file itself, [`Children`](crate::inject::Children) the files of
//! a group, of [one part](crate::guide::helpers#parts-of-data-groups) with `#[part("…")]`. Texts and sounds are read from the file:
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::{ontology, task};
//!
//! #[stage("find")]
//! fn find(labels: &mut LabelRow, file: AssetPath) -> Result<Route> {
//!     let text = file.read_text()?; // `file.read()?` gives the bytes of a sound
//!     if let Some(at) = text.find("red") {
//!         let from = text[..at].chars().count() as u64;
//!         let ontology = labels.ontology();
//!         labels.add(ontology.object("Word")?.range(from, from + 2)?)?;
//!     }
//!     Ok(Route::to("review"))
//! }
//!
//! let kinds = ontology().object("Word", "text");
//! let run = task("note.txt").text().file("a red car").ontology(kinds).run::<find>();
//! assert_eq!(run.labels().objects()[0].ranges(), [(2, 4)]);
//! ```
//!
//! # Settings
//!
//! [`Params<T>`](crate::inject::Params) reads the stage's part of `workbench.toml` into a type of yours, again for
//! each task: it is changed without a rebuild. With `params(…)` the same is declared, and `workbench check` finds
//! what is missing or misspelt.
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::task;
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Settings {
//!     limit: f64,
//! }
//!
//! /// In workbench.toml: `[params.review]`, and under it `limit = 0.5`
//! #[stage("review", params(limit: f64))]
//! fn review(settings: Params<Settings>) -> Route {
//!     Route::stay().priority(settings.limit)
//! }
//!
//! let run = task("a.jpg").params(json!({"limit": 0.5})).run::<review>();
//! assert_eq!(run.priority(), Some(0.5));
//! ```
//!
//! # Metadata
//!
//! With `include(client_metadata)` the client metadata come with the label row, to read. `&mut StorageItem` reads
//! and changes them:
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::task;
//!
//! #[stage("route", include(client_metadata))]
//! fn by_site(labels: &LabelRow, item: &mut StorageItem) -> Route {
//!     let site = labels.client_metadata().and_then(|m| m["site"].as_str()).unwrap_or("unknown");
//!     item.set_metadata("seen at", site);
//!     Route::to(if site == "cam1" { "complete" } else { "review" })
//! }
//!
//! let run = task("a.jpg").metadata("site", "cam1").run::<by_site>();
//! assert_eq!(run.route(), Some("complete"));
//! assert_eq!(run.metadata().unwrap()["seen at"], "cam1");
//! ```
//!
//! # Twins and other projects
//!
//! A twin is the label row of the same data in another project. It is declared where it is asked for, and fetched
//! for a whole batch:
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::{ontology, task};
//!
//! #[stage("transfer")]
//! fn transfer(
//!     labels: &mut LabelRow,
//!     #[depends(twin("8d7a0c0e-56f1-4b0c-9d4e-6a3a4a8f1b11"))] twin: Option<Twin>,
//! ) -> Result<Route> {
//!     let Some(twin) = twin else { return Ok(Route::to("annotate")) };
//!     for found in twin.labels.classifications() {
//!         if let Some(answer) = found.answer() {
//!             labels.classify(found.title(), answer)?;
//!         }
//!     }
//!     Ok(Route::to("review"))
//! }
//!
//! let here = task("a.jpg").ontology(ontology().radio("Weather", &["Sunny", "Night"]));
//! let there = here.clone().with_labels(|labels| {
//!     labels.classify("Weather", "Night")?;
//!     Ok(())
//! });
//! let run = here.twin("8d7a0c0e-56f1-4b0c-9d4e-6a3a4a8f1b11", &there).run::<transfer>();
//! assert_eq!(run.labels().classification("Weather").unwrap().answer(), Some("Night".into()));
//! ```
//!
//! Without `Option` a task that has no twin fails with an error.
//!
//! Taken as `&mut Twin` it is written too: [`further`] has that and all other changes beyond the own row.
//!
//! What no parameter covers is asked of [`Upstream`](crate::inject::Upstream): label rows of any project, storage
//! items, projects, and lists: the rows of a project, the tasks of a stage, the items of a folder, collections and
//! their items. A list is an iterator that asks for a page when it is reached. It cannot write.
//!
//! [`Upstream::signed_url`](crate::inject::Upstream::signed_url) gives an address that the file of a storage item can be
//! read from without a key, for a service that fetches it by itself. `{:?}` does not show it; never log what `expose()`
//! gives.
//!
//! # Dependencies
//!
//! [`#[dependency]`](macro@crate::dependency) makes a function's value a parameter. It is injected like an agent, may
//! ask for others, takes arguments marked `#[arg]`, and is made once per task for equal arguments. With `scope = host`
//! it is kept until the build retires; [models] outlive builds. Values are closed in reverse, after errors too.
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::task;
//!
//! struct Model {
//!     limit: f64,
//! }
//!
//! #[dependency(scope = host, close = unload)]
//! fn model(#[arg] limit: f64) -> Result<Model> {
//!     Ok(Model { limit }) // loaded once, however many tasks there are
//! }
//!
//! fn unload(model: Model, end: End) {
//!     info!("{end:?} with {}", model.limit);
//! }
//!
//! #[dependency]
//! fn score(task: &Task, #[depends(model(0.5))] model: &Model) -> f64 {
//!     task.title().len() as f64 * model.limit
//! }
//!
//! #[dependency]
//! fn tags(task: &Task) -> Vec<String> {
//!     task.title().split('-').map(str::to_owned).collect()
//! }
//!
//! #[stage("review")]
//! fn review(#[depends(score)] score: f64, #[depends(tags)] tags: &[String]) -> Route {
//!     Route::to(format!("{score} {}", tags.len()))
//! }
//!
//! assert_eq!(task("a-b").run::<review>().route(), Some("1.5 2"));
//! ```
//!
//! A dependency is taken by `&`, by `&mut` (the value keeps what was changed), or by value when it is `Clone`. Text
//! is taken as `&str`, lists as slices. A type may provide itself, with
//! [`Provide`](crate::inject::Provide) and a bare `#[depends]`. Dependencies that ask for each other in a circle
//! do not compile; the message names them in order.
//!
//! # Errors and retries
//!
//! Any error is returned with `?`; [`bail!`](crate::bail) and [`Context`](crate::Context) add words. A failed attempt
//! writes nothing, and the next one (three more by default) sees everything fresh. An error marked
//! [`permanent`](crate::Error::permanent) is not tried again. A panic costs one attempt; a crash, an abort or `exit` costs the
//! task, for agents run in processes of their own. Below the message every output shows the cause and the line of the `?`.
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::task;
//!
//! #[stage("check")]
//! fn check(task: &Task) -> Result<Route> {
//!     let number = task.title().trim_end_matches(".jpg");
//!     let number: u32 = number.parse().context(format!("\"{number}\" is not a number"))?;
//!     if number == 13 {
//!         return Err(Error::new("never this one").permanent());
//!     }
//!     Ok(Route::to("complete"))
//! }
//!
//! let failure = task("x.jpg").run::<check>();
//! let failure = failure.failure().unwrap();
//! assert_eq!(failure.message, "\"x\" is not a number");
//! assert_eq!(failure.chain, ["invalid digit found in string"]);
//! assert!(!task("13.jpg").run::<check>().failure().unwrap().retry);
//! ```
//!
//! # Long work
//!
//! `info!` and its kin, and what the agent prints, go to the Task screen and to the log in `.workbench/log` from any thread;
//! `workbench run -v` shows them on stderr too, `-vv` all down to `trace!` ([levels](recipes#log-lines)). [`progress`](crate::prelude::progress)
//! reports how far it is, [`check_cancelled`](crate::prelude::check_cancelled) ends it where the attempt is to stop.
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::task;
//!
//! #[stage("slow", timeout = "10m", cancellable)]
//! fn slow() -> Result<Route> {
//!     for n in 0..4 {
//!         check_cancelled()?;
//!         progress(f64::from(n) / 4.0);
//!     }
//!     checkpoint("parts", &4)?;
//!     Ok(Route::to("done"))
//! }
//!
//! let run = task("a").run::<slow>();
//! assert_eq!(run.progress(), Some(0.75));
//! assert!(run.steps().iter().any(|s| s.name == "parts" && s.value == "4"));
//! assert!(task("a").cancelled().run::<slow>().failure().is_some());
//! ```
//!
//! # Tests
//!
//! [`testing::task`](crate::testing::task) describes a task and its data in a line each and runs an agent on it, with
//! no process and no network. [`Run`](crate::testing::Run) has everything: route, priority, labels, metadata, steps,
//! log lines, the failure, and how many pictures were not given back. The ontology of a project of one's own, saved
//! as JSON, is taken whole with [`ontology_of`](crate::testing::ontology_of). With `.pathways(&[…])` an agent that
//! returns another one fails, as it would in a run.
//!
//! `.with_labels(|labels| …)` describes labels that are there already, `.item_field("fps", 25.0)` the storage item,
//! `.timeout(…)` the limit of an attempt. [`testing::host`](crate::testing::host) is a process that runs several tasks:
//! values with `scope = host` stay in it, and [`attempts`](crate::testing::TestHost::attempts) tries a task again as a run would.
//!
//! # Building
//!
//! `crate-type = ["cdylib"]` (and `"rlib"`, for tests). `panic = "abort"` is allowed, and then a panic is reported as
//! a crash. An edit is active a moment after `cargo build`; debug builds are meant to be used that way, and
//! `workbench run` in production should use `--release`.

pub mod checkpoints;
pub mod further;
pub mod helpers;
pub mod models;
pub mod python;
pub mod recipes;
