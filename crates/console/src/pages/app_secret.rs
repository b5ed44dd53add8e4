//! A new secret for an app. It stands on the page that answers the form, and nowhere else.

use valetkey_http::Reply;

use super::app::{HERE, of_path, previous_until};
use crate::failure::Failure;
use crate::view::apps::{Overlap, SecretOncePage, SecretPage};
use crate::view::parts::{Form, Time};
use crate::visit::{Visit, again, page};
use crate::{forms, shell};

const DAY_S: i64 = 24 * 60 * 60;

/// How long the old secret may go on: seconds, a label, and what it is for.
const OVERLAPS: [(i64, &str, &str); 4] = [
    (
        0,
        "Stop it at once",
        "For a secret that leaked. Programs that still use it are refused until they have the new one.",
    ),
    (60 * 60, "1 hour", "For one program that you switch over now."),
    (DAY_S, "1 day", "For a few programs. Both secrets work until then."),
    (7 * DAY_S, "7 days", "For programs that are rolled out in the course of a week."),
];
/// What is chosen at first.
const PRESELECTED: i64 = DAY_S;

/// The form.
///
/// # Errors
/// The refusal.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    page(&view(&visit, visit.new_form())?)
}

/// Makes the secret, and shows it.
///
/// # Errors
/// The refusal.
pub async fn rotate(visit: Visit) -> Result<Reply, Failure> {
    if visit.is_resumed() {
        return page(&view(&visit, visit.new_form())?);
    }
    let (app, head) = of_path(&visit)?;
    visit.once(&head.href).await?;
    let Some(overlap_s) = chosen(&visit) else {
        let errors = forms::error("overlap", "Choose how long the old secret goes on.");
        return again(&view(&visit, Form { errors, ..visit.new_form() })?);
    };
    match visit.service.rotate_app_secret(&visit.call, app.id, overlap_s).await {
        Ok(done) => {
            let now = visit.now();
            page(&SecretOncePage {
                shell: shell::of(&visit, "New secret", HERE),
                app: head,
                secret: done.value,
                old_until: (overlap_s > 0).then(|| Time::datetime(now + overlap_s * 1000, now)),
            })
        }
        Err(refusal) => {
            let errors = forms::errors(refusal)?;
            again(&view(&visit, Form { errors, ..visit.new_form() })?)
        }
    }
}

fn chosen(visit: &Visit) -> Option<i64> {
    let sent: i64 = visit.form.text("overlap")?.parse().ok()?;
    OVERLAPS.iter().map(|(seconds, ..)| *seconds).find(|seconds| *seconds == sent)
}

fn view(visit: &Visit, form: Form) -> Result<SecretPage, Failure> {
    let (app, head) = of_path(visit)?;
    let title = "New secret";
    let preselected = chosen(visit).unwrap_or(PRESELECTED);
    let choice = |(seconds, label, detail): (i64, &'static str, &'static str)| Overlap {
        value: seconds.to_string(),
        label,
        detail,
        chosen: seconds == preselected,
    };
    Ok(SecretPage {
        shell: shell::of_form(visit, title, HERE, &form),
        form,
        app: head,
        choices: OVERLAPS.into_iter().map(choice).collect(),
        previous_until: previous_until(&app, visit.now()),
        proof: app.demands_proof,
    })
}
