//! Refusals explained for people: the sentence with names, each check then and now, and what mends it.

use valetkey_domain::rules::token::Lifetime;
use valetkey_domain::{AssetKind, Reason, Role, ScopeSet};
use valetkey_service::explain::{Answer, Check, Explained, Mend, Outcome, Path, RefusalFilter, WhoSort};
use valetkey_service::found_token::FoundText;
use valetkey_service::journal::KEPT;
use valetkey_service::{Call, rights};
use valetkey_store::RefusalRow;
use valetkey_testkit::company;

use crate::fixture::{Fixture, fixture, name, publish, tasks};

fn traced(fixture: &Fixture, trace: &str) -> Call {
    Call::with_token(&fixture.company.robot_token.text, trace)
}

async fn explained(fixture: &Fixture, trace: &str) -> Explained {
    fixture.service.explain_refusal(&fixture.company.root_token.call(), trace).await.unwrap()
}

fn shown(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Passed(found) => format!("+ {}", found.text),
        Outcome::Failed(found) => format!("x {}", found.text),
        Outcome::NotAsked => "-".to_owned(),
    }
}

fn column(explained: &Explained, side: impl Fn(&valetkey_service::explain::CheckRow) -> &Outcome) -> Vec<String> {
    explained.checks.iter().map(|row| shown(side(row))).collect()
}

#[tokio::test]
async fn a_missing_task_is_explained_with_names_and_passes_once_it_is_granted() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    fixture.assign(company.robot, company.account, &["ANALYZE"]).await;
    let change = rights::WRITE_ADS.on_asset(company.account, AssetKind::AdAccount);
    service.ask(&traced(&fixture, "E1"), change).unwrap_err();
    let before = explained(&fixture, "E1").await;
    assert_eq!(
        before.said.whole,
        "Employee could not change the campaigns of Asset, because it has View performance on Asset and this needs \
         Manage campaigns."
    );
    assert_eq!(before.said.because, "Needs Manage campaigns on Asset");
    assert_eq!((before.who.sort, before.who.role), (WhoSort::SystemUser, Some(Role::Employee)));
    assert_eq!(before.token.as_ref().unwrap().app_name.as_deref(), Some("Publisher"));
    let titles: Vec<&str> = before.checks.iter().map(|row| row.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "Token is live",
            "Proof of the app's secret",
            "Ad account is visible",
            "Scope",
            "Task Manage campaigns",
            "Limits and rules"
        ]
    );
    let refused = ["+ Never ends", "+ Not demanded", "+ Assigned", "+ ads_management", "x Only View performance", "-"];
    assert_eq!(column(&before, |row| &row.then), refused);
    assert_eq!(column(&before, |row| &row.now), refused);
    assert_eq!(before.now, Answer::Refused(Reason::TaskMissing));
    let added = tasks(&["ADVERTISE"]);
    let all = tasks(&["ADVERTISE", "ANALYZE"]);
    assert_eq!(before.mend, Mend::Assign { user: company.robot, asset: company.account, task_names: all, added });
    let command = format!("valetkey assignment assign {} {} ADVERTISE,ANALYZE", company.account, company.robot);
    assert_eq!(before.mend.command(), Some(command));

    fixture.assign(company.robot, company.account, &["ADVERTISE"]).await;
    let after = explained(&fixture, "E1").await;
    assert_eq!((after.now, after.now_because.clone(), after.mend.clone()), (Answer::Passes, None, Mend::None));
    assert_eq!(after.said, before.said);
    assert_eq!(column(&after, |row| &row.then), refused);
    assert_eq!(column(&after, |row| &row.now)[4..], ["+ Manage campaigns", "+ Nothing in the way"]);
}

#[tokio::test]
async fn scopes_and_dead_tokens_are_mended_by_a_new_token() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let scopes = ScopeSet::of(&["ads_read"]);
    let narrow =
        company::issue(service, &company.person, company.robot, company.app, scopes, Lifetime::Never).await.unwrap();
    let change = rights::WRITE_ADS.on_asset(company.account, AssetKind::AdAccount);
    service.ask(&Call::with_token(&narrow.text, "E2"), change).unwrap_err();
    let lacks = explained(&fixture, "E2").await;
    assert_eq!(lacks.said.because, "Token lacks ads_management");
    assert_eq!(column(&lacks, |row| &row.now)[2..5], ["+ Owned by the business", "x Lacks ads_management", "-"]);
    let Mend::Scope { user, app, scopes } = lacks.mend else { panic!("{:?}", lacks.mend) };
    assert_eq!((user, app), (company.robot, company.app));
    assert!(scopes.covers(ScopeSet::of(&["ads_read", "ads_management"])), "{scopes:?}");

    service.revoke_token(&company.person, company.robot_token.id).await.unwrap();
    service.ask(&traced(&fixture, "E3"), publish(company.page)).unwrap_err();
    let dead = explained(&fixture, "E3").await;
    assert_eq!(dead.said.short, "Employee could not publish on Asset");
    assert_eq!(column(&dead, |row| &row.now), ["x Token revoked", "-", "-", "-", "-", "-"]);
    assert!(matches!(dead.mend, Mend::Issue { user, .. } if user == company.robot));
}

