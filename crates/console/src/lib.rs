//! The console: pages for the people of a business.
//!
//! It reads and acts through the service, as the person who is signed in. It must never decide about
//! rights itself, show what that person may not see, or keep anything between two requests.

mod done;
mod failure;
mod forms;
mod names;
mod open;
mod pages;
mod route;
mod session;
mod shell;
mod stops;
mod view;
mod visit;
mod web;
mod words;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::header::{ALLOW, HOST, USER_AGENT};
use http::{HeaderValue, Method};
use valetkey_http::{Adapter, Claim, Failure as HttpFailure, Head, Origin, PathEntry, Reply, Request};
use valetkey_service::{Call, Credential, Service};

use crate::failure::Failure;
use crate::open::Open;
use crate::route::{Found, Handler};
use crate::visit::Visit;
use crate::web::address::Address;
use crate::web::form::Form;
use crate::web::{cookie, origin, reply, statics};

/// The address of a page that signs somebody in with a single-use code, on the server with this base
/// URL. `None` if no browser could open it.
pub fn sign_in_link(base_url: &str, code: &str) -> Option<String> {
    Address::of(base_url).map(|address| address.sign_in_link(code))
}

/// Who may come to an address of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Anyone, signed in or not.
    Anyone,
    /// Whoever is signed in.
    Person,
    /// Admins of the business.
    Admin,
}

/// An address of the console: a page, or what a form is sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteEntry {
    pub method: Method,
    /// The whole path; `{}` stands for any one part.
    pub path: String,
    pub who: Who,
}

/// Every address of the console, so that tests walk them all and a new page is covered by itself.
pub fn routes() -> Vec<RouteEntry> {
    let entry = |row: &route::Route| RouteEntry {
        method: row.method.clone(),
        path: format!("/console/{}", row.path).trim_end_matches('/').to_owned(),
        who: match row.handler {
            Handler::Open(_) => Who::Anyone,
            Handler::Person(_) => Who::Person,
            Handler::Admin(_) => Who::Admin,
        },
    };
    pages::routes().iter().map(entry).collect()
}

/// The adapter. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Console {
    service: Service,
    /// `None` if no browser could find this server under the address that is configured.
    address: Option<Arc<Address>>,
}

impl Console {
    /// The console in front of a service, under the base URL by which browsers find it.
    pub fn new(service: Service, base_url: Option<&str>) -> Console {
        Console { service, address: base_url.and_then(Address::of).map(Arc::new) }
    }

    async fn answer(self, request: Request) -> Reply {
        let Some(address) = self.address.clone() else {
            return reply::guarded(pages::failure::no_address(), None);
        };
        let answer = self.routed(&request, &address).await;
        reply::guarded(answer, Some(&address))
    }

    async fn routed(&self, request: &Request, address: &Arc<Address>) -> Reply {
        let trace = request.request_id.as_str().to_owned();
        let path = request.path().strip_prefix("/console").unwrap_or_default();
        if let Some(name) = path.strip_prefix("/static/") {
            let file = statics::reply(name, &request.headers);
            return file.unwrap_or_else(|| pages::failure::reply(None, &Failure::NotFound, &trace));
        }
        let is_read = request.method == Method::GET || request.method == Method::HEAD;
        if let Some(elsewhere) = elsewhere(request, address).filter(|_| is_read) {
            return elsewhere;
        }
        let user_agent = request.headers.get(USER_AGENT).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let call = Call::new(Credential::None, trace.clone()).with_source(Some(request.client_ip), user_agent);
        let sent = cookie::read(&request.headers, address.cookie());
        let visitor = match session::visitor(&self.service, &call, sent).await {
            Ok(visitor) => visitor,
            Err(refusal) => return pages::failure::reply(None, &Failure::from(refusal), &trace),
        };
        if !is_read && !origin::is_ours(&request.headers, address) {
            return pages::failure::reply(None, &Failure::Foreign, &trace);
        }
        let query = Form::parse(request.query().as_bytes());
        let form = if is_read { Form::default() } else { Form::parse(&request.body) };
        match route::find(pages::routes(), &request.method, path) {
            Found::Nothing => {
                pages::failure::in_shell(self.visit(visitor, address, request, query, form), Failure::NotFound, &trace)
            }
            Found::OtherMethod => pages::failure::reply(None, &Failure::Method, &trace)
                .header(ALLOW, HeaderValue::from_static("GET, HEAD, POST")),
            Found::Handler { handler: Handler::Open(run), .. } => {
                let open = Open {
                    service: self.service.clone(),
                    address: Arc::clone(address),
                    call,
                    is_signed_in: visitor.is_some(),
                    query,
                    form,
                };
                run(open).await.unwrap_or_else(|failure| pages::failure::reply(None, &failure, &trace))
            }
            Found::Handler { handler: Handler::Person(run), open } => {
                let visit = self.visit(visitor, address, request, query, form.clone());
                self.signed(visit.map(|visit| Visit { open, ..visit }), run, request, &form).await
            }
            Found::Handler { handler: Handler::Admin(run), open } => {
                let visit = self.visit(visitor, address, request, query, form.clone());
                match visit {
                    Some(visit) if !visit.who.is_admin() => {
                        pages::failure::in_shell(Some(visit), Failure::AdminsOnly, &trace)
                    }
                    visit => self.signed(visit.map(|visit| Visit { open, ..visit }), run, request, &form).await,
                }
            }
        }
    }

