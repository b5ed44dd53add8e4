//! One's own sign-in, and the sessions of a person: which, where from, since when, and ending them.
//!
//! What a browser calls itself only helps people to tell their sessions apart. Nothing is decided by it.

use valetkey_domain::rules::sign_in::SESSION_IDLE_LIMIT_MS;
use valetkey_domain::{TokenId, UserId};
use valetkey_http::Reply;
use valetkey_service::rights;
use valetkey_service::store::telemetry::day_of;
use valetkey_service::token::{Listed, TokenStatus};

use super::system_user::last_use;
use crate::failure::Failure;
use crate::shell;
use crate::view::parts::Time;
use crate::view::security::{SecurityPage, SessionRow};
use crate::visit::{Visit, page};
use crate::web::reply;

/// The entry of the navigation.
pub const HERE: &str = "/console/security";
/// For how many sessions the browser is looked up.
const LOOKED_AT_LIMIT: usize = 20;
/// Rows of uses that are read for one session.
const USAGE_LIMIT: usize = 200;
/// How much of a program's own name is shown, in characters.
const PROGRAM_LIMIT: usize = 40;

/// The live sessions of a person, and its live tokens for the command line; the newest first.
#[derive(Debug, Default)]
pub struct SignIns {
    pub sessions: Vec<SessionRow>,
    pub tokens: Vec<SessionRow>,
}

/// The page.
///
/// # Errors
/// The refusal.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    let who = visit.who.person;
    let question = rights::MANAGE_OR_SELF.on_user(visit.who.business, who);
    let email = visit.find(question, |facts| facts.person(who).map(|entry| entry.email))?;
    let SignIns { sessions, tokens } = sign_ins(&visit, who).await?;
    page(&SecurityPage {
        shell: shell::of(&visit, "Your sign-in", HERE),
        form: visit.new_form(),
        email,
        others: sessions.iter().filter(|row| !row.here).count(),
        sessions,
        tokens,
    })
}

/// Ends one of one's own sessions, or all others.
///
/// # Errors
/// The refusal.
pub async fn end(visit: Visit) -> Result<Reply, Failure> {
    if visit.is_resumed() {
        return Ok(reply::see_other(HERE));
    }
    visit.once_to_end(HERE).await?;
    let done = end_for(&visit, visit.who.person).await?;
    Ok(reply::see_other(&format!("{HERE}?done={done}")))
}

/// Ends what the form names: the session or token `token` of this person or, with `all`, every one but
/// the session that asks. The word for what was done.
///
/// # Errors
/// The refusal, or `NotFound` for a token of somebody else.
pub async fn end_for(visit: &Visit, person: UserId) -> Result<&'static str, Failure> {
    let named: Option<TokenId> = visit.form.id("token");
    if let Some(id) = named {
        let listed = visit.service.get_token(&visit.call, id).await?;
        if listed.token.user != person {
            return Err(Failure::NotFound);
        }
        visit.service.revoke_token(&visit.call, id).await?;
        return Ok("session-ended");
    }
    if !visit.form.has("all") {
        return Err(Failure::NotFound);
    }
    let tokens = visit.service.list_tokens(&visit.call, person).await?.into_inner();
    let mut refused = None;
    for listed in tokens.iter().filter(is_sign_in).filter(|listed| listed.token.id != visit.who.token) {
        // One that is in force and not yet stored must not keep the others alive.
        refused = visit.service.revoke_token(&visit.call, listed.token.id).await.err().or(refused);
    }
    refused.map_or(Ok("sessions-ended"), |refusal| Err(refusal.into()))
}

/// How somebody is signed in now.
///
/// # Errors
/// The refusal.
pub async fn sign_ins(visit: &Visit, person: UserId) -> Result<SignIns, Failure> {
    let tokens = visit.service.list_tokens(&visit.call, person).await?.into_inner();
    let now = visit.now();
    let mut found = SignIns::default();
    for (at, listed) in tokens.iter().filter(is_sign_in).enumerate() {
        let program = if at < LOOKED_AT_LIMIT { program(visit, listed.token.id, now).await? } else { None };
        let is_session = listed.token.session;
        let row = row(visit, listed, program.as_deref(), now);
        if is_session { found.sessions.push(row) } else { found.tokens.push(row) }
    }
    Ok(found)
}

/// Whether a token is live and signs somebody in: page tokens don't.
fn is_sign_in(listed: &&Listed) -> bool {
    listed.status == TokenStatus::Live && listed.token.page.is_none()
}

fn row(visit: &Visit, listed: &Listed, program: Option<&str>, now: i64) -> SessionRow {
    let token = &listed.token;
    let here = token.id == visit.who.token;
    let last = listed.last_used.as_ref();
    let seen_at = last.map_or(token.created_at, |used| used.used_at.max(token.created_at));
    let otherwise = if token.session { "A browser" } else { "Command line" };
    SessionRow {
        id: token.id.to_string(),
        what: program.map_or_else(|| otherwise.to_owned(), in_words),
        here,
        idle: token.session && !here && now - seen_at >= SESSION_IDLE_LIMIT_MS,
        last_seen: last.map(|used| last_use(used, now)),
        since: Time::datetime(token.created_at, now),
        ends: Time::relative(token.expires_at.unwrap_or(i64::MAX), now),
    }
}

/// What the program that used a token last calls itself, if the records of uses hold it.
async fn program(visit: &Visit, token: TokenId, now: i64) -> Result<Option<String>, Failure> {
    let today = day_of(now);
    let usage = visit.service.token_usage(&visit.call, token, (today - 1, today), None, USAGE_LIMIT).await?;
    let last = usage.into_inner().rows.into_iter().max_by_key(|row| row.last_at);
    Ok(last.map(|row| row.user_agent).filter(|text| !text.is_empty()))
}

/// A browser and its system, from what the browser calls itself.
fn in_words(text: &str) -> String {
    // The order matters: most browsers also name those that came before them.
    const BROWSERS: [(&str, &str); 8] = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("CrOS", "ChromeOS"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let named = |rows: &[(&str, &'static str)]| {
        let row = rows.iter().find(|(mark, _)| text.contains(mark));
        row.map(|(_, name)| *name)
    };
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => text.chars().take(PROGRAM_LIMIT).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn browsers_are_named_in_words_and_others_are_cut() {
        for (text, words) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/150.0 Safari/537 Edg/150.0", "Edge on Windows"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/605 Version/19 Safari/605", "Safari on macOS"),
            ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/150.0 Mobile Safari/537", "Chrome on Android"),
            ("valetkey/0.7", "valetkey/0.7"),
        ] {
            assert_eq!(in_words(text), words, "{text}");
        }
        assert_eq!(in_words(&"é".repeat(300)).chars().count(), 40);
    }
}
