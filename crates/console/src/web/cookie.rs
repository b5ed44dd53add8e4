//! The session's cookie. Its value is the text of a person's token; it must never be readable by a
//! script, and never be set for another host.

use http::HeaderMap;
use http::header::COOKIE;

use super::address::Address;

/// The value of a cookie that the browser sent; `None` if it sent none or several of that name.
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    let mut found = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(key, _)| *key == name);
    match (found.next(), found.next()) {
        // Two of one name: somebody else's domain or path has planted one, and which one is ours can't be told.
        (Some((_, value)), None) => Some(value),
        (None | Some(_), _) => None,
    }
}

/// The header that sets the session's cookie.
pub fn set(address: &Address, value: &str, lifetime_s: i64) -> String {
    let secure = if address.is_https() { "; Secure" } else { "" };
    format!("{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={lifetime_s}{secure}", address.cookie())
}

/// The header that ends it.
pub fn clear(address: &Address) -> String {
    set(address, "", 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_that_was_sent_twice_is_none() {
        let mut headers = HeaderMap::new();
        assert_eq!(read(&headers, "valetkey"), None);
        headers.append(COOKIE, "a=1; valetkey=x; b=2".parse().unwrap());
        assert_eq!(read(&headers, "valetkey"), Some("x"));
        headers.append(COOKIE, "valetkey=y".parse().unwrap());
        assert_eq!(read(&headers, "valetkey"), None);
    }

    #[test]
    fn over_https_the_cookie_belongs_to_this_host_alone() {
        let https = Address::of("https://keys.example.com").unwrap();
        let sent = set(&https, "x", 60);
        assert!(sent.starts_with("__Host-valetkey=x; Path=/;") && sent.ends_with("; Secure"), "{sent}");
        assert!(!sent.contains("Domain"), "{sent}");
        let plain = Address::of("http://127.0.0.1:8080").unwrap();
        assert!(!set(&plain, "x", 60).contains("Secure"));
        assert!(clear(&plain).contains("Max-Age=0"));
    }
}
