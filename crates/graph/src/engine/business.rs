//! Calls on a business and its apps.

use serde_json::{Map, Value, json};
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::rules::app::AppEdit;
use valetkey_domain::rules::business::BusinessEdit;
use valetkey_domain::rules::system_user::SystemUserEdit;
use valetkey_domain::{AppId, AssetKind, BusinessId, Id, Role, Scope, ScopeSet, Status};

use valetkey_service::{Checked, Facts, rights};

use super::input::Problem;
use super::{Answer, Cx, Node, VISIBLE};
use crate::protocol::envelope;

impl Cx<'_> {
    fn business_id(&self, node: &Node) -> Result<BusinessId, Problem> {
        node.business().ok_or_else(|| envelope::server_fault().into())
    }

    pub async fn update_business(&self, node: &Node) -> Result<Answer, Problem> {
        let edit = BusinessEdit {
            name: self.input.name("name")?,
            strict_visibility: self.input.boolean("strict_visibility")?,
            ..BusinessEdit::default()
        };
        let done = self.service().update_business(self.call, self.business_id(node)?, edit).await?;
        Ok(Answer::success(done.revision))
    }

    /// Makes a system user, or renames the one that `system_user_id` names.
    pub async fn create_system_user(&self, node: &Node) -> Result<Answer, Problem> {
        let business = self.business_id(node)?;
        if let Some(id) = self.input.id("system_user_id")? {
            let is_known = |u: SystemUser| u.business == business && u.status != Status::Deleted;
            let known = |facts: &Facts<'_>| facts.system_user(id).is_some_and(is_known);
            if !self.service().step(self.call, rights::MANAGE_BUSINESS.on_business(business), known)?.into_inner() {
                return Err(envelope::invisible_parameter("system_user_id").into());
            }
            let name = self.input.name("name")?.ok_or_else(|| envelope::parameter_required("name"))?;
            let edit = SystemUserEdit { name: Some(name), ..SystemUserEdit::default() };
            let done = self.service().update_system_user(self.call, id, edit).await?;
            return Ok(Answer::made(id_alone(id.to_string()), done.revision));
        }
        let name = self.input.name("name")?.ok_or_else(|| envelope::parameter_required("name"))?;
        let role = match self.input.get("role") {
            None => Role::Employee,
            Some(word) => Role::parse(word).ok_or_else(|| envelope::enum_value("role", &["ADMIN", "EMPLOYEE"]))?,
        };
        let done = self.service().create_system_user(self.call, business, name, role, None).await?;
        self.answer_made(done.value, done.revision).await
    }

    pub async fn create_asset(&self, node: &Node, kind: AssetKind) -> Result<Answer, Problem> {
        if kind == AssetKind::Page && self.input.get("page_id").is_some() {
            return Err(envelope::invalid_parameter(
                "page_id",
                "left out: claiming Pages is not served yet; `name` makes one",
            )
            .into());
        }
        let name = self.input.name("name")?.ok_or_else(|| envelope::parameter_required("name"))?;
        let details = self.first_details(kind)?;
        let done = self.service().create_asset(self.call, kind, self.business_id(node)?, name, details).await?;
        let mut answer = self.answer_made(done.value, done.revision).await?;
        if kind == AssetKind::AdAccount
            && let Value::Object(body) = &mut answer.body
        {
            body.insert("account_id".to_owned(), json!(done.value));
        }
        Ok(answer)
    }

    /// The descriptive fields that a new asset starts with, beside its name.
    fn first_details(&self, kind: AssetKind) -> Result<Map<String, Value>, Problem> {
        let mut details = Map::new();
        let mut keep = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                details.insert(name.to_owned(), value);
            }
        };
        let short = |name: &str| -> Result<Option<Value>, Problem> {
            let Some(text) = self.input.get(name) else { return Ok(None) };
            if text.len() > 200 {
                return Err(envelope::invalid_parameter(name, "at most 200 bytes").into());
            }
            Ok(Some(json!(text)))
        };
        match kind {
            AssetKind::Page => keep("category", short("category")?),
            AssetKind::AdAccount => {
                let currency = short("currency")?;
                let is_code =
                    |c: &Value| c.as_str().is_some_and(|c| c.len() == 3 && c.bytes().all(|b| b.is_ascii_uppercase()));
                if currency.as_ref().is_some_and(|c| !is_code(c)) {
                    return Err(envelope::invalid_parameter(
                        "currency",
                        "a code of three capital letters, such as EUR",
                    )
                    .into());
                }
                keep("currency", currency);
                keep("timezone_id", self.timezone_id()?);
                for name in ["end_advertiser", "media_agency", "partner"] {
                    keep(name, short(name)?);
                }
            }
            AssetKind::Catalog => keep("vertical", short("vertical")?),
            AssetKind::Pixel => keep("is_crm", self.input.boolean("is_crm")?.map(|b| json!(b))),
            AssetKind::InstagramAccount | AssetKind::WhatsappAccount | AssetKind::App | AssetKind::Declared(_) => {}
        }
        Ok(details)
    }

    /// The number of an ad account's time zone, if the call names one.
    pub fn timezone_id(&self) -> Result<Option<Value>, Problem> {
        match self.input.integer("timezone_id")? {
            Some(n) if n < 0 => Err(envelope::invalid_parameter("timezone_id", "0 or more").into()),
            sent => Ok(sent.map(|n| json!(n))),
        }
    }

    pub async fn create_app(&self, node: &Node) -> Result<Answer, Problem> {
        if self.input.get("app_id").is_some() && self.input.get("name").is_none() {
            let id = self.input.require_id("app_id")?;
            let done = self.service().connect_app(self.call, self.business_id(node)?, id).await?;
            return Ok(Answer {
                body: json!({ "access_status": "CONFIRMED" }),
                revision: Some(done.revision),
                about: None,
            });
        }
        let name = self.input.name("name")?.ok_or_else(|| envelope::parameter_required("name"))?;
        let demands_proof = self.input.boolean("demands_proof")?.unwrap_or(false);
        let done = self.service().create_app(self.call, self.business_id(node)?, name, demands_proof).await?;
        let (id, secret) = done.value;
        let mut body = id_alone(id.to_string());
        body.insert("app_secret".to_owned(), json!(secret));
        Ok(Answer::made(body, done.revision))
    }

    pub async fn disconnect_app(&self, node: &Node) -> Result<Answer, Problem> {
        let app = self.input.require_id("app_id")?;
        let done = self.service().disconnect_app(self.call, self.business_id(node)?, app).await?;
        Ok(Answer::success(done.revision))
    }

    pub async fn update_app(&self, node: &Node) -> Result<Answer, Problem> {
        let id = node.id().map(AppId::of).ok_or_else(envelope::server_fault)?;
        let scopes = self.input.list("allowed_scopes")?.map(|names| parse_scopes(&names)).transpose()?;
        let edit = AppEdit {
            name: self.input.name("name")?,
            allowed_scopes: scopes,
            demands_proof: self.input.boolean("demands_proof")?,
        };
        let done = self.service().update_app(self.call, id, edit).await?;
        let mut answer = Answer::success(done.revision);
        if done.value.tokens > 0 {
            answer.body["tokens_narrowed"] = json!(done.value.tokens);
        }
        Ok(answer)
    }

    /// The answer for something new: its id, and the fields that were asked for.
    pub async fn answer_made(&self, id: impl Into<Id>, revision: u64) -> Result<Answer, Problem> {
        let id = id.into();
        let named = self.named_id(id).await?;
        let made = |facts: &Facts<'_>| Node::known(&**facts, id);
        let node = self.service().quiet_step(self.call, named.question(&VISIBLE), made).and_then(Checked::into_inner);
        let body = match node {
            Some(node) => self.made(node).await?,
            None => id_alone(id.to_string()),
        };
        Ok(Answer::made(body, revision))
    }
}

/// `{"id": …}`.
pub(super) fn id_alone(id: String) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("id".to_owned(), Value::String(id));
    body
}

/// Reads names of scopes. The error names the first unknown one.
pub(super) fn parse_scopes(names: &[String]) -> Result<ScopeSet, Problem> {
    let parse = |name: &String| Scope::parse(name.trim()).ok_or_else(|| envelope::invalid_scope(name).into());
    names.iter().filter(|n| !n.trim().is_empty()).map(parse).collect()
}
