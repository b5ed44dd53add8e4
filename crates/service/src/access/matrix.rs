//! Users and partners by assets, as a window of the whole matrix.
//!
//! Names are sorted over all rows and columns; what a cell holds is worked out for the window alone.

use std::collections::BTreeSet;

use valetkey_authz::Question;
use valetkey_domain::task::Vocabulary;
use valetkey_domain::{AssetId, AssetKind, BusinessId, Id, Name, Refusal, Role, State, Status, UserId};

use super::held::{Column, Entry, Held, UserSort, assets_of_business};
use crate::ask::{Checked, Facts};
use crate::call::Call;
use crate::core::Service;
use crate::rights;

/// The most rows, and the most columns, of one window.
const WINDOW_LIMIT: usize = 200;

/// What is left out of the matrix. Nothing of it set leaves everything in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessFilter {
    /// Only users and partners whose name holds this text, in any case.
    pub user_text: Option<String>,
    /// Only assets whose name holds this text.
    pub asset_text: Option<String>,
    pub rows: Rows,
    /// Only assets of this kind.
    pub kind: Option<AssetKind>,
    /// Only assets whose kind knows this task, and only cells that hold it.
    pub task: Option<String>,
}

/// Which rows there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rows {
    #[default]
    All,
    Users(UserSort),
    Partners,
}

impl Rows {
    /// The rows of a word in `/v1` and in addresses.
    pub fn parse(word: &str) -> Option<Rows> {
        match word {
            "person" => Some(Rows::Users(UserSort::Person)),
            "system_user" => Some(Rows::Users(UserSort::SystemUser)),
            "partner" => Some(Rows::Partners),
            _ => None,
        }
    }

    fn has_user(self, sort: UserSort) -> bool {
        match self {
            Rows::All => true,
            Rows::Users(wanted) => wanted == sort,
            Rows::Partners => false,
        }
    }

    fn has_partners(self) -> bool {
        match self {
            Rows::All | Rows::Partners => true,
            Rows::Users(_) => false,
        }
    }
}

/// A part of a list in the order of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub offset: usize,
    pub limit: usize,
}

/// A row: a user of the business, or a partner as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    User { id: UserId, name: Name, sort: UserSort, role: Role, status: Status },
    Partner { id: BusinessId, name: Name },
}

/// The head of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub id: AssetId,
    pub name: Name,
    pub kind: AssetKind,
    /// Another business's, shared with this one.
    pub is_shared: bool,
}

/// What a row holds on the asset of a column.
pub type Cell = Option<Held>;

/// A window of the matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessPage {
    pub rows: Vec<Row>,
    pub heads: Vec<Head>,
    /// A list for each row, with a cell for each head.
    pub cells: Vec<Vec<Cell>>,
    /// How many rows and columns pass the filter.
    pub total_rows: usize,
    pub total_heads: usize,
}

/// A row while it is sorted.
enum Line {
    User(Entry),
    Partner(BusinessId, Name),
}

impl Line {
    fn name(&self) -> &Name {
        match self {
            Line::User(entry) => &entry.name,
            Line::Partner(_, name) => name,
        }
    }

    fn id(&self) -> Id {
        match self {
            Line::User(entry) => entry.id.any(),
            Line::Partner(id, _) => id.any(),
        }
    }

    /// A user that is switched off holds nothing.
    fn held(&self, state: &dyn State, column: &Column) -> Cell {
        match self {
            Line::User(entry) if entry.status == Status::Active => column.held(state, entry),
            Line::User(_) => None,
            Line::Partner(id, _) => column.shared_with(state, *id),
        }
    }

    fn shown(self) -> Row {
        match self {
            Line::User(Entry { id, business: _, name, sort, role, status }) => {
                Row::User { id, name, sort, role, status }
            }
            Line::Partner(id, name) => Row::Partner { id, name },
        }
    }
}

