//! Telemetry: uses, refusals and tickets, in transactions of their own that need no head lock.
//!
//! Nothing here may add to a count twice.

use valetkey_domain::UnixMs;
use valetkey_domain::credential::Digest;
use valetkey_store::sql::refusals::{Keeper, read_held};
use valetkey_store::sql::rows::{
    prune_usage_values, read_ticket, stored_limit, ticket_values, usage_values, use_values,
};
use valetkey_store::sql::statements as sql;
use valetkey_store::telemetry::{Quotas, REFUSALS_AT_ONCE, Usage, UsageBounds};
use valetkey_store::{RefusalRow, StoreError, Ticket, TokenUse};

use crate::reader::Twice;
use crate::store::{PostgresStore, read_all};

/// How many rows of uses one transaction writes.
const USES_AT_ONCE: usize = 1_000;
/// The most transactions that drop rows over a quota in one call. The rest waits for the next refusals.
const PASSES: usize = 200;

impl PostgresStore {
    pub(crate) async fn add_uses(&self, uses: &[TokenUse]) -> Result<(), StoreError> {
        // In the order of ids, so that two nodes that count the same tokens wait for each other
        // and do not block each other.
        let mut sorted: Vec<&TokenUse> = uses.iter().collect();
        sorted.sort_by_key(|used| used.token);
        for some in sorted.chunks(USES_AT_ONCE) {
            let steps: Vec<_> = some.iter().map(|used| (sql::ADD_USE, use_values(used))).collect();
            self.reader.transaction(Twice::Never, &steps).await?;
        }
        Ok(())
    }

    pub(crate) async fn add_usage(&self, usage: &[Usage], bounds: UsageBounds) -> Result<(), StoreError> {
        let mut sorted: Vec<&Usage> = usage.iter().collect();
        sorted.sort_by_key(|row| (row.token, row.day, row.what.numbers()));
        for some in sorted.chunks(USES_AT_ONCE) {
            let steps: Vec<_> = some.iter().map(|row| (sql::ADD_USAGE, usage_values(row, bounds.rows_a_day))).collect();
            self.reader.transaction(Twice::Never, &steps).await?;
        }
        let old = prune_usage_values(bounds.first_day);
        self.reader.transaction(Twice::Harmless, &[(sql::PRUNE_USAGE, old)]).await.map(drop)
    }

    pub(crate) async fn add_refusals(
        &self,
        refusals: &[RefusalRow],
        quotas: Quotas,
        not_before: UnixMs,
    ) -> Result<(), StoreError> {
        let mut has_more = refusals.is_empty();
        for some in refusals.chunks(REFUSALS_AT_ONCE) {
            has_more = self.keep(some, quotas, not_before).await?;
        }
        for _ in 0..PASSES {
            if !has_more {
                break;
            }
            has_more = self.keep(&[], quotas, not_before).await?;
        }
        Ok(())
    }

    pub(crate) async fn keep_ticket(&self, ticket: &Ticket) -> Result<(), StoreError> {
        self.reader.transaction(Twice::Harmless, &[(sql::PUT_TICKET, ticket_values(ticket))]).await.map(drop)
    }

    /// Never done twice: the second attempt would find the ticket of the first.
    pub(crate) async fn keep_new_ticket(&self, ticket: &Ticket) -> Result<bool, StoreError> {
        let answers = self.reader.transaction(Twice::Never, &[(sql::PUT_NEW_TICKET, ticket_values(ticket))]).await?;
        Ok(answers.first().is_some_and(|rows| !rows.is_empty()))
    }

    /// Never done twice: the second attempt would not find what the first one took.
    pub(crate) async fn take_out_ticket(&self, key: &Digest, now: UnixMs) -> Result<Option<Ticket>, StoreError> {
        let values = vec![key.0.as_slice().into()];
        let answers = self.reader.transaction(Twice::Never, &[(sql::TAKE_TICKET, values)]).await?;
        let taken = read_all(answers.first().map_or(&[][..], Vec::as_slice), read_ticket)?;
        Ok(taken.into_iter().next().filter(|ticket| ticket.expires_at > now))
    }

    pub(crate) async fn drop_tickets(&self, now: UnixMs, limit: usize) -> Result<usize, StoreError> {
        let values = vec![now.into(), stored_limit(limit)];
        let answers = self.reader.transaction(Twice::Harmless, &[(sql::PURGE_TICKETS, values)]).await?;
        Ok(answers.first().map_or(0, Vec::len))
    }

    /// Running it twice is harmless: a row that is there already is replaced by itself.
    async fn keep(&self, rows: &[RefusalRow], quotas: Quotas, not_before: UnixMs) -> Result<bool, StoreError> {
        let start = || Keeper::new(rows, quotas, not_before);
        let keeper = self.reader.rounds(Twice::Harmless, start, |keeper, answers| {
            keeper.next(answers.iter().map(|rows| read_all(rows, read_held)).collect::<Result<_, _>>()?)
        });
        Ok(keeper.await?.has_more())
    }
}
