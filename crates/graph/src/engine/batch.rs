//! Batches: many calls in one request, each with its own answer.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use valetkey_http::Reply;
use valetkey_service::{Call, Credential};

use super::Work;
use super::input::Input;
use crate::protocol::batch::{ItemRequest, ItemResult, Plan};
use crate::protocol::envelope::{self, GraphError};
use crate::protocol::version;
use crate::{Graph, write};

/// After this time no further item is started.
const BATCH_BUDGET: Duration = Duration::from_secs(45);

impl Graph {
    /// Runs `batch` and gives the array as text.
    pub(crate) async fn run_batch(&self, call: &Call, input: &Input, text: &str) -> Result<String, GraphError> {
        // A top-level token is optional, since items may bring their own, but a dead one fails the
        // batch.
        if let Some(error) = self.dead(call, true) {
            return Err(error);
        }
        let include_headers = input.boolean("include_headers")?.unwrap_or(true);
        let plan = Plan::parse(text, include_headers)?;
        let work = Work::default();
        let started = Instant::now();
        let mut results: Vec<Option<ItemResult>> = (0..plan.len()).map(|_| None).collect();
        for i in plan.order() {
            let request = if started.elapsed() > BATCH_BUDGET {
                Err(envelope::reduce_data())
            } else {
                plan.substitute(i, &results)
            };
            let result = match request {
                Ok(request) => self.run_item(call, input, &work, i, request).await,
                Err(error) => part_of(&self.failed(call, &error, input.version)),
            };
            if let Some(slot) = results.get_mut(i) {
                *slot = Some(result);
            }
        }
        Ok(plan.assemble(results))
    }

    async fn run_item(
        &self,
        call: &Call,
        outer: &Input,
        work: &Work,
        index: usize,
        request: ItemRequest,
    ) -> ItemResult {
        let call = call.with_trace(format!("{}-{index}", call.trace()));
        let pairs = item_pairs(&request);
        let (call, has_own) = item_call(call, &pairs, &request);
        let input = match item_input(&call, has_own, outer, pairs, &request) {
            Ok(input) => input,
            Err(error) => {
                let error = self.dead(&call, true).unwrap_or(error);
                return part_of(&self.failed(&call, &error, outer.version));
            }
        };
        let none_match =
            request.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case("if-none-match")).map(|(_, v)| v.as_str());
        part_of(&Box::pin(self.serve(&call, &input, none_match, &work.part())).await)
    }
}

/// An answer as a part of a batch.
fn part_of(reply: &Reply) -> ItemResult {
    ItemResult::new(reply.status, &reply.headers, String::from_utf8_lossy(&reply.body).into_owned())
}

/// The parameters of an item. As everywhere, the body wins over the query and the first value of a
/// name over later ones; names that end with `[]` keep all values.
fn item_pairs(request: &ItemRequest) -> Vec<(String, String)> {
    let in_body: HashSet<&str> = request.body.iter().map(|(name, _)| name.as_str()).collect();
    let mut seen = HashSet::new();
    let query = request.query.iter().filter(|(name, _)| !in_body.contains(name.as_str()));
    let all = request.body.iter().chain(query);
    all.filter(|(name, _)| name.ends_with("[]") || seen.insert(name.as_str())).cloned().collect()
}

fn value_of<'p>(pairs: &'p [(String, String)], name: &str) -> Option<&'p str> {
    pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
}

/// The caller of an item, and whether the item brought a token of its own. An empty token counts as
/// none, as it does outside of a batch.
fn item_call(call: Call, pairs: &[(String, String)], request: &ItemRequest) -> (Call, bool) {
    let own = request.access_token.as_deref().or_else(|| value_of(pairs, "access_token"));
    let mut call = call;
    // The proof of the top token says nothing about another one.
    if let Some(text) = own.filter(|text| call.text() != Some(*text)) {
        call = call.with_credential(Credential::Text(text.to_owned()));
    }
    if let Some(proof) = value_of(pairs, "appsecret_proof") {
        call = call.with_proof(Some(proof.to_owned()));
    }
    (call, own.is_some())
}

fn item_input(
    call: &Call,
    has_own: bool,
    outer: &Input,
    mut pairs: Vec<(String, String)>,
    request: &ItemRequest,
) -> Result<Input, GraphError> {
    let path = version::parse(&request.path)?;
    let verb = write::verb(request.method.as_str(), value_of(&pairs, "method"))?;
    // Links repeat the token if the caller sent it as a parameter, in the item or for the whole
    // batch. The proof goes with it, because a proof is always a parameter.
    let token_in_params = has_own || outer.token_in_params;
    if token_in_params && let Some(text) = call.text() {
        pairs.retain(|(n, _)| !matches!(n.as_str(), "access_token" | "appsecret_proof"));
        pairs.push(("access_token".to_owned(), text.to_owned()));
        pairs.extend(call.proof().map(|proof| ("appsecret_proof".to_owned(), proof.to_owned())));
    }
    let version = path.named.unwrap_or(outer.version);
    let segments: Vec<String> = path.segments.iter().map(|s| s.clone().into_owned()).collect();
    if segments.is_empty() && pairs.iter().any(|(n, _)| n == "batch") {
        return Err(envelope::batch_not_array());
    }
    Ok(Input {
        verb,
        version,
        path: format!("/{version}/{}", segments.join("/")),
        segments,
        token_in_params,
        pairs,
        nodes: 1,
        base_url: outer.base_url.clone(),
    })
}
