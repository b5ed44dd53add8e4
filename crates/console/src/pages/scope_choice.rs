//! The scopes to choose for a token: what the assignments need, what the ticked ones bring with them,
//! and what doesn't match.

use std::collections::BTreeMap;

use valetkey_domain::noun::app::App;
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::task::Vocabulary;
use valetkey_domain::task_scopes::{scopes_for, scopes_for_role};
use valetkey_domain::{Role, Scope, ScopeSet};
use valetkey_service::Facts;

use crate::names;
use crate::view::parts::{Piece, Sentence};
use crate::view::token::{ScopeGroup, ScopeNote, ScopeRow};
use crate::words;

/// How many assigned assets are looked at; a page says no more of the others.
const ASSETS_LIMIT: usize = 500;
/// How many names a sentence holds.
const NAMES_LIMIT: usize = 3;

/// A task on some assets of one kind.
struct Held {
    label: String,
    sentence: String,
    /// "Pages".
    plural: String,
    assets: Vec<String>,
    scopes: ScopeSet,
}

/// Everything that the choice rests on.
pub struct Choice {
    role: Role,
    /// What the app may ask for.
    allowed: ScopeSet,
    held: Vec<Held>,
    /// Assigned assets with the scopes of which one opens them.
    assets: Vec<(String, ScopeSet)>,
}

impl Choice {
    /// Reads the assignments of a system user.
    pub fn of(facts: &Facts<'_>, user: &SystemUser, app: &App) -> Choice {
        let mut held: BTreeMap<(u8, usize), Held> = BTreeMap::new();
        let mut assets = Vec::new();
        for id in facts.assets_of(user.id).into_iter().take(ASSETS_LIMIT) {
            let (Some(asset), Some(assignment)) = (facts.asset(id), facts.assignment(user.id, id)) else { continue };
            let declared = facts.declared_kind(asset.kind);
            let Some(vocabulary) = Vocabulary::of(asset.kind, declared.as_ref()) else { continue };
            assets.push((asset.name.to_string(), scopes_for(asset.kind, declared.as_ref(), assignment.tasks)));
            for (place, name) in vocabulary.all_names().into_iter().enumerate() {
                let Some(task) = vocabulary.parse(name).filter(|task| assignment.tasks.meets(*task)) else { continue };
                let shown = words::task(asset.kind, name);
                let row = held.entry((asset.kind.number(), place)).or_insert_with(|| Held {
                    label: shown.label,
                    sentence: shown.sentence,
                    plural: names::kind_plural(asset.kind, declared.as_ref()),
                    assets: Vec::new(),
                    scopes: scopes_for(asset.kind, declared.as_ref(), task),
                });
                row.assets.push(asset.name.to_string());
            }
        }
        Choice { role: user.role, allowed: app.allowed_scopes, held: held.into_values().collect(), assets }
    }

    /// What the assignments and the role need, as far as the app may ask for it.
    pub fn preselected(&self) -> ScopeSet {
        let by_tasks = self.held.iter().fold(ScopeSet::EMPTY, |all, held| all.with(held.scopes));
        by_tasks.with(scopes_for_role(self.role)).shared(self.allowed)
    }

    /// The ticked ones with what they need beside them, and without what the app may not ask for.
    pub fn full(&self, ticked: ScopeSet) -> ScopeSet {
        ticked.completed().shared(self.allowed)
    }

