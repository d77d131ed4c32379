//! Shorthands for the three things that statements are used for. Statements are prepared once per
//! connection. Loops prepare theirs outside.

use rusqlite::{Connection, OptionalExtension as _, Params, Row};

use crate::error::Refusal;

pub(crate) trait Sql {
    /// Reads all rows.
    fn rows<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Vec<T>, Refusal>;

    /// Reads the first row, if there is one.
    fn row<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Option<T>, Refusal>;

    /// Changes rows and returns how many.
    fn run(&self, sql: &str, params: impl Params) -> Result<usize, Refusal>;
}

impl Sql for Connection {
    fn rows<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Vec<T>, Refusal> {
        let mut statement = self.prepare_cached(sql)?;
        let found = statement.query_map(params, read)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn row<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Option<T>, Refusal> {
        let mut statement = self.prepare_cached(sql)?;
        Ok(statement.query_row(params, read).optional()?)
    }

    fn run(&self, sql: &str, params: impl Params) -> Result<usize, Refusal> {
        Ok(self.prepare_cached(sql)?.execute(params)?)
    }
}
