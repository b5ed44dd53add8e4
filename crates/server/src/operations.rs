//! The operations adapter: health, readiness, metrics and the welcome page, for operators. It must
//! show only counts and states, never a name or an id.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, StatusCode};
use tokio_util::sync::CancellationToken;
use valetkey_http::{
    Adapter, Claim, Failure, Head, Origin, PathEntry, Reply, Request, Stats, json_error, unknown_path,
};
use valetkey_service::Service;

use crate::metrics::{self, Gauges};

/// The adapter.
#[derive(Debug)]
pub struct Operations {
    service: Service,
    stats: Arc<Stats>,
    stopping: CancellationToken,
    started_s: i64,
    /// The welcome page, once the paths of all adapters are known.
    welcome: String,
}

impl Operations {
    /// Makes the adapter and takes the current time as the server's start. Once `stopping` fires,
    /// it reports that the server isn't ready.
    pub fn new(service: Service, stats: Arc<Stats>, stopping: CancellationToken) -> Operations {
        let started_s = service.now().div_euclid(1_000);
        Operations { service, stats, stopping, started_s, welcome: String::new() }
    }

    fn ready(&self) -> Reply {
        if self.stopping.is_cancelled() {
            return Reply::text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
        }
        let readiness = self.service.readiness();
        let status = if readiness.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        Reply::text(status, readiness.to_string())
    }

    fn metrics(&self) -> Reply {
        let (allowed, refused) = self.service.decision_counts();
        let gauges = Gauges {
            allowed,
            refused,
            revision: self.service.revision(),
            is_fresh: self.service.is_fresh(),
            started_s: self.started_s,
        };
        let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        Reply::text(StatusCode::OK, metrics::page(&self.stats.snapshot(), &gauges)).header(CONTENT_TYPE, kind)
    }

    fn welcome(&self) -> Reply {
        let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
        Reply::new(StatusCode::OK)
            .header(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))
            .header(CONTENT_SECURITY_POLICY, policy)
            .header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
            .body(self.welcome.clone())
    }

    fn answer(&self, request: &Request) -> Reply {
        let no_store = |reply: Reply| reply.header(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let page: &dyn Fn() -> Reply = match request.path().trim_matches('/') {
            "" => &|| self.welcome(),
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
        self.welcome = welcome_page(all);
    }
}

/// The page for browsers, with a row for each path that has a summary.
fn welcome_page(paths: &[PathEntry]) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let rows: Vec<String> = paths
        .iter()
        .filter_map(|entry| Some((entry.path, entry.summary?)))
        .map(|(path, summary)| format!("  <dt><code>{}</code></dt>\n  <dd>{}</dd>", escape(path), escape(summary)))
        .collect();
    include_str!("welcome.html").replace("{paths}", &rows.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_welcome_page_shows_each_path_that_has_a_summary_and_no_markup_of_it() {
        let entry = |path, summary| PathEntry { path, summary, item: None };
        let page = welcome_page(&[entry("/a", Some("one <b> & two")), entry("/hidden", None)]);
        assert!(page.contains("<dt><code>/a</code></dt>\n  <dd>one &lt;b> &amp; two</dd>"), "{page}");
        assert!(!page.contains("/hidden") && !page.contains("{paths}"), "{page}");
    }
}
