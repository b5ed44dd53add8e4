//! Looks, decides, counts and journals, for every call.
//!
//! A step is one read of the index: its right is decided on the very revision that is read. The result
//! of a step carries its decision, and no later step may use that decision. Nothing here may answer
//! from an earlier decision.

use std::ops::Deref;

use valetkey_authz::{
    Allowed, Decision, Denial, Index, Question, Subject, Target, View, decide, gather_app, gather_user,
};
use valetkey_domain::credential::{self, Digest};
use valetkey_domain::{AppId, AssetId, Id, Reason, Refusal, State, TokenId, UnixMs, UserId};

use crate::call::{Call, Credential, Memo, Mode};
use crate::core::{Inner, Service};

/// What was read under a right, together with the decision that allowed it. Only a step makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked<T> {
    value: T,
    allowed: Allowed,
}

impl<T> Checked<T> {
    pub(crate) fn new(value: T, allowed: Allowed) -> Checked<T> {
        Checked { value, allowed }
    }

    /// The decision that the read rests on.
    pub fn allowed(&self) -> &Allowed {
        &self.allowed
    }

    /// What was read.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// What was read, in another form.
    pub fn map<R>(self, with: impl FnOnce(T) -> R) -> Checked<R> {
        Checked { value: with(self.value), allowed: self.allowed }
    }
}

impl<T> Checked<Option<T>> {
    /// What was read, if it was there.
    pub fn there(self) -> Option<Checked<T>> {
        self.value.map(|value| Checked { value, allowed: self.allowed })
    }
}

impl<T> Deref for Checked<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// The records that a step reads: one revision, on which its right was decided.
pub struct Facts<'a> {
    inner: &'a Inner,
    index: &'a Index,
    call: &'a Call,
    now: UnixMs,
    /// The decision of the step.
    pub allowed: Allowed,
}

impl std::fmt::Debug for Facts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Facts").field("revision", &self.allowed.revision).finish_non_exhaustive()
    }
}

impl Facts<'_> {
    /// Asks whether the caller may do something else too, on the same revision, without counting or
    /// journaling: for rows that are filtered before they are paged and counted.
    pub fn may(&self, question: Question) -> Option<Allowed> {
        let (view, question) = self.inner.look(On::Index(self.index), &Sent::of(self.call), question, self.now);
        match decide(&view, &question, self.now) {
            Decision::Allow(allowed) => Some(allowed),
            Decision::Deny(_) => None,
        }
    }
}

impl<'a> Deref for Facts<'a> {
    type Target = dyn State + 'a;
    fn deref(&self) -> &Self::Target {
        self.index
    }
}

/// Where a decision is looked up.
#[derive(Clone, Copy)]
pub(crate) enum On<'a> {
    /// The live index.
    Index(&'a Index),
    /// A state with the changes of a batch on top.
    State { state: &'a dyn State, revision: u64 },
}

impl<'a> On<'a> {
    fn state(self) -> &'a dyn State {
        match self {
            On::Index(index) => index,
            On::State { state, .. } => state,
        }
    }

    fn revision(self) -> u64 {
        match self {
            On::Index(index) => index.revision(),
            On::State { revision, .. } => revision,
        }
    }

    fn gather(self, digest: &Digest, target: Target) -> View {
        match self {
            On::Index(index) => index.gather(digest, target),
            On::State { state, revision } => valetkey_authz::gather(state, revision, digest, target),
        }
    }
}

/// What was sent, by reference, so that the check path copies nothing.
#[derive(Clone, Copy)]
pub(crate) enum Sent<'a> {
    Nothing,
    Text {
        text: &'a str,
        proof: Option<&'a str>,
        /// Holds what was found out about the credential; a single question needs none.
        memo: Option<&'a Memo>,
    },
    Operator,
    Token(TokenId),
    /// An app that proved itself, by its id: to ask again what it asked.
    App(AppId),
    /// A user, whichever tokens it has.
    User(UserId),
}

impl<'a> Sent<'a> {
    pub fn of(call: &'a Call) -> Sent<'a> {
        match call.credential() {
            Credential::None => Sent::Nothing,
            Credential::Text(text) => Sent::Text { text, proof: call.proof(), memo: Some(call.memo()) },
            Credential::Operator => Sent::Operator,
            Credential::Token(id) => Sent::Token(*id),
        }
    }

    fn shown(shown: &'a Shown<'a>) -> Sent<'a> {
        Sent::Text { text: shown.text, proof: shown.proof, memo: shown.memo.as_ref() }
    }
}

