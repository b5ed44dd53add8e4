//! `POST /v1/check`: up to a thousand questions, about the caller's own token or, if the caller is
//! an app with its secret, about a token of the same business.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use http::StatusCode;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use valetkey_domain::{AssetId, Caller, Reason, TokenId, UserId};
use valetkey_http::{Head, Reply, credential};
use valetkey_service::Shown;
use valetkey_service::app::ProvenApp;
use valetkey_service::authz::{Allowed, Decision, Question, Sorts, Subject, Target, View};
use valetkey_service::store::UsedFor;
use valetkey_service::uses::used_for;

use crate::core::Gateway;
use crate::forward::sort_of;
use crate::question::Words;
use crate::reply::{refused, status_of, used_from, with_reason};

/// How many questions one call may ask.
pub const QUESTIONS_LIMIT: usize = 1_000;

/// The body of a check.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    /// The token that is asked about, if it isn't the caller's own.
    #[serde(borrow, default)]
    token: Option<Text<'a>>,
    #[serde(borrow, default)]
    appsecret_proof: Option<Text<'a>>,
    #[serde(borrow, default)]
    asset: Option<Text<'a>>,
    #[serde(borrow, default)]
    task: Option<Text<'a>>,
    #[serde(borrow, default)]
    scope: Option<Text<'a>>,
    #[serde(borrow, default)]
    role: Option<Text<'a>>,
    #[serde(default)]
    alive: Option<bool>,
    #[serde(borrow, default)]
    questions: Option<Vec<Named<Asked<'a>>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked<'a> {
    #[serde(borrow, default)]
    asset: Option<Text<'a>>,
    #[serde(borrow, default)]
    task: Option<Text<'a>>,
    #[serde(borrow, default)]
    scope: Option<Text<'a>>,
    #[serde(borrow, default)]
    role: Option<Text<'a>>,
    #[serde(default)]
    alive: Option<bool>,
}

impl Body<'_> {
    fn words(&self) -> Words<'_> {
        Words {
            asset: self.asset.as_ref().map(Text::as_str),
            task: self.task.as_ref().map(Text::as_str),
            scope: self.scope.as_ref().map(Text::as_str),
            role: self.role.as_ref().map(Text::as_str),
            alive: self.alive,
        }
    }
}

impl Asked<'_> {
    fn words(&self) -> Words<'_> {
        Words {
            asset: self.asset.as_ref().map(Text::as_str),
            task: self.task.as_ref().map(Text::as_str),
            scope: self.scope.as_ref().map(Text::as_str),
            role: self.role.as_ref().map(Text::as_str),
            alive: self.alive,
        }
    }
}

/// A text of the body, borrowed from it unless it holds an escape. A `Cow` inside an `Option` would
/// always be copied.
struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Texts)
    }
}

/// An object with named values. Serde would also read a list by position; that is refused.
struct Named<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Objects<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Objects<T> {
            type Value = Named<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Named<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Named)
            }
        }
        from.deserialize_map(Objects(PhantomData))
    }
}

/// One answer.
#[derive(Serialize)]
struct Answer {
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_word")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
}

/// All answers, and the token's owner.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    one: Option<Answer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decisions: Option<Vec<Answer>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<TokenId>,
    /// The sort of token: SYSTEM_USER, USER, PAGE or APP.
    #[serde(rename = "type", skip_serializing_if = "str::is_empty")]
    sort: &'static str,
    /// The Page of a page token.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<AssetId>,
    /// The revision of the (last) answer; not shown to strangers.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
    trace: String,
}

/// The view of a decision, its answer, and what an allowed token was used for.
type Decided = (View, Answer, Option<UsedFor>);

/// The asking caller, and the credential that is asked about.
enum Asker<'a> {
    Own(Shown<'a>),
    App(ProvenApp, Shown<'a>),
}

impl<'a> Asker<'a> {
    /// The credential that is asked about.
    fn shown(&self) -> &Shown<'a> {
        match self {
            Asker::Own(shown) | Asker::App(_, shown) => shown,
        }
    }
}

