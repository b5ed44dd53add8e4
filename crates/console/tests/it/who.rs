//! Who may come: nobody without a session, nobody with something else in the cookie, an EMPLOYEE to no
//! page of admins.

use http::Method;
use valetkey_console::Who;
use valetkey_domain::rules::person::PersonEdit;
use valetkey_domain::rules::sign_in::SESSION_LIFETIME_MS;
use valetkey_domain::{Role, Status};
use valetkey_service::Call;
use valetkey_service::authz::Question;
use valetkey_testkit::clock::MINUTE_MS;

use crate::fixture::{Answer, Fields, World, all_of, fields, name, never_issued, signed_of};
use crate::html;
use crate::rules::faults;

/// Names of fields that hold secrets. What a page takes as a password is added by the test.
const SECRET_FIELDS: [&str; 5] = ["code", "password", "new_password", "secret", "answer"];

/// What an address leads to when nobody is signed in.
fn sign_in_and_back(address: &str) -> String {
    let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("return_to", address).finish();
    format!("/console/sign-in?{query}")
}

#[tokio::test]
async fn without_a_session_every_page_leads_to_the_sign_in_and_back() {
    let world = World::new().await;
    let ids = world.ids();
    for route in signed_of(Method::GET) {
        for address in [ids.path(&route.path), format!("{}?q=a%20b&from=50", ids.path(&route.path))] {
            let answer = world.open(None, &address).await;
            assert_eq!((answer.code(), answer.location()), (303, sign_in_and_back(&address).as_str()), "{address}");
            assert!(answer.html.is_empty(), "{address}");
        }
    }
}

#[tokio::test]
async fn a_form_without_a_session_keeps_what_was_typed_but_no_secret() {
    let world = World::new().await;
    let ids = world.ids();
    let mut secret: Vec<String> = SECRET_FIELDS.map(str::to_owned).to_vec();
    for route in all_of(Method::GET) {
        let answer = world.get(&ids.address(&route.path)).await;
        if !answer.is_html() {
            continue;
        }
        let typed = html::forms(&answer.html).into_iter().flat_map(|form| form.typed);
        secret.extend(typed.filter(|(_, kind)| kind == "password").map(|(name, _)| name));
    }
    let typed = [("name", "Zoë <b>&\"'"), ("description", "one\ntwo"), ("go", "save")];
    let mut sent = fields(&typed);
    sent.extend(fields(&[("form", "hush-form")]));
    sent.extend(secret.iter().map(|name| (name.clone(), format!("hush-{name}"))));
    let head = world.head().await;
    for route in signed_of(Method::POST) {
        let path = ids.path(&route.path);
        let answer = world.submit(None, &path, &sent).await;
        assert_eq!(answer.code(), 401, "{path}");
        assert!(!answer.html.contains("hush-"), "{path} keeps a secret: {}", answer.html);
        let form = html::form_to(&answer.html, &path);
        for (name, value) in typed {
            assert_eq!(form.value(name), Some(value), "{path} {name}");
        }
        assert_eq!(form.value("form"), None, "{path}: what works once is not kept");
        assert_eq!(faults(&answer, &path), Vec::<String>::new());
    }
    assert_eq!(world.head().await, head);
}

#[tokio::test]
async fn what_was_kept_is_shown_again_before_anything_is_done() {
    let world = World::new().await;
    let path = "/console/system-users/new";
    let answer = world.submit(None, path, &fields(&[("form", "f1"), ("name", "Ringing bell")])).await;
    let kept = html::form_to(&answer.html, path).fields;
    let head = world.head().await;
    let again = world.post(path, &kept).await;
    assert_eq!(again.code(), 200);
    let form = html::form_to(&again.html, path);
    assert_eq!(form.value("name"), Some("Ringing bell"));
    assert_eq!(world.head().await, head);
    let done = world.post(path, &form.fields).await;
    assert_eq!(done.code(), 303, "{}", html::words(&done.html));
    assert!(world.head().await > head);
}

