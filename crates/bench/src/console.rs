//! The console in front of one large business: how many bytes each page has, and how long the server
//! works on it.
//!
//! Requests are handed to the adapter itself, one after the other, so that neither the network nor other
//! requests are measured. A page that is not answered with 200 is not measured, and its row says what it
//! was answered with.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, anyhow, ensure};
use http::header::{COOKIE, HOST};
use http::{HeaderValue, Method, StatusCode, Uri};
use serde_json::{Value, json};
use valetkey_console::Console;
use valetkey_domain::post::PostInput;
use valetkey_domain::rules::sign_in::PersonToken;
use valetkey_domain::{AssetKind, Refusal};
use valetkey_http::{Adapter as _, Origin, Reply, Request, RequestId};
use valetkey_service::{Call, Service, rights};
use valetkey_store_sqlite::SqliteStore;

use crate::large::{LARGE, Large, Sizes};
use crate::median::{median, percentile};
use crate::{rows, seed, system, world};

/// Where a browser would find the console, the authority of it, and the name of the session's cookie.
const BASE_URL: &str = "http://localhost:8080";
const HOST_NAME: &str = "localhost:8080";
const COOKIE_NAME: &str = "valetkey-8080";
/// What stands before the names of style, script and icons.
const STATIC: &str = "/console/static/";
/// Fewer requests give no 95th percentile.
const REQUESTS_LEAST: usize = 50;
/// Requests for each page before those that count.
const WARM_UP: usize = 20;
/// Posts of the one Page that is looked at, and refusals.
const POSTS: usize = 50;
const REFUSALS: usize = 200;

/// The measured pages by their names. `{user}` stands for the system user with the most assignments,
/// `{page}` for the Page with posts.
const PAGES: &[(&str, &str)] = &[
    ("System users", "/console/system-users"),
    ("One system user", "/console/system-users/{user}"),
    ("Form: assign assets", "/console/system-users/{user}/assign"),
    ("Form: generate token", "/console/system-users/{user}/token"),
    ("Assets of one kind", "/console/assets?kind=page"),
    ("Assets of one kind, searched", "/console/assets?kind=page&q=9994"),
    ("One asset", "/console/assets/{page}"),
    ("Tokens", "/console/tokens"),
    ("People", "/console/people"),
    ("Partners", "/console/partners"),
    ("Apps", "/console/apps"),
    ("Access", "/console/access"),
    ("Refusals", "/console/refusals"),
    ("Activity", "/console/activity"),
    ("Search with many hits", "/console/search?q=office"),
    ("Search with one hit", "/console/search?q=office+9994"),
    ("Business info", "/console/business"),
    ("Security", "/console/security"),
];

/// Makes the business in a new folder within this one and opens each page `requests` times.
pub fn run(within: &str, requests: usize) -> anyhow::Result<Value> {
    ensure!(requests >= REQUESTS_LEAST, "--requests must be at least {REQUESTS_LEAST}");
    measure(within, LARGE, requests)
}

fn measure(within: &str, sizes: Sizes, requests: usize) -> anyhow::Result<Value> {
    let scratch = rows::Scratch::new(within, "console")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let visitor = Visitor::new(scratch.path(), sizes).await?;
        let mut files = BTreeMap::new();
        let mut pages = Vec::with_capacity(PAGES.len());
        for (name, address) in PAGES {
            pages.push(visitor.page(name, address, requests, &mut files).await?);
        }
        Ok(json!({
            "assets": sizes.assets,
            "system_users": sizes.users,
            "assignments": sizes.assignments,
            "assignments_of_one": sizes.assignments / 4,
            "tokens": sizes.tokens,
            "people": sizes.people,
            "partners": sizes.partners,
            "apps": sizes.apps,
            "posts": POSTS,
            "refusals": REFUSALS,
            "requests": requests,
            "warm_up": WARM_UP,
            "files": files,
            "most_kb": most(&pages, "/whole_bytes").map(|bytes| bytes / 1_000.0),
            "slowest_ms": most(&pages, "/ms_95"),
            "pages": pages,
        }))
    })
}

