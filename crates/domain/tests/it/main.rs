//! The rules of the nouns, as tables: `rules/*.txt` for what happens, `narrows.txt` for what takes
//! something away.

mod ids;
mod narrows;
mod rules;
mod script;
