//! What names a record: its noun and its ids. Two records with one key are the same record.

use crate::credential::Digest;
use crate::{AppId, AssetId, AssetKind, BusinessId, HumanId, Id, PasskeyId, TokenId, UserId};

/// The key of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordKey {
    Business(BusinessId),
    Person(UserId),
    SystemUser(UserId),
    App(AppId),
    Connection(BusinessId, AppId),
    /// System user, app.
    Installation(UserId, AppId),
    DeclaredKind(AssetKind),
    Asset(AssetId),
    Assignment(UserId, AssetId),
    /// Asset, partner.
    Share(AssetId, BusinessId),
    Token(TokenId),
    /// Parent token, Page.
    PageCounter(TokenId, AssetId),
    SignInCode(Digest),
    Terms,
    Human(HumanId),
    Passkey(PasskeyId),
}

impl RecordKey {
    /// The ids in the key, in its order.
    pub fn ids(&self) -> [Option<Id>; 2] {
        match *self {
            RecordKey::Business(business) => [Some(business.any()), None],
            RecordKey::Person(user) | RecordKey::SystemUser(user) => [Some(user.any()), None],
            RecordKey::App(app) => [Some(app.any()), None],
            RecordKey::Asset(asset) => [Some(asset.any()), None],
            RecordKey::Token(token) => [Some(token.any()), None],
            RecordKey::Human(human) => [Some(human.any()), None],
            RecordKey::Passkey(passkey) => [Some(passkey.any()), None],
            RecordKey::Connection(business, app) => [Some(business.any()), Some(app.any())],
            RecordKey::Installation(user, app) => [Some(user.any()), Some(app.any())],
            RecordKey::Assignment(user, asset) => [Some(user.any()), Some(asset.any())],
            RecordKey::Share(asset, partner) => [Some(asset.any()), Some(partner.any())],
            RecordKey::PageCounter(parent, page) => [Some(parent.any()), Some(page.any())],
            RecordKey::DeclaredKind(_) | RecordKey::SignInCode(_) | RecordKey::Terms => [None, None],
        }
    }

    /// The id that is the record's own. A record that two ids name has none of its own.
    pub fn own_id(&self) -> Option<Id> {
        match self.ids() {
            [Some(id), None] => Some(id),
            [None | Some(_), _] => None,
        }
    }
}
