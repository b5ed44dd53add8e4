//! Lists: which rows an edge shows, page by page.
//!
//! Lists of ids are cut by id, so a row that is added or removed between two pages moves no other
//! row.

use serde_json::{Value, json};
use valetkey_domain::{AppId, AssetId, AssetKind, BusinessId, Caller, Id, List, Role, Scope, Status, TaskSet, UserId};
use valetkey_http::mask;
use valetkey_service::Facts;
use valetkey_service::authz::{Allowed, Need, Question, Target};
use valetkey_service::rights::{self, Right, Who};

use super::input::Problem;
use super::rows::{give_tokens, of_kind, plain, row_defaults};
use super::shown::Place;
use super::{Answer, Cx, Node, Row, Work};
use crate::protocol::cursor::{Cursor, Key};
use crate::protocol::envelope;
use crate::protocol::paging::{self, Links, Page};
use crate::schema::{self, Edge, Listing, Op};

/// For how many rows page tokens are made in one commit.
const CHUNK_ROWS: usize = 250;
/// How many assets are read with their descriptive fields at a time. Even the largest that can be
/// stored then fit into one answer.
const DETAIL_ROWS: usize = 20;
const _: () = assert!(DETAIL_ROWS * LARGEST_DETAILS_BYTES <= super::work::BYTES_LIMIT as usize);
/// The descriptive fields of a Page, each as long as it may be.
const LARGEST_DETAILS_BYTES: usize = 80 * super::assets::DETAIL_LIMIT_BYTES;

/// The items of a list before it is cut into pages.
enum Items {
    /// Ids in ascending order; rows are made for one page only.
    Ids(Vec<Id>),
    /// All rows, for lists that are always short.
    Rows(Vec<Row>),
}

/// A page cut out of a list.
struct Cut<T> {
    rows: Vec<T>,
    before: Option<String>,
    after: Option<String>,
    has_next: bool,
    has_previous: bool,
    total: usize,
}

