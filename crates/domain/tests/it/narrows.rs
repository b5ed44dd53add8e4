//! What takes something away, field by field. `narrows.txt` must name every field of every record,
//! so that a new field can't be forgotten.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use valetkey_domain::{Change, Record};

const TABLE: &str = include_str!("narrows.txt");

/// A record of each sort, as JSON; the match below is exhaustive.
fn samples() -> Vec<Value> {
    let digest = "00".repeat(32);
    let limits = json!({"admin_system_users":1,"employee_system_users":1,"people":1,"apps":1,"assets":1,"tokens_per_system_user":2});
    vec![
        json!({"business": {"id":"1","name":"A","created_at":1,"accepted":null,"limits":limits,"strict_visibility":false,"token_lifetime_limit_s":null,"deleted_at":9}}),
        json!({"person": {"id":"1","business":"1","name":"A","email":"a@b.de","role":"ADMIN","status":"ACTIVE","created_at":1,"human":"1"}}),
        json!({"system_user": {"id":"1","business":"1","name":"A","role":"ADMIN","status":"ACTIVE","created_at":1,"created_by":null,"description":"A"}}),
        json!({"app": {"id":"1","business":"1","name":"A","created_at":1,"secret":"00","previous_secret":null,"allowed_scopes":["ads_read"],"demands_proof":false,"deleted_at":9}}),
        json!({"connection": {"business":"1","app":"1","created_at":1}}),
        json!({"installation": {"system_user":"1","app":"1","business":"1","created_at":1}}),
        json!({"declared_kind": {"kind":64,"word":"a","title":"A","tasks":["A"]}}),
        json!({"asset": {"id":"1","kind":1,"business":"1","name":"A","created_at":1,"deleted_at":9}}),
        json!({"assignment": {"user":"1","asset":"1","business":"1","tasks":1,"created_at":1,"created_by":null}}),
        json!({"share": {"asset":"1","partner":"1","tasks":1,"created_at":1,"created_by":null}}),
        json!({"token": {"id":"1","digest":digest,"kind":"SYSTEM_USER","user":"1","business":"1","app":"1","scopes":["ads_read"],"created_at":1,"expires_at":null,"created_by":null,"parent":null,"page":null,"revoked_at":null,"purpose":"A","session":true}}),
        json!({"page_counter": {"parent":"1","page":"1","counter":1}}),
        json!({"sign_in_code": {"digest":digest,"person":"1","business":"1","created_at":1,"expires_at":5,"created_by":"1"}}),
        json!({"terms": {"version":1,"text":"A"}}),
        json!({"human": {"id":"1","email":"a@b.de","handle":vec![0; 16],"password":"00","totp":null,"recovery_codes":[],"created_at":1,"updated_at":1}}),
        json!({"passkey": {"id":"1","human":"1","credential":"00","name":"A","data":"{}","created_at":1,"last_used_at":null}}),
    ]
}

fn word(record: &Record) -> &'static str {
    match record {
        Record::Business(_) => "business",
        Record::Person(_) => "person",
        Record::SystemUser(_) => "system_user",
        Record::App(_) => "app",
        Record::Connection(_) => "connection",
        Record::Installation(_) => "installation",
        Record::DeclaredKind(_) => "declared_kind",
        Record::Asset(_) => "asset",
        Record::Assignment(_) => "assignment",
        Record::Share(_) => "share",
        Record::Token(_) => "token",
        Record::PageCounter(_) => "page_counter",
        Record::SignInCode(_) => "sign_in_code",
        Record::Terms(_) => "terms",
        Record::Human(_) => "human",
        Record::Passkey(_) => "passkey",
    }
}

fn record(value: &Value) -> Record {
    serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("{value}: {e}"))
}

fn sample(kind: &str) -> Value {
    samples().into_iter().find(|s| s.get(kind).is_some()).unwrap_or_else(|| panic!("no sample of {kind}"))
}

