//! The command line: it turns words into calls of the JSON adapter, and answers into text. It must never
//! decide about a right, and never write to a store but through that adapter.

mod args;
mod client;
mod doctor;
mod explain;
mod fail;
mod ledger;
mod login;
mod manage;
mod names;
mod screen;
mod target;
mod tls;

use std::process::ExitCode;

use serde_json::json;

use args::On;
pub use args::{Args, Command, DemoArgs, InitArgs, ServeArgs};
use fail::Fail;
use target::Session;

use crate::telemetry::{self, LogConfig};

/// What a command gives back: a code that says whether all went well.
type Outcome = Result<ExitCode, Fail>;

/// Runs every command that is not a server itself.
pub fn run(args: Args) -> ExitCode {
    telemetry::start(&LogConfig::quiet());
    let json = on(&args.command).is_some_and(|on| on.json);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(dispatch(args.command)),
        Err(error) => Err(Fail::new(format!("the runtime can't be started: {error}"))),
    };
    outcome.unwrap_or_else(|fail| {
        fail.print(json);
        ExitCode::FAILURE
    })
}

/// Where a command acts; the servers have flags of their own.
fn on(command: &Command) -> Option<&On> {
    Some(match command {
        Command::Demo(_) | Command::Init(_) | Command::Serve(_) => return None,
        Command::Login(a) => &a.on,
        Command::Logout(on) | Command::Status(on) => on,
        Command::Doctor(a) => &a.on,
        Command::Business(g) => &g.on,
        Command::Person(g) => &g.on,
        Command::App(g) => &g.on,
        Command::SystemUser(g) => &g.on,
        Command::Asset(g) => &g.on,
        Command::Assignment(g) => &g.on,
        Command::Share(g) => &g.on,
        Command::Token(g) => &g.on,
        Command::Terms(g) => &g.on,
        Command::Ledger(g) => &g.on,
        Command::Explain(a) => &a.on,
        Command::Refusals(a) => &a.on,
    })
}

async fn dispatch(command: Command) -> Outcome {
    match command {
        // `main` runs these three itself.
        Command::Demo(_) | Command::Init(_) | Command::Serve(_) => {
            Err(Fail::new("this command is a server; it is not run from here"))
        }
        Command::Login(args) => login::login(args).await,
        Command::Logout(on) => login::logout(&on).await,
        Command::Doctor(args) => doctor::run(&args.on).await,
        Command::Business(g) => within(&g.on, async |s| manage::business(s, g.verb).await).await,
        Command::Person(g) => within(&g.on, async |s| manage::person(s, g.verb).await).await,
        Command::App(g) => within(&g.on, async |s| manage::app(s, g.verb).await).await,
        Command::SystemUser(g) => within(&g.on, async |s| manage::system_user(s, g.verb).await).await,
        Command::Asset(g) => within(&g.on, async |s| manage::asset(s, g.verb).await).await,
        Command::Assignment(g) => within(&g.on, async |s| manage::assignment(s, g.verb).await).await,
        Command::Share(g) => within(&g.on, async |s| manage::share(s, g.verb).await).await,
        Command::Token(g) => within(&g.on, async |s| manage::token(s, g.verb).await).await,
        Command::Terms(g) => login::terms(&g.on, g.verb).await,
        Command::Ledger(g) => ledger::run(&g.on, g.verb).await,
        Command::Explain(args) => within(&args.on, async |s| explain::run(s, &args).await).await,
        Command::Refusals(args) => within(&args.on, async |s| explain::refusals(s, args.limit).await).await,
        Command::Status(on) => within(&on, async |s| status(s).await).await,
    }
}

/// Runs something in a session, which is closed whatever comes of it.
async fn within(on: &On, act: impl AsyncFnOnce(&Session) -> Outcome) -> Outcome {
    let session = Session::open(on).await?;
    let outcome = act(&session).await;
    session.close().await;
    outcome
}

async fn status(session: &Session) -> Outcome {
    let answer = session.call("status", json!({})).await?;
    if session.json {
        return Ok(screen::json(&answer.result));
    }
    screen::pairs(&answer.result, Some(("server", session.place())));
    Ok(ExitCode::SUCCESS)
}
