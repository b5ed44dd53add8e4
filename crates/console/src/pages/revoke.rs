//! Revoking tokens of a system user: one, those of an app, or all. First what stops, then the button,
//! then the receipt.

use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::{AppId, TokenId};
use valetkey_http::Reply;
use valetkey_service::preview::{Act, Preview};
use valetkey_service::rights;
use valetkey_service::token::{Listed, TokenStatus};

use super::system_user::{HERE, last_use};
use super::user::{head, of_path};
use crate::failure::Failure;
use crate::view::parts::{Form, Link, Piece, Sentence, Tab, Time};
use crate::view::revoke::{IssuedFrom, ReceiptNode, ReceiptPage, RevokePage, RevokedToken, Which};
use crate::visit::{Visit, again, page};
use crate::{forms, names, shell};

/// How many of the tokens that come from another are written out.
const ISSUED_SHOWN: usize = 10;

/// What is to be revoked.
#[derive(Debug, Clone, Copy)]
enum Choice {
    One(TokenId),
    App(AppId),
    All,
}

impl Choice {
    fn of(fields: &crate::web::form::Form) -> Choice {
        match (fields.id("token"), fields.id("app")) {
            (Some(token), _) => Choice::One(token),
            (None, Some(app)) => Choice::App(app),
            (None, None) => Choice::All,
        }
    }

    fn act(self, user: &SystemUser) -> Act {
        match self {
            Choice::One(id) => Act::RevokeToken { id, with_descendants: true },
            Choice::App(app) => Act::RevokeTokens { user: user.id, app: Some(app) },
            Choice::All => Act::RevokeTokens { user: user.id, app: None },
        }
    }
}

/// What would stop.
///
/// # Errors
/// The refusal.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    let user = of_path(&visit)?;
    page(&view(&visit, &user, Choice::of(&visit.query), visit.new_form()).await?)
}

/// Revokes, and shows the receipt.
///
/// # Errors
/// The refusal.
pub async fn revoke(visit: Visit) -> Result<Reply, Failure> {
    let user = of_path(&visit)?;
    let choice = Choice::of(&visit.form);
    if visit.is_resumed() {
        return page(&view(&visit, &user, choice, visit.new_form()).await?);
    }
    visit.once_to_end(&names::system_user_href(user.id)).await?;
    let chosen = chosen(&visit, &user, choice).await?;
    let done = match choice {
        Choice::One(id) => {
            visit.service.revoke_token_with_descendants(&visit.call, id).await.map(|d| (d.value, d.revision))
        }
        Choice::App(app) => {
            visit.service.revoke_tokens(&visit.call, user.id, Some(app)).await.map(|d| (chosen.len(), d.revision))
        }
        Choice::All => {
            visit.service.revoke_tokens(&visit.call, user.id, None).await.map(|d| (chosen.len(), d.revision))
        }
    };
    match done {
        Ok((count, revision)) => page(&receipt(&visit, &user, &chosen, count, revision)?),
        Err(refusal) => {
            let errors = forms::errors(refusal)?;
            again(&view(&visit, &user, choice, Form { errors, ..visit.new_form() }).await?)
        }
    }
}

/// The live tokens that the choice is about, newest first, without Page tokens.
async fn chosen(visit: &Visit, user: &SystemUser, choice: Choice) -> Result<Vec<Listed>, Failure> {
    let tokens = visit.service.list_tokens(&visit.call, user.id).await?.into_inner();
    let is_chosen = |listed: &Listed| {
        listed.status == TokenStatus::Live
            && match choice {
                Choice::One(id) => listed.token.id == id,
                Choice::App(app) => listed.token.app == Some(app) && listed.token.page.is_none(),
                Choice::All => listed.token.page.is_none(),
            }
    };
    Ok(tokens.into_iter().filter(is_chosen).collect())
}

