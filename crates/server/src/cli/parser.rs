//! The parser of the command line, made from the rows. It must never know a command by its name:
//! all differences between commands are in their rows.

use std::fmt::Write as _;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command};
use valetkey_api::{Also, GROUPS, Param, Place, Sort, Spelling};

use super::rows::{self, BUSINESS, GLOBALS, Row, YES};

const WIDTH: usize = 100;
const HEADING: &str = "Where and as whom";
const ABOUT: &str = "A self-hosted business manager for system users";

/// The whole command line.
pub fn command() -> Command {
    let root = Command::new("valetkey")
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .help_template(template())
        .max_term_width(WIDTH)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .args(early());
    let mut rows = rows::all();
    rows.dedup_by_key(|row| row.first());
    rows.iter().fold(root, |root, row| {
        let first = row.first();
        root.subcommand(if row.verb().is_some() { group(first) } else { verb(row, first) })
    })
}

/// A group: a first word with its verbs.
fn group(first: &'static str) -> Command {
    let summary = GROUPS.iter().find(|g| g.word == first).map_or("", |g| g.summary);
    let group = Command::new(first).about(summary).subcommand_required(true).arg_required_else_help(true).args(early());
    let rows = rows::all().into_iter().filter(|row| row.first() == first);
    rows.filter_map(|row| row.verb().map(|word| verb(&row, word))).fold(group, Command::subcommand)
}

/// One command.
fn verb(row: &Row, word: &'static str) -> Command {
    let help = rows::spoken(row.line.help);
    let long = if help.is_empty() { row.summary.to_owned() } else { format!("{}\n\n{help}", row.summary) };
    let mut verb = Command::new(word)
        .about(row.summary)
        .long_about(long)
        .after_help(format!("Example:\n  valetkey {}", row.line.example))
        .args(row.params.iter().flat_map(|param| args(row, param)));
    if row.asks() {
        verb = verb.arg(global(&YES).short('y'));
    }
    if row.param(BUSINESS.name).is_some_and(|p| p.typed.place == Place::Positional) {
        // It may also be typed as an option, as for other commands.
        verb = verb.arg(global(&BUSINESS).hide(true));
    }
    if row.has_globals {
        verb = verb.args(GLOBALS.iter().map(global));
    }
    verb
}

/// The options that may stand before the words of a command.
fn early() -> impl Iterator<Item = Arg> {
    GLOBALS.iter().chain([&BUSINESS]).map(global)
}

/// The id of a global option, at every place where it may stand.
pub fn global_id(param: &Param) -> String {
    format!("g:{}", param.name)
}

/// The id of a parameter.
pub fn param_id(name: &str) -> String {
    format!("p:{name}")
}

/// The id of a parameter's other option.
pub fn also_id(name: &str) -> String {
    format!("a:{name}")
}

fn global(param: &Param) -> Arg {
    let arg = shape(Arg::new(global_id(param)).long(param.option_name()), param).help(sentence(param));
    // These options don't say where to act, so they are not under that heading.
    if matches!(param.name, "json" | "yes") { arg } else { arg.help_heading(HEADING) }
}

/// The words of one parameter: one, or two if it has another spelling.
fn args(row: &Row, param: &Param) -> Vec<Arg> {
    let id = param_id(param.name);
    let mut arg = shape(Arg::new(id.clone()), param).help(sentence(param)).required(param.required);
    match param.typed.place {
        Place::Option => arg = arg.long(param.option_name()),
        Place::Positional if param.sort.is_list() => arg = arg.num_args(1..),
        Place::Positional => {}
    }
    if param.name == YES.name {
        arg = arg.short('y');
    }
    if let Some(other) = param.or {
        arg = arg.required_unless_present(param_id(other));
    }
    if let Some(other) = param.needs {
        arg = arg.requires(param_id(other));
    }
    let others: Vec<String> = param.or.into_iter().chain(param.not_beside.iter().copied()).flat_map(ids(row)).collect();
    let arg = arg.conflicts_with_all(others.clone());
    match param.typed.also {
        None => vec![arg],
        Some(also) => {
            let second = also_arg(param, also).conflicts_with_all(others).conflicts_with(id);
            vec![arg, second]
        }
    }
}

/// The ids under which a parameter of the row can be typed.
fn ids(row: &Row) -> impl Fn(&'static str) -> Vec<String> {
    let row = *row;
    move |name| match row.param(name) {
        None => Vec::new(),
        Some(param) if param.typed.also.is_some() => vec![param_id(name), also_id(name)],
        Some(_) => vec![param_id(name)],
    }
}

