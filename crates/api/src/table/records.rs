//! What was done and what was refused: ledger, journal, explanations; also the state of this node.

use serde::Deserialize as _;
use serde_json::{Value, json};
use valetkey_domain::{AppId, AssetId, BusinessId, Id, Name, Reason, Refusal, Sentence, State, Status, UserId};
use valetkey_service::authz::{Question, Target};
use valetkey_service::store::ledger::to_hex;
use valetkey_service::{Facts, rights};

use crate::command::{Access, Answer, Command, Ctx, LIMIT, Noun, Sort, line, may, need};
use crate::{error, show};

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
        line: line("ledger list", "ledger list --after 100 --limit 20").table(&[
            ("revision", "revision"),
            ("at", "at"),
            ("action", "action"),
            ("by", "actor.kind actor.id"),
            ("with token", "actor.token"),
            ("about", "subjects"),
        ]),
        run: |ctx| Box::pin(list(ctx)),
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
        run: |ctx| Box::pin(explain_trace(ctx)),
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
        run: |ctx| Box::pin(explain_question(ctx)),
    },
    Command {
        name: "refusals.list",
        summary: "List the newest refusals",
        access: Access::Admin,
        writes: false,
        params: &[LIMIT.sends("20")],
        line: line("refusals", "refusals --limit 50")
            .table(&[
                ("at", "at"),
                ("reason", "reason"),
                ("token", "token"),
                ("business", "business"),
                ("trace", "trace"),
            ])
            .next("valetkey explain TRACE tells more"),
        run: |ctx| Box::pin(refusals(ctx)),
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

async fn explain_trace(ctx: Ctx) -> Result<Answer, Refusal> {
    let trace = ctx.need_text("trace")?;
    let found = ctx.service.explain(&ctx.call, trace).await?;
    // A rule's refusal is stored in the row. For a decision only the reason is stored, and the
    // facts beside the sentence explain it.
    let refusal = found.then.get("refusal").and_then(|refusal| Refusal::deserialize(refusal).ok());
    let refusal = refusal.or_else(|| Reason::parse(&found.reason).map(Refusal::of));
    let sentence = refusal.map(|refusal| error::sentence(&ctx.service, &refusal, true));
    Ok(Answer::read(json!({
        "trace": found.trace, "at": show::time(found.at), "reason": found.reason, "token": found.token,
        "message": sentence.as_ref().map(|sentence| &sentence.what),
        "hint": sentence.as_ref().and_then(Sentence::hint),
        "granted_by": sentence.and_then(|sentence| sentence.granted_by),
        "then": found.then, "now": found.now,
    })))
}

async fn explain_question(ctx: Ctx) -> Result<Answer, Refusal> {
    let (token, asset) = (ctx.need_id("token")?, ctx.need_id("asset")?);
    ctx.service.explain_question(&ctx.call, token, asset, ctx.text("task"), ctx.text("scope")).map(Answer::read)
}

async fn refusals(ctx: Ctx) -> Result<Answer, Refusal> {
    let rows = ctx.service.refusals(&ctx.call, ctx.limit()).await?;
    let rows = rows.iter().map(|r| {
        let detail: Value = serde_json::from_str(&r.body).unwrap_or(Value::Null);
        json!({
            "trace": r.trace, "at": show::time(r.at), "business": r.business, "token": r.token, "reason": r.reason, "detail": detail,
        })
    });
    Ok(Answer::read(crate::command::page_of(rows.collect(), None)))
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
    let mut result = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "revision": ctx.service.revision().to_string(),
        "fresh": ctx.service.is_fresh(),
        "time": show::time(ctx.service.now()),
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