async fn view(visit: &Visit, user: &SystemUser, choice: Choice, form: Form) -> Result<RevokePage, Failure> {
    let now = visit.now();
    let preview = visit.service.preview(&visit.call, choice.act(user)).await?;
    let chosen = chosen(visit, user, choice).await?;
    let question = rights::MANAGE_BUSINESS.on_business(visit.who.business);
    if let Choice::App(app) = choice {
        let is_there = |facts: &valetkey_service::Facts<'_>| facts.installation(user.id, app).map(|_| ());
        visit.find(question, is_there)?;
    }
    let (rows, what, tabs) = visit.step(question, |facts| {
        let app_name = |id: AppId| facts.app(id).map(|app| app.name.to_string()).unwrap_or_default();
        let rows: Vec<RevokedToken> = chosen
            .iter()
            .map(|listed| RevokedToken {
                purpose: names::token(&listed.token),
                href: format!("/console/tokens/{}", listed.token.id),
                app: listed.token.app.map(app_name).unwrap_or_default(),
                mark: listed.token.id.to_string(),
                last_used: listed.last_used.as_ref().map(|used| last_use(used, now)),
                uses: uses(&preview, listed.token.id),
                lately: Vec::new(),
                issued: issued(&preview, listed.token.id, now),
                issued_more: None,
            })
            .collect();
        let what = match choice {
            Choice::One(_) => rows.first().map(|row| row.purpose.clone()).unwrap_or_default(),
            Choice::App(app) => app_name(app),
            Choice::All => String::new(),
        };
        (rows, what, tabs(facts, user, choice))
    })?;
    Ok(RevokePage {
        shell: shell::of(visit, "Revoke tokens", HERE),
        form,
        user: head(user),
        which: match choice {
            Choice::One(_) => Which::One,
            Choice::App(_) => Which::App,
            Choice::All => Which::All,
        },
        what,
        token: if let Choice::One(id) = choice { Some(id.to_string()) } else { None },
        app: if let Choice::App(id) = choice { Some(id.to_string()) } else { None },
        tabs,
        count: rows.len(),
        tokens: rows,
        stops: stops(&preview),
        back: names::system_user_href(user.id),
    })
}

fn uses(preview: &Preview, id: TokenId) -> String {
    let row = preview.tokens.rows.iter().find(|row| row.id == id);
    match row.and_then(|row| row.uses_30_days) {
        Some(0) => "None in 30 days".to_owned(),
        Some(uses) => format!("{} in 30 days", names::count(usize::try_from(uses).unwrap_or_default())),
        None => String::new(),
    }
}

/// Page tokens and others that stop with a token. Only the preview of one token says which came from it.
fn issued(preview: &Preview, of: TokenId, now: i64) -> Vec<IssuedFrom> {
    let is_alone = preview.tokens.rows.iter().all(|row| row.id == of) || preview.tokens.rows.is_empty();
    if !is_alone {
        return Vec::new();
    }
    let pages = preview.page_tokens.rows.iter().map(|row| {
        let page = row.page_name.as_ref().map_or_else(|| "a Page".to_owned(), ToString::to_string);
        let what = vec![Piece::plain("Page token for "), Piece::strong(page)];
        IssuedFrom { what, last_used: row.last_used_at.map(|at| Time::relative(at, now)) }
    });
    pages.take(ISSUED_SHOWN).collect()
}

fn stops(preview: &Preview) -> Vec<Sentence> {
    let mut out = Vec::new();
    if preview.page_tokens.total > 0 {
        let counted = names::counted(preview.page_tokens.total, "Page token", "Page tokens");
        out.push(vec![Piece::plain(format!("{counted} issued from them."))]);
    }
    out
}

fn tabs(facts: &valetkey_service::Facts<'_>, user: &SystemUser, choice: Choice) -> Vec<Tab> {
    if matches!(choice, Choice::One(_)) {
        return Vec::new();
    }
    let base = format!("{}/revoke", names::system_user_href(user.id));
    let all = Tab { label: "All".to_owned(), href: base.clone(), count: None, current: matches!(choice, Choice::All) };
    let apps = facts.installed_apps(user.id).into_iter().filter_map(|id| facts.app(id)).map(|app| Tab {
        label: app.name.to_string(),
        href: format!("{base}?app={}", app.id),
        count: None,
        current: if let Choice::App(id) = choice { id == app.id } else { false },
    });
    let apps: Vec<Tab> = apps.collect();
    if apps.len() < 2 { Vec::new() } else { std::iter::once(all).chain(apps).collect() }
}

fn receipt(
    visit: &Visit,
    user: &SystemUser,
    tokens: &[Listed],
    count: usize,
    revision: u64,
) -> Result<ReceiptPage, Failure> {
    let now = visit.now();
    let nodes = visit.service.receipt(revision)?.map(|receipt| receipt.nodes).unwrap_or_default();
    let question = rights::MANAGE_BUSINESS.on_business(visit.who.business);
    let tokens = visit.step(question, |facts| {
        let named = |listed: &Listed| {
            let app = listed.token.app.and_then(|id| facts.app(id)).map(|app| format!(" for {}", app.name));
            format!("{}{}", names::token(&listed.token), app.unwrap_or_default())
        };
        tokens.iter().map(named).collect()
    })?;
    Ok(ReceiptPage {
        shell: shell::of(visit, "Revoked", HERE),
        user: head(user),
        count,
        tokens,
        at: Time::datetime(now, now),
        by: visit.who.name.to_string(),
        revision: revision.to_string(),
        nodes: nodes
            .into_iter()
            .map(|node| ReceiptNode { name: node.node, confirmed: Some(Time::datetime(node.confirmed_at, now)) })
            .collect(),
        next: Some(Link::new("Generate a replacement", format!("{}/token", names::system_user_href(user.id)))),
    })
}
