//! Previews say what the act then does, and do nothing.

use valetkey_domain::rules::app::AppEdit;
use valetkey_domain::rules::person::PersonEdit;
use valetkey_domain::rules::system_user::SystemUserEdit;
use valetkey_domain::{Reason, Role, ScopeSet, Status};
use valetkey_service::preview::{Act, Preview};

use crate::fixture::{Fixture, alive, fixture, issue, operator, tasks};

async fn see(fixture: &Fixture, act: Act) -> Preview {
    let before = fixture.service.revision();
    let seen = fixture.service.preview(&fixture.company.person, act).await.unwrap();
    assert_eq!(fixture.service.revision(), before, "nothing is written");
    seen
}

#[tokio::test]
async fn tokens_stop_whatever_the_act_is_and_only_those_that_work() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    fixture.assign(company.robot, company.page, &["MODERATE"]).await;
    let dead = issue(service, &company.person, company.robot, company.app).await;
    service.revoke_token(&company.person, dead.id).await.unwrap();
    service.page_tokens(&company.robot_token.call(), &[company.page]).await.unwrap();
    let (user, app, business) = (company.robot, company.app, company.business);
    let off = SystemUserEdit { status: Some(Status::Deactivated), ..SystemUserEdit::default() };
    for (act, tokens, page_tokens, assignments) in [
        (Act::RevokeToken { id: company.robot_token.id, with_descendants: false }, 1, 1, 0),
        (Act::RevokeToken { id: company.robot_token.id, with_descendants: true }, 1, 1, 0),
        (Act::RevokeToken { id: dead.id, with_descendants: false }, 0, 0, 0),
        (Act::RevokeTokens { user, app: None }, 1, 1, 0),
        (Act::UpdateSystemUser { user, edit: off }, 1, 1, 0),
        (Act::DeleteSystemUser { user }, 1, 1, 1),
        (Act::UninstallApp { system_user: user, app }, 1, 1, 0),
        (Act::DisconnectApp { business, app }, 2, 1, 0),
        (Act::DeleteApp { app }, 2, 1, 0),
        (Act::DeleteAsset { asset: company.page }, 0, 1, 1),
        (Act::Unassign { asset: company.page, user }, 0, 1, 1),
    ] {
        let shown = format!("{act:?}");
        let seen = see(&fixture, act).await;
        let totals = (seen.tokens.total, seen.page_tokens.total, seen.assignments.total);
        assert_eq!(totals, (tokens, page_tokens, assignments), "{shown}");
        assert_eq!(seen.tokens.rows.len(), tokens, "{shown}");
        assert_eq!(seen.changes_nothing, shown.contains(&dead.id.to_string()), "{shown}");
    }
    assert_eq!(fixture.ask(&company.robot_token, alive()), "allow");
}

#[tokio::test]
async fn what_is_lost_is_named_by_user_and_asset() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let (asset, user) = (company.page, company.robot);
    fixture.assign(user, asset, &["MODERATE", "ANALYZE"]).await;
    let fewer = see(&fixture, Act::Assign { asset, user, tasks: tasks(&["ANALYZE"]) }).await;
    assert_eq!(fewer.reach.rows[0].lost, ["MODERATE"]);
    assert!(fewer.reach.rows[0].keeps_some && fewer.assignments.is_empty() && fewer.takes_away());
    let more = see(&fixture, Act::Assign { asset, user, tasks: tasks(&["MANAGE"]) }).await;
    assert!(!more.takes_away() && !more.changes_nothing);
    // A person that is no ADMIN any more loses all but what is assigned to it.
    let (business, name) = (company.business, crate::fixture::name("Bo"));
    let made = service.create_person(&company.person, business, name, "bo@rad.example", Role::Admin).await;
    let bo = made.unwrap().value;
    fixture.assign(bo, asset, &["ANALYZE"]).await;
    let edit = PersonEdit { role: Some(Role::Employee), ..PersonEdit::default() };
    let demoted = see(&fixture, Act::UpdatePerson { person: bo, edit }).await;
    // The page, the account and the app.
    assert_eq!(demoted.reach.total, 3, "{:?}", demoted.reach);
    let kept: Vec<_> = demoted.reach.rows.iter().filter(|row| row.keeps_some).map(|row| row.asset).collect();
    assert_eq!(kept, [asset]);
    let scopes = Some(ScopeSet::of(&["pages_show_list"]));
    let edit = AppEdit { allowed_scopes: scopes, ..AppEdit::default() };
    let narrower = see(&fixture, Act::UpdateApp { app: company.app, edit }).await;
    assert_eq!((narrower.tokens.total, narrower.narrowed_tokens.total), (0, 2));
}

