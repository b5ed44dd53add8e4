//! One row of words for each action. A new action does not compile before it has its row.
//!
//! A row must read well when the payload of its entry is gone: then it has the ids of the subjects alone.

use valetkey_domain::noun::app::App;
use valetkey_domain::noun::asset::Asset;
use valetkey_domain::noun::assignment::Assignment;
use valetkey_domain::noun::business::Business;
use valetkey_domain::noun::person::Person;
use valetkey_domain::noun::share::Share;
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::noun::terms::Terms;
use valetkey_domain::noun::token::Token;
use valetkey_domain::{Action, DeclaredKind, Id, Name, ScopeSet, Status, TokenId};
use valetkey_store::payload::JobDid;

use super::names::scopes;
use super::phrase::{Phrase, Sort};
use super::scene::Scene;

/// How many Pages a sentence names.
const PAGES_NAMED: usize = 3;

/// What was done, from the verb on, with a blank before it.
pub(super) fn predicate(scene: &Scene<'_>, action: Action) -> Phrase {
    match action {
        Action::BusinessCreated => business_created(scene),
        Action::BusinessUpdated => business_updated(scene),
        Action::BusinessDeleted => scene.did("deleted", 0),
        Action::TermsAccepted => terms_accepted(scene),
        Action::TermsReplaced => terms_replaced(scene),
        Action::PersonCreated => person_created(scene),
        Action::PersonUpdated => person_updated(scene),
        Action::PersonDeleted => person_deleted(scene),
        Action::SignInCodeCreated => Phrase::of(" made a single-use code for ").then(scene.name(0)).say(" to sign in"),
        Action::SignInCodeRedeemed => Phrase::of(" signed in with a single-use code"),
        Action::AppCreated => scene.did("created", 0),
        Action::AppUpdated => app_updated(scene),
        Action::AppSecretRotated => scene.did("gave", 0).say(" a new secret"),
        Action::AppConnected => scene.did("connected", 0),
        Action::AppDisconnected => scene.did("disconnected", 0),
        Action::AppInstalled => Phrase::of(" installed ").then(scene.the(1)).say(" on ").then(scene.name(0)),
        Action::AppDeleted => scene.did("deleted", 0),
        Action::AppUninstalled => Phrase::of(" took ").then(scene.the(1)).say(" off ").then(scene.name(0)),
        Action::SystemUserCreated => system_user_created(scene),
        Action::SystemUserRenamed => system_user_renamed(scene),
        Action::SystemUserDescribed => Phrase::of(" changed the description of ").then(scene.name(0)),
        Action::SystemUserActivated => scene.did("activated", 0),
        Action::SystemUserDeactivated => scene.did("deactivated", 0),
        Action::SystemUserDeleted => scene.did("deleted", 0),
        Action::KindDeclared => kind_declared(scene),
        Action::AssetCreated => scene.did("created", 0),
        Action::AssetDeleted => scene.did("deleted", 0),
        Action::AssetRenamed => asset_renamed(scene),
        Action::Assigned => assigned(scene),
        Action::Unassigned => Phrase::of(" took ").then(scene.name(1)).say(" away from ").then(scene.name(0)),
        Action::Shared => shared(scene),
        Action::Unshared => Phrase::of(" ended the share of ").then(scene.name(0)).say(" with ").then(scene.name(1)),
        Action::TokenIssued => token_issued(scene),
        Action::TokenRefreshed => token_refreshed(scene),
        Action::PageTokenDerived => page_token_derived(scene),
        Action::TokenRevoked => token_revoked(scene),
        Action::TokensRevoked => tokens_revoked(scene),
        Action::TokenScopesNarrowed => token_scopes_narrowed(scene),
        Action::ContentCreated => content_created(scene),
        Action::ContentUpdated => content_updated(scene),
        Action::ContentDeleted => content(scene, "deleted"),
        Action::JobsEntered => jobs_entered(scene),
        Action::JobRetried => job(scene, " let ", " be tried again"),
        Action::JobConfirmed => job(scene, " let ", " run as the operator"),
        Action::JobCancelled => job(scene, " removed ", ""),
    }
}

fn business_created(scene: &Scene<'_>) -> Phrase {
    let made = scene.did("created", 0);
    match scene.subject(1) {
        Some(person) => made.say(" with ").then(Phrase::named(person)).say(" as its first ADMIN"),
        None => made,
    }
}

