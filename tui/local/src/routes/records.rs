//! What groups, collections and presets have in common: records with a name and a description.

use crate::routes::prelude::*;

impl Call {
    /// The records of a kind in one scope, oldest first.
    pub(super) async fn records(
        &self,
        kind: RecordKind,
        scope: Uuid,
    ) -> Result<Vec<Record>, Refusal> {
        self.store
            .read(move |db| records::list(db, kind, scope))
            .await
    }

    /// One record, or the refusal that clients expect.
    pub(super) async fn record(&self, kind: RecordKind, uuid: Uuid) -> Result<Record, Refusal> {
        self.store
            .read(move |db| records::required(db, kind, uuid))
            .await
    }

    /// Reads a record, changes it, and writes it back.
    pub(super) async fn edit_record<T: Send + 'static>(
        &self,
        kind: RecordKind,
        uuid: Uuid,
        change: impl FnOnce(&Tx<'_>, &mut Record) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let edit = self.write(move |tx| {
            let mut record = records::required(tx, kind, uuid)?;
            let out = change(tx, &mut record)?;
            let key = kind.of(record.scope, uuid);
            records::put(tx, key, &record.name, &record.body)?;
            Ok(out)
        });
        let out = edit.await?;
        self.count(1);
        Ok(out)
    }

    /// Removes a record, and its uses of another kind if there are any.
    pub(super) async fn remove_record(
        &self,
        kind: RecordKind,
        uuid: Uuid,
        uses: Option<RecordKind>,
    ) -> Reply {
        self.change(move |tx| {
            records::required(tx, kind, uuid)?;
            records::remove_everywhere(tx, kind, uuid)?;
            if let Some(uses) = uses {
                records::remove_everywhere(tx, uses, uuid)?;
            }
            Ok(1)
        })
        .await
    }
}

/// A name and a description; what is absent stays as it is.
#[derive(Deserialize)]
pub(super) struct Described {
    name: Option<String>,
    pub description: Option<String>,
}

impl Described {
    pub(super) fn name(&self) -> Result<&str, Refusal> {
        let name = self.name.as_deref().filter(|n| !n.is_empty());
        name.ok_or_else(|| invalid!("a `name` is needed"))
    }

    pub(super) fn apply(self, record: &mut Record) {
        if let Some(name) = self.name {
            record.name = name;
        }
        if let Some(text) = self.description {
            record.body["description"] = json!(text);
        }
    }
}
