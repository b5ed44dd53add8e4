//! Opening: the folder and its locks, the settings that make commits durable, and the migrations.
//!
//! No connection may be opened before [`lock_database`], nor outlive the file that it returns.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use valetkey_store::sql::{Dialect, Value, migrations, rows, statements};
use valetkey_store::{Head, StoreError};

use crate::connection::{Engine, Texts, failed, texts};

/// The name of the file whose lock says that the folder is in use.
pub const LOCK_NAME: &str = "valetkey.lock";

const DIALECT: Dialect = Dialect { blob: "BLOB", text: "TEXT", key: "INTEGER PRIMARY KEY", compact: "WITHOUT ROWID" };

/// Whether the data file can be locked beside SQLite. On other systems than Linux a lock of this kind
/// keeps SQLite itself out, so only the folder's lock is used there.
const LOCKS_DATABASE: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Marks the file's header as ours: "VKey".
const APPLICATION_ID: i64 = 0x564B_6579;

/// Makes the folder if need be, and locks it against other processes for as long as the file lives.
pub(crate) fn take_folder(folder: &Path) -> Result<File, StoreError> {
    let at = |what: &str, e: &std::io::Error| StoreError::Unavailable(format!("{} {}: {e}", what, folder.display()));
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|e| at("can't make the data folder", &e))?;
    let file = private_file(&folder.join(LOCK_NAME)).map_err(|e| at("can't write in the data folder", &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(format!(
            "another valetkey works in {}; stop it first, or name another data folder",
            folder.display()
        ))),
        Err(TryLockError::Error(e)) => Err(StoreError::Unsafe(format!(
            "the data folder {} can't be locked ({e}); put it on a local disk",
            folder.display()
        ))),
    }
}

/// Makes the data file if need be, and locks the file itself. The lock must be taken before the first
/// connection is opened, and closed after the last one: a process that closes any descriptor of a
/// file loses the locks that SQLite holds on it, which are of another kind than this one.
///
/// If the file that [`take_folder`] locks is deleted under a running program, that lock keeps nobody
/// out. This one still does, because deleting the data file deletes the data.
pub(crate) fn lock_database(path: &Path) -> Result<File, StoreError> {
    // Made here and not by SQLite, so that nobody else can read it; SQLite gives its other files the
    // same mode.
    let file = private_file(path).map_err(|e| unwritable(path, &e))?;
    if !LOCKS_DATABASE {
        return Ok(file);
    }
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            // Left open until the process ends. If this process itself has the store open, closing
            // this file would drop SQLite's locks.
            std::mem::forget(file);
            Err(StoreError::InUse(format!("another valetkey works on {}; stop it first", path.display())))
        }
        Err(TryLockError::Error(e)) => Err(StoreError::Unsafe(format!(
            "the data file {} can't be locked ({e}); put the data folder on a local disk",
            path.display()
        ))),
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Unavailable(format!("can't write {}: {error}", path.display()))
}

fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The connection that writes, with all tables in place, and the head. Called under
/// [`lock_database`].
pub(crate) fn open_writer(path: &Path, folder: &Path, limit_pages: Option<u32>) -> Result<(Engine, Head), StoreError> {
    let engine = connect(path, texts())?;
    check_owner(&engine, path)?;
    settle(&engine)?;
    if let Some(pages) = limit_pages {
        engine.command(&format!("PRAGMA max_page_count = {pages}"))?;
    }
    engine.command("BEGIN IMMEDIATE")?;
    match migrate(&engine) {
        Ok(()) => engine.command("COMMIT")?,
        Err(e) => {
            engine.command("ROLLBACK")?;
            return Err(e);
        }
    }
    // The name of a new file must survive power loss just as its bytes do.
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| unwritable(path, &e))?;
    let head = engine.one(statements::HEAD, &[], rows::read_head)?;
    let head = head.ok_or_else(|| StoreError::Corrupt("the row of the head is gone; restore a backup".to_owned()))?;
    rows::check_head(head, engine.one(statements::NEWEST_ENTRY, &[], rows::read_newest)?)?;
    Ok((engine, head))
}

/// Looks whether a folder holds a store of this program's format, and changes nothing.
pub(crate) fn check_to_read(path: &Path) -> Result<Texts, StoreError> {
    if !path.is_file() {
        return Err(StoreError::Unavailable(format!("there is no store {}; name another data folder", path.display())));
    }
    let engine = connect(path, texts())?;
    engine.command("PRAGMA query_only = ON")?;
    check_owner(&engine, path)?;
    if pragma_int(&engine, "SELECT COUNT(*) FROM sqlite_schema WHERE name IN ('meta', 'migrations')")? < 2 {
        return Err(StoreError::Corrupt(format!("{} holds no data yet; run valetkey init", path.display())));
    }
    let found = engine.one(statements::META_FORMAT, &[], |row| row.int(0))?;
    let applied = engine.all(statements::MIGRATIONS, &[], |row| Ok((row.int(0)?, row.text(1)?)))?;
    if !migrations::pending(found, &applied)?.is_empty() {
        return Err(StoreError::Other(format!(
            "{} has an older format; start the server once, which brings it up to date",
            path.display()
        )));
    }
    Ok(engine.texts())
}

/// A connection of either sort.
pub(crate) fn connect(path: &Path, texts: Texts) -> Result<Engine, StoreError> {
    // No shared cache, no URIs, and each connection stays with one thread at a time.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| failed("opening the data file", &e))?;
    let engine = Engine::new(connection, texts);
    engine.command("PRAGMA busy_timeout = 5000; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF")?;
    Ok(engine)
}

