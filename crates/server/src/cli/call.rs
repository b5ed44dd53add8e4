//! Calls a command of the JSON adapter's table as its row says: typed words become its parameters,
//! and its answer is printed. It must never know a command by its name. A secret is printed once,
//! to standard output, and stored nowhere.

use std::io::{BufRead, IsTerminal as _};
use std::process::ExitCode;

use serde_json::{Map, Value, json};
use valetkey_api::{Ask, Columns, Command, Output, Param, Place, Sort, find};

use super::fail::{Fail, Outcome};
use super::input::{Input, TEXT_FOLLOWS};
use super::target::{Done, Session, within};
use super::{names, preview, screen, template};

/// Calls the command and prints its answer.
pub async fn run(input: &Input, command: &'static Command) -> Outcome {
    match input.by_text() {
        Some((other, command)) => act(&other, command).await,
        None => act(input, command).await,
    }
}

async fn act(input: &Input, command: &'static Command) -> Outcome {
    if input.row.line.needs_change && !input.typed().any(is_change) {
        return Err(Fail::new("there is nothing to change")
            .hint(format!("valetkey help {} shows what can be", input.row.line.path)));
    }
    within(&input.on, async |session| {
        let params = params(session, input).await?;
        if preview::is_asked(&params) {
            let done = session.call(command.name, Value::Object(params)).await?;
            return Ok(preview::print(input.on.json, &done.result));
        }
        if let Some(ask) = &input.row.line.asks {
            confirm(session, input, (command, ask), &params).await?;
        }
        let done = session.call(command.name, Value::Object(params)).await?;
        Ok(print(&Answered { input, command, place: session.place(), done: &done }))
    })
    .await
}

/// Whether a parameter is a change, and not the object that is changed.
fn is_change(param: &Param) -> bool {
    param.typed.place == Place::Option && param.name != "business" && param.name != preview::PARAM
}

/// The typed values, as parameters of the adapter.
async fn params(session: &Session, input: &Input) -> Result<Map<String, Value>, Fail> {
    let mut map = Map::new();
    for param in input.row.params {
        let texts = input.texts(param.name);
        let value = match texts.first() {
            Some(text) => value(session, param, text, texts).await?,
            None => match param.typed.sends {
                Some(text) => plain(param, text),
                None => continue,
            },
        };
        map.insert(param.name.to_owned(), value);
    }
    Ok(map)
}

async fn value(session: &Session, param: &Param, text: &str, texts: &[String]) -> Result<Value, Fail> {
    if let Some(noun) = param.noun {
        return names::id(session, noun, text).await.map(Value::String);
    }
    if param.typed.from_file {
        return std::fs::read_to_string(text)
            .map(Value::String)
            .map_err(|e| Fail::new(format!("the text in {text} can't be read: {e}")));
    }
    if param.typed.from_input {
        return secret_over(text, &mut std::io::stdin().lock()).map(Value::String);
    }
    match param.sort {
        Sort::Texts => Ok(json!(texts)),
        Sort::Object => pairs(&param.option_name(), texts).map(Value::Object),
        Sort::Id | Sort::Text | Sort::Name | Sort::Word(_) | Sort::Boolean | Sort::Integer(..) => {
            Ok(plain(param, text))
        }
    }
}

/// The first line of standard input, in place of a `-`.
fn secret_over(typed: &str, from: &mut impl BufRead) -> Result<String, Fail> {
    if typed != TEXT_FOLLOWS {
        return Err(Fail::new("a secret on the command line shows in the list of processes")
            .hint("type - in its place, and hand it over standard input"));
    }
    let mut line = String::new();
    let read = from.read_line(&mut line);
    match read {
        Ok(_) if !line.trim().is_empty() => Ok(line.trim().to_owned()),
        _ => Err(Fail::new("nothing came over standard input")),
    }
}

/// The value of a single text.
fn plain(param: &Param, text: &str) -> Value {
    match param.sort {
        Sort::Boolean => json!(text == "true"),
        Sort::Integer(..) => text.parse::<i64>().map_or_else(|_| json!(text), |n| json!(n)),
        Sort::Id | Sort::Text | Sort::Name | Sort::Word(_) | Sort::Texts | Sort::Object => json!(text),
    }
}

/// The fields of an object. Values that are JSON are read as JSON, so that numbers stay numbers.
fn pairs(option: &str, list: &[String]) -> Result<Map<String, Value>, Fail> {
    let mut map = Map::new();
    for text in list {
        let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(Fail::new(format!("--{option} must be of the form NAME=VALUE, such as currency=EUR")));
        };
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        if map.insert(name.to_owned(), value).is_some() {
            return Err(Fail::new(format!("--{option} {name} is given twice")));
        }
    }
    Ok(map)
}

