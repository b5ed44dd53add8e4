//! A new asset. It exists on this server alone; claiming one that exists elsewhere is another act.

use serde_json::{Map, Value};
use valetkey_domain::{AssetKind, Name, Refusal};
use valetkey_http::Reply;

use super::kinds::Kind;
use crate::failure::Failure;
use crate::view::asset::{Choice, NewPage};
use crate::view::parts::Form;
use crate::visit::{Visit, again, page};
use crate::web::reply;
use crate::{forms, names, shell};

/// Time zones of ad accounts: their names, and the numbers that the Graph gives them.
const ZONES: &[(&str, i64)] = &[
    ("Etc/UTC", 0),
    ("America/Los_Angeles", 1),
    ("America/Denver", 2),
    ("Pacific/Honolulu", 3),
    ("America/Anchorage", 4),
    ("America/Phoenix", 5),
    ("America/Chicago", 6),
    ("America/New_York", 7),
    ("Asia/Dubai", 8),
    ("Europe/Vienna", 12),
    ("Australia/Sydney", 15),
    ("America/Sao_Paulo", 25),
    ("Europe/Berlin", 47),
    ("Europe/Paris", 57),
    ("Europe/London", 58),
    ("Asia/Kolkata", 71),
];
/// The longest category, in bytes, as in the Graph.
const CATEGORY_LIMIT_BYTES: usize = 200;

/// The kind that the form is for.
fn kind(visit: &Visit) -> Result<Kind, Failure> {
    let word = visit.form.text("kind").or(visit.query.text("kind")).unwrap_or("page");
    let kind = Kind::of_word(&visit.service, word).ok_or(Failure::NotFound)?;
    if kind.kind == AssetKind::App { Err(Failure::NotFound) } else { Ok(kind) }
}

/// The form.
///
/// # Errors
/// `NotFound` for a kind that doesn't exist.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    let kind = kind(&visit)?;
    page(&view(&visit, &kind, visit.new_form()))
}

/// Makes the asset.
///
/// # Errors
/// The refusal.
pub async fn create(visit: Visit) -> Result<Reply, Failure> {
    let kind = kind(&visit)?;
    if visit.is_resumed() {
        return page(&view(&visit, &kind, visit.new_form()));
    }
    visit.once(&kind.href()).await?;
    let made = match fields(&visit, kind.kind) {
        Ok((name, details)) => {
            visit.service.create_asset(&visit.call, kind.kind, visit.who.business, name, details).await
        }
        Err(refusal) => Err(refusal),
    };
    match made {
        Ok(done) => Ok(reply::see_other(&format!("{}?done=asset", names::asset_href(done.value)))),
        Err(refusal) => {
            let errors = forms::errors(refusal)?;
            again(&view(&visit, &kind, Form { errors, ..visit.new_form() }))
        }
    }
}

fn fields(visit: &Visit, kind: AssetKind) -> Result<(Name, Map<String, Value>), Refusal> {
    let name = forms::name(&visit.form, "name")?;
    let mut details = Map::new();
    match kind {
        AssetKind::Page => {
            if let Some(category) = visit.form.text("category") {
                if category.len() > CATEGORY_LIMIT_BYTES || category.chars().any(char::is_control) {
                    return Err(Refusal::invalid("category", "a short text"));
                }
                details.insert("category".to_owned(), Value::from(category));
            }
        }
        AssetKind::AdAccount => {
            let currency = visit.form.text("currency").ok_or_else(|| Refusal::required("currency"))?;
            let currency = currency.to_ascii_uppercase();
            if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
                return Err(Refusal::invalid("currency", "a code of three letters, such as EUR"));
            }
            details.insert("currency".to_owned(), Value::from(currency));
            let chosen = visit.form.text("timezone").ok_or_else(|| Refusal::required("timezone"))?;
            let zone = ZONES.iter().find(|(name, _)| *name == chosen);
            let (name, number) = zone.ok_or_else(|| Refusal::invalid("timezone", "one of the list"))?;
            details.insert("timezone_name".to_owned(), Value::from(*name));
            details.insert("timezone_id".to_owned(), Value::from(*number));
        }
        AssetKind::Catalog => {
            details.insert("vertical".to_owned(), Value::from("commerce"));
        }
        AssetKind::Pixel
        | AssetKind::InstagramAccount
        | AssetKind::WhatsappAccount
        | AssetKind::App
        | AssetKind::Declared(_) => {}
    }
    Ok((name, details))
}

fn view(visit: &Visit, kind: &Kind, form: Form) -> NewPage {
    let title = format!("New {}", kind.one());
    let here = kind.href();
    let chosen = visit.form.text("timezone").unwrap_or("Etc/UTC");
    let zone = |(name, _): &(&str, i64)| Choice {
        value: (*name).to_owned(),
        label: name.replace('_', " "),
        chosen: *name == chosen,
    };
    NewPage {
        shell: shell::of_form(visit, &title, &here, &form),
        form,
        kind: kind.word(),
        one: kind.one(),
        about: kind.about().to_owned(),
        list: kind.list(),
        name: visit.form.typed("name"),
        has_category: kind.kind == AssetKind::Page,
        category: visit.form.typed("category"),
        has_money: kind.kind == AssetKind::AdAccount,
        currency: visit.form.typed("currency"),
        zones: ZONES.iter().map(zone).collect(),
    }
}
