//! The timeline: each act has its sentence, nobody else reads it, and no page costs more than its share.

use valetkey_domain::rules::app::AppEdit;
use valetkey_domain::rules::business::BusinessEdit;
use valetkey_domain::rules::person::PersonEdit;
use valetkey_domain::rules::system_user::SystemUserEdit;
use valetkey_domain::{Action, AssetKind, Reason, Role, Status};
use valetkey_service::activity::{
    Activity, ActivityActor, ActivityDetail, ActivityFilter, ActivityGroup, ExportFormat, Piece, Sort,
};
use valetkey_service::{Call, rights};
use valetkey_testkit::clock::HOUR_MS;

use crate::fixture::{Fixture, fixture, name, operator, post, publish, tasks};

async fn all(fixture: &Fixture, call: &Call, filter: &ActivityFilter) -> Activity {
    fixture.service.activity(call, filter, None, 1_000).await.unwrap()
}

/// Numbers of ids as `N`, since they differ with each run.
fn masked(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let is_id = word.len() > 9 && word.bytes().all(|b| b.is_ascii_digit());
        if is_id { "N" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The newest sentence of the company.
async fn newest(fixture: &Fixture) -> String {
    let page = fixture.service.activity(&fixture.company.person, &ActivityFilter::default(), None, 1).await.unwrap();
    masked(&page.lines[0].sentence.text())
}

fn sentences(activity: &Activity) -> Vec<String> {
    activity.lines.iter().map(|line| masked(&line.sentence.text())).collect()
}

#[tokio::test]
async fn a_company_is_made_in_sentences_newest_first() {
    let fixture = fixture().await;
    let activity = all(&fixture, &fixture.company.person, &ActivityFilter::default()).await;
    assert_eq!(
        sentences(&activity),
        [
            "Ada issued a token for Employee, for the app Publisher",
            "Ada issued a token for Manager, for the app Publisher",
            "Ada installed the app Publisher on Employee",
            "Ada installed the app Publisher on Manager",
            "Ada created the ad account Asset",
            "Ada created the Page Asset",
            "Ada created the system user Employee as EMPLOYEE",
            "Ada created the system user Manager as ADMIN",
            "Ada created the app Publisher",
            "Ada accepted version 1 of the terms for Rad",
            "Ada signed in with a single-use code",
            "The operator made a single-use code for Ada to sign in",
            "The operator created the business Rad with Ada as its first ADMIN",
        ]
    );
    assert_eq!((activity.next, activity.looked_back), (None, None));
    let first = &activity.lines[0];
    assert_eq!(first.action, Some(Action::TokenIssued));
    assert!(first.by.token.is_some(), "the token that it was done with");
    let links: Vec<(Sort, bool)> = first
        .sentence
        .pieces()
        .iter()
        .filter_map(|piece| match piece {
            Piece::Named(named) => Some((named.sort, named.is_there)),
            Piece::Text(_) | Piece::Time(_) => None,
        })
        .collect();
    let there = [Sort::Person, Sort::Token, Sort::SystemUser, Sort::App].map(|sort| (sort, true));
    assert_eq!(links, there);
}

#[tokio::test]
async fn each_act_has_its_sentence() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let (ada, robot, page, app) = (&company.person, company.robot, company.page, company.app);
    let page_name = "Alder & Pine Cycles";
    let question = rights::MANAGE_PAGE.on_asset(page, AssetKind::Page);
    service.rename_asset(ada, question, page, name(page_name)).await.unwrap();
    assert_eq!(newest(&fixture).await, "Ada renamed the Page Asset to Alder & Pine Cycles");
    fixture.assign(robot, page, &["CREATE_CONTENT", "MODERATE_COMMUNITY"]).await;
    assert_eq!(
        newest(&fixture).await,
        "Ada assigned Alder & Pine Cycles to Employee: Create content, Moderate community"
    );
    fixture.assign(robot, page, &["CREATE_CONTENT"]).await;
    assert_eq!(newest(&fixture).await, "Ada changed what Employee may do on Alder & Pine Cycles: Create content");
    let robot_call = company.robot_token.call();
    let made = service.create_post(&robot_call, publish(page), page, post("Spring")).await.unwrap().value.id;
    assert_eq!(newest(&fixture).await, "Employee published the post N on Alder & Pine Cycles");
    service.update_post(&robot_call, publish(page), made, post("Summer")).await.unwrap();
    assert_eq!(newest(&fixture).await, "Employee changed the post N on Alder & Pine Cycles");
    service.delete_post(&robot_call, publish(page), made).await.unwrap();
    assert_eq!(newest(&fixture).await, "Employee deleted the post N on Alder & Pine Cycles");
    service.share(ada, page, fixture.agency.business, tasks(&["ADVERTISE"])).await.unwrap();
    assert_eq!(newest(&fixture).await, "Ada shared Alder & Pine Cycles with Laut: Advertise");
    service.share(ada, page, fixture.agency.business, tasks(&["ANALYZE"])).await.unwrap();
    assert_eq!(newest(&fixture).await, "Ada changed what Laut may do on Alder & Pine Cycles: Analyze");
    // The partner's people are not named to the owner.
    service.unshare(&fixture.agency.person, page, fixture.agency.business).await.unwrap();
    assert_eq!(newest(&fixture).await, "A person of Laut ended the share of Alder & Pine Cycles with Laut");
    service.unassign(ada, page, robot).await.unwrap();
    assert_eq!(newest(&fixture).await, "Ada took Alder & Pine Cycles away from Employee");
    let edit = SystemUserEdit { name: Some(name("Poster")), ..SystemUserEdit::default() };
    service.update_system_user(ada, robot, edit).await.unwrap();
    assert_eq!(newest(&fixture).await, "Ada renamed the system user Employee to Poster");
    for (status, said) in [(Status::Deactivated, "deactivated"), (Status::Active, "activated")] {
        let edit = SystemUserEdit { status: Some(status), ..SystemUserEdit::default() };
        service.update_system_user(ada, robot, edit).await.unwrap();
        assert_eq!(newest(&fixture).await, format!("Ada {said} the system user Poster"));
    }
    service.revoke_token(ada, company.robot_token.id).await.unwrap();
    assert_eq!(newest(&fixture).await, "Ada revoked a token of Poster, for the app Publisher");
    service.revoke_tokens(ada, company.root, None).await.unwrap();
    assert_eq!(newest(&fixture).await, "Ada revoked 1 token of Manager, for the app Publisher");
    let edit = AppEdit { name: Some(name("Workshop Desk")), demands_proof: Some(true), ..AppEdit::default() };
    service.update_app(ada, app, edit).await.unwrap();
    assert_eq!(
        newest(&fixture).await,
        "Ada renamed the app Publisher to Workshop Desk and made the app Workshop Desk demand a proof"
    );
    service.rotate_app_secret(ada, app, 60).await.unwrap();
    assert_eq!(newest(&fixture).await, "Ada gave the app Workshop Desk a new secret");
    service.uninstall_app(ada, robot, app, false).await.unwrap();
    assert_eq!(newest(&fixture).await, "Ada took the app Workshop Desk off Poster");
    service.disconnect_app(ada, company.business, app).await.unwrap();
    assert_eq!(newest(&fixture).await, "Ada disconnected the app Workshop Desk");
    service.connect_app(ada, company.business, app).await.unwrap();
    assert_eq!(newest(&fixture).await, "Ada connected the app Workshop Desk");
    service.delete_system_user(ada, robot).await.unwrap();
    assert_eq!(newest(&fixture).await, "Ada deleted the system user Poster");
    let edit = BusinessEdit { name: Some(name("Rad & Co")), strict_visibility: Some(true), ..BusinessEdit::default() };
    service.update_business(ada, company.business, edit).await.unwrap();
    assert_eq!(newest(&fixture).await, "Ada renamed the business Rad to Rad & Co and changed its settings");
}

#[tokio::test]
async fn people_come_and_go_in_sentences() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let ada = &company.person;
    let bo = service.create_person(ada, company.business, name("Bo"), "bo@rad.example", Role::Employee).await;
    let bo = bo.unwrap().value;
    assert_eq!(newest(&fixture).await, "Ada added Bo as EMPLOYEE");
    let edit = PersonEdit { name: Some(name("Bo B")), role: Some(Role::Admin), ..PersonEdit::default() };
    service.update_person(ada, bo, edit).await.unwrap();
    assert_eq!(newest(&fixture).await, "Ada renamed Bo to Bo B and changed the role of Bo B from EMPLOYEE to ADMIN");
    let edit = PersonEdit { status: Some(Status::Deleted), ..PersonEdit::default() };
    service.update_person(ada, bo, edit).await.unwrap();
    assert_eq!(newest(&fixture).await, "Ada removed Bo B");
}

