//! Changes to a person that give or take rights: its role, its status, its removal. First what follows,
//! then the button. The last ADMIN of a business stays.

use valetkey_domain::noun::person::Person;
use valetkey_domain::rules::person::PersonEdit;
use valetkey_domain::{Role, Status};
use valetkey_http::Reply;
use valetkey_service::preview::{Act, Preview};

use super::person::{HERE, head, of_path};
use crate::failure::Failure;
use crate::view::parts::{Form, Kept, Piece, Sentence};
use crate::view::person::ChangePage;
use crate::visit::{Visit, again, page};
use crate::web::reply;
use crate::{forms, names, shell, stops};

/// What a form asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Role(Role),
    Status(Status),
}

impl Wanted {
    fn edit(self) -> PersonEdit {
        match self {
            Wanted::Role(role) => PersonEdit { role: Some(role), ..PersonEdit::default() },
            Wanted::Status(status) => PersonEdit { status: Some(status), ..PersonEdit::default() },
        }
    }

    /// Whether the person is so already.
    fn holds(self, person: &Person) -> bool {
        match self {
            Wanted::Role(role) => person.role == role,
            Wanted::Status(status) => person.status == status,
        }
    }

    /// The word of the sentence that says what was done.
    fn done(self) -> &'static str {
        match self {
            Wanted::Role(Role::Admin) => "made-admin",
            Wanted::Role(Role::Employee) => "made-employee",
            Wanted::Status(Status::Active) => "person-activated",
            Wanted::Status(Status::Deactivated) => "person-deactivated",
            Wanted::Status(Status::Deleted) => "person-removed",
        }
    }

    /// Where the form goes, below the person's page.
    fn path(self) -> &'static str {
        match self {
            Wanted::Role(_) => "role",
            Wanted::Status(Status::Active | Status::Deactivated) => "status",
            Wanted::Status(Status::Deleted) => "remove",
        }
    }
}

/// The other role, and what it means.
///
/// # Errors
/// The refusal.
pub async fn role(visit: Visit) -> Result<Reply, Failure> {
    let person = of_path(&visit)?;
    page(&view(&visit, &person, other_role(&person), visit.new_form()).await?)
}

/// Changes the role.
///
/// # Errors
/// The refusal.
pub async fn set_role(visit: Visit) -> Result<Reply, Failure> {
    let person = of_path(&visit)?;
    let sent = visit.form.text("role").and_then(Role::parse);
    let wanted = sent.map_or_else(|| other_role(&person), Wanted::Role);
    save(&visit, &person, wanted).await
}

fn other_role(person: &Person) -> Wanted {
    Wanted::Role(match person.role {
        Role::Admin => Role::Employee,
        Role::Employee => Role::Admin,
    })
}

/// Deactivate, or switch on again.
///
/// # Errors
/// The refusal.
pub async fn status(visit: Visit) -> Result<Reply, Failure> {
    let person = of_path(&visit)?;
    page(&view(&visit, &person, other_status(&person), visit.new_form()).await?)
}

/// Does it.
///
/// # Errors
/// The refusal.
pub async fn set_status(visit: Visit) -> Result<Reply, Failure> {
    let person = of_path(&visit)?;
    let wanted = match visit.form.text("status") {
        Some("ACTIVE") => Wanted::Status(Status::Active),
        Some("DEACTIVATED") => Wanted::Status(Status::Deactivated),
        Some(_) | None => other_status(&person),
    };
    save(&visit, &person, wanted).await
}

fn other_status(person: &Person) -> Wanted {
    Wanted::Status(match person.status {
        Status::Active => Status::Deactivated,
        Status::Deactivated | Status::Deleted => Status::Active,
    })
}

/// Remove from the business.
///
/// # Errors
/// The refusal.
pub async fn remove(visit: Visit) -> Result<Reply, Failure> {
    let person = of_path(&visit)?;
    page(&view(&visit, &person, Wanted::Status(Status::Deleted), visit.new_form()).await?)
}

/// Removes.
///
/// # Errors
/// The refusal.
pub async fn do_remove(visit: Visit) -> Result<Reply, Failure> {
    let person = of_path(&visit)?;
    save(&visit, &person, Wanted::Status(Status::Deleted)).await
}

async fn save(visit: &Visit, person: &Person, wanted: Wanted) -> Result<Reply, Failure> {
    if visit.is_resumed() {
        return page(&view(visit, person, wanted, visit.new_form()).await?);
    }
    let back = match wanted {
        Wanted::Status(Status::Deleted) => HERE.to_owned(),
        Wanted::Role(_) | Wanted::Status(Status::Active | Status::Deactivated) => names::person_href(person.id),
    };
    match wanted {
        Wanted::Status(Status::Deactivated | Status::Deleted) => visit.once_to_end(&back).await?,
        Wanted::Role(_) | Wanted::Status(Status::Active) => visit.once(&back).await?,
    }
    match visit.service.update_person(&visit.call, person.id, wanted.edit()).await {
        Ok(_) => Ok(reply::see_other(&format!("{back}?done={}", wanted.done()))),
        Err(refusal) => {
            let errors = forms::errors(refusal)?;
            again(&view(visit, person, wanted, Form { errors, ..visit.new_form() }).await?)
        }
    }
}

/// What the change would take away, or why the rules refuse it.
async fn foresee(visit: &Visit, person: &Person, wanted: Wanted) -> Result<(Preview, Option<String>), Failure> {
    let act = Act::UpdatePerson { person: person.id, edit: wanted.edit() };
    match visit.service.preview(&visit.call, act).await {
        Ok(preview) => Ok((preview, None)),
        Err(refusal) => {
            let why = forms::errors(refusal)?.into_iter().next().map(|error| error.text);
            Ok((Preview::default(), why))
        }
    }
}

