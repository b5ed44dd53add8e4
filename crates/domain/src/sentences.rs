//! One sentence for each reason, in plain English: what is wrong, what to do next, and which role can
//! grant it. Graph, `/v1`, the command line and the console all take their words from here.
//!
//! A row must name what is wrong without telling a stranger that something exists, and must never
//! name a person. A new reason doesn't compile before it has its row.

mod titles;

use crate::refusal::{Reason, Refusal, role};
use crate::task::Vocabulary;
use crate::{DeclaredKind, TaskSet};

pub use titles::task_title;

const ADMIN: &str = "ADMIN of the business";
const ADMIN_PERSON: &str = "ADMIN person of the business";
const OWNER_ADMIN: &str = "ADMIN of the owning business";
const OPERATOR: &str = "the operator of the server";

/// The words about one reason. Texts are clauses: lower case, without a full stop. Places in braces
/// are filled from the refusal; each has words of its own for a refusal that doesn't say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    title: &'static str,
    what: &'static str,
    next: Option<&'static str>,
    how: Option<&'static str>,
    granted_by: Option<&'static str>,
}

/// A row without a next step.
const fn row(title: &'static str, what: &'static str) -> Row {
    Row { title, what, next: None, how: None, granted_by: None }
}

impl Row {
    /// What to do about it.
    const fn next(self, next: &'static str) -> Row {
        Row { next: Some(next), ..self }
    }

    /// How `/v1` and the command line do that.
    const fn how(self, how: &'static str) -> Row {
        Row { how: Some(how), ..self }
    }

    const fn granted_by(self, role: &'static str) -> Row {
        Row { granted_by: Some(role), ..self }
    }
}

