//! The decision tables as questions to the gateway: both paths must answer each row's decision.

use http::Method;
use serde_json::{Map, Value, json};
use valetkey_domain::{Reason, ScopeSet};
use valetkey_gateway::Gateway;
use valetkey_http::{Adapter as _, Request};
use valetkey_service::authz::tables::{Case, Ids, NOW, decisions, orders, task_names};
use valetkey_service::authz::{Decision, Need, Proof, Question, Sorts, Subject, Target, decide};
use valetkey_testkit::ground::Ground;
use valetkey_testkit::stage::{Stage, Staged};

use crate::fixture::Answer;

/// A row as a question to the gateway: its parameters, and the question that they mean.
fn words_of(case: &Case) -> Option<(Vec<(&'static str, String)>, Question)> {
    let asked = &case.question;
    let kind = case.view.asset.map(|a| a.kind);
    let mut words = Vec::new();
    match asked.target {
        Target::Nothing => {}
        Target::Alive => words.push(("alive", "true".to_owned())),
        Target::Asset(id) if id == Ids::of_tables().asset => words.push(("asset", "own".to_owned())),
        Target::Asset(_) | Target::Business(_) => return None,
    }
    match asked.scopes.names()[..] {
        [] => {}
        [name] => words.push(("scope", name.to_owned())),
        _ => return None,
    }
    match (asked.need, asked.target) {
        (Need::Nothing, Target::Nothing | Target::Alive) | (Need::AnyTask, Target::Asset(_)) => {}
        (Need::Admin, Target::Nothing | Target::Asset(_)) => words.push(("role", "ADMIN".to_owned())),
        (Need::Tasks(tasks), Target::Asset(_)) => {
            let names = task_names(kind?, tasks);
            words.push(("task", Some(names).filter(|n| !n.is_empty() && !n.contains(','))?));
        }
        _ => return None,
    }
    let alone = asked.target == Target::Alive && words.len() > 1;
    if words.is_empty() || alone || asked.own.is_some() || asked.admin_scopes != ScopeSet::EMPTY {
        return None;
    }
    let sorts = if asked.need == Need::Admin { Sorts::USERS.with(Sorts::APP) } else { Sorts::ANY };
    Some((words, Question { sorts, scope_free: Sorts::NONE, ..*asked }))
}

/// The two ways to ask, with the credential of a case.
struct Asker<'a> {
    gateway: &'a Gateway,
    staged: &'a Staged,
    proof: Option<String>,
}

impl Asker<'_> {
    fn request(&self, method: Method, target: &str) -> Request {
        let mut request = Request::new(method, target.parse().unwrap());
        let bearer = format!("Bearer {}", self.staged.credential.as_deref().unwrap());
        request.headers.append("authorization", bearer.parse().unwrap());
        if let Some(proof) = &self.proof {
            request.headers.append("x-appsecret-proof", proof.parse().unwrap());
        }
        request
    }

    fn forward(&self, words: &[(&'static str, String)]) -> Answer {
        let pairs = words.iter().map(|(name, value)| format!("{name}={}", self.named(value)));
        let query = pairs.collect::<Vec<_>>().join("&");
        let request = self.request(Method::GET, &format!("/gateway/forward-auth?{query}"));
        Answer::of(self.gateway.check_path(&request.head()).unwrap())
    }

    fn check(&self, words: &[(&'static str, String)]) -> Answer {
        let mut body: Map<String, Value> = words.iter().map(|(n, v)| ((*n).to_owned(), json!(self.named(v)))).collect();
        if body.contains_key("alive") {
            body.insert("alive".to_owned(), json!(true));
        }
        body.extend(self.proof.iter().map(|p| ("appsecret_proof".to_owned(), json!(p))));
        let request = self.request(Method::POST, "/v1/check");
        let body = Value::Object(body).to_string().into();
        Answer::of(self.gateway.check_path_with_body(&request.head(), &body).unwrap())
    }

    fn named(&self, value: &str) -> String {
        if value == "own" { self.staged.ids.asset.to_string() } else { value.to_owned() }
    }
}

/// How an answer differs from a decision; `None` if they agree.
fn differs(answer: &Answer, wanted: &Decision, is_forward: bool) -> Option<String> {
    let (status, reason) = match wanted {
        Decision::Allow(_) => (200, None),
        Decision::Deny(denial) => {
            let reason = denial.refusal().reason;
            let status = match (is_dead(reason), is_forward) {
                (true, _) => 401,
                (false, true) => 403,
                (false, false) => 200,
            };
            (status, Some(reason.as_str()))
        }
    };
    let got = (answer.status.as_u16(), answer.body["reason"].as_str(), answer.body["allowed"].as_bool());
    let right = got == (status, reason, Some(reason.is_none()));
    (!right).then(|| format!("wanted {status} {reason:?}, got {} {}", answer.status, answer.text))
}

fn is_dead(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::TokenMalformed
            | Reason::TokenUnknown
            | Reason::TokenExpired
            | Reason::TokenRevoked
            | Reason::UserDeactivated
            | Reason::UserDeleted
            | Reason::AppDisconnected
            | Reason::AppNotInstalled
    )
}

#[tokio::test]
async fn every_row_that_the_gateway_can_ask_is_answered_so_on_both_paths() {
    let ground = Ground::new().await;
    let mut stage = Stage::new(ground.keys());
    let mut staged = Vec::new();
    for case in decisions().into_iter().chain(orders()) {
        if let Some((words, question)) = words_of(&case)
            && case.view.subject != Subject::Operator
        {
            staged.push((stage.set(&case.view).unwrap(), words, question, case));
        }
    }
    stage.write(&*ground.store).await;
    let gateway = Gateway::new(ground.node(1).await);
    let (mut wrong, mut page_tokens, mut alive) = (Vec::new(), 0, 0);
    for (made, words, question, case) in &staged {
        let wanted = decide(&case.view, question, NOW);
        let proof = match question.proof {
            Proof::NotSent => None,
            Proof::Right => Some(made.proof()),
            Proof::Wrong => Some("0".repeat(64)),
        };
        let asker = Asker { gateway: &gateway, staged: made, proof };
        for (answer, is_forward) in [(asker.forward(words), true), (asker.check(words), false)] {
            if let Some(what) = differs(&answer, &wanted, is_forward) {
                wrong.push(format!("{} {words:?}: {what}", case.line));
            }
        }
        page_tokens += usize::from(matches!(case.view.subject, Subject::Token(t) if t.page.is_some()));
        alive += usize::from(question.target == Target::Alive);
    }
    println!(
        "over {}: {} cases, {page_tokens} of page tokens, {alive} ask whether it lives",
        ground.store.engine(),
        staged.len()
    );
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), staged.len(), wrong.join("\n"));
    assert!(staged.len() > 250 && page_tokens > 30 && alive > 15, "{} {page_tokens} {alive}", staged.len());
}
