//! The overlay against folding: a batch that is only planned reads like one that is committed.

use proptest::prelude::*;
use valetkey_authz::Index;
use valetkey_authz::model::Model;
use valetkey_authz::overlay::Overlay;
use valetkey_domain::rules::assignment::{assign, unassign};
use valetkey_domain::rules::{app, asset};
use valetkey_domain::{AssetKind, Caller, ChangeSet, IdSource, Name, Planner, State};
use valetkey_testkit::random::SeededRandom;

use crate::index::commands;
use crate::world::{Ids, Seen, World};

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_planned_batch_reads_like_a_committed_one(seed in any::<u64>(), before in commands(80), batch in commands(40)) {
        let mut world = World::new(seed);
        let (mut model, mut index, mut seen) = (Model::default(), Index::new(), Seen::default());
        for command in World::opening().into_iter().chain(before) {
            if let Some(set) = world.run(&model, command) {
                model.fold(model.revision + 1, &set);
                index.fold(model.revision, &set);
                seen.note(&set);
            }
        }
        let mut folded = model.clone();
        let mut overlay = Overlay::new(&index);
        for command in batch {
            let planned = world.run(&overlay, command);
            if let Some(set) = planned {
                seen.note(&set);
                folded.fold(folded.revision + 1, &set);
                overlay.apply(&set);
            }
            prop_assert_eq!(overlay.businesses(), folded.businesses());
        }
        seen.assert_same(&overlay, &folded, "the batch");
        seen.assert_same(&index, &model, "the index below it is as it was");
    }
}

/// A company after the opening of a history.
fn company() -> (Model, World) {
    let mut world = World::new(5);
    let mut model = Model::default();
    for command in World::opening() {
        if let Some(set) = world.run(&model, command) {
            model.fold(model.revision + 1, &set);
        }
    }
    (model, world)
}

#[test]
fn one_key_may_go_and_come_back_within_a_batch() {
    let (model, _) = company();
    let ids = Ids::of(&model);
    let (user, app_id) = ids.installations[0];
    let business = model.system_user(user).unwrap().business;
    let page = ids
        .assets
        .iter()
        .copied()
        .find(|a| model.asset(*a).is_some_and(|x| x.business == Some(business) && x.kind == AssetKind::Page));
    let page = page.unwrap();
    let tasks = |t: &str| vec![t.to_owned()];
    type Rule = Box<dyn Fn(&mut Planner<'_>) -> ChangeSet>;
    let by = Caller::Operator;
    let steps: Vec<(&str, Rule)> = vec![
        ("assign", Box::new(move |p| assign(p, &by, business, page, user, &tasks("ANALYZE")).unwrap())),
        ("unassign", Box::new(move |p| unassign(p, &by, business, page, user).unwrap())),
        ("assign again", Box::new(move |p| assign(p, &by, business, page, user, &["MANAGE".to_owned()]).unwrap())),
        ("uninstall", Box::new(move |p| app::uninstall(p, &by, user, app_id).unwrap())),
        ("install", Box::new(move |p| app::install(p, &by, user, app_id).unwrap())),
        ("uninstall again", Box::new(move |p| app::uninstall(p, &by, user, app_id).unwrap())),
        ("disconnect", Box::new(move |p| app::disconnect(p, &by, business, app_id).unwrap())),
        ("rename", Box::new(move |p| asset::rename(p, &by, page, Name::parse("New").unwrap()).unwrap())),
    ];
    let (mut ids, mut random, mut seen) = (IdSource::new(9), SeededRandom::new(9), Seen::default());
    let mut folded = model.clone();
    let mut overlay = Overlay::new(&model);
    for (what, rule) in steps {
        let set = rule(&mut Planner::new(&overlay, valetkey_testkit::clock::START_MS, &mut ids, &mut random));
        assert!(!set.changes.is_empty(), "{what}");
        seen.note(&set);
        seen.ids.extend([user.any(), page.any(), app_id.any(), business.any()]);
        folded.fold(folded.revision + 1, &set);
        overlay.apply(&set);
        seen.assert_same(&overlay, &folded, what);
    }
    assert_eq!(overlay.assets_of(user), vec![page]);
    assert!(overlay.installation(user, app_id).is_none());
}
