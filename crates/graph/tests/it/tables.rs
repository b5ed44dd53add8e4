//! The decision tables as calls: the adapter must answer each row's decision in its own dialect.
//! Also the access matrix over every route of an asset.

use std::collections::BTreeMap;

use valetkey_domain::{AssetKind, Reason};
use valetkey_graph::schema::{self, NodeType, Verb};
use valetkey_service::authz::tables::{Case, Ids, NOW, Situation, decisions, orders, situations};
use valetkey_service::authz::{Decision, Proof, Subject, Target, decide};
use valetkey_service::rights::Right;
use valetkey_testkit::ground::Ground;
use valetkey_testkit::stage::{Stage, Staged};

use crate::fixture::{Adapter, Answer, encode};

/// Status, code and subcode of a reason: the whole table of ordinary refusals.
fn wire(reason: Reason) -> (u16, u64, Option<u64>) {
    match reason {
        Reason::TokenMalformed | Reason::TokenUnknown | Reason::TokenExpired | Reason::TokenRevoked => (401, 190, None),
        Reason::UserDeactivated | Reason::UserDeleted => (401, 190, None),
        Reason::AppDisconnected | Reason::AppNotInstalled => (401, 190, None),
        Reason::ProofMissing | Reason::ProofInvalid => (400, 100, None),
        Reason::NotVisible => (400, 100, Some(33)),
        Reason::ScopeMissing => (403, 10, None),
        Reason::AssetNotAssigned | Reason::TaskMissing | Reason::RoleInsufficient => (403, 200, None),
        other => panic!("{} is no answer of a decision", other.as_str()),
    }
}

/// How an answer differs from a decision; `None` if they agree.
fn differs(answer: &Answer, wanted: &Decision) -> Option<String> {
    let subcode = answer.body.pointer("/error/error_subcode").and_then(serde_json::Value::as_u64);
    let got = (answer.status.as_u16(), answer.code().unwrap_or(0), subcode);
    let right = match wanted {
        // An allowed call may still be refused for its parameters, or by a rule.
        Decision::Allow(_) => !matches!(got, (401 | 403, ..) | (_, 100, Some(33)) | (500.., ..)),
        Decision::Deny(denial) => {
            let reason = denial.refusal().reason;
            let (status, code, subcode) = wire(reason);
            // An id that is not visible answers like one that never existed: without a reason.
            let shown = if reason == Reason::NotVisible { None } else { Some(reason.as_str()) };
            got.0 == status && got.1 == code && (subcode.is_none() || got.2 == subcode) && answer.reason() == shown
        }
    };
    (!right).then(|| format!("{} {}", answer.status.as_u16(), answer.text))
}

/// The call of a row: its own, or one that gets as far as the row's answer.
fn call_of(case: &Case) -> Option<&str> {
    let user = matches!(case.view.subject, Subject::Token(t) if t.page.is_none());
    if let Some(call) = &case.call {
        return Some(call);
    }
    match case.decide() {
        Decision::Deny(denial)
            if matches!(wire(denial.reason).1, 190)
                || denial.reason == Reason::ProofMissing
                || denial.reason == Reason::ProofInvalid =>
        {
            Some("GET /me")
        }
        Decision::Deny(denial) if denial.refusal().reason == Reason::NotVisible && user => match case.question.target {
            Target::Asset(id) if id == Ids::of_tables().asset => Some("GET /{asset}"),
            Target::Business(_) => Some("GET /{other-business}"),
            _ => None,
        },
        Decision::Allow(_) if user && case.question.target == Target::Nothing => Some("GET /me"),
        _ => None,
    }
}

async fn send(adapter: &Adapter, call: &str, kind: AssetKind, staged: &Staged, proof: Option<&str>) -> Answer {
    let ids = &staged.ids;
    let act = if kind == AssetKind::AdAccount { "act_" } else { "" };
    let mut words = call.split(' ').map(|word| {
        word.replace("{asset}", &format!("{act}{}", ids.asset))
            .replace("{other-business}", &ids.other_business.to_string())
            .replace("{business}", &ids.business.to_string())
            .replace("{user}", &ids.user.to_string())
    });
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let mut form: Vec<String> = words
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            format!("{name}={}", encode(value))
        })
        .collect();
    form.extend(staged.credential.iter().map(|token| format!("access_token={}", encode(token))));
    form.extend(proof.map(|proof| format!("appsecret_proof={proof}")));
    let (target, body) = match method.as_str() {
        "POST" => (format!("/v26.0{path}"), form.join("&")),
        _ => (format!("/v26.0{path}?{}", form.join("&")), String::new()),
    };
    adapter.raw(&method, &target, &[("content-type", "application/x-www-form-urlencoded")], body.into_bytes()).await
}

