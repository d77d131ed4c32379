//! What is there before a task runs, beside its data: labels, the storage item's fields, a time limit, an encoder.

use super::TestTask;
use crate::error::Result;
use crate::model::{LabelRow, Ontology, Picture};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

impl TestTask {
    /// Labels that are there already, made as an agent makes them. Describe the ontology and the data first.
    ///
    /// ```
    /// # use agent_abi::testing::{ontology, task};
    /// let labelled = task("a.jpg")
    ///     .ontology(ontology().object("Car", "bounding_box"))
    ///     .with_labels(|labels| {
    ///         let ontology = labels.ontology();
    ///         labels.add(ontology.object("Car")?.bounding_box(0.1, 0.1, 0.2, 0.2)?)?;
    ///         Ok(())
    ///     });
    /// # let _ = labelled;
    /// ```
    ///
    /// # Panics
    /// With the error of `make`.
    #[must_use]
    #[track_caller]
    pub fn with_labels(mut self, make: impl FnOnce(&mut LabelRow) -> Result<()>) -> Self {
        let ontology = Ontology::from_editor(&self.ontology.editor());
        let ontology = ontology.expect("an ontology that can be read");
        let mut labels = LabelRow::from_doc(self.row(), Arc::new(ontology));
        if let Err(error) = make(&mut labels) {
            panic!("the labels to begin with cannot be made: {error}");
        }
        self.labels = Some(labels.into_labels());
        self
    }

    /// A field of the storage item under Encord's name: `fileSize`, `width`, `fps`, `duration`, `mimeType`, …
    /// [`TestTask::metadata`] is for `clientMetadata`.
    #[must_use]
    pub fn item_field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.item_fields.insert(name.to_owned(), value.into());
        self
    }

    /// The limit of the attempt. When it is over, a cancellable agent is asked to stop, as in a run; what an agent gives
    /// after it is not used. The test waits for agents that never stop.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// What `frame.jpeg(…)` and `frame.png()` give: picture, format and quality to the bytes of a file. The workbench
    /// encodes with the crate `image`, and so may a test; see [the guide](crate::guide::helpers#files-of-pictures-in-tests).
    #[must_use]
    pub fn encoder(mut self, encode: fn(&Picture, &str, u8) -> Vec<u8>) -> Self {
        self.encoder = Some(encode);
        self
    }
}
