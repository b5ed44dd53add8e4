//! On which addresses the listener may listen, and on which it refuses to.

use std::sync::Arc;

use super::fixture::{Caller, Fixture, Marks, Probe, config, get};
use tokio::sync::Semaphore;
use valetkey_http::{Limits, ListenError, Listener};

pub fn marks() -> Arc<Marks> {
    let closed = || Semaphore::new(0);
    Arc::new(Marks { entered: closed(), gate: closed(), left: closed() })
}

fn probe() -> (Arc<Probe>, Arc<Marks>) {
    let marks = marks();
    (Arc::new(Probe(Arc::clone(&marks))), marks)
}

#[tokio::test]
async fn a_port_in_use_is_named_with_the_way_out() {
    let first = Listener::bind(config(), probe().0).unwrap();
    let mut second = config();
    second.address = first.local_addr();
    let error = Listener::bind(second, probe().0).unwrap_err();
    assert!(matches!(error, ListenError::InUse { .. }));
    assert_eq!(
        error.to_string(),
        format!(
            "{} is in use by another program: stop it, or choose another port with --port (0 takes any that is free)",
            first.local_addr(),
        ),
    );
}

#[tokio::test]
async fn plain_http_stays_at_home_unless_a_proxy_is_in_front() {
    for outside in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:192.0.2.1]:0"] {
        let mut config = config();
        config.address = outside.parse().unwrap();
        let error = Listener::bind(config, probe().0).unwrap_err();
        assert!(matches!(error, ListenError::PlainOutside { .. }), "{outside}: {error}");
        assert!(error.to_string().contains("--behind-proxy"));
    }
    let mut behind = config();
    behind.address = "0.0.0.0:0".parse().unwrap();
    behind.behind_proxy = true;
    let (site, marks) = probe();
    let mut fixture = Fixture::around(Listener::bind(behind, site).unwrap(), marks);
    fixture.address.set_ip([127, 0, 0, 1].into());
    assert_eq!(fixture.ask(&get("/fast")).await.body, "fast 127.0.0.1 ");
    let mut home = config();
    home.address = "127.1.2.3:0".parse().unwrap();
    assert!(Listener::bind(home, probe().0).is_ok());
}

#[tokio::test]
async fn an_address_of_another_machine_and_a_limit_out_of_range_are_named() {
    let mut elsewhere = config();
    elsewhere.address = "192.0.2.1:0".parse().unwrap();
    elsewhere.behind_proxy = true;
    let error = Listener::bind(elsewhere, probe().0).unwrap_err();
    assert!(error.to_string().starts_with("192.0.2.1:0 is not an address of this machine"));
    let mut odd = config();
    odd.limits = Limits { header_limit_bytes: 10, ..Limits::default() };
    let error = Listener::bind(odd, probe().0).unwrap_err();
    assert!(error.to_string().starts_with("limit header_limit_bytes is 10"));
}

#[tokio::test]
async fn a_unix_socket_is_served_alike() {
    let name = format!("valetkey-http-test-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let (site, marks) = probe();
    let fixture = Fixture::around(Listener::over_unix(socket, config(), site).unwrap(), marks);
    let mut caller = Caller::new(tokio::net::UnixStream::connect(&path).await.unwrap());
    std::fs::remove_file(&path).unwrap();
    assert_eq!(caller.ask(&get("/fast")).await.body, "fast 127.0.0.1 ");
    assert_eq!(fixture.stats().connections_total, 1);
}
