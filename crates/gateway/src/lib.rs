//! The gateway adapter: `GET /gateway/forward-auth` for proxies and `POST /v1/check` for programs.
//!
//! Both are answered on the check path, before any router, from the index alone. They must never wait,
//! read the store, or copy a credential into an answer.

mod check;
mod core;
mod forward;
mod openapi;
mod question;
mod reply;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Method, StatusCode};
use valetkey_http::{Adapter, Claim, Failure, Head, Origin, PathEntry, Reply, Request};
use valetkey_service::Service;

pub use core::{CHECK, FORWARD_AUTH, Gateway};
use reply::refused;

impl Gateway {
    /// An adapter in front of a service.
    pub fn new(service: Service) -> Gateway {
        Gateway::with_headers(service, forward::welcome_headers())
    }
}

impl Adapter for Gateway {
    fn name(&self) -> &'static str {
        "gateway"
    }

    fn claims(&self) -> &'static [Claim] {
        &[Claim::CheckPath(FORWARD_AUTH), Claim::CheckPath(CHECK), Claim::Segment("gateway")]
    }

    /// Answers what the check path doesn't: a check without a body, and paths that don't exist.
    fn handle(&self, request: Request, _: Origin) -> BoxFuture<'static, Reply> {
        let head = request.head();
        let reply = if head.path() == CHECK {
            refused(StatusCode::BAD_REQUEST, "invalid_parameter", "the body must be a JSON object", &head)
        } else {
            refused(StatusCode::NOT_FOUND, "unknown_path", "there is no such path; `/` lists the paths", &head)
        };
        Box::pin(std::future::ready(reply))
    }

    fn failed(&self, head: &Head<'_>, failure: Failure) -> Reply {
        failure.json(head)
    }

    fn check_path(&self, head: &Head<'_>) -> Option<Reply> {
        match head.path() {
            FORWARD_AUTH => Some(self.forward(head)),
            CHECK if head.method != Method::POST => {
                let reply =
                    refused(StatusCode::METHOD_NOT_ALLOWED, "invalid_parameter", "send POST with a JSON body", head);
                Some(reply.header(http::header::ALLOW, HeaderValue::from_static("POST")))
            }
            _ => None,
        }
    }

    fn check_path_with_body(&self, head: &Head<'_>, body: &Bytes) -> Option<Reply> {
        (head.path() == CHECK && head.method == Method::POST).then(|| self.check(head, body))
    }

    fn paths(&self) -> Vec<PathEntry> {
        openapi::paths()
    }
}
