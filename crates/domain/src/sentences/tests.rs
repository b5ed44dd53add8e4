//! Every reason has a sentence that people can read, whole and plain.

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
            kind: Some(AssetKind::Page),
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
    let mut lines: Vec<String> = Vec::new();
    for (case, refusal, sent) in cases() {
        let sentence = refusal.sentence(&words(sent));
        let by = sentence.granted_by.map_or_else(String::new, |role| format!(" [{role}]"));
        let text = format!("{} · {}{by}", sentence.title, sentence.text());
        // A row without places reads the same, however much the refusal says.
        if !lines.last().is_some_and(|last| last.ends_with(&format!(": {text}"))) {
            lines.push(format!("{case}: {text}"));
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @"
    TokenMalformed: Token not readable · The text that was sent is not a token of this server: it is cut off, mistyped, or belongs to another service. Send the whole text that was shown when the token was issued.
    TokenUnknown: Token unknown · The token has the right form, but this server never issued it or has forgotten it. Have a new token issued.
    TokenExpired: Token has ended · The token ended at noon. Have a new token issued; an ended one can't be refreshed.
    TokenRevoked: Token revoked · The token was revoked. Have a new token issued.
    UserDeactivated: User deactivated · The user of this token is deactivated. Let an ADMIN activate the user again; its tokens then work again.
    UserDeleted: User deleted · The user of this token was deleted. Use a token of another user.
    AppDisconnected: App disconnected · The app of this token is not connected to the business. Let an ADMIN connect the app again.
    AppNotInstalled: App not installed · The app of this token is not installed on its system user. Let an ADMIN install the app, then issue a new token.
    AppNotInstalledForIssue: App not installed · The app is not installed on the system user. Install the app on the system user first, then issue the token. [ADMIN of the business]
    ProofMissing: Proof missing · The app of this token demands appsecret_proof with every call. Send HMAC-SHA256 of the token's text in hexadecimal, with the secret of the token's app as the key.
    ProofInvalid: Proof wrong · The appsecret_proof does not match this token and the secret of the app Poster; most often the secret belongs to another app. Send HMAC-SHA256 of the token's text in hexadecimal, with the secret of the token's app as the key.
    NotVisible: Not found · There is no such object here, or this caller can't see it. Check the id; an asset of another business must be shared first.
    NotVisible, full: Not found · There is no object 9001 here, or this caller can't see it. Check the id; an asset of another business must be shared first.
    ShareEnded: Share ended · The asset is no longer shared with the business. Ask the owner to share it again. [ADMIN of the owning business]
    ScopeMissing: Scope missing · The token lacks the scope that the call needs. Have a token issued that has it. [ADMIN of the business]
    ScopeMissing, full: Scope missing · The token lacks the scope ads_read or ads_management. Have a token issued that has it. [ADMIN of the business]
    AssetNotAssigned: Asset not assigned · The asset is not assigned to this user. Have it assigned to the user. [ADMIN of the business]
    AssetNotAssigned, full: Asset not assigned · The Page 7001 is not assigned to this user. Have it assigned to the user. [ADMIN of the business]
    TaskMissing: Task missing · The user lacks the task that the call needs on the asset. Have the task added to the assignment. [ADMIN of the business]
    TaskMissing, full: Task missing · The user lacks the task MANAGE or CREATE_CONTENT on the Page 7001; it has MODERATE. Have the task added to the assignment. [ADMIN of the business]
    RoleInsufficient: Role not sufficient · Only an ADMIN person or ADMIN system user of the business can do this. Let an ADMIN of the business do it. [ADMIN of the business]
    TermsNotAccepted: Terms not accepted · The business has not accepted the terms in force. Let an ADMIN person sign in, read the terms and accept them. [ADMIN person of the business]
    NoConnectedApp: No app yet · No app is connected to the business. Create an app or connect one first. [ADMIN of the business]
    LimitReached: Limit reached · The limit is reached. Remove what is no longer needed, or let the operator raise the limit. [the operator of the server]
    LimitReached, full: Limit reached · The limit of 5400 tokens is reached. Remove what is no longer needed, or let the operator raise the limit. [the operator of the server]
    IpNotAllowed: Address not allowed · The token may not be used from this address. Call from an allowed address, or let an ADMIN change the rule. [ADMIN of the business]
    OutsideTimeWindow: Outside its hours · The token may not be used at this time. Wait until its hours begin, or let an ADMIN change the rule. [ADMIN of the business]
    RateLimited: Too many calls · Too many calls came in too short a time. Wait a minute, then send fewer calls at a time.
    NotFresh: Node not up to date · This node can't show that it knows the newest revocations. Try another node, or try again in a moment.
    Required: Parameter missing · The parameter is missing. Send it.
    Required, full: Business app missing · The parameter business_app is missing. Send it.
    Invalid: Parameter not readable · A parameter must be in another form.
    Invalid, full: Business app not readable · business_app must be a whole number.
    NotOneOf: Unknown value · A parameter must be one of the known words.
    NotOneOf, full: Unknown value · business_app must be one of A, B.
    UnknownReference: Parameter not readable · A parameter names nothing that this caller can use here. Check the id.
    UnknownReference, full: Business app not readable · business_app names nothing that this caller can use here. Check the id.
    ScopeNotPossible: Scope not possible · The app may not ask for the scope that was named, or there is no such scope. Choose another scope, or let an ADMIN allow it on the app. [ADMIN of the business]
    ScopeNotPossible, full: Scope not possible · The app may not ask for the scope tokens, or there is no such scope. Choose another scope, or let an ADMIN allow it on the app. [ADMIN of the business]
    ScopeIncomplete: Scope incomplete · The scope that was named needs the scope that it rests on beside it. Add it.
    ScopeIncomplete, full: Scope incomplete · The scope tokens needs the scope a whole number beside it. Add it.
    WiderThanCaller: Too wide · The new token would reach further than the token that asks for it. Ask for fewer scopes or an earlier end, or let an ADMIN issue it. [ADMIN of the business]
    TokenMustEnd: End demanded · Tokens of this business must end within a set time. Ask for a shorter life.
    TokenMustEnd, full: End demanded · Tokens of this business must end within 90 minutes. Ask for a shorter life.
    LastAdmin: Last ADMIN · The last ADMIN of a business stays. Make another person ADMIN first.
    Conflict: Changed meanwhile · Another call changed the same record at the same time, so nothing was written. Read the record again, then try again.
    Unavailable: Not available · The store can't be reached. Try again in a moment.
    OutcomeUnknown: Outcome unknown · It is not known whether the change was applied. Look it up in the ledger before you send it again.
    OutcomeUnknown, full: Outcome unknown · It is not known whether the change was applied; its commit is tokens. Look it up in the ledger before you send it again.
    NotDurable: Not yet durable · The change is in force on this node, but the store can't write it yet; the server tries again by itself. Don't send it again; /readyz says when it is written, and if the node stops before that, the change is lost.
    Fault: Server fault · The server failed. The operator finds the cause in the log by the trace.
    RoleInsufficient, operator: Role not sufficient · Only the operator of this server can do this. Run it where the server runs: its socket in the data folder acts as the operator. [the operator of the server]
    RoleInsufficient, person: Role not sufficient · Only an ADMIN person of the business can do this. Sign in as an ADMIN person. [ADMIN person of the business]
    no credential: No token · No token was sent. Send the header Authorization: Bearer TOKEN.
    ");
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
    let kind = AssetKind::Declared(0);
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
