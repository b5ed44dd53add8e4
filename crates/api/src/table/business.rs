//! Businesses and the terms that they accept.

use serde_json::{Value, json};
use valetkey_domain::limits::Limits;
use valetkey_domain::rules::business::BusinessEdit;
use valetkey_domain::{BusinessId, Name, Refusal};
use valetkey_service::authz::{Question, Target};
use valetkey_service::preview::Act;
use valetkey_service::{Facts, rights};

use crate::command::{AFTER, Access, Answer, BUSINESS, Command, Ctx, LIMIT, Noun, Sort, line, may, need};
use crate::preview::{self, PREVIEW};
use crate::show;

const COUNT: Sort = Sort::Integer(0, u32::MAX as i64);

pub(crate) const ROWS: &[Command] = &[
    Command {
        name: "business.create",
        summary: "Make a business with its first ADMIN person",
        access: Access::Operator,
        writes: true,
        params: &[
            need("name", Sort::Name, "What the business is called."),
            need("admin_email", Sort::Text, "The e-mail address of its first ADMIN.").option().shown("ADDRESS"),
            may("admin_name", Sort::Name, "The name of that person. Left out: the address up to its @.").shown("NAME"),
        ],
        line: line("business create", "business create Agency --admin-email eve@example.com")
            .makes("business \"{name}\" created")
            .next("let its ADMIN in with: valetkey person sign-in {admin_email}"),
        run: |ctx| Box::pin(create(ctx)),
    },
    Command {
        name: "business.list",
        summary: "List businesses: one's own, or all for the operator",
        access: Access::Admin,
        writes: false,
        params: &[LIMIT, AFTER],
        line: line("business list", "business list").table(&[
            ("id", "id"),
            ("name", "name"),
            ("terms", "terms_accepted"),
            ("strict", "strict_visibility"),
            ("created", "created_at"),
        ]),
        run: |ctx| Box::pin(list(ctx)),
    },
    Command {
        name: "business.update",
        summary: "Rename a business, or change its rules and limits",
        access: Access::Admin,
        writes: true,
        params: &[
            BUSINESS.positional(),
            may("name", Sort::Name, "A new name."),
            may(
                "strict_visibility",
                Sort::Boolean,
                "Whether an EMPLOYEE sees what is not assigned to it as if it did not exist.",
            )
            .with_value(),
            may(
                "token_lifetime_limit_s",
                Sort::Integer(0, i64::MAX),
                "The longest life of a new token, 60 seconds or more; 0 takes the limit away.",
            ),
            may(
                "limits_preset",
                Sort::Word(&["default", "meta-limited", "meta-full"]),
                "A set of limits; only for the operator.",
            )
            .called("limits")
            .shown("PRESET"),
            may("admin_system_users_limit", COUNT, "How many ADMIN system users; only for the operator."),
            may("employee_system_users_limit", COUNT, "How many EMPLOYEE system users; only for the operator."),
            may("people_limit", COUNT, "How many people; only for the operator."),
            may("apps_limit", COUNT, "How many apps; only for the operator."),
            may("assets_limit", COUNT, "How many assets; only for the operator."),
            may(
                "tokens_per_system_user_limit",
                COUNT,
                "How many live tokens of one system user; only for the operator.",
            ),
        ],
        line: line("business update", "business update Velo --strict-visibility true --people-limit 50")
            .says("business changed")
            .needs_change(),
        run: |ctx| Box::pin(update(ctx)),
    },
    Command {
        name: "business.delete",
        summary: "Delete a business that has no apps, assets, shares or live tokens",
        access: Access::Operator,
        writes: true,
        params: &[need("business", Sort::Id, "The business.").of(Noun::Business), PREVIEW],
        line: line("business delete", "business delete Agency")
            .help("Its people and system users are deleted with it. The entries of its ledger stay.")
            .says("business {business} deleted")
            .asks("Its people and system users are deleted with it, for good. Delete {business}?"),
        run: |ctx| Box::pin(delete(ctx)),
    },
    Command {
        name: "terms.show",
        summary: "Show the terms in force",
        access: Access::Anyone,
        writes: false,
        params: &[],
        line: line("terms show", "terms show")
            .prints("text")
            .next("version {version} is in force; an ADMIN person accepts it with: valetkey terms accept"),
        run: |ctx| Box::pin(show_terms(ctx)),
    },
    Command {
        name: "terms.accept",
        summary: "Accept the terms in force for one's business",
        access: Access::AdminPerson,
        writes: true,
        params: &[need(
            "version",
            Sort::Integer(1, u32::MAX as i64),
            "The version that was read; only the one in force can be accepted.",
        )],
        line: line("terms accept", "terms accept --version 1 --yes").by_program(),
        run: |ctx| Box::pin(accept_terms(ctx)),
    },
    Command {
        name: "terms.replace",
        summary: "Put a new text of the terms in force",
        access: Access::Operator,
        writes: true,
        params: &[need("text", Sort::Text, "The whole text, at most 100,000 bytes.").from_file()],
        line: line("terms replace", "terms replace terms.txt")
            .says("version {version} is in force; new system users and tokens wait until it is accepted")
            .asks("New system users and new tokens wait until each business accepts the new text. Put it in force?"),
        run: |ctx| Box::pin(replace_terms(ctx)),
    },
];

