//! The decision tables and the access matrix, run against a service that loaded their facts from a store.

use valetkey_domain::AssetKind;
use valetkey_service::authz::tables::{Case, Ids, Situation, decisions, named_question, orders, situations, summary};
use valetkey_service::authz::{Decision, Proof};
use valetkey_service::{Call, rights};
use valetkey_testkit::stage::{Stage, Staged};

use crate::fixture::Ground;

/// The answer of the service to the question of a case.
fn ask(service: &valetkey_service::Service, case: &Case, staged: &Staged) -> Decision {
    let question = case.question_about(&staged.ids).proof(Proof::NotSent);
    let Some(text) = &staged.credential else {
        return service.ask(&Call::operator("trace"), question).map_or_else(|r| panic!("{r:?}"), Decision::Allow);
    };
    let proof = match case.question.proof {
        Proof::NotSent => None,
        Proof::Right => Some(staged.proof()),
        Proof::Wrong => Some("0".repeat(64)),
    };
    service.check(text, proof.as_deref(), question).1
}

#[tokio::test]
async fn every_row_and_every_pair_of_failures_holds() {
    let ground = Ground::new().await;
    let mut stage = Stage::new(ground.keys());
    let (mut staged, mut beyond) = (Vec::new(), Vec::new());
    for case in decisions().into_iter().chain(orders()) {
        match stage.set(&case.view) {
            Ok(made) => staged.push((case, made)),
            Err(why) => beyond.push(format!("{}: {why}", case.line)),
        }
    }
    stage.write(&*ground.store).await;
    let service = ground.node(1).await;
    let mut wrong = Vec::new();
    for (case, made) in &staged {
        let got = case.answer(&ask(&service, case, made), &made.ids);
        if got != case.wanted {
            wrong.push(format!("{}: wanted `{}`, got `{got}`", case.line, case.wanted));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{}: {} cases hold", ground.store.engine(), staged.len());
    assert_eq!(beyond, Vec::<String>::new(), "no record says this");
}

/// The rights that the tables name are the service's own.
#[test]
fn the_named_questions_are_the_rights() {
    let ids = Ids::of_tables();
    let own = rights::MANAGE_OR_SELF.on_user(ids.business, ids.user);
    assert_eq!(named_question("MANAGE_OR_SELF", AssetKind::Page, &ids), own);
    let manage = rights::MANAGE_BUSINESS.on_business(ids.business);
    assert_eq!(named_question("MANAGE_BUSINESS", AssetKind::Page, &ids), manage);
    let page = AssetKind::Page;
    assert_eq!(named_question("ASSIGN_PAGE", page, &ids), rights::change_assigned(ids.asset, page));
    assert_eq!(named_question("SHARE_PAGE", page, &ids), rights::share(ids.asset, page));
    for (name, right, kind) in [
        ("PUBLISH", rights::PUBLISH, page),
        ("READ_FEED", rights::READ_FEED, page),
        ("MANAGE_PAGE", rights::MANAGE_PAGE, page),
        ("READ_PAGE_IDENTITY", rights::READ_PAGE_IDENTITY, page),
        ("READ_ADS", rights::READ_ADS, AssetKind::AdAccount),
        ("WRITE_ADS", rights::WRITE_ADS, AssetKind::AdAccount),
        ("MANAGE_ADS", rights::MANAGE_ADS, AssetKind::AdAccount),
        ("READ_CATALOG", rights::READ_CATALOG, AssetKind::Catalog),
        ("MANAGE_CATALOG", rights::MANAGE_CATALOG, AssetKind::Catalog),
        ("READ_PIXEL", rights::READ_PIXEL, AssetKind::Pixel),
        ("EDIT_PIXEL", rights::EDIT_PIXEL, AssetKind::Pixel),
    ] {
        assert_eq!(named_question(name, kind, &ids), right.on_asset(ids.asset, kind), "{name}");
    }
}

#[tokio::test]
async fn kind_by_task_by_relation_by_role() {
    let ground = Ground::new().await;
    let mut stage = Stage::new(ground.keys());
    let staged: Vec<_> = situations().into_iter().map(|at| (stage.set(&at.view).unwrap(), at)).collect();
    stage.write(&*ground.store).await;
    let service = ground.node(1).await;
    let mut letters = Vec::new();
    for (made, at) in &staged {
        for asked in &at.tasks {
            let question = at.question(asked, made.ids.asset);
            let got = Situation::letter(&service.check(made.credential.as_deref().unwrap(), None, question).1);
            let Situation { word, relation, role, held, .. } = at;
            assert_eq!(got, at.wanted(asked), "{word} {relation} {role}: has {held}, asked for {asked}");
            letters.push((at.clone(), got));
        }
    }
    println!("over {}\n{}", ground.store.engine(), summary(letters.into_iter()));
}
