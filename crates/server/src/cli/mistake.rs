//! A mistake in a command line: what is wrong, what was probably meant, and an example.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use valetkey_api::Sort;

use super::rows::{self, Does, GLOBALS, Row};

/// Prints help or a mistake, and gives the exit code.
pub fn print(error: &Error, args: &[OsString]) -> ExitCode {
    // A closed standard output must not be a failure.
    let _ = error.print();
    if error.use_stderr() && error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        for line in advice(error, args) {
            anstream::eprintln!("{line}");
        }
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// The lines after the message: other commands that end in the same word, or the example of this
/// one.
pub fn advice(error: &Error, args: &[OsString]) -> Vec<String> {
    if error.kind() == ErrorKind::InvalidSubcommand {
        let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else { return Vec::new() };
        return meant(word).iter().map(|row| format!("Perhaps you mean: valetkey {}", row.line.path)).collect();
    }
    row_of(args).map(|row| format!("Example: valetkey {}", row.line.example)).into_iter().collect()
}

/// Commands with this word as verb or as name in the JSON adapter.
fn meant(word: &str) -> Vec<Row> {
    let is_meant = |row: &Row| {
        let is_name = matches!(row.does, Does::Call(command) if command.name == word);
        is_name || row.verb() == Some(word)
    };
    rows::all().into_iter().filter(is_meant).collect()
}

/// The row that the words before the mistake name.
fn row_of(args: &[OsString]) -> Option<Row> {
    let takes_value = |text: &str| {
        let name = text.trim_start_matches("--");
        GLOBALS.iter().chain([&rows::BUSINESS]).any(|p| p.option_name() == name && p.sort != Sort::Boolean)
    };
    let mut words: Vec<&str> = Vec::new();
    let mut args = args.iter().skip(1).map(|a| a.to_str().unwrap_or_default());
    while let Some(text) = args.next() {
        if text.starts_with('-') {
            if takes_value(text) {
                args.next();
            }
            continue;
        }
        words.push(text);
        if let Some(row) = rows::find(&words.join(" ")) {
            return Some(row);
        }
    }
    None
}
