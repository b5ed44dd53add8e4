//! The reference of all commands, printed from the rows as `docs/reference/commands.md`. To write
//! it again: `UPDATE_DOCS=1 cargo test -p valetkey the_reference_of_commands`.

use std::fmt::Write as _;
use std::path::Path;

use valetkey_api::{Param, Place, Sort, Spelling};

use super::parser;
use super::rows::{self, Does, GLOBALS, Row};

const HEAD: &str = "\
# Commands

Printed from the table of commands; see `valetkey help` for the same on the terminal. A command that
names a call has the same parameters at `POST /v1/commands/NAME`.

Where a parameter is an id of a business, person, app, system user or asset, its name may be typed
instead, if exactly one has it. Ids always work.

";

fn markdown() -> String {
    let mut text = HEAD.to_owned();
    text += "## Options of every command\n\n";
    text += "They stand before or after the words of a command. `demo`, `init`, `serve`, `completions` and `man` take only their own.\n\n";
    params(&mut text, GLOBALS.iter().chain([&rows::BUSINESS]));
    let all = rows::all();
    for (section, lines) in rows::overview() {
        for (word, summary) in lines {
            let of: Vec<&Row> = all.iter().filter(|row| row.first() == word).collect();
            let _ = writeln!(text, "## {word}\n");
            // The section of a single-word command needs no summary.
            if of.iter().any(|row| row.verb().is_some()) {
                let _ = writeln!(text, "{}: {summary}.\n", section.title());
            }
            for row in of {
                command(&mut text, row);
            }
        }
    }
    format!("{}\n", text.trim_end())
}

fn command(text: &mut String, row: &Row) {
    let _ = writeln!(text, "### valetkey {}\n", row.line.path);
    let _ = writeln!(text, "{}.", row.summary);
    if !row.line.help.is_empty() {
        let _ = writeln!(text, "\n{}", rows::spoken(row.line.help).replace('\n', "\n\n"));
    }
    match row.does {
        Does::Call(command) => {
            let _ = writeln!(text, "\nCalls `{}`. For {}.", command.name, command.access.as_str());
        }
        Does::Own(_) => {}
    }
    if row.asks() {
        *text += "\nOn a terminal it asks first; `--yes` answers.\n";
    }
    let _ = writeln!(text, "\n```\n{}\n```\n", usage(row));
    if !row.params.is_empty() {
        params(text, row.params.iter());
    }
    let _ = writeln!(text, "Example: `valetkey {}`\n", row.line.example);
}

fn params<'a>(text: &mut String, all: impl Iterator<Item = &'a Param>) {
    *text += "| parameter | meaning |\n|---|---|\n";
    for param in all {
        let name = match param.typed.place {
            Place::Positional => parser::value_name(param),
            Place::Option if is_switch(param) => format!("--{}", param.option_name()),
            Place::Option => format!("--{} {}", param.option_name(), parser::value_name(param)),
        };
        let words = match param.sort {
            Sort::Word(words) => format!(" One of {}.", words.join(", ")),
            Sort::Integer(low, high) if high < i64::MAX => format!(" From {low} to {high}."),
            Sort::Id | Sort::Text | Sort::Name | Sort::Texts | Sort::Boolean | Sort::Integer(..) | Sort::Object => {
                String::new()
            }
        };
        let default = parser::default_of(param).map_or(String::new(), |text| format!(" Default: {text}."));
        let need = if param.required { " Required." } else { "" };
        let meaning = parser::meaning(param);
        let _ = writeln!(text, "| `{}` | {}{words}{default}{need} |", cell(&name), cell(&meaning));
        if let Some(also) = param.typed.also {
            let value = match also.spelling {
                Spelling::Is(_) => "",
                Spelling::Times { .. } => " N",
                Spelling::Either(..) => " true\\|false",
            };
            let _ = writeln!(text, "| `--{}{value}` | {} |", also.option, cell(also.doc));
        }
    }
    *text += "\n";
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn is_switch(param: &Param) -> bool {
    param.sort == Sort::Boolean && !param.typed.with_value
}

/// A command line as the usage shows it: positional words first, then options.
fn usage(row: &Row) -> String {
    let mut text = format!("valetkey {}", row.line.path);
    let of = |place: Place| row.params.iter().filter(move |p| p.typed.place == place);
    for param in of(Place::Positional) {
        let dots = if param.sort.is_list() { "..." } else { "" };
        let name = format!("{}{dots}", parser::value_name(param));
        text += &if param.required { format!(" {name}") } else { format!(" [{name}]") };
    }
    for param in of(Place::Option) {
        let value = if is_switch(param) { String::new() } else { format!(" {}", parser::value_name(param)) };
        let option = format!("--{}{value}", param.option_name());
        text += &if param.required { format!(" {option}") } else { format!(" [{option}]") };
    }
    text
}

#[test]
fn the_reference_of_commands_is_what_the_rows_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/commands.md");
    let printed = markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &printed).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == printed,
        "docs/reference/commands.md is not what the rows say; write it anew with UPDATE_DOCS=1"
    );
}

#[test]
fn every_command_and_parameter_stands_in_the_reference() {
    let text = markdown();
    for row in rows::all() {
        let from = text.find(&format!("### valetkey {}\n", row.line.path)).unwrap();
        let part = &text[from..];
        let part = &part[..part[3..].find("\n##").map_or(part.len(), |end| end + 3)];
        for param in row.params {
            let name = match param.typed.place {
                Place::Positional => format!("`{}`", parser::value_name(param)),
                Place::Option => format!("`--{}", param.option_name()),
            };
            assert!(part.contains(&name), "{}: {name}", row.line.path);
        }
        assert!(part.contains(&format!("`valetkey {}`", row.line.example)), "{}", row.line.path);
    }
    assert!(text.contains("--yes"));
}
