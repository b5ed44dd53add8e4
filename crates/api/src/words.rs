//! The words of a "no": what is wrong, what to do about it, and which role can grant what is missing.
//! They must never name a person, and never tell a stranger that a thing exists.

use valetkey_domain::{Reason, Refusal};

use crate::show;

/// What is wrong, as a sentence without a full stop.
pub(crate) fn what(refusal: &Refusal, credential_sent: bool) -> String {
    if let Some(note) = &refusal.note {
        return note.clone();
    }
    let field = refusal.field.as_deref().unwrap_or("a parameter");
    let value = refusal.value.as_deref().unwrap_or("that scope");
    let count = refusal.count.unwrap_or_default();
    match refusal.reason {
        Reason::TokenMalformed if !credential_sent => "no token was sent".into(),
        Reason::TokenMalformed => {
            "the text that was sent is not a token of this server: it is mistyped or cut off".into()
        }
        Reason::TokenUnknown => "the token is not known here".into(),
        Reason::TokenExpired => match refusal.time {
            Some(end) => format!("the token ended at {}", show::time_text(end)),
            None => "the token has ended".into(),
        },
        Reason::TokenRevoked => "the token was revoked".into(),
        Reason::UserDeactivated => "the user of this token is deactivated".into(),
        Reason::UserDeleted => "the user of this token is deleted".into(),
        Reason::AppDisconnected => "the token's app is not connected to the business".into(),
        Reason::AppNotInstalled => "the token's app is not installed on its system user".into(),
        Reason::AppNotInstalledForIssue => "the app is not installed on the system user".into(),
        Reason::ProofMissing => "the token's app demands appsecret_proof with every call".into(),
        Reason::ProofInvalid => "appsecret_proof does not match this token and its app's secret".into(),
        Reason::NotVisible => match refusal.subject {
            Some(id) => format!("there is no {id} here, or this caller can't see it"),
            None => "there is no such thing here, or this caller can't see it".into(),
        },
        Reason::ShareEnded => "the asset is no longer shared".into(),
        Reason::ScopeMissing => {
            let names = refusal.missing.scopes.names();
            format!("the token lacks the scope {}", names.join(" or "))
        }
        Reason::AssetNotAssigned => "the asset is not assigned to the caller".into(),
        Reason::TaskMissing => "the caller lacks a task on the asset".into(),
        Reason::RoleInsufficient => "the caller's role is not enough".into(),
        Reason::WiderThanCaller => "the new token would reach further than the token that asks for it".into(),
        Reason::TermsNotAccepted => "the business has not accepted the terms in force".into(),
        Reason::NoConnectedApp => "the business has no connected app".into(),
        Reason::LimitReached => {
            format!("the limit of {count} {} is reached", refusal.value.as_deref().unwrap_or("things"))
        }
        Reason::IpNotAllowed => "the call comes from an address that is not allowed".into(),
        Reason::OutsideTimeWindow => "the call is outside the hours that are allowed".into(),
        Reason::RateLimited => "too many calls in too short a time".into(),
        Reason::NotFresh => "this node can't show that it knows the newest changes".into(),
        Reason::Required => format!("{field} is missing"),
        Reason::Invalid => match &refusal.expected {
            Some(expected) => format!("{field} must be {expected}"),
            None => format!("{field} is not usable"),
        },
        Reason::NotOneOf => format!("{field} must be one of {}", refusal.allowed.join(", ")),
        Reason::UnknownReference => format!("{field} names nothing that this caller can use here"),
        Reason::ScopeNotPossible => format!("the app may not ask for the scope {value}"),
        Reason::ScopeIncomplete => {
            format!(
                "the scope {value} needs the scope {} beside it",
                refusal.expected.as_deref().unwrap_or("that it rests on")
            )
        }
        Reason::TokenMustEnd => format!("tokens of this business must end within {count} seconds"),
        Reason::LastAdmin => "the last ADMIN of a business stays".into(),
        Reason::Conflict => "somebody else changed the same thing at the same time; nothing was written".into(),
        Reason::Unavailable => "the store can't be reached".into(),
        Reason::OutcomeUnknown => {
            format!(
                "it is not known whether the change was applied; its commit is {}",
                refusal.value.as_deref().unwrap_or("unknown")
            )
        }
        Reason::Fault => "something inside the server failed".into(),
    }
}

