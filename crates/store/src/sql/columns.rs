//! Single columns: what the types of `domain` look like in a row.

use valetkey_domain::credential::Digest;
use valetkey_domain::{AssetKind, Id, Name, Purpose, Role, ScopeSet, Status};

use super::{RowRead, Value};
use crate::StoreError;

/// An id column.
pub(super) fn id<Of>(row: &dyn RowRead, column: usize) -> Result<Id<Of>, StoreError> {
    let value = row.int(column)?;
    Id::from_i64(value).ok_or_else(|| StoreError::Corrupt(format!("{value} stands where an id must stand")))
}

/// An id column that may be NULL.
pub(super) fn opt_id<Of>(row: &dyn RowRead, column: usize) -> Result<Option<Id<Of>>, StoreError> {
    match row.opt_int(column)? {
        None => Ok(None),
        Some(_) => id(row, column).map(Some),
    }
}

pub(super) fn name(row: &dyn RowRead, column: usize) -> Result<Name, StoreError> {
    let text = row.text(column)?;
    Name::parse(&text).map_err(|e| StoreError::Corrupt(format!("a stored name {}", e.message())))
}

/// A column with what a thing is for, if anybody said it.
pub(super) fn purpose(row: &dyn RowRead, column: usize) -> Result<Option<Purpose>, StoreError> {
    let text = row.opt_text(column)?;
    let parsed = text.map(|text| Purpose::parse(&text)).transpose();
    parsed.map_err(|e| StoreError::Corrupt(format!("a stored purpose {}", e.message())))
}

pub(super) fn role(row: &dyn RowRead, column: usize) -> Result<Role, StoreError> {
    let word = row.text(column)?;
    Role::parse(&word).ok_or_else(|| StoreError::Corrupt(format!("unknown role {word}")))
}

pub(super) fn status(row: &dyn RowRead, column: usize) -> Result<Status, StoreError> {
    let word = row.text(column)?;
    [Status::Active, Status::Deactivated, Status::Deleted]
        .into_iter()
        .find(|s| s.as_str() == word)
        .ok_or_else(|| StoreError::Corrupt(format!("unknown status {word}")))
}

pub(super) fn kind(row: &dyn RowRead, column: usize) -> Result<AssetKind, StoreError> {
    let value = row.int(column)?;
    let kind = u8::try_from(value).ok().and_then(AssetKind::from_number);
    kind.ok_or_else(|| StoreError::Corrupt(format!("unknown kind of asset {value}")))
}

pub(super) fn digest(row: &dyn RowRead, column: usize) -> Result<Digest, StoreError> {
    let bytes = row.blob(column)?;
    Digest::from_slice(&bytes).ok_or_else(|| StoreError::Corrupt(format!("a digest of {} bytes", bytes.len())))
}

// The 64 bits of a set of scopes are kept as they are; only the sign is read differently.
pub(super) fn scope_bits(set: ScopeSet) -> Value {
    Value::Int(set.bits().cast_signed())
}

pub(super) fn scopes(row: &dyn RowRead, column: usize) -> Result<ScopeSet, StoreError> {
    Ok(ScopeSet::from_bits(row.int(column)?.cast_unsigned()))
}

pub(super) fn small(value: i64, what: &str) -> Result<u32, StoreError> {
    u32::try_from(value).map_err(|_| StoreError::Corrupt(format!("{what} is {value}")))
}