#[tokio::test]
async fn nothing_is_shown_of_what_can_not_be_seen() {
    let fixture = fixture().await;
    let (service, company, agency) = (&fixture.service, &fixture.company, &fixture.agency);
    service.share(&company.person, company.page, agency.business, tasks(&["ANALYZE"])).await.unwrap();
    let robot = |trace: &str| Call::with_token(&agency.robot_token.text, trace);
    service.ask(&robot("W1"), publish(company.page)).unwrap_err();
    let admin = agency.root_token.call();
    let shared = service.explain_refusal(&admin, "W1").await.unwrap();
    assert_eq!(shared.subject.as_ref().unwrap().name.as_deref(), Some("Asset"));
    assert!(matches!(&shared.mend, Mend::Share { partner, .. } if *partner == agency.business), "{:?}", shared.mend);
    service.unshare(&company.person, company.page, agency.business).await.unwrap();
    service.ask(&robot("W2"), publish(company.page)).unwrap_err();
    // It was seen then, so that it ended may be told; its name may not.
    let ended = service.explain_refusal(&admin, "W1").await.unwrap();
    assert_eq!(ended.now, Answer::Refused(Reason::ShareEnded));
    assert_eq!(ended.subject.as_ref().unwrap().name, None);
    assert!(!format!("{:?}", (&ended.said, &ended.checks)).contains("Asset "), "{:?}", ended.said);
    // The one that came after the end does not exist for the agency, nor anything for others.
    for (by, trace) in [(&admin, "W2"), (&admin, "never"), (&company.root_token.call(), "W1")] {
        assert_eq!(service.explain_refusal(by, trace).await.unwrap_err().reason, Reason::Invalid, "{trace}");
    }
    let employee = service.explain_refusal(&robot("x"), "W1").await.unwrap_err();
    assert_eq!(employee.reason, Reason::RoleInsufficient);
    let page = service.refusals_page(&admin, &RefusalFilter::default(), None, 99).await.unwrap();
    assert!(page.rows.iter().all(|line| line.trace != "W2"));
    assert!(service.explain_refusal(&Call::operator("x"), "W2").await.is_ok());
}

#[tokio::test]
async fn what_a_rule_refused_is_known_again_only_where_the_rule_is_plain() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let root = company.root_token.call();
    let again = root.with_trace("L1".to_owned());
    service.create_person(&again, company.business, name("Ada"), "ada@rad.example", Role::Admin).await.unwrap_err();
    let by_rule = explained(&fixture, "L1").await;
    assert_eq!((by_rule.now, by_rule.mend.clone()), (Answer::Unknown, Mend::None));
    assert_eq!(by_rule.said.short, "Manager could not manage Rad");
    assert!(shown(&by_rule.checks[5].then).starts_with("x "), "{by_rule:?}");
    assert_eq!(shown(&by_rule.checks[4].then), "+ Has the role ADMIN");
    // New terms stop new system users until they are accepted.
    service.replace_terms(&Call::operator("x"), "New terms.").await.unwrap();
    let early = root.with_trace("L2".to_owned());
    service.create_system_user(&early, company.business, name("S"), Role::Employee, None).await.unwrap_err();
    let refused = explained(&fixture, "L2").await;
    assert_eq!((refused.now, refused.mend.clone()), (Answer::Refused(Reason::TermsNotAccepted), Mend::AcceptTerms));
    service.accept_terms(&company.person, 2).await.unwrap();
    assert_eq!(explained(&fixture, "L2").await.now, Answer::Passes);
}