async fn create(ctx: Ctx) -> Result<Answer, Refusal> {
    let email = ctx.need_text("admin_email")?;
    let admin = match ctx.name("admin_name")? {
        Some(name) => name,
        None => {
            let user = email.split('@').next().unwrap_or_default();
            Name::parse(user)
                .map_err(|_| Refusal::invalid("admin_email", "an e-mail address such as ada@example.com"))?
        }
    };
    let done = ctx.service.create_business(&ctx.call, ctx.need_name("name")?, admin, email).await;
    let done = done.map_err(|mut refusal| {
        if refusal.field.as_deref() == Some("email") {
            refusal.field = Some("admin_email".to_owned());
        }
        refusal
    })?;
    let (business, person) = done.value;
    Ok(Answer::wrote(&done, json!({ "id": business, "admin": person })))
}

async fn list(ctx: Ctx) -> Result<Answer, Refusal> {
    let ids = |s: &Facts<'_>| match s.allowed.caller.business() {
        Some(own) => vec![own],
        None => s.businesses(),
    };
    let row = |s: &Facts<'_>, id: BusinessId| s.business(id).map(|b| show::business(&b, s.terms().version));
    ctx.list(rights::MANAGE_BUSINESS.on_caller(), ids, row).map(Answer::read)
}

async fn update(ctx: Ctx) -> Result<Answer, Refusal> {
    let id = ctx.business()?;
    let edit = BusinessEdit {
        name: ctx.name("name")?,
        strict_visibility: ctx.flag("strict_visibility"),
        token_lifetime_limit_s: ctx.integer("token_lifetime_limit_s").map(|s| (s != 0).then_some(s)),
        limits: limits(&ctx, id)?,
    };
    let done = ctx.service.update_business(&ctx.call, id, edit).await?;
    Ok(Answer::done(&done))
}

async fn delete(ctx: Ctx) -> Result<Answer, Refusal> {
    let business = ctx.need_id("business")?;
    if preview::is_wanted(&ctx) {
        return preview::of(&ctx, Act::DeleteBusiness { business }).await;
    }
    let done = ctx.service.delete_business(&ctx.call, business).await?;
    Ok(Answer::done(&done))
}

/// The limits with the requested changes; `None` if there are none.
fn limits(ctx: &Ctx, id: BusinessId) -> Result<Option<Limits>, Refusal> {
    let count = |name: &str| ctx.integer(name).and_then(|n| u32::try_from(n).ok());
    let preset = ctx.text("limits_preset").and_then(Limits::preset);
    let wanted = [
        count("admin_system_users_limit"),
        count("employee_system_users_limit"),
        count("people_limit"),
        count("apps_limit"),
        count("assets_limit"),
        count("tokens_per_system_user_limit"),
    ];
    if preset.is_none() && wanted.iter().all(Option::is_none) {
        return Ok(None);
    }
    // The service refuses a business that doesn't exist; the default is only a placeholder for it.
    let mut limits = match preset {
        Some(preset) => preset,
        None => {
            let read = |s: &Facts<'_>| s.business(id).map(|b| b.limits);
            ctx.step(rights::MANAGE_BUSINESS.on_business(id), read)?.unwrap_or_default()
        }
    };
    let [admins, employees, people, apps, assets, tokens] = wanted;
    let set = |slot: &mut u32, value: Option<u32>| *slot = value.unwrap_or(*slot);
    set(&mut limits.admin_system_users, admins);
    set(&mut limits.employee_system_users, employees);
    set(&mut limits.people, people);
    set(&mut limits.apps, apps);
    set(&mut limits.assets, assets);
    set(&mut limits.tokens_per_system_user, tokens);
    Ok(Some(limits))
}

async fn show_terms(ctx: Ctx) -> Result<Answer, Refusal> {
    ctx.step(Question::about(Target::Nothing), |s| {
        let own = s.allowed.caller.business();
        let terms = s.terms();
        let accepted = own.and_then(|id| s.business(id)).and_then(|b| b.accepted);
        let accepted =
            accepted.map_or(Value::Null, |a| json!({"version": a.version, "person": a.person, "at": show::time(a.at)}));
        Answer::read(json!({ "version": terms.version, "text": terms.text, "accepted": accepted }))
    })
}

async fn accept_terms(ctx: Ctx) -> Result<Answer, Refusal> {
    let version =
        ctx.integer("version").and_then(|n| u32::try_from(n).ok()).ok_or_else(|| Refusal::required("version"))?;
    let done = ctx.service.accept_terms(&ctx.call, version).await?;
    Ok(Answer::done(&done))
}

async fn replace_terms(ctx: Ctx) -> Result<Answer, Refusal> {
    let done = ctx.service.replace_terms(&ctx.call, ctx.need_text("text")?).await?;
    Ok(Answer::wrote(&done, json!({ "version": done.value })))
}
