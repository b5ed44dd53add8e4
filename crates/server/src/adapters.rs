//! The adapters of this fixture, side by side. None of them knows another; this is the one place that
//! names them all, and it only passes requests on.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use valetkey_api::Api;
use valetkey_gateway::Gateway;
use valetkey_graph::{Graph, GraphConfig};
use valetkey_http::{Head, ParamLimits, Reply, Request};
use valetkey_service::Service;

/// All adapters.
#[derive(Debug)]
pub struct Adapters {
    gateway: Gateway,
    graph: Graph,
    api: Api,
}

impl Adapters {
    /// The adapters in front of a service. Without a `public_url` links follow the caller's own words.
    pub fn new(service: Service, public_url: Option<String>, params: ParamLimits) -> Adapters {
        Adapters {
            gateway: Gateway::new(service.clone()),
            graph: Graph::new(service.clone(), GraphConfig { public_url }).with_param_limits(params),
            api: Api::new(service),
        }
    }

    /// Asks the check path, before anything is routed.
    pub fn fast(&self, head: &Head<'_>) -> Option<Reply> {
        self.gateway.fast(head)
    }

    /// The same for a request whose body was read.
    pub fn fast_with_body(&self, head: &Head<'_>, body: &Bytes) -> Option<Reply> {
        self.gateway.fast_with_body(head, body)
    }

    /// The Graph's answer.
    pub fn graph(&self, request: Request) -> BoxFuture<'static, Reply> {
        self.graph.handle(request)
    }

    /// The answer of `/v1`. Over the operator's own socket whoever shows no token is the operator.
    pub fn api(&self, request: Request, is_operator: bool) -> BoxFuture<'static, Reply> {
        if request.path() == valetkey_gateway::CHECK {
            // The check path leaves it over only if there is no body to check.
            return Box::pin(std::future::ready(Gateway::without_body(&request.head())));
        }
        self.api.handle(request, is_operator)
    }
}
