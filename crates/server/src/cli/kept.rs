//! The login of a person, kept in a private file until it ends. The token must never be printed,
//! and never be read from a file that others can read.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use valetkey_service::Clock as _;

use super::fail::Fail;
use super::screen;
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
    pub token_id: String,
    pub expires_at: Timestamp,
    pub person: Value,
    pub business: Value,
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
    /// The file of the login.
    pub fn file(&self) -> Result<PathBuf, Fail> {
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

/// The login in the file, even if it has ended.
pub fn read(file: &Path) -> Result<Option<Login>, Fail> {
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

/// Writes the file completely or not at all, readable only by its owner.
pub fn save(file: &Path, login: &Login) -> Result<(), Fail> {
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
