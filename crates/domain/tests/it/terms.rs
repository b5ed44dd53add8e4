//! The terms: which text is in force, and what its ledger entry says.

use valetkey_authz::model::Model;
use valetkey_domain::credential::Digest;
use valetkey_domain::noun::terms::{DEFAULT_TEXT, Terms};
use valetkey_domain::rules::terms;
use valetkey_domain::{Caller, IdSource, Planner, Record};
use valetkey_testkit::random::SeededRandom;

/// Before the operator's first text ours are in force, though no record holds them.
#[test]
fn the_first_new_terms_say_which_text_they_replace() {
    let (model, mut ids, mut random) = (Model::default(), IdSource::new(0), SeededRandom::new(1));
    let mut planner = Planner::new(&model, 1, &mut ids, &mut random);
    let set = terms::replace(&mut planner, &Caller::Operator, "Ask before you post.").unwrap();
    assert_eq!(set.changes[0].before, Some(Record::Terms(Terms::default())));
}

/// Businesses have accepted this text as version 1. Another text needs a higher version.
#[test]
fn version_1_of_the_terms_keeps_its_text() {
    let accepted = "cd69368f30e52f2d77f950eedc2c8f1f3fb73fb41b80c76b07c310328c4c7226";
    assert_eq!((Terms::default().version, Digest::of(DEFAULT_TEXT).to_hex().as_str()), (1, accepted));
}
