//! What was done and what was refused: ledger, journal, explanations; also the state of this node.

use serde_json::{Value, json};
use valetkey_domain::{AppId, AssetId, BusinessId, Id, Name, Refusal, State, Status, UserId};
use valetkey_service::authz::{Question, Target};
use valetkey_service::store::ledger::to_hex;
use valetkey_service::{Facts, rights};

use super::activity;
use crate::command::{Access, Answer, Command, Ctx, LIMIT, Noun, Sort, line, may, need};
use crate::show;
use crate::table::explained;

/// How many matches of a name are shown; the rest is left out.
const FOUND_LIMIT: usize = 10;
/// The largest revision that can be asked for.
const REVISION: Sort = Sort::Integer(0, i64::MAX);

pub(crate) const ROWS: &[Command] = &[
    Command {
        name: "ledger.list",
        summary: "List ledger entries in order, to read or to verify",
        access: Access::Admin,
        writes: false,
        params: &[
            may("after", REVISION, "Only entries after this revision.").default("0").shown("REVISION"),
            LIMIT.sends("100"),
            may(
                "business",
                Sort::Id,
                "The business whose entries are wanted. Left out: the caller's own; for the operator, all.",
            )
            .of(Noun::Business),
        ],
        line: line("ledger list", "ledger list --after 100 --limit 20").by_program(),
        run: |ctx| Box::pin(list(ctx)),
    },
    Command {
        name: "activity.list",
        summary: "List what was done, newest first, as sentences with names",
        access: Access::Admin,
        writes: false,
        params: &[
            may("before", REVISION, "Only entries before this revision: `next` of the page before.").shown("REVISION"),
            LIMIT.sends("100"),
            may(
                "business",
                Sort::Id,
                "The business whose activity is wanted. Left out: the caller's own; for the operator, all.",
            )
            .of(Noun::Business),
            may("by", Sort::Text, "Only what this person, system user or app did: its id, or operator."),
            may("about", Sort::Id, "Only entries about this object."),
            may("group", Sort::Word(activity::GROUPS), "Only actions of this group."),
            may("since", Sort::Text, "Only at this time or later: a day, or a time in RFC 3339."),
            may("until", Sort::Text, "Only before this time: a day, or a time in RFC 3339."),
            may("text", Sort::Text, "Only sentences with this text, in any case."),
        ],
        line: line("ledger list", "ledger list --since 2026-11-24").by_program(),
        run: |ctx| Box::pin(activity::list(ctx)),
    },
    Command {
        name: "ledger.head",
        summary: "Show revision and hash of the newest ledger entry",
        access: Access::Admin,
        writes: false,
        params: &[],
        line: line("ledger head", "ledger head"),
        run: |ctx| Box::pin(head(ctx)),
    },
    Command {
        name: "explain.trace",
        summary: "Explain a refusal by the trace of its answer, as it was then and is now",
        access: Access::Admin,
        writes: false,
        params: &[need("trace", Sort::Text, "The fbtrace_id of a Graph answer, or the trace of one of this adapter.")],
        line: line("explain", "explain AbCdEf123").by_program(),
        run: |ctx| Box::pin(explained::trace(ctx)),
    },
    Command {
        name: "explain.question",
        summary: "Decide whether a token may do a task on an asset, with every fact behind the answer",
        access: Access::Admin,
        writes: false,
        params: &[
            need("token", Sort::Id, "The id of the token, not its text."),
            need("asset", Sort::Id, "The asset.").of(Noun::Asset),
            may("task", Sort::Text, "A task of the asset's kind. Left out: any task."),
            may("scope", Sort::Text, "A scope. Left out: none is asked for."),
        ],
        line: line("explain", "explain --token-id 123456789 --asset Bikes --task MODERATE").by_program(),
        run: |ctx| Box::pin(explained::question(ctx)),
    },
    Command {
        name: "explain.can",
        summary: "Say whether a user may do a task on an asset, and why",
        access: Access::Admin,
        writes: false,
        params: &[
            need("user", Sort::Id, "The person or system user, whichever tokens it has.").of(Noun::User),
            need("asset", Sort::Id, "The asset.").of(Noun::Asset),
            may("task", Sort::Text, "A task of the asset's kind (kind.list). Left out: any task.").positional(),
        ],
        line: line("can", "can Poster Bikes ANALYZE")
            .prints("sentence")
            .next("answered from the state of now[; this would let it: {command}]"),
        run: |ctx| Box::pin(explained::can(ctx)),
    },
    Command {
        name: "refusals.list",
        summary: "List the newest refusals",
        access: Access::Admin,
        writes: false,
        params: &[
            may("user", Sort::Id, "Only those of this person or system user.").of(Noun::User),
            may("asset", Sort::Id, "Only those about this asset.").of(Noun::Asset),
            may("reason", Sort::Text, "Only those for this reason, such as task_missing."),
            may(
                "still_refused",
                Sort::Boolean,
                "True for those that would be refused again, false for those that would pass now.",
            )
            .with_value(),
            may("search", Sort::Text, "A part of the sentence or of the address, or a whole trace."),
            may("grouped", Sort::Boolean, "Whether the same call again is counted, and not a row of its own.")
                .default("false")
                .sends("true")
                .with_value(),
            LIMIT.sends("20"),
            may("after", Sort::Text, "Only rows after this trace: `next` of the page before.").shown("TRACE"),
        ],
        line: line("refusals", "refusals --still-refused true --limit 50")
            .table(&[
                ("at", "at"),
                ("times", "times"),
                ("what", "short"),
                ("why", "because"),
                ("now", "answer_now"),
                ("trace", "trace"),
            ])
            .next("valetkey explain TRACE tells more"),
        run: |ctx| Box::pin(explained::list(ctx)),
    },
    Command {
        name: "name.find",
        summary: "Find the ids that a name stands for",
        access: Access::Admin,
        writes: false,
        params: &[
            need("sort", Sort::Word(&["business", "person", "app", "system_user", "asset"]), "What is looked for."),
            need("name", Sort::Text, "The whole name; for a person the e-mail address or the name."),
            may("business", Sort::Id, "The business to look in. Left out: the caller's own; for the operator, all.")
                .of(Noun::Business),
        ],
        line: line("name find", "name find system_user Poster").table(&[
            ("id", "id"),
            ("kind", "kind"),
            ("name", "name"),
            ("business", "business"),
            ("called", "business_name"),
        ]),
        run: |ctx| Box::pin(find(ctx)),
    },
    Command {
        name: "caller.show",
        summary: "Show who the calling token is",
        access: Access::Anyone,
        writes: false,
        params: &[],
        line: line("whoami", "whoami"),
        run: |ctx| Box::pin(caller(ctx)),
    },
    Command {
        name: "status",
        summary: "Show version, revision and counts of this node",
        access: Access::Admin,
        writes: false,
        params: &[],
        line: line("status", "status").next("answered by {server}"),
        run: |ctx| Box::pin(status(ctx)),
    },
];

