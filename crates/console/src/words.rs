//! Words that several pages share: roles, kinds of assets, tasks and scopes, for people.
//! They must say what the rules do and nothing more; a right is never decided here.

use valetkey_domain::{AssetKind, Role, Scope};

/// What a system user of this role reaches, without a full stop.
pub fn system_user_role(role: Role) -> &'static str {
    match role {
        Role::Admin => "Reaches every asset and manages the business",
        Role::Employee => "Reaches only what is assigned to it",
    }
}

/// What a person of this role may do, without a full stop.
pub fn person_role(role: Role) -> &'static str {
    match role {
        Role::Admin => "Manages the business and reaches every asset",
        Role::Employee => "Reaches only what is assigned to them",
    }
}

/// The words for a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskWords {
    /// "Community activity".
    pub label: String,
    /// What it lets its holder do, one sentence.
    pub sentence: String,
    /// Whether it stands under "Full control".
    pub full: bool,
}

struct Row(&'static str, &'static str, &'static str);

const PAGE: &[Row] = &[
    Row("MANAGE", "Everything", "All tasks above, the Page's settings, and who else may use it."),
    Row("CREATE_CONTENT", "Content", "Publish, schedule, edit and delete posts, photos and videos."),
    Row("MODERATE", "Community activity", "Answer, hide and delete comments."),
    Row("MESSAGING", "Messages and calls", "Read and send messages as the Page."),
    Row("ADVERTISE", "Ads", "Make ads and lead forms that belong to the Page."),
    Row("ANALYZE", "Insights", "See the numbers of the Page and its posts."),
    Row("MANAGE_LEADS", "Leads", "Read what people wrote into lead forms. Personal data."),
    Row("MODERATE_COMMUNITY", "Community chats", "Look after the Page's community chats."),
    Row("GLOBAL_STRUCTURE_MANAGEMENT", "Global Pages", "Change how the Pages of several countries belong together."),
    Row("PAGES_MESSAGING", "Messages, older word", "Send and answer messages through the older interface."),
    Row("PAGES_MESSAGING_SUBSCRIPTIONS", "Subscription messages", "Send messages that people subscribed to."),
    Row("READ_PAGE_MAILBOXES", "Inbox, older word", "Read the Page's inbox through the older interface."),
    Row("VIEW_MONETIZATION_INSIGHTS", "Revenue insights", "See what the Page's content earns."),
    Row("PROFILE_PLUS_REVENUE", "Revenue", "See and manage what the Page earns."),
    Row("PROFILE_PLUS_FACEBOOK_ACCESS", "Access through Facebook", "Use the Page from a personal profile."),
    Row("PROFILE_PLUS_CREATIVE_MANAGEMENT", "Creative work", "Manage the Page's creative material."),
    Row("PROFILE_PLUS_CREATOR_MANAGEMENT", "Creators", "Manage work with creators."),
];

const ANALYTICS: Row = Row("AA_ANALYZE", "View analytics", "Read it in analytics tools.");

const AD_ACCOUNT: &[Row] = &[
    Row("MANAGE", "Manage ad accounts", "All tasks above, the ad account's settings, and who else may use it."),
    Row("ADVERTISE", "Manage campaigns", "Create, change and stop campaigns and ads."),
    Row("ANALYZE", "View performance", "Read campaigns, ads and their numbers."),
    Row("DRAFT", "Manage Creative Hub mockups", "Make and share drafts of ads."),
    ANALYTICS,
];

const CATALOG: &[Row] = &[
    Row("MANAGE", "Manage catalog", "All tasks above, the catalog's settings, and who else may use it."),
    Row("ADVERTISE", "Create ads", "Use the catalog's products in ads."),
    Row("MANAGE_AR", "Manage AR effects", "Change the effects that show products in space."),
    ANALYTICS,
];

const PIXEL: &[Row] = &[
    Row("EDIT", "Manage pixel", "Change the pixel's name and settings, and who else may use it."),
    Row("ANALYZE", "View pixel", "See the pixel's events and numbers."),
    Row("UPLOAD", "Upload events", "Send events to the pixel."),
    Row("ADVERTISE", "Use in ads", "Measure and aim ads with the pixel."),
    ANALYTICS,
];

const INSTAGRAM: &[Row] = &[
    Row("CONTENT", "Content", "Publish and delete what the account shows."),
    Row("MESSAGES", "Messages", "Read and send messages as the account."),
    Row("COMMUNITY_ACTIVITY", "Community activity", "Answer, hide and delete comments."),
    Row("ADVERTISE", "Ads", "Make ads that belong to the account."),
    Row("ANALYZE", "Insights", "See the numbers of the account and its media."),
];

const WHATSAPP: &[Row] = &[
    Row("MANAGE", "Everything", "All tasks above, the account's settings, and who else may use it."),
    Row("DEVELOP", "Develop", "Connect software to the account and test it."),
    Row("MANAGE_TEMPLATES", "Manage templates", "Create, change and delete message templates."),
    Row("VIEW_TEMPLATES", "View templates", "Read message templates."),
    Row("MANAGE_PHONE", "Manage phone numbers", "Add, change and remove phone numbers."),
    Row("MANAGE_PHONE_ASSETS", "Manage number settings", "Change what belongs to phone numbers, such as profiles."),
    Row("VIEW_PHONE_ASSETS", "View phone numbers", "See phone numbers and what belongs to them."),
    Row("MESSAGING", "Messages", "Read and send messages as the account."),
    Row("VIEW_COST", "View costs", "See what messages cost."),
    Row("MANAGE_EXTENSIONS", "Manage extensions", "Change the extensions of the account."),
];

const APP: &[Row] = &[
    Row("MANAGE", "Manage app", "All tasks above, the app's settings, and who else may use it."),
    Row("DEVELOP", "Develop app", "Change the app's settings that developers need."),
    Row("TEST", "Test app", "Use the app while it is tested."),
    Row("ANALYZE", "View insights", "See the app's numbers."),
];

/// The words for a task of a kind. A task of a declared kind is read from its own name.
pub fn task(kind: AssetKind, name: &str) -> TaskWords {
    let rows = match kind {
        AssetKind::Page => PAGE,
        AssetKind::AdAccount => AD_ACCOUNT,
        AssetKind::Catalog => CATALOG,
        AssetKind::Pixel => PIXEL,
        AssetKind::InstagramAccount => INSTAGRAM,
        AssetKind::WhatsappAccount => WHATSAPP,
        AssetKind::App => APP,
        AssetKind::Declared(_) => &[],
    };
    let full = name == "MANAGE" || (kind == AssetKind::Pixel && name == "EDIT");
    match rows.iter().find(|row| row.0 == name) {
        Some(row) => TaskWords { label: row.1.into(), sentence: row.2.into(), full },
        None if full => TaskWords { label: "Everything".into(), sentence: "All tasks above.".into(), full },
        None => TaskWords { label: readable(name), sentence: String::new(), full },
    }
}

/// `READ_STOCK` as "Read stock".
fn readable(name: &str) -> String {
    let words = name.replace('_', " ").to_ascii_lowercase();
    let first = words.chars().next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(words.chars().skip(1)).collect()
}

/// Why a task is on and locked: another one includes it.
pub fn included_by(label: &str) -> String {
    format!("{label} includes it")
}

/// The groups of scopes, in the order of the page.
pub const SCOPE_GROUPS: &[&str] = &["Pages", "Ads", "Catalogs", "Business", "Instagram", "WhatsApp", "Shops", "Basics"];

/// The group of a scope, one of [`SCOPE_GROUPS`].
pub fn scope_group(scope: Scope) -> &'static str {
    let name = scope.name();
    let starts = |prefix: &str| name.starts_with(prefix);
    if starts("ads_") || starts("attribution") || name == "leads_retrieval" || starts("read_audience") {
        "Ads"
    } else if starts("page") || starts("read_") || name == "publish_video" {
        "Pages"
    } else if starts("catalog") {
        "Catalogs"
    } else if starts("instagram") {
        "Instagram"
    } else if starts("whatsapp") {
        "WhatsApp"
    } else if starts("commerce") {
        "Shops"
    } else if name == "public_profile" {
        "Basics"
    } else {
        "Business"
    }
}

/// What a scope lets a token be used for, without a full stop at the end.
pub fn scope_sentence(scope: Scope) -> &'static str {
    scope.row().sentence.trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use valetkey_domain::kind::TABLE;

    #[test]
    fn every_task_of_every_built_in_kind_has_words_of_its_own() {
        for row in TABLE {
            for name in row.tasks {
                let words = task(row.kind, name.name);
                let fallback = ["", "All tasks above."].contains(&words.sentence.as_str());
                assert!(!fallback, "{} {} has no row", row.word, name.name);
            }
        }
    }

    #[test]
    fn a_task_of_a_declared_kind_is_read_from_its_name() {
        assert_eq!(task(AssetKind::Declared(0), "READ_STOCK").label, "Read stock");
        assert!(task(AssetKind::Declared(0), "MANAGE").full);
    }

    #[test]
    fn every_scope_has_a_group_that_the_page_shows() {
        for scope in Scope::all() {
            assert!(SCOPE_GROUPS.contains(&scope_group(scope)), "{}", scope.name());
            assert!(!scope_sentence(scope).ends_with('.'), "{}", scope.name());
        }
    }
}
