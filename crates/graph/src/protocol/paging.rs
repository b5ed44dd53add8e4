//! Lists as the Graph writes them: `data`, `paging` with cursors and links, `summary`. A link
//! repeats the parameters that the caller sent. It must not repeat a credential that came in a
//! header, so callers of this module pass only parameters of the request.

use std::fmt;

use serde_json::{Map, Value};

use super::envelope::{self, GraphError};
use super::value;

/// Rows on a page when no `limit` is sent.
pub const DEFAULT_LIMIT: u32 = 25;
/// The most rows on a page; a larger `limit` is lowered silently.
pub const MAX_LIMIT: u32 = 5000;

/// Parameters that say where a page starts; a link brings its own.
const POSITION_PARAMETERS: [&str; 4] = ["after", "before", "limit", "offset"];

/// Reads `limit`: absent or empty is [`DEFAULT_LIMIT`], 0 is allowed.
///
/// # Errors
/// `(#100) Invalid parameter` for a negative number and for other text.
pub fn limit(text: Option<&str>) -> Result<u32, GraphError> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Ok(DEFAULT_LIMIT);
    };
    let expected = || envelope::invalid_parameter("limit", "a whole number, 0 or more");
    match value::integer(text) {
        Ok(number) if number < 0 => Err(expected()),
        Ok(number) => Ok(u32::try_from(number).unwrap_or(MAX_LIMIT).min(MAX_LIMIT)),
        Err(_) if is_huge_number(text) => Ok(MAX_LIMIT),
        Err(_) => Err(expected()),
    }
}

/// Digits alone that exceed 64 bits are still "above the cap".
fn is_huge_number(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The parts of the links of a page.
#[derive(Clone, Copy)]
pub struct Links<'a> {
    /// Scheme, host and port as the caller sees them, without a final slash. If they are unknown,
    /// there are no links, since a link may carry a token.
    pub base_url: Option<&'a str>,
    /// The path with its version, from the first slash on.
    pub path: &'a str,
    /// All parameters of the request, decoded, in their order.
    pub params: &'a [(String, String)],
    /// The page size that was served.
    pub limit: u32,
}

impl fmt::Debug for Links<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Parameters may hold credentials.
        f.debug_struct("Links")
            .field("path", &self.path)
            .field("params", &self.params.len())
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl Links<'_> {
    fn url(&self, base_url: &str, direction: &str, cursor: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.params {
            if !POSITION_PARAMETERS.contains(&name.as_str()) {
                query.append_pair(name, value);
            }
        }
        query.append_pair("limit", &self.limit.to_string());
        query.append_pair(direction, cursor);
        let base = base_url.trim_end_matches('/');
        format!("{base}{}?{}", self.path, query.finish())
    }
}

/// One page of a list. Its `Debug` hides the rows, which may hold page tokens.
#[derive(Clone, Default, PartialEq)]
pub struct Page {
    /// The rows, ready to be written.
    pub rows: Vec<Value>,
    /// The cursor of the first row.
    pub before: Option<String>,
    /// The cursor of the last row.
    pub after: Option<String>,
    /// Whether rows follow; `next` is absent otherwise.
    pub has_next: bool,
    /// Whether rows come before; `previous` is absent otherwise.
    pub has_previous: bool,
    /// The `summary` object, if one was asked for; see [`summary`].
    pub summary: Option<Map<String, Value>>,
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("rows", &self.rows.len())
            .field("has_next", &self.has_next)
            .field("has_previous", &self.has_previous)
            .finish_non_exhaustive()
    }
}

/// A `summary` object with the count of rows that the caller may see.
#[must_use]
pub fn summary(total_count: u64) -> Map<String, Value> {
    let mut summary = Map::new();
    summary.insert("total_count".to_owned(), Value::from(total_count));
    summary
}

/// The `paging` object of a page, or none for an empty page at the end.
/// A page of `limit=0` has no links: following them would never end.
#[must_use]
pub fn paging(page: &Page, links: &Links<'_>) -> Option<Map<String, Value>> {
    let mut cursors = Map::new();
    for (name, cursor) in [("before", &page.before), ("after", &page.after)] {
        if let Some(cursor) = cursor {
            cursors.insert(name.to_owned(), Value::from(cursor.as_str()));
        }
    }
    if cursors.is_empty() {
        return None;
    }
    let mut paging = Map::new();
    paging.insert("cursors".to_owned(), Value::Object(cursors));
    let follow = links.limit > 0;
    let url = |direction: &str, cursor: &str| links.base_url.map(|base| links.url(base, direction, cursor));
    let next = page.after.as_ref().filter(|_| follow && page.has_next).and_then(|c| url("after", c));
    let previous = page.before.as_ref().filter(|_| follow && page.has_previous).and_then(|c| url("before", c));
    for (name, link) in [("next", next), ("previous", previous)] {
        paging.extend(link.map(|url| (name.to_owned(), Value::from(url))));
    }
    Some(paging)
}

