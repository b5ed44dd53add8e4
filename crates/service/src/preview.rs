//! Previews: what an act would take away, planned on the newest state and never written.
//!
//! The right is that of the act itself, and the rule is the act's own, so a preview is refused as the act
//! would be. Nothing of another business is named but a partner as a whole. No lock is held for longer
//! than a rule or a few hundred rows take.

mod act;
mod count;
mod found;
mod touched;

pub use act::Act;
pub use found::{
    EndedAssignment, EndedShare, LISTED_LIMIT, LostByPartner, LostReach, NarrowedToken, Part, Preview, StoppedToken,
};
