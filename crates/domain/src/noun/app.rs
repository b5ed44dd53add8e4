//! An app: a program of a business, where it is connected, and on which system users it is installed.
//!
//! Its secret is kept sealed; this crate moves the sealed bytes and never sees the clear ones.

use serde::{Deserialize, Serialize};

use super::Noun;
use super::asset::Asset;
use crate::{AppId, AssetKind, BusinessId, Id, List, Name, RecordKey, ScopeSet, UnixMs, UserId};

/// A sealed secret; the bytes are an envelope of the `seal` crate.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSecret(#[serde(with = "super::hex")] pub Vec<u8>);

impl std::fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedSecret({} bytes)", self.0.len())
    }
}

/// An app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    pub id: AppId,
    /// The business that owns it.
    pub business: BusinessId,
    pub name: Name,
    pub created_at: UnixMs,
    pub secret: SealedSecret,
    /// The secret before the last rotation, and when it stops working.
    pub previous_secret: Option<(SealedSecret, UnixMs)>,
    /// What tokens for this app may carry.
    pub allowed_scopes: ScopeSet,
    /// Every call must bring `appsecret_proof`.
    pub demands_proof: bool,
    /// When it was deleted. The record stays, so that its history can be read and its id never returns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<UnixMs>,
}

/// That an app is connected to a business. While there is none, its tokens there are dead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    pub business: BusinessId,
    pub app: AppId,
    pub created_at: UnixMs,
}

/// That an app is installed on a system user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    pub system_user: UserId,
    pub app: AppId,
    pub business: BusinessId,
    pub created_at: UnixMs,
}

impl App {
    /// The app as an asset of kind app.
    pub fn as_asset(&self) -> Asset {
        Asset {
            id: self.id.into(),
            kind: AssetKind::App,
            business: Some(self.business),
            name: self.name.clone(),
            created_at: self.created_at,
            deleted_at: self.deleted_at,
        }
    }
}

impl Noun for App {
    fn key(&self) -> RecordKey {
        RecordKey::App(self.id)
    }

    fn listings(&self) -> Vec<(List, Id)> {
        let listing = (List::OwnedApps(self.business), self.id.any());
        self.deleted_at.is_none().then_some(listing).into_iter().collect()
    }

    fn narrows(&self, after: &App) -> bool {
        let App {
            id: _,
            business,
            name: _,
            created_at: _,
            secret,
            previous_secret,
            allowed_scopes,
            demands_proof,
            deleted_at,
        } = after;
        !allowed_scopes.covers(self.allowed_scopes)
            || (*demands_proof && !self.demands_proof)
            || *secret != self.secret
            || *previous_secret != self.previous_secret
            || *business != self.business
            || *deleted_at != self.deleted_at
    }
}

impl Noun for Connection {
    fn key(&self) -> RecordKey {
        RecordKey::Connection(self.business, self.app)
    }

    fn listings(&self) -> Vec<(List, Id)> {
        vec![(List::ConnectedApps(self.business), self.app.any())]
    }

    fn narrows(&self, after: &Connection) -> bool {
        let Connection { business: _, app: _, created_at: _ } = after;
        false
    }
}

impl Noun for Installation {
    fn key(&self) -> RecordKey {
        RecordKey::Installation(self.system_user, self.app)
    }

    fn listings(&self) -> Vec<(List, Id)> {
        vec![(List::InstalledApps(self.system_user), self.app.any())]
    }

    fn narrows(&self, after: &Installation) -> bool {
        let Installation { system_user: _, app: _, business, created_at: _ } = after;
        self.business != *business
    }
}
