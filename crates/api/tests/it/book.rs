//! The documents: what they must hold, and that they hold nothing else.

use http::Method;
use valetkey_api::commands;
use valetkey_http::{Adapter as _, PathEntry};

use crate::fixture::{By, Fixture};

#[tokio::test]
async fn the_openapi_document_holds_every_command_and_can_be_read() {
    let fixture = Fixture::new().await;
    let book = fixture.get(By::Nobody, "/v1/openapi.json").await.body;
    assert_eq!(book["openapi"], "3.1.0");
    let paths = book["paths"].as_object().unwrap();
    for command in commands() {
        let post = &paths[&format!("/v1/commands/{}", command.name)]["post"];
        assert_eq!(post["operationId"], command.name);
        assert!(!post["summary"].as_str().unwrap().is_empty());
        let schema = &post["requestBody"]["content"]["application/json"]["schema"];
        let properties = schema["properties"].as_object().unwrap();
        assert_eq!(properties.len(), command.params.len());
        for (param, (name, property)) in command.params.iter().zip(properties) {
            assert_eq!(name, param.name, "{}: in the order of the row", command.name);
            assert_eq!(property["description"], param.text());
            assert_eq!(property.get("default").is_some(), param.default.is_some(), "{} {name}", command.name);
        }
        let example = format!("valetkey {}", command.line.example);
        assert!(post["description"].as_str().unwrap().ends_with(&example), "{}", command.name);
        let tag = &post["tags"][0];
        assert!(book["tags"].as_array().unwrap().iter().any(|t| t["name"] == *tag), "{tag} is not described");
        assert_eq!(post["responses"]["200"].get("headers").is_some(), command.writes, "{}", command.name);
    }
    for path in ["/v1", "/v1/openapi.json", "/v1/sign-in", "/v1/receipts/{revision}"] {
        assert!(paths.contains_key(path), "{path}");
    }
    assert_eq!(paths.len(), commands().count() + 4);
    insta::assert_snapshot!(serde_json::to_string_pretty(&paths["/v1/commands/app.rotate-secret"]).unwrap(), @r##"
    {
      "post": {
        "operationId": "app.rotate-secret",
        "tags": [
          "app"
        ],
        "summary": "Give an app a new secret, shown once; the old one works for a while",
        "description": "For an ADMIN of the business, or the operator. On the command line: valetkey app rotate-secret Publisher --overlap-s 3600",
        "parameters": [
          {
            "$ref": "#/components/parameters/Proof"
          }
        ],
        "requestBody": {
          "required": true,
          "content": {
            "application/json": {
              "schema": {
                "type": "object",
                "properties": {
                  "app": {
                    "type": "string",
                    "pattern": "^[1-9][0-9]{0,18}$",
                    "description": "The app."
                  },
                  "overlap_s": {
                    "type": "integer",
                    "minimum": 0,
                    "maximum": 2592000,
                    "description": "How long the old secret still works, in seconds; 0 ends it at once. Default: 86400.",
                    "default": 86400
                  }
                },
                "required": [
                  "app"
                ],
                "additionalProperties": false
              }
            }
          }
        },
        "responses": {
          "200": {
            "description": "Done.",
            "content": {
              "application/json": {
                "schema": {
                  "type": "object",
                  "required": [
                    "result",
                    "revision"
                  ],
                  "properties": {
                    "result": {
                      "type": "object"
                    },
                    "revision": {
                      "type": "string",
                      "description": "The revision at which this holds."
                    }
                  }
                }
              }
            },
            "headers": {
              "Valetkey-Revision": {
                "description": "The revision of the change; its receipt is under /v1/receipts/{revision}.",
                "schema": {
                  "type": "string"
                }
              }
            }
          },
          "default": {
            "$ref": "#/components/responses/Error"
          }
        }
      }
    }
    "##);
}

#[tokio::test]
async fn paths_of_other_adapters_stand_in_the_document_when_they_are_set() {
    let fixture = Fixture::new().await;
    let entry = |path, item| PathEntry { path, summary: None, item };
    let item = serde_json::json!({"post": {"summary": "Ask"}});
    let mut api = fixture.api.clone();
    api.set_paths(&[entry("/v1/check", Some(item)), entry("/undescribed", None)].into());
    assert_eq!(api.openapi()["paths"]["/v1/check"]["post"]["summary"], "Ask");
    assert!(api.openapi()["paths"].get("/undescribed").is_none());
}

#[tokio::test]
async fn the_access_of_every_command_is_as_printed() {
    let mut lines = String::new();
    for command in commands() {
        let params: Vec<String> =
            command.params.iter().map(|p| format!("{}{}", p.name, if p.required { "" } else { "?" })).collect();
        lines += &format!(
            "{} {:?} {}({})\n",
            if command.writes { "w" } else { "r" },
            command.access,
            command.name,
            params.join(" ")
        );
    }
    insta::assert_snapshot!(lines, @r#"
    w Operator business.create(name admin_email admin_name?)
    r Admin business.list(limit? after?)
    w Admin business.update(business? name? strict_visibility? token_lifetime_limit_s? limits_preset? admin_system_users_limit? employee_system_users_limit? people_limit? apps_limit? assets_limit? tokens_per_system_user_limit?)
    w Operator business.delete(business preview?)
    r Anyone terms.show()
    w AdminPerson terms.accept(version)
    w Operator terms.replace(text)
    w Admin person.create(business? name email role?)
    r Admin person.list(business? limit? after?)
    w Admin person.update(person name? role? status? preview?)
    w Admin person.delete(person preview?)
    w Admin sign-in.create(person)
    r Admin sign-in.list(business? limit?)
    w Admin app.create(business? name demands_proof?)
    r Admin app.list(business? limit? after?)
    w Admin app.update(app name? allowed_scopes? demands_proof? preview?)
    r Admin app.narrowing(app allowed_scopes?)
    w Admin app.rotate-secret(app overlap_s?)
    w Admin app.connect(business? app)
    w Admin app.disconnect(business? app preview?)
    w Admin app.install(app system_user)
    w Admin app.uninstall(app system_user preview?)
    w Admin app.delete(app preview?)
    w Admin system-user.create(business? name role? description?)
    r Admin system-user.list(business? limit? after?)
    w Admin system-user.rename(system_user name)
    w Admin system-user.describe(system_user description?)
    w Admin system-user.activate(system_user)
    w Admin system-user.deactivate(system_user preview?)
    w Admin system-user.delete(system_user preview?)
    w Admin asset.create(kind business? name details? unowned?)
    r Admin asset.list(business? kind? reach? limit? after?)
    w Admin asset.rename(asset name)
    w Admin asset.delete(asset preview?)
    w Admin assignment.assign(asset user tasks preview?)
    w Admin assignment.unassign(asset user preview?)
    r AdminOrSelf assignment.list(user? asset? limit? after?)
    w Admin share.share(asset partner tasks preview?)
    w Admin share.unshare(asset partner? preview?)
    r Admin share.list(asset? business? limit? after?)
    r Anyone kind.list()
    r AdminOrSelf access.asset(asset limit? after?)
    r AdminOrSelf access.user(user limit? after?)
    r AdminOrSelf access.list(business? user_text? asset_text? sort? kind? task? user_offset? user_limit? asset_offset? asset_limit?)
    w AdminOrSelf token.issue(system_user app scopes lifetime_s? never? add_dependencies? purpose?)
    r AdminOrSelf token.list(user? business? live? limit? after?)
    r AdminOrSelf token.show(token)
    r Admin token.find(text)
    r AdminOrSelf token.uses(token from_day? until_day? limit? after?)
    w AdminOrSelf token.revoke(token with_descendants? preview?)
    w Admin token.revoke-text(text with_descendants?)
    w AdminOrSelf token.revoke-all(system_user app? preview?)
    r Anyone scope.list()
    r Operator job.list(state? limit? after?)
    w Operator job.retry(job)
    w Operator job.confirm(job)
    w Operator job.cancel(job)
    r Admin ledger.list(after? limit? business?)
    r Admin activity.list(before? limit? business? by? about? group? since? until? text?)
    r Admin ledger.head()
    r Admin explain.trace(trace)
    r Admin explain.question(token asset task? scope?)
    r Admin explain.can(user asset task?)
    r Admin refusals.list(user? asset? reason? still_refused? search? grouped? limit? after?)
    r Admin name.find(sort name business?)
    r Anyone caller.show()
    r Admin status()
    "#);
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
async fn other_paths_and_methods_are_distinguished() {
    let fixture = Fixture::new().await;
    let list = fixture.get(By::Nobody, "/v1").await;
    assert_eq!(list.body["commands"].as_array().unwrap().len(), commands().count());
    assert_eq!(fixture.get(By::Operator, "/v1/nothing").await.no(), (404, "unknown_path"));
    assert_eq!(fixture.get(By::Operator, "/v1/commands/status").await.no(), (405, "method_not_allowed"));
    assert_eq!(
        fixture.send(By::Operator, Method::DELETE, "/v1/receipts/1", &[], Vec::new()).await.no(),
        (405, "method_not_allowed")
    );
    assert_eq!(
        fixture.send(By::Operator, Method::POST, "/v1/commands/nope", &[], Vec::new()).await.no(),
        (404, "unknown_command")
    );
    // A caller without a token can't tell which commands exist.
    assert_eq!(
        fixture.send(By::Nobody, Method::POST, "/v1/commands/nope", &[], Vec::new()).await.no(),
        (401, "token_malformed")
    );
}
