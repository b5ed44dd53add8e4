//! The acts that can be previewed: their right and their rule, as the use cases ask and call them.
//!
//! Each variant stands for one use case. A change of a use case must be made here too; a test tries every
//! act with and without the right, previewed and done.

use valetkey_authz::{Allowed, Question, Target};
use valetkey_domain::rules::app::AppEdit;
use valetkey_domain::rules::person::PersonEdit;
use valetkey_domain::rules::system_user::SystemUserEdit;
use valetkey_domain::rules::{app, asset, assignment, business, person, share, system_user, token};
use valetkey_domain::{AppId, AssetId, BusinessId, ChangeSet, Id, Planner, Refusal, TokenId, UserId};

use crate::call::Call;
use crate::core::Service;
use crate::person::right_of;
use crate::rights;

/// An act that may take something away.
#[derive(Debug, Clone)]
pub enum Act {
    RevokeToken {
        id: TokenId,
        with_descendants: bool,
    },
    /// All tokens of a system user, or those for one app.
    RevokeTokens {
        user: UserId,
        app: Option<AppId>,
    },
    Assign {
        asset: AssetId,
        user: UserId,
        tasks: Vec<String>,
    },
    Unassign {
        asset: AssetId,
        user: UserId,
    },
    Share {
        asset: AssetId,
        partner: BusinessId,
        tasks: Vec<String>,
    },
    Unshare {
        asset: AssetId,
        partner: BusinessId,
    },
    /// Deactivates it, for one.
    UpdateSystemUser {
        user: UserId,
        edit: SystemUserEdit,
    },
    DeleteSystemUser {
        user: UserId,
    },
    /// Deactivates or deletes the person, or changes its role.
    UpdatePerson {
        person: UserId,
        edit: PersonEdit,
    },
    /// Takes scopes away, for one.
    UpdateApp {
        app: AppId,
        edit: AppEdit,
    },
    DisconnectApp {
        business: BusinessId,
        app: AppId,
    },
    UninstallApp {
        system_user: UserId,
        app: AppId,
    },
    DeleteApp {
        app: AppId,
    },
    DeleteAsset {
        asset: AssetId,
    },
    DeleteBusiness {
        business: BusinessId,
    },
}

impl Act {
    /// The id that a refusal for visibility names; none where the use case leaves it as it is.
    pub(super) fn subject(&self) -> Option<Id> {
        match *self {
            Act::RevokeToken { id, .. } => Some(id.any()),
            Act::RevokeTokens { user, .. } | Act::UpdateSystemUser { user, .. } | Act::DeleteSystemUser { user } => {
                Some(user.any())
            }
            Act::UpdatePerson { person, .. } => Some(person.any()),
            Act::UninstallApp { system_user, .. } => Some(system_user.any()),
            Act::UpdateApp { app, .. } | Act::DeleteApp { app } => Some(app.any()),
            Act::Assign { .. }
            | Act::Unassign { .. }
            | Act::Share { .. }
            | Act::Unshare { .. }
            | Act::DisconnectApp { .. }
            | Act::DeleteAsset { .. }
            | Act::DeleteBusiness { .. } => None,
        }
    }

    /// Plans the act by its rule.
    pub(super) fn plan(self, planner: &mut Planner<'_>, allowed: &Allowed) -> Result<ChangeSet, Refusal> {
        let by = &allowed.caller;
        match self {
            Act::RevokeToken { id, with_descendants: false } => token::revoke(planner, by, id),
            Act::RevokeToken { id, with_descendants: true } => token::revoke_with_descendants(planner, by, id),
            Act::RevokeTokens { user, app } => token::revoke_all(planner, by, user, app),
            Act::Assign { asset, user, tasks } => {
                let acting = acting_for(planner, allowed, user)?;
                assignment::assign(planner, by, acting, asset, user, &tasks)
            }
            Act::Unassign { asset, user } => {
                let acting = acting_for(planner, allowed, user)?;
                assignment::unassign(planner, by, acting, asset, user)
            }
            Act::Share { asset, partner, tasks } => {
                let owner = by.business().or_else(|| planner.state().asset(asset).and_then(|a| a.business));
                let owner = owner.ok_or_else(|| Refusal::not_visible(asset))?;
                share::share(planner, by, owner, asset, partner, &tasks)
            }
            Act::Unshare { asset, partner } => {
                share::unshare(planner, by, by.business().unwrap_or(partner), asset, partner)
            }
            Act::UpdateSystemUser { user, edit } => system_user::update(planner, by, user, edit),
            Act::DeleteSystemUser { user } => system_user::delete(planner, by, user),
            Act::UpdatePerson { person, edit } => person::update(planner, by, person, edit),
            Act::UpdateApp { app, edit } => app::update(planner, by, app, edit),
            Act::DisconnectApp { business, app } => app::disconnect(planner, by, business, app),
            Act::UninstallApp { system_user, app } => app::uninstall(planner, by, system_user, app),
            Act::DeleteApp { app } => app::delete(planner, by, app),
            Act::DeleteAsset { asset } => asset::delete(planner, by, asset),
            Act::DeleteBusiness { business } => business::delete(planner, by, business),
        }
    }
}

/// The business that an assignment is changed for: the caller's, or for the operator the user's.
fn acting_for(planner: &Planner<'_>, allowed: &Allowed, user: UserId) -> Result<BusinessId, Refusal> {
    let business = allowed.caller.business().or_else(|| planner.state().business_of(user));
    business.ok_or_else(|| Refusal::unknown_reference("user"))
}

impl Service {
    /// The right of an act.
    pub(super) fn right_of_act(&self, call: &Call, act: &Act) -> Result<Question, Refusal> {
        let manage = |business: BusinessId| rights::MANAGE_BUSINESS.on_business(business);
        Ok(match act {
            Act::RevokeToken { id, .. } => {
                let (business, user) = self.owner_of_token(call, *id)?;
                rights::MANAGE_OR_SELF.on_user(business, user)
            }
            Act::RevokeTokens { user, .. } => {
                rights::MANAGE_OR_SELF.on_user(self.business_of_system_user(call, *user)?, *user)
            }
            Act::Assign { asset, .. } => rights::change_assigned(*asset, self.kind_of(call, *asset)?),
            Act::Unassign { asset, .. } => rights::unassign(*asset, self.kind_of(call, *asset)?),
            Act::Share { asset, .. } => rights::share(*asset, self.kind_of(call, *asset)?),
            Act::Unshare { asset, .. } => rights::unshare(*asset, self.kind_of(call, *asset)?),
            Act::UpdateSystemUser { user, .. } | Act::DeleteSystemUser { user } => {
                manage(self.business_of_system_user(call, *user)?)
            }
            Act::UpdatePerson { person, edit } => {
                let business = self.read(|s| s.person(*person).map(|p| p.business))?;
                let business = business.ok_or_else(|| self.absent(call, *person))?;
                right_of(edit).on_user(business, *person)
            }
            Act::UpdateApp { app, .. } | Act::DeleteApp { app } => self.manage_app(call, *app)?,
            Act::DisconnectApp { business, .. } => manage(*business),
            Act::UninstallApp { system_user, .. } => manage(self.business_of_system_user(call, *system_user)?),
            Act::DeleteAsset { asset } => rights::DELETE_ASSET.on_asset(*asset, self.kind_of(call, *asset)?),
            Act::DeleteBusiness { .. } => Question::about(Target::Nothing),
        })
    }
}
