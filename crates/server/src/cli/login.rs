//! People on the command line: a code is redeemed for a two-hour token, which lies in a file of the
//! user's own until it ends. The token must never be printed, and never be read from a file that
//! others can read.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{BufRead as _, ErrorKind, IsTerminal as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use valetkey_service::Clock as _;

use super::args::{LoginArgs, On, TermsVerb};
use super::client::Address;
use super::fail::Fail;
use super::target::{By, Session, config};
use super::{Outcome, screen};
use crate::clock::SystemClock;

/// The file in the data folder.
const FILE_NAME: &str = "login.json";

/// Which server a login is for.
#[derive(Debug, Clone)]
pub enum Place {
    /// The one of a data folder.
    Folder(PathBuf),
    /// One elsewhere, by its address in one spelling.
    Server(String),
}

/// Who is signed in.
#[derive(Clone, Serialize, Deserialize)]
pub struct Login {
    pub access_token: String,
    token_id: String,
    expires_at: Timestamp,
    person: Value,
    business: Value,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("token_id", &self.token_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
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
                let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
                let folder = variable("XDG_CONFIG_HOME").or_else(|| variable("HOME").map(|home| home.join(".config")));
                let folder = folder.ok_or_else(|| {
                    Fail::new("there is no folder for logins: neither XDG_CONFIG_HOME nor HOME is set")
                })?;
                Ok(folder.join("valetkey").join(format!("login-{}.json", file_word(address))))
            }
        }
    }
}

/// A file's name for an address: two addresses never share one.
fn file_word(address: &str) -> String {
    let mut word = String::with_capacity(address.len());
    for byte in address.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' => word.push(char::from(byte)),
            other => word.push_str(&format!("_{other:02x}")),
        }
    }
    word
}

/// The login for a place, if it has not ended.
pub fn load(place: &Place) -> Result<Login, Fail> {
    let nobody = || {
        Fail::new("nobody is signed in here")
            .hint("valetkey login CODE, with a code from `valetkey init` or `valetkey person sign-in EMAIL`")
    };
    let login = read(&place.file()?)?.ok_or_else(nobody)?;
    let now = Timestamp::from_millisecond(SystemClock.now()).unwrap_or(Timestamp::MAX);
    if login.expires_at <= now {
        let name = login.person.get("name").map(screen::cell).unwrap_or_default();
        let end = screen::cell(&json!(format!("{:.3}", login.expires_at)));
        return Err(Fail::new(format!("the sign-in of {name} ended at {end}"))
            .hint("get a new code with `valetkey person sign-in EMAIL`, then run valetkey login CODE"));
    }
    Ok(login)
}

fn read(file: &Path) -> Result<Option<Login>, Fail> {
    let shown = file.display();
    let opened = match File::open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Fail::new(format!("the login in {shown} can't be read: {error}"))),
    };
    let mode = opened.metadata().map(|m| m.permissions().mode());
    if mode.is_ok_and(|mode| mode & 0o077 != 0) {
        return Err(Fail::new(format!("others may read the login in {shown}, so it is not used"))
            .hint(format!("chmod 600 {shown}")));
    }
    let login = serde_json::from_reader(std::io::BufReader::new(opened));
    login.map(Some).map_err(|_| Fail::new(format!("{shown} holds no login")).hint("sign in again"))
}

/// Writes the file whole or not at all, for its owner alone.
fn save(file: &Path, login: &Login) -> Result<(), Fail> {
    let shown = file.display();
    let failed = |error: std::io::Error| Fail::new(format!("the login can't be kept in {shown}: {error}"));
    if let Some(folder) = file.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    }
    let draft = file.with_extension("json.new");
    let write = || -> std::io::Result<()> {
        match std::fs::remove_file(&draft) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        out.write_all(&serde_json::to_vec_pretty(login)?)?;
        out.sync_all()?;
        std::fs::rename(&draft, file)
    };
    write().map_err(failed)
}

