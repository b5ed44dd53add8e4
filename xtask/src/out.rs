//! What the commands print: headings, lines, durations, with colour on terminals only.
//!
//! It must never colour output to a file or a pipe, and never print a secret: callers pass finished
//! text.

use std::io::{IsTerminal, Write};
use std::time::Duration;

/// Whether standard output takes colour: a terminal, and the user did not decline.
pub fn colours() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn painted(code: &str, text: &str) -> String {
    if colours() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
}

pub fn green(text: &str) -> String {
    painted("32", text)
}

pub fn red(text: &str) -> String {
    painted("31", text)
}

/// The start of a piece of work.
pub fn heading(text: &str) {
    line(&format!("{} {}", painted("1;36", "==>"), painted("1", text)));
}

/// A line below a heading.
pub fn detail(text: &str) {
    line(&format!("    {text}"));
}

/// A whole line as it is. If the reader closed the pipe, the work goes on.
pub fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

/// An error, on standard error.
pub fn problem(text: &str) {
    let coloured = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let label = if coloured { "\x1b[1;31merror:\x1b[0m" } else { "error:" };
    let _ = writeln!(std::io::stderr().lock(), "{label} {text}");
}

/// A duration as people read it: `0.4 s`, `12.3 s`, `3 min 05 s`.
pub fn took(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 100 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

/// Text without terminal escapes, so that coloured output can be parsed.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char != '\u{1b}' {
            plain.push(char);
            continue;
        }
        // A control sequence ends with its first letter; other escapes are one character long.
        if chars.next() == Some('[') {
            for char in chars.by_ref() {
                if ('@'..='~').contains(&char) {
                    break;
                }
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(took(Duration::from_millis(420)), "0.4 s");
        assert_eq!(took(Duration::from_millis(99_900)), "99.9 s");
        assert_eq!(took(Duration::from_secs(185)), "3 min 05 s");
    }

    #[test]
    fn escapes_are_taken_out() {
        assert_eq!(plain("\u{1b}[1m\u{1b}[32m3\u{1b}[0m passed\u{1b}"), "3 passed");
        assert_eq!(plain("no escapes"), "no escapes");
    }
}
