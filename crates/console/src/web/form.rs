//! The fields of a form or of a query, in their order. Values are what a stranger sent: every reader
//! must check what it takes.

use valetkey_domain::Id;

/// How many fields one form may have; what is beyond is not read.
const FIELD_LIMIT: usize = 4_096;

/// Fields by name. `Debug` shows only how many there are: a field may hold a secret.
#[derive(Clone, Default)]
pub struct Form(Vec<(String, String)>);

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Form").field(&self.0.len()).finish()
    }
}

impl Form {
    /// Reads `name=value&…`.
    pub fn parse(bytes: &[u8]) -> Form {
        let pairs = form_urlencoded::parse(bytes).take(FIELD_LIMIT);
        Form(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The first value of a field, without blanks around it; `None` if it is empty or absent.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.raw(name).map(str::trim).filter(|text| !text.is_empty())
    }

    /// The first value of a field as it was sent.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The same, and an empty text if it is absent: to show again what was typed.
    pub fn typed(&self, name: &str) -> String {
        self.raw(name).unwrap_or_default().to_owned()
    }

    /// All values of a field.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether a field was sent at all: a ticked box.
    pub fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// An id.
    pub fn id<Of>(&self, name: &str) -> Option<Id<Of>> {
        self.text(name).and_then(Id::parse)
    }

    /// All fields, for a page that keeps them.
    pub fn fields(&self) -> &[(String, String)] {
        &self.0
    }
}
