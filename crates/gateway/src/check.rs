//! `POST /v1/check`: one question or a thousand, about one's own token or, for an app that proves
//! itself with its secret, about a token of the same business.

use bytes::Bytes;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use valetkey_domain::{Id, Reason};
use valetkey_http::{Head, Reply, credential};
use valetkey_service::app::ProvenApp;
use valetkey_service::authz::{Decision, Denial, Subject, View};
use valetkey_service::{Call, Credential};

use crate::question::Words;
use crate::{Gateway, refused, status_of, with_reason};

/// How many questions one call may ask.
pub const QUESTIONS_LIMIT: usize = 1_000;

/// The body of a check.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    /// The token that is asked about, when it isn't the caller's own.
    #[serde(borrow, default)]
    token: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    appsecret_proof: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    asset: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    task: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    scope: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    questions: Option<Vec<Asked<'a>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked<'a> {
    #[serde(borrow, default)]
    asset: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    task: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, default)]
    scope: Option<std::borrow::Cow<'a, str>>,
}

/// One answer.
#[derive(Serialize)]
struct Answer {
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
}

/// All answers, and whom they are about.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    one: Option<Answer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decisions: Option<Vec<Answer>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Id>,
    /// The revision that the (last) answer rests on.
    revision: String,
    trace: String,
}

/// Who asks, and about which text.
#[derive(Clone, Copy)]
enum Asker<'a> {
    Own { text: &'a str, proof: Option<&'a str> },
    App { app: ProvenApp, text: &'a str, proof: Option<&'a str> },
}

