//! What a suite can need from the system.
//!
//! It must never know where something is or how it is installed.

/// Something that a suite needs and that isn't built from this repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The server's own programs, `initdb` and `postgres`, and `psql`; no running server.
    Postgres,
    /// Python 3 with its module `venv`.
    Python,
    /// Node 18 or newer, with npm.
    Node,
    /// Shows the system calls of a process; Linux alone has it.
    Strace,
    /// Debian's Chromium, or one that `CHROMIUM` names.
    Chromium,
    /// The fonts of pictures, so that they look the same everywhere.
    Fonts,
    /// Makes pictures smaller.
    Pngquant,
}

impl Need {
    #[cfg(test)]
    pub const ALL: [Self; 7] =
        [Self::Postgres, Self::Python, Self::Node, Self::Strace, Self::Chromium, Self::Fonts, Self::Pngquant];

    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL server",
            Self::Python => "Python 3 with venv",
            Self::Node => "Node 18+ with npm",
            Self::Strace => "strace",
            Self::Chromium => "Chromium",
            Self::Fonts => "fonts Noto Sans and DejaVu Sans",
            Self::Pngquant => "pngquant",
        }
    }

    pub fn purpose(self) -> &'static str {
        match self {
            Self::Postgres => "the PostgreSQL store is tested against a real server",
            Self::Python => "the Python SDK's story",
            Self::Node => "the Node SDK's story, and the stories of the console",
            Self::Strace => "shows that a ledger entry is flushed before it is answered",
            Self::Chromium => "the console is used in a real browser",
            Self::Fonts => "pages have the same widths and pictures everywhere",
            Self::Pngquant => "screenshots are kept small",
        }
    }
}
