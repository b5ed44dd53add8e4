//! Tests of parameter values.

use super::*;
use proptest::prelude::*;
use serde_json::json;

#[test]
fn booleans_of_all_clients() {
    for yes in ["true", "True", "TRUE", "1", "\"true\"", " true "] {
        assert_eq!(boolean(yes), Ok(true), "{yes}");
    }
    for no in ["false", "False", "0", "'false'"] {
        assert_eq!(boolean(no), Ok(false), "{no}");
    }
    for neither in ["", "yes", "2", "null", "[true]"] {
        assert_eq!(boolean(neither), Err(Expected("true or false")), "{neither}");
    }
}

#[test]
fn integers_may_be_quoted() {
    assert_eq!(integer("\"5000\""), Ok(5000));
    assert_eq!(integer("-7"), Ok(-7));
    for wrong in ["", "5.0", "5 0", "0x10", "9223372036854775808", "ten"] {
        assert_eq!(integer(wrong), Err(Expected("a whole number")), "{wrong}");
    }
}

#[test]
fn lists_in_every_spelling() {
    let two = vec!["MANAGE".to_owned(), "ADVERTISE".to_owned()];
    for text in [
        "[\"MANAGE\",\"ADVERTISE\"]",
        "['MANAGE', 'ADVERTISE']",
        "[MANAGE, ADVERTISE]",
        "MANAGE,ADVERTISE",
        " MANAGE , ADVERTISE ",
        "'MANAGE','ADVERTISE'",
        "['MANAGE', 'ADVERTISE',]",
    ] {
        assert_eq!(list(text).as_ref(), Ok(&two), "{text}");
    }
    assert_eq!(list(""), Ok(vec![]));
    assert_eq!(list("[]"), Ok(vec![]));
    assert_eq!(list("\"A\""), Ok(vec!["A".to_owned()]));
    assert_eq!(list("[1,true,{\"a\":1}]"), Ok(vec!["1".to_owned(), "true".to_owned(), "{\"a\":1}".to_owned()]));
    for broken in ["[", "[\"A\"", "[null]", "{\"a\":1}", "['A' 'B']", "[A]B", "[[[["] {
        assert!(list(broken).is_err(), "{broken}");
    }
    assert!(list(&"a,".repeat(MAX_LIST_ENTRIES + 1)).is_err());
}

#[test]
fn objects_in_json_and_in_python() {
    let wanted = json!({"since": "2026-01-01", "n": 1, "on": true, "none": null, "list": ["it's", 2.5]});
    let python = "{'since': '2026-01-01', 'n': 1, 'on': True, 'none': None, 'list': ['it\\'s', 2.5]}";
    assert_eq!(json(python), Ok(wanted.clone()));
    assert_eq!(object(&wanted.to_string()).map(Value::Object), Ok(wanted));
    assert_eq!(object("{page_id: 12}").map(Value::Object), Ok(json!({"page_id": 12})));
    for wrong in ["", "[]", "1", "{'a'}", "{'a':}", "{\"a\":1", "{'a':1}x", "{a'b:1}", "{'a\\x':1}"] {
        assert_eq!(object(wrong), Err(Expected("a JSON object")), "{wrong}");
    }
}

#[test]
fn deep_nesting_is_refused() {
    for open in ["[", "{'a':", "[{\"a\":"] {
        assert!(json(&open.repeat(100_000)).is_err());
    }
    let fits = format!("{}'x'{}", "[".repeat(32), "]".repeat(32));
    assert!(json(&fits).is_ok());
    let deeper = format!("{}'x'{}", "[".repeat(33), "]".repeat(33));
    assert!(json(&deeper).is_err());
}