impl Gateway {
    pub(crate) fn check(&self, head: &Head<'_>, body: &Bytes) -> Reply {
        let body: Body<'_> = match serde_json::from_slice(body) {
            Ok(Named(body)) => body,
            Err(error) => return refused(StatusCode::BAD_REQUEST, "invalid_parameter", &unreadable(&error), head),
        };
        let Ok(Some(bearer)) = credential::bearer(head.headers) else {
            return refused(
                StatusCode::UNAUTHORIZED,
                "token_malformed",
                "send one Authorization header with a bearer token",
                head,
            );
        };
        let asker = match self.asker(bearer, &body) {
            Ok(asker) => asker,
            Err((status, reason, message)) => return refused(status, reason, &message, head),
        };
        let wrong = |what: &str| refused(StatusCode::BAD_REQUEST, "invalid_parameter", what, head);
        match &body.questions {
            Some(_) if body.words() != Words::default() => wrong("send either one question or questions"),
            Some(questions) if questions.is_empty() => wrong("questions must hold at least one question"),
            Some(questions) if questions.len() > QUESTIONS_LIMIT => wrong("at most 1000 questions in one call"),
            Some(questions) => self.many(head, &asker, questions),
            None => self.one(head, &asker, &body.words()),
        }
    }

    fn asker<'a>(&self, bearer: &'a str, body: &'a Body<'_>) -> Result<Asker<'a>, (StatusCode, &'static str, String)> {
        let proof = body.appsecret_proof.as_ref().map(Text::as_str);
        let Some(text) = body.token.as_ref().map(Text::as_str) else {
            return Ok(Asker::Own(self.shown(bearer, proof, body)));
        };
        if !bearer.contains('|') {
            return Err((
                StatusCode::FORBIDDEN,
                "role_insufficient",
                "only an app may ask about another's token, with APPID|SECRET as bearer".to_owned(),
            ));
        }
        // The app itself is checked first: a disconnected app may not ask.
        let question = Question::about(Target::Nothing).sorts(Sorts::APP);
        match self.service.check(bearer, None, question).1 {
            Decision::Allow(Allowed { caller: Caller::App { app, business }, .. }) => {
                Ok(Asker::App(ProvenApp { app, business }, self.shown(text, proof, body)))
            }
            Decision::Allow(_) => Err((
                StatusCode::FORBIDDEN,
                "role_insufficient",
                "only an app may ask about another's token".to_owned(),
            )),
            Decision::Deny(denial) => {
                // The bearer is an app's id and secret, so the sentence about tokens would not fit.
                let message = match matches!(denial.reason, Reason::TokenMalformed | Reason::TokenUnknown) {
                    true => "the app's id or secret is wrong".to_owned(),
                    false => denial.refusal().sentence(&valetkey_domain::Words::default()).what,
                };
                Err((status_of(denial.reason), denial.reason.as_str(), message))
            }
        }
    }

    /// The credential, hashed once if there is more than one question about it.
    fn shown<'a>(&self, text: &'a str, proof: Option<&'a str>, body: &Body<'_>) -> Shown<'a> {
        let shown = self.service.show(text, proof);
        if body.questions.is_some() { shown.for_many() } else { shown }
    }

    fn decide(&self, head: &Head<'_>, asker: &Asker<'_>, words: &Words<'_>) -> Result<Decided, &'static str> {
        let asked = words.ask(&self.service)?;
        let (view, decision) = match asker {
            Asker::Own(shown) => self.service.check_shown(shown, asked.question),
            Asker::App(app, shown) => self.service.check_for_app(*app, shown, asked.question),
        };
        if asked.blames_words(&decision) {
            return Err("this asset's kind has no such task");
        }
        let (answer, used) = match decision {
            Decision::Allow(allowed) => {
                let used = used_for(&asked.question, &allowed);
                (Answer { allowed: true, reason: None, message: None }, Some(used))
            }
            Decision::Deny(denial) => {
                let trace = head.request_id();
                self.service.note_refusal(trace.as_str(), head.client_ip(), &asked.question, &view, &denial);
                (Answer { allowed: false, reason: Some(denial.refusal().reason), message: None }, None)
            }
        };
        Ok((view, answer, used))
    }

    fn one(&self, head: &Head<'_>, asker: &Asker<'_>, words: &Words<'_>) -> Reply {
        let (view, answer, used) = match self.decide(head, asker, words) {
            Ok(decided) => decided,
            Err(what) => return refused(StatusCode::BAD_REQUEST, "invalid_parameter", what, head),
        };
        if let Some(used) = used {
            self.service.note_use(&view, [used], used_from(head), asker.shown().now());
        }
        let failed = failed(asker, &answer);
        write(head, &view, Some(answer), None, failed)
    }

    fn many(&self, head: &Head<'_>, asker: &Asker<'_>, questions: &[Named<Asked<'_>>]) -> Reply {
        let mut decisions = Vec::with_capacity(questions.len());
        let mut rights: Vec<UsedFor> = Vec::new();
        let mut last = None;
        let mut last_failed = None;
        for Named(question) in questions {
            match self.decide(head, asker, &question.words()) {
                Ok((view, answer, used)) => {
                    last_failed = failed(asker, &answer).or(last_failed);
                    last = Some(view);
                    decisions.push(answer);
                    rights.extend(used.filter(|used| rights.last() != Some(used)));
                }
                Err(what) => {
                    decisions.push(Answer { allowed: false, reason: Some(Reason::Invalid), message: Some(what) })
                }
            }
        }
        let view = last.unwrap_or(View { revision: self.service.revision(), subject: Subject::Unknown, asset: None });
        if !rights.is_empty() {
            self.service.note_use(&view, rights, used_from(head), asker.shown().now());
        }
        write(head, &view, None, Some(decisions), last_failed)
    }
}

/// The status of the whole call and its reason, if it isn't 200. A dead token that asks about
/// itself gets 401. For another token the status is 200, and the body holds the refusal.
fn failed(asker: &Asker<'_>, answer: &Answer) -> Option<(StatusCode, Reason)> {
    let reason = answer.reason?;
    let status = status_of(reason);
    let is_whole = match asker {
        Asker::Own(_) => matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::UNAUTHORIZED),
        Asker::App(..) => status == StatusCode::SERVICE_UNAVAILABLE,
    };
    is_whole.then_some((status, reason))
}

