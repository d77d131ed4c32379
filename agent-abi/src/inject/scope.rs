//! The scope of one attempt: its documents, read when first asked for, and its open dependencies.

use super::current::Current;
use super::made_of::MadeOf;
use super::provide::Opened;
use super::{End, Found, Stop};
use crate::error::{Context, Error, Result};
use crate::model::{LabelRow, Ontology, Project, Stage, StorageItem, Task};
use crate::table::needs;
use crate::wire::{AssetDoc, Pause, ProjectDoc, input};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

/// Where documents and pictures come from, and where log lines go.
pub trait Source {
    /// A named document as JSON text; `None` when there is none for this task.
    ///
    /// # Errors
    /// Why it could not be had.
    fn input(&self, name: &str) -> Result<Option<&str>, String>;
    /// A decoded picture; `None` past the last one, or when the data have none.
    ///
    /// # Errors
    /// Why it could not be decoded.
    fn frame(&self, index: u64) -> Result<Option<RawFrame<'_>>, String>;
    /// A decoded picture of one of the files of a group, by its place in [`AssetDoc::children`]; `None` past the
    /// last one, or when the file has none.
    ///
    /// # Errors
    /// Why it could not be decoded.
    fn child_frame(&self, child: u64, index: u64) -> Result<Option<RawFrame<'_>>, String> {
        let _ = (child, index);
        Ok(None)
    }
    /// Gives a picture back.
    fn release(&self, handle: u64);
    /// A log line; level 1 error … 5 trace.
    fn log(&self, level: u32, target: &str, message: &str);
    /// Progress of this attempt, 0 to 1.
    fn progress(&self, share: f64);
    /// Whether this attempt is wanted to stop.
    fn is_cancelled(&self) -> bool;
    /// Asks the workbench for something by name ([`crate::wire::call`]) and waits for the answer;
    /// `None`: it does not know the name.
    ///
    /// # Errors
    /// Why there is no answer.
    fn call(&self, name: &str, question: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let _ = (name, question);
        Ok(None)
    }
    /// Whether somebody looks at the places that [`Source::pause`] reports.
    fn pauses(&self) -> bool {
        false
    }
    /// The attempt is at this place, with this value (JSON for a checkpoint); waits while a person holds it there.
    /// `Some`: the JSON that the value was edited to.
    ///
    /// # Errors
    /// Why the attempt is to stop.
    fn pause(&self, at: &Pause, value: &[u8]) -> Result<Option<String>, String> {
        let _ = (at, value);
        Ok(None)
    }
}

/// A decoded picture in somebody else's memory.
#[derive(Clone, Copy, Debug)]
pub struct RawFrame<'t> {
    /// Rows of `stride` bytes, three per pixel, red first.
    pub data: &'t [u8],
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes from one row to the next.
    pub stride: u32,
    /// Number of the frame, from 0.
    pub index: u64,
    /// Microseconds from the start.
    pub pts_us: i64,
    /// For [`Source::release`].
    pub handle: u64,
}

/// One attempt of one agent on one task.
pub struct Scope<'h> {
    pub(super) source: &'h dyn Source,
    pub(super) current: Rc<Current>,
    task: Task,
    stage: Stage,
    params: &'h str,
    needs: u64,
    project: OnceCell<Option<Arc<Project>>>,
    row: OnceCell<Option<RefCell<LabelRow>>>,
    item: OnceCell<Option<RefCell<StorageItem>>>,
    pub(super) open: RefCell<Vec<Rc<dyn Opened>>>,
    pub(super) opening: RefCell<Vec<&'static str>>,
    /// What the dependencies that are being opened have read.
    pub(super) making: RefCell<Vec<MadeOf>>,
}

impl<'h> Scope<'h> {
    pub(super) fn new(
        source: &'h dyn Source,
        current: Rc<Current>,
        task: Task,
        stage: Stage,
        params: &'h str,
        needs: u64,
    ) -> Self {
        Self {
            source,
            current,
            task,
            stage,
            params,
            needs,
            project: OnceCell::new(),
            row: OnceCell::new(),
            item: OnceCell::new(),
            open: RefCell::new(Vec::new()),
            opening: RefCell::new(Vec::new()),
            making: RefCell::new(Vec::new()),
        }
    }

