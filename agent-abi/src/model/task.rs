//! The task an agent is called for.

use crate::wire::TaskDoc;
use uuid::Uuid;

/// One unit waiting at the agent's stage, and the number of this attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    doc: TaskDoc,
    attempt: u32,
}

impl Task {
    /// Wraps the document; `attempt` counts from 1.
    #[must_use]
    pub const fn new(doc: TaskDoc, attempt: u32) -> Self {
        Self { doc, attempt }
    }

    /// The task's own UUID.
    #[must_use]
    pub const fn uuid(&self) -> Uuid {
        self.doc.uuid
    }

    /// The data unit.
    #[must_use]
    pub const fn data_hash(&self) -> Uuid {
        self.doc.data_hash
    }

    /// Title of the data unit.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.doc.data_title
    }

    /// `NEW`, `ASSIGNED`, `RELEASED`, `SKIPPED`, `REOPENED`, `COMPLETED`.
    #[must_use]
    pub fn status(&self) -> &str {
        &self.doc.status
    }

    /// Label branch, `main` in most projects.
    #[must_use]
    pub fn branch(&self) -> &str {
        &self.doc.label_branch_name
    }

    /// E-mail of who it is assigned to.
    #[must_use]
    pub fn assignee(&self) -> Option<&str> {
        self.doc.assignee.as_deref()
    }

    /// E-mail of who acted on it last.
    #[must_use]
    pub fn last_actioned_by(&self) -> Option<&str> {
        self.doc.last_actioned_by.as_deref()
    }

    /// RFC 3339.
    #[must_use]
    pub fn created_at(&self) -> &str {
        &self.doc.created_at
    }

    /// RFC 3339.
    #[must_use]
    pub fn updated_at(&self) -> &str {
        &self.doc.updated_at
    }

    /// 1 for the first attempt.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The document as it came.
    #[must_use]
    pub const fn doc(&self) -> &TaskDoc {
        &self.doc
    }
}