async fn list(ctx: Ctx) -> Result<Answer, Refusal> {
    let after = ctx.integer("after").and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    let limit = ctx.limit();
    let entries = ctx.service.ledger(&ctx.call, ctx.id("business"), after, limit).await?;
    // It is unknown whether more follow, so a full page always has a `next`.
    let next = entries.last().filter(|_| entries.len() == limit).map(|e| e.revision);
    Ok(Answer::read(json!({ "rows": entries, "next": next })))
}

async fn head(ctx: Ctx) -> Result<Answer, Refusal> {
    ctx.service.ask(&ctx.call, rights::MANAGE_BUSINESS.on_caller())?;
    let head = ctx.service.head().await?;
    Ok(Answer::read(json!({
        "revision": head.revision, "hash": to_hex(&head.hash), "last_narrowing": head.last_narrowing,
    })))
}

async fn find(ctx: Ctx) -> Result<Answer, Refusal> {
    let (sort, name) = (ctx.need_text("sort")?, ctx.need_text("name")?);
    let wanted = ctx.id("business").or(ctx.caller.business());
    let right = match wanted {
        Some(business) => rights::MANAGE_BUSINESS.on_business(business),
        None => rights::MANAGE_BUSINESS.on_caller(),
    };
    let rows = ctx.step(right, |facts| {
        let s: &dyn State = &**facts;
        let businesses = wanted.map_or_else(|| s.businesses(), |b| vec![b]);
        let mut rows: Vec<Value> = Vec::new();
        // The operator would find a shared asset twice, under its owner and under the partner.
        let mut seen = std::collections::HashSet::new();
        for business in businesses {
            for candidate in Candidate::of_business(s, sort, business) {
                if candidate.is_called(s, name) && seen.insert(candidate) {
                    rows.push(candidate.row(s, sort, business));
                }
                if rows.len() > FOUND_LIMIT {
                    return rows;
                }
            }
        }
        rows
    })?;
    Ok(Answer::read(
        json!({ "more": rows.len() > FOUND_LIMIT, "rows": rows.into_iter().take(FOUND_LIMIT).collect::<Vec<_>>() }),
    ))
}

/// An object that may have the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Candidate {
    Business(BusinessId),
    Person(UserId),
    SystemUser(UserId),
    App(AppId),
    Asset(AssetId),
}