#[tokio::test]
async fn before_and_after_are_words_and_hold_no_secret() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    fixture.assign(company.robot, company.page, &["ANALYZE"]).await;
    let activity = all(&fixture, &company.person, &ActivityFilter::default()).await;
    let ActivityDetail::Known(changes) = &activity.lines[0].detail else { panic!("{:?}", activity.lines[0]) };
    let record = &changes.records[0];
    assert_eq!(record.record.text(), "the assignment of the Page Asset to Employee");
    let field = &record.fields[0];
    let text = |side: &Option<valetkey_service::activity::Phrase>| side.as_ref().map(|p| p.text());
    assert_eq!(
        (field.label, text(&field.before).as_deref(), text(&field.after).as_deref()),
        ("Tasks", Some("Create content"), Some("Analyze"))
    );
    assert_eq!(record.fields.len(), 1);
    let secret = service.rotate_app_secret(&company.person, company.app, 60).await.unwrap().value;
    let activity = all(&fixture, &company.person, &ActivityFilter::default()).await;
    let shown = format!("{activity:?}");
    assert!(shown.contains("Secret") && shown.contains("a new one"));
    let digest = valetkey_domain::credential::Digest::of(&company.root_token.text);
    let sealed = fixture.ground.store.tail_before(u64::MAX, 1).await.unwrap().remove(0).payload().unwrap();
    let sealed = serde_json::to_value(&sealed.changes).unwrap();
    let sealed = sealed[0]["after"]["app"]["secret"].as_str().unwrap().to_owned();
    for hidden in [&secret, &company.secret, &company.root_token.text, &digest.to_hex(), &sealed] {
        assert!(!shown.contains(hidden.as_str()));
    }
}

