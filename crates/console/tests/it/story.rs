//! The main path as requests: from a business without anything to a token that works, and back.

use valetkey_domain::{AssetKind, UserId};
use valetkey_service::Call;
use valetkey_service::authz::Question;
use valetkey_service::operator::Operator;

use crate::fixture::{Answer, REFUSED, Session, World, all_of, fields, name};
use crate::html;
use crate::rules::faults;

/// Who uses the console in a story, and what it is asked to do.
struct Story<'a> {
    world: &'a World,
    session: Session,
}

impl Story<'_> {
    async fn open(&self, path: &str) -> Answer {
        let answer = self.world.open(Some(&self.session.text), path).await;
        assert_eq!(faults(&answer, path), Vec::<String>::new());
        answer
    }

    async fn send(&self, path: &str, sent: &[(String, String)]) -> Answer {
        let answer = self.world.submit(Some(&self.session.text), path, &sent.to_vec()).await;
        assert_eq!(faults(&answer, path), Vec::<String>::new());
        answer
    }

    /// Opens a page, types a name into its form, and sends it.
    async fn name(&self, address: &str, name: &str) -> Answer {
        let path = address.split('?').next().unwrap();
        let mut form = html::form_to(&self.open(address).await.html, path);
        form.set("name", name);
        self.send(path, &form.fields).await
    }
}

/// The path of a redirect, without what it says was done.
fn led(answer: &Answer) -> String {
    assert_eq!(answer.code(), 303, "{}", html::words(&answer.html));
    answer.location().split('?').next().unwrap().to_owned()
}

fn is_alive(world: &World, text: &str) -> bool {
    world.service.ask(&Call::with_token(text, "t"), Question::alive()).is_ok()
}

async fn new_business(world: &World) -> Session {
    let operator = Call::operator("t");
    let made = world.service.create_business(&operator, name("Fresh Start"), name("Fay"), "fay@fresh.example").await;
    world.sign_in(made.unwrap().value.1).await
}

