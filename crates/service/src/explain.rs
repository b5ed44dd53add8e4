//! Explanations: why something was refused, what it would be now, and what mends it.
//!
//! What a business can't see must stay hidden here too: only the operator sees a refusal about it, and
//! an answer may hold no fact about an asset that is no longer visible to the caller.

mod can;
mod checks;
mod facts;
mod judge;
mod mend;
mod names;
mod page;
mod refusal;
mod see;
mod side;
mod words;

pub use can::{Can, Path};
pub use checks::{CheckRow, Found, Outcome};
pub use facts::Explanation;
pub use judge::Answer;
pub use mend::Mend;
pub use names::{About, Who, WhoSort};
pub use page::{RefusalFilter, RefusalLine, RefusalPage};
pub use refusal::{Explained, UsedToken};
pub use side::Check;
pub use words::Said;
