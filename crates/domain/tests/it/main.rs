//! The rules of the nouns, as tables: `rules/*.txt` for what happens, `narrows.txt` for what takes
//! something away.

// The lints' leave for tests covers test functions, not the helpers that they share.
#![allow(clippy::unwrap_used, clippy::panic, clippy::result_large_err)]

mod ids;
mod narrows;
mod rules;
mod script;
mod terms;
mod words;
