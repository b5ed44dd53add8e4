//! Log lines: for people on a terminal, or one JSON object a line. They go to standard error,
//! because standard output is for results. No line may hold a secret; the modules that write them
//! ensure that, and nothing here adds any.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
}

/// What is logged, and how.
#[derive(Debug, Clone)]
pub struct LogConfig {
    pub format: Format,
    pub targets: Targets,
}

impl Default for LogConfig {
    fn default() -> LogConfig {
        LogConfig { format: Format::Text, targets: of_level(LevelFilter::INFO) }
    }
}

impl LogConfig {
    /// Only warnings and errors.
    pub fn quiet() -> LogConfig {
        LogConfig { format: Format::Text, targets: of_level(LevelFilter::WARN) }
    }
}

/// Reads a level, which applies to our own lines, or a list such as `info,access=debug`.
pub fn parse_targets(text: &str) -> Option<Targets> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if let Ok(level) = text.parse::<LevelFilter>() {
        return Some(of_level(level));
    }
    text.parse().ok().filter(|_| text.contains('='))
}

/// Our own lines and those of requests from a level on; of libraries only warnings.
fn of_level(level: LevelFilter) -> Targets {
    let others = level.min(LevelFilter::WARN);
    Targets::new()
        .with_default(others)
        .with_target("valetkey", level)
        .with_target(valetkey_http::access_log::TARGET, level)
}

/// Starts logging. A second start in one process changes nothing.
pub fn start(config: &LogConfig) {
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let layer = fmt::layer().with_writer(std::io::stderr);
    let layer = match config.format {
        Format::Text => layer.with_ansi(colours).with_target(false).compact().boxed(),
        Format::Json => layer.with_ansi(false).json().flatten_event(true).boxed(),
    };
    let _ = tracing_subscriber::registry().with(layer.with_filter(config.targets.clone())).try_init();
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn a_level_is_ours_and_libraries_only_warn() {
        let targets = parse_targets("debug").unwrap();
        assert!(targets.would_enable("valetkey_service::writer", &Level::DEBUG));
        assert!(targets.would_enable("access", &Level::DEBUG));
        assert!(!targets.would_enable("hyper::proto", &Level::INFO));
        assert!(targets.would_enable("hyper::proto", &Level::WARN));
        let error = parse_targets("error").unwrap();
        assert!(!error.would_enable("hyper::proto", &Level::WARN));
        assert!(parse_targets("info,access=off").is_some());
        assert!(parse_targets("loud").is_none());
        assert!(parse_targets("").is_none());
    }
}
