//! The single-use link, what it leads to, and the end of a session.

use http::{HeaderValue, Method};
use valetkey_console::{Console, sign_in_link};
use valetkey_domain::rules::person::PersonEdit;
use valetkey_domain::{Status, UserId};
use valetkey_http::{Adapter as _, Origin};
use valetkey_service::Call;
use valetkey_service::authz::Question;
use valetkey_testkit::clock::HOUR_MS;

use crate::fixture::{Answer, COOKIE, Fields, ORIGIN, World, fields};
use crate::html;
use crate::rules::faults;

const SIGN_IN: &str = "/console/sign-in";

/// A code, as the operator hands it over.
async fn code(world: &World, person: UserId) -> String {
    let done = world.service.create_sign_in_code(&Call::operator("code"), person).await.unwrap();
    done.value.reveal().to_owned()
}

/// The value of the cookie that an answer sets.
fn cookie(answer: &Answer) -> &str {
    let set = answer.header("set-cookie").split(';').next().unwrap_or_default();
    set.strip_prefix(&format!("{COOKIE}=")).unwrap_or_else(|| panic!("no cookie in {:?}", answer.headers))
}

#[tokio::test]
async fn opening_the_link_uses_nothing_up_and_its_button_works_once() {
    let world = World::new().await;
    let code = code(&world, world.worker).await;
    let link = sign_in_link("http://127.0.0.1:8080", &code).unwrap();
    let path = link.strip_prefix(ORIGIN).unwrap_or_else(|| panic!("the link leads elsewhere")).to_owned();
    let head = world.head().await;
    for _ in 0..2 {
        let answer = world.open(None, &path).await;
        assert_eq!(answer.code(), 200);
        assert!(answer.headers.get("set-cookie").is_none());
        assert_eq!(faults(&answer, "the link"), Vec::<String>::new());
        let words = html::words(&answer.html);
        assert!(words.contains("Zora Quill") && words.contains("Alder Cycles"), "{words}");
    }
    assert_eq!(world.head().await, head);
    let form = html::form_to(&world.open(None, &path).await.html, SIGN_IN);
    let answer = world.submit(None, SIGN_IN, &form.fields).await;
    assert_eq!((answer.code(), answer.location()), (303, "/console"));
    let set = answer.header("set-cookie");
    for part in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Max-Age=86400"] {
        assert!(set.contains(part), "{part} is not in the cookie");
    }
    assert!(!set.contains("Secure") && !set.contains("Domain"), "plain HTTP on loopback");
    assert!(!set.contains(&code), "the code is no session");
    assert_eq!(world.open(Some(cookie(&answer)), "/console/you").await.code(), 200);
    let head = world.head().await;
    for again in [world.submit(None, SIGN_IN, &form.fields).await, world.open(None, &path).await] {
        assert_eq!(again.code(), 410);
        assert!(again.headers.get("set-cookie").is_none());
        assert_eq!(faults(&again, "a used link"), Vec::<String>::new());
        assert!(!html::words(&again.html).contains("Zora"), "a used link names nobody");
    }
    assert_eq!(world.head().await, head);
}

#[tokio::test]
async fn pressed_twice_at_once_it_signs_in_once() {
    let world = World::new().await;
    let sent = fields(&[("code", code(&world, world.worker).await.as_str())]);
    let (one, two) = tokio::join!(world.submit(None, SIGN_IN, &sent), world.submit(None, SIGN_IN, &sent));
    let mut codes = [one.code(), two.code()];
    codes.sort_unstable();
    assert_eq!(codes, [303, 410]);
}

#[tokio::test]
async fn a_used_code_says_so_and_ended_and_invented_ones_look_alike() {
    let world = World::new().await;
    let used = code(&world, world.worker).await;
    assert_eq!(world.submit(None, SIGN_IN, &fields(&[("code", used.as_str())])).await.code(), 303);
    let shown = world.open(None, &format!("{SIGN_IN}?code={used}")).await;
    assert!(shown.html.contains("This link was used"), "{}", shown.html);
    assert_eq!(shown.code(), 410);
    let off = code(&world, world.worker).await;
    let edit = PersonEdit { status: Some(Status::Deactivated), ..PersonEdit::default() };
    world.service.update_person(&world.company.person, world.worker, edit).await.unwrap();
    let late = code(&world, world.company.admin_person).await;
    world.clock.advance_ms(25 * HOUR_MS);
    let cut = late[..late.len() - 2].to_owned();
    let head = world.head().await;
    let mut pages = Vec::new();
    for code in [off, late, cut, "vkeyco_invented".to_owned(), world.robot_text.clone(), world.admin.text.clone()] {
        let shown = world.open(None, &format!("{SIGN_IN}?code={code}")).await;
        let sent = world.submit(None, SIGN_IN, &fields(&[("code", code.as_str())])).await;
        assert_eq!((shown.code(), sent.code()), (410, 410), "{code:.7}…");
        assert!(!shown.html.contains(&code) && !sent.html.contains(&code), "{code:.7}…");
        pages.extend([shown.without_trace(), sent.without_trace()]);
    }
    pages.dedup();
    assert_eq!(pages.len(), 1, "they differ");
    assert_eq!(world.head().await, head);
}

