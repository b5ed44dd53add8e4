//! The rules of a decision as tables: `decision.txt` for single facts, `order.txt` for what wins.

use std::collections::BTreeSet;

use valetkey_authz::Decision;
use valetkey_authz::tables::{Case, Ids, decisions, orders};
use valetkey_domain::Reason;

fn hold(cases: &[Case]) {
    let ids = Ids::of_tables();
    let got = cases.iter().map(|case| (case, case.answer(&case.decide(), &ids)));
    let wrong: Vec<String> = got
        .filter(|(case, got)| *got != case.wanted)
        .map(|(case, got)| format!("{}: wanted `{}`, got `{got}`", case.line, case.wanted))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} cases hold", cases.len());
}

#[test]
fn every_row_of_the_table_holds() {
    hold(&decisions());
}

#[test]
fn the_earlier_of_two_failures_is_the_answer() {
    hold(&orders());
}

/// What `decide` can say. The other reasons belong to rules, limits and the service.
const REACHABLE: &[Reason] = &[
    Reason::TokenMalformed,
    Reason::TokenUnknown,
    Reason::TokenExpired,
    Reason::TokenRevoked,
    Reason::UserDeactivated,
    Reason::UserDeleted,
    Reason::AppDisconnected,
    Reason::AppNotInstalled,
    Reason::ProofMissing,
    Reason::ProofInvalid,
    Reason::NotVisible,
    Reason::ScopeMissing,
    Reason::AssetNotAssigned,
    Reason::TaskMissing,
    Reason::RoleInsufficient,
];

#[test]
fn the_table_reaches_every_reason_that_a_decision_has() {
    let reached: BTreeSet<&str> = decisions()
        .iter()
        .filter_map(|case| match case.decide() {
            Decision::Deny(denial) => Some(denial.reason.as_str()),
            Decision::Allow(_) => None,
        })
        .collect();
    let expected: BTreeSet<&str> = REACHABLE.iter().map(|r| r.as_str()).collect();
    assert_eq!(reached, expected);
}

#[test]
fn a_hidden_asset_is_answered_like_one_that_never_was() {
    let foreign = Case::read("su", "page foreign", "needs=ANY");
    let absent = Case::read("su", "none", "needs=ANY");
    let unassigned = Case::read("su strict", "page owned", "needs=ANY");
    let answer = |case: &Case| case.decide().into_result().unwrap_err();
    assert_eq!(answer(&foreign), answer(&absent));
    assert_eq!(answer(&unassigned), answer(&absent));
}
