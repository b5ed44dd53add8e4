//! People: the list, a new one, the link that lets one in, one of them, and changes to one.

use super::parts::{Badge, Form, Kept, Link, Pager, Sentence, Tab, Time, UserHead};
use super::security::SessionRow;
use super::shell::Shell;
use super::system_user::AssetRow;

/// All people of the business.
#[derive(Debug, askama::Template)]
#[template(path = "people.html")]
pub struct ListPage {
    pub shell: Shell,
    /// The filter as typed.
    pub query: String,
    /// The word of the chosen tab, kept while the list is filtered; empty for all.
    pub show: String,
    /// "All", "Admins", "Deactivated".
    pub tabs: Vec<Tab>,
    pub rows: Vec<PersonRow>,
    /// How many there are in all, whatever the filter says.
    pub total: String,
    /// Only one admin can sign in: if they lose their sign-in, nobody in the business can help.
    pub one_admin: bool,
    pub pager: Option<Pager>,
}

/// A person in the list.
#[derive(Debug, Clone)]
pub struct PersonRow {
    pub name: String,
    pub href: String,
    /// Whether it is whoever looks.
    pub you: bool,
    /// "Deactivated".
    pub badge: Option<Badge>,
    pub email: String,
    /// "Employee" or "Admin".
    pub role: String,
    /// "Passkey", "Password and code", "Link only".
    pub signs_in: String,
    pub last_sign_in: Option<Time>,
}

/// A new person.
#[derive(Debug, askama::Template)]
#[template(path = "people_new.html")]
pub struct NewPage {
    pub shell: Shell,
    pub form: Form,
    /// What was typed as `name`.
    pub name: String,
    /// What was typed as `email`.
    pub email: String,
    /// Whether ADMIN is chosen; EMPLOYEE is the default. Sent as `role`.
    pub admin: bool,
}

/// The link that lets a person in, this once. The page is the answer to the form and is never shown again.
#[derive(askama::Template)]
#[template(path = "person_link.html")]
pub struct LinkPage {
    pub shell: Shell,
    pub person: UserHead,
    pub email: String,
    /// The address with its code. It is left out of `Debug`.
    pub link: String,
    pub ends: Time,
    /// Whether the person was added just now.
    pub added: bool,
}

impl std::fmt::Debug for LinkPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinkPage").field("person", &self.person).finish_non_exhaustive()
    }
}

/// One person.
#[derive(Debug, askama::Template)]
#[template(path = "person.html")]
pub struct PersonPage {
    pub shell: Shell,
    /// For its forms.
    pub form: Form,
    pub person: UserHead,
    /// Whether it is whoever looks.
    pub you: bool,
    pub email: String,
    /// What its role means, without a full stop.
    pub role_sentence: String,
    pub signs_in: String,
    pub last_sign_in: Option<Time>,
    pub created: Time,
    /// Whether the viewer may change it; without that no act is offered but those on oneself.
    pub manage: bool,
    pub assets: Vec<AssetRow>,
    /// How many assets are assigned in all, ready to show.
    pub asset_count: String,
    /// All assignments, when the list was cut.
    pub more_assets: Option<Link>,
    pub sessions: Vec<SessionRow>,
    /// Tokens for the command line.
    pub tokens: Vec<SessionRow>,
    /// How many live sessions and tokens there are.
    pub live: usize,
    /// Whether an admin may make a sign-in link for it.
    pub can_link: bool,
}

/// A new name for a person.
#[derive(Debug, askama::Template)]
#[template(path = "person_name.html")]
pub struct RenamePage {
    pub shell: Shell,
    pub form: Form,
    pub person: UserHead,
    /// What was typed as `name`.
    pub name: String,
    /// The name that the form was opened with; sent as `was`.
    pub was: String,
    pub you: bool,
}

/// A change of role or status, or the removal: what follows, and the button.
#[derive(Debug, askama::Template)]
#[template(path = "person_change.html")]
pub struct ChangePage {
    pub shell: Shell,
    pub form: Form,
    pub person: UserHead,
    /// "Remove", in the way back.
    pub crumb: String,
    /// The heading before and after the name: "Remove ", "?".
    pub before: String,
    pub after: String,
    pub lede: String,
    /// What whoever presses the button should think of.
    pub warning: Option<String>,
    /// Why it can't be done; there is no button then.
    pub blocked: Option<String>,
    /// "What stops at once" or "What this opens".
    pub follows_title: String,
    pub follows: Vec<Sentence>,
    pub stays: Vec<Sentence>,
    /// Where the form goes.
    pub action: String,
    /// What it says, hidden.
    pub kept: Vec<Kept>,
    /// What the button says after the name, where the heading has a question mark.
    pub tail: String,
    /// Whether it takes something away.
    pub danger: bool,
}