/// Guesses change nothing, and can't keep the owner of a code out.
#[tokio::test]
async fn a_thousand_guesses_lock_nobody_out() {
    let world = World::new().await;
    let real = code(&world, world.worker).await;
    let head = world.head().await;
    for number in 0..1_000 {
        let guess = format!("{}{number:04}", &real[..real.len() - 4]);
        if guess == real {
            continue;
        }
        let status = world.submit(None, SIGN_IN, &fields(&[("code", guess.as_str())])).await.code();
        assert!([410, 429].contains(&status), "{status}");
    }
    assert_eq!(world.head().await, head);
    assert_eq!(world.submit(None, SIGN_IN, &fields(&[("code", real.as_str())])).await.code(), 303);
}

#[tokio::test]
async fn after_sign_in_one_goes_on_inside_the_console_only() {
    let world = World::new().await;
    for (wanted, led) in [
        ("/console/people?q=a%20b&from=50", "/console/people?q=a%20b&from=50"),
        ("/console", "/console"),
        ("https://evil.example/", "/console"),
        ("//evil.example", "/console"),
        ("/console//evil.example", "/console"),
        ("/console/../me", "/console"),
        ("/console/%2e%2E/me", "/console"),
        ("/console/\\evil.example", "/console"),
        ("/consolevil", "/console"),
        ("javascript:alert(1)", "/console"),
        ("/console/sign-out", "/console"),
        ("/console/a\r\nSet-Cookie: x=y", "/console"),
    ] {
        let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("return_to", wanted).finish();
        let plain = world.open(None, &format!("{SIGN_IN}?{query}")).await;
        assert_eq!(faults(&plain, wanted), Vec::<String>::new());
        assert!(led == wanted || !html::words(&plain.html).contains("evil"), "{wanted:?} is shown");
        let code = code(&world, world.company.admin_person).await;
        let page = world.open(None, &format!("{SIGN_IN}?code={code}&{query}")).await;
        let mut form = html::form_to(&page.html, SIGN_IN);
        assert_eq!(form.value("return_to"), Some(led), "{wanted:?}");
        form.set("return_to", wanted);
        let answer = world.submit(None, SIGN_IN, &form.fields).await;
        assert_eq!((answer.code(), answer.location()), (303, led), "{wanted:?}");
        assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 1, "{wanted:?}");
    }
}

#[tokio::test]
async fn over_https_the_cookie_belongs_to_the_host_alone() {
    let world = World::new().await;
    let console = Console::new(world.service.clone(), Some("https://keys.example.com/x"));
    let sent = fields(&[("code", code(&world, world.worker).await.as_str())]);
    let mut request = world.request(Method::POST, SIGN_IN, None, &sent);
    request.headers.insert("host", HeaderValue::from_static("keys.example.com"));
    request.headers.insert("origin", HeaderValue::from_static("https://keys.example.com"));
    let answer = Answer::of(console.handle(request, Origin::Network).await, String::new());
    assert_eq!(answer.code(), 303);
    let set = answer.header("set-cookie").to_owned();
    assert!(set.starts_with("__Host-valetkey=") && set.contains("; Path=/;") && set.ends_with("; Secure"));
    assert!(!set.contains("Domain"));
    assert!(answer.header("strict-transport-security").starts_with("max-age="));
    assert!(answer.header("content-security-policy").contains("https://keys.example.com/console/static/console.js"));
    let pair = set.split(';').next().unwrap();
    for (pair, status) in [(pair.to_owned(), 200), (pair.replace("__Host-valetkey", COOKIE), 303)] {
        let mut request = world.request(Method::GET, "/console/you", None, &Fields::new());
        request.headers.insert("host", HeaderValue::from_static("keys.example.com"));
        request.headers.insert("cookie", pair.parse().unwrap());
        let answer = Answer::of(console.handle(request, Origin::Network).await, String::new());
        assert_eq!(answer.code(), status);
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_everywhere_and_no_other() {
    let world = World::new().await;
    let other = world.sign_in(world.company.admin_person).await;
    let form = html::form_to(&world.get("/console/security").await.html, "/console/sign-out");
    let answer = world.post("/console/sign-out", &form.fields).await;
    assert!([200, 303].contains(&answer.code()));
    assert!(answer.header("set-cookie").starts_with(&format!("{COOKIE}=;")), "{:?}", answer.headers);
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(faults(&answer, "signed out"), Vec::<String>::new());
    // The same cookie in another window, and its text anywhere else.
    assert_eq!(world.get("/console/security").await.code(), 303);
    let call = Call::with_token(&world.admin.text, "t");
    assert!(world.service.ask(&call, Question::alive()).is_err());
    assert_eq!(world.open(Some(&other.text), "/console/security").await.code(), 200);
}

/// From one session another is ended, and all others; never those of somebody else.
#[tokio::test]
async fn sessions_are_ended_from_another() {
    let world = World::new().await;
    let path = "/console/security/end";
    let (one, two) = (world.sign_in(world.worker).await, world.sign_in(world.worker).await);
    let sent = fields(&[("form", "s1"), ("token", two.token.to_string().as_str())]);
    assert_eq!(world.submit(Some(&one.text), path, &sent).await.code(), 303);
    assert_eq!(world.open(Some(&two.text), "/console/you").await.code(), 303);
    let three = world.sign_in(world.worker).await;
    assert_eq!(world.submit(Some(&one.text), path, &fields(&[("form", "s2"), ("all", "yes")])).await.code(), 303);
    assert_eq!(world.open(Some(&three.text), "/console/you").await.code(), 303);
    assert_eq!(world.open(Some(&one.text), "/console/you").await.code(), 200, "the one that asks goes on");
    assert_eq!(world.get("/console/security").await.code(), 200, "so does that of another person");
}
