//! Reads a request path into the Graph version and its segments. It does not know what the segments
//! mean: the router knows which words exist and how many segments a route takes.

use std::borrow::Cow;
use std::fmt;

use super::text;

/// The longest path that is read, in bytes.
pub const MAX_PATH_BYTES: usize = 2048;
/// The most segments after the version (`me/permissions/{name}` has three).
pub const MAX_SEGMENTS: usize = 3;

/// A Graph version, such as `v26.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The number before the dot.
    pub major: u16,
    /// The number after the dot.
    pub minor: u16,
}

impl Version {
    /// The oldest version that is served.
    pub const OLDEST: Self = Self { major: 2, minor: 0 };
    /// The newest version that this server knows; a path without a version
    /// is served as this one, so that a program which names none gets what
    /// the documentation describes.
    pub const NEWEST: Self = Self { major: 26, minor: 0 };
    /// The newest version that is accepted: one above the newest known, so
    /// that a client updated before its server keeps working.
    pub const HIGHEST: Self = Self { major: Self::NEWEST.major + 1, minor: 0 };

    /// Whether a path may name this version.
    #[must_use]
    pub fn is_served(self) -> bool {
        (Self::OLDEST..=Self::HIGHEST).contains(&self)
    }

    /// Reads `vN.N`. Leading zeros are refused, so each version has one text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.strip_prefix('v')?.split_once('.')?;
        Some(Self { major: number(major)?, minor: number(minor)? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}", self.major, self.minor)
    }
}

fn number(text: &str) -> Option<u16> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if canonical && digits { text.parse().ok() } else { None }
}

/// A parsed path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphPath<'a> {
    /// The version that the path names, if it names one.
    pub named: Option<Version>,
    /// The segments after the version, percent-decoded, none of them empty.
    pub segments: Vec<Cow<'a, str>>,
}

impl GraphPath<'_> {
    /// The version that serves the request and that the answer's
    /// `facebook-api-version` repeats.
    #[must_use]
    pub fn served(&self) -> Version {
        self.named.unwrap_or(Version::NEWEST)
    }

    /// The segments from `from` on as `a/b`, for [`envelope::unknown_path`].
    #[must_use]
    pub fn rest(&self, from: usize) -> String {
        self.segments.get(from..).unwrap_or_default().join("/")
    }
}

/// Why a path can't be read. The text starts without a slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathError {
    /// The first segment looks like a version that isn't served.
    UnknownVersion {
        /// The whole path.
        path: String,
    },
    /// More segments than any route has.
    TooManySegments {
        /// The segments beyond the last one that a route could have.
        rest: String,
    },
    /// More than [`MAX_PATH_BYTES`].
    TooLong,
}

/// Reads a path without its query. Repeated slashes count as one; trailing ones are ignored.
///
/// # Errors
/// See [`PathError`].
pub fn parse(path: &str) -> Result<GraphPath<'_>, PathError> {
    if path.len() > MAX_PATH_BYTES {
        return Err(PathError::TooLong);
    }
    let mut raw = path.split('/').filter(|segment| !segment.is_empty()).peekable();
    let mut named = None;
    if let Some(first) = raw.peek().filter(|first| looks_like_version(first)) {
        let version = Version::parse(first).filter(|version| version.is_served());
        if version.is_none() {
            return Err(PathError::UnknownVersion { path: joined(raw) });
        }
        named = version;
        raw.next();
    }
    let segments: Vec<_> = raw.map(decode_segment).collect();
    let parsed = GraphPath { named, segments };
    if parsed.segments.len() > MAX_SEGMENTS {
        return Err(PathError::TooManySegments { rest: parsed.rest(MAX_SEGMENTS) });
    }
    Ok(parsed)
}

/// `v` and a digit: no id and no word of the Graph begins like this.
fn looks_like_version(segment: &str) -> bool {
    let mut bytes = segment.bytes();
    bytes.next() == Some(b'v') && bytes.next().is_some_and(|byte| byte.is_ascii_digit())
}

fn joined<'a>(segments: impl Iterator<Item = &'a str>) -> String {
    segments.collect::<Vec<_>>().join("/")
}

/// A segment whose decoded form would hold a slash or a control character is left encoded, and so
/// names nothing.
fn decode_segment(raw: &str) -> Cow<'_, str> {
    let decoded = text::percent_decode(raw);
    if decoded.chars().any(|c| c == '/' || c.is_control()) { Cow::Borrowed(raw) } else { decoded }
}

