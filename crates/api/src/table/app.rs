//! Apps: secrets, connections, installations.

use serde_json::{Map, Value, json};
use valetkey_domain::rules::app::{AppEdit, SECRET_OVERLAP_LIMIT_S, SECRET_OVERLAP_S};
use valetkey_domain::{AppId, BusinessId, Refusal, ScopeSet};
use valetkey_service::app::Narrowing;
use valetkey_service::preview::Act;
use valetkey_service::read::Guard;
use valetkey_service::{Facts, rights};

use crate::command::{AFTER, Access, Answer, BUSINESS, Command, Ctx, LIMIT, Noun, Param, Sort, line, may, need};
use crate::preview::{self, PREVIEW};
use crate::show;

const APP: Param = need("app", Sort::Id, "The app.").of(Noun::App);
const OF: Param = may("business", Sort::Id, "The business. Left out: the caller's own; for the operator, the app's.")
    .of(Noun::Business);
const USER: Param = need("system_user", Sort::Id, "The system user.").of(Noun::SystemUser);

pub(crate) const ROWS: &[Command] = &[
    Command {
        name: "app.create",
        summary: "Make an app and connect it; its secret is in the answer and nowhere else",
        access: Access::Admin,
        writes: true,
        params: &[
            BUSINESS,
            need("name", Sort::Name, "What the app is called."),
            may("demands_proof", Sort::Boolean, "Whether every call with its tokens must bring appsecret_proof.")
                .default("false"),
        ],
        line: line("app create", "app create Publisher --demands-proof")
            .makes("app \"{name}\" created and connected")
            .next("the secret is shown this once: keep it where secrets belong"),
        run: |ctx| Box::pin(create(ctx)),
    },
    Command {
        name: "app.list",
        summary: "List the apps of a business",
        access: Access::Admin,
        writes: false,
        params: &[BUSINESS, LIMIT, AFTER],
        line: line("app list", "app list").table(&[
            ("id", "id"),
            ("name", "name"),
            ("connected", "connected"),
            ("demands proof", "demands_proof"),
            ("created", "created_at"),
        ]),
        run: |ctx| Box::pin(list(ctx)),
    },
    Command {
        name: "app.update",
        summary: "Change an app's name, its scopes, or whether it demands proof",
        access: Access::Admin,
        writes: true,
        params: &[
            APP,
            may("name", Sort::Name, "A new name."),
            may("allowed_scopes", Sort::Texts, "All scopes that tokens for this app may carry; replaces the list.")
                .called("scopes"),
            may("demands_proof", Sort::Boolean, "Whether every call must bring appsecret_proof.").with_value(),
            PREVIEW,
        ],
        line: line("app update", "app update Publisher --scopes pages_show_list,pages_manage_posts")
            .says("app {app} changed[; live tokens lost scopes: {lost}]")
            .asks_after(
                "app.narrowing",
                "{tokens} live tokens of {app} lose scopes at once: {lost}. Widening gives them back. Change the app?",
            )
            .needs_change(),
        run: |ctx| Box::pin(update(ctx)),
    },
    Command {
        name: "app.narrowing",
        summary: "Count the tokens that would lose scopes if an app might ask for these alone",
        access: Access::Admin,
        writes: false,
        params: &[
            APP,
            may("allowed_scopes", Sort::Texts, "The scopes, as for app.update. Left out: those that it has.")
                .called("scopes"),
        ],
        line: line("app narrowing", "app narrowing Publisher --scopes pages_show_list"),
        run: |ctx| Box::pin(narrowing(ctx)),
    },
    Command {
        name: "app.rotate-secret",
        summary: "Give an app a new secret, shown once; the old one works for a while",
        access: Access::Admin,
        writes: true,
        params: &[
            APP,
            may(
                "overlap_s",
                Sort::Integer(0, SECRET_OVERLAP_LIMIT_S),
                "How long the old secret still works, in seconds; 0 ends it at once.",
            )
            .default("86400"),
        ],
        line: line("app rotate-secret", "app rotate-secret Publisher --overlap-s 3600")
            .prints("secret")
            .next("shown this once; the secret before works for another {overlap_s} seconds"),
        run: |ctx| Box::pin(rotate(ctx)),
    },
    Command {
        name: "app.connect",
        summary: "Connect an own app again; its tokens from before stay dead",
        access: Access::Admin,
        writes: true,
        params: &[OF, APP],
        line: line("app connect", "app connect Publisher").says("app {app} connected"),
        run: |ctx| Box::pin(connect(ctx)),
    },
    Command {
        name: "app.disconnect",
        summary: "Disconnect an app from a business; its tokens there are dead when this answers",
        access: Access::Admin,
        writes: true,
        params: &[OF, APP, PREVIEW],
        line: line("app disconnect", "app disconnect Publisher")
            .says("app {app} disconnected; its tokens there are dead")
            .asks("The tokens of {app} are dead at once and stay dead. Disconnect the app?"),
        run: |ctx| Box::pin(disconnect(ctx)),
    },
    Command {
        name: "app.install",
        summary: "Install an app on a system user",
        access: Access::Admin,
        writes: true,
        params: &[APP, USER],
        line: line("app install", "app install Publisher Poster").says("app {app} installed on {system_user}"),
        run: |ctx| Box::pin(install(ctx)),
    },
    Command {
        name: "app.uninstall",
        summary: "Uninstall an app from a system user; its tokens of that app are dead when this answers",
        access: Access::Admin,
        writes: true,
        params: &[APP, USER, PREVIEW],
        line: line("app uninstall", "app uninstall Publisher Poster")
            .says("app {app} uninstalled from {system_user}; its tokens there are dead")
            .asks("The tokens of {system_user} for {app} are dead at once. Uninstall the app?"),
        run: |ctx| Box::pin(uninstall(ctx)),
    },
    Command {
        name: "app.delete",
        summary: "Delete an app for good; its tokens are dead when this answers",
        access: Access::Admin,
        writes: true,
        params: &[APP, PREVIEW],
        line: line("app delete", "app delete Publisher")
            .help(
                "For an app that was made by mistake. It is disconnected and uninstalled with it, and its id is never \
                 used again.",
            )
            .says("app {app} deleted; its tokens are dead")
            .asks("The tokens of {app} are dead at once and stay dead. Delete the app, for good?"),
        run: |ctx| Box::pin(delete(ctx)),
    },
];

