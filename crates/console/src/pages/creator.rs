//! Who made a piece of content, as far as the viewer may know: colleagues by name, users of a partner
//! never. The token comes from the activity, which only ADMINs may read.

use std::collections::HashMap;

use valetkey_domain::{Action, AppId, AssetId, Id, IdKind, UserId};
use valetkey_service::activity::{self, ActivityFilter, ActivityGroup, ActivityLine, Phrase, Sort};
use valetkey_service::{Facts, rights};

use crate::failure::Failure;
use crate::names;
use crate::view::parts::{Piece, Sentence, Time};
use crate::visit::Visit;

/// How many entries of the activity are asked for.
const LINES_LIMIT: usize = 100;

/// Who made something and through which app, as the content itself says it.
pub fn said_by(facts: &Facts<'_>, author: Option<UserId>, app: Option<AppId>) -> Sentence {
    let own = facts.allowed.caller.business();
    let mut pieces: Sentence = author.map(|id| user(facts, id)).into_iter().collect();
    if let Some(app) = app.and_then(|id| facts.app(id)).filter(|app| Some(app.business) == own) {
        pieces.push(Piece::plain(if pieces.is_empty() { "Through " } else { ", through " }));
        pieces.push(match facts.may(rights::MANAGE_BUSINESS.on_business(app.business)) {
            Some(_) => Piece::link(app.name.to_string(), names::app_href(app.id)),
            None => Piece::plain(app.name.to_string()),
        });
    }
    pieces
}

/// A user: with a link for who may look at it, by its sort for the others.
fn user(facts: &Facts<'_>, id: UserId) -> Piece {
    let own = facts.allowed.caller.business();
    let person = facts.person(id).map(|person| (person.business, person.name, names::person_href(id), "person"));
    let found = person.or_else(|| {
        let user = facts.system_user(id)?;
        Some((user.business, user.name, names::system_user_href(id), "system user"))
    });
    let Some((business, name, href, sort)) = found else { return Piece::plain("A user that is gone") };
    if Some(business) != own {
        let partner = facts.business(business).map(|partner| partner.name.to_string());
        return Piece::plain(format!("A {sort} of {}", partner.unwrap_or_else(|| "another business".to_owned())));
    }
    match facts.may(rights::MANAGE_OR_SELF.on_user(business, id)) {
        Some(_) => Piece::link(name.to_string(), href),
        None => Piece::plain(format!("A {sort} of the business")),
    }
}

/// The page of a user; its id says which sort it is.
pub fn user_href(user: UserId) -> String {
    if user.kind() == Some(IdKind::Person) { names::person_href(user) } else { names::system_user_href(user) }
}

/// Who made each of the pieces of content of an asset that were made in a span of time, and with which
/// token. Empty for who may not read the activity.
///
/// # Errors
/// The refusal.
pub async fn of_all(visit: &Visit, asset: AssetId, from: i64, to: i64) -> Result<HashMap<Id, Sentence>, Failure> {
    let filter = ActivityFilter {
        business: Some(visit.who.business),
        about: Some(asset.any()),
        group: Some(ActivityGroup::Content),
        since: Some(from),
        until: Some(to.saturating_add(1)),
        ..ActivityFilter::default()
    };
    let lines = lines(visit, &filter, LINES_LIMIT).await?;
    let mut creators = HashMap::new();
    for line in lines.iter().filter(|line| line.action == Some(Action::ContentCreated)) {
        let mut sentence = pieces(&line.by.phrase(), visit.now());
        sentence.extend(token(visit, line, ", with ")?);
        for subject in &line.subjects {
            creators.insert(subject.id, sentence.clone());
        }
    }
    creators.remove(&asset.any());
    Ok(creators)
}

/// Lines of the activity, the newest first; none for who may not read it.
///
/// # Errors
/// The refusal.
pub async fn lines(visit: &Visit, filter: &ActivityFilter, limit: usize) -> Result<Vec<ActivityLine>, Failure> {
    if visit.may(rights::MANAGE_BUSINESS.on_business(visit.who.business)).is_none() {
        return Ok(Vec::new());
    }
    Ok(visit.service.activity(&visit.call, filter, None, limit).await?.lines)
}

/// The token that something was done with, after some words; nothing if there was none.
///
/// # Errors
/// The refusal.
pub fn token(visit: &Visit, line: &ActivityLine, before: &str) -> Result<Sentence, Failure> {
    let Some(id) = line.by.token else { return Ok(Vec::new()) };
    let question = rights::MANAGE_BUSINESS.on_business(visit.who.business);
    let name = visit.step(question, |facts| {
        facts.token(id).filter(|token| token.business == visit.who.business).map(|token| names::token(&token))
    })?;
    Ok(name
        .map(|name| vec![Piece::plain(before), Piece::link(name, format!("/console/tokens/{id}"))])
        .unwrap_or_default())
}

/// A phrase of the activity, with links.
pub fn pieces(phrase: &Phrase, now: i64) -> Sentence {
    let piece = |piece: &activity::Piece| match piece {
        activity::Piece::Text(text) => Piece::plain(text.as_str()),
        activity::Piece::Time(at) => Piece::time(Time::inside(*at, now)),
        activity::Piece::Named(named) => match href(named.sort, named.id).filter(|_| named.is_there) {
            Some(href) => Piece::link(named.text(), href),
            None => Piece::strong(named.text()),
        },
    };
    phrase.pieces().iter().map(piece).collect()
}

/// The page of something that the activity names, if it has one.
fn href(sort: Sort, id: Id) -> Option<String> {
    let base = if sort == Sort::SystemUser {
        "system-users"
    } else if sort == Sort::Person {
        "people"
    } else if sort == Sort::App {
        "apps"
    } else if sort == Sort::Asset {
        "assets"
    } else if sort == Sort::Token {
        "tokens"
    } else if sort == Sort::Post || sort == Sort::Campaign {
        "content"
    } else {
        return None;
    };
    Some(format!("/console/{base}/{id}"))
}
