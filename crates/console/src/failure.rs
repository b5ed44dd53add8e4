//! Why a request got no page of its own. Each becomes a page that says what is wrong, what is
//! unchanged, and what to do next.

use valetkey_domain::Refusal;

/// What went wrong.
#[derive(Debug)]
pub enum Failure {
    /// The service refused.
    Refused(Box<Refusal>),
    /// The page is for admins of the business.
    AdminsOnly,
    /// An unsafe request did not come from a page of this console.
    Foreign,
    /// There is no such page.
    NotFound,
    /// The form was sent before; the path leads to what it made.
    Replayed { back: String },
    /// The method is not offered at this path.
    Method,
    /// A page could not be written.
    Fault(String),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        Failure::Refused(Box::new(refusal))
    }
}

impl From<askama::Error> for Failure {
    fn from(error: askama::Error) -> Failure {
        Failure::Fault(error.to_string())
    }
}
