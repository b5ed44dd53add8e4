//! Batches: many calls in one request, each with its own answer.

use std::time::{Duration, Instant};

use valetkey_service::{Call, Credential};

use super::input::{Input, Problem};
use super::{Cx, Work};
use crate::protocol::batch::{ItemRequest, ItemResult, Plan};
use crate::protocol::envelope::{self, GraphError};
use crate::protocol::version;
use crate::{Graph, write};

/// After this long no further item is begun.
const BATCH_BUDGET: Duration = Duration::from_secs(45);

impl Graph {
    /// Runs `batch` and gives the array as text.
    pub(crate) async fn run_batch(&self, call: &Call, input: &Input, text: &str) -> Result<String, GraphError> {
        let include_headers = input.boolean("include_headers")?.unwrap_or(true);
        let plan = Plan::parse(text, include_headers)?;
        self.check_top_token(call, &plan, input)?;
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
                Err(error) => failed(&error, &call.trace),
            };
            if let Some(slot) = results.get_mut(i) {
                *slot = Some(result);
            }
        }
        Ok(plan.assemble(results))
    }

    /// A top-level token must be alive if there is one; items may bring their own.
    fn check_top_token(&self, call: &Call, plan: &Plan, input: &Input) -> Result<(), GraphError> {
        if matches!(call.credential, Credential::None) || plan.is_empty() {
            return Ok(());
        }
        let work = Work::default();
        let cx = Cx { service: &self.service, call, input, now: self.service.now(), work: &work };
        match self.service.ask(call, Cx::alive()) {
            Ok(_) => Ok(()),
            Err(refusal) => Err(cx.error(&Problem::from(refusal))),
        }
    }

    async fn run_item(
        &self,
        call: &Call,
        outer: &Input,
        work: &Work,
        index: usize,
        request: ItemRequest,
    ) -> ItemResult {
        let call = Call { trace: format!("{}-{index}", call.trace), ..call.clone() };
        let (input, call) = match item_input(&call, outer, &request) {
            Ok(pair) => pair,
            Err(error) => return failed(&error, &call.trace),
        };
        let none_match =
            request.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case("if-none-match")).map(|(_, v)| v.as_str());
        let reply = Box::pin(self.serve(&call, &input, none_match, &work.part())).await;
        ItemResult::new(reply.status, &reply.headers, String::from_utf8_lossy(&reply.body).into_owned())
    }
}

/// The part for an item that could not be run, with the headers of every other answer.
fn failed(error: &GraphError, trace: &str) -> ItemResult {
    let reply = write::error(error, trace);
    ItemResult::new(reply.status, &reply.headers, String::from_utf8_lossy(&reply.body).into_owned())
}

fn item_input(call: &Call, outer: &Input, request: &ItemRequest) -> Result<(Input, Call), GraphError> {
    let path = version::parse(&request.path)?;
    let mut pairs = request.body.clone();
    pairs.extend(request.query.iter().cloned());
    let verb =
        write::verb(request.method.as_str(), pairs.iter().find(|(n, _)| n == "method").map(|(_, v)| v.as_str()))?;
    // An empty one counts as none, as it does outside of a batch.
    let sent = pairs.iter().find(|(n, v)| n == "access_token" && !v.is_empty()).map(|(_, v)| v.clone());
    let own = request.access_token.clone().or(sent);
    let mut call = call.clone();
    if let Some(text) = &own {
        // The proof of the top token says nothing about this one.
        call.proof = if call.text() == Some(text) { call.proof } else { None };
        call.credential = Credential::Text(text.clone());
    }
    if let Some((_, proof)) = pairs.iter().find(|(n, v)| n == "appsecret_proof" && !v.is_empty()) {
        call.proof = Some(proof.clone());
    }
    // Links carry the token if the caller sent it as a parameter, here or for the whole batch.
    let token_in_params = own.is_some() || outer.token_in_params;
    if token_in_params && let Some(text) = call.text() {
        pairs.retain(|(n, _)| n != "access_token");
        pairs.push(("access_token".to_owned(), text.to_owned()));
    }
    let version = path.served();
    let segments: Vec<String> = path.segments.iter().map(|s| s.clone().into_owned()).collect();
    if segments.is_empty() && pairs.iter().any(|(n, _)| n == "batch") {
        return Err(envelope::batch_not_array());
    }
    Ok((
        Input {
            verb,
            path: format!("/{version}/{}", segments.join("/")),
            segments,
            token_in_params,
            pairs,
            base_url: outer.base_url.clone(),
        },
        call,
    ))
}
