//! The operations adapter: health, readiness, metrics and the list of paths, for operators. It must
//! show only counts and states, never a name or an id.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, LOCATION, VARY};
use http::{HeaderValue, Method, StatusCode};
use tokio_util::sync::CancellationToken;
use valetkey_http::{
    Adapter, Claim, Failure, Head, Origin, PathEntry, Reply, Request, Stats, json_error, unknown_path,
};
use valetkey_service::Service;
use valetkey_service::store::Verification;

use crate::metrics::{self, Gauges};

/// The adapter.
#[derive(Debug)]
pub struct Operations {
    service: Service,
    stats: Arc<Stats>,
    stopping: CancellationToken,
    started_s: i64,
    /// The list of paths, once those of all adapters are known.
    paths: String,
}

impl Operations {
    /// Makes the adapter and takes the current time as the server's start. Once `stopping` fires,
    /// it reports that the server isn't ready.
    pub fn new(service: Service, stats: Arc<Stats>, stopping: CancellationToken) -> Operations {
        let started_s = service.now().div_euclid(1_000);
        Operations { service, stats, stopping, started_s, paths: String::new() }
    }

    fn ready(&self) -> Reply {
        if self.stopping.is_cancelled() {
            return Reply::text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
        }
        let readiness = self.service.readiness();
        let status = if readiness.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let verified = self.service.known_verification().map(|found| verified(&found)).unwrap_or_default();
        Reply::text(status, format!("{readiness}{verified}"))
    }

    fn metrics(&self) -> Reply {
        let (allowed, refused) = self.service.decision_counts();
        let gauges = Gauges {
            allowed,
            refused,
            revision: self.service.revision(),
            is_fresh: self.service.is_fresh(),
            started_s: self.started_s,
            verified: self.service.known_verification().map(|v| (v.at.div_euclid(1_000), v.is_ok())),
        };
        let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        Reply::text(StatusCode::OK, metrics::page(&self.stats.snapshot(), &gauges)).header(CONTENT_TYPE, kind)
    }

    /// Browsers are led to the console; programs get the list of paths.
    fn root(&self, request: &Request) -> Reply {
        let accepted = request.headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let reply = if accepted.contains("text/html") {
            Reply::new(StatusCode::SEE_OTHER).header(LOCATION, HeaderValue::from_static("/console"))
        } else {
            Reply::text(StatusCode::OK, self.paths.clone())
        };
        reply.header(VARY, HeaderValue::from_static("accept"))
    }

    fn answer(&self, request: &Request) -> Reply {
        let no_store = |reply: Reply| reply.header(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let page: &dyn Fn() -> Reply = match request.path().trim_matches('/') {
            "" => &|| self.root(request),
            "healthz" => &|| no_store(Reply::text(StatusCode::OK, "ok\n")),
            "readyz" => &|| no_store(self.ready()),
            "metrics" => &|| no_store(self.metrics()),
            // Browsers and crawlers ask for these two by themselves.
            "favicon.ico" | "robots.txt" => &|| Reply::text(StatusCode::NOT_FOUND, "not found\n"),
            _ => return unknown_path(&request.head()),
        };
        if request.method == Method::GET || request.method == Method::HEAD {
            return page();
        }
        let trace = request.request_id.as_str();
        json_error(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path takes only GET", trace)
            .header(ALLOW, HeaderValue::from_static("GET, HEAD"))
    }
}

impl Adapter for Operations {
    fn name(&self) -> &'static str {
        "operations"
    }

    fn claims(&self) -> &'static [Claim] {
        &[
            Claim::Root,
            Claim::Segment("healthz"),
            Claim::Segment("readyz"),
            Claim::Segment("metrics"),
            Claim::Path("/favicon.ico"),
            Claim::Path("/robots.txt"),
        ]
    }

    fn handle(&self, request: Request, _: Origin) -> BoxFuture<'static, Reply> {
        Box::pin(std::future::ready(self.answer(&request)))
    }

    fn failed(&self, head: &Head<'_>, failure: Failure) -> Reply {
        failure.json(head)
    }

    fn paths(&self) -> Vec<PathEntry> {
        [
            ("/healthz", "whether the process runs"),
            ("/readyz", "whether this node may answer"),
            ("/metrics", "counters, as Prometheus reads them"),
        ]
        .map(|(path, summary)| PathEntry { path, summary: Some(summary), item: None })
        .to_vec()
    }

    fn set_paths(&mut self, all: &Arc<[PathEntry]>) {
        self.paths = list_of(all);
    }
}

/// The line about the last check of the ledger.
fn verified(found: &Verification) -> String {
    let at = jiff::Timestamp::from_millisecond(found.at).map_or_else(|_| "?".to_owned(), |at| format!("{at:.0}"));
    let what = if found.is_ok() { "the ledger was verified" } else { "the ledger does not verify, as checked" };
    format!("{what} at {at}: {found}\n")
}

/// What `/` answers to programs: a line for each path that has a summary.
fn list_of(paths: &[PathEntry]) -> String {
    let rows = paths.iter().filter_map(|entry| Some((entry.path, entry.summary?)));
    let lines: Vec<String> = rows.map(|(path, summary)| format!("  {path:<28} {summary}\n")).collect();
    format!("Valetkey: system users, their tokens, and a Graph API for them.\n\n{}", lines.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_check_of_the_ledger_is_one_line() {
        let whole = Verification { at: 0, revision: 7, is_chain_whole: true, ..Verification::default() };
        assert_eq!(
            verified(&whole),
            "the ledger was verified at 1970-01-01T00:00:00Z: nothing was altered up to revision 7\n"
        );
        let broken = Verification { is_chain_whole: false, ..whole };
        let text = verified(&broken);
        assert!(text.starts_with("the ledger does not verify") && text.contains("behind revision 7"), "{text}");
    }

    #[test]
    fn the_list_shows_each_path_that_has_a_summary() {
        let entry = |path, summary| PathEntry { path, summary, item: None };
        let list = list_of(&[entry("/a", Some("one")), entry("/hidden", None)]);
        assert!(list.ends_with("  /a                           one\n"), "{list}");
        assert!(!list.contains("/hidden"), "{list}");
    }
}
