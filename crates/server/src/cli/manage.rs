//! The verbs of every noun: names become ids, the door is called, and the answer is printed. Nothing
//! here may decide what is allowed.

use std::process::ExitCode;

use serde_json::{Map, Value, json};

use super::Outcome;
use super::args::{AppVerb, AssetVerb, AssignmentVerb, BusinessVerb, Of, Page, PersonVerb, ShareVerb, SystemUserVerb, TokenVerb};
use super::fail::Fail;
use super::names::{self, Sort};
use super::screen;
use super::target::Session;

type Columns = &'static [(&'static str, &'static str)];

const BUSINESSES: Columns = &[("id", "id"), ("name", "name"), ("terms", "terms_accepted"), ("strict", "strict_visibility"), ("created", "created_at")];
const PEOPLE: Columns = &[("id", "id"), ("name", "name"), ("e-mail", "email"), ("role", "role"), ("status", "status")];
const CODES: Columns = &[("person", "person"), ("e-mail", "email"), ("created", "created_at"), ("ends", "expires_at")];
const APPS: Columns = &[("id", "id"), ("name", "name"), ("connected", "connected"), ("proof", "demands_proof"), ("old secret until", "old_secret_works_until")];
const SYSTEM_USERS: Columns = &[("id", "id"), ("name", "name"), ("role", "role"), ("status", "status"), ("apps", "apps"), ("created", "created_at")];
const ASSETS: Columns = &[("id", "id"), ("kind", "kind"), ("name", "name"), ("business", "business")];
const KINDS: Columns = &[("kind", "word"), ("title", "title"), ("tasks", "tasks")];
const ASSIGNMENTS: Columns = &[("user", "user"), ("name", "user_name"), ("asset", "asset"), ("kind", "kind"), ("name", "asset_name"), ("tasks", "tasks")];
const SHARES: Columns = &[("asset", "asset"), ("kind", "kind"), ("name", "asset_name"), ("partner", "partner_name"), ("tasks", "permitted_tasks")];
const TOKENS: Columns = &[("id", "id"), ("type", "type"), ("user", "user_name"), ("status", "status"), ("ends", "expires_at"), ("last used", "last_used_at"), ("from", "last_used_ip")];
const SCOPES: Columns = &[("scope", "name"), ("served", "served"), ("needs", "needs"), ("what it is for", "sentence")];

/// Parameters of a call, with what was not given left out.
struct Params(Map<String, Value>);

