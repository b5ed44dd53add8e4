//! Who can do what: what the lists say is what the decision says.

use valetkey_domain::{AssetKind, Reason, TaskSet};
use valetkey_service::access::{AccessFilter, Path, Row, Rows, UserSort, Whose, Window};
use valetkey_service::authz::Decision;
use valetkey_service::rights;

use crate::fixture::{fixture, tasks};

const ALL: Window = Window { offset: 0, limit: 200 };

#[tokio::test]
async fn the_lists_say_what_the_decision_says() {
    let fixture = fixture().await;
    let (service, company, agency) = (&fixture.service, &fixture.company, &fixture.agency);
    fixture.assign(company.robot, company.page, &["ADVERTISE"]).await;
    service.share(&company.person, company.page, agency.business, tasks(&["ADVERTISE", "MODERATE"])).await.unwrap();
    service.assign(&agency.person, company.page, agency.robot, tasks(&["MODERATE"])).await.unwrap();
    for (firm, tokens) in [
        (company, [(company.root, &company.root_token), (company.robot, &company.robot_token)]),
        (agency, [(agency.root, &agency.root_token), (agency.robot, &agency.robot_token)]),
    ] {
        let page =
            service.access_page(&firm.person, firm.business, &AccessFilter::default(), ALL, ALL).unwrap().into_inner();
        for (user, token) in tokens {
            let at = page.rows.iter().position(|r| matches!(r, Row::User { id, .. } if *id == user)).unwrap();
            let reach = service.reach_of_user(&firm.person, user, 1000, None).unwrap().into_inner();
            for asset in [company.page, company.account, agency.page, agency.account] {
                let head = page.heads.iter().position(|head| head.id == asset);
                let shown = head.and_then(|head| page.cells[at][head].as_ref());
                let question = rights::OPEN.on_asset(asset, AssetKind::Page);
                let decided = match service.check(&token.text, None, question).1 {
                    Decision::Allow(allowed) => allowed.held,
                    Decision::Deny(_) => TaskSet::EMPTY,
                };
                let listed = shown.map_or(TaskSet::EMPTY, |held| held.tasks);
                // An ADMIN of the owner holds every bit; only those that have a name are listed.
                let is_same = listed == decided || decided == TaskSet::ALL && decided.covers(listed);
                assert!(is_same, "{asset}: {listed:?} is listed, {decided:?} decided");
                assert_eq!(listed.is_empty(), decided.is_empty(), "{asset}");
                assert_eq!(reach.rows.iter().any(|r| r.asset.id == asset), !decided.is_empty(), "{asset}");
            }
        }
    }
}

#[tokio::test]
async fn partners_are_shown_as_a_whole_to_the_owner_and_not_to_each_other() {
    let fixture = fixture().await;
    let (service, company, agency) = (&fixture.service, &fixture.company, &fixture.agency);
    service.share(&company.person, company.page, agency.business, tasks(&["MANAGE"])).await.unwrap();
    service.assign(&agency.person, company.page, agency.robot, tasks(&["MODERATE"])).await.unwrap();
    let on = service.paths_to_asset(&company.person, company.page, 1000, None).unwrap().into_inner();
    let ids: Vec<_> = on.rows.iter().map(|row| row.who.id()).collect();
    assert!(ids.contains(&agency.business.any()) && ids.is_sorted());
    assert!(![agency.root, agency.robot, agency.admin_person].iter().any(|user| ids.contains(&user.any())));
    let partner = on.rows.iter().find(|row| matches!(row.who, Whose::Partner { .. })).unwrap();
    assert!(matches!(partner.held.path, Path::Share { by: Some(by), .. } if by == company.admin_person));
    let theirs = service.paths_to_asset(&agency.person, company.page, 1000, None).unwrap().into_inner();
    assert!(theirs.rows.iter().all(|row| matches!(&row.who, Whose::User(user) if user.business == agency.business)));
    // The owner's account is not shared, so the partner may not even know of it.
    let hidden = service.paths_to_asset(&agency.person, company.account, 1000, None).unwrap_err();
    assert_eq!(hidden.reason, Reason::NotVisible);
}

#[tokio::test]
async fn who_does_not_manage_sees_its_own_row() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    fixture.assign(company.robot, company.page, &["MODERATE"]).await;
    let call = company.robot_token.call();
    let own = service.paths_to_asset(&call, company.page, 1000, None).unwrap().into_inner();
    assert_eq!(own.rows.iter().map(|row| row.who.id()).collect::<Vec<_>>(), [company.robot.any()]);
    let page = service.access_page(&call, company.business, &AccessFilter::default(), ALL, ALL).unwrap().into_inner();
    assert!(matches!(page.rows[..], [Row::User { id, .. }] if id == company.robot));
    let other = service.reach_of_user(&call, company.root, 1000, None).unwrap_err();
    assert_eq!(other.reason, Reason::RoleInsufficient);
    let foreign = service.access_page(&call, fixture.agency.business, &AccessFilter::default(), ALL, ALL);
    assert_eq!(foreign.unwrap_err().reason, Reason::NotVisible);
}

#[tokio::test]
async fn windows_and_filters_keep_the_totals_exact() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    fixture.assign(company.robot, company.page, &["MODERATE"]).await;
    let ask = |filter: AccessFilter, users, assets| {
        service.access_page(&company.person, company.business, &filter, users, assets).unwrap().into_inner()
    };
    let whole = ask(AccessFilter::default(), ALL, ALL);
    // Ada, Employee, Manager; the app, the account and the page.
    assert_eq!((whole.total_rows, whole.total_heads), (3, 3));
    let second = Window { offset: 1, limit: 1 };
    let part = ask(AccessFilter::default(), second, second);
    assert_eq!((part.rows.as_slice(), part.heads.as_slice()), (&whole.rows[1..2], &whole.heads[1..2]));
    assert_eq!(part.cells, [[whole.cells[1][1].clone()]]);
    assert_eq!((part.total_rows, part.total_heads), (3, 3));
    let filter = AccessFilter {
        rows: Rows::Users(UserSort::SystemUser),
        task: Some("MODERATE".to_owned()),
        user_text: Some("EMPLOY".to_owned()),
        ..AccessFilter::default()
    };
    let found = ask(filter, ALL, ALL);
    assert_eq!((found.total_rows, found.total_heads), (1, 1));
    assert!(matches!(found.cells[0][0].as_ref().unwrap().path, Path::Assignment { .. }));
    let state = crate::fixture::reader(service);
    assert_eq!(found.heads[0].name, state.read(|s| s.asset(company.page)).unwrap().unwrap().name);
}
