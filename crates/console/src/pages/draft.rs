//! Changes of assignments that are not saved yet. The page carries them as texts, one for each asset:
//! the asset, the tasks when the form was opened, and the tasks that are wanted. What comes back is what
//! a stranger sent; the service decides about each when it is saved.

use std::collections::BTreeMap;

use valetkey_domain::credential::Digest;
use valetkey_domain::{AssetId, Id, State, TaskSet, UserId};

/// How many assets one form may change.
pub const LIMIT: usize = 500;

/// The tasks on one asset: before, and as wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draft {
    pub base: TaskSet,
    pub want: TaskSet,
}

/// All of a form, by asset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drafts(BTreeMap<AssetId, Draft>);

impl Drafts {
    /// Reads the texts of a form. What can't be read is left out.
    pub fn parse<'a>(texts: impl Iterator<Item = &'a str>) -> Drafts {
        let read = |text: &str| {
            let mut parts = text.split('.');
            let id: AssetId = Id::parse(parts.next()?)?;
            let mut set = || Some(TaskSet(parts.next()?.parse().ok()?));
            Some((id, Draft { base: set()?, want: set()? }))
        };
        Drafts(texts.take(LIMIT).filter_map(read).collect())
    }

    /// Keeps only the assets that fit.
    pub fn retain(&mut self, fits: impl Fn(AssetId) -> bool) {
        self.0.retain(|asset, _| fits(*asset));
    }

    /// The texts.
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(|(id, draft)| format!("{id}.{}.{}", draft.base.0, draft.want.0)).collect()
    }

    /// A digest of all changes: a form that says more than the page showed is shown again first.
    pub fn digest(&self) -> String {
        Digest::of(&self.texts().join(" ")).to_hex()
    }

    /// What is wanted on an asset: as drafted, else as it stands.
    pub fn wanted(&self, asset: AssetId, stored: TaskSet) -> TaskSet {
        self.0.get(&asset).map_or(stored, |draft| draft.want)
    }

    /// Sets what is wanted. What is as it stands is no change.
    pub fn set(&mut self, asset: AssetId, stored: TaskSet, want: TaskSet) {
        let base = self.0.get(&asset).map_or(stored, |draft| draft.base);
        if want == base {
            self.0.remove(&asset);
        } else if self.0.len() < LIMIT || self.0.contains_key(&asset) {
            self.0.insert(asset, Draft { base, want });
        }
    }

    /// Takes one out: it is saved.
    pub fn saved(&mut self, asset: AssetId) {
        self.0.remove(&asset);
    }

    pub fn iter(&self) -> impl Iterator<Item = (AssetId, Draft)> {
        self.0.iter().map(|(id, draft)| (*id, *draft))
    }

    /// The first asset whose tasks somebody else changed since the form was opened.
    pub fn stale(&self, state: &dyn State, user: UserId) -> Option<AssetId> {
        self.iter().find(|(asset, draft)| stored(state, user, *asset) != draft.base).map(|(asset, _)| asset)
    }
}

/// The tasks that a user has on an asset by assignment.
pub fn stored(state: &dyn State, user: UserId, asset: AssetId) -> TaskSet {
    state.assignment(user, asset).map(|assignment| assignment.tasks).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafts_survive_the_way_through_a_page() {
        let asset = |n: u64| Id::new(n).unwrap();
        let mut drafts = Drafts::default();
        drafts.set(asset(7), TaskSet(1), TaskSet(3));
        drafts.set(asset(8), TaskSet(1), TaskSet(0));
        drafts.set(asset(9), TaskSet(1), TaskSet(1));
        let texts = drafts.texts();
        assert_eq!(texts, ["7.1.3", "8.1.0"]);
        assert_eq!(Drafts::parse(texts.iter().map(String::as_str)), drafts);
        // Back to what it was is no change any more, whatever is stored by now.
        drafts.set(asset(7), TaskSet(5), TaskSet(1));
        assert_eq!(drafts.wanted(asset(7), TaskSet(5)), TaskSet(5));
        assert_eq!(Drafts::parse(["x", "7.1", "7.1.y", "0.1.1"].into_iter()), Drafts::default());
        assert_eq!(drafts.wanted(asset(8), TaskSet(1)), TaskSet(0));
    }
}
