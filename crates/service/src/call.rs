//! Calls: the credential, the address and the trace of one request.
//!
//! A call hashes its credential once and checks its proof once for each version of the app's secret.
//! Both are facts about what was sent. A call must never remember a decision.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock};

use valetkey_authz::{Allowed, Question};
use valetkey_domain::credential::{self, Digest};
use valetkey_domain::noun::app::SealedSecret;
use valetkey_domain::{AppId, TokenId};
use valetkey_store::UsedFor;

use crate::uses::used_for;

/// The credential that a caller sent. Texts never appear in `Debug`.
#[derive(Clone)]
pub enum Credential {
    /// Nothing.
    None,
    /// The text of a token, or `APPID|SECRET`.
    Text(String),
    /// The server's own socket.
    Operator,
    /// A token by its id: a deferred effect, decided again for the token that asked for it.
    Token(TokenId),
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Credential::None => f.write_str("None"),
            Credential::Text(_) => f.write_str("Text(…)"),
            Credential::Operator => f.write_str("Operator"),
            Credential::Token(id) => write!(f, "Token({id})"),
        }
    }
}

/// Whether a decision leaves a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// A yes counts as a use of the token, and a no is journaled.
    #[default]
    Aloud,
    /// Neither: for a field or a row that is left out of an answer.
    Quiet,
}

/// One call. Clones are the same call: they share what is known about the credential, and together
/// they count as one use. `Debug` shows neither token nor proof.
#[derive(Clone)]
pub struct Call {
    sent: Arc<Sent>,
    memo: Arc<Memo>,
    mode: Mode,
}

#[derive(Clone)]
struct Sent {
    credential: Credential,
    proof: Option<String>,
    trace: String,
    ip: Option<IpAddr>,
    user_agent: Option<String>,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Sent { credential, trace, .. } = &*self.sent;
        f.debug_struct("Call").field("credential", credential).field("trace", trace).finish_non_exhaustive()
    }
}

impl Call {
    /// A call with a credential, under the trace of its answer, and nothing else.
    pub fn new(credential: Credential, trace: impl Into<String>) -> Call {
        let sent = Sent { credential, proof: None, trace: trace.into(), ip: None, user_agent: None };
        Call { sent: Arc::new(sent), memo: Arc::default(), mode: Mode::Aloud }
    }

    /// A call of the operator.
    pub fn operator(trace: &str) -> Call {
        Call::new(Credential::Operator, trace)
    }

    /// A call with a token and nothing else.
    pub fn with_token(text: &str, trace: &str) -> Call {
        Call::new(Credential::Text(text.to_owned()), trace)
    }

    /// Every change of what was sent makes another call, so that nothing known about one credential is
    /// used for another.
    fn changed(&self, change: impl FnOnce(&mut Sent)) -> Call {
        let mut sent = (*self.sent).clone();
        change(&mut sent);
        Call { sent: Arc::new(sent), memo: Arc::default(), mode: self.mode }
    }

    /// The same with `appsecret_proof`, if it was sent.
    #[must_use]
    pub fn with_proof(&self, proof: Option<String>) -> Call {
        self.changed(|sent| sent.proof = proof)
    }

    /// The same from an address, by a program that names itself.
    #[must_use]
    pub fn with_source(&self, ip: Option<IpAddr>, user_agent: Option<String>) -> Call {
        self.changed(|sent| (sent.ip, sent.user_agent) = (ip, user_agent))
    }

    /// Another call under another trace, with the same credential: a part of a batch.
    #[must_use]
    pub fn with_trace(&self, trace: String) -> Call {
        self.changed(|sent| sent.trace = trace)
    }

    /// Another call under the same trace, with another credential and no proof.
    #[must_use]
    pub fn with_credential(&self, credential: Credential) -> Call {
        self.changed(|sent| (sent.credential, sent.proof) = (credential, None))
    }

