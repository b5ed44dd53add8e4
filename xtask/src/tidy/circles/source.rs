//! Reads from one Rust file what the graph of modules needs: its items, its imports, and the paths in
//! its code.
//!
//! It is no compiler: it knows tokens, and the few places where a name is declared or a path begins.
//! That is enough for code that compiles and that `rustfmt` has formatted. Test code is left out. It
//! must skip what it doesn't understand, never fail.

use std::collections::{BTreeMap, BTreeSet};

use crate::tidy::tokens::{Token, rust as tokens};

/// A path such as `super::row::Row`, with its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    pub segments: Vec<String>,
    pub line: usize,
}

/// A name that a `use` brings in.
#[derive(Clone, Debug)]
pub struct Import {
    pub path: Path,
    /// Whether others may use the name from here.
    pub public: bool,
}

/// A module: a file, or a `mod name { … }` inside one.
#[derive(Debug, Default)]
pub struct Source {
    /// Names that are defined here, outside of functions and blocks.
    pub items: BTreeSet<String>,
    pub imports: BTreeMap<String, Import>,
    /// `use path::*`.
    pub globs: Vec<Import>,
    /// Paths of two segments or more in the code, outside of `use`.
    pub paths: Vec<Path>,
    /// All other words of the code with the line of their first use; first segments of paths too.
    pub words: BTreeMap<String, usize>,
    /// Modules whose code is in this file too.
    pub inside: BTreeMap<String, Source>,
    /// Modules in files of their own that are test code as a whole.
    pub test_modules: BTreeSet<String>,
}

/// Words that begin an item whose name comes next.
const ITEMS: &[&str] = &["fn", "struct", "enum", "trait", "type", "const", "static", "union"];