/// Asks on a terminal before a change that can't be undone. A script is not asked.
async fn confirm(
    session: &Session,
    input: &Input,
    (command, ask): (&Command, &Ask),
    params: &Map<String, Value>,
) -> Result<(), Fail> {
    if input.yes || !std::io::stdin().is_terminal() {
        return Ok(());
    }
    let preview = match ask.preview.and_then(find) {
        None if input.row.param(preview::PARAM).is_some() => {
            let found = session.call(command.name, preview::asking(params)).await?.result;
            preview::show(&found);
            found
        }
        None => Value::Null,
        Some(command) => {
            let takes = |name: &str| command.params.iter().any(|p| p.name == name);
            let some: Map<String, Value> =
                params.iter().filter(|(name, _)| takes(name)).map(|(n, v)| (n.clone(), v.clone())).collect();
            session.call(command.name, Value::Object(some)).await?.result
        }
    };
    match question(input, ask, &preview) {
        None => Ok(()),
        Some(question) => answer(&question, &mut std::io::stdin().lock()),
    }
}

/// The question; none if the preview says that nothing is lost.
fn question(input: &Input, ask: &Ask, preview: &Value) -> Option<String> {
    if preview.get("asks") == Some(&Value::Bool(false)) {
        return None;
    }
    Some(template::fill(ask.question, &|name| known(input, preview, name)))
}

fn answer(question: &str, from: &mut impl BufRead) -> Result<(), Fail> {
    anstream::eprint!("{} [y/N] ", screen::clean(question));
    let mut line = String::new();
    let read = from.read_line(&mut line);
    match read.is_ok() && matches!(line.trim().to_lowercase().as_str(), "y" | "yes") {
        true => Ok(()),
        false => Err(Fail::new("nothing was changed").hint("--yes answers yes")),
    }
}

/// The value of a name in a sentence: a field of the answer, or what was typed.
fn known(input: &Input, result: &Value, name: &str) -> Option<String> {
    if let Some(value) = screen::at(result, name) {
        // An empty value counts as none, so the part of the sentence around it is left out.
        return Some(screen::cell(value)).filter(|text| !text.is_empty());
    }
    let typed = input.texts(name);
    if !typed.is_empty() {
        return Some(typed.join(", "));
    }
    input.row.param(name)?.default.map(str::to_owned)
}

/// An answer, and the input that it answers.
struct Answered<'a> {
    input: &'a Input,
    command: &'static Command,
    place: &'a str,
    done: &'a Done,
}

impl Answered<'_> {
    fn fill(&self, text: &str) -> String {
        template::fill(text, &|name| match name {
            "server" => Some(self.place.to_owned()),
            name => known(self.input, &self.done.result, name),
        })
    }

    fn rows(&self) -> Option<&Vec<Value>> {
        self.done.result.get("rows").and_then(Value::as_array)
    }

    fn says_done(&self) {
        let says = self.input.row.line.says;
        let says = if says.is_empty() { "done".to_owned() } else { self.fill(says) };
        screen::done(&format!("{says} (revision {})", self.done.revision));
    }
}

fn print(answered: &Answered<'_>) -> ExitCode {
    let result = &answered.done.result;
    if answered.input.on.json {
        return match answered.command.writes {
            true => screen::json(&with_revision(answered.done)),
            false => screen::json(result),
        };
    }
    let line = answered.input.row.line;
    match line.output {
        Output::Done => answered.says_done(),
        Output::Fields => {
            if answered.command.writes {
                answered.says_done();
            }
            match answered.rows() {
                Some(rows) => list(answered, rows, &screen::all_columns(rows)),
                None => screen::pairs(result),
            }
        }
        Output::Field(field) => {
            let text = result.get(field).and_then(Value::as_str).unwrap_or_default();
            anstream::println!("{}", screen::clean(text).trim_end());
        }
        Output::Table(columns) => list(answered, answered.rows().map_or(&[], Vec::as_slice), &owned(columns)),
        Output::TableIf(param, with, without) => {
            let columns = if answered.input.texts(param).is_empty() { without } else { with };
            list(answered, answered.rows().map_or(&[], Vec::as_slice), &owned(columns));
        }
    }
    if !line.next.is_empty() && answered.rows().is_none_or(|rows| !rows.is_empty()) {
        screen::note(&answered.fill(line.next));
    }
    ExitCode::SUCCESS
}