    /// The same call, whose decisions leave no trace from here on.
    #[must_use]
    pub fn quietly(&self) -> Call {
        Call { mode: Mode::Quiet, ..self.clone() }
    }

    /// Whether its decisions leave a trace.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The credential that the caller sent.
    pub fn credential(&self) -> &Credential {
        &self.sent.credential
    }

    /// The text of the credential, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.sent.credential {
            Credential::Text(text) => Some(text),
            Credential::None | Credential::Operator | Credential::Token(_) => None,
        }
    }

    /// Whether no credential was sent.
    pub fn is_anonymous(&self) -> bool {
        matches!(self.sent.credential, Credential::None)
    }

    /// `appsecret_proof`, if it was sent.
    pub fn proof(&self) -> Option<&str> {
        self.sent.proof.as_deref()
    }

    /// The `fbtrace_id` of the answer.
    pub fn trace(&self) -> &str {
        &self.sent.trace
    }

    /// Where it comes from.
    pub fn ip(&self) -> Option<IpAddr> {
        self.sent.ip
    }

    /// The `User-Agent` that the program sent.
    pub fn user_agent(&self) -> Option<&str> {
        self.sent.user_agent.as_deref()
    }

    /// The digest of the credential, computed once; `None` if it does not have the form of a token.
    pub fn digest(&self) -> Option<Digest> {
        self.text().and_then(|text| self.memo.digest(text))
    }

    pub(crate) fn memo(&self) -> &Memo {
        &self.memo
    }
}

/// What a call found out about what was sent, and what it was allowed.
#[derive(Default)]
pub(crate) struct Memo {
    digest: OnceLock<Option<Digest>>,
    secret: Mutex<Option<SeenSecret>>,
    used: Mutex<Used>,
}

/// Whether what was sent fits the secrets of an app, for one version of them.
struct SeenSecret {
    app: AppId,
    secrets: [Option<SealedSecret>; 2],
    fits: bool,
}

/// The rights that one call was allowed, except by quiet questions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Used {
    pub token: Option<TokenId>,
    pub rights: Vec<UsedFor>,
    /// A later question was refused, so the call as a whole was.
    pub was_refused: bool,
}

/// How many rights of one call are kept apart; the rest is noted as [`UsedFor::Other`].
const RIGHTS_LIMIT: usize = 64;

impl Memo {
    /// The digest of the one text that this memo is about.
    pub fn digest(&self, text: &str) -> Option<Digest> {
        *self.digest.get_or_init(|| credential::read(text).map(|_| Digest::of(text)))
    }

    /// Whether what was sent fits; `test` computes it once for one version of the secrets.
    pub fn fits(&self, app: AppId, secrets: [Option<&SealedSecret>; 2], test: impl FnOnce() -> bool) -> bool {
        let Ok(mut seen) = self.secret.lock() else { return test() };
        let known = seen.as_ref().filter(|s| s.app == app && s.secrets.each_ref().map(Option::as_ref) == secrets);
        if let Some(known) = known {
            return known.fits;
        }
        let fits = test();
        *seen = Some(SeenSecret { app, secrets: secrets.map(Option::<&SealedSecret>::cloned), fits });
        fits
    }

    pub fn note_allowed(&self, question: &Question, allowed: &Allowed) {
        let Ok(mut used) = self.used.lock() else { return };
        used.token = used.token.or(allowed.caller.token());
        let mut what = used_for(question, allowed);
        if used.rights.len() >= RIGHTS_LIMIT && !used.rights.contains(&what) {
            what = UsedFor::Other;
        }
        if !used.rights.contains(&what) {
            used.rights.push(what);
        }
    }

    pub fn note_refused(&self) {
        if let Ok(mut used) = self.used.lock() {
            used.was_refused = true;
        }
    }

    /// Takes what was allowed, so that it is counted once.
    pub fn take_used(&self) -> Used {
        self.used.lock().map(|mut used| std::mem::take(&mut *used)).unwrap_or_default()
    }
}
