//! Page tokens: derived from a parent token for one Page, and dead for good once a path of their user
//! to the Page ended.
//!
//! The text follows from the parent's text, the Page and a counter. Whatever revokes a page token
//! raises the counter in the same change set, so that the parent gives another text from then on. A
//! counter outlives every token row: it must never fall, and no rule may remove it.

use std::collections::BTreeSet;

use crate::credential::{CredentialText, Digest};
use crate::noun::page_token::PageCounter;
use crate::noun::token::{Token, TokenKind};
use crate::refusal::Refusal;
use crate::{Action, AssetId, AssetKind, Caller, ChangeSet, IdKind, Planner, Reason, Record, State};

/// The page token that is in force, if it is on record.
pub fn find(state: &dyn State, parent: &Token, parent_text: &str, page: AssetId) -> Option<CredentialText> {
    let text = CredentialText::for_page(parent_text, page, state.times_ended(parent.id, page));
    state.token_by_digest(&text.digest()).is_some_and(|t| t.revoked_at.is_none()).then_some(text)
}

/// The page tokens of a parent, put on record when they are first seen. Whoever calls has decided for
/// each Page, on this very state, that the caller may have its token. Without accepted terms nothing
/// new is put on record, and only those that are on record already are given.
///
/// # Errors
/// `not_visible` for what is no Page, and `token_unknown` if the text is not the parent's.
pub fn derive(
    planner: &mut Planner<'_>,
    by: &Caller,
    parent: &Token,
    parent_text: &str,
    pages: &[AssetId],
) -> Result<(ChangeSet, Vec<(AssetId, CredentialText)>), Refusal> {
    if Digest::of(parent_text) != parent.digest || parent.page.is_some() {
        return Err(Refusal::of(Reason::TokenUnknown));
    }
    let accepted = super::terms::are_accepted(planner.state(), parent.business);
    let mut made = Vec::with_capacity(pages.len());
    let mut seen = BTreeSet::new();
    for page in pages.iter().filter(|page| seen.insert(**page)) {
        if planner.state().asset(*page).is_none_or(|a| a.kind != AssetKind::Page) {
            return Err(Refusal::not_visible(*page));
        }
        let known = planner.state().times_ended(parent.id, *page);
        let (counter, text, on_record) = in_force(planner.state(), parent_text, *page, known);
        if !on_record && !accepted {
            continue;
        }
        if counter != known {
            planner.put(Record::PageCounter(PageCounter { parent: parent.id, page: *page, counter }));
        }
        if !on_record {
            let token = Token {
                id: planner.new_id(IdKind::Token),
                digest: text.digest(),
                kind: TokenKind::Page,
                created_at: planner.now(),
                created_by: Some(parent.user),
                parent: Some(parent.id),
                page: Some(*page),
                revoked_at: None,
                purpose: None,
                session: false,
                ..parent.clone()
            };
            planner.put(Record::Token(token));
        }
        made.push((*page, text));
    }
    Ok((planner.finish(Action::PageTokenDerived, by, Some(parent.business), &[parent.id.any()]), made))
}

/// The first text from a counter on that is not dead, with its counter, and whether it is on record.
/// Tokens that were revoked before there were counters stand at a counter that was never raised.
fn in_force(state: &dyn State, parent_text: &str, page: AssetId, from: u64) -> (u64, CredentialText, bool) {
    let mut counter = from;
    loop {
        let text = CredentialText::for_page(parent_text, page, counter);
        match state.token_by_digest(&text.digest()) {
            None => return (counter, text, false),
            Some(token) if token.revoked_at.is_none() => return (counter, text, true),
            Some(_) => counter += 1,
        }
    }
}
