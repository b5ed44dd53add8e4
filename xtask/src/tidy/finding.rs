//! What a rule says about a place in a file.
//!
//! It must never be without the file that it is about.

/// Something that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub path: String,
    /// Counted from 1; 0 means the whole file.
    pub line: usize,
    pub what: String,
}

impl Finding {
    pub fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_string(), line, what: what.into() }
    }

    pub fn text(&self) -> String {
        if self.line == 0 {
            format!("{}: {}", self.path, self.what)
        } else {
            format!("{}:{}: {}", self.path, self.line, self.what)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_say_where() {
        assert_eq!(Finding::new("a/b.rs", 3, "what").text(), "a/b.rs:3: what");
        assert_eq!(Finding::new("a/b.rs", 0, "what").text(), "a/b.rs: what");
    }
}
