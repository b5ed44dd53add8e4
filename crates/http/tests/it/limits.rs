//! Every limit, reached and exceeded.

use super::fixture::{Fixture, config, get, post, soon};
use valetkey_http::{Limits, ListenConfig};

fn with(limits: Limits) -> ListenConfig {
    let mut config = config();
    config.limits = limits;
    config
}

const TEN_MB: usize = 10_000_000;

#[tokio::test]
async fn ten_megabytes_are_refused_in_the_sites_own_shape() {
    let fixture = Fixture::open(config());
    let shape = "{\"too_large\":1048576,\"at\":\"/echo\"}";
    let mut caller = fixture.caller().await;
    // The caller sends everything before it reads, as most programs do.
    let got = caller.ask(&post("/echo", &"x".repeat(TEN_MB))).await;
    assert_eq!((got.status, got.body.as_str()), (413, shape));
    assert!(got.head.contains("content-type: application/json"));
    // The refused body was read completely, so the connection can be used again.
    assert_eq!(caller.ask(&get("/fast")).await.status, 200);

    let mut chunked = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    for _ in 0..TEN_MB / 100_000 {
        chunked += &format!("186a0\r\n{}\r\n", "x".repeat(100_000));
    }
    chunked += "0\r\n\r\n";
    let got = caller.ask(&chunked).await;
    assert_eq!((got.status, got.body.as_str()), (413, shape));

    let asked = format!("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {TEN_MB}\r\n\r\n");
    let got = caller.ask(&asked).await;
    assert_eq!((got.status, got.body.as_str()), (413, shape), "and no 100 before it");
    assert_eq!(fixture.stats().too_large_total, 3);
}

#[tokio::test]
async fn where_files_may_be_sent_multipart_may_be_larger_and_the_limit_is_exact() {
    let fixture = Fixture::open(with(Limits { body_limit_bytes: 10, upload_limit_bytes: 20, ..Limits::default() }));
    let mut caller = fixture.caller().await;
    assert_eq!(caller.ask(&post("/echo", "0123456789")).await.status, 200);
    assert_eq!(caller.ask(&post("/echo", "0123456789a")).await.status, 413);
    let multipart = |path: &str, size: usize| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: Multipart/Form-Data; boundary=x\r\nContent-Length: {size}\r\n\r\n{}",
            "x".repeat(size),
        )
    };
    assert_eq!(caller.ask(&multipart("/echo", 20)).await.status, 200);
    assert_eq!(caller.ask(&multipart("/echo", 21)).await.body, "{\"too_large\":20,\"at\":\"/echo\"}");
    // On other paths the content type does not raise the limit.
    let mut caller = fixture.caller().await;
    assert_eq!(caller.ask(&multipart("/other", 10)).await.status, 200);
    assert_eq!(caller.ask(&multipart("/other", 11)).await.body, "{\"too_large\":10,\"at\":\"/other\"}");
}

