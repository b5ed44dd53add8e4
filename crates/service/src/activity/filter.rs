//! Which entries a reader wants to see.
//!
//! A filter only leaves out; it never decides what a reader may see.

use valetkey_domain::change::ActorKind;
use valetkey_domain::{Action, BusinessId, Id, Record, UnixMs};
use valetkey_store::Entry;
use valetkey_store::payload::Payload;

/// What is wanted; an empty field asks for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivityFilter {
    /// `None`: the caller's own; for the operator, all.
    pub business: Option<BusinessId>,
    pub by: Option<ActivityActor>,
    /// Entries whose subject it is, or that changed a record of it.
    pub about: Option<Id>,
    pub group: Option<ActivityGroup>,
    /// At this time or later.
    pub since: Option<UnixMs>,
    /// Before this time.
    pub until: Option<UnixMs>,
    /// A part of the sentence, in any case.
    pub text: Option<String>,
}

/// Who acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActivityActor {
    Operator,
    /// A person, a system user or an app.
    Id(Id),
}

/// Actions that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActivityGroup {
    Business,
    People,
    Apps,
    SystemUsers,
    Assets,
    /// Assignments and shares.
    Access,
    Tokens,
    Content,
    Jobs,
}

impl ActivityGroup {
    /// All of them, in the order of a list of choices.
    pub const ALL: [ActivityGroup; 9] = [
        ActivityGroup::Access,
        ActivityGroup::Tokens,
        ActivityGroup::SystemUsers,
        ActivityGroup::People,
        ActivityGroup::Apps,
        ActivityGroup::Assets,
        ActivityGroup::Content,
        ActivityGroup::Business,
        ActivityGroup::Jobs,
    ];

    /// The word in addresses and parameters.
    pub fn as_str(self) -> &'static str {
        match self {
            ActivityGroup::Business => "business",
            ActivityGroup::People => "people",
            ActivityGroup::Apps => "apps",
            ActivityGroup::SystemUsers => "system_users",
            ActivityGroup::Assets => "assets",
            ActivityGroup::Access => "access",
            ActivityGroup::Tokens => "tokens",
            ActivityGroup::Content => "content",
            ActivityGroup::Jobs => "jobs",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<ActivityGroup> {
        ActivityGroup::ALL.into_iter().find(|group| group.as_str() == word)
    }

    /// The group of an action.
    pub fn of(action: Action) -> ActivityGroup {
        match action {
            Action::BusinessCreated
            | Action::BusinessUpdated
            | Action::TermsAccepted
            | Action::TermsReplaced
            | Action::KindDeclared
            | Action::BusinessDeleted => ActivityGroup::Business,
            Action::PersonCreated
            | Action::PersonUpdated
            | Action::PersonDeleted
            | Action::SignInCodeCreated
            | Action::SignInCodeRedeemed => ActivityGroup::People,
            Action::AppCreated
            | Action::AppUpdated
            | Action::AppSecretRotated
            | Action::AppConnected
            | Action::AppDisconnected
            | Action::AppInstalled
            | Action::AppUninstalled
            | Action::AppDeleted => ActivityGroup::Apps,
            Action::SystemUserCreated
            | Action::SystemUserRenamed
            | Action::SystemUserDescribed
            | Action::SystemUserActivated
            | Action::SystemUserDeactivated
            | Action::SystemUserDeleted => ActivityGroup::SystemUsers,
            Action::AssetCreated | Action::AssetRenamed | Action::AssetDeleted => ActivityGroup::Assets,
            Action::Assigned | Action::Unassigned | Action::Shared | Action::Unshared => ActivityGroup::Access,
            Action::TokenIssued
            | Action::TokenRefreshed
            | Action::PageTokenDerived
            | Action::TokenRevoked
            | Action::TokensRevoked
            | Action::TokenScopesNarrowed => ActivityGroup::Tokens,
            Action::ContentCreated | Action::ContentUpdated | Action::ContentDeleted => ActivityGroup::Content,
            Action::JobsEntered | Action::JobRetried | Action::JobConfirmed | Action::JobCancelled => {
                ActivityGroup::Jobs
            }
        }
    }
}

impl ActivityFilter {
    /// Whether every entry is wanted.
    pub(super) fn is_open(&self) -> bool {
        let ActivityFilter { business: _, by, about, group, since, until, text } = self;
        (by.is_none() && about.is_none() && group.is_none()) && (since.is_none() && until.is_none() && text.is_none())
    }