    /// For the macros: fills a parameter that must be there.
    ///
    /// # Errors
    /// [`Stop::Dependency`] when it is absent or cannot be had.
    #[track_caller]
    pub fn need<'s, R>(
        &'s self,
        parameter: &str,
        fill: impl FnOnce(&'s Self) -> Found<R>,
    ) -> Result<R, Stop> {
        let found = self.may(parameter, fill)?;
        self.present(parameter, found)
    }

    /// For the macros: what must be there.
    ///
    /// # Errors
    /// [`Stop::Dependency`] when it is absent.
    #[track_caller]
    pub fn present<R>(&self, parameter: &str, found: Option<R>) -> Result<R, Stop> {
        if let Some(value) = found {
            return Ok(value);
        }
        let text = format!(
            "{parameter}: there is none for \"{}\"; take it as Option<..> if the agent can go on without",
            self.task.title()
        );
        // No closure: the error's place is the author's parameter.
        Err(Stop::Dependency {
            name: parameter.to_owned(),
            error: Error::new(text).permanent(),
        })
    }

    /// For the macros: fills a parameter that may be absent.
    ///
    /// # Errors
    /// [`Stop::Dependency`] when it is there and cannot be had.
    pub fn may<'s, R>(
        &'s self,
        parameter: &str,
        fill: impl FnOnce(&'s Self) -> Found<R>,
    ) -> Result<Option<R>, Stop> {
        let timer = self.current.begin("dependency", parameter);
        let found = fill(self);
        let value = match &found {
            Ok(Some(_)) => "",
            Ok(None) => "none",
            Err(_) => "failed",
        };
        self.current.end(timer, value);
        let found = found.and_then(|found| {
            self.pause("parameter", parameter, value)?;
            Ok(found)
        });
        found.map_err(|error| Stop::Dependency {
            name: parameter.to_owned(),
            error,
        })
    }

    /// Lets a person hold the attempt here.
    pub(super) fn pause(&self, kind: &str, name: &str, value: &str) -> Result<()> {
        self.current.pause(self.source, kind, name, value)
    }

    /// For the macros: the agent's own call.
    pub fn call<R>(&self, agent: impl FnOnce() -> R) -> R {
        // An attempt that is to stop is stopped where it asks; a call cannot fail.
        let _ = self.pause("call", "call", "");
        let timer = self.current.begin("call", "call");
        let result = agent();
        self.current.end(timer, "");
        result
    }

    /// The task.
    #[must_use]
    pub const fn task(&self) -> &Task {
        &self.task
    }

    /// The stage it waits at.
    #[must_use]
    pub fn stage(&self) -> &Stage {
        self.note_stage();
        &self.stage
    }

    pub(super) const fn stage_unnoted(&self) -> &Stage {
        &self.stage
    }

    /// JSON of the stage's parameters, `{}` when there are none.
    #[must_use]
    pub fn params(&self) -> &str {
        self.note_params(&[]);
        self.params_text()
    }

    pub(super) fn params_text(&self) -> &str {
        if self.params.trim().is_empty() {
            "{}"
        } else {
            self.params
        }
    }

    /// The project, read once per change and shared by all tasks.
    ///
    /// # Errors
    /// When it cannot be had or read.
    pub fn project(&self) -> Found<&Project> {
        let project = self.shared_project()?;
        if let Some(project) = project {
            self.note_project(project);
        }
        Ok(project.map(|project| &**project))
    }

    pub(super) fn shared_project(&self) -> Found<&Arc<Project>> {
        once(&self.project, || {
            self.document(input::PROJECT, read_project)
        })
        .map(Option::as_ref)
    }

