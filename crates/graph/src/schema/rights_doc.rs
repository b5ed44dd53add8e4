//! Prints `docs/reference/rights.md`: the scopes and the tasks, from the tables that decide.

use std::fmt::Write as _;

use valetkey_domain::{Scope, kind};

/// The document.
pub fn markdown() -> String {
    let mut out = String::from(
        "# Scopes and tasks\n\nPrinted from the tables in `crates/domain`; a test keeps this page equal to them.\n\n\
         A call needs a scope on the token *and* a task on the asset. An ADMIN holds every task of what its business owns, \
         and of what is shared with it up to the permitted tasks.\n\n## Scopes\n\n\
         A scope is issued only together with those that it needs, or with `add_dependencies=true`. *Served* says whether \
         something here asks for it; the others may be issued, show up in `debug_token`, and open nothing.\n\n\
         | scope | needs | served | what it is for |\n|---|---|---|---|\n",
    );
    for scope in Scope::all() {
        let row = scope.row();
        let needs = if row.needs.is_empty() { "-".to_owned() } else { row.needs.join(" ") };
        let served = if row.served { "yes" } else { "no" };
        let _ = writeln!(out, "| `{}` | {needs} | {served} | {} |", row.name, row.sentence);
    }
    out.push_str(
        "\n## Tasks\n\n`MANAGE` implies every task of its kind, `ADVERTISE` implies `ANALYZE`, and nothing else implies \
         anything. Other spellings are read, stored and answered as the task that they stand for.\n\n\
         | kind | word | task | other spellings |\n|---|---|---|---|\n",
    );
    for row in kind::TABLE {
        for task in row.tasks {
            let twins = if task.twins.is_empty() { "-".to_owned() } else { task.twins.join(" ") };
            let _ = writeln!(out, "| {} | `{}` | `{}` | {twins} |", row.title, row.word, task.name);
        }
    }
    out.push_str(
        "\nFurther kinds are declared in the configuration with tasks of their own; they are assigned and shared like the \
         others, and checked by `/gateway/forward-auth` and `/v1/check`.\n",
    );
    out
}
