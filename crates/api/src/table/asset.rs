//! Assets, who may do what on them, and with whom they are shared.

use serde_json::{Value, json};
use valetkey_domain::id::of;
use valetkey_domain::{AssetId, AssetKind, BusinessId, Id, Refusal, UserId};
use valetkey_service::authz::{Need, Question, Sorts, Target};
use valetkey_service::preview::Act;
use valetkey_service::read::Guard;
use valetkey_service::{Facts, rights};

use crate::command::{
    AFTER, Access, Answer, BUSINESS, Command, Ctx, LIMIT, Noun, Param, Sort, Spelling, line, may, need,
};
use crate::preview::{self, PREVIEW};
use crate::show;

const ASSET: Param = need("asset", Sort::Id, "The asset.").of(Noun::Asset);
const KIND: &str = "The kind: page, ad_account, catalog, pixel, instagram_account, whatsapp_account, or one that the operator declared (kind.list).";

pub(crate) const ROWS: &[Command] = &[
    Command {
        name: "asset.create",
        summary: "Make an asset of a business",
        access: Access::Admin,
        writes: true,
        params: &[
            need("kind", Sort::Text, KIND).option(),
            BUSINESS,
            need("name", Sort::Name, "What the asset is called."),
            may("details", Sort::Object, "Descriptive fields, such as category or currency.").called("detail"),
            may("unowned", Sort::Boolean, "Make it without an owner, for a business to claim; only for the operator.")
                .not_beside(&["business"]),
        ],
        line: line("asset create", "asset create \"Our Page\" --kind page --detail category=Shop")
            .makes("{kind} \"{name}\" created"),
        run: |ctx| Box::pin(create(ctx)),
    },
    Command {
        name: "asset.list",
        summary: "List the assets that a business owns, or that are shared with it",
        access: Access::Admin,
        writes: false,
        params: &[
            BUSINESS,
            may("kind", Sort::Text, KIND),
            may(
                "reach",
                Sort::Word(&["owned", "shared"]),
                "Whether it lists what the business owns, or what is shared with it.",
            )
            .default("owned")
            .also("shared", Spelling::Is("shared"), "The same as --reach shared."),
            LIMIT,
            AFTER,
        ],
        line: line("asset list", "asset list --kind page").table_if(
            "reach",
            &[
                ("id", "id"),
                ("kind", "kind"),
                ("name", "name"),
                ("owner", "business"),
                ("permitted tasks", "permitted_tasks"),
            ],
            &[("id", "id"), ("kind", "kind"), ("name", "name"), ("created", "created_at")],
        ),
        run: |ctx| Box::pin(list(ctx)),
    },
    Command {
        name: "asset.rename",
        summary: "Rename an asset; only its owner may",
        access: Access::Admin,
        writes: true,
        params: &[ASSET, need("name", Sort::Name, "The new name.")],
        line: line("asset rename", "asset rename Bikes \"City Bikes\"").says("{asset} is called \"{name}\" now"),
        run: |ctx| Box::pin(rename(ctx)),
    },
    Command {
        name: "asset.delete",
        summary: "Delete an asset for good, with its assignments, shares and page tokens",
        access: Access::Admin,
        writes: true,
        params: &[ASSET, PREVIEW],
        line: line("asset delete", "asset delete Bikes")
            .help(
                "For an asset that was made by mistake. What it holds is out of reach from then on, and its id is \
                 never used again.",
            )
            .says("{asset} deleted")
            .asks("Its assignments, shares and page tokens end at once and stay ended. Delete {asset}?"),
        run: |ctx| Box::pin(delete(ctx)),
    },
    Command {
        name: "assignment.assign",
        summary: "Give a user exactly these tasks on an asset",
        access: Access::Admin,
        writes: true,
        params: &[
            ASSET,
            need("user", Sort::Id, "A person or system user of the business.").of(Noun::User),
            need("tasks", Sort::Texts, "The tasks, by name; they replace the ones before (kind.list shows them)."),
            PREVIEW,
        ],
        line: line("assignment assign", "assignment assign \"Our Page\" Poster CREATE_CONTENT,ANALYZE")
            .says("{user} may {tasks} on {asset}")
            .asks("These tasks replace the ones before. Assign {asset} to {user}?"),
        run: |ctx| Box::pin(assign(ctx)),
    },
    Command {
        name: "assignment.unassign",
        summary: "Take an asset away from a user",
        access: Access::Admin,
        writes: true,
        params: &[ASSET, need("user", Sort::Id, "The person or system user.").of(Noun::User), PREVIEW],
        line: line("assignment unassign", "assignment unassign \"Our Page\" Poster")
            .says("{asset} taken away from {user}")
            .asks("{user} loses {asset} at once. Take it away?"),
        run: |ctx| Box::pin(unassign(ctx)),
    },
    Command {
        name: "assignment.list",
        summary: "List the assets of a user, or the users on an asset",
        access: Access::AdminOrSelf,
        writes: false,
        params: &[
            may("user", Sort::Id, "The person or system user whose assets are wanted.").of(Noun::User).or("asset"),
            may("asset", Sort::Id, "The asset whose users are wanted.").of(Noun::Asset).or("user"),
            LIMIT,
            AFTER,
        ],
        line: line("assignment list", "assignment list --user Poster").table_if(
            "user",
            &[
                ("asset", "asset"),
                ("kind", "kind"),
                ("name", "asset_name"),
                ("tasks", "tasks"),
                ("since", "created_at"),
            ],
            &[
                ("user", "user"),
                ("type", "user_type"),
                ("name", "user_name"),
                ("tasks", "tasks"),
                ("since", "created_at"),
            ],
        ),
        run: |ctx| Box::pin(list_assignments(ctx)),
    },
    Command {
        name: "share.share",
        summary: "Share an asset with a partner, up to some tasks",
        access: Access::Admin,
        writes: true,
        params: &[
            ASSET,
            need("partner", Sort::Id, "The business to share with.").of(Noun::Business),
            need("tasks", Sort::Texts, "The most that the partner's users may do; replaces what was permitted before."),
            PREVIEW,
        ],
        line: line("share share", "share share Bikes Agency ADVERTISE,ANALYZE")
            .says("{asset} shared with {partner}, up to {tasks}")
            .asks("These tasks replace what was permitted before. Share {asset} with {partner}?"),
        run: |ctx| Box::pin(share(ctx)),
    },
    Command {
        name: "share.unshare",
        summary: "End a share; what the partner assigned ends with it",
        access: Access::Admin,
        writes: true,
        params: &[
            ASSET,
            may("partner", Sort::Id, "The partner. Left out: the caller's own business.")
                .of(Noun::Business)
                .positional(),
            PREVIEW,
        ],
        line: line("share unshare", "share unshare Bikes Agency")
            .says("{asset} no longer shared[ with {partner}]")
            .asks("What was assigned through the share ends with it. End the share of {asset}[ with {partner}]?"),
        run: |ctx| Box::pin(unshare(ctx)),
    },
    Command {
        name: "share.list",
        summary: "List the partners of an asset, or what is shared with a business",
        access: Access::Admin,
        writes: false,
        params: &[
            may("asset", Sort::Id, "The asset whose partners are wanted.").of(Noun::Asset).not_beside(&["business"]),
            may("business", Sort::Id, "The business that the assets are shared with. Left out: the caller's own.")
                .of(Noun::Business),
            LIMIT,
            AFTER,
        ],
        line: line("share list", "share list --asset Bikes").table_if(
            "asset",
            &[
                ("partner", "partner"),
                ("name", "partner_name"),
                ("permitted tasks", "permitted_tasks"),
                ("since", "created_at"),
            ],
            &[
                ("asset", "asset"),
                ("kind", "kind"),
                ("name", "asset_name"),
                ("owner", "owner"),
                ("permitted tasks", "permitted_tasks"),
            ],
        ),
        run: |ctx| Box::pin(list_shares(ctx)),
    },
    Command {
        name: "kind.list",
        summary: "List the kinds of assets with their tasks",
        access: Access::Anyone,
        writes: false,
        params: &[],
        line: line("asset kinds", "asset kinds").table(&[
            ("kind", "kind"),
            ("title", "title"),
            ("declared", "declared"),
            ("tasks", "tasks"),
        ]),
        run: |ctx| Box::pin(list_kinds(ctx)),
    },
];