/// The whole list: `{"data":[…],"paging":{…},"summary":{…}}`.
#[must_use]
pub fn list(page: Page, links: &Links<'_>) -> Map<String, Value> {
    let paging = paging(&page, links);
    let mut list = Map::new();
    list.insert("data".to_owned(), Value::Array(page.rows));
    if let Some(paging) = paging {
        list.insert("paging".to_owned(), Value::Object(paging));
    }
    if let Some(summary) = page.summary {
        list.insert("summary".to_owned(), Value::Object(summary));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn params(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn middle() -> Page {
        Page {
            rows: vec![json!({"id": "1"})],
            before: Some("BB".to_owned()),
            after: Some("AA".to_owned()),
            has_next: true,
            has_previous: true,
            summary: Some(summary(7)),
        }
    }

    fn written(page: Page, sent: &[(&str, &str)], limit: u32) -> String {
        let params = params(sent);
        let links =
            Links { base_url: Some("http://127.0.0.1:8080/"), path: "/v26.0/act_1/campaigns", params: &params, limit };
        serde_json::to_string_pretty(&list(page, &links)).unwrap()
    }

    #[test]
    fn a_middle_page_has_both_links_with_all_parameters() {
        let sent =
            [("access_token", "T|1"), ("fields", "id,name"), ("limit", "9999"), ("after", "old"), ("summary", "true")];
        insta::assert_snapshot!(written(middle(), &sent, 5000), @r#"
        {
          "data": [
            {
              "id": "1"
            }
          ],
          "paging": {
            "cursors": {
              "before": "BB",
              "after": "AA"
            },
            "next": "http://127.0.0.1:8080/v26.0/act_1/campaigns?access_token=T%7C1&fields=id%2Cname&summary=true&limit=5000&after=AA",
            "previous": "http://127.0.0.1:8080/v26.0/act_1/campaigns?access_token=T%7C1&fields=id%2Cname&summary=true&limit=5000&before=BB"
          },
          "summary": {
            "total_count": 7
          }
        }
        "#);
    }

    #[test]
    fn the_last_page_keeps_cursors_and_has_no_next() {
        let page = Page { has_next: false, has_previous: false, summary: None, ..middle() };
        insta::assert_snapshot!(written(page, &[], 25), @r#"
        {
          "data": [
            {
              "id": "1"
            }
          ],
          "paging": {
            "cursors": {
              "before": "BB",
              "after": "AA"
            }
          }
        }
        "#);
    }

    #[test]
    fn a_token_that_was_not_a_parameter_is_not_in_a_link() {
        assert!(!written(middle(), &[("fields", "id")], 25).contains("access_token"));
    }

    #[test]
    fn an_empty_list_is_data_alone_and_there_are_lists_without_links() {
        assert_eq!(written(Page::default(), &[], 25).split_whitespace().collect::<String>(), "{\"data\":[]}");
        let params = params(&[("access_token", "SECRET")]);
        let nowhere = Links { base_url: None, path: "/me", params: &params, limit: 25 };
        let text = Value::Object(list(middle(), &nowhere)).to_string();
        assert!(text.contains("cursors") && !text.contains("next") && !text.contains("SECRET"), "{text}");
        let zero = written(middle(), &[], 0);
        assert!(!zero.contains("next") && !zero.contains("previous"), "{zero}");
    }

    #[test]
    fn limits() {
        for (text, wanted) in [
            (None, 25),
            (Some(""), 25),
            (Some("0"), 0),
            (Some(" 7 "), 7),
            (Some("\"3\""), 3),
            (Some("5000"), 5000),
            (Some("5001"), 5000),
            (Some("99999999999999999999999"), 5000),
        ] {
            assert_eq!(limit(text), Ok(wanted), "{text:?}");
        }
        for text in ["-1", "ten", "1.5", "[1]", "-99999999999999999999999"] {
            assert_eq!(limit(Some(text)).map_err(|e| e.code), Err(100), "{text}");
        }
    }

    #[test]
    fn debug_shows_no_parameter_and_no_row() {
        let params = params(&[("access_token", "SECRET")]);
        let links = Links { base_url: None, path: "/me", params: &params, limit: 1 };
        assert!(!format!("{links:?}").contains("SECRET"));
        let page = Page { rows: vec![json!({"access_token": "SECRET"})], ..Page::default() };
        assert!(!format!("{page:?}").contains("SECRET"));
    }

    proptest! {
        #[test]
        fn a_link_carries_every_parameter_back(sent in proptest::collection::vec(("\\PC{1,8}", "\\PC{0,12}"), 0..6), cursor in "[A-Za-z0-9_-]{1,20}") {
            let links = Links { base_url: None, path: "/p", params: &sent, limit: 3 };
            let url = links.url("http://h", "after", &cursor);
            let query = url.split_once('?').unwrap().1;
            let read: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            let mut wanted: Vec<_> = sent.iter().filter(|(name, _)| !POSITION_PARAMETERS.contains(&name.as_str())).cloned().collect();
            wanted.extend(params(&[("limit", "3"), ("after", &cursor)]));
            prop_assert_eq!(read, wanted);
        }

        #[test]
        fn any_limit_is_read_or_refused(text in "\\PC{0,20}|-?[0-9]{0,30}") {
            if let Ok(limit) = limit(Some(&text)) {
                prop_assert!(limit <= MAX_LIMIT);
            }
        }
    }
}
