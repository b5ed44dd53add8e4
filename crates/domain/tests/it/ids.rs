//! Ids and credentials that a planner draws, when the world is against it.

use std::collections::HashSet;

use valetkey_authz::model::Model;
use valetkey_domain::credential::{CredentialKind, Digest};
use valetkey_domain::noun::token::{Token, TokenKind};
use valetkey_domain::{Id, IdKind, IdSource, Planner, Reason, Record, ScopeSet, TokenId};
use valetkey_testkit::clock::START_MS;
use valetkey_testkit::random::{ConstantRandom, NoRandom, SeededRandom};

fn token(id: TokenId, digest: Digest) -> Record {
    Record::Token(Token {
        id,
        digest,
        kind: TokenKind::SystemUser,
        user: Id::of(id.any()),
        business: Id::of(id.any()),
        app: None,
        scopes: ScopeSet::EMPTY,
        created_at: START_MS,
        expires_at: None,
        created_by: None,
        parent: None,
        page: None,
        revoked_at: None,
        purpose: None,
        session: false,
    })
}

#[test]
fn an_id_that_is_taken_is_drawn_again() {
    // Another node with the same start drew the first thousand ids of this millisecond.
    let mut theirs = IdSource::new(77);
    let mut model = Model::default();
    let mut taken = HashSet::new();
    for n in 0u64..1_000 {
        let id = theirs.next(IdKind::Token, START_MS);
        taken.insert(id);
        model.put(token(id, Digest::of(&n.to_string())));
    }
    let (mut ours, mut random) = (IdSource::new(77), SeededRandom::new(1));
    let mut planner = Planner::new(&model, START_MS, &mut ours, &mut random);
    for _ in 0..1_000 {
        assert!(taken.insert(planner.new_id(IdKind::Token)));
    }
}

#[test]
fn a_stuck_generator_makes_one_credential_and_no_second() {
    let (mut ids, mut random) = (IdSource::new(0), ConstantRandom(7));
    let mut model = Model::default();
    let first =
        Planner::new(&model, START_MS, &mut ids, &mut random).new_credential(CredentialKind::SystemUser).unwrap();
    model.put(token(Id::new(5).unwrap(), first.digest()));
    let again = Planner::new(&model, START_MS, &mut ids, &mut random).new_credential(CredentialKind::SystemUser);
    assert_eq!(again.unwrap_err().reason, Reason::Fault);
}

#[test]
fn no_random_bytes_no_credential() {
    let (mut ids, mut random, model) = (IdSource::new(0), NoRandom, Model::default());
    let made = Planner::new(&model, START_MS, &mut ids, &mut random).new_credential(CredentialKind::User);
    assert_eq!(made.unwrap_err().reason, Reason::Fault);
}

#[test]
fn no_random_bytes_no_handle() {
    let (mut ids, mut random, model) = (IdSource::new(0), NoRandom, Model::default());
    let made = Planner::new(&model, START_MS, &mut ids, &mut random).new_handle();
    assert_eq!(made.unwrap_err().reason, Reason::Fault);
}
