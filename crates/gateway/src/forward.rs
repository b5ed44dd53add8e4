//! `GET /gateway/forward-auth`: decides whether a visitor's token may do a task on an asset.
//!
//! A reverse proxy asks with `asset`, `task`, `scope` and `role`, or with `alive`, in a URL that it
//! sets itself, and forwards the visitor's `Authorization` header. 200 admits the visitor, with
//! headers that say who it is.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use valetkey_domain::{Id, Reason};
use valetkey_http::{Head, Reply, credential};
use valetkey_service::authz::{Allowed, Decision, Subject, View};
use valetkey_service::uses::used_for;

use crate::core::Gateway;
use crate::question::Words;
use crate::reply::{refused, status_of, used_from, with_reason};

const OK_BODY: &[u8] = b"{\"allowed\":true}";
/// The header with the proof that the visitor's app may demand.
const PROOF_HEADER: HeaderName = HeaderName::from_static("x-appsecret-proof");
const USER: HeaderName = HeaderName::from_static("valetkey-user");
const BUSINESS: HeaderName = HeaderName::from_static("valetkey-business");
const TOKEN: HeaderName = HeaderName::from_static("valetkey-token");
const APP: HeaderName = HeaderName::from_static("valetkey-app");
/// The sort of token: SYSTEM_USER, USER, PAGE or APP.
const TOKEN_TYPE: HeaderName = HeaderName::from_static("valetkey-token-type");
/// The Page of a page token.
const PAGE: HeaderName = HeaderName::from_static("valetkey-page");

impl Gateway {
    pub(crate) fn forward(&self, head: &Head<'_>) -> Reply {
        let asked = words_of(head.query()).and_then(|words| {
            let [asset, task, scope, role, alive] = words.each_ref().map(Option::as_deref);
            let alive = alive.map(|word| if word == "true" { Ok(true) } else { Err("alive can only be true") });
            Words { asset, task, scope, role, alive: alive.transpose()? }.ask(&self.service)
        });
        let asked = match asked {
            Ok(asked) => asked,
            Err(what) => return refused(StatusCode::BAD_REQUEST, "invalid_parameter", what, head),
        };
        let Ok(Some(text)) = credential::bearer(head.headers) else {
            return refused(
                StatusCode::UNAUTHORIZED,
                "token_malformed",
                "send one Authorization header with a bearer token",
                head,
            );
        };
        let proof = proof(head.headers);
        let shown = self.service.show(text, proof);
        let (view, decision) = self.service.check_shown(&shown, asked.question);
        if asked.blames_words(&decision) {
            return refused(StatusCode::BAD_REQUEST, "invalid_parameter", "this asset's kind has no such task", head);
        }
        match decision {
            Decision::Allow(allowed) => {
                self.service.note_use(&view, [used_for(&asked.question, &allowed)], used_from(head), shown.now());
                welcome(&self.welcome, &view, &allowed)
            }
            Decision::Deny(denial) => {
                let trace = head.request_id();
                self.service.note_refusal(trace.as_str(), head.client_ip(), &asked.question, &view, &denial);
                no(denial.refusal().reason, head)
            }
        }
    }
}

/// The visitor's proof. Two of them, or one that is not text, count as a wrong proof: an unreadable
/// proof must not count as absent.
fn proof(headers: &HeaderMap) -> Option<&str> {
    let mut sent = headers.get_all(PROOF_HEADER).iter();
    let first = sent.next()?;
    match sent.next() {
        None => Some(first.to_str().unwrap_or_default()),
        Some(_) => Some(""),
    }
}

/// The parameters that a proxy may ask with.
const WORDS: [&str; 5] = ["asset", "task", "scope", "role", "alive"];

/// The values of a query as nearly every proxy writes it: each at most once, and without an escape.
/// `None` leaves it to the form parser, which is slower.
fn plain_words(query: &str) -> Option<[Option<&str>; WORDS.len()]> {
    let mut words = [None; WORDS.len()];
    let mut rest = query;
    loop {
        let (place, after) = WORDS
            .into_iter()
            .enumerate()
            .find_map(|(place, name)| Some((place, rest.strip_prefix(name)?.strip_prefix('=')?)))?;
        let end = memchr::memchr3(b'&', b'%', b'+', after.as_bytes()).unwrap_or(after.len());
        let (value, after) = after.split_at_checked(end)?;
        if words[place].replace(value).is_some() {
            return None;
        }
        if after.is_empty() {
            return Some(words);
        }
        rest = after.strip_prefix('&')?;
    }
}