fn also_arg(param: &Param, also: Also) -> Arg {
    let arg = Arg::new(also_id(param.name)).long(also.option).help(without_stop(also.doc));
    match also.spelling {
        Spelling::Is(_) => arg.action(ArgAction::SetTrue),
        Spelling::Times { limit, .. } => arg.value_name("N").value_parser(clap::value_parser!(i64).range(1..=limit)),
        Spelling::Either(..) => arg.value_name("true|false").value_parser(["true", "false"]).hide_possible_values(true),
    }
}

/// Sets the form of a parameter's value.
fn shape(arg: Arg, param: &Param) -> Arg {
    let arg = match param.sort {
        Sort::Boolean if param.typed.with_value => arg.value_parser(["true", "false"]).hide_possible_values(true),
        Sort::Boolean => return arg.action(ArgAction::SetTrue),
        Sort::Integer(low, high) => arg.value_parser(clap::value_parser!(i64).range(low..=high)),
        Sort::Word(words) => arg.value_parser(PossibleValuesParser::new(words)).ignore_case(true),
        Sort::Texts => arg.value_delimiter(',').action(ArgAction::Append),
        Sort::Object => arg.action(ArgAction::Append),
        Sort::Id | Sort::Text | Sort::Name => arg,
    };
    arg.value_name(value_name(param))
}

/// The placeholder of the value in the usage.
pub fn value_name(param: &Param) -> String {
    if let Some(name) = param.typed.value_name {
        return name.to_owned();
    }
    let loud = |text: &str| text.to_uppercase().replace([' ', '-'], "_");
    match (param.sort, param.noun) {
        _ if param.typed.from_file => "FILE".to_owned(),
        (Sort::Boolean, _) => "true|false".to_owned(),
        (Sort::Object, _) => "NAME=VALUE".to_owned(),
        (Sort::Integer(..), _) if param.typed.place == Place::Option => "N".to_owned(),
        (Sort::Id, None) if param.typed.place == Place::Option => "ID".to_owned(),
        (Sort::Id | Sort::Text | Sort::Name | Sort::Word(_) | Sort::Texts | Sort::Integer(..), _) => loud(param.name),
    }
}

/// The meaning of a parameter, in sentences.
pub fn meaning(param: &Param) -> String {
    let mut text = param.doc.to_owned();
    if let Some(noun) = param.noun {
        let end = text.find(". ").unwrap_or(text.len() - 1);
        text.insert_str(end, &format!(", {}", noun.by()));
    }
    if param.typed.from_file {
        text += " It is read from this file.";
    }
    if param.typed.from_input {
        text += " Type - here: it is read from standard input.";
    }
    if param.sort.is_list() && param.typed.place == Place::Option {
        text += if param.sort == Sort::Texts { " Separated by commas." } else { " It can be repeated." };
    }
    if let Some(other) = param.or {
        let _ = write!(text, " Either this or --{} is needed.", other.replace('_', "-"));
    }
    rows::spoken(&text)
}

/// The default on the command line if a parameter is not typed. A switch has none in the help,
/// because it is simply off.
pub fn default_of(param: &Param) -> Option<&'static str> {
    param.typed.sends.or(param.default).filter(|_| param.sort != Sort::Boolean)
}

/// The meaning with its default, as the help shows it.
fn sentence(param: &Param) -> String {
    let text = without_stop(&meaning(param));
    default_of(param).map_or(text.clone(), |default| format!("{text} [default: {default}]"))
}

/// In help, a single sentence has no full stop; several have.
fn without_stop(text: &str) -> String {
    match text.strip_suffix('.') {
        Some(short) if !short.contains(". ") => short.to_owned(),
        _ => text.to_owned(),
    }
}

/// The overview of all first words, by section.
fn template() -> String {
    let mut text = String::from("{about}\n\n{usage-heading} {usage}\n");
    let overview = rows::overview();
    let words = overview.iter().flat_map(|(_, lines)| lines.iter().map(|(word, _)| word.len()));
    let width = words.max().unwrap_or_default();
    for (section, lines) in &overview {
        let _ = writeln!(text, "\n{}", section.title());
        for (word, summary) in lines {
            let _ = writeln!(text, "  {word:<width$}  {summary}");
        }
    }
    let _ = writeln!(text, "  {:<width$}  Explain a command: valetkey help token issue", "help");
    text += "\nOptions:\n{options}\n\n\
        `valetkey help COMMAND` tells more. Options stand before or after the command. Commands act on the\n\
        server in ./valetkey-data, or on the store itself while none runs; --data DIR names another folder,\n\
        --server URL a server elsewhere.\n";
    text
}
