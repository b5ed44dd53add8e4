//! Names that are markup, that run from right to left, and that are as long as they may be: on every
//! page they are text, and never change the text around them.

use http::Method;
use valetkey_domain::post::PostInput;
use valetkey_domain::rules::app::AppEdit;
use valetkey_domain::rules::business::BusinessEdit;
use valetkey_domain::rules::person::PersonEdit;
use valetkey_domain::rules::system_user::SystemUserEdit;
use valetkey_domain::rules::token::{IssueRequest, Lifetime};
use valetkey_domain::{AssetKind, IdKind, Purpose, ScopeSet};
use valetkey_service::authz::Sorts;
use valetkey_service::{Call, rights};

use crate::fixture::{World, all_of, name};
use crate::html::{self, Part};
use crate::rules::faults;

const MARKUP: &str = "<b>\"'&amp;</b></title></textarea><script>alert(1)</script>{{7*7}}";
/// Hebrew between marks that a name may hold.
const RIGHT_TO_LEFT: &str = "\u{200f}\u{5e9}\u{5dc}\u{5d5}\u{5dd}\u{200e} (1)";

/// Gives everything in the first two businesses this name.
async fn rename_all(world: &World, to: &str) {
    let (service, by) = (&world.service, &world.company.person);
    for company in [&world.company, &world.partner] {
        let by = &company.person;
        let edit = BusinessEdit { name: Some(name(to)), ..BusinessEdit::default() };
        service.update_business(by, company.business, edit).await.unwrap();
        let edit = PersonEdit { name: Some(name(to)), ..PersonEdit::default() };
        service.update_person(by, company.admin_person, edit).await.unwrap();
        for asset in &company.assets {
            let is_page = asset.kind() == Some(IdKind::Page);
            let kind = if is_page { AssetKind::Page } else { AssetKind::AdAccount };
            let question = rights::share(*asset, kind).sorts(Sorts::USERS);
            service.rename_asset(by, question, *asset, name(to)).await.unwrap();
        }
    }
    let edit = PersonEdit { name: Some(name(to)), ..PersonEdit::default() };
    service.update_person(by, world.worker, edit).await.unwrap();
    for user in [world.robot, world.company.employee, world.company.admin] {
        let edit = SystemUserEdit { name: Some(name(to)), ..SystemUserEdit::default() };
        service.update_system_user(by, user, edit).await.unwrap();
    }
    for app in [world.app, world.company.app] {
        let edit = AppEdit { name: Some(name(to)), ..AppEdit::default() };
        service.update_app(by, app, edit).await.unwrap();
    }
    let ask = IssueRequest {
        system_user: world.robot,
        app: world.app,
        scopes: ScopeSet::all(),
        lifetime: Lifetime::Never,
        add_dependencies: true,
        purpose: Purpose::parse(to).ok(),
    };
    let (_, text) = service.issue_token(by, ask).await.unwrap().value;
    let input = PostInput { message: Some(to.to_owned()), ..PostInput::default() };
    let question = rights::PUBLISH.on_asset(world.page, AssetKind::Page);
    service.create_post(&Call::with_token(text.reveal(), "t"), question, world.page, input).await.unwrap();
}

/// Every page, and the search for the name, with where each was.
async fn pages(world: &World, query: &str) -> Vec<(String, String)> {
    let ids = world.ids();
    let mut addresses: Vec<String> = all_of(Method::GET).iter().map(|route| ids.address(&route.path)).collect();
    let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
    for list in ["search", "people", "system-users", "partners", "tokens"] {
        addresses.push(format!("/console/{list}?q={query}"));
    }
    for user in [world.robot, world.worker] {
        let sort = if user == world.robot { "system-users" } else { "people" };
        addresses.push(format!("/console/{sort}/{user}/assign?asset={}&task=MODERATE", world.page));
    }
    addresses.push(format!("/console/system-users/{}/revoke?token={}", world.robot, world.robot_token));
    addresses.push(format!("/console/partners/share?business={}&asset={}", world.partner.business, world.page));
    addresses.push(format!("/console/tokens?user={}&app={}", world.robot, world.app));
    let mut pages = Vec::new();
    for address in addresses {
        let answer = world.get(&address).await;
        let wrong = faults(&answer, &address);
        assert_eq!(wrong, Vec::<String>::new(), "with names of {query:.20}");
        if answer.is_html() {
            pages.push((address, answer.html));
        }
    }
    pages
}

#[tokio::test]
async fn markup_in_a_name_is_text() {
    let world = World::new().await;
    rename_all(&world, MARKUP).await;
    let mut shown = 0;
    for (address, page) in pages(&world, MARKUP).await {
        // Templates have neither of these, so each would come from a name.
        for raw in ["<b>", "</b>", "<script>", "alert(1)</script"] {
            assert!(!page.contains(raw), "{address} holds {raw}");
        }
        shown += usize::from(html::words(&page).contains(MARKUP));
    }
    assert!(shown > 30, "the names stand on {shown} pages only");
}

#[tokio::test]
async fn a_name_that_runs_from_right_to_left_stands_apart() {
    let world = World::new().await;
    rename_all(&world, RIGHT_TO_LEFT).await;
    let mut loose = Vec::new();
    for (address, page) in pages(&world, RIGHT_TO_LEFT).await {
        let mut open: Vec<(String, bool)> = Vec::new();
        for part in html::read(&page) {
            match part {
                Part::Open(tag) if !tag.is_void() => {
                    let apart = ["bdi", "title", "option", "textarea", "caption"].contains(&tag.name.as_str());
                    open.push((tag.name.clone(), apart || tag.get("dir") == Some("auto")));
                }
                Part::Open(_) => {}
                Part::Close(_) => drop(open.pop()),
                Part::Text(text) => {
                    if text.contains('\u{5e9}') && !open.iter().any(|(_, apart)| *apart) {
                        let inside: Vec<&str> = open.iter().map(|(name, _)| name.as_str()).collect();
                        loose.push(format!("{address}: {:?} in {}", text.trim(), inside.join(" ")));
                    }
                }
            }
        }
    }
    assert!(loose.is_empty(), "{} names outside <bdi>:\n{}", loose.len(), loose.join("\n"));
}

#[tokio::test]
async fn the_longest_names_fit_every_page() {
    let world = World::new().await;
    let wide = "\u{1f6b2}".repeat(200);
    rename_all(&world, &wide).await;
    for (address, page) in pages(&world, "\u{1f6b2}").await {
        assert!(page.len() < 100_000, "{address} has {} bytes", page.len());
    }
    let one = "W".repeat(200);
    rename_all(&world, &one).await;
    pages(&world, &one).await;
}

/// Marks that turn the text around them are no part of a name.
#[tokio::test]
async fn marks_that_turn_the_text_are_refused_beside_the_field() {
    let world = World::new().await;
    let long = "x".repeat(201);
    let head = world.head().await;
    for path in ["/console/apps/new", "/console/system-users/new", "/console/people/new", "/console/assets/new"] {
        for wrong in ["\u{202e}evil", "a\u{2066}b", "line\nbreak", "e\u{301}", long.as_str()] {
            let mut form = html::form_to(&world.get(path).await.html, path);
            form.set("name", wrong);
            form.set("email", "a@zeta.example");
            let answer = world.post(path, &form.fields).await;
            assert_eq!(answer.code(), 422, "{path} {wrong:?}");
            assert!(answer.html.contains("name-error"), "{path} {wrong:?}");
            assert_eq!(faults(&answer, path), Vec::<String>::new());
        }
    }
    assert_eq!(world.head().await, head);
}
