//! An adapter: one dialect behind some paths. The server routes by the claims of the adapters, and
//! the claiming adapter alone answers, errors included. An adapter must never name another one.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::site::{Failure, Head, Reply, Request};

/// A part of the paths of a server. Two adapters that claim the same part are an error at start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Claim {
    /// All paths whose first segment is this one: `v1` is `/v1` and all below it. Without slashes.
    Segment(&'static str),
    /// Exactly this path. It wins over the segment that it is below.
    Path(&'static str),
    /// The same, and the adapter is asked on the check path first, before any other work.
    CheckPath(&'static str),
    /// `/`, read with GET or HEAD, unless [`Claim::RootCall`] takes it.
    Root,
    /// `/` with another method, or with one of these query parameters.
    RootCall(&'static [&'static str]),
    /// Every path that no other adapter claims and that is not reserved.
    Rest,
}

/// Through which listener a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The address for everybody.
    Network,
    /// The operator's socket. A caller without a credential is the operator there.
    OperatorSocket,
}

/// A path of an adapter, for the OpenAPI document and the welcome page.
#[derive(Debug, Clone, PartialEq)]
pub struct PathEntry {
    /// The path, with parameters in braces.
    pub path: &'static str,
    /// What it is for, in a few words; `None` keeps it off the welcome page.
    pub summary: Option<&'static str>,
    /// The OpenAPI path item; `None` keeps it out of the document.
    pub item: Option<Value>,
}

/// One adapter. Every method may be called from many threads at once, and must not block; a panic
/// costs the one request.
pub trait Adapter: Send + Sync + 'static {
    /// A word for logs and for errors at start.
    fn name(&self) -> &'static str;

    /// The paths that it answers.
    fn claims(&self) -> &'static [Claim];

    /// Answers a request to one of its paths.
    fn handle(&self, request: Request, origin: Origin) -> BoxFuture<'static, Reply>;

    /// The reply to a request that can't be handled, in the adapter's dialect.
    fn failed(&self, head: &Head<'_>, failure: Failure) -> Reply;

    /// Asked for each [`Claim::CheckPath`], whatever the method, before a body is read. It must not
    /// wait, and allocate no more than its answer. `None` sends the request on.
    fn check_path(&self, head: &Head<'_>) -> Option<Reply> {
        let _ = head;
        None
    }

    /// The same, after the body is read. Not called if the body is empty.
    fn check_path_with_body(&self, head: &Head<'_>, body: &Bytes) -> Option<Reply> {
        let _ = (head, body);
        None
    }

    /// Whether files may be sent with this request.
    fn takes_uploads(&self, head: &Head<'_>) -> bool {
        let _ = head;
        false
    }

    /// Its paths, for the OpenAPI document and the welcome page.
    fn paths(&self) -> Vec<PathEntry> {
        Vec::new()
    }

    /// Called once, before the first request, with the paths of all adapters in their order.
    fn set_paths(&mut self, all: &Arc<[PathEntry]>) {
        let _ = all;
    }
}