#[tokio::test]
async fn from_the_empty_page_to_a_token_and_back() {
    let world = World::new().await;
    let story = Story { world: &world, session: new_business(&world).await };
    let list = "/console/system-users";
    assert_eq!(story.open("/console").await.location(), list);
    let empty = story.open(list).await;
    assert!(html::words(&empty.html).contains("Connect an app first"));
    // Without an app the way leads over a new one, and back.
    let first = story.open("/console/system-users/new").await;
    assert_eq!(first.location(), "/console/apps/new?return_to=/console/system-users/new");
    let mut form = html::form_to(&story.open(first.location()).await.html, "/console/apps/new");
    form.set("name", "Desk");
    let created = story.send("/console/apps/new", &form.fields).await;
    let secret = html::text_of_id(&created.html, "secret").unwrap();
    assert!(secret.len() >= 32, "the secret is shown");
    assert!(created.html.contains("href=\"/console/system-users/new\""), "and the way goes on");
    let head = world.head().await;
    let again = story.send("/console/apps/new", &form.fields).await;
    assert_eq!(again.code(), 409);
    assert!(!again.html.contains(&secret));
    // The terms stand before the first one.
    let terms = story.open("/console/system-users/new").await;
    assert_eq!(terms.location(), "/console/terms?return_to=/console/system-users/new");
    assert_eq!(world.head().await, head);
    let form = html::form_to(&story.open(terms.location()).await.html, "/console/terms");
    assert_eq!(led(&story.send("/console/terms", &form.fields).await), "/console/system-users/new");
    // Name and role; EMPLOYEE is chosen.
    let form = html::form_to(&story.open("/console/system-users/new").await.html, "/console/system-users/new");
    assert_eq!(form.value("role"), Some("EMPLOYEE"));
    let user = led(&story.name("/console/system-users/new", "Night shift").await);
    let page = led(&story.name("/console/assets/new?kind=page", "Front door").await);
    let page = page.rsplit('/').next().unwrap().to_owned();
    // A task on the Page.
    let assign = format!("{user}/assign");
    let shown = story.open(&format!("{assign}?asset={page}&task=CREATE_CONTENT")).await;
    let form = html::form_to(&shown.html, &assign);
    assert_eq!(led(&story.send(&assign, &form.press("go", "save")).await), user);
    assert!(html::words(&story.open(&user).await.html).contains("Front door"));
    // A token, shown once.
    let generate = format!("{user}/token");
    let mut form = html::form_to(&story.open(&generate).await.html, &generate);
    assert!(form.fields.contains(&("scope".to_owned(), "pages_manage_posts".to_owned())), "preselected: {form:?}");
    assert_eq!(form.value("end"), Some("60"));
    form.set("purpose", "Opens the shop");
    let sent = form.press("go", "generate");
    let once = story.send(&generate, &sent).await;
    let token = html::text_of_id(&once.html, "token").unwrap_or_else(|| panic!("{}", html::words(&once.html)));
    assert!(is_alive(&world, &token));
    assert_eq!(once.header("cache-control"), "no-store");
    let head = world.head().await;
    let reload = story.send(&generate, &sent).await;
    assert_eq!(reload.code(), 409);
    assert!(!reload.html.contains(&token));
    assert_eq!(world.head().await, head, "a reload issues nothing");
    let ids = world.ids();
    for route in all_of(http::Method::GET) {
        for path in [ids.address(&route.path), route.path.replace("/console/system-users/{}", &user)] {
            let answer = world.open(Some(&story.session.text), &path.replace("{}", REFUSED)).await;
            assert!(!answer.html.contains(&token) && !answer.html.contains(&secret), "{path} shows it again");
        }
    }
    // Revoked, with a receipt.
    let at = once.html.find("/revoke?token=").unwrap() + "/revoke?token=".len();
    let id: String = once.html[at..].chars().take_while(char::is_ascii_digit).collect();
    let revoke = format!("{user}/revoke");
    let form = html::form_to(&story.open(&format!("{revoke}?token={id}")).await.html, &revoke);
    let receipt = story.send(&revoke, &form.fields).await;
    let words = html::words(&receipt.html);
    assert!(words.contains("1 token is revoked") && words.contains("Fay"), "{words}");
    assert!(words.contains(&world.head().await.to_string()), "the receipt names its revision: {words}");
    assert!(!is_alive(&world, &token));
    // Off, on again, and gone.
    let status = format!("{user}/status");
    for wanted in ["DEACTIVATED", "ACTIVE"] {
        let form = html::form_to(&story.open(&status).await.html, &status);
        assert_eq!(form.value("status"), Some(wanted));
        assert_eq!(led(&story.send(&status, &form.fields).await), user);
    }
    let delete = format!("{user}/delete");
    let form = html::form_to(&story.open(&delete).await.html, &delete);
    assert_eq!(led(&story.send(&delete, &form.fields).await), list);
    assert_eq!(story.open(&user).await.code(), 404);
    assert_eq!(story.send(&delete, &form.fields).await.code(), 404, "the same form once more");
}

