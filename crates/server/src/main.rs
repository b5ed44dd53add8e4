//! The command `valetkey`: reads the arguments and hands over. Nothing else happens here.

mod cli;
mod clock;
mod config;
mod demo;
mod adapters;
mod init;
mod keys;
mod lifecycle;
mod metrics;
mod random;
mod serve;
mod site;
mod telemetry;

use std::future::Future;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;

use cli::{Args, Command};

fn main() -> ExitCode {
    let args = Args::parse();
    match args.command {
        Command::Serve(args) => run(serve::run(args)),
        Command::Demo(args) => run(demo::run(args)),
        Command::Init(args) => run(init::run(args)),
        _ => cli::run(args),
    }
}

/// Runs one of the commands that are servers, or set one up.
fn run(command: impl Future<Output = anyhow::Result<ExitCode>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = runtime.context("the runtime can't be started").and_then(|runtime| runtime.block_on(command));
    ended.unwrap_or_else(|error| {
        anstream::eprintln!("{}: {error:#}", owo_colors::OwoColorize::red(&"error"));
        ExitCode::FAILURE
    })
}
