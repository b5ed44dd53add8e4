//! The rules of a decision as tables: `decision.txt` for single facts, `order.txt` for what wins.

use std::collections::BTreeSet;

use valetkey_authz::Decision;
use valetkey_domain::Reason;

use crate::language::{Case, rows};

const TABLE: &str = include_str!("decision.txt");
const ORDER: &str = include_str!("order.txt");

#[test]
fn every_row_of_the_table_holds() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (line, columns) in rows(TABLE) {
        let [caller, asset, question, wanted] = columns[..] else { panic!("decision.txt:{line}: four columns") };
        let got = Case::read(caller, asset, question).answer(wanted);
        let wanted = wanted.split_whitespace().collect::<Vec<_>>().join(" ");
        if got != wanted {
            wrong.push(format!("decision.txt:{line}: wanted `{wanted}`, got `{got}`"));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("decision.txt: {count} rows hold");
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
    let reached: BTreeSet<&str> = rows(TABLE)
        .filter_map(|(_, c)| match Case::read(c[0], c[1], c[2]).decide() {
            Decision::Deny(denial) => Some(denial.reason.as_str()),
            Decision::Allow(_) => None,
        })
        .collect();
    let expected: BTreeSet<&str> = REACHABLE.iter().map(|r| r.as_str()).collect();
    assert_eq!(reached, expected);
}

const PASSES: [&str; 3] =
    ["su scopes=pages_manage_posts", "page owned has=CREATE_CONTENT", "scope=pages_manage_posts needs=CREATE_CONTENT"];

#[test]
fn of_two_failures_the_earlier_one_is_told() {
    let failures: Vec<(usize, Vec<&str>)> = rows(ORDER).collect();
    let with = |words: &[&Vec<&str>]| {
        let column = |i: usize| [PASSES[i]].into_iter().chain(words.iter().map(|w| w[i])).collect::<Vec<_>>().join(" ");
        Case::read(&column(0), &column(1), &column(2))
    };
    assert!(matches!(with(&[]).decide(), Decision::Allow(_)));
    for (i, (line, earlier)) in failures.iter().enumerate() {
        assert_eq!(with(&[earlier]).answer(earlier[3]), earlier[3], "order.txt:{line} alone");
        for (other, later) in &failures[i + 1..] {
            let both = with(&[later, earlier]);
            assert_eq!(both.answer(earlier[3]), earlier[3], "order.txt:{line} with line {other}");
        }
    }
}

#[test]
fn what_is_hidden_is_told_like_what_never_was() {
    let foreign = Case::read("su", "page foreign", "needs=ANY");
    let absent = Case::read("su", "none", "needs=ANY");
    let unassigned = Case::read("su strict", "page owned", "needs=ANY");
    let told = |case: &Case| case.decide().into_result().unwrap_err();
    assert_eq!(told(&foreign), told(&absent));
    assert_eq!(told(&unassigned), told(&absent));
}
