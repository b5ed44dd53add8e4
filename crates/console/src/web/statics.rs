//! The files that pages load: style, script, icons. They are part of the binary and hold nothing of
//! anybody.

use std::sync::OnceLock;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use valetkey_domain::credential::Digest;
use valetkey_http::Reply;

struct File {
    name: &'static str,
    kind: &'static str,
    text: fn() -> &'static str,
}

/// The style: what single pages need comes first, and the rules for narrow screens last, so that they hold
/// for all of it.
const STYLE: &str = concat!(
    include_str!("../../static/parts/access.css"),
    include_str!("../../static/parts/person.css"),
    include_str!("../../static/parts/tokens.css"),
    include_str!("../../static/console.css"),
    include_str!("../../static/parts/narrow.css"),
);

const FILES: [File; 4] = [
    File { name: "console.css", kind: "text/css; charset=utf-8", text: style },
    File {
        name: "console.js",
        kind: "text/javascript; charset=utf-8",
        text: || include_str!("../../static/console.js"),
    },
    File { name: "icons.svg", kind: "image/svg+xml", text: || include_str!("../../static/icons.svg") },
    File { name: "mark.svg", kind: "image/svg+xml", text: || include_str!("../../static/mark.svg") },
];

/// The style as it is sent: without comments and indentation. A library for this would do more than is
/// needed; the style has no text that contains the sign of a comment.
fn style() -> &'static str {
    static SENT: OnceLock<String> = OnceLock::new();
    SENT.get_or_init(|| {
        let mut sent = String::with_capacity(STYLE.len());
        let mut rest = STYLE;
        while let Some((before, comment)) = rest.split_once("/*") {
            sent.push_str(before);
            rest = comment.split_once("*/").map_or("", |(_, after)| after);
        }
        sent.push_str(rest);
        let lines = sent.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join("\n")
    })
}

/// The version of all files together: pages name it in their addresses, so that a browser never mixes
/// the style of one version with the pages of another.
pub fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let all: String = FILES.iter().map(|file| (file.text)()).collect();
        Digest::of(&all).to_hex().chars().take(12).collect()
    })
}

/// The reply for a file, or `None` if there is none of that name.
pub fn reply(name: &str, headers: &HeaderMap) -> Option<Reply> {
    let file = FILES.iter().find(|file| file.name == name)?;
    let tag = HeaderValue::from_str(&format!("\"{}\"", version())).ok()?;
    let keep = HeaderValue::from_static("public, max-age=86400");
    if headers.get(IF_NONE_MATCH) == Some(&tag) {
        return Some(Reply::new(StatusCode::NOT_MODIFIED).header(ETAG, tag).header(CACHE_CONTROL, keep));
    }
    let reply = Reply::new(StatusCode::OK).header(CONTENT_TYPE, HeaderValue::from_static(file.kind));
    Some(reply.header(ETAG, tag).header(CACHE_CONTROL, keep).body((file.text)()))
}
