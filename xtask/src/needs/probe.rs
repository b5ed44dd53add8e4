//! Looks for the tools that the tests need.
//!
//! It must never change the system, and never report a tool as usable without running it.

use super::Need;
use crate::exec::answer;

const OLDEST_NODE: u32 = 18;
/// Where Debian's package puts the browser; `CHROMIUM` names another.
const CHROMIUM: &str = "/usr/bin/chromium";

/// What was found for a need, or what is wrong with it.
pub(super) fn look(need: Need) -> Result<String, String> {
    match need {
        Need::Postgres => postgres(),
        Need::Python => python(),
        Need::Node => node(),
        Need::Strace => {
            let text = answer("strace", &["-V"]).ok_or("not found")?;
            Ok(text.lines().next().unwrap_or_default().to_string())
        }
        Need::Chromium => chromium(),
        Need::Fonts => fonts(),
        Need::Pngquant => {
            let version = answer("pngquant", &["--version"]).ok_or("not found")?;
            Ok(format!("pngquant {version}"))
        }
    }
}

pub(super) fn has_nextest() -> bool {
    answer("cargo", &["nextest", "--version"]).is_some()
}

/// Asks the tests' own launcher: only what it finds can be used.
fn postgres() -> Result<String, String> {
    let folder = valetkey_test_postgres::programs().map_err(|error| error.to_string())?;
    let program = folder.join("postgres");
    let version = answer(&program.to_string_lossy(), &["--version"])
        .ok_or_else(|| format!("{} doesn't say its version", program.display()))?;
    Ok(format!("{version}, in {}", folder.display()))
}

fn first_number(text: &str) -> Option<u32> {
    let start = text.find(|char: char| char.is_ascii_digit())?;
    let digits: String = text[start..].chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn python() -> Result<String, String> {
    let version = answer("python3", &["--version"]).ok_or("python3 not found")?;
    answer("python3", &["-c", "import venv, ensurepip"]).ok_or_else(|| format!("{version} is here without venv"))?;
    Ok(version)
}

fn node() -> Result<String, String> {
    let version = answer("node", &["--version"]).ok_or("node not found")?;
    if first_number(&version).is_none_or(|major| major < OLDEST_NODE) {
        return Err(format!("node {version} is older than {OLDEST_NODE}"));
    }
    let npm = answer("npm", &["--version"]).ok_or_else(|| format!("node {version} is here without npm"))?;
    Ok(format!("node {version}, npm {npm}"))
}

fn chromium() -> Result<String, String> {
    let program = std::env::var("CHROMIUM").unwrap_or_else(|_| CHROMIUM.to_string());
    let version = answer(&program, &["--version"]).ok_or_else(|| format!("{program} not found"))?;
    Ok(format!("{version}, {program}"))
}

fn fonts() -> Result<String, String> {
    let families = ["Noto Sans", "DejaVu Sans"];
    for family in families {
        // Prints a line for each file of the family.
        let files = answer("fc-list", &[family, "file"]).unwrap_or_default();
        if files.is_empty() {
            return Err(format!("fc-list is missing, or finds no {family}"));
        }
    }
    Ok(families.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_of_a_version_is_read() {
        assert_eq!(first_number("v20.20.2"), Some(20));
        assert_eq!(first_number("none"), None);
    }
}
