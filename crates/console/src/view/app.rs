//! Apps: the first one is made on the way to the first system user.
//! The secret of an app is shown once, in the answer to the form that made it.

use super::parts::Form;
use super::shell::Shell;

/// A new app.
#[derive(Debug, askama::Template)]
#[template(path = "app_new.html")]
pub struct NewAppPage {
    pub shell: Shell,
    pub form: Form,
    /// What was typed as `name`.
    pub name: String,
    /// Where to go afterwards; sent as `return_to`.
    pub return_to: Option<String>,
}

/// The app exists: its id, and its secret this once.
#[derive(askama::Template)]
#[template(path = "app_created.html")]
pub struct AppCreatedPage {
    pub shell: Shell,
    pub id: String,
    pub name: String,
    /// The app's page.
    pub href: String,
    /// Shown once. It is left out of `Debug`.
    pub secret: String,
    /// Where the way leads on: "Add system user" if `adding`, else the app's page.
    pub onward: String,
    /// Whether the person came from the empty page of system users.
    pub adding: bool,
}

impl std::fmt::Debug for AppCreatedPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppCreatedPage").field("id", &self.id).finish_non_exhaustive()
    }
}
