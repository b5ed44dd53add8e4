//! The engine: serves every kind of node from the schema table.
//!
//! It parses, asks the service, and writes answers. It must never hold a business rule.

mod access;
mod ads;
mod assets;
mod batch;
mod business;
mod cx;
mod fields;
mod ids;
mod input;
mod lists;
mod load;
mod node;
mod oauth;
mod pages;
mod read;
mod rows;
mod shown;
mod users;
mod values;
mod work;

use serde_json::{Value, json};
use valetkey_domain::{AssetId, Caller, Id, Reason, Refusal, ScopeSet, Words};
use valetkey_service::authz::{Question, Target};
use valetkey_service::read::Guard;
use valetkey_service::rights::{Right, Who};
use valetkey_service::{Call, Facts, Service};

pub(crate) use cx::{Answer, Cx, VISIBLE};
pub(crate) use input::{Input, Problem};
pub(crate) use node::{Named, Node, Row};
pub(crate) use work::Work;

use crate::protocol::envelope::{self, GraphError};
use crate::protocol::text::{echo, holds_credential, nearest};
use crate::protocol::times::session_time;
use crate::refusal::{graph_error, missing_object};
use crate::schema::{Edge, Level, NodeType, Op, Verb, Write};

impl Cx<'_> {
    /// Serves the call.
    pub async fn run(&self) -> Result<Answer, GraphError> {
        self.dispatch().await.map_err(|problem| self.error(&problem))
    }

    /// The Graph error for a problem.
    pub fn error(&self, problem: &Problem) -> GraphError {
        match problem {
            Problem::Graph(error) => (**error).clone(),
            Problem::Refusal(refusal) => {
                error_of(self.service, self.call, refusal, self.input.verb, self.input.named())
            }
        }
    }

    async fn dispatch(&self) -> Result<Answer, Problem> {
        let segments: Vec<&str> = self.input.segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            // The SDKs send crash reports without a token. Nothing is looked up for them, so that a
            // stranger can't learn whether an id was issued.
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
                let named = self.first(first).await?;
                self.on_node(&named).await
            }
            [first, edge] => {
                let named = self.first(first).await?;
                self.on_edge(&named, edge).await
            }
            [first, "permissions", scope] if self.input.verb == Verb::Delete => {
                let named = self.first(first).await?;
                let edge = named.kind().and_then(|kind| kind.edge("permissions", Verb::Delete));
                let Some(edge) = edge else {
                    return self.unserved(&named, envelope::unsupported_method("delete")).await;
                };
                let node = self.loaded(&named, edge).await?;
                self.drop_permissions(&node, Some(scope)).await
            }
            [_, _, rest @ ..] => self.no_such_path(rest),
        }
    }

    /// An unknown path answers error 2500. If a token is sent, it is checked first, and a dead one
    /// answers 190.
    fn no_such_path(&self, rest: &[&str]) -> Result<Answer, Problem> {
        if !self.call.is_anonymous() {
            self.live()?;
        }
        Err(envelope::unknown_path(&rest.join("/")).into())
    }

    async fn root(&self) -> Result<Answer, Problem> {
        if self.input.verb == Verb::Get && self.input.get("ids").is_some() {
            return self.ids(None).await;
        }
        self.live()?;
        Err(envelope::unsupported_method(self.input.verb.as_str()).into())
    }

    /// What the first segment names: `me`, `app`, or an id.
    async fn first(&self, text: &str) -> Result<Named, Problem> {
        match text {
            "me" => self.me().await,
            "app" => self.own_app().await,
            _ => {
                self.live()?;
                let named = self.named(&[text]).await?;
                self.named_or_alias(text, named.first().copied().flatten())
            }
        }
    }

    /// The node that `me` means: the Page of a page token, else the user of the token.
    pub async fn me(&self) -> Result<Named, Problem> {
        if self.call.is_anonymous() {
            return Err(envelope::no_user().into());
        }
        let allowed = self.live()?;
        let id = allowed.page.map(Id::any).or(allowed.caller.user().map(Id::any)).ok_or_else(envelope::no_user)?;
        self.named_id(id).await
    }

    async fn own_app(&self) -> Result<Named, Problem> {
        let allowed = self.live()?;
        match allowed.caller {
            Caller::App { app, .. } | Caller::SystemUser { app, .. } => self.named_id(app.any()).await,
            Caller::Person { .. } | Caller::Operator => Err(missing_object(self.input.verb, "app").into()),
        }
    }

    /// A text that can't be an id is an unknown alias. An id that names nothing answers like one
    /// that the caller may not see. The token was checked before.
    pub fn named_or_alias(&self, text: &str, named: Option<Named>) -> Result<Named, Problem> {
        let looks_like_id = text.bytes().any(|b| b.is_ascii_digit())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_:-".contains(&b));
        if !looks_like_id || holds_credential(text) {
            return Err(envelope::alias(text).into());
        }
        named.ok_or_else(|| missing_object(self.input.verb, text).into())
    }

    /// Answers `error` for a path that isn't served, if the caller may see the node. For other
    /// callers the node does not exist.
    async fn unserved(&self, named: &Named, error: GraphError) -> Result<Answer, Problem> {
        self.load(named, &VISIBLE, Level::Identity).await?;
        Err(error.into())
    }

    /// The node of a call, read under the right of the call.
    async fn loaded(&self, named: &Named, edge: &Edge) -> Result<Node, Problem> {
        let right = self.right_of(edge);
        let row =
            self.load(named, &right, Level::Identity).await.map_err(|problem| self.clearer(problem, named, edge))?;
        Ok(row.node)
    }

    /// The right of a call. A list asks its own right in each of its steps. The right for a post
    /// depends on the parameters.
    fn right_of(&self, edge: &Edge) -> Right {
        match edge.op {
            Op::List(_) | Op::Posts(_) | Op::Campaigns => VISIBLE,
            Op::Write(Write::PublishPost) => self.right_to_publish(),
            Op::Write(Write::UpdatePost) => self.right_to_change_post(),
            Op::Write(Write::AcceptAnything) => VISIBLE,
            Op::Write(_) => edge.right,
        }
    }

    async fn on_node(&self, named: &Named) -> Result<Answer, Problem> {
        let Some(kind) = named.kind() else { return self.unserved(named, envelope::server_fault()).await };
        match self.input.verb {
            Verb::Get => {
                let row = self.load_whole(named, &kind.identity, self.wanted(kind)).await?;
                let about = row.node.use_case(None);
                let body = self.read_node(&row).await?;
                Ok(Answer { about, ..Answer::of(Value::Object(body)) })
            }
            verb @ (Verb::Post | Verb::Delete) => match kind.call(verb) {
                Some(call) => self.operate(named, call).await,
                None => self.unserved(named, envelope::unsupported_method(verb.as_str())).await,
            },
        }
    }

    pub async fn on_edge(&self, named: &Named, name: &str) -> Result<Answer, Problem> {
        let Some(kind) = named.kind() else { return self.unserved(named, envelope::server_fault()).await };
        match kind.edge(name, self.input.verb) {
            Some(edge) => self.operate(named, edge).await,
            None if self.input.verb == Verb::Get => self.unserved(named, unknown_edge(kind, name)).await,
            None => self.unserved(named, envelope::unsupported_method(self.input.verb.as_str())).await,
        }
    }

    /// Reads the node under the right of the call, then runs the call.
    async fn operate(&self, named: &Named, edge: &'static Edge) -> Result<Answer, Problem> {
        let node = self.loaded(named, edge).await?;
        let answer = self.act(&node, edge).await.map_err(|problem| self.clearer(problem, named, edge))?;
        Ok(Answer { about: answer.about.or(node.use_case(Some(edge))), ..answer })
    }

    /// Replaces the refusal of a missing role by a clearer error where no role would help.
    fn clearer(&self, problem: Problem, named: &Named, edge: &Edge) -> Problem {
        let of_role = matches!(&problem, Problem::Refusal(r) if r.reason == Reason::RoleInsufficient);
        if !of_role || edge.right.who != Who::OwnerAdmin {
            return problem;
        }
        let open = named.question(&VISIBLE);
        let owner = |facts: &Facts<'_>| facts.asset(AssetId::of(named.id)).and_then(|a| a.business);
        let Some(seen) = self.service.quiet_step(self.call, open, owner) else { return problem };
        let caller = seen.allowed().caller;
        let own = caller.business();
        match (named.guard, edge.right.own) {
            (_, Some(_)) if caller.user().is_some() => envelope::oneself_alone().into(),
            (Guard::Asset { kind }, None) if own.is_some() && *seen != own => {
                envelope::partner_share(kind.row().map_or("asset", |r| r.title)).into()
            }
            _ => problem,
        }
    }

    async fn act(&self, node: &Node, edge: &'static Edge) -> Result<Answer, Problem> {
        let write = match edge.op {
            Op::Write(write) => write,
            Op::List(_) | Op::Posts(_) | Op::Campaigns => return self.list_edge(node, edge).await,
        };
        match write {
            Write::UpdateBusiness => self.update_business(node).await,
            Write::CreateSystemUser => self.create_system_user(node).await,
            Write::CreateAsset(kind) => self.create_asset(node, kind).await,
            Write::CreateApp => self.create_app(node).await,
            Write::DisconnectApp => self.disconnect_app(node).await,
            Write::UpdateApp => self.update_app(node).await,
            Write::UpdateSystemUser => self.update_system_user(node).await,
            Write::DeleteSystemUser => self.delete_system_user(node).await,
            Write::UpdatePerson => self.update_person(node).await,
            Write::DeletePerson => self.delete_person(node).await,
            Write::InstallApp | Write::UninstallApp => self.install(node, write == Write::InstallApp).await,
            Write::IssueToken => self.issue_token(node).await,
            Write::RevokeTokens => self.revoke_tokens(node).await,
            Write::RevokeToken => self.revoke_token(node).await,
            Write::DropPermissions => self.drop_permissions(node, self.input.get("permission")).await,
            Write::UpdatePage | Write::UpdateAdAccount | Write::UpdateAsset => self.update_asset(node).await,
            Write::AssignUser | Write::UnassignUser => self.assign(node, write == Write::AssignUser).await,
            Write::ShareAsset | Write::UnshareAsset => self.share(node, write == Write::ShareAsset).await,
            Write::PublishPost => self.publish(node).await,
            Write::UpdatePost => self.update_post(node).await,
            Write::DeletePost => self.delete_post(node).await,
            Write::CreateCampaign => self.create_campaign(node).await,
            Write::UpdateCampaign | Write::DeleteCampaign => {
                self.update_campaign(node, write == Write::DeleteCampaign).await
            }
            Write::AcceptAnything => Ok(Answer { body: json!({ "success": true }), revision: None, about: None }),
        }
    }

    /// Searches for ad targeting are not served yet: every type answers an empty list.
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
}

/// The Graph error for a refusal. For a wrong proof it names the app whose secret must be used. The
/// holder of the token knows that app anyway.
pub(crate) fn error_of(
    service: &Service,
    call: &Call,
    refusal: &Refusal,
    verb: Verb,
    named: Option<&str>,
) -> GraphError {
    let app = (refusal.reason == Reason::ProofInvalid).then(|| service.app_name_of(call)).flatten();
    let app = app.as_ref().map(|name| echo(name.as_str()));
    let declared = refusal.missing.kind.and_then(|kind| service.declared_kind(kind));
    let at = refusal.time.map(session_time);
    let words = Words { declared: declared.as_ref(), app: app.as_deref(), at: at.as_deref(), ..Words::default() };
    graph_error(refusal, &words, verb, named, service.now())
}

fn unknown_edge(kind: &'static NodeType, name: &str) -> GraphError {
    let edges = kind.edges.iter().filter(|e| e.verb == Verb::Get).map(|e| e.name);
    envelope::unknown_edge(name, kind.name, nearest(name, edges))
}