/// The largest figure of all pages; `None` if one of them has none.
fn most(pages: &[Value], place: &str) -> Option<f64> {
    let figures = pages.iter().map(|page| page.pointer(place).and_then(Value::as_f64));
    figures.collect::<Option<Vec<f64>>>().map(|figures| figures.into_iter().fold(0.0, f64::max))
}

/// An ADMIN person with a session, at the console.
struct Visitor {
    console: Console,
    cookie: HeaderValue,
    large: Large,
    sent: Cell<u64>,
}

impl Visitor {
    async fn new(folder: &Path, sizes: Sizes) -> anyhow::Result<Visitor> {
        let store = SqliteStore::open(folder)?;
        let keys = seed::make_keys(folder, &store).await?;
        let large = Large::new(sizes, system::now());
        large.write(&store).await?;
        let service = Service::open(system::deps(Arc::new(store), keys)).await?;
        publish(&service, &large).await?;
        be_refused(&service, &large, sizes)?;
        let refused = |refusal: Refusal| refusal_error("a session", &refusal);
        let code = service.create_sign_in_code(&Call::operator("bench"), large.admin).await.map_err(refused)?.value;
        let done = service.redeem_sign_in_code("bench", code.reveal(), PersonToken::Session).await.map_err(refused)?;
        let (_, text) = done.value;
        let mut cookie = HeaderValue::from_str(&format!("{COOKIE_NAME}={}", text.reveal()))?;
        cookie.set_sensitive(true);
        Ok(Visitor { console: Console::new(service, Some(BASE_URL)), cookie, large, sent: Cell::new(0) })
    }

    /// The figures of one page. `files` holds the bytes of what pages load, by name.
    async fn page(
        &self,
        name: &str,
        address: &str,
        requests: usize,
        files: &mut BTreeMap<String, usize>,
    ) -> anyhow::Result<Value> {
        let user = self.large.user.to_string();
        let address = address.replace("{user}", &user).replace("{page}", &self.large.page.to_string());
        let (first, _) = self.open(&address).await?;
        if first.status != StatusCode::OK {
            return Ok(json!({ "page": name, "answered": first.status.as_u16() }));
        }
        let mut loaded_bytes = 0;
        for file in loads(std::str::from_utf8(&first.body)?) {
            let bytes = match files.get(file) {
                Some(bytes) => *bytes,
                None => self.file_bytes(file).await?,
            };
            files.insert(file.to_owned(), bytes);
            loaded_bytes += bytes;
        }
        for _ in 1..WARM_UP {
            self.open(&address).await?;
        }
        let (mut html_bytes, mut times_ms) = (0, Vec::with_capacity(requests));
        for _ in 0..requests {
            let (reply, ms) = self.open(&address).await?;
            ensure!(reply.status == StatusCode::OK, "{name} was answered with {} after 200", reply.status);
            // The size follows the times that are shown, by a few bytes.
            html_bytes = html_bytes.max(reply.body.len());
            times_ms.push(ms);
        }
        let (median_ms, low, high) = median(&times_ms);
        Ok(json!({
            "page": name,
            "answered": 200,
            "html_bytes": html_bytes,
            "whole_bytes": html_bytes + loaded_bytes,
            "ms": { "median": median_ms, "low": low, "high": high },
            "ms_95": percentile(&times_ms, 95),
        }))
    }

    async fn file_bytes(&self, file: &str) -> anyhow::Result<usize> {
        let (reply, _) = self.open(&format!("{STATIC}{file}")).await?;
        ensure!(reply.status == StatusCode::OK, "a page loads {file}, which was answered with {}", reply.status);
        Ok(reply.body.len())
    }