pub fn read(text: &str) -> Source {
    let tokens = tokens(text);
    let mut reader = Reader { tokens: &tokens, at: 0 };
    reader.module()
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Reader<'_> {
    fn text(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |token| token.text.as_str())
    }

    fn line(&self) -> usize {
        self.tokens.get(self.at).map_or(0, |token| token.line)
    }

    /// Reads until the module's closing brace, or the end of the file.
    fn module(&mut self) -> Source {
        let mut source = Source::default();
        let mut depth = 0_usize;
        let mut public = false;
        while self.at < self.tokens.len() {
            let was_public = std::mem::take(&mut public);
            match self.text(0) {
                "{" => depth += 1,
                "}" if depth == 0 => break,
                "}" => depth -= 1,
                "#" => {
                    if self.attribute() {
                        self.skip_item(&mut source);
                    } else {
                        public = was_public;
                    }
                    continue;
                }
                "pub" => {
                    public = true;
                    self.at += 1;
                    if self.text(0) == "(" {
                        self.skip_brackets();
                    }
                    continue;
                }
                "use" => {
                    self.at += 1;
                    self.import(&mut source, Vec::new(), was_public);
                    continue;
                }
                "mod" if is_word(self.text(1)) && self.text(2) == "{" => {
                    let name = self.text(1).to_string();
                    self.at += 3;
                    let inside = self.module();
                    source.inside.insert(name, inside);
                }
                "macro_rules" if self.text(1) == "!" => {
                    source.items.insert(self.text(2).to_string());
                    self.at += 3;
                    continue;
                }
                word if depth == 0 && ITEMS.contains(&word) && is_word(self.text(1)) => {
                    let name = self.text(1);
                    source.items.extend((!ITEMS.contains(&name)).then(|| name.to_string()));
                }
                word if is_word(word) => {
                    self.path(&mut source);
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
        source
    }

    /// Skips `#[…]`; returns whether what follows is test code.
    fn attribute(&mut self) -> bool {
        self.at += 1;
        if self.text(0) == "!" {
            self.at += 1;
        }
        let start = self.at;
        self.skip_brackets();
        let words: Vec<&str> = self.tokens[start..self.at].iter().map(|token| token.text.as_str()).collect();
        match words.as_slice() {
            ["[", "test", "]"] => true,
            ["[", "cfg", rest @ ..] => rest.contains(&"test") && !rest.contains(&"not") && !rest.contains(&"any"),
            _ => false,
        }
    }

    /// Skips brackets of any sort and all that is in them.
    fn skip_brackets(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.tokens.len() {
            match self.text(0) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    /// Skips the item, field, arm or statement after an attribute.
    fn skip_item(&mut self, source: &mut Source) {
        while self.text(0) == "#" {
            self.attribute();
        }
        if self.text(0) == "pub" {
            self.at += 1;
            if self.text(0) == "(" {
                self.skip_brackets();
            }
        }
        let item = matches!(self.text(0), "use" | "mod" | "impl" | "async" | "unsafe" | "extern")
            || ITEMS.contains(&self.text(0));
        if self.text(0) == "mod" && self.text(2) == ";" {
            source.test_modules.insert(self.text(1).to_string());
        }
        let braces_end = self.text(0) != "use";
        while self.at < self.tokens.len() {
            match self.text(0) {
                "{" => {
                    self.skip_brackets();
                    if braces_end {
                        return;
                    }
                }
                "(" | "[" => self.skip_brackets(),
                ";" => {
                    self.at += 1;
                    return;
                }
                "," if !item => {
                    self.at += 1;
                    return;
                }
                "}" => return,
                _ => self.at += 1,
            }
        }
    }

    /// One branch of a `use`, up to the sign that ends it.
    fn import(&mut self, source: &mut Source, mut segments: Vec<String>, public: bool) {
        let line = self.line();
        loop {
            match self.text(0) {
                "{" => {
                    self.at += 1;
                    while !matches!(self.text(0), "}" | "") {
                        self.import(source, segments.clone(), public);
                        if self.text(0) == "," {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    break;
                }
                "*" => {
                    self.at += 1;
                    source.globs.push(Import { path: Path { segments, line }, public });
                    break;
                }
                "::" => self.at += 1,
                word if is_word(word) => {
                    segments.push(word.to_string());
                    self.at += 1;
                    if self.text(0) == "::" {
                        continue;
                    }
                    let mut name = segments.last().cloned().unwrap_or_default();
                    if name == "self" {
                        segments.pop();
                        name = segments.last().cloned().unwrap_or_default();
                    }
                    if self.text(0) == "as" {
                        name = self.text(1).to_string();
                        self.at += 2;
                    }
                    if name == "_" {
                        // It has no name, but it is used: a trait, for its methods.
                        name = format!("_ {}", segments.join("::"));
                    }
                    source.imports.insert(name, Import { path: Path { segments, line }, public });
                    break;
                }
                _ => break,
            }
        }
        if self.text(0) == ";" {
            self.at += 1;
        }
    }

    /// A word of the code, with what follows it after `::`.
    fn path(&mut self, source: &mut Source) {
        let line = self.line();
        let before = self.at.checked_sub(1).map_or("", |at| self.tokens[at].text.as_str());
        let goes_on = matches!(before, "::" | ".");
        let mut segments = vec![self.text(0).to_string()];
        self.at += 1;
        while self.text(0) == "::" && is_word(self.text(1)) {
            segments.push(self.text(1).to_string());
            self.at += 2;
        }
        if goes_on {
            return;
        }
        source.words.entry(segments[0].clone()).or_insert(line);
        if segments.len() > 1 {
            source.paths.push(Path { segments, line });
        }
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|char: char| char.is_alphabetic() || char == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(source: &Source) -> Vec<String> {
        source.paths.iter().map(|path| format!("{}:{}", path.segments.join("::"), path.line)).collect()
    }

    #[test]
    fn imports_are_taken_apart() {
        let source = read("use a::{b, c::{self, d as e}, f::*};\npub(crate) use g::H;\nuse x::Y as _;\nuse z;");
        let found: Vec<String> = source
            .imports
            .iter()
            .map(|(name, import)| {
                format!("{name}={}{}", import.path.segments.join("::"), ["", "!"][usize::from(import.public)])
            })
            .collect();
        assert_eq!(found, ["H=g::H!", "_ x::Y=x::Y", "b=a::b", "c=a::c", "e=a::c::d", "z=z"]);
        assert_eq!(source.globs[0].path.segments, ["a", "f"]);
    }

    #[test]
    fn items_paths_and_words_are_found() {
        let text = "pub struct A<'a>(&'static super::B<'a>);\nconst fn c() -> d::E { e.f(crate::g::h::<i::J>()) }\n\
                    macro_rules! k { () => { $crate::l::m() } }\nimpl N { fn not_an_item(&self) {} }\nconst O: u8 = P;";
        let source = read(text);
        assert_eq!(Vec::from_iter(&source.items), ["A", "O", "c", "k"]);
        assert_eq!(paths(&source), ["super::B:1", "d::E:2", "crate::g::h:2", "i::J:2", "crate::l::m:3"]);
        assert_eq!(source.words.get("P"), Some(&5));
        assert_eq!(source.words.get("f"), None, "a method is no name of a module's");
    }

    #[test]
    fn test_code_is_left_out() {
        let text = "#[cfg(test)]\nuse a::{b, c};\n#[cfg(test)]\n#[allow(x)]\nmod tests { use d; e::f(); }\n\
                    #[test]\nfn g<A, B>() { h::i() }\n#[cfg(test)]\nmod j;\nstruct K { #[cfg(test)] l: m::N, o: p::Q }\n\
                    #[cfg(not(test))]\nfn r() { s::t() }\n#[cfg(any(test, feature = \"u\"))]\nfn v() { w::x() }";
        let source = read(text);
        assert!(source.imports.is_empty());
        assert_eq!(paths(&source), ["p::Q:10", "s::t:12", "w::x:14"]);
        assert_eq!(Vec::from_iter(&source.test_modules), ["j"]);
    }

    #[test]
    fn modules_inside_have_names_of_their_own() {
        let source =
            read("fn a() {}\npub mod b {\n    use super::a;\n    fn c() { super::d::e() }\n}\nmod f;\nfn g() {}");
        assert_eq!(Vec::from_iter(&source.items), ["a", "g"]);
        let inside = &source.inside["b"];
        assert_eq!(inside.imports["a"].path.segments, ["super", "a"]);
        assert_eq!(paths(inside), ["super::d::e:4"]);
    }
}
