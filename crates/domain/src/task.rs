//! Tasks: what may be done on an asset. A set of tasks means something only beside its kind.
//!
//! `MANAGE` implies all tasks of its kind and `ADVERTISE` implies `ANALYZE`; nothing else implies
//! anything. Sets are stored as they were given and expanded only when a question is decided.

use crate::kind::{AssetKind, DeclaredKind};
pub use crate::task_set::{TaskName, TaskSet};

/// The vocabulary of one kind, built in or declared.
#[derive(Debug, Clone, Copy)]
pub enum Vocabulary<'a> {
    BuiltIn(&'static [TaskName]),
    Declared(&'a DeclaredKind),
}

impl<'a> Vocabulary<'a> {
    /// The vocabulary of a kind; `None` for a declared kind that was not handed in.
    pub fn of(kind: AssetKind, declared: Option<&'a DeclaredKind>) -> Option<Vocabulary<'a>> {
        match kind.row() {
            Some(row) => Some(Vocabulary::BuiltIn(row.tasks)),
            None => declared.map(Vocabulary::Declared),
        }
    }

    /// The set of one task by name.
    pub fn parse(&self, name: &str) -> Option<TaskSet> {
        match self {
            Vocabulary::BuiltIn(tasks) => TaskSet::named(tasks, name),
            Vocabulary::Declared(kind) => kind.tasks.iter().take(32).position(|t| t == name).map(|i| TaskSet(1 << i)),
        }
    }

    /// All names, in stored order.
    pub fn all_names(&self) -> Vec<&'a str> {
        match self {
            Vocabulary::BuiltIn(tasks) => tasks.iter().map(|t| t.name).collect(),
            Vocabulary::Declared(kind) => kind.tasks.iter().take(32).map(String::as_str).collect(),
        }
    }

    /// The names of a set, in stored order.
    pub fn names(&self, set: TaskSet) -> Vec<&'a str> {
        let all = self.all_names();
        (0..all.len()).filter(|i| set.0 >> i & 1 == 1).map(|i| all[i]).collect()
    }

    /// The set with what it implies.
    pub fn expanded(&self, set: TaskSet) -> TaskSet {
        let bit = |name| self.parse(name).unwrap_or_default();
        let known = TaskSet(u32::MAX >> (32 - self.all_names().len().clamp(1, 32)));
        let mut out = set.shared(known);
        if out.meets(bit("MANAGE")) {
            out = known;
        }
        if out.meets(bit("ADVERTISE")) {
            out = out.with(bit("ANALYZE"));
        }
        out
    }
}

/// What a set of a built-in kind implies, without the name look-ups: the check path calls it.
/// For declared kinds the index keeps the expanded set beside the assignment.
pub fn expanded(kind: AssetKind, declared: Option<&DeclaredKind>, set: TaskSet) -> TaskSet {
    Vocabulary::of(kind, declared).map_or(TaskSet::EMPTY, |v| v.expanded(set))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::TABLE;

    #[test]
    fn manage_implies_all_advertise_implies_analyze_and_nothing_else_implies_anything() {
        for row in TABLE {
            let words = Vocabulary::BuiltIn(row.tasks);
            for task in row.tasks {
                let alone = words.parse(task.name).unwrap();
                let mut expected = alone;
                if task.name == "MANAGE" {
                    expected = TaskSet((1u32 << row.tasks.len()) - 1);
                } else if task.name == "ADVERTISE" {
                    expected = expected.with(words.parse("ANALYZE").unwrap_or_default());
                }
                assert_eq!(words.expanded(alone), expected, "{} {}", row.word, task.name);
            }
        }
    }

    #[test]
    fn twins_are_one_task() {
        let page = Vocabulary::of(AssetKind::Page, None).unwrap();
        assert_eq!(page.parse("PROFILE_PLUS_MODERATE"), page.parse("MODERATE"));
        assert_eq!(page.parse("PROFILE_PLUS_FULL_CONTROL"), page.parse("MANAGE"));
        assert_eq!(page.parse("CASHIER_ROLE"), None);
    }
}
