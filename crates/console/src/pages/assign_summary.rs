//! What would change if the drafts were saved, and what follows: which token can use it at once, what
//! goes out of reach.

use valetkey_domain::noun::token::Token;
use valetkey_domain::task::Vocabulary;
use valetkey_domain::task_scopes::scopes_for;
use valetkey_domain::{AssetId, TaskSet};
use valetkey_service::{Facts, rights};

use super::draft::{Draft, Drafts};
use super::subject::Subject;
use crate::failure::Failure;
use crate::names;
use crate::view::assign::{ChangeRow, Summary};
use crate::view::parts::{Piece, Sentence};
use crate::visit::Visit;
use crate::words;

/// How many changes are written out.
const SHOWN_LIMIT: usize = 200;

/// The changes.
///
/// # Errors
/// The refusal.
pub fn of(visit: &Visit, subject: &Subject, drafts: &Drafts) -> Result<Summary, Failure> {
    let now = visit.now();
    let rows = visit.step(rights::MANAGE_BUSINESS.on_business(visit.who.business), |facts| {
        let tokens = facts.tokens_of(subject.id).into_iter().filter_map(|id| facts.token(id));
        let is_live = |token: &Token| {
            token.revoked_at.is_none() && token.page.is_none() && token.expires_at.is_none_or(|end| end > now)
        };
        let live: Vec<Token> = tokens.filter(is_live).collect();
        drafts.iter().flat_map(|(asset, draft)| changes(facts, subject, asset, draft, &live)).collect::<Vec<_>>()
    })?;
    Ok(Summary {
        count: rows.len(),
        rows: rows.into_iter().take(SHOWN_LIMIT).collect(),
        stays: None,
        seen: drafts.digest(),
    })
}

fn changes(facts: &Facts<'_>, subject: &Subject, id: AssetId, draft: Draft, live: &[Token]) -> Vec<ChangeRow> {
    let Some(asset) = facts.asset(id) else { return Vec::new() };
    let declared = facts.declared_kind(asset.kind);
    let Some(vocabulary) = Vocabulary::of(asset.kind, declared.as_ref()) else { return Vec::new() };
    let mut rows = Vec::new();
    for name in vocabulary.all_names() {
        let Some(task) = vocabulary.parse(name) else { continue };
        let (was, will) = (draft.base.meets(task), draft.want.meets(task));
        if was == will {
            continue;
        }
        let needed = scopes_for(asset.kind, declared.as_ref(), task);
        rows.push(ChangeRow {
            added: will,
            asset: asset.name.to_string(),
            task: words::task(asset.kind, name).label,
            follows: if will { gained(facts, subject, needed, live) } else { lost(draft.want) },
        });
    }
    rows
}

/// Which token can use a new task at once.
fn gained(facts: &Facts<'_>, subject: &Subject, needed: valetkey_domain::ScopeSet, live: &[Token]) -> Sentence {
    let fits = |token: &&Token| needed.is_empty() || token.effective_scopes(&**facts).meets(needed);
    match live.iter().filter(fits).collect::<Vec<_>>().as_slice() {
        [] if live.is_empty() => vec![Piece::plain("It has no live token yet.")],
        [] => vec![
            Piece::plain("No live token has the scope "),
            Piece::code(needed.first().map(|scope| scope.name()).unwrap_or_default()),
            Piece::plain(" for this. "),
            Piece::link("Generate one", format!("{}/token", subject.head.href)),
        ],
        [only] => {
            vec![Piece::plain("The token "), Piece::strong(names::token(only)), Piece::plain(" can use it at once.")]
        }
        several => vec![Piece::plain(format!("{} tokens can use it at once.", several.len()))],
    }
}

fn lost(left: TaskSet) -> Sentence {
    let words = if left.is_empty() {
        "Its last task there: out of reach afterwards."
    } else {
        "Calls that need it are refused at once."
    };
    vec![Piece::plain(words)]
}