/// `valetkey login`.
pub async fn login(args: LoginArgs) -> Outcome {
    let place = Place::of(&args.on)?;
    if args.status {
        return status(&place, args.on.json);
    }
    let code = match args.code {
        Some(code) => code,
        None => ask_for_code()?,
    };
    let session = Session::open_by(&args.on, By::Nobody).await?;
    let redeemed = session.post("/v1/sign-in", json!({ "code": code.trim() })).await;
    session.close().await;
    let login: Login = serde_json::from_value(redeemed?.result).map_err(|_| {
        Fail::new("the server's answer to the code is not a login").hint("check that both are of the same version")
    })?;
    save(&place.file()?, &login)?;
    Ok(show(&login, args.on.json, "signed in"))
}

fn ask_for_code() -> Result<String, Fail> {
    if std::io::stdin().is_terminal() {
        anstream::eprint!("code: ");
    }
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    match read {
        Ok(_) if !line.trim().is_empty() => Ok(line.trim().to_owned()),
        _ => Err(Fail::new("no code was given").hint("valetkey login CODE, or the code on standard input")),
    }
}

fn status(place: &Place, json: bool) -> Outcome {
    Ok(show(&load(place)?, json, "signed in"))
}

fn show(login: &Login, as_json: bool, told: &str) -> ExitCode {
    let end = format!("{:.3}", login.expires_at);
    if as_json {
        let all = json!({ "person": login.person, "business": login.business, "token_id": login.token_id, "expires_at": end });
        return screen::json(&all);
    }
    let of = |value: &Value, name: &str| value.get(name).map(screen::cell).unwrap_or_default();
    let who = of(&login.person, "name");
    let role = of(&login.person, "role");
    screen::done(&format!(
        "{told}: {who} ({role} of {}), until {}",
        of(&login.business, "name"),
        screen::cell(&json!(end))
    ));
    ExitCode::SUCCESS
}

/// `valetkey logout`: the token is revoked where it counts, then forgotten here.
pub async fn logout(on: &On) -> Outcome {
    let place = Place::of(on)?;
    let file = place.file()?;
    let Some(login) = read(&file)? else {
        return Err(Fail::new("nobody is signed in here"));
    };
    let revoked = match Session::open_by(on, By::Login).await {
        Ok(session) => {
            let outcome = session.call("token.revoke", json!({ "token": login.token_id })).await;
            session.close().await;
            outcome.map(|_| ())
        }
        Err(fail) => Err(fail),
    };
    std::fs::remove_file(&file)
        .map_err(|e| Fail::new(format!("the login in {} can't be removed: {e}", file.display())))?;
    if let Err(fail) = revoked {
        // What has ended, or was revoked before, needs no revoking.
        if fail.reason().is_none() {
            screen::note(&format!(
                "the token could not be revoked ({}); it ends by itself at {:.0}",
                fail.message(),
                login.expires_at
            ));
        }
    }
    if on.json {
        return Ok(screen::json(&json!({ "signed_out": true })));
    }
    screen::done("signed out");
    Ok(ExitCode::SUCCESS)
}

/// `valetkey terms …`.
pub async fn terms(on: &On, verb: TermsVerb) -> Outcome {
    match verb {
        TermsVerb::Show => super::within(on, async |s| show_terms(s).await).await,
        TermsVerb::Accept { version, yes } => accept(on, version, yes).await,
        TermsVerb::Replace { file } => {
            let text = std::fs::read_to_string(&file)
                .map_err(|e| Fail::new(format!("the text in {} can't be read: {e}", file.display())))?;
            super::within(on, async |s| {
                let done = s.call("terms.replace", json!({ "text": text })).await?;
                let version = done.result.get("version").map(screen::cell).unwrap_or_default();
                if s.json {
                    return Ok(screen::json(&done.result));
                }
                screen::done(&format!(
                    "version {version} is in force; new system users and tokens wait until it is accepted"
                ));
                Ok(ExitCode::SUCCESS)
            })
            .await
        }
    }
}

