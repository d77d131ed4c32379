//! The parts of a data group. Each is labelled as a row of its own: it is lent as a [`LabelRow`], and what was
//! drawn on it goes back into the row of the group. How the two documents map to each other is left to `space`.

use super::super::{ModelError, ModelResult, listed, quoted};
use super::LabelRow;
use super::read::only_on_parts;
use super::space::Space;
use serde_json::Value;
use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use uuid::Uuid;

/// What names a part of a data group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKey<'k> {
    /// The key that the layout of the group gives it, its file name, or its data hash as text.
    Name(&'k str),
    /// Its data hash.
    Hash(Uuid),
    /// Its place in [`LabelRow::parts`], from 0.
    Index(usize),
}

impl<'k> From<&'k str> for PartKey<'k> {
    fn from(name: &'k str) -> Self {
        Self::Name(name)
    }
}

impl<'k> From<&'k String> for PartKey<'k> {
    fn from(name: &'k String) -> Self {
        Self::Name(name)
    }
}

impl From<Uuid> for PartKey<'_> {
    fn from(hash: Uuid) -> Self {
        Self::Hash(hash)
    }
}

impl From<usize> for PartKey<'_> {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// One part of a data group, to be read as a [`LabelRow`]; a copy of its labels.
#[derive(Clone, Debug)]
pub struct GroupPart {
    id: String,
    name: String,
    row: LabelRow,
}

/// One part of a data group, to be drawn on as on a [`LabelRow`]. The changes are in the row of the group once
/// this is dropped.
#[derive(Debug)]
pub struct GroupPartMut<'r> {
    group: &'r mut LabelRow,
    part: GroupPart,
}

/// A part of a data group without its labels.
pub(crate) struct PartFacts {
    pub(crate) key: Option<String>,
    pub(crate) file_name: String,
    pub(crate) frames: Option<u64>,
}

/// A part of a data group before and after a change, each as a row of its own.
pub(in super::super) struct ChangedPart {
    pub(in super::super) name: String,
    pub(in super::super) file: Option<String>,
    pub(in super::super) before: LabelRow,
    pub(in super::super) after: LabelRow,
}

impl GroupPart {
    /// Its name: the key that the layout of the group gives it, or else its file name. Where keys are numbers it
    /// is the file name, unless several parts have that one.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Deref for GroupPart {
    type Target = LabelRow;

    fn deref(&self) -> &LabelRow {
        &self.row
    }
}

impl GroupPartMut<'_> {
    /// Its name: the key that the layout of the group gives it, or else its file name. Where keys are numbers it
    /// is the file name, unless several parts have that one.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.part.name
    }
}

impl Deref for GroupPartMut<'_> {
    type Target = LabelRow;

    fn deref(&self) -> &LabelRow {
        &self.part.row
    }
}

impl DerefMut for GroupPartMut<'_> {
    fn deref_mut(&mut self) -> &mut LabelRow {
        &mut self.part.row
    }
}

impl Drop for GroupPartMut<'_> {
    fn drop(&mut self) {
        if self.part.row.changed {
            self.group.put_part(&self.part.id, &self.part.row);
        }
    }
}

impl LabelRow {
    /// Whether it is the row of a data group, which is labelled part by part.
    #[must_use]
    pub fn is_group(&self) -> bool {
        !self.spaces().is_empty()
    }

    /// Names of the parts of a data group, in the order of [`LabelRow::parts`].
    #[must_use]
    pub fn part_names(&self) -> Vec<&str> {
        self.spaces().iter().map(Space::name).collect()
    }

    /// The parts of a data group, in the order of their keys in its layout (numbers by size); empty for all
    /// other data. Copies the labels of each.
    #[must_use]
    pub fn parts(&self) -> Vec<GroupPart> {
        let spaces = self.spaces();
        spaces.iter().map(|space| self.part_of(space)).collect()
    }

