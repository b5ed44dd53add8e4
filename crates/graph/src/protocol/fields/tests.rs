//! Tests of the `fields` language.

use super::*;
use proptest::prelude::*;

fn message(text: &str) -> String {
    match parse(text) {
        Ok(specs) => format!("read as {}", to_text(&specs)),
        Err(error) => GraphError::from(error).message.into_owned(),
    }
}

fn names(text: &str) -> Vec<String> {
    parse(text).unwrap().into_iter().map(|spec| spec.name).collect()
}

#[test]
fn nesting_and_modifiers_become_a_tree() {
    let text = "id, name ,campaigns.limit(2){id,name,adsets.limit(1).order(reverse_chronological){name}}";
    insta::assert_debug_snapshot!(parse(text).unwrap(), @r#"
    [
        FieldSpec {
            name: "id",
            alias: None,
            modifiers: [],
            children: [],
        },
        FieldSpec {
            name: "name",
            alias: None,
            modifiers: [],
            children: [],
        },
        FieldSpec {
            name: "campaigns",
            alias: None,
            modifiers: [
                Modifier {
                    name: "limit",
                    argument: "2",
                },
            ],
            children: [
                FieldSpec {
                    name: "id",
                    alias: None,
                    modifiers: [],
                    children: [],
                },
                FieldSpec {
                    name: "name",
                    alias: None,
                    modifiers: [],
                    children: [],
                },
                FieldSpec {
                    name: "adsets",
                    alias: None,
                    modifiers: [
                        Modifier {
                            name: "limit",
                            argument: "1",
                        },
                        Modifier {
                            name: "order",
                            argument: "reverse_chronological",
                        },
                    ],
                    children: [
                        FieldSpec {
                            name: "name",
                            alias: None,
                            modifiers: [],
                            children: [],
                        },
                    ],
                },
            ],
        },
    ]
    "#);
}

#[test]
fn arguments_hold_json_brackets_and_quotes() {
    let texts = [
        "campaigns.filtering([{\"field\":\"name\",\"operator\":\"CONTAIN\",\"value\":\"a)b]\"}]){id}",
        "insights.time_range({'since':'2026-01-01','until':'2026-01-31'}){spend}",
        "insights.date_preset(last_7d){spend}",
        "comments.limit(0).summary(true)",
        "posts.since( 2026-01-01 ).as(recent)",
        "x.y(\"quote \\\" and ) inside\")",
        "x.y(it's)",
        "x.y()",
        "events.fields(id,cover.fields(id)).since(1)",
        "creative { id , }",
        "  id\n,\tname\r\n",
    ];
    let table: Vec<_> = texts.iter().map(|text| message(text)).collect();
    insta::assert_snapshot!(table.join("\n"), @r#"
    read as campaigns.filtering([{"field":"name","operator":"CONTAIN","value":"a)b]"}]){id}
    read as insights.time_range({'since':'2026-01-01','until':'2026-01-31'}){spend}
    read as insights.date_preset(last_7d){spend}
    read as comments.limit(0).summary(true)
    read as posts.since(2026-01-01).as(recent)
    read as x.y("quote \" and ) inside")
    read as x.y(it's)
    read as x.y()
    read as events.since(1){id,cover{id}}
    read as creative{id}
    read as id,name
    "#);
}

#[test]
fn empty_lists_arrays_and_trailing_commas() {
    assert_eq!(parse(""), Ok(vec![]));
    assert_eq!(parse(" "), Ok(vec![]));
    assert_eq!(parse("[]"), Ok(vec![]));
    assert_eq!(names("id,name,"), ["id", "name"]);
    assert_eq!(names(",id,,name"), ["id", "name"]);
    assert_eq!(names("[\"id\",\"campaign{name}\",\"a,b\"]"), ["id", "campaign", "a", "b"]);
    assert_eq!(names("['id', 'name']"), ["id", "name"]);
}

#[test]
fn a_repeated_field_counts_once_and_a_different_one_is_refused() {
    assert_eq!(names("id,name,id"), ["id", "name"]);
    assert_eq!(names("[\"id\",\"id\"]"), ["id"]);
    assert_eq!(names("insights.as(a){x},insights.as(b){x}"), ["insights", "insights"]);
    assert!(
        message("creative{id},creative{name}").contains("Field creative specified more than once\" at character 13")
    );
    assert!(message("a{b,c.limit(1),c}").contains("Field c specified more than once\" at character 15"));
    assert!(message("name,story.as(name)").contains("Field name specified more than once"));
}

#[test]
fn syntax_errors_say_what_and_where() {
    let texts = [
        "posts?fields=id",
        "likes{id}{from}",
        "id name",
        "campaigns.limit(2",
        "campaigns{id",
        "campaigns{id]",
        "campaigns.limit",
        "campaigns.(2)",
        "campaigns.",
        "{id}",
        "x.y([)])",
        "x.y(\"open)",
        "é",
        "id,é",
        "x.as(a b)",
        "x.as()",
        "[\"id\"",
        "a}",
        "a{b}}",
        "comments{id}.limit(2)",
        "third?access_token=VKSECRET",
    ];
    let table: Vec<_> = texts.iter().map(|text| message(text)).collect();
    insta::assert_snapshot!(table.join("\n"), @r#"
    Syntax error "Expected end of string instead of "?"." at character 5: posts?fields=id
    Syntax error "Expected end of string instead of "{"." at character 9: likes{id}{from}
    Syntax error "Expected end of string instead of "n"." at character 3: id name
    Syntax error "Expected ")", got end of string" at character 17: campaigns.limit(2
    Syntax error "Expected "}", got end of string" at character 12: campaigns{id
    Syntax error "Expected "}" instead of "]"." at character 12: campaigns{id]
    Syntax error "Expected "(", got end of string" at character 15: campaigns.limit
    Syntax error "Expected name instead of "("." at character 10: campaigns.(2)
    Syntax error "Expected name, got end of string" at character 10: campaigns.
    Syntax error "Expected end of string instead of "{"." at character 0: {id}
    Syntax error "Expected "]" instead of ")"." at character 5: x.y([)])
    Syntax error "Expected ")", got end of string" at character 10: x.y("open)
    Syntax error "Expected end of string instead of "é"." at character 0: é
    Syntax error "Expected end of string instead of "é"." at character 3: id,é
    Syntax error "Expected name" at character 5: x.as(a b)
    Syntax error "Expected name" at character 5: x.as()
    Syntax error "Expected an array of names" at character 0: ["id"
    Syntax error "Expected end of string instead of "}"." at character 1: a}
    Syntax error "Expected end of string instead of "}"." at character 4: a{b}}
    Syntax error "Expected end of string instead of "."." at character 12: comments{id}.limit(2)
    Syntax error "Expected end of string instead of "?"." at character 5: third?access_token=***
    "#);
}

