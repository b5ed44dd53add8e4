//! Whom assets are assigned to: a system user or a person.

use valetkey_domain::UserId;

use crate::view::parts::UserHead;

/// The user of the form.
#[derive(Debug, Clone)]
pub struct Subject {
    pub id: UserId,
    pub head: UserHead,
    /// The entry of the navigation.
    pub here: &'static str,
}
