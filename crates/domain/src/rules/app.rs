//! Apps: the programs of a business, their secrets, and whether they are connected and installed.
//!
//! A secret is kept sealed; this crate moves the sealed bytes and never sees the clear ones.

use crate::noun::app::{App, Connection, Installation, SealedSecret};
use crate::refusal::Refusal;
use crate::{
    Action, AppId, AssetId, BusinessId, Caller, ChangeSet, IdKind, Name, Planner, Reason, Record, ScopeSet, Status,
    UserId,
};

/// How long the old secret goes on working after a rotation, when the caller names no time.
pub const SECRET_OVERLAP_S: i64 = 24 * 60 * 60;
/// The longest overlap of two secrets: 30 days.
pub const SECRET_OVERLAP_LIMIT_S: i64 = 30 * 24 * 60 * 60;

/// Makes an app and connects it to its business. `seal` turns the new id into a sealed secret.
pub fn create(
    planner: &mut Planner<'_>,
    by: &Caller,
    business: BusinessId,
    name: Name,
    demands_proof: bool,
    seal: &mut dyn FnMut(AppId) -> Result<SealedSecret, Refusal>,
) -> Result<(ChangeSet, AppId), Refusal> {
    let Some(record) = planner.state().business(business) else {
        return Err(Refusal::not_visible(business));
    };
    let count = planner.state().owned_apps(business).len();
    Refusal::check_limit(count, record.limits.apps, "apps")?;
    let id = planner.new_id(IdKind::App);
    let now = planner.now();
    let secret = seal(id)?;
    planner.put(Record::App(App {
        id,
        business,
        name,
        created_at: now,
        secret,
        previous_secret: None,
        allowed_scopes: ScopeSet::all(),
        demands_proof,
        deleted_at: None,
    }));
    planner.put(Record::Connection(Connection { business, app: id, created_at: now }));
    Ok((planner.finish(Action::AppCreated, by, Some(business), &[id.any()]), id))
}

/// What can be changed of an app.
#[derive(Debug, Clone, Default)]
pub struct AppEdit {
    pub name: Option<Name>,
    pub allowed_scopes: Option<ScopeSet>,
    pub demands_proof: Option<bool>,
}

/// Changes an app.
pub fn update(planner: &mut Planner<'_>, by: &Caller, id: AppId, edit: AppEdit) -> Result<ChangeSet, Refusal> {
    let Some(mut app) = planner.state().app(id) else {
        return Err(Refusal::not_visible(id));
    };
    if let Some(name) = edit.name {
        app.name = name;
    }
    if let Some(scopes) = edit.allowed_scopes {
        app.allowed_scopes = scopes;
    }
    if let Some(demands) = edit.demands_proof {
        app.demands_proof = demands;
    }
    let business = app.business;
    planner.put(Record::App(app));
    Ok(planner.finish(Action::AppUpdated, by, Some(business), &[id.any()]))
}

/// Gives an app a new secret. The old one goes on for `overlap_s` seconds, so that programs can
/// be switched one by one; 0 ends it at once.
pub fn rotate_secret(
    planner: &mut Planner<'_>,
    by: &Caller,
    id: AppId,
    sealed: SealedSecret,
    overlap_s: i64,
) -> Result<ChangeSet, Refusal> {
    let Some(mut app) = planner.state().app(id) else {
        return Err(Refusal::not_visible(id));
    };
    if !(0..=SECRET_OVERLAP_LIMIT_S).contains(&overlap_s) {
        return Err(Refusal::invalid("overlap_s", "0 to 2592000 seconds"));
    }
    let old = std::mem::replace(&mut app.secret, sealed);
    app.previous_secret = (overlap_s > 0).then(|| (old, planner.now() + overlap_s * 1000));
    let business = app.business;
    planner.put(Record::App(app));
    Ok(planner.finish(Action::AppSecretRotated, by, Some(business), &[id.any()]))
}

