//! Every limit of the listener in one place, each with its unit last in its
//! name. Nothing here reads configuration; the values are handed in.

use thiserror::Error;

/// The smallest buffer that the HTTP/1 parser accepts.
const HEADER_FLOOR_BYTES: usize = 8 * 1024;
/// A URI can't be longer than 64 KiB, and headers beyond 1 MiB are of no use.
const HEADER_CEILING_BYTES: usize = 1024 * 1024;

/// What one connection, one request and one body may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at once. When all are taken, the longest idle one is
    /// asked to close and the next caller waits. Default 10,000.
    pub connection_limit: usize,
    /// Handlers running at once, including those whose callers have disconnected; beyond it the
    /// site answers `busy`. Default 4,096.
    pub handler_limit: usize,
    /// Request line and headers together. Default 64 KiB, since some programs
    /// send all their parameters in the query.
    pub header_limit_bytes: usize,
    /// Header fields of one request. Default 100.
    pub header_count_limit: usize,
    /// An ordinary body. Default 1 MiB.
    pub body_limit_bytes: usize,
    /// A `multipart/form-data` body, and the most that is read and discarded of a refused body.
    /// Default 32 MiB.
    pub upload_limit_bytes: usize,
    /// All bodies held in memory at once, beyond the first 64 KiB of each.
    /// Default 512 MiB.
    pub body_memory_limit_bytes: usize,
    /// From the connection's start, or from the first byte of a further
    /// request, until its headers are complete. Default 10,000.
    pub header_read_timeout_ms: u64,
    /// The longest silence inside a body. Default 10,000.
    pub body_read_timeout_ms: u64,
    /// From the end of the headers to the reply, body included. Default 60,000.
    pub request_timeout_ms: u64,
    /// A connection without a request, and without progress in sending its reply, is closed after
    /// this time. On HTTP/2 only requests count as progress, and the caller has twice this time to
    /// read an answer. Default 75,000.
    pub keep_alive_idle_ms: u64,
    /// TLS handshake. Default 10,000.
    pub tls_handshake_timeout_ms: u64,
    /// How long running requests may take to finish once the server begins to
    /// stop. Default 20.
    pub drain_s: u64,
    /// HTTP/2 streams open at once on one connection. Default 128.
    pub h2_stream_limit: u32,
    /// HTTP/2 streams that the caller has reset before we accepted them; beyond
    /// it the connection is closed. Default 32.
    pub h2_reset_stream_limit: usize,
    /// HTTP/2 streams that we had to reset for the caller's errors; beyond it
    /// the connection is closed. Default 128.
    pub h2_error_stream_limit: usize,
    /// How often an HTTP/2 connection is pinged; the answer may take as long again. Default 30,000.
    pub h2_ping_interval_ms: u64,
    /// Limits of the parameter bag.
    pub params: ParamLimits,
}

/// What one request's parameters may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamLimits {
    /// Parameters of one request, repeated ones counted each. Default 1,000.
    pub count_limit: usize,
    /// A parameter's or file's name. Default 512.
    pub name_limit_bytes: usize,
    /// A part of a multipart body that is not a file. Default 1 MiB.
    pub text_limit_bytes: usize,
    /// Files in one multipart body. Default 50.
    pub upload_count_limit: usize,
    /// Nesting of a JSON body. Default 64.
    pub json_depth_limit: usize,
}

impl Default for ParamLimits {
    fn default() -> Self {
        Self {
            count_limit: 1_000,
            name_limit_bytes: 512,
            text_limit_bytes: 1024 * 1024,
            upload_count_limit: 50,
            json_depth_limit: 64,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connection_limit: 10_000,
            handler_limit: 4_096,
            header_limit_bytes: 64 * 1024,
            header_count_limit: 100,
            body_limit_bytes: 1024 * 1024,
            upload_limit_bytes: 32 * 1024 * 1024,
            body_memory_limit_bytes: 512 * 1024 * 1024,
            header_read_timeout_ms: 10_000,
            body_read_timeout_ms: 10_000,
            request_timeout_ms: 60_000,
            keep_alive_idle_ms: 75_000,
            tls_handshake_timeout_ms: 10_000,
            drain_s: 20,
            h2_stream_limit: 128,
            h2_reset_stream_limit: 32,
            h2_error_stream_limit: 128,
            h2_ping_interval_ms: 30_000,
            params: ParamLimits::default(),
        }
    }
}

/// A limit that can't work.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("limit {name} is {value}: it must be between {least} and {most}")]
pub struct LimitError {
    /// The field of [`Limits`].
    pub name: &'static str,
    /// What was asked for.
    pub value: u64,
    /// The smallest value allowed.
    pub least: u64,
    /// The largest value allowed.
    pub most: u64,
}

impl Limits {
    /// Checks each value against the range in which the listener works.
    pub fn check(&self) -> Result<(), LimitError> {
        const DAY_MS: u64 = 86_400_000;
        const GIB: u64 = 1 << 30;
        let rows: [(&'static str, u64, u64, u64); 17] = [
            ("connection_limit", self.connection_limit as u64, 1, 1_000_000),
            ("handler_limit", self.handler_limit as u64, 1, 1_000_000),
            (
                "header_limit_bytes",
                self.header_limit_bytes as u64,
                HEADER_FLOOR_BYTES as u64,
                HEADER_CEILING_BYTES as u64,
            ),
            ("header_count_limit", self.header_count_limit as u64, 1, 10_000),
            ("body_limit_bytes", self.body_limit_bytes as u64, 1, GIB),
            ("upload_limit_bytes", self.upload_limit_bytes as u64, 1, GIB),
            ("body_memory_limit_bytes", self.body_memory_limit_bytes as u64, 1, 1 << 40),
            ("header_read_timeout_ms", self.header_read_timeout_ms, 1, DAY_MS),
            ("body_read_timeout_ms", self.body_read_timeout_ms, 1, DAY_MS),
            ("request_timeout_ms", self.request_timeout_ms, 1, DAY_MS),
            ("keep_alive_idle_ms", self.keep_alive_idle_ms, 1, DAY_MS),
            ("tls_handshake_timeout_ms", self.tls_handshake_timeout_ms, 1, DAY_MS),
            ("drain_s", self.drain_s, 0, DAY_MS / 1_000),
            ("h2_stream_limit", u64::from(self.h2_stream_limit), 1, 10_000),
            ("h2_reset_stream_limit", self.h2_reset_stream_limit as u64, 1, 10_000),
            ("h2_error_stream_limit", self.h2_error_stream_limit as u64, 1, 10_000),
            ("h2_ping_interval_ms", self.h2_ping_interval_ms, 100, DAY_MS),
        ];
        for (name, value, least, most) in rows {
            if value < least || value > most {
                return Err(LimitError { name, value, least, most });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_pass_and_a_value_out_of_range_is_named() {
        assert_eq!(Limits::default().check(), Ok(()));
        let small = Limits { header_limit_bytes: 100, ..Limits::default() };
        assert_eq!(
            small.check().unwrap_err().to_string(),
            "limit header_limit_bytes is 100: it must be between 8192 and 1048576"
        );
        let none = Limits { connection_limit: 0, ..Limits::default() };
        assert_eq!(none.check().unwrap_err().name, "connection_limit");
    }
}
