//! Tests of batches.

mod reading;

use super::loose::pairs as loose_pairs;
use super::reference::{evaluate, split};
use super::*;
use proptest::prelude::*;

fn plan(items: Value) -> Plan {
    Plan::parse(&items.to_string(), true).unwrap()
}

fn ok(body: Value) -> Option<ItemResult> {
    Some(ItemResult { code: 200, headers: vec![], body: body.to_string() })
}

fn failed() -> Option<ItemResult> {
    Some(ItemResult { code: 400, headers: vec![], body: "{\"error\":{}}".to_owned() })
}

/// The part for an error, as the engine writes it.
fn part_of(error: &GraphError, trace: &str, headers: &HeaderMap) -> ItemResult {
    let mut part = ItemResult::new(error.http_status, headers, error.to_value(trace).to_string());
    let challenge = error.www_authenticate();
    part.headers.extend(challenge.map(|c| ("WWW-Authenticate".to_owned(), c.to_str().unwrap().to_owned())));
    part
}

fn only(item: Value) -> Result<ItemRequest, GraphError> {
    plan(json!([item])).substitute(0, &[])
}

/// The call of the second of two items, if the first answered `body`.
fn second(body: Value, item: Value) -> Result<ItemRequest, GraphError> {
    plan(json!([{"method": "GET", "relative_url": "me", "name": "x"}, item])).substitute(1, &[ok(body)])
}