    /// Whether an entry may be wanted, as far as it shows without its payload.
    pub(super) fn may_take(&self, entry: &Entry) -> bool {
        let by = |by: ActivityActor| match by {
            ActivityActor::Operator => entry.actor.kind == ActorKind::Operator,
            ActivityActor::Id(id) => entry.actor.id == Some(id),
        };
        let action = Action::parse(&entry.action);
        let group = |group: ActivityGroup| action.is_some_and(|action| ActivityGroup::of(action) == group);
        self.by.is_none_or(by)
            && self.group.is_none_or(group)
            && self.since.is_none_or(|since| entry.at >= since)
            && self.until.is_none_or(|until| entry.at < until)
            && self.about.is_none_or(|id| may_be_about(entry, id))
    }

    /// Whether an entry is about what is wanted.
    pub(super) fn is_about(&self, entry: &Entry, payload: Option<&Payload>) -> bool {
        let Some(id) = self.about else { return true };
        if entry.subjects.contains(&id) {
            return true;
        }
        let changes = payload.into_iter().flat_map(|payload| payload.changes.iter());
        changes.flat_map(|c| c.before.iter().chain(&c.after)).any(|record| names(record).contains(&Some(id)))
    }

    /// Whether a sentence has the text that is wanted.
    pub(super) fn is_in(&self, sentence: &str) -> bool {
        self.text.as_ref().is_none_or(|text| sentence.to_lowercase().contains(&text.to_lowercase()))
    }
}

/// A quick look that spares most entries from being read: ids stand in a payload as strings of digits.
fn may_be_about(entry: &Entry, id: Id) -> bool {
    entry.subjects.contains(&id) || entry.body.as_ref().is_some_and(|body| body.contains(&format!("\"{id}\"")))
}

/// The objects that a record is about. Who made it is not among them.
fn names(record: &Record) -> [Option<Id>; 5] {
    match record {
        Record::Token(token) => [
            Some(token.id.any()),
            Some(token.user.any()),
            token.app.map(Id::any),
            token.page.map(Id::any),
            token.parent.map(Id::any),
        ],
        Record::SignInCode(code) => [Some(code.person.any()), None, None, None, None],
        Record::Business(_)
        | Record::Person(_)
        | Record::SystemUser(_)
        | Record::App(_)
        | Record::Connection(_)
        | Record::Installation(_)
        | Record::DeclaredKind(_)
        | Record::Asset(_)
        | Record::Assignment(_)
        | Record::Share(_)
        | Record::PageCounter(_)
        | Record::Human(_)
        | Record::Passkey(_)
        | Record::Terms(_) => {
            let [first, second] = record.key().ids();
            [first, second, None, None, None]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_back() {
        for group in ActivityGroup::ALL {
            assert_eq!(ActivityGroup::parse(group.as_str()), Some(group));
        }
        assert_eq!(ActivityGroup::parse("nonsense"), None);
        assert_eq!(ActivityGroup::of(Action::Shared), ActivityGroup::Access);
    }

    #[test]
    fn a_filter_without_a_wish_is_open() {
        let business = Id::new(7);
        assert!(ActivityFilter { business, ..ActivityFilter::default() }.is_open());
        assert!(!ActivityFilter { text: Some("x".to_owned()), ..ActivityFilter::default() }.is_open());
        let filter = ActivityFilter { text: Some("ADA".to_owned()), ..ActivityFilter::default() };
        assert!(filter.is_in("Ada did it") && !filter.is_in("Bo did it"));
    }
}
