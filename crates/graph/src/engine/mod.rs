//! The engine: serves every kind of node from the schema table.
//!
//! It parses, asks the service, and writes answers. A rule of the business never stands here.

mod ads;
mod assets;
mod batch;
mod business;
mod fields;
mod input;
mod lists;
mod node;
mod oauth;
mod pages;
mod read;
mod rows;
mod users;
mod values;
mod work;

use serde_json::{Map, Value, json};
use valetkey_domain::credential::Digest;
use valetkey_domain::{Id, Reason, Refusal, Role, ScopeSet, UnixMs};
use valetkey_service::authz::{Allowed, Question, Sorts, Target};
use valetkey_service::rights::Who;
use valetkey_service::{Call, Credential, Service};

pub(crate) use input::{Input, Problem};
pub(crate) use node::{Node, Row};
pub(crate) use work::Work;

use crate::protocol::envelope::{self, GraphError, MAX_IDS};
use crate::protocol::text::{holds_credential, nearest};
use crate::refusal::{graph_error, missing_object};
use crate::schema::{Edge, NodeType, Op, Verb};

/// An answer before it is written.
#[derive(Debug)]
pub(crate) struct Answer {
    pub body: Value,
    /// The revision of a write.
    pub revision: Option<u64>,
    /// The asset that the call was about, for usage headers, with its use case.
    pub about: Option<(Id, &'static str)>,
}

impl Answer {
    pub fn of(body: Value) -> Answer {
        Answer { body, revision: None, about: None }
    }

    pub fn success(revision: u64) -> Answer {
        Answer { body: json!({ "success": true }), revision: Some(revision), about: None }
    }

    pub fn made(fields: Map<String, Value>, revision: u64) -> Answer {
        Answer { body: Value::Object(fields), revision: Some(revision), about: None }
    }
}

/// What a call works with.
#[derive(Clone, Copy)]
pub(crate) struct Cx<'a> {
    pub service: &'a Service,
    pub call: &'a Call,
    pub input: &'a Input,
    pub now: UnixMs,
    pub work: &'a Work,
}

