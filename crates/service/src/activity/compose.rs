//! Makes a line of an entry. It runs under the reader's right, on one revision of the records.

use valetkey_domain::change::ActorKind;
use valetkey_domain::{Action, BusinessId, State};
use valetkey_store::Entry;
use valetkey_store::payload::Payload;

use super::fields::record_change;
use super::line::{ActivityBy, ActivityChanges, ActivityDetail, ActivityLine, ContentChange, JobChange};
use super::names::{Known, Names};
use super::phrase::Phrase;
use super::scene::Scene;
use super::words::predicate;

/// How many changes of one sort a line shows.
const CHANGES_LIMIT: usize = 100;

/// What the payload of an entry is.
#[derive(Debug)]
pub(super) enum Read {
    Gone,
    Unreadable,
    Payload(Payload),
}

impl Read {
    pub fn of(entry: &Entry) -> Read {
        if entry.body.is_none() {
            return Read::Gone;
        }
        entry.payload().map_or(Read::Unreadable, Read::Payload)
    }

    pub fn payload(&self) -> Option<&Payload> {
        match self {
            Read::Payload(payload) => Some(payload),
            Read::Gone | Read::Unreadable => None,
        }
    }
}

/// The line of an entry for a reader; `later` holds names from newer entries.
pub(super) fn line(
    state: &dyn State,
    reader: Option<BusinessId>,
    entry: &Entry,
    read: &Read,
    later: &Known,
) -> ActivityLine {
    let payload = read.payload();
    let names = Names::new(state, reader, payload.map_or(&[], |payload| payload.changes.as_slice()), later);
    let scene = Scene { entry, payload, names: &names };
    let action = Action::parse(&entry.action);
    let by = by(entry, &names);
    let what = action.map_or_else(
        || Phrase::of(format!(" did something that this version does not know: {}", entry.action)),
        |action| predicate(&scene, action),
    );
    ActivityLine {
        revision: entry.revision,
        at: entry.at,
        sentence: by.phrase().then(what),
        by,
        action,
        action_word: entry.action.clone(),
        business: entry.business,
        subjects: entry.subjects.iter().map(|id| names.named(*id)).collect(),
        narrows: entry.narrows,
        detail: match read {
            Read::Gone => ActivityDetail::Gone,
            Read::Unreadable => ActivityDetail::Unreadable,
            Read::Payload(payload) => ActivityDetail::Known(changes(payload, &names)),
        },
        hash: entry.hash,
    }
}

fn by(entry: &Entry, names: &Names<'_>) -> ActivityBy {
    let actor = entry.actor;
    let of = match actor.kind {
        ActorKind::Person | ActorKind::SystemUser => actor.id.and_then(|id| names.foreign(id)),
        ActorKind::Operator | ActorKind::App => None,
    };
    // Somebody of another business is not named.
    let named = if of.is_some() { None } else { actor.id.map(|id| names.named(id)) };
    ActivityBy { kind: actor.kind, id: actor.id, named, of, token: actor.token }
}

fn changes(payload: &Payload, names: &Names<'_>) -> ActivityChanges {
    let Payload { changes, content, jobs } = payload;
    let left = |count: usize| count.saturating_sub(CHANGES_LIMIT);
    ActivityChanges {
        records: changes.iter().take(CHANGES_LIMIT).filter_map(|change| record_change(change, names)).collect(),
        content: content
            .iter()
            .take(CHANGES_LIMIT)
            .map(|line| ContentChange {
                did: line.did,
                row: names.named(line.id),
                status: line.status.clone().filter(|status| !status.is_empty()),
            })
            .collect(),
        jobs: jobs
            .iter()
            .take(CHANGES_LIMIT)
            .map(|line| JobChange {
                did: line.did,
                job: names.named(line.id),
                kind: line.kind.clone(),
                due_at: line.due_at,
            })
            .collect(),
        left_out: left(changes.len()) + left(content.len()) + left(jobs.len()),
    }
}

#[cfg(test)]
mod tests {
    use valetkey_authz::Index;
    use valetkey_domain::{Actor, ChangeSet, Id};
    use valetkey_store::Class;
    use valetkey_store::ledger::Link;

    use super::*;

    const ACTIONS: &[Action] = &[
        Action::BusinessCreated,
        Action::BusinessUpdated,
        Action::TermsAccepted,
        Action::TermsReplaced,
        Action::PersonCreated,
        Action::PersonUpdated,
        Action::PersonDeleted,
        Action::SignInCodeCreated,
        Action::SignInCodeRedeemed,
        Action::AppCreated,
        Action::AppUpdated,
        Action::AppSecretRotated,
        Action::AppConnected,
        Action::AppDisconnected,
        Action::AppInstalled,
        Action::AppUninstalled,
        Action::SystemUserCreated,
        Action::SystemUserRenamed,
        Action::SystemUserActivated,
        Action::SystemUserDeactivated,
        Action::SystemUserDeleted,
        Action::KindDeclared,
        Action::AssetCreated,
        Action::AssetRenamed,
        Action::Assigned,
        Action::Unassigned,
        Action::Shared,
        Action::Unshared,
        Action::TokenIssued,
        Action::TokenRefreshed,
        Action::PageTokenDerived,
        Action::TokenRevoked,
        Action::TokensRevoked,
        Action::TokenScopesNarrowed,
        Action::ContentCreated,
        Action::ContentUpdated,
        Action::ContentDeleted,
        Action::JobsEntered,
        Action::JobRetried,
        Action::JobConfirmed,
        Action::JobCancelled,
    ];

    fn entry(action: Action, subjects: usize) -> Entry {
        let actor = Actor { kind: ActorKind::Person, id: Id::new(5), token: None };
        let subjects = [7, 8, 9].into_iter().take(subjects).filter_map(Id::new).collect();
        let set = ChangeSet { at: 0, action, actor, business: Id::new(1), subjects, changes: Vec::new() };
        let link = Link { revision: 1, prev: [0; 32], business_prev: [0; 32] };
        Entry::new(&set, Class::Authority, "[]".to_owned(), [7; 16], [0; 16], link)
    }

    fn said(entry: &Entry) -> ActivityLine {
        line(&Index::new(), Id::new(1), entry, &Read::of(entry), &Known::new())
    }

    #[test]
    fn every_action_reads_well_even_if_its_payload_is_gone() {
        for action in ACTIONS {
            for subjects in 0..=3 {
                let whole = entry(*action, subjects);
                let gone = Entry { body: None, ..whole.clone() };
                assert_eq!(said(&gone).detail, ActivityDetail::Gone);
                for entry in [whole, gone] {
                    let line = said(&entry);
                    let text = line.sentence.text();
                    assert!(text.starts_with("The object 5 "), "{action:?}: {text}");
                    assert!(!text.contains("  ") && !text.ends_with([' ', '.', ',', ':']), "{action:?}: {text}");
                    assert_eq!((line.action, line.subjects.len()), (Some(*action), subjects));
                }
            }
        }
    }

    #[test]
    fn what_a_newer_version_wrote_is_named_by_its_word() {
        let other = Entry { action: "planet_moved".to_owned(), ..entry(Action::Shared, 1) };
        let line = said(&other);
        assert_eq!((line.action, line.action_word.as_str()), (None, "planet_moved"));
        assert!(line.sentence.text().contains("does not know: planet_moved"));
        let unreadable = Entry { body: Some("nonsense".to_owned()), ..entry(Action::Shared, 1) };
        assert_eq!(said(&unreadable).detail, ActivityDetail::Unreadable);
    }
}
