//! Tokens: issue, list, revoke. A token's text is in the answer that makes it, and nowhere else.

use serde_json::{Value, json};
use valetkey_domain::token::{IssueRequest, LIFETIME_LIMIT_S, Lifetime, SIXTY_DAYS_S};
use valetkey_domain::{Id, Refusal, Scope};
use valetkey_service::authz::{Question, Target};
use valetkey_service::token::{Listed, TokenStatus};

use crate::command::{AFTER, Access, Answer, BUSINESS, Command, Ctx, LIMIT, Param, Sort, may, need, page_of};
use crate::show;

const TOKEN: Param = need("token", Sort::Id, "The id of the token, not its text.");

pub(crate) const ROWS: &[Command] = &[
    Command {
        name: "token.issue",
        summary: "Issue a token; its text is in the answer and nowhere else",
        access: Access::AdminOrSelf,
        writes: true,
        params: &[
            need("system_user", Sort::Id, "The system user that the token stands for."),
            need("app", Sort::Id, "A connected app that is installed on it."),
            need("scopes", Sort::Texts, "What the token may be used for (scope.list); public_profile is always added."),
            may(
                "lifetime_s",
                Sort::Integer(1, LIFETIME_LIMIT_S),
                "How long it lives, in seconds; 60 days if left out.",
            ),
            may("never", Sort::Boolean, "Whether it has no end; not beside lifetime_s."),
            may(
                "add_dependencies",
                Sort::Boolean,
                "Whether to add the scopes that the wanted ones rest on, instead of refusing.",
            ),
        ],
        run: |ctx| Box::pin(issue(ctx)),
    },
    Command {
        name: "token.list",
        summary: "List the tokens of a user, or of a whole business, newest first",
        access: Access::AdminOrSelf,
        writes: false,
        params: &[
            may("user", Sort::Id, "The person or system user; the whole business if left out."),
            BUSINESS,
            may("live", Sort::Boolean, "Whether to leave out what no longer works."),
            LIMIT,
            AFTER,
        ],
        run: |ctx| Box::pin(list(ctx)),
    },
    Command {
        name: "token.show",
        summary: "Show one token: who made it, what it may do, when it was last used",
        access: Access::AdminOrSelf,
        writes: false,
        params: &[TOKEN],
        run: |ctx| Box::pin(show_one(ctx)),
    },
    Command {
        name: "token.revoke",
        summary: "Revoke a token; no use of it is accepted once this has answered",
        access: Access::AdminOrSelf,
        writes: true,
        params: &[
            TOKEN,
            may(
                "with_descendants",
                Sort::Boolean,
                "Whether to revoke with it every token that was issued with it or refreshed from it, and what came from those.",
            ),
        ],
        run: |ctx| Box::pin(revoke(ctx)),
    },
    Command {
        name: "token.revoke-all",
        summary: "Revoke all tokens of a system user, or those for one app",
        access: Access::AdminOrSelf,
        writes: true,
        params: &[
            need("system_user", Sort::Id, "The system user."),
            may("app", Sort::Id, "Only the tokens for this app."),
        ],
        run: |ctx| Box::pin(revoke_all(ctx)),
    },
    Command {
        name: "scope.list",
        summary: "List the scopes, what they allow, and what they rest on",
        access: Access::Anyone,
        writes: false,
        params: &[],
        run: |ctx| Box::pin(list_scopes(ctx)),
    },
];

async fn issue(ctx: Ctx) -> Result<Answer, Refusal> {
    let lifetime = match (ctx.integer("lifetime_s"), ctx.flag("never").unwrap_or(false)) {
        (Some(_), true) => {
            return Err(
                Refusal::invalid("never", "left out beside lifetime_s").with_note("send lifetime_s or never, not both")
            );
        }
        (Some(s), false) => Lifetime::Seconds(s),
        (None, true) => Lifetime::Never,
        (None, false) => Lifetime::Seconds(SIXTY_DAYS_S),
    };
    let ask = IssueRequest {
        system_user: ctx.need_id("system_user")?,
        app: ctx.need_id("app")?,
        scopes: ctx.scopes("scopes")?.unwrap_or_default(),
        lifetime,
        add_dependencies: ctx.flag("add_dependencies").unwrap_or(false),
    };
    let done = ctx.service.issue_token(&ctx.call, ask).await?;
    let (token, text) = &done.value;
    let result = json!({
        "access_token": text.reveal(),
        "token_id": token.id,
        "expires_at": show::maybe_time(token.expires_at),
        "scopes": token.scopes,
        "system_user": token.user,
        "app": token.app,
    });
    Ok(Answer::wrote(&done, result))
}

async fn list(ctx: Ctx) -> Result<Answer, Refusal> {
    let tokens = match (ctx.id("user"), ctx.id("business")) {
        (Some(_), Some(_)) => {
            return Err(Refusal::invalid("business", "left out beside user")
                .with_note("name the user or the business, not both"));
        }
        (Some(user), None) => ctx.service.list_tokens(&ctx.call, user).await?,
        (None, _) => ctx.service.list_business_tokens(&ctx.call, ctx.business()?).await?,
    };
    let (after, live) = (ctx.id("after"), ctx.flag("live").unwrap_or(false));
    let wanted = |l: &&Listed| after.is_none_or(|a| l.token.id < a) && (!live || l.status == TokenStatus::Live);
    let mut tokens: Vec<&Listed> = tokens.iter().filter(wanted).collect();
    // The page begins behind an id, so the ids give the order.
    tokens.sort_by_key(|l| std::cmp::Reverse(l.token.id));
    let more = tokens.len() > ctx.limit();
    tokens.truncate(ctx.limit());
    let next: Option<Id> = tokens.last().filter(|_| more).map(|l| l.token.id);
    let rows: Vec<Value> = ctx.read(|s| tokens.iter().map(|l| show::listed(s, l)).collect())?;
    Ok(Answer::read(page_of(rows, next)))
}

async fn show_one(ctx: Ctx) -> Result<Answer, Refusal> {
    let found = ctx.service.get_token(&ctx.call, ctx.need_id("token")?).await?;
    ctx.read(|s| Answer::read(show::listed(s, &found)))
}

async fn revoke(ctx: Ctx) -> Result<Answer, Refusal> {
    let token = ctx.need_id("token")?;
    if ctx.flag("with_descendants").unwrap_or(false) {
        let done = ctx.service.revoke_token_with_descendants(&ctx.call, token).await?;
        return Ok(Answer::wrote(&done, json!({ "revoked": done.value })));
    }
    let done = ctx.service.revoke_token(&ctx.call, token).await?;
    Ok(Answer::done(&done))
}

async fn revoke_all(ctx: Ctx) -> Result<Answer, Refusal> {
    let done = ctx.service.revoke_tokens(&ctx.call, ctx.need_id("system_user")?, ctx.id("app")).await?;
    Ok(Answer::done(&done))
}

async fn list_scopes(ctx: Ctx) -> Result<Answer, Refusal> {
    ctx.service.ask(&ctx.call, Question::about(Target::Nothing))?;
    let rows = Scope::all().map(|scope| {
        let row = scope.row();
        json!({ "scope": row.name, "needs": row.needs, "served": row.served, "sentence": row.sentence })
    });
    Ok(Answer::read(page_of(rows.collect(), None)))
}
