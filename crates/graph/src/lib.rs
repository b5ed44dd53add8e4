//! The Graph door: programs written for Meta's Graph API run on it unmodified.
//!
//! It knows the dialect and nothing else: it parses, asks the service, and writes. It ignores
//! cookies, takes tokens from a parameter or a header, and never decides about a right.

mod engine;
pub mod protocol;
mod refusal;
pub mod schema;
mod usage;
mod write;

use std::time::Instant;

use futures_util::future::BoxFuture;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use valetkey_domain::Id;
use valetkey_http::{Head, ParamError, ParamLimits, Params, Reply, Request, credential};
use valetkey_service::{Call, Credential, Service};

use engine::{Cx, Input, Work};
use protocol::envelope::{self, GraphError};
use protocol::version::{self, Version};

/// Settings of the door.
#[derive(Debug, Clone, Default)]
pub struct GraphConfig {
    /// Scheme, host and port under which callers reach the server, for `paging` links. Without it
    /// the `Host` header of each request counts.
    pub public_url: Option<String>,
}

/// The door. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Graph {
    pub(crate) service: Service,
    config: std::sync::Arc<GraphConfig>,
    limits: std::sync::Arc<ParamLimits>,
}

impl Graph {
    /// A door in front of a service.
    pub fn new(service: Service, config: GraphConfig) -> Graph {
        Graph { service, config: std::sync::Arc::new(config), limits: std::sync::Arc::new(ParamLimits::default()) }
    }