impl Cx<'_> {
    /// Serves a reading edge.
    pub async fn list_edge(&self, node: &Node, edge: &'static Edge) -> Result<Answer, Problem> {
        match edge.op {
            Op::Posts(which) => self.list_posts(node, edge, which).await,
            Op::Campaigns => self.list_campaigns(node, edge).await,
            Op::List(listing) => self.list_records(node, edge, listing).await,
            Op::Write(_) => Err(envelope::server_fault().into()),
        }
    }

    async fn list_records(&self, node: &Node, edge: &'static Edge, listing: Listing) -> Result<Answer, Problem> {
        let (data, cut) = match self.items(node, edge, listing)? {
            Items::Ids(ids) => {
                let cut = self.cut_ids(ids, &list_tag(node.id(), edge), is_newest_first(listing))?;
                let mut data = Vec::with_capacity(cut.rows.len());
                // Unreadable `fields` are an error even if the list is empty.
                self.render_rows(edge, &[], &mut data).await?;
                for ids in cut.rows.chunks(CHUNK_ROWS) {
                    let mut tokens = self.tokens_of_rows(listing, ids).await?;
                    for ids in ids.chunks(DETAIL_ROWS) {
                        let mut rows = self
                            .materialise(node, (edge, listing), self.list_question(node, edge, listing), ids)
                            .await?;
                        if let Some(tokens) = &mut tokens {
                            give_tokens(&mut rows, tokens);
                        }
                        self.render_rows(edge, &rows, &mut data).await?;
                    }
                }
                (data, cut.emptied())
            }
            Items::Rows(rows) => {
                let mut cut = self.cut_rows(rows, &list_tag(node.id(), edge))?;
                let mut data = Vec::with_capacity(cut.rows.len());
                self.render_rows(edge, &std::mem::take(&mut cut.rows), &mut data).await?;
                (data, cut)
            }
        };
        let total = cut.total as u64;
        self.write_list(data, Some(total), |page| {
            page.before = cut.before;
            page.after = cut.after;
            page.has_next = cut.has_next;
            page.has_previous = cut.has_previous;
        })
    }

    /// Renders rows and appends them to `data`. Long lists are rendered piece by piece, so that
    /// only one piece of the stored rows is in memory.
    pub async fn render_rows(&self, edge: &'static Edge, rows: &[Row], data: &mut Vec<Value>) -> Result<(), Problem> {
        let limit = paging::limit(self.input.get("limit"))?;
        let row_type = schema::find(edge.rows);
        let asked = self.field_specs(u64::from(limit), row_type.unwrap_or(&schema::DECLARED_ASSET))?;
        for row in rows {
            let usual;
            let specs = match &asked {
                Some(specs) => specs,
                None => {
                    // Such a list mixes kinds, and each kind has its own default fields.
                    let kind = if edge.op == Op::List(Listing::AssignedAssets) { None } else { row_type };
                    usual = row_defaults(edge, kind.unwrap_or(row.node.kind()));
                    &usual
                }
            };
            data.push(Value::Object(self.render(row, specs, Place::Row).await?));
        }
        if !rows.is_empty() {
            // A long page must not block other calls on this thread.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Writes rendered rows as a list with its paging.
    pub fn write_list(
        &self,
        data: Vec<Value>,
        total: Option<u64>,
        place: impl FnOnce(&mut Page),
    ) -> Result<Answer, Problem> {
        let limit = paging::limit(self.input.get("limit"))?;
        let wants_summary = self.input.get("summary").is_some_and(|s| !matches!(s, "false" | "0" | "False"));
        let mut page = Page {
            rows: data,
            before: None,
            after: None,
            has_next: false,
            has_previous: false,
            summary: total.filter(|_| wants_summary).map(paging::summary),
        };
        place(&mut page);
        let params = self.repeated_params();
        let links = Links { base_url: self.input.base_url.as_deref(), path: &self.input.path, params: &params, limit };
        Ok(Answer::of(Value::Object(paging::list(page, &links))))
    }

    /// The parameters that links repeat: all that were sent, but no secret except the token and its
    /// proof.
    fn repeated_params(&self) -> Vec<(String, String)> {
        let kept = |name: &str, value: &str| {
            let goes_along = name == "access_token" || name == "appsecret_proof";
            if goes_along {
                self.input.token_in_params
            } else {
                !mask::is_secret_name(name) && !mask::looks_secret(name) && !mask::looks_secret(value)
            }
        };
        self.input.pairs.iter().filter(|(name, value)| kept(name, value)).cloned().collect()
    }

    /// The question of a list of records. Each step of the list asks it again.
    fn list_question(&self, node: &Node, edge: &'static Edge, listing: Listing) -> Question {
        match (listing, node) {
            (Listing::Tokens, _) => node.question(&rights::MANAGE_OR_SELF),
            (Listing::BusinessTokens, _) => node.question(&rights::MANAGE_BUSINESS),
            (Listing::AssignedUsers, Node::Asset(asset, _)) => {
                Question { target: Target::Asset(asset.id), ..rights::list_assigned(asset.kind) }
            }
            // A person reads its own row without any scope.
            (Listing::People, Node::Business(business)) if self.is_employee(business.id) => {
                rights::OPEN.on_business(business.id)
            }
            (Listing::Partners, Node::Asset(asset, _)) => rights::share(asset.id, asset.kind).need(Need::Admin),
            _ => node.question(&edge.right),
        }
    }

    /// Whether the caller is a person of a business with the role EMPLOYEE.
    fn is_employee(&self, business: BusinessId) -> bool {
        let allowed = self.service().may(self.call, rights::OPEN.on_business(business));
        allowed.is_some_and(|a| a.role == Role::Employee && matches!(a.caller, Caller::Person { .. }))
    }

    fn items(&self, node: &Node, edge: &'static Edge, listing: Listing) -> Result<Items, Problem> {
        let question = self.list_question(node, edge, listing);
        match listing {
            Listing::Empty => {
                self.service().ask(self.call, question)?;
                Ok(Items::Ids(Vec::new()))
            }
            Listing::People => self.people_ids(node, question),
            Listing::MyPermissions => self.scope_rows(question),
            Listing::AppPermissions => self.app_scope_rows(node, edge, question),
            Listing::AssignedUsers => self.assigned_user_ids(node, question),
            Listing::SystemUsers
            | Listing::Owned(_)
            | Listing::Client(_)
            | Listing::Reachable(_)
            | Listing::BusinessTokens
            | Listing::Agencies
            | Listing::Clients
            | Listing::InstalledApps
            | Listing::Tokens
            | Listing::Assigned(_)
            | Listing::AssignedAssets
            | Listing::MyPages
            | Listing::MyAdAccounts
            | Listing::MyBusinesses
            | Listing::MyBusinessUsers
            | Listing::Partners => {
                let read = |facts: &Facts<'_>| ids_of(facts, self.work, node, listing);
                let mut ids = self.service().step(self.call, question, read)?.into_inner();
                if is_newest_first(listing) {
                    ids.reverse();
                }
                Ok(Items::Ids(ids))
            }
        }
    }

    /// An ADMIN sees all people. A person with the role EMPLOYEE, or a person that was asked for no
    /// scope, sees only itself. Other callers are refused.
    fn people_ids(&self, node: &Node, question: Question) -> Result<Items, Problem> {
        let Node::Business(business) = node else { return Ok(Items::Ids(Vec::new())) };
        let business = business.id;
        let needs_no_scope = question.scopes.is_empty();
        let read = |facts: &Facts<'_>| {
            let own = match facts.allowed.caller {
                Caller::Person { person, .. } if needs_no_scope => Some(person),
                _ if Cx::is_admin(&facts.allowed) => None,
                Caller::Person { person, .. } => Some(person),
                Caller::SystemUser { .. } | Caller::App { .. } | Caller::Operator => return None,
            };
            let live = |p: &UserId| facts.person(*p).is_some_and(|p| p.status != Status::Deleted);
            let people = facts.people(business).into_iter();
            Some(people.filter(|p| own.is_none_or(|own| own == *p)).filter(live).map(Id::any).collect())
        };
        match self.service().step(self.call, question, read)?.into_inner() {
            Some(ids) => Ok(Items::Ids(ids)),
            // The right is asked here so that the refusal is recorded and explained.
            None => self.ask(node, &rights::MANAGE_BUSINESS).map(|_| Items::Ids(Vec::new())),
        }
    }

    fn scope_rows(&self, question: Question) -> Result<Items, Problem> {
        let allowed = self.service().ask(self.call, question)?;
        let scopes = allowed.scopes.with([Scope::PUBLIC_PROFILE].into_iter().collect());
        let wanted = self.input.get("permission");
        let names = scopes.names().into_iter().filter(|n| wanted.is_none_or(|w| w == *n));
        Ok(Items::Rows(
            names
                .map(|n| plain(&schema::PERMISSION, &[("permission", json!(n)), ("status", json!("granted"))]))
                .collect(),
        ))
    }

    fn app_scope_rows(&self, node: &Node, edge: &'static Edge, question: Question) -> Result<Items, Problem> {
        let Some(id) = node.id().map(AppId::of) else { return Ok(Items::Rows(Vec::new())) };
        let read = |facts: &Facts<'_>| {
            let is_itself = matches!(facts.allowed.caller, Caller::App { app, .. } if app == id);
            (is_itself, facts.app(id).map(|app| app.allowed_scopes).unwrap_or_default())
        };
        let (is_itself, scopes) = self.service().step(self.call, question, read)?.into_inner();
        if !is_itself {
            self.ask(node, &Right { who: Who::Admin, ..edge.right })?;
        }
        Ok(Items::Rows(
            scopes
                .names()
                .into_iter()
                .map(|n| plain(&schema::PERMISSION, &[("permission", json!(n)), ("status", json!("live"))]))
                .collect(),
        ))
    }

    /// Without MANAGE on the asset, a caller sees only its own row.
    fn assigned_user_ids(&self, node: &Node, question: Question) -> Result<Items, Problem> {
        let Node::Asset(asset, _) = node else { return Ok(Items::Ids(Vec::new())) };
        let named = self.input.id("business");
        let read = |facts: &Facts<'_>| {
            let allowed = &facts.allowed;
            let own = allowed.caller.business();
            let business = named.as_ref().ok().copied().flatten().or(own);
            // ADMINs of the owner may list a partner's users on the asset. Nobody else sees users
            // of another business.
            if business != own && !(asset.business == own && business.is_some() && Cx::is_admin(allowed)) {
                return Vec::new();
            }
            let manages = manages(asset.kind, allowed);
            let users = facts.users_on(asset.id).into_iter();
            users
                .filter(|u| manages || allowed.caller.user() == Some(*u))
                .filter(|u| facts.assignment(*u, asset.id).is_some_and(|a| Some(a.business) == business))
                .map(Id::any)
                .collect()
        };
        let ids = self.service().step(self.call, question, read)?.into_inner();
        // The right is checked before the parameter.
        named?;
        Ok(Items::Ids(ids))
    }

    fn cut_ids(&self, ids: Vec<Id>, tag: &str, newest_first: bool) -> Result<Cut<Id>, Problem> {
        let total = ids.len();
        let limit = paging::limit(self.input.get("limit"))? as usize;
        let place = |name: &str| -> Result<Option<Id>, Problem> {
            let Some(text) = self.input.get(name) else { return Ok(None) };
            let cursor = Cursor::decode(tag, text)?;
            Ok(Some(cursor.single_id().and_then(Id::new).ok_or_else(envelope::invalid_cursor)?))
        };
        let (start, end) = match (place("after")?, place("before")?) {
            (Some(after), _) => {
                let start = ids.partition_point(|id| if newest_first { *id >= after } else { *id <= after });
                (start, start.saturating_add(limit).min(total))
            }
            (None, Some(before)) => {
                let end = ids.partition_point(|id| if newest_first { *id > before } else { *id < before });
                (end.saturating_sub(limit), end)
            }
            (None, None) => (0, limit.min(total)),
        };
        let rows = ids.get(start..end).unwrap_or_default().to_vec();
        let cursor = |id: Option<&Id>| id.map(|id| Cursor::new([Key::Unsigned(id.get())]).encode(tag));
        Ok(Cut {
            before: cursor(rows.first()),
            after: cursor(rows.last()),
            has_next: end < total,
            has_previous: start > 0,
            total,
            rows,
        })
    }

    /// Rows without an order of their own are cut by their position.
    fn cut_rows(&self, rows: Vec<Row>, tag: &str) -> Result<Cut<Row>, Problem> {
        let total = rows.len();
        let limit = paging::limit(self.input.get("limit"))? as usize;
        let place = |name: &str| -> Result<Option<usize>, Problem> {
            let Some(text) = self.input.get(name) else { return Ok(None) };
            let at = Cursor::decode(tag, text)?.single_id().and_then(|n| usize::try_from(n).ok());
            Ok(Some(at.ok_or_else(envelope::invalid_cursor)?))
        };
        let (start, end) = match (place("after")?, place("before")?) {
            (Some(after), _) => {
                let start = after.saturating_add(1).min(total);
                (start, start.saturating_add(limit).min(total))
            }
            (None, Some(before)) => (before.min(total).saturating_sub(limit), before.min(total)),
            (None, None) => (0, limit.min(total)),
        };
        let cursor = |at: usize| (end > start).then(|| Cursor::new([Key::Unsigned(at as u64)]).encode(tag));
        let (before, after) = (cursor(start), cursor(end.saturating_sub(1)));
        let rows = rows.into_iter().skip(start).take(end - start).collect();
        Ok(Cut { rows, before, after, has_next: end < total, has_previous: start > 0, total })
    }
}

