//! A new name for something that somebody else renamed meanwhile: both are shown, and nothing is
//! overwritten.

use valetkey_http::Reply;

use crate::failure::Failure;
use crate::shell;
use crate::view::failure::StalePage;
use crate::view::parts::Kept;
use crate::visit::{Visit, again};

/// The page that shows theirs beside mine, if the name is no longer the one that the form was made
/// with. `href` is the page of the thing. The form comes to where this one was sent.
pub fn name(visit: &Visit, current: &str, now_called: &str, href: &str) -> Option<Result<Reply, Failure>> {
    let typed = visit.form.typed("name");
    if visit.form.raw("was") == Some(now_called) || typed == now_called {
        return None;
    }
    let kept = |name: &str, value: &str| Kept { name: name.to_owned(), value: value.to_owned() };
    Some(again(&StalePage {
        shell: shell::refused(shell::of(visit, "Changed meanwhile", current)),
        form: visit.new_form(),
        action: visit.here.clone(),
        name: now_called.to_owned(),
        href: href.to_owned(),
        kept: vec![kept("name", &typed), kept("was", now_called)],
        typed,
    }))
}