    /// Answers a request.
    pub fn handle(&self, request: Request) -> BoxFuture<'static, Reply> {
        let door = self.clone();
        Box::pin(async move { door.answer(request).await })
    }

    /// The envelope for a body over the limit.
    pub fn too_large(head: &Head<'_>, limit_bytes: usize) -> Reply {
        write::error(&envelope::body_too_large(limit_bytes as u64), head.request_id().as_str())
    }

    /// The envelope for a bug, a deadline, or a server that has too much to do.
    pub fn fault(head: &Head<'_>, busy: bool) -> Reply {
        let error = if busy { envelope::store_away() } else { envelope::server_fault() };
        write::error(&error, head.request_id().as_str())
    }

    /// The envelope for a request that can't be read.
    pub fn bad_request(head: &Head<'_>, what: &str) -> Reply {
        write::error(&envelope::invalid_parameter("request", what), head.request_id().as_str())
    }

    async fn answer(&self, request: Request) -> Reply {
        let trace = request.request_id.as_str().to_owned();
        if request.method == Method::OPTIONS {
            return preflight();
        }
        let (call, input) = match self.read(&request).await {
            Ok(read) => read,
            Err(error) => {
                let mut reply = write::error(&error, &trace);
                self.head_of_answer(&mut reply, &trace, None, None, 0);
                return self.versioned(reply, request.path());
            }
        };
        let none_match = request.headers.get(http::header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
        let mut reply = match input.raw("batch") {
            Some(batch) if input.segments.is_empty() && input.verb == schema::Verb::Post => {
                match self.run_batch(&call, &input, batch).await {
                    Ok(text) => {
                        let mut reply = Reply::json(StatusCode::OK, text);
                        self.count(&mut reply, &call, None, 0);
                        reply
                    }
                    Err(error) => {
                        let mut reply = write::error(&error, &trace);
                        self.count(&mut reply, &call, None, 0);
                        reply
                    }
                }
            }
            _ => self.serve(&call, &input, none_match, &Work::default()).await,
        };
        // Only errors are meant: what is not modified has no body to show.
        let is_error = reply.status.is_client_error() || reply.status.is_server_error();
        if is_error && input.get("suppress_http_code").is_some_and(|v| v == "1" || v == "true") {
            reply.status = StatusCode::OK;
        }
        self.versioned(reply, request.path())
    }

    /// Serves one call, whole: answer, error, headers.
    pub(crate) async fn serve(&self, call: &Call, input: &Input, none_match: Option<&str>, work: &Work) -> Reply {
        let started = Instant::now();
        let cx = Cx { service: &self.service, call, input, now: self.service.now(), work };
        let is_get = input.verb == schema::Verb::Get;
        let (mut reply, about) = match cx.run().await {
            Ok(answer) => {
                let mut reply = write::json(&answer.body, is_get, none_match);
                if let Some(revision) = answer.revision {
                    reply = reply.header(HeaderName::from_static("valetkey-revision"), HeaderValue::from(revision));
                }
                (reply, answer.about)
            }
            Err(error) => (write::error(&error, &call.trace), None),
        };
        let busy_us = u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX);
        self.count(&mut reply, call, about, busy_us);
        reply
    }

    fn count(&self, reply: &mut Reply, call: &Call, about: Option<(Id, &'static str)>, busy_us: u32) {
        let app = self.service.may(call, Cx::alive()).and_then(|a| match a.caller {
            valetkey_domain::Caller::App { app, .. } | valetkey_domain::Caller::SystemUser { app, .. } => Some(app),
            _ => None,
        });
        let about = about.filter(|_| app.is_some() || reply.status == StatusCode::OK);
        self.head_of_answer(reply, &call.trace, app, about, busy_us);
    }

    /// The headers that programs look for in every answer.
    fn head_of_answer(
        &self,
        reply: &mut Reply,
        trace: &str,
        app: Option<Id>,
        about: Option<(Id, &'static str)>,
        busy_us: u32,
    ) {
        usage::write(&mut reply.headers, self.service.usage(), app, about, busy_us, self.service.now());
        if let Ok(trace) = HeaderValue::from_str(trace) {
            reply.headers.insert(HeaderName::from_static("x-fb-trace-id"), trace.clone());
            reply.headers.insert(HeaderName::from_static("x-fb-request-id"), trace);
        }
    }

    fn versioned(&self, mut reply: Reply, path: &str) -> Reply {
        let served = version::parse(path).map_or(Version::NEWEST, |p| p.served());
        if let Ok(value) = HeaderValue::from_str(&served.to_string()) {
            reply.headers.insert(HeaderName::from_static("facebook-api-version"), value);
        }
        reply
    }

    /// Reads a request: path, parameters, credential.
    async fn read(&self, request: &Request) -> Result<(Call, Input), GraphError> {
        let path = version::parse(request.path()).map_err(GraphError::from)?;
        let params = Params::read(request.query(), request.content_type(), &request.body, &self.limits).await;
        let params = params.map_err(|e| param_error(&e))?;
        let pairs: Vec<(String, String)> = params.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        let verb = write::verb(request.method.as_str(), params.get("method"))?;
        let from_param = params.access_token().filter(|t| !t.is_empty());
        let credential = match from_param {
            Some(text) => Credential::Text(text.to_owned()),
            None => match credential::bearer(&request.headers) {
                Ok(Some(text)) => Credential::Text(text.to_owned()),
                Ok(None) => Credential::None,
                Err(_) => Credential::Text(String::new()),
            },
        };
        let call = Call {
            credential,
            proof: params.get("appsecret_proof").filter(|p| !p.is_empty()).map(str::to_owned),
            trace: request.request_id.as_str().to_owned(),
            ip: Some(request.client_ip),
        };
        let input = Input {
            verb,
            path: request.path().trim_end_matches('/').replace("//", "/"),
            segments: path.segments.iter().map(|s| s.clone().into_owned()).collect(),
            token_in_params: from_param.is_some(),
            pairs,
            base_url: self.base_url(request),
        };
        Ok((call, input))
    }

    fn base_url(&self, request: &Request) -> String {
        if let Some(url) = &self.config.public_url {
            return url.trim_end_matches('/').to_owned();
        }
        let scheme = if request.tls { "https" } else { "http" };
        let host = request
            .headers
            .get(http::header::HOST)
            .and_then(|h| h.to_str().ok())
            .or_else(|| request.uri.authority().map(|a| a.as_str()));
        let plain = |h: &&str| h.len() <= 255 && h.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]_".contains(&b));
        match host.filter(plain) {
            Some(host) => format!("{scheme}://{host}"),
            None => format!("{scheme}://{}", request.peer.ip()),
        }
    }
}

/// Browsers ask before they send a token; anybody may ask.
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
    envelope::invalid_parameter(field, "readable").with_user(&format!("{field} not readable"), &error.to_string())
}
