//! Every reply of every route, as far as one walk gets them: by an ADMIN, an EMPLOYEE, nobody, and a
//! partner; pages, forms that were sent empty, and what went wrong.

use http::{Method, StatusCode};
use valetkey_http::{Adapter as _, BadRequest, Failure, Late};

use crate::fixture::{Answer, Fields, World, all_of, fields};
use crate::rules::faults;

/// Fails with everything that is wrong, so that one run shows it all.
fn none(faults: Vec<String>) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// What of secrets is on a page.
fn secrets(world: &World, answer: &Answer, of: &str) -> Vec<String> {
    let all = world.secrets();
    let shown = all.iter().filter(|secret| answer.html.contains(secret.as_str()));
    shown.map(|secret| format!("{of} shows the secret {secret:.9}…")).collect()
}

#[tokio::test]
async fn every_page_is_well_written_and_holds_no_secret() {
    let world = World::new().await;
    let ids = world.ids();
    let worker = world.sign_in(world.worker).await;
    let partner = world.sign_in(world.partner.admin_person).await;
    let mut wrong = Vec::new();
    for route in all_of(Method::GET) {
        let path = ids.address(&route.path);
        for (who, cookie) in [
            ("ADMIN", Some(world.admin.text.as_str())),
            ("EMPLOYEE", Some(worker.text.as_str())),
            ("partner", Some(partner.text.as_str())),
            ("nobody", None),
        ] {
            let answer = world.open(cookie, &path).await;
            let of = format!("{who} {path}");
            wrong.extend(faults(&answer, &of));
            wrong.extend(secrets(&world, &answer, &of));
            if answer.status.is_server_error() {
                wrong.push(format!("{of} is {}", answer.code()));
            }
        }
    }
    none(wrong);
}

#[tokio::test]
async fn every_page_is_reached_by_an_admin() {
    let world = World::new().await;
    let ids = world.ids();
    let mut wrong = Vec::new();
    for route in all_of(Method::GET) {
        let answer = world.get(&ids.address(&route.path)).await;
        if ![200, 303].contains(&answer.code()) {
            wrong.push(format!("{} is {}; give the walk an id for it", route.path, answer.code()));
        }
    }
    none(wrong);
}

/// A form without its one-use id, and without anything else, is shown or leads back. It never acts.
#[tokio::test]
async fn a_form_that_was_sent_empty_changes_nothing() {
    let world = World::new().await;
    let ids = world.ids();
    let mut wrong = Vec::new();
    let head = world.head().await;
    for route in all_of(Method::POST).into_iter().filter(|route| route.path != "/console/sign-out") {
        let path = ids.path(&route.path);
        for sent in [Fields::new(), fields(&[("resumed", "yes"), ("name", "Kept"), ("go", "save"), ("all", "yes")])] {
            let answer = world.post(&path, &sent).await;
            wrong.extend(faults(&answer, &format!("POST {path}")));
            wrong.extend(secrets(&world, &answer, &path));
            if ![200, 303, 404, 410, 422].contains(&answer.code()) {
                wrong.push(format!("POST {path} is {}", answer.code()));
            }
            if world.head().await != head {
                panic!("POST {path} without a form id changed something");
            }
        }
    }
    none(wrong);
}

/// Hostile values in every field that a page might read.
#[tokio::test]
async fn a_form_of_nonsense_is_answered_with_a_page() {
    let world = World::new().await;
    let ids = world.ids();
    let names: Vec<&str> = "name email role status description purpose kind asset app token business task scope draft \
                            shown end date overlap version amount unit limit currency timezone q was seen text code \
                            password return_to demand strict"
        .split_whitespace()
        .collect();
    let long = "9".repeat(3_000);
    let digits = "999999999999999999999";
    let values = ["\u{0}", "\u{202e}<b>\"'&", "-1", digits, "2026-02-31", "//evil.example", long.as_str()];
    let mut wrong = Vec::new();
    for route in all_of(Method::POST).into_iter().filter(|route| route.path != "/console/sign-out") {
        let path = ids.path(&route.path);
        for (at, value) in values.iter().enumerate() {
            for go in ["save", "generate", "review"] {
                let mut sent: Fields = names.iter().map(|name| ((*name).to_owned(), (*value).to_owned())).collect();
                sent.extend(fields(&[("form", format!("n{at}{go}").as_str()), ("go", go)]));
                let answer = world.post(&path, &sent).await;
                let of = format!("POST {path} with value {at} and {go}");
                wrong.extend(faults(&answer, &of));
                if answer.status.is_server_error() {
                    wrong.push(format!("{of} is {}", answer.code()));
                }
                if answer.location().contains("evil") {
                    wrong.push(format!("{of} leads to {}", answer.location()));
                }
            }
        }
    }
    none(wrong);
}

