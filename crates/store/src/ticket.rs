//! Tickets: short-lived secrets of sign-in ceremonies and of forms that work once. They stand beside the
//! ledger and outlive neither their end nor their one use. Nothing may depend on a ticket being there.

use std::fmt;

use valetkey_domain::credential::Digest;
use valetkey_domain::{Id, UnixMs};

/// A ticket.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket {
    /// SHA-256 of the text that its holder shows.
    pub key: Digest,
    /// What it is good for, in one word.
    pub purpose: String,
    /// Whom it was given to, if that is known.
    pub owner: Option<Id>,
    /// What is to be known again when it is taken.
    pub body: Vec<u8>,
    pub created_at: UnixMs,
    /// From this moment on it is as if it had never been.
    pub expires_at: UnixMs,
}

/// Shows the length of the body only.
impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ticket { key, purpose, owner, body, created_at, expires_at } = self;
        f.debug_struct("Ticket")
            .field("key", key)
            .field("purpose", purpose)
            .field("owner", owner)
            .field("body", &format_args!("{} bytes", body.len()))
            .field("created_at", created_at)
            .field("expires_at", expires_at)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_body() {
        let ticket = Ticket {
            key: Digest::of("key"),
            purpose: "form".to_owned(),
            owner: None,
            body: b"secret".to_vec(),
            created_at: 1,
            expires_at: 2,
        };
        let shown = format!("{ticket:?}");
        assert!(shown.contains("6 bytes") && !shown.contains("115") && !shown.contains("secret"), "{shown}");
    }
}
