//! The part of the content that is compared now, and the newest lines about it.

use valetkey_domain::ContentId;
use valetkey_domain::id::of;
use valetkey_store::Content;
use valetkey_store::payload::{ContentLine, Did};

use super::newest::{Line, Lines, Newest, News};

impl Line for ContentLine {
    type Row = Content;
    type Of = of::Content;
    const NOUN: &'static str = "content";

    fn id(&self) -> ContentId {
        self.id
    }

    fn is_removal(&self) -> bool {
        match self.did {
            Did::Insert | Did::Update => false,
            Did::Delete => true,
        }
    }

    fn left(newest: &Newest<ContentLine>, row: &Content) -> bool {
        newest.line.left(&newest.salt, row)
    }

    fn row_id(row: &Content) -> ContentId {
        row.id
    }

    fn among(news: &News) -> &[Newest<ContentLine>] {
        &news.content
    }
}

/// The part of the content that is compared now, in the order of ids.
#[derive(Debug)]
pub(super) struct Window {
    pub behind: Option<ContentId>,
    /// `None`: up to the end.
    pub through: Option<ContentId>,
    pub lines: Lines<ContentLine>,
    limit: usize,
}

impl Window {
    pub(super) fn behind(behind: Option<ContentId>, limit: usize) -> Window {
        Window { behind, through: None, lines: Lines::new(), limit }
    }

    pub(super) fn put(&mut self, newest: Newest<ContentLine>) {
        let id = newest.line.id;
        if self.behind.is_some_and(|behind| id <= behind) || self.through.is_some_and(|through| id > through) {
            return;
        }
        if newest.line.is_removal() {
            self.lines.remove(&id);
            return;
        }
        self.lines.insert(id, newest);
        // The line with the largest id waits for the next part.
        if self.lines.len() > self.limit {
            self.lines.pop_last();
            self.through = self.lines.last_key_value().map(|(id, _)| *id);
        }
    }
}