impl<'a> Cx<'a> {
    pub fn service(&self) -> &'a Service {
        self.service
    }

    /// Serves the call.
    pub async fn run(&self) -> Result<Answer, GraphError> {
        self.dispatch().await.map_err(|problem| self.error(&problem))
    }

    /// The wire's error for a problem.
    pub fn error(&self, problem: &Problem) -> GraphError {
        match problem {
            Problem::Graph(error) => (**error).clone(),
            Problem::Refusal(refusal) => {
                error_of(self.service, self.call, refusal, self.input.verb, self.input.named())
            }
        }
    }

    /// Without any credential nothing is served, and the answer is the same everywhere.
    pub fn need_token(&self) -> Result<(), Problem> {
        match self.call.credential {
            Credential::None => Err(envelope::no_token().into()),
            _ => Ok(()),
        }
    }

    /// The caller, whoever it is: what every call asks before it looks at anything.
    pub fn live(&self) -> Result<Allowed, Problem> {
        self.need_token()?;
        Ok(self.service.ask(self.call, Cx::alive())?)
    }

    async fn dispatch(&self) -> Result<Answer, Problem> {
        let segments: Vec<&str> = self.input.segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            // Crash reports of the SDKs come without a token; nothing is looked up for them, so that
            // a stranger learns of no id whether it was issued.
            [_, "activities" | "instruments"] if self.input.verb == Verb::Post => {
                Ok(Answer::of(json!({ "success": true })))
            }
            [] => self.root().await,
            ["oauth", "access_token"] => self.oauth_access_token().await,
            ["oauth", "revoke"] => self.oauth_revoke().await,
            ["oauth", rest @ ..] => self.no_such_path(rest),
            ["debug_token"] => self.debug_token().await,
            ["search"] => self.search(),
            [edge] if self.input.get("ids").is_some() && self.input.verb == Verb::Get => self.ids(Some(edge)).await,
            [first] => {
                let node = self.first(first).await?;
                self.on_node(node).await
            }
            [first, edge] => {
                let node = self.first(first).await?;
                self.on_edge(node, edge).await
            }
            [first, "permissions", scope] if self.input.verb == Verb::Delete => {
                let node = self.first(first).await?;
                let edge = node.kind().edge("permissions", Verb::Delete);
                let edge = edge.ok_or_else(|| envelope::unsupported_method("delete"))?;
                self.ask(&node, &edge.right).map_err(|problem| self.clearer(problem, &node, edge))?;
                self.drop_permissions(&node, Some(scope)).await
            }
            [_, _, rest @ ..] => self.no_such_path(rest),
        }
    }

    /// A path that leads nowhere is told so to whom a token is alive, and to whom has none.
    fn no_such_path(&self, rest: &[&str]) -> Result<Answer, Problem> {
        if !matches!(self.call.credential, Credential::None) {
            self.live()?;
        }
        Err(envelope::unknown_path(&rest.join("/")).into())
    }

    async fn root(&self) -> Result<Answer, Problem> {
        match self.input.verb {
            Verb::Get if self.input.get("ids").is_some() => self.ids(None).await,
            verb => {
                self.live()?;
                Err(envelope::unsupported_method(verb.as_str()).into())
            }
        }
    }

    /// The node of the first segment: `me`, `app`, or an id.
    async fn first(&self, text: &str) -> Result<Node, Problem> {
        match text {
            "me" => self.me().await,
            "app" => self.own_app().await,
            _ => self.visible(text).await,
        }
    }

    /// The thing that the token stands for.
    async fn me(&self) -> Result<Node, Problem> {
        if matches!(self.call.credential, Credential::None) {
            return Err(envelope::no_user().into());
        }
        let allowed = self.live()?;
        let id = allowed.page.or(allowed.caller.user()).ok_or_else(envelope::no_user)?;
        match self.find_id(id).await? {
            Some(node) => self.with_details(node).await,
            None => Err(missing_object(self.input.verb, "me").into()),
        }
    }

    async fn own_app(&self) -> Result<Node, Problem> {
        let allowed = self.live()?;
        let app = match allowed.caller {
            valetkey_domain::Caller::App { app, .. } | valetkey_domain::Caller::SystemUser { app, .. } => Some(app),
            _ => None,
        };
        let node = match app {
            Some(app) => self.find_id(app).await?,
            None => None,
        };
        node.ok_or_else(|| missing_object(self.input.verb, "app").into())
    }

    /// A node that the caller may know of. The token is looked at first, so a dead one is told so
    /// whatever it asks about; then foreign and never issued ids get one and the same answer.
    async fn visible(&self, text: &str) -> Result<Node, Problem> {
        self.live()?;
        let looks_like_id = text.bytes().any(|b| b.is_ascii_digit())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_:-".contains(&b));
        if !looks_like_id || holds_credential(text) {
            return Err(envelope::alias(text).into());
        }
        let Some(node) = self.find(text).await? else {
            return Err(missing_object(self.input.verb, text).into());
        };
        let named = match &node {
            Node::Business(business) => self.is_partner(business.id),
            node => node.app_id().is_some_and(|id| self.stands_for_app(id)),
        };
        if !named {
            let open = valetkey_service::rights::Right { sorts: Sorts::ANY, ..valetkey_service::rights::OPEN };
            self.service.ask(self.call, node.question(&open))?;
        }
        // The descriptive fields are fetched only now: how long that takes must tell a stranger
        // nothing.
        self.with_details(node).await
    }

    /// Whether a business shares an asset with the caller's own, or the other way round, in the
    /// caller's sight: such a business is known by its name.
    pub fn is_partner(&self, business: Id) -> bool {
        let Some(allowed) = self.service.may(self.call, Cx::alive()) else { return false };
        let (Some(own), Some(user), None) = (allowed.caller.business(), allowed.caller.user(), allowed.page) else {
            return false;
        };
        if own == business {
            return false;
        }
        let related = self.service.read(|s| {
            let owned_by = |asset: &Id, owner: Id| s.asset(*asset).is_some_and(|a| a.business == Some(owner));
            if allowed.role == Role::Admin {
                let given = s.list(valetkey_domain::List::SharedAssets(own)).iter().any(|a| owned_by(a, business));
                return given || s.list(valetkey_domain::List::SharedAssets(business)).iter().any(|a| owned_by(a, own));
            }
            // An EMPLOYEE knows the owners of what it works on.
            s.list(valetkey_domain::List::AssetsOf(user)).iter().any(|a| owned_by(a, business))
        });
        related.unwrap_or(false)
    }

    async fn on_node(&self, node: Node) -> Result<Answer, Problem> {
        match self.input.verb {
            Verb::Get => {
                let about = super::usage::about(&node, None);
                let body = self.read_node(node).await?;
                Ok(Answer { about, ..Answer::of(Value::Object(body)) })
            }
            verb => {
                let call = node.kind().call(verb).ok_or_else(|| envelope::unsupported_method(verb.as_str()))?;
                self.operate(node, call).await
            }
        }
    }

    async fn on_edge(&self, node: Node, name: &str) -> Result<Answer, Problem> {
        let kind = node.kind();
        match kind.edge(name, self.input.verb) {
            Some(edge) => self.operate(node, edge).await,
            None if self.input.verb == Verb::Get => Err(unknown_edge(kind, name).into()),
            None => Err(envelope::unsupported_method(self.input.verb.as_str()).into()),
        }
    }

    /// One arm for each thing that a call can do.
    async fn operate(&self, node: Node, edge: &'static Edge) -> Result<Answer, Problem> {
        let answer = self.act(&node, edge).await.map_err(|problem| self.clearer(problem, &node, edge))?;
        Ok(Answer { about: answer.about.or(super::usage::about(&node, Some(edge))), ..answer })
    }

    /// A missing role, told as what it is where no role would do.
    fn clearer(&self, problem: Problem, node: &Node, edge: &Edge) -> Problem {
        let of_role = matches!(&problem, Problem::Refusal(r) if r.reason == Reason::RoleInsufficient);
        if !of_role || edge.right.who != Who::OwnerAdmin {
            return problem;
        }
        let caller = self.service.may(self.call, Cx::alive()).map(|a| a.caller);
        let own = caller.and_then(|c| c.business());
        match (node, edge.right.own) {
            (_, Some(_)) if caller.is_some_and(|c| c.user().is_some()) => envelope::oneself_alone().into(),
            (Node::Asset(asset, _), None) if own.is_some() && asset.business != own => {
                envelope::partner_share(asset.kind.row().map_or("asset", |r| r.title)).into()
            }
            _ => problem,
        }
    }

    async fn act(&self, node: &Node, edge: &'static Edge) -> Result<Answer, Problem> {
        // Who may not do it at all is told so before its parameters are looked at. Posts decide by
        // what is asked for.
        if edge.verb != Verb::Get && !matches!(edge.op, Op::PublishPost | Op::UpdatePost | Op::AcceptAnything) {
            self.ask(node, &edge.right)?;
        }
        match edge.op {
            Op::UpdateBusiness => self.update_business(node).await,
            Op::CreateSystemUser => self.create_system_user(node).await,
            Op::CreatePage | Op::CreateAdAccount | Op::CreatePixel | Op::CreateCatalog => {
                self.create_asset(node, edge.op).await
            }
            Op::CreateApp => self.create_app(node).await,
            Op::DisconnectApp => self.disconnect_app(node).await,
            Op::UpdateApp => self.update_app(node).await,
            Op::UpdateSystemUser => self.update_system_user(node).await,
            Op::DeleteSystemUser => self.delete_system_user(node).await,
            Op::UpdatePerson => self.update_person(node).await,
            Op::DeletePerson => self.delete_person(node).await,
            Op::InstallApp | Op::UninstallApp => self.install(node, edge.op == Op::InstallApp).await,
            Op::IssueToken => self.issue_token(node).await,
            Op::RevokeTokens => self.revoke_tokens(node).await,
            Op::RevokeToken => self.revoke_token(node).await,
            Op::DropPermissions => self.drop_permissions(node, self.input.get("permission")).await,
            Op::UpdatePage | Op::UpdateAdAccount | Op::UpdateAsset => self.update_asset(node).await,
            Op::AssignUser | Op::UnassignUser => self.assign(node, edge.op == Op::AssignUser).await,
            Op::ShareAsset | Op::UnshareAsset => self.share(node, edge.op == Op::ShareAsset).await,
            Op::PublishPost => self.publish(node).await,
            Op::UpdatePost => self.update_post(node).await,
            Op::DeletePost => self.delete_post(node).await,
            Op::CreateCampaign => self.create_campaign(node).await,
            Op::UpdateCampaign | Op::DeleteCampaign => self.update_campaign(node, edge.op == Op::DeleteCampaign).await,
            Op::AcceptAnything => Ok(Answer { body: json!({ "success": true }), revision: None, about: None }),
            _ => self.list_edge(node, edge).await,
        }
    }

    /// `GET /?ids=a,b`, and `GET /{edge}?ids=a,b`: one bad id fails all.
    async fn ids(&self, edge: Option<&str>) -> Result<Answer, Problem> {
        self.live()?;
        let ids = self.input.list("ids")?.unwrap_or_default();
        if ids.is_empty() {
            return Err(envelope::parameter_required("ids").into());
        }
        if ids.len() > MAX_IDS {
            return Err(envelope::too_many_ids(ids.len()).into());
        }
        let nodes = ids.len() as u64;
        let mut out = Map::new();
        for text in ids {
            if out.contains_key(&text) {
                continue;
            }
            let input = self.input_for(&text, edge, nodes);
            let value = Cx { input: &input, ..*self }.one_of(&text, edge).await?;
            out.insert(text, value);
        }
        Ok(Answer::of(Value::Object(out)))
    }

    /// The call for one of several ids, as if it had come for that one alone: its links go on with
    /// its own list.
    fn input_for(&self, id: &str, edge: Option<&str>, nodes: u64) -> Input {
        let version = self.input.version;
        Input {
            path: edge.map_or_else(|| format!("/{version}/{id}"), |edge| format!("/{version}/{id}/{edge}")),
            segments: std::iter::once(id).chain(edge).map(str::to_owned).collect(),
            pairs: self
                .input
                .pairs
                .iter()
                .filter(|(name, _)| name != "ids" && !name.starts_with("ids["))
                .cloned()
                .collect(),
            nodes,
            ..self.input.clone()
        }
    }

    async fn one_of(&self, text: &str, edge: Option<&str>) -> Result<Value, Problem> {
        let node = match text {
            "me" => self.me().await?,
            _ => self.visible(text).await.map_err(|problem| alias_of(problem, text))?,
        };
        let Some(name) = edge else { return Ok(Value::Object(self.read_node(node).await?)) };
        let kind = node.kind();
        let edge = kind.edge(name, Verb::Get).ok_or_else(|| unknown_edge(kind, name))?;
        let answer = self.list_edge(&node, edge).await.map_err(|problem| self.clearer(problem, &node, edge))?;
        Ok(answer.body)
    }

    /// Searches that belong to ad targeting are not served yet; known types are empty.
    fn search(&self) -> Result<Answer, Problem> {
        self.need_token()?;
        if self.input.verb != Verb::Get {
            self.live()?;
            return Err(envelope::unsupported_method(self.input.verb.as_str()).into());
        }
        let question = Question::about(Target::Nothing).scopes(ScopeSet::of(valetkey_service::rights::READ_ADS.scopes));
        self.service.ask(self.call, question)?;
        self.input.require("type")?;
        Ok(Answer::of(json!({ "data": [] })))
    }

    /// The caller, for a node of its own business.
    pub fn ask(&self, node: &Node, right: &valetkey_service::rights::Right) -> Result<Allowed, Problem> {
        Ok(self.service.ask(self.call, node.question(right))?)
    }

    pub fn is_admin(allowed: &Allowed) -> bool {
        allowed.role == Role::Admin
    }
}