fn business_updated(scene: &Scene<'_>) -> Phrase {
    let settings = || Phrase::of(" changed the settings of ").then(scene.the(0));
    let (Some(before), Some(after)) = scene.changed(Business::from_ref) else { return settings() };
    if before.name == after.name {
        return settings();
    }
    let phrase = Phrase::of(" ").then(renamed(scene, after.id.any(), &before.name, &after.name));
    let renamed_alone = Business { name: after.name.clone(), ..before.clone() };
    if renamed_alone == *after { phrase } else { phrase.say(" and changed its settings") }
}

/// `renamed the app Old to New`.
fn renamed(scene: &Scene<'_>, id: Id, before: &Name, after: &Name) -> Phrase {
    let named = |name: &Name| scene.names.named(id).called(name.as_str());
    Phrase::of("renamed ").then(Phrase::the(named(before))).say(" to ").name(named(after))
}

fn terms_accepted(scene: &Scene<'_>) -> Phrase {
    let (_, after) = scene.changed(Business::from_ref);
    let version = after.and_then(|business| business.accepted.as_ref()).map(|accepted| accepted.version);
    let which = version.map_or_else(String::new, |version| format!("version {version} of "));
    Phrase::of(format!(" accepted {which}the terms for ")).then(scene.name(0))
}

fn terms_replaced(scene: &Scene<'_>) -> Phrase {
    let (_, after) = scene.changed(Terms::from_ref);
    Phrase::of(after.map_or_else(
        || " put new terms in force".to_owned(),
        |terms| format!(" put version {} of the terms in force", terms.version),
    ))
}

fn person_created(scene: &Scene<'_>) -> Phrase {
    let added = Phrase::of(" added ").then(scene.name(0));
    let (_, after) = scene.changed(Person::from_ref);
    after.map_or(added.clone(), |person| added.say(format!(" as {}", person.role.as_str())))
}

fn person_updated(scene: &Scene<'_>) -> Phrase {
    let (Some(before), Some(after)) = scene.changed(Person::from_ref) else {
        return Phrase::of(" changed ").then(scene.name(0));
    };
    let mut parts = Vec::new();
    if before.name != after.name {
        let named = |name: &Name| scene.names.named(after.id).called(name.as_str());
        parts.push(Phrase::of("renamed ").name(named(&before.name)).say(" to ").name(named(&after.name)));
    }
    if before.role != after.role {
        let roles = format!(" from {} to {}", before.role.as_str(), after.role.as_str());
        parts.push(Phrase::of("changed the role of ").then(scene.name(0)).say(roles));
    }
    if before.status != after.status {
        let verb = match after.status {
            Status::Active => "activated ",
            Status::Deactivated => "deactivated ",
            Status::Deleted => "removed ",
        };
        parts.push(Phrase::of(verb).then(scene.name(0)));
    }
    if parts.is_empty() {
        parts.push(Phrase::of("changed ").then(scene.name(0)));
    }
    Phrase::of(" ").then(Phrase::joined(parts, " and "))
}

fn person_deleted(scene: &Scene<'_>) -> Phrase {
    let itself = scene.entry.actor.id.is_some() && scene.entry.actor.id == scene.entry.subjects.first().copied();
    if itself { Phrase::of(" left the business") } else { Phrase::of(" removed ").then(scene.name(0)) }
}

fn app_updated(scene: &Scene<'_>) -> Phrase {
    let (Some(before), Some(after)) = scene.changed(App::from_ref) else { return scene.did("changed", 0) };
    let mut parts = Vec::new();
    if before.name != after.name {
        parts.push(renamed(scene, after.id.any(), &before.name, &after.name));
    }
    if before.allowed_scopes != after.allowed_scopes {
        parts.push(Phrase::of("changed what ").then(scene.the(0)).say(" may ask for"));
    }
    if before.demands_proof != after.demands_proof {
        let demands = if after.demands_proof { " demand a proof" } else { " work without a proof" };
        parts.push(Phrase::of("made ").then(scene.the(0)).say(demands));
    }
    if parts.is_empty() {
        parts.push(Phrase::of("changed ").then(scene.the(0)));
    }
    Phrase::of(" ").then(Phrase::joined(parts, " and "))
}

