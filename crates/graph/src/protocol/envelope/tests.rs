//! Tests of the error envelope: every row as it leaves.

use super::*;
use proptest::prelude::*;

fn all_rows() -> Vec<(&'static str, GraphError)> {
    let mut rows = protocol_rows();
    rows.extend(use_rows());
    rows
}

fn protocol_rows() -> Vec<(&'static str, GraphError)> {
    vec![
        ("no token", no_token()),
        ("no user", no_user()),
        ("unknown version", unknown_version("v1.0/me")),
        ("unknown path", unknown_path("x/y")),
        ("alias", alias("zuck")),
        ("unknown field", unknown_field("nmae", "Campaign", Some("name"))),
        ("unknown field, no guess", unknown_field("zzz", "Campaign", None)),
        ("unknown edge", unknown_edge("adset", "Campaign", Some("adsets"))),
        ("unsupported method", unsupported_method("DELETE")),
        ("field syntax", field_syntax("Expected end of string instead of \"?\".", 5, "posts?x")),
        ("reduce data", reduce_data()),
        ("required", parameter_required("business_app")),
        ("invalid", invalid_parameter("limit", "a whole number")),
        ("enum", enum_value("role", &["ADMIN", "EMPLOYEE"])),
        ("name rule", name_rule("name", "is empty; give it 1 to 200 characters")),
        ("unknown task", unknown_task(1, &["MANAGE", "ANALYZE"])),
        ("invalid scope", invalid_scope("fly")),
        ("scope dependency", scope_dependency("a", "b")),
        ("wider", wider_than_token()),
        ("body too large", body_too_large(1_048_576)),
        ("bad json", bad_json("filtering", 7)),
        ("cursor", invalid_cursor()),
        ("too many ids", too_many_ids(51)),
        ("too many items", too_many_batch_items()),
        ("batch not array", batch_not_array()),
        ("batch reference", batch_invalid_reference("first")),
        ("batch dependency", batch_dependency_failed("first")),
    ]
}

fn use_rows() -> Vec<(&'static str, GraphError)> {
    vec![
        ("post empty", post_empty()),
        ("schedule", schedule_invalid()),
        ("invisible parameter", invisible_parameter("user")),
        ("last admin", last_admin()),
        ("partner share", partner_share("page")),
        ("application", application_unknown()),
        ("client secret", client_secret_wrong()),
        ("grant type", grant_type()),
        ("end demanded", token_end_demanded(60 * 86_400)),
        ("end demanded, soon", token_end_demanded(5_400)),
        ("too many calls", rate_limited()),
        ("proof wrong", proof_invalid(Some("Poster"))),
        ("oneself", oneself_alone()),
        ("fault", server_fault()),
        ("store away", store_away()),
        ("outcome unknown", outcome_unknown("c1")),
        ("not durable", not_durable()),
        ("not fresh", not_fresh()),
        ("busy", busy()),
    ]
}

