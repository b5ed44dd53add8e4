//! What a sentence is made from: an entry, what its payload says, and names. The payload may be gone or
//! unreadable; a sentence then names only the subjects.

use valetkey_domain::noun::token::Token;
use valetkey_domain::{Id, Record, TokenId};
use valetkey_store::Entry;
use valetkey_store::payload::{ContentLine, JobLine, Payload};

use super::names::Names;
use super::phrase::{Named, Phrase, Sort};

/// The entry that a sentence is about.
pub(super) struct Scene<'a> {
    pub entry: &'a Entry,
    pub payload: Option<&'a Payload>,
    pub names: &'a Names<'a>,
}

impl<'a> Scene<'a> {
    /// A subject by its place.
    pub fn subject(&self, place: usize) -> Option<Named> {
        self.entry.subjects.get(place).map(|id| self.names.named(*id))
    }

    /// A subject by its name alone.
    pub fn name(&self, place: usize) -> Phrase {
        self.subject(place).map_or_else(|| Phrase::of("an unknown object"), Phrase::named)
    }

    /// A subject with its sort.
    pub fn the(&self, place: usize) -> Phrase {
        self.subject(place).map_or_else(|| Phrase::of("an unknown object"), Phrase::the)
    }

    /// An object by its name alone.
    pub fn named(&self, id: impl Into<Id>) -> Phrase {
        Phrase::named(self.names.named(id))
    }

    /// ` verb` and a subject with its sort.
    pub fn did(&self, verb: &str, place: usize) -> Phrase {
        Phrase::of(format!(" {verb} ")).then(self.the(place))
    }

    /// The changes of one noun: before and after.
    pub fn changes<N: 'a>(&self, of: fn(&Record) -> Option<&N>) -> Vec<(Option<&'a N>, Option<&'a N>)> {
        let Some(payload) = self.payload else { return Vec::new() };
        let pairs = payload.changes.iter().map(|change| {
            let before: Option<&'a N> = change.before.as_ref().and_then(of);
            let after: Option<&'a N> = change.after.as_ref().and_then(of);
            (before, after)
        });
        pairs.filter(|(before, after)| before.is_some() || after.is_some()).collect()
    }

    /// The first record of a noun, before and after.
    pub fn changed<N: 'a>(&self, of: fn(&Record) -> Option<&N>) -> (Option<&'a N>, Option<&'a N>) {
        self.changes(of).into_iter().next().unwrap_or((None, None))
    }

    /// The tokens that changed, as they are afterwards.
    pub fn tokens(&self) -> Vec<&'a Token> {
        self.changes(Token::from_ref).into_iter().filter_map(|(_, after)| after).collect()
    }

    /// A token as the entry holds it, or as it is today.
    pub fn token(&self, id: TokenId) -> Option<Token> {
        let found = self.tokens().into_iter().find(|token| token.id == id).cloned();
        found.or_else(|| self.names.token(id))
    }

    /// The line about the first row of content.
    pub fn content(&self) -> Option<&'a ContentLine> {
        self.payload.and_then(|payload| payload.content.first())
    }

    /// The lines about jobs.
    pub fn jobs(&self) -> &'a [JobLine] {
        self.payload.map_or(&[], |payload| payload.jobs.as_slice())
    }

    /// A token as a word that a page can link: `a token`.
    pub fn a_token(&self, id: TokenId) -> Phrase {
        Phrase::default().name(self.names.named(id).called("a token"))
    }

    /// Whether a subject is of this sort.
    pub fn is(&self, place: usize, sort: Sort) -> bool {
        self.subject(place).is_some_and(|named| named.sort == sort)
    }
}
