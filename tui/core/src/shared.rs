//! Shared values in documents: written as what they hold, read as values of their own. For `#[serde(with = "shared")]`.
//!
//! Serde does this with its feature `rc`, which would reach every crate of an agent's author too.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;

/// Something with an [`Arc`] in it.
pub trait SharedValue: Sized {
    /// Writes what it holds.
    ///
    /// # Errors
    /// Those of `to`.
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error>;

    /// Reads it.
    ///
    /// # Errors
    /// Those of `from`.
    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error>;
}

/// Writes what a shared value holds.
///
/// # Errors
/// Those of `to`.
pub fn serialize<T: SharedValue, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    value.write(to)
}

/// Reads a shared value.
///
/// # Errors
/// Those of `from`.
pub fn deserialize<'de, T: SharedValue, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    T::read(from)
}

struct Borrowed<'t, T>(&'t T);

impl<T: SharedValue> Serialize for Borrowed<'_, T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.write(to)
    }
}

struct Owned<T>(T);

impl<'de, T: SharedValue> Deserialize<'de> for Owned<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        T::read(from).map(Self)
    }
}

impl SharedValue for Arc<str> {
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self)
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Into::into)
    }
}

impl<T: Serialize + DeserializeOwned> SharedValue for Arc<T> {
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        T::serialize(self, to)
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        T::deserialize(from).map(Self::new)
    }
}

impl<T: SharedValue> SharedValue for Option<T> {
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.as_ref().map(Borrowed).serialize(to)
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Option::<Owned<T>>::deserialize(from)?.map(|owned| owned.0))
    }
}

impl<T: SharedValue> SharedValue for Vec<T> {
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter().map(Borrowed))
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let all = Vec::<Owned<T>>::deserialize(from)?;
        Ok(all.into_iter().map(|owned| owned.0).collect())
    }
}

impl<T: SharedValue, E: Serialize + DeserializeOwned> SharedValue for Result<T, E> {
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.as_ref().map(Borrowed).serialize(to)
    }

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Result::<Owned<T>, E>::deserialize(from)?.map(|owned| owned.0))
    }
}