/// An ended session in the middle of *revoke this one token* must not come back as *revoke all*.
#[tokio::test]
async fn a_kept_form_is_still_about_the_same() {
    let world = World::new().await;
    let path = format!("/console/system-users/{}/revoke", world.robot);
    let shown = world.get(&format!("{path}?token={}", world.robot_token)).await;
    let sent = html::form_to(&shown.html, &path).fields;
    let ended = world.submit(None, &path, &sent).await;
    let again = world.post(&path, &html::form_to(&ended.html, &path).fields).await;
    let form = html::form_to(&again.html, &path);
    assert_eq!(form.value("token"), Some(world.robot_token.to_string().as_str()), "{}", html::words(&again.html));
}

/// What the console does for a cookie that is no live session: the same as for none.
async fn is_nobody(world: &World, cookie: &str, what: &str) {
    let ids = world.ids();
    let head = world.head().await;
    let typed: Fields = fields(&[("form", "x1"), ("name", "Nobody"), ("go", "save")]);
    for route in signed_of(Method::GET) {
        let path = ids.path(&route.path);
        let answer = world.open(Some(cookie), &path).await;
        assert_eq!(answer.location(), sign_in_and_back(&path), "{what}: {path} is {}", answer.code());
    }
    for route in signed_of(Method::POST) {
        let path = ids.path(&route.path);
        assert_eq!(world.submit(Some(cookie), &path, &typed).await.code(), 401, "{what}: {path}");
    }
    assert_eq!(world.head().await, head, "{what}");
}

#[tokio::test]
async fn only_a_live_session_of_a_person_is_accepted() {
    let world = World::new().await;
    let by = world.company.person.clone();
    let command_line = by.text().unwrap().to_owned();
    assert!(world.service.ask(&by, Question::alive()).is_ok(), "it is alive, and yet no session");
    is_nobody(&world, &command_line, "a token for the command line").await;
    is_nobody(&world, &world.robot_text, "a system user's token").await;
    is_nobody(&world, &world.company.admin_token.text, "an ADMIN system user's token").await;
    let robot = Call::with_token(&world.robot_text, "t");
    let (_, page_token) = world.service.page_tokens(&robot, &[world.page]).await.unwrap().remove(0);
    is_nobody(&world, page_token.reveal(), "a Page token").await;
    is_nobody(&world, &format!("{}|{}", world.company.app, world.company.secret), "an app's credential").await;
    let revoked = world.sign_in(world.company.admin_person).await;
    world.service.revoke_token(&by, revoked.token).await.unwrap();
    is_nobody(&world, &revoked.text, "a revoked session").await;
    let worker = world.sign_in(world.worker).await;
    let edit = PersonEdit { status: Some(Status::Deactivated), ..PersonEdit::default() };
    world.service.update_person(&by, world.worker, edit).await.unwrap();
    is_nobody(&world, &worker.text, "the session of somebody who is deactivated").await;
    let cut = &world.admin.text[..world.admin.text.len() - 1];
    for garbage in [cut, "x", "vkeyus_", "\"", "a=b"] {
        is_nobody(&world, garbage, garbage).await;
    }
    assert_eq!(world.get("/console/security").await.code(), 200, "the real one still works");
}

#[tokio::test]
async fn a_session_that_was_left_alone_for_an_hour_has_ended() {
    let world = World::new().await;
    for _ in 0..3 {
        world.clock.advance_ms(59 * MINUTE_MS);
        assert_eq!(world.get("/console/security").await.code(), 200);
    }
    world.clock.advance_ms(60 * MINUTE_MS);
    is_nobody(&world, &world.admin.text, "an idle session").await;
}

#[tokio::test]
async fn a_session_ends_after_its_day_however_busy_it_was() {
    let world = World::new().await;
    let step = 40 * MINUTE_MS;
    for _ in 0..(SESSION_LIFETIME_MS / step - 1) {
        world.clock.advance_ms(step);
        assert_eq!(world.get("/console/security").await.code(), 200);
    }
    world.clock.advance_ms(step);
    is_nobody(&world, &world.admin.text, "an expired session").await;
}

