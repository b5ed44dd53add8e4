//! Ordinary requests on real sockets.

use super::fixture::{Fixture, config, get, post};
use valetkey_http::{RequestId, TrustedProxies};

#[tokio::test]
async fn fast_and_ordinary_requests_are_answered_in_order_on_one_connection() {
    let fixture = Fixture::open(config());
    let mut caller = fixture.caller().await;
    caller.send(get("/fast?a=1") + &post("/echo", "hello") + &get("/other") + &get("/fast")).await;
    assert_eq!(caller.reply().await.body, "fast 127.0.0.1 a=1");
    assert_eq!(caller.reply().await.body, "POST /echo 5 bytes from 127.0.0.1 tls false");
    assert_eq!(caller.reply().await.body, "GET /other 0 bytes from 127.0.0.1 tls false");
    assert_eq!(caller.reply().await.body, "fast 127.0.0.1 ");
    let stats = fixture.stats();
    assert_eq!((stats.requests_total, stats.fast_total, stats.in_flight), (4, 2, 0));
    assert_eq!((stats.connections_total, stats.connections_open), (1, 1));
}

#[tokio::test]
async fn a_reply_doesnt_wait_for_the_next_request_to_be_complete() {
    let fixture = Fixture::open(config());
    let mut caller = fixture.caller().await;
    caller.send(get("/fast") + "GET /ot").await;
    assert_eq!(caller.reply().await.body, "fast 127.0.0.1 ");
    caller.send("her HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(caller.reply().await.body.starts_with("GET /other"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_at_once_get_their_own_answers() {
    let fixture = Fixture::open(config());
    let work = (0..40).map(|caller| {
        let fixture = &fixture;
        async move {
            let mut connection = fixture.caller().await;
            for turn in 0..25 {
                let path = format!("/c{caller}/{turn}");
                let got = connection.ask(&post(&path, "xyz")).await;
                assert_eq!(got.body, format!("POST {path} 3 bytes from 127.0.0.1 tls false"));
            }
        }
    });
    futures_util::future::join_all(work).await;
    assert_eq!(fixture.stats().requests_total, 1_000);
}

#[tokio::test]
async fn a_fast_reply_to_a_request_with_a_body_leaves_the_connection_usable() {
    let fixture = Fixture::open(config());
    let mut caller = fixture.caller().await;
    assert_eq!(caller.ask(&post("/fast", &"x".repeat(500_000))).await.body, "fast 127.0.0.1 ");
    assert_eq!(caller.ask(&get("/fast")).await.status, 200);
}

#[tokio::test]
async fn checks_by_post_are_answered_without_a_handler() {
    let fixture = Fixture::open(config());
    let mut caller = fixture.caller().await;
    assert_eq!(caller.ask(&post("/check", "abc")).await.body, "checked 3");
    assert_eq!(caller.ask(&post("/check", "")).await.body, "POST /check 0 bytes from 127.0.0.1 tls false");
    let chunked =
        "POST /check HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n";
    assert_eq!(caller.ask(chunked).await.body, "checked 5");
    assert_eq!(fixture.stats().fast_total, 2);
}

#[tokio::test]
async fn request_ids_are_ours_and_differ() {
    let fixture = Fixture::open(config());
    let (one, two) = (fixture.ask(&get("/fast-id")).await.body, fixture.ask(&get("/fast-id")).await.body);
    assert!(RequestId::parse(&one).is_some() && RequestId::parse(&two).is_some());
    assert_ne!(one, two);
}

#[tokio::test]
async fn head_gets_the_length_without_the_body() {
    let fixture = Fixture::open(config());
    let mut caller = fixture.caller().await;
    for path in ["/fast", "/other"] {
        let body = caller.ask(&get(path)).await.body.replacen("GET", "HEAD", 1);
        caller.send(format!("HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        let head = caller.reply_to(true).await.head;
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
    }
}

#[tokio::test]
async fn forwarded_addresses_are_believed_from_trusted_peers_alone() {
    let forwarded = |path: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 9.9.9.9, 203.0.113.5\r\nX-Forwarded-For: 10.0.0.7\r\nForwarded: for=8.8.8.8\r\n\r\n"
        )
    };
    let untrusting = Fixture::open(config());
    assert_eq!(untrusting.ask(&forwarded("/fast")).await.body, "fast 127.0.0.1 ");
    let mut trusting = config();
    trusting.trusted_proxies = TrustedProxies::parse(["127.0.0.0/8", "10.0.0.0/8"]).unwrap();
    let trusting = Fixture::open(trusting);
    assert_eq!(trusting.ask(&forwarded("/fast")).await.body, "fast 203.0.113.5 ");
    assert_eq!(trusting.ask(&forwarded("/slow")).await.body, "GET /slow 0 bytes from 203.0.113.5 tls false");
}

#[tokio::test]
async fn a_caller_that_leaves_doesnt_stop_its_handler() {
    let fixture = Fixture::open(config());
    let mut caller = fixture.caller().await;
    caller.send(post("/gate", "x")).await;
    fixture.marks.entered.acquire().await.unwrap().forget();
    drop(caller);
    // The listener has seen the end once it counts no open connection.
    super::fixture::soon(async {
        while fixture.stats().connections_open > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    fixture.marks.gate.add_permits(1);
    super::fixture::soon(fixture.marks.left.acquire()).await.unwrap().forget();
}