/// A credential that was sent to the check path, and when.
pub struct Shown<'a> {
    text: &'a str,
    proof: Option<&'a str>,
    memo: Option<Memo>,
    now: UnixMs,
}

impl std::fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shown").field("now", &self.now).finish_non_exhaustive()
    }
}

impl Shown<'_> {
    /// For several questions: the text is hashed once, and the proof is checked once.
    #[must_use]
    pub fn for_many(self) -> Self {
        Shown { memo: Some(Memo::default()), ..self }
    }

    /// When it was sent.
    pub fn now(&self) -> UnixMs {
        self.now
    }
}

impl Service {
    /// One step: decides, and reads on the same revision if the answer is yes. Unless the call is
    /// [quiet](Call::quietly), a yes counts as a use of the token and a no is journaled. The closure
    /// must be short, since writers wait for it, and must not call the service.
    ///
    /// # Errors
    /// The refusal.
    pub fn step<R>(
        &self,
        call: &Call,
        question: Question,
        read: impl FnOnce(&Facts<'_>) -> R,
    ) -> Result<Checked<R>, Refusal> {
        self.inner.step(call, question, call.mode(), read).map_err(|no| no.refusal())
    }

    /// The same, but quiet: nothing is counted or journaled. For fields and rows that are left out.
    pub fn quiet_step<R>(
        &self,
        call: &Call,
        question: Question,
        read: impl FnOnce(&Facts<'_>) -> R,
    ) -> Option<Checked<R>> {
        self.inner.step(call, question, Mode::Quiet, read).ok()
    }

    /// Asks one question.
    ///
    /// # Errors
    /// The refusal.
    pub fn ask(&self, call: &Call, question: Question) -> Result<Allowed, Refusal> {
        self.step(call, question, |_| ()).map(|checked| checked.allowed)
    }

    /// Asks one question; nothing is counted or journaled.
    pub fn may(&self, call: &Call, question: Question) -> Option<Allowed> {
        self.quiet_step(call, question, |_| ()).map(|checked| checked.allowed)
    }

    /// The caller, if its credential is live. This is not counted as a use of the token; a no is
    /// journaled.
    ///
    /// # Errors
    /// What is wrong with the credential.
    pub fn caller(&self, call: &Call) -> Result<Allowed, Refusal> {
        self.without_use(call, Question::alive())
    }

    /// Asks a question whose yes is not counted as a use of the token; a no is journaled.
    pub(crate) fn without_use(&self, call: &Call, question: Question) -> Result<Allowed, Refusal> {
        match self.may(call, question) {
            Some(allowed) => Ok(allowed),
            None => self.ask(call, question),
        }
    }

    /// Counts a call as one use of its token if it was allowed something and refused nothing. Adapters
    /// call this once for each call, and for each part of a batch, when its answer is known.
    pub fn finish(&self, call: &Call) {
        let used = call.memo().take_used();
        if used.was_refused {
            return;
        }
        self.inner.note_used(call, &used, self.inner.clock.now());
    }

    /// A credential on the check path. The clock is read here, once for all questions about it.
    pub fn show<'a>(&self, text: &'a str, proof: Option<&'a str>) -> Shown<'a> {
        Shown { text, proof, memo: None, now: self.inner.clock.now() }
    }

    /// Asks one question about a credential: see [`Service::check_shown`].
    pub fn check(&self, credential: &str, proof: Option<&str>, question: Question) -> (View, Decision) {
        self.check_shown(&self.show(credential, proof), question)
    }

    /// Asks one question on the check path: synchronous, no store, and no allocation on allow.
    pub fn check_shown(&self, shown: &Shown<'_>, question: Question) -> (View, Decision) {
        let inner = &*self.inner;
        let Ok(index) = inner.index() else { return stale(&question) };
        let (view, question) = inner.look(On::Index(&index), &Sent::shown(shown), question, shown.now);
        drop(index);
        let decision = decide(&view, &question, shown.now);
        inner.count(&decision);
        (view, decision)
    }

    /// Asks a question about somebody else's token, for an app that proved itself. A token of
    /// another business looks like one that was never issued; an app that knows its own secret
    /// needs no proof for its own tokens.
    pub fn check_for_app(&self, app: crate::app::ProvenApp, shown: &Shown<'_>, question: Question) -> (View, Decision) {
        let inner = &*self.inner;
        let (proof, now) = (shown.proof, shown.now);
        let Ok(index) = inner.index() else { return stale(&question) };
        let (mut view, mut question) = inner.look(On::Index(&index), &Sent::shown(shown), question, now);
        drop(index);
        match &view.subject {
            Subject::Token(token)
                if token.business == app.business && token.app.is_some_and(|a| a.id == app.app) && proof.is_none() =>
            {
                question = question.proof(valetkey_authz::Proof::Right);
            }
            Subject::Token(token) if token.business == app.business => {}
            Subject::Token(_) | Subject::App(_) => view = View { subject: Subject::Unknown, asset: None, ..view },
            Subject::Malformed | Subject::Unknown | Subject::Operator => {}
        }
        let decision = decide(&view, &question, now);
        inner.count(&decision);
        (view, decision)
    }

    /// The name of the app that the call's token was issued for.
    pub fn app_name_of(&self, call: &Call) -> Option<valetkey_domain::Name> {
        let digest = call.digest()?;
        let name = |state: &dyn State| Some(state.app(state.token_by_digest(&digest)?.app?)?.name);
        self.read(name).ok().flatten()
    }

    /// A kind of asset that the operator declared. It belongs to the catalogue and reveals nothing about
    /// a business, so it needs no right.
    pub fn declared_kind(&self, kind: valetkey_domain::AssetKind) -> Option<valetkey_domain::DeclaredKind> {
        self.read(|state| state.declared_kind(kind)).ok().flatten()
    }

    /// All declared kinds.
    pub fn declared_kinds(&self) -> Vec<valetkey_domain::DeclaredKind> {
        self.read(|state| state.declared_kinds()).unwrap_or_default()
    }

    /// The refusal for an id that names nothing. The question is still asked, so that a dead token
    /// answers 190 first, and the trace finds the refusal again.
    pub(crate) fn absent(&self, call: &Call, id: impl Into<Id>) -> Refusal {
        let id = id.into();
        self.ask(call, absent(id)).err().unwrap_or_else(|| Refusal::not_visible(id))
    }

    /// A refusal that was met after the decision. One about an id that names nothing is journaled like every
    /// other question about such an id.
    pub(crate) fn journaled(&self, call: &Call, refusal: Refusal) -> Refusal {
        match refusal.subject {
            Some(id) if refusal.reason == Reason::NotVisible => self.absent(call, id),
            Some(_) | None => refusal,
        }
    }
}

/// The question about an id that no record has.
pub(crate) fn absent(id: impl Into<Id>) -> Question {
    Question::about(Target::Asset(AssetId::of(id.into()))).sorts(valetkey_authz::Sorts::ANY)
}

impl Inner {
    /// Looks, decides, reads, counts and journals: the only function that does.
    pub(crate) fn step<R>(
        &self,
        call: &Call,
        question: Question,
        mode: Mode,
        read: impl FnOnce(&Facts<'_>) -> R,
    ) -> Result<Checked<R>, No> {
        let now = self.clock.now();
        let index = self.index().map_err(|refusal| No::Node(Box::new(refusal)))?;
        let (view, question) = self.look(On::Index(&index), &Sent::of(call), question, now);
        let decision = decide(&view, &question, now);
        let read = match &decision {
            Decision::Allow(allowed) => {
                let facts = Facts { inner: self, index: &index, call, now, allowed: *allowed };
                Some(Checked::new(read(&facts), *allowed))
            }
            Decision::Deny(_) => None,
        };
        drop(index);
        self.note(call, &question, &view, &decision, mode, now);
        match (decision, read) {
            (Decision::Allow(_), Some(checked)) => Ok(checked),
            (Decision::Deny(denial), _) => Err(No::Denied(denial)),
            (Decision::Allow(_), None) => Err(No::Node(Box::new(Refusal::of(Reason::Fault)))),
        }
    }

    /// The same for a command, counted and journaled, on the newest state with the changes of the batch
    /// so far on top.
    pub(crate) fn decide_on(
        &self,
        call: &Call,
        question: Question,
        state: &dyn State,
        revision: u64,
        now: UnixMs,
    ) -> (View, Decision) {
        let (view, question) = self.look(On::State { state, revision }, &Sent::of(call), question, now);
        let decision = decide(&view, &question, now);
        self.note(call, &question, &view, &decision, Mode::Aloud, now);
        (view, decision)
    }

    /// The answers to several questions on one revision; nothing is counted or journaled.
    pub(crate) fn decide_each(&self, call: &Call, questions: &[Question]) -> Vec<Option<Allowed>> {
        let now = self.clock.now();
        let Ok(index) = self.index() else { return vec![None; questions.len()] };
        let sent = Sent::of(call);
        let decide_one = |question: &Question| {
            let (view, question) = self.look(On::Index(&index), &sent, *question, now);
            match decide(&view, &question, now) {
                Decision::Allow(allowed) => Some(allowed),
                Decision::Deny(_) => None,
            }
        };
        questions.iter().map(decide_one).collect()
    }

    fn note(&self, call: &Call, question: &Question, view: &View, decision: &Decision, mode: Mode, now: UnixMs) {
        if mode == Mode::Quiet {
            return;
        }
        self.count(decision);
        match decision {
            Decision::Allow(allowed) => call.memo().note_allowed(question, allowed),
            Decision::Deny(denial) => {
                call.memo().note_refused();
                self.journal.remember(call, question, view, denial, now);
            }
        }
    }

    /// View and completed question. Only here are blocks applied to the view.
    pub(crate) fn look(&self, on: On<'_>, sent: &Sent<'_>, question: Question, now: UnixMs) -> (View, Question) {
        let (mut view, question) = self.gather(on, sent, question, now);
        self.writing.blocks.apply(&mut view, on.state());
        (view, question)
    }

    fn gather(&self, on: On<'_>, sent: &Sent<'_>, question: Question, now: UnixMs) -> (View, Question) {
        let revision = on.revision();
        let nobody = |subject| View { revision, subject, asset: None };
        match *sent {
            Sent::Nothing => (nobody(Subject::Malformed), question.proof(valetkey_authz::Proof::NotSent)),
            Sent::Operator => (nobody(Subject::Operator), question),
            Sent::Token(id) => {
                let digest = on.state().token(id).map(|t| t.digest);
                let view = digest.map_or(nobody(Subject::Unknown), |d| on.gather(&d, question.target));
                // The proof was checked when the effect was asked for; the token's text is not stored.
                (view, question.proof(valetkey_authz::Proof::Right))
            }
            Sent::App(app) => {
                (gather_app(on.state(), revision, app, question.target), question.proof(valetkey_authz::Proof::Right))
            }
            Sent::User(user) => {
                (gather_user(on.state(), revision, user, question.target), question.proof(valetkey_authz::Proof::Right))
            }
            Sent::Text { text, memo, .. } if text.contains('|') => {
                (self.app_view(on.state(), revision, text, memo, question.target, now), question)
            }
            Sent::Text { text, proof, memo } => {
                let digest = match memo {
                    Some(memo) => memo.digest(text),
                    None => credential::read(text).map(|_| Digest::of(text)),
                };
                let Some(digest) = digest else {
                    return (nobody(Subject::Malformed), question.proof(valetkey_authz::Proof::NotSent));
                };
                let view = on.gather(&digest, question.target);
                let proof = match (&view.subject, proof) {
                    (Subject::Token(token), Some(sent)) => {
                        self.proof(on.state(), token.app.map(|a| a.id), text, sent, memo, now)
                    }
                    _ => valetkey_authz::Proof::NotSent,
                };
                (view, question.proof(proof))
            }
        }
    }
}

/// Why a step gave nothing.
#[derive(Debug)]
pub(crate) enum No {
    Denied(Denial),
    /// The node can't answer at all.
    Node(Box<Refusal>),
}

impl No {
    pub fn refusal(&self) -> Refusal {
        match self {
            No::Denied(denial) => denial.refusal(),
            No::Node(refusal) => (**refusal).clone(),
        }
    }
}

fn stale(question: &Question) -> (View, Decision) {
    let view = View { revision: 0, subject: Subject::Unknown, asset: None };
    let decision = match decide(&view, question, 0) {
        Decision::Deny(denial) => Decision::Deny(Denial { reason: Reason::NotFresh, hidden: false, ..denial }),
        allow @ Decision::Allow(_) => allow,
    };
    (view, decision)
}
