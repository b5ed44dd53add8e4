//! Signing in by a single-use link, and signing out. Opening a page here never changes anything: a mail
//! scanner opens links too.

use http::StatusCode;
use valetkey_domain::rules::sign_in::{CODE_LIFETIME_MS, PersonToken, SESSION_LIFETIME_MS};
use valetkey_domain::{Reason, Role};
use valetkey_http::Reply;

use crate::failure::Failure;
use crate::open::{Open, safe_next};
use crate::view::parts::{Form, Time};
use crate::view::sign_in::{LinkEndedPage, LinkPage, SignInPage, SignedOutPage};
use crate::visit::{Visit, page};
use crate::web::{cookie, reply};
use crate::{names, shell};

/// The purpose of tickets that remember when a link was used.
const USED: &str = "used sign-in link";

/// The sign-in page, or the page of a single-use link.
///
/// # Errors
/// When the node can't answer.
pub async fn show(open: Open) -> Result<Reply, Failure> {
    let return_to = open.query.text("return_to").map(|path| safe_next(Some(path)).to_owned());
    let Some(code) = open.query.text("code") else {
        let reason = open.query.has("ended").then(|| "Your session has ended.".to_owned());
        let bare = shell::bare("Sign in", open.is_signed_in);
        return page(&SignInPage { bare, return_to, reason });
    };
    let Some(offer) = open.service.sign_in_offer(code)? else { return ended(&open, code).await };
    let now = open.service.now();
    page(&LinkPage {
        bare: shell::bare("Sign in", open.is_signed_in),
        form: Form::default(),
        action: "/console/sign-in".to_owned(),
        code: Some(code.to_owned()),
        person: offer.name.to_string(),
        initials: names::initials(offer.business.as_str()),
        business: offer.business.to_string(),
        role: names::role(offer.role).to_owned(),
        ends: Time::inside(offer.expires_at, now),
        return_to,
    })
}

/// Redeems the code of a link.
///
/// # Errors
/// When the node can't answer or write.
pub async fn redeem(open: Open) -> Result<Reply, Failure> {
    let Some(code) = open.form.text("code") else { return Ok(reply::see_other("/console/sign-in")) };
    let done = open.service.redeem_sign_in_code(open.call.trace(), code, PersonToken::Session).await;
    let (_, text) = match done {
        Ok(done) => done.value,
        Err(refusal) if refusal.reason.is_death() || refusal.reason == Reason::TokenMalformed => {
            return ended(&open, code).await;
        }
        Err(refusal) => return Err(refusal.into()),
    };
    // A courtesy to whoever opens the link again; it is no part of the sign-in, which has happened.
    let at = open.service.now().to_string().into_bytes();
    if let Err(refusal) = open.service.keep_ticket(USED, code, None, at, CODE_LIFETIME_MS).await {
        tracing::warn!(%refusal, "when a sign-in link was used could not be kept");
    }
    let onward = reply::see_other(safe_next(open.form.text("return_to")));
    Ok(reply::with_cookie(onward, &cookie::set(&open.address, text.reveal(), SESSION_LIFETIME_MS / 1000)))
}

/// A code that was used, that has ended, or that never was.
async fn ended(open: &Open, code: &str) -> Result<Reply, Failure> {
    let used = open.service.take_ticket(USED, code).await?;
    let at = used.as_ref().and_then(|used| String::from_utf8(used.body.clone()).ok()?.parse::<i64>().ok());
    if let Some(used) = used {
        // Taken to be read; the next one who opens the link is to see the same.
        let left = used.created_at + CODE_LIFETIME_MS - open.service.now();
        open.service.keep_ticket(USED, code, None, used.body, left.max(1)).await?;
    }
    let title = if at.is_some() { "This link was used" } else { "This link does not work" };
    let bare = shell::bare(title, open.is_signed_in);
    let used = at.map(|at| Time::inside(at, open.service.now()));
    let mut reply = page(&LinkEndedPage { bare, used, ended: None })?;
    reply.status = StatusCode::GONE;
    Ok(reply)
}

/// Ends the session.
///
/// # Errors
/// When the node can't write.
pub async fn sign_out(visit: Visit) -> Result<Reply, Failure> {
    visit.service.revoke_token(&visit.call, visit.who.token).await?;
    let gone = page(&SignedOutPage { bare: shell::bare("Signed out", false) })?;
    Ok(reply::with_cookie(gone, &cookie::clear(&visit.address)))
}

/// The console's first page for this role.
///
/// # Errors
/// None.
pub async fn home(visit: Visit) -> Result<Reply, Failure> {
    Ok(reply::see_other(match visit.who.role {
        Role::Admin => "/console/system-users",
        Role::Employee => "/console/you",
    }))
}
