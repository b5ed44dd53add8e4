//! Installs packages with the system's own package manager.
//!
//! It must never be called without consent, and never use any other source than the system's.

use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Need;
use crate::{exec::answer, out};

/// A package manager that we know how to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    Apt,
    Dnf,
    Pacman,
    Brew,
    Apk,
}

impl Manager {
    const ALL: [Self; 5] = [Self::Apt, Self::Dnf, Self::Pacman, Self::Apk, Self::Brew];

    pub fn of_this_system() -> Option<Self> {
        Self::ALL.into_iter().find(|manager| answer(manager.name(), &["--version"]).is_some())
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Apt => "apt-get",
            Self::Dnf => "dnf",
            Self::Pacman => "pacman",
            Self::Brew => "brew",
            Self::Apk => "apk",
        }
    }

    fn packages_for(self, need: Need) -> &'static [&'static str] {
        match (need, self) {
            (Need::Postgres, Self::Apt | Self::Pacman | Self::Apk) => &["postgresql"],
            (Need::Postgres, Self::Dnf) => &["postgresql-server"],
            (Need::Postgres, Self::Brew) => &["postgresql@17"],
            (Need::Python, Self::Apt) => &["python3", "python3-venv"],
            (Need::Python, Self::Dnf | Self::Apk) => &["python3"],
            (Need::Python, Self::Pacman | Self::Brew) => &["python"],
            (Need::Node, Self::Brew) => &["node"],
            (Need::Node, _) => &["nodejs", "npm"],
            (Need::Strace, Self::Brew) => &[],
            (Need::Strace, _) => &["strace"],
            (Need::Chromium, _) => &["chromium"],
            (Need::Fonts, Self::Apt) => &["fontconfig", "fonts-noto-core", "fonts-dejavu-core"],
            (Need::Fonts, Self::Dnf) => &["fontconfig", "google-noto-sans-fonts", "dejavu-sans-fonts"],
            (Need::Fonts, Self::Pacman) => &["fontconfig", "noto-fonts", "ttf-dejavu"],
            (Need::Fonts, Self::Apk) => &["fontconfig", "font-noto", "font-dejavu"],
            (Need::Fonts, Self::Brew) => &["fontconfig", "font-noto-sans", "font-dejavu"],
            (Need::Pngquant, _) => &["pngquant"],
        }
    }

    pub fn packages(self, needs: &[Need]) -> Vec<&'static str> {
        needs.iter().flat_map(|need| self.packages_for(*need)).copied().collect()
    }

    /// The commands that install packages: refresh the list where that is a step of its own, then install.
    fn commands(self, packages: &[&str]) -> Vec<Vec<String>> {
        let (refresh, install): (&[&str], &[&str]) = match self {
            Self::Apt => (&["apt-get", "update"], &["apt-get", "install", "-y", "--no-install-recommends"]),
            Self::Dnf => (&[], &["dnf", "install", "-y"]),
            Self::Pacman => (&[], &["pacman", "-Sy", "--needed", "--noconfirm"]),
            Self::Brew => (&[], &["brew", "install"]),
            Self::Apk => (&[], &["apk", "add", "--update-cache"]),
        };
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_string()).collect::<Vec<_>>();
        let mut commands = Vec::new();
        if !refresh.is_empty() {
            commands.push(owned(refresh));
        }
        commands.push(owned(&[install, packages].concat()));
        if self != Self::Brew && !is_root() {
            for command in &mut commands {
                command.insert(0, "sudo".to_string());
            }
        }
        commands
    }
}

fn is_root() -> bool {
    answer("id", &["-u"]).as_deref() == Some("0")
}

/// The commands as a person would type them.
pub fn plan(manager: Manager, missing: &[Need]) -> Vec<String> {
    manager.commands(&manager.packages(missing)).iter().map(|command| command.join(" ")).collect()
}

/// Installs what is missing. It runs in the foreground with the terminal, for sudo's question.
pub fn run(manager: Manager, missing: &[Need]) -> Result<()> {
    for words in manager.commands(&manager.packages(missing)) {
        let line = words.join(" ");
        out::heading(&line);
        let Some((program, args)) = words.split_first() else { continue };
        let status = Command::new(program)
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .status()
            .with_context(|| format!("can't start `{line}`"))?;
        if !status.success() {
            bail!("`{line}` failed with {}; see its output above", crate::exec::how(status));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_need_has_a_package_in_every_manager() {
        for manager in Manager::ALL {
            for need in Need::ALL {
                let nowhere = manager == Manager::Brew && need == Need::Strace;
                assert_eq!(manager.packages(&[need]).is_empty(), nowhere, "{manager:?} {need:?}");
            }
        }
    }

    #[test]
    fn apt_refreshes_its_list_once_and_installs_all_at_once() {
        let plan = plan(Manager::Apt, &[Need::Python, Need::Strace]);
        assert_eq!(plan.len(), 2);
        assert!(plan[0].ends_with("apt-get update"));
        assert!(plan[1].ends_with("install -y --no-install-recommends python3 python3-venv strace"));
    }
}