fn kind(ctx: &Ctx) -> Result<Option<AssetKind>, Refusal> {
    let Some(word) = ctx.text("kind") else { return Ok(None) };
    let declared = ctx.service.declared_kinds();
    let found = AssetKind::parse(word).filter(|k| *k != AssetKind::App);
    let found = found.or_else(|| declared.iter().find(|k| k.word == word).map(|k| k.kind));
    let all = || {
        let built_in =
            valetkey_domain::kind::TABLE.iter().filter(|r| r.kind != AssetKind::App).map(|r| r.word.to_owned());
        built_in.chain(declared.iter().map(|k| k.word.clone())).collect()
    };
    found.map(Some).ok_or_else(|| Refusal::not_one_of("kind", all()))
}

async fn create(ctx: Ctx) -> Result<Answer, Refusal> {
    let kind = kind(&ctx)?.ok_or_else(|| Refusal::required("kind"))?;
    let (name, details) = (ctx.need_name("name")?, ctx.object("details"));
    let done = match (ctx.flag("unowned"), ctx.text("business")) {
        (Some(true), Some(_)) => {
            return Err(Refusal::invalid("unowned", "left out beside business")
                .with_note("an asset has a business or is unowned, not both"));
        }
        (Some(true), None) => ctx.service.create_unowned_asset(&ctx.call, kind, name, details).await?,
        _ => ctx.service.create_asset(&ctx.call, kind, ctx.business()?, name, details).await?,
    };
    Ok(Answer::wrote(&done, json!({ "id": done.value })))
}

