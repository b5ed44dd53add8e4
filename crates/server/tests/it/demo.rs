//! The demo: its file, its screen, its calls, and what a second start keeps.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::program::{Folder, Running, demo_json};

fn text<'a>(demo: &'a Value, pointer: &str) -> &'a str {
    demo.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} is absent"))
}

/// The lasting part of the file: all but the address and the code.
fn lasting(mut demo: Value) -> Value {
    let map = demo.as_object_mut().unwrap();
    map.remove("base_url");
    map.remove("sign_in");
    demo
}

#[test]
fn the_file_holds_what_scripts_need_and_the_three_calls_do_what_they_say() {
    let folder = Folder::new();
    let server = Running::demo(&folder, &[]);
    let path = folder.join("demo/demo.json");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let demo = demo_json(&folder);
    for pointer in [
        "/business/id /business/name /app/id /app/secret /app/name /second_app/id /second_app/secret /second_app/name",
        "/partner/business/id /partner/business/name /partner/app/id /partner/app/secret /partner/admin_token",
        "/pages/0/id /pages/0/name /pages/1/id /ad_accounts/0/id /ad_accounts/0/account_id /ad_accounts/0/name /ad_accounts/1/id",
        "/catalog/id /pixel/id /admin_system_user/id /admin_system_user/name /admin_system_user/token",
        "/system_users/0/id /system_users/0/name /system_users/0/role /system_users/0/token /system_users/1/token /sign_in",
    ]
    .join(" ")
    .split(' ')
    {
        assert!(!text(&demo, pointer).is_empty(), "{pointer}");
    }
    assert_eq!(text(&demo, "/ad_accounts/0/id"), format!("act_{}", text(&demo, "/ad_accounts/0/account_id")));
    assert!(text(&demo, "/base_url").starts_with("http://127.0.0.1:"));

    let (page, own, other) =
        (text(&demo, "/pages/0/id"), text(&demo, "/ad_accounts/0/id"), text(&demo, "/ad_accounts/1/id"));
    let (scheduler, reporter) = (text(&demo, "/system_users/0/token"), text(&demo, "/system_users/1/token"));
    let lines: Vec<&str> = server.said.lines().filter(|line| line.starts_with("curl ")).collect();
    assert_eq!(lines.len(), 3, "{}", server.said);
    for (line, parts) in lines.iter().zip([[scheduler, page], [reporter, own], [reporter, other]]) {
        assert!(parts.iter().all(|part| line.contains(part)), "{line}");
    }
    let (status, body) = server.ask("POST", &format!("/v26.0/{page}/feed"), Some(scheduler), "message=Hello");
    assert!(status == 200 && body.contains(&format!("{page}_")), "{body}");
    let (status, body) = server.get(&format!("/v26.0/{own}/campaigns?fields=name"), Some(reporter));
    assert!(status == 200 && body.contains("Wren launch"), "{body}");
    let (status, body) = server.get(&format!("/v26.0/{other}/campaigns?fields=name"), Some(reporter));
    assert!(status == 403 && body.contains("asset_not_assigned"), "{body}");
    server.stop();
}

#[test]
fn the_screen_shows_no_secret_but_the_tokens_of_its_calls() {
    let folder = Folder::new();
    let server = Running::demo(&folder, &[]);
    let demo = demo_json(&folder);
    for pointer in
        ["/app/secret", "/second_app/secret", "/partner/app/secret", "/partner/admin_token", "/admin_system_user/token"]
    {
        assert!(!server.said.contains(text(&demo, pointer)), "{pointer} is on the screen");
    }
    let link = format!("/console/sign-in?code={}", text(&demo, "/sign_in"));
    assert_eq!(server.said.matches(text(&demo, "/sign_in")).count(), 1);
    assert!(server.said.contains(&link), "{}", server.said);
    assert!(server.said.lines().count() <= 27, "{}", server.said);
    assert!(!server.said.contains('\u{1b}'), "colours without a terminal");
    server.stop();
}

