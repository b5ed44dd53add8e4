//! Every task and every scope has words on the pages that offer it.

use serde_json::Map;
use valetkey_domain::kind::TABLE;
use valetkey_domain::{AssetKind, Scope};

use crate::fixture::{World, name};
use crate::html::{self, Part};

/// The text of the label of a field, by the field's id.
fn label_of(page: &str, id: &str) -> String {
    let parts = html::read(page);
    let is_label = |part: &Part| matches!(part, Part::Open(tag) if tag.name == "label" && tag.get("for") == Some(id));
    let at = parts.iter().position(is_label).unwrap_or_else(|| panic!("no label for {id}"));
    let inside = parts[at..].iter().take_while(|part| !matches!(part, Part::Close(name) if name == "label"));
    inside.filter_map(|part| if let Part::Text(text) = part { Some(text.as_str()) } else { None }).collect()
}

#[tokio::test]
async fn every_task_of_every_kind_has_a_label_and_a_sentence() {
    let world = World::new().await;
    let by = &world.company.person;
    for row in TABLE {
        let asset = match row.kind {
            AssetKind::App => world.app.to_string(),
            kind => {
                let made = world.service.create_asset(by, kind, world.company.business, name("One"), Map::new()).await;
                made.unwrap().value.to_string()
            }
        };
        let path = format!("/console/system-users/{}/assign?asset={asset}", world.robot);
        let page = world.get(&path).await.html;
        for task in row.tasks {
            let label = label_of(&page, &format!("task-{}", task.name));
            assert!(label.contains(task.name), "{} {} shows {label:?}", row.word, task.name);
            assert!(label.replace(task.name, "").trim().len() > 2, "{} {} has no label", row.word, task.name);
            let sentence = html::text_of_id(&page, &format!("task-{}-text", task.name)).unwrap_or_default();
            assert!(sentence.ends_with('.') && sentence.len() > 10, "{} {}: {sentence:?}", row.word, task.name);
        }
    }
}

#[tokio::test]
async fn every_scope_stands_in_a_group_with_a_sentence() {
    let world = World::new().await;
    let page = world.get(&format!("/console/apps/{}/scopes", world.app)).await.html;
    let form = html::form_to(&page, &format!("/console/apps/{}/scopes", world.app));
    let boxes = form.fields.iter().chain(&form.unticked).filter(|(name, _)| name == "scope");
    let offered: Vec<&str> = boxes.map(|(_, scope)| scope.as_str()).collect();
    for scope in Scope::all().filter(|scope| *scope != Scope::PUBLIC_PROFILE) {
        assert_eq!(offered.iter().filter(|name| **name == scope.name()).count(), 1, "{}", scope.name());
    }
    let words = html::words(&page);
    for scope in Scope::all() {
        let sentence = scope.row().sentence.trim_end_matches('.');
        assert!(scope == Scope::PUBLIC_PROFILE || words.contains(sentence), "{} has no sentence", scope.name());
    }
}

/// A word in an address that says what was done is a word of the list; any other says nothing.
#[tokio::test]
async fn what_was_done_is_said_in_words_of_the_console_alone() {
    let world = World::new().await;
    let done = world.get("/console/people?done=renamed").await;
    assert!(html::words(&done.html).contains("The name is changed."));
    let invented = world.get("/console/people?done=Your+account+is+blocked").await;
    assert!(!invented.html.contains("blocked") && !invented.html.contains("id=\"flash\""));
}
