//! What tasks are called for people, as Meta's business settings call them.
//!
//! The wire keeps the names of [`crate::task`]. A title must never be read back.

use crate::AssetKind;

/// The titles that are not just the name in plain letters.
const TITLES: &[(AssetKind, &str, &str)] = &[
    (AssetKind::Page, "MANAGE", "Full control"),
    (AssetKind::Page, "CREATE_CONTENT", "Content"),
    (AssetKind::Page, "MODERATE", "Community activity"),
    (AssetKind::Page, "MESSAGING", "Messages and calls"),
    (AssetKind::Page, "ADVERTISE", "Ads"),
    (AssetKind::Page, "ANALYZE", "Insights"),
    (AssetKind::Page, "MANAGE_LEADS", "Leads"),
    (AssetKind::Page, "PROFILE_PLUS_REVENUE", "Revenue"),
    (AssetKind::AdAccount, "MANAGE", "Manage ad account"),
    (AssetKind::AdAccount, "ADVERTISE", "Manage campaigns"),
    (AssetKind::AdAccount, "ANALYZE", "View performance"),
    (AssetKind::AdAccount, "DRAFT", "Manage mockups"),
    (AssetKind::Catalog, "MANAGE", "Manage catalog"),
    (AssetKind::Catalog, "ADVERTISE", "Create ads"),
    (AssetKind::Pixel, "EDIT", "Edit pixel"),
    (AssetKind::Pixel, "ANALYZE", "View events"),
    (AssetKind::Pixel, "UPLOAD", "Upload events"),
    (AssetKind::Pixel, "ADVERTISE", "Use in ads"),
    (AssetKind::InstagramAccount, "ADVERTISE", "Ads"),
    (AssetKind::InstagramAccount, "ANALYZE", "Insights"),
    (AssetKind::WhatsappAccount, "MANAGE", "Full control"),
    (AssetKind::App, "MANAGE", "Manage app"),
    (AssetKind::App, "DEVELOP", "Develop app"),
    (AssetKind::App, "TEST", "Test app"),
    (AssetKind::App, "ANALYZE", "View insights"),
];

/// The title of a task of a kind. One without a title is its name in plain letters.
pub fn task_title(kind: AssetKind, task: &str) -> String {
    let row = TITLES.iter().find(|(of, name, _)| *of == kind && *name == task);
    row.map_or_else(|| plain(task), |(_, _, title)| (*title).to_owned())
}

/// `VIEW_TEMPLATES` → `View templates`.
fn plain(name: &str) -> String {
    let text = name.trim_start_matches("PROFILE_PLUS_").replace('_', " ").to_lowercase();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::TABLE;

    #[test]
    fn every_title_is_of_a_task_that_exists_and_no_two_of_a_kind_are_alike() {
        for (kind, name, _) in TITLES {
            let row = kind.row().unwrap();
            assert!(row.tasks.iter().any(|task| task.name == *name), "{} {name}", row.word);
        }
        for row in TABLE {
            let mut seen = std::collections::HashSet::new();
            for task in row.tasks {
                let title = task_title(row.kind, task.name);
                assert!(title.starts_with(char::is_uppercase) && !title.contains('_'), "{title}");
                assert!(seen.insert(title.clone()), "{}: {title} stands for two tasks", row.word);
            }
        }
        assert_eq!(task_title(AssetKind::Declared(0), "OPEN_GATE"), "Open gate");
    }
}
