//! JSON as people type it into curl: single quotes, `True`, `None`, bare words, a comma too many.
//! It is tried only if strict JSON failed, and must accept only whole texts.

use serde_json::{Map, Number, Value};

/// How deep arrays and objects may nest.
const MAX_DEPTH: usize = 32;

/// The value, if the whole text is one array, object or quoted text.
pub(super) fn parse(text: &str) -> Option<Value> {
    let mut reader = Reader { text, at: 0 };
    reader.skip_blanks();
    if !matches!(reader.peek()?, '[' | '{' | '\'' | '"') {
        return None;
    }
    let value = reader.value(0)?;
    reader.skip_blanks();
    reader.peek().is_none().then_some(value)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.skip_blanks();
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.skip_blanks();
        match self.peek()? {
            '[' => self.array(depth),
            '{' => self.object(depth),
            '\'' | '"' => self.quoted().map(Value::String),
            _ => self.bare().map(word),
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.next();
        let mut entries = Vec::new();
        loop {
            if self.eat(']') {
                return Some(Value::Array(entries));
            }
            entries.push(self.value(depth + 1)?);
            if !self.eat(',') {
                return self.eat(']').then_some(Value::Array(entries));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.next();
        let mut map = Map::new();
        loop {
            if self.eat('}') {
                return Some(Value::Object(map));
            }
            self.skip_blanks();
            let key = match self.peek()? {
                '\'' | '"' => self.quoted()?,
                _ => self.bare()?,
            };
            if !self.eat(':') {
                return None;
            }
            let value = self.value(depth + 1)?;
            map.insert(key, value);
            if !self.eat(',') {
                return self.eat('}').then_some(Value::Object(map));
            }
        }
    }

    fn quoted(&mut self) -> Option<String> {
        let quote = self.next()?;
        let mut text = String::new();
        loop {
            match self.next()? {
                c if c == quote => return Some(text),
                '\\' => text.push(self.escaped()?),
                c => text.push(c),
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        match self.next()? {
            'n' => Some('\n'),
            't' => Some('\t'),
            'r' => Some('\r'),
            'u' => {
                let digits = self.rest().get(..4)?;
                let code = u32::from_str_radix(digits, 16).ok()?;
                self.at += 4;
                char::from_u32(code)
            }
            c @ ('\\' | '/' | '"' | '\'') => Some(c),
            _ => None,
        }
    }

    /// A word runs to the next mark of structure; a quote inside it means
    /// that the text is broken.
    fn bare(&mut self) -> Option<String> {
        let rest = self.rest();
        let end = rest.find([',', ']', '}', ':', '[', '{', '"', '\'']).unwrap_or(rest.len());
        let whole = rest.get(..end)?.trim();
        let stop = rest.get(end..)?.chars().next()?;
        if whole.is_empty() || matches!(stop, '[' | '{' | '"' | '\'') {
            return None;
        }
        let word = whole.to_owned();
        self.at += end;
        Some(word)
    }
}

fn word(word: String) -> Value {
    match word.as_str() {
        "true" | "True" => Value::Bool(true),
        "false" | "False" => Value::Bool(false),
        "null" | "None" => Value::Null,
        _ => word.parse::<Number>().map_or(Value::String(word), Value::Number),
    }
}