#[test]
fn a_second_start_keeps_everything_but_the_code_and_mends_what_is_broken() {
    let folder = Folder::new();
    let first = Running::demo(&folder, &[]);
    let before = demo_json(&folder);
    let (admin, user) = (text(&before, "/admin_system_user/token"), text(&before, "/system_users/0/id"));
    first.stop();

    let second = Running::demo(&folder, &[]);
    let kept = demo_json(&folder);
    assert_eq!(lasting(kept.clone()), lasting(before.clone()));
    assert_ne!(text(&kept, "/sign_in"), text(&before, "/sign_in"));
    // All tokens of one system user are revoked, another system user is deleted.
    let gone = text(&before, "/system_users/1/id");
    assert_eq!(second.ask("DELETE", &format!("/v26.0/{user}/access_tokens"), Some(admin), "").0, 200);
    assert_eq!(second.ask("DELETE", &format!("/v26.0/{gone}"), Some(admin), "").0, 200);
    assert_eq!(second.get("/v26.0/me", Some(text(&before, "/system_users/0/token"))).0, 401);
    second.kill();

    let third = Running::demo(&folder, &[]);
    let mended = demo_json(&folder);
    assert_eq!(text(&mended, "/admin_system_user/token"), admin);
    assert_eq!(text(&mended, "/system_users/0/id"), user);
    assert_ne!(text(&mended, "/system_users/0/token"), text(&before, "/system_users/0/token"));
    assert_ne!(text(&mended, "/system_users/1/id"), gone);
    for i in 0..2 {
        assert_eq!(third.get("/v26.0/me", Some(text(&mended, &format!("/system_users/{i}/token")))).0, 200);
    }
    third.stop();
}

#[test]
fn a_lost_file_is_made_anew_with_secrets_and_tokens_that_work() {
    let folder = Folder::new();
    let first = Running::demo(&folder, &[]);
    let before = demo_json(&folder);
    first.stop();
    std::fs::write(folder.join("demo/demo.json"), "{ not whole").unwrap();
    let second = Running::demo(&folder, &[]);
    let after = demo_json(&folder);
    for pointer in [
        "/business/id",
        "/app/id",
        "/pages/0/id",
        "/ad_accounts/1/id",
        "/catalog/id",
        "/pixel/id",
        "/admin_system_user/id",
    ] {
        assert_eq!(text(&after, pointer), text(&before, pointer), "{pointer} was made twice");
    }
    let as_app = |demo: &Value| format!("{}|{}", text(demo, "/app/id"), text(demo, "/app/secret"));
    let app = text(&after, "/app/id");
    assert_eq!(second.get(&format!("/v26.0/{app}"), Some(&as_app(&after))).0, 200);
    assert_eq!(second.get(&format!("/v26.0/{app}"), Some(&as_app(&before))).0, 401, "the old secret still works");
    assert_eq!(second.get("/v26.0/me", Some(text(&after, "/admin_system_user/token"))).0, 200);
    second.stop();

    // A secret that no longer works is no failure either.
    let stale = after.to_string().replace(text(&after, "/app/secret"), text(&before, "/app/secret"));
    std::fs::write(folder.join("demo/demo.json"), stale).unwrap();
    let third = Running::demo(&folder, &[]);
    let mended = demo_json(&folder);
    assert_eq!(third.get(&format!("/v26.0/{app}"), Some(&as_app(&mended))).0, 200);
    assert_eq!(text(&mended, "/second_app/secret"), text(&after, "/second_app/secret"));
    third.stop();
}

#[test]
fn fresh_begins_anew_and_spares_what_is_no_demo() {
    let folder = Folder::new();
    let first = Running::demo(&folder, &[]);
    let before = demo_json(&folder);
    first.stop();
    let second = Running::demo(&folder, &["--fresh"]);
    let after = demo_json(&folder);
    assert_ne!(text(&after, "/business/id"), text(&before, "/business/id"));
    assert_eq!(second.get("/v26.0/me", Some(text(&before, "/admin_system_user/token"))).0, 401);
    second.stop();

    std::fs::create_dir(folder.join("mine")).unwrap();
    std::fs::write(folder.join("mine/letter"), "keep me").unwrap();
    for more in [&["--fresh"][..], &[]] {
        let ended = folder.run(&[&["demo", "--data", "mine", "--port", "0"], more].concat());
        assert!(ended.error().contains("mine"), "{ended:?}");
    }
    assert_eq!(std::fs::read_dir(folder.join("mine")).unwrap().count(), 1);
}

#[test]
fn the_first_app_demands_no_proof_and_the_second_does() {
    let folder = Folder::new();
    let server = Running::demo(&folder, &[]);
    let demo = demo_json(&folder);
    let (user, admin) = (text(&demo, "/admin_system_user/id"), text(&demo, "/admin_system_user/token"));
    let issue = |app: &str| {
        let form = format!("business_app={app}&scope=business_management,pages_show_list,pages_read_engagement");
        let (status, body) = server.ask("POST", &format!("/v26.0/{user}/access_tokens"), Some(admin), &form);
        assert_eq!(status, 200, "{body}");
        serde_json::from_str::<Value>(&body).unwrap()["access_token"].as_str().unwrap().to_owned()
    };
    assert_eq!(server.get("/v26.0/me", Some(&issue(text(&demo, "/app/id")))).0, 200);
    let (status, body) = server.get("/v26.0/me", Some(&issue(text(&demo, "/second_app/id"))));
    assert!(status == 400 && body.contains("proof_missing"), "{status} {body}");
    server.stop();
}
