//! What an app may ask for, and whether it demands a proof. Both take hold of its running tokens at once,
//! so what they would lose is shown before.

use valetkey_domain::rules::app::AppEdit;
use valetkey_domain::{Scope, ScopeSet};
use valetkey_http::Reply;
use valetkey_service::app::Narrowing;
use valetkey_service::rights;

use super::app::{HERE, live_tokens, of_path};
use crate::failure::Failure;
use crate::view::apps::{AppHead, Effect, LostScope, ProofPage, ScopeGroup, ScopeRow, ScopesPage};
use crate::view::parts::Form;
use crate::visit::{Visit, again, page};
use crate::web::reply;
use crate::{forms, names, shell, words};

/// The form of scopes.
///
/// # Errors
/// The refusal.
pub async fn scopes(visit: Visit) -> Result<Reply, Failure> {
    let (app, head) = of_path(&visit)?;
    page(&scopes_view(&visit, head, visit.new_form(), app.allowed_scopes, None))
}

/// Shows what a choice would do, or saves it. What takes something from tokens is saved only after that
/// was shown for exactly this choice.
///
/// # Errors
/// The refusal.
pub async fn send_scopes(visit: Visit) -> Result<Reply, Failure> {
    let (app, head) = of_path(&visit)?;
    let chosen = chosen(&visit);
    let narrowing = visit.service.narrowing_effect(&visit.call, app.id, chosen).await?;
    let effect = effect(&narrowing, app.allowed_scopes, chosen);
    let was_seen = visit.form.text("seen") == Some(seen(chosen, &narrowing).as_str());
    let may_save = narrowing.tokens == 0 || was_seen;
    if visit.is_resumed() || visit.form.text("go") != Some("save") || !may_save {
        let shown = seen(chosen, &narrowing);
        let view = scopes_view(&visit, head, visit.new_form(), chosen, Some((effect, shown)));
        return page(&view);
    }
    visit.once(&head.href).await?;
    let edit = AppEdit { allowed_scopes: Some(chosen), ..AppEdit::default() };
    match visit.service.update_app(&visit.call, app.id, edit).await {
        Ok(_) => Ok(reply::see_other(&format!("{}?done=app-scopes", head.href))),
        Err(refusal) => {
            let errors = forms::errors(refusal)?;
            let form = Form { errors, ..visit.new_form() };
            again(&scopes_view(&visit, head, form, chosen, None))
        }
    }
}

/// The ticked scopes. `public_profile` is never taken away.
fn chosen(visit: &Visit) -> ScopeSet {
    visit.form.all("scope").filter_map(Scope::parse).chain([Scope::PUBLIC_PROFILE]).collect()
}

/// What stands for an effect that was shown: when the set or the tokens changed since, it is another.
fn seen(chosen: ScopeSet, narrowing: &Narrowing) -> String {
    let lost: usize = narrowing.scopes.values().sum();
    format!("{:x}-{}-{lost}", chosen.bits(), narrowing.tokens)
}

fn effect(narrowing: &Narrowing, before: ScopeSet, after: ScopeSet) -> Effect {
    let row = |(scope, count): (&Scope, &usize)| LostScope {
        name: scope.name(),
        sentence: words::scope_sentence(*scope).to_owned(),
        tokens: names::counted(*count, "token", "tokens"),
    };
    Effect {
        tokens: narrowing.tokens,
        rows: narrowing.scopes.iter().map(row).collect(),
        gained: after.without(before).iter().count(),
    }
}

fn scopes_view(
    visit: &Visit,
    app: AppHead,
    form: Form,
    chosen: ScopeSet,
    effect: Option<(Effect, String)>,
) -> ScopesPage {
    let title = "Allowed scopes";
    let group = |title: &&str| {
        let all = Scope::all().filter(|scope| *scope != Scope::PUBLIC_PROFILE);
        let rows: Vec<ScopeRow> = all
            .filter(|scope| words::scope_group(*scope) == *title)
            .map(|scope| ScopeRow {
                name: scope.name(),
                sentence: words::scope_sentence(scope).to_owned(),
                ticked: chosen.has(scope),
            })
            .collect();
        let ticked = rows.iter().filter(|row| row.ticked).count();
        ScopeGroup { title: (*title).to_owned(), counted: format!("{ticked} of {}", rows.len()), rows }
    };
    let (effect, seen) = effect.map_or((None, String::new()), |(effect, seen)| (Some(effect), seen));
    ScopesPage {
        shell: shell::of_form(visit, title, HERE, &form),
        form,
        app,
        groups: words::SCOPE_GROUPS.iter().map(group).filter(|group| !group.rows.is_empty()).collect(),
        effect,
        seen,
    }
}

/// What demanding a proof means, and the button.
///
/// # Errors
/// The refusal.
pub async fn proof(visit: Visit) -> Result<Reply, Failure> {
    page(&proof_view(&visit, visit.new_form())?)
}

/// Switches the demand on or off.
///
/// # Errors
/// The refusal.
pub async fn set_proof(visit: Visit) -> Result<Reply, Failure> {
    if visit.is_resumed() {
        return page(&proof_view(&visit, visit.new_form())?);
    }
    let (app, head) = of_path(&visit)?;
    visit.once(&head.href).await?;
    let demands = visit.form.text("demand") == Some("yes");
    let edit = AppEdit { demands_proof: Some(demands), ..AppEdit::default() };
    match visit.service.update_app(&visit.call, app.id, edit).await {
        Ok(_) => {
            let done = if demands { "proof-on" } else { "proof-off" };
            Ok(reply::see_other(&format!("{}?done={done}", head.href)))
        }
        Err(refusal) => {
            let errors = forms::errors(refusal)?;
            again(&proof_view(&visit, Form { errors, ..visit.new_form() })?)
        }
    }
}

fn proof_view(visit: &Visit, form: Form) -> Result<ProofPage, Failure> {
    let (app, head) = of_path(visit)?;
    let (business, now) = (visit.who.business, visit.now());
    let question = rights::MANAGE_BUSINESS.on_business(business);
    let live = visit.step(question, |facts| live_tokens(facts, business, app.id, now).len())?;
    Ok(ProofPage {
        shell: shell::of(visit, "Proof of the secret", HERE),
        form,
        app: head,
        demanded: app.demands_proof,
        live,
    })
}
