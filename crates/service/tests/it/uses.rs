//! The uses of a token: visible at once, and after they are written.

use valetkey_domain::{AssetKind, Reason, Scope};
use valetkey_service::authz::Question;
use valetkey_service::store::faulty::{Call as Kind, Fault};
use valetkey_service::store::telemetry::day_of;
use valetkey_service::store::{Usage, UsedFor};
use valetkey_service::uses::{TokenUsage, UsedFrom};
use valetkey_service::{Call, rights};

use crate::fixture::{Fixture, fixture, publish};

const ALL: (i64, i64) = (i64::MIN, i64::MAX);
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A call of the robot from somewhere.
fn robot(fixture: &Fixture, ip: &str, agent: &str) -> Call {
    let source = (Some(ip.parse().unwrap()), Some(agent.to_owned()));
    Call::with_token(&fixture.company.robot_token.text, "u").with_source(source.0, source.1)
}

/// One call that asks some questions.
fn used(fixture: &Fixture, ip: &str, agent: &str, questions: &[Question]) {
    let call = robot(fixture, ip, agent);
    for question in questions {
        fixture.service.ask(&call, *question).unwrap();
    }
    fixture.service.finish(&call);
}

async fn usage(fixture: &Fixture) -> TokenUsage {
    let token = fixture.company.robot_token.id;
    fixture.service.token_usage(&Call::operator("x"), token, ALL, None, 100).await.unwrap().into_inner()
}

fn read_ads(fixture: &Fixture) -> Question {
    rights::READ_ADS.on_asset(fixture.company.account, AssetKind::AdAccount)
}

#[tokio::test]
async fn each_right_of_a_token_has_a_row_for_each_day() {
    let fixture = fixture().await;
    let company = &fixture.company;
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    fixture.assign(company.robot, company.account, &["ANALYZE"]).await;
    let (post, ads) = (publish(company.page), read_ads(&fixture));
    let today = fixture.service.now();
    used(&fixture, "192.0.2.1", "one/1", &[post, post]);
    used(&fixture, "192.0.2.2", "two/2", &[post, ads]);
    let mut expected = Vec::new();
    for (scope, asset, kind, word) in [
        ("pages_manage_posts", company.page, AssetKind::Page, "CREATE_CONTENT"),
        ("ads_read", company.account, AssetKind::AdAccount, "ANALYZE"),
    ] {
        let tasks = valetkey_domain::task::Vocabulary::of(kind, None).unwrap();
        let task = tasks.parse(word).map(|set| set.0.trailing_zeros() as u8);
        let what = UsedFor::Right { scope: Scope::parse(scope), asset: Some(asset), task };
        expected.push(Usage {
            token: company.robot_token.id,
            day: day_of(today),
            what,
            first_at: today,
            last_at: today,
            ip: "192.0.2.2".to_owned(),
            user_agent: "two/2".to_owned(),
            count: if scope == "ads_read" { 1 } else { 2 },
        });
    }
    // In memory, and in the store.
    let waiting = usage(&fixture).await;
    assert_eq!((waiting.rows, waiting.written_until), (expected.clone(), None));
    fixture.flush().await;
    let written = usage(&fixture).await;
    assert_eq!((written.rows, written.written_until, written.as_of), (expected.clone(), Some(today), today));
    // Both are added up.
    fixture.ground.clock.advance_ms(10);
    used(&fixture, "192.0.2.3", "three/3", &[post]);
    let both = usage(&fixture).await;
    assert_eq!((both.as_of, both.written_until), (today + 10, Some(today)));
    let (ip, user_agent) = ("192.0.2.3".to_owned(), "three/3".to_owned());
    expected[0] = Usage { count: 3, last_at: today + 10, ip, user_agent, ..expected[0].clone() };
    assert_eq!(both.rows, expected);
    fixture.flush().await;
    assert_eq!(usage(&fixture).await.rows, expected);
    // Another day has rows of its own.
    fixture.ground.clock.advance_ms(DAY_MS);
    used(&fixture, "192.0.2.3", "three/3", &[post]);
    let rows = usage(&fixture).await.rows;
    assert_eq!((rows.len(), rows[0].day, rows[0].count), (3, day_of(today) + 1, 1));
}

#[tokio::test]
async fn rows_are_kept_for_ninety_days() {
    let fixture = fixture().await;
    let company = &fixture.company;
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    used(&fixture, "192.0.2.1", "one/1", &[publish(company.page)]);
    fixture.flush().await;
    fixture.ground.clock.advance_ms(90 * DAY_MS);
    fixture.flush().await;
    assert_eq!(usage(&fixture).await.rows.len(), 1);
    fixture.ground.clock.advance_ms(DAY_MS);
    fixture.flush().await;
    assert!(usage(&fixture).await.rows.is_empty());
}

#[tokio::test]
async fn the_use_of_a_token_is_shown_to_whoever_may_read_the_token() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let (root, robot) = (&company.root_token, &company.robot_token);
    for (by, token, answer) in [
        (company.person.clone(), root.id, None),
        (root.call(), robot.id, None),
        (robot.call(), robot.id, None),
        (Call::operator("x"), robot.id, None),
        (robot.call(), root.id, Some(Reason::RoleInsufficient)),
        (fixture.agency.person.clone(), robot.id, Some(Reason::NotVisible)),
        (fixture.agency.root_token.call(), root.id, Some(Reason::NotVisible)),
    ] {
        let shown = service.token_usage(&by, token, ALL, None, 10).await;
        assert_eq!(shown.err().map(|no| no.reason), answer, "{by:?} {token}");
    }
}

#[tokio::test]
async fn the_check_path_notes_what_it_allowed() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    let question = publish(company.page);
    let from = UsedFrom { ip: Some("2001:db8::1".parse().unwrap()), user_agent: Some("proxy\u{1b}[2J") };
    for _ in 0..3 {
        let (view, decision) = service.check(&company.robot_token.text, None, question);
        let allowed = decision.into_result().unwrap();
        service.note_use(&view, [valetkey_service::uses::used_for(&question, &allowed)], from, service.now());
    }
    let rows = usage(&fixture).await.rows;
    assert_eq!((rows.len(), rows[0].count), (1, 3));
    assert_eq!((rows[0].ip.as_str(), rows[0].user_agent.as_str()), ("2001:db8::1", "proxy?[2J"));
    let listed = service.get_token(&company.person, company.robot_token.id).await.unwrap();
    assert_eq!(listed.last_used.map(|used| used.count), Some(3));
}

#[tokio::test]
async fn refusals_wait_for_a_store_that_fails() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    fixture.flush().await;
    let call = Call::with_token(&company.robot_token.text, "R1");
    service.ask(&call, publish(company.page)).unwrap_err();
    // The next write fails: the fixture's uses are written already, so it is that of the journal.
    fixture.ground.faulty.fail_next(Kind::Telemetry, Fault::Before);
    fixture.flush().await;
    assert!(service.explain(&Call::operator("x"), "R1").await.is_ok());
    fixture.flush().await;
    assert!(fixture.ground.store.refusal("R1").await.unwrap().is_some());
    assert!(service.explain(&Call::operator("x"), "R1").await.is_ok());
}
