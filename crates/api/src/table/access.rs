//! Who can do what, and by which path.

use serde_json::{Value, json};
use valetkey_domain::{AssetKind, Refusal};
use valetkey_service::access::{AccessFilter, AccessPage, Head, Held, OnAsset, Reached, Row, Rows, Whose, Window};

use crate::command::{AFTER, Access, Answer, BUSINESS, Command, Ctx, LIMIT, Noun, Sort, line, may, need};
use crate::preview::kind_word;
use crate::show;

/// The most users, and the most assets, of one window.
const WINDOW: Sort = Sort::Integer(1, 200);
const OFFSET: Sort = Sort::Integer(0, 10_000_000);

pub(crate) const ROWS: &[Command] = &[
    Command {
        name: "access.asset",
        summary: "List who reaches an asset, with tasks and path, and the partners it is shared with",
        access: Access::AdminOrSelf,
        writes: false,
        params: &[need("asset", Sort::Id, "The asset.").of(Noun::Asset), LIMIT, AFTER],
        line: line("access asset", "access asset Bikes")
            .help("Who does not manage the business sees its own row alone. The users of partners are not named.")
            .table(&[
                ("id", "id"),
                ("type", "type"),
                ("name", "name"),
                ("tasks", "tasks"),
                ("path", "path"),
                ("since", "since"),
                ("by", "by"),
            ]),
        run: |ctx| Box::pin(on_asset(ctx)),
    },
    Command {
        name: "access.user",
        summary: "List the assets that a user reaches, with tasks and path",
        access: Access::AdminOrSelf,
        writes: false,
        params: &[need("user", Sort::Id, "The person or system user.").of(Noun::User), LIMIT, AFTER],
        line: line("access user", "access user Poster").table(&[
            ("id", "id"),
            ("kind", "kind"),
            ("name", "name"),
            ("tasks", "tasks"),
            ("path", "path"),
            ("shared", "shared"),
            ("since", "since"),
        ]),
        run: |ctx| Box::pin(of_user(ctx)),
    },
    Command {
        name: "access.list",
        summary: "List who can do what: users and partners by assets, a window at a time",
        access: Access::AdminOrSelf,
        writes: false,
        params: &[
            BUSINESS,
            may("user_text", Sort::Text, "Only users and partners whose name holds this text, in any case."),
            may("asset_text", Sort::Text, "Only assets whose name holds this text."),
            may("sort", Sort::Word(&["person", "system_user", "partner"]), "Only people, system users or partners."),
            may("kind", Sort::Text, "Only assets of this kind (kind.list)."),
            may("task", Sort::Text, "Only assets whose kind knows this task, and only who may do it."),
            may("user_offset", OFFSET, "How many users and partners to pass over, by name.").default("0"),
            may("user_limit", WINDOW, "The most users and partners.").default("50"),
            may("asset_offset", OFFSET, "How many assets to pass over, by name.").default("0"),
            may("asset_limit", WINDOW, "The most assets.").default("50"),
        ],
        line: line("access list", "access list --kind page --task ANALYZE").table(&[
            ("name", "name"),
            ("type", "type"),
            ("asset", "asset_name"),
            ("kind", "kind"),
            ("tasks", "tasks"),
            ("path", "path"),
        ]),
        run: |ctx| Box::pin(list(ctx)),
    },
];

async fn on_asset(ctx: Ctx) -> Result<Answer, Refusal> {
    let page = ctx.service.paths_to_asset(&ctx.call, ctx.need_id("asset")?, ctx.limit(), ctx.id("after"))?;
    let page = page.into_inner();
    let rows: Vec<Value> = page.rows.iter().map(who).collect();
    Ok(Answer::read(json!({ "rows": rows, "next": page.next, "total": page.total })))
}

async fn of_user(ctx: Ctx) -> Result<Answer, Refusal> {
    let page = ctx.service.reach_of_user(&ctx.call, ctx.need_id("user")?, ctx.limit(), ctx.id("after"))?;
    let page = page.into_inner();
    let row = |reached: &Reached| {
        let asset = &reached.asset;
        let named = json!({ "id": asset.id, "kind": kind_word(&ctx, asset.kind), "name": asset.name });
        with_held(named, &reached.held)
    };
    let rows: Vec<Value> = page.rows.iter().map(row).collect();
    Ok(Answer::read(json!({ "rows": rows, "next": page.next, "total": page.total })))
}

