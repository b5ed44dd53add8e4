//! Kinds of assets, as a table: what an asset of the kind is called, and which tasks it knows.
//!
//! Seven kinds are built in; the operator declares further ones. A kind never changes its number.

use serde::{Deserialize, Serialize};

use crate::Name;
use crate::id::IdKind;
use crate::scope::ScopeSet;
use crate::task::{TaskName, TaskSet};

/// The kind of an asset. It is stored as its number, which never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum AssetKind {
    Page,
    AdAccount,
    Catalog,
    Pixel,
    InstagramAccount,
    WhatsappAccount,
    App,
    /// The operator declared it, as number so many, counted from 0.
    Declared(u8),
}

/// The stored number of the first declared kind.
const FIRST_DECLARED: u8 = 64;
/// The last; 255 stands for none.
const LAST_DECLARED: u8 = u8::MAX - 1;
/// How many kinds can be declared.
pub const DECLARED_LIMIT: u8 = LAST_DECLARED - FIRST_DECLARED + 1;

/// A row of the table of built-in kinds.
#[derive(Debug)]
pub struct KindRow {
    pub kind: AssetKind,
    /// The word that the command line and the check API use.
    pub word: &'static str,
    /// The name of the node type in the Graph.
    pub node: &'static str,
    /// The words for people.
    pub title: &'static str,
    pub id_kind: IdKind,
    pub tasks: &'static [TaskName],
    /// The tasks that stand for everything when an ADMIN's reach is shown as a list.
    pub full: &'static [&'static str],
    /// The scopes of which one lets a caller list and change assignments on this kind, beside
    /// `business_management`.
    pub own_scopes: &'static [&'static str],
}

impl From<AssetKind> for u8 {
    fn from(kind: AssetKind) -> u8 {
        kind.number()
    }
}

impl TryFrom<u8> for AssetKind {
    type Error = String;

    fn try_from(number: u8) -> Result<AssetKind, String> {
        AssetKind::from_number(number).ok_or_else(|| format!("{number} is no kind of asset"))
    }
}

impl AssetKind {
    /// The number that is stored.
    pub const fn number(self) -> u8 {
        match self {
            AssetKind::Page => 1,
            AssetKind::AdAccount => 2,
            AssetKind::Catalog => 3,
            AssetKind::Pixel => 4,
            AssetKind::InstagramAccount => 5,
            AssetKind::WhatsappAccount => 6,
            AssetKind::App => 7,
            AssetKind::Declared(n) => FIRST_DECLARED.saturating_add(n),
        }
    }

    /// The kind of a stored number.
    pub const fn from_number(number: u8) -> Option<AssetKind> {
        Some(match number {
            1 => AssetKind::Page,
            2 => AssetKind::AdAccount,
            3 => AssetKind::Catalog,
            4 => AssetKind::Pixel,
            5 => AssetKind::InstagramAccount,
            6 => AssetKind::WhatsappAccount,
            7 => AssetKind::App,
            FIRST_DECLARED..=LAST_DECLARED => AssetKind::Declared(number - FIRST_DECLARED),
            _ => return None,
        })
    }

    /// The number of a declared kind among the declared ones, from 0.
    pub const fn declared_number(self) -> Option<u8> {
        match self {
            AssetKind::Declared(n) => Some(n),
            AssetKind::Page
            | AssetKind::AdAccount
            | AssetKind::Catalog
            | AssetKind::Pixel
            | AssetKind::InstagramAccount
            | AssetKind::WhatsappAccount
            | AssetKind::App => None,
        }
    }

    /// The row of a built-in kind.
    pub fn row(self) -> Option<&'static KindRow> {
        TABLE.iter().find(|r| r.kind == self)
    }

    /// Finds a built-in kind by its word.
    pub fn parse(word: &str) -> Option<AssetKind> {
        TABLE.iter().find(|r| r.word == word).map(|r| r.kind)
    }

    /// The kind bits of ids of this kind.
    pub fn id_kind(self) -> IdKind {
        self.row().map_or(IdKind::DeclaredAsset, |r| r.id_kind)
    }

    /// The scopes that change assignments on this kind, beside `business_management`.
    pub fn own_scopes(self) -> ScopeSet {
        self.row().map_or(ScopeSet::EMPTY, |r| ScopeSet::of(r.own_scopes))
    }

    /// What an ADMIN's reach looks like as a list of tasks.
    pub fn full_tasks(self) -> TaskSet {
        self.row().map_or(TaskSet::ALL, |r| {
            r.full.iter().filter_map(|name| TaskSet::named(r.tasks, name)).fold(TaskSet::EMPTY, TaskSet::with)
        })
    }
}

/// A kind that the configuration declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredKind {
    pub kind: AssetKind,
    /// Lower-case word, for example `warehouse`.
    pub word: String,
    pub title: Name,
    /// Task names, at most 32; `MANAGE` implies the others if it is among them.
    pub tasks: Vec<String>,
}

const fn task(name: &'static str) -> TaskName {
    TaskName { name, twins: &[] }
}