impl Service {
    /// A window of who can do what: users of a business and its partners by assets that it owns or that
    /// are shared with it, both by name and then id. Who doesn't manage the business sees its own row.
    ///
    /// # Errors
    /// The refusal.
    pub fn access_page(
        &self,
        call: &Call,
        business: BusinessId,
        filter: &AccessFilter,
        users: Window,
        assets: Window,
    ) -> Result<Checked<AccessPage>, Refusal> {
        let manage = rights::MANAGE_BUSINESS.on_business(business);
        let question = Question { own: self.own_of(call), ..manage };
        self.step(call, question, |facts| {
            let state: &dyn State = &**facts;
            let lines = match facts.may(manage) {
                Some(_) => lines(state, business, filter),
                None => own_line(facts),
            };
            let lines = by_name(lines, |line| (lowered(line.name()), line.id()));
            let heads = by_name(heads(state, business, filter), |head| (lowered(&head.name), head.id.any()));
            let (total_rows, total_heads) = (lines.len(), heads.len());
            let lines = users.of(lines);
            let heads = assets.of(heads);
            let columns: Vec<Option<Column>> = heads.iter().map(|head| Column::of(state, business, head.id)).collect();
            let cell = |line: &Line, column: &Option<Column>| {
                let column = column.as_ref()?;
                let wanted = filter.task.as_deref().map(|task| column.task(task).unwrap_or_default());
                line.held(state, column).filter(|held| wanted.is_none_or(|wanted| held.tasks.meets(wanted)))
            };
            let row = |line: &Line| columns.iter().map(|column| cell(line, column)).collect::<Vec<Cell>>();
            let cells = lines.iter().map(row).collect();
            let rows = lines.into_iter().map(Line::shown).collect();
            AccessPage { rows, heads, cells, total_rows, total_heads }
        })
    }
}

impl Window {
    fn of<T>(self, all: Vec<T>) -> Vec<T> {
        all.into_iter().skip(self.offset).take(self.limit.clamp(1, WINDOW_LIMIT)).collect()
    }
}

fn own_line(facts: &Facts<'_>) -> Vec<Line> {
    let own = facts.allowed.caller.user().and_then(|user| Entry::of(&**facts, user));
    own.into_iter().map(Line::User).collect()
}

/// The users and partners that pass the filter.
fn lines(state: &dyn State, business: BusinessId, filter: &AccessFilter) -> Vec<Line> {
    let passes = |entry: &Entry| filter.rows.has_user(entry.sort);
    let mut lines: Vec<Line> = Entry::all(state, business).into_iter().filter(passes).map(Line::User).collect();
    if filter.rows.has_partners() {
        let apps = state.owned_apps(business).into_iter().map(AssetId::from);
        let own = state.owned_assets(business).into_iter().chain(apps);
        let partners: BTreeSet<BusinessId> = own.flat_map(|asset| state.partners_of(asset)).collect();
        let named = |id: BusinessId| Some(Line::Partner(id, state.business(id)?.name));
        lines.extend(partners.into_iter().filter_map(named));
    }
    lines.retain(|line| holds_text(line.name(), filter.user_text.as_deref()));
    lines
}

/// The assets that pass the filter.
fn heads(state: &dyn State, business: BusinessId, filter: &AccessFilter) -> Vec<Head> {
    let wanted = |id: AssetId| {
        let asset = state.asset(id)?;
        let passes =
            filter.kind.is_none_or(|kind| kind == asset.kind) && holds_text(&asset.name, filter.asset_text.as_deref());
        let is_shared = asset.business != Some(business);
        passes.then_some(Head { id, name: asset.name, kind: asset.kind, is_shared })
    };
    let mut heads: Vec<Head> = assets_of_business(state, business).into_iter().filter_map(wanted).collect();
    if let Some(task) = filter.task.as_deref() {
        let mut kinds: Vec<AssetKind> = heads.iter().map(|head| head.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds.retain(|kind| knows(state, *kind, task));
        heads.retain(|head| kinds.contains(&head.kind));
    }
    heads
}

fn knows(state: &dyn State, kind: AssetKind, task: &str) -> bool {
    let declared = state.declared_kind(kind);
    Vocabulary::of(kind, declared.as_ref()).is_some_and(|words| words.parse(task).is_some())
}

fn holds_text(name: &Name, text: Option<&str>) -> bool {
    text.is_none_or(|text| lowered(name).contains(&text.to_lowercase()))
}

fn lowered(name: &Name) -> String {
    name.as_str().to_lowercase()
}

fn by_name<T>(mut all: Vec<T>, key: impl Fn(&T) -> (String, Id)) -> Vec<T> {
    all.sort_by_cached_key(key);
    all
}
