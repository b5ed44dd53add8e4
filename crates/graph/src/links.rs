//! The base URL of links. A link may repeat a token, so it must use the same host and scheme as the
//! caller did. What a request doesn't say for certain is never guessed.

use http::header::{FORWARDED, HOST, HeaderName};
use valetkey_http::Request;

/// Headers that a proxy adds.
static FORWARDING: [HeaderName; 4] = [
    FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-forwarded-host"),
];
/// The longest host with its port, in bytes.
const HOST_LIMIT_BYTES: usize = 255;

/// Scheme, host and port under which the caller reached the server; `None` if the request doesn't
/// say. Behind a proxy, only the headers of a trusted one count.
pub(crate) fn base_url(request: &Request) -> Option<String> {
    let is_trusted = request.client_ip != request.peer.ip();
    let forwarded = is_trusted || FORWARDING.iter().any(|name| request.headers.contains_key(name));
    let (scheme, host) = if forwarded {
        // Headers of an untrusted proxy say nothing for certain.
        let said = only(request, &FORWARDING[2]).filter(|_| is_trusted);
        (said.filter(|s| matches!(*s, "http" | "https"))?, only(request, &FORWARDING[3]))
    } else {
        (if request.tls { "https" } else { "http" }, None)
    };
    let host = match host {
        Some(host) => host,
        None if request.headers.contains_key(HOST) => only(request, &HOST)?,
        None => request.uri.authority()?.as_str(),
    };
    is_plain(host).then(|| format!("{scheme}://{host}"))
}

/// The value of a header that was sent exactly once.
fn only<'r>(request: &'r Request, name: &HeaderName) -> Option<&'r str> {
    let mut values = request.headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

fn is_plain(host: &str) -> bool {
    host.len() <= HOST_LIMIT_BYTES
        && host.bytes().any(|b| b.is_ascii_alphanumeric())
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]_".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;
    use std::net::IpAddr;

    fn seen(uri: &str, tls: bool, client: Option<&str>, headers: &[(&str, &str)]) -> Option<String> {
        let mut request = Request::new(Method::GET, uri.parse().unwrap());
        request.tls = tls;
        if let Some(ip) = client {
            request.client_ip = ip.parse::<IpAddr>().unwrap();
        }
        for (name, value) in headers {
            request.headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        base_url(&request)
    }

    #[test]
    fn links_lead_where_the_caller_came_to_or_nowhere() {
        let host = ("host", "graph.example:8443");
        let far = Some("203.0.113.7");
        let forwarded = ("x-forwarded-for", "203.0.113.7");
        let secure = ("x-forwarded-proto", "https");
        for (uri, tls, client, headers, wanted) in [
            ("/me", false, None, vec![host], Some("http://graph.example:8443")),
            ("/me", true, None, vec![host], Some("https://graph.example:8443")),
            ("https://h2.example/me", true, None, vec![], Some("https://h2.example")),
            ("/me", false, None, vec![("host", "[::1]:80")], Some("http://[::1]:80")),
            // Without a host there is no address to which a token may be sent.
            ("/me", false, None, vec![], None),
            ("/me", false, None, vec![("host", "")], None),
            ("/me", false, None, vec![("host", "a@b/c")], None),
            ("/me", false, None, vec![host, ("host", "other.example")], None),
            // A trusted proxy, with and without the scheme.
            ("/me", false, far, vec![host, forwarded], None),
            ("/me", true, far, vec![host, forwarded], None),
            ("/me", false, far, vec![host, forwarded, secure], Some("https://graph.example:8443")),
            (
                "/me",
                false,
                far,
                vec![host, secure, ("x-forwarded-host", "front.example")],
                Some("https://front.example"),
            ),
            ("/me", false, far, vec![host, ("x-forwarded-proto", "https, http")], None),
            ("/me", false, far, vec![host, secure, secure], None),
            // A proxy that is not trusted.
            ("/me", false, None, vec![host, forwarded], None),
            ("/me", false, None, vec![host, secure], None),
            ("/me", false, None, vec![host, ("forwarded", "for=203.0.113.7")], None),
        ] {
            assert_eq!(seen(uri, tls, client, &headers).as_deref(), wanted, "{uri} {tls} {client:?} {headers:?}");
        }
    }
}
