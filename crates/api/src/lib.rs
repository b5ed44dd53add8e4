//! The JSON adapter, `/v1`: one table of commands, called by POST, and a few fixed paths. It
//! parses, asks the service and prints. It must never decide about rights itself, and never accept
//! a cookie.

mod args;
mod command;
mod error;
mod line;
mod openapi;
mod param;
mod preview;
mod show;
mod table;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use valetkey_domain::credential::{self, CredentialKind};
use valetkey_domain::rules::sign_in::PersonToken;
use valetkey_domain::{Reason, Refusal};
use valetkey_http::credential::{Authorization, authorization};
use valetkey_http::{Adapter, Claim, Failure, Head, Origin, PathEntry, Reply, Request};
use valetkey_service::authz::Question;
use valetkey_service::{Call, Credential, Service};

use crate::command::Ctx;
pub use crate::command::{Access, Command};
pub use crate::line::{Ask, Columns, Line, Output, line};
pub use crate::param::{Also, LIST_DEFAULT, LIST_LIMIT, Noun, Param, Place, Sort, Spelling, Typed, may, need};
pub use crate::table::{GROUPS, Group, Section, commands, find};

/// A header that may carry the proof instead of the parameter `appsecret_proof`.
const PROOF_HEADER: &str = "appsecret-proof";
static REVISION_HEADER: HeaderName = HeaderName::from_static("valetkey-revision");

/// The adapter. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Api {
    service: Service,
    /// The paths of the other adapters, for the OpenAPI document.
    beside: Arc<[PathEntry]>,
}

impl Api {
    /// The adapter in front of a service.
    pub fn new(service: Service) -> Api {
        Api { service, beside: Arc::new([]) }
    }

    /// The OpenAPI 3.1 document of the adapter.
    pub fn openapi(&self) -> Value {
        openapi::document(&self.beside)
    }

