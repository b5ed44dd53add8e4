//! Writes what was gathered in memory: use counts, what tokens were used for, and refusals. It also removes
//! tickets that ended.
//!
//! Each goes to the store in short transactions, so that no revocation waits long behind them. No
//! answer may depend on this: what can't be written waits, or is lost with a warning.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use valetkey_domain::UnixMs;
use valetkey_store::UsageBounds;
use valetkey_store::telemetry::day_of;

use crate::core::Service;
use crate::journal::{KEEP_MS, KEPT};

const FLUSH_PAUSE: Duration = Duration::from_millis(500);
/// How often the uses by right are written: a tenth as often as the counts, because they are many rows.
const ROWS_PAUSE_MS: UnixMs = 5_000;
/// For how many days uses by right are kept.
const KEEP_DAYS: i64 = 90;
/// For how many rights of one token and day uses are kept apart.
const ROWS_A_DAY: u32 = 1_024;
/// How often old rows are dropped when no new ones come.
const PRUNE_PAUSE_MS: UnixMs = 60 * 60 * 1000;
/// How often tickets that ended are removed, and how many at once.
const TICKETS_PAUSE_MS: UnixMs = 60 * 1000;
const TICKETS_AT_ONCE: usize = 1_000;

/// Writes until `stop` fires, and then a last time.
pub(crate) async fn keep_records(service: &Service, stop: CancellationToken) {
    let mut purged_at = service.now();
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(FLUSH_PAUSE) => {}
        }
        flush(service).await;
        purged_at = purge_tickets(service, purged_at).await;
    }
    flush_all(service).await;
}

/// Writes what waits.
pub(crate) async fn flush(service: &Service) {
    write_uses(service, false).await;
    write_refusals(service).await;
}

/// Writes everything that waits, as at the end of the program.
pub(crate) async fn flush_all(service: &Service) {
    write_uses(service, true).await;
    write_refusals(service).await;
}

/// Writes use counts, and in longer pauses what the tokens were used for.
async fn write_uses(service: &Service, everything: bool) {
    let uses = &service.inner.uses;
    let now = service.now();
    let _moving = uses.moving.write().await;
    let totals = uses.take_totals();
    if !totals.is_empty()
        && let Err(error) = service.store().record_uses(&totals).await
    {
        service.inner.writing.note_full(&error);
        tracing::warn!(%error, count = totals.len(), "use counts could not be written and are lost");
    }
    let beyond = uses.take_beyond();
    if beyond > 0 {
        tracing::warn!(count = beyond, "uses of more tokens at once than are counted separately");
    }
    let is_due = uses.written_until().is_none_or(|at| (now - at).abs() >= ROWS_PAUSE_MS);
    if !everything && !is_due {
        return;
    }
    let rows = uses.take_rows();
    if rows.is_empty() && !uses.wants_pruning(now, PRUNE_PAUSE_MS) {
        uses.wrote(now);
        return;
    }
    let bounds = UsageBounds { rows_a_day: ROWS_A_DAY, first_day: day_of(now) - KEEP_DAYS };
    match service.store().record_usage(&rows, bounds).await {
        Ok(()) => uses.wrote(now),
        Err(error) => {
            service.inner.writing.note_full(&error);
            tracing::warn!(%error, count = rows.len(), "uses by right could not be written and are lost")
        }
    }
}

/// Removes tickets that ended, if it is time; when this was last done with.
async fn purge_tickets(service: &Service, purged_at: UnixMs) -> UnixMs {
    let now = service.now();
    if (now - purged_at).abs() < TICKETS_PAUSE_MS {
        return purged_at;
    }
    match service.store().purge_tickets(now, TICKETS_AT_ONCE).await {
        // There are more; they go next time round.
        Ok(TICKETS_AT_ONCE) => purged_at,
        Ok(_) => now,
        Err(error) => {
            service.inner.writing.note_full(&error);
            tracing::warn!(%error, "tickets that ended could not be removed yet");
            now
        }
    }
}

async fn write_refusals(service: &Service) {
    let journal = &service.inner.journal;
    let now = service.now();
    let writing = journal.begin_writing(now, PRUNE_PAUSE_MS);
    let Some(writing) = writing else { return };
    let written = service.store().record_refusals(&writing.rows, KEPT, now - KEEP_MS).await;
    if let Err(error) = &written {
        service.inner.writing.note_full(error);
        tracing::warn!(%error, "refusals could not be written yet");
    }
    journal.wrote(written.is_ok());
}