impl<T> Cut<T> {
    fn emptied(self) -> Cut<Row> {
        Cut {
            rows: Vec::new(),
            before: self.before,
            after: self.after,
            has_next: self.has_next,
            has_previous: self.has_previous,
            total: self.total,
        }
    }
}

/// The tag of the cursors of a list. A cursor is valid only for this node's list.
pub(super) fn list_tag(node: Option<Id>, edge: &Edge) -> String {
    let id = node.map(|id| id.to_string()).unwrap_or_default();
    format!("{id}/{}", edge.name)
}

fn manages(kind: AssetKind, allowed: &Allowed) -> bool {
    let manage = kind.row().and_then(|r| TaskSet::named(r.tasks, "MANAGE"));
    Cx::is_admin(allowed) || manage.is_some_and(|m| allowed.held.meets(m))
}

/// Whether a list shows its newest rows first.
fn is_newest_first(listing: Listing) -> bool {
    matches!(listing, Listing::Tokens | Listing::BusinessTokens)
}

/// The ids that a list shows to a caller.
fn ids_of(facts: &Facts<'_>, work: &Work, node: &Node, listing: Listing) -> Vec<Id> {
    let Some(id) = node.id() else { return Vec::new() };
    let (business, user) = (BusinessId::of(id), UserId::of(id));
    let (state, allowed) = (facts, &facts.allowed);
    let look = |list: List| {
        let ids = state.list(list);
        work.spend(ids.len() as u64);
        ids
    };
    match listing {
        Listing::SystemUsers => live_users(state, look(List::SystemUsers(business))),
        Listing::Owned(AssetKind::App) => match allowed.caller.user() {
            Some(user) if allowed.role != Role::Admin => look(List::InstalledApps(user)),
            _ => look(List::OwnedApps(business)),
        },
        Listing::Owned(kind) => reachable(state, look(List::OwnedAssets(business)), kind, allowed),
        Listing::Client(kind) => reachable(state, look(List::SharedAssets(business)), kind, allowed),
        Listing::Reachable(kind) => reachable(state, reached_by(&look, business), kind, allowed),
        Listing::Agencies => partners_of(state, &look(List::OwnedAssets(business))),
        Listing::Clients => owners_of(state, &look(List::SharedAssets(business))),
        Listing::InstalledApps => look(List::InstalledApps(user)),
        Listing::Tokens => look(List::TokensOf(user)),
        Listing::BusinessTokens => {
            let users = [List::SystemUsers(business), List::People(business)].into_iter().flat_map(&look);
            let mut ids: Vec<Id> =
                users.collect::<Vec<_>>().into_iter().flat_map(|u| look(List::TokensOf(UserId::of(u)))).collect();
            ids.sort_unstable();
            ids
        }
        Listing::Partners => partner_ids(facts, node, AssetId::of(id)),
        Listing::Assigned(kind) => of_kind(look(List::AssetsOf(user)), kind),
        Listing::AssignedAssets => look(List::AssetsOf(user)),
        Listing::MyPages => everything_of(&look, node, AssetKind::Page),
        Listing::MyAdAccounts => everything_of(&look, node, AssetKind::AdAccount),
        Listing::MyBusinesses => node.business().map(Id::any).into_iter().collect(),
        // A system user is no person: its list is empty, and never refused.
        Listing::MyBusinessUsers => {
            if matches!(node, Node::Person(_)) {
                vec![id]
            } else {
                Vec::new()
            }
        }
        // These listings have functions of their own.
        Listing::People
        | Listing::MyPermissions
        | Listing::AppPermissions
        | Listing::AssignedUsers
        | Listing::Empty => Vec::new(),
    }
}