#[tokio::test]
async fn two_cookies_of_the_name_are_none() {
    let world = World::new().await;
    let mut request = world.request(Method::GET, "/console/security", Some(&world.admin.text), &Fields::new());
    let planted = format!("{}=planted", crate::fixture::COOKIE);
    request.headers.append("cookie", planted.parse().unwrap());
    assert_eq!(world.send(request).await.code(), 303);
}

#[tokio::test]
async fn an_employee_comes_to_no_page_of_admins() {
    let world = World::new().await;
    let (ids, worker) = (world.ids(), world.sign_in(world.worker).await);
    let head = world.head().await;
    let typed = [("form", "e1"), ("name", "Mine now"), ("go", "save"), ("role", "ADMIN"), ("status", "ACTIVE")];
    let typed = fields(&typed);
    let check = |answer: &Answer, path: &str| {
        assert_eq!(answer.code(), 403, "{path}");
        assert_eq!(faults(answer, path), Vec::<String>::new());
        for hidden in ["Nightjar Reports", "Kestrel Desk", "Ibis Ads", "Tern Agency"] {
            assert!(!answer.html.contains(hidden), "{path} shows {hidden}");
        }
    };
    for route in signed_of(Method::GET).into_iter().filter(|route| route.who == Who::Admin) {
        let path = ids.address(&route.path);
        check(&world.open(Some(&worker.text), &path).await, &path);
    }
    for route in signed_of(Method::POST).into_iter().filter(|route| route.who == Who::Admin) {
        let path = ids.path(&route.path);
        check(&world.submit(Some(&worker.text), &path, &typed).await, &path);
    }
    assert_eq!(world.head().await, head);
}

/// Routes that are open to every person still show an EMPLOYEE nothing of others, and do nothing to them.
#[tokio::test]
async fn an_employee_reaches_nothing_of_others() {
    let world = World::new().await;
    let worker = world.sign_in(world.worker).await;
    let mut ids = world.ids();
    // The Page is assigned to the worker, and the worker is itself: take those of others.
    ids.asset = world.company.assets[1].to_string();
    ids.person = world.company.admin_person.to_string();
    ids.content = never_issued(&ids.content);
    let head = world.head().await;
    let token = world.admin.token.to_string();
    let was = "Wilhelmina Dray";
    let typed = [("form", "e2"), ("name", "Mine now"), ("was", was), ("token", token.as_str()), ("all", "yes")];
    let typed = fields(&typed);
    let open = |route: &valetkey_console::RouteEntry| route.who == Who::Person && route.path.contains("{}");
    for route in signed_of(Method::GET).into_iter().filter(open) {
        let answer = world.open(Some(&worker.text), &ids.path(&route.path)).await;
        assert!([403, 404].contains(&answer.code()), "{} is {}", route.path, answer.code());
    }
    for route in signed_of(Method::POST).into_iter().filter(open) {
        let answer = world.submit(Some(&worker.text), &ids.path(&route.path), &typed).await;
        assert!([403, 404].contains(&answer.code()), "{} is {}", route.path, answer.code());
    }
    assert_eq!(world.head().await, head);
    for path in ["/console/you", "/console/search?q=Ibis", "/console/search?q=Wilhelmina", "/console/search?q=Night"] {
        let answer = world.open(Some(&worker.text), path).await;
        for hidden in ["Ibis Ads", "Nightjar Reports", "Kestrel Desk", "Nightly job", "ada@alder.example"] {
            assert!(!html::words(&answer.html).contains(hidden), "{path} shows {hidden}");
        }
    }
}

/// Another session's role holds from the next request on.
#[tokio::test]
async fn a_role_that_is_taken_away_counts_at_once() {
    let world = World::new().await;
    let by = world.company.person.clone();
    let made = world.service.create_person(&by, world.company.business, name("Otto"), "o@x.example", Role::Admin).await;
    let person = made.unwrap().value;
    let session = world.sign_in(person).await;
    assert_eq!(world.open(Some(&session.text), "/console/people").await.code(), 200);
    let edit = PersonEdit { role: Some(Role::Employee), ..PersonEdit::default() };
    world.service.update_person(&by, person, edit).await.unwrap();
    assert_eq!(world.open(Some(&session.text), "/console/people").await.code(), 403);
}
