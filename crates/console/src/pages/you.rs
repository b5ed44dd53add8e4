//! What somebody may do here: the first page of an EMPLOYEE. It asks about the viewer alone, and shows
//! nothing that isn't its own.

use valetkey_domain::task::Vocabulary;
use valetkey_domain::{AssetId, BusinessId, UserId};
use valetkey_http::Reply;
use valetkey_service::{Facts, rights};

use super::find::Find;
use super::paging::{pager, window};
use super::person::head;
use super::security::{self, SignIns};
use crate::failure::Failure;
use crate::view::parts::Time;
use crate::view::you::{OwnAsset, OwnTask, YouPage};
use crate::visit::{Visit, page};
use crate::{names, shell, words};

const HERE: &str = "/console/you";

/// The page.
///
/// # Errors
/// The refusal.
pub async fn show(visit: Visit) -> Result<Reply, Failure> {
    let (who, business, now) = (visit.who.person, visit.who.business, visit.now());
    let SignIns { sessions, tokens } = security::sign_ins(&visit, who).await?;
    let find = Find::of(&visit.query);
    let seen = visit.find(rights::MANAGE_OR_SELF.on_user(business, who), |facts| {
        let person = facts.person(who)?;
        let all = facts.assets_of(who);
        let total = all.len();
        let found: Vec<AssetId> = all.into_iter().filter(|id| find.fits_asset(facts, *id)).collect();
        let (from, to) = window(&visit, "from", found.len());
        let rows: Vec<OwnAsset> =
            found[from..to].iter().filter_map(|id| own_asset(facts, who, business, *id, now)).collect();
        Some((person, total, found.len(), rows))
    })?;
    let (person, total, found, assets) = seen;
    page(&YouPage {
        shell: shell::of(&visit, "Your access", HERE),
        person: head(&person),
        email: person.email,
        since: Time::date(person.created_at, now),
        role_sentence: words::person_role(person.role).to_owned(),
        query: visit.query.typed("q"),
        assets,
        asset_count: names::count(total),
        has_assets: total > 0,
        pager: pager(&visit, HERE, "from", found),
        sessions,
        tokens,
    })
}

/// An assigned asset as the viewer may use it: up to what is shared, if another business owns it.
fn own_asset(facts: &Facts<'_>, who: UserId, business: BusinessId, id: AssetId, now: i64) -> Option<OwnAsset> {
    let (asset, assignment) = (facts.asset(id)?, facts.assignment(who, id)?);
    let declared = facts.declared_kind(asset.kind);
    let vocabulary = Vocabulary::of(asset.kind, declared.as_ref())?;
    let is_own = asset.business == Some(business);
    let (tasks, shared_by) = if is_own {
        (assignment.tasks, None)
    } else {
        let share = facts.share(id, business)?;
        let owner = asset.business.and_then(|owner| facts.business(owner))?;
        let tasks = vocabulary.expanded(assignment.tasks).shared(vocabulary.expanded(share.tasks));
        (tasks, Some(owner.name.to_string()))
    };
    let own_task = |name: &str| {
        let task = words::task(asset.kind, name);
        OwnTask { label: task.label, sentence: task.sentence }
    };
    Some(OwnAsset {
        id: id.to_string(),
        name: asset.name.to_string(),
        icon: names::kind_icon(asset.kind),
        kind: names::kind_title(asset.kind, declared.as_ref()),
        shared_by,
        tasks: vocabulary.names(tasks).into_iter().map(own_task).collect(),
        since: Time::date(assignment.created_at, now),
    })
}
