//! Work that comes up in real agents: a preflight, threads and async, HTTP with secrets, files, PDFs, sounds, JSON from a model.
//!
//! 1. [Threads and async](#threads-and-async) · 2. [HTTP and secrets](#http-and-secrets) · 3. [Log lines](#log-lines) ·
//! 4. [Paths and the working directory](#paths-and-the-working-directory) · 5. [PDF pages](#pdf-pages) ·
//! 6. [A sound as a whole](#a-sound-as-a-whole) · 7. [JSON from a model](#json-from-a-model) ·
//! 8. [Preflight](#preflight)
//!
//! # Threads and async
//!
//! An agent works on one task at a time: it is called on the main thread of its process, and the next task comes when
//! it has returned. More tasks at the same time are more processes (`workbench run -j 4`); threads and async are
//! for the work on one task, e.g. several requests at once. An agent is a plain function, not an `async fn`: keep a
//! runtime as a dependency of the host, and block on it.
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::task;
//! use tokio::runtime::{Builder, Runtime};
//!
//! /// Made once for each process; its threads stay from task to task.
//! #[dependency(scope = host)]
//! fn runtime() -> Result<Runtime> {
//!     Ok(Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
//! }
//!
//! async fn score(title: String, model: &'static str) -> f64 {
//!     (title.len() + model.len()) as f64 / 100.0
//! }
//!
//! #[stage("score")]
//! fn both(task: &Task, #[depends(runtime)] runtime: &Runtime) -> Result<Route> {
//!     // What the futures need is owned: they may run on another thread.
//!     let scores = ["small", "large"].map(|model| runtime.spawn(score(task.title().to_owned(), model)));
//!     let mut sum = 0.0;
//!     for pending in scores {
//!         sum += runtime.block_on(pending)?;
//!         check_cancelled()?; // a person may have stopped it meanwhile
//!     }
//!     Ok(Route::stay().priority(sum / 2.0))
//! }
//!
//! assert_eq!(task("a.jpg").run::<both>().priority(), Some(0.1));
//! ```
//!
//! - [`progress`](crate::prelude::progress), [`checkpoint`](crate::prelude::checkpoint) and
//!   [`check_cancelled`](crate::prelude::check_cancelled) belong to the attempt, and so to the thread that the agent was
//!   called on. [Log lines](#log-lines) may come from any thread.
//! - `&LabelRow`, `&Project` and `&Task` may be read from scoped threads (`std::thread::scope`). Pictures and
//!   `&mut LabelRow` stay on the agent's thread: copy the pixels (`frame.jpeg(85)?`) for a future.
//! - Wait for what was started before the agent returns. What still runs then belongs to no task, and ends with the process.
//! - A panic in a spawned future is an error of its `JoinHandle`, and `?` fails the attempt with it.
//!
//! # HTTP and secrets
//!
//! Keep the client as a dependency of the host, so that connections stay open from task to task, and give it a limit
//! of its own below the agent's `timeout`. Keys come from the environment, never from `workbench.toml`, which is
//! committed. An agent inherits the environment of the workbench, without the workbench's own secrets
//! (`ENCORD_SSH_KEY` and whatever else of `ENCORD_…` and `WORKBENCH_…` holds a key, token or password).
//!
//! ```no_run
//! use agent_abi::prelude::*;
//! use reqwest::Client;
//! use serde::Deserialize;
//! use std::time::Duration;
//! use tokio::runtime::Runtime;
//!
//! #[derive(Deserialize)]
//! struct Answer {
//!     label: String,
//!     score: f64,
//! }
//!
//! #[dependency(scope = host)]
//! fn runtime() -> Result<Runtime> {
//!     Ok(Runtime::new()?)
//! }
//!
//! #[dependency(scope = host)]
//! fn client() -> Result<Client> {
//!     Ok(Client::builder().timeout(Duration::from_secs(20)).build()?)
//! }
//!
//! /// In workbench.toml: `[params.classify]`, and under it `url = "https://…"`
//! #[stage("classify", params(url: String), timeout = "60s", idempotent)]
//! fn classify(
//!     labels: &mut LabelRow,
//!     frame: Frame<'_>,
//!     settings: Params<Value>,
//!     #[depends(client)] client: &Client,
//!     #[depends(runtime)] runtime: &Runtime,
//! ) -> Result<Route> {
//!     let key = std::env::var("MODEL_KEY").map_err(|_| Error::new("MODEL_KEY is not set").permanent())?;
//!     let url = settings["url"].as_str().unwrap_or_default();
//!     let request = client.post(url).bearer_auth(key).json(&json!({"image": frame.jpeg(85)?.data_url()}));
//!     let answer: Answer = runtime
//!         .block_on(async { request.send().await?.error_for_status()?.json().await })
//!         .map_err(reqwest::Error::without_url) // an address may hold a token
//!         .context("asking the model")?;
//!     labels.classify("Weather", answer.label)?;
//!     Ok(Route::to("review").priority(answer.score))
//! }
//! # fn main() {}
//! ```
//!
//! - An attempt that failed is tried again, three more times by default; mark an error that will stay with
//!   [`permanent`](crate::Error::permanent). `idempotent` allows another attempt after a
//!   time limit and after the process was killed from outside, not after a crash.
//! - The workbench takes out of logs, prints, errors and steps: values of `authorization`, `x-api-key`, `cookie` and the
//!   like, tokens after `Bearer`, parameters that sign an address (`?key=`, `&token=`), keys of well-known shapes (`sk-…`,
//!   `ghp_…`), and wherever they stand the values of environment variables named `…_KEY`, `…_TOKEN`, `…_SECRET` or
//!   `…_PASSWORD`. It cannot find other secrets, nor one that is encoded or split over two lines: keep keys in such variables.
//! - `sample-agents/real/src/model.rs` does the same without async, with `ureq`.
//!
//! # Log lines
//!
//! Every line of the agent's own crate is kept, of other crates from `warn` on. `log = "info,hyper=debug"` in
//! `workbench.toml`, `--log` and `WORKBENCH_LOG` change it: a level for all (`off`, `error`, `warn`, `info`, `debug`, `trace`),
//! or one for a crate or module and what is below it. Release builds leave `trace!` out until `trace` is asked for.
//!
//! - Tasks run one at a time in a process, so that a line of any thread, of rayon's or of a runtime's, belongs to the
//!   task that runs. A line while none runs, of a thread that was not waited for or as a dependency closes, belongs to the
//!   library alone.
//! - Lines and prints of a task are kept up to 1 MiB each, so that prints cannot push out logged lines.
//! - Code that uses `tracing` needs one line in `Cargo.toml`, `tracing = { version = "0.1", features = ["log"] }`, and no
//!   subscriber. Events arrive with their fields, a span's fields as a line when it begins. If you install a subscriber, it
//!   gets the events instead; what it prints is kept as output of the task, without levels.
//!
//! # Paths and the working directory
//!
//! A relative path starts at the folder in which the workbench was started, in a run on a server just as on the
//! screen. It is not the folder of the library: that is loaded from a copy. Name files of your own by an absolute
//! path or a parameter; small ones are best compiled in.
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::task;
//! use std::path::PathBuf;
//!
//! /// A small file travels inside the library: `include_str!("classes.txt")`, or `include_bytes!`.
//! const CLASSES: &str = "Car\nPerson";
//!
//! struct Model {
//!     path: PathBuf,
//! }
//!
//! /// In workbench.toml: `weights = "models/cars.onnx"`, relative to the folder where the workbench is started.
//! #[dependency(scope = host)]
//! fn model(settings: Params<Value>) -> Result<Model> {
//!     let path = PathBuf::from(settings["weights"].as_str().unwrap_or("model.onnx"));
//!     let path = std::path::absolute(&path)?; // for the message: where it was looked for
//!     if !path.exists() {
//!         return Err(Error::new(format!("there is no model {}", path.display())).permanent());
//!     }
//!     Ok(Model { path })
//! }
//!
//! #[stage("detect", params(weights: String))]
//! fn detect(#[depends(model)] model: &Model) -> Result<Route> {
//!     info!("{} classes, {}", CLASSES.lines().count(), model.path.display());
//!     Ok(Route::to("review"))
//! }
//!
//! let gone = task("a.jpg").params(json!({"weights": "no/such/file"})).run::<detect>();
//! assert!(gone.failure().unwrap().message.contains("no/such/file"));
//! let run = task("a.jpg").params(json!({"weights": "Cargo.toml"})).run::<detect>();
//! assert_eq!(run.route(), Some("review"));
//! ```
//!
//! Downloaded assets ([`AssetPath`](crate::inject::AssetPath)) are shared by all agents and read-only. For files that an
//! agent writes, use `std::env::temp_dir()`; output on stdout and stderr is kept with the task.
//!
//! # PDF pages
//!
//! A page is a frame: objects are drawn on the page by its number, from 0, in shares of the page. The workbench
//! renders no pages, so that `Option<Frame>` is `None` and masks, which count pixels, are refused. The file itself is
//! [`AssetPath`](crate::inject::AssetPath); read it with a crate for PDFs.
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::{ontology, task};
//!
//! /// Stands for what a crate for PDFs finds: page and place.
//! fn signatures(pdf: &[u8]) -> Vec<(u64, [f64; 4])> {
//!     if pdf.starts_with(b"%PDF") { vec![(1, [0.1, 0.8, 0.3, 0.1])] } else { Vec::new() }
//! }
//!
//! #[stage("sign")]
//! fn sign(labels: &mut LabelRow, file: AssetPath) -> Result<Route> {
//!     let ontology = labels.ontology();
//!     let pages = labels.frame_count().unwrap_or(0);
//!     for (page, [x, y, w, h]) in signatures(&file.read()?) {
//!         let found = ontology.object("Signature")?.bounding_box(x, y, w, h)?;
//!         labels.add(found.on_frame(page).manual(false))?;
//!     }
//!     info!("{} of {pages} pages", labels.objects().len());
//!     Ok(Route::to("review"))
//! }
//!
//! let kinds = ontology().object("Signature", "bounding_box");
//! let run = task("contract.pdf").pdf(3).file(b"%PDF-1.7").ontology(kinds).run::<sign>();
//! assert_eq!(run.labels().objects()[0].frames(), [1]);
//! ```
//!
//! # A sound as a whole
//!
//! [`classify`](crate::model::LabelRow::classify) answers for the whole data unit, whatever its kind; what happens at
//! some time is an object with a range in milliseconds, both ends included:
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::{ontology, task};
//!
//! #[stage("listen")]
//! fn listen(labels: &mut LabelRow, file: AssetPath) -> Result<Route> {
//!     let loudest = file.read()?.iter().copied().max().unwrap_or(0);
//!     labels.classify("Recording", if loudest > 200 { "Street" } else { "Indoors" })?;
//!     let ontology = labels.ontology();
//!     let siren = ontology.object("Siren")?.range(1_000, 2_500)?.and_range(4_000, 4_200)?;
//!     labels.add(siren.confidence(0.8)?)?;
//!     Ok(Route::to("review"))
//! }
//!
//! let kinds = ontology().radio("Recording", &["Street", "Indoors"]).object("Siren", "audio");
//! let run = task("a.wav").audio().file([0, 90, 255]).ontology(kinds).run::<listen>();
//! let labels = run.labels();
//! assert_eq!(labels.classification("Recording").unwrap().answer(), Some("Street".into()));
//! assert_eq!(labels.objects()[0].ranges(), [(1_000, 2_500), (4_000, 4_200)]);
//! ```
//!
//! # JSON from a model
//!
//! A model with structured outputs is best given the ontology's own schema ([helpers](super::helpers#questions-to-a-language-model)).
//! A model that answers with JSON may name labels as agents in C do: names of the ontology, shapes in shares of the
//! picture ([`AddLabel`](crate::wire::AddLabel)). [`LabelRow::apply`](crate::model::LabelRow::apply) adds one, with the
//! nearest names in its error, which is worth sending back to the model:
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::{ontology, task};
//! use agent_abi::wire::AddLabel;
//!
//! #[stage("ask")]
//! fn ask(labels: &mut LabelRow) -> Result<Route> {
//!     let answer = r#"[
//!         {"name": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}, "attributes": {"Colour": "Red"}},
//!         {"name": "Wether", "answer": "Sunny"}
//!     ]"#;
//!     let mut refused = Vec::new();
//!     for label in serde_json::from_str::<Vec<AddLabel>>(answer).context("the model's answer")? {
//!         if let Err(why) = labels.apply(&AddLabel { manual: Some(false), ..label }) {
//!             refused.push(why.to_string());
//!         }
//!     }
//!     checkpoint("refused", &refused)?;
//!     Ok(Route::to(if refused.is_empty() { "review" } else { "annotate" }))
//! }
//!
//! let kinds = ontology().object("Car", "bounding_box").attribute("Colour", "radio", &["Red"]).radio("Weather", &["Sunny"]);
//! let run = task("a.jpg").ontology(kinds).run::<ask>();
//! assert_eq!((run.route(), run.labels().objects().len()), (Some("annotate"), 1));
//! assert!(run.steps().iter().any(|step| step.value.contains(r#"Did you mean \"Weather\"?"#)));
//! ```
//!
//! # Preflight
//!
//! A function that sees the project before its first task, and may refuse it. `workbench check` and every run call
//! it; it is named in `export![…, preflight = look]`.
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::{ontology, project};
//!
//! fn look(project: &Project) -> Result<()> {
//!     project.ontology().find("Car").context("these agents draw cars")?;
//!     project.stage("pre-label")?.pathway("annotate")?;
//!     Ok(())
//! }
//!
//! let good = project(ontology().object("Car", "bounding_box"), &[("pre-label", &["annotate"])]);
//! assert!(look(&good).is_ok());
//! assert!(look(&project(ontology(), &[])).is_err());
//! ```
