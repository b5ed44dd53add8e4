//! Tests of the parameter bag.

use super::*;
use crate::json::JsonError;
use proptest::prelude::*;

async fn read(query: &str, kind: Option<&str>, body: &[u8]) -> Result<Params, ParamError> {
    Params::read(query, kind, &Bytes::copy_from_slice(body), &ParamLimits::default()).await
}

async fn pairs(query: &str, kind: Option<&str>, body: &[u8]) -> Vec<(String, String)> {
    let params = read(query, kind, body).await.unwrap();
    params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn owned(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const FORM: Option<&str> = Some("application/x-www-form-urlencoded");
const JSON: Option<&str> = Some("application/json; charset=utf-8");
const MULTI: Option<&str> = Some("multipart/form-data; boundary=XX");

fn multipart(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (head, content) in parts {
        body.extend_from_slice(b"--XX\r\nContent-Disposition: form-data; ");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--XX--\r\n");
    body
}

#[tokio::test]
async fn query_and_form_are_read_alike() {
    let wanted = owned(&[
        ("a", "1 2"),
        ("time_range[since]", "2026-01-01"),
        ("attached_media[0]", "{\"x\":1}"),
        ("é", "ü"),
        ("empty", ""),
        ("bare", ""),
        ("odd", "100%"),
    ]);
    let text = "a=1+2&time_range%5Bsince%5D=2026-01-01&attached_media[0]=%7B\"x\":1}&%C3%A9=%c3%bc&&empty=&bare&odd=100%&=nameless";
    assert_eq!(pairs(text, None, b"").await, wanted);
    for kind in [FORM, None, Some(""), Some("text/plain;charset=UTF-8")] {
        assert_eq!(pairs("", kind, text.as_bytes()).await, wanted, "{kind:?}");
    }
}

#[tokio::test]
async fn the_first_counts_within_a_source_and_the_body_over_the_query() {
    assert_eq!(pairs("a=1&a=2", None, b"").await, owned(&[("a", "1")]));
    assert_eq!(pairs("", FORM, b"a=1&a=2").await, owned(&[("a", "1")]));
    assert_eq!(pairs("", JSON, br#"{"a":1,"a":2}"#).await, owned(&[("a", "1")]));
    let both = owned(&[("a", "3"), ("b", "2"), ("c", "5")]);
    assert_eq!(pairs("a=1&b=2", FORM, b"a=3&a=4&c=5").await, both);
    assert_eq!(pairs("a=1&b=2", JSON, br#"{"a":3,"a":4,"c":5}"#).await, both);
    let params = read("a=1&b=2", FORM, b"a=3").await.unwrap();
    assert_eq!((params.source("a"), params.source("b")), (Some(Source::Form), Some(Source::Query)));
    assert_eq!(pairs("t[]=1&t[]=2", None, b"").await, owned(&[("t[]", "1"), ("t[]", "2")]),);
    assert_eq!(pairs("t[]=1&x=0&t[]=2", FORM, b"t[]=3&t[]=4").await, owned(&[("x", "0"), ("t[]", "3"), ("t[]", "4")]),);
    assert_eq!(read("t[]=1&x=0", FORM, b"t[]=3").await.unwrap().get("t[]"), Some("3"));
}

#[tokio::test]
async fn two_different_access_tokens_are_an_error_that_holds_neither() {
    for (query, kind, body) in [
        ("access_token=hush1", FORM, &b"access_token=hush2"[..]),
        ("access_token=hush1", JSON, br#"{"access_token":"hush2"}"#),
        ("access_token=hush1&access_token=hush2", None, b""),
        ("", FORM, b"access_token=hush1&access_token=hush2"),
    ] {
        let error = read(query, kind, body).await.unwrap_err();
        assert_eq!(error.field(), Some("access_token"));
        assert_eq!(error.fault(), &ParamFault::Contradiction);
        assert!(!format!("{error} {error:?}").contains("hush"));
    }
    let same = read("access_token=t&a=1", FORM, b"access_token=t").await.unwrap();
    assert_eq!(same.access_token(), Some("t"));
    assert_eq!(read("a=1", None, b"").await.unwrap().access_token(), None);
}

#[tokio::test]
async fn json_strings_are_bare_and_the_rest_keeps_its_text() {
    let body =
        br#" {"s":"a\n\u00e9","n":12345678901234567890123,"f":1.50,"t":true,"o":{"b": [1, "x"]},"l":[ ],"z":null} "#;
    let params = read("", JSON, body).await.unwrap();
    let wanted = owned(&[
        ("s", "a\né"),
        ("n", "12345678901234567890123"),
        ("f", "1.50"),
        ("t", "true"),
        ("o", r#"{"b": [1, "x"]}"#),
        ("l", "[ ]"),
    ]);
    let found: Vec<_> = params.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    assert_eq!(found, wanted);
    let json = params.json_body().unwrap();
    assert_eq!(json["o"]["b"][1], "x");
    assert!(json["z"].is_null());
    assert_eq!(pairs("", None, b"\n{\"a\":1}").await, owned(&[("a", "1")]));
    assert_eq!(pairs("", Some("application/vnd.x+json"), b"{\"a\":1}").await, owned(&[("a", "1")]));
    assert_eq!(pairs("", JSON, b"\xef\xbb\xbf{\"a\":1}").await, owned(&[("a", "1")]));
    assert!(read("", JSON, b"  ").await.unwrap().is_empty());
    let list = read("", JSON, b"[1,2]").await.unwrap();
    assert!(list.is_empty() && list.json_body().unwrap().is_array());
    assert!(read("", FORM, b"a=1").await.unwrap().json_body().is_none());
}

#[tokio::test]
async fn multipart_gives_fields_and_files() {
    let body = multipart(&[
        ("name=\"message\"", "grüße".as_bytes()),
        ("name=\"source\"; filename=\"a b.png\"\r\nContent-Type: image/png", b"\x00\xff\x01"),
        ("name=\"access_token\"", b"t"),
    ]);
    let params = read("message=old&q=1", MULTI, &body).await.unwrap();
    assert_eq!(params.get("message"), Some("grüße"));
    assert_eq!(params.get("q"), Some("1"));
    assert_eq!(params.access_token(), Some("t"));
    let upload = params.upload("source").unwrap();
    assert_eq!(params.uploads().len(), 1);
    assert_eq!(upload.file_name, "a b.png");
    assert_eq!(upload.content_type.as_deref(), Some("image/png"));
    assert_eq!(upload.bytes, &b"\x00\xff\x01"[..]);
}

#[tokio::test]
async fn what_cant_be_read_names_field_and_position() {
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(64), "]".repeat(64));
    let nul_part = multipart(&[("name=\"a\"", b"x"), ("name=\"m\"", b"x\x00y")]);
    let odd_part = multipart(&[("name=\"m\"", b"\xff")]);
    let nameless = multipart(&[("filename=\"x\"", b"x")]);
    let rows: Vec<(&str, Option<&str>, &[u8], &str)> = vec![
        ("a=1&name=x%00y", None, b"", "parameter name (number 2 of the query) contains a NUL character"),
        ("a%00=1", None, b"", r"parameter a\u{0} (number 1 of the query) contains a NUL character"),
        ("a=1&name=%ff", None, b"", "parameter name (number 2 of the query) is not valid UTF-8"),
        ("%ff=1", None, b"", "parameter number 1 of the query is not valid UTF-8"),
        ("", FORM, b"name=\xc3\x28", "parameter name (number 1 of the form body) is not valid UTF-8"),
        ("", FORM, b"name=a\x00", "parameter name (number 1 of the form body) contains a NUL character"),
        ("", JSON, br#"{"a":1,"b":["x\u0000"]}"#, "parameter b (number 2 of the JSON body) contains a NUL character"),
        ("", JSON, b"{\"a\":\"\xff\"}", "the JSON body is not valid UTF-8"),
        ("", JSON, b"{\"a\":1", "the JSON body: JSON is not well-formed at line 1, column 6"),
        ("", JSON, b"{\"a\":1} x", "the JSON body: JSON is not well-formed at line 1, column 9"),
        ("", JSON, b"7", "the JSON body must be a JSON object"),
        (
            "",
            JSON,
            b"{\"a\":1e999}",
            "parameter a (number 1 of the JSON body): JSON is not well-formed at line 1, column 5",
        ),
        ("", JSON, deep.as_bytes(), "the JSON body: JSON is nested more than 64 levels deep at byte 69"),
        ("", MULTI, &nul_part, "parameter m (number 2 of the multipart body) contains a NUL character"),
        ("", MULTI, &odd_part, "parameter m (number 1 of the multipart body) is not valid UTF-8"),
        (
            "",
            MULTI,
            &nameless,
            "parameter number 1 of the multipart body is not well-formed multipart/form-data: a part has no readable name",
        ),
        (
            "",
            MULTI,
            b"--XX\r\nContent-Disposition: form-data; name=\"m\"\r\n\r\nx",
            "parameter m (number 1 of the multipart body) is not well-formed multipart/form-data: it ends before its last boundary",
        ),
        (
            "",
            Some("multipart/form-data"),
            b"x",
            "the multipart body is not well-formed multipart/form-data: the content type has no usable boundary",
        ),
        ("", Some("image/png"), b"x", "the form body has a content type that is not supported"),
    ];
    for (query, kind, body, start) in rows {
        let error = read(query, kind, body).await.unwrap_err().to_string();
        assert!(error.starts_with(start), "{start:?} but {error:?}");
    }
    assert!(read("a=1", Some("image/png"), b"").await.is_ok());
}

#[tokio::test]
async fn limits_hold() {
    let limits = ParamLimits {
        count_limit: 3,
        name_limit_bytes: 4,
        text_limit_bytes: 8,
        upload_count_limit: 1,
        json_depth_limit: 3,
    };
    let read = |query: &'static str, kind, body: Vec<u8>| {
        let limits = limits.clone();
        async move { Params::read(query, kind, &body.into(), &limits).await.map_err(|e| e.fault().clone()) }
    };
    assert!(read("a=1&b=2", FORM, b"c=3".to_vec()).await.is_ok());
    assert_eq!(read("a=1&b=2", FORM, b"c=3&d=4".to_vec()).await, Err(ParamFault::TooMany(3)));
    assert_eq!(read("a=1&a=1&a=1&a=1", None, vec![]).await, Err(ParamFault::TooMany(3)));
    assert_eq!(read("", JSON, br#"{"a":null,"b":null,"c":null,"d":null}"#.to_vec()).await, Err(ParamFault::TooMany(3)),);
    assert!(read("abcd=1", None, vec![]).await.is_ok());
    assert_eq!(read("abcde=1", None, vec![]).await, Err(ParamFault::NameTooLong(4)));
    assert!(read("", JSON, b"{\"a\":[[1]]}".to_vec()).await.is_ok());
    assert_eq!(
        read("", JSON, b"{\"a\":[[[1]]]}".to_vec()).await,
        Err(ParamFault::Json(JsonError::Depth { limit: 3, at_byte: 8 })),
    );
    let files = multipart(&[("name=\"a\"; filename=\"a\"", b"1"), ("name=\"b\"; filename=\"b\"", b"2")]);
    assert_eq!(read("", MULTI, files).await, Err(ParamFault::TooManyUploads(1)));
    let text = |size: usize| multipart(&[("name=\"a\"", "x".repeat(size).as_bytes())]);
    assert!(read("", MULTI, text(8)).await.is_ok());
    assert_eq!(read("", MULTI, text(9)).await, Err(ParamFault::TextTooLong(8)));
}

#[tokio::test]
async fn debug_texts_hold_no_value() {
    let body = multipart(&[("name=\"message\"", b"hush"), ("name=\"f\"; filename=\"n\"", b"hush")]);
    let params = read("access_token=hush&vkeysu_hush=1", MULTI, &body).await.unwrap();
    let shown = format!("{params:?}");
    assert!(!shown.contains("hush"), "{shown}");
    assert!(shown.contains("message"));
}

proptest! {
    #[test]
    fn hostile_bodies_never_panic(
        query in "\\PC{0,80}", body in proptest::collection::vec(any::<u8>(), 0..200),
        kind in proptest::sample::select(&["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=XX", "", "text/plain"][..]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let _ = runtime.block_on(read(&query, Some(kind), &body));
    }

    #[test]
    fn what_is_encoded_is_read_back(list in proptest::collection::hash_map("[^\0]{1,20}", "[^\0]{0,20}", 0..20)) {
        let encode = |text: &str| text.bytes().map(|b| format!("%{b:02x}")).collect::<String>();
        let mut text: Vec<String> = list.iter().map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect();
        text.sort();
        let params = Params::from_query(&text.join("&"), &ParamLimits::default());
        if list.contains_key("access_token") { return Ok(()); }
        let params = params.unwrap();
        for (name, value) in &list {
            prop_assert_eq!(params.get(name), Some(value.as_str()));
        }
        prop_assert_eq!(params.len(), list.len());
    }
}
