//! The rows that the check path reads. Sizes matter here: a token must stay below 128 bytes with
//! its share of the tables.

use valetkey_domain::credential::Digest;
use valetkey_domain::id::EPOCH_MS;
use valetkey_domain::noun::person::Person;
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::noun::token::TokenKind;
use valetkey_domain::{AppId, AssetId, AssetKind, BusinessId, Id, Role, ScopeSet, Status, TokenId, UnixMs, UserId};

use super::table::{Entry, mix};

/// The slot that stands for nothing.
pub(super) const NONE: u32 = u32::MAX;

/// A token. The last four bytes of a digest place it; the whole digest is compared.
#[derive(Debug, Clone)]
pub(super) struct TokenRow {
    pub digest: Digest,
    pub id: TokenId,
    pub scopes: ScopeSet,
    /// 48 bits of time, then kind and marks.
    packed: u64,
    /// 0 never ends.
    expires: u64,
    pub user: u32,
    pub app: u32,
    pub page: u32,
    pub parent: u32,
    pub creator: u32,
    /// The next token of the same user.
    pub next: u32,
}

const TIME_MASK: u64 = (1 << 48) - 1;
const REVOKED: u64 = 1 << 63;
const SESSION: u64 = 1 << 62;
const KIND_SHIFT: u32 = 56;

impl TokenRow {
    pub fn new(digest: Digest, id: TokenId, scopes: ScopeSet, kind: TokenKind, created_at: UnixMs) -> TokenRow {
        let kind = match kind {
            TokenKind::SystemUser => 0,
            TokenKind::Page => 1,
            TokenKind::User => 2,
        };
        TokenRow {
            digest,
            id,
            scopes,
            packed: pack(created_at) | kind << KIND_SHIFT,
            expires: 0,
            user: NONE,
            app: NONE,
            page: NONE,
            parent: NONE,
            creator: NONE,
            next: NONE,
        }
    }

    pub fn kind(&self) -> TokenKind {
        match self.packed >> KIND_SHIFT & 3 {
            0 => TokenKind::SystemUser,
            1 => TokenKind::Page,
            _ => TokenKind::User,
        }
    }

    pub fn created_at(&self) -> UnixMs {
        unpack(self.packed & TIME_MASK)
    }

    pub fn expires_at(&self) -> Option<UnixMs> {
        (self.expires != 0).then(|| unpack(self.expires))
    }

    pub fn set_expires_at(&mut self, at: Option<UnixMs>) {
        self.expires = at.map_or(0, pack);
    }

    pub fn is_revoked(&self) -> bool {
        self.packed & REVOKED != 0
    }

    pub fn set_revoked(&mut self, revoked: bool) {
        self.packed = if revoked { self.packed | REVOKED } else { self.packed & !REVOKED };
    }

    pub fn is_session(&self) -> bool {
        self.packed & SESSION != 0
    }

    pub fn set_session(&mut self, session: bool) {
        self.packed = if session { self.packed | SESSION } else { self.packed & !SESSION };
    }
}

/// Times are kept with an offset of one, so that zero can stand for none.
fn pack(at: UnixMs) -> u64 {
    (at - EPOCH_MS + 1).clamp(1, TIME_MASK as i64) as u64
}

fn unpack(value: u64) -> UnixMs {
    value as i64 - 1 + EPOCH_MS
}

/// The hash that places a token.
#[inline]
pub(super) fn digest_hash(digest: &Digest) -> u32 {
    let d = &digest.0;
    u32::from_be_bytes([d[28], d[29], d[30], d[31]])
}

/// A user, as checks read it.
#[derive(Debug, Clone)]
pub(super) struct UserRow {
    pub id: UserId,
    pub business: u32,
    pub role: Role,
    pub status: Status,
    pub is_person: bool,
    pub more_apps: bool,
    /// The first four installed apps; most users have no more.
    pub apps: [u32; 4],
}

/// The rest of a user.
#[derive(Debug)]
pub(super) struct UserCold {
    pub record: UserRecord,
    pub first_token: u32,
}

#[derive(Debug)]
pub(super) enum UserRecord {
    Person(Person),
    SystemUser(SystemUser),
}

/// An app, as checks read it.
#[derive(Debug)]
pub(super) struct AppRow {
    pub id: AppId,
    /// The business that owns it, and whether it is connected there: what nearly every check asks
    /// for. Connections elsewhere stand in a table.
    pub home: u32,
    pub at_home: bool,
    pub demands_proof: bool,
    pub allowed_scopes: ScopeSet,
}

/// A business, as checks read it: many to a cache line.
#[derive(Debug)]
pub(super) struct BusinessRow {
    pub id: BusinessId,
    pub strict_visibility: bool,
}

/// An asset, as checks read it, inline in its table.
#[derive(Debug, Clone, Copy)]
pub(super) struct AssetEntry {
    id: u64,
    pub owner: u32,
    pub slot: u32,
    pub kind: AssetKind,
}

impl AssetEntry {
    pub fn new(id: AssetId, owner: u32, slot: u32, kind: AssetKind) -> AssetEntry {
        AssetEntry { id: id.get(), owner, slot, kind }
    }

    pub fn id(self) -> AssetId {
        Id::new(self.id).unwrap_or(Id::MIN)
    }
}

impl Entry for AssetEntry {
    type Key = u64;
    const VACANT: AssetEntry = AssetEntry { id: 0, owner: NONE, slot: NONE, kind: AssetKind::Page };

    #[inline]
    fn is_vacant(&self) -> bool {
        self.slot == NONE
    }
    #[inline]
    fn hash(&self) -> u32 {
        mix(self.id)
    }
    #[inline]
    fn hash_of(key: u64) -> u32 {
        mix(key)
    }
    #[inline]
    fn may_be(&self, key: u64) -> bool {
        self.id == key
    }
}
