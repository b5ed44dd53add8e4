//! The limits that the configuration may change, under their own names.

use valetkey_http::Limits;

use super::said::ConfigError;
use super::settings::{LIMIT_KEYS, Settings};

/// Reads the configured limits, and checks that the listener can work with each.
pub(super) fn read(settings: &Settings, limits: &mut Limits) -> Result<(), ConfigError> {
    for name in LIMIT_KEYS {
        let key = format!("limits.{name}");
        if let Some((origin, value)) = settings.parsed::<u64>(&key, "a number that is not negative")? {
            set(limits, name, value);
            limits.check().map_err(|error| ConfigError::new(origin, error.to_string()))?;
        }
    }
    Ok(())
}

fn set(limits: &mut Limits, name: &str, value: u64) {
    // A value that doesn't fit is far beyond the range of every limit, so the check refuses it.
    let count = usize::try_from(value).unwrap_or(usize::MAX);
    match name {
        "connection_limit" => limits.connection_limit = count,
        "handler_limit" => limits.handler_limit = count,
        "header_limit_bytes" => limits.header_limit_bytes = count,
        "header_count_limit" => limits.header_count_limit = count,
        "body_limit_bytes" => limits.body_limit_bytes = count,
        "upload_limit_bytes" => limits.upload_limit_bytes = count,
        "body_memory_limit_bytes" => limits.body_memory_limit_bytes = count,
        "header_read_timeout_ms" => limits.header_read_timeout_ms = value,
        "body_read_timeout_ms" => limits.body_read_timeout_ms = value,
        "request_timeout_ms" => limits.request_timeout_ms = value,
        "keep_alive_idle_ms" => limits.keep_alive_idle_ms = value,
        "tls_handshake_timeout_ms" => limits.tls_handshake_timeout_ms = value,
        "drain_s" => limits.drain_s = value,
        "h2_stream_limit" => limits.h2_stream_limit = u32::try_from(value).unwrap_or(u32::MAX),
        "h2_reset_stream_limit" => limits.h2_reset_stream_limit = count,
        "h2_error_stream_limit" => limits.h2_error_stream_limit = count,
        "h2_ping_interval_ms" => limits.h2_ping_interval_ms = value,
        "param_count_limit" => limits.params.count_limit = count,
        "param_name_limit_bytes" => limits.params.name_limit_bytes = count,
        "param_text_limit_bytes" => limits.params.text_limit_bytes = count,
        "upload_count_limit" => limits.params.upload_count_limit = count,
        "json_depth_limit" => limits.params.json_depth_limit = count,
        _ => {}
    }
}
