//! Tests of how items and bodies are read.

use super::*;

#[test]
fn what_is_no_batch_fails_as_a_whole() {
    let error = |text: &str| Plan::parse(text, true).err().map(|error| (error.code, error.subcode));
    for text in ["", "{}", "null", "[1]", "[[]]", "[{}", "\"x\"", "[{},null]"] {
        assert_eq!(error(text), Some((100, None)), "{text}");
    }
    let item = json!({"method": "GET", "relative_url": "me"});
    assert_eq!(error("[]"), Some((100, Some(9_000_012))));
    assert_eq!(error(&json!(vec![item.clone(); 51]).to_string()), Some((100, Some(9_000_012))));
    assert_eq!(error(&json!(vec![item; 50]).to_string()), None);
    assert_eq!(error(&"[".repeat(100_000)), Some((100, None)));
}

#[test]
fn an_item_of_the_python_sdk_is_read() {
    let request = only(json!({
        "method": "POST", "relative_url": "act_1/campaigns",
        "body": "name=A+%26+B&special_ad_categories=%5B%5D&objective=X",
        "attached_files": "file0,file1",
        "headers": [{"name": "If-None-Match", "value": "\"e\""}],
        "access_token": "T",
    }))
    .unwrap();
    assert_eq!(request.method, Method::POST);
    assert_eq!(request.path, "act_1/campaigns");
    assert_eq!(request.body, owned(&[("name", "A & B"), ("special_ad_categories", "[]"), ("objective", "X")]));
    assert_eq!(request.headers, owned(&[("If-None-Match", "\"e\"")]));
    assert_eq!(request.access_token.as_deref(), Some("T"));
    let parts: Vec<_> = request.attached_files.iter().map(|file| file.part.as_str()).collect();
    assert_eq!(parts, ["file0", "file1"]);
}

#[test]
fn urls_come_with_and_without_version_and_slash() {
    for (url, path, query) in [
        ("10/?fields=id,name", "10/", vec![("fields", "id,name")]),
        ("/v26.0/me?fields=", "/v26.0/me", vec![("fields", "")]),
        ("?ids=1,2", "", vec![("ids", "1,2")]),
        ("v2.3/10", "v2.3/10", vec![]),
        ("me#x", "me", vec![]),
    ] {
        let request = only(json!({"method": "get", "relative_url": url})).unwrap();
        assert_eq!((request.path.as_str(), request.query), (path, owned(&query)), "{url}");
    }
}

#[test]
fn files_come_in_every_spelling() {
    let files = |field: &str, value: Value| {
        only(json!({"method": "POST", "relative_url": "me", field: value})).map(|request| request.attached_files)
    };
    let bare = |part: &str| AttachedFile { part: part.to_owned(), parameter: None };
    assert_eq!(files("attachedFiles", json!("a, b")), Ok(vec![bare("a"), bare("b")]));
    assert_eq!(files("attached_files", json!(["a"])), Ok(vec![bare("a")]));
    let java = AttachedFile { part: "File0".to_owned(), parameter: Some("source".to_owned()) };
    assert_eq!(files("attached_files", json!({"File0": "source"})), Ok(vec![java]));
    assert_eq!(files("attached_files", json!("")), Ok(vec![]));
    assert_eq!(files("attached_files", json!(null)), Ok(vec![]));
    assert!(files("attached_files", json!(1)).is_err());
}

#[test]
fn a_wrong_item_fails_alone_and_says_why() {
    let message = |item: Value| only(item).map_err(|error| error.message.into_owned()).err().unwrap_or_default();
    assert_eq!(message(json!({"method": "GET"})), "(#100) The parameter relative_url is required");
    assert_eq!(message(json!({"relative_url": "me"})), "(#100) The parameter method is required");
    assert_eq!(message(json!({"method": "PATCH", "relative_url": "me"})), "Unsupported request - method type: patch");
    for (field, value) in [
        ("body", json!(1)),
        ("headers", json!("x")),
        ("headers", json!([1])),
        ("depends_on", json!(1)),
        ("depends_on", json!([1])),
    ] {
        assert_eq!(
            message(json!({"method": "GET", "relative_url": "me", field: value})),
            "(#100) Invalid parameter",
            "{field}"
        );
    }
    let batch = plan(json!([{"method": "GET"}, {"method": "GET", "relative_url": "me"}]));
    assert!(batch.substitute(0, &[]).is_err());
    assert!(batch.substitute(1, &[]).is_ok());
    assert!(batch.substitute(2, &[]).is_err());
}

#[test]
fn bodies_may_be_json() {
    let body =
        |value: Value| only(json!({"method": "POST", "relative_url": "me", "body": value})).map(|request| request.body);
    let wanted = owned(&[("name", "A"), ("tasks", "[\"X\"]"), ("n", "1")]);
    assert_eq!(body(json!({"name": "A", "tasks": ["X"], "n": 1})), Ok(wanted.clone()));
    assert_eq!(body(json!("{\"name\":\"A\",\"tasks\":[\"X\"],\"n\":1}")), Ok(wanted));
    assert_eq!(body(json!("")), Ok(vec![]));
}

#[test]
fn unescaped_text_of_the_node_sdk_is_read() {
    for (text, wanted) in [
        ("name=A&fields=", vec![("name", "A"), ("fields", "")]),
        ("name=R&D 100% good&status=PAUSED", vec![("name", "R&D 100% good"), ("status", "PAUSED")]),
        (
            "creative={\"a\":\"x&y=1\",\"b\":[\"100%25\"]}&name=B",
            vec![("creative", "{\"a\":\"x&y=1\",\"b\":[\"100%25\"]}"), ("name", "B")],
        ),
        ("tasks=[\"A\",\"B\"]", vec![("tasks", "[\"A\",\"B\"]")]),
        ("title=\"quoted\" text&x=1", vec![("title", "\"quoted\" text"), ("x", "1")]),
        ("title={broken&x=1", vec![("title", "{broken"), ("x", "1")]),
        ("link=https://e.org/?a=1", vec![("link", "https://e.org/?a=1")]),
        ("since=2026-01-31T10:00:00+0000", vec![("since", "2026-01-31T10:00:00 0000")]),
        ("x=undefined", vec![("x", "undefined")]),
        ("tasks%5B0%5D=A&tasks%5B1%5D=B", vec![("tasks[0]", "A"), ("tasks[1]", "B")]),
        ("ids={result=x:$.data.*.id}&fields=id", vec![("ids", "{result=x:$.data.*.id}"), ("fields", "id")]),
        ("&a=1&&b&c=2&", vec![("a", "1&&b"), ("c", "2")]),
        ("flag&a=1", vec![("flag", ""), ("a", "1")]),
        ("=1", vec![("", "1")]),
        ("", vec![]),
    ] {
        assert_eq!(loose_pairs(text), owned(&wanted), "{text}");
    }
}

#[test]
fn a_hostile_body_is_read_in_linear_time() {
    for unit in ["a=\"&", "a=[\"x\",&", "a={\"k\":\"&", "&a", "&&", "a={result=", "{result=x:"] {
        let body = unit.repeat(200_000);
        let _ = loose_pairs(&body);
        let _ = split(&body);
    }
    let marks = format!("{{result=x{}}}", "?".repeat(1_000_000));
    assert!(only(json!({"method": "GET", "relative_url": marks})).is_ok());
}
