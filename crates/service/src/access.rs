//! Who can do what, and by which path: on one asset, for one user, and as a window of the whole matrix.
//!
//! Each is one step with the right of managing the business; who doesn't manage it sees its own row
//! alone. A partner's users are never named. Nothing here may decide: it shows what decisions rest on.

mod held;
mod matrix;
mod paths;

pub(crate) use held::{Column, assets_of_business};
pub use held::{Entry, Held, Path, UserSort};
pub use matrix::{AccessFilter, AccessPage, Cell, Head, Row, Rows, Window};
pub use paths::{OnAsset, Page, Reached, Whose};