impl Params {
    fn new() -> Params {
        Params(Map::new())
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Params {
        let value = value.into();
        if !value.is_null() {
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    fn page(self, page: &Page) -> Params {
        self.with("limit", page.limit).with("after", page.after.clone())
    }

    async fn of(self, session: &Session, of: &Of) -> Result<Params, Fail> {
        let business = names::business(session, of.business.as_deref()).await?;
        Ok(self.with("business", business))
    }

    async fn named(self, session: &Session, name: &str, sort: Sort, text: &str) -> Result<Params, Fail> {
        Ok(self.with(name, names::id(session, sort, text).await?))
    }
}

async fn list(session: &Session, command: &str, params: Params, columns: Columns) -> Outcome {
    let result = session.call(command, Value::Object(params.0)).await?.result;
    if session.json {
        return Ok(screen::json(&result));
    }
    let rows = result.get("rows").and_then(Value::as_array).cloned().unwrap_or_default();
    if rows.is_empty() {
        screen::note("nothing to show");
        return Ok(ExitCode::SUCCESS);
    }
    screen::table(&rows, columns);
    if let Some(next) = result.get("next").filter(|n| !n.is_null()) {
        screen::note(&format!("more behind this page: --after {}", screen::cell(next)));
    }
    Ok(ExitCode::SUCCESS)
}

async fn act(session: &Session, command: &str, params: Params, said: &str) -> Outcome {
    let done = session.call(command, Value::Object(params.0)).await?;
    if session.json {
        return Ok(screen::json(&json!({ "result": done.result, "revision": done.revision })));
    }
    screen::done(&format!("{said} (revision {})", done.revision));
    Ok(ExitCode::SUCCESS)
}

/// Like [`act`], for answers that hold something to read, such as a secret that is shown once.
async fn show(session: &Session, command: &str, params: Params, said: &str, note: &str) -> Outcome {
    let done = session.call(command, Value::Object(params.0)).await?;
    if session.json {
        return Ok(screen::json(&json!({ "result": done.result, "revision": done.revision })));
    }
    if !said.is_empty() {
        screen::done(said);
    }
    screen::pairs(&done.result, None);
    if !note.is_empty() {
        screen::note(note);
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn business(s: &Session, verb: BusinessVerb) -> Outcome {
    match verb {
        BusinessVerb::Create { name, admin_email, admin_name } => {
            let params = Params::new().with("name", name).with("admin_email", admin_email).with("admin_name", admin_name);
            show(s, "business.create", params, "the business is made", "next: valetkey person sign-in ADDRESS, then valetkey login CODE").await
        }
        BusinessVerb::List { page } => list(s, "business.list", Params::new().page(&page), BUSINESSES).await,
        BusinessVerb::Update(u) => {
            let params = Params::new()
                .with("business", names::business(s, u.business.as_deref()).await?)
                .with("name", u.name)
                .with("strict_visibility", u.strict_visibility)
                .with("token_lifetime_limit_s", u.token_lifetime_limit_s)
                .with("limits_preset", u.limits)
                .with("admin_system_users_limit", u.admin_system_users_limit)
                .with("employee_system_users_limit", u.employee_system_users_limit)
                .with("people_limit", u.people_limit)
                .with("apps_limit", u.apps_limit)
                .with("assets_limit", u.assets_limit)
                .with("tokens_per_system_user_limit", u.tokens_per_system_user_limit);
            act(s, "business.update", params, "the business is changed").await
        }
    }
}

pub async fn person(s: &Session, verb: PersonVerb) -> Outcome {
    let named = async |text: &str| Params::new().named(s, "person", Sort::Person, text).await;
    match verb {
        PersonVerb::Create { name, email, role, of } => {
            let params = Params::new().with("name", name).with("email", email).with("role", role.as_str()).of(s, &of).await?;
            show(s, "person.create", params, "the person is added", "").await
        }
        PersonVerb::List { of, page } => list(s, "person.list", Params::new().page(&page).of(s, &of).await?, PEOPLE).await,
        PersonVerb::Update { person, name, role, active } => {
            let status = active.map(|on| if on { "ACTIVE" } else { "DEACTIVATED" });
            let params = named(&person).await?.with("name", name).with("role", role.map(super::args::RoleWord::as_str)).with("status", status);
            act(s, "person.update", params, "the person is changed").await
        }
        PersonVerb::Delete { person } => act(s, "person.delete", named(&person).await?, "the person is deleted; their tokens are dead").await,
        PersonVerb::SignIn { person } => {
            let note = "shown once; it works once, within a day: valetkey login CODE";
            show(s, "sign-in.create", named(&person).await?, "a sign-in code is made", note).await
        }
        PersonVerb::SignIns { of } => list(s, "sign-in.list", Params::new().of(s, &of).await?, CODES).await,
    }
}

pub async fn app(s: &Session, verb: AppVerb) -> Outcome {
    let named = async |text: &str| Params::new().named(s, "app", Sort::App, text).await;
    match verb {
        AppVerb::Create { name, demands_proof, of } => {
            let params = Params::new().with("name", name).with("demands_proof", demands_proof).of(s, &of).await?;
            show(s, "app.create", params, "the app is made and connected", "the secret is shown once; keep it where secrets are kept").await
        }
        AppVerb::List { of, page } => list(s, "app.list", Params::new().page(&page).of(s, &of).await?, APPS).await,
        AppVerb::Update { app, name, scopes, demands_proof } => {
            let params = named(&app).await?.with("name", name).with("allowed_scopes", scopes.map_or(Value::Null, |s| json!(s))).with("demands_proof", demands_proof);
            act(s, "app.update", params, "the app is changed").await
        }
        AppVerb::RotateSecret { app, overlap_s } => {
            let params = named(&app).await?.with("overlap_s", overlap_s);
            show(s, "app.rotate-secret", params, "the app has a new secret", "shown once; the old one goes on for the overlap").await
        }
        AppVerb::Connect { app } => act(s, "app.connect", named(&app).await?, "the app is connected").await,
        AppVerb::Disconnect { app } => act(s, "app.disconnect", named(&app).await?, "the app is disconnected; its tokens are dead").await,
        AppVerb::Install { app, system_user } => {
            let params = named(&app).await?.named(s, "system_user", Sort::SystemUser, &system_user).await?;
            act(s, "app.install", params, "the app is installed").await
        }
        AppVerb::Uninstall { app, system_user } => {
            let params = named(&app).await?.named(s, "system_user", Sort::SystemUser, &system_user).await?;
            act(s, "app.uninstall", params, "the app is taken off; its tokens there are dead").await
        }
    }
}

pub async fn system_user(s: &Session, verb: SystemUserVerb) -> Outcome {
    let named = async |text: &str| Params::new().named(s, "system_user", Sort::SystemUser, text).await;
    match verb {
        SystemUserVerb::Create { name, role, of } => {
            let params = Params::new().with("name", name).with("role", role.as_str()).of(s, &of).await?;
            show(s, "system-user.create", params, "the system user is made", "next: valetkey app install APP SYSTEM_USER, then valetkey token issue").await
        }
        SystemUserVerb::List { of, page } => list(s, "system-user.list", Params::new().page(&page).of(s, &of).await?, SYSTEM_USERS).await,
        SystemUserVerb::Rename { system_user, name } => {
            act(s, "system-user.rename", named(&system_user).await?.with("name", name), "the system user is renamed").await
        }
        SystemUserVerb::Activate { system_user } => act(s, "system-user.activate", named(&system_user).await?, "its tokens work again").await,
        SystemUserVerb::Deactivate { system_user } => {
            act(s, "system-user.deactivate", named(&system_user).await?, "the system user is stopped; its tokens are refused").await
        }
        SystemUserVerb::Delete { system_user } => {
            act(s, "system-user.delete", named(&system_user).await?, "the system user is deleted; its tokens are dead").await
        }
    }
}

pub async fn asset(s: &Session, verb: AssetVerb) -> Outcome {
    match verb {
        AssetVerb::Create { name, kind, details, unowned, of } => {
            let mut fields = Map::new();
            for detail in details {
                let (name, value) = detail.split_once('=').ok_or_else(|| Fail::new(format!("--detail must be NAME=VALUE, not {detail}")))?;
                fields.insert(name.to_owned(), json!(value));
            }
            let params = Params::new().with("name", name).with("kind", kind).with("details", fields).with("unowned", unowned.then_some(true));
            show(s, "asset.create", params.of(s, &of).await?, "the asset is made", "").await
        }
        AssetVerb::List { of, kind, shared, page } => {
            let params = Params::new().page(&page).with("kind", kind).with("reach", shared.then_some("shared")).of(s, &of).await?;
            list(s, "asset.list", params, ASSETS).await
        }
        AssetVerb::Rename { asset, name } => {
            let params = Params::new().named(s, "asset", Sort::Asset, &asset).await?.with("name", name);
            act(s, "asset.rename", params, "the asset is renamed").await
        }
        AssetVerb::Kinds => list(s, "kind.list", Params::new(), KINDS).await,
    }
}

pub async fn assignment(s: &Session, verb: AssignmentVerb) -> Outcome {
    match verb {
        AssignmentVerb::Assign { asset, user, tasks } => {
            let params = Params::new().named(s, "asset", Sort::Asset, &asset).await?.with("user", names::user(s, &user).await?).with("tasks", tasks);
            act(s, "assignment.assign", params, "assigned: exactly these tasks").await
        }
        AssignmentVerb::Unassign { asset, user } => {
            let params = Params::new().named(s, "asset", Sort::Asset, &asset).await?.with("user", names::user(s, &user).await?);
            act(s, "assignment.unassign", params, "the asset is taken away").await
        }
        AssignmentVerb::List { user, asset, page } => {
            let mut params = Params::new().page(&page);
            if let Some(user) = user {
                params = params.with("user", names::user(s, &user).await?);
            }
            if let Some(asset) = asset {
                params = params.named(s, "asset", Sort::Asset, &asset).await?;
            }
            list(s, "assignment.list", params, ASSIGNMENTS).await
        }
    }
}

pub async fn share(s: &Session, verb: ShareVerb) -> Outcome {
    match verb {
        ShareVerb::Share { asset, partner, tasks } => {
            let params = Params::new().named(s, "asset", Sort::Asset, &asset).await?.named(s, "partner", Sort::Business, &partner).await?;
            act(s, "share.share", params.with("tasks", tasks), "the asset is shared").await
        }
        ShareVerb::Unshare { asset, partner } => {
            let params = Params::new().named(s, "asset", Sort::Asset, &asset).await?.named(s, "partner", Sort::Business, &partner).await?;
            act(s, "share.unshare", params, "the share has ended").await
        }
        ShareVerb::List { asset, of, page } => {
            let mut params = Params::new().page(&page).of(s, &of).await?;
            if let Some(asset) = asset {
                params = params.named(s, "asset", Sort::Asset, &asset).await?;
            }
            list(s, "share.list", params, SHARES).await
        }
    }
}

pub async fn token(s: &Session, verb: TokenVerb) -> Outcome {
    match verb {
        TokenVerb::Issue { system_user, app, scopes, days, never, lifetime_s, add_dependencies } => {
            let params = Params::new()
                .named(s, "system_user", Sort::SystemUser, &system_user)
                .await?
                .named(s, "app", Sort::App, &app)
                .await?
                .with("scopes", scopes)
                .with("lifetime_s", lifetime_s.or(days.map(|d| d * 86_400)))
                .with("never", never.then_some(true))
                .with("add_dependencies", add_dependencies.then_some(true));
            show(s, "token.issue", params, "the token is issued", "its text is shown once and kept nowhere; put it where secrets are kept").await
        }
        TokenVerb::List { user, live, of, page } => {
            let mut params = Params::new().page(&page).with("live", live.then_some(true)).of(s, &of).await?;
            if let Some(user) = user {
                params = params.with("user", names::user(s, &user).await?);
            }
            list(s, "token.list", params, TOKENS).await
        }
        TokenVerb::Show { id } => show(s, "token.show", Params::new().with("token", id), "", "").await,
        TokenVerb::Revoke { id } => {
            act(s, "token.revoke", Params::new().with("token", id), "the token is revoked; no use of it is accepted from now on").await
        }
        TokenVerb::RevokeAll { system_user, app } => {
            let mut params = Params::new().named(s, "system_user", Sort::SystemUser, &system_user).await?;
            if let Some(app) = app {
                params = params.named(s, "app", Sort::App, &app).await?;
            }
            act(s, "token.revoke-all", params, "all of them are revoked").await
        }
        TokenVerb::Scopes => list(s, "scope.list", Params::new(), SCOPES).await,
    }
}