    /// One request, and how many milliseconds its answer took.
    async fn open(&self, address: &str) -> anyhow::Result<(Reply, f64)> {
        let uri: Uri = address.parse().with_context(|| format!("{address} is no address"))?;
        let mut request = Request::new(Method::GET, uri);
        self.sent.set(self.sent.get() + 1);
        request.request_id = RequestId::from_bytes(u128::from(self.sent.get()).to_be_bytes());
        request.headers.insert(HOST, HeaderValue::from_static(HOST_NAME));
        request.headers.insert(COOKIE, self.cookie.clone());
        let started = Instant::now();
        let reply = self.console.handle(request, Origin::Network).await;
        Ok((reply, started.elapsed().as_secs_f64() * 1e3))
    }
}

/// Posts of the Page, by the system user that may publish there.
async fn publish(service: &Service, large: &Large) -> anyhow::Result<()> {
    let call = Call::with_token(world::token_text(0).reveal(), "bench");
    let question = rights::PUBLISH.on_asset(large.page, AssetKind::Page);
    for n in 0..POSTS {
        let message = format!("Ride number {n} along the river, every Sunday at ten");
        let input = PostInput { message: Some(message), ..PostInput::default() };
        let done = service.create_post(&call, question, large.page, input).await;
        done.map_err(|refusal| refusal_error("a post", &refusal))?;
    }
    Ok(())
}

/// Refusals of the business's own system users, in the journal.
fn be_refused(service: &Service, large: &Large, sizes: Sizes) -> anyhow::Result<()> {
    let question = rights::MANAGE_BUSINESS.on_business(large.business);
    for n in 0..REFUSALS {
        // Each has a trace of its own, far from those of the measured requests.
        let trace = RequestId::from_bytes((u128::MAX - n as u128).to_be_bytes());
        let call = Call::with_token(world::token_text(n % sizes.tokens).reveal(), trace.as_str());
        ensure!(service.ask(&call, question).is_err(), "a system user without the scope may manage the business");
    }
    Ok(())
}

fn refusal_error(what: &str, refusal: &Refusal) -> anyhow::Error {
    anyhow!("{what} was refused: {}", refusal.reason.as_str())
}

/// The names of the files of the console that a page loads.
fn loads(html: &str) -> BTreeSet<&str> {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    html.split(STATIC).skip(1).filter_map(|rest| rest.split(|c: char| !is_of_name(c)).next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::large::SMALL;

    #[test]
    fn every_page_is_there_and_loads_style_script_and_icons() {
        let within = std::env::temp_dir().to_string_lossy().into_owned();
        let report = measure(&within, SMALL, 3).unwrap();
        for page in report["pages"].as_array().unwrap() {
            assert_eq!(page["answered"], 200, "{page}");
            assert!(page["whole_bytes"].as_u64() > page["html_bytes"].as_u64(), "{page}");
        }
        for file in ["console.css", "console.js", "icons.svg"] {
            assert!(report["files"][file].as_u64() > Some(0), "{file}");
        }
        assert!(report["most_kb"].as_f64() > Some(0.0) && report["slowest_ms"].as_f64() > Some(0.0));
    }

    #[test]
    fn a_page_names_what_it_loads() {
        let html = r#"<link href="/console/static/a.css"><use href="/console/static/i.svg#x"/>"#;
        let html = format!("{html}<use href='/console/static/i.svg#y'>");
        assert_eq!(loads(&html).into_iter().collect::<Vec<_>>(), ["a.css", "i.svg"]);
        assert!(loads("<p>static</p>").is_empty());
    }

    #[test]
    fn a_page_without_figures_leaves_the_whole_without() {
        let pages = [json!({ "ms_95": 2.0 }), json!({ "answered": 404 })];
        assert_eq!(most(&pages[..1], "/ms_95"), Some(2.0));
        assert_eq!(most(&pages, "/ms_95"), None);
    }
}
