//! People, and their sign-in codes.

use serde_json::json;
use valetkey_domain::rules::person::PersonEdit;
use valetkey_domain::rules::sign_in::CODE_LIFETIME_MS;
use valetkey_domain::{Refusal, Role, Status, UserId};
use valetkey_service::authz::{Question, Target};
use valetkey_service::preview::Act;
use valetkey_service::{Facts, rights};

use crate::command::{
    AFTER, Access, Answer, BUSINESS, Command, Ctx, LIMIT, Noun, Param, ROLE, Sort, Spelling, line, may, need,
};
use crate::preview::{self, PREVIEW};
use crate::show;

const PERSON: Param = need("person", Sort::Id, "The person.").of(Noun::Person);

pub(crate) const ROWS: &[Command] = &[
    Command {
        name: "person.create",
        summary: "Add a person to a business",
        access: Access::Admin,
        writes: true,
        params: &[
            BUSINESS,
            need("name", Sort::Name, "The person's name."),
            need(
                "email",
                Sort::Text,
                "An e-mail address that nobody on this server signs in with; the operator may add one that is in use.",
            )
            .option()
            .shown("ADDRESS"),
            may("role", ROLE, "ADMIN reaches everything of the business, EMPLOYEE only what is assigned.")
                .default("EMPLOYEE"),
        ],
        line: line("person create", "person create \"Cy Berg\" --email cy@example.com --role EMPLOYEE")
            .makes("{name} added as {role}")
            .next("let them in with: valetkey person sign-in {email}"),
        run: |ctx| Box::pin(create(ctx)),
    },
    Command {
        name: "person.list",
        summary: "List the people of a business",
        access: Access::Admin,
        writes: false,
        params: &[BUSINESS, LIMIT, AFTER],
        line: line("person list", "person list").table(&[
            ("id", "id"),
            ("name", "name"),
            ("email", "email"),
            ("role", "role"),
            ("status", "status"),
            ("created", "created_at"),
        ]),
        run: |ctx| Box::pin(list(ctx)),
    },
    Command {
        name: "person.update",
        summary: "Change a person's name, role or status",
        access: Access::Admin,
        writes: true,
        params: &[
            PERSON,
            may("name", Sort::Name, "A new name."),
            may("role", ROLE, "A new role. The last ADMIN stays."),
            may("status", Sort::Word(&["ACTIVE", "DEACTIVATED"]), "Whether the person's tokens work.").also(
                "active",
                Spelling::Either("ACTIVE", "DEACTIVATED"),
                "true is --status ACTIVE, false is --status DEACTIVATED.",
            ),
            PREVIEW,
        ],
        line: line("person update", "person update bo@example.com --role ADMIN")
            .says("{person} changed")
            .asks("The change takes something away at once. Change {person}?")
            .needs_change(),
        run: |ctx| Box::pin(update(ctx)),
    },
    Command {
        name: "person.delete",
        summary: "Delete a person; their tokens are dead when this answers",
        access: Access::Admin,
        writes: true,
        params: &[PERSON, PREVIEW],
        line: line("person delete", "person delete bo@example.com")
            .says("{person} deleted; the person's tokens are dead")
            .asks("The tokens of {person} are dead at once and stay dead. Delete the person?"),
        run: |ctx| Box::pin(delete(ctx)),
    },
    Command {
        name: "sign-in.create",
        summary: "Make a single-use sign-in code for a person, good for one day",
        access: Access::Admin,
        writes: true,
        params: &[PERSON],
        line: line("person sign-in", "person sign-in ada@example.com")
            .help(
                "The operator can do this for anybody. An ADMIN can, signed in as a person, for whoever has no passkey \
                 and no password yet and works for no other business on this server.",
            )
            .prints("code")
            .next("works once, until {expires_at}: valetkey login CODE"),
        run: |ctx| Box::pin(create_code(ctx)),
    },
    Command {
        name: "sign-in.list",
        summary: "List the sign-in codes that wait to be redeemed",
        access: Access::Admin,
        writes: false,
        params: &[
            may("business", Sort::Id, "The business. Left out: the caller's own; for the operator, all.")
                .of(Noun::Business),
            LIMIT,
        ],
        line: line("person sign-ins", "person sign-ins").table(&[
            ("person", "person"),
            ("email", "email"),
            ("created", "created_at"),
            ("ends", "expires_at"),
        ]),
        run: |ctx| Box::pin(list_codes(ctx)),
    },
];

async fn create(ctx: Ctx) -> Result<Answer, Refusal> {
    let (name, email, role) =
        (ctx.need_name("name")?, ctx.need_text("email")?, ctx.role("role").unwrap_or(Role::Employee));
    let done = ctx.service.create_person(&ctx.call, ctx.business()?, name, email, role).await?;
    Ok(Answer::wrote(&done, json!({ "id": done.value })))
}

async fn list(ctx: Ctx) -> Result<Answer, Refusal> {
    let business = ctx.business()?;
    let row =
        |s: &Facts<'_>, id: UserId| s.person(id).filter(|p| p.status != Status::Deleted).map(|p| show::person(&p));
    let question = rights::MANAGE_BUSINESS.on_business(business);
    ctx.list(question, |s| s.people(business), row).map(Answer::read)
}

async fn update(ctx: Ctx) -> Result<Answer, Refusal> {
    let status = match ctx.text("status") {
        Some("ACTIVE") => Some(Status::Active),
        Some("DEACTIVATED") => Some(Status::Deactivated),
        _ => None,
    };
    edit_or_preview(&ctx, PersonEdit { name: ctx.name("name")?, role: ctx.role("role"), status }).await
}

async fn delete(ctx: Ctx) -> Result<Answer, Refusal> {
    edit_or_preview(&ctx, PersonEdit { status: Some(Status::Deleted), ..PersonEdit::default() }).await
}

async fn edit_or_preview(ctx: &Ctx, edit: PersonEdit) -> Result<Answer, Refusal> {
    let person = ctx.need_id("person")?;
    if preview::is_wanted(ctx) {
        return preview::of(ctx, Act::UpdatePerson { person, edit }).await;
    }
    let done = ctx.service.update_person(&ctx.call, person, edit).await?;
    Ok(Answer::done(&done))
}

async fn create_code(ctx: Ctx) -> Result<Answer, Refusal> {
    let done = ctx.service.create_sign_in_code(&ctx.call, ctx.need_id("person")?).await?;
    // The commit sets the time, so the record is read back by its digest.
    let read = |s: &Facts<'_>| s.sign_in_code(&done.value.digest()).map(|c| c.expires_at);
    let end = ctx.step(Question::about(Target::Nothing), read)?;
    let end = end.unwrap_or_else(|| ctx.service.now() + CODE_LIFETIME_MS);
    Ok(Answer::wrote(&done, json!({ "code": done.value.reveal(), "expires_at": show::time(end) })))
}

async fn list_codes(ctx: Ctx) -> Result<Answer, Refusal> {
    let wanted = ctx.id("business").or(ctx.caller.business());
    let right = match wanted {
        Some(business) => rights::MANAGE_BUSINESS.on_business(business),
        None => rights::MANAGE_BUSINESS.on_caller(),
    };
    let mut codes = ctx.service.sign_in_codes(&ctx.call, right, wanted)?;
    codes.sort_by_key(|c| std::cmp::Reverse((c.created_at, c.digest)));
    codes.truncate(ctx.limit());
    ctx.step(right, |s| {
        let rows = codes.iter().map(|c| show::sign_in_code(&**s, c)).collect();
        Answer::read(crate::command::page_of(rows, None))
    })
}
