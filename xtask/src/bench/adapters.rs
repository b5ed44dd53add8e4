//! What other calls cost, each beside a bare answer of the same size: `POST /v1/check` with one question
//! and with a hundred, and reads of the Graph.
//!
//! The data is the demo's, small and on the embedded store, and one caller repeats the same call.
//! It must never compare answers of different sizes.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::check::{Side, Sized, load, measured_pairs};
use super::tools::{Bench, write};
use crate::out;

const CONNECTIONS: &str = "32";
/// How many questions the larger check asks.
const QUESTIONS: usize = 100;
/// How many posts the page of posts shows.
const POSTS: usize = 25;

/// One call that is measured.
struct Call {
    name: &'static str,
    what: &'static str,
    /// A line of the load's targets: path, token, and the body of a POST.
    target: String,
}

pub(super) fn measure(bench: &Bench<'_>) -> Result<Value> {
    let (pairs, requests) = if bench.quick { (3, 500) } else { (11, 20_000) };
    let (product, demo) = Side::demo(bench)?;
    let calls = calls(bench, &product, &demo)?;
    let mut rows = Vec::with_capacity(calls.len());
    for call in &calls {
        let file = bench.folder.join(format!("{}.txt", call.name));
        write(&file, &format!("{}\n", call.target))?;
        let tried = load(bench, &product.address, &file, 50, CONNECTIONS)?;
        let bytes = tried["answer_bytes_most"].as_u64().context("an answer has no size")?;
        ensure!(
            tried["answer_bytes_least"] == tried["answer_bytes_most"],
            "the answers to {} differ in size",
            call.what
        );
        let bare = Side::bare(bench, Sized::Bytes(bytes), None)?;
        let found = measured_pairs(bench, [&product, &bare], &file, pairs, requests, CONNECTIONS)?;
        bare.stop("bare server")?;
        let median = |side: &str| found["cpu_us"][side]["median"].as_f64().unwrap_or(f64::NAN);
        out::detail(&format!("{}: {:.1} and {:.1} us of CPU", call.what, median("product"), median("bare")));
        rows.push(json!({ "name": call.name, "what": call.what, "answer_bytes": bytes, "cpu_us": found["cpu_us"] }));
    }
    product.stop("demo")?;
    let cost = |name: &str| {
        let row = rows.iter().find(|row| row["name"] == name);
        row.and_then(|row| row["cpu_us"]["product"]["median"].as_f64()).unwrap_or(f64::NAN)
    };
    let further_question_us = (cost("check-many") - cost("check-one")) / (QUESTIONS as f64 - 1.0);
    let by_name: serde_json::Map<String, Value> = rows
        .iter()
        .filter_map(|row| Some((row["name"].as_str()?.to_owned(), row["cpu_us"]["ratio"].clone())))
        .collect();
    Ok(json!({
        "pairs": pairs,
        "requests": requests,
        "connections": CONNECTIONS,
        "questions": QUESTIONS,
        "further_question_us": further_question_us,
        "ratios": by_name,
        "rows": rows,
    }))
}

fn calls(bench: &Bench<'_>, product: &Side<'_>, demo: &Value) -> Result<Vec<Call>> {
    let token = demo["admin_system_user"]["token"].as_str().context("the demo names no token")?;
    let page = demo["pages"][0]["id"].as_str().context("the demo names no Page")?;
    // Enough posts to fill a page.
    let post = bench.folder.join("posts.txt");
    let message = r#"{"message":"A ride along the river, every Sunday at ten."}"#;
    write(&post, &format!("/v26.0/{page}/feed {token} {message}\n"))?;
    load(bench, &product.address, &post, POSTS + 5, "1")?;
    let newest = product.get(&format!("/v26.0/{page}/feed?limit=1&fields=id"), token)?;
    let newest = newest["data"][0]["id"].as_str().context("the Page shows no post")?;
    let fields = "id,message,created_time,permalink_url,is_published";
    let question = json!({ "asset": page, "task": "CREATE_CONTENT", "scope": "pages_manage_posts" });
    let many = json!({ "questions": vec![&question; QUESTIONS] });
    Ok(vec![
        Call {
            name: "check-one",
            what: "POST /v1/check, one question",
            target: format!("/v1/check {token} {question}"),
        },
        Call { name: "check-many", what: "POST /v1/check, 100 questions", target: format!("/v1/check {token} {many}") },
        Call { name: "me", what: "Graph: GET /me", target: format!("/v26.0/me {token}") },
        Call {
            name: "post",
            what: "Graph: one post, five fields",
            target: format!("/v26.0/{newest}?fields={fields} {token}"),
        },
        Call {
            name: "posts",
            what: "Graph: a page of 25 posts, five fields",
            target: format!("/v26.0/{page}/feed?limit={POSTS}&fields={fields} {token}"),
        },
    ])
}
