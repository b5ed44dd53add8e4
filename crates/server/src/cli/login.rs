//! Signing in as a person: a one-time code becomes a two-hour token, kept in a file that is its
//! owner's alone. Accepting the terms is such a person's act, so it stands here too.

use std::io::{IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Outcome;
use super::args::{LoginArgs, On, TermsVerb};
use super::client::Address;
use super::fail::Fail;
use super::screen;
use super::target::{By, Session, config};

const FILE_NAME: &str = "login.json";

/// What a login belongs to.
#[derive(Debug, Clone)]
pub enum Place {
    /// The server of a data folder; the login lies in it.
    Folder(PathBuf),
    /// A server elsewhere; the login lies with the user's settings.
    Server(String),
}

/// A login that was kept.
#[derive(Clone, Serialize, Deserialize)]
pub struct Login {
    pub access_token: String,
    pub token_id: Option<String>,
    pub expires_at: Value,
    pub person: Value,
}

impl Place {
    fn of(on: &On) -> Result<Place, Fail> {
        match &on.server {
            Some(server) => Ok(Place::Server(Address::parse(server)?.text())),
            None => Ok(Place::Folder(config(on)?.data)),
        }
    }

    fn file(&self) -> Result<PathBuf, Fail> {
        match self {
            Place::Folder(folder) => Ok(folder.join(FILE_NAME)),
            Place::Server(address) => {
                let own = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
                let folder = own.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
                let folder = folder.ok_or_else(|| Fail::new("there is no home folder to keep the login in").hint("set HOME"))?;
                let name: String = digest(&SHA256, address.as_bytes()).as_ref().iter().take(8).map(|b| format!("{b:02x}")).collect();
                Ok(folder.join("valetkey").join(format!("login-{name}.json")))
            }
        }
    }
}

/// The login that is kept for a place.
pub fn load(place: &Place) -> Result<Login, Fail> {
    let nobody = || Fail::new("nobody is signed in").hint("valetkey login CODE signs you in; the operator makes a code with valetkey person sign-in ADDRESS");
    let text = std::fs::read_to_string(place.file()?).map_err(|_| nobody())?;
    serde_json::from_str(&text).map_err(|_| nobody())
}

fn keep(place: &Place, login: &Login) -> Result<(), Fail> {
    let file = place.file()?;
    let failed = |error: std::io::Error| Fail::new(format!("the login can't be kept in {}: {error}", file.display()));
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let next = file.with_extension("next");
    let _ = std::fs::remove_file(&next);
    let text = serde_json::to_string(login).map_err(|e| Fail::new(e.to_string()))?;
    let mut out = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&next).map_err(failed)?;
    out.write_all(text.as_bytes()).map_err(failed)?;
    std::fs::rename(&next, &file).map_err(failed)
}

/// `valetkey login`.
pub async fn login(args: LoginArgs) -> Outcome {
    let place = Place::of(&args.on)?;
    if args.status {
        let kept = load(&place)?;
        let shown = json!({ "person": kept.person, "expires_at": kept.expires_at });
        if args.on.json {
            return Ok(screen::json(&shown));
        }
        screen::pairs(&shown, None);
        return Ok(ExitCode::SUCCESS);
    }
    let code = match args.code {
        Some(code) => code,
        None => ask("code: ")?,
    };
    let session = Session::open_by(&args.on, By::Nobody).await?;
    let answer = session.post("/v1/sign-in", json!({ "code": code.trim() })).await;
    session.close().await;
    let result = answer?.result;
    let text = |name: &str| result.get(name).and_then(Value::as_str).map(str::to_owned);
    let token = text("access_token").ok_or_else(|| Fail::new("the server gave no token"))?;
    let login = Login {
        access_token: token,
        token_id: text("token_id"),
        expires_at: result.get("expires_at").cloned().unwrap_or_default(),
        person: result.get("person").cloned().unwrap_or_default(),
    };
    keep(&place, &login)?;
    if args.on.json {
        return Ok(screen::json(&json!({ "person": login.person, "expires_at": login.expires_at })));
    }
    screen::done(&format!("signed in until {}", screen::cell(&login.expires_at)));
    screen::note("commands act as this person with --as-login; valetkey terms accept does so by itself");
    Ok(ExitCode::SUCCESS)
}

