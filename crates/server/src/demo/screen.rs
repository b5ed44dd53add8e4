//! The screen that the demo shows: its address, a link into the console, three calls to paste, and how
//! to stop.

use std::fmt::Write as _;
use std::path::Path;

use owo_colors::OwoColorize as _;
use valetkey_graph::protocol::version::Version;

use super::file::Demo;

/// The folder that is used when none is named.
const USUAL_FOLDER: &str = "valetkey-data/demo";

/// The screen, with colours; the printer removes them if there is no terminal. It holds three of
/// the demo's tokens and the link that signs in once, and no other secret.
pub fn screen(demo: &Demo, folder: &Path, store: &str) -> String {
    let mut out = String::new();
    let file = folder.join(super::file::NAME);
    let _ = writeln!(
        out,
        "\n  {}  {}\n",
        "Valetkey".bold(),
        "software gets its own identity, and a token you can take back".dimmed()
    );
    for (label, value) in [
        ("Server", demo.base_url.bold().to_string()),
        ("Company", format!("{}, with the agency {}", demo.business.name, demo.partner.business.name)),
        ("Ids, tokens", file.display().to_string()),
        ("Data", format!("{store} in {}", folder.display())),
    ] {
        let _ = writeln!(out, "  {}{value}", format!("{label:<13}").dimmed());
    }
    if let Some(link) = valetkey_console::sign_in_link(&demo.base_url, &demo.sign_in) {
        let _ =
            writeln!(out, "\n  {}\n{}", "The console, signed in as an admin; the link works once".bold(), link.green());
    }
    for (title, line) in calls(demo) {
        let _ = writeln!(out, "\n  {}\n{}", title.bold(), line.green());
    }
    let again = if folder == Path::new(USUAL_FOLDER) { String::new() } else { format!(" --data {}", folder.display()) };
    let stop = format!("Ctrl-C stops it. The data stay; `valetkey demo --fresh{again}` begins anew.");
    let _ = writeln!(out, "\n  {}", stop.dimmed());
    out
}

/// Three calls that work when pasted, each with a description.
pub fn calls(demo: &Demo) -> Vec<(String, String)> {
    let graph = format!("{}/{}", demo.base_url, Version::NEWEST);
    let (Some(scheduler), Some(reporter)) = (demo.system_users.first(), demo.system_users.get(1)) else {
        return Vec::new();
    };
    let (Some(page), Some(own), Some(other)) = (demo.pages.first(), demo.ad_accounts.first(), demo.ad_accounts.get(1))
    else {
        return Vec::new();
    };
    let list = |account: &str| {
        format!(
            "curl -sH 'Authorization: Bearer {}' '{graph}/{account}/campaigns?fields=name,status,daily_budget'",
            reporter.token
        )
    };
    vec![
        (
            format!("{} publishes on {}", scheduler.name, page.name),
            format!(
                "curl -sH 'Authorization: Bearer {}' -d 'message=Hello from the demo' {graph}/{}/feed",
                scheduler.token, page.id
            ),
        ),
        (format!("{} lists the campaigns of {}", reporter.name, own.name), list(&own.id)),
        (format!("{} is refused on {}, and told why", reporter.name, other.name), list(&other.id)),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::file::*;
    use super::*;
    use valetkey_domain::{Id, Role};

    fn id<Of>(number: u64) -> Id<Of> {
        Id::new(number).unwrap()
    }

    fn named<Of>(number: u64, name: &str) -> Named<Of> {
        Named { id: id(number), name: name.into() }
    }

    fn demo() -> Demo {
        let app = |name: &str| App { id: id(7), secret: "hush-app".into(), name: name.into() };
        let account =
            |number, name: &str| AdAccount { id: format!("act_{number}"), account_id: id(number), name: name.into() };
        let user = |number, name: &str| SystemUser {
            id: id(number),
            name: name.into(),
            role: Role::Employee,
            token: format!("token-of-{number}"),
        };
        Demo {
            base_url: "http://127.0.0.1:8080".into(),
            business: named(1, "Bikes"),
            app: app("One"),
            second_app: app("Two"),
            partner: Partner {
                business: named(2, "Agency"),
                app: PartnerApp { id: id(8), secret: "hush-partner".into() },
                admin_token: "hush-token".into(),
            },
            pages: vec![named(11, "First"), named(12, "Second")],
            ad_accounts: vec![account(21, "Europe"), account(22, "America")],
            catalog: Bare { id: id(31) },
            pixel: Bare { id: id(32) },
            admin_system_user: AdminSystemUser { id: id(41), name: "Boss".into(), token: "hush-admin".into() },
            system_users: vec![user(51, "Poster"), user(52, "Reporter")],
            sign_in: "hush-code".into(),
        }
    }

    #[test]
    fn the_screen_is_one_screen_and_holds_no_other_secret() {
        let text =
            anstream::adapter::strip_str(&screen(&demo(), Path::new("valetkey-data/demo"), "SQLite")).to_string();
        assert!(text.contains("\nhttp://localhost:8080/console/sign-in?code=hush-code\n"), "{text}");
        assert_eq!(text.matches("hush").count(), 1, "{text}");
        assert!(text.lines().count() <= 25, "{text}");
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("curl ")).collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[0].contains("token-of-51") && lines[0].ends_with("/11/feed"), "{}", lines[0]);
        assert!(lines[1].contains("/act_21/campaigns") && lines[2].contains("/act_22/campaigns"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn ids_are_texts_in_the_file() {
        let value = serde_json::to_value(demo()).unwrap();
        assert_eq!(value["business"]["id"], "1");
        assert_eq!(value["ad_accounts"][0]["id"], "act_21");
        assert_eq!(value["ad_accounts"][0]["account_id"], "21");
        assert_eq!(value["system_users"][0]["role"], "EMPLOYEE");
    }
}
