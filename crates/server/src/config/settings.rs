//! The settings, key by key, each with the place that it came from. One table lists all keys;
//! nothing here knows what a key means.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::said::{ConfigError, Flag, Origin};

/// Every key of the file but those of limits and kinds.
const KEYS: &[&str] = &[
    "data",
    "store",
    "store_root_certificate",
    "listen",
    "public_url",
    "trusted_proxies",
    "behind_proxy",
    "node",
    "lease_s",
    "tls.cert",
    "tls.key",
    "log.format",
    "log.level",
];
/// The keys of the table `limits`. Those that end in `_bytes`, `_ms` and `_s` have that unit; the
/// others are counts.
pub(super) const LIMIT_KEYS: &[&str] = &[
    "connection_limit",
    "handler_limit",
    "header_limit_bytes",
    "header_count_limit",
    "body_limit_bytes",
    "upload_limit_bytes",
    "body_memory_limit_bytes",
    "header_read_timeout_ms",
    "body_read_timeout_ms",
    "request_timeout_ms",
    "keep_alive_idle_ms",
    "tls_handshake_timeout_ms",
    "drain_s",
    "h2_stream_limit",
    "h2_reset_stream_limit",
    "h2_error_stream_limit",
    "h2_ping_interval_ms",
    "param_count_limit",
    "param_name_limit_bytes",
    "param_text_limit_bytes",
    "upload_count_limit",
    "json_depth_limit",
];
const KINDS: &str = "kinds";
const KIND_KEYS: &[&str] = &["word", "title", "tasks"];
/// The keys whose values must not be shown in an error.
const SECRET: &[&str] = &["store"];
/// How much of a value an error repeats.
const SHOWN_CHARS: usize = 60;

/// Every key of the file but those of kinds.
pub(super) fn keys() -> impl Iterator<Item = String> {
    let limits = LIMIT_KEYS.iter().map(|key| format!("limits.{key}"));
    KEYS.iter().map(|key| (*key).to_owned()).chain(limits)
}

/// The environment variable of a key.
pub(super) fn variable(key: &str) -> String {
    format!("VALETKEY_{}", key.replace('.', "_").to_ascii_uppercase())
}

#[derive(Debug, Clone)]
enum Said {
    One(String),
    Many(Vec<String>),
}

/// A kind of asset as the file declares it.
#[derive(Debug, Clone, Default)]
pub(super) struct KindTable {
    pub word: Option<String>,
    pub title: Option<String>,
    pub tasks: Vec<String>,
}

/// All settings. A later source replaces an earlier one key by key.
#[derive(Default)]
pub(super) struct Settings {
    values: BTreeMap<String, (Origin, Said)>,
    pub kinds: Vec<(Origin, KindTable)>,
}

impl Settings {
    /// Reads the named file, or the usual one if it exists.
    pub fn read_file(&mut self, named: Option<&Path>, usual: &Path) -> Result<(), ConfigError> {
        let path = named.unwrap_or(usual);
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => {
                let origin = Origin::Line { path: path.to_owned(), line: 0 };
                return Err(ConfigError::new(&origin, format!("the configuration can't be read: {error}")));
            }
        };
        self.read_text(path, &text)
    }

    /// Reads the text of a file.
    pub fn read_text(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let file = File { path, text };
        let table = DeTable::parse(text).map_err(|error| {
            let line = error.span().map_or(0, |span| file.line(span.start));
            ConfigError::new(&Origin::Line { path: path.to_owned(), line }, error.message())
        })?;
        self.read_table(&file, "", table.get_ref())
    }

    fn read_table(&mut self, file: &File<'_>, prefix: &str, table: &DeTable<'_>) -> Result<(), ConfigError> {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            let origin = file.origin(name.span().start, &key);
            let is_known = keys().any(|known| known == key);
            let is_section = keys().any(|known| known.starts_with(&format!("{key}.")));
            let value = value.get_ref();
            if let (DeValue::Table(inner), true) = (value, is_section) {
                self.read_table(file, &format!("{key}."), inner)?;
            } else if key == KINDS {
                self.read_kinds(file, &origin, value)?;
            } else if is_known {
                let said = said(value).map_err(|what| ConfigError::new(&origin, what))?;
                self.values.insert(key, (origin, said));
            } else {
                return Err(unknown(&origin, &key, keys().chain([KINDS.to_owned()])));
            }
        }
        Ok(())
    }

    fn read_kinds(&mut self, file: &File<'_>, origin: &Origin, value: &DeValue<'_>) -> Result<(), ConfigError> {
        let wrong = || ConfigError::new(origin, "it must be a list of tables, each written as [[kinds]]");
        let DeValue::Array(list) = value else { return Err(wrong()) };
        for item in list.iter() {
            let DeValue::Table(table) = item.get_ref() else { return Err(wrong()) };
            let mut kind = KindTable::default();
            for (name, value) in table {
                let origin = file.origin(name.span().start, &format!("kinds.{}", name.get_ref()));
                let wrong = |what| ConfigError::new(&origin, what);
                match (name.get_ref().as_ref(), said(value.get_ref()).map_err(wrong)?) {
                    ("word", Said::One(word)) => kind.word = Some(word),
                    ("title", Said::One(title)) => kind.title = Some(title),
                    ("tasks", Said::Many(tasks)) => kind.tasks = tasks,
                    ("tasks", _) => return Err(wrong("it must be a list of words")),
                    ("word" | "title", _) => return Err(wrong("it must be a text")),
                    (other, _) => {
                        return Err(unknown(&origin, other, KIND_KEYS.iter().map(|key| (*key).to_owned())));
                    }
                }
            }
            self.kinds.push((file.origin(item.span().start, KINDS), kind));
        }
        Ok(())
    }

    /// Reads the variables of the keys; an empty one counts as absent. Unknown variables are no
    /// error, because other programs set some that look like ours.
    pub fn read_environment(&mut self, environment: &dyn Fn(&str) -> Option<String>) {
        for key in keys() {
            let name = variable(&key);
            if let Some(value) = environment(&name).filter(|value| !value.trim().is_empty()) {
                self.values.insert(key, (Origin::Variable(name), Said::One(value)));
            }
        }
    }

    /// Reads the flags of the command line.
    pub fn read_flags(&mut self, flags: impl IntoIterator<Item = Flag>) {
        for flag in flags {
            self.values.insert(flag.key.to_owned(), (Origin::Flag(flag.name), Said::One(flag.value)));
        }
    }

    /// A text.
    pub fn text(&self, key: &str) -> Result<Option<(&Origin, &str)>, ConfigError> {
        match self.values.get(key) {
            None => Ok(None),
            Some((origin, Said::One(text))) => Ok(Some((origin, text.trim()))),
            Some((origin, Said::Many(_))) => Err(ConfigError::new(origin, "it must be one value, not a list")),
        }
    }

    /// A path. A relative path in the file starts at the file's own folder.
    pub fn path(&self, key: &str) -> Result<Option<(&Origin, PathBuf)>, ConfigError> {
        let Some((origin, text)) = self.text(key)? else { return Ok(None) };
        if text.is_empty() {
            return Err(ConfigError::new(origin, "it must be a path"));
        }
        let base = if let Origin::File { path, .. } = origin { path.parent() } else { None };
        Ok(Some((origin, base.unwrap_or(Path::new("")).join(text))))
    }

    /// A value that is parsed from its text.
    pub fn parsed<T: FromStr>(&self, key: &str, wanted: &str) -> Result<Option<(&Origin, T)>, ConfigError> {
        let Some((origin, text)) = self.text(key)? else { return Ok(None) };
        match text.parse() {
            Ok(value) => Ok(Some((origin, value))),
            Err(_) if SECRET.contains(&key) => Err(ConfigError::new(origin, format!("it must be {wanted}"))),
            Err(_) => Err(ConfigError::new(origin, format!("it must be {wanted}, not \"{}\"", shown(text)))),
        }
    }

    /// A list; a single text is split at commas.
    pub fn list(&self, key: &str) -> Option<(&Origin, Vec<String>)> {
        self.values.get(key).map(|(origin, said)| match said {
            Said::Many(list) => (origin, list.clone()),
            Said::One(text) => (origin, text.split(',').map(|item| item.trim().to_owned()).collect()),
        })
    }
}