/// The words of one change.
struct Texts {
    crumb: &'static str,
    before: &'static str,
    after: &'static str,
    lede: &'static str,
    follows_title: &'static str,
    /// What follows, beside what the preview lists.
    follows: &'static [&'static str],
    stays: &'static [&'static str],
    /// What stands after the name on the button.
    tail: &'static str,
    danger: bool,
}

async fn view(visit: &Visit, person: &Person, wanted: Wanted, form: Form) -> Result<ChangePage, Failure> {
    let words = texts_of(wanted);
    let (preview, blocked) = foresee(visit, person, wanted).await?;
    // What is so already is no mistake: the page still says what the button would do.
    let holds = wanted.holds(person).then(|| "It is so already. Nothing would change.".to_owned());
    let mut follows: Vec<Sentence> = words.follows.iter().copied().map(said).collect();
    follows.extend(stops::sentences(&preview, visit.now()));
    let title = words.crumb;
    let kept = |name: &str, value: &str| vec![Kept { name: name.to_owned(), value: value.to_owned() }];
    Ok(ChangePage {
        shell: shell::of_form(visit, title, HERE, &form),
        form,
        person: head(person),
        crumb: words.crumb.to_owned(),
        before: words.before.to_owned(),
        after: words.after.to_owned(),
        lede: words.lede.to_owned(),
        warning: warning(visit, person, wanted).map(str::to_owned),
        blocked: holds.or(blocked),
        follows_title: words.follows_title.to_owned(),
        follows: if follows.is_empty() { vec![said("Nothing that works now stops.")] } else { follows },
        stays: words.stays.iter().copied().map(said).collect(),
        action: format!("{}/{}", names::person_href(person.id), wanted.path()),
        kept: match wanted {
            Wanted::Role(role) => kept("role", role.as_str()),
            Wanted::Status(Status::Deleted) => Vec::new(),
            Wanted::Status(status) => kept("status", status.as_str()),
        },
        tail: words.tail.to_owned(),
        danger: words.danger,
    })
}

fn said(text: &str) -> Sentence {
    vec![Piece::plain(text)]
}

/// What whoever presses the button should think of.
fn warning(visit: &Visit, person: &Person, wanted: Wanted) -> Option<&'static str> {
    let own = person.id == visit.who.person;
    match wanted {
        Wanted::Role(Role::Admin) => Some(
            "An admin can take the business over: add other admins, remove you, and get tokens for everything. \
             Choose it only for somebody who looks after the business.",
        ),
        Wanted::Role(Role::Employee) if own => {
            Some("This is you. From then on you see only what is assigned to you, and another admin must undo it.")
        }
        Wanted::Status(Status::Deactivated) if own => {
            Some("This is you. You are signed out at once, and another admin must switch you on again.")
        }
        Wanted::Status(Status::Deleted) if own => Some("This is you. You are signed out at once, and can't undo it."),
        Wanted::Role(Role::Employee) | Wanted::Status(Status::Active | Status::Deactivated | Status::Deleted) => None,
    }
}

fn texts_of(wanted: Wanted) -> Texts {
    match wanted {
        Wanted::Role(role) => role_texts(role),
        Wanted::Status(status) => status_texts(status),
    }
}

fn role_texts(role: Role) -> Texts {
    match role {
        Role::Admin => Texts {
            crumb: "Make admin",
            before: "Make ",
            after: " an admin?",
            lede: "An admin manages the business. The change holds at once, in every session.",
            follows_title: "What this opens",
            follows: &[
                "They reach every asset of the business, now and later, with every task.",
                "They add and remove people and system users, and share assets with partners.",
                "They generate and revoke every token of the business.",
            ],
            stays: &["What is assigned by name stays, and counts again if the role is taken away."],
            tail: " an admin",
            danger: false,
        },
        Role::Employee => Texts {
            crumb: "Make employee",
            before: "Make ",
            after: " an employee?",
            lede: "An employee reaches only what is assigned by name. The change holds at once, in every session.",
            follows_title: "What stops at once",
            follows: &["They no longer manage the business: no people, tokens, partners, apps or settings."],
            stays: &[
                "What is assigned by name stays.",
                "Tokens that they generated for system users go on: those belong to the business.",
            ],
            tail: " an employee",
            danger: true,
        },
    }
}

fn status_texts(status: Status) -> Texts {
    match status {
        Status::Active => Texts {
            crumb: "Switch on",
            before: "Switch ",
            after: " on again?",
            lede: "Signing in works again from the moment you press the button.",
            follows_title: "What works again",
            follows: &[
                "Their role and their assignments, as they were.",
                "Their sessions and tokens that have not ended.",
            ],
            stays: &[],
            tail: " on",
            danger: false,
        },
        Status::Deactivated => Texts {
            crumb: "Deactivate",
            before: "Deactivate ",
            after: "?",
            lede: "Sessions stop, and signing in is refused, from the moment you press the button. You can undo it.",
            follows_title: "What stops at once",
            follows: &[],
            stays: &[
                "Their role, their assignments and their passkeys stay as they are.",
                "Tokens that they generated for system users go on: those belong to the business.",
            ],
            tail: "",
            danger: true,
        },
        Status::Deleted => Texts {
            crumb: "Remove",
            before: "Remove ",
            after: " from the business?",
            lede: "This can't be undone. To stop somebody for a while, deactivate them instead.",
            follows_title: "What stops at once",
            follows: &["They can't sign in to this business any more, and their assignments go."],
            stays: &[
                "What they did stays in the activity, under their name.",
                "Tokens that they generated for system users go on: those belong to the business.",
            ],
            tail: " from the business",
            danger: true,
        },
    }
}