/// The values of any query, or what is wrong with it.
fn words_of(query: &str) -> Result<[Option<Cow<'_, str>>; WORDS.len()], &'static str> {
    if let Some(words) = plain_words(query) {
        return Ok(words.map(|word| word.map(Cow::Borrowed)));
    }
    let mut pairs = WORDS.map(|name| (name, None::<Cow<'_, str>>));
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match pairs.iter_mut().find(|(n, _)| *n == name) {
            Some((_, slot @ None)) => *slot = Some(value),
            // It is unclear which of two values the author of the URL meant.
            Some((_, Some(_))) => return Err("a parameter is sent twice"),
            None => return Err("only asset, task, scope, role and alive are known"),
        }
    }
    Ok(pairs.map(|(_, word)| word))
}

fn no(reason: Reason, head: &Head<'_>) -> Reply {
    let status = status_of(reason);
    let trace = head.request_id();
    let body = format!("{{\"allowed\":false,\"reason\":\"{}\",\"trace\":\"{}\"}}", reason.as_str(), trace.as_str());
    with_reason(Reply::json(status, body), status, reason.as_str())
}

/// The headers of an allowed answer, with empty values. Copying them is faster than building them,
/// and their order is known: first the two fixed ones, then those that [`welcome`] fills in this
/// order.
pub(crate) fn welcome_headers() -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for name in [USER, BUSINESS, TOKEN, APP, TOKEN_TYPE] {
        headers.insert(name, HeaderValue::from_static(""));
    }
    headers
}

/// How many headers of [`welcome_headers`] are fixed.
const FIXED_HEADERS: usize = 2;

/// The answer for an allowed visitor, with headers that a proxy may pass on.
fn welcome(headers: &HeaderMap, view: &View, allowed: &Allowed) -> Reply {
    let mut reply = Reply::new(StatusCode::OK);
    reply.headers = headers.clone();
    let (user, token, app) = match &view.subject {
        Subject::Token(token) => (Some(token.user), Some(token.id), token.app.map(|app| app.id)),
        Subject::App(app) => (None, None, Some(app.id)),
        Subject::Malformed | Subject::Unknown | Subject::Operator => (None, None, None),
    };
    let ids = [
        (USER, user.map(Id::any)),
        (BUSINESS, allowed.caller.business().map(Id::any)),
        (TOKEN, token.map(Id::any)),
        (APP, app.map(Id::any)),
    ];
    let digits = Digits::of(ids.each_ref().map(|(_, id)| *id));
    let mut places = reply.headers.values_mut().skip(FIXED_HEADERS);
    // The ids come first in the `zip`: otherwise it would consume one more place when they end.
    for (at, value) in (0..ids.len()).zip(places.by_ref()) {
        if let Some(digits) = digits.value(at) {
            *value = digits;
        }
    }
    if let Some(value) = places.next() {
        *value = HeaderValue::from_static(sort_of(&view.subject));
    }
    for (name, _) in ids.into_iter().filter(|(_, id)| id.is_none()) {
        reply.headers.remove(name);
    }
    if let Some(page) = allowed.page {
        reply.headers.insert(PAGE, HeaderValue::from(page.get()));
    }
    reply.body(OK_BODY)
}

/// The digits of several ids in one allocation; a header value is a part of it.
struct Digits<const N: usize> {
    text: Bytes,
    ends: [usize; N],
}

impl<const N: usize> Digits<N> {
    fn of(ids: [Option<Id>; N]) -> Digits<N> {
        let mut text = Vec::with_capacity(N * ID_LIMIT_BYTES);
        let ends = ids.map(|id| {
            if let Some(id) = id {
                text.extend_from_slice(itoa::Buffer::new().format(id.get()).as_bytes());
            }
            text.len()
        });
        Digits { text: Bytes::from(text), ends }
    }

    /// The digits at a place; none if there was no id.
    fn value(&self, at: usize) -> Option<HeaderValue> {
        let start = if at == 0 { 0 } else { *self.ends.get(at - 1)? };
        let digits = self.text.slice(start..*self.ends.get(at)?);
        HeaderValue::from_maybe_shared(digits).ok().filter(|value| !value.is_empty())
    }
}

/// The most digits that an id has.
const ID_LIMIT_BYTES: usize = 19;

/// The word for the sort of a credential; empty if there is none.
pub(crate) fn sort_of(subject: &Subject) -> &'static str {
    match subject {
        Subject::Token(token) => token.kind.as_str(),
        Subject::App(_) => "APP",
        Subject::Malformed | Subject::Unknown | Subject::Operator => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_are_those_that_the_reader_of_forms_finds() {
        for (query, plain) in [
            ("asset=1&task=T&scope=s", true),
            ("alive=true", true),
            ("role=ADMIN&asset=1", true),
            ("roles=ADMIN", false),
            ("scope=s&asset=1", true),
            ("asset=", true),
            ("asset=a=b;c&task=", true),
            ("task=\u{e9}", true),
            ("", false),
            ("asset", false),
            ("asset=1&", false),
            ("&asset=1", false),
            ("asset=1&asset=1", false),
            ("asset=1&other=2", false),
            ("asset=%31", false),
            ("asset=1+2", false),
            ("a%73set=1", false),
            ("ASSET=1", false),
        ] {
            let words = plain_words(query);
            assert_eq!(words.is_some(), plain, "{query}");
            let Some(words) = words else { continue };
            let read = |name| form_urlencoded::parse(query.as_bytes()).find(|(n, _)| n == name).map(|(_, value)| value);
            assert_eq!(words.map(|word| word.map(Cow::Borrowed)), WORDS.map(read), "{query}");
        }
    }
}