async fn create(ctx: Ctx) -> Result<Answer, Refusal> {
    let (business, name) = (ctx.business()?, ctx.need_name("name")?);
    let demands_proof = ctx.flag("demands_proof").unwrap_or(false);
    let done = ctx.service.create_app(&ctx.call, business, name, demands_proof).await?;
    let (id, secret) = &done.value;
    Ok(Answer::wrote(&done, json!({ "id": id, "secret": secret })))
}

async fn list(ctx: Ctx) -> Result<Answer, Refusal> {
    let business = ctx.business()?;
    let row = |s: &Facts<'_>, id: AppId| s.app(id).map(|a| show::app(&a, s.connection(business, id).is_some()));
    let question = rights::MANAGE_BUSINESS.on_business(business);
    ctx.list(question, |s| s.owned_apps(business), row).map(Answer::read)
}

async fn update(ctx: Ctx) -> Result<Answer, Refusal> {
    let edit = AppEdit {
        name: ctx.name("name")?,
        allowed_scopes: ctx.scopes("allowed_scopes")?,
        demands_proof: ctx.flag("demands_proof"),
    };
    let app = ctx.need_id("app")?;
    if preview::is_wanted(&ctx) {
        return preview::of(&ctx, Act::UpdateApp { app, edit }).await;
    }
    let done = ctx.service.update_app(&ctx.call, app, edit).await?;
    Ok(Answer::wrote(&done, narrowed(&done.value)))
}

async fn narrowing(ctx: Ctx) -> Result<Answer, Refusal> {
    let app = ctx.need_id("app")?;
    let allowed = ctx.scopes("allowed_scopes")?.unwrap_or(ScopeSet::all());
    ctx.service.narrowing_effect(&ctx.call, app, allowed).await.map(|found| Answer::read(narrowed(&found)))
}

/// How many tokens lose which scopes; `asks` says whether any token does.
fn narrowed(found: &Narrowing) -> Value {
    let lost: Vec<String> = found.scopes.iter().map(|(scope, tokens)| format!("{} ({tokens})", scope.name())).collect();
    let scopes: Map<String, Value> = found.scopes.iter().map(|(s, n)| (s.name().to_owned(), json!(n))).collect();
    json!({ "asks": found.tokens > 0, "tokens": found.tokens, "lost": lost.join(", "), "scopes": scopes })
}

async fn rotate(ctx: Ctx) -> Result<Answer, Refusal> {
    let overlap_s = ctx.integer("overlap_s").unwrap_or(SECRET_OVERLAP_S);
    let done = ctx.service.rotate_app_secret(&ctx.call, ctx.need_id("app")?, overlap_s).await?;
    Ok(Answer::wrote(&done, json!({ "secret": done.value })))
}

/// The business of a connection: the one named, the caller's own, or, for the operator, the app's.
fn business_of(ctx: &Ctx, app: AppId) -> Result<BusinessId, Refusal> {
    let owner = match ctx.service.record_guard(app)? {
        Guard::App { business } => business,
        Guard::Business
        | Guard::SystemUser { .. }
        | Guard::Person { .. }
        | Guard::Asset { .. }
        | Guard::Token { .. }
        | Guard::Content { .. }
        | Guard::Absent => None,
    };
    ctx.business_or(owner)
}

async fn connect(ctx: Ctx) -> Result<Answer, Refusal> {
    let app = ctx.need_id("app")?;
    let done = ctx.service.connect_app(&ctx.call, business_of(&ctx, app)?, app).await?;
    Ok(Answer::done(&done))
}

async fn disconnect(ctx: Ctx) -> Result<Answer, Refusal> {
    let app = ctx.need_id("app")?;
    let business = business_of(&ctx, app)?;
    if preview::is_wanted(&ctx) {
        return preview::of(&ctx, Act::DisconnectApp { business, app }).await;
    }
    let done = ctx.service.disconnect_app(&ctx.call, business, app).await?;
    Ok(Answer::done(&done))
}

async fn install(ctx: Ctx) -> Result<Answer, Refusal> {
    let done = ctx.service.install_app(&ctx.call, ctx.need_id("system_user")?, ctx.need_id("app")?).await?;
    Ok(Answer::done(&done))
}

async fn uninstall(ctx: Ctx) -> Result<Answer, Refusal> {
    let (system_user, app) = (ctx.need_id("system_user")?, ctx.need_id("app")?);
    if preview::is_wanted(&ctx) {
        return preview::of(&ctx, Act::UninstallApp { system_user, app }).await;
    }
    let done = ctx.service.uninstall_app(&ctx.call, system_user, app, false).await?;
    Ok(Answer::done(&done))
}

async fn delete(ctx: Ctx) -> Result<Answer, Refusal> {
    let app = ctx.need_id("app")?;
    if preview::is_wanted(&ctx) {
        return preview::of(&ctx, Act::DeleteApp { app }).await;
    }
    let done = ctx.service.delete_app(&ctx.call, app).await?;
    Ok(Answer::done(&done))
}
