//! What an act would take away, in sentences: the list that stands before every button that takes
//! something.

use valetkey_domain::Name;
use valetkey_service::preview::{Preview, StoppedToken};

use crate::names;
use crate::view::parts::{Piece, Sentence, Time};

/// How many rows of a part are written out; the rest is counted.
const SHOWN: usize = 8;

/// A sentence for each thing that stops, and one for what was not written out.
pub fn sentences(preview: &Preview, now: i64) -> Vec<Sentence> {
    let mut out = Vec::new();
    let more = |out: &mut Vec<Sentence>, total: usize, what: (&str, &str)| {
        if total > SHOWN {
            out.push(vec![Piece::plain(format!("… and {} more.", names::counted(total - SHOWN, what.0, what.1)))]);
        }
    };
    for token in preview.tokens.rows.iter().take(SHOWN) {
        out.push(stopped(token, now));
    }
    more(&mut out, preview.tokens.total, ("token", "tokens"));
    if preview.page_tokens.total > 0 {
        let counted = names::counted(preview.page_tokens.total, "Page token stops", "Page tokens stop");
        out.push(vec![Piece::plain(format!("{counted} with it."))]);
    }
    for row in preview.narrowed_tokens.rows.iter().take(SHOWN) {
        let lost = row.lost.names().join(", ");
        out.push(vec![
            Piece::plain("A token of "),
            Piece::strong(name(row.token.user_name.as_ref(), "a user")),
            Piece::plain(" goes on without "),
            Piece::code(lost),
            Piece::plain("."),
        ]);
    }
    more(&mut out, preview.narrowed_tokens.total, ("narrower token", "narrower tokens"));
    for row in preview.reach.rows.iter().take(SHOWN) {
        let ends = if row.keeps_some { " loses a part of " } else { " no longer reaches " };
        out.push(vec![
            Piece::strong(row.user_name.as_str()),
            Piece::plain(ends),
            Piece::link(row.asset_name.as_str(), names::asset_href(row.asset)),
            Piece::plain(format!(": {}.", row.lost.join(", "))),
        ]);
    }
    more(&mut out, preview.reach.total, ("user with less reach", "users with less reach"));
    for row in preview.partners.rows.iter().take(SHOWN) {
        out.push(vec![
            Piece::plain("The partner "),
            Piece::strong(name(row.partner_name.as_ref(), "a business")),
            Piece::plain(" loses "),
            Piece::plain(row.lost.join(", ")),
            Piece::plain(" on "),
            Piece::link(name(row.asset_name.as_ref(), "an asset"), names::asset_href(row.asset)),
            Piece::plain("."),
        ]);
    }
    more(&mut out, preview.partners.total, ("share", "shares"));
    if preview.reach.is_empty() && preview.assignments.total > 0 {
        let counted = names::counted(preview.assignments.total, "assignment ends", "assignments end");
        out.push(vec![Piece::plain(format!("{counted}."))]);
    }
    out
}

/// What the tokens that stop did lately.
pub fn lately(preview: &Preview, now: i64) -> Vec<Sentence> {
    let used = preview.tokens.rows.iter().filter(|token| token.uses_30_days.is_some_and(|uses| uses > 0));
    let sentence = |token: &StoppedToken| {
        let uses = usize::try_from(token.uses_30_days.unwrap_or_default()).unwrap_or_default();
        let mut pieces = vec![Piece::plain(format!("{} in 30 days", names::counted(uses, "use", "uses")))];
        if let Some(at) = token.last_used_at {
            pieces.extend([Piece::plain(", the last "), Piece::time(Time::inside(at, now))]);
        }
        pieces.push(Piece::plain(format!(", by token {}.", token.id)));
        pieces
    };
    used.take(SHOWN).map(sentence).collect()
}

fn stopped(token: &StoppedToken, now: i64) -> Sentence {
    let mut pieces = vec![
        Piece::plain("The token "),
        Piece::link(token.id.to_string(), format!("/console/tokens/{}", token.id)),
        Piece::plain(" of "),
        Piece::strong(name(token.user_name.as_ref(), "a user")),
    ];
    if let Some(app) = &token.app_name {
        pieces.extend([Piece::plain(" for "), Piece::strong(app.as_str())]);
    }
    pieces.push(Piece::plain(" stops. "));
    match token.last_used_at {
        Some(at) => pieces.extend([Piece::plain("Last used "), Piece::time(Time::inside(at, now)), Piece::plain(".")]),
        None => pieces.push(Piece::plain("Never used.")),
    }
    pieces
}

fn name(name: Option<&Name>, otherwise: &str) -> String {
    name.map_or_else(|| otherwise.to_owned(), |name| name.to_string())
}