async fn list(ctx: Ctx) -> Result<Answer, Refusal> {
    let (business, kind) = (ctx.business()?, kind(&ctx)?);
    let shared = ctx.text("reach") == Some("shared");
    let ids = |s: &Facts<'_>| if shared { s.shared_assets(business) } else { s.owned_assets(business) };
    let row = |s: &Facts<'_>, id: AssetId| {
        let asset = s.asset(id).filter(|a| kind.is_none_or(|k| k == a.kind))?;
        let mut row = show::asset(&**s, &asset);
        if let (Value::Object(map), Some(share)) = (&mut row, s.share(id, business).filter(|_| shared)) {
            map.insert("permitted_tasks".into(), json!(show::tasks(&**s, asset.kind, share.tasks)));
        }
        Some(row)
    };
    let mut page = ctx.list(rights::MANAGE_BUSINESS.on_business(business), ids, row)?;
    add_details(&ctx, &mut page).await?;
    Ok(Answer::read(page))
}

/// Adds the descriptive fields to the assets of a page.
async fn add_details(ctx: &Ctx, page: &mut Value) -> Result<(), Refusal> {
    let Some(rows) = page.get_mut("rows").and_then(Value::as_array_mut) else { return Ok(()) };
    let id_of = |row: &Value| row.get("id").and_then(Value::as_str).and_then(Id::parse);
    let ids: Vec<AssetId> = rows.iter().filter_map(id_of).collect();
    let details = ctx.service.details(&ctx.call, &ids, |id, kind| rights::OPEN.on_asset(id, kind)).await?;
    for row in rows {
        let found = id_of(row).and_then(|id| details.get(&id));
        if let (Some(fields), Value::Object(map)) = (found, row) {
            map.insert("details".into(), json!(fields));
        }
    }
    Ok(())
}

async fn rename(ctx: Ctx) -> Result<Answer, Refusal> {
    let (id, name) = (ctx.need_id("asset")?, ctx.need_name("name")?);
    let kind = ctx.kind_of(id)?;
    let question = rights::share(id, kind).sorts(Sorts::USERS);
    if kind == AssetKind::App {
        // The name of an app is part of the app record, which has a command of its own.
        ctx.service.ask(&ctx.call, question)?;
        return Err(Refusal::invalid("asset", "an asset that is not an app; app.update renames apps"));
    }
    let done = ctx.service.rename_asset(&ctx.call, question, id, name).await?;
    Ok(Answer::done(&done))
}

async fn delete(ctx: Ctx) -> Result<Answer, Refusal> {
    let asset = ctx.need_id("asset")?;
    if preview::is_wanted(&ctx) {
        return preview::of(&ctx, Act::DeleteAsset { asset }).await;
    }
    let done = ctx.service.delete_asset(&ctx.call, asset).await?;
    Ok(Answer::done(&done))
}

async fn assign(ctx: Ctx) -> Result<Answer, Refusal> {
    let (asset, user) = (ctx.need_id("asset")?, ctx.need_id("user")?);
    let tasks = ctx.texts("tasks").unwrap_or_default();
    if preview::is_wanted(&ctx) {
        return preview::of(&ctx, Act::Assign { asset, user, tasks }).await;
    }
    let done = ctx.service.assign(&ctx.call, asset, user, tasks).await?;
    Ok(Answer::done(&done))
}

async fn unassign(ctx: Ctx) -> Result<Answer, Refusal> {
    let (asset, user) = (ctx.need_id("asset")?, ctx.need_id("user")?);
    if preview::is_wanted(&ctx) {
        return preview::of(&ctx, Act::Unassign { asset, user }).await;
    }
    let done = ctx.service.unassign(&ctx.call, asset, user).await?;
    Ok(Answer::done(&done))
}