fn with(kind: &str, field: &str, value: &str) -> Record {
    let mut whole = sample(kind);
    let value = match value {
        "\"00…\"" => Value::String("00".repeat(32)),
        "\"11…\"" => Value::String("11".repeat(32)),
        other => serde_json::from_str(other).unwrap_or_else(|e| panic!("{kind}.{field} {other}: {e}")),
    };
    let old = whole.get_mut(kind).and_then(|k| k.get_mut(field));
    *old.unwrap_or_else(|| panic!("{kind} has no field {field}")) = value;
    record(&whole)
}

#[test]
fn every_row_holds_and_every_field_is_named() {
    let mut named = BTreeSet::new();
    let mut wrong = Vec::new();
    for (number, line) in TABLE.lines().enumerate() {
        let line = line.split(" #").next().unwrap_or("").trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let [what, before, after, wanted] = columns[..] else { panic!("narrows.txt:{}: four columns", number + 1) };
        let change = match what.split_once('.') {
            None if after == "new" => Change { before: None, after: Some(record(&sample(what))) },
            None => Change { before: Some(record(&sample(what))), after: None },
            Some((kind, field)) => {
                Change { before: Some(with(kind, field, before)), after: Some(with(kind, field, after)) }
            }
        };
        let got = if change.narrows() { "narrows" } else { "no" };
        if got != wanted {
            wrong.push(format!("narrows.txt:{}: {what} {before} → {after}: got {got}", number + 1));
        }
        named.insert(if what.contains('.') { what.to_owned() } else { format!("{what} {after}") });
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let mut all = BTreeSet::new();
    for sample in samples() {
        let stored = record(&sample);
        let kind = word(&stored);
        all.extend([format!("{kind} new"), format!("{kind} -")]);
        let whole = serde_json::to_value(&stored).unwrap();
        all.extend(whole[kind].as_object().unwrap().keys().map(|field| format!("{kind}.{field}")));
    }
    assert_eq!(named, all);
    assert_eq!(samples().len(), 16, "one sample of each record");
}

#[test]
fn a_record_that_turns_into_another_sort_narrows_and_so_does_a_change_without_records() {
    for before in samples() {
        for after in samples().into_iter().filter(|a| a != &before) {
            assert!(Change { before: Some(record(&before)), after: Some(record(&after)) }.narrows());
        }
    }
    assert!(Change { before: None, after: None }.narrows());
}

#[test]
fn records_come_back_from_json_as_they_went() {
    for sample in samples() {
        let stored = record(&sample);
        assert_eq!(record(&serde_json::to_value(&stored).unwrap()), stored);
    }
}

/// The ledger keeps digests of these texts, and `ledger verify` writes the records anew.
#[test]
fn records_of_earlier_versions_are_written_as_they_were() {
    let digest = "00".repeat(32);
    let person = r#"{"person":{"id":"1","business":"1","name":"A","email":"a@b.de","role":"ADMIN","status":"ACTIVE","created_at":1}}"#;
    let user = r#"{"system_user":{"id":"1","business":"1","name":"A","role":"ADMIN","status":"ACTIVE","created_at":1,"created_by":null}}"#;
    let token = format!(
        r#"{{"token":{{"id":"1","digest":"{digest}","kind":"USER","user":"1","business":"1","app":null,"scopes":["ads_read"],"created_at":1,"expires_at":5,"created_by":"1","parent":null,"page":null,"revoked_at":null}}}}"#
    );
    let code = format!(
        r#"{{"sign_in_code":{{"digest":"{digest}","person":"1","business":"1","created_at":1,"expires_at":5}}}}"#
    );
    for text in [person, user, token.as_str(), code.as_str()] {
        let stored: Record = serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(serde_json::to_string(&stored).unwrap(), text);
    }
}

#[test]
fn factors_show_nothing_of_themselves() {
    let mut sample = sample("human");
    sample["human"]["password"] = json!("c0ffee");
    sample["human"]["totp"] = json!({"seed":"c0ffee","last_step":null,"confirmed_at":1});
    let shown = format!("{:?}", record(&sample));
    assert!(!shown.contains("c0ffee") && !shown.contains("192, 255"), "{shown}");
    assert!(shown.contains("PasswordHash(…)"), "{shown}");
}
