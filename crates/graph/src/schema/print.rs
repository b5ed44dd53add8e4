//! Prints the reference of the Graph from the schema table, so that it only lists what is served.
//! It decides nothing: rights are decided by the service alone.

use std::fmt::Write as _;

use valetkey_domain::AssetKind;
use valetkey_service::authz::Sorts;
use valetkey_service::rights::{Right, Tasks, Who};

use super::{Edge, Field, Level, Listing, NodeType, Op, Type, Verb, Write, all};
use crate::protocol::envelope::{MAX_BATCH_ITEMS, MAX_IDS};
use crate::protocol::fields::{MAX_DEPTH, MAX_NAMES};
use crate::protocol::paging::{DEFAULT_LIMIT, MAX_LIMIT};
use crate::protocol::version::Version;

/// Notes on a kind that fit in no column.
const NOTES: &[(&str, &str)] = &[
    (
        "Page",
        "`access_token`, which `page_token` names too, is the Page's own token. It is given with the scope `pages_show_list` and some task on the Page, and left out otherwise. Rows of `me/accounts` hold `access_token category category_list name id tasks` by default.",
    ),
    (
        "PagePost",
        "The id is `{page}_{post}`. A post that is not published yet is read with the task CREATE_CONTENT alone.",
    ),
    ("AdAccount", "The id in paths is `act_{number}`; `account_id` is the number."),
    (
        "AccessToken",
        "The node of a token, ours. The text of a token is shown once, when it is issued, and never again. `expires_at` 0 means without end.",
    ),
    ("SystemUser", "`me` leads here with a system user's token."),
    ("BusinessUser", "`me` leads here with a person's token."),
    ("Asset", "An asset of a kind that the operator declared, ours. Rows of `assigned_assets` are shown this way too."),
];

/// The whole reference, in Markdown.
pub fn markdown() -> String {
    let mut out = String::new();
    introduction(&mut out);
    out.push_str("## Kinds of nodes\n\n");
    for kind in all() {
        let _ = writeln!(out, "- [{0}](#{1})", kind.name, anchor(kind.name));
    }
    for kind in all() {
        node(&mut out, kind);
    }
    out
}

