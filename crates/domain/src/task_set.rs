//! A set of tasks as bits, and the row of names that gives the bits their meaning.
//!
//! It must never know a kind of asset: what a set means stands beside it.

use serde::{Deserialize, Serialize};

/// A task of a kind, with the other spellings that mean the same.
#[derive(Debug)]
pub struct TaskName {
    pub name: &'static str,
    pub twins: &'static [&'static str],
}

/// Tasks of one kind, as bits by position in the kind's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct TaskSet(pub u32);

impl TaskSet {
    /// No task.
    pub const EMPTY: TaskSet = TaskSet(0);
    /// Every task of whatever kind it stands beside.
    pub const ALL: TaskSet = TaskSet(u32::MAX);

    /// The set of one built-in task; twins are read as what they stand for.
    pub fn named(tasks: &[TaskName], name: &str) -> Option<TaskSet> {
        tasks.iter().position(|t| t.name == name || t.twins.contains(&name)).map(|i| TaskSet(1 << i))
    }

    /// The tasks of both.
    pub fn with(self, other: TaskSet) -> TaskSet {
        TaskSet(self.0 | other.0)
    }

    /// The tasks that are in both.
    pub fn shared(self, other: TaskSet) -> TaskSet {
        TaskSet(self.0 & other.0)
    }

    /// Whether the two share a task.
    pub fn meets(self, other: TaskSet) -> bool {
        self.0 & other.0 != 0
    }

    /// The tasks of this set that the other has not.
    pub fn without(self, other: TaskSet) -> TaskSet {
        TaskSet(self.0 & !other.0)
    }

    /// Whether every task of `other` is in this set.
    pub fn covers(self, other: TaskSet) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether nothing is in the set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}
