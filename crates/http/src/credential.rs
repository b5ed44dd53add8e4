//! The text of a credential in the `Authorization` header. It is borrowed unchanged and not checked
//! here. It must never be copied into a log, an error or `Debug`.

use std::fmt;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use thiserror::Error;

/// What the `Authorization` header holds. `Debug` shows the kind alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Authorization<'a> {
    /// There is no such header.
    Absent,
    /// `Bearer` or `OAuth` and a token's text.
    Bearer(&'a str),
    /// `Basic` and its text, not yet decoded.
    Basic(&'a str),
    /// Another scheme.
    Other,
}

/// Why the header can't be used. It never holds any of the header's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CredentialError {
    /// More than one header, so it is unclear which one counts.
    #[error("the request has more than one Authorization header: send exactly one")]
    Repeated,
    /// Bytes outside visible ASCII.
    #[error("the Authorization header holds bytes that are not visible ASCII")]
    NotText,
    /// A scheme without a credential, or with more than one word after it.
    #[error("the Authorization header must be a scheme, a space and one credential without spaces or commas")]
    Malformed,
    /// Basic, but not base64 of `id:secret` in UTF-8.
    #[error("the Basic credential must be the base64 of an id, a colon and a secret")]
    NotBasic,
}

/// An id and a secret, as `Basic` carries them; not form-decoded. `Debug` hides
/// the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct BasicCredential {
    /// The part before the first colon.
    pub id: String,
    /// The part after it.
    pub secret: String,
}

/// Reads the one `Authorization` header.
pub fn authorization(headers: &HeaderMap) -> Result<Authorization<'_>, CredentialError> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let Some(header) = all.next() else {
        return Ok(Authorization::Absent);
    };
    if all.next().is_some() {
        return Err(CredentialError::Repeated);
    }
    let text = header.to_str().map_err(|_| CredentialError::NotText)?.trim();
    let (scheme, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
    let bearer = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth");
    if !bearer && !scheme.eq_ignore_ascii_case("basic") {
        return Ok(Authorization::Other);
    }
    let credential = rest.trim();
    if credential.is_empty() || credential.contains([' ', '\t', ',']) {
        return Err(CredentialError::Malformed);
    }
    Ok(if bearer { Authorization::Bearer(credential) } else { Authorization::Basic(credential) })
}

/// The bearer's text; `None` when there is no header or one of another scheme.
pub fn bearer(headers: &HeaderMap) -> Result<Option<&str>, CredentialError> {
    if let Some(text) = plain_bearer(headers) {
        return Ok(Some(text));
    }
    Ok(match authorization(headers)? {
        Authorization::Bearer(text) => Some(text),
        Authorization::Absent | Authorization::Basic(_) | Authorization::Other => None,
    })
}

/// The token of a header in the form that nearly every client sends, found in one pass without a
/// branch for each byte. All other headers are left to [`authorization`].
fn plain_bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let header = all.next()?;
    if all.next().is_some() {
        return None;
    }
    let bytes = header.as_bytes().strip_prefix(b"Bearer ")?;
    let is_odd = bytes.iter().fold(false, |odd, byte| odd | !byte.is_ascii_graphic() | (*byte == b','));
    if is_odd || bytes.is_empty() { None } else { std::str::from_utf8(bytes).ok() }
}

/// Id and secret of a `Basic` header; `None` when there is no header or one of
/// another scheme.
pub fn basic(headers: &HeaderMap) -> Result<Option<BasicCredential>, CredentialError> {
    let Authorization::Basic(text) = authorization(headers)? else {
        return Ok(None);
    };
    let bytes = base64_bytes(text).ok_or(CredentialError::NotBasic)?;
    let pair = String::from_utf8(bytes).map_err(|_| CredentialError::NotBasic)?;
    let (id, secret) = pair.split_once(':').ok_or(CredentialError::NotBasic)?;
    Ok(Some(BasicCredential { id: id.to_owned(), secret: secret.to_owned() }))
}

/// Standard base64, padding optional. It is written here because this short
/// header is all that the listener decodes.
fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    if text.len() - digits.len() > 2 || digits.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut bits, mut count) = (0u32, 0u32);
    for digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}

impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "Absent",
            Self::Bearer(_) => "Bearer(***)",
            Self::Basic(_) => "Basic(***)",
            Self::Other => "Other",
        })
    }
}