#[tokio::test]
async fn only_an_admin_reads_it_and_only_of_its_own_business() {
    let fixture = fixture().await;
    let (service, company, agency) = (&fixture.service, &fixture.company, &fixture.agency);
    let open = ActivityFilter::default();
    let own = ActivityFilter { business: Some(company.business), ..ActivityFilter::default() };
    let refused = service.activity(&company.robot_token.call(), &open, None, 9).await.unwrap_err();
    assert_eq!(refused.reason, Reason::RoleInsufficient);
    let refused = service.activity_export(&company.robot_token.call(), open.clone(), ExportFormat::Csv).unwrap_err();
    assert_eq!(refused.reason, Reason::RoleInsufficient);
    let refused = service.activity(&agency.person, &own, None, 9).await.unwrap_err();
    assert_eq!(refused.reason, Reason::NotVisible);
    let foreign = all(&fixture, &agency.person, &open).await;
    assert!(foreign.lines.iter().all(|line| line.business == Some(agency.business)));
    let shown = format!("{foreign:?}");
    for id in [company.business.any(), company.robot.any(), company.page.any(), company.admin_person.any()] {
        assert!(!shown.contains(&id.to_string()));
    }
    // The operator reads all, and one business where it names it.
    let everything = all(&fixture, &operator(), &open).await;
    assert!(everything.lines.len() > foreign.lines.len());
    let one = all(&fixture, &operator(), &own).await;
    assert!(one.lines.iter().all(|line| line.business == Some(company.business)));
}

#[tokio::test]
async fn a_partner_learns_no_new_name_once_the_share_has_ended() {
    let fixture = fixture().await;
    let (service, company, agency) = (&fixture.service, &fixture.company, &fixture.agency);
    service.share(&company.person, company.page, agency.business, tasks(&["ANALYZE"])).await.unwrap();
    service.assign(&agency.person, company.page, agency.robot, tasks(&["ANALYZE"])).await.unwrap();
    let newest = |activity: Activity| activity.lines[0].sentence.text();
    let open = ActivityFilter::default();
    assert_eq!(newest(all(&fixture, &agency.person, &open).await), "Ada assigned Asset to Employee: Analyze");
    service.unshare(&company.person, company.page, agency.business).await.unwrap();
    let question = rights::MANAGE_PAGE.on_asset(company.page, AssetKind::Page);
    service.rename_asset(&company.person, question, company.page, name("Takeover")).await.unwrap();
    let said = masked(&newest(all(&fixture, &agency.person, &open).await));
    assert_eq!(said, "Ada assigned the Page N to Employee: Analyze");
}

