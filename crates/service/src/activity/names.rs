//! Names for the ids of an entry: those of its own time where its payload holds them, otherwise those
//! of today, otherwise the last ones that a newer entry held.
//!
//! A name of today is shown only if the reader may see the record now. The payload of an entry belongs
//! to the business of the entry, so its names may be shown to that business.

use std::collections::HashMap;

use valetkey_domain::noun::token::Token;
use valetkey_domain::task::Vocabulary;
use valetkey_domain::{
    AssetId, AssetKind, BusinessId, Change, Id, Record, ScopeSet, State, TaskSet, TokenId, UserId, kind,
};

use super::phrase::{Named, Sort};

/// Names by id.
pub(super) type Known = HashMap<Id, String>;

/// Looks up names for one entry.
pub(super) struct Names<'a> {
    state: &'a dyn State,
    /// The business of the reader; none for the operator, who may see everything.
    reader: Option<BusinessId>,
    /// Names from the entry's payload.
    then: Known,
    /// Names from newer entries.
    later: &'a Known,
}

/// What a record of today says.
struct Today {
    sort: Sort,
    title: Option<String>,
    name: Option<String>,
    is_visible: bool,
}

impl<'a> Names<'a> {
    pub fn new(state: &'a dyn State, reader: Option<BusinessId>, changes: &[Change], later: &'a Known) -> Names<'a> {
        let mut then = Known::new();
        keep(&mut then, changes);
        Names { state, reader, then, later }
    }

    /// An object with its name.
    pub fn named(&self, id: impl Into<Id>) -> Named {
        let id = id.into();
        let today = self.today(id);
        let sort = today.as_ref().map_or_else(|| Sort::of(id), |t| t.sort);
        let title = today.as_ref().and_then(|t| t.title.clone()).unwrap_or_else(|| sort.title(id).to_owned());
        let is_there = today.as_ref().is_some_and(|t| t.is_visible);
        let now = today.filter(|t| t.is_visible).and_then(|t| t.name);
        let name = self.then.get(&id).cloned().or(now).or_else(|| self.later.get(&id).cloned());
        Named { sort, id, title, name, is_there }
    }

    /// The business of a user, if it is not the reader's: the reader may not see who acts there.
    pub fn foreign(&self, user: Id) -> Option<Named> {
        let reader = self.reader?;
        let user = UserId::of(user);
        let of_person = self.state.person(user).map(|p| p.business);
        let business = of_person.or_else(|| self.state.system_user(user).map(|u| u.business))?;
        (business != reader).then(|| self.named(business))
    }

    /// A token as it is today, if the reader may see it.
    pub fn token(&self, id: TokenId) -> Option<Token> {
        self.state.token(id).filter(|t| self.is_own(t.business))
    }

    /// The kind of an asset. It shows in the ids of built-in kinds.
    fn kind_of(&self, asset: AssetId) -> Option<AssetKind> {
        let of_id = || kind::TABLE.iter().find(|row| Some(row.id_kind) == asset.kind()).map(|row| row.kind);
        self.state.asset(asset).map(|a| a.kind).or_else(of_id)
    }

    /// The words for a kind of asset.
    pub fn kind_title(&self, kind: AssetKind) -> String {
        let built_in = kind.row().map(|row| row.title.to_owned());
        let declared = || self.state.declared_kind(kind).map(|k| k.title.to_string());
        built_in.or_else(declared).unwrap_or_else(|| "asset".to_owned())
    }

    /// Tasks as words, in the order of their kind.
    pub fn tasks(&self, asset: AssetId, set: TaskSet) -> String {
        let words = self.kind_of(asset).map(|kind| {
            let declared = self.state.declared_kind(kind);
            let words = Vocabulary::of(kind, declared.as_ref());
            words.map(|w| w.names(set).into_iter().map(task_words).collect::<Vec<_>>()).unwrap_or_default()
        });
        let words = words.unwrap_or_default();
        if words.is_empty() { format!("{} tasks", set.0.count_ones()) } else { words.join(", ") }
    }

    fn is_own(&self, business: BusinessId) -> bool {
        self.reader.is_none_or(|reader| reader == business)
    }

    fn today(&self, id: Id) -> Option<Today> {
        let s = self.state;
        if let Some(business) = s.business(BusinessId::of(id)) {
            // Whoever shares with a business sees its name, so the name is no secret.
            let name = Some(business.name.to_string());
            return Some(Today { sort: Sort::Business, title: None, name, is_visible: true });
        }
        if let Some(person) = s.person(UserId::of(id)) {
            let (name, is_visible) = (Some(person.name.to_string()), self.is_own(person.business));
            return Some(Today { sort: Sort::Person, title: None, name, is_visible });
        }
        if let Some(user) = s.system_user(UserId::of(id)) {
            let (name, is_visible) = (Some(user.name.to_string()), self.is_own(user.business));
            return Some(Today { sort: Sort::SystemUser, title: None, name, is_visible });
        }
        if let Some(token) = s.token(TokenId::of(id)) {
            let is_visible = self.is_own(token.business);
            return Some(Today { sort: Sort::Token, title: None, name: None, is_visible });
        }
        let asset = s.asset(AssetId::of(id))?;
        let sort = if asset.kind == AssetKind::App { Sort::App } else { Sort::Asset };
        let is_visible = match self.reader {
            None => true,
            Some(reader) => asset.business == Some(reader) || s.share(asset.id, reader).is_some(),
        };
        let title = Some(self.kind_title(asset.kind));
        Some(Today { sort, title, name: Some(asset.name.to_string()), is_visible })
    }
}

/// Adds the names that changes hold. A name that is known already stays: it comes from a newer entry.
pub(super) fn keep(known: &mut Known, changes: &[Change]) {
    for record in changes.iter().filter_map(|change| change.after.as_ref().or(change.before.as_ref())) {
        if let Some((id, name)) = name_of(record) {
            known.entry(id).or_insert(name);
        }
    }
}

fn name_of(record: &Record) -> Option<(Id, String)> {
    match record {
        Record::Business(r) => Some((r.id.any(), r.name.to_string())),
        Record::Person(r) => Some((r.id.any(), r.name.to_string())),
        Record::SystemUser(r) => Some((r.id.any(), r.name.to_string())),
        Record::App(r) => Some((r.id.any(), r.name.to_string())),
        Record::Asset(r) => Some((r.id.any(), r.name.to_string())),
        Record::Connection(_)
        | Record::Installation(_)
        | Record::DeclaredKind(_)
        | Record::Assignment(_)
        | Record::Share(_)
        | Record::Token(_)
        | Record::PageCounter(_)
        | Record::SignInCode(_)
        | Record::Human(_)
        | Record::Passkey(_)
        | Record::Terms(_) => None,
    }
}

/// `COMMUNITY_ACTIVITY` → `Community activity`.
fn task_words(name: &str) -> String {
    let lower = name.strip_prefix("PROFILE_PLUS_").unwrap_or(name).to_lowercase().replace('_', " ");
    let mut chars = lower.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Scopes by their names, in the order of their table.
pub(super) fn scopes(set: ScopeSet) -> String {
    if set == ScopeSet::all() { "every scope".to_owned() } else { set.names().join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_and_scopes_are_words() {
        assert_eq!(task_words("COMMUNITY_ACTIVITY"), "Community activity");
        assert_eq!(task_words("PROFILE_PLUS_REVENUE"), "Revenue");
        assert_eq!(task_words("MANAGE"), "Manage");
        assert_eq!(scopes(ScopeSet::all()), "every scope");
        assert_eq!(scopes(ScopeSet::of(&["ads_read"])), "ads_read");
    }
}
