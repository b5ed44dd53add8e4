use super::*;
use crate::refusal::Missing;
use crate::{AssetKind, Id, ScopeSet};

/// A refusal that says everything that a refusal can say.
fn full(reason: Reason) -> Refusal {
    Refusal {
        missing: Missing {
            scopes: ScopeSet::of(&["ads_read", "ads_management"]),
            tasks: TaskSet(0b11),
            held: TaskSet(0b100),
            kind: Some(AssetKind::PAGE),
            asset: Id::parse("7001"),
        },
        field: Some("business_app".to_owned()),
        expected: Some("a whole number".to_owned()),
        allowed: vec!["A".to_owned(), "B".to_owned()],
        value: Some("tokens".to_owned()),
        count: Some(5_400),
        time: Some(0),
        subject: Id::parse("9001"),
        ..Refusal::of(reason)
    }
}

/// Every refusal that has a row of its own, as little and as much as it can say.
fn cases() -> Vec<(String, Refusal, bool)> {
    let mut cases: Vec<(String, Refusal, bool)> = Vec::new();
    for reason in Reason::ALL {
        cases.push((format!("{reason:?}"), Refusal::of(*reason), true));
        cases.push((format!("{reason:?}, full"), full(*reason), true));
    }
    for role in [role::OPERATOR, role::PERSON] {
        let refusal = Refusal::of(Reason::RoleInsufficient).with_expected(role);
        cases.push((format!("RoleInsufficient, {role}"), refusal, true));
    }
    cases.push(("no credential".to_owned(), Refusal::of(Reason::TokenMalformed), false));
    cases
}

fn words(credential_sent: bool) -> Words<'static> {
    Words { app: Some("Poster"), at: Some("noon"), credential_sent, ..Words::default() }
}

#[test]
fn the_list_of_reasons_is_whole() {
    assert_eq!(Reason::ALL.len(), Reason::Fault as usize + 1);
    for (place, reason) in Reason::ALL.iter().enumerate() {
        assert_eq!(*reason as usize, place, "{reason:?}");
        assert_eq!(Reason::parse(reason.as_str()).map(Reason::as_str), Some(reason.as_str()));
    }
    assert_eq!(Reason::parse("nonsense"), None);
}

#[test]
fn every_sentence_is_whole_and_plain() {
    for (case, refusal, sent) in cases() {
        for words in [words(sent), Words { credential_sent: sent, ..Words::default() }] {
            let sentence = refusal.sentence(&words);
            let next = sentence.next.unwrap_or("nothing");
            for text in [sentence.title.as_str(), sentence.what.as_str(), next] {
                assert!(!text.trim().is_empty(), "{case}");
                assert!(!text.contains(['{', '}']) && !text.contains("  "), "{case}: {text}");
                assert!(!text.ends_with(['.', ' ']), "{case}: {text}");
            }
            assert!(sentence.what.starts_with(char::is_lowercase), "{case}: {}", sentence.what);
            assert!(next.starts_with(char::is_lowercase) || next.starts_with('/'), "{case}: {next}");
            assert!(sentence.title.starts_with(char::is_uppercase), "{case}: {}", sentence.title);
            assert!(sentence.what.len() + next.len() < 300, "{case}: it is too long to be read");
            let text = sentence.text();
            assert!(text.ends_with('.') && !text.contains(".."), "{case}: {text}");
        }
    }
}

#[test]
fn every_sentence_as_people_read_it() {
    let lines = cases().into_iter().map(|(case, refusal, sent)| {
        let Sentence { title, granted_by, .. } = refusal.sentence(&words(sent));
        let by = granted_by.map_or_else(String::new, |role| format!(" [{role}]"));
        format!("{case}: {title} · {}{by}", refusal.sentence(&words(sent)).text())
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"");
}

#[test]
fn a_note_stands_in_place_of_the_reasons_own_words() {
    let refusal = Refusal::required("business").with_note("business is missing: there is more than one");
    let sentence = refusal.sentence(&Words::default());
    assert_eq!(sentence.text(), "business is missing: there is more than one. Send it.");
    let closed = Refusal::of(Reason::Fault).with_note("The source failed.").sentence(&Words::default());
    assert!(closed.text().starts_with("The source failed. The operator"), "{}", closed.text());
}

#[test]
fn tasks_of_declared_kinds_are_named_too() {
    let kind = AssetKind(64);
    let tasks = ["MANAGE", "PICK"].map(str::to_owned).to_vec();
    let title = crate::Name::parse("Warehouse").unwrap();
    let declared = DeclaredKind { kind, word: "warehouse".to_owned(), title, tasks };
    let missing = Missing { tasks: TaskSet(0b11), kind: Some(kind), ..Missing::default() };
    let refusal = Refusal::of(Reason::TaskMissing).with_missing(missing);
    let named = refusal.sentence(&Words { declared: Some(&declared), ..Words::default() });
    assert_eq!(named.what, "the user lacks the task MANAGE or PICK on the Warehouse");
    let unnamed = refusal.sentence(&Words::default());
    assert_eq!(unnamed.what, "the user lacks the task that the call needs on the asset");
}

#[test]
fn a_span_is_shown_in_the_largest_exact_unit() {
    let spans = [(1, "1 second"), (90, "90 seconds"), (5_400, "90 minutes"), (86_400, "1 day"), (172_800, "2 days")];
    for (seconds, text) in spans {
        assert_eq!(span(seconds), text);
    }
}
