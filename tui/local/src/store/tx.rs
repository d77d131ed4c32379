//! What every writing function gets: the transaction, who writes, and when.

use std::ops::Deref;

use rusqlite::Connection;

use crate::time;

/// A transaction with its author and time. It dereferences to the connection for statements.
pub(crate) struct Tx<'a> {
    db: &'a Connection,
    /// The email address of the author.
    pub actor: &'a str,
    /// Milliseconds since 1970, the same for the whole transaction.
    pub now: i64,
}

impl<'a> Tx<'a> {
    /// A transaction as of now.
    pub(crate) fn new(db: &'a Connection, actor: &'a str) -> Self {
        Self::at(db, actor, time::now())
    }

    /// A transaction with a given time, in milliseconds since 1970.
    pub(crate) fn at(db: &'a Connection, actor: &'a str, now: i64) -> Self {
        Self { db, actor, now }
    }

    /// The same transaction on behalf of somebody else.
    pub(crate) fn on_behalf_of<'b>(&'b self, actor: &'b str) -> Tx<'b> {
        Tx::at(self.db, actor, self.now)
    }
}

impl Deref for Tx<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.db
    }
}
