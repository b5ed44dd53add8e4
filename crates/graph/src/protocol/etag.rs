//! Entity tags over answer bodies, and the test that lets a repeated GET answer 304. A tag is a
//! digest of a body that the caller may read. It must be computed from the finished body, after
//! every right was checked.

use aws_lc_rs::digest;

/// How many bytes of the SHA-256 digest a tag shows.
const TAG_BYTES: usize = 16;

/// The strong entity tag of a body, quotes included.
#[must_use]
pub fn strong(body: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, body);
    let mut tag = String::with_capacity(TAG_BYTES * 2 + 2);
    tag.push('"');
    for byte in hash.as_ref().iter().take(TAG_BYTES) {
        for digit in [byte >> 4, byte & 15] {
            tag.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    tag.push('"');
    tag
}

/// Whether an `If-None-Match` value covers `tag`: `*`, or a list that holds
/// it, compared weakly. Bare tags without quotes, as some clients send them,
/// are accepted; anything unreadable matches nothing.
#[must_use]
pub fn matches(if_none_match: &str, tag: &str) -> bool {
    let wanted = opaque(tag);
    let mut rest = if_none_match.trim();
    if rest == "*" {
        return true;
    }
    while !rest.is_empty() {
        let (candidate, after) = next_tag(rest);
        if candidate == wanted {
            return true;
        }
        rest = after.trim_start_matches([',', ' ', '\t']);
    }
    false
}

/// The part of a tag that is compared: no `W/`, no quotes.
fn opaque(tag: &str) -> &str {
    let tag = tag.trim();
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    tag.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(tag)
}

/// The first tag of a list, and what follows it. A comma inside quotes is
/// part of the tag.
fn next_tag(list: &str) -> (&str, &str) {
    let start = list.strip_prefix("W/").unwrap_or(list);
    if let Some((inner, after)) = start.strip_prefix('"').and_then(|inner| inner.split_once('"')) {
        return (inner, after);
    }
    let end = start.find(',').unwrap_or(start.len());
    let (bare, after) = start.split_at(end);
    (bare.trim(), after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tag_is_a_quoted_digest() {
        assert_eq!(strong(b"{}"), "\"44136fa355b3678a1146ad16f7e8649e\"");
        assert_ne!(strong(b"a"), strong(b"b"));
    }

    #[test]
    fn lists_stars_and_weak_tags_match() {
        let tag = "\"abc\"";
        for yes in
            ["\"abc\"", "*", " * ", "W/\"abc\"", "\"x\", \"abc\"", "\"x,y\",W/\"abc\"", "abc", "x, abc", ",\"abc\""]
        {
            assert!(matches(yes, tag), "{yes}");
        }
        for no in ["", "\"ab\"", "\"abc", "\"x,abc\"", "w/\"abc\"", "\"*\"", ",,,"] {
            assert!(!matches(no, tag), "{no}");
        }
        assert!(matches("\"abc\"", "W/\"abc\""));
    }

    proptest! {
        #[test]
        fn any_header_is_survived(header in "[\"W/*,a-c ]{0,40}|\\PC{0,40}", body: Vec<u8>) {
            let _ = matches(&header, "\"abc\"");
            let tag = strong(&body);
            let list = format!("\"zz\" , {tag}");
            prop_assert!(matches(&list, &tag));
        }
    }
}
