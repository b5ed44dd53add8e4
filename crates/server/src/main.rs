//! The command `valetkey`: reads the arguments and hands over. Nothing else happens here.

mod adapters;
mod cli;
mod clock;
mod config;
mod demo;
mod huge_pages;
mod init;
mod keys;
mod lifecycle;
mod metrics;
mod operations;
mod random;
mod serve;
mod site;
mod telemetry;

use std::future::Future;
use std::process::ExitCode;

use anyhow::Context as _;
use cli::Parsed;

fn main() -> ExitCode {
    match cli::parse() {
        Ok(Parsed::Serve(args)) => {
            if !args.no_reexec && !args.print_config {
                huge_pages::ask();
            }
            run(serve::run(args))
        }
        Ok(Parsed::Demo(args)) => run(demo::run(args)),
        Ok(Parsed::Init(args)) => run(init::run(args)),
        Ok(Parsed::Here(input)) => cli::run(*input),
        Err(code) => code,
    }
}

/// Runs one of the commands that run or set up a server.
fn run(command: impl Future<Output = anyhow::Result<ExitCode>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = runtime.context("the runtime can't be started").and_then(|runtime| runtime.block_on(command));
    ended.unwrap_or_else(|error| {
        anstream::eprintln!("{}: {error:#}", owo_colors::OwoColorize::red(&"error"));
        ExitCode::FAILURE
    })
}