#[tokio::test]
async fn what_was_not_seen_is_not_saved() {
    let world = World::new().await;
    let path = format!("/console/system-users/{}/assign", world.company.employee);
    let page = world.page;
    let shown = world.get(&format!("{path}?asset={page}&task=CREATE_CONTENT")).await;
    let mut form = html::form_to(&shown.html, &path);
    // Without script nothing on the page follows this switch.
    form.tick("task", "ANALYZE");
    let head = world.head().await;
    let review = world.post(&path, &form.press("go", "save")).await;
    assert_eq!(review.code(), 200);
    assert!(html::words(&review.html).contains("Review 2 changes"), "{}", html::words(&review.html));
    assert_eq!(faults(&review, "review"), Vec::<String>::new());
    assert_eq!(world.head().await, head);
    let form = html::form_to(&review.html, &path);
    let saved = world.post(&path, &form.press("go", "save")).await;
    assert_eq!(saved.code(), 303, "{}", html::words(&saved.html));
    assert_eq!(tasks(&world, world.company.employee), ["ANALYZE", "CREATE_CONTENT"]);
    // Taken away again by the switches of the page.
    let shown = world.get(&format!("{path}?asset={page}")).await;
    let mut form = html::form_to(&shown.html, &path);
    form.untick("task", "ANALYZE");
    let review = world.post(&path, &form.press("go", "review")).await;
    assert!(html::words(&review.html).contains("Taken away"));
    let saved = world.post(&path, &html::form_to(&review.html, &path).press("go", "save")).await;
    assert_eq!(saved.code(), 303);
    assert_eq!(tasks(&world, world.company.employee), ["CREATE_CONTENT"]);
}

/// The tasks of a user on the Page of the first business, by their names.
fn tasks(world: &World, user: UserId) -> Vec<&'static str> {
    let page = world.page;
    let set = Operator::of(&world.service, "t").read(|state| state.assignment(user, page).map(|a| a.tasks)).unwrap();
    let words = valetkey_domain::task::Vocabulary::of(AssetKind::Page, None).unwrap();
    let row = AssetKind::Page.row().unwrap();
    let mut names: Vec<&str> = row.tasks.iter().map(|task| task.name).collect();
    names.retain(|name| set.is_some_and(|set| words.parse(name).is_some_and(|task| set.meets(task))));
    names.sort_unstable();
    names
}

#[tokio::test]
async fn what_somebody_else_changed_meanwhile_is_not_overwritten() {
    let world = World::new().await;
    let user = world.company.employee;
    let path = format!("/console/system-users/{user}/assign");
    let shown = world.get(&format!("{path}?asset={}&task=CREATE_CONTENT", world.page)).await;
    let form = html::form_to(&shown.html, &path);
    let theirs = vec!["MODERATE".to_owned()];
    world.service.assign(&world.company.person, world.page, user, theirs).await.unwrap();
    let head = world.head().await;
    let answer = world.post(&path, &form.press("go", "save")).await;
    assert_eq!(answer.code(), 422);
    assert!(html::words(&answer.html).contains("Somebody else changed Heron Page meanwhile"));
    assert_eq!(faults(&answer, "stale"), Vec::<String>::new());
    assert_eq!(world.head().await, head);
    assert_eq!(tasks(&world, user), ["MODERATE"]);
}

/// Two tabs with the same form: the second is shown_again what the first did.
#[tokio::test]
async fn the_second_of_two_tabs_overwrites_nothing() {
    let world = World::new().await;
    for (path, was) in [
        (format!("/console/assets/{}/rename", world.page), "Heron Page"),
        (format!("/console/apps/{}/rename", world.app), "Kestrel Desk"),
        (format!("/console/people/{}/name", world.worker), "Zora Quill"),
    ] {
        let mut one = html::form_to(&world.get(&path).await.html, &path);
        let mut two = html::form_to(&world.get(&path).await.html, &path);
        assert_eq!(one.value("name"), Some(was));
        one.set("name", "Name of the first tab");
        two.set("name", "Name of the second tab");
        assert_eq!(world.post(&path, &one.fields).await.code(), 303, "{path}");
        let head = world.head().await;
        let shown_again = world.post(&path, &two.fields).await;
        let words = html::words(&shown_again.html);
        assert_eq!(shown_again.code(), 422, "{path}");
        assert!(words.contains("Name of the first tab") && words.contains("Name of the second tab"), "{path}: {words}");
        assert_eq!(faults(&shown_again, &path), Vec::<String>::new());
        assert_eq!(world.head().await, head, "{path}");
        // Whoever saw both may save its own.
        let mine = world.post(&path, &html::form_to(&shown_again.html, &path).fields).await;
        assert_eq!(mine.code(), 303, "{path}: {}", html::words(&mine.html));
    }
}

