//! Signals of the operating system: stop, or read the certificate again.

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What SIGHUP means, which a closed terminal or the operator sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sighup {
    /// Read the certificate again.
    Reloads,
    /// Stop: the server belongs to its terminal.
    Stops,
}

/// The signal that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    Stop,
    Reload,
}

/// The signals that the server listens to, from its creation on.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    sighup: Signal,
    on_sighup: Sighup,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub fn listen(on_sighup: Sighup) -> anyhow::Result<Signals> {
        let listen = |kind| signal(kind).context("the system's signals can't be listened to");
        Ok(Signals {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            sighup: listen(SignalKind::hangup())?,
            on_sighup,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Came {
        tokio::select! {
            _ = self.terminate.recv() => Came::Stop,
            _ = self.interrupt.recv() => Came::Stop,
            _ = self.sighup.recv() => match self.on_sighup {
                Sighup::Stops => Came::Stop,
                Sighup::Reloads => Came::Reload,
            },
        }
    }
}
