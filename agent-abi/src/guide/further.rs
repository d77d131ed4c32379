//! Changes beyond the task's own row: twins, other rows and tasks, issues, new items.
//!
//! Taken as `&mut Twin` (or `Option<&mut Twin>`), a twin is written like the task's own labels:
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::{ontology, task};
//!
//! #[stage("publish")]
//! fn publish(
//!     labels: &LabelRow,
//!     #[depends(twin("8d7a0c0e-56f1-4b0c-9d4e-6a3a4a8f1b11", include_task = true))] twin: &mut Twin,
//! ) -> Result<Route> {
//!     for found in labels.classifications() {
//!         if let Some(answer) = found.answer() {
//!             twin.labels.classify(found.title(), answer)?;
//!         }
//!     }
//!     let (project, data) = (twin.project.hash(), labels.data_hash().context("no data hash")?);
//!     Ok(Route::to("complete")
//!         .also(Change::priority(project, data, 0.9))
//!         .also(Change::move_to(project, data, "Review")))
//! }
//!
//! # #[stage("elsewhere")]
//! # fn label(labels: &mut LabelRow) -> Result<Route> { labels.classify("Weather", "Night")?; Ok(Route::stay()) }
//! let other = task("a.jpg").ontology(ontology().radio("Weather", &["Sunny", "Night"]));
//! let here = other.clone().labels(other.run::<label>().into_labels());
//! let run = here.twin("8d7a0c0e-56f1-4b0c-9d4e-6a3a4a8f1b11", &other).run::<publish>();
//! let kinds: Vec<&str> = run.changes().iter().map(|change| change.kind.as_str()).collect();
//! assert_eq!(kinds, ["labels", "priority", "move"]);
//! ```
//!
//! [`Change`](crate::Change) has the others: labels of any row that was read with
//! [`Upstream`](crate::inject::Upstream), of the task's own data on another branch too; priorities; client metadata, of
//! a data unit or a storage item; moves to any stage. Without a project hash at hand, the task's own is
//! `project.hash()` of a `&Project`. An outcome has at most 60.
//!
//! [`Change::issue`](crate::Change::issue) leaves a comment for people on a data unit, a frame, a place or a label. An open
//! issue with the same comment and tags there is not made again, and an issue stays when its outcome is undone.
//!
//! [`Change::item`](crate::Change::item) makes a text item and links it into a dataset, so that every project that uses
//! the dataset gets a new task at the start of its workflow: a question for people, a summary to check.
//!
//! ```
//! use agent_abi::prelude::*;
//! use agent_abi::testing::{ontology, task};
//!
//! #[stage("judge")]
//! fn judge(task: &Task, labels: &LabelRow) -> Result<Route> {
//!     let answers: Vec<_> = labels.classifications().into_iter().filter_map(|found| found.answer()).collect();
//!     let [first, second, ..] = answers.as_slice() else { return Ok(Route::to("complete")) };
//!     if first == second { return Ok(Route::to("complete")) }
//!     let question = format!("{}: is it {first} or {second}?", task.title());
//!     Ok(Route::to("complete").also(Change::item(format!("{}.txt", task.title()), question).dataset("Questions")))
//! }
//! # #[stage("people")]
//! # fn label(labels: &mut LabelRow) -> Result<Route> {
//! #     labels.classify("Weather", "Night")?;
//! #     labels.classify("Light", "Bright")?;
//! #     Ok(Route::stay())
//! # }
//!
//! let names = ontology().radio("Weather", &["Sunny", "Night"]).radio("Light", &["Bright", "Dark"]);
//! let here = task("a.jpg").ontology(names);
//! let run = here.clone().labels(here.run::<label>().into_labels()).run::<judge>();
//! assert_eq!(run.changes()[0].text.as_deref(), Some("a.jpg: is it Night or Bright?"));
//! ```
//!
//! The dataset is named by the title of one of the project's datasets or by the hash of any, the folder by its UUID; left
//! out, they are the project's only dataset and the dataset's own folder. Give items titles of their own: the workbench
//! finds an item by its title, and then by a key (`workbench_item`) in its client metadata. One that was made for the
//! same data unit with the same title and text, and is still there, is not made again. `undo` deletes the item as long as
//! nobody has opened, labelled or moved its tasks in the project; otherwise the item stays, and undo names it. Where the
//! new task comes to the stage of the same agent, the agent is given it too: recognise such tasks by metadata or title.
//!
//! They are held, reviewed, written and undone together with the outcome. Everything is looked at first: if somebody
//! else has changed one of the rows since the agent saw it, the whole task is a conflict, and nothing of it is
//! written. Then each batch is written in this order: new items, labels of other rows, the task's own labels, its
//! priority and metadata, those of others, issues, moves of others, and its own move last. A step that is refused
//! leaves the task at its stage, *written in part*: `workbench resume` finishes it, `workbench undo` takes back what
//! was written. After a crash, what is there already is not written twice. `undo` writes in the same order, the last
//! change first within each step, and leaves a task whole if any row of it was changed since.
//!
//! Rows that were declared as twins were read ahead, for a batch at once, and with `include_task = true` their tasks,
//! which a move needs. What the agent was not given is read before the outcome is judged, together with what other
//! outcomes need by then; such a run waits for the network after each agent.
//!
//! In other languages the outcome has a list `"changes"`, see [`ChangeDoc`](crate::wire::ChangeDoc):
//! `{"kind": "labels", "project": "…", "add": […]}`, `{"kind": "priority", "data_hash": "…", "priority": 0.9}`,
//! `{"kind": "metadata", "item_uuid": "…", "client_metadata": {…}}`, `{"kind": "move", "project": "…", "to": "Review"}`.
//! `{"kind": "issue", "comment": "too blurred", "frame": 0, "tags": ["blurry"]}`,
//! `{"kind": "item", "title": "a.txt", "text": "Is this a car or a van?", "dataset": "Questions"}`.
//! What is left out is the task's own: its project, its data unit.
