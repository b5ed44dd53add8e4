//! What would mend a refusal, as data and as a command line.
//!
//! It proposes the least that is enough. It must never propose a role, nor anything about what the
//! reader doesn't see.

use valetkey_authz::{AssetView, Need, Question, Reach, Subject, TokenView};
use valetkey_domain::noun::token::TokenKind;
use valetkey_domain::task::{Vocabulary, expanded};
use valetkey_domain::{AppId, AssetId, BusinessId, Reason, Refusal, Role, ScopeSet, TaskSet, UserId};

use super::names::Names;
use super::see::sees;
use super::side::Side;
use super::words::narrowest;

/// What mends a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mend {
    /// Nothing that one change would do.
    None,
    /// Add tasks to what is assigned. Assigning replaces, so `task_names` has what stays as well.
    Assign {
        user: UserId,
        asset: AssetId,
        task_names: Vec<String>,
        added: Vec<String>,
    },
    /// The owner has to share the asset, or to permit more.
    Share {
        asset: AssetId,
        partner: BusinessId,
        task_names: Vec<String>,
    },
    /// Issue a token that has these scopes.
    Scope {
        user: UserId,
        app: AppId,
        scopes: ScopeSet,
    },
    /// Let the app ask for these scopes: its tokens have them already, and the app holds them back.
    AllowScopes {
        app: AppId,
        scopes: ScopeSet,
    },
    /// Issue a new token in place of one that is dead.
    Issue {
        user: UserId,
        app: AppId,
        scopes: ScopeSet,
    },
    Install {
        system_user: UserId,
        app: AppId,
    },
    Connect {
        business: BusinessId,
        app: AppId,
    },
    /// Create an app, or connect one.
    CreateApp {
        business: BusinessId,
    },
    Activate {
        user: UserId,
        is_person: bool,
    },
    AcceptTerms,
}

impl Mend {
    /// The stable word.
    pub fn as_str(&self) -> &'static str {
        match self {
            Mend::None => "none",
            Mend::Assign { .. } => "assign",
            Mend::Share { .. } => "share",
            Mend::Scope { .. } => "scope",
            Mend::AllowScopes { .. } => "allow_scopes",
            Mend::Issue { .. } => "issue",
            Mend::Install { .. } => "install",
            Mend::Connect { .. } => "connect",
            Mend::CreateApp { .. } => "create_app",
            Mend::Activate { .. } => "activate",
            Mend::AcceptTerms => "accept_terms",
        }
    }

    /// The command line that does it, with ids, which always work.
    pub fn command(&self) -> Option<String> {
        Some(match self {
            Mend::None => return None,
            Mend::Assign { user, asset, task_names, .. } => {
                format!("valetkey assignment assign {asset} {user} {}", task_names.join(","))
            }
            Mend::Share { asset, partner, task_names } => {
                format!("valetkey share share {asset} {partner} {}", task_names.join(","))
            }
            Mend::Scope { user, app, scopes } | Mend::Issue { user, app, scopes } => {
                format!("valetkey token issue {user} {app} --scopes {}", scopes.names().join(","))
            }
            Mend::AllowScopes { app, scopes } => {
                format!("valetkey app update {app} --scopes {}", scopes.names().join(","))
            }
            Mend::Install { system_user, app } => format!("valetkey app install {app} {system_user}"),
            Mend::Connect { business, app } => format!("valetkey app connect {app} --business {business}"),
            Mend::CreateApp { business } => format!("valetkey app create NAME --business {business}"),
            Mend::Activate { user, is_person: false } => format!("valetkey system-user activate {user}"),
            Mend::Activate { user, is_person: true } => format!("valetkey person update {user} --active true"),
            Mend::AcceptTerms => "valetkey terms accept".to_owned(),
        })
    }
}

/// What mends the refusal of a side. `then` has what was known of an asset that is out of sight by now.
pub(super) fn mend(names: &Names<'_>, then: &Side, side: &Side, business: Option<BusinessId>) -> Mend {
    let Some(refusal) = &side.refusal else { return Mend::None };
    if refusal.reason == Reason::TermsNotAccepted {
        return Mend::AcceptTerms;
    }
    if refusal.reason == Reason::NoConnectedApp {
        return business.map_or(Mend::None, |business| Mend::CreateApp { business });
    }
    let Subject::Token(token) = &side.view.subject else { return Mend::None };
    if side.is_rule {
        return Mend::None;
    }
    if refusal.reason == Reason::ShareEnded {
        return share_again(names, then, token.business);
    }
    of_token(names, token, side, refusal)
}