fn introduction(out: &mut String) {
    let (oldest, newest, highest) = (Version::OLDEST, Version::NEWEST, Version::HIGHEST);
    let _ = write!(
        out,
        "# The Graph that Valetkey serves

This page is printed from the table that the server runs on. What is not here is not served.

## How calls are made

- **Versions.** A path may begin with any version from `{oldest}` to `{highest}`, or with none; then `{newest}` is served. The answer names the version in `facebook-api-version`.
- **Token.** In the parameter `access_token`, or in the header `Authorization: Bearer …`. `appsecret_proof` is checked when it is sent, and demanded where the app demands it.
- **Parameters.** From the query, a form, multipart or a JSON body, all alike. Lists and objects are JSON texts; lists may also be separated by commas, or numbered as `name[0]`. Times are unix seconds or `2026-01-31T10:00:00+0000`. `method=delete` turns a POST into a DELETE. A parameter that is not listed is accepted and ignored.
- **Fields.** `fields=id,name,campaigns.limit(2){{id,name}}` picks what is answered, at most {MAX_DEPTH} levels deep and {MAX_NAMES} names long; without it the defaults are answered. `id` is always there. An edge that is read with GET can be asked for as a field. A field that the caller may not read, or that has no value, is left out; an unknown one is an error. An object inside another shows `id` and `name`, unless `{{…}}` picks others.
- **Lists.** `data`, with `paging` as cursors and links. `limit` is {DEFAULT_LIMIT} if it is not given, and at most {MAX_LIMIT}; `after` and `before` take cursors; `summary=true` adds `total_count`. No `next` means the end. A list of assets shows an EMPLOYEE only those on which it holds some task.
- **Many at once.** `GET /?ids=a,b` reads up to {MAX_IDS} nodes, `GET /{{edge}}?ids=a,b` the edge of each; one bad id fails all. `POST /` with `batch` makes up to {MAX_BATCH_ITEMS} calls, which may use each other's answers as `{{result=name:$.id}}`.
- **Writes.** The answer to a write carries its revision in `Valetkey-Revision`. What makes something takes `fields` too.
- **Unchanged answers.** A GET answers with an `ETag`; with `If-None-Match` an unchanged answer is 304.
- **Errors.** `{{\"error\": {{message, type, code, error_subcode, error_user_title, error_user_msg, error_data, fbtrace_id}}}}`. They come in this order: a token that is not alive (190, HTTP 401), a wrong proof (100), something that the caller can't see or that was never there (100 with subcode 33, one and the same answer), a missing scope (10, HTTP 403), a missing assignment, task or role (200, HTTP 403), and a wrong parameter (100). `error_data` has the `reason`, what is `missing`, and the role that can grant it. `fbtrace_id` finds the whole decision again with `valetkey explain`.

## Calls beside the nodes

| call | with | answer |
|---|---|---|
| `GET /me`, `/me/{{edge}}` | a token of a system user or person, or a page token | the user, or the Page, that the token stands for |
| `GET /app`, `/app/{{edge}}` | a system user's token, or an app's | the app that the token was issued for |
| `GET /debug_token` `input_token` | an app's token of the same app, the token itself, or an ADMIN of the app's business | what the token is and may be used for |
| `GET /oauth/access_token` `grant_type=client_credentials` | `client_id`, `client_secret` | a token of the app |
| `GET /oauth/access_token` `grant_type=fb_exchange_token` | `client_id`, `client_secret`, `fb_exchange_token` | a successor of the token, never with more scopes |
| `GET /oauth/revoke` `revoke_token` | `client_id`, `client_secret`, a token of the same app | success; the token stops at once |
| `GET /search` `type` | the scope `ads_read` or `ads_management` | an empty list |

## How to read the tables

- **who**: *any*: every caller that has the rest. *ADMIN*: a person or system user with that role in the business; it holds every task on what the business owns, and on what is shared with it up to the permitted tasks. *ADMIN of the owner*: the same in the business that owns the asset. *oneself*: the user that the token stands for.
- **scope**: one of these on the token. **task**: one of these on the asset, for campaigns and posts on their ad account or Page; MANAGE includes all tasks of its kind, ADVERTISE includes ANALYZE.
- **tokens**: S of a system user, U of a person, P of a Page (for that Page only), A of an app.
- **given to** (fields): *seen*: callers that may see the node. *read*: callers that may read it. *managed*: callers that may manage it.
- **default**: where a field is answered when no `fields` are given: on the *node*, in *rows* of lists; *always*: whatever fields are asked for.
- Parameters marked `*` must be given. *ours*: not a part of Meta's Graph.

"
    );
}

fn node(out: &mut String, kind: &NodeType) {
    let _ = write!(out, "\n## {}\n", kind.name);
    if let Some((_, note)) = NOTES.iter().find(|(name, _)| *name == kind.name) {
        let _ = write!(out, "\n{note}\n");
    }
    if is_row(kind) {
        out.push_str("\nStands in lists only; it has no calls of its own.\n");
    } else {
        rights(out, kind);
    }
    fields(out, kind);
    words(out, "Kept as they came", kind.kept);
    words(out, "Accepted and left out, because nothing of it is kept", kind.absent);
    calls(out, kind);
}

/// Whether a kind is only a row of lists.
fn is_row(kind: &NodeType) -> bool {
    kind.calls.is_empty() && kind.edges.is_empty()
}

fn rights(out: &mut String, kind: &NodeType) {
    out.push_str("\n| `GET` | who | scope | task | tokens |\n|---|---|---|---|---|\n");
    for (level, right) in
        [(Level::Identity, &kind.identity), (Level::Full, &kind.full), (Level::Guarded, &kind.guarded)]
    {
        if kind.fields.iter().any(|f| f.level == level) || !kind.kept.is_empty() && level == Level::Full {
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} |",
                level_word(level),
                who(right),
                scopes(right),
                tasks(right),
                tokens(right.sorts)
            );
        }
    }
}

fn fields(out: &mut String, kind: &NodeType) {
    out.push_str("\n| field | type | given to | default |\n|---|---|---|---|\n");
    for field in kind.fields {
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} |",
            field.name,
            type_word(field.ty),
            level_word(field.level),
            default_word(field)
        );
    }
}

fn words(out: &mut String, title: &str, list: &str) {
    let mut names: Vec<&str> = list.split_ascii_whitespace().collect();
    if names.is_empty() {
        return;
    }
    names.sort_unstable();
    let _ = write!(out, "\n{title}: `{}`.\n", names.join("` `"));
}