impl fmt::Debug for BasicCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicCredential")
            .field("id", &crate::mask::shown_name(&self.id))
            .field("secret", &"***")
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for line in lines {
            map.append(AUTHORIZATION, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        map
    }

    #[test]
    fn the_short_way_to_a_bearer_gives_what_the_long_way_gives() {
        let values: &[&[u8]] = &[
            b"Bearer abc",
            b"Bearer  abc",
            b"bearer abc",
            b"Bearer\tabc",
            b"Bearer a,b",
            b"Bearer a b",
            b"Bearer ",
            b"Bearer",
            b"Bearer a\xe9",
            b"OAuth abc",
            b"Basic abc",
            b"Bearer abc ",
            b"Bearer a\x7f",
            b"Bearer ~!",
        ];
        for value in values {
            let Ok(value) = HeaderValue::from_bytes(value) else { continue };
            let headers = HeaderMap::from_iter([(AUTHORIZATION, value.clone())]);
            let long = authorization(&headers);
            match plain_bearer(&headers) {
                Some(text) => assert_eq!(long, Ok(Authorization::Bearer(text)), "{value:?}"),
                None => assert_ne!(value, "Bearer abc"),
            }
            let wanted = long.map(|found| match found {
                Authorization::Bearer(text) => Some(text),
                Authorization::Absent | Authorization::Basic(_) | Authorization::Other => None,
            });
            assert_eq!(bearer(&headers), wanted, "{value:?}");
        }
        let twice = HeaderMap::from_iter([
            (AUTHORIZATION, HeaderValue::from_static("Bearer abc")),
            (AUTHORIZATION, HeaderValue::from_static("Bearer abc")),
        ]);
        assert_eq!(plain_bearer(&twice), None);
    }

    #[test]
    fn bearer_text_is_taken_from_exactly_one_header() {
        type Row<'a> = (&'a [&'a str], Result<Option<&'a str>, CredentialError>);
        let rows: &[Row<'_>] = &[
            (&[], Ok(None)),
            (&["Bearer abc"], Ok(Some("abc"))),
            (&["bearer abc"], Ok(Some("abc"))),
            (&["OAuth 123|abc"], Ok(Some("123|abc"))),
            (&["OAUTH   abc  "], Ok(Some("abc"))),
            (&["\tBearer\t abc\t"], Ok(Some("abc"))),
            (&["Bearer a\tb"], Err(CredentialError::Malformed)),
            (&["Bearer a,"], Err(CredentialError::Malformed)),
            (&["Bearerabc"], Ok(None)),
            (&["Other \u{e9}"], Err(CredentialError::NotText)),
            (&["Basic YTpi"], Ok(None)),
            (&["Digest x=1, y=2"], Ok(None)),
            (&["Bearer"], Err(CredentialError::Malformed)),
            (&["Bearer "], Err(CredentialError::Malformed)),
            (&["Bearer a b"], Err(CredentialError::Malformed)),
            (&["Bearer a,Bearer"], Err(CredentialError::Malformed)),
            (&["Bearer \u{e9}"], Err(CredentialError::NotText)),
            (&["Bearer a", "Bearer a"], Err(CredentialError::Repeated)),
            (&["Bearer a", "Basic YTpi"], Err(CredentialError::Repeated)),
        ];
        for (lines, wanted) in rows {
            let map = headers(lines);
            assert_eq!(bearer(&map), *wanted, "{lines:?}");
        }
    }

    #[test]
    fn basic_decodes_id_and_secret() {
        let read = |line: &str| basic(&headers(&[line])).map(|found| found.map(|c| (c.id, c.secret)));
        let pair = |id: &str, secret: &str| Ok(Some((id.to_owned(), secret.to_owned())));
        assert_eq!(read("Basic YWxpY2U6czpl"), pair("alice", "s:e"));
        assert_eq!(read("basic YTpi"), pair("a", "b"));
        assert_eq!(read("Basic YWI6"), pair("ab", ""));
        assert_eq!(read("Basic OmE="), pair("", "a"));
        assert_eq!(read("Basic Onh5"), pair("", "xy"));
        for wrong in ["Basic !!!!", "Basic YWJj", "Basic YQ====", "Basic A", "Basic /////w=="] {
            assert_eq!(read(wrong), Err(CredentialError::NotBasic), "{wrong}");
        }
        assert_eq!(read("Bearer abc"), Ok(None));
    }

    #[test]
    fn no_debug_text_holds_the_credential() {
        let map = headers(&["Bearer hushhush"]);
        assert!(!format!("{:?}", authorization(&map)).contains("hush"));
        let found = basic(&headers(&["Basic YWxpY2U6czpl"])).unwrap().unwrap();
        assert_eq!(format!("{found:?}"), r#"BasicCredential { id: "alice", secret: "***" }"#);
    }
}
