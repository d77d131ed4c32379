//! Moving from Python: `encord-agents` word by word.
//!
//! Agents are library functions instead of a script: the workbench is the runner, and `workbench run` does what
//! `runner.run()` does.
//!
//! | `encord-agents` | here |
//! |---|---|
//! | `@runner.stage(stage="Agent 1")`, or its UUID | `#[stage("Agent 1")]`, or its UUID |
//! | `return "complete"`, a `UUID`, `None` | `Route::to("complete")`, `Route::to(uuid)`, `Route::stay()` |
//! | `TaskAgentReturnStruct(pathway, label_row, label_row_priority)` | `Route::to(…).priority(0.7)`; changed labels go along by themselves |
//! | `overwrite=True` | `#[stage("…", overwrite)]`; a rebuild of the same library needs nothing |
//! | `LabelRowMetadataIncludeArgs(include_client_metadata=True)` | `#[stage("…", include(client_metadata))]` |
//! | `LabelRowInitialiseLabelsArgs(include_reviews=True)` | `#[stage("…", initialise(reviews))]` |
//! | `task: AgentTask`, `project: Project`, `lr: LabelRowV2` | `task: &Task`, `project: &Project`, `labels: &mut LabelRow` |
//! | `lr.client_metadata` | `labels.client_metadata()` |
//! | `dep_storage_item`, and its `update(client_metadata=…)` | `item: &StorageItem`, `item: &mut StorageItem` with `item.set_metadata(…)` |
//! | `dep_asset` | `asset: AssetPath` |
//! | `dep_single_frame` | `frame: Frame` |
//! | `dep_video_iterator`, `dep_video_sampler` | `frames: Frames`: `frames.iter()`, `frames.sample(0.5)?`, `frames.get(7)?` |
//! | `dep_twin_label_row(twin_project_hash="…")` | `#[depends(twin("…"))] twin: Option<Twin>`, for a whole batch at once; `twin: Twin` where it must be there |
//! | its `init_labels=False`, `include_task=True` | `twin("…", init_labels = false, include_task = true)` |
//! | `dep_client` | `upstream: Upstream`: reads only, through the workbench |
//! | `frame.b64_encoding(image_format="jpeg", output_format="url")` | `frame.jpeg(85)?.data_url()`, `.base64()` |
//! | `OntologyDataModel(classifications)`, its `model_json_schema`, and calling it with an answer | `ontology.json_schema()`, `labels.add_json_all(&answer)?` |
//! | `object_instance.copy()` | `labels.copy_object(&object)?` |
//! | `classification_instance.copy()` | `labels.copy_classification(&found)?` |
//! | `Depends(my_dependency)` | `#[depends(my_dependency)] value: &T` with `#[dependency] fn my_dependency(…)` |
//! | `functools.partial(my_dependency, arg2=42)` | `#[depends(my_dependency(42))]`, the parameter marked `#[arg]` |
//! | a generator dependency, closed after the task | `#[dependency(close = function)]`, or `Drop` |
//! | `pre_execution_callback` | `export![…, preflight = function]` |
//! | `print(…)`, `logging` | `println!(…)`, `info!(…)`: in `.workbench/log`, with `workbench run -v` on stderr |
//! | several stages in one runner, in order of definition | the order of `export![…]` |
//!
//! A whole agent, before and after:
//!
//! ```text
//! @runner.stage(stage="pre-label")
//! def pre_label(lr: LabelRowV2, frame: Annotated[Frame, Depends(dep_single_frame)]) -> str:
//!     car = lr.ontology_structure.get_child_by_title("Car", type_=Object).create_instance()
//!     car.set_for_frames(BoundingBoxCoordinates(height=0.4, width=0.3, top_left_x=0.1, top_left_y=0.2),
//!                        frames=0, confidence=0.9, manual_annotation=False)
//!     lr.add_object_instance(car)
//!     return "annotate"
//! ```
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::{ontology, task};
//!
//! #[stage("pre-label")]
//! fn pre_label(labels: &mut LabelRow, frame: Frame<'_>) -> Result<Route> {
//!     debug!("{} × {}", frame.width(), frame.height());
//!     let ontology = labels.ontology();
//!     let car = ontology.object("Car")?.bounding_box(0.1, 0.2, 0.3, 0.4)?;
//!     labels.add(car.on_frame(0).confidence(0.9)?.manual(false))?;
//!     Ok(Route::to("annotate"))
//! }
//!
//! let picture = Picture::filled(64, 48, [0; 3]);
//! let run = task("a.jpg").image(picture).ontology(ontology().object("Car", "bounding_box")).run::<pre_label>();
//! assert_eq!((run.route(), run.labels().objects().len()), (Some("annotate"), 1));
//! ```
//!
//! Three differences that no word shows:
//!
//! - Nothing is written while an agent runs. What it changed is its outcome, written after it returned, or held for
//!   review: there is no `lr.save()`, and an error half-way writes nothing.
//! - Coordinates, confidences and priorities are checked where they are made: 0 to 1, with a message that names the
//!   distance.
//! - What an agent needs is known before it runs and fetched for a whole batch, so that a loop over label rows is not
//!   a request for each.
