//! The verbs of the nouns: each turns its words into one call of the JSON adapter, and prints the answer.
//! What is a secret is printed once, to standard output, and kept nowhere.

use std::process::ExitCode;

use serde_json::{Map, Value, json};

use super::args::{
    AppVerb, AssetVerb, AssignmentVerb, BusinessUpdate, BusinessVerb, Page, PersonVerb, ShareVerb, SystemUserVerb,
    TokenVerb,
};
use super::fail::Fail;
use super::names::{self, Sort};
use super::target::{Done, Session};
use super::{Outcome, screen};

const DAY_S: i64 = 24 * 60 * 60;

/// Parameters with what was left out taken out.
fn params(pairs: Value) -> Value {
    match pairs {
        Value::Object(map) => Value::Object(map.into_iter().filter(|(_, v)| !v.is_null()).collect()),
        other => other,
    }
}

/// A change that has nothing to show but that it is done.
async fn change(session: &Session, command: &str, pairs: Value, told: String) -> Outcome {
    let done = session.call(command, params(pairs)).await?;
    Ok(tell(session, done, &told))
}

fn tell(session: &Session, done: Done, told: &str) -> ExitCode {
    if session.json {
        return screen::json(&with_revision(done));
    }
    screen::done(&format!("{told} (revision {})", done.revision));
    ExitCode::SUCCESS
}

/// Something new: its id and whatever else is shown once.
async fn make(session: &Session, command: &str, pairs: Value, told: &str) -> Outcome {
    let done = session.call(command, params(pairs)).await?;
    if session.json {
        return Ok(screen::json(&with_revision(done)));
    }
    screen::done(&format!("{told} (revision {})", done.revision));
    screen::pairs(&done.result, None);
    Ok(ExitCode::SUCCESS)
}

fn with_revision(done: Done) -> Value {
    let mut map = match done.result {
        Value::Object(map) => map,
        other => Map::from_iter([("result".to_owned(), other)]),
    };
    map.insert("revision".into(), json!(done.revision));
    Value::Object(map)
}