fn system_user_created(scene: &Scene<'_>) -> Phrase {
    let made = scene.did("created", 0);
    let (_, after) = scene.changed(SystemUser::from_ref);
    after.map_or(made.clone(), |user| made.say(format!(" as {}", user.role.as_str())))
}

fn system_user_renamed(scene: &Scene<'_>) -> Phrase {
    match scene.changed(SystemUser::from_ref) {
        (Some(before), Some(after)) => Phrase::of(" ").then(renamed(scene, after.id.any(), &before.name, &after.name)),
        (None, _) | (_, None) => scene.did("renamed", 0),
    }
}

fn kind_declared(scene: &Scene<'_>) -> Phrase {
    let (_, after) = scene.changed(DeclaredKind::from_ref);
    let title = after.map_or_else(String::new, |kind| format!(" {}", kind.title));
    Phrase::of(format!(" declared the kind of asset{title}"))
}

fn asset_renamed(scene: &Scene<'_>) -> Phrase {
    match scene.changed(Asset::from_ref) {
        (Some(before), Some(after)) => Phrase::of(" ").then(renamed(scene, after.id.any(), &before.name, &after.name)),
        (None, _) | (_, None) => scene.did("renamed", 0),
    }
}

fn assigned(scene: &Scene<'_>) -> Phrase {
    let (before, after) = scene.changed(Assignment::from_ref);
    let (user, asset) = (scene.name(0), scene.name(1));
    let phrase = match before {
        None => Phrase::of(" assigned ").then(asset).say(" to ").then(user),
        Some(_) => Phrase::of(" changed what ").then(user).say(" may do on ").then(asset),
    };
    let tasks = after.map(|assignment| format!(": {}", scene.names.tasks(assignment.asset, assignment.tasks)));
    phrase.say(tasks.unwrap_or_default())
}

fn shared(scene: &Scene<'_>) -> Phrase {
    let (before, after) = scene.changed(Share::from_ref);
    let (asset, partner) = (scene.name(0), scene.name(1));
    let phrase = match before {
        None => Phrase::of(" shared ").then(asset).say(" with ").then(partner),
        Some(_) => Phrase::of(" changed what ").then(partner).say(" may do on ").then(asset),
    };
    let tasks = after.map(|share| format!(": {}", scene.names.tasks(share.asset, share.tasks)));
    phrase.say(tasks.unwrap_or_default())
}

fn token_issued(scene: &Scene<'_>) -> Phrase {
    let token = scene.entry.subjects.first().map(|id| scene.a_token(TokenId::of(*id)));
    let issued = Phrase::of(" issued ").then(token.unwrap_or_else(|| Phrase::of("a token")));
    let issued = issued.say(" for ").then(scene.name(1));
    if scene.subject(2).is_some() { issued.say(", for ").then(scene.the(2)) } else { issued }
}

fn token_refreshed(scene: &Scene<'_>) -> Phrase {
    let Some(id) = scene.entry.subjects.first().map(|id| TokenId::of(*id)) else {
        return Phrase::of(" refreshed a token");
    };
    Phrase::of(" refreshed ").then(scene.a_token(id)).then(of_whom(scene, scene.token(id).as_ref()))
}

/// ` of Poster, for the app Desk`; nothing if the token is not known.
fn of_whom(scene: &Scene<'_>, token: Option<&Token>) -> Phrase {
    let Some(token) = token else { return Phrase::default() };
    let user = Phrase::of(" of ").then(scene.named(token.user));
    match token.app {
        Some(app) => user.say(", for ").then(Phrase::the(scene.names.named(app))),
        None => user,
    }
}

fn page_token_derived(scene: &Scene<'_>) -> Phrase {
    let pages: Vec<Id> = scene.tokens().into_iter().filter_map(|token| token.page).map(Id::any).collect();
    if pages.is_empty() {
        return Phrase::of(" got a page token");
    }
    let named = pages.iter().take(PAGES_NAMED).map(|page| scene.named(*page)).collect();
    let what = if pages.len() == 1 { " got a page token for " } else { " got page tokens for " };
    let phrase = Phrase::of(what).then(Phrase::joined(named, ", "));
    match pages.len().saturating_sub(PAGES_NAMED) {
        0 => phrase,
        more => phrase.say(format!(" and {more} more")),
    }
}

