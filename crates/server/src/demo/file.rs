//! `demo.json`: all that scripts need to know about the demo, with its tokens and secrets. Only its
//! owner can read it, it is replaced in one step, and it is written only for a loopback server.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use valetkey_domain::id::of;
use valetkey_domain::{AppId, AssetId, Id, Role, UserId};

/// The file's name in the data folder.
pub const NAME: &str = "demo.json";
const DRAFT_NAME: &str = "demo.json.new";

#[derive(Clone, Serialize, Deserialize)]
pub struct Demo {
    pub base_url: String,
    pub business: Named<of::Business>,
    pub app: App,
    pub second_app: App,
    pub partner: Partner,
    pub pages: Vec<Named<of::Asset>>,
    pub ad_accounts: Vec<AdAccount>,
    pub catalog: Bare,
    pub pixel: Bare,
    pub admin_system_user: AdminSystemUser,
    pub system_users: Vec<SystemUser>,
    /// A single-use sign-in code for the admin person.
    pub sign_in: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Named<Of> {
    pub id: Id<Of>,
    pub name: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Bare {
    pub id: AssetId,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct App {
    pub id: AppId,
    pub secret: String,
    pub name: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct PartnerApp {
    pub id: AppId,
    pub secret: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Partner {
    pub business: Named<of::Business>,
    pub app: PartnerApp,
    pub admin_token: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct AdAccount {
    /// `act_` and the number.
    pub id: String,
    pub account_id: AssetId,
    pub name: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct AdminSystemUser {
    pub id: UserId,
    pub name: String,
    pub token: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct SystemUser {
    pub id: UserId,
    pub name: String,
    pub role: Role,
    pub token: String,
}

/// The file of an earlier start; `None` if it can't be read, since everything can be made again.
pub fn read(folder: &Path) -> Option<Demo> {
    let text = std::fs::read(folder.join(NAME)).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Writes the file completely or not at all.
///
/// # Errors
/// When the folder can't be written.
pub fn write(folder: &Path, demo: &Demo) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(demo)?;
    let (draft, path) = (folder.join(DRAFT_NAME), folder.join(NAME));
    let put = || -> std::io::Result<()> {
        remove(&draft)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&draft, &path)?;
        File::open(folder)?.sync_all()
    };
    put().with_context(|| format!("{} can't be written", path.display()))
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