impl Candidate {
    /// The objects of this sort in a business, shared assets included. `sort` is a value of the
    /// parameter, which was checked before.
    fn of_business(s: &dyn State, sort: &str, business: BusinessId) -> Vec<Candidate> {
        match sort {
            "business" => vec![Candidate::Business(business)],
            "person" => s.people(business).into_iter().map(Candidate::Person).collect(),
            "system_user" => s.system_users(business).into_iter().map(Candidate::SystemUser).collect(),
            "app" => s.owned_apps(business).into_iter().map(Candidate::App).collect(),
            _ => s.owned_assets(business).into_iter().chain(s.shared_assets(business)).map(Candidate::Asset).collect(),
        }
    }

    fn id(self) -> Id {
        match self {
            Candidate::Business(business) => business.any(),
            Candidate::Person(user) | Candidate::SystemUser(user) => user.any(),
            Candidate::App(app) => app.any(),
            Candidate::Asset(asset) => asset.any(),
        }
    }

    /// Its name, unless it is deleted.
    fn name(self, s: &dyn State) -> Option<Name> {
        match self {
            Candidate::Business(id) => s.business(id).map(|b| b.name),
            Candidate::Person(id) => s.person(id).filter(|p| p.status != Status::Deleted).map(|p| p.name),
            Candidate::SystemUser(id) => valetkey_domain::rules::system_user::live(s, id).map(|u| u.name),
            Candidate::App(id) => s.app(id).map(|a| a.name),
            Candidate::Asset(id) => s.asset(id).map(|a| a.name),
        }
    }

    /// Whether this is its name; a person is also found by its e-mail address.
    fn is_called(self, s: &dyn State, name: &str) -> bool {
        let Some(own) = self.name(s) else { return false };
        let email = match self {
            Candidate::Person(id) => s.person(id).map(|p| p.email),
            Candidate::Business(_) | Candidate::SystemUser(_) | Candidate::App(_) | Candidate::Asset(_) => None,
        };
        own.as_str() == name || email.is_some_and(|email| email == name.to_lowercase())
    }

    /// The row, with fields that distinguish two objects of one name.
    fn row(self, s: &dyn State, sort: &str, business: BusinessId) -> Value {
        let kind = match self {
            Candidate::Asset(id) => s.asset(id).map(|a| show::kind_word(s, a.kind)),
            Candidate::Business(_) | Candidate::Person(_) | Candidate::SystemUser(_) | Candidate::App(_) => None,
        };
        json!({
            "id": self.id(), "kind": kind.unwrap_or_else(|| sort.to_owned()), "name": self.name(s),
            "business": business, "business_name": s.business(business).map(|b| b.name),
        })
    }
}

async fn caller(ctx: Ctx) -> Result<Answer, Refusal> {
    // Asking who the caller is doesn't count as a use of its token.
    let call = ctx.call.quietly();
    let allowed = ctx.service.caller(&ctx.call)?;
    let actor = allowed.caller.actor();
    let own = allowed.caller.business();
    let read = |s: &Facts<'_>| {
        let user = allowed.caller.user();
        let name = user.and_then(|id| s.person(id).map(|p| p.name).or_else(|| s.system_user(id).map(|u| u.name)));
        let business = own.and_then(|id| s.business(id)).map(|b| json!({ "id": b.id, "name": b.name }));
        Answer::read(json!({
            "type": actor.kind.as_str(), "id": actor.id, "name": name, "role": allowed.role.as_str(), "business": business,
            "token": actor.token, "scopes": allowed.scopes, "expires_at": show::maybe_time(allowed.expires_at),
        }))
    };
    Ok(ctx.service.step(&call, Question::about(Target::Nothing), read)?.into_inner())
}

async fn status(ctx: Ctx) -> Result<Answer, Refusal> {
    let allowed = ctx.service.ask(&ctx.call, rights::MANAGE_BUSINESS.on_caller())?;
    // A store that can't be reached must not keep the rest back.
    let verified = ctx.service.last_verification().await.unwrap_or_else(|_| ctx.service.known_verification());
    let mut result = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "revision": ctx.service.revision().to_string(),
        "fresh": ctx.service.is_fresh(),
        "time": show::time(ctx.service.now()),
        "ledger_verified": verified.map(|found| json!({
            "at": show::time(found.at), "ok": found.is_ok(), "revision": found.revision.to_string(), "found": found.to_string(),
        })),
    });
    // Counts of the whole server are shown only to the operator.
    if let (None, Value::Object(map)) = (allowed.caller.business(), &mut result) {
        let (yes, no) = ctx.service.decision_counts();
        let count = |s: &Facts<'_>| (s.businesses().len(), s.terms().version);
        let (businesses, terms_version) = ctx.step(rights::MANAGE_BUSINESS.on_caller(), count)?;
        map.insert("decisions".into(), json!({ "allowed": yes, "refused": no }));
        map.insert("businesses".into(), json!(businesses));
        map.insert("terms_version".into(), json!(terms_version));
    }
    Ok(Answer::read(result))
}