/// The table. It is longer than a screen because it has a row for every reason.
fn row_of(refusal: &Refusal, credential_sent: bool) -> Row {
    const PROOF: &str =
        "send HMAC-SHA256 of the token's text in hexadecimal, with the secret of the token's app as the key";
    match refusal.reason {
        Reason::TokenMalformed if !credential_sent => {
            row("No token", "no token was sent").next("send the header Authorization: Bearer TOKEN")
        }
        Reason::TokenMalformed => row(
            "Token not readable",
            "the text that was sent is not a token of this server: it is cut off, mistyped, or belongs to another service",
        )
        .next("send the whole text that was shown when the token was issued"),
        Reason::TokenUnknown => row(
            "Token unknown",
            "the token has the right form, but this server never issued it or has forgotten it",
        )
        .next("have a new token issued"),
        Reason::TokenExpired => {
            row("Token has ended", "the token ended{at}").next("have a new token issued; an ended one can't be refreshed")
        }
        Reason::TokenRevoked => row("Token revoked", "the token was revoked").next("have a new token issued"),
        Reason::UserDeactivated => row("User deactivated", "the user of this token is deactivated")
            .next("let an ADMIN activate the user again; its tokens then work again"),
        Reason::UserDeleted => {
            row("User deleted", "the user of this token was deleted").next("use a token of another user")
        }
        Reason::AppDisconnected => row("App disconnected", "the app of this token is not connected to the business")
            .next("let an ADMIN connect the app again")
            .how("app.connect"),
        Reason::AppNotInstalled => row("App not installed", "the app of this token is not installed on its system user")
            .next("let an ADMIN install the app, then issue a new token")
            .how("app.install"),
        Reason::AppNotInstalledForIssue => row("App not installed", "the app is not installed on the system user")
            .next("install the app on the system user first, then issue the token")
            .how("app.install")
            .granted_by(ADMIN),
        Reason::ProofMissing => {
            row("Proof missing", "the app of this token demands appsecret_proof with every call").next(PROOF)
        }
        Reason::ProofInvalid => row(
            "Proof wrong",
            "the appsecret_proof does not match this token and the secret of {app}; most often the secret belongs to another app",
        )
        .next(PROOF),
        Reason::NotVisible => row("Not found", "there is no {object} here, or this caller can't see it")
            .next("check the id; an asset of another business must be shared first"),
        Reason::ShareEnded => row("Share ended", "the asset is no longer shared with the business")
            .next("ask the owner to share it again")
            .granted_by(OWNER_ADMIN),
        Reason::ScopeMissing => row("Scope missing", "the token lacks the scope {scopes}")
            .next("have a token issued that has it")
            .granted_by(ADMIN),
        Reason::AssetNotAssigned => row("Asset not assigned", "the {kind}{asset} is not assigned to this user")
            .next("have it assigned to the user")
            .how("assignment.assign")
            .granted_by(ADMIN),
        Reason::TaskMissing => row("Task missing", "the user lacks the task {tasks} on the {kind}{asset}{held}")
            .next("have the task added to the assignment")
            .how("assignment.assign")
            .granted_by(ADMIN),
        Reason::RoleInsufficient => match refusal.expected.as_deref() {
            Some(role::OPERATOR) => row("Role not sufficient", "only the operator of this server can do this")
                .next("run it where the server runs: its socket in the data folder acts as the operator")
                .granted_by(OPERATOR),
            Some(role::PERSON) => row("Role not sufficient", "only an ADMIN person of the business can do this")
                .next("sign in as an ADMIN person")
                .how("valetkey login CODE")
                .granted_by(ADMIN_PERSON),
            Some(_) | None => row(
                "Role not sufficient",
                "only an ADMIN person or ADMIN system user of the business can do this",
            )
            .next("let an ADMIN of the business do it")
            .granted_by(ADMIN),
        },
        Reason::WiderThanCaller => row("Too wide", "the new token would reach further than the token that asks for it")
            .next("ask for fewer scopes or an earlier end, or let an ADMIN issue it")
            .granted_by(ADMIN),
        Reason::TermsNotAccepted => row("Terms not accepted", "the business has not accepted the terms in force")
            .next("let an ADMIN person sign in, read the terms and accept them")
            .how("terms.accept")
            .granted_by(ADMIN_PERSON),
        Reason::NoConnectedApp => row("No app yet", "no app is connected to the business")
            .next("create an app or connect one first")
            .how("app.create, app.connect")
            .granted_by(ADMIN),
        Reason::LimitReached => row("Limit reached", "the {limit} is reached")
            .next("remove what is no longer needed, or let the operator raise the limit")
            .how("business.update")
            .granted_by(OPERATOR),
        Reason::IpNotAllowed => row("Address not allowed", "the token may not be used from this address")
            .next("call from an allowed address, or let an ADMIN change the rule")
            .granted_by(ADMIN),
        Reason::OutsideTimeWindow => row("Outside its hours", "the token may not be used at this time")
            .next("wait until its hours begin, or let an ADMIN change the rule")
            .granted_by(ADMIN),
        Reason::RateLimited => row("Too many calls", "too many calls came in too short a time")
            .next("wait a minute, then send fewer calls at a time"),
        Reason::NotFresh => row("Node not up to date", "this node can't show that it knows the newest revocations")
            .next("try another node, or try again in a moment"),
        Reason::Required => row("{heading} missing", "the {parameter} is missing").next("send it"),
        Reason::Invalid => row("{heading} not readable", "{field} must be {expected}"),
        Reason::NotOneOf => row("Unknown value", "{field} must be one of {allowed}"),
        Reason::UnknownReference => {
            row("{heading} not readable", "{field} names nothing that this caller can use here").next("check the id")
        }
        Reason::ScopeNotPossible => {
            row("Scope not possible", "the app may not ask for the scope {scope}, or there is no such scope")
                .next("choose another scope, or let an ADMIN allow it on the app")
                .how("app.update allowed_scopes")
                .granted_by(ADMIN)
        }
        Reason::ScopeIncomplete => row("Scope incomplete", "the scope {scope} needs the scope {needed} beside it")
            .next("add it")
            .how("add_dependencies true"),
        Reason::TokenMustEnd => row("End demanded", "tokens of this business must end within {span}")
            .next("ask for a shorter life")
            .how("lifetime_s"),
        Reason::LastAdmin => {
            row("Last ADMIN", "the last ADMIN of a business stays").next("make another person ADMIN first")
        }
        Reason::Conflict => {
            row("Changed meanwhile", "another call changed the same record at the same time, so nothing was written")
                .next("read the record again, then try again")
        }
        Reason::Unavailable => row("Not available", "the store can't be reached").next("try again in a moment"),
        Reason::OutcomeUnknown => row("Outcome unknown", "it is not known whether the change was applied{commit}")
            .next("look it up in the ledger before you send it again"),
        Reason::NotDurable => row(
            "Not yet durable",
            "the change is in force on this node, but the store can't write it yet; the server tries again by itself",
        )
        .next(
            "don't send it again; /readyz says when it is written, and if the node stops before that, the change is lost",
        ),
        Reason::Fault => row("Server fault", "the server failed").next("the operator finds the cause in the log by the trace"),
    }
}

/// What a refusal doesn't hold and its sentence can show.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// The asset's kind, if the operator declared it: it names the tasks.
    pub declared: Option<&'a DeclaredKind>,
    /// The name of the token's app.
    pub app: Option<&'a str>,
    /// [`Refusal::time`] as the adapter writes times.
    pub at: Option<&'a str>,
    /// Whether the call came with a credential at all.
    pub credential_sent: bool,
}

impl Default for Words<'_> {
    fn default() -> Self {
        Words { declared: None, app: None, at: None, credential_sent: true }
    }
}

/// The words about one refusal. `what` and `next` are clauses: lower case, without a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// A heading of a few words.
    pub title: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub next: Option<&'static str>,
    /// How `/v1` and the command line do that: a command or a parameter.
    pub how: Option<&'static str>,
    /// The role that can grant what is missing.
    pub granted_by: Option<&'static str>,
    /// `what` begins with the name of a parameter, which is written as it is.
    begins_with_name: bool,
}