fn calls(out: &mut String, kind: &NodeType) {
    if is_row(kind) {
        return;
    }
    out.push_str(
        "\n| call | what | who | scope | task | tokens | parameters | answer |\n|---|---|---|---|---|---|---|---|\n",
    );
    for edge in kind.calls.iter().chain(kind.edges) {
        let right = &edge.right;
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} | {} | {} | {} | {} |",
            path(edge),
            edge.what,
            who(right),
            scopes(right),
            tasks(right),
            tokens(right.sorts),
            params(edge),
            answer(edge),
        );
    }
}

fn path(edge: &Edge) -> String {
    let verb = edge.verb.as_str().to_ascii_uppercase();
    if edge.name.is_empty() { format!("{verb} /{{id}}") } else { format!("{verb} /{{id}}/{}", edge.name) }
}

fn params(edge: &Edge) -> String {
    let words = edge.params.iter().map(|p| {
        let mark = if p.required { "`*" } else { "`" };
        format!("`{}{mark} {}", p.name, type_word(p.ty))
    });
    or_dash(words.collect::<Vec<_>>().join(", "))
}

fn answer(edge: &Edge) -> String {
    match (edge.op, edge.verb) {
        (Op::List(Listing::Empty), _) => "empty list".to_owned(),
        (Op::Write(Write::IssueToken), _) => "`access_token`, `token_id`, `expires_at`".to_owned(),
        (Op::Write(Write::CreateApp), _) => "`id`, and the secret once".to_owned(),
        (Op::Write(Write::CreateAsset(AssetKind::AdAccount)), _) => "`id`, `account_id`, asked fields".to_owned(),
        (_, Verb::Get) => format!("list of {}", link(edge.rows)),
        _ if edge.rows.is_empty() => "success".to_owned(),
        _ => format!("`id` ({}), asked fields", link(edge.rows)),
    }
}

fn link(kind: &str) -> String {
    format!("[{kind}](#{})", anchor(kind))
}

fn anchor(kind: &str) -> String {
    kind.to_ascii_lowercase()
}

fn who(right: &Right) -> String {
    let others = match right.who {
        Who::Any => "any",
        Who::Admin => "ADMIN",
        Who::OwnerAdmin => "ADMIN of the owner",
    };
    match right.own {
        None => others.to_owned(),
        Some(_) if right.who == Who::OwnerAdmin => "oneself".to_owned(),
        Some([]) => format!("{others}; oneself without scope"),
        Some(scopes) => format!("{others}; oneself with {}", either(scopes)),
    }
}

fn scopes(right: &Right) -> String {
    let mut text = either(right.scopes);
    if !right.admin_scopes.is_empty() {
        let _ = write!(text, "; for an ADMIN also {}", either(right.admin_scopes));
    }
    if right.scope_free.meets(Sorts::USER) {
        text.push_str("; a person needs none");
    }
    or_dash(text)
}

fn either(names: &[&str]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" or ")
}

fn tasks(right: &Right) -> String {
    match right.tasks {
        Tasks::Nothing => "-".to_owned(),
        Tasks::Any => "any".to_owned(),
        Tasks::OneOf(names) => names.join(" or "),
    }
}

fn tokens(sorts: Sorts) -> String {
    let letters = [(Sorts::SYSTEM_USER, "S"), (Sorts::USER, "U"), (Sorts::PAGE, "P"), (Sorts::APP, "A")];
    letters.iter().filter(|(sort, _)| sorts.meets(*sort)).map(|(_, letter)| *letter).collect::<Vec<_>>().join(" ")
}

fn level_word(level: Level) -> &'static str {
    match level {
        Level::Identity => "seen",
        Level::Full => "read",
        Level::Guarded => "managed",
    }
}

fn default_word(field: &Field) -> &'static str {
    match (field.always, field.on_node, field.in_rows) {
        (true, _, _) => "always",
        (_, true, true) => "node, rows",
        (_, true, false) => "node",
        (_, false, true) => "rows",
        _ => "-",
    }
}

fn type_word(ty: Type) -> String {
    match ty {
        Type::Id => "id".to_owned(),
        Type::Text => "text".to_owned(),
        Type::Number => "number".to_owned(),
        Type::NumberText => "number as text".to_owned(),
        Type::Boolean => "boolean".to_owned(),
        Type::Time => "time".to_owned(),
        Type::UnixTime => "unix seconds".to_owned(),
        Type::List => "list".to_owned(),
        Type::Object => "object".to_owned(),
        Type::Node(kind) => link(kind),
    }
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}
