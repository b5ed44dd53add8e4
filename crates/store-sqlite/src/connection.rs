//! One connection, with the shared statements in SQLite's spelling.
//!
//! SQLite takes `$2` for a name and numbers names as they appear, so a statement that says `$2`
//! before `$1` would bind wrongly; every statement is rewritten to `?2` first.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, Row, ToSql, params_from_iter};
use valetkey_store::StoreError;
use valetkey_store::sql::content::Built;
use valetkey_store::sql::{RowRead, Statement, Value, statements};

/// The rewritten statements by name.
pub(crate) type Texts = Arc<HashMap<&'static str, String>>;

/// Rewrites every statement of the registry.
pub(crate) fn texts() -> Texts {
    Arc::new(statements::ALL.iter().map(|s| (s.name, numbered(s.sql))).collect())
}

/// `$n` becomes `?n`. No statement holds a dollar sign for another purpose.
pub(crate) fn numbered(sql: &str) -> String {
    sql.replace('$', "?")
}

/// A connection.
pub(crate) struct Engine {
    connection: Connection,
    texts: Texts,
}

impl Engine {
    pub(crate) fn new(connection: Connection, texts: Texts) -> Engine {
        // All fixed statements and the usual shapes of lists stay prepared.
        connection.set_prepared_statement_cache_capacity(256);
        Engine { connection, texts }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) fn into_connection(self) -> Connection {
        self.connection
    }

    pub(crate) fn texts(&self) -> Texts {
        Arc::clone(&self.texts)
    }

    fn text(&self, statement: Statement) -> &str {
        self.texts.get(statement.name).map_or(statement.sql, String::as_str)
    }

    /// Runs a statement; how many rows it wrote.
    pub(crate) fn execute(&self, statement: Statement, values: &[Value]) -> rusqlite::Result<usize> {
        self.connection.prepare_cached(self.text(statement))?.execute(params_from_iter(values.iter().map(Bound)))
    }

    pub(crate) fn run(&self, statement: Statement, values: &[Value]) -> Result<usize, StoreError> {
        self.execute(statement, values).map_err(|e| failed(statement.name, &e))
    }

    /// Runs a statement for each of these rows of values. It is looked up once.
    pub(crate) fn run_each(&self, statement: Statement, rows: &[Vec<Value>]) -> Result<(), StoreError> {
        let mut prepared =
            self.connection.prepare_cached(self.text(statement)).map_err(|e| failed(statement.name, &e))?;
        for values in rows {
            prepared.execute(params_from_iter(values.iter().map(Bound))).map_err(|e| failed(statement.name, &e))?;
        }
        Ok(())
    }

    /// Runs SQL that is about SQLite itself.
    pub(crate) fn command(&self, sql: &str) -> Result<(), StoreError> {
        self.connection.execute_batch(sql).map_err(|e| failed(sql, &e))
    }

    /// The first row, if there is one.
    pub(crate) fn one<T>(
        &self,
        statement: Statement,
        values: &[Value],
        read: impl Fn(&dyn RowRead) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.all(statement, values, read)?.into_iter().next())
    }

    pub(crate) fn all<T>(
        &self,
        statement: Statement,
        values: &[Value],
        read: impl Fn(&dyn RowRead) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        self.each(statement.name, self.text(statement), values, &mut |row| {
            found.push(read(row)?);
            Ok(true)
        })?;
        Ok(found)
    }

    pub(crate) fn all_built<T>(
        &self,
        built: &Built,
        read: impl Fn(&dyn RowRead) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        self.each("a list", &numbered(&built.sql), &built.values, &mut |row| {
            found.push(read(row)?);
            Ok(true)
        })?;
        Ok(found)
    }

    /// Shows the rows of a fixed statement until the sink has enough.
    pub(crate) fn rows(
        &self,
        statement: Statement,
        sink: &mut dyn FnMut(&dyn RowRead) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        self.each(statement.name, self.text(statement), &[], sink)
    }

    fn each(
        &self,
        name: &str,
        text: &str,
        values: &[Value],
        sink: &mut dyn FnMut(&dyn RowRead) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(text).map_err(|e| failed(name, &e))?;
        let mut rows = statement.query(params_from_iter(values.iter().map(Bound))).map_err(|e| failed(name, &e))?;
        while let Some(row) = rows.next().map_err(|e| failed(name, &e))? {
            if !sink(&Shown(row))? {
                break;
            }
        }
        Ok(())
    }
}

struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Int(value) => ValueRef::Integer(*value),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
            Value::Null => ValueRef::Null,
        }))
    }
}

struct Shown<'a>(&'a Row<'a>);

impl Shown<'_> {
    fn value(&self, column: usize) -> Result<ValueRef<'_>, StoreError> {
        self.0.get_ref(column).map_err(|e| StoreError::Other(format!("column {column} of an answer: {e}")))
    }
}

fn other_type(column: usize, value: ValueRef<'_>) -> StoreError {
    StoreError::Corrupt(format!(
        "column {column} of a row holds {}, which is not the type that was written",
        value.data_type()
    ))
}

impl RowRead for Shown<'_> {
    fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.value(column)? {
            ValueRef::Integer(value) => Ok(Some(value)),
            ValueRef::Null => Ok(None),
            other @ (ValueRef::Real(_) | ValueRef::Text(_) | ValueRef::Blob(_)) => Err(other_type(column, other)),
        }
    }

    fn opt_text(&self, column: usize) -> Result<Option<String>, StoreError> {
        match self.value(column)? {
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text.to_owned())),
                Err(_) => Err(StoreError::Corrupt(format!("column {column} of a row holds a text that is not UTF-8"))),
            },
            ValueRef::Null => Ok(None),
            other @ (ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_)) => Err(other_type(column, other)),
        }
    }

    fn opt_blob(&self, column: usize) -> Result<Option<Vec<u8>>, StoreError> {
        match self.value(column)? {
            ValueRef::Blob(bytes) => Ok(Some(bytes.to_vec())),
            ValueRef::Null => Ok(None),
            other @ (ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Text(_)) => Err(other_type(column, other)),
        }
    }
}

/// A failure of SQLite in the words of the port.
pub(crate) fn failed(doing: &str, error: &rusqlite::Error) -> StoreError {
    let text = format!("{doing}: {error}");
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            StoreError::Full(format!("{text}; free some space on the disk of the data folder"))
        }
        Some(ErrorCode::SystemIoFailure | ErrorCode::ReadOnly) => StoreError::Full(text),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt(text),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::InUse(text),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::OutOfMemory) => {
            StoreError::Unavailable(text)
        }
        _ => StoreError::Other(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_bind_by_number_and_not_by_appearance() {
        let connection = Connection::open_in_memory().unwrap();
        let sql = "SELECT $2, $1";
        let ask =
            |text: &str| -> (i64, i64) { connection.query_row(text, [1, 2], |r| Ok((r.get(0)?, r.get(1)?))).unwrap() };
        assert_eq!(ask(&numbered(sql)), (2, 1));
        // What the rewriting is for.
        assert_eq!(ask(sql), (1, 2));
    }
}
