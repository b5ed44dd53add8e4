//! The activity of a business: its ledger as a timeline for people, in sentences with names.
//!
//! Everything here only reads, under the right to manage the business. It shows names and values from
//! the ledger and the index, and never a secret or a digest of one.

mod compose;
mod csv;
mod export;
mod fields;
mod filter;
mod line;
mod names;
mod phrase;
mod read;
mod scene;
mod words;

pub use export::{ActivityExport, ExportFormat};
pub use filter::{ActivityActor, ActivityFilter, ActivityGroup};
pub use line::{
    ActivityBy, ActivityChanges, ActivityDetail, ActivityLine, ContentChange, FieldChange, JobChange, RecordChange,
};
pub use phrase::{Named, Phrase, Piece, Sort};
pub use read::{Activity, LookedBack};
