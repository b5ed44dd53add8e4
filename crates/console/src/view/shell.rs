//! What stands around each page: the frame for who is signed in, and the bare one for who is not.
//! It must never know what the page in it is about.

use super::parts::{Link, Sentence, Tone};

/// The frame around the pages of a signed-in person.
#[derive(Debug, Clone)]
pub struct Shell {
    /// The page's title, without the business's name.
    pub title: String,
    /// Whether the page shows what was wrong with a form; its title then begins with "Error: ".
    pub failed: bool,
    pub business: BusinessHead,
    pub person: PersonFoot,
    /// The navigation, from top to bottom.
    pub nav: Vec<NavGroup>,
    /// What needs a person, above the page.
    pub banners: Vec<Banner>,
    /// What has just been done, shown once.
    pub flash: Option<Flash>,
    /// What stands in the search box.
    pub search: String,
    /// Whether the person is an admin of the business.
    pub admin: bool,
    /// The one-use id of the sign-out form.
    pub sign_out_form: String,
}

/// The business, at the top of the navigation.
#[derive(Debug, Clone)]
pub struct BusinessHead {
    pub id: String,
    pub name: String,
    /// One or two letters.
    pub initials: String,
}

/// The person, at the foot of the navigation.
#[derive(Debug, Clone)]
pub struct PersonFoot {
    pub name: String,
    /// "Admin" or "Employee".
    pub role: String,
    /// One or two letters.
    pub initials: String,
}

/// Entries of the navigation that belong together.
#[derive(Debug, Clone)]
pub struct NavGroup {
    /// "Users", "Accounts"; a group without one is set off by a line.
    pub heading: Option<String>,
    pub entries: Vec<NavEntry>,
}

/// An entry of the navigation.
#[derive(Debug, Clone)]
pub struct NavEntry {
    pub label: String,
    pub href: String,
    /// The name of an icon in `icons.svg`.
    pub icon: &'static str,
    /// How many there are, ready to show.
    pub count: Option<String>,
    /// Whether the page belongs to this entry.
    pub current: bool,
}

/// A line above the page that asks for a person.
#[derive(Debug, Clone)]
pub struct Banner {
    pub tone: Tone,
    pub text: Sentence,
    /// What mends it.
    pub link: Option<Link>,
}

/// What has just been done.
#[derive(Debug, Clone)]
pub struct Flash {
    pub tone: Tone,
    pub text: String,
}

/// The frame around the pages of who has no session, and around failures.
#[derive(Debug, Clone)]
pub struct Bare {
    /// The page's title.
    pub title: String,
    /// Whether the page shows what was wrong with a form.
    pub failed: bool,
    /// Where "back" leads: the console's first page when there is a session, else the sign-in page.
    pub home: String,
    /// Whether there is a session; the words of the link above follow it.
    pub signed_in: bool,
}