fn path_of(path: &str, body: Value) -> String {
    let url = format!("{{result=x:{path}}}");
    second(body, json!({"method": "GET", "relative_url": url}))
        .map_or_else(|error| error.message.into_owned(), |request| request.path)
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn paths_find_values() {
    let body = json!({"id": "7", "n": 1.5, "on": true, "none": null, "o": {"a b": "x", "k": {"z": 1}},
        "data": [{"id": "1"}, {"id": "2"}, {"no": 0}]});
    for (path, wanted) in [
        ("$.id", "7"),
        ("$.data.*.id", "1,2"),
        ("$.data[*].id", "1,2"),
        ("$.data[1].id", "2"),
        ("$.data.1.id", "2"),
        ("$['o']['a b']", "x"),
        ("$[\"o\"].k", "{\"z\":1}"),
        ("$.o.*.z", "1"),
        ("$.n", "1.5"),
        ("$.on", "true"),
        ("$.none", ""),
        ("$.nothing.here", ""),
        ("$.data[9]", ""),
        (" $.id ", "7"),
    ] {
        assert_eq!(path_of(path, body.clone()), wanted, "{path}");
    }
    assert_eq!(path_of("$", json!(["a", ["b"]])), "a,b");
}

#[test]
fn paths_beyond_the_subset_are_refused() {
    for path in [
        "$..id",
        "$.data[?(@.id)]",
        "$.data[-1]",
        "$.data[0:1]",
        "$.",
        "$x",
        "$['a",
        "$[]x",
        &format!("${}", ".a".repeat(17)),
    ] {
        assert_eq!(path_of(path, json!({})), "(#100) Invalid reference x", "{path}");
    }
}

#[test]
fn references_are_filled_wherever_they_stand() {
    let body = json!({"id": "5", "data": [{"id": "1"}, {"id": "2"}], "text": "a\"b/c?d%20&e=1"});
    let request = second(body.clone(), json!({
        "method": "POST",
        "relative_url": "{result=x:$.id}/feed?ids={result=x:$.data.*.id}&fields=id",
        "body": "a=%7Bresult%3Dx%3A%24.id%7D&m={ result = x : $.id } end&j={\"k\":\"{result=x:$.text}\"}&l=[{result=x:$.data.*.id}]&t={result=x:$.text}&p={result=5}",
    }))
    .unwrap();
    assert_eq!(request.path, "5/feed");
    assert_eq!(request.query, owned(&[("ids", "1,2"), ("fields", "id")]));
    let wanted = [
        ("a", "5"),
        ("m", "5 end"),
        ("j", "{\"k\":\"a\\\"b/c?d%20&e=1\"}"),
        ("l", "[1,2]"),
        ("t", "a\"b/c?d%20&e=1"),
        ("p", "{result=5}"),
    ];
    assert_eq!(request.body, owned(&wanted));
    let escaped = second(body.clone(), json!({"method": "GET", "relative_url": "%7bresult=x:$.id%7D/feed"})).unwrap();
    assert_eq!(escaped.path, "5/feed");
    let inside = second(body, json!({"method": "GET", "relative_url": "{result=x:$.text}/feed?a=1"})).unwrap();
    assert_eq!((inside.path.as_str(), inside.query), ("a\"b%2Fc%3Fd%2520&e=1/feed", owned(&[("a", "1")])));
}

#[test]
fn names_are_not_identifiers() {
    let get = |name: &str| json!({"method": "GET", "relative_url": "me", "name": name});
    let uses = |name: &str| json!({"method": "GET", "relative_url": format!("{{result={name}:$.id}}")});
    let batch = plan(json!([get("A ad?: 1"), get("A ad?: 1"), uses("A ad?: 1"), get("A ad?: 1"), uses("A ad?: 1")]));
    // The reference means the nearest earlier item of that name.
    let results = [ok(json!({"id": "1"})), ok(json!({"id": "2"})), None, ok(json!({"id": "4"}))];
    assert_eq!(batch.substitute(2, &results).map(|request| request.path), Ok("2".to_owned()));
    assert_eq!(batch.substitute(4, &results).map(|request| request.path), Ok("4".to_owned()));
}

#[test]
fn circular_forward_and_unknown_references_fail_where_they_stand() {
    let item = |name: &str, other: &str| json!({"method": "GET", "relative_url": format!("{{result={other}:$.id}}"), "name": name});
    let batch = plan(
        json!([item("a", "b"), item("b", "a"), item("c", "c"), item("d", "nobody"), {"method": "GET", "relative_url": "me"},
        {"method": "GET", "relative_url": "me", "depends_on": "nobody"}]),
    );
    let mut results: Vec<Option<ItemResult>> = Vec::new();
    for index in batch.order() {
        let part = match batch.substitute(index, &results) {
            Ok(_) => ok(json!({"id": "1"})),
            Err(error) => Some(part_of(&error, "T", &HeaderMap::new())),
        };
        results.push(part);
    }
    let messages: Vec<_> = results
        .iter()
        .flatten()
        .map(|result| {
            let body: Value = serde_json::from_str(&result.body).unwrap();
            format!("{} {} {}", result.code, body["error"]["message"], body["error"]["error_subcode"])
        })
        .collect();
    insta::assert_snapshot!(messages.join("\n"), @r#"
    400 "(#100) Invalid reference b" 9000013
    400 "(#100) Invalid reference a" 9000013
    400 "(#100) Invalid reference c" 9000013
    400 "(#100) Invalid reference nobody" 9000013
    200 null null
    400 "(#100) Invalid reference nobody" 9000013
    "#);
}

#[test]
fn dependents_of_a_failed_item_are_not_run() {
    let batch = plan(json!([
        {"method": "GET", "relative_url": "me", "name": "x"},
        {"method": "GET", "relative_url": "{result=x:$.id}", "name": "y"},
        {"method": "GET", "relative_url": "me", "depends_on": "x"},
        {"method": "GET", "relative_url": "me", "depends_on": ["x", "y"]},
    ]));
    for result in [failed(), None] {
        for index in 1..3 {
            let error = batch.substitute(index, std::slice::from_ref(&result)).unwrap_err();
            assert_eq!(error, envelope::batch_dependency_failed("x"));
        }
    }
    assert!(batch.substitute(2, &[ok(json!({}))]).is_ok(), "order alone needs no data");
    let no_json = Some(ItemResult { code: 200, headers: vec![], body: "plain".to_owned() });
    assert_eq!(batch.substitute(1, &[no_json]).map(|request| request.path), Ok(String::new()));
}

#[test]
fn only_a_success_that_another_item_uses_is_omitted() {
    let items = |keep: Value| {
        plan(json!([
            {"method": "GET", "relative_url": "me", "name": "x", "omit_response_on_success": keep},
            {"method": "GET", "relative_url": "{result=x:$.id}", "name": "unused"},
        ]))
    };
    let assemble = |keep: Value, first: Option<ItemResult>| items(keep).assemble(vec![first, ok(json!({"id": "2"}))]);
    insta::assert_snapshot!(assemble(json!(null), ok(json!({"id": "1"}))), @r#"[null,{"code":200,"headers":[],"body":"{\"id\":\"2\"}"}]"#);
    insta::assert_snapshot!(assemble(json!(false), ok(json!({"id": "1"}))), @r#"[{"code":200,"headers":[],"body":"{\"id\":\"1\"}"},{"code":200,"headers":[],"body":"{\"id\":\"2\"}"}]"#);
    insta::assert_snapshot!(assemble(json!("false"), ok(json!({"id": "1"}))), @r#"[{"code":200,"headers":[],"body":"{\"id\":\"1\"}"},{"code":200,"headers":[],"body":"{\"id\":\"2\"}"}]"#);
    insta::assert_snapshot!(assemble(json!(true), failed()), @r#"[{"code":400,"headers":[],"body":"{\"error\":{}}"},{"code":200,"headers":[],"body":"{\"id\":\"2\"}"}]"#);
    let lone = plan(json!([{"method": "GET", "relative_url": "me", "name": "x", "omit_response_on_success": true}]));
    insta::assert_snapshot!(lone.assemble(vec![ok(json!({}))]), @r#"[{"code":200,"headers":[],"body":"{}"}]"#);
    insta::assert_snapshot!(lone.assemble(vec![None, None]), @"[null]");
    insta::assert_snapshot!(lone.assemble(vec![]), @"[null]");
}

#[test]
fn headers_show_unless_switched_off() {
    let mut headers = HeaderMap::new();
    headers.insert("x-app-usage", http::HeaderValue::from_static("{\"call_count\":1}"));
    headers.insert("x-binary", http::HeaderValue::from_bytes(&[200]).unwrap());
    let dead = part_of(&envelope::no_token(), "T", &headers);
    let items = json!([{"method": "GET", "relative_url": "me"}, {"method": "GET", "relative_url": "me", "include_headers": "false"}]);
    let shown = plan(items.clone()).assemble(vec![Some(dead.clone()), Some(dead.clone())]);
    insta::assert_snapshot!(shown, @r#"[{"code":401,"headers":[{"name":"x-app-usage","value":"{\"call_count\":1}"},{"name":"WWW-Authenticate","value":"OAuth \"Facebook Platform\" \"invalid_token\" \"An access token is required to request this resource.\""}],"body":"{\"error\":{\"message\":\"An access token is required to request this resource.\",\"type\":\"OAuthException\",\"code\":190,\"is_transient\":false,\"error_user_title\":\"No token\",\"error_user_msg\":\"Send access_token or a bearer header.\",\"fbtrace_id\":\"T\"}}"},{"code":401,"body":"{\"error\":{\"message\":\"An access token is required to request this resource.\",\"type\":\"OAuthException\",\"code\":190,\"is_transient\":false,\"error_user_title\":\"No token\",\"error_user_msg\":\"Send access_token or a bearer header.\",\"fbtrace_id\":\"T\"}}"}]"#);
    let hidden = Plan::parse(&items.to_string(), false).unwrap();
    assert!(!hidden.assemble(vec![Some(dead.clone()), Some(dead)]).contains("headers"));
}

#[test]
fn insertions_have_a_limit() {
    let big = json!({"id": "y".repeat(MAX_INSERTED_BYTES / 2)});
    let twice = "a={result=x:$.id}&b={result=x:$.id}";
    let item = |body: &str| json!({"method": "POST", "relative_url": "me", "body": body});
    assert!(second(big.clone(), item(twice)).is_ok());
    assert_eq!(second(big, item(&format!("{twice}&c={{result=x:$.id}}"))), Err(envelope::reduce_data()));
    assert_eq!(evaluate(&[], &json!("abc"), 2), None);
    let many = |count: usize| "{result=x:$.id}".repeat(count);
    assert!(second(json!({}), item(&format!("a={}", many(MAX_REFERENCES)))).is_ok());
    assert_eq!(second(json!({}), item(&format!("a={}", many(MAX_REFERENCES + 1)))), Err(envelope::reduce_data()));
}

#[test]
fn debug_shows_no_credential() {
    let batch = plan(
        json!([{"method": "GET", "relative_url": "me?access_token=SECRET", "access_token": "SECRET", "body": "a=SECRET",
        "headers": [{"name": "Authorization", "value": "SECRET"}]}]),
    );
    let request = batch.substitute(0, &[]).unwrap();
    let result = ok(json!({"access_token": "SECRET"}));
    assert!(!format!("{batch:?} {request:?} {result:?}").contains("SECRET"));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,10}|\\{result=[ab]:\\$[.a*\\[\\]0']{0,6}\\}".prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec(("[a-z*0]{1,6}", inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn any_item() -> impl Strategy<Value = Value> {
    let names = [
        "method",
        "relative_url",
        "body",
        "name",
        "depends_on",
        "omit_response_on_success",
        "headers",
        "attached_files",
        "attachedFiles",
        "access_token",
        "include_headers",
    ];
    proptest::collection::vec((proptest::sample::select(names.to_vec()), any_json()), 0..11).prop_map(|pairs| {
        let mut item = json!({"method": "GET", "relative_url": "me"});
        for (name, value) in pairs {
            item[name] = value;
        }
        item
    })
}

proptest! {
    #[test]
    fn no_batch_panics(items in proptest::collection::vec(any_item(), 0..6), body in any_json()) {
        if let Ok(batch) = Plan::parse(&Value::from(items).to_string(), true) {
            let mut results = Vec::new();
            for index in batch.order() {
                let done = batch.substitute(index, &results).is_ok();
                results.push(if done { ok(body.clone()) } else { failed() });
            }
            let count = batch.len();
            let answer: Vec<Value> = serde_json::from_str(&batch.assemble(results)).unwrap();
            prop_assert_eq!(answer.len(), count);
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,60}|[a-c={}\\[\\]\"&%+:$.*0-2' ]{0,80}") {
        let _ = Plan::parse(&text, false);
        let _ = loose_pairs(&text);
        if let Ok(pieces) = split(&text) {
            let plain: Vec<_> = pieces.iter().filter(|piece| matches!(piece, Piece::Text(_))).collect();
            prop_assert!(plain.len() <= pieces.len() / 2 + 1);
        }
    }

    #[test]
    fn escaped_forms_read_back(sent in proptest::collection::vec(("[a-z_]{1,8}", "\\PC{0,16}"), 0..6)) {
        let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(&sent).finish();
        prop_assert_eq!(loose_pairs(&text), sent);
    }

    #[test]
    fn text_without_braces_is_one_piece(text in "[^{]{1,40}") {
        prop_assert_eq!(split(&text), Ok(vec![Piece::Text(text)]));
    }
}