    /// One part of a data group, to be read.
    ///
    /// ```
    /// # use agent_abi::prelude::*;
    /// # fn count(labels: &LabelRow) -> Result<usize> {
    /// let left = labels.part("camera-left")?;
    /// Ok(left.objects_named("Car").count())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ModelError::Unknown`] when the row is not of a group or has no such part (the text names those it
    /// has), [`ModelError::Ambiguous`] when several parts have that file name.
    pub fn part<'k>(&self, key: impl Into<PartKey<'k>>) -> ModelResult<GroupPart> {
        let space = self.find_space(key.into())?;
        Ok(self.part_of(&space))
    }

    /// One part of a data group, to be drawn on: everything that works on a label row works on it, on the
    /// frames, characters or milliseconds of the part. Borrow it once for many labels, since it copies the
    /// labels of the part.
    ///
    /// ```
    /// # use agent_abi::prelude::*;
    /// # fn draw(labels: &mut LabelRow) -> Result<()> {
    /// let ontology = labels.ontology();
    /// let mut left = labels.part_mut("camera-left")?;
    /// left.add(ontology.object("Car")?.boxed(BoundingBox::new(0.1, 0.1, 0.2, 0.2)?)?)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`LabelRow::part`].
    pub fn part_mut<'k>(&mut self, key: impl Into<PartKey<'k>>) -> ModelResult<GroupPartMut<'_>> {
        let part = self.part(key)?;
        Ok(GroupPartMut { group: self, part })
    }

    /// Whether there is one part with this name.
    pub(crate) fn has_part(&self, key: &str) -> bool {
        self.find_space(key.into()).is_ok()
    }

    /// What is known of a part beside its labels.
    pub(crate) fn part_facts(&self, key: &str) -> ModelResult<PartFacts> {
        let space = self.find_space(key.into())?;
        Ok(PartFacts {
            key: space.child("layout_key").map(str::to_owned),
            file_name: space.child("file_name").unwrap_or(space.id).to_owned(),
            frames: space.frame_count(),
        })
    }

    /// The parts whose labels or answers differ from those of another state of the row. The others are not copied.
    pub(in super::super) fn changed_parts(&self, before: &Self) -> Vec<ChangedPart> {
        let ids: BTreeSet<&str> = (self.space_ids().into_iter())
            .chain(before.space_ids())
            .collect();
        if ids.is_empty() {
            return Vec::new();
        }
        let answers = self.changed_answers(before);
        let pairs = ids
            .into_iter()
            .map(|id| (Space::of(before, id), Space::of(self, id)));
        let changed = pairs.filter(|(old, new)| {
            new.known_labels() != old.known_labels()
                || [old, new].iter().any(|space| space.has_any(&answers))
        });
        let changed = changed.map(|(old, new)| ChangedPart {
            name: new.name().to_owned(),
            file: new.child("file_name").map(str::to_owned),
            before: before.project(&old),
            after: self.project(&new),
        });
        changed.collect()
    }

    /// Whether an answer is only of labels on parts that the row has.
    pub(in super::super) fn only_on_known_parts(&self, entry: &Value) -> bool {
        let known = |id: &str| {
            let mut docs = [self.labels(), self.metadata()].into_iter();
            docs.any(|doc| doc["spaces"].get(id).is_some())
        };
        let places = entry.get("spaces").and_then(Value::as_object);
        only_on_parts(entry) && places.is_some_and(|places| places.keys().all(|id| known(id)))
    }

    fn part_of(&self, space: &Space<'_>) -> GroupPart {
        GroupPart {
            id: space.id.to_owned(),
            name: space.name().to_owned(),
            row: self.project(space),
        }
    }

    fn find_space(&self, key: PartKey<'_>) -> ModelResult<Space<'_>> {
        let mut spaces = self.spaces();
        if spaces.is_empty() {
            return Err(ModelError::Unknown(format!(
                "{} is not a data group and has no parts",
                quoted(self.title())
            )));
        }
        let by = |is: &dyn Fn(&Space<'_>) -> bool| -> Vec<usize> {
            let all = spaces.iter().enumerate();
            all.filter(|(_, s)| is(s)).map(|(at, _)| at).collect()
        };
        let (found, wanted) = match key {
            PartKey::Index(at) => {
                let here = at < spaces.len();
                (here.then_some(at).into_iter().collect(), at.to_string())
            }
            PartKey::Hash(hash) => (by(&|s| s.is(hash)), hash.to_string()),
            PartKey::Name(name) => {
                let keys = by(&|s| s.child("layout_key") == Some(name) || s.id == name);
                let found = match keys.is_empty() {
                    true => by(&|s| s.child("file_name") == Some(name)),
                    false => keys,
                };
                (found, quoted(name))
            }
        };
        if let [at] = found.as_slice() {
            return Ok(spaces.swap_remove(*at));
        }
        let names: Vec<&str> = spaces.iter().map(Space::name).collect();
        let names = listed(names);
        Err(if found.is_empty() {
            ModelError::Unknown(format!("there is no part {wanted}; the group has {names}"))
        } else {
            ModelError::Ambiguous(format!(
                "several parts are named {wanted}; use their keys: {names}"
            ))
        })
    }

    /// What to do with a label that was meant for the whole of a group and can only lie on a part.
    pub(super) fn refuse_whole_group(&self, name: &str) -> ModelResult<()> {
        if !self.is_group() {
            return Ok(());
        }
        let names = self.part_names();
        Err(ModelError::Invalid(format!(
            "{} cannot be drawn on a data group as a whole; draw it on one of its parts: {}",
            quoted(name),
            listed(names)
        )))
    }

    /// Takes a label away from every part of a group that has it.
    pub(super) fn remove_from_parts(&mut self, hash: &str) -> bool {
        let mut removed = false;
        for id in self.parts_with(hash) {
            if let Ok(mut part) = self.part_mut(&id) {
                removed |= part.remove(hash);
            }
        }
        removed
    }

    /// The parts of a group that a label by name is meant for: the one that it names, else the only one that
    /// has the label with this hash; with `shared`, all that have it. None, when it is not about a part.
    pub(super) fn meant(
        &self,
        part: Option<&str>,
        hash: Option<&str>,
        shared: bool,
    ) -> ModelResult<Vec<String>> {
        if let Some(part) = part {
            return Ok(vec![self.find_space(part.into())?.id.to_owned()]);
        }
        let Some(hash) = hash.filter(|_| self.is_group()) else {
            return Ok(Vec::new());
        };
        let found = self.parts_with(hash);
        if found.len() < 2 || shared {
            return Ok(found);
        }
        let names: Vec<&str> = found.iter().map(|id| self.part_name(id)).collect();
        Err(ModelError::Ambiguous(format!(
            "{hash} is on several parts; name one as \"part\": {}",
            listed(names)
        )))
    }

    /// Data hashes of the parts that have a label with this hash.
    pub(super) fn parts_with(&self, hash: &str) -> Vec<String> {
        let mut found: BTreeSet<&str> = BTreeSet::new();
        for (part, _, object) in self.objects_on_parts() {
            if object["objectHash"] == hash {
                found.insert(part);
            }
        }
        for section in ["object_answers", "classification_answers"] {
            let places = self.labels()[section][hash]["spaces"].as_object();
            found.extend(places.into_iter().flatten().map(|(part, _)| part.as_str()));
        }
        found.into_iter().map(str::to_owned).collect()
    }

    /// The name of the only part that an answer belongs to.
    pub(in super::super) fn part_of_answer(&self, section: &str, hash: &str) -> Option<&str> {
        let entry = self.labels().get(section)?.get(hash)?;
        let places = entry.get("spaces")?.as_object()?;
        let mut ids = places.keys().filter(|_| only_on_parts(entry));
        let only = ids.next()?;
        ids.next().is_none().then(|| self.part_name(only))
    }

    /// The name of a part by its data hash; the hash when it has none.
    pub(in super::super) fn part_name<'r>(&'r self, id: &'r str) -> &'r str {
        Space::of(self, id).name()
    }
}

#[cfg(test)]
mod tests;
