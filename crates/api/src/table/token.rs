//! Tokens: issue, list, revoke. A token's text is only in the answer that issues it.

use serde_json::{Value, json};
use valetkey_domain::rules::token::{IssueRequest, LIFETIME_LIMIT_S, Lifetime, SIXTY_DAYS_S};
use valetkey_domain::{Purpose, Refusal, Scope};
use valetkey_service::authz::{Question, Target};
use valetkey_service::preview::Act;
use valetkey_service::token::{Listed, TokenStatus};

use crate::command::{
    AFTER, Access, Answer, BUSINESS, Command, Ctx, LIMIT, Noun, Param, Sort, Spelling, line, may, need, page_of,
};
use crate::preview::{self, PREVIEW};
use crate::show;
use crate::table::{token_text, token_use};

/// A day, in seconds.
const DAY_S: i64 = 24 * 60 * 60;
const TOKEN: Param = need("token", Sort::Id, "The id of the token, not its text.");
const TEXT: Param = need("text", Sort::Text, "The whole text of the token.").secret().from_input();
const DESCENDANTS: Param = may(
    "with_descendants",
    Sort::Boolean,
    "Whether to revoke with it every token that was issued with it or refreshed from it, and what came from those.",
);

pub(crate) const ROWS: &[Command] = &[
    Command {
        name: "token.issue",
        summary: "Issue a token; its text is in the answer and nowhere else",
        access: Access::AdminOrSelf,
        writes: true,
        params: &[
            need("system_user", Sort::Id, "The system user that the token stands for.").of(Noun::SystemUser),
            need("app", Sort::Id, "A connected app that is installed on it.").of(Noun::App),
            need("scopes", Sort::Texts, "What the token may be used for (scope.list); public_profile is always added.").option(),
            may(
                "lifetime_s",
                Sort::Integer(1, LIFETIME_LIMIT_S),
                "How long it lives, in seconds. Left out: 60 days.",
            )
            .also("days", Spelling::Times { factor: DAY_S, limit: 3660 }, "How long it lives, in days."),
            may("never", Sort::Boolean, "Whether it has no end.").not_beside(&["lifetime_s"]),
            may(
                "add_dependencies",
                Sort::Boolean,
                "Whether to add the scopes that the wanted ones depend on, instead of refusing.",
            ),
            may("purpose", Sort::Name, "What the token is for, in up to 200 characters; shown in lists."),
        ],
        line: line("token issue", "token issue Poster Publisher --scopes pages_show_list,ads_read --days 30")
            .help("The text of the token alone goes to standard output, so that TOKEN=$(valetkey token issue …) holds it.")
            .prints("access_token")
            .next(
                "shown this once: keep it where secrets belong. Its id is {token_id}. It ends: {expires_at:never}. \
                 Scopes: {scopes}. Revoke it with: valetkey token revoke {token_id}",
            ),
        run: |ctx| Box::pin(issue(ctx)),
    },
    Command {
        name: "token.list",
        summary: "List the tokens of a user, or of a whole business, newest first",
        access: Access::AdminOrSelf,
        writes: false,
        params: &[
            may("user", Sort::Id, "The person or system user. Left out: the whole business.")
                .of(Noun::User)
                .not_beside(&["business"]),
            BUSINESS,
            may("live", Sort::Boolean, "Whether to leave out what no longer works."),
            LIMIT,
            AFTER,
        ],
        line: line("token list", "token list --user Poster --live").table(&[
            ("id", "id"),
            ("type", "type"),
            ("user", "user_name"),
            ("app", "app"),
            ("status", "status"),
            ("ends", "expires_at"),
            ("last used", "last_used_at"),
            ("from", "last_used_ip"),
            ("scopes", "scopes"),
        ]),
        run: |ctx| Box::pin(list(ctx)),
    },
    Command {
        name: "token.show",
        summary: "Show one token: who made it, what it may do, when it was last used",
        access: Access::AdminOrSelf,
        writes: false,
        params: &[TOKEN],
        line: line("token show", "token show 123456789")
            .help("With - in place of the id, the text of a token is read from standard input, as by token find.")
            .by_text("token.find"),
        run: |ctx| Box::pin(show_one(ctx)),
    },
    Command {
        name: "token.find",
        summary: "Find a token by its text: whose it is and what it may do",
        access: Access::Admin,
        writes: false,
        params: &[TEXT],
        line: line("token find", "token find -")
            .help("The text is neither stored nor shown. A token of another business is not found."),
        run: |ctx| Box::pin(token_text::find(ctx)),
    },
    Command {
        name: "token.uses",
        summary: "List what a token was used for: by day, scope, asset and task",
        access: Access::AdminOrSelf,
        writes: false,
        params: &[
            TOKEN,
            may("from_day", Sort::Text, "The first day, in UTC, such as 2026-11-24. Left out: 90 days ago."),
            may("until_day", Sort::Text, "The last day, in UTC. Left out: today."),
            LIMIT,
            may("after", Sort::Text, "Only rows after this place: `next` of the page before.").shown("PLACE"),
        ],
        line: line("token uses", "token uses 123456789 --from-day 2026-11-01")
            .help(
                "A call counts once in the row of each right that it used. A row marked as other holds what was not \
                 kept apart.",
            )
            .table(&[
                ("day", "day"),
                ("scope", "scope"),
                ("asset", "asset"),
                ("task", "task"),
                ("other", "other"),
                ("uses", "uses"),
                ("first", "first_at"),
                ("last", "last_at"),
                ("from", "ip"),
                ("program", "user_agent"),
            ])
            .next("as of {as_of}; in the store up to {written_until:nothing yet}"),
        run: |ctx| Box::pin(token_use::uses(ctx)),
    },
    Command {
        name: "token.revoke",
        summary: "Revoke a token; no use of it is accepted once this has answered",
        access: Access::AdminOrSelf,
        writes: true,
        params: &[TOKEN, DESCENDANTS, PREVIEW],
        line: line("token revoke", "token revoke 123456789 --with-descendants")
            .help("With - in place of the id, the text of a leaked token is read from standard input.")
            .by_text("token.revoke-text")
            .says("token {token} revoked[, with all that came from it, {revoked} in all]; no use is accepted any more")
            .asks("Token {token} is dead at once and stays dead. Revoke it?"),
        run: |ctx| Box::pin(revoke(ctx)),
    },
    Command {
        name: "token.revoke-text",
        summary: "Revoke the token that has this text, for one that leaked",
        access: Access::Admin,
        writes: true,
        params: &[TEXT, DESCENDANTS],
        line: line("token revoke-text", "token revoke-text -")
            .says("token {token} revoked[, with all that came from it, {revoked} in all]; no use is accepted any more"),
        run: |ctx| Box::pin(token_text::revoke(ctx)),
    },
    Command {
        name: "token.revoke-all",
        summary: "Revoke all tokens of a system user, or those for one app",
        access: Access::AdminOrSelf,
        writes: true,
        params: &[
            need("system_user", Sort::Id, "The system user.").of(Noun::SystemUser),
            may("app", Sort::Id, "The app whose tokens are meant. Left out: all of them.").of(Noun::App),
            PREVIEW,
        ],
        line: line("token revoke-all", "token revoke-all Poster --app Publisher")
            .says("the tokens of {system_user}[ for {app}] are revoked")
            .asks("All tokens of {system_user}[ for {app}] are dead at once and stay dead. Revoke them?"),
        run: |ctx| Box::pin(revoke_all(ctx)),
    },
    Command {
        name: "scope.list",
        summary: "List the scopes, what they allow, and what they depend on",
        access: Access::Anyone,
        writes: false,
        params: &[],
        line: line("token scopes", "token scopes").table(&[
            ("scope", "scope"),
            ("needs", "needs"),
            ("allows", "sentence"),
        ]),
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
        purpose: ctx.name("purpose")?.map(Purpose::from),
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
    let tokens = match (ctx.id("user"), ctx.text("business")) {
        (Some(_), Some(_)) => {
            return Err(Refusal::invalid("business", "left out beside user")
                .with_note("name the user or the business, not both"));
        }
        (Some(user), None) => ctx.service.list_tokens(&ctx.call, user).await?,
        (None, _) => ctx.service.list_business_tokens(&ctx.call, ctx.business()?).await?,
    };
    let tokens = tokens.into_inner();
    let (after, live) = (ctx.id("after"), ctx.flag("live").unwrap_or(false));
    let wanted = |l: &&Listed| after.is_none_or(|a| l.token.id < a) && (!live || l.status == TokenStatus::Live);
    let mut tokens: Vec<&Listed> = tokens.iter().filter(wanted).collect();
    // A page begins after an id, so the list is sorted by id.
    tokens.sort_by_key(|l| std::cmp::Reverse(l.token.id));
    let more = tokens.len() > ctx.limit();
    tokens.truncate(ctx.limit());
    let next = tokens.last().filter(|_| more).map(|l| l.token.id.any());
    let question = Question::about(Target::Nothing);
    let rows: Vec<Value> = ctx.step(question, |s| tokens.iter().map(|l| show::listed(&**s, l)).collect())?;
    Ok(Answer::read(page_of(rows, next)))
}

async fn show_one(ctx: Ctx) -> Result<Answer, Refusal> {
    let found = ctx.service.get_token(&ctx.call, ctx.need_id("token")?).await?;
    ctx.step(Question::about(Target::Nothing), |s| Answer::read(show::listed(&**s, &found)))
}

async fn revoke(ctx: Ctx) -> Result<Answer, Refusal> {
    let token = ctx.need_id("token")?;
    let with_descendants = ctx.flag("with_descendants").unwrap_or(false);
    if preview::is_wanted(&ctx) {
        return preview::of(&ctx, Act::RevokeToken { id: token, with_descendants }).await;
    }
    if with_descendants {
        let done = ctx.service.revoke_token_with_descendants(&ctx.call, token).await?;
        return Ok(Answer::wrote(&done, json!({ "revoked": done.value })));
    }
    let done = ctx.service.revoke_token(&ctx.call, token).await?;
    Ok(Answer::done(&done))
}

async fn revoke_all(ctx: Ctx) -> Result<Answer, Refusal> {
    let (user, app) = (ctx.need_id("system_user")?, ctx.id("app"));
    if preview::is_wanted(&ctx) {
        return preview::of(&ctx, Act::RevokeTokens { user, app }).await;
    }
    let done = ctx.service.revoke_tokens(&ctx.call, user, app).await?;
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
