//! The doors of this house, side by side. None of them knows another; this is the one place that
//! names them all, and it only passes requests on.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use valetkey_api::Api;
use valetkey_graph::{Graph, GraphConfig};
use valetkey_http::{Head, Reply, Request};
use valetkey_service::Service;

/// The check path, asked before anything is routed: it answers what it knows, and nothing else.
pub trait CheckPath: Send + Sync + 'static {
    /// The answer to a request that needs no body.
    fn fast(&self, head: &Head<'_>) -> Option<Reply>;

    /// The answer to a request whose body was read.
    fn fast_with_body(&self, head: &Head<'_>, body: &Bytes) -> Option<Reply>;
}

/// No check path: every question takes the long way.
#[derive(Debug, Clone, Copy)]
pub struct NoCheckPath;

impl CheckPath for NoCheckPath {
    fn fast(&self, _: &Head<'_>) -> Option<Reply> {
        None
    }

    fn fast_with_body(&self, _: &Head<'_>, _: &Bytes) -> Option<Reply> {
        None
    }
}

/// All doors.
pub struct Doors {
    check_path: Box<dyn CheckPath>,
    graph: Graph,
    api: Api,
}

impl std::fmt::Debug for Doors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Doors").finish_non_exhaustive()
    }
}

impl Doors {
    /// The doors in front of a service. Without a `public_url` links follow the caller's own words.
    pub fn new(service: Service, public_url: Option<String>) -> Doors {
        Doors {
            check_path: Box::new(NoCheckPath),
            graph: Graph::new(service.clone(), GraphConfig { public_url }),
            api: Api::new(service),
        }
    }

    /// Asks the check path.
    pub fn fast(&self, head: &Head<'_>) -> Option<Reply> {
        self.check_path.fast(head)
    }

    /// The same for a request whose body was read.
    pub fn fast_with_body(&self, head: &Head<'_>, body: &Bytes) -> Option<Reply> {
        self.check_path.fast_with_body(head, body)
    }

    /// The Graph's answer.
    pub fn graph(&self, request: Request) -> BoxFuture<'static, Reply> {
        self.graph.handle(request)
    }

    /// The answer of `/v1`. Over the operator's own socket whoever shows no token is the operator.
    pub fn api(&self, request: Request, is_operator: bool) -> BoxFuture<'static, Reply> {
        self.api.handle(request, is_operator)
    }
}