fn token_revoked(scene: &Scene<'_>) -> Phrase {
    let Some(id) = scene.entry.subjects.first().map(|id| TokenId::of(*id)) else {
        return Phrase::of(" revoked a token");
    };
    let others = scene.tokens().into_iter().filter(|token| token.id != id).count();
    let phrase = Phrase::of(" revoked ").then(scene.a_token(id)).then(of_whom(scene, scene.token(id).as_ref()));
    if others == 0 { phrase } else { phrase.say(format!(", and {} that came from it", count(others, "token"))) }
}

fn tokens_revoked(scene: &Scene<'_>) -> Phrase {
    let tokens = scene.tokens();
    let what = if tokens.is_empty() { "the tokens".to_owned() } else { count(tokens.len(), "token") };
    let phrase = Phrase::of(format!(" revoked {what} of ")).then(scene.name(0));
    match tokens.first().and_then(|token| token.app) {
        Some(app) if tokens.iter().all(|token| token.app == Some(app)) => {
            phrase.say(", for ").then(Phrase::the(scene.names.named(app)))
        }
        Some(_) | None => phrase,
    }
}

fn token_scopes_narrowed(scene: &Scene<'_>) -> Phrase {
    let changes = scene.changes(Token::from_ref);
    let lost = changes.iter().fold(ScopeSet::EMPTY, |lost, (before, after)| match (before, after) {
        (Some(before), Some(after)) => lost.with(before.scopes.without(after.scopes)),
        (None, _) | (_, None) => lost,
    });
    if lost.is_empty() {
        return Phrase::of(" took a scope off the tokens of ").then(scene.name(0));
    }
    Phrase::of(format!(" took {} off {} of ", scopes(lost), count(changes.len(), "token"))).then(scene.name(0))
}

fn content_created(scene: &Scene<'_>) -> Phrase {
    if !scene.is(0, Sort::Post) {
        return content(scene, "created");
    }
    match status(scene) {
        Some("published") => content(scene, "published"),
        Some("scheduled") => content(scene, "scheduled"),
        Some(_) | None => content(scene, "wrote"),
    }
}

fn content_updated(scene: &Scene<'_>) -> Phrase {
    let is_done = scene.jobs().iter().any(|line| line.did == JobDid::Finish);
    match status(scene) {
        Some("published") if is_done => content(scene, "published").say(", as scheduled"),
        Some(_) | None if is_done => content(scene, "could not publish"),
        Some(_) | None => content(scene, "changed"),
    }
}

fn status<'a>(scene: &Scene<'a>) -> Option<&'a str> {
    scene.content().and_then(|line| line.status.as_deref())
}

/// A verb and what it was done to: `changed the post 12 on Bikes`. If the only subject is an asset, its
/// descriptive fields changed.
fn content(scene: &Scene<'_>, verb: &str) -> Phrase {
    if scene.subject(0).is_none() {
        return Phrase::of(format!(" {verb} content"));
    }
    if scene.is(0, Sort::Asset) || scene.is(0, Sort::App) {
        return Phrase::of(format!(" {verb} the details of ")).then(scene.the(0));
    }
    let phrase = scene.did(verb, 0);
    if scene.subject(1).is_some() { phrase.say(" on ").then(scene.name(1)) } else { phrase }
}

fn jobs_entered(scene: &Scene<'_>) -> Phrase {
    let what = match scene.jobs().len() {
        0 => "jobs".to_owned(),
        jobs => count(jobs, "job"),
    };
    Phrase::of(format!(" took {what} of an earlier version into the ledger"))
}

/// A job, and what it is about.
fn job(scene: &Scene<'_>, verb: &str, rest: &str) -> Phrase {
    // A job that publishes a post has the post's id, so the id does not say that it is a job.
    let id = scene.entry.subjects.first().map_or_else(String::new, |id| format!(" {id}"));
    let phrase = Phrase::of(format!("{verb}the job{id}{rest}"));
    let about = scene.entry.subjects.iter().skip(1).map(|id| Phrase::the(scene.names.named(*id))).collect::<Vec<_>>();
    if about.is_empty() { phrase } else { phrase.say(", about ").then(Phrase::joined(about, " on ")) }
}

/// `1 token`, `3 tokens`.
fn count(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_words() {
        assert_eq!((count(1, "token"), count(3, "token")), ("1 token".to_owned(), "3 tokens".to_owned()));
    }
}