#[test]
fn times_in_every_spelling() {
    let ten = 1_769_853_600_000;
    for text in [
        "1769853600",
        "\"1769853600\"",
        "2026-01-31T10:00:00+0000",
        "2026-01-31T10:00:00 0000",
        "2026-01-31T10:00:00+00:00",
        "2026-01-31T10:00:00Z",
        "2026-01-31 10:00:00",
        "2026-01-31T10:00",
        "2026-01-31T12:00:00+0200",
        "2026-01-31T12:00:00 0200",
        "2026-01-31T02:00:00-08",
        "2026-01-31T10:00:00.000Z",
    ] {
        assert_eq!(time_ms(text), Ok(ten), "{text}");
    }
    assert_eq!(time_ms("2026-01-31"), Ok(1_769_817_600_000));
    assert_eq!(time_ms("2026-01-31T10:00:00.25Z"), Ok(ten + 250));
    assert_eq!(time_ms_in("2026-01-31T02:00:00", -8 * 3600), Ok(ten));
    assert_eq!(time_ms_in("2026-01-31T10:00:00Z", -8 * 3600), Ok(ten));
    for wrong in [
        "",
        "now",
        "1769853600000",
        "2026-02-30",
        "2026-13-01",
        "2026-01-31T25:00:00Z",
        "2026-01-31T10",
        "2026-01-31X10:00:00",
        "2026-01-31T10:00:00+9999",
        "26-01-31",
        "2026-01-31T10:00:00Zulu",
        "2026-01-31T10:00:60Z",
        "2026-1-31",
    ] {
        assert!(time_ms(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn ids_in_three_forms() {
    assert_eq!(id("123"), Ok(IdText::Object(123)));
    assert_eq!(id("act_123"), Ok(IdText::AdAccount(123)));
    assert_eq!(id("1_2"), Ok(IdText::Pair(1, 2)));
    assert_eq!(id("9223372036854775807"), Ok(IdText::Object(u64::MAX >> 1)));
    for wrong in [
        "",
        "0",
        "012",
        "+1",
        "-1",
        " 1",
        "9223372036854775808",
        "act_",
        "act_x",
        "act_1_2",
        "1_",
        "_1",
        "1_2_3",
        "ACT_1",
        "١٢٣",
        "me",
    ] {
        assert_eq!(id(wrong), Err(Expected("an id")), "{wrong}");
    }
}

#[test]
fn an_error_names_parameter_and_form() {
    let error = Expected("true or false").of_parameter("set_token_expires_in_60_days");
    assert_eq!(error.user_msg.as_deref(), Some("set_token_expires_in_60_days must be true or false."));
}

#[test]
fn json_bodies_become_the_text_of_forms() {
    assert_eq!(text_of(&json!("a")), "a");
    assert_eq!(text_of(&json!(null)), "");
    assert_eq!(text_of(&json!(true)), "true");
    assert_eq!(text_of(&json!(["A"])), "[\"A\"]");
}

proptest! {
    #[test]
    fn no_text_breaks_a_reader(text in "\\PC{0,60}|[\\[\\]{}'\",:A-C0-9TZ+ .\\\\u-]{0,60}") {
        let _ = (boolean(&text), integer(&text), json_break(&text), list(&text), object(&text));
        let _ = (json(&text), time_ms(&text), time_ms_in(&text, i32::MIN), id(&text));
    }

    #[test]
    fn an_id_reads_back(first in 1u64..(1 << 63), second in 1u64..(1 << 63), form in 0..3) {
        let wanted = match form {
            0 => IdText::Object(first),
            1 => IdText::AdAccount(first),
            _ => IdText::Pair(first, second),
        };
        prop_assert_eq!(id(&wanted.to_string()), Ok(wanted));
    }

    #[test]
    fn a_list_of_texts_reads_back(entries in proptest::collection::vec("\\PC{0,12}", 0..8)) {
        let text = serde_json::to_string(&entries).unwrap();
        prop_assert_eq!(list(&text), Ok(entries));
    }

    #[test]
    fn relaxed_and_strict_agree_on_json(entries in proptest::collection::vec("[ -~]{0,12}", 0..8), n: i64) {
        let value = json!({"a": entries, "n": n, "t": true});
        prop_assert_eq!(relaxed::parse(&value.to_string()), Some(value));
    }
}
