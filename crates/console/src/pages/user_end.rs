//! Switching a system user off and on, and deleting it: first what stops, then the button.

use valetkey_domain::Status;
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::rules::system_user::SystemUserEdit;
use valetkey_http::Reply;
use valetkey_service::preview::{Act, Preview};

use super::system_user::HERE;
use super::user::{head, of_path};
use crate::failure::Failure;
use crate::view::parts::{Form, Piece, Sentence};
use crate::view::system_user::{DeletePage, StatusPage};
use crate::visit::{Visit, again, page};
use crate::web::reply;
use crate::{forms, names, shell, stops};

/// Deactivate, or switch on again.
///
/// # Errors
/// The refusal.
pub async fn status(visit: Visit) -> Result<Reply, Failure> {
    let user = of_path(&visit)?;
    page(&status_view(&visit, &user, visit.new_form()).await?)
}

/// Does it.
///
/// # Errors
/// The refusal.
pub async fn set_status(visit: Visit) -> Result<Reply, Failure> {
    let user = of_path(&visit)?;
    if visit.is_resumed() {
        return page(&status_view(&visit, &user, visit.new_form()).await?);
    }
    let back = names::system_user_href(user.id);
    let (status, done) = if visit.form.text("status") == Some("ACTIVE") {
        visit.once(&back).await?;
        (Status::Active, "activated")
    } else {
        visit.once_to_end(&back).await?;
        (Status::Deactivated, "deactivated")
    };
    let edit = SystemUserEdit { status: Some(status), ..SystemUserEdit::default() };
    match visit.service.update_system_user(&visit.call, user.id, edit).await {
        Ok(_) => Ok(reply::see_other(&format!("{back}?done={done}"))),
        Err(refusal) => {
            let errors = forms::errors(refusal)?;
            again(&status_view(&visit, &user, Form { errors, ..visit.new_form() }).await?)
        }
    }
}

async fn status_view(visit: &Visit, user: &SystemUser, form: Form) -> Result<StatusPage, Failure> {
    let now = visit.now();
    let is_active = user.status == Status::Active;
    let (changes, lately) = if is_active {
        let edit = SystemUserEdit { status: Some(Status::Deactivated), ..SystemUserEdit::default() };
        let preview = visit.service.preview(&visit.call, Act::UpdateSystemUser { user: user.id, edit }).await?;
        (stops::sentences(&preview, now), stops::lately(&preview, now))
    } else {
        (vec![said("Its live tokens and its assignments work again at once.")], Vec::new())
    };
    Ok(StatusPage {
        shell: shell::of(visit, if is_active { "Deactivate" } else { "Switch on" }, HERE),
        form,
        user: head(user),
        changes: or_nothing(changes),
        stays: vec![said("Its tokens, assignments and apps stay as they are.")],
        lately,
    })
}

/// Delete.
///
/// # Errors
/// The refusal.
pub async fn delete(visit: Visit) -> Result<Reply, Failure> {
    let user = of_path(&visit)?;
    page(&delete_view(&visit, &user, visit.new_form()).await?)
}

/// Deletes it.
///
/// # Errors
/// The refusal.
pub async fn do_delete(visit: Visit) -> Result<Reply, Failure> {
    let user = of_path(&visit)?;
    if visit.is_resumed() {
        return page(&delete_view(&visit, &user, visit.new_form()).await?);
    }
    visit.once_to_end(HERE).await?;
    match visit.service.delete_system_user(&visit.call, user.id).await {
        Ok(_) => Ok(reply::see_other(&format!("{HERE}?done=deleted"))),
        Err(refusal) => {
            let errors = forms::errors(refusal)?;
            again(&delete_view(&visit, &user, Form { errors, ..visit.new_form() }).await?)
        }
    }
}

async fn delete_view(visit: &Visit, user: &SystemUser, form: Form) -> Result<DeletePage, Failure> {
    let now = visit.now();
    let preview: Preview = visit.service.preview(&visit.call, Act::DeleteSystemUser { user: user.id }).await?;
    Ok(DeletePage {
        shell: shell::of(visit, "Delete", HERE),
        form,
        user: head(user),
        live: preview.tokens.total,
        stops: or_nothing(stops::sentences(&preview, now)),
        stays: vec![said("What it published stays, with its name in the activity.")],
        lately: stops::lately(&preview, now),
    })
}

fn said(text: &str) -> Sentence {
    vec![Piece::plain(text)]
}

fn or_nothing(sentences: Vec<Sentence>) -> Vec<Sentence> {
    if sentences.is_empty() { vec![said("Nothing that works now stops.")] } else { sentences }
}
