//! `valetkey init`: makes the data folder, the master key, the business and its first ADMIN person,
//! and prints a sign-in code.
//!
//! It must never touch existing data.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use owo_colors::OwoColorize as _;
use serde_json::json;
use valetkey_domain::rules::person;
use valetkey_domain::rules::sign_in::CODE_LIFETIME_MS;
use valetkey_domain::{BusinessId, Name, UserId};
use valetkey_service::operator::Operator;
use valetkey_service::{Call, Service};

use crate::cli::InitArgs;
use crate::config::{Config, DATA, Flag};
use crate::lifecycle::folder::DataFolder;
use crate::lifecycle::{Background, FirstKey, Node};
use crate::telemetry::{self, LogConfig};

const TRACE: &str = "init";

/// What was made.
#[derive(Debug)]
struct Made {
    business: (BusinessId, Name),
    admin: (UserId, Name, String),
    code: String,
    code_ends_at: i64,
}

/// Sets up a new server and says what to do next.
///
/// # Errors
/// When a name or address is wrong, when the data exist already, or when they can't be made.
pub async fn run(args: InitArgs) -> anyhow::Result<ExitCode> {
    telemetry::start(&LogConfig::quiet());
    // Checked before anything is made.
    let business = parse_name("--business", &args.business)?;
    let email = person::check_email(&args.admin_email).ok();
    let email = email.with_context(|| "--admin-email must be an e-mail address such as ada@example.com")?;
    let admin = args.admin_name.clone().unwrap_or_else(|| name_of(&email));
    let admin = parse_name("--admin-name", &admin)?;
    let data = args.data.as_ref().map(|path| path.display().to_string());
    let flags = [Flag::of("data", "--data", data), Flag::of("store", "--store", args.store.as_ref())];
    let config = Config::load(None, flags.into_iter().flatten())?;
    let node = Node::open(&config, DataFolder::make(&config.data)?, FirstKey::MayBeMade, Background::Records).await?;
    let made = make(node.service(), &config, business, admin, &email).await;
    node.close().await;
    let made = made?;
    anstream::print!("{}", if args.json { as_json(&config, &made) } else { screen(&config, &made) });
    Ok(ExitCode::SUCCESS)
}

async fn make(service: &Service, config: &Config, business: Name, admin: Name, email: &str) -> anyhow::Result<Made> {
    let there = Operator::of(service, "init").read(|state| state.businesses())?;
    if !there.is_empty() {
        bail!(
            "{} already holds a Valetkey: run it with `valetkey serve`, add to it with `valetkey business create`, \
             or name another folder with --data",
            config.data.display()
        );
    }
    let operator = Call::operator(TRACE);
    let ids = service.create_business(&operator, business.clone(), admin.clone(), email).await?.value;
    let code = service.create_sign_in_code(&operator, ids.1).await?.value;
    Ok(Made {
        business: (ids.0, business),
        admin: (ids.1, admin, email.to_owned()),
        code: code.reveal().to_owned(),
        code_ends_at: service.now() + CODE_LIFETIME_MS,
    })
}

fn parse_name(flag: &str, text: &str) -> anyhow::Result<Name> {
    Name::parse(text).map_err(|error| anyhow::anyhow!("{flag} {}", error.message()))
}

/// `ada.lovelace@example.com` is most likely Ada Lovelace.
fn name_of(email: &str) -> String {
    let local = email.split('@').next().unwrap_or_default();
    let local = local.split('+').next().unwrap_or_default();
    let words = local.split(['.', '_', '-']).filter(|word| !word.is_empty()).map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    });
    let name = words.collect::<Vec<_>>().join(" ");
    if name.is_empty() { "Admin".to_owned() } else { name }
}

fn as_json(config: &Config, made: &Made) -> String {
    let all = json!({
        "data": config.data.display().to_string(),
        "business": { "id": made.business.0, "name": made.business.1 },
        "admin": { "id": made.admin.0, "name": made.admin.1, "email": made.admin.2 },
        "sign_in": made.code,
        "sign_in_link": config.browser_url(config.listen).and_then(|url| valetkey_console::sign_in_link(&url, &made.code)),
        "sign_in_ends_at": made.code_ends_at / 1_000,
    });
    format!("{all:#}\n")
}

fn screen(config: &Config, made: &Made) -> String {
    let folder = config.data.display().to_string();
    let flag = if folder == DATA { String::new() } else { format!(" --data {folder}") };
    let mut out = String::new();
    let _ = writeln!(out, "\n  {} is set up in {}\n", made.business.1.bold(), folder.bold());
    for (label, value, note) in [
        ("business", made.business.0.to_string(), String::new()),
        ("admin", made.admin.0.to_string(), format!("{}, {}", made.admin.1, made.admin.2)),
        ("code", made.code.clone(), "works once, within a day: in the console or at the command line".to_owned()),
    ] {
        let _ = writeln!(out, "  {:<10}{}  {}", label.dimmed(), value, note.dimmed());
    }
    let _ = writeln!(out, "\n  {}\n", "What comes next".bold());
    let link = config.browser_url(config.listen).and_then(|url| valetkey_console::sign_in_link(&url, &made.code));
    let link = link.unwrap_or_else(|| "set public_url, so that the console has an address".to_owned());
    let steps = [
        (format!("valetkey serve{flag}"), "in a terminal of its own, or as a service"),
        (link, "open it in a browser; everything below can be done there too"),
        (format!("valetkey login {}{flag}", made.code), "you are the admin for two hours"),
        (format!("valetkey terms accept{flag}"), "read them first: valetkey terms show"),
        (format!("valetkey app create \"My app\"{flag}"), "shows the app's secret, once"),
        (format!("valetkey system-user create \"My robot\" --role EMPLOYEE{flag}"), "software with a name of its own"),
    ];
    for (i, (line, why)) in steps.iter().enumerate() {
        let _ = writeln!(out, "  {}  {}\n     {}", (i + 1).dimmed(), line.green(), why.dimmed());
    }
    let _ = writeln!(
        out,
        "\n  Keep a copy of {} apart from the backups: nothing else opens what they hold.\n",
        config.data.join(crate::keys::FILE_NAME).display()
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_follows_from_the_address() {
        for (email, name) in [
            ("ada.lovelace@example.com", "Ada Lovelace"),
            ("ada@example.com", "Ada"),
            ("a_b-c+list@example.com", "A B C"),
            ("..@example.com", "Admin"),
        ] {
            assert_eq!(name_of(email), name, "{email}");
        }
    }
}