/// A page that was opened before the thing was deleted acts on nothing.
#[tokio::test]
async fn a_form_about_what_is_gone_is_not_found() {
    let world = World::new().await;
    let path = format!("/console/system-users/{}/token", world.robot);
    let form = html::form_to(&world.get(&path).await.html, &path);
    world.service.delete_system_user(&world.company.person, world.robot).await.unwrap();
    let head = world.head().await;
    let answer = world.post(&path, &form.press("go", "generate")).await;
    assert_eq!(answer.code(), 404);
    assert_eq!(world.head().await, head);
}

/// Sends the same form from two tasks at once; the codes of both answers, the smaller first.
async fn at_once(world: &World, path: &str, sent: &[(String, String)]) -> ([u16; 2], u64) {
    use valetkey_http::{Adapter as _, Origin};
    let before = world.head().await;
    let cookie = Some(world.admin.text.as_str());
    let sent = sent.to_vec();
    let requests = [0, 1].map(|_| world.request(http::Method::POST, path, cookie, &sent));
    let tasks = requests.map(|request| tokio::spawn(world.console.handle(request, Origin::Network)));
    let mut codes = Vec::new();
    for task in tasks {
        codes.push(task.await.unwrap().status.as_u16());
    }
    codes.sort_unstable();
    ([codes[0], codes[1]], world.head().await - before)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sent_twice_at_once_a_form_has_one_effect() {
    let world = World::new().await;
    let path = "/console/system-users/new";
    let mut form = html::form_to(&world.get(path).await.html, path);
    form.set("name", "Twice");
    assert_eq!(at_once(&world, path, &form.fields).await, ([303, 409], 1));
    let path = "/console/apps/new";
    let mut form = html::form_to(&world.get(path).await.html, path);
    form.set("name", "Twice");
    let (codes, moved) = at_once(&world, path, &form.fields).await;
    assert_eq!(codes, [200, 409]);
    assert!(moved > 0);
    let path = format!("/console/system-users/{}/token", world.robot);
    let form = html::form_to(&world.get(&path).await.html, &path);
    assert_eq!(at_once(&world, &path, &form.press("go", "generate")).await, ([200, 409], 1));
    let path = format!("/console/system-users/{}/revoke", world.robot);
    let form = html::form_to(&world.get(&path).await.html, &path);
    let (codes, _) = at_once(&world, &path, &form.fields).await;
    assert_eq!(codes, [200, 409]);
    assert!(!is_alive(&world, &world.robot_text));
}

/// A second form about what was done already, from another tab, says so and does no harm.
#[tokio::test]
async fn revoking_what_is_revoked_is_no_fault() {
    let world = World::new().await;
    let path = format!("/console/system-users/{}/revoke", world.robot);
    let address = format!("{path}?token={}", world.robot_token);
    let (one, two) = (world.get(&address).await, world.get(&address).await);
    assert_eq!(world.post(&path, &html::form_to(&one.html, &path).fields).await.code(), 200);
    let head = world.head().await;
    let again = world.post(&path, &html::form_to(&two.html, &path).fields).await;
    assert!(!again.status.is_server_error() && again.is_html(), "{}", again.code());
    assert_eq!(faults(&again, "revoked twice"), Vec::<String>::new());
    assert_eq!(world.head().await, head);
}

/// The id of a form is short; anything longer was not made here.
#[tokio::test]
async fn a_form_with_a_long_id_is_not_ours() {
    let world = World::new().await;
    let head = world.head().await;
    let long = "x".repeat(65);
    let sent = fields(&[("form", long.as_str()), ("name", "Nobody")]);
    assert_eq!(world.post("/console/apps/new", &sent).await.code(), 403);
    assert_eq!(world.head().await, head);
}