#[cfg(test)]
mod tests {
    use super::super::envelope::GraphError;
    use super::*;
    use proptest::prelude::*;

    fn read(path: &str) -> String {
        match parse(path) {
            Ok(parsed) => {
                let named = parsed.named.map_or_else(|| "-".to_owned(), |v| v.to_string());
                format!("{named} {} {:?}", parsed.served(), parsed.segments)
            }
            Err(error) => GraphError::from(error).message.into_owned(),
        }
    }

    #[test]
    fn paths_as_clients_send_them() {
        let paths = [
            "/",
            "",
            "/v26.0",
            "/v26.0/",
            "/v26.0//",
            "/v2.0/me",
            "/v2.12/me/",
            "/v27.0/me",
            "/10",
            "/v26.0/10/",
            "/v26.0//10//feed",
            "/act_1/campaigns",
            "/oauth/access_token",
            "/v3.3/me/permissions/ads_read",
            "/video",
            "/10%5F20",
            "/a%2Fb",
            "/a%00b",
        ];
        let table: Vec<_> = paths.iter().map(|path| format!("{path} → {}", read(path))).collect();
        insta::assert_snapshot!(table.join("\n"), @r#"
        / → - v26.0 []
         → - v26.0 []
        /v26.0 → v26.0 v26.0 []
        /v26.0/ → v26.0 v26.0 []
        /v26.0// → v26.0 v26.0 []
        /v2.0/me → v2.0 v2.0 ["me"]
        /v2.12/me/ → v2.12 v2.12 ["me"]
        /v27.0/me → v27.0 v27.0 ["me"]
        /10 → - v26.0 ["10"]
        /v26.0/10/ → v26.0 v26.0 ["10"]
        /v26.0//10//feed → v26.0 v26.0 ["10", "feed"]
        /act_1/campaigns → - v26.0 ["act_1", "campaigns"]
        /oauth/access_token → - v26.0 ["oauth", "access_token"]
        /v3.3/me/permissions/ads_read → v3.3 v3.3 ["me", "permissions", "ads_read"]
        /video → - v26.0 ["video"]
        /10%5F20 → - v26.0 ["10_20"]
        /a%2Fb → - v26.0 ["a%2Fb"]
        /a%00b → - v26.0 ["a%00b"]
        "#);
    }

    #[test]
    fn what_is_not_served_is_named() {
        let paths = [
            "/v1.9/me",
            "/v27.1/me",
            "/v28.0/me",
            "/v26/me",
            "/v26.x/me",
            "/v026.0/me",
            "/v2.00",
            "/v99999999999.0/10/feed",
            "/1/2/3/4/5",
            "/v26.0/1/2/3/4",
        ];
        let table: Vec<_> = paths.iter().map(|path| format!("{path} → {}", read(path))).collect();
        insta::assert_snapshot!(table.join("\n"), @r#"
        /v1.9/me → Unknown path components: /v1.9/me
        /v27.1/me → Unknown path components: /v27.1/me
        /v28.0/me → Unknown path components: /v28.0/me
        /v26/me → Unknown path components: /v26/me
        /v26.x/me → Unknown path components: /v26.x/me
        /v026.0/me → Unknown path components: /v026.0/me
        /v2.00 → Unknown path components: /v2.00
        /v99999999999.0/10/feed → Unknown path components: /v99999999999.0/10/feed
        /1/2/3/4/5 → Unknown path components: /4/5
        /v26.0/1/2/3/4 → Unknown path components: /4
        "#);
        assert_eq!(parse(&"/1".repeat(1025)), Err(PathError::TooLong));
    }

    proptest! {
        #[test]
        fn any_path_is_read_or_refused(path in "(/|v|\\.|[0-9]|%|\\PC){0,60}") {
            if let Ok(parsed) = parse(&path) {
                prop_assert!(parsed.segments.len() <= MAX_SEGMENTS);
                prop_assert!(parsed.segments.iter().all(|segment| !segment.is_empty()));
                prop_assert!(parsed.served().is_served());
            }
        }

        #[test]
        fn a_version_reads_back(major in 0u16.., minor in 0u16..) {
            let version = Version { major, minor };
            prop_assert_eq!(Version::parse(&version.to_string()), Some(version));
        }
    }
}
