//! Values and rows of the shared SQL, as the driver takes and gives them.
//!
//! No value may be turned into another type on the way: an integer goes into a BIGINT and nowhere
//! else, so a column of the wrong type is an error and not a wrong number.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::Row;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use valetkey_store::StoreError;
use valetkey_store::sql::{RowRead, Value};

/// One parameter.
#[derive(Debug)]
pub(crate) struct Param<'a>(pub(crate) &'a Value);

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (self.0, ty) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Int(value), &Type::INT8) => value.to_sql(ty, out),
            (Value::Text(value), &Type::TEXT) => value.to_sql(ty, out),
            (Value::Blob(value), &Type::BYTEA) => value.to_sql(ty, out),
            (value, _) => {
                let sort = match value {
                    Value::Int(_) => "an integer",
                    Value::Text(_) => "a text",
                    Value::Blob(_) | Value::Null => "bytes",
                };
                Err(format!("{sort} can't be sent where PostgreSQL wants {ty}").into())
            }
        }
    }

    /// Which types fit depends on the value, so it is checked there.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// One row.
pub(crate) struct PgRow<'a>(pub(crate) &'a Row);

impl RowRead for PgRow<'_> {
    fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        self.0.try_get(column).map_err(|e| wrong(column, &e))
    }

    fn opt_text(&self, column: usize) -> Result<Option<String>, StoreError> {
        self.0.try_get(column).map_err(|e| wrong(column, &e))
    }

    fn opt_blob(&self, column: usize) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.try_get(column).map_err(|e| wrong(column, &e))
    }
}

fn wrong(column: usize, error: &tokio_postgres::Error) -> StoreError {
    StoreError::Corrupt(format!("column {column} of a row: {}", crate::error::describe(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_goes_into_a_bigint_and_nowhere_else() {
        let value = Value::Int(1);
        let mut out = BytesMut::new();
        assert!(Param(&value).to_sql(&Type::INT8, &mut out).is_ok());
        assert_eq!(out.len(), 8);
        for ty in [Type::INT4, Type::TEXT, Type::BOOL, Type::BYTEA, Type::NUMERIC] {
            assert!(Param(&value).to_sql(&ty, &mut out).is_err(), "{ty}");
        }
        assert!(Param(&Value::Text("x".into())).to_sql(&Type::BYTEA, &mut out).is_err());
        assert!(Param(&Value::Blob(vec![1])).to_sql(&Type::TEXT, &mut out).is_err());
        assert!(matches!(Param(&Value::Null).to_sql(&Type::INT8, &mut out), Ok(IsNull::Yes)));
    }
}
