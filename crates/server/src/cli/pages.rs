//! Completions and man pages, made from the parser. No server is needed.

use std::path::Path;
use std::process::ExitCode;

use clap_complete::Shell;

use super::fail::{Fail, Outcome};
use super::input::Input;
use super::{parser, screen};

/// The foot of each man page.
const SOURCE: &str = concat!("valetkey ", env!("CARGO_PKG_VERSION"));

/// `valetkey completions`.
pub fn completions(input: &Input) -> Outcome {
    let shell = match input.text("shell") {
        Some("zsh") => Shell::Zsh,
        Some("fish") => Shell::Fish,
        Some("powershell") => Shell::PowerShell,
        _ => Shell::Bash,
    };
    anstream::print!("{}", script(shell));
    Ok(ExitCode::SUCCESS)
}

/// The completions of a shell.
pub fn script(shell: Shell) -> String {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut parser::command(), "valetkey", &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// `valetkey man`.
pub fn man(input: &Input) -> Outcome {
    let folder = input.path("folder").unwrap_or_default();
    let count = write(&folder)
        .map_err(|e| Fail::new(format!("the man pages can't be written to {}: {e}", folder.display())))?;
    screen::done(&format!("{count} man pages written to {}", folder.display()));
    screen::note(&format!("read one with: man -l {}", folder.join("valetkey.1").display()));
    Ok(ExitCode::SUCCESS)
}

/// Writes a page for each command, and says how many.
fn write(folder: &Path) -> std::io::Result<usize> {
    std::fs::create_dir_all(folder)?;
    let command = parser::command().disable_help_subcommand(true);
    let mut count = 0;
    for (name, command) in named("valetkey", &command) {
        let file = folder.join(format!("{name}.1"));
        let mut out = Vec::new();
        clap_mangen::Man::new(command).source(SOURCE).manual("Valetkey").render(&mut out)?;
        std::fs::write(file, out)?;
        count += 1;
    }
    Ok(count)
}

/// A command and all its subcommands, each with its full name.
fn named(name: &str, command: &clap::Command) -> Vec<(String, clap::Command)> {
    let title = name.to_owned();
    let own = command.clone().name(title.clone()).display_name(title.clone());
    let mut all = vec![(title, own.bin_name(name.replacen('-', " ", 1)))];
    for inner in command.get_subcommands() {
        all.extend(named(&format!("{name}-{}", inner.get_name()), inner));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::rows;
    use crate::lifecycle::folder::tests::scratch;

    #[test]
    fn the_completions_of_every_shell_hold_every_verb_and_option() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell] {
            let script = script(shell);
            for row in rows::all() {
                for word in row.line.words() {
                    assert!(script.contains(word), "{shell}: {word}");
                }
                for param in row.params.iter().filter(|p| p.typed.place == valetkey_api::Place::Option) {
                    assert!(script.contains(&param.option_name()), "{shell}: {} --{}", row.line.path, param.name);
                }
            }
        }
    }

    #[test]
    fn every_command_has_a_man_page_with_its_example() {
        let folder = scratch();
        let count = write(folder.path()).unwrap();
        assert_eq!(count, std::fs::read_dir(folder.path()).unwrap().count());
        for row in rows::all() {
            let file = folder.path().join(format!("valetkey-{}.1", row.line.path.replace(' ', "-")));
            let page = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            // Roff writes a hyphen with a backslash before it.
            let page = page.replace("\\-", "-").replace("\\\\", "\\");
            assert!(page.contains(&format!("valetkey {}", row.line.example)), "{}: {page}", row.line.path);
        }
    }
}
