//! Splits source code into words and signs, for the rules about names.
//!
//! Comments, texts in quotes and numbers are left out. It must never fail: anything that it doesn't
//! understand is a sign.

/// A word or sign, with its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// The words and signs of a Rust file, without comments, texts in quotes, and numbers.
pub fn rust(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    let look = |at: usize| chars.get(at).copied().unwrap_or('\0');
    while at < chars.len() {
        let start = at;
        match look(at) {
            '/' if look(at + 1) == '/' => {
                while at < chars.len() && look(at) != '\n' {
                    at += 1;
                }
            }
            '/' if look(at + 1) == '*' => at = end_of_comment(&chars, at),
            '"' => at = end_of_text(&chars, at),
            '\'' => at = end_of_char(&chars, at),
            char if char.is_alphabetic() || char == '_' => {
                while look(at).is_alphanumeric() || look(at) == '_' {
                    at += 1;
                }
                let word: String = chars[start..at].iter().collect();
                match (word.as_str(), look(at)) {
                    ("r" | "br" | "cr", '"' | '#') if is_raw(&chars, at) => at = end_of_raw(&chars, at),
                    ("b" | "c", '"') => at = end_of_text(&chars, at),
                    ("b", '\'') => at = end_of_char(&chars, at),
                    _ => tokens.push(Token { text: word, line }),
                }
            }
            char if char.is_ascii_digit() => {
                while look(at).is_alphanumeric() || look(at) == '_' {
                    at += 1;
                }
            }
            ':' if look(at + 1) == ':' => {
                at += 2;
                tokens.push(Token { text: "::".to_string(), line });
            }
            char => {
                at += 1;
                if !char.is_whitespace() {
                    tokens.push(Token { text: char.to_string(), line });
                }
            }
        }
        line += chars[start..at.min(chars.len())].iter().filter(|char| **char == '\n').count();
    }
    tokens
}

fn end_of_comment(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => depth += 1,
            ('*', Some('/')) => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            break;
        }
    }
    at
}

fn end_of_text(chars: &[char], mut at: usize) -> usize {
    at += 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// After a character in quotes, or after a lifetime: `'static` must not be taken for the word that
/// begins an item.
fn end_of_char(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => {
            let rest = chars[(at + 3).min(chars.len())..].iter().position(|char| *char == '\'');
            rest.map_or(chars.len(), |length| at + 3 + length + 1)
        }
        (Some(_), Some('\'')) => at + 3,
        _ => {
            let name = chars[at + 1..].iter().take_while(|char| char.is_alphanumeric() || **char == '_');
            at + 1 + name.count()
        }
    }
}

fn is_raw(chars: &[char], mut at: usize) -> bool {
    while chars.get(at) == Some(&'#') {
        at += 1;
    }
    chars.get(at) == Some(&'"')
}

fn end_of_raw(chars: &[char], mut at: usize) -> usize {
    let mut marks = 0;
    while chars.get(at) == Some(&'#') {
        marks += 1;
        at += 1;
    }
    at += 1;
    while at < chars.len() {
        let closes = chars[at] == '"' && (1..=marks).all(|mark| chars.get(at + mark) == Some(&'#'));
        at += 1;
        if closes {
            return at + marks;
        }
    }
    at
}

/// The words of a Python file, without comments and texts in quotes.
pub fn python(text: &str) -> Vec<Token> {
    words(text, &["#"], &["\"\"\"", "'''", "\"", "'"])
}

/// The words of a JavaScript file, without comments and texts in quotes. Template literals are left
/// out too.
pub fn javascript(text: &str) -> Vec<Token> {
    words(text, &["//"], &["/*", "`", "\"", "'"])
}

/// The words outside of comments and quotes, which begin with these marks. A comment ends with its line.
/// So does an unclosed text in single marks, such as a quote inside a regular expression.
fn words(text: &str, comments: &[&str], quotes: &[&str]) -> Vec<Token> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let length = if comments.iter().any(|mark| rest.starts_with(mark)) {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(mark) = quotes.iter().find(|mark| rest.starts_with(*mark)) {
            end_of_quoted(rest, mark)
        } else if first.is_alphabetic() || first == '_' {
            let length = rest.find(|char: char| !char.is_alphanumeric() && char != '_').unwrap_or(rest.len());
            tokens.push(Token { text: rest[..length].to_string(), line });
            length
        } else {
            first.len_utf8()
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

fn end_of_quoted(text: &str, mark: &str) -> usize {
    let close = if mark == "/*" { "*/" } else { mark };
    let ends_with_line = mark.len() == 1 && mark != "`";
    let mut at = mark.len();
    while let Some(char) = text[at..].chars().next() {
        if text[at..].starts_with(close) {
            return at + close.len();
        }
        if ends_with_line && char == '\n' {
            return at;
        }
        at += char.len_utf8();
        if char == '\\' {
            at += text[at..].chars().next().map_or(0, char::len_utf8);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words_of(tokens: Vec<Token>) -> Vec<String> {
        tokens.into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn texts_and_comments_are_no_code() {
        let text = "a /* b /* c */ d */ e // f\n\"g \\\" h\" i r#\"j \" k\"# 'l' 'm n '\\'' b\"o\" 12u8 br\"p\"";
        assert_eq!(words_of(rust(text)), ["a", "e", "i", "n"]);
        assert_eq!(rust("a\n\"b\nc\"\nd")[1], Token { text: "d".into(), line: 4 });
    }

    #[test]
    fn python_and_javascript_lose_their_texts_too() {
        let text = "a = \"b\" # c\nd('e \\' f', g)\n\"\"\"h\ni\"\"\"\nj";
        assert_eq!(words_of(python(text)), ["a", "d", "g", "j"]);
        assert_eq!(python(text)[3].line, 5);
        let text = "const a = `b ${c}`; // d\n/* e\n */ f(/'/);\ng('h')";
        assert_eq!(words_of(javascript(text)), ["const", "a", "f", "g"]);
    }
}
