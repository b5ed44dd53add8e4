//! `valetkey demo`: a server for this machine only, with a sample company. It shows people and
//! scripts how to use it.
//!
//! It must never listen to the outside, take settings of the user's own server, or touch a folder
//! that is not a demo's.

mod company;
mod file;
mod folder;
mod person;
mod screen;
mod seed;
mod tokens;

use std::io::{IsTerminal as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use crate::cli::DemoArgs;
use crate::config::{Config, StoreChoice};
use crate::lifecycle::FirstKey;
use crate::lifecycle::signals::Sighup;
use crate::serve::Server;
use crate::telemetry::{self, LogConfig};

/// Runs the demo until a signal stops it.
///
/// # Errors
/// The reason why it could not start.
pub async fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let config = configuration(&args)?;
    telemetry::start(&config.log);
    if args.fresh && config.store != StoreChoice::Sqlite {
        bail!("--fresh empties a folder, not a database: make an empty database, and name it with --store");
    }
    let folder = folder::prepare(&config.data, args.fresh)?;
    let server = Server::open(&config, folder, FirstKey::MayBeMade, Sighup::Stops).await?;
    let demo = match seeded(&server, &config).await {
        Ok(demo) => demo,
        Err(error) => {
            server.close().await;
            return Err(error);
        }
    };
    let running = server.start();
    if let Err(error) = file::write(&config.data, &demo) {
        // Without its file the demo is useless, but it must still end in order.
        running.finish().await;
        return Err(error);
    }
    show(&screen::screen(&demo, &config.data, config.store.title()));
    running.ended().await?;
    Ok(ExitCode::SUCCESS)
}

fn configuration(args: &DemoArgs) -> anyhow::Result<Config> {
    let store = match &args.store {
        None => StoreChoice::Sqlite,
        Some(text) => text.parse().map_err(|what| anyhow::anyhow!("--store: {what}"))?,
    };
    Ok(Config {
        data: args.data.clone(),
        store,
        listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), args.port),
        log: LogConfig::quiet(),
        ..Config::default()
    })
}

async fn seeded(server: &Server, config: &Config) -> anyhow::Result<file::Demo> {
    let old = file::read(&config.data);
    let on_terminal = std::io::stderr().is_terminal();
    let mut line = Line { on_terminal };
    let mut tell = |what: &str| line.show(what);
    let demo = seed::ensure(server.service(), old.as_ref(), server.base_url(), &mut tell).await;
    line.clear();
    demo.context("the demo's data can't be completed; `valetkey demo --fresh` begins anew")
}

/// One line on the terminal that shows the progress.
struct Line {
    on_terminal: bool,
}

impl Line {
    fn show(&mut self, what: &str) {
        if self.on_terminal {
            eprint!("\r\x1b[2K  Setting up … {what}");
            let _ = std::io::stderr().flush();
        }
    }

    fn clear(&mut self) {
        if self.on_terminal {
            eprint!("\r\x1b[2K");
            let _ = std::io::stderr().flush();
        }
    }
}

/// A closed standard output must not end the server.
fn show(text: &str) {
    let mut out = anstream::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