impl Sentence {
    /// What to do and how, for programmers and the command line.
    pub fn hint(&self) -> Option<String> {
        let next = self.next?;
        Some(self.how.map_or_else(|| next.to_owned(), |how| format!("{next} ({how})")))
    }

    /// What is wrong and what to do, as sentences for people.
    pub fn text(&self) -> String {
        let what = if self.begins_with_name { closed(&self.what) } else { closed(&capitalised(&self.what)) };
        match self.next {
            Some(next) => format!("{what} {}", closed(&capitalised(next))),
            None => what,
        }
    }
}

impl Refusal {
    /// What to tell the caller. A note of the refusal stands in place of the reason's own clause.
    pub fn sentence(&self, words: &Words<'_>) -> Sentence {
        let Row { title, what, next, how, granted_by } = row_of(self, words.credential_sent);
        let field = self.field.as_deref().unwrap_or_default();
        let what = self.note.clone().unwrap_or_else(|| self.filled(what, words));
        let begins_with_name = !field.is_empty() && what.starts_with(field);
        Sentence { title: self.filled(title, words), what, next, how, granted_by, begins_with_name }
    }

    /// The names of a set of tasks of the asset's kind.
    pub fn task_names<'a>(&self, set: TaskSet, declared: Option<&'a DeclaredKind>) -> Vec<&'a str> {
        let words = self.missing.kind.and_then(|kind| Vocabulary::of(kind, declared));
        words.map(|words| words.names(set)).unwrap_or_default()
    }

    fn filled(&self, template: &str, words: &Words<'_>) -> String {
        let mut out = String::with_capacity(template.len() + 32);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (place, after) = after.split_once('}').unwrap_or((after, ""));
            out.push_str(before);
            out.push_str(&self.place(place, words));
            rest = after;
        }
        out.push_str(rest);
        out
    }

    /// What stands in a place. A refusal that doesn't say gets words that read well without it.
    fn place(&self, place: &str, words: &Words<'_>) -> String {
        let or = |text: Option<String>, otherwise: &str| text.unwrap_or_else(|| otherwise.to_owned());
        let joined = |names: Vec<&str>, by: &str| (!names.is_empty()).then(|| names.join(by));
        let missing = &self.missing;
        let prefixed = |prefix: &str, text: Option<String>| or(text.map(|text| format!("{prefix}{text}")), "");
        match place {
            "field" => or(self.field.clone(), "a parameter"),
            "parameter" => or(self.field.as_ref().map(|field| format!("parameter {field}")), "parameter"),
            "heading" => heading(self.field.as_deref().unwrap_or("parameter")),
            "expected" => or(self.expected.clone(), "in another form"),
            "allowed" => or((!self.allowed.is_empty()).then(|| self.allowed.join(", ")), "the known words"),
            "object" => or(self.subject.map(|id| format!("object {id}")), "such object"),
            "scope" => or(self.value.clone(), "that was named"),
            "needed" => or(self.expected.clone(), "that it rests on"),
            "scopes" => or(joined(missing.scopes.names(), " or "), "that the call needs"),
            "tasks" => or(joined(self.task_names(missing.tasks, words.declared), " or "), "that the call needs"),
            "held" => prefixed("; it has ", joined(self.task_names(missing.held, words.declared), ", ")),
            "kind" => {
                let built_in = missing.kind.and_then(|kind| kind.row()).map(|row| row.title.to_owned());
                or(built_in.or_else(|| words.declared.map(|kind| kind.title.as_str().to_owned())), "asset")
            }
            "asset" => prefixed(" ", missing.asset.map(|id| id.to_string())),
            "app" => or(words.app.map(|name| format!("the app {name}")), "its app"),
            "at" => prefixed(" at ", words.at.map(str::to_owned)),
            "limit" => match (self.count, &self.value) {
                (Some(count), Some(what)) => format!("limit of {count} {what}"),
                (Some(count), None) => format!("limit of {count}"),
                (None, Some(what)) => format!("limit of {what}"),
                (None, None) => "limit".to_owned(),
            },
            "span" => or(self.count.filter(|count| *count > 0).map(span), "a set time"),
            "commit" => prefixed("; its commit is ", self.value.clone()),
            // A name that no row may use; the test of the table finds it.
            unknown => format!("{{{unknown}}}"),
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.reason.as_str(), self.sentence(&Words::default()).what)
    }
}

/// `business_app` → `Business app`.
fn heading(name: &str) -> String {
    capitalised(&name.replace('_', " "))
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A text with a full stop, if it has no end yet.
pub fn closed(text: &str) -> String {
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// A span of time in the largest unit that says it exactly.
fn span(seconds: i64) -> String {
    let units = [("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)];
    let (unit, size) = units.into_iter().find(|(_, size)| seconds >= *size && seconds % size == 0).unwrap_or(units[3]);
    let count = seconds / size;
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
