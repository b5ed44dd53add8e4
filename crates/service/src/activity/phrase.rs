//! Phrases: plain words, and names that carry their ids, so that a page can link them.
//!
//! A phrase holds only what its reader may see, and never a secret.

use valetkey_domain::kind::TABLE;
use valetkey_domain::{Id, IdKind, UnixMs};

/// What an id stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sort {
    Business,
    Person,
    SystemUser,
    App,
    Asset,
    Token,
    Post,
    Campaign,
    Job,
    /// Neither a record nor the id itself says.
    Unknown,
}

impl Sort {
    /// The word for machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Sort::Business => "business",
            Sort::Person => "person",
            Sort::SystemUser => "system_user",
            Sort::App => "app",
            Sort::Asset => "asset",
            Sort::Token => "token",
            Sort::Post => "post",
            Sort::Campaign => "campaign",
            Sort::Job => "job",
            Sort::Unknown => "unknown",
        }
    }

    /// What the id itself says.
    pub(super) fn of(id: Id) -> Sort {
        match id.kind() {
            Some(IdKind::Business) => Sort::Business,
            Some(IdKind::Person) => Sort::Person,
            Some(IdKind::SystemUser) => Sort::SystemUser,
            Some(IdKind::App) => Sort::App,
            Some(
                IdKind::Page
                | IdKind::AdAccount
                | IdKind::Catalog
                | IdKind::Pixel
                | IdKind::InstagramAccount
                | IdKind::WhatsAppAccount
                | IdKind::DeclaredAsset,
            ) => Sort::Asset,
            Some(IdKind::Token) => Sort::Token,
            Some(IdKind::Post) => Sort::Post,
            Some(IdKind::Campaign) => Sort::Campaign,
            Some(IdKind::Job) => Sort::Job,
            // Neither has a page of its own; their people do.
            Some(IdKind::Human | IdKind::Passkey) | None => Sort::Unknown,
        }
    }

    /// The word for people; for an asset its kind, as far as the id shows it.
    pub(super) fn title(self, id: Id) -> &'static str {
        match self {
            Sort::Business => "business",
            Sort::Person => "person",
            Sort::SystemUser => "system user",
            Sort::App => "app",
            Sort::Asset => TABLE.iter().find(|row| Some(row.id_kind) == id.kind()).map_or("asset", |row| row.title),
            Sort::Token => "token",
            Sort::Post => "post",
            Sort::Campaign => "campaign",
            Sort::Job => "job",
            Sort::Unknown => "object",
        }
    }
}

/// One object with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub sort: Sort,
    pub id: Id,
    /// What sort it is, for people: `Page`, `system user`.
    pub title: String,
    /// `None` if it has no name, or none that the reader may see.
    pub name: Option<String>,
    /// Whether there is a record that the reader may see; otherwise a link would lead nowhere.
    pub is_there: bool,
}

impl Named {
    /// The name, or the sort and the id.
    pub fn text(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("{} {}", self.title, self.id))
    }

    /// The same object under another name.
    #[must_use]
    pub(super) fn called(self, name: impl Into<String>) -> Named {
        Named { name: Some(name.into()), ..self }
    }
}

/// A part of a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Text(String),
    Named(Named),
    /// A moment; a page may show it in the time zone of its reader.
    Time(UnixMs),
}

/// Words with names and moments among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Phrase(Vec<Piece>);

impl Phrase {
    /// A phrase of plain words.
    pub(super) fn of(text: impl Into<String>) -> Phrase {
        Phrase::default().say(text)
    }

    /// One object, by its name; without a name with the article.
    pub(super) fn named(named: Named) -> Phrase {
        let start = if named.name.is_some() { Phrase::default() } else { Phrase::of("the ") };
        start.name(named)
    }

    /// One object with its sort before it: `the app Desk`.
    pub(super) fn the(named: Named) -> Phrase {
        let start = if named.name.is_some() { format!("the {} ", named.title) } else { "the ".to_owned() };
        Phrase::of(start).name(named)
    }

    /// A moment.
    pub(super) fn at(at: UnixMs) -> Phrase {
        Phrase(vec![Piece::Time(at)])
    }

    #[must_use]
    pub(super) fn say(mut self, text: impl Into<String>) -> Phrase {
        let text = text.into();
        match self.0.last_mut() {
            Some(Piece::Text(last)) => last.push_str(&text),
            Some(Piece::Named(_) | Piece::Time(_)) | None => self.0.push(Piece::Text(text)),
        }
        self
    }

    #[must_use]
    pub(super) fn name(mut self, named: Named) -> Phrase {
        self.0.push(Piece::Named(named));
        self
    }

    #[must_use]
    pub(super) fn then(self, other: Phrase) -> Phrase {
        other.0.into_iter().fold(self, |mut phrase, piece| match piece {
            Piece::Text(text) => phrase.say(text),
            Piece::Named(_) | Piece::Time(_) => {
                phrase.0.push(piece);
                phrase
            }
        })
    }

    /// Several phrases with a text between them.
    pub(super) fn joined(phrases: Vec<Phrase>, between: &str) -> Phrase {
        let mut phrases = phrases.into_iter();
        let first = phrases.next().unwrap_or_default();
        phrases.fold(first, |all, next| all.say(between).then(next))
    }

    /// The parts in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The whole as plain text; moments in UTC.
    pub fn text(&self) -> String {
        let text = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Named(named) => named.text(),
            Piece::Time(at) => moment(*at),
        };
        self.0.iter().map(text).collect()
    }
}

/// A time in RFC 3339, to the millisecond.
pub(super) fn iso(at: UnixMs) -> String {
    match jiff::Timestamp::from_millisecond(at) {
        Ok(time) => format!("{time:.3}"),
        // Only a broken row can hold a time beyond the calendar.
        Err(_) => format!("{at} ms"),
    }
}

/// A time for people, to the second.
fn moment(at: UnixMs) -> String {
    let text = iso(at);
    match (text.get(..10), text.get(11..19)) {
        (Some(day), Some(time)) if text.ends_with('Z') => format!("{day} {time} UTC"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_run_together_and_names_stay_apart() {
        let named = |name: Option<&str>| Named {
            sort: Sort::App,
            id: Id::new(7).unwrap(),
            title: "app".to_owned(),
            name: name.map(str::to_owned),
            is_there: true,
        };
        let phrase = Phrase::of("a").say("b").name(named(Some("Desk"))).say(" ").then(Phrase::of("c"));
        assert_eq!((phrase.pieces().len(), phrase.text().as_str()), (3, "abDesk c"));
        assert_eq!(Phrase::the(named(Some("Desk"))).text(), "the app Desk");
        assert_eq!(Phrase::the(named(None)).text(), "the app 7");
        assert_eq!(Phrase::named(named(Some("Desk"))).text(), "Desk");
        assert_eq!(Phrase::named(named(None)).text(), "the app 7");
        assert_eq!(Phrase::joined(vec![Phrase::of("a"), Phrase::of("b")], ", ").text(), "a, b");
        assert!(Phrase::joined(Vec::new(), ", ").is_empty());
        assert_eq!(Phrase::at(0).text(), "1970-01-01 00:00:00 UTC");
        assert_eq!(iso(1), "1970-01-01T00:00:00.001Z");
        assert_eq!(Phrase::at(i64::MAX).text(), format!("{} ms", i64::MAX));
    }
}