/// The same in the queries of pages.
#[tokio::test]
async fn a_list_that_begins_nowhere_is_still_a_list() {
    let world = World::new().await;
    for query in ["from=-1", "from=99999999999999999999", "from=18446744073709551615", "after=x", "show=%00", "q=%FF"] {
        for list in ["people", "system-users", "partners", "apps", "tokens"] {
            let answer = world.get(&format!("/console/{list}?{query}")).await;
            assert_eq!(answer.code(), 200, "{list}?{query}");
        }
    }
}

#[tokio::test]
async fn a_query_of_nonsense_is_answered_with_a_page() {
    let world = World::new().await;
    let ids = world.ids();
    let names = ["q", "from", "after", "before", "page", "show", "filter", "kind", "user", "app", "asset", "since"];
    let mut wrong = Vec::new();
    for route in all_of(Method::GET) {
        for value in ["%00", "-1", "18446744073709551615", "%FF%FE", "%3Cscript%3E", "2026-99-99", "1e9"] {
            let query: Vec<String> = names.iter().map(|name| format!("{name}={value}")).collect();
            let path = format!("{}?{}", ids.path(&route.path), query.join("&"));
            let answer = world.get(&path).await;
            wrong.extend(faults(&answer, &path));
            if answer.status.is_server_error() {
                wrong.push(format!("{path} is {}", answer.code()));
            }
        }
    }
    none(wrong);
}

/// What the listener could not hand on is answered in the console's own dialect.
#[tokio::test]
async fn what_the_listener_refuses_is_a_reply_like_the_others() {
    let world = World::new().await;
    let request = world.request(Method::GET, "/console/people", None, &Fields::new());
    let all = [
        (Failure::Fault, 500),
        (Failure::Busy, 503),
        (Failure::Late(Late::Answer), 503),
        (Failure::Late(Late::Body), 408),
        (Failure::TooLarge { limit_bytes: 10 }, 413),
        (Failure::BadRequest(BadRequest::BrokenBody), 400),
    ];
    for (failure, status) in all {
        let reply = world.console.failed(&request.head(), failure);
        let answer = Answer::of(reply, request.request_id.as_str().to_owned());
        assert_eq!(answer.code(), status, "{failure:?}");
        assert_eq!(faults(&answer, &format!("{failure:?}")), Vec::<String>::new());
        assert!(!answer.html.contains("panic"), "{}", answer.html);
    }
}

/// The files that pages load may be kept by the browser, and nothing else.
#[tokio::test]
async fn files_are_kept_and_pages_are_not() {
    let world = World::new().await;
    for (file, kind) in [
        ("console.css", "text/css"),
        ("console.js", "text/javascript"),
        ("icons.svg", "image/svg+xml"),
        ("mark.svg", "image/svg+xml"),
    ] {
        let path = format!("/console/static/{file}");
        let answer = world.open(None, &path).await;
        assert_eq!(answer.status, StatusCode::OK, "{file}");
        assert!(answer.header("content-type").starts_with(kind), "{file}");
        assert!(answer.header("cache-control").contains("max-age"), "{file}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        for code in ["http://", "https://", "@import", "data:"] {
            let is_name = file.ends_with(".svg") && code == "http://";
            assert!(is_name || !answer.html.contains(code), "{file} names {code}");
        }
        let mut request = world.request(Method::GET, &path, None, &Fields::new());
        request.headers.insert("if-none-match", answer.header("etag").parse().unwrap());
        assert_eq!(world.send(request).await.code(), 304, "{file}");
    }
}

/// The script stays small, and writes no HTML and runs no text.
#[tokio::test]
async fn the_script_is_small_and_has_no_sinks() {
    let world = World::new().await;
    let script = world.open(None, "/console/static/console.js").await.html;
    assert!(script.len() < 10_000, "{} bytes", script.len());
    let sinks = ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"];
    for sink in sinks.into_iter().chain(["localStorage", "sessionStorage", "javascript:"]) {
        assert!(!script.contains(sink), "{sink}");
    }
}

/// A server that nobody shown_again its address says so, to everybody alike.
#[tokio::test]
async fn without_an_address_there_is_no_console() {
    let world = World::new().await;
    for base_url in [None, Some("http://0.0.0.0:8080"), Some("ftp://x")] {
        let console = valetkey_console::Console::new(world.service.clone(), base_url);
        let request = world.request(Method::GET, "/console", Some(&world.admin.text), &Fields::new());
        let answer = Answer::of(console.handle(request, valetkey_http::Origin::Network).await, String::new());
        assert_eq!(answer.code(), 503, "{base_url:?}");
        assert!(answer.html.contains("public_url"), "{}", answer.html);
    }
    assert_eq!(valetkey_console::sign_in_link("http://0.0.0.0:1", "x"), None);
}
