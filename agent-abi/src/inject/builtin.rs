//! The built-in parameters: how each is lent or made.

use super::{Found, Lend, LendMut, Scope, Take};
use crate::error::{Context, Error, Result};
use crate::model::{Frame, Frames, LabelRow, Project, Stage, StorageItem, Task};
use crate::table::needs;
use crate::wire::{AssetDoc, keys};
use serde::de::DeserializeOwned;
use std::cell::{Ref, RefMut};
use std::fmt;
use std::ops::Deref;
use std::path::Path;

impl Lend for Task {
    const NEEDS: u64 = 0;
    type Guard<'s> = &'s Self;
    fn lend<'s>(scope: &'s Scope<'_>) -> Found<&'s Self> {
        Ok(Some(scope.task()))
    }
}

impl Lend for Stage {
    const NEEDS: u64 = 0;
    type Guard<'s> = &'s Self;
    fn lend<'s>(scope: &'s Scope<'_>) -> Found<&'s Self> {
        Ok(Some(scope.stage()))
    }
}

impl Lend for Project {
    const NEEDS: u64 = needs::PROJECT;
    type Guard<'s> = &'s Self;
    fn lend<'s>(scope: &'s Scope<'_>) -> Found<&'s Self> {
        scope.project()
    }
}

pub(super) fn lent(what: &str) -> Error {
    Error::new(format!(
        "the {what} is lent to another parameter, to be changed; take it once"
    ))
    .permanent()
}

impl Lend for LabelRow {
    const NEEDS: u64 = needs::LABEL_ROW | needs::PROJECT;
    type Guard<'s> = Ref<'s, Self>;
    fn lend<'s>(scope: &'s Scope<'_>) -> Found<Ref<'s, Self>> {
        scope
            .row()?
            .map(|row| row.try_borrow().map_err(|_| lent("label row")))
            .transpose()
    }
}

impl LendMut for LabelRow {
    const NEEDS: u64 = needs::LABEL_ROW | needs::LABEL_ROW_WRITE | needs::PROJECT;
    type Guard<'s> = RefMut<'s, Self>;
    fn lend_mut<'s>(scope: &'s Scope<'_>) -> Found<RefMut<'s, Self>> {
        scope
            .row()?
            .map(|row| row.try_borrow_mut().map_err(|_| lent("label row")))
            .transpose()
    }
}

impl Lend for StorageItem {
    const NEEDS: u64 = needs::STORAGE_ITEM;
    type Guard<'s> = Ref<'s, Self>;
    fn lend<'s>(scope: &'s Scope<'_>) -> Found<Ref<'s, Self>> {
        scope
            .item()?
            .map(|item| item.try_borrow().map_err(|_| lent("storage item")))
            .transpose()
    }
}

impl LendMut for StorageItem {
    const NEEDS: u64 = needs::STORAGE_ITEM;
    type Guard<'s> = RefMut<'s, Self>;
    fn lend_mut<'s>(scope: &'s Scope<'_>) -> Found<RefMut<'s, Self>> {
        scope
            .item()?
            .map(|item| item.try_borrow_mut().map_err(|_| lent("storage item")))
            .transpose()
    }
}

impl<'t> Take<'t> for Frame<'t> {
    const NEEDS: u64 = needs::FRAME;
    fn take(scope: &'t Scope<'_>) -> Found<Self> {
        Frames::new(scope.source, None).get(0)
    }
}

impl<'t> Take<'t> for Frames<'t> {
    const NEEDS: u64 = needs::FRAMES;
    fn take(scope: &'t Scope<'_>) -> Found<Self> {
        Ok(Some(Frames::new(scope.source, scope.frame_count())))
    }
}

/// The file behind the task, downloaded and read-only; there as long as the attempt lasts.
#[derive(Clone, Debug)]
pub struct AssetPath {
    pub(super) doc: AssetDoc,
}

impl AssetPath {
    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        Path::new(&self.doc.path)
    }

    /// MIME type as the platform states it.
    #[must_use]
    pub fn mime_type(&self) -> Option<&str> {
        self.doc.mime_type.as_deref()
    }

    /// `image`, `video`, `imageGroup`, `audio`, `plainText`, …
    #[must_use]
    pub fn item_type(&self) -> &str {
        &self.doc.item_type
    }

    /// Title of the data unit.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.doc.title
    }

    /// The files of a group in order; empty otherwise.
    #[must_use]
    pub fn children(&self) -> Vec<Self> {
        self.doc
            .children
            .iter()
            .map(|doc| Self { doc: doc.clone() })
            .collect()
    }

    /// All its bytes.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self) -> Result<Vec<u8>> {
        std::fs::read(self.path()).context(format!("reading the file of \"{}\"", self.doc.title))
    }

    /// Its text.
    ///
    /// # Errors
    /// When the file cannot be read or is not UTF-8.
    pub fn read_text(&self) -> Result<String> {
        std::fs::read_to_string(self.path())
            .context(format!("reading the text of \"{}\"", self.doc.title))
    }
}

impl Deref for AssetPath {
    type Target = Path;
    fn deref(&self) -> &Path {
        self.path()
    }
}

impl AsRef<Path> for AssetPath {
    fn as_ref(&self) -> &Path {
        self.path()
    }
}

impl<'t> Take<'t> for AssetPath {
    const NEEDS: u64 = needs::ASSET;
    fn take(scope: &'t Scope<'_>) -> Found<Self> {
        Ok(scope.asset()?.map(|doc| Self { doc }))
    }
}

/// The stage's parameters from `workbench.toml`, read into a type of the author's. Fields with
/// `#[serde(default)]` may be left out there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Params<T>(pub T);

impl<T> Deref for Params<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for Params<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'t, T: DeserializeOwned> Take<'t> for Params<T> {
    const NEEDS: u64 = 0;
    fn take(scope: &'t Scope<'_>) -> Found<Self> {
        scope.note_params(keys::fields::<T>());
        match serde_json::from_str(scope.params_text()) {
            Ok(params) => Ok(Some(Self(params))),
            Err(error) => Err(Error::from(error)
                .context(format!(
                    "the parameters of stage \"{}\" in workbench.toml do not fit",
                    scope.stage_unnoted().title()
                ))
                .permanent()),
        }
    }
}