#[tokio::test]
async fn a_row_of_an_earlier_version_is_explained_without_a_guess() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let body = serde_json::json!({
        "revision": "3", "reason": "task_missing", "hidden": false, "ip": "192.0.2.7",
        "facts": {
            "token": company.robot_token.id, "type": "SYSTEM_USER", "user": company.robot,
            "business": company.business, "role": "EMPLOYEE", "user_status": "ACTIVE", "app": company.app,
            "app_connected": true, "app_installed": true, "app_demands_proof": false, "scopes": ["ads_management"],
            "issued_scopes": ["ads_management"], "expires_at_ms": null, "revoked_at_ms": null, "page": null,
        },
        "question": {
            "target": {"asset": company.account}, "scopes_one_of": ["ads_management"],
            "need": {"one_of": ["ADVERTISE"]}, "proof": "NotSent",
        },
        "missing": {
            "scopes_one_of": [], "tasks_one_of": ["ADVERTISE"], "held": ["ANALYZE"], "asset": company.account,
        },
        "asset": {"id": company.account, "kind": "ad_account", "reach": "owned", "assigned": ["ANALYZE"]},
    });
    let row = RefusalRow {
        trace: "OLD".to_owned(),
        at: service.now(),
        business: Some(company.business),
        token: Some(company.robot_token.id),
        source: format!("token {}", company.robot_token.id),
        reason: "task_missing".to_owned(),
        body: body.to_string(),
    };
    fixture.ground.store.record_refusals(&[row], KEPT, 0).await.unwrap();
    let old = explained(&fixture, "OLD").await;
    assert_eq!(
        old.said.whole,
        "Employee could not act on Asset, because it has View performance on Asset and this needs Manage campaigns."
    );
    assert_eq!(old.now, Answer::Unknown);
    assert!(matches!(old.mend, Mend::Assign { .. }), "{:?}", old.mend);
}

#[tokio::test]
async fn the_list_counts_the_same_call_and_knows_what_would_pass() {
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let root = company.root_token.call();
    let first_at = service.now();
    for n in 0..3 {
        service.ask(&traced(&fixture, &format!("P{n}")), publish(company.page)).unwrap_err();
        fixture.ground.clock.advance_ms(1_000);
    }
    let change = rights::WRITE_ADS.on_asset(company.account, AssetKind::AdAccount);
    service.ask(&traced(&fixture, "Q"), change).unwrap_err();
    fixture.flush().await;
    let grouped = RefusalFilter { is_grouped: true, ..RefusalFilter::default() };
    let page = service.refusals_page(&root, &grouped, None, 9).await.unwrap();
    let lines: Vec<(&str, u64)> = page.rows.iter().map(|line| (line.trace.as_str(), line.times)).collect();
    assert_eq!(lines, [("Q", 1), ("P2", 3)]);
    assert_eq!((page.rows[1].since, page.all, page.still_refused, page.would_pass), (first_at, 2, 2, 0));
    assert_eq!((explained(&fixture, "P2").await.times, explained(&fixture, "P2").await.since), (3, first_at));
    let each = service.refusals_page(&root, &RefusalFilter::default(), None, 9).await.unwrap();
    assert_eq!(each.rows.len(), 4);
    // Pages miss and repeat nothing.
    let one = service.refusals_page(&root, &grouped, None, 1).await.unwrap();
    assert_eq!((one.rows[0].trace.as_str(), one.next.as_deref()), ("Q", Some("Q")));
    let two = service.refusals_page(&root, &grouped, one.next.as_deref(), 1).await.unwrap();
    assert_eq!((two.rows[0].trace.as_str(), two.next.as_deref()), ("P2", None));
    assert_eq!(service.refusals_page(&root, &grouped, Some("nope"), 1).await.unwrap_err().reason, Reason::Invalid);

    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    let traces = async |filter: RefusalFilter| -> Vec<String> {
        let page = service.refusals_page(&root, &filter, None, 9).await.unwrap();
        page.rows.into_iter().map(|line| line.trace).collect()
    };
    let of = || grouped.clone();
    assert_eq!(traces(RefusalFilter { still_refused: Some(false), ..of() }).await, ["P2"]);
    assert_eq!(traces(RefusalFilter { still_refused: Some(true), ..of() }).await, ["Q"]);
    assert_eq!(traces(RefusalFilter { asset: Some(company.page), ..of() }).await, ["P2"]);
    assert_eq!(traces(RefusalFilter { user: Some(company.root), ..of() }).await, [""; 0]);
    assert_eq!(traces(RefusalFilter { search: Some("CAMPAIGNS of".to_owned()), ..of() }).await, ["Q"]);
    assert_eq!(traces(RefusalFilter { search: Some("P2".to_owned()), ..of() }).await, ["P2"]);
    assert_eq!(traces(RefusalFilter { reason: Some("scope_missing".to_owned()), ..of() }).await, [""; 0]);
}