    /// Answers a request below `/v1`. `operator` is true only on the server's own socket. A token
    /// sent over that socket still counts as that token.
    pub fn handle(&self, request: Request, operator: bool) -> BoxFuture<'static, Reply> {
        let api = self.clone();
        Box::pin(async move { api.answer(&request, operator).await })
    }

    async fn answer(&self, request: &Request, operator: bool) -> Reply {
        let trace = request.request_id.as_str();
        let path = request.path().trim_end_matches('/');
        let get = request.method == Method::GET || request.method == Method::HEAD;
        let post = request.method == Method::POST;
        match path {
            "/v1" if get => document(&table::listing()),
            "/v1/openapi.json" if get => document(&self.openapi()),
            "/v1" | "/v1/openapi.json" => error::method_not_allowed("GET", trace),
            "/v1/sign-in" if post => self.sign_in(request).await,
            "/v1/sign-in" => error::method_not_allowed("POST", trace),
            _ => match path.strip_prefix("/v1/commands/") {
                Some(name) if post => self.command(request, name, operator).await,
                Some(_) => error::method_not_allowed("POST", trace),
                None => match path.strip_prefix("/v1/receipts/") {
                    Some(revision) if get => self.receipt(request, revision, operator),
                    Some(_) => error::method_not_allowed("GET", trace),
                    None => {
                        let hint = "GET /v1 lists the commands";
                        error::no_row(StatusCode::NOT_FOUND, "unknown_path", "there is no such path", hint, trace)
                    }
                },
            },
        }
    }

    async fn command(&self, request: &Request, name: &str, operator: bool) -> Reply {
        let trace = request.request_id.as_str();
        let (call, mut pairs) = match self.call(request, operator) {
            Ok(found) => found,
            Err(refusal) => return error::refused(&self.service, &refusal, trace, true),
        };
        let sent = !call.is_anonymous();
        let refuse = |refusal: Refusal| error::refused(&self.service, &refusal, trace, sent);
        // A dead credential is refused before anything else is checked.
        let allowed = match self.service.caller(&call) {
            Ok(allowed) => allowed,
            Err(refusal) => return refuse(refusal),
        };
        let Some(row) = table::find(name) else {
            let hint = "GET /v1 lists the commands";
            return error::no_row(
                StatusCode::NOT_FOUND,
                "unknown_command",
                "there is no command of this name",
                hint,
                trace,
            );
        };
        let pairs = match &mut pairs {
            Ok(pairs) => std::mem::take(pairs),
            Err(refusal) => return refuse(refusal.clone()),
        };
        let values = match args::check(row, pairs) {
            Ok(values) => values,
            Err(refusal) => return refuse(refusal),
        };
        let ctx = Ctx { service: self.service.clone(), call: call.clone(), caller: allowed.caller, values };
        let outcome = (row.run)(ctx).await;
        self.service.finish(&call);
        match outcome {
            // A preview of a write wrote nothing.
            Ok(answer) => self.answered(row.writes && answer.revision.is_some(), answer.result, answer.revision),
            Err(refusal) => refuse(renamed(row, refusal)),
        }
    }

    fn answered(&self, writes: bool, result: Value, revision: Option<u64>) -> Reply {
        let revision = revision.unwrap_or_else(|| self.service.revision());
        let body = json!({ "result": result, "revision": revision.to_string() });
        let reply = error::not_stored(Reply::json(StatusCode::OK, body.to_string()));
        if writes { reply.header(REVISION_HEADER.clone(), HeaderValue::from(revision)) } else { reply }
    }

    /// The call of a request, and the parameters of its body. An unreadable body is refused only
    /// after the credential was checked.
    #[allow(clippy::type_complexity)]
    fn call(
        &self,
        request: &Request,
        operator: bool,
    ) -> Result<(Call, Result<Vec<(String, Value)>, Refusal>), Refusal> {
        let mut pairs = args::pairs(&request.body);
        let credential = credential_of(&request.headers, operator)?;
        let mut proof = header_text(&request.headers, PROOF_HEADER)?;
        if let Ok(list) = &mut pairs {
            while let Some(at) = list.iter().position(|(name, _)| name == args::PROOF) {
                let (_, value) = list.swap_remove(at);
                let text = value.as_str().filter(|text| proof.as_ref().is_none_or(|p| p == text));
                let text = text.ok_or_else(|| Refusal::invalid(args::PROOF, "one string of hexadecimal digits"))?;
                proof = Some(text.to_owned());
            }
        }
        let agent = request.headers.get(http::header::USER_AGENT).and_then(|value| value.to_str().ok());
        let call = Call::new(credential, request.request_id.as_str())
            .with_proof(proof)
            .with_source(Some(request.client_ip), agent.map(str::to_owned));
        Ok((call, pairs))
    }

    fn receipt(&self, request: &Request, revision: &str, operator: bool) -> Reply {
        let trace = request.request_id.as_str();
        let call = self.call(request, operator).map(|(call, _)| call);
        let sent = call.as_ref().map_or(true, |c| !c.is_anonymous());
        let asked = call.and_then(|call| {
            let asked = self.service.ask(&call, Question::alive());
            self.service.finish(&call);
            asked
        });
        let found = asked.and_then(|_| {
            let digits = !revision.is_empty() && revision.len() <= 19 && revision.bytes().all(|b| b.is_ascii_digit());
            let number = digits.then(|| revision.parse::<u64>().ok()).flatten();
            let number =
                number.ok_or_else(|| Refusal::invalid("revision", "a whole number, as Valetkey-Revision gives it"))?;
            self.service.receipt(number)
        });
        match found {
            Ok(Some(receipt)) => {
                let nodes: Vec<Value> = receipt
                    .nodes
                    .iter()
                    .map(|n| json!({"node": n.node, "confirmed_at": show::time(n.confirmed_at)}))
                    .collect();
                let body =
                    json!({"revision": receipt.revision.to_string(), "complete": receipt.complete, "nodes": nodes});
                error::not_stored(Reply::json(StatusCode::OK, body.to_string()))
            }
            Ok(None) => error::no_row(
                StatusCode::NOT_FOUND,
                "unknown_revision",
                "no node knows this revision yet",
                "send the revision that the answer to a write gave",
                trace,
            ),
            Err(refusal) => error::refused(&self.service, &refusal, trace, sent),
        }
    }

    /// Redeems a single-use code for a person's token. The code is the credential.
    async fn sign_in(&self, request: &Request) -> Reply {
        let trace = request.request_id.as_str();
        match self.redeem(request, trace).await {
            Ok((result, revision)) => self.answered(true, result, Some(revision)),
            Err(refusal) => error::refused(&self.service, &refusal, trace, true),
        }
    }

    async fn redeem(&self, request: &Request, trace: &str) -> Result<(Value, u64), Refusal> {
        let pairs = args::pairs(&request.body)?;
        let code = match pairs.as_slice() {
            [(name, Value::String(code))] if name == "code" => code,
            _ => return Err(Refusal::invalid("code", "the one parameter, a string")),
        };
        let no = |reason, note: &str| Refusal::of(reason).with_note(note);
        let again = "ask the operator for a new one (valetkey person sign-in)";
        // A text that can't be a code is refused without asking the store.
        if credential::read(code) != Some(CredentialKind::Code) {
            let note = "the sign-in code is mistyped or cut off; a code begins with vkeyco_ and has 46 characters";
            return Err(no(Reason::TokenMalformed, note));
        }
        let about_code = [
            (Reason::TokenUnknown, format!("the sign-in code is not known, or was used already; {again}")),
            (Reason::TokenExpired, format!("the sign-in code has ended; {again}")),
            (
                Reason::TokenRevoked,
                format!("the sign-in code is worth nothing since the person has a sign-in of its own; {again}"),
            ),
            (Reason::UserDeactivated, "the person behind the sign-in code is deactivated or deleted".to_owned()),
        ];
        let done =
            self.service.redeem_sign_in_code(trace, code, PersonToken::CommandLine).await.map_err(|refusal| {
                let found = about_code.iter().find(|(reason, _)| *reason == refusal.reason);
                found.map_or(refusal, |(reason, note)| no(*reason, note))
            })?;
        let (token, text) = &done.value;
        // The names are read with the new token.
        let call = Call::with_token(text.reveal(), trace).quietly();
        let result = self.service.step(&call, Question::alive(), |s| {
            json!({
                "access_token": text.reveal(),
                "token_id": token.id,
                "expires_at": show::maybe_time(token.expires_at),
                "person": s.person(token.user).map(|p| json!({"id": p.id, "name": p.name, "email": p.email, "role": p.role.as_str()})),
                "business": s.business(token.business).map(|b| json!({"id": b.id, "name": b.name})),
            })
        })?;
        Ok((result.into_inner(), done.revision))
    }
}