fn of_token(names: &Names<'_>, token: &TokenView, side: &Side, refusal: &Refusal) -> Mend {
    let (user, business) = (token.user, token.business);
    let of_app = |mend: &dyn Fn(AppId) -> Mend| token.app.map_or(Mend::None, |app| mend(app.id));
    match refusal.reason {
        Reason::TokenExpired | Reason::TokenRevoked => match token.kind {
            TokenKind::SystemUser => of_app(&|app| Mend::Issue { user, app, scopes: token.scopes }),
            TokenKind::User | TokenKind::Page => Mend::None,
        },
        Reason::UserDeactivated => Mend::Activate { user, is_person: names.state.person(user).is_some() },
        Reason::AppDisconnected => of_app(&|app| Mend::Connect { business, app }),
        Reason::AppNotInstalled => of_app(&|app| Mend::Install { system_user: user, app }),
        Reason::ScopeMissing => of_app(&|app| scope(names, token, app, refusal.missing.scopes)),
        Reason::AssetNotAssigned | Reason::TaskMissing => task(names, token, side, refusal),
        Reason::TokenMalformed
        | Reason::TokenUnknown
        | Reason::UserDeleted
        | Reason::AppNotInstalledForIssue
        | Reason::ProofMissing
        | Reason::ProofInvalid
        | Reason::NotVisible
        | Reason::ShareEnded
        | Reason::RoleInsufficient
        | Reason::TermsNotAccepted
        | Reason::NoConnectedApp
        | Reason::LimitReached
        | Reason::IpNotAllowed
        | Reason::OutsideTimeWindow
        | Reason::RateLimited
        | Reason::NotFresh
        | Reason::Required
        | Reason::Invalid
        | Reason::NotOneOf
        | Reason::UnknownReference
        | Reason::ScopeNotPossible
        | Reason::ScopeIncomplete
        | Reason::WiderThanCaller
        | Reason::TokenMustEnd
        | Reason::LastAdmin
        | Reason::Conflict
        | Reason::Unavailable
        | Reason::OutcomeUnknown
        | Reason::NotDurable
        | Reason::Fault => Mend::None,
    }
}

fn scope(names: &Names<'_>, token: &TokenView, app: AppId, wanted: ScopeSet) -> Mend {
    let allowed = names.state.app(app).map(|app| app.allowed_scopes).unwrap_or_default();
    let held_back = token.scopes.shared(wanted);
    if token.kind == TokenKind::User {
        return Mend::None;
    }
    if let Some(first) = held_back.first() {
        return Mend::AllowScopes { app, scopes: allowed.with(ScopeSet::one(first)) };
    }
    match (wanted.shared(allowed).first(), wanted.first()) {
        // What it has stays, and what the new scope depends on comes with it.
        (Some(first), _) => {
            let scopes = token.scopes.with(ScopeSet::one(first)).completed();
            Mend::Scope { user: token.user, app, scopes }
        }
        (None, Some(first)) => Mend::AllowScopes { app, scopes: allowed.with(ScopeSet::one(first)) },
        (None, None) => Mend::None,
    }
}

/// The tasks that would do, as far as the kind knows them.
fn wanted_tasks(question: Option<&Question>, known: TaskSet) -> TaskSet {
    match question.map(|question| question.need) {
        Some(Need::Tasks(tasks)) => tasks.shared(known),
        Some(Need::AnyTask) => known,
        Some(Need::Nothing | Need::Admin | Need::OwnerAdmin) | None => TaskSet::EMPTY,
    }
}

fn task(names: &Names<'_>, token: &TokenView, side: &Side, refusal: &Refusal) -> Mend {
    let Some(asset) = side.view.asset.filter(|asset| sees(names.state, names.allowed, asset.id)) else {
        return Mend::None;
    };
    let declared = names.state.declared_kind(asset.kind);
    let implied = |set: TaskSet| expanded(asset.kind, declared.as_ref(), set);
    // MANAGE stands for all of them, so this is what the kind knows.
    let known = (0..32).map(|bit| TaskSet(1 << bit)).map(implied).fold(TaskSet::EMPTY, TaskSet::with);
    let mut wanted = wanted_tasks(side.question.as_ref(), known);
    if wanted.is_empty() {
        wanted = refusal.missing.tasks.shared(known);
    }
    let preferred = one_named(names, &asset, "ANALYZE");
    let added = narrowest(wanted, implied, preferred);
    if added.is_empty() {
        return Mend::None;
    }
    let assigned = names.state.assignment(token.user, asset.id).map_or(TaskSet::EMPTY, |a| a.tasks);
    match asset.reach {
        Reach::Shared(permitted) if token.role == Role::Admin || !permitted.meets(wanted) => Mend::Share {
            asset: asset.id,
            partner: token.business,
            task_names: names.tasks(asset.kind, permitted.with(added)),
        },
        Reach::Shared(permitted) => {
            let added = narrowest(wanted.shared(permitted), implied, preferred.shared(permitted));
            assign(names, token.user, &asset, assigned, added)
        }
        Reach::Owned => assign(names, token.user, &asset, assigned, added),
        Reach::None => Mend::None,
    }
}

fn one_named(names: &Names<'_>, asset: &AssetView, task: &str) -> TaskSet {
    let declared = names.state.declared_kind(asset.kind);
    let words = Vocabulary::of(asset.kind, declared.as_ref());
    words.and_then(|words| words.parse(task)).unwrap_or_default()
}

fn assign(names: &Names<'_>, user: UserId, asset: &AssetView, assigned: TaskSet, added: TaskSet) -> Mend {
    Mend::Assign {
        user,
        asset: asset.id,
        task_names: names.tasks(asset.kind, assigned.with(added)),
        added: names.tasks(asset.kind, added),
    }
}

/// The owner has to share it as before.
fn share_again(names: &Names<'_>, then: &Side, partner: BusinessId) -> Mend {
    match then.view.asset.map(|asset| (asset.id, asset.kind, asset.reach)) {
        Some((asset, kind, Reach::Shared(permitted))) => {
            Mend::Share { asset, partner, task_names: names.tasks(kind, permitted) }
        }
        Some((_, _, Reach::Owned | Reach::None)) | None => Mend::None,
    }
}
