//! Login on the command line: redeems a code for a two-hour token, and accepts the terms. The token
//! must never be printed.

use std::io::{BufRead as _, IsTerminal as _};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::client::Address;
use super::fail::{Fail, Outcome};
use super::input::{Input, On};
use super::kept::{Login, Place, load, read, save};
use super::screen;
use super::target::{By, Session, config};

/// The server that a login is for.
fn place_of(on: &On) -> Result<Place, Fail> {
    match &on.server {
        Some(server) => Ok(Place::Server(Address::parse(server)?.text())),
        None => Ok(Place::Folder(config(on)?.data)),
    }
}

/// `valetkey login`.
pub async fn login(input: &Input) -> Outcome {
    let on = &input.on;
    let place = place_of(on)?;
    if input.flag("status") {
        return status(&place, on.json);
    }
    let code = match input.text("code") {
        Some(code) => code.to_owned(),
        None => ask_for_code()?,
    };
    let session = Session::open_by(on, By::Nobody).await?;
    let redeemed = session.post("/v1/sign-in", json!({ "code": code.trim() })).await;
    session.close().await;
    let login: Login = serde_json::from_value(redeemed?.result).map_err(|_| {
        Fail::new("the server's answer to the code is not a login").hint("check that both are of the same version")
    })?;
    save(&place.file()?, &login)?;
    Ok(show(&login, on.json))
}

fn ask_for_code() -> Result<String, Fail> {
    if std::io::stdin().is_terminal() {
        anstream::eprint!("code: ");
    }
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    match read {
        Ok(_) if !line.trim().is_empty() => Ok(line.trim().to_owned()),
        _ => Err(Fail::new("no code was given").hint("valetkey login CODE, or the code on standard input")),
    }
}

fn status(place: &Place, json: bool) -> Outcome {
    Ok(show(&load(place)?, json))
}

fn show(login: &Login, as_json: bool) -> ExitCode {
    let end = format!("{:.3}", login.expires_at);
    if as_json {
        let all = json!({ "person": login.person, "business": login.business, "token_id": login.token_id, "expires_at": end });
        return screen::json(&all);
    }
    let of = |value: &Value, name: &str| value.get(name).map(screen::cell).unwrap_or_default();
    let who = of(&login.person, "name");
    let role = of(&login.person, "role");
    screen::done(&format!(
        "signed in: {who} ({role} of {}), until {}",
        of(&login.business, "name"),
        screen::cell(&json!(end))
    ));
    ExitCode::SUCCESS
}

/// `valetkey logout`: revokes the token at the server, then deletes it here.
pub async fn logout(on: &On) -> Outcome {
    let place = place_of(on)?;
    let file = place.file()?;
    let Some(login) = read(&file)? else {
        return Err(Fail::new("nobody is signed in here"));
    };
    let revoked = match Session::open_by(on, By::Login).await {
        Ok(session) => {
            let outcome = session.call("token.revoke", json!({ "token": login.token_id })).await;
            session.close().await;
            outcome.map(|_| ())
        }
        Err(fail) => Err(fail),
    };
    std::fs::remove_file(&file)
        .map_err(|e| Fail::new(format!("the login in {} can't be removed: {e}", file.display())))?;
    if let Err(fail) = revoked {
        // A token that has ended or was revoked before needs no revoking.
        if fail.reason().is_none() {
            screen::note(&format!(
                "the token could not be revoked ({}); it ends by itself at {:.0}",
                fail.message(),
                login.expires_at
            ));
        }
    }
    if on.json {
        return Ok(screen::json(&json!({ "signed_out": true })));
    }
    screen::done("signed out");
    Ok(ExitCode::SUCCESS)
}

/// `valetkey terms accept`.
pub async fn accept(input: &Input) -> Outcome {
    let on = &input.on;
    // The operator can't accept for anybody, so the signed-in person does, even in the data folder.
    let by = if on.token.is_some() { By::Usual } else { By::Login };
    let session = Session::open_by(on, by).await.map_err(|fail| match fail.message() {
        "nobody is signed in here" => {
            let hint = fail.what_to_do().unwrap_or_default().to_owned();
            Fail::new("nobody is signed in here, and only an ADMIN person can accept the terms").hint(hint)
        }
        _ => fail,
    })?;
    let outcome = accept_in(&session, input.number("version"), input.flag("yes")).await;
    session.close().await;
    outcome
}

async fn accept_in(session: &Session, version: Option<i64>, yes: bool) -> Outcome {
    let terms = session.call("terms.show", json!({})).await?.result;
    let in_force = terms.get("version").and_then(Value::as_i64).unwrap_or_default();
    if !yes && version.is_none() {
        ask_to_accept(&terms, in_force)?;
    }
    let version = version.unwrap_or(in_force);
    let done = session.call("terms.accept", json!({ "version": version })).await?;
    if session.json {
        return Ok(screen::json(&json!({ "version": version, "revision": done.revision })));
    }
    screen::done(&format!("version {version} of the terms accepted (revision {})", done.revision));
    Ok(ExitCode::SUCCESS)
}

/// Shows the terms and waits for a yes. A script accepts them only with `--yes`.
fn ask_to_accept(terms: &Value, version: i64) -> Result<(), Fail> {
    if !std::io::stdin().is_terminal() {
        return Err(Fail::new("nobody is there to say yes to the terms")
            .hint("read them with `valetkey terms show`, then add --yes"));
    }
    anstream::eprintln!("{}", screen::clean(terms.get("text").and_then(Value::as_str).unwrap_or_default()).trim_end());
    anstream::eprint!("\nAccept version {version} for your business? [y/N] ");
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    if read.is_err() || !matches!(line.trim().to_lowercase().as_str(), "y" | "yes") {
        return Err(Fail::new("the terms were not accepted"));
    }
    Ok(())
}