async fn list_assignments(ctx: Ctx) -> Result<Answer, Refusal> {
    match (ctx.id::<of::User>("user"), ctx.id::<of::Asset>("asset")) {
        (Some(user), None) => {
            let guard = ctx.service.record_guard(user)?;
            if !matches!(guard, Guard::SystemUser { .. } | Guard::Person { .. }) {
                return Err(Refusal::not_visible(user));
            }
            let row = |s: &Facts<'_>, asset: AssetId| s.assignment(user, asset).map(|a| show::assignment(&**s, &a));
            let question = guard.question(user, &rights::MANAGE_OR_SELF);
            let page = ctx.list(question, |s| s.assets_of(user), row);
            page.map(Answer::read).map_err(|r| about(r, user))
        }
        (None, Some(asset)) => {
            let kind = ctx.kind_of(asset)?;
            let question = Question { target: Target::Asset(asset), need: Need::Admin, ..rights::list_assigned(kind) };
            // The users that the other side of a share assigned are not shown.
            let row = |s: &Facts<'_>, user: UserId| {
                let own = s.allowed.caller.business();
                let found = s.assignment(user, asset).filter(|a| own.is_none_or(|b| b == a.business))?;
                Some(show::assignment(&**s, &found))
            };
            ctx.list(question, |s| s.users_on(asset), row).map(Answer::read)
        }
        (Some(_), Some(_)) => {
            Err(Refusal::invalid("asset", "left out beside user").with_note("name the user or the asset, not both"))
        }
        (None, None) => {
            Err(Refusal::required("user").with_note("name a user, to see its assets, or an asset, to see its users"))
        }
    }
}

fn about(mut refusal: Refusal, id: UserId) -> Refusal {
    if refusal.reason == valetkey_domain::Reason::NotVisible {
        refusal.subject = Some(id.any());
    }
    refusal
}

async fn share(ctx: Ctx) -> Result<Answer, Refusal> {
    let (asset, partner) = (ctx.need_id("asset")?, ctx.need_id("partner")?);
    let tasks = ctx.texts("tasks").unwrap_or_default();
    if preview::is_wanted(&ctx) {
        return preview::of(&ctx, Act::Share { asset, partner, tasks }).await;
    }
    let done = ctx.service.share(&ctx.call, asset, partner, tasks).await?;
    Ok(Answer::done(&done))
}

async fn unshare(ctx: Ctx) -> Result<Answer, Refusal> {
    let partner = ctx.id("partner").or(ctx.caller.business()).ok_or_else(|| Refusal::required("partner"))?;
    let asset = ctx.need_id("asset")?;
    if preview::is_wanted(&ctx) {
        return preview::of(&ctx, Act::Unshare { asset, partner }).await;
    }
    let done = ctx.service.unshare(&ctx.call, asset, partner).await?;
    Ok(Answer::done(&done))
}

async fn list_shares(ctx: Ctx) -> Result<Answer, Refusal> {
    if let Some(asset) = ctx.id("asset") {
        if ctx.text("business").is_some() {
            return Err(Refusal::invalid("business", "left out beside asset")
                .with_note("name the asset or the business, not both"));
        }
        let question = rights::share(asset, ctx.kind_of(asset)?).need(Need::Admin).sorts(Sorts::USERS);
        // A partner sees only its own share.
        let row = |s: &Facts<'_>, partner: BusinessId| {
            let own = s.allowed.caller.business();
            let owns = own.is_none() || s.asset(asset).and_then(|a| a.business) == own;
            let found = s.share(asset, partner).filter(|_| owns || own == Some(partner))?;
            Some(show::share(&**s, &found))
        };
        return ctx.list(question, |s| s.partners_of(asset), row).map(Answer::read);
    }
    let business = ctx.business()?;
    let row = |s: &Facts<'_>, asset: AssetId| s.share(asset, business).map(|found| show::share(&**s, &found));
    let question = rights::MANAGE_BUSINESS.on_business(business);
    ctx.list(question, |s| s.shared_assets(business), row).map(Answer::read)
}

async fn list_kinds(ctx: Ctx) -> Result<Answer, Refusal> {
    ctx.service.ask(&ctx.call, Question::about(Target::Nothing))?;
    let built_in = valetkey_domain::kind::TABLE.iter().map(|row| {
        let tasks: Vec<&str> = row.tasks.iter().map(|t| t.name).collect();
        json!({ "kind": row.word, "title": row.title, "declared": false, "tasks": tasks })
    });
    let declared = ctx.service.declared_kinds();
    let declared =
        declared.iter().map(|k| json!({ "kind": k.word, "title": k.title, "declared": true, "tasks": k.tasks }));
    Ok(Answer::read(crate::command::page_of(built_in.chain(declared).collect(), None)))
}