#[test]
fn depth_has_a_limit() {
    let nested = |levels: usize| format!("{}a{}", "a{".repeat(levels - 1), "}".repeat(levels - 1));
    assert!(parse(&nested(MAX_DEPTH)).is_ok());
    for levels in [MAX_DEPTH + 1, 50, 10_000] {
        assert_eq!(parse(&nested(levels)), Err(FieldsError::TooDeep), "{levels}");
    }
    assert_eq!(parse(&"a.fields(".repeat(3000)), Err(FieldsError::TooDeep));
    assert_eq!(parse(&format!("a.b({}", "[".repeat(30_000))), Err(FieldsError::TooDeep));
    let error = GraphError::from(FieldsError::TooDeep);
    assert_eq!(error.message, "Please reduce the amount of data you're asking for, then retry your request");
    assert_eq!(error.user_msg.as_deref(), Some("fields may nest 8 levels deep."));
}

#[test]
fn counts_and_length_have_limits() {
    let many = |count: usize| (0..count).map(|n| format!("f{n}")).collect::<Vec<_>>();
    assert!(parse(&many(MAX_NAMES).join(",")).is_ok());
    assert_eq!(parse(&many(MAX_NAMES + 1).join(",")), Err(FieldsError::TooMany));
    assert_eq!(parse(&serde_json::to_string(&many(MAX_NAMES + 1)).unwrap()), Err(FieldsError::TooMany));
    assert!(parse(&format!("a{}", ".b(1)".repeat(MAX_MODIFIERS))).is_ok());
    assert_eq!(parse(&format!("a{}", ".b(1)".repeat(MAX_MODIFIERS + 1))), Err(FieldsError::TooMany));
    assert_eq!(parse(&"a".repeat(MAX_TEXT_BYTES + 1)), Err(FieldsError::TooLong));
    assert!(
        message(&"a".repeat(MAX_NAME_BYTES + 1)).contains("Expected name of at most 100 characters\" at character 0")
    );
}

#[test]
fn a_limit_modifier_is_read_like_the_parameter() {
    let limit = |text: &str| parse(text).unwrap().remove(0).limit();
    assert_eq!(limit("a"), Ok(None));
    assert_eq!(limit("a.limit(2).limit(9999)"), Ok(Some(5000)));
    assert!(limit("a.limit(x)").is_err());
}

fn argument() -> BoxedStrategy<String> {
    let leaf = prop_oneof!["[a-z0-9_=. ]{0,8}", Just("\"a)]\\\"b\"".to_owned()), Just("'(['".to_owned())];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{{a},{b}}}")),
            inner.clone().prop_map(|a| format!("[{a}]")),
            inner.prop_map(|a| format!("({a})")),
        ]
    })
    .prop_map(|text| text.trim().to_owned())
    .boxed()
}

fn specs() -> impl Strategy<Value = Vec<FieldSpec>> {
    let modifier = ("m[a-z_]{0,6}", argument()).prop_map(|(name, argument)| Modifier { name, argument }).boxed();
    let head = ("[a-z0-9_]{1,8}", proptest::option::of("[a-z]{1,5}"), proptest::collection::vec(modifier, 0..3));
    let leaf = head.clone().prop_map(|(name, alias, modifiers)| FieldSpec { name, alias, modifiers, children: vec![] });
    let tree = leaf.prop_recursive(4, 24, 4, move |inner| {
        (head.clone(), proptest::collection::vec(inner, 0..4)).prop_map(|((name, alias, modifiers), children)| {
            FieldSpec { name, alias, modifiers, children: unique(children) }
        })
    });
    proptest::collection::vec(tree, 0..5).prop_map(unique)
}

fn unique(specs: Vec<FieldSpec>) -> Vec<FieldSpec> {
    let mut seen = std::collections::HashSet::new();
    specs.into_iter().filter(|spec| seen.insert(spec.output_name().to_owned())).collect()
}

proptest! {
    #[test]
    fn a_selection_reads_back(specs in specs()) {
        let text = to_text(&specs);
        prop_assert_eq!(parse(&text), Ok(specs.clone()));
        let array = serde_json::to_string(&specs.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        prop_assert_eq!(parse(&array), Ok(specs));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,60}|[a-c,.(){}\\[\\]'\":\\\\ ]{0,80}") {
        if let Ok(specs) = parse(&text) {
            prop_assert_eq!(parse(&to_text(&specs)), Ok(specs.clone()));
        }
    }
}
