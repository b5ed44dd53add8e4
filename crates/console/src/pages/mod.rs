//! The pages, and the routes that lead to them.

mod access;
mod activity;
mod app;
mod app_end;
mod app_new;
mod app_scopes;
mod app_secret;
mod asset;
mod asset_end;
mod asset_new;
mod asset_page;
mod assign;
mod assign_summary;
mod assign_tasks;
mod business;
mod content;
mod content_list;
mod creator;
mod draft;
pub mod failure;
mod find;
mod kinds;
mod paging;
mod partner;
mod person;
mod person_change;
mod picker;
mod refusal;
mod refused;
mod revoke;
mod scope_choice;
mod search;
mod security;
mod share;
mod sign_in;
mod stale;
mod subject;
mod system_user;
mod terms;
mod token_find;
mod token_new;
mod token_once;
mod token_page;
mod token_reach;
mod token_revoke;
mod tokens;
mod user;
mod user_end;
mod you;

use std::sync::OnceLock;

use http::Method;

use crate::route::{Handler, Route};

/// Rows of the table: method, path, who may come, handler.
macro_rules! routes {
    ($($method:ident $path:literal $who:ident $($run:ident)::+;)*) => {
        vec![$(Route {
            method: Method::$method,
            path: $path,
            handler: Handler::$who(|request| Box::pin($($run)::+(request))),
        },)*]
    };
}

/// All routes.
pub fn routes() -> &'static [Route] {
    static ROUTES: OnceLock<Vec<Route>> = OnceLock::new();
    ROUTES.get_or_init(|| {
        routes! {
            GET "" Person sign_in::home;
            GET "sign-in" Open sign_in::show;
            POST "sign-in" Open sign_in::redeem;
            POST "sign-out" Person sign_in::sign_out;
            GET "terms" Person terms::show;
            POST "terms" Admin terms::accept;
            GET "apps/new" Admin app_new::show;
            POST "apps/new" Admin app_new::create;
            GET "apps" Admin app::list;
            GET "apps/{}" Admin app::show;
            GET "apps/{}/rename" Admin app_end::rename;
            POST "apps/{}/rename" Admin app_end::do_rename;
            GET "apps/{}/scopes" Admin app_scopes::scopes;
            POST "apps/{}/scopes" Admin app_scopes::send_scopes;
            GET "apps/{}/proof" Admin app_scopes::proof;
            POST "apps/{}/proof" Admin app_scopes::set_proof;
            GET "apps/{}/secret" Admin app_secret::show;
            POST "apps/{}/secret" Admin app_secret::rotate;
            POST "apps/{}/connect" Admin app_end::connect;
            GET "apps/{}/disconnect" Admin app_end::disconnect;
            POST "apps/{}/disconnect" Admin app_end::do_disconnect;
            GET "apps/{}/delete" Admin app_end::delete;
            POST "apps/{}/delete" Admin app_end::do_delete;
            GET "assets" Admin asset::list;
            GET "assets/new" Admin asset_new::show;
            POST "assets/new" Admin asset_new::create;
            GET "assets/{}" Person asset_page::show;
            GET "assets/{}/give" Admin asset_end::give;
            GET "assets/{}/rename" Admin asset_end::rename;
            POST "assets/{}/rename" Admin asset_end::do_rename;
            GET "assets/{}/delete" Admin asset_end::delete;
            POST "assets/{}/delete" Admin asset_end::do_delete;
            GET "content/{}" Person content::show;
            GET "tokens" Admin tokens::list;
            GET "tokens/find" Admin token_find::show;
            POST "tokens/find" Admin token_find::find;
            GET "tokens/{}" Person token_page::show;
            GET "tokens/{}/revoke" Person token_revoke::show;
            POST "tokens/{}/revoke" Person token_revoke::revoke;
            GET "access" Admin access::show;
            GET "refusals" Admin refusal::list;
            GET "refusals/{}" Admin refusal::show;
            GET "activity" Admin activity::show;
            GET "activity/export-csv" Admin activity::csv;
            GET "activity/export-jsonl" Admin activity::jsonl;
            GET "search" Person search::show;
            GET "system-users" Admin system_user::list;
            GET "system-users/new" Admin system_user::new;
            POST "system-users/new" Admin system_user::create;
            GET "system-users/{}" Admin user::show;
            GET "system-users/{}/assign" Admin assign::show_user;
            POST "system-users/{}/assign" Admin assign::send_user;
            GET "system-users/{}/token" Admin token_new::show;
            POST "system-users/{}/token" Admin token_new::send;
            GET "system-users/{}/revoke" Admin revoke::show;
            POST "system-users/{}/revoke" Admin revoke::revoke;
            GET "system-users/{}/status" Admin user_end::status;
            POST "system-users/{}/status" Admin user_end::set_status;
            GET "system-users/{}/delete" Admin user_end::delete;
            POST "system-users/{}/delete" Admin user_end::do_delete;
            GET "people" Admin person::list;
            GET "people/new" Admin person::new;
            POST "people/new" Admin person::create;
            GET "people/{}" Person person::show;
            GET "people/{}/assign" Admin assign::show_person;
            POST "people/{}/assign" Admin assign::send_person;
            GET "people/{}/name" Person person::name;
            POST "people/{}/name" Person person::rename;
            POST "people/{}/link" Admin person::link;
            POST "people/{}/end" Person person::end;
            GET "people/{}/role" Admin person_change::role;
            POST "people/{}/role" Admin person_change::set_role;
            GET "people/{}/status" Admin person_change::status;
            POST "people/{}/status" Admin person_change::set_status;
            GET "people/{}/remove" Admin person_change::remove;
            POST "people/{}/remove" Admin person_change::do_remove;
            GET "partners" Admin partner::list;
            GET "partners/share" Admin share::show;
            POST "partners/share" Admin share::send;
            GET "partners/{}" Admin partner::show;
            GET "partners/{}/end" Admin partner::end;
            POST "partners/{}/end" Admin partner::do_end;
            GET "business" Admin business::show;
            POST "business/name" Admin business::rename;
            POST "business/tokens" Admin business::set_lifetime;
            POST "business/visibility" Admin business::set_visibility;
            GET "you" Person you::show;
            GET "security" Person security::show;
            POST "security/end" Person security::end;
        }
    })
}