/// Connects an app of the business again after it was disconnected. Tokens from before stay dead:
/// what was cut off stays cut off, and whoever wants new ones issues them.
pub fn connect(planner: &mut Planner<'_>, by: &Caller, business: BusinessId, app: AppId) -> Result<ChangeSet, Refusal> {
    let record = planner.state().app(app).filter(|a| a.business == business);
    if record.is_none() {
        return Err(Refusal::unknown_reference("app_id"));
    }
    if planner.state().connection(business, app).is_none() {
        let now = planner.now();
        planner.put(Record::Connection(Connection { business, app, created_at: now }));
        super::revocation::revoke_in_business(planner, business, |t| t.app == Some(app));
    }
    Ok(planner.finish(Action::AppConnected, by, Some(business), &[app.any()]))
}

/// Takes an app off a business: its tokens there stop at once, and for good; system users and
/// installations stay. The tokens are only marked when the app is connected again, so that until
/// then they are refused for what is the matter.
pub fn disconnect(
    planner: &mut Planner<'_>,
    by: &Caller,
    business: BusinessId,
    app: AppId,
) -> Result<ChangeSet, Refusal> {
    let Some(connection) = planner.state().connection(business, app) else {
        return Err(Refusal::unknown_reference("app_id"));
    };
    planner.remove(Record::Connection(connection).key());
    Ok(planner.finish(Action::AppDisconnected, by, Some(business), &[app.any()]))
}

/// Installs an app on a system user. Doing it twice changes nothing.
pub fn install(planner: &mut Planner<'_>, by: &Caller, system_user: UserId, app: AppId) -> Result<ChangeSet, Refusal> {
    let state = planner.state();
    let Some(user) = state.system_user(system_user).filter(|u| u.status != Status::Deleted) else {
        return Err(Refusal::not_visible(system_user));
    };
    if state.connection(user.business, app).is_none() {
        return Err(Refusal::unknown_reference("business_app"));
    }
    if state.installation(system_user, app).is_none() {
        let now = planner.now();
        let business = user.business;
        planner.put(Record::Installation(Installation { system_user, app, business, created_at: now }));
    }
    Ok(planner.finish(Action::AppInstalled, by, Some(user.business), &[system_user.any(), app.any()]))
}

/// Takes an app off a system user: its tokens for that app die.
pub fn uninstall(
    planner: &mut Planner<'_>,
    by: &Caller,
    system_user: UserId,
    app: AppId,
) -> Result<ChangeSet, Refusal> {
    let state = planner.state();
    let Some(user) = state.system_user(system_user) else {
        return Err(Refusal::not_visible(system_user));
    };
    let Some(installation) = state.installation(system_user, app) else {
        return Err(Refusal::unknown_reference("business_app"));
    };
    planner.remove(Record::Installation(installation).key());
    // The tokens are revoked as well, so that installing the app again brings none of them back.
    super::revocation::revoke_where(planner, system_user, |t| t.app == Some(app));
    Ok(planner.finish(Action::AppUninstalled, by, Some(user.business), &[system_user.any(), app.any()]))
}

/// Deletes an app. Its connections, installations and tokens end in the same change, and so does what
/// was assigned or shared of it. The record stays, marked, and so do its dead tokens.
///
/// # Errors
/// `not_visible` if there is none.
pub fn delete(planner: &mut Planner<'_>, by: &Caller, id: AppId) -> Result<ChangeSet, Refusal> {
    let state = planner.state();
    let Some(mut app) = state.app(id) else {
        return Err(Refusal::not_visible(id));
    };
    let business = app.business;
    for place in state.businesses().into_iter().filter(|b| *b == business || state.connection(*b, id).is_some()) {
        if let Some(connection) = state.connection(place, id) {
            planner.remove(Record::Connection(connection).key());
        }
        super::revocation::revoke_in_business(planner, place, |t| t.app == Some(id));
        for installation in state.system_users(place).into_iter().filter_map(|user| state.installation(user, id)) {
            planner.remove(Record::Installation(installation).key());
        }
    }
    super::ending::end_paths_to(planner, AssetId::of(id.any()));
    app.deleted_at = Some(planner.now());
    planner.put(Record::App(app));
    Ok(planner.finish(Action::AppDeleted, by, Some(business), &[id.any()]))
}

/// Fails unless the app is installed on the user; the text fits the act of issuing.
pub fn require_installed(planner: &Planner<'_>, system_user: UserId, app: AppId) -> Result<(), Refusal> {
    match planner.state().installation(system_user, app) {
        Some(_) => Ok(()),
        None => Err(Refusal::of(Reason::AppNotInstalledForIssue)),
    }
}
