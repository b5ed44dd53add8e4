//! The parsed command line: the row, its parameters and where to act. Options may stand before or
//! after the words of a command. Nothing is looked up or done here.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Error};
use valetkey_api::{Command, Param, Sort, Spelling, find};

use super::own::Run;
use super::parser;
use super::rows::{self, BUSINESS, Does, GLOBALS, Row, YES};

/// Where a command acts, as whom, and how it prints.
#[derive(Debug, Clone, Default)]
pub struct On {
    pub data: Option<PathBuf>,
    pub config: Option<PathBuf>,
    pub server: Option<String>,
    pub token: Option<String>,
    pub as_login: bool,
    pub ca: Option<PathBuf>,
    pub json: bool,
}

/// A parsed command line.
#[derive(Debug, Clone)]
pub struct Input {
    pub row: Row,
    pub on: On,
    /// Whether it may act without asking.
    pub yes: bool,
    values: Values,
}

/// What is typed in place of a secret that comes over standard input.
pub const TEXT_FOLLOWS: &str = "-";

/// Values by the name of their parameter.
type Values = BTreeMap<&'static str, Vec<String>>;

impl Input {
    /// The one value of a parameter, if it was typed.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(|all| all.first()).map(String::as_str)
    }

    /// All values of a parameter; none if it was not typed.
    pub fn texts(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    /// Whether a switch was typed.
    pub fn flag(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    pub fn number(&self, name: &str) -> Option<i64> {
        self.text(name).and_then(|text| text.parse().ok())
    }

    /// The command that is meant if `-` stands in place of an id: the same for a text that comes over
    /// standard input.
    pub fn by_text(&self) -> Option<(Input, &'static Command)> {
        let command = find(self.row.line.by_text?)?;
        let first = self.row.params.first().filter(|param| self.text(param.name) == Some(TEXT_FOLLOWS))?;
        let row = rows::find(command.line.path)?;
        let mut values = self.values.clone();
        let text = values.remove(first.name)?;
        values.insert(row.params.first()?.name, text);
        Some((Input { row, on: self.on.clone(), yes: self.yes, values }, command))
    }

    /// The parameters that were typed.
    pub fn typed(&self) -> impl Iterator<Item = &'static Param> {
        self.row.params.iter().filter(|param| self.values.contains_key(param.name))
    }
}

/// The arguments of `valetkey demo`.
#[derive(Debug)]
pub struct DemoArgs {
    pub data: PathBuf,
    pub port: u16,
    pub fresh: bool,
    pub store: Option<String>,
}

/// The arguments of `valetkey init`.
#[derive(Debug)]
pub struct InitArgs {
    pub business: String,
    pub admin_name: Option<String>,
    pub admin_email: String,
    pub data: Option<PathBuf>,
    pub store: Option<String>,
    pub json: bool,
}

/// The arguments of `valetkey serve`.
#[derive(Debug)]
pub struct ServeArgs {
    pub config: Option<PathBuf>,
    pub data: Option<PathBuf>,
    pub store: Option<String>,
    pub port: Option<u16>,
    pub listen: Option<SocketAddr>,
    pub behind_proxy: bool,
    pub json_logs: bool,
    pub no_reexec: bool,
    pub print_config: bool,
}

/// One command, with what `main` needs to run it.
#[derive(Debug)]
pub enum Parsed {
    Demo(DemoArgs),
    Init(InitArgs),
    Serve(ServeArgs),
    /// All other commands: they neither run nor set up a server.
    Here(Box<Input>),
}

/// Reads a whole command line, the program's name first.
///
/// # Errors
/// Help that was asked for, or a mistake in the command line.
pub fn parse(args: &[OsString]) -> Result<Parsed, Error> {
    let matches = parser::command().try_get_matches_from(args)?;
    let mut levels: Vec<&ArgMatches> = vec![&matches];
    let mut words: Vec<&str> = Vec::new();
    while let Some((word, inner)) = levels.last().and_then(|m| m.subcommand()) {
        words.push(word);
        levels.push(inner);
    }
    let path = words.join(" ");
    let row = rows::find(&path).ok_or_else(|| wrong(&path, "there is no such command"))?;
    let leaf = levels.last().copied().unwrap_or(&matches);
    let mut values = Values::new();
    for param in row.params {
        if let Some(value) = value_of(leaf, param) {
            values.insert(param.name, value);
        }
    }
    let on = On::read(&row, &levels, &mut values)?;
    let yes = row.asks() && switch(leaf, &parser::global_id(&YES));
    Input { row, on, yes, values }.parsed()
}

