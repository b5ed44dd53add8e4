//! A new name for an asset, its end, and the way to give somebody access to it.

use valetkey_domain::noun::asset::Asset;
use valetkey_http::Reply;
use valetkey_service::preview::Act;

use super::asset_page::{of_path, renaming};
use super::kinds::Kind;
use super::{creator, stale};
use crate::failure::Failure;
use crate::view::asset::RenamePage;
use crate::view::confirm::ConfirmPage;
use crate::view::parts::{Form, Kept, Link, Piece};
use crate::visit::{Visit, again, page};
use crate::web::reply;
use crate::{forms, names, shell, stops};

/// The form for a new name.
///
/// # Errors
/// `NotFound`, or the refusal.
pub async fn rename(visit: Visit) -> Result<Reply, Failure> {
    let (asset, kind) = of_path(&visit)?;
    visit.service.ask(&visit.call, renaming(asset.id, kind.kind))?;
    page(&rename_view(&visit, &asset, &kind, visit.new_form()))
}

/// Renames it, unless somebody else did meanwhile.
///
/// # Errors
/// The refusal.
pub async fn do_rename(visit: Visit) -> Result<Reply, Failure> {
    let (asset, kind) = of_path(&visit)?;
    if visit.is_resumed() {
        return page(&rename_view(&visit, &asset, &kind, visit.new_form()));
    }
    let back = names::asset_href(asset.id);
    visit.once(&back).await?;
    if let Some(page) = stale::name(&visit, &kind.href(), asset.name.as_str(), &back) {
        return page;
    }
    let question = renaming(asset.id, kind.kind);
    let done = match forms::name(&visit.form, "name") {
        Ok(name) => visit.service.rename_asset(&visit.call, question, asset.id, name).await.map(drop),
        Err(refusal) => Err(refusal),
    };
    match done {
        Ok(()) => Ok(reply::see_other(&format!("{back}?done=renamed"))),
        Err(refusal) => {
            let errors = forms::errors(refusal)?;
            again(&rename_view(&visit, &asset, &kind, Form { errors, ..visit.new_form() }))
        }
    }
}

fn rename_view(visit: &Visit, asset: &Asset, kind: &Kind, form: Form) -> RenamePage {
    let href = names::asset_href(asset.id);
    let here = kind.href();
    let typed = visit.form.raw("name").map(str::to_owned);
    RenamePage {
        shell: shell::of_form(visit, "Rename", &here, &form),
        form,
        list: kind.list(),
        action: format!("{href}/rename"),
        subject: Link::new(asset.name.to_string(), href),
        name: typed.unwrap_or_else(|| asset.name.to_string()),
        kept: vec![Kept { name: "was".to_owned(), value: asset.name.to_string() }],
    }
}

/// What would end with it.
///
/// # Errors
/// `NotFound`, or the refusal.
pub async fn delete(visit: Visit) -> Result<Reply, Failure> {
    let (asset, kind) = of_path(&visit)?;
    page(&delete_view(&visit, &asset, &kind, visit.new_form()).await?)
}

/// Deletes it.
///
/// # Errors
/// The refusal.
pub async fn do_delete(visit: Visit) -> Result<Reply, Failure> {
    let (asset, kind) = of_path(&visit)?;
    if visit.is_resumed() {
        return page(&delete_view(&visit, &asset, &kind, visit.new_form()).await?);
    }
    visit.once(&kind.href()).await?;
    match visit.service.delete_asset(&visit.call, asset.id).await {
        Ok(_) => Ok(reply::see_other(&format!("{}&done=asset-deleted", kind.href()))),
        Err(refusal) => {
            let errors = forms::errors(refusal)?;
            again(&delete_view(&visit, &asset, &kind, Form { errors, ..visit.new_form() }).await?)
        }
    }
}

async fn delete_view(visit: &Visit, asset: &Asset, kind: &Kind, form: Form) -> Result<ConfirmPage, Failure> {
    let now = visit.now();
    let preview = visit.service.preview(&visit.call, Act::DeleteAsset { asset: asset.id }).await?;
    let href = names::asset_href(asset.id);
    let here = kind.href();
    Ok(ConfirmPage {
        shell: shell::of_form(visit, "Delete", &here, &form),
        form,
        list: kind.list(),
        here: "Delete".to_owned(),
        verb: "Delete".to_owned(),
        lede: "For what was made by mistake. It can't be undone, and the ID is never used again.".to_owned(),
        stops: stops::sentences(&preview, now),
        lately: stops::lately(&preview, now),
        stays: vec![
            vec![Piece::plain("Tokens of users go on; they only lose this "), Piece::plain(format!("{}.", kind.one()))],
            vec![Piece::plain("What was done with it stays in the activity, with its name.")],
        ],
        action: format!("{href}/delete"),
        kept: Vec::new(),
        button: format!("Delete this {}", kind.one()),
        danger: true,
        keep: "Keep it".to_owned(),
        subject: Link::new(asset.name.to_string(), href),
    })
}

/// Leads to the assignment of a chosen user. It changes nothing.
///
/// # Errors
/// `NotFound`, or the refusal.
pub async fn give(visit: Visit) -> Result<Reply, Failure> {
    let (asset, _) = of_path(&visit)?;
    let Some(user) = visit.query.id::<valetkey_domain::id::of::User>("user") else {
        return Ok(reply::see_other(&format!("{}#people", names::asset_href(asset.id))));
    };
    Ok(reply::see_other(&format!("{}/assign?asset={}", creator::user_href(user), asset.id)))
}