/// The owner sees all partners of an asset; a partner sees only itself.
fn partner_ids(facts: &Facts<'_>, node: &Node, asset: AssetId) -> Vec<Id> {
    let own = facts.allowed.caller.business();
    let is_owner = node.business() == own;
    let partners = facts.partners_of(asset);
    partners.into_iter().filter(|p| is_owner || Some(*p) == own).map(Id::any).collect()
}

fn live_users(state: &Facts<'_>, users: Vec<Id>) -> Vec<Id> {
    let live = |u: &Id| state.system_user(UserId::of(*u)).is_some_and(|u| u.status != Status::Deleted);
    users.into_iter().filter(live).collect()
}

/// An EMPLOYEE sees only assets on which it holds a task.
fn reachable(state: &Facts<'_>, ids: Vec<Id>, kind: AssetKind, allowed: &Allowed) -> Vec<Id> {
    let mut ids = of_kind(ids, kind);
    if allowed.role != Role::Admin {
        ids.retain(|id| allowed.caller.user().is_some_and(|u| state.assignment(u, AssetId::of(*id)).is_some()));
    }
    ids
}

/// All assets of a kind that a user reaches: for an ADMIN those that its business owns or that are
/// shared with it, for an EMPLOYEE those assigned to it.
fn everything_of(look: &dyn Fn(List) -> Vec<Id>, node: &Node, kind: AssetKind) -> Vec<Id> {
    let (role, id, business) = match node {
        Node::SystemUser(u) => (u.role, u.id, u.business),
        Node::Person(p) => (p.role, p.id, p.business),
        Node::Business(_) | Node::Asset(..) | Node::Token(_) | Node::Post(_) | Node::Campaign(_) | Node::Row(..) => {
            return Vec::new();
        }
    };
    if role == Role::Employee {
        return of_kind(look(List::AssetsOf(id)), kind);
    }
    of_kind(reached_by(look, business), kind)
}

fn partners_of(state: &Facts<'_>, assets: &[Id]) -> Vec<Id> {
    distinct(assets.iter().flat_map(|a| state.partners_of(AssetId::of(*a))).map(Id::any).collect())
}

fn owners_of(state: &Facts<'_>, assets: &[Id]) -> Vec<Id> {
    distinct(assets.iter().filter_map(|a| state.asset(AssetId::of(*a))?.business).map(Id::any).collect())
}

/// All assets that a business owns or that are shared with it.
fn reached_by(look: &dyn Fn(List) -> Vec<Id>, business: BusinessId) -> Vec<Id> {
    distinct([look(List::OwnedAssets(business)), look(List::SharedAssets(business))].concat())
}

fn distinct(mut ids: Vec<Id>) -> Vec<Id> {
    ids.sort_unstable();
    ids.dedup();
    ids
}
