//! The fields of records in words, and what differs between two versions of one.
//!
//! Each noun is taken apart whole, so that a new field does not compile before somebody decided how it
//! is shown. Sealed secrets and digests are left out here and nowhere else.

use valetkey_domain::limits::Limits;
use valetkey_domain::noun::app::{App, Connection, Installation};
use valetkey_domain::noun::asset::Asset;
use valetkey_domain::noun::assignment::Assignment;
use valetkey_domain::noun::business::Business;
use valetkey_domain::noun::human::Human;
use valetkey_domain::noun::page_token::PageCounter;
use valetkey_domain::noun::passkey::Passkey;
use valetkey_domain::noun::person::Person;
use valetkey_domain::noun::share::Share;
use valetkey_domain::noun::sign_in::SignInCode;
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::noun::terms::{Acceptance, Terms};
use valetkey_domain::noun::token::{Token, TokenKind};
use valetkey_domain::{Change, DeclaredKind, Id, Record, Role, Status, UnixMs};
use valetkey_store::payload::Did;

use super::line::{FieldChange, RecordChange};
use super::names::{Names, scopes};
use super::phrase::Phrase;

/// A label and a value; no value if the record has none there.
type Field = (&'static str, Option<Phrase>);

/// What a change did to its record; `None` for a change without a record, which nothing writes.
pub(super) fn record_change(change: &Change, names: &Names<'_>) -> Option<RecordChange> {
    let (did, record) = match (&change.before, &change.after) {
        (None, Some(after)) => (Did::Insert, after),
        (Some(_), Some(after)) => (Did::Update, after),
        (Some(before), None) => (Did::Delete, before),
        (None, None) => return None,
    };
    let of = |record: &Option<Record>| record.as_ref().map(|r| fields(r, names)).unwrap_or_default();
    let mut fields = differing(of(&change.before), of(&change.after));
    if let (Some(Record::App(before)), Some(Record::App(after))) = (&change.before, &change.after)
        && before.secret != after.secret
    {
        fields.push(FieldChange { label: "Secret", before: text("the old one"), after: text("a new one") });
    }
    Some(RecordChange { record: title(record, names), did, fields })
}

/// The fields that differ. Both sides name their fields in the same order.
fn differing(before: Vec<Field>, after: Vec<Field>) -> Vec<FieldChange> {
    let mut out = Vec::new();
    let mut after = after.into_iter();
    if before.is_empty() {
        out.extend(after.map(|(label, value)| FieldChange { label, before: None, after: value }));
    } else {
        for (label, old) in before {
            out.push(FieldChange { label, before: old, after: after.next().and_then(|(_, new)| new) });
        }
    }
    out.retain(|field| field.before != field.after);
    out
}

/// Which record it is.
fn title(record: &Record, names: &Names<'_>) -> Phrase {
    let the = |id: Id| Phrase::the(names.named(id));
    let name = |id: Id| Phrase::named(names.named(id));
    match record {
        Record::Business(r) => the(r.id.any()),
        Record::Person(r) => the(r.id.any()),
        Record::SystemUser(r) => the(r.id.any()),
        Record::App(r) => the(r.id.any()),
        Record::Connection(r) => Phrase::of("the connection of ").then(the(r.app.any())),
        Record::Installation(r) => {
            Phrase::of("the installation of ").then(the(r.app.any())).say(" on ").then(name(r.system_user.any()))
        }
        Record::DeclaredKind(r) => Phrase::of(format!("the kind of asset {}", r.title)),
        Record::Asset(r) => the(r.id.any()),
        Record::Assignment(r) => {
            Phrase::of("the assignment of ").then(the(r.asset.any())).say(" to ").then(name(r.user.any()))
        }
        Record::Share(r) => {
            Phrase::of("the share of ").then(the(r.asset.any())).say(" with ").then(name(r.partner.any()))
        }
        Record::Token(r) => the(r.id.any()).say(" of ").then(name(r.user.any())),
        Record::PageCounter(r) => Phrase::of("the counter of page tokens of ").then(name(r.page.any())),
        Record::SignInCode(r) => Phrase::of("a one-time code for ").then(name(r.person.any())),
        Record::Terms(_) => Phrase::of("the terms"),
        Record::Human(_) => Phrase::of("the sign-in of a person"),
        Record::Passkey(r) => Phrase::of(format!("the passkey {}", r.name)),
    }
}

/// The fields of a record, always in the same order for one noun.
fn fields(record: &Record, names: &Names<'_>) -> Vec<Field> {
    match record {
        Record::Business(r) => business(r, names),
        Record::Person(r) => person(r),
        Record::SystemUser(r) => system_user(r),
        Record::App(r) => app(r),
        Record::Connection(r) => connection(r, names),
        Record::Installation(r) => installation(r, names),
        Record::DeclaredKind(r) => declared_kind(r),
        Record::Asset(r) => asset(r, names),
        Record::Assignment(r) => assignment(r, names),
        Record::Share(r) => share(r, names),
        Record::Token(r) => token(r, names),
        Record::PageCounter(r) => page_counter(r, names),
        Record::SignInCode(r) => sign_in_code(r, names),
        Record::Terms(r) => terms(r),
        Record::Human(r) => human(r),
        Record::Passkey(r) => passkey(r),
    }
}

fn business(r: &Business, names: &Names<'_>) -> Vec<Field> {
    let Business {
        id: _,
        name,
        created_at: _,
        accepted,
        limits,
        strict_visibility,
        token_lifetime_limit_s,
        deleted_at,
    } = r;
    let Limits { admin_system_users, employee_system_users, people, apps, assets, tokens_per_system_user } = limits;
    let accepted = accepted.as_ref().map(|Acceptance { version, person, at }| {
        Phrase::of(format!("version {version}, by "))
            .then(Phrase::named(names.named(*person)))
            .say(", ")
            .then(Phrase::at(*at))
    });
    vec![
        ("Name", text(name.as_str())),
        ("Accepted terms", accepted),
        ("Most ADMIN system users", number(*admin_system_users)),
        ("Most EMPLOYEE system users", number(*employee_system_users)),
        ("Most people", number(*people)),
        ("Most apps", number(*apps)),
        ("Most assets", number(*assets)),
        ("Most tokens of a system user", number(*tokens_per_system_user)),
        ("Strict visibility", yes(*strict_visibility)),
        ("Longest life of a new token", text(token_lifetime_limit_s.map_or_else(|| "no limit".to_owned(), span))),
        ("Deleted", moment(*deleted_at)),
    ]
}

fn person(r: &Person) -> Vec<Field> {
    let Person { id: _, business: _, name, email, role, status, created_at: _, human: _ } = r;
    vec![
        ("Name", text(name.as_str())),
        ("E-mail address", text(email.as_str())),
        ("Role", role_text(*role)),
        ("Status", status_text(*status)),
    ]
}

fn system_user(r: &SystemUser) -> Vec<Field> {
    let SystemUser { id: _, business: _, name, role, status, created_at: _, created_by: _, description } = r;
    vec![
        ("Name", text(name.as_str())),
        ("Role", role_text(*role)),
        ("Status", status_text(*status)),
        ("Description", description.as_ref().and_then(|description| text(description.as_str()))),
    ]
}

fn app(r: &App) -> Vec<Field> {
    let App {
        id: _,
        business: _,
        name,
        created_at: _,
        secret: _,
        previous_secret,
        allowed_scopes,
        demands_proof,
        deleted_at,
    } = r;
    vec![
        ("Name", text(name.as_str())),
        ("May ask for", text(scopes(*allowed_scopes))),
        ("Demands a proof", yes(*demands_proof)),
        ("The secret before works until", previous_secret.as_ref().map(|(_, until)| Phrase::at(*until))),
        ("Deleted", moment(*deleted_at)),
    ]
}

fn connection(r: &Connection, names: &Names<'_>) -> Vec<Field> {
    let Connection { business, app, created_at: _ } = r;
    vec![("App", named(names, *app)), ("Business", named(names, *business))]
}

fn installation(r: &Installation, names: &Names<'_>) -> Vec<Field> {
    let Installation { system_user, app, business: _, created_at: _ } = r;
    vec![("App", named(names, *app)), ("System user", named(names, *system_user))]
}

fn declared_kind(r: &DeclaredKind) -> Vec<Field> {
    let DeclaredKind { kind: _, word, title, tasks } = r;
    vec![("Title", text(title.as_str())), ("Word", text(word.as_str())), ("Tasks", text(tasks.join(", ")))]
}

fn asset(r: &Asset, names: &Names<'_>) -> Vec<Field> {
    let Asset { id: _, kind, business, name, created_at: _, deleted_at } = r;
    vec![
        ("Name", text(name.as_str())),
        ("Kind", text(names.kind_title(*kind))),
        ("Owner", business.and_then(|business| named(names, business))),
        ("Deleted", moment(*deleted_at)),
    ]
}

fn assignment(r: &Assignment, names: &Names<'_>) -> Vec<Field> {
    let Assignment { user, asset, business: _, tasks, created_at: _, created_by: _ } = r;
    vec![("User", named(names, *user)), ("Asset", named(names, *asset)), ("Tasks", text(names.tasks(*asset, *tasks)))]
}

fn share(r: &Share, names: &Names<'_>) -> Vec<Field> {
    let Share { asset, partner, tasks, created_at: _, created_by: _ } = r;
    vec![
        ("Asset", named(names, *asset)),
        ("Partner", named(names, *partner)),
        ("Permitted tasks", text(names.tasks(*asset, *tasks))),
    ]
}

fn token(r: &Token, names: &Names<'_>) -> Vec<Field> {
    let Token {
        id: _,
        digest: _,
        kind,
        user,
        business: _,
        app,
        scopes: held,
        created_at: _,
        expires_at,
        created_by,
        parent,
        page,
        revoked_at,
        purpose,
        session,
    } = r;
    let kind = match kind {
        TokenKind::SystemUser => "token of a system user",
        TokenKind::Page => "token of a Page",
        TokenKind::User if *session => "session of a person",
        TokenKind::User => "token of a person",
    };
    vec![
        ("Sort", text(kind)),
        ("For", purpose.as_ref().and_then(|purpose| text(purpose.as_str()))),
        ("User", named(names, *user)),
        ("App", app.and_then(|app| named(names, app))),
        ("Scopes", text(scopes(*held))),
        ("Ends", expires_at.map_or_else(|| text("never"), |at| Some(Phrase::at(at)))),
        ("Issued by", created_by.map_or_else(|| text("the operator"), |user| named(names, user))),
        ("Came from", parent.and_then(|parent| named(names, parent))),
        ("Page", page.and_then(|page| named(names, page))),
        ("Revoked", moment(*revoked_at)),
    ]
}

fn page_counter(r: &PageCounter, names: &Names<'_>) -> Vec<Field> {
    let PageCounter { parent, page, counter } = r;
    vec![("Page", named(names, *page)), ("Token", named(names, *parent)), ("Ended so often", text(counter.to_string()))]
}

fn sign_in_code(r: &SignInCode, names: &Names<'_>) -> Vec<Field> {
    let SignInCode { digest: _, person, business: _, created_at: _, expires_at, created_by: _ } = r;
    vec![("Person", named(names, *person)), ("Ends", Some(Phrase::at(*expires_at)))]
}

fn terms(r: &Terms) -> Vec<Field> {
    let Terms { version, text: body } = r;
    vec![("Version", number(*version)), ("Text", text(format!("{} characters", body.chars().count())))]
}

/// Says only which factors there are: neither a hash nor a seed nor a code.
fn human(r: &Human) -> Vec<Field> {
    let Human { id: _, email, handle: _, password, totp, recovery_codes, created_at: _, updated_at: _ } = r;
    vec![
        ("E-mail address", text(email.as_str())),
        ("Password", yes(password.is_some())),
        ("One-time codes", yes(totp.is_some())),
        ("Recovery codes left", text(recovery_codes.len().to_string())),
    ]
}

fn passkey(r: &Passkey) -> Vec<Field> {
    let Passkey { id: _, human: _, credential: _, name, data: _, created_at: _, last_used_at } = r;
    vec![("Name", text(name.as_str())), ("Last used", moment(*last_used_at))]
}

fn text(text: impl Into<String>) -> Option<Phrase> {
    let text = text.into();
    (!text.is_empty()).then(|| Phrase::of(text))
}

fn number(number: u32) -> Option<Phrase> {
    text(number.to_string())
}

fn yes(yes: bool) -> Option<Phrase> {
    text(if yes { "yes" } else { "no" })
}

fn named(names: &Names<'_>, id: impl Into<Id>) -> Option<Phrase> {
    Some(Phrase::named(names.named(id)))
}

fn moment(at: Option<UnixMs>) -> Option<Phrase> {
    at.map(Phrase::at)
}

fn role_text(role: Role) -> Option<Phrase> {
    text(role.as_str())
}

fn status_text(status: Status) -> Option<Phrase> {
    text(match status {
        Status::Active => "active",
        Status::Deactivated => "deactivated",
        Status::Deleted => "deleted",
    })
}

/// A span of seconds in days where it is a whole number of them.
fn span(seconds: i64) -> String {
    let units = [("day", 86_400), ("hour", 3_600), ("minute", 60)];
    let unit = units.into_iter().find(|(_, size)| seconds >= *size && seconds % size == 0);
    let (word, count) = unit.map_or(("second", seconds), |(word, size)| (word, seconds / size));
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_shown() {
        let of = |fields: &[(&'static str, &str)]| -> Vec<Field> {
            fields.iter().map(|(label, value)| (*label, text(*value))).collect()
        };
        let changed = differing(of(&[("Name", "a"), ("Role", "ADMIN")]), of(&[("Name", "b"), ("Role", "ADMIN")]));
        assert_eq!(changed, [FieldChange { label: "Name", before: text("a"), after: text("b") }]);
        let made = differing(Vec::new(), of(&[("Name", "a"), ("Page", "")]));
        assert_eq!(made, [FieldChange { label: "Name", before: None, after: text("a") }]);
        let gone = differing(of(&[("Name", "a")]), Vec::new());
        assert_eq!(gone, [FieldChange { label: "Name", before: text("a"), after: None }]);
    }

    #[test]
    fn spans_are_shown_in_the_largest_exact_unit() {
        for (seconds, said) in [(5_184_000, "60 days"), (3_600, "1 hour"), (90, "90 seconds"), (120, "2 minutes")] {
            assert_eq!(span(seconds), said);
        }
    }
}
