//! App secrets: made, sealed, compared. A clear secret lives only as long as the call that needs it.

use aws_lc_rs::digest::{SHA256, digest};
use subtle::{Choice, ConstantTimeEq};
use valetkey_authz::{Proof, Subject, Target, View, gather_app};
use valetkey_domain::credential::app_secret_proof;
use valetkey_domain::noun::app::{App, SealedSecret};
use valetkey_domain::{AppId, Id, Random, Reason, Refusal, State, UnixMs};
use valetkey_seal::{Sealed, Secret};

use crate::call::Memo;
use crate::core::Inner;

const PURPOSE: &str = "app-secret";
const SECRET_BYTES: usize = 16;

/// A fresh app secret: 32 hexadecimal digits, as programs expect them.
pub(crate) fn new_secret(random: &mut dyn Random) -> Result<String, Refusal> {
    let mut bytes = [0u8; SECRET_BYTES];
    if !random.fill(&mut bytes) {
        return Err(Refusal::of(Reason::Fault).with_note("the random source failed; no secret was made"));
    }
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

impl Inner {
    pub fn seal_secret(&self, app: AppId, secret: &str) -> Result<SealedSecret, Refusal> {
        let keys = self.keys.read().map_err(|_| Refusal::of(Reason::Fault))?;
        let sealed = keys.seal(PURPOSE, app.get(), secret.as_bytes()).map_err(|e| {
            tracing::error!(app = %app, error = %e, "an app secret could not be sealed");
            Refusal::of(Reason::Fault)
        })?;
        Ok(SealedSecret(sealed.to_bytes()))
    }

    fn open_secret(&self, app: AppId, sealed: &SealedSecret) -> Option<Secret> {
        let keys = self.keys.read().ok()?;
        let opened = Sealed::from_bytes(&sealed.0).and_then(|s| keys.unseal(PURPOSE, app.get(), &s));
        opened.map_err(|e| tracing::error!(app = %app, error = %e, "an app secret could not be opened")).ok()
    }

    /// The sealed secrets that work for an app now: the current one, and the one before while it
    /// overlaps.
    fn live_secrets(app: &App, now: UnixMs) -> [Option<&SealedSecret>; 2] {
        [Some(&app.secret), app.previous_secret.as_ref().filter(|(_, until)| *until > now).map(|(s, _)| s)]
    }

    /// Whether any live secret of an app passes a test. All are tried, so that the time doesn't show
    /// which one passed.
    fn some_secret(&self, app: &App, now: UnixMs, memo: Option<&Memo>, test: impl Fn(Secret) -> Choice) -> bool {
        let secrets = Inner::live_secrets(app, now);
        let any = || {
            let opened = secrets.into_iter().flatten().filter_map(|s| self.open_secret(app.id, s));
            opened.fold(Choice::from(0), |any, secret| any | test(secret)).into()
        };
        match memo {
            Some(memo) => memo.fits(app.id, secrets, any),
            None => any(),
        }
    }

    /// Whether a text is a secret of the app.
    pub fn is_secret(&self, app: &App, text: &str, memo: Option<&Memo>, now: UnixMs) -> bool {
        // Hashes of equal length are compared, so that neither length nor content shows in time.
        let sent = digest(&SHA256, text.as_bytes());
        self.some_secret(app, now, memo, |s| sent.as_ref().ct_eq(digest(&SHA256, s.expose()).as_ref()))
    }

    /// Checks `appsecret_proof` against the app of the calling token.
    pub fn proof(
        &self,
        state: &dyn State,
        app: Option<AppId>,
        token: &str,
        sent: &str,
        memo: Option<&Memo>,
        now: UnixMs,
    ) -> Proof {
        let Some(app) = app.and_then(|id| state.app(id)) else {
            return Proof::Wrong;
        };
        let sent = sent.to_ascii_lowercase();
        let is_right = |s: Secret| app_secret_proof(s.expose(), token).as_bytes().ct_eq(sent.as_bytes());
        if self.some_secret(&app, now, memo, is_right) { Proof::Right } else { Proof::Wrong }
    }

    /// The view of `APPID|SECRET`.
    pub fn app_view(
        &self,
        state: &dyn State,
        revision: u64,
        text: &str,
        memo: Option<&Memo>,
        target: Target,
        now: UnixMs,
    ) -> View {
        let nobody = |subject| View { revision, subject, asset: None };
        let Some((id, secret)) = text.split_once('|') else {
            return nobody(Subject::Malformed);
        };
        let Some(id) = Id::parse(id) else {
            return nobody(Subject::Malformed);
        };
        match state.app(id) {
            Some(app) if self.is_secret(&app, secret, memo, now) => gather_app(state, revision, id, target),
            _ => nobody(Subject::Unknown),
        }
    }
}