#[tokio::test]
async fn what_a_user_can_do_is_said_with_its_path() {
    let fixture = fixture().await;
    let (service, company, agency) = (&fixture.service, &fixture.company, &fixture.agency);
    let root = company.root_token.call();
    let ask = |user, task| service.can(&root, user, company.page, task);
    let no = ask(company.robot, Some("CREATE_CONTENT")).unwrap();
    assert_eq!((no.answer, no.path), (Answer::Refused(Reason::AssetNotAssigned), None));
    assert_eq!(
        no.sentence,
        "Employee may not use Content on Asset, because Asset is not assigned to it and this needs Content."
    );
    assert!(matches!(&no.mend, Mend::Assign { task_names, .. } if *task_names == ["CREATE_CONTENT"]), "{:?}", no.mend);
    assert!(no.checks.iter().any(|(check, _, outcome)| *check == Check::Task && shown(outcome) == "x Not assigned"));
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    let yes = ask(company.robot, Some("CREATE_CONTENT")).unwrap();
    assert_eq!((yes.answer, yes.path, yes.mend), (Answer::Passes, Some(Path::Assignment), Mend::None));
    assert_eq!(ask(company.root, None).unwrap().path, Some(Path::Role));
    assert_eq!(ask(company.admin_person, Some("MANAGE")).unwrap().path, Some(Path::Role));
    service.share(&company.person, company.page, agency.business, tasks(&["ANALYZE"])).await.unwrap();
    let agencys = |user, task| service.can(&agency.root_token.call(), user, company.page, task).unwrap();
    assert_eq!(agencys(agency.root, Some("ANALYZE")).path, Some(Path::RoleAndShare));
    assert!(matches!(agencys(agency.root, Some("MANAGE")).mend, Mend::Share { .. }));
    // Users and assets beyond the wall, and words that the kind does not know.
    for (user, asset, reason) in
        [(agency.robot, company.page, Reason::NotVisible), (company.robot, agency.page, Reason::NotVisible)]
    {
        assert_eq!(service.can(&root, user, asset, None).unwrap_err().reason, reason);
    }
    assert_eq!(ask(company.robot, Some("FLY")).unwrap_err().reason, Reason::NotOneOf);
    let by_employee = service.can(&company.robot_token.call(), company.robot, company.page, None).unwrap_err();
    assert_eq!(by_employee.reason, Reason::RoleInsufficient);
}

#[tokio::test]
async fn a_token_is_found_by_its_text_and_revoked() {
    let fixture = fixture().await;
    let (service, company, agency) = (&fixture.service, &fixture.company, &fixture.agency);
    let text = &company.robot_token.text;
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    for by in [&company.person, &company.root_token.call(), &Call::operator("x")] {
        let FoundText::Token(found) = service.find_token_text(by, &format!(" {text}\n")).await.unwrap() else {
            panic!("it is there")
        };
        assert_eq!(found.listed.token.id, company.robot_token.id);
        assert_eq!(found.user_name.as_ref().unwrap().as_str(), "Employee");
        assert_eq!((found.reach_count, found.reach[0].asset), (1, company.page));
        assert_eq!(found.reach[0].tasks, ["CREATE_CONTENT"]);
    }
    let FoundText::Token(chief) = service.find_token_text(&company.person, &company.root_token.text).await.unwrap()
    else {
        panic!("it is there")
    };
    assert_eq!((chief.reach_count, chief.user_role), (2, Some(Role::Admin)));
    // Another business's token, and one that was never issued, look alike.
    assert!(matches!(service.find_token_text(&agency.person, text).await.unwrap(), FoundText::Unknown));
    for malformed in ["", "vkeysu_nonsense", &text[..40]] {
        assert!(matches!(service.find_token_text(&company.person, malformed).await.unwrap(), FoundText::Malformed));
    }
    let employee = service.find_token_text(&company.robot_token.call(), text).await.unwrap_err();
    assert_eq!(employee.reason, Reason::RoleInsufficient);

    let foreign = service.revoke_by_text(&agency.person, text, false).await.unwrap_err();
    assert!(foreign.reason == Reason::UnknownReference && !format!("{foreign:?}").contains(text.as_str()));
    assert_eq!(service.revoke_by_text(&company.person, "x", false).await.unwrap_err().reason, Reason::Invalid);
    let done = service.revoke_by_text(&company.person, text, false).await.unwrap();
    assert_eq!(done.value, (company.robot_token.id, 1));
    assert_eq!(fixture.ask(&company.robot_token, crate::fixture::alive()), "token_revoked");
}