async fn list(session: &Session, command: &str, pairs: Value, columns: &[(&str, &str)]) -> Outcome {
    let result = session.call(command, params(pairs)).await?.result;
    if session.json {
        return Ok(screen::json(&result));
    }
    let rows = result.get("rows").and_then(Value::as_array).cloned().unwrap_or_default();
    if rows.is_empty() {
        screen::note("nothing here");
        return Ok(ExitCode::SUCCESS);
    }
    screen::table(&rows, columns);
    if let Some(next) = result.get("next").and_then(Value::as_str) {
        screen::note(&format!("more rows follow: --after {next}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn paged(page: &Page, mut pairs: Value) -> Value {
    pairs["limit"] = json!(page.limit);
    pairs["after"] = json!(page.after);
    pairs
}

/// `valetkey business …`.
pub async fn business(s: &Session, verb: BusinessVerb) -> Outcome {
    match verb {
        BusinessVerb::Create { name, admin_email, admin_name } => {
            let pairs = json!({ "name": name, "admin_email": admin_email, "admin_name": admin_name });
            make(s, "business.create", pairs, &format!("business \"{name}\" made")).await
        }
        BusinessVerb::List { page } => {
            let columns = [
                ("id", "id"),
                ("name", "name"),
                ("terms", "terms_accepted"),
                ("strict", "strict_visibility"),
                ("created", "created_at"),
            ];
            list(s, "business.list", paged(&page, json!({})), &columns).await
        }
        BusinessVerb::Update(update) => business_update(s, *update).await,
    }
}

async fn business_update(s: &Session, update: BusinessUpdate) -> Outcome {
    let business = names::business(s, update.business.as_deref()).await?;
    let pairs = params(json!({
        "name": update.name,
        "strict_visibility": update.strict_visibility,
        "token_lifetime_limit_s": update.token_lifetime_limit_s,
        "limits_preset": update.limits,
        "admin_system_users_limit": update.admin_system_users_limit,
        "employee_system_users_limit": update.employee_system_users_limit,
        "people_limit": update.people_limit,
        "apps_limit": update.apps_limit,
        "assets_limit": update.assets_limit,
        "tokens_per_system_user_limit": update.tokens_per_system_user_limit,
    }));
    needs_a_change(&pairs, "valetkey business update")?;
    let mut pairs = pairs;
    pairs["business"] = json!(business);
    change(s, "business.update", pairs, "business changed".into()).await
}

fn needs_a_change(pairs: &Value, command: &str) -> Result<(), Fail> {
    match pairs.as_object().is_some_and(|map| !map.is_empty()) {
        true => Ok(()),
        false => Err(Fail::new("there is nothing to change").hint(format!("{command} --help shows what can be"))),
    }
}

/// `valetkey person …`.
pub async fn person(s: &Session, verb: PersonVerb) -> Outcome {
    match verb {
        PersonVerb::Create { name, email, role, of } => {
            let business = names::business(s, of.business.as_deref()).await?;
            let pairs = json!({ "business": business, "name": name, "email": email, "role": role.as_str() });
            make(s, "person.create", pairs, &format!("{name} added as {}", role.as_str())).await
        }
        PersonVerb::List { of, page } => {
            let business = names::business(s, of.business.as_deref()).await?;
            let columns = [
                ("id", "id"),
                ("name", "name"),
                ("email", "email"),
                ("role", "role"),
                ("status", "status"),
                ("created", "created_at"),
            ];
            list(s, "person.list", paged(&page, json!({ "business": business })), &columns).await
        }
        PersonVerb::Update { person, name, role, active } => {
            let status = active.map(|active| if active { "ACTIVE" } else { "DEACTIVATED" });
            let mut pairs =
                params(json!({ "name": name, "role": role.map(super::args::RoleWord::as_str), "status": status }));
            needs_a_change(&pairs, "valetkey person update")?;
            pairs["person"] = json!(names::id(s, Sort::Person, &person).await?);
            change(s, "person.update", pairs, format!("{person} changed")).await
        }
        PersonVerb::Delete { person } => {
            let id = names::id(s, Sort::Person, &person).await?;
            change(
                s,
                "person.delete",
                json!({ "person": id }),
                format!("{person} deleted; the person's tokens are dead"),
            )
            .await
        }
        PersonVerb::SignIn { person } => {
            let id = names::id(s, Sort::Person, &person).await?;
            let done = s.call("sign-in.create", json!({ "person": id })).await?;
            if s.json {
                return Ok(screen::json(&with_revision(done)));
            }
            let text = |name: &str| done.result.get(name).map(screen::cell).unwrap_or_default();
            anstream::println!("{}", text("code"));
            screen::note(&format!("works once, until {}: valetkey login CODE", text("expires_at")));
            Ok(ExitCode::SUCCESS)
        }
        PersonVerb::SignIns { of } => {
            let business = names::business(s, of.business.as_deref()).await?;
            let columns = [("person", "person"), ("email", "email"), ("created", "created_at"), ("ends", "expires_at")];
            list(s, "sign-in.list", json!({ "business": business, "limit": 1000 }), &columns).await
        }
    }
}

/// `valetkey app …`.
pub async fn app(s: &Session, verb: AppVerb) -> Outcome {
    let id = async |text: &str| names::id(s, Sort::App, text).await;
    match verb {
        AppVerb::Create { name, demands_proof, of } => {
            let business = names::business(s, of.business.as_deref()).await?;
            let pairs = json!({ "business": business, "name": name, "demands_proof": demands_proof });
            let code = make(s, "app.create", pairs, &format!("app \"{name}\" made and connected")).await?;
            screen::note("the secret is shown this once: keep it where secrets belong");
            Ok(code)
        }
        AppVerb::List { of, page } => {
            let business = names::business(s, of.business.as_deref()).await?;
            let columns = [
                ("id", "id"),
                ("name", "name"),
                ("connected", "connected"),
                ("demands proof", "demands_proof"),
                ("created", "created_at"),
            ];
            list(s, "app.list", paged(&page, json!({ "business": business })), &columns).await
        }
        AppVerb::Update { app, name, scopes, demands_proof } => {
            let mut pairs = params(json!({ "name": name, "allowed_scopes": scopes, "demands_proof": demands_proof }));
            needs_a_change(&pairs, "valetkey app update")?;
            pairs["app"] = json!(id(&app).await?);
            change(s, "app.update", pairs, format!("app {app} changed")).await
        }
        AppVerb::RotateSecret { app, overlap_s } => {
            let pairs = json!({ "app": id(&app).await?, "overlap_s": overlap_s });
            let done = s.call("app.rotate-secret", pairs).await?;
            if s.json {
                return Ok(screen::json(&with_revision(done)));
            }
            anstream::println!("{}", done.result.get("secret").map(screen::cell).unwrap_or_default());
            screen::note(&format!("shown this once; the secret before works for another {overlap_s} seconds"));
            Ok(ExitCode::SUCCESS)
        }
        AppVerb::Connect { app } => {
            change(s, "app.connect", json!({ "app": id(&app).await? }), format!("app {app} connected")).await
        }
        AppVerb::Disconnect { app } => {
            let told = format!("app {app} disconnected; its tokens there are dead");
            change(s, "app.disconnect", json!({ "app": id(&app).await? }), told).await
        }
        AppVerb::Install { app, system_user } => {
            let user = names::id(s, Sort::SystemUser, &system_user).await?;
            let pairs = json!({ "app": id(&app).await?, "system_user": user });
            change(s, "app.install", pairs, format!("app {app} installed on {system_user}")).await
        }
        AppVerb::Uninstall { app, system_user } => {
            let user = names::id(s, Sort::SystemUser, &system_user).await?;
            let pairs = json!({ "app": id(&app).await?, "system_user": user });
            change(s, "app.uninstall", pairs, format!("app {app} taken off {system_user}; its tokens there are dead"))
                .await
        }
    }
}

/// `valetkey system-user …`.
pub async fn system_user(s: &Session, verb: SystemUserVerb) -> Outcome {
    let about = async |text: &str| names::id(s, Sort::SystemUser, text).await.map(|id| json!({ "system_user": id }));
    match verb {
        SystemUserVerb::Create { name, role, of } => {
            let business = names::business(s, of.business.as_deref()).await?;
            let pairs = json!({ "business": business, "name": name, "role": role.as_str() });
            make(s, "system-user.create", pairs, &format!("system user \"{name}\" made as {}", role.as_str())).await
        }
        SystemUserVerb::List { of, page } => {
            let business = names::business(s, of.business.as_deref()).await?;
            let columns = [
                ("id", "id"),
                ("name", "name"),
                ("role", "role"),
                ("status", "status"),
                ("apps", "apps"),
                ("created", "created_at"),
            ];
            list(s, "system-user.list", paged(&page, json!({ "business": business })), &columns).await
        }
        SystemUserVerb::Rename { system_user, name } => {
            let mut pairs = about(&system_user).await?;
            pairs["name"] = json!(name);
            change(s, "system-user.rename", pairs, format!("{system_user} is called \"{name}\" now")).await
        }
        SystemUserVerb::Activate { system_user } => {
            change(s, "system-user.activate", about(&system_user).await?, format!("{system_user} activated")).await
        }
        SystemUserVerb::Deactivate { system_user } => {
            let told = format!("{system_user} deactivated; its tokens are refused");
            change(s, "system-user.deactivate", about(&system_user).await?, told).await
        }
        SystemUserVerb::Delete { system_user } => {
            let told = format!("{system_user} deleted; its tokens are dead");
            change(s, "system-user.delete", about(&system_user).await?, told).await
        }
    }
}

/// `valetkey asset …`.
pub async fn asset(s: &Session, verb: AssetVerb) -> Outcome {
    match verb {
        AssetVerb::Create { name, kind, details, unowned, of } => {
            let business = names::business(s, of.business.as_deref()).await?;
            let details = details_of(&details)?;
            let unowned = unowned.then_some(true);
            let details = (!details.is_empty()).then_some(details);
            let pairs =
                json!({ "business": business, "name": name, "kind": kind, "details": details, "unowned": unowned });
            make(s, "asset.create", pairs, &format!("{kind} \"{name}\" made")).await
        }
        AssetVerb::List { of, kind, shared, page } => {
            let business = names::business(s, of.business.as_deref()).await?;
            let reach = shared.then_some("shared");
            let columns: &[(&str, &str)] = if shared {
                &[
                    ("id", "id"),
                    ("kind", "kind"),
                    ("name", "name"),
                    ("owner", "business"),
                    ("permitted tasks", "permitted_tasks"),
                ]
            } else {
                &[("id", "id"), ("kind", "kind"), ("name", "name"), ("created", "created_at")]
            };
            list(s, "asset.list", paged(&page, json!({ "business": business, "kind": kind, "reach": reach })), columns)
                .await
        }
        AssetVerb::Rename { asset, name } => {
            let pairs = json!({ "asset": names::id(s, Sort::Asset, &asset).await?, "name": name });
            change(s, "asset.rename", pairs, format!("{asset} is called \"{name}\" now")).await
        }
        AssetVerb::Kinds => {
            list(
                s,
                "kind.list",
                json!({}),
                &[("kind", "kind"), ("title", "title"), ("declared", "declared"), ("tasks", "tasks")],
            )
            .await
        }
    }
}

/// Descriptive fields; what reads as JSON is taken as such, so that numbers stay numbers.
fn details_of(list: &[String]) -> Result<Map<String, Value>, Fail> {
    let mut map = Map::new();
    for text in list {
        let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(Fail::new("--detail must be of the form NAME=VALUE, such as currency=EUR"));
        };
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        if map.insert(name.to_owned(), value).is_some() {
            return Err(Fail::new(format!("--detail {name} is given twice")));
        }
    }
    Ok(map)
}

/// `valetkey assignment …`.
pub async fn assignment(s: &Session, verb: AssignmentVerb) -> Outcome {
    match verb {
        AssignmentVerb::Assign { asset, user, tasks } => {
            let told = format!("{user} may {} on {asset}", tasks.join(", "));
            let pairs = json!({ "asset": names::id(s, Sort::Asset, &asset).await?, "user": names::user(s, &user).await?, "tasks": tasks });
            change(s, "assignment.assign", pairs, told).await
        }
        AssignmentVerb::Unassign { asset, user } => {
            let pairs =
                json!({ "asset": names::id(s, Sort::Asset, &asset).await?, "user": names::user(s, &user).await? });
            change(s, "assignment.unassign", pairs, format!("{asset} taken away from {user}")).await
        }
        AssignmentVerb::List { user: Some(user), page, .. } => {
            let pairs = paged(&page, json!({ "user": names::user(s, &user).await? }));
            let columns = [
                ("asset", "asset"),
                ("kind", "kind"),
                ("name", "asset_name"),
                ("tasks", "tasks"),
                ("since", "created_at"),
            ];
            list(s, "assignment.list", pairs, &columns).await
        }
        AssignmentVerb::List { user: None, asset, page } => {
            let asset = asset.ok_or_else(|| Fail::new("name a user (--user) or an asset (--asset)"))?;
            let pairs = paged(&page, json!({ "asset": names::id(s, Sort::Asset, &asset).await? }));
            let columns = [
                ("user", "user"),
                ("type", "user_type"),
                ("name", "user_name"),
                ("tasks", "tasks"),
                ("since", "created_at"),
            ];
            list(s, "assignment.list", pairs, &columns).await
        }
    }
}

/// `valetkey share …`.
pub async fn share(s: &Session, verb: ShareVerb) -> Outcome {
    match verb {
        ShareVerb::Share { asset, partner, tasks } => {
            let told = format!("{asset} shared with {partner}, up to {}", tasks.join(", "));
            let partner = names::id(s, Sort::Business, &partner).await?;
            let pairs =
                json!({ "asset": names::id(s, Sort::Asset, &asset).await?, "partner": partner, "tasks": tasks });
            change(s, "share.share", pairs, told).await
        }
        ShareVerb::Unshare { asset, partner } => {
            let told = format!("{asset} no longer shared with {partner}");
            let partner = names::id(s, Sort::Business, &partner).await?;
            let pairs = json!({ "asset": names::id(s, Sort::Asset, &asset).await?, "partner": partner });
            change(s, "share.unshare", pairs, told).await
        }
        ShareVerb::List { asset: Some(asset), page, .. } => {
            let pairs = paged(&page, json!({ "asset": names::id(s, Sort::Asset, &asset).await? }));
            let columns = [
                ("partner", "partner"),
                ("name", "partner_name"),
                ("permitted tasks", "permitted_tasks"),
                ("since", "created_at"),
            ];
            list(s, "share.list", pairs, &columns).await
        }
        ShareVerb::List { asset: None, of, page } => {
            let business = names::business(s, of.business.as_deref()).await?;
            let columns = [
                ("asset", "asset"),
                ("kind", "kind"),
                ("name", "asset_name"),
                ("owner", "owner"),
                ("permitted tasks", "permitted_tasks"),
            ];
            list(s, "share.list", paged(&page, json!({ "business": business })), &columns).await
        }
    }
}

/// `valetkey token …`.
pub async fn token(s: &Session, verb: TokenVerb) -> Outcome {
    match verb {
        TokenVerb::Issue { system_user, app, scopes, days, never, lifetime_s, add_dependencies } => {
            let pairs = params(json!({
                "system_user": names::id(s, Sort::SystemUser, &system_user).await?,
                "app": names::id(s, Sort::App, &app).await?,
                "scopes": scopes,
                "lifetime_s": days.map(|days| days * DAY_S).or(lifetime_s),
                "never": never.then_some(true),
                "add_dependencies": add_dependencies.then_some(true),
            }));
            issued(s, s.call("token.issue", pairs).await?)
        }
        TokenVerb::List { user, live, of, page } => {
            let user = match &user {
                Some(text) => Some(names::user(s, text).await?),
                None => None,
            };
            let business = names::business(s, of.business.as_deref()).await?;
            let pairs = paged(&page, json!({ "user": user, "business": business, "live": live.then_some(true) }));
            let columns = [
                ("id", "id"),
                ("type", "type"),
                ("user", "user_name"),
                ("app", "app"),
                ("status", "status"),
                ("ends", "expires_at"),
                ("last used", "last_used_at"),
                ("from", "last_used_ip"),
                ("scopes", "scopes"),
            ];
            list(s, "token.list", pairs, &columns).await
        }
        TokenVerb::Show { id } => {
            let result = s.call("token.show", json!({ "token": id })).await?.result;
            if s.json {
                return Ok(screen::json(&result));
            }
            screen::pairs(&result, None);
            Ok(ExitCode::SUCCESS)
        }
        TokenVerb::Revoke { id, with_descendants: true } => {
            let done = s.call("token.revoke", json!({ "token": id, "with_descendants": true })).await?;
            let count = done.result["revoked"].as_u64().unwrap_or_default();
            let told = format!(
                "token {id} and all that came from it revoked, {count} in all; no use of them is accepted any more"
            );
            Ok(tell(s, done, &told))
        }
        TokenVerb::Revoke { id, with_descendants: false } => {
            change(
                s,
                "token.revoke",
                json!({ "token": id }),
                format!("token {id} revoked; no use of it is accepted any more"),
            )
            .await
        }
        TokenVerb::RevokeAll { system_user, app } => {
            let user = names::id(s, Sort::SystemUser, &system_user).await?;
            let app = match &app {
                Some(text) => Some(names::id(s, Sort::App, text).await?),
                None => None,
            };
            let told = format!("the tokens of {system_user} are revoked");
            change(s, "token.revoke-all", json!({ "system_user": user, "app": app }), told).await
        }
        TokenVerb::Scopes => {
            list(s, "scope.list", json!({}), &[("scope", "scope"), ("needs", "needs"), ("allows", "sentence")]).await
        }
    }
}

/// The token alone goes to standard output, so that `TOKEN=$(valetkey token issue …)` holds it.
fn issued(session: &Session, done: Done) -> Outcome {
    if session.json {
        return Ok(screen::json(&with_revision(done)));
    }
    let text = |name: &str| done.result.get(name).map(screen::cell).unwrap_or_default();
    let end = match done.result.get("expires_at") {
        Some(Value::String(_)) => format!("ends {}", text("expires_at")),
        _ => "has no end".to_owned(),
    };
    anstream::println!("{}", text("access_token"));
    screen::note(&format!(
        "shown this once: keep it where secrets belong. Its id is {}, it {end}, for {}. Revoke it with: valetkey token revoke {}",
        text("token_id"),
        text("scopes"),
        text("token_id"),
    ));
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_keep_their_type_and_name_what_is_wrong() {
        let list = |all: &[&str]| details_of(&all.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>());
        let map = list(&["currency=EUR", "timezone_id=1", "note=a=b", "open=true"]).unwrap();
        assert_eq!(Value::Object(map), json!({"currency": "EUR", "timezone_id": 1, "note": "a=b", "open": true}));
        for bad in [&["currency"][..], &["=x"], &["a=1", "a=2"]] {
            assert!(list(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_was_left_out_is_not_sent() {
        assert_eq!(params(json!({"a": null, "b": false, "c": 0})), json!({"b": false, "c": 0}));
    }
}