async fn show_terms(session: &Session) -> Outcome {
    let terms = session.call("terms.show", json!({})).await?.result;
    if session.json {
        return Ok(screen::json(&terms));
    }
    anstream::println!("{}", screen::clean(terms.get("text").and_then(Value::as_str).unwrap_or_default()).trim_end());
    let version = terms.get("version").map(screen::cell).unwrap_or_default();
    screen::note(&format!("version {version} is in force; an ADMIN person accepts it with: valetkey terms accept"));
    Ok(ExitCode::SUCCESS)
}

async fn accept(on: &On, version: Option<u32>, yes: bool) -> Outcome {
    // The operator can't accept for anybody, so the person who signed in does, wherever this runs.
    let by = if on.token.is_some() { By::Usual } else { By::Login };
    let session = Session::open_by(on, by).await.map_err(|fail| match fail.message() {
        "nobody is signed in here" => {
            let hint = fail.what_to_do().unwrap_or_default().to_owned();
            Fail::new("nobody is signed in here, and only an ADMIN person can accept the terms").hint(hint)
        }
        _ => fail,
    })?;
    let outcome = accept_in(&session, version, yes).await;
    session.close().await;
    outcome
}

async fn accept_in(session: &Session, version: Option<u32>, yes: bool) -> Outcome {
    let terms = session.call("terms.show", json!({})).await?.result;
    let in_force = terms.get("version").and_then(Value::as_u64).unwrap_or_default();
    if !yes && version.is_none() {
        ask_to_accept(&terms, in_force)?;
    }
    let version = version.map_or(in_force, u64::from);
    let done = session.call("terms.accept", json!({ "version": version })).await?;
    if session.json {
        return Ok(screen::json(&json!({ "version": version, "revision": done.revision })));
    }
    screen::done(&format!("version {version} of the terms accepted (revision {})", done.revision));
    Ok(ExitCode::SUCCESS)
}

/// Shows the terms and waits for a yes. Nobody accepts them by a script that was not told to.
fn ask_to_accept(terms: &Value, version: u64) -> Result<(), Fail> {
    if !std::io::stdin().is_terminal() {
        return Err(Fail::new("nobody is there to say yes to the terms")
            .hint("read them with `valetkey terms show`, then add --yes"));
    }
    anstream::eprintln!("{}", screen::clean(terms.get("text").and_then(Value::as_str).unwrap_or_default()).trim_end());
    anstream::eprint!("\nAccept version {version} for your business? [y/N] ");
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    if read.is_err() || !matches!(line.trim().to_lowercase().as_str(), "y" | "yes") {
        return Err(Fail::new("the terms were not accepted"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::folder::tests::scratch;

    fn login(end: Timestamp) -> Login {
        Login {
            access_token: "hushhush".into(),
            token_id: "5".into(),
            expires_at: end,
            person: json!({"name": "Ada"}),
            business: json!({}),
        }
    }

    #[test]
    fn a_login_is_its_owners_alone_and_ends() {
        let folder = scratch();
        let place = Place::Folder(folder.path().to_owned());
        let file = place.file().unwrap();
        assert!(load(&place).unwrap_err().message().contains("nobody"));
        save(&file, &login(Timestamp::MAX)).unwrap();
        save(&file, &login(Timestamp::MAX)).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(load(&place).unwrap().access_token, "hushhush");
        assert!(!format!("{:?}", load(&place)).contains("hush"));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(load(&place).unwrap_err().message().contains("others may read"));
        save(&file, &login(Timestamp::UNIX_EPOCH)).unwrap();
        let ended = load(&place).unwrap_err();
        assert!(ended.message().contains("Ada ended at 1970-01-01"), "{ended:?}");
        std::fs::write(&file, "{").unwrap();
        assert!(load(&place).unwrap_err().message().contains("holds no login"));
    }

    #[test]
    fn no_two_addresses_share_a_file() {
        let words = ["http://a:1", "https://a:1", "http://a:1/b", "http://a:1_2fb"].map(file_word);
        let unique: std::collections::HashSet<_> = words.iter().collect();
        assert_eq!(unique.len(), words.len());
        assert!(words.iter().all(|w| !w.contains('/') && !w.contains(':')));
    }
}