    fn visit(
        &self,
        visitor: Option<(Call, visit::Visitor)>,
        address: &Arc<Address>,
        request: &Request,
        query: Form,
        form: Form,
    ) -> Option<Visit> {
        let (call, who) = visitor?;
        Some(Visit {
            service: self.service.clone(),
            address: Arc::clone(address),
            call,
            who,
            open: Vec::new(),
            here: here(request),
            query,
            form,
        })
    }

    async fn signed(
        &self,
        visit: Option<Visit>,
        run: fn(Visit) -> route::Answer,
        request: &Request,
        form: &Form,
    ) -> Reply {
        let trace = request.request_id.as_str().to_owned();
        let Some(visit) = visit else {
            return pages::failure::signed_out(&here(request), &begin(request), form);
        };
        let done = run(visit.clone()).await;
        // A page that was left without a refusal is one use of the session.
        self.service.finish(&visit.call);
        match done {
            Ok(reply) => reply,
            Err(failure) => pages::failure::in_shell(Some(visit), failure, &trace),
        }
    }
}

/// Path and query of a request.
fn here(request: &Request) -> String {
    match request.uri.query() {
        Some(query) => format!("{}?{query}", request.path()),
        None => request.path().to_owned(),
    }
}

/// The page that a form most likely stood on: the nearest path above it that can be opened.
fn begin(request: &Request) -> String {
    let mut path = request.path().trim_end_matches('/');
    while let Some(below) = path.strip_prefix("/console/") {
        if matches!(route::find(pages::routes(), &Method::GET, below), Found::Handler { .. }) {
            return path.to_owned();
        }
        path = path.rsplit_once('/').map_or("", |(above, _)| above);
    }
    "/console".to_owned()
}

/// A redirect to the one address of this console, for a request that named another host. Cookies and
/// passkeys belong to that one.
fn elsewhere(request: &Request, address: &Address) -> Option<Reply> {
    let sent = request.headers.get(HOST).and_then(|host| host.to_str().ok()).or_else(|| request.uri.host())?;
    let is_loopback = sent.starts_with("127.0.0.1") || sent.starts_with("[::1]");
    (is_loopback && address.host() == "localhost" && !address.is_host(sent))
        .then(|| reply::see_other(&format!("{}{}", address.origin(), here(request))))
}

impl Adapter for Console {
    fn name(&self) -> &'static str {
        "console"
    }

    fn claims(&self) -> &'static [Claim] {
        &[Claim::Segment("console")]
    }

    fn handle(&self, request: Request, _: Origin) -> BoxFuture<'static, Reply> {
        Box::pin(self.clone().answer(request))
    }

    fn failed(&self, head: &Head<'_>, failure: HttpFailure) -> Reply {
        let trace = head.request_id();
        reply::guarded(pages::failure::unhandled(head.method, failure, trace.as_str()), self.address.as_deref())
    }

    fn paths(&self) -> Vec<PathEntry> {
        vec![PathEntry { path: "/console", summary: Some("Business settings, for people"), item: None }]
    }
}
