//! The command line: it turns words into calls of the JSON adapter, and answers into text. It must
//! never decide about a right, and write to a store only through that adapter.

mod activity;
mod call;
mod client;
mod doctor;
mod explain;
mod fail;
mod input;
mod kept;
mod ledger;
mod login;
mod mistake;
mod names;
mod own;
mod pages;
mod parser;
mod preview;
#[cfg(test)]
mod reference;
mod rows;
mod screen;
mod target;
mod template;
#[cfg(test)]
mod tests;
mod tls;

use std::ffi::OsString;
use std::process::ExitCode;

use fail::{Fail, Outcome};
use input::Input;
pub use input::{DemoArgs, InitArgs, Parsed, ServeArgs};
use own::Run;
use rows::Does;

use crate::telemetry::{self, LogConfig};

/// Reads the arguments of the program. Help and mistakes are printed; the error is the exit code.
pub fn parse() -> Result<Parsed, ExitCode> {
    let args: Vec<OsString> = std::env::args_os().collect();
    input::parse(&args).map_err(|error| mistake::print(&error, &args))
}

/// Runs a command that is not a server itself.
pub fn run(input: Input) -> ExitCode {
    telemetry::start(&LogConfig::quiet());
    let json = input.on.json;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(dispatch(&input)),
        Err(error) => Err(Fail::new(format!("the runtime can't be started: {error}"))),
    };
    outcome.unwrap_or_else(|fail| {
        fail.print(json);
        ExitCode::FAILURE
    })
}

async fn dispatch(input: &Input) -> Outcome {
    let run = match input.row.does {
        Does::Call(command) => return call::run(input, command).await,
        Does::Own(run) => run,
    };
    match run {
        // `main` runs these three itself.
        Run::Demo | Run::Init | Run::Serve => Err(Fail::new("this command is a server; it is not run from here")),
        Run::Login => login::login(input).await,
        Run::Logout => login::logout(&input.on).await,
        Run::Doctor => doctor::run(&input.on).await,
        Run::AcceptTerms => login::accept(input).await,
        Run::ListLedger => activity::list(input).await,
        Run::VerifyLedger => ledger::verify(input).await,
        Run::ExportLedger => ledger::export_to(input).await,
        Run::Explain => explain::run(input).await,
        Run::Completions => pages::completions(input),
        Run::Man => pages::man(input),
    }
}