#[tokio::test]
async fn headers_are_limited_in_bytes_and_number() {
    let fixture =
        Fixture::open(with(Limits { header_limit_bytes: 8_192, header_count_limit: 10, ..Limits::default() }));
    let with_headers = |count: usize| format!("GET /fast HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(count));
    assert_eq!(fixture.ask(&with_headers(9)).await.status, 200);
    let got = fixture.ask(&with_headers(10)).await;
    assert_eq!((got.status, got.body.as_str()), (400, "site says: the request has more than 10 header fields"));
    let long = format!("GET /fast?{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(10_000));
    assert_eq!(fixture.ask(&long).await.status, 431);
    let more = Fixture::open(with(Limits { header_count_limit: 200, ..Limits::default() }));
    assert_eq!(more.ask(&with_headers(150)).await.status, 200);
    let default = Fixture::open(config());
    // This is far more than is ever read; the reply must arrive although the rest is discarded.
    let huge = format!("GET /fast?{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(8_000_000));
    assert_eq!(fixture.ask(&huge).await.status, 431);
    let wide = format!("GET /fast?{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(60_000));
    assert_eq!(default.ask(&wide).await.status, 200);
}

#[tokio::test]
async fn malformed_requests_cost_their_connection_and_tunnels_are_refused() {
    let fixture = Fixture::open(config());
    let mut noise = fixture.caller().await;
    noise.send("\u{1}\u{2}\r\n\r\n").await;
    noise.closed().await;
    for junk in [
        "GET /\r\n\r\n",
        "GET / HTTP/1.1\r\nA b\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    ] {
        let mut caller = fixture.caller().await;
        caller.send(junk).await;
        let text = caller.closed().await;
        assert!(text.starts_with("HTTP/1.1 400"), "{junk:?}: {text:?}");
    }
    let got = fixture.ask("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(got.body, "site says: the method CONNECT is not offered");
    let got = fixture.ask("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").await;
    assert_eq!(
        (got.status, got.body.as_str()),
        (400, "site says: the request's body is incomplete or its framing is wrong")
    );
    assert_eq!(fixture.ask(&get("/fast")).await.status, 200);
}

#[tokio::test]
async fn silence_and_trickled_headers_end_the_connection() {
    let fixture = Fixture::open(with(Limits { header_read_timeout_ms: 60, ..Limits::default() }));
    assert_eq!(fixture.caller().await.closed().await, "", "silent from the start");
    let mut first = fixture.caller().await;
    first.send("GET /fast HT").await;
    assert_eq!(first.closed().await, "", "within the first headers");
    let mut later = fixture.caller().await;
    assert_eq!(later.ask(&get("/fast")).await.status, 200);
    later.send("GET /fast HT").await;
    assert_eq!(later.closed().await, "", "within later headers");
    let mut preface = fixture.caller().await;
    preface.send("PRI * HTTP/2.0\r\n").await;
    assert_eq!(preface.closed().await, "", "within HTTP/2's preface");
    assert_eq!(fixture.stats().connections_timed_out_total, 4);
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let fixture = Fixture::open(with(Limits { keep_alive_idle_ms: 60, ..Limits::default() }));
    let mut caller = fixture.caller().await;
    assert_eq!(caller.ask(&get("/other")).await.status, 200);
    assert_eq!(caller.closed().await, "");
    assert_eq!(fixture.stats().connections_timed_out_total, 1);
}

#[tokio::test]
async fn a_reply_that_isnt_taken_ends_the_connection() {
    let fixture = Fixture::open(with(Limits { keep_alive_idle_ms: 60, ..Limits::default() }));
    let mut caller = fixture.caller().await;
    caller.send(get("/large")).await;
    soon(async {
        while fixture.stats().connections_total == 0 || fixture.stats().connections_open > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_body_that_stalls_is_answered_by_the_site() {
    let fixture = Fixture::open(with(Limits { body_read_timeout_ms: 60, ..Limits::default() }));
    let mut caller = fixture.caller().await;
    caller.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab").await;
    let got = caller.reply().await;
    assert_eq!((got.status, got.body.as_str()), (408, "late Body /echo"));
    assert_eq!(caller.closed().await, "");
    assert_eq!(fixture.stats().timeouts_total, 1);
}

#[tokio::test]
async fn the_request_as_a_whole_is_bounded() {
    let fixture = Fixture::open(with(Limits { request_timeout_ms: 60, ..Limits::default() }));
    let mut caller = fixture.caller().await;
    caller.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab").await;
    assert_eq!(caller.reply().await.body, "late Body /echo");
    let mut caller = fixture.caller().await;
    let got = caller.ask(&get("/forever")).await;
    assert_eq!((got.status, got.body.as_str()), (503, "late Answer /forever"));
    assert_eq!(caller.ask(&get("/fast")).await.status, 200);
    assert_eq!(fixture.stats().timeouts_total, 2);
    assert_eq!(fixture.stats().in_flight, 0);
}

#[tokio::test]
async fn silent_connections_yield_to_callers() {
    let fixture = Fixture::open(with(Limits { connection_limit: 1, ..Limits::default() }));
    let mut idle = fixture.caller().await;
    assert_eq!(idle.ask(&get("/other")).await.status, 200);
    assert_eq!(idle.ask(&get("/other")).await.status, 200);
    assert_eq!(fixture.stats().connections_shed_total, 0, "nobody waits");
    assert_eq!(fixture.ask(&get("/fast")).await.status, 200);
    assert_eq!(idle.closed().await, "");
    assert_eq!(fixture.stats().connections_shed_total, 1);
    assert!(fixture.stats().connections_open <= 1);
}

#[tokio::test]
async fn a_connection_at_work_is_never_shed() {
    let fixture = Fixture::open(with(Limits { connection_limit: 1, ..Limits::default() }));
    let mut working = fixture.caller().await;
    working.send(get("/gate")).await;
    fixture.marks.entered.acquire().await.unwrap().forget();
    let mut waiting = fixture.caller().await;
    waiting.send(get("/fast")).await;
    fixture.marks.gate.add_permits(1);
    assert_eq!(working.reply().await.body, "through");
    assert_eq!(waiting.reply().await.status, 200);
}

#[tokio::test]
async fn too_many_handlers_are_answered_busy_and_fast_replies_go_on() {
    let fixture = Fixture::open(with(Limits { handler_limit: 1, ..Limits::default() }));
    let mut working = fixture.caller().await;
    working.send(get("/gate")).await;
    fixture.marks.entered.acquire().await.unwrap().forget();
    let got = fixture.ask(&get("/other")).await;
    assert_eq!((got.status, got.body.as_str()), (503, "busy"));
    assert_eq!(fixture.ask(&get("/fast")).await.status, 200);
    assert_eq!(fixture.ask(&post("/check", "x")).await.body, "checked 1");
    fixture.marks.gate.add_permits(1);
    assert_eq!(working.reply().await.body, "through");
    assert_eq!(fixture.ask(&get("/other")).await.status, 200);
    assert_eq!(fixture.stats().busy_total, 1);
}

#[tokio::test]
async fn bodies_beyond_the_memory_limit_are_answered_busy() {
    let fixture = Fixture::open(with(Limits { body_memory_limit_bytes: 1, ..Limits::default() }));
    let mut caller = fixture.caller().await;
    let got = caller.ask(&post("/echo", &"x".repeat(300_000))).await;
    assert_eq!((got.status, got.body.as_str()), (503, "busy"));
    assert_eq!(caller.ask(&post("/echo", &"x".repeat(60_000))).await.status, 200);
}
