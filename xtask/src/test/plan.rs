//! Which suites a run has: all of them, or those that `--only` names.
//!
//! It must never return an empty plan: a name that matches nothing is an error.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::clients::Language;
use super::rust;
pub use super::store::Store;
use super::system::Suite;
use crate::needs::Need;

/// What the user asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub install: bool,
    pub list: bool,
    pub only: Vec<String>,
}

impl Options {
    pub fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match (arg.as_str(), arg.strip_prefix("--only=")) {
                (_, Some(name)) => options.only.push(name.to_string()),
                ("--install", _) => options.install = true,
                ("--list", _) => options.list = true,
                ("--only", _) => match args.next() {
                    Some(name) => options.only.push(name.clone()),
                    None => bail!("--only needs the name of a suite; --list prints them"),
                },
                _ => bail!("`cargo xtask test` knows no '{arg}'; see `cargo xtask test --help`"),
            }
        }
        Ok(options)
    }
}

/// The stories on one store. The suite `demo-STORE` comes with each of them.
#[derive(Debug)]
pub struct Stories {
    pub store: Store,
    pub languages: Vec<Language>,
}

impl Stories {
    pub fn demo_name(&self) -> String {
        format!("demo-{}", self.store.name())
    }

    pub fn name(&self, language: Language) -> String {
        format!("{}-{}", language.name(), self.store.name())
    }
}

/// The suites of a run.
#[derive(Debug)]
pub struct Plan {
    pub rust: bool,
    /// The stores that the tests of the service and of the adapters run over, beside the memory store.
    pub rust_over: Vec<Store>,
    pub stories: Vec<Stories>,
    pub system: Vec<&'static Suite>,
}

impl Plan {
    pub fn new(only: &[String], system: &'static [Suite]) -> Result<Self> {
        let wanted = |name: &str| only.is_empty() || only.iter().any(|part| name.contains(part.as_str()));
        let mut plan = Self { rust: wanted("rust"), rust_over: Vec::new(), stories: Vec::new(), system: Vec::new() };
        for store in Store::ALL {
            if wanted(&rust_over_name(store)) {
                plan.rust_over.push(store);
            }
            let all = Stories { store, languages: Language::ALL.to_vec() };
            let languages: Vec<Language> = Language::ALL.into_iter().filter(|one| wanted(&all.name(*one))).collect();
            if !languages.is_empty() || wanted(&all.demo_name()) {
                plan.stories.push(Stories { store, languages });
            }
        }
        plan.system = system.iter().filter(|suite| wanted(suite.name)).collect();
        if plan.names().is_empty() {
            let all = Self::new(&[], system)?.names().join(", ");
            bail!("no suite's name contains '{}'; there are: {all}", only.join("' or '"));
        }
        Ok(plan)
    }

    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        if self.rust {
            names.push("rust".to_string());
        }
        names.extend(self.rust_over.iter().map(|store| rust_over_name(*store)));
        for stories in &self.stories {
            names.push(stories.demo_name());
            names.extend(stories.languages.iter().map(|language| stories.name(*language)));
        }
        names.extend(self.system.iter().map(|suite| suite.name.to_string()));
        names
    }

    /// What the system must have for these suites.
    pub fn needs(&self) -> BTreeSet<Need> {
        let mut needs = BTreeSet::new();
        if self.rust {
            needs.extend(rust::NEEDS);
        }
        if self.rust_over.contains(&Store::Postgres) {
            needs.insert(Need::Postgres);
        }
        for stories in &self.stories {
            if stories.store == Store::Postgres {
                needs.insert(Need::Postgres);
            }
            needs.extend(stories.languages.iter().map(|language| language.need()));
        }
        for suite in &self.system {
            needs.extend(suite.needs);
        }
        needs
    }
}

/// The suite of the service's and the adapters' tests over a store.
pub fn rust_over_name(store: Store) -> String {
    format!("rust-{}", store.name())
}

#[cfg(test)]
mod tests {
    use super::super::system;
    use super::*;

    const SYSTEM: &[Suite] = &[
        Suite { name: "flush", path: "tests/flush", needs: &[Need::Strace], command: &["{root}/tests/flush/run"] },
        system::CONSOLE,
    ];

    fn plan(only: &[&str]) -> Result<Plan> {
        Plan::new(&only.iter().map(|name| (*name).to_string()).collect::<Vec<_>>(), SYSTEM)
    }

    #[test]
    fn all_suites_on_all_stores_need_everything() {
        let all = plan(&[]).unwrap();
        let names = "rust rust-sqlite rust-postgres demo-sqlite python-sqlite node-sqlite demo-postgres \
                     python-postgres node-postgres flush console";
        assert_eq!(all.names().join(" "), names);
        let tested: BTreeSet<Need> = Need::ALL.into_iter().filter(|need| *need != Need::Pngquant).collect();
        assert_eq!(all.needs(), tested, "pictures alone need the rest");
    }

    #[test]
    fn a_name_selects_suites_and_only_their_needs() {
        let one = plan(&["python-sqlite"]).unwrap();
        assert_eq!(one.names(), ["demo-sqlite", "python-sqlite"]);
        assert_eq!(one.needs(), [Need::Python].into());
        assert_eq!(plan(&["rust", "flush"]).unwrap().names(), ["rust", "rust-sqlite", "rust-postgres", "flush"]);
        assert_eq!(plan(&["rust-sqlite"]).unwrap().needs(), [].into());
        assert_eq!(plan(&["demo-postgres"]).unwrap().needs(), [Need::Postgres].into());
        assert_eq!(plan(&["console"]).unwrap().needs(), [Need::Node, Need::Chromium, Need::Fonts].into());
    }

    #[test]
    fn a_name_that_fits_nothing_is_an_error_with_the_names() {
        let error = plan(&["pyhton"]).unwrap_err().to_string();
        assert!(error.contains("'pyhton'") && error.contains("python-sqlite"), "{error}");
    }

    #[test]
    fn options() {
        let parse = |text: &str| Options::parse(&text.split_whitespace().map(String::from).collect::<Vec<_>>());
        let options = parse("--install --only rust --only=node").unwrap();
        assert_eq!(options, Options { install: true, list: false, only: vec!["rust".into(), "node".into()] });
        assert!(parse("--only").unwrap_err().to_string().contains("--list"));
        assert!(parse("rust").unwrap_err().to_string().contains("'rust'"));
    }
}
