//! A panic costs one request.

use super::fixture::{Fixture, config, get, post};

#[tokio::test]
async fn a_panic_costs_one_request() {
    let fixture = Fixture::open(config());
    let mut caller = fixture.caller().await;
    for (count, request, path) in [
        (1, get("/fast-panic"), "/fast-panic"),
        (2, get("/panic"), "/panic"),
        (3, get("/panic-at-once"), "/panic-at-once"),
        (4, post("/check-panic", "x"), "/check-panic"),
    ] {
        let got = caller.ask(&request).await;
        assert_eq!((got.status, got.body), (500, format!("fault {path} 22")));
        assert_eq!(fixture.stats().panics_total, count);
        assert_eq!(fixture.stats().in_flight, 0);
        assert_eq!(caller.ask(&get("/fast")).await.status, 200);
        assert_eq!(caller.ask(&get("/other")).await.status, 200);
    }
    assert_eq!(fixture.stats().connections_total, 1, "all on one connection");
}

#[tokio::test]
async fn even_a_panic_in_the_words_for_a_panic_is_answered() {
    let fixture = Fixture::open(config());
    for path in ["/panic?fault=panics", "/fast-panic?fault=panics"] {
        let got = fixture.ask(&get(path)).await;
        assert_eq!((got.status, got.body.as_str()), (500, "internal error\n"));
    }
}
