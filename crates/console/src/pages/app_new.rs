//! A new app. Its secret stands on the page that answers the form, and nowhere else.

use valetkey_http::Reply;

use crate::failure::Failure;
use crate::open::safe_next;
use crate::view::app::{AppCreatedPage, NewAppPage};
use crate::view::parts::Form;
use crate::visit::{Visit, again, page};
use crate::{forms, names, shell};

const HERE: &str = "/console/apps";

/// The form.
///
/// # Errors
/// None.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    page(&view(&visit, visit.new_form()))
}

/// Makes the app, and shows its secret.
///
/// # Errors
/// The refusal.
pub async fn create(visit: Visit) -> Result<Reply, Failure> {
    if visit.is_resumed() {
        return page(&view(&visit, visit.new_form()));
    }
    visit.once(HERE).await?;
    let made = match forms::name(&visit.form, "name") {
        Ok(name) => {
            let made = visit.service.create_app(&visit.call, visit.who.business, name.clone(), false).await;
            made.map(|done| (done.value, name))
        }
        Err(refusal) => Err(refusal),
    };
    match made {
        Ok(((id, secret), name)) => {
            let return_to = visit.form.text("return_to").map(|path| safe_next(Some(path)).to_owned());
            let adding = return_to.as_deref() == Some("/console/system-users/new");
            page(&AppCreatedPage {
                shell: shell::of(&visit, "App created", HERE),
                id: id.to_string(),
                name: name.to_string(),
                href: names::app_href(id),
                secret,
                onward: return_to.unwrap_or_else(|| names::app_href(id)),
                adding,
            })
        }
        Err(refusal) => {
            let errors = forms::errors(refusal)?;
            again(&view(&visit, Form { errors, ..visit.new_form() }))
        }
    }
}

fn view(visit: &Visit, form: Form) -> NewAppPage {
    let title = "Create app";
    NewAppPage {
        shell: shell::of_form(visit, title, HERE, &form),
        form,
        name: visit.form.typed("name"),
        return_to: visit.query.text("return_to").or(visit.form.text("return_to")).map(str::to_owned),
    }
}