#[tokio::test]
async fn a_partner_is_shown_as_a_whole_and_its_users_only_to_itself() {
    let fixture = fixture().await;
    let (service, company, agency) = (&fixture.service, &fixture.company, &fixture.agency);
    let (asset, partner) = (company.page, agency.business);
    service.share(&company.person, asset, partner, tasks(&["MANAGE"])).await.unwrap();
    service.assign(&agency.person, asset, agency.robot, tasks(&["MODERATE"])).await.unwrap();
    service.page_tokens(&agency.robot_token.call(), &[asset]).await.unwrap();
    let act = Act::Unshare { asset, partner };
    let owner = see(&fixture, act.clone()).await;
    assert_eq!((owner.shares.total, owner.partners.total), (1, 1));
    assert!(owner.assignments.is_empty() && owner.page_tokens.is_empty() && owner.reach.is_empty());
    let theirs = service.preview(&agency.person, act.clone()).await.unwrap();
    assert_eq!((theirs.shares.total, theirs.assignments.total, theirs.page_tokens.total), (1, 1, 1));
    // Ada and the Manager by their role, and the Employee by its assignment.
    assert_eq!(theirs.reach.total, 3);
    let all = service.preview(&operator(), act).await.unwrap();
    assert_eq!((all.assignments.total, all.page_tokens.total, all.reach.total), (1, 1, 3));
    let narrower = see(&fixture, Act::Share { asset, partner, tasks: tasks(&["ANALYZE"]) }).await;
    assert!(narrower.shares.is_empty() && narrower.partners.rows[0].lost.contains(&"MODERATE".to_owned()));
}

#[tokio::test]
async fn a_preview_is_refused_as_the_act_is() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let edit = PersonEdit { role: Some(Role::Employee), ..PersonEdit::default() };
    let last = Act::UpdatePerson { person: company.admin_person, edit };
    assert_eq!(service.preview(&company.person, last).await.unwrap_err().reason, Reason::LastAdmin);
    let foreign = Act::DeleteAsset { asset: company.page };
    assert_eq!(service.preview(&fixture.agency.person, foreign).await.unwrap_err().reason, Reason::NotVisible);
    let not_own = Act::RevokeToken { id: company.root_token.id, with_descendants: false };
    let refused = service.preview(&company.robot_token.call(), not_own).await.unwrap_err();
    assert_eq!(refused.reason, Reason::RoleInsufficient);
    let full = Act::DeleteBusiness { business: company.business };
    assert_eq!(service.preview(&company.person, full.clone()).await.unwrap_err().reason, Reason::RoleInsufficient);
    assert_eq!(service.preview(&operator(), full).await.unwrap_err().reason, Reason::Invalid);
}

#[tokio::test]
async fn a_hundred_are_listed_and_all_are_counted() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    for _ in 0..120 {
        issue(service, &company.person, company.robot, company.app).await;
    }
    let seen = see(&fixture, Act::RevokeTokens { user: company.robot, app: None }).await;
    assert_eq!((seen.tokens.total, seen.tokens.rows.len()), (121, 100));
}