#[tokio::test]
async fn every_row_that_has_a_call_is_answered_so() {
    let ground = Ground::new().await;
    let mut stage = Stage::new(ground.keys());
    let (mut staged, mut silent) = (Vec::new(), 0);
    for case in decisions().into_iter().chain(orders()) {
        match call_of(&case) {
            Some(call) => staged.push((stage.set(&case.view).unwrap(), call.to_owned(), case)),
            None => silent += 1,
        }
    }
    stage.write(&*ground.store).await;
    let adapter = Adapter::new(ground.node(1).await);
    let mut wrong = Vec::new();
    for (made, call, case) in &staged {
        let proof = match case.question.proof {
            Proof::NotSent => None,
            Proof::Right => Some(made.proof()),
            Proof::Wrong => Some("0".repeat(64)),
        };
        let kind = case.view.asset.map_or(AssetKind::Page, |a| a.kind);
        let answer = send(&adapter, call, kind, made, proof.as_deref()).await;
        if let Some(got) = differs(&answer, &case.decide()) {
            wrong.push(format!("{}: {call}: wanted `{}`, got {got}", case.line, case.wanted));
        }
    }
    println!("over {}: {} cases as calls; {silent} ask what no call asks", ground.store.engine(), staged.len());
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), staged.len(), wrong.join("\n"));
    assert!(staged.len() > 300, "{}", staged.len());
}

/// The node of a kind of asset, and how its routes are called.
fn node_of(kind: AssetKind) -> Option<&'static NodeType> {
    let name = match kind {
        AssetKind::Page => "Page",
        AssetKind::AdAccount => "AdAccount",
        AssetKind::Catalog => "ProductCatalog",
        AssetKind::Pixel => "AdsPixel",
        _ => return None,
    };
    schema::find(name)
}

/// The routes of a node that only a right guards.
fn routes(node: &'static NodeType) -> Vec<(String, &'static Right)> {
    let verb = |verb| match verb {
        Verb::Get => "GET",
        Verb::Post => "POST",
        Verb::Delete => "DELETE",
    };
    let own = node.calls.iter().map(|call| (format!("{} /{{asset}}", verb(call.verb)), &call.right));
    let edges = node.edges.iter().map(|edge| (format!("{} /{{asset}}/{}", verb(edge.verb), edge.name), &edge.right));
    [("GET /{asset}".to_owned(), &node.identity)].into_iter().chain(own).chain(edges).collect()
}

#[tokio::test]
async fn every_route_of_an_asset_by_task_by_relation_by_role() {
    let ground = Ground::new().await;
    let mut stage = Stage::new(ground.keys());
    let mut staged = Vec::new();
    for mut at in situations() {
        if let Some(node) = node_of(at.kind) {
            // The token has all scopes, so scopes don't matter here.
            if let Subject::Token(token) = &mut at.view.subject {
                token.scopes = valetkey_domain::ScopeSet::all();
            }
            staged.push((stage.set(&at.view).unwrap(), node, at));
        }
    }
    stage.write(&*ground.store).await;
    let adapter = Adapter::new(ground.node(1).await);
    let mut seen: BTreeMap<(&str, &str, &str), [usize; 2]> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (made, node, at) in &staged {
        for (call, right) in routes(node) {
            let wanted = decide(&at.view, &right.on_asset(Ids::of_tables().asset, at.kind), NOW);
            let answer = send(&adapter, &call, at.kind, made, None).await;
            let Situation { word, relation, role, held, .. } = at;
            if let Some(got) = differs(&answer, &wanted) {
                wrong.push(format!("{call} {word} {relation} {role} has {held}: got {got}"));
            }
            seen.entry((word, relation, role)).or_default()[usize::from(matches!(wanted, Decision::Deny(_)))] += 1;
        }
    }
    println!("over {}; kind, relation, role: allowed / refused", ground.store.engine());
    for ((word, relation, role), [yes, no]) in &seen {
        println!("{word}, {relation}, {role}: {yes} / {no}");
    }
    println!("{} calls", seen.values().flatten().sum::<usize>());
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.iter().take(40).cloned().collect::<Vec<_>>().join("\n"));
}
