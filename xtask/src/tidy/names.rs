//! Words that must not be a part of a name in code: of a function, type, variable, test or file.
//!
//! They say nothing about what a name stands for (`thing`, `given`), or are metaphors (`door`, `house`)
//! for which the field has its own word. Ordinary sentences may use them, so comments, texts and
//! documents are not checked. Decision pages keep their names.

use std::collections::BTreeMap;

use super::{Finding, files::File, tokens, words::parts};

/// A word with its forms, and what to say instead.
const NEVER: &[(&[&str], &str)] = &[
    (&["house", "houses"], "crate, module, product or business"),
    (&["room", "rooms"], "space, capacity or limit"),
    (&["door", "doors"], "adapter, listener or route"),
    (&["hang", "hangs", "hung", "hanging"], "wait, stay, depend on or close"),
    (&["thing", "things"], "what it is: row, record, asset, item"),
    (&["told"], "what was answered, shown, recorded or reported"),
    (&["given"], "what it is: value, input, argument, released"),
    (&["sight", "sights"], "view, right or visibility"),
    (&["maker", "makers"], "source, builder or creator"),
    (&["clerk", "clerks"], "what it does: writer, recorder, job"),
];

/// Words that still stand in names, with the most places where they may. The numbers only go down.
const LEFT: &[(&str, usize)] = &[];

/// Where names are not ours to choose or to change: how the path begins, and why.
const EXCUSED: &[(&str, &str)] =
    &[("docs/decisions/", "a decision page keeps its name and text"), ("xtask/src/tidy/", "the rule itself")];

pub fn check(files: &[File]) -> Vec<Finding> {
    check_with(files, LEFT)
}

fn check_with(files: &[File], left: &[(&str, usize)]) -> Vec<Finding> {
    let mut found: BTreeMap<&str, Vec<Finding>> = BTreeMap::new();
    for file in files.iter().filter(|file| !EXCUSED.iter().any(|(begin, _)| file.path.starts_with(begin))) {
        let path = file.path.split(|char: char| !char.is_ascii_alphanumeric()).map(|name| (name.to_string(), 0));
        for (name, line) in path.chain(names(file)) {
            // Most names have none of the words and need no further check.
            let lower = name.to_ascii_lowercase();
            if !NEVER.iter().any(|(forms, _)| forms.iter().any(|form| lower.contains(form))) {
                continue;
            }
            let parts: Vec<String> = name.split('_').flat_map(parts).collect();
            for (forms, instead) in
                NEVER.iter().filter(|(forms, _)| parts.iter().any(|part| forms.contains(&part.as_str())))
            {
                let Some(word) = forms.first() else { continue };
                let what = format!("the name '{name}' has '{word}' in it; say {instead}");
                found.entry(word).or_default().push(Finding::new(&file.path, line, what));
            }
        }
    }
    let mut findings = Vec::new();
    for (word, places) in found {
        let most = left.iter().find(|(left, _)| *left == word).map_or(0, |(_, most)| *most);
        if places.len() > most {
            findings.extend(places);
        }
    }
    findings
}

/// The names in the code of a file, with their lines.
fn names(file: &File) -> Vec<(String, usize)> {
    let read = match () {
        () if file.is("rs") => tokens::rust,
        () if file.is("py") => tokens::python,
        () if file.is("mjs") || file.is("js") => tokens::javascript,
        () => return Vec::new(),
    };
    let tokens = read(&file.text).into_iter();
    tokens.filter(|token| token.text.len() > 1).map(|token| (token.text, token.line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        check_with(&[File::new(path, text)], &[]).iter().map(Finding::text).collect()
    }

    #[test]
    fn a_word_is_found_in_names_of_every_kind() {
        for name in ["thing", "a_thing_that_is_gone", "SomeThings", "NO_ROOM", "HangUp", "told", "IdMaker", "sight_of"]
        {
            let text = format!("//! A.\nfn {name}() {{}}\n");
            assert_eq!(found("a.rs", &text).len(), 1, "{name}");
        }
        assert_eq!(
            found("a.rs", "//! A.\nlet given = 1;"),
            ["a.rs:2: the name 'given' has 'given' in it; say what it is: value, input, argument, released"]
        );
        assert_eq!(found("a.py", "x = 1\ndef told(): pass").len(), 1);
        assert_eq!(found("a.mjs", "const things = []").len(), 1);
        assert_eq!(found("crates/a/src/front_door.rs", "//! A.\n").len(), 1);
        assert_eq!(found("tests/told/data.txt", "x").len(), 1);
    }

    #[test]
    fn sentences_and_longer_words_are_fine() {
        for text in [
            "//! A thing is told what it was given.",
            "let nothing = \"the door of the house\"; // hang on",
            "fn something_and_everything_change(bathroom: Forgiven) {}",
        ] {
            assert!(found("a.rs", text).is_empty(), "{text}");
        }
        assert!(found("a.py", "\"\"\"What clients were told.\"\"\"\nx = 'things'  # given").is_empty());
        assert!(found("a.md", "`told`").is_empty());
        assert!(found("docs/decisions/0004-an-api-door.md", "").is_empty());
    }

    #[test]
    fn words_that_are_left_may_become_fewer_and_not_more() {
        let files = [File::new("a.rs", "let told = given;\nlet b = told;")];
        assert_eq!(check_with(&files, &[("told", 2), ("given", 1)]).len(), 0);
        assert_eq!(check_with(&files, &[("told", 1), ("given", 1)]).len(), 2, "all places are shown");
    }
}