async fn list(ctx: Ctx) -> Result<Answer, Refusal> {
    let business = ctx.business()?;
    let window = |offset: &str, limit: &str| Window { offset: count(&ctx, offset, 0), limit: count(&ctx, limit, 50) };
    let (users, assets) = (window("user_offset", "user_limit"), window("asset_offset", "asset_limit"));
    let page = ctx.service.access_page(&ctx.call, business, &filter(&ctx)?, users, assets)?.into_inner();
    Ok(Answer::read(matrix(&ctx, &page)))
}

fn count(ctx: &Ctx, name: &str, otherwise: usize) -> usize {
    ctx.integer(name).and_then(|n| usize::try_from(n).ok()).unwrap_or(otherwise)
}

fn filter(ctx: &Ctx) -> Result<AccessFilter, Refusal> {
    let text = |name: &str| ctx.text(name).map(str::to_owned);
    let rows = ctx.text("sort").and_then(Rows::parse).unwrap_or_default();
    let (user_text, asset_text, task) = (text("user_text"), text("asset_text"), text("task"));
    Ok(AccessFilter { user_text, asset_text, rows, kind: kind(ctx)?, task })
}

/// The kind that is asked for; apps are one here.
fn kind(ctx: &Ctx) -> Result<Option<AssetKind>, Refusal> {
    let Some(word) = ctx.text("kind") else { return Ok(None) };
    let declared = ctx.service.declared_kinds();
    let found = AssetKind::parse(word).or_else(|| declared.iter().find(|k| k.word == word).map(|k| k.kind));
    let all = || {
        let built_in = valetkey_domain::kind::TABLE.iter().map(|row| row.word.to_owned());
        built_in.chain(declared.iter().map(|k| k.word.clone())).collect()
    };
    found.map(Some).ok_or_else(|| Refusal::not_one_of("kind", all()))
}

/// The window: its users and partners, its assets, and a row for each pair of them that holds something.
fn matrix(ctx: &Ctx, page: &AccessPage) -> Value {
    let head = |head: &Head| {
        let kind = kind_word(ctx, head.kind);
        json!({ "id": head.id, "kind": kind, "name": head.name, "shared": head.is_shared })
    };
    let assets: Vec<Value> = page.heads.iter().map(head).collect();
    let mut rows = Vec::new();
    for (row, cells) in page.rows.iter().zip(&page.cells) {
        for (asset, held) in assets.iter().zip(cells) {
            let Some(held) = held else { continue };
            let mut value = line_of(row);
            if let Value::Object(map) = &mut value {
                map.insert("asset".into(), asset["id"].clone());
                map.insert("asset_name".into(), asset["name"].clone());
                map.insert("kind".into(), asset["kind"].clone());
            }
            rows.push(with_held(value, held));
        }
    }
    let users: Vec<Value> = page.rows.iter().map(line_of).collect();
    json!({
        "rows": rows, "users": users, "assets": assets,
        "total_users": page.total_rows, "total_assets": page.total_heads,
    })
}

fn line_of(row: &Row) -> Value {
    match row {
        Row::User { id, name, sort, role, status } => json!({
            "id": id, "type": sort.as_str(), "name": name, "role": role.as_str(), "status": status.as_str(),
        }),
        Row::Partner { id, name } => json!({ "id": id, "type": "PARTNER", "name": name }),
    }
}

fn who(row: &OnAsset) -> Value {
    let named = match &row.who {
        Whose::User(user) => json!({
            "id": user.id, "type": user.sort.as_str(), "name": user.name, "role": user.role.as_str(),
        }),
        Whose::Partner { id, name } => json!({ "id": id, "type": "PARTNER", "name": name }),
    };
    with_held(named, &row.held)
}

/// Adds tasks and path.
fn with_held(mut value: Value, held: &Held) -> Value {
    if let Value::Object(map) = &mut value {
        map.insert("tasks".into(), json!(held.names));
        map.insert("path".into(), json!(held.path.as_str()));
        map.insert("shared".into(), json!(held.is_shared));
        map.insert("since".into(), show::maybe_time(held.path.since()));
        map.insert("by".into(), json!(held.path.by()));
    }
    value
}