#[tokio::test]
async fn filters_leave_out_and_pages_join() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let ada = &company.person;
    let midway = service.now() + HOUR_MS;
    fixture.ground.clock.set(midway);
    fixture.assign(company.robot, company.page, &["ANALYZE"]).await;
    service.revoke_token(ada, company.robot_token.id).await.unwrap();
    let whole = all(&fixture, ada, &ActivityFilter::default()).await;
    for limit in [1, 2, 7, 100] {
        let (mut joined, mut before) = (Vec::new(), None);
        loop {
            let page = service.activity(ada, &ActivityFilter::default(), before, limit).await.unwrap();
            assert!(page.lines.len() <= limit);
            joined.extend(page.lines);
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        let revisions = |lines: &[valetkey_service::activity::ActivityLine]| {
            lines.iter().map(|line| line.revision).collect::<Vec<_>>()
        };
        assert_eq!(revisions(&joined), revisions(&whole.lines), "{limit}");
    }
    let filtered = async |filter: ActivityFilter| sentences(&all(&fixture, ada, &filter).await);
    let none = ActivityFilter::default;
    let by = filtered(ActivityFilter { by: Some(ActivityActor::Operator), ..none() }).await;
    assert_eq!(by.len(), 2);
    let by = filtered(ActivityFilter { by: Some(ActivityActor::Id(company.robot.any())), ..none() }).await;
    assert_eq!(by, Vec::<String>::new());
    let access = filtered(ActivityFilter { group: Some(ActivityGroup::Access), ..none() }).await;
    assert_eq!(access, ["Ada assigned Asset to Employee: Analyze"]);
    let about = filtered(ActivityFilter { about: Some(company.robot.any()), ..none() }).await;
    assert_eq!(
        about,
        [
            // It is not the subject of this entry, but the token is its own.
            "Ada revoked a token of Employee, for the app Publisher",
            "Ada assigned Asset to Employee: Analyze",
            "Ada issued a token for Employee, for the app Publisher",
            "Ada installed the app Publisher on Employee",
            "Ada created the system user Employee as EMPLOYEE",
        ]
    );
    let text = filtered(ActivityFilter { text: Some("SIGNED IN".to_owned()), ..none() }).await;
    assert_eq!(text, ["Ada signed in with a single-use code"]);
    let since = filtered(ActivityFilter { since: Some(midway), ..none() }).await;
    assert_eq!(since.len(), 2);
    let until = filtered(ActivityFilter { until: Some(midway), ..none() }).await;
    assert_eq!(until.len(), whole.lines.len() - 2);
    let early = filtered(ActivityFilter { until: Some(midway - 100 * HOUR_MS), ..none() }).await;
    assert_eq!(early, Vec::<String>::new());
}

#[tokio::test]
async fn an_export_is_whole_safe_and_says_where_it_was_cut() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let ada = &company.person;
    let formula = name("=HYPERLINK(\"http://evil.example\")");
    let edit = PersonEdit { name: Some(formula), ..PersonEdit::default() };
    service.update_person(ada, company.admin_person, edit).await.unwrap();
    let whole = all(&fixture, ada, &ActivityFilter::default()).await;
    let read = async |format: ExportFormat, most: usize| {
        let mut export = service.activity_export(ada, ActivityFilter::default(), format).unwrap().at_most(most);
        let mut text = String::new();
        while let Some(part) = export.next_part().await.unwrap() {
            text.push_str(&part);
        }
        (text, export.lines(), export.cut_before())
    };
    let (csv, lines, cut) = read(ExportFormat::Csv, 1_000).await;
    assert_eq!((lines, cut), (whole.lines.len(), None));
    assert_eq!(csv.matches("\r\n").count(), lines + 1);
    assert!(csv.starts_with("\"time\",\"revision\","));
    assert!(csv.contains(",\"'=HYPERLINK(\"\"http://evil.example\"\")\","), "{csv}");
    assert!(!csv.contains("\"=HYPERLINK"), "{csv}");
    let (json, lines, _) = read(ExportFormat::JsonLines, 1_000).await;
    let rows: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((rows.len(), rows[0]["revision"].as_u64()), (lines, Some(whole.lines[0].revision)));
    assert_eq!(rows[1]["action"], "token_issued");
    assert_eq!(rows[1]["subjects"].as_array().unwrap().len(), 3);
    for format in [ExportFormat::Csv, ExportFormat::JsonLines] {
        let (text, lines, cut) = read(format, 3).await;
        assert_eq!((lines, cut), (3, Some(whole.lines[2].revision)));
        assert!(text.lines().last().unwrap().contains("cut at 3 lines"), "{text}");
    }
}
