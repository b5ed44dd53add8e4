//! Replies of the console: a page, a redirect, a file. Each has the same headers, which let the browser
//! load nothing but this console's own script, style and pictures.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, LOCATION, REFERRER_POLICY, SET_COOKIE,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use valetkey_http::Reply;

use super::address::Address;

static OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
static RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
static PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// A page.
pub fn page(status: StatusCode, html: String) -> Reply {
    Reply::new(status).header(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")).body(html)
}

/// Sends the browser on to a path of this console, with GET.
pub fn see_other(path: &str) -> Reply {
    let reply = Reply::new(StatusCode::SEE_OTHER);
    match HeaderValue::from_str(path) {
        Ok(path) => reply.header(LOCATION, path),
        Err(_) => reply.header(LOCATION, HeaderValue::from_static("/console")),
    }
}

/// A file for the viewer to keep. The name must be plain ASCII without quotes.
pub fn download(kind: &'static str, name: &str, body: String) -> Reply {
    let reply = Reply::new(StatusCode::OK).header(CONTENT_TYPE, HeaderValue::from_static(kind)).body(body);
    match HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        Ok(value) => reply.header(http::header::CONTENT_DISPOSITION, value),
        Err(_) => reply,
    }
}

/// Sets a cookie beside what the reply says.
#[must_use]
pub fn with_cookie(mut reply: Reply, cookie: &str) -> Reply {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        reply.headers.append(SET_COOKIE, value);
    }
    reply
}

/// The headers that every reply of the console has. `no-store` unless the reply says otherwise.
#[must_use]
pub fn guarded(mut reply: Reply, address: Option<&Address>) -> Reply {
    let fixed = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        // `no-referrer` would make a browser send `Origin: null` with our own forms.
        (REFERRER_POLICY, "same-origin"),
        (OPENER_POLICY.clone(), "same-origin"),
        (RESOURCE_POLICY.clone(), "same-origin"),
        (PERMISSIONS_POLICY.clone(), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ];
    for (name, value) in fixed {
        reply.headers.insert(name, HeaderValue::from_static(value));
    }
    reply.headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::from_str(&policy(address)) {
        reply.headers.insert(CONTENT_SECURITY_POLICY, value);
    }
    if address.is_some_and(Address::is_https) {
        reply.headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    reply
}

/// Scripts, styles and pictures are named by their full path, so that no other answer of this server can
/// be used as one.
fn policy(address: Option<&Address>) -> String {
    let Some(address) = address else {
        return "default-src 'none'; base-uri 'none'; frame-ancestors 'none'".to_owned();
    };
    let own = format!("{}/console", address.origin());
    format!(
        "default-src 'none'; script-src {own}/static/console.js; style-src {own}/static/console.css; \
         img-src {own}/static/icons.svg {own}/static/mark.svg; connect-src {own}/; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
}
