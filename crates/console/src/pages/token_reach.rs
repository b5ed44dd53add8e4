//! What who holds a token can do now, in sentences: where its scopes and the tasks of its user meet.
//! Each call is decided anew; a sentence here is no decision.

use valetkey_domain::noun::token::Token;
use valetkey_domain::task::Vocabulary;
use valetkey_domain::task_scopes::scopes_for;
use valetkey_domain::{AssetId, Role, ScopeSet, TaskSet};
use valetkey_service::Facts;

use super::kinds::Kind;
use crate::names;
use crate::view::parts::{Piece, Sentence};

/// How many assets are written out.
const SHOWN: usize = 12;

/// A sentence for each asset that is reached, and what was left out.
pub fn can(facts: &Facts<'_>, token: &Token, role: Role, scopes: ScopeSet) -> (Vec<Sentence>, Option<String>) {
    let all: Vec<AssetId> = match (token.page, role) {
        (Some(page), _) => vec![page],
        (None, Role::Admin) => {
            let own = facts.owned_assets(token.business).into_iter();
            own.chain(facts.shared_assets(token.business)).collect()
        }
        (None, Role::Employee) => facts.assets_of(token.user),
    };
    let mut out: Vec<Sentence> = Vec::new();
    if role == Role::Admin && token.page.is_none() && scopes.has(valetkey_domain::Scope::BUSINESS_MANAGEMENT) {
        out.push(vec![Piece::plain("Manage the business: its users, assignments, shares and tokens")]);
    }
    let mut left = all.len();
    for id in all.iter().take(SHOWN) {
        left -= 1;
        out.extend(on_asset(facts, token, role, scopes, *id));
    }
    (out, (left > 0).then(|| format!("and what is possible on {} more", names::counted(left, "asset", "assets"))))
}

fn on_asset(facts: &Facts<'_>, token: &Token, role: Role, scopes: ScopeSet, id: AssetId) -> Option<Sentence> {
    let asset = facts.asset(id)?;
    let kind = Kind::on(facts, asset.kind);
    let vocabulary = Vocabulary::of(asset.kind, kind.declared())?;
    let held = match role {
        Role::Admin => TaskSet::ALL,
        Role::Employee => facts.assignment(token.user, id)?.tasks,
    };
    let mut held = vocabulary.expanded(held);
    if asset.business != Some(token.business) {
        held = held.shared(vocabulary.expanded(facts.share(id, token.business)?.tasks));
    }
    let opens = |task: &TaskSet| {
        let needed = scopes_for(asset.kind, kind.declared(), *task);
        // Tasks of declared kinds need no scope; a built-in one that no scope opens does nothing here.
        held.covers(*task) && (needed.meets(scopes) || (needed.is_empty() && kind.declared().is_some()))
    };
    let open = (0..32).map(|bit| TaskSet(1 << bit)).filter(opens).fold(TaskSet::EMPTY, TaskSet::with);
    let named = Piece::link(asset.name.to_string(), names::asset_href(id));
    if open.is_empty() {
        return Some(vec![Piece::plain("Nothing on "), named, Piece::plain(": no scope opens its tasks there")]);
    }
    Some(vec![Piece::plain(format!("{} on ", names::and(&kind.labels(open)))), named])
}