/// What to do about it, as a sentence without a full stop.
pub(crate) fn hint(refusal: &Refusal, credential_sent: bool) -> Option<&'static str> {
    Some(match refusal.reason {
        Reason::TokenMalformed if !credential_sent => "send the header Authorization: Bearer TOKEN",
        Reason::TokenMalformed => "send the whole text that was shown when the token was issued",
        Reason::TokenUnknown => "issue a new token",
        Reason::TokenExpired | Reason::TokenRevoked => "have a new token issued",
        Reason::UserDeactivated => "have the user activated again, or use another token",
        Reason::UserDeleted => "use a token of another user",
        Reason::AppDisconnected => "have the app connected again (app.connect)",
        Reason::AppNotInstalled | Reason::AppNotInstalledForIssue => {
            "install the app on the system user first (app.install)"
        }
        Reason::ProofMissing | Reason::ProofInvalid => {
            "send HMAC-SHA256 of the token's text, with the secret of the app that the token was issued for as the key, in hexadecimal"
        }
        Reason::NotVisible => "check the id; assets of others must be shared with the business first",
        Reason::ShareEnded => "ask the owner to share it again",
        Reason::ScopeMissing => "have a token issued with that scope",
        Reason::AssetNotAssigned => "have the asset assigned to the user (assignment.assign)",
        Reason::TaskMissing => "have the task added to the assignment (assignment.assign)",
        Reason::RoleInsufficient if refusal.note.as_deref().is_some_and(|n| n.contains("operator")) => {
            "run this where the server runs: its socket in the data folder acts as the operator"
        }
        Reason::RoleInsufficient if refusal.note.as_deref().is_some_and(|n| n.contains("person")) => {
            "sign in as an ADMIN person: get a code with sign-in.create, then redeem it (valetkey login CODE)"
        }
        Reason::RoleInsufficient => "let an ADMIN of the business do this",
        Reason::WiderThanCaller => "ask for fewer scopes or an earlier end, or let an ADMIN issue it",
        Reason::TermsNotAccepted => "an ADMIN person signs in (valetkey login CODE) and accepts them (terms.accept)",
        Reason::NoConnectedApp => "create an app or connect one first (app.create, app.connect)",
        Reason::LimitReached => {
            "remove what is no longer needed, or let the operator raise the limit (business.update)"
        }
        Reason::RateLimited | Reason::NotFresh | Reason::Unavailable => "try again in a moment",
        Reason::Required => "send it",
        Reason::ScopeIncomplete => "add it, or send add_dependencies true",
        Reason::ScopeNotPossible => "choose other scopes, or allow it on the app (app.update allowed_scopes)",
        Reason::TokenMustEnd => "ask for a shorter life (lifetime_s)",
        Reason::LastAdmin => "make another person ADMIN first",
        Reason::Conflict => "read the thing anew and try again",
        Reason::OutcomeUnknown => "look it up in the ledger before trying again",
        Reason::Fault => "the operator finds the cause in the server's log by the trace",
        Reason::IpNotAllowed
        | Reason::OutsideTimeWindow
        | Reason::Invalid
        | Reason::NotOneOf
        | Reason::UnknownReference => return None,
    })
}

/// Who can grant what is missing: a role, never a person.
pub(crate) fn granted_by(refusal: &Refusal) -> Option<&'static str> {
    match refusal.reason {
        Reason::RoleInsufficient if refusal.note.as_deref().is_some_and(|n| n.contains("operator")) => {
            Some("the operator of the server")
        }
        Reason::TermsNotAccepted => Some("ADMIN person of the business"),
        Reason::LimitReached => Some("the operator of the server"),
        Reason::ScopeMissing
        | Reason::AssetNotAssigned
        | Reason::TaskMissing
        | Reason::RoleInsufficient
        | Reason::WiderThanCaller
        | Reason::NoConnectedApp
        | Reason::AppNotInstalledForIssue
        | Reason::ScopeNotPossible => Some("ADMIN of the business"),
        Reason::ShareEnded => Some("ADMIN of the owning business"),
        _ => None,
    }
}