fn owned(columns: Columns) -> Vec<(String, String)> {
    columns.iter().map(|(heading, path)| ((*heading).to_owned(), (*path).to_owned())).collect()
}

fn list(answered: &Answered<'_>, rows: &[Value], columns: &[(String, String)]) {
    if rows.is_empty() {
        screen::note("nothing here");
        return;
    }
    screen::table(rows, columns);
    if let Some(next) = answered.done.result.get("next").filter(|next| !next.is_null()) {
        screen::note(&format!("more rows may follow: --after {}", screen::cell(next)));
    }
}

fn with_revision(done: &Done) -> Value {
    let mut map = match done.result.as_object() {
        Some(map) => map.clone(),
        None => Map::from_iter([("result".to_owned(), done.result.clone())]),
    };
    map.insert("revision".into(), json!(done.revision));
    Value::Object(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::input::{Parsed, parse};

    fn input(line: &[&str]) -> Input {
        let args: Vec<_> = std::iter::once(&"valetkey").chain(line).map(std::ffi::OsString::from).collect();
        match parse(&args) {
            Ok(Parsed::Here(input)) => *input,
            other => panic!("{line:?}: {other:?}"),
        }
    }

    #[test]
    fn details_keep_their_type_and_name_what_is_wrong() {
        let list = |all: &[&str]| pairs("detail", &all.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>());
        let map = list(&["currency=EUR", "timezone_id=1", "note=a=b", "open=true"]).unwrap();
        assert_eq!(Value::Object(map), json!({"currency": "EUR", "timezone_id": 1, "note": "a=b", "open": true}));
        for bad in [&["currency"][..], &["=x"], &["a=1", "a=2"]] {
            assert!(list(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_secret_comes_over_standard_input_alone() {
        assert_eq!(secret_over("-", &mut " vkeysu_x \nmore".as_bytes()).unwrap(), "vkeysu_x");
        for (typed, line) in [("-", ""), ("-", " \n"), ("vkeysu_x", "vkeysu_x\n")] {
            let fail = secret_over(typed, &mut line.as_bytes()).unwrap_err();
            assert!(!fail.message().contains("vkeysu"), "{typed:?}");
        }
    }

    #[test]
    fn a_hyphen_in_place_of_an_id_means_a_text() {
        let typed = input(&["token", "revoke", "-", "--with-descendants"]);
        let (other, command) = typed.by_text().unwrap();
        assert_eq!((command.name, other.text("text")), ("token.revoke-text", Some("-")));
        assert!(other.flag("with_descendants") && other.text("token").is_none());
        assert_eq!(input(&["token", "show", "-"]).by_text().unwrap().1.name, "token.find");
        for line in [&["token", "revoke", "123"][..], &["token", "find", "-"], &["asset", "rename", "-", "x"]] {
            assert!(input(line).by_text().is_none(), "{line:?}");
        }
    }

    #[test]
    fn only_a_clear_yes_goes_on() {
        for (line, goes_on) in [("y\n", true), (" YES \n", true), ("n\n", false), ("", false), ("yess\n", false)] {
            assert_eq!(answer("Delete it?", &mut line.as_bytes()).is_ok(), goes_on, "{line:?}");
        }
    }

    #[test]
    fn a_question_names_what_is_lost_and_is_left_out_where_nothing_is() {
        let revoke = input(&["token", "revoke-all", "Poster"]);
        let ask = revoke.row.line.asks.unwrap();
        let text = "All tokens of Poster are dead at once and stay dead. Revoke them?";
        assert_eq!(question(&revoke, &ask, &Value::Null).unwrap(), text);
        let counted = Ask { question: "{tokens} tokens lose {scopes}. Go on?", preview: Some("app.list") };
        let lost = json!({"tokens": 3, "scopes": ["ads_read"]});
        assert_eq!(question(&revoke, &counted, &lost).unwrap(), "3 tokens lose ads_read. Go on?");
        assert_eq!(question(&revoke, &counted, &json!({"asks": false, "tokens": 0})), None);
    }

    #[test]
    fn an_update_without_a_change_is_refused_before_anything_is_sent() {
        for (line, is_refused) in [
            (&["app", "update", "Shop"][..], true),
            (&["app", "update", "Shop", "--preview"], true),
            (&["business", "update", "Velo"], true),
            (&["business", "update", "--business", "Velo"], true),
            (&["app", "update", "Shop", "--name", "New"], false),
        ] {
            let input = input(line);
            assert_eq!(!input.typed().any(is_change), is_refused, "{line:?}");
        }
    }
}
