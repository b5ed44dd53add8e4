//! What the last check of the ledger found, as every node can read it.
//!
//! It is telemetry: it stands beside the ledger and proves nothing by itself. It must hold numbers
//! only, never a value or an id of a record.

use valetkey_domain::UnixMs;

/// The outcome of one check of the ledger and of what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verification {
    /// When the check ended.
    pub at: UnixMs,
    /// The revision of the last entry that was in order.
    pub revision: u64,
    /// Whether the chain of entries is whole.
    pub is_chain_whole: bool,
    /// How many records, rows of content and jobs are not as the ledger left them.
    pub differences: u64,
    /// How many entries or records can't be checked, because a payload is gone.
    pub not_verifiable: u64,
}

impl Verification {
    /// Whether nothing was found.
    pub fn is_ok(&self) -> bool {
        self.is_chain_whole && self.differences == 0 && self.not_verifiable == 0
    }
}

/// What was found, as a clause without a full stop.
impl std::fmt::Display for Verification {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_ok() {
            return write!(f, "nothing was altered up to revision {}", self.revision);
        }
        if !self.is_chain_whole {
            return write!(f, "the chain is not in order behind revision {}", self.revision);
        }
        match (self.differences, self.not_verifiable) {
            (different, 0) => write!(f, "not as the ledger left them: {different}"),
            (0, unverifiable) => write!(f, "could not be checked: {unverifiable}"),
            (different, unverifiable) => {
                write!(f, "not as the ledger left them: {different}; could not be checked: {unverifiable}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_said_in_one_line() {
        let ok = Verification { at: 1, revision: 7, is_chain_whole: true, ..Verification::default() };
        for (found, is_ok, text) in [
            (ok, true, "nothing was altered up to revision 7"),
            (Verification { is_chain_whole: false, ..ok }, false, "the chain is not in order behind revision 7"),
            (Verification { differences: 2, ..ok }, false, "not as the ledger left them: 2"),
            (Verification { not_verifiable: 3, ..ok }, false, "could not be checked: 3"),
            (
                Verification { differences: 2, not_verifiable: 3, ..ok },
                false,
                "not as the ledger left them: 2; could not be checked: 3",
            ),
        ] {
            assert_eq!((found.is_ok(), found.to_string().as_str()), (is_ok, text));
        }
    }
}
