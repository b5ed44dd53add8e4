//! Calls on system users, people and tokens.

use serde_json::json;
use valetkey_domain::rules::person::PersonEdit;
use valetkey_domain::rules::system_user::SystemUserEdit;
use valetkey_domain::rules::token::{IssueRequest, Lifetime, SIXTY_DAYS_S};
use valetkey_domain::{Role, Scope, Status, TokenId, UserId};

use super::business::parse_scopes;
use super::input::Problem;
use super::{Answer, Cx, Node};
use crate::protocol::envelope;

impl Cx<'_> {
    fn system_user(&self, node: &Node) -> Result<UserId, Problem> {
        if let Node::SystemUser(user) = node {
            return Ok(user.id);
        }
        Err(envelope::unsupported_method(self.input.verb.as_str()).into())
    }

    pub async fn update_system_user(&self, node: &Node) -> Result<Answer, Problem> {
        let status = match self.input.get("status") {
            None => None,
            Some("ACTIVE") => Some(Status::Active),
            Some("DEACTIVATED") => Some(Status::Deactivated),
            Some(_) => return Err(envelope::enum_value("status", &["ACTIVE", "DEACTIVATED"]).into()),
        };
        let edit = SystemUserEdit { name: self.input.name("name")?, status, description: None };
        let done = self.service().update_system_user(self.call, self.system_user(node)?, edit).await?;
        Ok(Answer::success(done.revision))
    }

    pub async fn delete_system_user(&self, node: &Node) -> Result<Answer, Problem> {
        let done = self.service().delete_system_user(self.call, self.system_user(node)?).await?;
        Ok(Answer::success(done.revision))
    }

    pub async fn update_person(&self, node: &Node) -> Result<Answer, Problem> {
        let role = match self.input.get("role") {
            None => None,
            Some(word) => Some(Role::parse(word).ok_or_else(|| envelope::enum_value("role", &["ADMIN", "EMPLOYEE"]))?),
        };
        let edit = PersonEdit { name: self.input.name("name")?, role, status: None };
        let done =
            self.service().update_person(self.call, node.user().ok_or_else(envelope::server_fault)?, edit).await?;
        Ok(Answer::success(done.revision))
    }

    pub async fn delete_person(&self, node: &Node) -> Result<Answer, Problem> {
        let edit = PersonEdit { status: Some(Status::Deleted), ..PersonEdit::default() };
        let done =
            self.service().update_person(self.call, node.user().ok_or_else(envelope::server_fault)?, edit).await?;
        Ok(Answer::success(done.revision))
    }

    pub async fn install(&self, node: &Node, install: bool) -> Result<Answer, Problem> {
        let app = self.input.require_id("business_app")?;
        let user = self.system_user(node)?;
        let done = if install {
            self.service().install_app(self.call, user, app).await?
        } else {
            self.service().uninstall_app(self.call, user, app, false).await?
        };
        Ok(Answer::success(done.revision))
    }

    pub async fn issue_token(&self, node: &Node) -> Result<Answer, Problem> {
        let ask = IssueRequest {
            system_user: self.system_user(node)?,
            app: self.input.require_id("business_app")?,
            scopes: parse_scopes(&self.input.list("scope")?.unwrap_or_default())?,
            lifetime: self.lifetime()?.unwrap_or(Lifetime::Never),
            add_dependencies: self.input.boolean("add_dependencies")?.unwrap_or(false),
            purpose: None,
        };
        let done = self.service().issue_token(self.call, ask).await?;
        let (token, text) = done.value;
        let body = json!({
            "access_token": text.reveal(),
            "token_id": token.id,
            "expires_at": token.expires_at.map_or(0, |e| e / 1000),
        });
        Ok(Answer { body, revision: Some(done.revision), about: None })
    }

    /// The lifetime of a new token, if the call sets one: sixty days, or our own `lifetime_s`.
    pub fn lifetime(&self) -> Result<Option<Lifetime>, Problem> {
        let sixty = self.input.boolean("set_token_expires_in_60_days")?;
        let own = self.input.integer("lifetime_s")?;
        match (sixty, own) {
            (Some(true), Some(s)) if s != SIXTY_DAYS_S => {
                Err(envelope::invalid_parameter("lifetime_s", "left out beside set_token_expires_in_60_days").into())
            }
            (Some(true), _) => Ok(Some(Lifetime::Seconds(SIXTY_DAYS_S))),
            (_, Some(0)) => Ok(Some(Lifetime::Never)),
            (_, Some(s)) => Ok(Some(Lifetime::Seconds(s))),
            (_, None) => Ok(None),
        }
    }

    pub async fn revoke_tokens(&self, node: &Node) -> Result<Answer, Problem> {
        let app = self.input.id("business_app")?;
        let done = self.service().revoke_tokens(self.call, self.system_user(node)?, app).await?;
        Ok(Answer::success(done.revision))
    }

    pub async fn revoke_token(&self, node: &Node) -> Result<Answer, Problem> {
        let id = node.id().map(TokenId::of).ok_or_else(envelope::server_fault)?;
        let revision = if self.input.boolean("with_descendants")?.unwrap_or(false) {
            self.service().revoke_token_with_descendants(self.call, id).await?.revision
        } else {
            self.service().revoke_token(self.call, id).await?.revision
        };
        Ok(Answer::success(revision))
    }

    /// Removes one scope from the caller's own tokens, or uninstalls the app of the calling token.
    /// The right of the edge already demands that the user is the caller.
    pub async fn drop_permissions(&self, node: &Node, scope: Option<&str>) -> Result<Answer, Problem> {
        let allowed = self.live()?;
        if allowed.caller.user().is_none() || allowed.caller.user() != node.user() {
            return Err(envelope::oneself_alone().into());
        }
        let done = match (scope, allowed.caller) {
            (Some(name), _) => {
                let scope = Scope::parse(name).ok_or_else(|| envelope::invalid_scope(name))?;
                self.service().drop_scope(self.call, scope).await?
            }
            (None, valetkey_domain::Caller::SystemUser { system_user, app, .. }) => {
                self.service().uninstall_app(self.call, system_user, app, true).await?
            }
            (None, _) => return Err(envelope::unsupported_method("delete").into()),
        };
        Ok(Answer::success(done.revision))
    }
}
