//! Apps: secrets, connections, installations.

use serde_json::json;
use valetkey_domain::app::{AppEdit, SECRET_OVERLAP_LIMIT_S, SECRET_OVERLAP_S};
use valetkey_domain::{Id, List, Refusal, State};
use valetkey_service::rights;

use crate::command::{AFTER, Access, Answer, BUSINESS, Command, Ctx, LIMIT, Param, Sort, may, need};
use crate::show;

const APP: Param = need("app", Sort::Id, "The app.");
const OF: Param = may("business", Sort::Id, "The business. Left out: the caller's own; for the operator, the app's.");
const USER: Param = need("system_user", Sort::Id, "The system user.");

pub(crate) const ROWS: &[Command] = &[
    Command {
        name: "app.create",
        summary: "Make an app and connect it; its secret is in the answer and nowhere else",
        access: Access::Admin,
        writes: true,
        params: &[
            BUSINESS,
            need("name", Sort::Name, "What the app is called."),
            may(
                "demands_proof",
                Sort::Boolean,
                "Whether every call with its tokens must bring appsecret_proof; false if left out.",
            ),
        ],
        run: |ctx| Box::pin(create(ctx)),
    },
    Command {
        name: "app.list",
        summary: "List the apps of a business",
        access: Access::Admin,
        writes: false,
        params: &[BUSINESS, LIMIT, AFTER],
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
            may("allowed_scopes", Sort::Texts, "All scopes that tokens for this app may carry; replaces the list."),
            may("demands_proof", Sort::Boolean, "Whether every call must bring appsecret_proof."),
        ],
        run: |ctx| Box::pin(update(ctx)),
    },
    Command {
        name: "app.rotate-secret",
        summary: "Give an app a new secret, shown once; the old one goes on for a while",
        access: Access::Admin,
        writes: true,
        params: &[
            APP,
            may(
                "overlap_s",
                Sort::Integer(0, SECRET_OVERLAP_LIMIT_S),
                "How long the old secret still works, in seconds; 86400 if left out, 0 ends it at once.",
            ),
        ],
        run: |ctx| Box::pin(rotate(ctx)),
    },
    Command {
        name: "app.connect",
        summary: "Connect an own app again; its tokens from before stay dead",
        access: Access::Admin,
        writes: true,
        params: &[OF, APP],
        run: |ctx| Box::pin(connect(ctx)),
    },
    Command {
        name: "app.disconnect",
        summary: "Take an app off a business; its tokens there are dead when this answers",
        access: Access::Admin,
        writes: true,
        params: &[OF, APP],
        run: |ctx| Box::pin(disconnect(ctx)),
    },
    Command {
        name: "app.install",
        summary: "Install an app on a system user",
        access: Access::Admin,
        writes: true,
        params: &[USER, APP],
        run: |ctx| Box::pin(install(ctx)),
    },
    Command {
        name: "app.uninstall",
        summary: "Take an app off a system user; its tokens of that app are dead when this answers",
        access: Access::Admin,
        writes: true,
        params: &[USER, APP],
        run: |ctx| Box::pin(uninstall(ctx)),
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
    ctx.service.ask(&ctx.call, rights::MANAGE_BUSINESS.on_business(business))?;
    let ids = ctx.read(|s| s.list(List::OwnedApps(business)))?;
    let row = |s: &dyn State, id: Id| s.app(id).map(|a| show::app(&a, s.connection(business, id).is_some()));
    ctx.page(ids, row).map(Answer::read)
}

async fn update(ctx: Ctx) -> Result<Answer, Refusal> {
    let edit = AppEdit {
        name: ctx.name("name")?,
        allowed_scopes: ctx.scopes("allowed_scopes")?,
        demands_proof: ctx.flag("demands_proof"),
    };
    let done = ctx.service.update_app(&ctx.call, ctx.need_id("app")?, edit).await?;
    Ok(Answer::done(&done))
}

async fn rotate(ctx: Ctx) -> Result<Answer, Refusal> {
    let overlap_s = ctx.integer("overlap_s").unwrap_or(SECRET_OVERLAP_S);
    let done = ctx.service.rotate_app_secret(&ctx.call, ctx.need_id("app")?, overlap_s).await?;
    Ok(Answer::wrote(&done, json!({ "secret": done.value })))
}

/// The business of a connection: the one named, the caller's own, or, for the operator, the app's.
fn business_of(ctx: &Ctx, app: Id) -> Result<Id, Refusal> {
    let owner = ctx.read(|s| s.app(app).map(|a| a.business))?;
    ctx.business_or(owner)
}

async fn connect(ctx: Ctx) -> Result<Answer, Refusal> {
    let app = ctx.need_id("app")?;
    let done = ctx.service.connect_app(&ctx.call, business_of(&ctx, app)?, app).await?;
    Ok(Answer::done(&done))
}

async fn disconnect(ctx: Ctx) -> Result<Answer, Refusal> {
    let app = ctx.need_id("app")?;
    let done = ctx.service.disconnect_app(&ctx.call, business_of(&ctx, app)?, app).await?;
    Ok(Answer::done(&done))
}

async fn install(ctx: Ctx) -> Result<Answer, Refusal> {
    let done = ctx.service.install_app(&ctx.call, ctx.need_id("system_user")?, ctx.need_id("app")?).await?;
    Ok(Answer::done(&done))
}

async fn uninstall(ctx: Ctx) -> Result<Answer, Refusal> {
    let done = ctx.service.uninstall_app(&ctx.call, ctx.need_id("system_user")?, ctx.need_id("app")?, false).await?;
    Ok(Answer::done(&done))
}
