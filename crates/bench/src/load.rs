//! The load: a closed loop over keep-alive connections on one thread. Each connection sends its
//! next request when the answer to the last one is complete.
//!
//! It must cost less than the servers that it loads, so it builds every request before it starts
//! and reads only status and length of an answer. It never sleeps: waking a sleeping caller is work
//! for the server's core, and the slower of two servers would have to do more of it. A wrong answer
//! is counted, never repeated.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

/// Room for one answer; a longer one ends the run.
const ANSWER_LIMIT_BYTES: usize = 16 * 1024;

/// What is to be sent, and where.
#[derive(Debug)]
pub struct Plan {
    pub address: String,
    /// A file with a path and a bearer token on each line, and the JSON body if it is a POST; they are
    /// sent in rotation.
    pub targets: String,
    pub connections: usize,
    pub requests: usize,
}

/// What the connections share.
struct Shared {
    requests: Vec<Vec<u8>>,
    next: Cell<usize>,
    end: usize,
    not_ok: Cell<usize>,
    /// The shortest and longest answer.
    answer_bytes: Cell<(usize, usize)>,
    latencies_ns: RefCell<Vec<u64>>,
}

/// Sends the load; returns rate, latencies and how many answers were not 200.
pub fn run(plan: &Plan) -> anyhow::Result<Value> {
    let targets = std::fs::read_to_string(&plan.targets).with_context(|| format!("can't read {}", plan.targets))?;
    let requests: Vec<Vec<u8>> = targets.lines().map(|line| request(&plan.address, line)).collect::<Result<_, _>>()?;
    ensure!(!requests.is_empty() && plan.connections > 0 && plan.requests > 0, "there is nothing to send");
    let shared = Rc::new(Shared {
        requests,
        next: Cell::new(0),
        end: plan.requests,
        not_ok: Cell::new(0),
        answer_bytes: Cell::new((usize::MAX, 0)),
        latencies_ns: RefCell::new(Vec::with_capacity(plan.requests)),
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let seconds = LocalSet::new().block_on(&runtime, send_all(plan, Rc::clone(&shared)))?;
    Ok(report(&shared, seconds))
}

fn request(address: &str, line: &str) -> anyhow::Result<Vec<u8>> {
    let (path, rest) = line.split_once(' ').context("each line of the targets must be a path, a space and a token")?;
    let (token, body) = rest.split_once(' ').unwrap_or((rest, ""));
    if !body.is_empty() {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        return Ok((head + body).into_bytes());
    }
    Ok(format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\r\n").into_bytes())
}

async fn send_all(plan: &Plan, shared: Rc<Shared>) -> anyhow::Result<f64> {
    let mut streams = Vec::with_capacity(plan.connections);
    for _ in 0..plan.connections {
        let stream =
            TcpStream::connect(&plan.address).await.with_context(|| format!("can't reach {}", plan.address))?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let started = Instant::now();
    let sending: Vec<_> =
        streams.into_iter().map(|stream| tokio::task::spawn_local(converse(stream, Rc::clone(&shared)))).collect();
    let sent = async {
        for connection in sending {
            connection.await??;
        }
        anyhow::Ok(started.elapsed().as_secs_f64())
    };
    tokio::select! {
        seconds = sent => seconds,
        () = keep_awake() => pending().await,
    }
}

/// Keeps the runtime busy, so that it polls for answers and never sleeps.
async fn keep_awake() {
    loop {
        tokio::task::yield_now().await;
    }
}

async fn converse(mut stream: TcpStream, shared: Rc<Shared>) -> anyhow::Result<()> {
    let mut answer = vec![0u8; ANSWER_LIMIT_BYTES];
    let mut usual = 0;
    loop {
        let number = shared.next.get();
        if number >= shared.end {
            return Ok(());
        }
        shared.next.set(number + 1);
        let started = Instant::now();
        stream.write_all(&shared.requests[number % shared.requests.len()]).await?;
        let mut filled = 0;
        let (status, length) = loop {
            let count = stream.read(&mut answer[filled..]).await?;
            ensure!(count > 0, "the server closed a connection after {number} requests, or its answer is too long");
            filled += count;
            // Most answers are as long as the last one; then the head need not be parsed.
            if filled == usual && answer.starts_with(b"HTTP/1.1 200 ") {
                break (200, usual);
            }
            match whole(&answer[..filled])? {
                Some(found) => break found,
                None => continue,
            }
        };
        usual = length;
        ensure!(length == filled, "the server sent more than one answer to one request");
        if status != 200 {
            shared.not_ok.set(shared.not_ok.get() + 1);
        }
        let (least, most) = shared.answer_bytes.get();
        shared.answer_bytes.set((least.min(length), most.max(length)));
        shared.latencies_ns.borrow_mut().push(u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
}

/// Status and length of an answer, once all of it is there.
fn whole(bytes: &[u8]) -> anyhow::Result<Option<(u16, usize)>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&bytes[..end]).context("the head of an answer is no text")?;
    let status = head.get(9..12).and_then(|digits| digits.parse().ok()).context("an answer has no status")?;
    let mut lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let Some(length) = length.and_then(|(_, value)| value.trim().parse::<usize>().ok()) else {
        bail!("an answer has no length");
    };
    let length = end + 4 + length;
    Ok((bytes.len() >= length).then_some((status, length)))
}

fn report(shared: &Shared, seconds: f64) -> Value {
    let mut latencies = shared.latencies_ns.borrow_mut();
    latencies.sort_unstable();
    let at = |share: f64| {
        let place = (latencies.len() as f64 * share) as usize;
        latencies.get(place.min(latencies.len().saturating_sub(1))).map_or(0.0, |ns| (*ns / 100) as f64 / 10.0)
    };
    let (least, most) = shared.answer_bytes.get();
    json!({
        "requests": latencies.len(),
        "seconds": seconds,
        "per_s": latencies.len() as f64 / seconds,
        "not_ok": shared.not_ok.get(),
        "p50_us": at(0.5),
        "p99_us": at(0.99),
        "answer_bytes_least": least,
        "answer_bytes_most": most,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_last_byte_is_there() {
        let text = b"HTTP/1.1 403 Forbidden\r\nA: b\r\nContent-Length: 3\r\n\r\nabc";
        for end in 0..text.len() {
            assert_eq!(whole(&text[..end]).unwrap(), None, "{end}");
        }
        assert_eq!(whole(text).unwrap(), Some((403, text.len())));
        assert!(whole(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(whole(b"\r\n\r\n").is_err());
    }

    #[test]
    fn a_request_carries_its_token() {
        let text = String::from_utf8(request("h:1", "/a?b=c vkey").unwrap()).unwrap();
        assert_eq!(text, "GET /a?b=c HTTP/1.1\r\nhost: h:1\r\nauthorization: Bearer vkey\r\n\r\n");
        assert!(request("h:1", "no-token").is_err());
    }
}
