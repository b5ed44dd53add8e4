//! Scopes: what a token may be used for.
//!
//! The table is closed: a scope that is not in it can't be issued. Positions are stored, so rows
//! are only ever added at the end. Source of names and dependencies: `docs/reference/rights.md`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Role;

/// One scope, as its position in [`TABLE`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope(u8);

/// A row of the table of scopes.
#[derive(Debug)]
pub struct ScopeRow {
    /// The word on the wire.
    pub name: &'static str,
    /// The scopes that must be asked for together with this one.
    pub needs: &'static [&'static str],
    /// Whether something that is served here asks for it.
    pub served: bool,
    /// One sentence for the person who chooses it.
    pub sentence: &'static str,
}

const fn row(name: &'static str, needs: &'static [&'static str], served: bool, sentence: &'static str) -> ScopeRow {
    ScopeRow { name, needs, served, sentence }
}

const PAGES: &[&str] = &["pages_show_list"];
const READ: &[&str] = &["pages_read_engagement", "pages_show_list"];
const INSTAGRAM: &[&str] = &["instagram_basic", "pages_read_engagement", "pages_show_list"];
const BUSINESS: &[&str] = &["business_management"];

/// All scopes, in the order of their stored positions.
pub static TABLE: &[ScopeRow] = &[
    row("public_profile", &[], true, "See the name and id of the token's own user. Always granted."),
    row(
        "business_management",
        READ,
        true,
        "Manage the business: its users, assignments, sharing and claims. Mostly for an ADMIN.",
    ),
    row("ads_read", &[], true, "Read ad accounts, campaigns and their numbers."),
    // Recipes ask for ads_management alone, so its dependencies are recommended, never enforced.
    row("ads_management", &[], true, "Create, change and stop campaigns and ads, and read them."),
    row("catalog_management", BUSINESS, true, "Create and change catalogs, products, sets and feeds."),
    row(
        "leads_retrieval",
        &[
            "ads_management",
            "ads_read",
            "business_management",
            "pages_manage_ads",
            "pages_read_engagement",
            "pages_show_list",
        ],
        true,
        "Read what people wrote into lead forms. Personal data.",
    ),
    row("pages_show_list", &[], true, "See which Pages this user may act on, and get their page tokens."),
    row("pages_read_engagement", PAGES, true, "Read what the Page published, and its details."),
    row("pages_read_user_content", PAGES, true, "Read what visitors wrote on the Page."),
    row("pages_manage_posts", READ, true, "Publish, schedule, edit and delete posts, photos and videos."),
    row(
        "pages_manage_engagement",
        &["pages_read_user_content", "pages_show_list"],
        true,
        "Write, hide and delete comments, and like, as the Page.",
    ),
    row("pages_manage_metadata", PAGES, true, "Change the Page's details and settings."),
    row("pages_manage_ads", PAGES, true, "Make ads and lead forms that belong to the Page."),
    row("pages_manage_cta", PAGES, false, "Change the Page's call-to-action button."),
    row("pages_manage_instant_articles", PAGES, false, "Manage instant articles."),
    row("pages_messaging", &["pages_manage_metadata", "pages_show_list"], false, "Read and send the Page's messages."),
    row("pages_utility_messaging", &["pages_messaging"], false, "Send service messages from templates."),
    row("page_events", PAGES, false, "Log events on behalf of the Page."),
    row("read_page_mailboxes", PAGES, false, "Read the Page's inbox (old)."),
    row("read_insights", READ, true, "Read the numbers of the Page and its posts."),
    row("publish_video", &[], true, "Publish videos."),
    row("read_audience_network_insights", &[], false, "Read earnings of apps and sites."),
    row(
        "instagram_basic",
        &["pages_read_user_content", "pages_show_list"],
        true,
        "See the connected Instagram account and its media.",
    ),
    row("instagram_content_publish", INSTAGRAM, false, "Publish to Instagram."),
    row("instagram_manage_comments", INSTAGRAM, false, "Moderate comments on Instagram."),
    row("instagram_manage_insights", INSTAGRAM, true, "Read Instagram numbers."),
    row("instagram_manage_messages", INSTAGRAM, false, "Read and send Instagram messages."),
    row("instagram_shopping_tag_products", INSTAGRAM, false, "Tag products on Instagram."),
    row("instagram_branded_content_brand", INSTAGRAM, false, "Handle paid partnerships as a brand."),
    row("instagram_branded_content_ads_brand", INSTAGRAM, false, "Advertise paid partnerships as a brand."),
    row("instagram_branded_content_creator", INSTAGRAM, false, "Handle paid partnerships as a creator."),
    row("instagram_manage_events", INSTAGRAM, false, "Manage Instagram events."),
    row("instagram_manage_upcoming_events", INSTAGRAM, false, "Manage upcoming Instagram events."),
    row("instagram_manage_engagement", INSTAGRAM, false, "Manage engagement on Instagram."),
    row("instagram_manage_contents", INSTAGRAM, false, "Manage content on Instagram."),
    row("whatsapp_business_management", &[], true, "See WhatsApp accounts, numbers and templates."),
    row("whatsapp_business_messaging", &[], false, "Send and receive WhatsApp messages."),
    row("whatsapp_business_manage_events", &[], false, "Log events of a WhatsApp account."),
    row("commerce_account_read_settings", &[], false, "Read shop settings."),
    row("commerce_account_read_orders", &[], false, "Read shop orders."),
    row("commerce_account_manage_orders", &[], false, "Manage shop orders."),
    row("commerce_account_read_reports", &[], false, "Read shop reports."),
    row("commerce_manage_accounts", &[], false, "Manage shops."),
    row("private_computation_access", &[], false, "Use private measurement."),
    row("business_creative_management", BUSINESS, false, "Manage shared creative folders."),
    row("business_creative_insights", BUSINESS, false, "Read numbers of shared creative folders."),
    row("business_creative_insights_share", BUSINESS, false, "Share numbers of creative folders."),
    row("business_data_management", BUSINESS, false, "Manage shared business data."),
    row("manage_app_solutions", BUSINESS, false, "Manage solutions made of several apps."),
    row("attribution_read", &[], false, "Read attribution reports."),
];

impl Scope {
    /// `public_profile`, which every token carries.
    pub const PUBLIC_PROFILE: Scope = Scope(0);
    /// `business_management`, which a person with the role EMPLOYEE has not.
    pub const BUSINESS_MANAGEMENT: Scope = Scope(1);
    /// `pages_show_list`, on which every page token rests.
    pub const PAGES_SHOW_LIST: Scope = Scope(6);

    /// Finds a scope by its word on the wire.
    pub fn parse(name: &str) -> Option<Scope> {
        TABLE.iter().position(|r| r.name == name).map(|i| Scope(i as u8))
    }

    /// The word on the wire.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The row of the table.
    pub fn row(self) -> &'static ScopeRow {
        &TABLE[usize::from(self.0)]
    }

    /// All scopes in table order.
    pub fn all() -> impl Iterator<Item = Scope> {
        (0..TABLE.len()).map(|i| Scope(i as u8))
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of scopes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ScopeSet(u64);

impl ScopeSet {
    /// No scope.
    pub const EMPTY: ScopeSet = ScopeSet(0);

    /// Every scope of the table.
    pub const fn all() -> ScopeSet {
        ScopeSet(u64::MAX >> (64 - TABLE.len()))
    }

    /// One scope.
    pub const fn one(scope: Scope) -> ScopeSet {
        ScopeSet(1 << scope.0)
    }

    /// What a person may use its tokens for: an ADMIN every scope, an EMPLOYEE every scope but
    /// `business_management`.
    pub const fn of_person(role: Role) -> ScopeSet {
        match role {
            Role::Admin => ScopeSet::all(),
            Role::Employee => ScopeSet(ScopeSet::all().0 & !(1 << Scope::BUSINESS_MANAGEMENT.0)),
        }
    }

    /// What is left of a token's scopes when its app may ask for `allowed`. `public_profile` always is.
    pub const fn capped(self, allowed: ScopeSet) -> ScopeSet {
        ScopeSet(self.0 & (allowed.0 | 1 << Scope::PUBLIC_PROFILE.0))
    }

    /// The set with these names. Names must be in the table: for constants only, since an
    /// unknown one is left out; a test walks all constants.
    pub fn of(names: &[&str]) -> ScopeSet {
        names.iter().filter_map(|n| Scope::parse(n)).collect()
    }

    /// Whether the scope is in the set.
    pub fn has(self, scope: Scope) -> bool {
        self.0 >> scope.0 & 1 == 1
    }

    /// Whether the two sets share a scope.
    pub fn meets(self, other: ScopeSet) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether every scope of `other` is in this set.
    pub fn covers(self, other: ScopeSet) -> bool {
        self.0 & other.0 == other.0
    }

    /// The scopes of this set that `other` lacks.
    pub fn without(self, other: ScopeSet) -> ScopeSet {
        ScopeSet(self.0 & !other.0)
    }

    /// The scopes of both.
    pub fn with(self, other: ScopeSet) -> ScopeSet {
        ScopeSet(self.0 | other.0)
    }

    /// The scopes that are in both.
    pub const fn shared(self, other: ScopeSet) -> ScopeSet {
        ScopeSet(self.0 & other.0)
    }

    /// Whether nothing is in the set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The first scope in table order.
    pub fn first(self) -> Option<Scope> {
        (self.0 != 0).then(|| Scope(self.0.trailing_zeros() as u8))
    }

    /// The scopes in table order.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::all().filter(move |s| self.has(*s))
    }

    /// The names in table order.
    pub fn names(self) -> Vec<&'static str> {
        self.iter().map(Scope::name).collect()
    }

    /// The stored form; positions are those of [`TABLE`].
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Reads the stored form; unknown positions are dropped, so an older program never grants
    /// what it does not know.
    pub fn from_bits(bits: u64) -> ScopeSet {
        ScopeSet(bits & ScopeSet::all().0)
    }

    /// The first scope of the set whose dependency is not in the set, with that dependency.
    pub fn lacking_dependency(self) -> Option<(Scope, Scope)> {
        self.iter().find_map(|scope| {
            let needed = scope.row().needs.iter().filter_map(|n| Scope::parse(n));
            needed.into_iter().find(|n| !self.has(*n)).map(|n| (scope, n))
        })
    }

    /// The set with all dependencies added.
    pub fn completed(self) -> ScopeSet {
        let mut set = self;
        while let Some((_, needed)) = set.lacking_dependency() {
            set = set.with([needed].into_iter().collect());
        }
        set
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> ScopeSet {
        ScopeSet(scopes.into_iter().fold(0, |bits, s| bits | 1 << s.0))
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

impl Serialize for ScopeSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<ScopeSet, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        names
            .iter()
            .map(|n| Scope::parse(n).ok_or_else(|| serde::de::Error::custom(format!("unknown scope {n}"))))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_closed_under_its_dependencies_and_fits_the_bits() {
        assert!(TABLE.len() <= 64);
        for scope in Scope::all() {
            for need in scope.row().needs {
                assert!(Scope::parse(need).is_some(), "{} needs unknown {need}", scope.name());
            }
            assert_eq!(Scope::parse(scope.name()), Some(scope));
        }
    }

    #[test]
    fn ads_management_stands_alone_and_the_others_need_their_company() {
        assert_eq!(ScopeSet::of(&["ads_management"]).lacking_dependency(), None);
        let lone = ScopeSet::of(&["pages_manage_posts"]);
        assert!(lone.lacking_dependency().is_some());
        assert_eq!(lone.completed().lacking_dependency(), None);
        assert!(lone.completed().covers(ScopeSet::of(READ)));
    }

    #[test]
    fn the_scopes_with_a_name_of_their_own_are_those_of_the_table() {
        for (scope, name) in [
            (Scope::PUBLIC_PROFILE, "public_profile"),
            (Scope::BUSINESS_MANAGEMENT, "business_management"),
            (Scope::PAGES_SHOW_LIST, "pages_show_list"),
        ] {
            assert_eq!(Scope::parse(name), Some(scope));
            assert_eq!(ScopeSet::one(scope).names(), [name]);
        }
        assert_eq!(ScopeSet::all(), Scope::all().collect());
    }

    #[test]
    fn an_employee_person_has_every_scope_but_one() {
        assert_eq!(ScopeSet::of_person(Role::Admin), ScopeSet::all());
        let lacks = ScopeSet::all().without(ScopeSet::of_person(Role::Employee));
        assert_eq!(lacks.names(), ["business_management"]);
    }

    #[test]
    fn a_cap_leaves_public_profile() {
        let cap = ScopeSet::of(&["ads_read"]);
        assert_eq!(ScopeSet::all().capped(cap).names(), ["public_profile", "ads_read"]);
        assert_eq!(ScopeSet::of(&["ads_read"]).capped(ScopeSet::EMPTY), ScopeSet::EMPTY);
    }

    #[test]
    fn unknown_bits_grant_nothing() {
        assert!(ScopeSet::from_bits(1 << 63).is_empty());
    }
}
