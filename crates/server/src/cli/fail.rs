//! Failures, for people and scripts: one line that says what went wrong, one that says what to do.
//! Neither may hold a secret.

use std::process::ExitCode;

use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use super::{rows, screen};

/// The result of a command: its exit code, or a failure.
pub type Outcome = Result<ExitCode, Fail>;

/// A failure of a command.
#[derive(Debug, Clone)]
pub struct Fail {
    message: String,
    hint: Option<String>,
    /// The refusal of the server, for scripts.
    error: Option<Value>,
}

impl Fail {
    pub fn new(message: impl Into<String>) -> Fail {
        Fail { message: message.into(), hint: None, error: None }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Fail {
        self.hint = Some(hint.into());
        self
    }

    /// The refusal of the JSON adapter.
    pub fn refused(error: &Value) -> Fail {
        let text = |name: &str| error.get(name).and_then(Value::as_str);
        let reason = text("reason").unwrap_or("refused");
        let mut message = text("message").unwrap_or("the server refused the call").to_owned();
        if !["invalid_parameter", "unknown_command"].contains(&reason) {
            message = format!("{message} ({reason})");
        }
        let granted = text("granted_by").map(|role| format!("can be granted by: {role}"));
        // The adapter's hints name its commands; people type words.
        let hint = match (text("hint").map(rows::spoken), granted) {
            (Some(hint), Some(granted)) => Some(format!("{hint}; {granted}")),
            (hint, granted) => hint.or(granted),
        };
        Fail { message, hint, error: Some(error.clone()) }
    }

    /// The stable reason of a refusal.
    pub fn reason(&self) -> Option<&str> {
        self.error.as_ref()?.get("reason")?.as_str()
    }

    /// What went wrong, for the lines of `doctor`.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do, for the lines of `doctor`.
    pub fn what_to_do(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Writes it to standard error.
    pub fn print(&self, as_json: bool) {
        if as_json {
            let own = || json!({ "reason": "failed", "message": self.message, "hint": self.hint });
            anstream::eprintln!("{}", json!({ "error": self.error.clone().unwrap_or_else(own) }));
            return;
        }
        anstream::eprintln!("{}: {}", "error".red().bold(), screen::clean(&self.message));
        if let Some(hint) = &self.hint {
            anstream::eprintln!("{}: {}", "hint".cyan().bold(), screen::clean(hint));
        }
        if let Some(trace) = self.error.as_ref().and_then(|e| e.get("trace")).and_then(Value::as_str) {
            anstream::eprintln!("{}", screen::clean(&format!("trace: {trace}")).dimmed());
        }
    }
}

impl From<anyhow::Error> for Fail {
    fn from(error: anyhow::Error) -> Fail {
        Fail::new(format!("{error:#}"))
    }
}
