//! Tickets: what an adapter wants to know again from whoever comes back with a secret text, once: a
//! ceremony that goes on, a form that may be sent, an answer that is shown.
//!
//! A ticket is no credential and gives no right. Only the SHA-256 of its text is stored. Each purpose has
//! texts of its own, so that a ticket for one is none for another.

use std::fmt;

use valetkey_domain::credential::Digest;
use valetkey_domain::{Id, Refusal, UnixMs};
use valetkey_store::Ticket;

use crate::content::store_refusal;
use crate::core::Service;

/// The purpose of texts that are only to be seen once.
const ONCE: &str = "once";

/// What was kept under a text.
#[derive(Clone, PartialEq, Eq)]
pub struct Kept {
    /// Whom it was given to, if that was known.
    pub owner: Option<Id>,
    pub body: Vec<u8>,
    pub created_at: UnixMs,
}

/// Shows the length of the body only.
impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Kept { owner, body, created_at } = self;
        let body = format_args!("{} bytes", body.len());
        f.debug_struct("Kept").field("owner", owner).field("body", &body).field("created_at", created_at).finish()
    }
}

impl Service {
    /// Whether this text comes for the first time in `lifetime_ms`, on any node. A store that can't
    /// remember it makes it no first time: then there is an error.
    ///
    /// # Errors
    /// `not_fresh`, or of the store.
    pub async fn once(&self, key_text: &str, lifetime_ms: UnixMs) -> Result<bool, Refusal> {
        let ticket = self.ticket(ONCE, key_text, None, Vec::new(), lifetime_ms)?;
        self.store().put_ticket_if_absent(&ticket).await.map_err(|e| store_refusal(&e))
    }

    /// Keeps a body for whoever brings this text for this purpose, for `lifetime_ms`. The text must be
    /// random, and long enough not to be guessed; what was kept under it before is replaced.
    ///
    /// # Errors
    /// `not_fresh`, or of the store.
    pub async fn keep_ticket(
        &self,
        purpose: &str,
        key_text: &str,
        owner: Option<Id>,
        body: Vec<u8>,
        lifetime_ms: UnixMs,
    ) -> Result<(), Refusal> {
        let ticket = self.ticket(purpose, key_text, owner, body, lifetime_ms)?;
        self.store().put_ticket(&ticket).await.map_err(|e| store_refusal(&e))
    }

    /// Takes what was kept, once: of several who bring the text at once, on any node, one gets it.
    /// `None` if there is nothing, or nothing any more.
    ///
    /// # Errors
    /// `not_fresh`, or of the store; then nobody knows whether it was taken.
    pub async fn take_ticket(&self, purpose: &str, key_text: &str) -> Result<Option<Kept>, Refusal> {
        self.read(|_| ())?;
        let taken = self.store().take_ticket(&key(purpose, key_text), self.now()).await;
        let ticket = taken.map_err(|e| store_refusal(&e))?;
        Ok(ticket.map(|Ticket { owner, body, created_at, .. }| Kept { owner, body, created_at }))
    }

    fn ticket(
        &self,
        purpose: &str,
        key_text: &str,
        owner: Option<Id>,
        body: Vec<u8>,
        lifetime_ms: UnixMs,
    ) -> Result<Ticket, Refusal> {
        // A node that may not answer hands nothing out and takes nothing in.
        self.read(|_| ())?;
        let created_at = self.now();
        let expires_at = created_at.saturating_add(lifetime_ms);
        Ok(Ticket { key: key(purpose, key_text), purpose: purpose.to_owned(), owner, body, created_at, expires_at })
    }
}

fn key(purpose: &str, text: &str) -> Digest {
    Digest::of(&format!("{purpose}\n{text}"))
}
