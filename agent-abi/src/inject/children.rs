//! Inputs of one file of a group: the images of an image group, and the parts of a data group by their names.

use super::builtin::{AssetPath, lent};
use super::{Found, Scope, Take};
use crate::error::{Context, Error, Result};
use crate::model::{Frame, Frames, LabelRow};
use crate::table::needs;
use crate::wire::AssetDoc;
use std::cell::{Ref, RefCell};

/// The files of a group in order: of an image group each with its picture, of a data group each with its pictures,
/// if it has any.
pub struct Children<'t> {
    files: Vec<AssetPath>,
    frames: Frames<'t>,
    /// Whether the files are parts with frames of their own, not the frames of one image group.
    parts: bool,
}

/// One file of a group.
pub struct Child<'c, 't> {
    /// Its place in the group, from 0; of an image group also the frame that its labels are on.
    pub index: u64,
    /// Its file.
    pub file: &'c AssetPath,
    group: &'c Children<'t>,
}

impl<'t> Children<'t> {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = Child<'_, 't>> {
        (0..).zip(&self.files).map(|(index, file)| Child {
            index,
            file,
            group: self,
        })
    }
}

impl<'t> Child<'_, 't> {
    /// Its picture, decoded now; the first one of a video.
    ///
    /// # Errors
    /// When it cannot be decoded, or is not a picture.
    pub fn frame(&self) -> Result<Frame<'t>> {
        let frame = match self.group.parts {
            true => self.frames().get(0),
            false => self.group.frames.get(self.index),
        };
        frame?.context(format!("file {} has no picture", self.index))
    }

    /// Its pictures: those of a video, or its only one. Empty for files without pictures.
    #[must_use]
    pub fn frames(&self) -> Frames<'t> {
        self.group.frames.child(self.index, None)
    }
}

impl<'t> Take<'t> for Children<'t> {
    const NEEDS: u64 = needs::CHILDREN | needs::ASSET | needs::FRAMES;
    fn take(scope: &'t Scope<'_>) -> Found<Self> {
        let group = scope.asset()?.filter(|doc| !doc.children.is_empty());
        Ok(group.map(|doc| Self {
            frames: Frames::new(scope.source, Some(doc.children.len() as u64)),
            parts: is_data_group(&doc),
            files: AssetPath { doc }.children(),
        }))
    }
}

fn is_data_group(doc: &AssetDoc) -> bool {
    doc.item_type.eq_ignore_ascii_case("group")
}

/// Types that an agent may take of one part of a data group: `#[part("camera-left")] frame: Frame<'_>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be taken of a part of a data group",
    label = "`#[part(\"…\")]` does not go with this",
    note = "of a part there are `Frame`, `Frames` and `AssetPath`; its labels are `labels.part(\"…\")` of the group's label row"
)]
pub trait TakePart<'t>: Sized {
    /// What is to be fetched for it, bits of [`crate::table::needs`].
    const NEEDS: u64;

    /// Makes it for this attempt, of the part with this name.
    ///
    /// # Errors
    /// When there is no such part (the text names those there are), or it cannot be had; `Ok(None)` when the part
    /// has no pictures.
    fn take_part(scope: &'t Scope<'_>, part: &str) -> Found<Self>;

    /// The same for a parameter that may be absent: `Ok(None)` also when there is no such part.
    ///
    /// # Errors
    /// When it is there and cannot be had.
    fn take_part_if_there(scope: &'t Scope<'_>, part: &str) -> Found<Self> {
        let known = match scope.row()? {
            Some(row) => lent_row(row)?.has_part(part),
            None => false,
        };
        match known {
            true => Self::take_part(scope, part),
            false => Ok(None),
        }
    }
}

const PART: u64 = needs::ASSET | needs::LABEL_ROW;

impl<'t> TakePart<'t> for Frame<'t> {
    const NEEDS: u64 = PART | needs::FRAMES;
    fn take_part(scope: &'t Scope<'_>, part: &str) -> Found<Self> {
        Frames::take_part(scope, part)?.map_or(Ok(None), |frames| {
            frames.get(0).context(format!("the part \"{part}\""))
        })
    }
}

impl<'t> TakePart<'t> for Frames<'t> {
    const NEEDS: u64 = PART | needs::FRAMES;
    fn take_part(scope: &'t Scope<'_>, part: &str) -> Found<Self> {
        let found = find(scope, part)?;
        Ok(Some(
            Self::new(scope.source, None).child(found.index, found.frames),
        ))
    }
}

impl<'t> TakePart<'t> for AssetPath {
    const NEEDS: u64 = PART;
    fn take_part(scope: &'t Scope<'_>, part: &str) -> Found<Self> {
        Ok(Some(find(scope, part)?.file))
    }
}

/// A part with its file.
struct PartFile {
    index: u64,
    file: AssetPath,
    frames: Option<u64>,
}

fn lent_row(row: &RefCell<LabelRow>) -> Result<Ref<'_, LabelRow>> {
    row.try_borrow().map_err(|_| lent("label row"))
}

fn find(scope: &Scope<'_>, part: &str) -> Result<PartFile> {
    let row = scope.row()?.context("there is no label row")?;
    let row = lent_row(row)?;
    let facts = row
        .part_facts(part)
        .map_err(|error| Error::from(error).permanent())?;
    drop(row);
    let mut doc = scope.asset()?.context("the task has no files")?;
    let titled: Vec<usize> = (0..doc.children.len())
        .filter(|n| doc.children[*n].title == facts.file_name)
        .collect();
    // A layout that is a list numbers its keys by the order of the files.
    let by_key = facts
        .key
        .and_then(|key| key.parse().ok())
        .filter(|n| titled.contains(n));
    let index = match (titled.as_slice(), by_key) {
        ([only], _) => *only,
        (_, Some(by_key)) => by_key,
        (none_or_several, None) => {
            let count = if none_or_several.is_empty() {
                "none"
            } else {
                "several"
            };
            return Err(Error::new(format!(
                "the part \"{part}\" is the file \"{}\", and {count} of the group's files have that name; take `Children` and choose by index",
                facts.file_name
            ))
            .permanent());
        }
    };
    Ok(PartFile {
        index: index as u64,
        file: AssetPath {
            doc: doc.children.swap_remove(index),
        },
        frames: facts.frames,
    })
}
