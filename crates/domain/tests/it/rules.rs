//! Runs the rule tables, and sees to it that together they show every action.

use std::collections::{BTreeMap, BTreeSet};

use valetkey_domain::Action;

use crate::script::{Seen, run};

const FILES: &[(&str, &str)] = &[
    ("people.txt", include_str!("rules/people.txt")),
    ("system_users.txt", include_str!("rules/system_users.txt")),
    ("apps.txt", include_str!("rules/apps.txt")),
    ("tokens.txt", include_str!("rules/tokens.txt")),
    ("pages.txt", include_str!("rules/pages.txt")),
    ("assets.txt", include_str!("rules/assets.txt")),
    ("deletes.txt", include_str!("rules/deletes.txt")),
];

fn run_all() -> (Vec<String>, Seen) {
    let (mut wrong, mut seen) = (Vec::new(), Seen::new());
    for (file, text) in FILES {
        let (problems, cases, actions) = run(file, text);
        println!("{file}: {cases} cases");
        wrong.extend(problems);
        for (action, narrowed) in actions {
            seen.entry(action).or_default().extend(narrowed);
        }
    }
    (wrong, seen)
}

#[test]
fn every_case_of_the_tables_holds() {
    let (wrong, _) = run_all();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Whether an action takes something away: never, always, or as the case may be. The match is
/// exhaustive, so a new action can't be forgotten.
fn takes_away(action: Action) -> &'static str {
    match action {
        Action::BusinessCreated
        | Action::TermsAccepted
        | Action::PersonCreated
        | Action::SignInCodeCreated
        | Action::AppCreated
        | Action::AppInstalled
        | Action::SystemUserCreated
        | Action::SystemUserRenamed
        | Action::SystemUserDescribed
        | Action::SystemUserActivated
        | Action::KindDeclared
        | Action::AssetCreated
        | Action::AssetRenamed
        | Action::TokenIssued
        | Action::TokenRefreshed
        | Action::PageTokenDerived => "never",
        Action::BusinessUpdated
        | Action::PersonUpdated
        | Action::AppUpdated
        | Action::AppConnected
        | Action::Assigned
        | Action::Shared => "sometimes",
        Action::TermsReplaced
        | Action::PersonDeleted
        | Action::SignInCodeRedeemed
        | Action::AppSecretRotated
        | Action::AppDisconnected
        | Action::AppUninstalled
        | Action::AppDeleted
        | Action::AssetDeleted
        | Action::BusinessDeleted
        | Action::SystemUserDeactivated
        | Action::SystemUserDeleted
        | Action::Unassigned
        | Action::Unshared
        | Action::TokenRevoked
        | Action::TokensRevoked
        | Action::TokenScopesNarrowed => "always",
        // Content and jobs are no authority: their change sets hold no records.
        Action::ContentCreated
        | Action::ContentUpdated
        | Action::ContentDeleted
        | Action::JobsEntered
        | Action::JobRetried
        | Action::JobConfirmed
        | Action::JobCancelled => "content",
    }
}

#[test]
fn every_action_is_shown_and_narrows_as_it_should() {
    let (_, seen) = run_all();
    let mut words: BTreeMap<String, &str> = BTreeMap::new();
    for (action, narrowed) in &seen {
        let both = BTreeSet::from([true, false]);
        let word = if *narrowed == both {
            "sometimes"
        } else if narrowed.contains(&true) {
            "always"
        } else {
            "never"
        };
        words.insert(action.clone(), word);
    }
    for (action, word) in &words {
        let parsed = Action::parse(action).unwrap();
        assert_eq!(*word, takes_away(parsed), "{action}");
    }
    // Those about content change no records, so no table of rules shows them.
    let all = EVERY.iter().filter(|a| takes_away(**a) != "content").map(|a| a.as_str());
    assert_eq!(words.keys().cloned().collect::<BTreeSet<_>>(), all.collect::<BTreeSet<_>>());
}

/// Every action once; the test above fails when a table shows one that is not here.
const EVERY: &[Action] = &[
    Action::BusinessCreated,
    Action::BusinessUpdated,
    Action::BusinessDeleted,
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
    Action::AppDeleted,
    Action::SystemUserCreated,
    Action::SystemUserRenamed,
    Action::SystemUserDescribed,
    Action::SystemUserActivated,
    Action::SystemUserDeactivated,
    Action::SystemUserDeleted,
    Action::KindDeclared,
    Action::AssetCreated,
    Action::AssetRenamed,
    Action::AssetDeleted,
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

#[test]
fn the_words_of_actions_are_read_back() {
    for action in EVERY {
        assert_eq!(Action::parse(&action.as_str()), Some(*action));
    }
    assert_eq!(Action::parse("business_vanished"), None);
}
