//! Compares content with the newest lines about it, part by part, so that memory stays bounded.

use valetkey_domain::ContentId;
use valetkey_store::{Content, StoreError};

use super::check::{Check, ENTRIES_AT_ONCE};
use super::newest::{Newest, suspects, take_through};
use super::report::Progress;
use super::window::Window;

/// How many rows are read at once; a row has at most some tens of kilobytes.
const ROWS_AT_ONCE: usize = 100;

impl Check<'_> {
    pub(super) async fn compare_content(&mut self) -> Result<(), StoreError> {
        loop {
            while self.compare_page().await? {}
            let Some(through) = self.window.through.filter(|_| self.report.chain.is_none()) else {
                return Ok(());
            };
            self.window = Window::behind(Some(through), self.content_at_once);
            self.read_again().await?;
        }
    }

    /// Reads the lines of the next part of the content. The chain was checked before.
    async fn read_again(&mut self) -> Result<(), StoreError> {
        let end = self.verifier.last().map_or(0, |(revision, _)| revision);
        let mut after = 0;
        while after < end {
            let entries = self.store.tail(after, ENTRIES_AT_ONCE).await?;
            let Some(last) = entries.last() else { return Ok(()) };
            after = last.revision;
            self.rest().await;
            for entry in entries.into_iter().filter(|e| e.revision <= end && e.body.is_some()) {
                let payload = entry.payload().map_err(StoreError::Corrupt)?;
                for line in payload.content {
                    self.window.put(Newest { revision: entry.revision, salt: entry.salt.clone(), line });
                }
            }
        }
        Ok(())
    }

    /// Compares the next rows with their lines. Says whether more may follow in this part.
    async fn compare_page(&mut self) -> Result<bool, StoreError> {
        let (mut rows, end) = self.next_rows().await?;
        let through = self.window.through;
        let end = match (end, through) {
            (Some(end), Some(through)) => Some(end.min(through)),
            (end, through) => end.or(through),
        };
        rows.retain(|row| end.is_none_or(|end| row.id <= end));
        let lines = take_through(&mut self.window.lines, end);
        self.window.behind = end.or(Some(ContentId::MAX));
        let count = rows.len() as u64;
        let suspects = suspects(rows, lines, |_| false);
        if let Some(compared) = &mut self.report.compared {
            compared.content += count;
            (self.progress)(Progress::Content(compared.content));
        }
        self.settle(suspects).await?;
        self.rest().await;
        Ok(end != through && self.report.chain.is_none())
    }

    /// The next rows in the order of ids, and the id up to which they are complete; `None` if no more
    /// follow.
    async fn next_rows(&mut self) -> Result<(Vec<Content>, Option<ContentId>), StoreError> {
        let rows = self.store.contents_after(self.window.behind, ROWS_AT_ONCE).await?;
        let end = rows.last().filter(|_| rows.len() == ROWS_AT_ONCE).map(|row| row.id);
        Ok((rows, end))
    }
}