impl Adapter for Api {
    fn name(&self) -> &'static str {
        "api"
    }

    fn claims(&self) -> &'static [Claim] {
        &[Claim::Segment("v1")]
    }

    fn handle(&self, request: Request, origin: Origin) -> BoxFuture<'static, Reply> {
        self.handle(request, origin == Origin::OperatorSocket)
    }

    fn failed(&self, head: &Head<'_>, failure: Failure) -> Reply {
        failure.json(head)
    }

    fn paths(&self) -> Vec<PathEntry> {
        let summary = "the management API; /v1/openapi.json describes it";
        vec![PathEntry { path: "/v1", summary: Some(summary), item: None }]
    }

    fn set_paths(&mut self, all: &Arc<[PathEntry]>) {
        self.beside = Arc::clone(all);
    }
}

fn document(value: &Value) -> Reply {
    Reply::json(StatusCode::OK, value.to_string())
}

/// The domain names a few parameters as the Graph does. This replaces them by the names in the row.
fn renamed(row: &Command, mut refusal: Refusal) -> Refusal {
    let has = |name: &str| row.params.iter().any(|p| p.name == name);
    if let Some(field) = &refusal.field {
        let ours = match field.as_str() {
            "business_app" | "app_id" => "app",
            "business" if !has("business") || row.name.starts_with("share.") => "partner",
            "id" if has("system_user") => "system_user",
            same => same,
        };
        if has(ours) {
            refusal.field = Some(ours.to_owned());
        }
    }
    refusal
}

fn credential_of(headers: &HeaderMap, operator: bool) -> Result<Credential, Refusal> {
    match authorization(headers) {
        Ok(Authorization::Absent) if operator => Ok(Credential::Operator),
        Ok(Authorization::Absent) => Ok(Credential::None),
        Ok(Authorization::Bearer(text)) => Ok(Credential::Text(text.to_owned())),
        Ok(Authorization::Basic(_) | Authorization::Other) => {
            Err(Refusal::of(Reason::TokenMalformed)
                .with_note("the Authorization header is not of the form Bearer TOKEN"))
        }
        Err(e) => Err(Refusal::of(Reason::TokenMalformed).with_note(&e.to_string())),
    }
}

fn header_text(headers: &HeaderMap, name: &str) -> Result<Option<String>, Refusal> {
    let mut all = headers.get_all(name).iter();
    let Some(first) = all.next() else { return Ok(None) };
    match (first.to_str(), all.next()) {
        (Ok(text), None) => Ok(Some(text.to_owned())),
        _ => Err(Refusal::invalid(args::PROOF, "one string of hexadecimal digits")),
    }
}
