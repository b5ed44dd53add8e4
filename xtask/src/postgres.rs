//! `cargo xtask postgres`: a private PostgreSQL server for programs that aren't Rust tests.
//!
//! It reads commands from standard input, one per line, and answers each with one line of JSON. It must
//! never outlive the program that started it: the server ends when standard input ends, and also when
//! this process is killed.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use valetkey_test_postgres::{Options, Server};

pub const HELP: &str = "\
Usage: cargo xtask postgres [--set NAME=VALUE]... [--log FILE]

Starts a new PostgreSQL server on a free port of the loopback address, in a
folder of its own; as the user `postgres` or `nobody` if you are root. Prints one
line of JSON with the address of an empty database, the port, the folder, and the
folder of the server's programs. Both folder and server go at the end of the input
(Ctrl-D on a terminal), and when this program is ended by a signal.

Options:
  --set NAME=VALUE  a setting as in postgresql.conf; may be repeated
  --log FILE        where the server's log is added

Commands, one a line; each is answered with {\"done\": …} or {\"error\": …}:
  stop             ends the server in order
  kill             ends all its processes with SIGKILL, as a crash would
  start            starts it again on the same port, in order if it still runs
  set NAME VALUE   changes a setting, now and for later starts
  load FILE        runs a file of SQL, such as a dump, in the empty database
";

/// The database that the address names.
const DATABASE: &str = "postgres";

pub fn run(args: &[String]) -> Result<bool> {
    let server = Server::start(parse(args)?)?;
    serve(&server, std::io::stdin().lock(), std::io::stdout())?;
    Ok(true)
}

fn parse(args: &[String]) -> Result<Options> {
    let mut options = Options::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--set" => {
                let setting = value()?;
                let (name, value) = setting.split_once('=').context("--set is followed by NAME=VALUE")?;
                options = options.with(name, value);
            }
            "--log" => options.log = Some(PathBuf::from(value()?)),
            _ => bail!("`cargo xtask postgres` knows no '{arg}'; see `cargo xtask postgres --help`"),
        }
    }
    Ok(options)
}

/// Prints where the server is, and carries out the commands until the input ends.
fn serve(server: &Server, input: impl BufRead, mut output: impl Write) -> Result<()> {
    let mut say = |line: Value| -> Result<()> {
        writeln!(output, "{line}")?;
        Ok(output.flush()?)
    };
    say(json!({
        "address": server.dsn(DATABASE), "port": server.port(), "folder": server.folder(), "programs": server.programs(),
    }))?;
    for line in input.lines() {
        let line = line?;
        let answer = match obey(server, &line) {
            Ok(()) => json!({ "done": line }),
            Err(error) => json!({ "error": format!("{error:#}") }),
        };
        say(answer)?;
    }
    Ok(())
}

fn obey(server: &Server, line: &str) -> Result<()> {
    let (command, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
    match (command, rest) {
        ("stop", "") => server.stop()?,
        ("kill", "") => server.kill_all_processes()?,
        ("start", "") => server.restart()?,
        ("set", setting) => {
            let (name, value) = setting.split_once(' ').unwrap_or((setting, ""));
            server.set(name, value)?;
        }
        ("load", file) => server.load(DATABASE, file.as_ref())?,
        _ => bail!("there is no command '{line}'; see `cargo xtask postgres --help`"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(String::from).collect()
    }

    #[test]
    fn options_name_what_is_wrong_with_them() {
        let options = parse(&words("--set work_mem=5MB --log a.log")).unwrap();
        assert_eq!(options.settings, [("work_mem".to_string(), "5MB".to_string())]);
        assert_eq!(options.log, Some(PathBuf::from("a.log")));
        for (wrong, part) in [("--set work_mem", "NAME=VALUE"), ("--log", "--log needs a value"), ("now", "'now'")] {
            let error = parse(&words(wrong)).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn each_line_is_obeyed_and_answered() {
        let server = Server::start(Options::default()).unwrap();
        let ask = |lines: &str| -> Vec<Value> {
            let mut answers = Vec::new();
            serve(&server, lines.as_bytes(), &mut answers).unwrap();
            String::from_utf8(answers).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        let answers = ask("");
        assert_eq!(answers.len(), 1);
        assert_eq!(answers[0]["address"], server.dsn(DATABASE));
        assert_eq!(ask("kill\n")[1], json!({"done": "kill"}));
        assert!(server.sql(DATABASE, "SELECT 1").is_err());
        let answers = ask("set default_statistics_target 77\nstart\nfly\nload /no/such/file\nstart now\n");
        assert_eq!(answers[2], json!({"done": "start"}));
        assert_eq!(server.sql(DATABASE, "SHOW default_statistics_target").unwrap(), "77");
        for (answer, part) in [(&answers[3], "'fly'"), (&answers[4], "/no/such/file"), (&answers[5], "'start now'")] {
            assert!(answer["error"].as_str().unwrap().contains(part), "{answer}");
        }
        assert_eq!(ask("stop\n")[1], json!({"done": "stop"}));
        assert!(server.sql(DATABASE, "SELECT 1").is_err());
    }
}