impl Input {
    fn parsed(self) -> Result<Parsed, Error> {
        Ok(match self.row.does {
            Does::Own(Run::Demo) => Parsed::Demo(DemoArgs {
                data: self.or_default("data").map(PathBuf::from).unwrap_or_default(),
                port: self.or_default("port").and_then(|text| text.parse().ok()).unwrap_or_default(),
                fresh: self.flag("fresh"),
                store: self.text("store").map(str::to_owned),
            }),
            Does::Own(Run::Init) => Parsed::Init(InitArgs {
                business: self.text("business").unwrap_or_default().to_owned(),
                admin_name: self.text("admin_name").map(str::to_owned),
                admin_email: self.text("admin_email").unwrap_or_default().to_owned(),
                data: self.path("data"),
                store: self.text("store").map(str::to_owned),
                json: self.flag("json"),
            }),
            Does::Own(Run::Serve) => Parsed::Serve(ServeArgs {
                config: self.path("config"),
                data: self.path("data"),
                store: self.text("store").map(str::to_owned),
                port: self.port(),
                listen: self.listen()?,
                behind_proxy: self.flag("behind_proxy"),
                json_logs: self.flag("json_logs"),
                no_reexec: self.flag("no_reexec"),
                print_config: self.flag("print_config"),
            }),
            Does::Own(
                Run::Login
                | Run::Logout
                | Run::Doctor
                | Run::AcceptTerms
                | Run::ListLedger
                | Run::VerifyLedger
                | Run::ExportLedger
                | Run::Explain
                | Run::Completions
                | Run::Man,
            )
            | Does::Call(_) => Parsed::Here(Box::new(self)),
        })
    }

    fn or_default(&self, name: &str) -> Option<&str> {
        self.text(name).or_else(|| self.row.param(name)?.default)
    }

    fn port(&self) -> Option<u16> {
        self.number("port").and_then(|n| u16::try_from(n).ok())
    }

    fn listen(&self) -> Result<Option<SocketAddr>, Error> {
        let Some(text) = self.text("listen") else { return Ok(None) };
        let what = "--listen must be an address and a port, such as 127.0.0.1:8080 or [::1]:8080";
        text.parse().map(Some).map_err(|_| wrong(self.row.line.path, what))
    }
}

impl On {
    /// Collects the global options from all levels. If a row has a parameter of the same name, the
    /// value goes there. Options that the row does not take are refused.
    fn read(row: &Row, levels: &[&ArgMatches], values: &mut Values) -> Result<On, Error> {
        let mut globals = Values::new();
        for param in GLOBALS.iter().chain([&BUSINESS]) {
            let id = parser::global_id(param);
            // A command without the option doesn't know its id.
            let typed = levels.iter().filter_map(|m| m.try_contains_id(&id).ok().and_then(|_| raw(m, &id)));
            let mut typed: Vec<Vec<String>> = typed.collect();
            let own = row.param(param.name);
            let total = typed.len() + usize::from(own.is_some() && values.contains_key(param.name));
            let Some(value) = typed.pop() else { continue };
            let option = param.option_name();
            if total > 1 {
                return Err(wrong(row.line.path, &format!("--{option} is given more than once")));
            }
            match own {
                Some(own) => {
                    values.insert(own.name, value);
                }
                None if row.has_globals && param.name != BUSINESS.name => {
                    globals.insert(param.name, value);
                }
                None => {
                    return Err(wrong(row.line.path, &format!("valetkey {} takes no --{option}", row.line.path)));
                }
            }
        }
        let text = |name: &str| globals.get(name).and_then(|all| all.first()).cloned();
        Ok(On {
            data: text("data").map(PathBuf::from),
            config: text("config").map(PathBuf::from),
            server: text("server"),
            token: text("token"),
            as_login: text("as_login").is_some(),
            ca: text("ca").map(PathBuf::from),
            json: text("json").is_some(),
        })
    }
}

/// What was typed for a parameter, with its own option or the other one.
fn value_of(matches: &ArgMatches, param: &Param) -> Option<Vec<String>> {
    if let Some(all) = raw(matches, &parser::param_id(param.name)) {
        let words = if let Sort::Word(words) = param.sort { words } else { &[] };
        let canonical =
            |text: String| words.iter().find(|w| w.eq_ignore_ascii_case(&text)).map_or(text, |w| (*w).to_owned());
        return Some(all.into_iter().map(canonical).collect());
    }
    let also = param.typed.also?;
    let all = raw(matches, &parser::also_id(param.name))?;
    let text = all.first()?;
    let value = match also.spelling {
        Spelling::Is(value) => value.to_owned(),
        Spelling::Times { factor, .. } => (text.parse::<i64>().ok()? * factor).to_string(),
        Spelling::Either(yes, no) => (if text == "true" { yes } else { no }).to_owned(),
    };
    Some(vec![value])
}

/// The texts of an id, if it was typed. A switch gives `true`.
fn raw(matches: &ArgMatches, id: &str) -> Option<Vec<String>> {
    if matches.value_source(id) != Some(ValueSource::CommandLine) {
        return None;
    }
    Some(matches.get_raw(id)?.map(|text| text.to_string_lossy().into_owned()).collect())
}

fn switch(matches: &ArgMatches, id: &str) -> bool {
    raw(matches, id).is_some()
}

/// A mistake in the same form as the parser's own.
fn wrong(path: &str, what: &str) -> Error {
    let mut command = parser::command();
    command.build();
    let found = path.split(' ').try_fold(&command, |found, word| found.find_subcommand(word));
    let mut found = found.unwrap_or(&command).clone();
    found.error(ErrorKind::ArgumentConflict, what)
}
