//! Content: posts, campaigns and the descriptive fields of assets.
//!
//! No decision about a right reads content.

use valetkey_domain::{AssetId, ContentId, Id, UnixMs};

/// One row of content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub id: ContentId,
    /// What it is: the number of an `IdKind`. For the descriptive fields of an asset, the id is the
    /// asset's own.
    pub kind: u8,
    /// The asset whose tasks guard it: a Page, an ad account. For an asset's own fields, the asset.
    pub asset: AssetId,
    /// The parent: the asset itself, or another row of content.
    pub parent: Id,
    /// A word that lists filter by, such as `ACTIVE` or `published`; at most 40 bytes.
    pub status: String,
    /// Lists are ordered by this time, newest first; equal times by id.
    pub sort_at: UnixMs,
    pub created_at: UnixMs,
    pub updated_at: UnixMs,
    /// Grows by one with each change; a write names the version that it read.
    pub version: i64,
    /// A JSON object.
    pub body: String,
}

/// The kind and the asset that decide who may use a row of content. Neither ever changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentGuard {
    pub id: ContentId,
    pub kind: u8,
    pub asset: AssetId,
}

/// A change of content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentWrite {
    /// Fails as a conflict when the id is taken. `version` is stored as given (1).
    Insert(Content),
    /// Replaces the row if its version is `expected`; a conflict otherwise. The row's own
    /// `version` is stored as given (`expected + 1`).
    Update { row: Content, expected: i64 },
    /// Removes the row if its version is `expected`; a conflict otherwise.
    Delete { id: ContentId, expected: i64 },
}

/// Which content a list wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentQuery {
    pub parent: Id,
    pub kind: u8,
    /// Any of these words; empty means any.
    pub statuses: Vec<String>,
    /// Only rows strictly behind this place in list order (`sort_at`, `id`).
    pub after: Option<(UnixMs, ContentId)>,
    /// Only rows strictly before this place. The rows nearest to it are returned, in list order.
    pub before: Option<(UnixMs, ContentId)>,
    /// `sort_at` at least / less than.
    pub since: Option<UnixMs>,
    pub until: Option<UnixMs>,
    /// Oldest first instead of newest first.
    pub ascending: bool,
    pub limit: usize,
}
