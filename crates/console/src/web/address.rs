//! Where browsers find this console: scheme, host and port, and what follows from them.
//!
//! A request's own `Host` must never decide this: whoever sends the request chooses it.

use std::net::IpAddr;

/// The address of the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    origin: String,
    host: String,
    is_https: bool,
    cookie: String,
}

impl Address {
    /// Reads the server's base URL. An address of loopback becomes `localhost`, because a passkey can't
    /// belong to an IP address. `None` if it names no host that a browser could open.
    pub fn of(base_url: &str) -> Option<Address> {
        let (scheme, rest) = base_url.split_once("://")?;
        let is_https = match scheme {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = rest.split(['/', '?', '#']).next().filter(|text| !text.is_empty() && !text.contains('@'))?;
        let (host, port) = split_port(authority)?;
        let host = match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(ip) if ip.is_unspecified() => return None,
            Ok(ip) if ip.to_canonical().is_loopback() => "localhost".to_owned(),
            Ok(_) | Err(_) => host.to_ascii_lowercase(),
        };
        let usual = if is_https { 443 } else { 80 };
        let port = port.filter(|port| *port != usual);
        let origin = match port {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        };
        // A browser refuses `Secure`, which `__Host-` needs, on plain HTTP; and cookies ignore ports, so
        // two servers on one machine need two names.
        let cookie = match port {
            _ if is_https => "__Host-valetkey".to_owned(),
            Some(port) => format!("valetkey-{port}"),
            None => "valetkey".to_owned(),
        };
        Some(Address { origin, host, is_https, cookie })
    }

    /// Scheme, host and port, as a browser writes them in `Origin`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The page that signs somebody in with a single-use code.
    pub fn sign_in_link(&self, code: &str) -> String {
        format!("{}/console/sign-in?code={code}", self.origin)
    }

    /// Whether a request that named this `Host` was sent to this address.
    pub fn is_host(&self, sent: &str) -> bool {
        self.origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(sent))
    }

    /// The host alone.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether browsers reach it over TLS.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// The name of the session's cookie.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }
}

/// Host and port; an IPv6 host stays in its brackets.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let end_of_v6 = if authority.starts_with('[') { authority.find(']')? + 1 } else { 0 };
    match authority[end_of_v6..].find(':') {
        None => Some((authority, None)),
        Some(at) => {
            let (host, port) = authority.split_at(end_of_v6 + at);
            Some((host, Some(port[1..].parse().ok()?)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_what_a_browser_says_of_it() {
        for (base_url, origin, cookie) in [
            ("http://127.0.0.1:8080", "http://localhost:8080", "valetkey-8080"),
            ("http://[::1]:9000", "http://localhost:9000", "valetkey-9000"),
            ("http://localhost:80", "http://localhost", "valetkey"),
            ("https://Keys.example.com/", "https://keys.example.com", "__Host-valetkey"),
            ("https://keys.example.com:443", "https://keys.example.com", "__Host-valetkey"),
            ("https://keys.example.com:8443/x", "https://keys.example.com:8443", "__Host-valetkey"),
        ] {
            let address = Address::of(base_url).unwrap();
            assert_eq!((address.origin(), address.cookie()), (origin, cookie), "{base_url}");
        }
        for wrong in ["http://0.0.0.0:8080", "http://[::]:8080", "ftp://x", "http://", "http://a@b", "http://a:b"] {
            assert_eq!(Address::of(wrong), None, "{wrong}");
        }
    }
}
