//! The access matrix: every kind, every task, every relation, both roles, against an oracle that
//! knows task names and nothing of bits. `cargo nextest run -p valetkey-authz matrix --no-capture`
//! prints it.

use std::collections::BTreeMap;
use std::fmt::Write;

use valetkey_authz::Decision;
use valetkey_domain::kind::TABLE;

use crate::language::{Case, warehouse};

/// How the caller's business and user stand to the asset.
const RELATIONS: &[&str] =
    &["owned+assigned", "owned", "shared-in-full+assigned", "shared-ANALYZE+assigned", "shared-in-full", "none"];
const ROLES: &[&str] = &["admin", "employee"];

fn kinds() -> Vec<(&'static str, Vec<String>)> {
    let built_in = TABLE.iter().map(|r| (r.word, r.tasks.iter().map(|t| t.name.to_owned()).collect()));
    built_in.chain([("warehouse", warehouse().tasks)]).collect()
}

/// What a task stands for, by name.
fn implied(task: &str, all: &[String]) -> Vec<String> {
    match task {
        "MANAGE" => all.to_vec(),
        "ADVERTISE" => all.iter().filter(|t| *t == "ADVERTISE" || *t == "ANALYZE").cloned().collect(),
        other => vec![other.to_owned()],
    }
}

/// The oracle: `+` may, `t` lacks the task, `a` is not assigned, `.` sees nothing.
fn expected(role: &str, relation: &str, held: &str, asked: &str, all: &[String]) -> char {
    let assigned = if relation.ends_with("+assigned") { implied(held, all) } else { Vec::new() };
    let mut reach = if role == "admin" { all.to_vec() } else { assigned };
    match relation {
        "none" => return '.',
        // A kind without ANALYZE is shared with its last task instead.
        "shared-ANALYZE+assigned" => reach.retain(|t| *t == narrow_task(all)),
        _ => {}
    }
    match (reach.iter().any(|t| t == asked), reach.is_empty()) {
        (true, _) => '+',
        (false, true) => 'a',
        (false, false) => 't',
    }
}

fn narrow_task(all: &[String]) -> String {
    all.iter().find(|t| *t == "ANALYZE").or(all.last()).cloned().unwrap()
}

fn asset_words(kind: &str, relation: &str, held: &str, all: &[String]) -> String {
    let reach = match relation {
        "none" => "foreign".to_owned(),
        r if r.starts_with("owned") => "owned".to_owned(),
        r if r.starts_with("shared-ANALYZE") => format!("shared={}", narrow_task(all)),
        _ => format!("shared={}", all.join(",")),
    };
    let has = if relation.ends_with("+assigned") { held } else { "" };
    format!("{kind} {reach} has={has}")
}

fn letter(decision: Decision) -> char {
    match decision {
        Decision::Allow(_) => '+',
        Decision::Deny(denial) => match denial.reason.as_str() {
            "task_missing" => 't',
            "asset_not_assigned" => 'a',
            "not_visible" => '.',
            other => panic!("{other}"),
        },
    }
}

