//! The three columns in which assets and tasks are picked: kinds, assets of one kind, and their switches.
//! Nothing here may decide: it lists what the step before it allowed.

use valetkey_domain::task::Vocabulary;
use valetkey_domain::{AssetId, AssetKind, TaskSet};
use valetkey_service::Facts;

use super::find::Find;
use super::kinds::{self, Kind};
use crate::names;
use crate::view::assign::{AssetChoice, KindRow};

/// How many assets are listed at once.
const LISTED_LIMIT: usize = 50;

/// The kinds of which there is an asset, and the one that is shown.
pub fn kind_rows(
    facts: &Facts<'_>,
    all: &[AssetId],
    current: AssetKind,
    changed: impl Fn(AssetKind) -> usize,
) -> Vec<KindRow> {
    let row = |kind: Kind| {
        let count = all.iter().filter(|id| kinds::is_of(facts, **id, kind.kind)).count();
        let is_current = kind.kind == current;
        let changed = changed(kind.kind);
        (count > 0 || is_current).then(|| KindRow {
            word: kind.word(),
            title: kind.plural(),
            icon: kind.icon(),
            count: names::count(count),
            changed: (changed > 0).then(|| format!("{changed} changed")),
            current: is_current,
        })
    };
    kinds::all(facts).into_iter().filter_map(row).collect()
}

/// The assets of one kind that are listed, by name.
pub struct Listed {
    pub rows: Vec<AssetChoice>,
    /// How many of the kind there are.
    pub total: usize,
    /// If the list was cut: the words that say so.
    pub cut: Option<String>,
}

impl Listed {
    /// Lists those that the filter lets through. What is ticked stays in sight, even where the list is cut.
    pub fn of(
        facts: &Facts<'_>,
        all: &[AssetId],
        kind: AssetKind,
        typed: &str,
        ticked: &[AssetId],
        detail: impl Fn(AssetId) -> String,
    ) -> Listed {
        let find = Find::new(typed);
        let of_kind: Vec<AssetId> = all.iter().copied().filter(|id| kinds::is_of(facts, *id, kind)).collect();
        let named = |id: &AssetId| Some((facts.asset(*id)?.name.to_string(), *id));
        let mut found: Vec<(String, AssetId)> = of_kind.iter().filter_map(named).collect();
        found.retain(|(name, id)| find.fits(name, id));
        let count = found.len();
        found.sort_by_cached_key(|(name, id)| (!ticked.contains(id), name.to_lowercase(), *id));
        found.truncate(LISTED_LIMIT);
        found.sort_by_cached_key(|(name, id)| (name.to_lowercase(), *id));
        let row = |(name, id): (String, AssetId)| AssetChoice {
            id: id.to_string(),
            name,
            detail: detail(id),
            ticked: ticked.contains(&id),
        };
        Listed {
            rows: found.into_iter().map(row).collect(),
            total: of_kind.len(),
            cut: (count > LISTED_LIMIT)
                .then(|| format!("The first {LISTED_LIMIT} of {}. Search for the others.", names::count(count))),
        }
    }

    /// The ticked assets that the list does not show; they stay ticked.
    pub fn hidden(&self, ticked: &[AssetId]) -> Vec<String> {
        let ticked = ticked.iter().map(ToString::to_string);
        ticked.filter(|id| !self.rows.iter().any(|row| row.id == *id)).collect()
    }
}

/// The task among some others that brings this one with it.
pub fn implied_by(words: &Vocabulary<'_>, others: TaskSet, task: TaskSet) -> Option<&'static str> {
    if !words.expanded(others).covers(task) {
        return None;
    }
    ["MANAGE", "ADVERTISE"].into_iter().find(|name| words.parse(name).is_some_and(|set| others.meets(set)))
}
