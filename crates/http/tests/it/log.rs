//! What the access log must and must not hold.

use std::io;
use std::sync::{Arc, Mutex};

use super::fixture::{Fixture, config, get, post};
use tracing::Level;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// Runs on one thread, so that the listener's tasks log here too.
    async fn of(level: Level) -> String {
        let lines = Self::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let fixture = Fixture::open(config());
        fixture.ask(&get("/fast?access_token=hush")).await;
        fixture.ask(&get("/other/vkeysu_hush?a=1&access_token=hush&client_secret=hush")).await;
        fixture.ask(&post("/echo?code=hush", &"x".repeat(2_000_000))).await;
        fixture.ask(&get("/panic?password=hush")).await;
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains(" access: ")).collect::<Vec<_>>().join("\n")
    }
}

#[tokio::test]
async fn each_ordinary_request_is_one_masked_line_and_fast_ones_are_quiet() {
    let text = Lines::of(Level::INFO).await;
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    for (line, wanted) in lines.iter().zip([
        "method=GET path=/other/***?a=1&access_token=***&client_secret=*** status=200 bytes=55 duration_us=",
        "method=POST path=/echo?code=*** status=413 bytes=34 duration_us=",
        "method=GET path=/panic?password=*** status=500 bytes=15 duration_us=",
    ]) {
        assert!(line.contains(wanted), "{line}");
        assert!(line.contains("client_ip=127.0.0.1 request_id=A"), "{line}");
    }
    assert!(!text.contains("hush"));
}

#[tokio::test]
async fn fast_replies_are_logged_at_debug() {
    let text = Lines::of(Level::DEBUG).await;
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(text.lines().next().unwrap().contains("path=/fast?access_token=*** status=200"));
    assert!(!text.contains("hush"));
}
