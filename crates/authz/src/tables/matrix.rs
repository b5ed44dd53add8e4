//! The access matrix: every kind, every task, every relation and both roles, with an oracle that
//! knows task names and nothing of bits.

use std::collections::BTreeMap;
use std::fmt::Write;

use valetkey_domain::kind::TABLE;
use valetkey_domain::{AssetId, AssetKind, Reason};

use super::{Case, kind, tasks, warehouse};
use crate::{Decision, Need, Question, Target, View};

/// How the caller's business and user stand to the asset.
const RELATIONS: &[&str] =
    &["owned+assigned", "owned", "shared-in-full+assigned", "shared-ANALYZE+assigned", "shared-in-full", "none"];
const ROLES: &[&str] = &["admin", "employee"];

/// A system user and an asset, before anything is asked.
#[derive(Debug, Clone)]
pub struct Situation {
    pub kind: AssetKind,
    pub word: &'static str,
    pub role: &'static str,
    pub relation: &'static str,
    /// The task that is assigned, where one is.
    pub held: String,
    pub view: View,
    /// All tasks of the kind.
    pub tasks: Vec<String>,
}

/// All situations, in the order of the printed grid.
pub fn situations() -> Vec<Situation> {
    let built_in = TABLE.iter().map(|r| (r.word, r.tasks.iter().map(|t| t.name.to_owned()).collect::<Vec<_>>()));
    let mut all = Vec::new();
    for (word, names) in built_in.chain([("warehouse", warehouse().tasks)]) {
        for role in ROLES {
            for relation in RELATIONS {
                for held in &names {
                    let case = Case::read(&format!("su {role}"), &asset_words(word, relation, held, &names), "asset");
                    let (view, held, tasks) = (case.view, held.clone(), names.clone());
                    all.push(Situation { kind: kind(word), word, role, relation, held, view, tasks });
                }
            }
        }
    }
    all
}

impl Situation {
    /// The question for one task on an asset.
    pub fn question(&self, asked: &str, asset: AssetId) -> Question {
        Question::about(Target::Asset(asset)).need(Need::Tasks(tasks(self.kind, asked)))
    }

    /// The oracle: `+` may, `t` lacks the task, `a` is not assigned, `.` sees nothing.
    pub fn wanted(&self, asked: &str) -> char {
        let all = &self.tasks;
        let assigned = if self.relation.ends_with("+assigned") { implied(&self.held, all) } else { Vec::new() };
        let mut reach = if self.role == "admin" { all.clone() } else { assigned };
        match self.relation {
            "none" => return '.',
            "shared-ANALYZE+assigned" => reach.retain(|t| *t == narrow_task(all)),
            _ => {}
        }
        match (reach.iter().any(|t| t == asked), reach.is_empty()) {
            (true, _) => '+',
            (false, true) => 'a',
            (false, false) => 't',
        }
    }

    /// A decision as a letter of the grid.
    pub fn letter(decision: &Decision) -> char {
        match decision {
            Decision::Allow(_) => '+',
            Decision::Deny(denial) => {
                let letters = [(Reason::TaskMissing, 't'), (Reason::AssetNotAssigned, 'a'), (Reason::NotVisible, '.')];
                let found = letters.into_iter().find(|(reason, _)| *reason == denial.reason);
                found.unwrap_or_else(|| panic!("{}", denial.reason.as_str())).1
            }
        }
    }
}

/// What a task stands for, by name.
fn implied(task: &str, all: &[String]) -> Vec<String> {
    match task {
        "MANAGE" => all.to_vec(),
        "ADVERTISE" => all.iter().filter(|t| *t == "ADVERTISE" || *t == "ANALYZE").cloned().collect(),
        other => vec![other.to_owned()],
    }
}

/// A kind without ANALYZE is shared with its last task instead.
fn narrow_task(all: &[String]) -> String {
    all.iter().find(|t| *t == "ANALYZE").or(all.last()).cloned().unwrap()
}

fn asset_words(word: &str, relation: &str, held: &str, all: &[String]) -> String {
    let reach = match relation {
        "none" => "foreign".to_owned(),
        r if r.starts_with("owned") => "owned".to_owned(),
        r if r.starts_with("shared-ANALYZE") => format!("shared={}", narrow_task(all)),
        _ => format!("shared={}", all.join(",")),
    };
    let has = if relation.ends_with("+assigned") { held } else { "" };
    format!("{word} {reach} has={has}")
}

/// How often each answer was given, by kind, relation and role.
pub fn summary(answers: impl Iterator<Item = (Situation, char)>) -> String {
    let mut seen: BTreeMap<(u8, &str, &str, &str), BTreeMap<char, usize>> = BTreeMap::new();
    let mut cells = 0;
    for (at, letter) in answers {
        *seen.entry((at.kind.number(), at.word, at.relation, at.role)).or_default().entry(letter).or_default() += 1;
        cells += 1;
    }
    let mut out = String::from("kind, relation, role: allowed / task missing / not assigned / not visible\n");
    for ((_, word, relation, role), counts) in seen {
        let count = |c| counts.get(&c).copied().unwrap_or(0);
        let _ = writeln!(
            out,
            "{word}, {relation}, {role}: {} / {} / {} / {}",
            count('+'),
            count('t'),
            count('a'),
            count('.')
        );
    }
    let _ = writeln!(out, "{cells} cells");
    out
}
