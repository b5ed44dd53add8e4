//! The project's own commands, run as `cargo xtask NAME`: tests, lints, rules about files, a test database.
//!
//! This binary is not part of the product. No crate of the product may depend on it, and it must never
//! leave a process or a temporary folder behind, even when it is killed.

mod bench;
mod exec;
mod lint;
mod needs;
mod out;
mod place;
mod postgres;
mod reaper;
mod server;
mod test;
mod tidy;

use std::process::ExitCode;

use anyhow::{Result, bail};
pub use place::root;

/// One command: its name, a line for the overview, its own help, and the function that runs it. The
/// function returns whether all went well.
struct Task {
    name: &'static str,
    about: &'static str,
    help: &'static str,
    run: fn(&[String]) -> Result<bool>,
}

const TASKS: &[Task] = &[
    Task { name: "test", about: "all tests: Rust, client stories, system suites", help: test::HELP, run: test::run },
    Task {
        name: "screenshots",
        about: "pictures of the console, into docs/screenshots",
        help: test::screenshots::HELP,
        run: test::screenshots::run,
    },
    Task { name: "lint", about: "format, clippy, tidy, licences", help: lint::HELP, run: lint::run },
    Task { name: "tidy", about: "the project's own rules about its files", help: tidy::HELP, run: tidy::run },
    Task { name: "bench", about: "measures, and writes docs/performance.md", help: bench::HELP, run: bench::run },
    Task {
        name: "postgres",
        about: "a private PostgreSQL server for as long as the input lasts",
        help: postgres::HELP,
        run: postgres::run,
    },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            out::problem(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String]) -> Result<bool> {
    let Some((name, rest)) = args.split_first() else {
        print!("{}", overview());
        return Ok(false);
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        match rest.first() {
            None => print!("{}", overview()),
            Some(name) => print!("{}", find(name)?.help),
        }
        return Ok(true);
    }
    let task = find(name)?;
    if rest.iter().any(|arg| arg == "--help" || arg == "-h") {
        print!("{}", task.help);
        return Ok(true);
    }
    (task.run)(rest)
}

fn find(name: &str) -> Result<&'static Task> {
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        bail!("there is no command '{name}'; `cargo xtask --help` lists them");
    };
    Ok(task)
}

fn overview() -> String {
    let mut text = String::from("Usage: cargo xtask COMMAND [OPTIONS]\n\nCommands:\n");
    for task in TASKS {
        text.push_str(&format!("  {:<13}{}\n", task.name, task.about));
    }
    text.push_str("\n`cargo xtask COMMAND --help` says more about one of them.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(String::from).collect()
    }

    #[test]
    fn every_command_has_help_that_names_it() {
        for task in TASKS {
            assert!(task.help.starts_with(&format!("Usage: cargo xtask {}", task.name)), "{}", task.name);
            assert!(overview().contains(task.about));
        }
    }

    #[test]
    fn an_unknown_command_is_an_error_and_help_is_not() {
        let error = dispatch(&words("tset")).unwrap_err().to_string();
        assert!(error.contains("'tset'"), "{error}");
        assert!(dispatch(&words("test --help")).unwrap());
        assert!(dispatch(&words("help lint")).unwrap());
        assert!(!dispatch(&[]).unwrap(), "no command at all is not a success");
    }

    #[test]
    fn options_that_no_command_knows_are_refused() {
        for task in TASKS {
            let error = (task.run)(&words("--no-such-option")).unwrap_err().to_string();
            assert!(error.contains("--no-such-option"), "{}: {error}", task.name);
        }
    }
}
