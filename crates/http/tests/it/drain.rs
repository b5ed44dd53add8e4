//! Requests during the stop of the server.

use super::fixture::{Fixture, config, get, soon};
use tokio::net::TcpStream;
use valetkey_http::{Drained, Limits};

#[tokio::test]
async fn what_has_begun_finishes_and_nothing_new_is_taken() {
    let fixture = Fixture::open(config());
    let mut working = fixture.caller().await;
    working.send(get("/gate")).await;
    fixture.marks.entered.acquire().await.unwrap().forget();
    let mut idle = fixture.caller().await;
    assert_eq!(idle.ask(&get("/fast")).await.status, 200);

    fixture.shutdown.cancel();
    assert_eq!(idle.closed().await, "");
    let refused = soon(async {
        loop {
            if TcpStream::connect(fixture.address).await.is_err() {
                return true;
            }
            tokio::task::yield_now().await;
        }
    });
    assert!(refused.await);
    assert!(!fixture.served.is_finished());
    fixture.marks.gate.add_permits(1);
    let got = working.reply().await;
    assert_eq!(got.body, "through");
    assert_eq!(working.closed().await, "");
    assert_eq!(soon(fixture.served).await.unwrap(), Drained { cut_count: 0 });
}

#[tokio::test]
async fn a_handler_whose_caller_has_left_finishes_too() {
    let fixture = Fixture::open(config());
    let mut caller = fixture.caller().await;
    caller.send(get("/gate")).await;
    fixture.marks.entered.acquire().await.unwrap().forget();
    drop(caller);
    fixture.shutdown.cancel();
    tokio::task::yield_now().await;
    assert!(!fixture.served.is_finished());
    fixture.marks.gate.add_permits(1);
    assert_eq!(soon(fixture.served).await.unwrap(), Drained { cut_count: 0 });
    assert_eq!(fixture.marks.left.available_permits(), 1);
}

#[tokio::test]
async fn what_doesnt_finish_in_time_is_cut() {
    let mut config = config();
    config.limits = Limits { drain_s: 0, ..Limits::default() };
    let fixture = Fixture::open(config);
    let mut caller = fixture.caller().await;
    caller.send(get("/forever")).await;
    fixture.marks.entered.acquire().await.unwrap().forget();
    fixture.shutdown.cancel();
    let drained = soon(fixture.served).await.unwrap();
    assert_eq!(drained, Drained { cut_count: 2 }, "the connection and its handler");
    caller.closed().await;
}

#[tokio::test]
async fn stopping_an_idle_listener_is_immediate() {
    let fixture = Fixture::open(config());
    fixture.shutdown.cancel();
    assert_eq!(soon(fixture.served).await.unwrap(), Drained { cut_count: 0 });
}
