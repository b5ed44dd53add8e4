//! One line for each request, through `tracing` with the target `access`. It
//! must never hold a secret, so it prints the masked target and no header.

use std::net::IpAddr;
use std::time::Duration;

use http::{Method, Uri};

use crate::mask;
use crate::request_id::RequestId;

/// The `tracing` target of these lines.
pub const TARGET: &str = "access";

/// The content of a line.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) status: u16,
    pub(crate) bytes: usize,
    pub(crate) duration: Duration,
    pub(crate) client_ip: IpAddr,
    pub(crate) request_id: RequestId,
}

/// Whether replies of the check path are logged. This costs little when they aren't.
pub(crate) fn fast_wanted() -> bool {
    tracing::enabled!(target: TARGET, tracing::Level::DEBUG)
}

macro_rules! write_at {
    ($level:expr, $line:expr) => {
        tracing::event!(
            target: TARGET,
            $level,
            method = %$line.method,
            path = %mask::target($line.uri),
            status = $line.status,
            bytes = $line.bytes,
            duration_us = u64::try_from($line.duration.as_micros()).unwrap_or(u64::MAX),
            client_ip = %$line.client_ip,
            request_id = %$line.request_id,
        )
    };
}

/// Writes the line of an ordinary reply.
pub(crate) fn write(line: &Line<'_>) {
    write_at!(tracing::Level::INFO, line);
}

/// Writes the line of a reply of the check path.
pub(crate) fn write_fast(line: &Line<'_>) {
    write_at!(tracing::Level::DEBUG, line);
}