#[test]
fn kind_by_task_by_relation_by_role() {
    let mut seen: BTreeMap<(usize, &str, &str, &str), BTreeMap<char, usize>> = BTreeMap::new();
    let mut grid = String::new();
    for (number, (kind, all)) in kinds().into_iter().enumerate() {
        for role in ROLES {
            for relation in RELATIONS {
                writeln!(grid, "{kind} · {relation} · {role}: rows assigned, columns asked").unwrap();
                for held in &all {
                    let mut line = String::new();
                    for asked in &all {
                        let asset = asset_words(kind, relation, held, &all);
                        let got = letter(Case::read(&format!("su {role}"), &asset, &format!("needs={asked}")).decide());
                        let wanted = expected(role, relation, held, asked, &all);
                        assert_eq!(got, wanted, "{kind} {relation} {role}: has {held}, asked for {asked}");
                        *seen.entry((number, kind, relation, role)).or_default().entry(got).or_default() += 1;
                        line.push(got);
                    }
                    writeln!(grid, "  {line}  {held}").unwrap();
                }
            }
        }
    }
    println!("{grid}");
    insta::assert_snapshot!(summary(&seen), @r"
    kind, relation, role: allowed / task missing / not assigned / not visible
    page, none, admin: 0 / 0 / 0 / 289
    page, none, employee: 0 / 0 / 0 / 289
    page, owned, admin: 289 / 0 / 0 / 0
    page, owned, employee: 0 / 0 / 289 / 0
    page, owned+assigned, admin: 289 / 0 / 0 / 0
    page, owned+assigned, employee: 34 / 255 / 0 / 0
    page, shared-ANALYZE+assigned, admin: 17 / 272 / 0 / 0
    page, shared-ANALYZE+assigned, employee: 3 / 48 / 238 / 0
    page, shared-in-full, admin: 289 / 0 / 0 / 0
    page, shared-in-full, employee: 0 / 0 / 289 / 0
    page, shared-in-full+assigned, admin: 289 / 0 / 0 / 0
    page, shared-in-full+assigned, employee: 34 / 255 / 0 / 0
    ad_account, none, admin: 0 / 0 / 0 / 25
    ad_account, none, employee: 0 / 0 / 0 / 25
    ad_account, owned, admin: 25 / 0 / 0 / 0
    ad_account, owned, employee: 0 / 0 / 25 / 0
    ad_account, owned+assigned, admin: 25 / 0 / 0 / 0
    ad_account, owned+assigned, employee: 10 / 15 / 0 / 0
    ad_account, shared-ANALYZE+assigned, admin: 5 / 20 / 0 / 0
    ad_account, shared-ANALYZE+assigned, employee: 3 / 12 / 10 / 0
    ad_account, shared-in-full, admin: 25 / 0 / 0 / 0
    ad_account, shared-in-full, employee: 0 / 0 / 25 / 0
    ad_account, shared-in-full+assigned, admin: 25 / 0 / 0 / 0
    ad_account, shared-in-full+assigned, employee: 10 / 15 / 0 / 0
    catalog, none, admin: 0 / 0 / 0 / 16
    catalog, none, employee: 0 / 0 / 0 / 16
    catalog, owned, admin: 16 / 0 / 0 / 0
    catalog, owned, employee: 0 / 0 / 16 / 0
    catalog, owned+assigned, admin: 16 / 0 / 0 / 0
    catalog, owned+assigned, employee: 7 / 9 / 0 / 0
    catalog, shared-ANALYZE+assigned, admin: 4 / 12 / 0 / 0
    catalog, shared-ANALYZE+assigned, employee: 2 / 6 / 8 / 0
    catalog, shared-in-full, admin: 16 / 0 / 0 / 0
    catalog, shared-in-full, employee: 0 / 0 / 16 / 0
    catalog, shared-in-full+assigned, admin: 16 / 0 / 0 / 0
    catalog, shared-in-full+assigned, employee: 7 / 9 / 0 / 0
    pixel, none, admin: 0 / 0 / 0 / 25
    pixel, none, employee: 0 / 0 / 0 / 25
    pixel, owned, admin: 25 / 0 / 0 / 0
    pixel, owned, employee: 0 / 0 / 25 / 0
    pixel, owned+assigned, admin: 25 / 0 / 0 / 0
    pixel, owned+assigned, employee: 6 / 19 / 0 / 0
    pixel, shared-ANALYZE+assigned, admin: 5 / 20 / 0 / 0
    pixel, shared-ANALYZE+assigned, employee: 2 / 8 / 15 / 0
    pixel, shared-in-full, admin: 25 / 0 / 0 / 0
    pixel, shared-in-full, employee: 0 / 0 / 25 / 0
    pixel, shared-in-full+assigned, admin: 25 / 0 / 0 / 0
    pixel, shared-in-full+assigned, employee: 6 / 19 / 0 / 0
    instagram_account, none, admin: 0 / 0 / 0 / 25
    instagram_account, none, employee: 0 / 0 / 0 / 25
    instagram_account, owned, admin: 25 / 0 / 0 / 0
    instagram_account, owned, employee: 0 / 0 / 25 / 0
    instagram_account, owned+assigned, admin: 25 / 0 / 0 / 0
    instagram_account, owned+assigned, employee: 6 / 19 / 0 / 0
    instagram_account, shared-ANALYZE+assigned, admin: 5 / 20 / 0 / 0
    instagram_account, shared-ANALYZE+assigned, employee: 2 / 8 / 15 / 0
    instagram_account, shared-in-full, admin: 25 / 0 / 0 / 0
    instagram_account, shared-in-full, employee: 0 / 0 / 25 / 0
    instagram_account, shared-in-full+assigned, admin: 25 / 0 / 0 / 0
    instagram_account, shared-in-full+assigned, employee: 6 / 19 / 0 / 0
    whatsapp_account, none, admin: 0 / 0 / 0 / 100
    whatsapp_account, none, employee: 0 / 0 / 0 / 100
    whatsapp_account, owned, admin: 100 / 0 / 0 / 0
    whatsapp_account, owned, employee: 0 / 0 / 100 / 0
    whatsapp_account, owned+assigned, admin: 100 / 0 / 0 / 0
    whatsapp_account, owned+assigned, employee: 19 / 81 / 0 / 0
    whatsapp_account, shared-ANALYZE+assigned, admin: 10 / 90 / 0 / 0
    whatsapp_account, shared-ANALYZE+assigned, employee: 2 / 18 / 80 / 0
    whatsapp_account, shared-in-full, admin: 100 / 0 / 0 / 0
    whatsapp_account, shared-in-full, employee: 0 / 0 / 100 / 0
    whatsapp_account, shared-in-full+assigned, admin: 100 / 0 / 0 / 0
    whatsapp_account, shared-in-full+assigned, employee: 19 / 81 / 0 / 0
    app, none, admin: 0 / 0 / 0 / 16
    app, none, employee: 0 / 0 / 0 / 16
    app, owned, admin: 16 / 0 / 0 / 0
    app, owned, employee: 0 / 0 / 16 / 0
    app, owned+assigned, admin: 16 / 0 / 0 / 0
    app, owned+assigned, employee: 7 / 9 / 0 / 0
    app, shared-ANALYZE+assigned, admin: 4 / 12 / 0 / 0
    app, shared-ANALYZE+assigned, employee: 2 / 6 / 8 / 0
    app, shared-in-full, admin: 16 / 0 / 0 / 0
    app, shared-in-full, employee: 0 / 0 / 16 / 0
    app, shared-in-full+assigned, admin: 16 / 0 / 0 / 0
    app, shared-in-full+assigned, employee: 7 / 9 / 0 / 0
    warehouse, none, admin: 0 / 0 / 0 / 9
    warehouse, none, employee: 0 / 0 / 0 / 9
    warehouse, owned, admin: 9 / 0 / 0 / 0
    warehouse, owned, employee: 0 / 0 / 9 / 0
    warehouse, owned+assigned, admin: 9 / 0 / 0 / 0
    warehouse, owned+assigned, employee: 5 / 4 / 0 / 0
    warehouse, shared-ANALYZE+assigned, admin: 3 / 6 / 0 / 0
    warehouse, shared-ANALYZE+assigned, employee: 2 / 4 / 3 / 0
    warehouse, shared-in-full, admin: 9 / 0 / 0 / 0
    warehouse, shared-in-full, employee: 0 / 0 / 9 / 0
    warehouse, shared-in-full+assigned, admin: 9 / 0 / 0 / 0
    warehouse, shared-in-full+assigned, employee: 5 / 4 / 0 / 0
    6060 cells
    ");
}

fn summary(seen: &BTreeMap<(usize, &str, &str, &str), BTreeMap<char, usize>>) -> String {
    let mut out = String::from("kind, relation, role: allowed / task missing / not assigned / not visible\n");
    let mut cells = 0;
    for ((_, kind, relation, role), counts) in seen {
        let count = |c| counts.get(&c).copied().unwrap_or(0);
        cells += counts.values().sum::<usize>();
        writeln!(out, "{kind}, {relation}, {role}: {} / {} / {} / {}", count('+'), count('t'), count('a'), count('.'))
            .unwrap();
    }
    writeln!(out, "{cells} cells").unwrap();
    out
}
