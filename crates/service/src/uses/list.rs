//! Lists of uses: what the store has, and what waits in memory.

use std::collections::{BTreeMap, HashMap};

use valetkey_domain::{Refusal, TokenId, UnixMs};
use valetkey_store::{TokenUse, Usage, UsageQuery, UsedFor};

use crate::ask::Checked;
use crate::call::Call;
use crate::content::store_refusal;
use crate::core::Service;
use crate::person::about;
use crate::rights;

/// The most rows of one token that a sum counts, the newest first.
const COUNTED_ROWS: usize = 10_000;

/// What a token was used for.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenUsage {
    /// The newest day first.
    pub rows: Vec<Usage>,
    /// More rows come after the last one.
    pub has_more: bool,
    /// Until when this node's uses are included.
    pub as_of: UnixMs,
    /// Up to when they are in the store; a crash now would lose the rest. `None` if nothing was written
    /// since the start.
    pub written_until: Option<UnixMs>,
}

impl Service {
    /// What a token was used for, by day and right. The right is that of reading the token itself.
    ///
    /// # Errors
    /// The refusal, or of the store.
    pub async fn token_usage(
        &self,
        call: &Call,
        token: TokenId,
        days: (i64, i64),
        after: Option<(i64, UsedFor)>,
        limit: usize,
    ) -> Result<Checked<TokenUsage>, Refusal> {
        let (business, user) = self.owner_of_token(call, token)?;
        let question = rights::MANAGE_OR_SELF.on_user(business, user);
        let _settled = self.inner.uses.moving.read().await;
        let seen = self.step(call, question, |facts| facts.token(token)).map_err(|r| about(r, token))?;
        let allowed = *seen.allowed();
        seen.into_inner().ok_or_else(|| Refusal::not_visible(token))?;
        let query = UsageQuery { token, days, after, limit: limit.saturating_add(1) };
        let stored = self.store().usage(&query).await.map_err(|e| store_refusal(&e))?;
        let rows = merged(stored, self.inner.uses.pending_rows(token), &query);
        let has_more = rows.len() > limit;
        let (as_of, written_until) = (self.now(), self.inner.uses.written_until());
        let usage = TokenUsage { rows: rows.into_iter().take(limit).collect(), has_more, as_of, written_until };
        Ok(Checked::new(usage, allowed))
    }

    /// The total use of tokens; those that were never used are left out.
    pub(crate) async fn uses_of(&self, tokens: &[TokenId]) -> Result<HashMap<TokenId, TokenUse>, Refusal> {
        let _settled = self.inner.uses.moving.read().await;
        let stored = self.store().uses(tokens).await.map_err(|e| store_refusal(&e))?;
        let mut uses: HashMap<TokenId, TokenUse> = stored.into_iter().map(|used| (used.token, used)).collect();
        for new in tokens.iter().filter_map(|token| self.inner.uses.pending(*token)) {
            let old = uses.get(&new.token).map_or(0, |old| old.count);
            uses.insert(new.token, TokenUse { count: old + new.count, ..new });
        }
        Ok(uses)
    }
}

impl Service {
    /// How often tokens were used since a day, counted by right.
    ///
    /// # Errors
    /// Only of the store.
    pub(crate) async fn uses_since(&self, tokens: &[TokenId], day: i64) -> Result<HashMap<TokenId, i64>, Refusal> {
        let _settled = self.inner.uses.moving.read().await;
        let mut sums = HashMap::with_capacity(tokens.len());
        for token in tokens {
            let query = UsageQuery { token: *token, days: (day, i64::MAX), after: None, limit: COUNTED_ROWS };
            let stored = self.store().usage(&query).await.map_err(|e| store_refusal(&e))?;
            let waiting = self.inner.uses.pending_rows(*token).into_iter().filter(|row| row.day >= day);
            sums.insert(*token, stored.into_iter().chain(waiting).map(|row| row.count).sum());
        }
        Ok(sums)
    }
}

/// Rows of the store and of memory as one list, in the order of the store's.
fn merged(stored: Vec<Usage>, waiting: Vec<Usage>, query: &UsageQuery) -> Vec<Usage> {
    let place = |row: &Usage| (row.day, row.what.numbers());
    let after = query.after.map(|(day, what)| (day, what.numbers()));
    let is_wanted =
        |row: &Usage| (query.days.0..=query.days.1).contains(&row.day) && after.is_none_or(|after| place(row) < after);
    let mut rows: BTreeMap<(i64, (i64, i64, i64)), Usage> = BTreeMap::new();
    for new in stored.into_iter().chain(waiting.into_iter().filter(is_wanted)) {
        let row = match rows.remove(&place(&new)) {
            None => new,
            Some(old) => {
                let (first_at, count) = (old.first_at.min(new.first_at), old.count + new.count);
                let last = if new.last_at >= old.last_at { new } else { old };
                Usage { first_at, count, ..last }
            }
        };
        rows.insert(place(&row), row);
    }
    rows.into_values().rev().collect()
}
