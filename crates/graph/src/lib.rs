//! The Graph adapter: programs written for Meta's Graph API run on it unmodified.
//!
//! It knows the dialect and nothing else: it parses, asks the service, and writes. It ignores
//! cookies, takes tokens from a parameter or a header, and never decides about a right.

mod engine;
mod links;
pub mod protocol;
mod refusal;
pub mod schema;
mod usage;
mod write;

use std::time::Instant;

use futures_util::future::BoxFuture;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use valetkey_domain::{AssetId, Caller, Reason};
use valetkey_http::params::ParamFault;
use valetkey_http::{
    Adapter, Claim, Failure, Head, Late, Origin, ParamError, ParamLimits, Params, PathEntry, Reply, Request, credential,
};
use valetkey_service::authz::Question;
use valetkey_service::{Call, Credential, Service};

use engine::{Cx, Input, Work};
use protocol::envelope::{self, GraphError};
use protocol::version::{self, Version};

/// Settings of the adapter.
#[derive(Debug, Clone, Default)]
pub struct GraphConfig {
    /// Scheme, host and port under which callers reach the server, for `paging` links. Without it,
    /// links are built from the request; if the request doesn't say the address for certain, there
    /// are no links.
    pub public_url: Option<String>,
}

/// The adapter. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Graph {
    pub(crate) service: Service,
    config: std::sync::Arc<GraphConfig>,
    limits: std::sync::Arc<ParamLimits>,
}

impl Graph {
    /// An adapter in front of a service, with the default limits for parameters.
    pub fn new(service: Service, config: GraphConfig) -> Graph {
        Graph { service, config: std::sync::Arc::new(config), limits: std::sync::Arc::new(ParamLimits::default()) }
    }

    /// The same adapter with other limits for the parameters of one request.
    #[must_use]
    pub fn with_param_limits(self, limits: ParamLimits) -> Graph {
        Graph { limits: std::sync::Arc::new(limits), ..self }
    }

    /// Answers a request.
    pub fn handle(&self, request: Request) -> BoxFuture<'static, Reply> {
        let adapter = self.clone();
        Box::pin(async move { adapter.answer(request).await })
    }

    async fn answer(&self, request: Request) -> Reply {
        if request.method == Method::OPTIONS {
            return preflight();
        }
        let (call, input) = match self.read(&request).await {
            Ok(read) => read,
            Err((call, error)) => return self.failed(&call, &error, served(request.path())),
        };
        let none_match = request.headers.get(http::header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
        let mut reply = match input.raw("batch") {
            Some(batch) if input.segments.is_empty() && input.verb == schema::Verb::Post => {
                match self.run_batch(&call, &input, batch).await {
                    Ok(text) => {
                        let mut reply = write::json_text(text.into_bytes());
                        self.head_of_answer(&mut reply, &call, input.version, None, 0);
                        reply
                    }
                    Err(error) => self.failed(&call, &error, input.version),
                }
            }
            _ => self.serve(&call, &input, none_match, &Work::default()).await,
        };
        // This is for errors only: a 304 answer has no body to show.
        let is_error = reply.status.is_client_error() || reply.status.is_server_error();
        if is_error && input.get("suppress_http_code").is_some_and(|v| v == "1" || v == "true") {
            reply.status = StatusCode::OK;
        }
        reply
    }

    /// Serves one call: answer or error, and headers.
    pub(crate) async fn serve(&self, call: &Call, input: &Input, none_match: Option<&str>, work: &Work) -> Reply {
        let started = Instant::now();
        let cx = Cx { service: &self.service, call, input, now: self.service.now(), work };
        let is_get = input.verb == schema::Verb::Get;
        let outcome = cx.run().await;
        self.service.finish(call);
        let (mut reply, about) = match outcome {
            Ok(answer) => {
                let mut reply = write::json(&answer.body, is_get, none_match);
                if let Some(revision) = answer.revision {
                    reply = reply.header(HeaderName::from_static("valetkey-revision"), HeaderValue::from(revision));
                }
                (reply, answer.about)
            }
            Err(error) => (write::error(&error, call.trace()), None),
        };
        let busy_us = u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX);
        self.head_of_answer(&mut reply, call, input.version, about, busy_us);
        reply
    }

    /// The answer to a call, or an item of a batch, that could not be served at all.
    pub(crate) fn failed(&self, call: &Call, error: &GraphError, version: Version) -> Reply {
        let mut reply = write::error(error, call.trace());
        self.head_of_answer(&mut reply, call, version, None, 0);
        reply
    }

    /// Counts the call, and writes the headers that programs look for in every answer.
    fn head_of_answer(
        &self,
        reply: &mut Reply,
        call: &Call,
        version: Version,
        about: Option<(AssetId, &'static str)>,
        busy_us: u32,
    ) {
        let app = self.service.may(call, Question::alive()).and_then(|a| match a.caller {
            Caller::App { app, .. } | Caller::SystemUser { app, .. } => Some(app),
            Caller::Person { .. } | Caller::Operator => None,
        });
        let about = about.filter(|_| app.is_some() || reply.status == StatusCode::OK);
        usage::write(&mut reply.headers, self.service.usage(), app, about, busy_us, self.service.now());
        write::identify(&mut reply.headers, call.trace(), version);
    }

    /// Reads a request: path, parameters, credential. If a token can be read, it is checked first: a
    /// dead one answers 190, whatever else is wrong with the request.
    async fn read(&self, request: &Request) -> Result<(Call, Input), (Call, GraphError)> {
        let params = Params::read(request.query(), request.content_type(), &request.body, &self.limits).await;
        let (params, unreadable) = match params {
            Ok(params) => (params, None),
            // The token is usually in the query or a header, so it can be checked even if the body
            // is unreadable.
            Err(error) => (Params::from_query(request.query(), &self.limits).unwrap_or_default(), Some(error)),
        };
        let call = call_of(request, &params);
        let input = match &unreadable {
            Some(error) => Err(param_error(error)),
            None => self.input(request, &params),
        };
        match input {
            Ok(input) => Ok((call, input)),
            Err(error) => {
                let error = self.dead(&call, unreadable.is_none()).unwrap_or(error);
                Err((call, error))
            }
        }
    }

    /// Why the token of a call is not accepted, if it has one. Unless all was read, a missing proof
    /// is no error, because it may be in the unreadable part.
    pub(crate) fn dead(&self, call: &Call, read_all: bool) -> Option<GraphError> {
        if call.is_anonymous() {
            return None;
        }
        let refusal = self.service.caller(call).err()?;
        let may_stand_there = !read_all && refusal.reason == Reason::ProofMissing;
        (!may_stand_there).then(|| engine::error_of(&self.service, call, &refusal, schema::Verb::Get, None))
    }

    fn input(&self, request: &Request, params: &Params) -> Result<Input, GraphError> {
        let path = version::parse(request.path()).map_err(GraphError::from)?;
        let verb = write::verb(request.method.as_str(), params.get("method"))?;
        Ok(Input {
            verb,
            version: path.served(),
            path: request.path().trim_end_matches('/').replace("//", "/"),
            segments: path.segments.iter().map(|s| s.clone().into_owned()).collect(),
            token_in_params: params.access_token().is_some_and(|t| !t.is_empty()),
            pairs: params.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            nodes: 1,
            base_url: self
                .config
                .public_url
                .as_deref()
                .map(|url| url.trim_end_matches('/').to_owned())
                .or_else(|| links::base_url(request)),
        })
    }
}

