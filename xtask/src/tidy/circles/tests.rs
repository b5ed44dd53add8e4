//! Small made-up crates, with and without a circle.

use super::*;

fn found(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<File> = files.iter().map(|(path, text)| File::new(&format!("crates/a/src/{path}"), text)).collect();
    check(&files).iter().map(|finding| finding.text().replace("crates/a/src/", "")).collect()
}

#[test]
fn arrows_in_one_direction_are_fine() {
    let files = [
        ("lib.rs", "mod a;\nmod b;\npub use a::A;\npub fn run() { b::go() }"),
        ("a.rs", "pub struct A;"),
        ("b.rs", "use crate::a::A;\npub fn go() -> A { A }"),
    ];
    assert!(found(&files).is_empty(), "{:?}", found(&files));
}

#[test]
fn two_modules_that_use_each_other_are_named_with_their_lines() {
    let files = [
        ("lib.rs", "mod a;\nmod b;"),
        ("a.rs", "\nuse crate::b::B;\npub struct A(B);"),
        ("b.rs", "pub struct B;\nfn a() { crate::a::A::new() }"),
    ];
    assert_eq!(
        found(&files),
        ["a.rs:2: modules in a circle: a.rs:2 uses b.rs (crate::b::B); b.rs:2 uses a.rs (crate::a::A::new)"]
    );
}

#[test]
fn a_long_way_round_is_a_circle_too() {
    let files = [
        ("lib.rs", "mod a;\nmod b;\nmod c;"),
        ("a.rs", "use super::b;\npub struct A;\nfn f() { b::g() }"),
        ("b.rs", "use crate::c::{C, D as E};\npub fn g() {}"),
        ("c.rs", "pub struct C(super::a::A);"),
    ];
    let found = found(&files);
    assert!(found.len() == 1 && found[0].contains("a.rs:3 uses b.rs (b::g)"), "{found:?}");
    assert!(!found[0].contains("reach each other"), "{found:?}");
    assert!(found[0].contains("b.rs:1 uses c.rs") && found[0].contains("c.rs:1 uses a.rs"), "{found:?}");
}

#[test]
fn all_modules_that_reach_each_other_are_named_once() {
    let files = [
        ("lib.rs", "mod a;\nmod b;\nmod c;\nmod d;\nmod e;"),
        ("a.rs", "use crate::b::B;\npub struct A;"),
        ("b.rs", "use crate::{a::A, c::C};\npub struct B;"),
        ("c.rs", "use crate::a::A;\npub struct C;"),
        ("d.rs", "use crate::{a::A, e::E};\npub struct D;"),
        ("e.rs", "use crate::d::D;\npub struct E;"),
    ];
    let found = found(&files);
    assert!(found.len() == 2 && found[0].ends_with("3 modules reach each other: a.rs, b.rs, c.rs"), "{found:?}");
    assert!(found[1].starts_with("d.rs:1: "), "{found:?}");
}

#[test]
fn a_parent_that_only_hands_on_makes_no_circle() {
    let files = [
        ("lib.rs", "mod p;\npub use p::{Child, Own};"),
        ("p/mod.rs", "mod child;\npub use child::Child;\npub struct Own;"),
        ("p/child.rs", "use super::Own;\npub struct Child(Own);"),
    ];
    assert!(found(&files).is_empty(), "{:?}", found(&files));
}

#[test]
fn a_parent_whose_own_code_uses_its_child_makes_one() {
    for parent in [
        "mod child;\npub use child::Child;\npub struct Own(Child);",
        "mod child;\npub struct Own(child::Child);",
        "mod child;\nuse child::Child;\npub struct Own(Child);",
        "mod child;\nuse self::child::Child as C;\npub struct Own(C);",
    ] {
        let child = ("p/child.rs", "use super::Own;\npub struct Child(Own);");
        let found = found(&[("lib.rs", "mod p;"), ("p.rs", parent), child]);
        assert!(found.len() == 1 && found[0].contains("p/child.rs"), "{parent}: {found:?}");
        let alone = ("p/child.rs", "pub struct Child;");
        assert!(
            super::check(&[File::new("crates/a/src/p.rs", parent), File::new("crates/a/src/p/child.rs", alone.1)])
                .is_empty()
        );
    }
}

#[test]
fn a_name_that_is_handed_on_leads_to_its_home() {
    // `b` and `c` name `crate::A`, and so use `a`, not the root.
    let files = [
        ("lib.rs", "mod a;\nmod b;\nmod c;\npub use a::*;\npub fn run() { b::go(); c::go() }"),
        ("a.rs", "pub struct A;"),
        ("b.rs", "pub fn go() -> crate::A { crate::A }"),
        ("c.rs", "use super::A;\npub fn go() -> A { A }"),
    ];
    assert!(found(&files).is_empty(), "{:?}", found(&files));
    // Siblings that reach each other through their parent's names are a circle without it.
    let files = [
        ("lib.rs", "mod a;\nmod b;\npub use a::A;\npub use b::B;"),
        ("a.rs", "pub struct A(crate::B);"),
        ("b.rs", "pub struct B(super::A);"),
    ];
    let found = found(&files);
    assert!(found.len() == 1 && found[0].starts_with("a.rs:1: ") && !found[0].contains("lib.rs"), "{found:?}");
}

#[test]
fn tests_may_use_what_they_test_and_methods_make_no_arrow() {
    let files = [
        ("lib.rs", "mod a;\nmod b;\n#[cfg(test)]\nmod checks;\npub fn f() {}"),
        ("a.rs", "use crate::b::B;\npub struct A(B);\n#[cfg(test)]\nmod tests { use super::*; }"),
        ("b.rs", "pub struct B;\nimpl B { fn a(&self) { self.a.go() } }\n#[cfg(test)]\nmod tests { use crate::a::A; }"),
        ("checks.rs", "use crate::f;"),
        ("a/tests.rs", "use super::A;"),
    ];
    assert!(found(&files).is_empty(), "{:?}", found(&files));
}

#[test]
fn other_crates_are_not_followed() {
    let files = [
        ("lib.rs", "mod a;\nuse std::fmt;\npub fn f() { fmt::a() }"),
        ("a.rs", "use fmt::B;\nuse a::C;\nfn g() { std::a::f() }"),
    ];
    assert!(found(&files).is_empty(), "{:?}", found(&files));
}

#[test]
fn variants_of_a_type_that_is_handed_on_lead_to_its_home() {
    let files = [
        ("lib.rs", "mod s;"),
        (
            "s/mod.rs",
            "mod a;\nmod types;\nmod users;\n\npub use types::{Edge, Type, param};\n\npub fn all() -> &'static Type { a::B }\npub use a::B;",
        ),
        ("s/a.rs", "use super::Type::{Id, List};\nuse super::{Edge, param};\npub static B: X = Id;"),
        ("s/types.rs", "pub enum Type { Id, List }\npub struct Edge;\npub const fn param() {}"),
    ];
    assert!(found(&files).is_empty(), "{:?}", found(&files));
}
