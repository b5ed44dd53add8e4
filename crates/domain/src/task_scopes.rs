//! Which scope lets a token use a task: what to choose for a token once its user's tasks are known.
//!
//! This is advice for people who choose scopes. A decision must never rest on it: what a call needs
//! stands with its right.

use crate::{AssetKind, DeclaredKind, Role, Scope, ScopeSet, TaskSet, task::Vocabulary};

/// A row: the task of a kind, and the scope that opens it.
struct Row(AssetKind, &'static str, &'static str);

const TABLE: &[Row] = &[
    Row(AssetKind::Page, "MANAGE", "pages_manage_metadata"),
    Row(AssetKind::Page, "CREATE_CONTENT", "pages_manage_posts"),
    Row(AssetKind::Page, "MODERATE", "pages_manage_engagement"),
    Row(AssetKind::Page, "MESSAGING", "pages_messaging"),
    Row(AssetKind::Page, "ADVERTISE", "pages_manage_ads"),
    Row(AssetKind::Page, "ANALYZE", "read_insights"),
    Row(AssetKind::Page, "MANAGE_LEADS", "leads_retrieval"),
    Row(AssetKind::AdAccount, "MANAGE", "ads_management"),
    Row(AssetKind::AdAccount, "ADVERTISE", "ads_management"),
    Row(AssetKind::AdAccount, "ANALYZE", "ads_read"),
    Row(AssetKind::AdAccount, "DRAFT", "ads_management"),
    Row(AssetKind::Catalog, "MANAGE", "catalog_management"),
    Row(AssetKind::Catalog, "ADVERTISE", "ads_management"),
    Row(AssetKind::Pixel, "EDIT", "ads_management"),
    Row(AssetKind::Pixel, "ANALYZE", "ads_read"),
    Row(AssetKind::Pixel, "UPLOAD", "ads_management"),
    Row(AssetKind::Pixel, "ADVERTISE", "ads_management"),
    Row(AssetKind::InstagramAccount, "CONTENT", "instagram_content_publish"),
    Row(AssetKind::InstagramAccount, "MESSAGES", "instagram_manage_messages"),
    Row(AssetKind::InstagramAccount, "COMMUNITY_ACTIVITY", "instagram_manage_comments"),
    Row(AssetKind::InstagramAccount, "ADVERTISE", "ads_management"),
    Row(AssetKind::InstagramAccount, "ANALYZE", "instagram_manage_insights"),
    Row(AssetKind::WhatsappAccount, "MANAGE", "whatsapp_business_management"),
    Row(AssetKind::WhatsappAccount, "MANAGE_TEMPLATES", "whatsapp_business_management"),
    Row(AssetKind::WhatsappAccount, "VIEW_TEMPLATES", "whatsapp_business_management"),
    Row(AssetKind::WhatsappAccount, "MANAGE_PHONE", "whatsapp_business_management"),
    Row(AssetKind::WhatsappAccount, "MESSAGING", "whatsapp_business_messaging"),
];

/// Those scopes that open what a set of tasks allows on an asset of a kind. Empty for kinds that the
/// operator declared: their tasks need no scope.
pub fn scopes_for(kind: AssetKind, declared: Option<&DeclaredKind>, tasks: TaskSet) -> ScopeSet {
    let Some(words) = Vocabulary::of(kind, declared) else { return ScopeSet::EMPTY };
    let expanded = words.expanded(tasks);
    let rows = TABLE.iter().filter(|row| row.0 == kind);
    rows.filter(|row| words.parse(row.1).is_some_and(|task| expanded.meets(task)))
        .filter_map(|row| Scope::parse(row.2))
        .collect()
}

/// What an ADMIN system user needs before anything else.
pub fn scopes_for_role(role: Role) -> ScopeSet {
    match role {
        Role::Admin => [Scope::BUSINESS_MANAGEMENT].into_iter().collect(),
        Role::Employee => ScopeSet::EMPTY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_names_a_task_and_a_scope_that_exist() {
        for Row(kind, task, scope) in TABLE {
            let words = Vocabulary::of(*kind, None).unwrap();
            assert!(words.parse(task).is_some(), "{kind:?} {task}");
            assert!(Scope::parse(scope).is_some(), "{scope}");
        }
    }

    #[test]
    fn an_implied_task_brings_its_scope() {
        let page = Vocabulary::of(AssetKind::Page, None).unwrap();
        let scopes = |task: &str| scopes_for(AssetKind::Page, None, page.parse(task).unwrap()).names();
        assert_eq!(scopes("CREATE_CONTENT"), ["pages_manage_posts"]);
        assert_eq!(scopes("ADVERTISE"), ["pages_manage_ads", "read_insights"]);
        assert!(scopes("MANAGE").contains(&"pages_manage_posts"));
    }
}
