//! The adapter's own data, and the paths that it answers.

use http::HeaderMap;
use valetkey_service::Service;

/// The path that proxies ask.
pub const FORWARD_AUTH: &str = "/gateway/forward-auth";
/// The path that programs ask.
pub const CHECK: &str = "/v1/check";

/// The adapter. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Gateway {
    pub(crate) service: Service,
    /// The headers of an allowed answer, with empty values.
    pub(crate) welcome: HeaderMap,
}

impl Gateway {
    pub(crate) fn with_headers(service: Service, welcome: HeaderMap) -> Gateway {
        Gateway { service, welcome }
    }
}
