//! One request of somebody who may not be signed in: the sign-in pages use nothing else.

use std::sync::Arc;

use valetkey_service::{Call, Service};

use crate::web::address::Address;
use crate::web::form::Form;

/// One request, without a session.
#[derive(Debug, Clone)]
pub struct Open {
    pub service: Service,
    pub address: Arc<Address>,
    /// The call without a credential: trace, address and program.
    pub call: Call,
    /// Whether the browser sent a live session.
    pub is_signed_in: bool,
    pub query: Form,
    pub form: Form,
}

/// Where a browser is led after sign-in: a page of this console, and nothing else.
pub fn safe_next(next: Option<&str>) -> &str {
    let is_own = |path: &str| {
        let rest = path.strip_prefix("/console");
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest.starts_with('?'))
            && path.len() <= 2_000
            && path.bytes().all(|b| (b'!'..=b'~').contains(&b) && b != b'\\')
            && !path.contains("//")
            // A browser walks back over these, out of the console.
            && !path.contains("..")
            && !path.split('?').next().unwrap_or_default().contains('%')
            && !path.starts_with("/console/sign-")
    };
    next.filter(|path| is_own(path)).unwrap_or("/console")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_leads_only_into_the_console() {
        for own in ["/console", "/console/people", "/console/refusals?reason=x&q=a%20b"] {
            assert_eq!(safe_next(Some(own)), own);
        }
        for foreign in [
            "https://evil.example",
            "//evil.example/console",
            "/console//evil.example",
            "/console/\\evil",
            "/consoles",
            "/me",
            "/console/sign-out",
            "/console/a\r\nSet-Cookie: x",
            "/console/../me",
            "/console/%2e%2E/me",
            "",
        ] {
            assert_eq!(safe_next(Some(foreign)), "/console", "{foreign:?}");
        }
    }
}
