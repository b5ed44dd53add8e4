//! The reader of the `fields` language. Positions are counted in characters
//! from 0, as the Graph counts them; recursion is bounded by the depth limit.

use std::collections::HashMap;

use super::{
    FieldSpec, FieldsError, MAX_ARGUMENT_DEPTH, MAX_DEPTH, MAX_MODIFIERS, MAX_NAME_BYTES, MAX_NAMES, MAX_TEXT_BYTES,
    Modifier,
};
use crate::protocol::{text as texts, value};

/// Reads `id,name,campaigns.limit(2){id}`, or a JSON array of such texts.
/// Empty text means no fields; empty entries and trailing commas are
/// skipped; a field that is repeated word for word counts once.
///
/// # Errors
/// See [`FieldsError`].
pub fn parse(text: &str) -> Result<Vec<FieldSpec>, FieldsError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(FieldsError::TooLong);
    }
    if !text.trim_start().starts_with('[') {
        return Parser::new(text, 0).selection();
    }
    let Ok(entries) = value::list(text) else {
        return Err(Parser::new(text, 0).syntax("Expected an array of names", 0));
    };
    let mut names = 0;
    let mut specs = Vec::new();
    for entry in &entries {
        let mut parser = Parser::new(entry, names);
        specs.extend(parser.selection()?.into_iter().map(|spec| (0, spec)));
        names = parser.names;
    }
    Parser::new(text, names).distinct(specs)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    names: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, names: usize) -> Self {
        Self { text, at: 0, names }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip(&mut self, skipped: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !skipped(c)).unwrap_or(rest.len());
    }

    fn syntax(&self, what: &str, at: usize) -> FieldsError {
        FieldsError::Syntax {
            what: what.to_owned(),
            position: self.text.get(..at).unwrap_or_default().chars().count(),
            text: texts::echo(self.text).into_owned(),
        }
    }

    /// The error for finding other text here instead of `wanted`.
    fn expected(&self, wanted: &str) -> FieldsError {
        let found = match self.peek() {
            None => format!("Expected {wanted}, got end of string"),
            Some(c) => format!("Expected {wanted} instead of \"{c}\"."),
        };
        self.syntax(&found, self.at)
    }

    fn eat(&mut self, wanted: char) -> Result<(), FieldsError> {
        self.skip(char::is_whitespace);
        if self.peek() != Some(wanted) {
            return Err(self.expected(&format!("\"{wanted}\"")));
        }
        self.at += wanted.len_utf8();
        Ok(())
    }

    fn selection(&mut self) -> Result<Vec<FieldSpec>, FieldsError> {
        let specs = self.entries(1)?;
        if self.peek().is_some() {
            return Err(self.expected("end of string"));
        }
        self.distinct(specs)
    }

    /// Fields up to something that is no field, each with its place.
    fn entries(&mut self, depth: usize) -> Result<Vec<(usize, FieldSpec)>, FieldsError> {
        if depth > MAX_DEPTH {
            return Err(FieldsError::TooDeep);
        }
        let mut specs = Vec::new();
        loop {
            self.skip(|c| c == ',' || c.is_whitespace());
            if !self.peek().is_some_and(is_name_char) {
                return Ok(specs);
            }
            specs.push((self.at, self.field(depth)?));
            self.skip(char::is_whitespace);
            if self.peek() != Some(',') {
                return Ok(specs);
            }
        }
    }

    fn field(&mut self, depth: usize) -> Result<FieldSpec, FieldsError> {
        self.names += 1;
        if self.names > MAX_NAMES {
            return Err(FieldsError::TooMany);
        }
        let mut spec = FieldSpec::plain(self.name()?);
        let mut children = Vec::new();
        let mut modifiers = 0;
        loop {
            self.skip(char::is_whitespace);
            match self.peek() {
                Some('.') => {
                    modifiers += 1;
                    if modifiers > MAX_MODIFIERS {
                        return Err(FieldsError::TooMany);
                    }
                    self.modifier(&mut spec, &mut children, depth)?;
                }
                Some('{') => {
                    children.extend(self.nested('{', '}', depth)?);
                    break;
                }
                _ => break,
            }
        }
        spec.children = self.distinct(children)?;
        Ok(spec)
    }

    fn nested(&mut self, open: char, close: char, depth: usize) -> Result<Vec<(usize, FieldSpec)>, FieldsError> {
        self.eat(open)?;
        let specs = self.entries(depth + 1)?;
        self.eat(close)?;
        Ok(specs)
    }

    fn name(&mut self) -> Result<&'a str, FieldsError> {
        let rest = self.rest();
        let end = rest.find(|c| !is_name_char(c)).unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default();
        if name.is_empty() {
            return Err(self.expected("name"));
        }
        if name.len() > MAX_NAME_BYTES {
            let what = format!("Expected name of at most {MAX_NAME_BYTES} characters");
            return Err(self.syntax(&what, self.at));
        }
        self.at += end;
        Ok(name)
    }

    /// `.name(argument)`. The older spelling `.fields(a,b)` of `{a,b}` is
    /// read as children, and `as` as the alias.
    fn modifier(
        &mut self,
        spec: &mut FieldSpec,
        children: &mut Vec<(usize, FieldSpec)>,
        depth: usize,
    ) -> Result<(), FieldsError> {
        self.eat('.')?;
        self.skip(char::is_whitespace);
        let name = self.name()?;
        if name == "fields" {
            children.extend(self.nested('(', ')', depth)?);
            return Ok(());
        }
        self.eat('(')?;
        let start = self.at;
        let argument = self.argument()?;
        if name != "as" {
            spec.modifiers.push(Modifier { name: name.to_owned(), argument: argument.to_owned() });
            return Ok(());
        }
        let fits = !argument.is_empty() && argument.len() <= MAX_NAME_BYTES;
        if !fits || !argument.chars().all(is_name_char) {
            return Err(self.syntax("Expected name", start));
        }
        spec.alias = Some(argument.to_owned());
        Ok(())
    }

    /// The text up to the bracket that closes the argument. Brackets must balance; inside quotes
    /// they don't count. A quote opens only where a value can begin, so an apostrophe inside a word
    /// is no quote.
    fn argument(&mut self) -> Result<&'a str, FieldsError> {
        let rest = self.rest();
        let start = self.at;
        let mut open: Vec<char> = Vec::new();
        let mut before = '(';
        let mut chars = rest.char_indices();
        while let Some((offset, c)) = chars.next() {
            match c {
                '(' | '[' | '{' => {
                    if open.len() == MAX_ARGUMENT_DEPTH {
                        return Err(FieldsError::TooDeep);
                    }
                    open.push(closing(c));
                }
                ')' if open.is_empty() => {
                    self.at = start + offset + 1;
                    return Ok(rest.get(..offset).unwrap_or_default().trim());
                }
                ')' | ']' | '}' => {
                    let wanted = open.pop().unwrap_or(')');
                    if wanted != c {
                        self.at = start + offset;
                        return Err(self.expected(&format!("\"{wanted}\"")));
                    }
                }
                '"' | '\'' if matches!(before, '(' | '[' | '{' | ',' | ':') => {
                    let closed = skip_quoted(&mut chars, c);
                    if !closed {
                        break;
                    }
                }
                _ => {}
            }
            if !c.is_whitespace() {
                before = c;
            }
        }
        self.at = self.text.len();
        Err(self.expected("\")\""))
    }

    /// One field per name in the answer. The same field twice counts once. Two different ones under
    /// one name are an error, because one would hide the other.
    fn distinct(&self, specs: Vec<(usize, FieldSpec)>) -> Result<Vec<FieldSpec>, FieldsError> {
        let mut places: HashMap<String, usize> = HashMap::with_capacity(specs.len());
        let mut kept: Vec<FieldSpec> = Vec::with_capacity(specs.len());
        for (at, spec) in specs {
            let name = spec.output_name();
            let earlier = places.get(name).and_then(|place| kept.get(*place));
            match earlier {
                Some(earlier) if *earlier == spec => {}
                Some(_) => {
                    let what = format!("Field {name} specified more than once");
                    return Err(self.syntax(&what, at));
                }
                None => {
                    places.insert(name.to_owned(), kept.len());
                    kept.push(spec);
                }
            }
        }
        Ok(kept)
    }
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':')
}

fn closing(open: char) -> char {
    match open {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// Moves past the closing quote; false if there is none.
fn skip_quoted(chars: &mut std::str::CharIndices<'_>, quote: char) -> bool {
    while let Some((_, c)) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c == quote {
            return true;
        }
    }
    false
}
