//! Reading the ledger.

use valetkey_domain::{BusinessId, Refusal};
use valetkey_store::{Entry, Head};

use crate::call::Call;
use crate::content::store_refusal;
use crate::core::Service;
use crate::rights;

impl Service {
    /// Entries after a revision: for an ADMIN those of its own business, for the operator all.
    ///
    /// # Errors
    /// The refusal.
    pub async fn ledger(
        &self,
        call: &Call,
        business: Option<BusinessId>,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, Refusal> {
        let question =
            business.map_or_else(|| rights::MANAGE_BUSINESS.on_caller(), |b| rights::MANAGE_BUSINESS.on_business(b));
        let own = self.ask(call, question)?.caller.business();
        let wanted = business.or(own);
        let entries = match wanted {
            Some(business) => self.store().tail_of(business, after, limit).await,
            None => self.store().tail(after, limit).await,
        };
        entries.map_err(|e| store_refusal(&e))
    }

    /// The head of the ledger, for checkpoints.
    ///
    /// # Errors
    /// Of the store.
    pub async fn head(&self) -> Result<Head, Refusal> {
        self.store().head().await.map_err(|e| store_refusal(&e))
    }
}