impl Adapter for Graph {
    fn name(&self) -> &'static str {
        "graph"
    }

    fn claims(&self) -> &'static [Claim] {
        &[Claim::Rest, Claim::RootCall(&["ids", "batch"])]
    }

    fn handle(&self, request: Request, _: Origin) -> BoxFuture<'static, Reply> {
        self.handle(request)
    }

    fn failed(&self, head: &Head<'_>, failure: Failure) -> Reply {
        unserved(head, &unhandled(head, failure))
    }

    fn takes_uploads(&self, _: &Head<'_>) -> bool {
        true
    }

    fn paths(&self) -> Vec<PathEntry> {
        let summary = "the Graph API, for programs and SDKs that know it; give them this address as their base URL";
        vec![PathEntry { path: "/v26.0/…", summary: Some(summary), item: None }]
    }
}

/// The error of a request that was not handled completely.
fn unhandled(head: &Head<'_>, failure: Failure) -> GraphError {
    // A GET may name another method in its query.
    let says_method = |pair: &str| pair.split('=').next() == Some("method");
    let reads = matches!(*head.method, Method::GET | Method::HEAD) && !head.query().split('&').any(says_method);
    match failure {
        Failure::BadRequest(why) => envelope::invalid_parameter("request", &why.to_string()),
        Failure::TooLarge { limit_bytes } => envelope::body_too_large(limit_bytes as u64),
        Failure::Late(Late::Body) => envelope::invalid_parameter("request", "sent in time; send it again"),
        // A write may have been applied.
        Failure::Late(Late::Answer) if !reads => envelope::answer_is_late(),
        Failure::Late(Late::Answer) | Failure::Busy => envelope::busy(),
        Failure::Fault => envelope::server_fault(),
    }
}

/// The caller: a token from a parameter, or else from the header.
fn call_of(request: &Request, params: &Params) -> Call {
    let credential = match params.access_token().filter(|t| !t.is_empty()) {
        Some(text) => Credential::Text(text.to_owned()),
        None => match credential::bearer(&request.headers) {
            Ok(Some(text)) => Credential::Text(text.to_owned()),
            Ok(None) => Credential::None,
            Err(_) => Credential::Text(String::new()),
        },
    };
    let agent = request.headers.get(http::header::USER_AGENT).and_then(|value| value.to_str().ok());
    Call::new(credential, request.request_id.as_str())
        .with_proof(params.get("appsecret_proof").filter(|p| !p.is_empty()).map(str::to_owned))
        .with_source(Some(request.client_ip), agent.map(str::to_owned))
}

/// The answer to a request that never reached an adapter: no caller is known, so nothing is counted.
fn unserved(head: &Head<'_>, error: &GraphError) -> Reply {
    let trace = head.request_id();
    let mut reply = write::error(error, trace.as_str());
    usage::write_none(&mut reply.headers);
    write::identify(&mut reply.headers, trace.as_str(), served(head.path()));
    reply
}

/// The version that serves a path, even if the path is wrong otherwise.
fn served(path: &str) -> Version {
    version::parse(path).map_or(Version::NEWEST, |p| p.served())
}

/// Answers a browser's CORS preflight. It carries no token, so anybody may ask.
fn preflight() -> Reply {
    let header = |name, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
    let headers = [
        header("access-control-allow-origin", "*"),
        header("access-control-allow-methods", "GET, POST, DELETE, OPTIONS"),
        header("access-control-allow-headers", "authorization, content-type, if-none-match"),
        header("access-control-max-age", "600"),
    ];
    headers.into_iter().fold(Reply::new(StatusCode::NO_CONTENT), |reply, (n, v)| reply.header(n, v))
}

fn param_error(error: &ParamError) -> GraphError {
    let field = error.field().unwrap_or("body");
    let is_json = matches!(error.fault(), ParamFault::Json(_) | ParamFault::JsonNotObject);
    let title = if is_json { "Not JSON".to_owned() } else { format!("{field} not readable") };
    envelope::invalid_parameter(field, "readable").with_user(&title, &error.to_string())
}
