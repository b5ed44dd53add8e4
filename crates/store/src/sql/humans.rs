//! The columns of humans and passkeys, as [`super::nouns`] has those of the other nouns.

use valetkey_domain::credential::Digest;
use valetkey_domain::noun::app::SealedSecret;
use valetkey_domain::noun::human::{HANDLE_BYTES, Human, PasswordHash, Totp};
use valetkey_domain::noun::passkey::Passkey;

use super::columns::{id, name};
use super::nouns::Stored;
use super::statements::{self as sql, Statement};
use super::{RowRead, Value};
use crate::StoreError;

const DIGEST_BYTES: usize = 32;

impl Stored for Human {
    const LOAD: Statement = sql::LOAD_HUMANS;
    const UPSERT: Statement = sql::UPSERT_HUMAN;

    fn values(&self) -> Result<Vec<Value>, StoreError> {
        let Human { id, email, handle, password, totp, recovery_codes, created_at, updated_at } = self;
        let codes: Vec<u8> = recovery_codes.iter().flat_map(|code| code.0).collect();
        Ok(vec![
            (*id).into(),
            email.as_str().into(),
            handle.as_slice().into(),
            password.as_ref().map_or(Value::Null, |hash| hash.0.0.as_slice().into()),
            totp.as_ref().map_or(Value::Null, |totp| totp.seed.0.as_slice().into()),
            totp.as_ref().and_then(|totp| totp.last_step).into(),
            totp.as_ref().map(|totp| totp.confirmed_at).into(),
            Value::Blob(codes),
            (*created_at).into(),
            (*updated_at).into(),
        ])
    }

    fn read(row: &dyn RowRead) -> Result<Human, StoreError> {
        let totp = match row.opt_blob(4)? {
            None => None,
            Some(seed) => {
                Some(Totp { seed: SealedSecret(seed), last_step: row.opt_int(5)?, confirmed_at: row.int(6)? })
            }
        };
        Ok(Human {
            id: id(row, 0)?,
            email: row.text(1)?,
            handle: handle(&row.blob(2)?)?,
            password: row.opt_blob(3)?.map(|bytes| PasswordHash(SealedSecret(bytes))),
            totp,
            recovery_codes: codes(&row.blob(7)?)?,
            created_at: row.int(8)?,
            updated_at: row.int(9)?,
        })
    }
}

fn handle(bytes: &[u8]) -> Result<[u8; HANDLE_BYTES], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt(format!("a handle of {} bytes", bytes.len())))
}

fn codes(bytes: &[u8]) -> Result<Vec<Digest>, StoreError> {
    let wrong = || StoreError::Corrupt(format!("recovery codes of {} bytes", bytes.len()));
    bytes.chunks(DIGEST_BYTES).map(|some| Digest::from_slice(some).ok_or_else(wrong)).collect()
}

impl Stored for Passkey {
    const LOAD: Statement = sql::LOAD_PASSKEYS;
    const UPSERT: Statement = sql::UPSERT_PASSKEY;

    fn values(&self) -> Result<Vec<Value>, StoreError> {
        let Passkey { id, human, credential, name, data, created_at, last_used_at } = self;
        Ok(vec![
            (*id).into(),
            (*human).into(),
            credential.as_slice().into(),
            name.as_str().into(),
            data.as_str().into(),
            (*created_at).into(),
            (*last_used_at).into(),
        ])
    }

    fn read(row: &dyn RowRead) -> Result<Passkey, StoreError> {
        Ok(Passkey {
            id: id(row, 0)?,
            human: id(row, 1)?,
            credential: row.blob(2)?,
            name: name(row, 3)?,
            data: row.text(4)?,
            created_at: row.int(5)?,
            last_used_at: row.opt_int(6)?,
        })
    }
}