fn write_word<S: Serializer>(reason: &Option<Reason>, to: S) -> Result<S::Ok, S::Error> {
    reason.map(Reason::as_str).serialize(to)
}

/// What is wrong with a body, and where. It repeats none of the body, which may hold a token.
fn unreadable(error: &serde_json::Error) -> String {
    let what = if error.is_data() { "holds a field or a value that is not known here" } else { "is not JSON" };
    format!(
        "the body {what}, at line {} column {}; it must be an object with asset, task, scope and role, or alive, or questions, and token or appsecret_proof if needed",
        error.line(),
        error.column()
    )
}

fn write(
    head: &Head<'_>,
    view: &View,
    one: Option<Answer>,
    decisions: Option<Vec<Answer>>,
    failed: Option<(StatusCode, Reason)>,
) -> Reply {
    let status = failed.map_or(StatusCode::OK, |(status, _)| status);
    let (user, token, page) = match &view.subject {
        Subject::Token(token) => (Some(token.user), Some(token.id), token.page),
        Subject::Malformed | Subject::Unknown | Subject::App(_) | Subject::Operator => (None, None, None),
    };
    let whole = Whole {
        one,
        decisions,
        user,
        token,
        sort: sort_of(&view.subject),
        page,
        revision: (status == StatusCode::OK).then(|| view.revision.to_string()),
        trace: head.request_id().as_str().to_owned(),
    };
    let Ok(bytes) = serde_json::to_vec(&whole) else {
        return refused(StatusCode::INTERNAL_SERVER_ERROR, "fault", "the answer could not be written", head);
    };
    let reply = Reply::json(status, bytes);
    match failed {
        Some((status, reason)) => with_reason(reply, status, reason.as_str()),
        None => reply.header(http::header::CACHE_CONTROL, http::HeaderValue::from_static("no-store")),
    }
}
