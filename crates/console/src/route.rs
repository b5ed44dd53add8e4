//! The routes: which method and path leads to which handler, and who may come. Tests walk this table,
//! so a page that isn't in it doesn't exist.

use futures_util::future::BoxFuture;
use http::Method;
use valetkey_http::Reply;

use crate::failure::Failure;
use crate::open::Open;
use crate::visit::Visit;

/// What a handler gives.
pub type Answer = BoxFuture<'static, Result<Reply, Failure>>;

/// Who may come. The service decides about everything that is shown and done; this only spares the
/// others a page that would be empty.
#[derive(Debug, Clone, Copy)]
pub enum Handler {
    /// Anyone.
    Open(fn(Open) -> Answer),
    /// Whoever is signed in.
    Person(fn(Visit) -> Answer),
    /// Admins of the business.
    Admin(fn(Visit) -> Answer),
}

/// One row.
#[derive(Debug, Clone)]
pub struct Route {
    pub method: Method,
    /// The path below `/console`; `{}` stands for any one part.
    pub path: &'static str,
    pub handler: Handler,
}

/// What a path leads to.
#[derive(Debug)]
pub enum Found {
    Handler {
        handler: Handler,
        open: Vec<String>,
    },
    /// The path exists, with other methods.
    OtherMethod,
    Nothing,
}

/// Finds the route of a path below `/console`.
pub fn find(routes: &[Route], method: &Method, path: &str) -> Found {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    let mut is_path = false;
    for route in routes {
        if let Some(open) = fits(route.path, &parts) {
            if route.method == *method {
                return Found::Handler { handler: route.handler, open };
            }
            is_path = true;
        }
    }
    if is_path { Found::OtherMethod } else { Found::Nothing }
}

fn fits(pattern: &str, parts: &[&str]) -> Option<Vec<String>> {
    let wanted: Vec<&str> = pattern.split('/').collect();
    if wanted.len() != parts.len() {
        return None;
    }
    let mut open = Vec::new();
    for (wanted, part) in wanted.iter().zip(parts) {
        if *wanted == "{}" {
            // Ids and traces are plain letters and digits; anything else names nothing.
            let is_plain =
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            open.push(is_plain.then(|| (*part).to_owned())?);
        } else if wanted != part {
            return None;
        }
    }
    Some(open)
}
