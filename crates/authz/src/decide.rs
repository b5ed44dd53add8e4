//! The decision. Every adapter asks this one function.
//!
//! The order of refusals is fixed: token, proof, visibility, scope, then assignment, task and role.
//! A new fact may only ever add a refusal.

use valetkey_domain::noun::token::TokenKind;
use valetkey_domain::{
    AppId, AssetId, BusinessId, Caller, Id, Missing, Reason, Refusal, Role, Scope, ScopeSet, Status, TaskSet, TokenId,
    UnixMs,
};

use crate::question::{Need, Proof, Question, Sorts, Target};
use crate::view::{AssetView, Reach, Subject, TokenView, View};

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Allow(Allowed),
    Deny(Denial),
}

impl Decision {
    /// The yes, or the no as a refusal.
    pub fn into_result(self) -> Result<Allowed, Refusal> {
        match self {
            Decision::Allow(allowed) => Ok(allowed),
            Decision::Deny(denial) => Err(denial.refusal()),
        }
    }
}

/// A yes, with what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    pub revision: u64,
    pub caller: Caller,
    pub role: Role,
    /// What the caller holds on the asset; all of its kind for an ADMIN, up to what is shared.
    pub held: TaskSet,
    /// What the token may be used for: what it was issued with, up to what its app may ask for; of a
    /// person, what its role gives.
    pub scopes: ScopeSet,
    pub page: Option<AssetId>,
    pub expires_at: Option<UnixMs>,
}

/// A no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denial {
    pub revision: u64,
    pub reason: Reason,
    /// On the wire it must look as if the thing did not exist.
    pub hidden: bool,
    pub missing: Missing,
    pub subject: Option<Id>,
    pub time: Option<UnixMs>,
    pub business: Option<BusinessId>,
    pub token: Option<TokenId>,
}

impl Denial {
    /// The refusal that tells a caller what it may know.
    pub fn refusal(&self) -> Refusal {
        let mut refusal = Refusal::of(if self.hidden { Reason::NotVisible } else { self.reason });
        refusal.subject = self.subject;
        if !self.hidden {
            refusal.missing = self.missing;
            refusal.time = self.time;
        }
        refusal
    }
}

struct Step<'a> {
    view: &'a View,
    question: &'a Question,
}

/// Decides a question on a view at a time.
pub fn decide(view: &View, question: &Question, now: UnixMs) -> Decision {
    let step = Step { view, question };
    let answer = match &view.subject {
        Subject::Malformed => Err(step.deny(Reason::TokenMalformed)),
        Subject::Unknown => Err(step.deny(Reason::TokenUnknown)),
        Subject::Operator => Ok(step.operator()),
        Subject::App(app) => step.app(app.id, app.business, app.connected),
        Subject::Token(token) => step.token(token, now),
    };
    match answer {
        Ok(allowed) => Decision::Allow(allowed),
        Err(denial) => Decision::Deny(denial),
    }
}

