//! All rows of the command line: the commands of the JSON adapter's table, and the program's own.
//! Parser, help, completions, man pages and the reference are made only from these rows.

use valetkey_api::{Command, GROUPS, Line, Param, Section, Sort, commands, may};

use super::own::{self, Run};

/// One command line.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub line: &'static Line,
    pub summary: &'static str,
    pub params: &'static [Param],
    /// Whether it takes the global options, which say where and as whom to act.
    pub has_globals: bool,
    pub section: Section,
    pub does: Does,
}

/// What runs a row.
#[derive(Debug, Clone, Copy)]
pub enum Does {
    /// A call of the JSON adapter.
    Call(&'static Command),
    /// Code of the program.
    Own(Run),
}

impl Row {
    /// The first word: a group, or the whole command.
    pub fn first(&self) -> &'static str {
        self.line.words().next().unwrap_or(self.line.path)
    }

    /// The verb after the first word, if there is one.
    pub fn verb(&self) -> Option<&'static str> {
        self.line.words().nth(1)
    }

    /// Whether it asks before it acts, so that `--yes` can answer.
    pub fn asks(&self) -> bool {
        self.line.asks.is_some()
    }

    /// The parameter of a name.
    pub fn param(&self, name: &str) -> Option<&'static Param> {
        self.params.iter().find(|p| p.name == name)
    }
}

/// All rows, in the order of the reference: by group, and the program's own last in each.
pub fn all() -> Vec<Row> {
    let calls = commands().filter(|c| !c.line.by_program).map(|command| Row {
        line: &command.line,
        summary: command.summary,
        params: command.params,
        has_globals: true,
        section: Section::Look,
        does: Does::Call(command),
    });
    let own = own::ROWS.iter().map(|row| Row {
        line: &row.line,
        summary: row.summary,
        params: row.params,
        has_globals: row.has_globals,
        section: row.section,
        does: Does::Own(row.run),
    });
    let mut rows: Vec<Row> = calls.chain(own).collect();
    rows.sort_by_key(|row| place(row.first(), row.section));
    rows
}

/// The place of a first word in the overview: by section, groups before single commands, except
/// that the first steps keep their order.
fn place(first: &str, section: Section) -> (usize, usize) {
    let at = |section: Section| Section::ALL.iter().position(|s| *s == section).unwrap_or_default();
    match GROUPS.iter().position(|g| g.word == first) {
        Some(index) => (at(GROUPS[index].section), index),
        None => (at(section), GROUPS.len()),
    }
}

/// Finds the row with this path.
pub fn find(path: &str) -> Option<Row> {
    all().into_iter().find(|row| row.line.path == path)
}

/// The first words with their summary, by section, in the order of the overview.
pub fn overview() -> Vec<(Section, Vec<(&'static str, &'static str)>)> {
    let mut seen: Vec<(Section, &'static str, &'static str)> = Vec::new();
    for row in all() {
        if seen.iter().any(|(_, word, _)| *word == row.first()) {
            continue;
        }
        match GROUPS.iter().find(|g| g.word == row.first()) {
            Some(group) => seen.push((group.section, group.word, group.summary)),
            // A group without an entry of its own shows the summary of its first verb.
            None => seen.push((row.section, row.first(), row.summary)),
        }
    }
    let of = |section: Section| {
        seen.iter().filter(|(s, ..)| *s == section).map(|(_, word, summary)| (*word, *summary)).collect()
    };
    Section::ALL.iter().map(|section| (*section, of(*section))).collect()
}

/// A text of the JSON adapter for the command line: names of commands are replaced by the words to
/// type.
pub fn spoken(text: &str) -> String {
    let mut text = text.to_owned();
    for command in commands().filter(|c| c.name.contains('.')) {
        let mut from = 0;
        while let Some(at) = text[from..].find(command.name).map(|at| at + from) {
            let end = at + command.name.len();
            let joins = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
            let before = text[..at].chars().next_back().is_some_and(joins);
            let after = text[end..].chars().next().is_some_and(|c| joins(c) && c != '.');
            if before || after {
                from = end;
                continue;
            }
            let words = format!("valetkey {}", command.line.path);
            from = at + words.len();
            text.replace_range(at..end, &words);
        }
    }
    text
}

/// The options of every command that acts on a server; they may stand before or after its words.
pub static GLOBALS: &[Param] = &[
    may("data", Sort::Text, "The data folder: its server is asked, or its store opened while none runs.").shown("DIR"),
    may("config", Sort::Text, "The configuration, for the store's address. valetkey.toml is read if it is there.")
        .shown("FILE"),
    may(
        "server",
        Sort::Text,
        "Ask a server at this address, with a token: VALETKEY_TOKEN, --token, or the one of login.",
    )
    .shown("URL"),
    may("token", Sort::Text, "Act with this token. VALETKEY_TOKEN keeps it out of the list of processes.").secret(),
    may("as_login", Sort::Boolean, "Act as the person who signed in, instead of the operator."),
    may("ca", Sort::Text, "Trust these certificates (PEM) when asking an https:// address.").shown("FILE"),
    may("json", Sort::Boolean, "Print JSON."),
];

/// It may also stand before the words of a command that has it.
pub static BUSINESS: Param =
    may("business", Sort::Id, "The business, where there is more than one.").of(valetkey_api::Noun::Business);

/// The option of commands that ask first.
pub static YES: Param = may("yes", Sort::Boolean, "Don't ask before changes that can't be undone.");

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_command_of_the_table_has_its_row_or_one_of_the_program() {
        let rows = all();
        for command in commands() {
            let of: Vec<&Row> = rows.iter().filter(|row| row.line.path == command.line.path).collect();
            assert_eq!(of.len(), 1, "{}: one row at \"{}\"", command.name, command.line.path);
            let is_own = matches!(of[0].does, Does::Own(_));
            assert_eq!(is_own, command.line.by_program, "{}", command.name);
        }
    }

    #[test]
    fn every_path_stands_once_and_every_group_has_a_summary() {
        let mut seen = HashSet::new();
        for row in all() {
            assert!(seen.insert(row.line.path), "{} stands twice", row.line.path);
            let words: Vec<&str> = row.line.words().collect();
            assert!(matches!(words.len(), 1 | 2), "{}", row.line.path);
            let is_group = GROUPS.iter().any(|g| g.word == words[0]);
            assert_eq!(is_group, words.len() == 2, "{}: add its first word to GROUPS", row.line.path);
            assert!(!row.summary.ends_with('.') && row.summary.len() <= 90, "{}", row.summary);
            assert!(row.params.iter().all(|p| p.doc.ends_with('.')), "{}", row.line.path);
        }
    }

    #[test]
    fn names_of_commands_become_what_people_type() {
        for (text, spoken_text) in [
            ("install it first (app.install)", "install it first (valetkey app install)"),
            ("kind.list shows them", "valetkey asset kinds shows them"),
            ("see scope.list.", "see valetkey token scopes."),
            ("/v1/commands/app.list", "/v1/commands/app.list"),
            ("app.list-all and myapp.list", "app.list-all and myapp.list"),
        ] {
            assert_eq!(spoken(text), spoken_text);
        }
    }
}
