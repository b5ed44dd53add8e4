//! A new name for an app, connecting and disconnecting it, and its end. What takes something away is
//! shown before.

use valetkey_domain::rules::app::AppEdit;
use valetkey_http::Reply;
use valetkey_service::preview::Act;

use super::app::{HERE, of_path};
use super::stale;
use crate::failure::Failure;
use crate::view::apps::AppHead;
use crate::view::asset::RenamePage;
use crate::view::confirm::ConfirmPage;
use crate::view::parts::{Form, Kept, Link, Piece, Sentence};
use crate::visit::{Visit, again, page};
use crate::web::reply;
use crate::{forms, shell, stops};

/// The form for a new name.
///
/// # Errors
/// The refusal.
pub async fn rename(visit: Visit) -> Result<Reply, Failure> {
    let (_, head) = of_path(&visit)?;
    page(&rename_view(&visit, head, visit.new_form()))
}

/// Renames it, unless somebody else did meanwhile.
///
/// # Errors
/// The refusal.
pub async fn do_rename(visit: Visit) -> Result<Reply, Failure> {
    let (app, head) = of_path(&visit)?;
    if visit.is_resumed() {
        return page(&rename_view(&visit, head, visit.new_form()));
    }
    visit.once(&head.href).await?;
    if let Some(page) = stale::name(&visit, HERE, &head.name, &head.href) {
        return page;
    }
    let done = match forms::name(&visit.form, "name") {
        Ok(name) => {
            let edit = AppEdit { name: Some(name), ..AppEdit::default() };
            visit.service.update_app(&visit.call, app.id, edit).await.map(drop)
        }
        Err(refusal) => Err(refusal),
    };
    match done {
        Ok(()) => Ok(reply::see_other(&format!("{}?done=renamed", head.href))),
        Err(refusal) => {
            let errors = forms::errors(refusal)?;
            again(&rename_view(&visit, head, Form { errors, ..visit.new_form() }))
        }
    }
}

fn rename_view(visit: &Visit, app: AppHead, form: Form) -> RenamePage {
    let typed = visit.form.raw("name").map(str::to_owned);
    RenamePage {
        shell: shell::of_form(visit, "Rename", HERE, &form),
        form,
        list: Link::new("Apps", HERE),
        action: format!("{}/rename", app.href),
        subject: Link::new(app.name.clone(), app.href),
        name: typed.unwrap_or_else(|| app.name.clone()),
        kept: vec![Kept { name: "was".to_owned(), value: app.name }],
    }
}

/// Connects it again.
///
/// # Errors
/// The refusal.
pub async fn connect(visit: Visit) -> Result<Reply, Failure> {
    let (app, head) = of_path(&visit)?;
    if visit.is_resumed() {
        return Ok(reply::see_other(&head.href));
    }
    visit.once(&head.href).await?;
    visit.service.connect_app(&visit.call, visit.who.business, app.id).await?;
    Ok(reply::see_other(&format!("{}?done=app-connected", head.href)))
}

/// What would stop if it were disconnected.
///
/// # Errors
/// The refusal.
pub async fn disconnect(visit: Visit) -> Result<Reply, Failure> {
    let (app, head) = of_path(&visit)?;
    if !head.connected {
        return Ok(reply::see_other(&head.href));
    }
    let act = Act::DisconnectApp { business: visit.who.business, app: app.id };
    page(&confirm(&visit, head, End::Disconnect, act, visit.new_form()).await?)
}

/// Disconnects it.
///
/// # Errors
/// The refusal.
pub async fn do_disconnect(visit: Visit) -> Result<Reply, Failure> {
    let (app, head) = of_path(&visit)?;
    let act = Act::DisconnectApp { business: visit.who.business, app: app.id };
    if visit.is_resumed() {
        return page(&confirm(&visit, head, End::Disconnect, act, visit.new_form()).await?);
    }
    visit.once_to_end(&head.href).await?;
    match visit.service.disconnect_app(&visit.call, visit.who.business, app.id).await {
        Ok(_) => Ok(reply::see_other(&format!("{}?done=app-disconnected", head.href))),
        Err(refusal) => {
            let errors = forms::errors(refusal)?;
            again(&confirm(&visit, head, End::Disconnect, act, Form { errors, ..visit.new_form() }).await?)
        }
    }
}

/// What would end with it.
///
/// # Errors
/// The refusal.
pub async fn delete(visit: Visit) -> Result<Reply, Failure> {
    let (app, head) = of_path(&visit)?;
    page(&confirm(&visit, head, End::Delete, Act::DeleteApp { app: app.id }, visit.new_form()).await?)
}

/// Deletes it.
///
/// # Errors
/// The refusal.
pub async fn do_delete(visit: Visit) -> Result<Reply, Failure> {
    let (app, head) = of_path(&visit)?;
    let act = Act::DeleteApp { app: app.id };
    if visit.is_resumed() {
        return page(&confirm(&visit, head, End::Delete, act, visit.new_form()).await?);
    }
    visit.once_to_end(HERE).await?;
    match visit.service.delete_app(&visit.call, app.id).await {
        Ok(_) => Ok(reply::see_other(&format!("{HERE}?done=app-deleted"))),
        Err(refusal) => {
            let errors = forms::errors(refusal)?;
            again(&confirm(&visit, head, End::Delete, act, Form { errors, ..visit.new_form() }).await?)
        }
    }
}

/// Which end it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Disconnect,
    Delete,
}

async fn confirm(visit: &Visit, app: AppHead, end: End, act: Act, form: Form) -> Result<ConfirmPage, Failure> {
    let now = visit.now();
    let preview = visit.service.preview(&visit.call, act).await?;
    let (verb, path, lede, button, keep) = match end {
        End::Disconnect => (
            "Disconnect",
            "disconnect",
            "Its tokens stop at once, and for good: connecting it again brings none of them back.",
            "Disconnect this app",
            "Keep it connected",
        ),
        End::Delete => (
            "Delete",
            "delete",
            "It can't be undone, and the ID is never used again. To stop it for a while, disconnect it instead.",
            "Delete this app",
            "Keep it",
        ),
    };
    let said = |text: &str| -> Sentence { vec![Piece::plain(text)] };
    Ok(ConfirmPage {
        shell: shell::of_form(visit, verb, HERE, &form),
        form,
        list: Link::new("Apps", HERE),
        here: verb.to_owned(),
        verb: verb.to_owned(),
        lede: lede.to_owned(),
        stops: stops::sentences(&preview, now),
        lately: stops::lately(&preview, now),
        stays: match end {
            End::Disconnect => vec![
                said("System users and their assignments stay, and so do the installations."),
                said("Without any connected app there are no new system users and no new tokens."),
            ],
            End::Delete => vec![
                said("System users and their assignments stay."),
                said("What was done through it stays in the activity, with its name."),
            ],
        },
        action: format!("{}/{path}", app.href),
        kept: Vec::new(),
        button: button.to_owned(),
        danger: true,
        keep: keep.to_owned(),
        subject: Link::new(app.name, app.href),
    })
}