fn table(rows: Vec<(&'static str, GraphError)>) -> String {
    let lines = rows.into_iter().map(|(case, error)| {
        let retry = error.retry_after_s.map_or_else(String::new, |s| format!(" retry {s} s"));
        format!("{case}: {}{retry} {}", error.http_status.as_u16(), error.to_value("T")["error"])
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_row_of_the_protocol_as_it_leaves() {
    insta::assert_snapshot!(table(protocol_rows()), @r#"
    no token: 401 {"message":"An access token is required to request this resource.","type":"OAuthException","code":190,"is_transient":false,"error_user_title":"No token","error_user_msg":"Send access_token or a bearer header.","fbtrace_id":"T"}
    no user: 400 {"message":"An active access token must be used to query information about the current user.","type":"OAuthException","code":2500,"is_transient":false,"error_user_title":"No user","error_user_msg":"This token stands for an app, not for a user.","fbtrace_id":"T"}
    unknown version: 400 {"message":"Unknown path components: /v1.0/me","type":"OAuthException","code":2500,"is_transient":false,"error_user_title":"Unknown version","error_user_msg":"Versions v2.0 to v27.0 are served.","fbtrace_id":"T"}
    unknown path: 400 {"message":"Unknown path components: /x/y","type":"OAuthException","code":2500,"is_transient":false,"error_user_title":"Unknown path","error_user_msg":"A path is /{version}/{id} or /{version}/{id}/{edge}.","fbtrace_id":"T"}
    alias: 400 {"message":"(#803) Some of the aliases you requested do not exist: zuck","type":"OAuthException","code":803,"is_transient":false,"error_user_title":"Unknown name","error_user_msg":"Objects are named by id here.","fbtrace_id":"T"}
    unknown field: 400 {"message":"(#100) Tried accessing nonexisting field (nmae) on node type (Campaign)","type":"OAuthException","code":100,"is_transient":false,"error_user_title":"Unknown field","error_user_msg":"Campaign has no field nmae; did you mean name?","fbtrace_id":"T"}
    unknown field, no guess: 400 {"message":"(#100) Tried accessing nonexisting field (zzz) on node type (Campaign)","type":"OAuthException","code":100,"is_transient":false,"error_user_title":"Unknown field","error_user_msg":"Campaign has no field zzz.","fbtrace_id":"T"}
    unknown edge: 400 {"message":"(#100) Tried accessing nonexisting field (adset) on node type (Campaign)","type":"OAuthException","code":100,"is_transient":false,"error_user_title":"Unknown edge","error_user_msg":"Campaign has no edge adset; did you mean adsets?","fbtrace_id":"T"}
    unsupported method: 400 {"message":"Unsupported request - method type: delete","type":"GraphMethodException","code":100,"is_transient":false,"error_user_title":"Not possible","error_user_msg":"There is no delete here.","fbtrace_id":"T"}
    field syntax: 400 {"message":"Syntax error \"Expected end of string instead of \"?\".\" at character 5: posts?x","type":"OAuthException","code":2500,"is_transient":false,"error_user_title":"Fields not readable","error_user_msg":"The list of fields breaks at character 5.","fbtrace_id":"T"}
    reduce data: 400 {"message":"Please reduce the amount of data you're asking for, then retry your request","type":"OAuthException","code":100,"error_subcode":9000007,"is_transient":false,"error_user_title":"Too much at once","error_user_msg":"Ask for fewer fields or a smaller limit.","fbtrace_id":"T"}
    required: 400 {"message":"(#100) The parameter business_app is required","type":"OAuthException","code":100,"error_data":{"blame_field_specs":[["business_app"]]},"is_transient":false,"error_user_title":"Business app missing","error_user_msg":"The parameter business_app is missing. Send it.","fbtrace_id":"T"}
    invalid: 400 {"message":"(#100) Invalid parameter","type":"OAuthException","code":100,"error_data":{"blame_field_specs":[["limit"]]},"is_transient":false,"error_user_title":"Limit not readable","error_user_msg":"limit must be a whole number.","fbtrace_id":"T"}
    enum: 400 {"message":"(#100) Param role must be one of {ADMIN, EMPLOYEE}","type":"OAuthException","code":100,"error_data":{"blame_field_specs":[["role"]]},"is_transient":false,"error_user_title":"Unknown value","error_user_msg":"role must be one of ADMIN, EMPLOYEE.","fbtrace_id":"T"}
    name rule: 400 {"message":"(#100) Invalid parameter","type":"OAuthException","code":100,"error_subcode":9000008,"error_data":{"blame_field_specs":[["name"]]},"is_transient":false,"error_user_title":"Name not usable","error_user_msg":"name is empty; give it 1 to 200 characters.","fbtrace_id":"T"}
    unknown task: 400 {"message":"(#100) Param tasks[1] must be one of {MANAGE, ANALYZE}","type":"OAuthException","code":100,"error_data":{"blame_field_specs":[["tasks"]]},"is_transient":false,"error_user_title":"Unknown task","error_user_msg":"This kind of asset has only the tasks listed.","fbtrace_id":"T"}
    invalid scope: 400 {"message":"(#100) Invalid scope: fly","type":"OAuthException","code":100,"error_subcode":9000009,"is_transient":false,"error_user_title":"Scope not possible","error_user_msg":"The app may not ask for the scope fly, or there is no such scope. Choose another scope, or let an ADMIN allow it on the app.","fbtrace_id":"T"}
    scope dependency: 400 {"message":"(#100) Scope a needs b","type":"OAuthException","code":100,"error_subcode":9000010,"is_transient":false,"error_user_title":"Scope incomplete","error_user_msg":"The scope a needs the scope b beside it. Add it.","fbtrace_id":"T"}
    wider: 403 {"message":"(#200) A token can't issue more permission than it has","type":"OAuthException","code":200,"is_transient":false,"error_user_title":"Too wide","error_user_msg":"The new token would reach further than the token that asks for it. Ask for fewer scopes or an earlier end, or let an ADMIN issue it.","fbtrace_id":"T"}
    body too large: 413 {"message":"(#100) The request is larger than 1048576 bytes","type":"OAuthException","code":100,"error_subcode":9000011,"is_transient":false,"error_user_title":"Too large","error_user_msg":"Send less at once.","fbtrace_id":"T"}
    bad json: 400 {"message":"(#100) Invalid parameter","type":"OAuthException","code":100,"error_data":{"blame_field_specs":[["filtering"]]},"is_transient":false,"error_user_title":"Not JSON","error_user_msg":"filtering is not JSON: it breaks at byte 7.","fbtrace_id":"T"}
    cursor: 400 {"message":"(#100) Invalid cursor","type":"OAuthException","code":100,"is_transient":false,"error_user_title":"Cursor not usable","error_user_msg":"Start from the first page.","fbtrace_id":"T"}
    too many ids: 400 {"message":"(#100) Too many IDs. Maximum: 50. Provided: 51.","type":"OAuthException","code":100,"error_data":{"blame_field_specs":[["ids"]]},"is_transient":false,"error_user_title":"Too many ids","error_user_msg":"Split the ids over several calls.","fbtrace_id":"T"}
    too many items: 400 {"message":"Too many requests in batch message. Maximum batch size is 50","type":"OAuthException","code":100,"error_subcode":9000012,"error_data":{"blame_field_specs":[["batch"]]},"is_transient":false,"error_user_title":"Too many items","error_user_msg":"A batch holds 1 to 50 items; split it.","fbtrace_id":"T"}
    batch not array: 400 {"message":"(#100) Param batch must be a JSON array of objects","type":"OAuthException","code":100,"error_data":{"blame_field_specs":[["batch"]]},"is_transient":false,"error_user_title":"Batch not readable","error_user_msg":"Send batch=[{\"method\":\"GET\",\"relative_url\":\"me\"}].","fbtrace_id":"T"}
    batch reference: 400 {"message":"(#100) Invalid reference first","type":"OAuthException","code":100,"error_subcode":9000013,"is_transient":false,"error_user_title":"Reference leads nowhere","error_user_msg":"A reference is {result=NAME:$.path}, and the item NAME must stand earlier in the batch.","fbtrace_id":"T"}
    batch dependency: 400 {"message":"(#100) Invalid reference first","type":"OAuthException","code":100,"error_subcode":9000013,"is_transient":false,"error_user_title":"Not run","error_user_msg":"The item that this one depends on failed, so this one was not run.","fbtrace_id":"T"}
    "#);
}

#[test]
fn every_row_of_use_as_it_leaves() {
    insta::assert_snapshot!(table(use_rows()), @r#"
    post empty: 400 {"message":"(#100) Invalid parameter","type":"OAuthException","code":100,"error_data":{"blame_field_specs":[["message"],["link"]]},"is_transient":false,"error_user_title":"Empty post","error_user_msg":"Send a message, a link or a photo.","fbtrace_id":"T"}
    schedule: 400 {"message":"(#100) The specified scheduled publish time is invalid.","type":"OAuthException","code":100,"error_data":{"blame_field_specs":[["scheduled_publish_time"]]},"is_transient":false,"error_user_title":"Time not possible","error_user_msg":"Send published=false and a time between 10 minutes and 75 days from now.","fbtrace_id":"T"}
    invisible parameter: 400 {"message":"(#100) Invalid parameter","type":"OAuthException","code":100,"error_data":{"blame_field_specs":[["user"]]},"is_transient":false,"error_user_title":"User not readable","error_user_msg":"user names nothing that this caller can use here. Check the id.","fbtrace_id":"T"}
    last admin: 400 {"message":"(#100) The last ADMIN of a business stays","type":"OAuthException","code":100,"error_subcode":9000015,"is_transient":false,"error_user_title":"Last ADMIN","error_user_msg":"The last ADMIN of a business stays. Make another person ADMIN first.","fbtrace_id":"T"}
    partner share: 403 {"message":"(#200) Only the owner has permission to share this page","type":"OAuthException","code":200,"error_data":{"reason":"role_insufficient","granted_by":"ADMIN of the owning business"},"is_transient":false,"error_user_title":"Not the owner","error_user_msg":"Ask the owner to share it.","fbtrace_id":"T"}
    application: 400 {"message":"Error validating application. Cannot get application info due to a system error.","type":"OAuthException","code":101,"error_data":{"blame_field_specs":[["client_id"]]},"is_transient":false,"error_user_title":"Unknown app","error_user_msg":"client_id is not the id of an app here.","fbtrace_id":"T"}
    client secret: 400 {"message":"Error validating client secret.","type":"OAuthException","code":101,"error_data":{"blame_field_specs":[["client_secret"]]},"is_transient":false,"error_user_title":"Secret wrong","error_user_msg":"client_secret is not the secret of this app.","fbtrace_id":"T"}
    grant type: 400 {"message":"(#100) Param grant_type must be one of {client_credentials, fb_exchange_token}","type":"OAuthException","code":100,"error_data":{"blame_field_specs":[["grant_type"]]},"is_transient":false,"error_user_title":"Unknown value","error_user_msg":"grant_type must be one of client_credentials, fb_exchange_token.","fbtrace_id":"T"}
    end demanded: 400 {"message":"(#100) Tokens of this business must end","type":"OAuthException","code":100,"error_subcode":9000017,"error_data":{"blame_field_specs":[["set_token_expires_in_60_days"]]},"is_transient":false,"error_user_title":"End demanded","error_user_msg":"Tokens of this business must end within 60 days. Ask for a shorter life.","fbtrace_id":"T"}
    end demanded, soon: 400 {"message":"(#100) Tokens of this business must end","type":"OAuthException","code":100,"error_subcode":9000017,"error_data":{"blame_field_specs":[["set_token_expires_in_60_days"]]},"is_transient":false,"error_user_title":"End demanded","error_user_msg":"Tokens of this business must end within 90 minutes. Ask for a shorter life.","fbtrace_id":"T"}
    too many calls: 400 retry 60 s {"message":"(#613) Calls to this api have exceeded the rate limit.","type":"OAuthException","code":613,"is_transient":true,"error_user_title":"Too many calls","error_user_msg":"Too many calls came in too short a time. Wait a minute, then send fewer calls at a time.","fbtrace_id":"T"}
    proof wrong: 400 {"message":"Invalid appsecret_proof provided in the API argument","type":"GraphMethodException","code":100,"is_transient":false,"error_user_title":"Proof wrong","error_user_msg":"The appsecret_proof does not match this token and the secret of the app Poster; most often the secret belongs to another app. Send HMAC-SHA256 of the token's text in hexadecimal, with the secret of the token's app as the key.","fbtrace_id":"T"}
    oneself: 403 {"message":"(#200) Only the user itself has permission to ask for this","type":"OAuthException","code":200,"error_data":{"reason":"role_insufficient"},"is_transient":false,"error_user_title":"Not your own","error_user_msg":"Ask with a token of that user; no role stands in for it.","fbtrace_id":"T"}
    fault: 500 {"message":"An unknown error occurred","type":"OAuthException","code":1,"is_transient":true,"error_user_title":"Server fault","error_user_msg":"The server failed. The operator finds the cause in the log by the trace.","fbtrace_id":"T"}
    store away: 503 retry 1 s {"message":"(#2) Service temporarily unavailable","type":"OAuthException","code":2,"is_transient":true,"error_user_title":"Not available","error_user_msg":"The store can't be reached. Try again in a moment.","fbtrace_id":"T"}
    outcome unknown: 503 {"message":"(#2) Outcome unknown; look up commit c1","type":"OAuthException","code":2,"error_subcode":9000018,"error_data":{"commit_id":"c1"},"is_transient":false,"error_user_title":"Outcome unknown","error_user_msg":"It is not known whether the change was applied; its commit is c1. Look it up in the ledger before you send it again.","fbtrace_id":"T"}
    not durable: 503 {"message":"(#2) Service temporarily unavailable","type":"OAuthException","code":2,"error_subcode":9000019,"is_transient":false,"error_user_title":"Not yet durable","error_user_msg":"The change is in force on this node, but the store can't write it yet; the server tries again by itself. Don't send it again; /readyz says when it is written, and if the node stops before that, the change is lost.","fbtrace_id":"T"}
    not fresh: 503 retry 1 s {"message":"(#2) Service temporarily unavailable","type":"OAuthException","code":2,"is_transient":true,"error_user_title":"Node not up to date","error_user_msg":"This node can't show that it knows the newest revocations. Try another node, or try again in a moment.","fbtrace_id":"T"}
    busy: 503 retry 1 s {"message":"(#2) Service temporarily unavailable","type":"OAuthException","code":2,"is_transient":true,"error_user_title":"Not available","error_user_msg":"The server has too much to do. Try again in a moment.","fbtrace_id":"T"}
    "#);
}

#[test]
fn codes_that_clients_retry_on_are_kept_for_faults() {
    for (case, error) in all_rows() {
        let fault = matches!(case, "fault" | "store away" | "outcome unknown" | "not durable" | "not fresh" | "busy");
        let limited = case == "too many calls";
        let retried = matches!(error.code, 1 | 2 | 4 | 17 | 32 | 104 | 613 | 80_000..=80_014);
        assert_eq!(retried, fault || limited, "{case}");
        assert_eq!(error.http_status.is_server_error(), fault, "{case}");
        assert_ne!(error.subcode, Some(33), "{case}");
        assert_ne!(error.subcode, Some(99), "{case}");
    }
}

#[test]
fn texts_of_10_and_200_hold_the_word_permission() {
    for (case, error) in all_rows() {
        if matches!(error.code, 10 | 200) {
            assert!(error.message.contains("permission"), "{case}");
        }
    }
}

#[test]
fn the_header_goes_with_401_and_403_alone() {
    let header = |error: GraphError| error.www_authenticate().map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(
        header(no_token()).as_deref(),
        Some("OAuth \"Facebook Platform\" \"invalid_token\" \"An access token is required to request this resource.\"")
    );
    assert_eq!(
        header(wider_than_token()).as_deref(),
        Some(
            "OAuth \"Facebook Platform\" \"insufficient_scope\" \"(#200) A token can't issue more permission than it has\""
        )
    );
    assert_eq!(header(invalid_cursor()), None);
    let hostile = GraphError::new(190, ErrorKind::OAuthException, "a\"b\\c\r\nd é");
    assert_eq!(header(hostile).as_deref(), Some("OAuth \"Facebook Platform\" \"invalid_token\" \"a\\\"b\\\\c??d ?\""));
}

#[test]
fn an_error_is_a_small_value() {
    // Large errors make every `Result` that carries them slow to move.
    assert!(size_of::<GraphError>() <= 128, "{}", size_of::<GraphError>());
}

#[test]
fn a_caller_text_in_an_error_hides_credentials() {
    let error = unknown_path("10?access_token=VKSECRET");
    assert!(!error.message.contains("VKSECRET"));
}

proptest! {
    #[test]
    fn any_text_makes_a_whole_envelope(text in "\\PC{0,300}") {
        let errors = [unknown_path(&text), alias(&text), unknown_field(&text, "Page", None), unsupported_method(&text),
            parameter_required(&text), field_syntax(&text, 1, &text), batch_invalid_reference(&text), invalid_scope(&text)];
        for error in errors {
            let body: Value = serde_json::from_slice(&error.to_bytes("T")).unwrap();
            prop_assert_eq!(&body["error"]["message"], error.message.as_ref());
            prop_assert!(!body["error"]["error_data"].is_null() || error.error_data.is_none());
        }
        let refusal = GraphError::new(10, ErrorKind::OAuthException, text);
        prop_assert!(refusal.www_authenticate().is_some());
    }
}
