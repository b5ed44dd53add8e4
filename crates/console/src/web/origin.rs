//! Whether an unsafe request comes from a page of this console. A browser says so in `Sec-Fetch-Site`
//! or in `Origin`; a request that says neither is refused, whoever sent it.

use http::header::ORIGIN;
use http::{HeaderMap, HeaderName};

use super::address::Address;

static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a POST with these headers may do something.
pub fn is_ours(headers: &HeaderMap, address: &Address) -> bool {
    let mut sites = headers.get_all(&SEC_FETCH_SITE).iter();
    match (sites.next(), sites.next()) {
        (Some(site), None) => site == "same-origin",
        (Some(_), Some(_)) => false,
        (None, _) => {
            let mut origins = headers.get_all(ORIGIN).iter();
            match (origins.next(), origins.next()) {
                (Some(origin), None) => origin == address.origin(),
                (None | Some(_), _) => false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_of_this_console_may_post() {
        let address = Address::of("http://127.0.0.1:8080").unwrap();
        for (site, origin, ours) in [
            (Some("same-origin"), None, true),
            (Some("same-origin"), Some("http://localhost:8080"), true),
            (Some("same-site"), Some("http://localhost:8080"), false),
            (Some("cross-site"), Some("http://localhost:8080"), false),
            (Some("none"), None, false),
            (None, Some("http://localhost:8080"), true),
            (None, Some("http://localhost:8081"), false),
            (None, Some("http://127.0.0.1:8080"), false),
            (None, Some("null"), false),
            (None, None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(site) = site {
                headers.insert(&SEC_FETCH_SITE, site.parse().unwrap());
            }
            if let Some(origin) = origin {
                headers.insert(ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(is_ours(&headers, &address), ours, "{site:?} {origin:?}");
        }
    }
}
