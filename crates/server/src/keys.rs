//! The master key: where it is stored, and the ring of data keys that it opens.
//!
//! The key must never be printed, and only be written to its own file, which only its owner may
//! read.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use valetkey_seal::{KeyRing, MasterKey, OsRandom, WrappedKey};
use valetkey_store::{KeyRow, Store};
use zeroize::Zeroizing;

/// The key's file in the data folder.
pub const FILE_NAME: &str = "master.key";
/// The environment variable that replaces the file.
pub const VARIABLE: &str = "VALETKEY_MASTER_KEY";
/// Larger than any key's file, and small enough to read at once.
const FILE_LIMIT_BYTES: u64 = 1_024;

/// Where the key comes from.
#[derive(Clone, Default)]
pub enum Origin {
    /// The file in the data folder.
    #[default]
    Folder,
    /// The key's text, from the environment.
    Set(Zeroizing<String>),
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Origin::Folder => "Folder",
            Origin::Set(_) => "Given(…)",
        })
    }
}

impl Origin {
    /// The environment variable if it is set, else the file in the folder.
    pub fn of(variable: Option<String>) -> Origin {
        variable.filter(|text| !text.trim().is_empty()).map_or(Origin::Folder, |text| Origin::Set(Zeroizing::new(text)))
    }
}

/// Reads the master key.
///
/// # Errors
/// When there is none, when others may read its file, or when it is no key.
pub fn read(folder: &Path, origin: &Origin) -> anyhow::Result<MasterKey> {
    if let Origin::Set(text) = origin {
        return MasterKey::from_hex(text).with_context(|| format!("{VARIABLE} holds no master key"));
    }
    let path = folder.join(FILE_NAME);
    let shown = path.display();
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "there is no master key: {shown} is not there, and {VARIABLE} is not set. For a new server run \
             `valetkey init`; if this one ran before, put the key back from its backup, for nothing else opens its secrets"
        ),
        Err(error) => return Err(error).with_context(|| format!("the master key {shown} can't be read")),
    };
    let mode = file.metadata().with_context(|| format!("the master key {shown} can't be read"))?.permissions().mode();
    if mode & 0o077 != 0 {
        bail!("others may read the master key: close it with `chmod 600 {shown}`");
    }
    let mut text = Zeroizing::new(String::new());
    let read = file.take(FILE_LIMIT_BYTES).read_to_string(&mut text);
    read.with_context(|| format!("the master key {shown} can't be read"))?;
    MasterKey::from_hex(&text).with_context(|| format!("{shown} holds no master key"))
}

/// Reads the master key, or makes one in the folder if there is none yet.
///
/// # Errors
/// As [`read`], and when the file can't be written.
pub fn read_or_make(folder: &Path, origin: &Origin) -> anyhow::Result<MasterKey> {
    match origin {
        Origin::Folder if !folder.join(FILE_NAME).exists() => make(folder),
        Origin::Folder | Origin::Set(_) => read(folder, origin),
    }
}

/// Makes a master key. Its file is complete and on the disk before this returns, because all that
/// it seals later would be lost with it.
fn make(folder: &Path) -> anyhow::Result<MasterKey> {
    let key = MasterKey::generate(&OsRandom)?;
    let text = key.to_hex();
    let draft = folder.join("master.key.new");
    let path = folder.join(FILE_NAME);
    let write = || -> std::io::Result<()> {
        match std::fs::remove_file(&draft) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(text.expose())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&draft, &path)?;
        File::open(folder)?.sync_all()
    };
    write().with_context(|| format!("the master key can't be written to {}", path.display()))?;
    Ok(key)
}

/// Opens the data keys of a store. The first one is made and stored if there is none.
///
/// # Errors
/// When the master key is another one, when a key is damaged, or when the store fails.
pub async fn open_ring(store: &dyn Store, master: &MasterKey) -> anyhow::Result<KeyRing> {
    let rows = store.keys().await?;
    let wrapped =
        rows.into_iter().map(|row| WrappedKey { key_id: row.key_id, master_id: row.master_id, bytes: row.bytes });
    let mut ring = KeyRing::open(master, wrapped).context("the store's keys can't be opened")?;
    if ring.current_key_id().is_none() {
        let key = ring.new_data_key(master, &OsRandom)?;
        let row = KeyRow { key_id: key.key_id, master_id: key.master_id.clone(), bytes: key.bytes.clone() };
        // It is stored before it is used: a secret must never be sealed by a key that a failed
        // write has lost.
        store.replace_keys(&[row]).await?;
        ring.add(master, key)?;
    }
    Ok(ring)
}

#[cfg(test)]
mod tests {
    use valetkey_store::MemoryStore;

    use super::*;
    use crate::lifecycle::folder::tests::scratch;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_reads_it() {
        let folder = scratch();
        let missing = read(folder.path(), &Origin::Folder).unwrap_err().to_string();
        assert!(missing.contains("valetkey init"), "{missing}");
        let made = read_or_make(folder.path(), &Origin::Folder).unwrap();
        let again = read_or_make(folder.path(), &Origin::Folder).unwrap();
        assert_eq!(made.id(), again.id());
        let path = folder.path().join(FILE_NAME);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let open = read(folder.path(), &Origin::Folder).unwrap_err().to_string();
        assert!(open.contains("chmod 600"), "{open}");
    }

    #[test]
    fn the_environment_comes_first_and_is_never_shown() {
        let folder = scratch();
        let text = "0123456789abcdef".repeat(4);
        let origin = Origin::of(Some(text.clone()));
        assert!(!format!("{origin:?}").contains("0123"));
        assert_eq!(read_or_make(folder.path(), &origin).unwrap().id(), MasterKey::from_hex(&text).unwrap().id());
        assert!(!folder.path().join(FILE_NAME).exists());
        let bad = format!("{:#}", read(folder.path(), &Origin::of(Some("hush".into()))).unwrap_err());
        assert!(bad.contains(VARIABLE) && !bad.contains("hush"), "{bad}");
        assert!(matches!(Origin::of(Some(" ".into())), Origin::Folder));
    }

    #[tokio::test]
    async fn the_first_data_key_is_stored_and_found_again() {
        let store = MemoryStore::new();
        let master = MasterKey::generate(&OsRandom).unwrap();
        let sealed = open_ring(&store, &master).await.unwrap().seal("test", 1, b"hush").unwrap();
        let ring = open_ring(&store, &master).await.unwrap();
        assert_eq!(ring.unseal("test", 1, &sealed).unwrap().expose(), b"hush");
        assert_eq!(store.keys().await.unwrap().len(), 1);
        let other = MasterKey::generate(&OsRandom).unwrap();
        let wrong = format!("{:#}", open_ring(&store, &other).await.unwrap_err());
        assert!(wrong.contains(master.id()) && wrong.contains(other.id()), "{wrong}");
    }
}
