//! A new name for something that somebody else renamed meanwhile: both are shown, and nothing is
//! overwritten.

use valetkey_http::Reply;

use crate::failure::Failure;
use crate::shell;
use crate::view::failure::{StalePage, StaleRow};
use crate::view::parts::{Kept, Piece};
use crate::visit::{Visit, again};

/// The page that shows theirs beside mine, if the name is no longer the one that the form was made
/// with. `href` is the page of the thing, and its form is sent to `rename` below it.
pub fn name(visit: &Visit, current: &str, now_called: &str, href: &str) -> Option<Result<Reply, Failure>> {
    let (was, typed) = (visit.form.raw("was")?, visit.form.typed("name"));
    if was == now_called || typed == now_called {
        return None;
    }
    let kept = |name: &str, value: &str| Kept { name: name.to_owned(), value: value.to_owned() };
    let view = StalePage {
        shell: shell::failed(visit, "Changed meanwhile", current),
        form: visit.new_form(),
        action: format!("{href}/rename"),
        name: now_called.to_owned(),
        href: href.to_owned(),
        changed: vec![Piece::plain("Somebody renamed it after you opened the form.")],
        rows: vec![StaleRow {
            label: "Name".to_owned(),
            theirs: now_called.to_owned(),
            yours: typed.clone(),
            differs: true,
        }],
        kept: vec![kept("name", &typed), kept("was", now_called)],
        opened: None,
    };
    Some(again(&view))
}
