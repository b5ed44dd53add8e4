//! The words of a line of the rule tables: names, `key=value` pairs, times and sets of scopes.

use std::collections::BTreeMap;

use valetkey_domain::rules::token::Lifetime;
use valetkey_domain::{Id, Role, Scope, ScopeSet, Status};

/// Words and `key=value` pairs of a line.
pub struct Args<'a> {
    pub words: Vec<&'a str>,
    pub pairs: BTreeMap<&'a str, &'a str>,
}

impl<'a> Args<'a> {
    pub fn new(all: &[&'a str]) -> Args<'a> {
        let mut args = Args { words: Vec::new(), pairs: BTreeMap::new() };
        for word in all {
            match word.split_once('=') {
                Some((key, value)) => {
                    args.pairs.insert(key, value);
                }
                None => args.words.push(word),
            }
        }
        args
    }

    pub fn at(&self, at: usize) -> &'a str {
        self.words[at]
    }

    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.pairs.get(key).copied()
    }

    pub fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }

    pub fn list(&self, key: &str) -> Vec<String> {
        let text = self.get(key).unwrap_or("");
        text.split(',').filter(|t| !t.is_empty()).map(str::to_owned).collect()
    }

    pub fn role(&self) -> Role {
        self.get("role").map_or(Role::Employee, |r| Role::parse(r).unwrap())
    }

    pub fn status(&self) -> Option<Status> {
        self.get("status").map(|s| match s {
            "active" => Status::Active,
            "off" => Status::Deactivated,
            "deleted" => Status::Deleted,
            other => panic!("status {other}"),
        })
    }

    pub fn lifetime(&self) -> Option<Lifetime> {
        self.get("life").map(|l| if l == "never" { Lifetime::Never } else { Lifetime::Seconds(seconds(l)) })
    }

    pub fn set(&self, key: &str, to: &mut u32) {
        if let Some(text) = self.get(key) {
            *to = text.parse().unwrap();
        }
    }
}

/// `90`, `2h`, `60d` in seconds.
pub fn seconds(text: &str) -> i64 {
    let (number, unit) = match text.strip_suffix('d') {
        Some(days) => (days, 86_400),
        None => text.strip_suffix('h').map_or((text, 1), |hours| (hours, 3_600)),
    };
    number.parse::<i64>().unwrap_or_else(|_| panic!("time {text}")) * unit
}

pub fn scopes(names: &str) -> ScopeSet {
    let each = names.split(',').filter(|n| !n.is_empty());
    each.map(|n| Scope::parse(n).unwrap_or_else(|| panic!("scope {n}"))).collect()
}

/// The ids that the words of a line name. A name that was never given stands for an id that was never
/// drawn.
pub struct Called<'a> {
    pub names: &'a BTreeMap<String, Id>,
    pub args: &'a Args<'a>,
}

impl Called<'_> {
    pub fn called<Of>(&self, name: &str) -> Id<Of> {
        self.names.get(name).copied().map_or(Id::new(424_242).unwrap(), Id::of)
    }

    pub fn at<Of>(&self, at: usize) -> Id<Of> {
        self.called(self.args.at(at))
    }

    pub fn named<Of>(&self, key: &str) -> Option<Id<Of>> {
        self.args.get(key).map(|name| self.called(name))
    }
}