/// In a list of ids, what is not there is told as an alias that does not exist.
fn alias_of(problem: Problem, text: &str) -> Problem {
    let hidden = match &problem {
        Problem::Refusal(refusal) => refusal.reason == Reason::NotVisible,
        Problem::Graph(error) => error.code == 100 && error.subcode == Some(33),
    };
    if hidden { envelope::alias(text).into() } else { problem }
}

/// The wire's error for a refusal. A wrong proof names the app whose secret it must be made with:
/// who has the token knows it anyway.
pub(crate) fn error_of(
    service: &Service,
    call: &Call,
    refusal: &Refusal,
    verb: Verb,
    named: Option<&str>,
) -> GraphError {
    if refusal.reason == Reason::ProofInvalid {
        let app = call.text().and_then(|text| {
            let digest = Digest::of(text);
            service.read(|s| s.token_by_digest(&digest)?.app.and_then(|id| s.app(id)).map(|a| a.name)).ok().flatten()
        });
        let error = envelope::proof_invalid(app.as_ref().map(|name| name.as_str()));
        return error.with_data("reason", json!(refusal.reason.as_str()));
    }
    graph_error(refusal, verb, named, service.now())
}

fn unknown_edge(kind: &'static NodeType, name: &str) -> GraphError {
    let edges = kind.edges.iter().filter(|e| e.verb == Verb::Get).map(|e| e.name);
    envelope::unknown_edge(name, kind.name, nearest(name, edges))
}
