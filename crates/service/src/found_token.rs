//! A token found by its text, as whoever meets a leaked one needs it: whose it is, what it may do, and
//! its end.
//!
//! The text is never stored, logged or repeated. A token of another business looks like one that was
//! never issued.

use valetkey_authz::{Allowed, Decision, Need, Question, Sorts, Target, decide};
use valetkey_domain::credential::{CredentialKind, Digest, read};
use valetkey_domain::noun::token::Token;
use valetkey_domain::task::Vocabulary;
use valetkey_domain::{AssetId, AssetKind, Name, Refusal, Role, State, TaskSet, TokenId, UserId};

use crate::ask::{On, Sent};
use crate::call::Call;
use crate::core::Service;
use crate::rights;
use crate::token::Listed;
use crate::writer::Done;

/// How many assets are named of those that a token reaches.
pub const REACH_LIMIT: usize = 100;

/// What a text is.
#[derive(Debug, Clone)]
pub enum FoundText {
    /// No token of this server: cut off, mistyped, or of another sort.
    Malformed,
    /// The form is right, and no token of the caller's business has it.
    Unknown,
    Token(Box<FoundToken>),
}

/// A token that was found.
#[derive(Debug, Clone)]
pub struct FoundToken {
    pub listed: Listed,
    pub user_name: Option<Name>,
    pub user_role: Option<Role>,
    pub app_name: Option<Name>,
    /// What its user may do on which assets, up to [`REACH_LIMIT`]; its scopes limit that further.
    pub reach: Vec<Reached>,
    /// How many assets it may reach in all.
    pub reach_count: usize,
}

/// An asset that a token reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    pub asset: AssetId,
    pub kind: AssetKind,
    pub name: Name,
    /// The names of the tasks.
    pub tasks: Vec<String>,
}

/// What a text names, for one caller.
enum Looked {
    Malformed,
    Unknown,
    Token(Box<Token>),
}

impl Service {
    /// Finds a token by its text, for an ADMIN of its business or the operator.
    ///
    /// # Errors
    /// The refusal. A text that names nothing is no error.
    pub async fn find_token_text(&self, call: &Call, text: &str) -> Result<FoundText, Refusal> {
        let allowed = self.ask(call, rights::MANAGE_BUSINESS.on_caller())?;
        let token = match self.look_up_text(&allowed, text)? {
            Looked::Malformed => return Ok(FoundText::Malformed),
            Looked::Unknown => return Ok(FoundText::Unknown),
            Looked::Token(token) => token,
        };
        let question = rights::MANAGE_BUSINESS.on_business(token.business);
        let listed = self.tokens(call, question, &[token.id]).await?.into_inner().pop();
        let Some(listed) = listed else { return Ok(FoundText::Unknown) };
        let (reach, reach_count) = self.reach_of(&token)?;
        self.read(|state| {
            let user = token.user;
            let system_user = state.system_user(user).map(|u| (u.name, u.role));
            let found = system_user.or_else(|| state.person(user).map(|p| (p.name, p.role)));
            let (user_name, user_role) = found.unzip();
            let app_name = token.app.and_then(|app| state.app(app)).map(|app| app.name);
            FoundText::Token(Box::new(FoundToken { listed, user_name, user_role, app_name, reach, reach_count }))
        })
    }

    /// Revokes the token that has this text, with everything issued or derived from it if that is
    /// wanted. Gives back its id and how many were revoked.
    ///
    /// # Errors
    /// The refusal; `invalid_parameter` for a text that names no token of the caller's business.
    pub async fn revoke_by_text(
        &self,
        call: &Call,
        text: &str,
        with_descendants: bool,
    ) -> Result<Done<(TokenId, usize)>, Refusal> {
        let allowed = self.ask(call, rights::MANAGE_BUSINESS.on_caller())?;
        let token = match self.look_up_text(&allowed, text)? {
            Looked::Token(token) => token,
            Looked::Malformed => {
                return Err(Refusal::invalid("text", "the whole text of a token")
                    .with_note("the text is not a token of this server: it is cut off, mistyped, or of another sort"));
            }
            Looked::Unknown => {
                return Err(Refusal::unknown_reference("text").with_note("no token of the business has this text"));
            }
        };
        if with_descendants {
            let done = self.revoke_token_with_descendants(call, token.id).await?;
            return Ok(Done { value: (token.id, done.value), revision: done.revision });
        }
        let done = self.revoke_token(call, token.id).await?;
        Ok(Done { value: (token.id, 1), revision: done.revision })
    }

    fn look_up_text(&self, allowed: &Allowed, text: &str) -> Result<Looked, Refusal> {
        let text = text.trim();
        match read(text) {
            Some(CredentialKind::SystemUser | CredentialKind::Page | CredentialKind::User) => {}
            Some(CredentialKind::Code) | None => return Ok(Looked::Malformed),
        }
        let digest = Digest::of(text);
        let found = self.read(|state| state.token_by_digest(&digest))?;
        let own = found.filter(|token| allowed.caller.business().is_none_or(|business| business == token.business));
        Ok(own.map_or(Looked::Unknown, |token| Looked::Token(Box::new(token))))
    }

    /// The assets that the user of a token reaches: a page token its Page alone.
    fn reach_of(&self, token: &Token) -> Result<(Vec<Reached>, usize), Refusal> {
        let index = self.inner.index()?;
        let state: &dyn State = &*index;
        let ids = match token.page {
            Some(page) => vec![page],
            None => assets_of(state, token),
        };
        let now = self.now();
        let reached = |asset: &AssetId| {
            let question = Question::about(Target::Asset(*asset)).sorts(Sorts::ANY).need(Need::AnyTask);
            let (view, question) = self.inner.look(On::Index(&index), &Sent::User(token.user), question, now);
            let held = match decide(&view, &question, now) {
                Decision::Allow(allowed) => allowed.held,
                Decision::Deny(_) => return None,
            };
            let record = state.asset(*asset)?;
            let tasks = task_names(state, record.kind, held);
            Some(Reached { asset: *asset, kind: record.kind, name: record.name, tasks })
        };
        let reach = ids.iter().take(REACH_LIMIT).filter_map(reached).collect();
        Ok((reach, ids.len()))
    }
}

/// What the user of a token may reach by its role: an ADMIN everything of the business.
fn assets_of(state: &dyn State, token: &Token) -> Vec<AssetId> {
    if role_of(state, token.user) == Some(Role::Admin) {
        let owned = state.owned_assets(token.business).into_iter();
        return owned.chain(state.shared_assets(token.business)).collect();
    }
    state.assets_of(token.user)
}

fn role_of(state: &dyn State, user: UserId) -> Option<Role> {
    state.system_user(user).map(|u| u.role).or_else(|| state.person(user).map(|p| p.role))
}

fn task_names(state: &dyn State, kind: AssetKind, held: TaskSet) -> Vec<String> {
    let declared = state.declared_kind(kind);
    let held = if held == TaskSet::ALL { kind.full_tasks() } else { held };
    let words = Vocabulary::of(kind, declared.as_ref());
    words.map(|words| words.names(held).into_iter().map(str::to_owned).collect()).unwrap_or_default()
}