const fn twin(name: &'static str, twins: &'static [&'static str]) -> TaskName {
    TaskName { name, twins }
}

/// The built-in kinds.
pub static TABLE: &[KindRow] = &[
    KindRow {
        kind: AssetKind::Page,
        word: "page",
        node: "Page",
        title: "Page",
        id_kind: IdKind::Page,
        tasks: &[
            twin("MANAGE", &["PROFILE_PLUS_MANAGE", "PROFILE_PLUS_FULL_CONTROL"]),
            twin("CREATE_CONTENT", &["PROFILE_PLUS_CREATE_CONTENT"]),
            twin("MODERATE", &["PROFILE_PLUS_MODERATE"]),
            twin("MESSAGING", &["PROFILE_PLUS_MESSAGING"]),
            twin("ADVERTISE", &["PROFILE_PLUS_ADVERTISE"]),
            twin("ANALYZE", &["PROFILE_PLUS_ANALYZE"]),
            twin("MANAGE_LEADS", &["PROFILE_PLUS_MANAGE_LEADS"]),
            twin("MODERATE_COMMUNITY", &["PROFILE_PLUS_MODERATE_DELEGATE_COMMUNITY"]),
            twin("GLOBAL_STRUCTURE_MANAGEMENT", &["PROFILE_PLUS_GLOBAL_STRUCTURE_MANAGEMENT"]),
            task("PAGES_MESSAGING"),
            task("PAGES_MESSAGING_SUBSCRIPTIONS"),
            task("READ_PAGE_MAILBOXES"),
            task("VIEW_MONETIZATION_INSIGHTS"),
            task("PROFILE_PLUS_REVENUE"),
            task("PROFILE_PLUS_FACEBOOK_ACCESS"),
            task("PROFILE_PLUS_CREATIVE_MANAGEMENT"),
            task("PROFILE_PLUS_CREATOR_MANAGEMENT"),
        ],
        full: &["MANAGE", "CREATE_CONTENT", "MODERATE", "MESSAGING", "ADVERTISE", "ANALYZE"],
        own_scopes: &["pages_manage_metadata"],
    },
    KindRow {
        kind: AssetKind::AdAccount,
        word: "ad_account",
        node: "AdAccount",
        title: "ad account",
        id_kind: IdKind::AdAccount,
        tasks: &[task("MANAGE"), task("ADVERTISE"), task("ANALYZE"), task("DRAFT"), task("AA_ANALYZE")],
        full: &["MANAGE", "ADVERTISE", "ANALYZE"],
        own_scopes: &["ads_management"],
    },
    KindRow {
        kind: AssetKind::Catalog,
        word: "catalog",
        node: "ProductCatalog",
        title: "catalog",
        id_kind: IdKind::Catalog,
        tasks: &[task("MANAGE"), task("ADVERTISE"), task("MANAGE_AR"), task("AA_ANALYZE")],
        full: &["MANAGE", "ADVERTISE"],
        own_scopes: &["catalog_management", "ads_management"],
    },
    KindRow {
        kind: AssetKind::Pixel,
        word: "pixel",
        node: "AdsPixel",
        title: "pixel",
        id_kind: IdKind::Pixel,
        tasks: &[task("EDIT"), task("ANALYZE"), task("UPLOAD"), task("ADVERTISE"), task("AA_ANALYZE")],
        full: &["EDIT", "ANALYZE", "UPLOAD", "ADVERTISE"],
        own_scopes: &["ads_management"],
    },
    KindRow {
        kind: AssetKind::InstagramAccount,
        word: "instagram_account",
        node: "InstagramUser",
        title: "Instagram account",
        id_kind: IdKind::InstagramAccount,
        tasks: &[task("CONTENT"), task("MESSAGES"), task("COMMUNITY_ACTIVITY"), task("ADVERTISE"), task("ANALYZE")],
        full: &["CONTENT", "MESSAGES", "COMMUNITY_ACTIVITY", "ADVERTISE", "ANALYZE"],
        own_scopes: &["instagram_basic"],
    },
    KindRow {
        kind: AssetKind::WhatsappAccount,
        word: "whatsapp_account",
        node: "WhatsAppBusinessAccount",
        title: "WhatsApp account",
        id_kind: IdKind::WhatsAppAccount,
        tasks: &[
            task("MANAGE"),
            task("DEVELOP"),
            task("MANAGE_TEMPLATES"),
            task("VIEW_TEMPLATES"),
            task("MANAGE_PHONE"),
            task("MANAGE_PHONE_ASSETS"),
            task("VIEW_PHONE_ASSETS"),
            task("MESSAGING"),
            task("VIEW_COST"),
            task("MANAGE_EXTENSIONS"),
        ],
        full: &["MANAGE"],
        own_scopes: &["whatsapp_business_management"],
    },
    KindRow {
        kind: AssetKind::App,
        word: "app",
        node: "Application",
        title: "app",
        id_kind: IdKind::App,
        tasks: &[task("MANAGE"), task("DEVELOP"), task("TEST"), task("ANALYZE")],
        full: &["MANAGE", "DEVELOP", "TEST", "ANALYZE"],
        own_scopes: &[],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_consistent() {
        for row in TABLE {
            assert!(row.tasks.len() <= 32);
            for name in row.full {
                assert!(TaskSet::named(row.tasks, name).is_some(), "{}: {name}", row.word);
            }
            assert_eq!(row.own_scopes.len(), row.kind.own_scopes().iter().count());
            assert_eq!(AssetKind::parse(row.word), Some(row.kind));
        }
    }

    #[test]
    fn numbers_and_kinds_are_one_to_one() {
        let mut known = std::collections::BTreeSet::new();
        for number in 0..=u8::MAX {
            if let Some(kind) = AssetKind::from_number(number) {
                assert_eq!(kind.number(), number);
                assert!(known.insert(kind), "{number}");
            }
        }
        assert_eq!(known.len(), TABLE.len() + usize::from(DECLARED_LIMIT));
    }
}