struct File<'a> {
    path: &'a Path,
    text: &'a str,
}

impl File<'_> {
    fn line(&self, at: usize) -> usize {
        1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count()
    }

    fn origin(&self, at: usize, key: &str) -> Origin {
        Origin::File { path: self.path.to_owned(), line: self.line(at), key: shown(key) }
    }
}

fn said(value: &DeValue<'_>) -> Result<Said, &'static str> {
    const WANTED: &str = "it must be a text, a number, true or false, or a list of texts";
    let said = if let DeValue::Array(list) = value {
        list.iter().map(Spanned::get_ref).map(one).collect::<Option<_>>().map(Said::Many)
    } else {
        one(value).map(Said::One)
    };
    said.ok_or(WANTED)
}

fn one(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok().map(|n| n.to_string()),
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

fn unknown(origin: &Origin, key: &str, known: impl Iterator<Item = String>) -> ConfigError {
    let known: Vec<String> = known.collect();
    if let Some(near) = nearest(key, &known) {
        return ConfigError::new(origin, format!("there is no such key; did you mean `{near}`?"));
    }
    // The keys of the same table, and the tables themselves.
    let table = key.rsplit_once('.').map_or(String::new(), |(table, _)| format!("{table}."));
    let beside = known.iter().filter_map(|key| key.strip_prefix(&table)).filter_map(|key| key.split('.').next());
    let mut beside: Vec<&str> = beside.collect();
    beside.dedup();
    ConfigError::new(origin, format!("there is no such key; there are {}", beside.join(", ")))
}

/// The known key that was most likely meant, in any table.
fn nearest<'a>(key: &str, known: &'a [String]) -> Option<&'a String> {
    let leaf = |text: &str| text.rsplit('.').next().unwrap_or_default().to_owned();
    let key = key.to_ascii_lowercase().replace('-', "_");
    let measured = known.iter().map(|candidate| {
        let whole = distance(&key, candidate);
        let leaves = distance(&leaf(&key), &leaf(candidate)) + 1;
        // People often leave out the unit at the end.
        let begins = if leaf(&key).len() > 3 && leaf(candidate).starts_with(&leaf(&key)) { 1 } else { usize::MAX };
        (whole.min(leaves).min(begins), candidate)
    });
    let (steps, candidate) = measured.min_by_key(|(steps, _)| *steps)?;
    (steps <= (leaf(&key).chars().count() / 3).clamp(1, 3)).then_some(candidate)
}

/// How many single letters have to be changed, added or left out.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().take(SHOWN_CHARS).collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().take(SHOWN_CHARS).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (slot, b) in row.iter_mut().skip(1).zip(&to) {
            let above = *slot;
            let changed = diagonal + usize::from(a != *b);
            left = changed.min(above + 1).min(left + 1);
            diagonal = above;
            *slot = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

fn shown(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { '?' } else { c });
    let mut out: String = clean.take(SHOWN_CHARS).collect();
    if text.chars().count() > SHOWN_CHARS {
        out.push('…');
    }
    out
}
