//! System users.

use serde_json::json;
use valetkey_domain::rules::system_user::{self, SystemUserEdit};
use valetkey_domain::{Purpose, Refusal, Role, Status, UserId};
use valetkey_service::preview::Act;
use valetkey_service::{Facts, rights};

use crate::command::{AFTER, Access, Answer, BUSINESS, Command, Ctx, LIMIT, Noun, Param, ROLE, Sort, line, may, need};
use crate::preview::{self, PREVIEW};
use crate::show;

const USER: Param = need("system_user", Sort::Id, "The system user.").of(Noun::SystemUser);

pub(crate) const ROWS: &[Command] = &[
    Command {
        name: "system-user.create",
        summary: "Make a system user; needs accepted terms and a connected app",
        access: Access::Admin,
        writes: true,
        params: &[
            BUSINESS,
            need("name", Sort::Name, "What the system user is called."),
            may(
                "role",
                ROLE,
                "ADMIN reaches everything of the business, EMPLOYEE only what is assigned to it. It can't be changed later.",
            )
            .default("EMPLOYEE"),
            may("description", Sort::Name, "What it is for, in up to 200 characters; shown in lists."),
        ],
        line: line("system-user create", "system-user create Poster --role EMPLOYEE")
            .makes("system user \"{name}\" created as {role}")
            .next("install an app on it with: valetkey app install APP {id}"),
        run: |ctx| Box::pin(create(ctx)),
    },
    Command {
        name: "system-user.list",
        summary: "List the system users of a business",
        access: Access::Admin,
        writes: false,
        params: &[BUSINESS, LIMIT, AFTER],
        line: line("system-user list", "system-user list").table(&[
            ("id", "id"),
            ("name", "name"),
            ("role", "role"),
            ("status", "status"),
            ("apps", "apps"),
            ("created", "created_at"),
        ]),
        run: |ctx| Box::pin(list(ctx)),
    },
    Command {
        name: "system-user.rename",
        summary: "Rename a system user",
        access: Access::Admin,
        writes: true,
        params: &[USER, need("name", Sort::Name, "The new name.")],
        line: line("system-user rename", "system-user rename Poster Writer")
            .says("{system_user} is called \"{name}\" now"),
        run: |ctx| Box::pin(rename(ctx)),
    },
    Command {
        name: "system-user.describe",
        summary: "Say what a system user is for, or take that away",
        access: Access::Admin,
        writes: true,
        params: &[
            USER,
            may("description", Sort::Name, "What it is for, in up to 200 characters. Left out: nothing is said any more."),
        ],
        line: line("system-user describe", "system-user describe Poster --description \"Nightly posts\"")
            .says("the description of {system_user} is changed"),
        run: |ctx| Box::pin(describe(ctx)),
    },
    Command {
        name: "system-user.activate",
        summary: "Let a deactivated system user's tokens work again",
        access: Access::Admin,
        writes: true,
        params: &[USER],
        line: line("system-user activate", "system-user activate Poster").says("{system_user} activated"),
        run: |ctx| Box::pin(switch(ctx, Status::Active)),
    },
    Command {
        name: "system-user.deactivate",
        summary: "Stop a system user; its tokens are refused when this answers",
        access: Access::Admin,
        writes: true,
        params: &[USER, PREVIEW],
        line: line("system-user deactivate", "system-user deactivate Poster")
            .says("{system_user} deactivated; its tokens are refused")
            .asks("The tokens of {system_user} are refused until it is activated again. Deactivate it?"),
        run: |ctx| Box::pin(switch(ctx, Status::Deactivated)),
    },
    Command {
        name: "system-user.delete",
        summary: "Delete a system user for good; its tokens are dead when this answers",
        access: Access::Admin,
        writes: true,
        params: &[USER, PREVIEW],
        line: line("system-user delete", "system-user delete Poster")
            .says("{system_user} deleted; its tokens are dead")
            .asks("The tokens of {system_user} are dead at once and stay dead. Delete the system user?"),
        run: |ctx| Box::pin(delete(ctx)),
    },
];

async fn create(ctx: Ctx) -> Result<Answer, Refusal> {
    let (business, name) = (ctx.business()?, ctx.need_name("name")?);
    let role = ctx.role("role").unwrap_or(Role::Employee);
    let description = ctx.name("description")?.map(Purpose::from);
    let done = ctx.service.create_system_user(&ctx.call, business, name, role, description).await?;
    Ok(Answer::wrote(&done, json!({ "id": done.value })))
}

async fn list(ctx: Ctx) -> Result<Answer, Refusal> {
    let business = ctx.business()?;
    let row = |s: &Facts<'_>, id: UserId| system_user::live(&**s, id).map(|u| show::system_user(&**s, &u));
    let question = rights::MANAGE_BUSINESS.on_business(business);
    ctx.list(question, |s| s.system_users(business), row).map(Answer::read)
}

async fn rename(ctx: Ctx) -> Result<Answer, Refusal> {
    edit(&ctx, SystemUserEdit { name: Some(ctx.need_name("name")?), ..SystemUserEdit::default() }).await
}

async fn describe(ctx: Ctx) -> Result<Answer, Refusal> {
    let description = Some(ctx.name("description")?.map(Purpose::from));
    edit(&ctx, SystemUserEdit { description, ..SystemUserEdit::default() }).await
}

async fn switch(ctx: Ctx, status: Status) -> Result<Answer, Refusal> {
    edit(&ctx, SystemUserEdit { status: Some(status), ..SystemUserEdit::default() }).await
}

async fn edit(ctx: &Ctx, edit: SystemUserEdit) -> Result<Answer, Refusal> {
    let user = ctx.need_id("system_user")?;
    if preview::is_wanted(ctx) {
        return preview::of(ctx, Act::UpdateSystemUser { user, edit }).await;
    }
    let done = ctx.service.update_system_user(&ctx.call, user, edit).await?;
    Ok(Answer::done(&done))
}

async fn delete(ctx: Ctx) -> Result<Answer, Refusal> {
    let user = ctx.need_id("system_user")?;
    if preview::is_wanted(&ctx) {
        return preview::of(&ctx, Act::DeleteSystemUser { user }).await;
    }
    let done = ctx.service.delete_system_user(&ctx.call, user).await?;
    Ok(Answer::done(&done))
}
