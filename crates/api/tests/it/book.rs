//! The documents: what they hold, and that they hold nothing else.

use http::Method;
use valetkey_api::commands;

use crate::house::{By, House};

#[tokio::test]
async fn the_openapi_document_holds_every_command_and_can_be_read() {
    let house = House::new().await;
    let book = house.get(By::Nobody, "/v1/openapi.json").await.body;
    assert_eq!(book["openapi"], "3.1.0");
    let paths = book["paths"].as_object().unwrap();
    for command in commands() {
        let post = &paths[&format!("/v1/commands/{}", command.name)]["post"];
        assert_eq!(post["operationId"], command.name);
        assert!(!post["summary"].as_str().unwrap().is_empty());
        let schema = &post["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(schema["properties"].as_object().unwrap().len(), command.params.len());
        assert_eq!(post["responses"]["200"].get("headers").is_some(), command.writes, "{}", command.name);
    }
    for path in ["/v1", "/v1/openapi.json", "/v1/sign-in", "/v1/receipts/{revision}"] {
        assert!(paths.contains_key(path), "{path}");
    }
    assert_eq!(paths.len(), commands().count() + 4);
    insta::assert_snapshot!(serde_json::to_string_pretty(&paths["/v1/commands/app.rotate-secret"]).unwrap(), @"");
}

#[tokio::test]
async fn paths_of_other_doors_stand_in_the_document_when_they_are_given() {
    let house = House::new().await;
    let api = house.api.clone().with_path("/v1/check", serde_json::json!({"post": {"summary": "Ask"}}));
    assert_eq!(api.openapi()["paths"]["/v1/check"]["post"]["summary"], "Ask");
}

#[tokio::test]
async fn the_access_of_every_command_is_as_printed() {
    let mut lines = String::new();
    for command in commands() {
        let params: Vec<String> =
            command.params.iter().map(|p| format!("{}{}", p.name, if p.required { "" } else { "?" })).collect();
        lines += &format!("{} {:?} {}({})\n", if command.writes { "w" } else { "r" }, command.access, command.name, params.join(" "));
    }
    insta::assert_snapshot!(lines, @"");
}

#[tokio::test]
async fn names_and_parameters_are_unique_and_spelled_alike() {
    let mut seen = std::collections::HashSet::new();
    for command in commands() {
        assert!(seen.insert(command.name));
        assert!(command.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'-'), "{}", command.name);
        assert!(!command.summary.ends_with('.') && command.summary.len() <= 90, "{}", command.summary);
        let mut names = std::collections::HashSet::new();
        for param in command.params {
            assert!(names.insert(param.name), "{} {}", command.name, param.name);
            assert!(param.doc.ends_with('.'), "{} {}", command.name, param.name);
        }
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_told_apart() {
    let house = House::new().await;
    let list = house.get(By::Nobody, "/v1").await;
    assert_eq!(list.body["commands"].as_array().unwrap().len(), commands().count());
    assert_eq!(house.get(By::Operator, "/v1/nothing").await.no(), (404, "unknown_path"));
    assert_eq!(house.get(By::Operator, "/v1/commands/status").await.no(), (405, "method_not_allowed"));
    assert_eq!(house.send(By::Operator, Method::DELETE, "/v1/receipts/1", &[], Vec::new()).await.no(), (405, "method_not_allowed"));
    assert_eq!(house.send(By::Operator, Method::POST, "/v1/commands/nope", &[], Vec::new()).await.no(), (404, "unknown_command"));
    // To a stranger the table's holes look like its rows.
    assert_eq!(house.send(By::Nobody, Method::POST, "/v1/commands/nope", &[], Vec::new()).await.no(), (401, "token_malformed"));
}
