//! Requests that do not come from a page of the console, and methods that no route has.

use http::{HeaderValue, Method};
use valetkey_console::routes;

use crate::fixture::{Fields, ORIGIN, World, all_of, fields};
use crate::rules::faults;

/// What a browser, or something else, says about where a request comes from; none of it is a page of
/// this console. `None` leaves the header out.
const FOREIGN: [(Option<&str>, Option<&str>); 13] = [
    (None, None),
    (None, Some("null")),
    (None, Some("https://evil.example")),
    (None, Some("http://localhost:8081")),
    (None, Some("http://127.0.0.1:8080")),
    (None, Some("https://localhost:8080")),
    (None, Some("http://localhost:8080.evil.example")),
    (None, Some("http://LOCALHOST:8080/")),
    (Some("cross-site"), Some(ORIGIN)),
    (Some("cross-site"), None),
    (Some("same-site"), Some(ORIGIN)),
    (Some("none"), None),
    (Some("none"), Some(ORIGIN)),
];

#[tokio::test]
async fn a_form_from_elsewhere_does_nothing() {
    let world = World::new().await;
    let ids = world.ids();
    let head = world.head().await;
    for route in all_of(Method::POST) {
        let path = ids.path(&route.path);
        for (at, (site, origin)) in FOREIGN.into_iter().enumerate() {
            let form = format!("f{at}");
            let typed = fields(&[
                ("form", form.as_str()),
                ("name", "Not mine"),
                ("email", "evil@evil.example"),
                ("version", "1"),
                ("status", "DEACTIVATED"),
                ("go", "save"),
                ("all", "yes"),
            ]);
            let mut request = world.request(Method::POST, &path, Some(&world.admin.text), &typed);
            request.headers.remove("origin");
            if let Some(site) = site {
                request.headers.insert("sec-fetch-site", HeaderValue::from_static(site));
            }
            if let Some(origin) = origin {
                request.headers.insert("origin", HeaderValue::from_static(origin));
            }
            let answer = world.send(request).await;
            assert_eq!(answer.code(), 403, "{path} {site:?} {origin:?}");
            assert!(answer.headers.get("set-cookie").is_none(), "{path}");
            assert_eq!(faults(&answer, &path), Vec::<String>::new());
        }
    }
    assert_eq!(world.head().await, head);
    assert_eq!(world.get("/console/security").await.code(), 200, "the session goes on");
}

/// Two headers of one name can't both be true.
#[tokio::test]
async fn contradictory_headers_are_refused() {
    let world = World::new().await;
    let typed = fields(&[("form", "f"), ("name", "Not mine")]);
    let head = world.head().await;
    for (name, first, second) in [
        ("origin", ORIGIN, "https://evil.example"),
        ("sec-fetch-site", "same-origin", "cross-site"),
        ("sec-fetch-site", "cross-site", "same-origin"),
    ] {
        let mut request = world.request(Method::POST, "/console/apps/new", Some(&world.admin.text), &typed);
        request.headers.remove("origin");
        request.headers.append(name, HeaderValue::from_static(first));
        request.headers.append(name, HeaderValue::from_static(second));
        assert_eq!(world.send(request).await.code(), 403, "{name}: {first}, {second}");
    }
    assert_eq!(world.head().await, head);
}

#[tokio::test]
async fn a_method_that_a_path_does_not_have_is_said_to_be_so() {
    let world = World::new().await;
    let ids = world.ids();
    let has = |method: &Method, path: &str| routes().iter().any(|r| r.method == *method && r.path == path);
    let head = world.head().await;
    for route in routes() {
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
            if has(&method, &route.path) {
                continue;
            }
            let path = ids.path(&route.path);
            let typed = fields(&[("form", "m"), ("name", "Other")]);
            let answer = world.send(world.request(method.clone(), &path, Some(&world.admin.text), &typed)).await;
            assert_eq!(answer.code(), 405, "{method} {path}");
            for offered in [Method::GET, Method::POST].iter().filter(|method| has(method, &route.path)) {
                assert!(answer.header("allow").contains(offered.as_str()), "{method} {path}: {:?}", answer.headers);
            }
            assert_eq!(faults(&answer, &format!("{method} {path}")), Vec::<String>::new());
        }
    }
    assert_eq!(world.head().await, head);
}

#[tokio::test]
async fn paths_that_are_none_are_not_found() {
    let world = World::new().await;
    let long = format!("/console/{}", "x".repeat(4_000));
    for path in [
        "/console/nothing",
        "/console/system-users/12/34/56",
        "/console/apps/%2e%2e",
        "/console/apps/..",
        "/console/apps/1;2",
        "/console/apps/%00",
        "/console/system-users/0",
        "/console/system-users/01",
        "/console/system-users/99999999999999999999",
        "/console/static/nothing.js",
        "/console/static/../Cargo.toml",
        "/console/static/",
        long.as_str(),
    ] {
        for cookie in [None, Some(world.admin.text.as_str())] {
            let answer = world.open(cookie, path).await;
            // Without a session a page that could be one leads to the sign-in first.
            let is_led = cookie.is_none() && answer.code() == 303;
            assert!(answer.code() == 404 || is_led, "{path:.60} is {}", answer.code());
            assert_eq!(faults(&answer, path), Vec::<String>::new());
        }
    }
}

/// Pages about an address that is not this console's: the browser is led to the one that cookies and
/// passkeys belong to.
#[tokio::test]
async fn the_other_names_of_this_machine_lead_to_the_one_address() {
    let world = World::new().await;
    for host in ["127.0.0.1:8080", "[::1]:8080"] {
        let mut request = world.request(Method::GET, "/console/people?q=a", None, &Fields::new());
        request.headers.insert("host", HeaderValue::from_static(host));
        let answer = world.send(request).await;
        assert_eq!((answer.code(), answer.location()), (303, "http://localhost:8080/console/people?q=a"), "{host}");
    }
    let mut request = world.request(Method::GET, "/console/sign-in", None, &Fields::new());
    request.headers.insert("host", HeaderValue::from_static("evil.example"));
    let answer = world.send(request).await;
    assert!(!answer.html.contains("evil.example"), "a host that was sent is never repeated");
}