impl Step<'_> {
    fn deny(&self, reason: Reason) -> Denial {
        let (business, token) = match &self.view.subject {
            Subject::Token(t) => (Some(t.business), Some(t.id)),
            Subject::App(a) => (Some(a.business), None),
            Subject::Malformed | Subject::Unknown | Subject::Operator => (None, None),
        };
        let subject = match self.question.target {
            Target::Nothing | Target::Alive => None,
            Target::Asset(id) => Some(id.any()),
            Target::Business(id) => Some(id.any()),
        };
        Denial {
            revision: self.view.revision,
            reason,
            hidden: reason == Reason::NotVisible,
            missing: Missing::default(),
            subject,
            time: None,
            business,
            token,
        }
    }

    /// The operator holds the machine; what it does is recorded, not asked about.
    fn operator(&self) -> Allowed {
        Allowed {
            revision: self.view.revision,
            caller: Caller::Operator,
            role: Role::Admin,
            held: TaskSet::ALL,
            scopes: ScopeSet::all(),
            page: None,
            expires_at: None,
        }
    }

    fn app(&self, app: AppId, business: BusinessId, connected: bool) -> Result<Allowed, Denial> {
        if !connected {
            return Err(self.deny(Reason::AppDisconnected));
        }
        let visible = match self.question.target {
            Target::Nothing | Target::Alive => true,
            Target::Business(id) => id == business,
            Target::Asset(_) => self.view.asset.is_some_and(|a| a.reach != Reach::None),
        };
        if !visible {
            return Err(self.deny(Reason::NotVisible));
        }
        // An app token reaches the few calls that name it, and nothing by scopes, tasks or roles: it
        // carries none, so a call that asks for one is not for it even where its sort is taken.
        if !self.question.sorts.meets(Sorts::APP) || self.asks_for_more() {
            return Err(self.deny(Reason::RoleInsufficient));
        }
        Ok(Allowed {
            revision: self.view.revision,
            caller: Caller::App { app, business },
            role: Role::Employee,
            held: TaskSet::EMPTY,
            scopes: ScopeSet::EMPTY,
            page: None,
            expires_at: None,
        })
    }

    /// Whether the question asks for a scope, a task or a role.
    fn asks_for_more(&self) -> bool {
        !self.question.scopes.is_empty() || self.question.need != Need::Nothing || self.question.own.is_some()
    }

    fn token(&self, token: &TokenView, now: UnixMs) -> Result<Allowed, Denial> {
        self.alive(token, now)?;
        self.proof(token)?;
        let held = self.visible(token)?;
        self.sort(token)?;
        let scopes = token.effective_scopes();
        if is_of_page(token) {
            self.page_scope(scopes)?;
        }
        let is_free = self.question.scope_free.meets(sort_of(token));
        match self.question.own.filter(|own| own.user == token.user) {
            None => {
                self.scope(token, scopes)?;
                self.need(token, held)?;
            }
            Some(own) if own.scopes.is_empty() || scopes.meets(own.scopes) || is_free => {}
            // Who is no ADMIN here is told what would be enough for it itself.
            Some(own) if token.role != Role::Admin => return Err(self.lacks(own.scopes)),
            // What an ADMIN may do for everybody, it may do for itself.
            Some(own) => {
                self.scope(token, scopes).and_then(|()| self.need(token, held)).map_err(|_| self.lacks(own.scopes))?;
            }
        }
        let caller = match (token.app, token.kind) {
            (Some(app), TokenKind::SystemUser | TokenKind::Page) => {
                Caller::SystemUser { system_user: token.user, business: token.business, app: app.id, token: token.id }
            }
            _ => Caller::Person { person: token.user, business: token.business, token: Some(token.id) },
        };
        Ok(Allowed {
            revision: self.view.revision,
            caller,
            role: token.role,
            held,
            scopes,
            page: token.page,
            expires_at: token.expires_at,
        })
    }

    fn alive(&self, token: &TokenView, now: UnixMs) -> Result<(), Denial> {
        if token.revoked_at.is_some() || token.parent_dead {
            return Err(self.deny(Reason::TokenRevoked));
        }
        match token.status {
            Status::Deleted => return Err(self.deny(Reason::UserDeleted)),
            Status::Deactivated => return Err(self.deny(Reason::UserDeactivated)),
            Status::Active => {}
        }
        if let Some(end) = token.expires_at.filter(|end| *end <= now) {
            return Err(Denial { time: Some(end), ..self.deny(Reason::TokenExpired) });
        }
        if let Some(app) = token.app {
            if !app.connected {
                return Err(Denial { subject: Some(app.id.any()), ..self.deny(Reason::AppDisconnected) });
            }
            if !token.installed {
                return Err(Denial { subject: Some(app.id.any()), ..self.deny(Reason::AppNotInstalled) });
            }
        }
        Ok(())
    }

    fn proof(&self, token: &TokenView) -> Result<(), Denial> {
        match self.question.proof {
            Proof::Wrong => Err(self.deny(Reason::ProofInvalid)),
            Proof::NotSent if token.app.is_some_and(|a| a.demands_proof) => Err(self.deny(Reason::ProofMissing)),
            Proof::NotSent | Proof::Right => Ok(()),
        }
    }

    /// Whether the target exists for the caller, and what the caller holds on it.
    fn visible(&self, token: &TokenView) -> Result<TaskSet, Denial> {
        match self.question.target {
            // A page token stands for its Page. What its user may do elsewhere is none of its business.
            Target::Nothing if is_of_page(token) => Err(self.deny(Reason::RoleInsufficient)),
            Target::Alive if self.asks_for_more() => Err(self.deny(Reason::RoleInsufficient)),
            Target::Nothing | Target::Alive => Ok(TaskSet::EMPTY),
            Target::Business(id) if id == token.business && !is_of_page(token) => Ok(TaskSet::EMPTY),
            Target::Business(_) => Err(self.deny(Reason::NotVisible)),
            Target::Asset(id) => {
                let Some(asset) = self.view.asset.filter(|a| a.id == id && a.reach != Reach::None) else {
                    return Err(self.deny(Reason::NotVisible));
                };
                if is_of_page(token) && token.page != Some(id) {
                    return Err(self.deny(Reason::NotVisible));
                }
                let held = held(token, &asset);
                let hides = token.strict_visibility && token.role == Role::Employee && held.is_empty();
                if hides {
                    let missing = Missing { kind: Some(asset.kind), asset: Some(id), ..Missing::default() };
                    return Err(Denial { hidden: true, missing, ..self.deny(Reason::AssetNotAssigned) });
                }
                // A Page token that names another sort of call is told no more than a stranger.
                if is_of_page(token) && !self.question.sorts.meets(Sorts::PAGE) {
                    return Err(self.deny(Reason::NotVisible));
                }
                Ok(held)
            }
        }
    }

    fn sort(&self, token: &TokenView) -> Result<(), Denial> {
        if self.question.sorts.meets(sort_of(token)) { Ok(()) } else { Err(self.deny(Reason::RoleInsufficient)) }
    }

    /// Every page token rests on `pages_show_list`, whatever is asked of it but whether it lives.
    fn page_scope(&self, scopes: ScopeSet) -> Result<(), Denial> {
        if scopes.has(Scope::PAGES_SHOW_LIST) || self.question.target == Target::Alive {
            return Ok(());
        }
        Err(self.lacks(ScopeSet::one(Scope::PAGES_SHOW_LIST)))
    }

    fn scope(&self, token: &TokenView, scopes: ScopeSet) -> Result<(), Denial> {
        let wanted = self.question.scopes;
        let admin_enough = token.role == Role::Admin && scopes.meets(self.question.admin_scopes);
        let is_free = self.question.scope_free.meets(sort_of(token));
        if wanted.is_empty() || scopes.meets(wanted) || admin_enough || is_free {
            return Ok(());
        }
        Err(self.lacks(wanted))
    }

    fn lacks(&self, scopes: ScopeSet) -> Denial {
        let missing = Missing { scopes, ..Missing::default() };
        Denial { missing, ..self.deny(Reason::ScopeMissing) }
    }

    fn need(&self, token: &TokenView, held: TaskSet) -> Result<(), Denial> {
        let is_admin = token.role == Role::Admin;
        let asset = self.view.asset;
        let wanted = match self.question.need {
            Need::Nothing => return Ok(()),
            Need::Admin if is_admin => return Ok(()),
            Need::OwnerAdmin if is_admin && asset.is_some_and(|a| a.reach == Reach::Owned) => return Ok(()),
            Need::Admin | Need::OwnerAdmin => return Err(self.deny(Reason::RoleInsufficient)),
            Need::AnyTask => TaskSet::ALL,
            Need::Tasks(tasks) => tasks,
        };
        if held.meets(wanted) {
            return Ok(());
        }
        let missing = Missing {
            tasks: if self.question.need == Need::AnyTask { TaskSet::EMPTY } else { wanted },
            held,
            kind: asset.map(|a| a.kind),
            asset: asset.map(|a| a.id),
            ..Missing::default()
        };
        let reason = if held.is_empty() { Reason::AssetNotAssigned } else { Reason::TaskMissing };
        Err(Denial { missing, ..self.deny(reason) })
    }
}

/// Whether a token is that of a Page.
fn is_of_page(token: &TokenView) -> bool {
    token.kind == TokenKind::Page || token.page.is_some()
}

fn sort_of(token: &TokenView) -> Sorts {
    match token.kind {
        TokenKind::SystemUser => Sorts::SYSTEM_USER,
        TokenKind::User => Sorts::USER,
        TokenKind::Page => Sorts::PAGE,
    }
}

/// What the caller holds on an asset: an ADMIN everything, an EMPLOYEE what is assigned; neither
/// more than what the owner shared.
fn held(token: &TokenView, asset: &AssetView) -> TaskSet {
    let own = if token.role == Role::Admin { TaskSet::ALL } else { asset.assigned };
    match asset.reach {
        Reach::Owned => own,
        Reach::Shared(permitted) => own.shared(permitted),
        Reach::None => TaskSet::EMPTY,
    }
}