    /// The label row.
    ///
    /// # Errors
    /// When it cannot be had or read.
    pub fn row(&self) -> Found<&RefCell<LabelRow>> {
        once(&self.row, || {
            let ontology = self.shared_project()?.map_or_else(
                || Arc::new(Ontology::default()),
                |p| Arc::clone(p.ontology()),
            );
            let read = |text: &str| Ok(RefCell::new(LabelRow::from_json(text, ontology)?));
            self.document(input::LABEL_ROW, read)
        })
        .map(Option::as_ref)
    }

    /// The storage item.
    ///
    /// # Errors
    /// When it cannot be had or read.
    pub fn item(&self) -> Found<&RefCell<StorageItem>> {
        once(&self.item, || {
            let read = |text: &str| Ok(RefCell::new(StorageItem::read(json(text)?)?));
            self.document(input::STORAGE_ITEM, read)
        })
        .map(Option::as_ref)
    }

    /// The asset.
    ///
    /// # Errors
    /// When it cannot be had or read.
    pub fn asset(&self) -> Found<AssetDoc> {
        self.document(input::ASSET, json)
    }

    /// How many frames there are, if the agent asked for a document that has it.
    pub(super) fn frame_count(&self) -> Option<u64> {
        if self.needs & (needs::LABEL_ROW | needs::LABEL_ROW_WRITE) == 0 {
            return None;
        }
        self.row().ok().flatten()?.try_borrow().ok()?.frame_count()
    }

    fn document<T>(&self, name: &str, read: impl FnOnce(&str) -> Result<T>) -> Found<T> {
        match self.source.input(name) {
            Ok(Some(text)) => read(text)
                .context(format!("reading the {}", name.replace('_', " ")))
                .map(Some),
            Ok(None) => Ok(None),
            Err(why) => Err(Error::new(why).context(format!(
                "the {} could not be fetched",
                name.replace('_', " ")
            ))),
        }
    }

    /// Closes what is open, last first, each one whatever became of the others; gives the first failure.
    pub(super) fn close(&self, end: End) -> Result<(), Stop> {
        let mut first = Ok(());
        loop {
            let Some(entry) = self.open.borrow_mut().pop() else {
                return first;
            };
            let timer = self.current.begin("close", entry.name());
            let closed = entry.close(end);
            let value = if closed.is_ok() { "" } else { "failed" };
            self.current.end(timer, value);
            if let (Err(error), Ok(())) = (closed, &first) {
                let error = error.context(format!("closing {}", entry.name()));
                first = Err(Stop::Dependency {
                    name: entry.name().to_owned(),
                    error,
                });
            }
        }
    }

    /// What was changed: labels and client metadata.
    pub(super) fn changes(self) -> (Option<Value>, Option<StorageItem>) {
        let row = self
            .row
            .into_inner()
            .flatten()
            .map(RefCell::into_inner)
            .filter(LabelRow::changed);
        let item = self
            .item
            .into_inner()
            .flatten()
            .map(RefCell::into_inner)
            .filter(StorageItem::changed);
        (row.map(LabelRow::into_labels), item)
    }
}

/// `OnceCell::get_or_try_init`, which is not stable yet.
fn once<T>(cell: &OnceCell<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    let value = make()?;
    Ok(cell.get_or_init(|| value))
}

pub(super) fn json<T: DeserializeOwned>(text: &str) -> Result<T> {
    Ok(crate::wire::text::parse(text)?)
}

/// The last projects read, with their text: they are the same for thousands of tasks.
pub(super) fn read_project(text: &str) -> Result<Arc<Project>> {
    /// The task's own and a few twins.
    const KEPT: usize = 4;
    static LAST: Mutex<Vec<(String, Arc<Project>)>> = Mutex::new(Vec::new());
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, project)) = last.iter().find(|(known, _)| known == text) {
        return Ok(Arc::clone(project));
    }
    let project = Arc::new(Project::from_doc(json::<ProjectDoc>(text)?)?);
    if last.len() >= KEPT {
        last.remove(0);
    }
    last.push((text.to_owned(), Arc::clone(&project)));
    Ok(project)
}