    /// The rows in their groups: those that matter, and the rest.
    pub fn groups(&self, ticked: ScopeSet) -> (Vec<ScopeGroup>, Vec<ScopeGroup>) {
        let full = self.full(ticked);
        let matters = self.preselected().with(full);
        let group = |title: &&'static str, rows: &dyn Fn(Scope) -> bool| {
            let of_group = || Scope::all().filter(|s| words::scope_group(*s) == *title && self.allowed.has(*s));
            let rows: Vec<ScopeRow> = of_group()
                .filter(|s| *s != Scope::PUBLIC_PROFILE && rows(*s))
                .map(|s| self.row(s, ticked, full))
                .collect();
            let chosen = of_group().filter(|s| full.has(*s) && *s != Scope::PUBLIC_PROFILE).count();
            let all = of_group().filter(|s| *s != Scope::PUBLIC_PROFILE).count();
            (!rows.is_empty()).then(|| ScopeGroup {
                title: (*title).to_owned(),
                counted: format!("{chosen} of {all}"),
                rows,
            })
        };
        let some = words::SCOPE_GROUPS.iter().filter_map(|title| group(title, &|s| matters.has(s))).collect();
        let more = words::SCOPE_GROUPS.iter().filter_map(|title| group(title, &|s| !matters.has(s))).collect();
        (some, more)
    }

    fn row(&self, scope: Scope, ticked: ScopeSet, full: ScopeSet) -> ScopeRow {
        let is_ticked = ticked.has(scope);
        let brought_by = full.iter().find(|other| *other != scope && other.row().needs.contains(&scope.name()));
        let is_locked = !is_ticked && full.has(scope);
        let for_tasks = self.held.iter().find(|held| held.scopes.has(scope));
        let reason = match (for_tasks, brought_by) {
            (Some(held), _) => format!("For {} on {}", held.label, on(held)),
            (None, Some(other)) if full.has(scope) => format!("Needed by {}", other.name()),
            (None, _) if scopes_for_role(self.role).has(scope) => "For an admin".to_owned(),
            (None, _) if is_ticked => "You ticked this".to_owned(),
            (None, _) => "Nothing assigned needs it".to_owned(),
        };
        ScopeRow {
            name: scope.name().to_owned(),
            sentence: words::scope_sentence(scope).to_owned(),
            ticked: full.has(scope),
            locked: is_locked,
            reason,
            note: self.note(scope, is_ticked, full),
        }
    }

    fn note(&self, scope: Scope, is_ticked: bool, full: ScopeSet) -> Option<ScopeNote> {
        if is_ticked && self.is_idle(scope, full) {
            let text = vec![Piece::plain("No assignment needs this: it opens nothing that is assigned.")];
            return Some(ScopeNote { text, tick: false });
        }
        if full.has(scope) {
            return None;
        }
        let out = self.assets.iter().find(|(_, scopes)| scopes.has(scope) && !scopes.meets(full))?;
        let text = vec![Piece::strong(out.0.clone()), Piece::plain(" is assigned, but out of reach without this.")];
        Some(ScopeNote { text, tick: true })
    }

    /// Whether a scope opens nothing: no assignment needs it, and no other scope either. An admin reaches
    /// everything.
    fn is_idle(&self, scope: Scope, full: ScopeSet) -> bool {
        let is_needed = self.held.iter().any(|held| held.scopes.has(scope))
            || full.iter().any(|other| other != scope && other.row().needs.contains(&scope.name()));
        self.role == Role::Employee && !is_needed && scope != Scope::PUBLIC_PROFILE
    }

    /// What whoever holds the token can do.
    pub fn can(&self, ticked: ScopeSet) -> Vec<Sentence> {
        let full = self.full(ticked);
        let mut out = Vec::new();
        if self.role == Role::Admin {
            out.push(vec![Piece::plain("Act on every asset of the business, as far as the scopes go")]);
            if full.has(Scope::BUSINESS_MANAGEMENT) {
                out.push(vec![Piece::plain("Manage the business: users, assignments, shares, tokens")]);
            }
        }
        for held in self.held.iter().filter(|held| held.scopes.is_empty() || held.scopes.meets(full)) {
            let what = if held.sentence.is_empty() { &held.label } else { &held.sentence };
            let mut sentence = vec![Piece::plain(format!("{}: ", what.trim_end_matches('.')))];
            sentence.push(Piece::strong(some_names(&held.assets)));
            out.push(sentence);
        }
        out
    }

    /// The same in few words: "Content on 2 Pages, Insights on Workshop".
    pub fn in_short(&self, ticked: ScopeSet) -> String {
        let full = self.full(ticked);
        let held = self.held.iter().filter(|held| held.scopes.is_empty() || held.scopes.meets(full));
        let words: Vec<String> = held.map(|held| format!("{} on {}", held.label, on(held))).collect();
        match (words.is_empty(), self.role) {
            (_, Role::Admin) => "Everything of the business that its scopes open".to_owned(),
            (true, Role::Employee) => "Nothing yet".to_owned(),
            (false, Role::Employee) => words.join(", "),
        }
    }

    /// What doesn't match, in short.
    pub fn mismatches(&self, ticked: ScopeSet) -> Vec<Sentence> {
        let full = self.full(ticked);
        let idle = ticked.iter().filter(|scope| self.is_idle(*scope, full));
        let idle = idle.map(|scope| vec![Piece::code(scope.name()), Piece::plain(" opens nothing")]);
        let out = self.assets.iter().filter(|(_, scopes)| !scopes.is_empty() && !scopes.meets(full));
        let out =
            out.take(NAMES_LIMIT).map(|(name, _)| vec![Piece::strong(name.clone()), Piece::plain(" is out of reach")]);
        idle.chain(out).collect()
    }
}

/// "Alder & Pine Cycles", or "2 Pages".
fn on(held: &Held) -> String {
    match held.assets.as_slice() {
        [only] => only.clone(),
        several => format!("{} {}", names::count(several.len()), held.plural),
    }
}

fn some_names(all: &[String]) -> String {
    if all.len() <= NAMES_LIMIT {
        return names::and(all);
    }
    format!("{} and {} more", all[..NAMES_LIMIT - 1].join(", "), all.len() + 1 - NAMES_LIMIT)
}