impl Gateway {
    pub(crate) fn check(&self, head: &Head<'_>, body: &Bytes) -> Reply {
        let body: Body<'_> = match serde_json::from_slice(body) {
            Ok(body) => body,
            Err(error) => {
                let message = format!("the body must be a JSON object with asset, task, scope, questions, token or appsecret_proof: {error}");
                return refused(StatusCode::BAD_REQUEST, "invalid_parameter", &message, head);
            }
        };
        let Ok(Some(bearer)) = credential::bearer(head.headers) else {
            return refused(StatusCode::UNAUTHORIZED, "token_malformed", "send one Authorization header with a bearer token", head);
        };
        let asker = match self.asker(bearer, &body) {
            Ok(asker) => asker,
            Err((status, reason, message)) => return refused(status, reason, message, head),
        };
        match &body.questions {
            Some(_) if body.asset.is_some() || body.task.is_some() || body.scope.is_some() => {
                refused(StatusCode::BAD_REQUEST, "invalid_parameter", "send either one question or questions", head)
            }
            Some(questions) if questions.len() > QUESTIONS_LIMIT => {
                refused(StatusCode::BAD_REQUEST, "invalid_parameter", "at most 1000 questions in one call", head)
            }
            Some(questions) => self.many(head, asker, questions),
            None => {
                let words = Words { asset: body.asset.as_deref(), task: body.task.as_deref(), scope: body.scope.as_deref() };
                self.one(head, asker, &words)
            }
        }
    }

    fn asker<'a>(&self, bearer: &'a str, body: &'a Body<'_>) -> Result<Asker<'a>, (StatusCode, &'static str, &'static str)> {
        let proof = body.appsecret_proof.as_deref();
        let Some(text) = body.token.as_deref() else {
            return Ok(Asker::Own { text: bearer, proof });
        };
        let proven = bearer.split_once('|').and_then(|(id, secret)| self.service.prove_app(Id::parse(id)?, secret).ok());
        match proven {
            Some(app) => Ok(Asker::App { app, text, proof }),
            None if bearer.contains('|') => Err((StatusCode::UNAUTHORIZED, "token_unknown", "app id or secret is wrong")),
            None => Err((StatusCode::FORBIDDEN, "role_insufficient", "about another's token only an app may ask, with APPID|SECRET as bearer")),
        }
    }

    fn decide(&self, head: &Head<'_>, asker: Asker<'_>, words: &Words<'_>) -> Result<(View, Answer), &'static str> {
        let asked = words.ask(&self.service)?;
        let (view, decision) = match asker {
            Asker::Own { text, proof } => self.service.check(text, proof, asked.question),
            Asker::App { app, text, proof } => self.service.check_for_app(app, text, proof, asked.question),
        };
        if asked.blames_words(&decision) {
            return Err("task is none of this asset's kind");
        }
        let answer = match decision {
            Decision::Allow(_) => Answer { allowed: true, reason: None, message: None },
            Decision::Deny(denial) => {
                self.remember(head, &asked.question, &view, &denial);
                Answer { allowed: false, reason: Some(denial.refusal().reason.as_str()), message: None }
            }
        };
        Ok((view, answer))
    }

    fn remember(&self, head: &Head<'_>, question: &valetkey_service::authz::Question, view: &View, denial: &Denial) {
        let call = Call {
            credential: Credential::None,
            proof: None,
            trace: head.request_id().as_str().to_owned(),
            ip: Some(head.client_ip()),
        };
        self.service.note_refusal(&call, question, view, denial);
    }

    fn one(&self, head: &Head<'_>, asker: Asker<'_>, words: &Words<'_>) -> Reply {
        let (view, answer) = match self.decide(head, asker, words) {
            Ok(pair) => pair,
            Err(what) => return refused(StatusCode::BAD_REQUEST, "invalid_parameter", what, head),
        };
        self.service.note_use(&view, Some(head.client_ip()));
        // About one's own dead token the call itself is not authorised; about another's, the
        // answer is the answer.
        let status = match (&asker, answer.reason) {
            (Asker::Own { .. }, Some(reason)) if is_dead(&view, reason) => StatusCode::UNAUTHORIZED,
            (_, Some("not_fresh")) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::OK,
        };
        let reason = answer.reason.unwrap_or_default();
        let reply = write(head, &view, Some(answer), None, status);
        if status == StatusCode::OK { reply } else { with_reason(reply, status, reason) }
    }

    fn many(&self, head: &Head<'_>, asker: Asker<'_>, questions: &[Asked<'_>]) -> Reply {
        let mut decisions = Vec::with_capacity(questions.len());
        let mut last = None;
        for question in questions {
            let words = Words { asset: question.asset.as_deref(), task: question.task.as_deref(), scope: question.scope.as_deref() };
            match self.decide(head, asker, &words) {
                Ok((view, answer)) => {
                    last = Some(view);
                    decisions.push(answer);
                }
                Err(what) => decisions.push(Answer { allowed: false, reason: Some("invalid_parameter"), message: Some(what) }),
            }
        }
        let view = last.unwrap_or(View { revision: self.service.revision(), subject: Subject::Unknown, asset: None });
        self.service.note_use(&view, Some(head.client_ip()));
        write(head, &view, None, Some(decisions), StatusCode::OK)
    }
}

fn is_dead(view: &View, reason: &str) -> bool {
    let dead = [
        Reason::TokenMalformed,
        Reason::TokenUnknown,
        Reason::TokenExpired,
        Reason::TokenRevoked,
        Reason::UserDeactivated,
        Reason::UserDeleted,
        Reason::AppDisconnected,
        Reason::AppNotInstalled,
    ];
    matches!(view.subject, Subject::Malformed | Subject::Unknown)
        || dead.into_iter().any(|r| r.as_str() == reason && status_of(r) == StatusCode::UNAUTHORIZED)
}

fn write(head: &Head<'_>, view: &View, one: Option<Answer>, decisions: Option<Vec<Answer>>, status: StatusCode) -> Reply {
    let (user, token) = match &view.subject {
        Subject::Token(token) => (Some(token.user), Some(token.id)),
        _ => (None, None),
    };
    let whole = Whole {
        one,
        decisions,
        user,
        token,
        revision: view.revision.to_string(),
        trace: head.request_id().as_str().to_owned(),
    };
    match serde_json::to_vec(&whole) {
        Ok(bytes) => Reply::json(status, bytes).header(http::header::CACHE_CONTROL, http::HeaderValue::from_static("no-store")),
        Err(_) => refused(StatusCode::INTERNAL_SERVER_ERROR, "fault", "the answer could not be written", head),
    }
}