/// Refuses a database that something else made.
fn check_owner(engine: &Engine, path: &Path) -> Result<(), StoreError> {
    let owner = pragma_int(engine, "PRAGMA application_id")?;
    let tables = pragma_int(engine, "SELECT COUNT(*) FROM sqlite_schema")?;
    if tables > 0 && owner != APPLICATION_ID {
        return Err(StoreError::Corrupt(format!(
            "{} is a database of another program; name another data folder",
            path.display()
        )));
    }
    Ok(())
}

/// Makes the settings that durability rests on, and checks that they took effect.
fn settle(engine: &Engine) -> Result<(), StoreError> {
    let mode: String = engine
        .connection()
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(|e| failed("journal_mode", &e))?;
    engine.command("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -65536")?;
    check_settings(engine, &mode)
}

/// Fails unless a commit that was answered survives a loss of power.
pub(crate) fn check_settings(engine: &Engine, journal_mode: &str) -> Result<(), StoreError> {
    if !journal_mode.eq_ignore_ascii_case("wal") {
        return Err(StoreError::Unsafe(format!(
            "the journal mode is {journal_mode} and can't be WAL here; put the data folder on a local disk"
        )));
    }
    for (pragma, least, most) in [("synchronous", 2, 3), ("foreign_keys", 1, 1)] {
        let value = pragma_int(engine, &format!("PRAGMA {pragma}"))?;
        if !(least..=most).contains(&value) {
            return Err(StoreError::Unsafe(format!("SQLite's setting {pragma} is {value} and must be {least}")));
        }
    }
    Ok(())
}

fn pragma_int(engine: &Engine, sql: &str) -> Result<i64, StoreError> {
    engine.connection().query_row(sql, [], |row| row.get(0)).map_err(|e| failed(sql, &e))
}

fn migrate(engine: &Engine) -> Result<(), StoreError> {
    for statement in migrations::BOOTSTRAP {
        engine.command(&DIALECT.fill(statement))?;
    }
    let found = engine.one(statements::META_FORMAT, &[], |row| row.int(0))?;
    let applied = engine.all(statements::MIGRATIONS, &[], |row| Ok((row.int(0)?, row.text(1)?)))?;
    for migration in migrations::pending(found, &applied)? {
        for statement in migration.statements {
            engine.command(&DIALECT.fill(statement))?;
        }
        engine.run(statements::INSERT_MIGRATION, &[Value::Int(migration.number), Value::Text(migration.checksum())])?;
        engine.run(statements::SET_META_FORMAT, &[Value::Int(migration.number)])?;
    }
    engine.command(&format!("PRAGMA application_id = {APPLICATION_ID}"))
}

#[cfg(test)]
mod tests {
    use valetkey_domain::Id;
    use valetkey_store::sql::content;

    use super::*;
    use crate::connection::numbered;

    fn in_memory() -> Engine {
        let engine = Engine::new(Connection::open_in_memory().unwrap(), texts());
        migrate(&engine).unwrap();
        engine
    }

    #[test]
    fn every_statement_is_prepared_with_as_many_parameters_as_it_numbers() {
        let engine = in_memory();
        let prepare = |name: &str, sql: &str| {
            let statement = engine.connection().prepare(&numbered(sql)).unwrap_or_else(|e| panic!("{name}: {e}"));
            let highest = sql.split('$').skip(1).filter_map(|rest| {
                rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse::<usize>().ok())
            });
            assert_eq!(statement.parameter_count(), highest.max().unwrap_or(0), "{name}");
        };
        for statement in statements::ALL {
            prepare(statement.name, statement.sql);
        }
        for built in content::shapes(Id::new(1).unwrap()) {
            prepare("a list", &built.sql);
        }
    }

    #[test]
    fn lists_and_claims_find_their_rows_by_an_index() {
        let engine = in_memory();
        let plan = |sql: &str| -> String {
            let mut statement = engine.connection().prepare(&format!("EXPLAIN QUERY PLAN {}", numbered(sql))).unwrap();
            let count = statement.parameter_count();
            for n in 1..=count {
                statement.raw_bind_parameter(n, 1).unwrap();
            }
            let mut rows = statement.raw_query();
            let mut text = String::new();
            while let Some(row) = rows.next().unwrap() {
                text.push_str(&row.get::<_, String>(3).unwrap());
                text.push('\n');
            }
            text
        };
        for built in content::shapes(Id::new(1).unwrap()) {
            let plan = plan(&built.sql);
            assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE FOR ORDER BY"), "{}\n{plan}", built.sql);
        }
        for statement in [
            statements::TAIL,
            statements::TAIL_OF,
            statements::TAIL_BEFORE,
            statements::TAIL_OF_BEFORE,
            statements::OUTCOME,
            statements::REFUSALS_OF,
            statements::DELETE_AGED_REFUSALS,
            statements::FINISH_JOB,
        ] {
            let plan = plan(statement.sql);
            assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{}\n{plan}", statement.name);
        }
    }

    #[test]
    fn weak_settings_are_refused() {
        let engine = in_memory();
        engine.command("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL").unwrap();
        assert_eq!(check_settings(&engine, "wal"), Ok(()));
        assert!(matches!(check_settings(&engine, "memory"), Err(StoreError::Unsafe(_))));
        for weak in ["PRAGMA synchronous = NORMAL", "PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF"] {
            engine.command(weak).unwrap();
            assert!(matches!(check_settings(&engine, "wal"), Err(StoreError::Unsafe(_))), "{weak}");
        }
    }
}