/// `valetkey logout`: the token is revoked, then forgotten.
pub async fn logout(on: &On) -> Outcome {
    let place = Place::of(on)?;
    let kept = load(&place)?;
    let session = Session::open_by(on, By::Login).await?;
    let id = match kept.token_id {
        Some(id) => Some(id),
        None => session.call("caller.show", json!({})).await.ok().and_then(|d| d.result.get("token").and_then(Value::as_str).map(str::to_owned)),
    };
    let revoked = match id {
        Some(id) => session.call("token.revoke", json!({ "token": id })).await.map(|_| ()),
        None => Ok(()),
    };
    session.close().await;
    let file = place.file()?;
    std::fs::remove_file(&file).map_err(|e| Fail::new(format!("{} can't be removed: {e}", file.display())))?;
    match revoked {
        Ok(()) => screen::done("signed out; the token is revoked"),
        Err(fail) => screen::note(&format!("signed out; the token was dead already, or could not be revoked: {}", fail.message())),
    }
    Ok(ExitCode::SUCCESS)
}

/// `valetkey terms …`.
pub async fn terms(on: &On, verb: TermsVerb) -> Outcome {
    let by = if matches!(verb, TermsVerb::Accept { .. }) && on.token.is_none() { By::Login } else if on.as_login { By::Login } else { By::Usual };
    let session = Session::open_by(on, by).await?;
    let outcome = terms_in(&session, verb).await;
    session.close().await;
    outcome
}

async fn terms_in(session: &Session, verb: TermsVerb) -> Outcome {
    match verb {
        TermsVerb::Show => {
            let terms = session.call("terms.show", json!({})).await?.result;
            if session.json {
                return Ok(screen::json(&terms));
            }
            anstream::println!("{}", screen::clean(terms.get("text").and_then(Value::as_str).unwrap_or_default()));
            Ok(ExitCode::SUCCESS)
        }
        TermsVerb::Accept { version, yes } => accept(session, version, yes).await,
        TermsVerb::Replace { file } => {
            let text = std::fs::read_to_string(&file).map_err(|e| Fail::new(format!("{} can't be read: {e}", file.display())))?;
            let done = session.call("terms.replace", json!({ "text": text })).await?;
            if session.json {
                return Ok(screen::json(&done.result));
            }
            screen::done(&format!("version {} is in force; new system users and tokens wait until it is accepted", screen::cell(&done.result["version"])));
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn accept(session: &Session, version: Option<u32>, yes: bool) -> Outcome {
    let terms = session.call("terms.show", json!({})).await?.result;
    let version = version.map_or_else(|| terms["version"].clone(), |v| json!(v));
    if !yes {
        anstream::println!("{}", screen::clean(terms.get("text").and_then(Value::as_str).unwrap_or_default()));
        if !std::io::stdin().is_terminal() {
            return Err(Fail::new("nobody is there to say yes").hint("read the terms with valetkey terms show, then say --yes"));
        }
        if !matches!(ask("Do you accept these terms for the business? (yes/no) ")?.trim(), "yes" | "y") {
            return Err(Fail::new("the terms were not accepted"));
        }
    }
    let done = session.call("terms.accept", json!({ "version": version })).await?;
    if session.json {
        return Ok(screen::json(&json!({ "version": version, "revision": done.revision })));
    }
    screen::done(&format!("version {} is accepted", screen::cell(&version)));
    Ok(ExitCode::SUCCESS)
}

fn ask(question: &str) -> Result<String, Fail> {
    anstream::eprint!("{question}");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|e| Fail::new(format!("nothing can be read: {e}")))?;
    Ok(line)
}
