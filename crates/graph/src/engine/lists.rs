//! Lists: which things an edge shows, page by page.
//!
//! Lists of ids are cut by id, so a row that comes or goes between two pages moves no other row.

use serde_json::{Value, json};
use valetkey_domain::{AssetKind, Caller, Id, List, Role, Scope, State, Status, TaskSet};
use valetkey_http::mask;
use valetkey_service::authz::{Allowed, Need, Question, Target};
use valetkey_service::rights::{self, Right, Who};

use super::input::Problem;
use super::read::Place;
use super::rows::{give_tokens, plain, row_defaults};
use super::{Answer, Cx, Node, Row, Work};
use crate::protocol::cursor::{Cursor, Key};
use crate::protocol::envelope;
use crate::protocol::paging::{self, Links, Page};
use crate::schema::{self, Edge, Op};

/// How many rows are rendered at a time; the page tokens for so many are made in one commit.
const CHUNK_ROWS: usize = 250;
/// How many assets are read with their descriptive fields at a time, so that the largest that can be
/// stored together are not more than one answer may hold.
const DETAIL_ROWS: usize = 20;
const _: () = assert!(DETAIL_ROWS * LARGEST_DETAILS_BYTES <= super::work::BYTES_LIMIT as usize);
/// The descriptive fields of a Page, each as long as it may be.
const LARGEST_DETAILS_BYTES: usize = 80 * super::assets::DETAIL_LIMIT_BYTES;

/// What a list is made of before it is cut into pages.
enum Items {
    /// Ids in ascending order; rows are made for one page only.
    Ids(Vec<Id>),
    /// Rows that are all known, few by their nature.
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
            Op::ListPosts(which) => return self.list_posts(node, edge, which).await,
            Op::ListCampaigns => return self.list_campaigns(node, edge).await,
            _ => {}
        }
        let (data, cut) = match self.items(node, edge)? {
            Items::Ids(ids) => {
                let newest_first = matches!(edge.op, Op::ListTokens | Op::ListBusinessTokens);
                let cut = self.cut_ids(ids, &list_tag(node.id(), edge), newest_first)?;
                let mut data = Vec::with_capacity(cut.rows.len());
                // Fields that can't be read are told so even where there is no row to show them.
                self.render_rows(edge, &[], &mut data).await?;
                for ids in cut.rows.chunks(CHUNK_ROWS) {
                    let mut tokens = self.tokens_of_rows(edge, ids).await?;
                    for ids in ids.chunks(DETAIL_ROWS) {
                        let mut rows = self.materialise(node, edge, ids).await?;
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

    /// Renders rows behind those that are rendered already. Long lists come in pieces, so that no
    /// more than a piece of what is stored is in memory at once.
    pub async fn render_rows(&self, edge: &'static Edge, rows: &[Row], data: &mut Vec<Value>) -> Result<(), Problem> {
        let limit = paging::limit(self.input.get("limit"))?;
        let row_type = schema::find(edge.rows);
        let asked = self.field_specs(u64::from(limit), row_type.unwrap_or(&schema::DECLARED_ASSET))?;
        for row in rows {
            let usual;
            let specs = match &asked {
                Some(specs) => specs,
                None => {
                    // Rows of every kind have each their own fields.
                    let kind = if edge.op == Op::ListAssignedAssets { None } else { row_type };
                    usual = row_defaults(edge, kind.unwrap_or(row.node.kind()));
                    &usual
                }
            };
            data.push(Value::Object(self.render(row, specs, Place::Row).await?));
        }
        if !rows.is_empty() {
            // A long page must not keep the others of this thread waiting.
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

    /// The parameters that links repeat: all that were sent, but no secret beside the token and the
    /// proof that goes with it.
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

    fn items(&self, node: &Node, edge: &'static Edge) -> Result<Items, Problem> {
        match edge.op {
            Op::EmptyList => {
                self.ask(node, &edge.right)?;
                Ok(Items::Ids(Vec::new()))
            }
            Op::ListTokens | Op::ListBusinessTokens => self.token_ids(node, edge),
            Op::ListPeople => self.people_ids(node, edge),
            Op::MyPermissions => self.scope_rows(node, edge),
            Op::ListAppPermissions => self.app_scope_rows(node, edge),
            Op::ListAssignedUsers => self.assigned_user_ids(node),
            Op::ListPartners => self.partner_ids(node),
            _ => {
                let allowed = self.ask(node, &edge.right)?;
                Ok(Items::Ids(self.service().read(|state| ids_of(state, self.work, node, edge, &allowed))?))
            }
        }
    }

    fn token_ids(&self, node: &Node, edge: &'static Edge) -> Result<Items, Problem> {
        let id = node.id().ok_or_else(envelope::server_fault)?;
        let ids = match edge.op {
            Op::ListBusinessTokens => self.service().business_token_ids(self.call, id)?,
            _ => self.service().token_ids(self.call, id)?,
        };
        self.work.spend(ids.len() as u64);
        Ok(Items::Ids(ids))
    }

    /// ADMINs see all people, a person with the role EMPLOYEE itself, and no other EMPLOYEE any.
    fn people_ids(&self, node: &Node, edge: &'static Edge) -> Result<Items, Problem> {
        let allowed = self.ask(node, &edge.right)?;
        let Some(business) = node.id() else { return Ok(Items::Ids(Vec::new())) };
        let own = match allowed.caller {
            _ if Cx::is_admin(&allowed) => None,
            Caller::Person { person, .. } => Some(person),
            // Asked, so that the no can be explained.
            _ => self.ask(node, &rights::MANAGE_BUSINESS).map(|_| None)?,
        };
        let ids = self.service().read(|s| {
            let live = |p: &Id| s.person(*p).is_some_and(|p| p.status != Status::Deleted);
            s.list(List::People(business))
                .into_iter()
                .filter(|p| own.is_none_or(|own| own == *p))
                .filter(live)
                .collect()
        })?;
        Ok(Items::Ids(ids))
    }

    fn scope_rows(&self, node: &Node, edge: &'static Edge) -> Result<Items, Problem> {
        let allowed = self.ask(node, &edge.right)?;
        let scopes = allowed.scopes.with([Scope::PUBLIC_PROFILE].into_iter().collect());
        let wanted = self.input.get("permission");
        let names = scopes.names().into_iter().filter(|n| wanted.is_none_or(|w| w == *n));
        Ok(Items::Rows(
            names
                .map(|n| plain(&schema::PERMISSION, &[("permission", json!(n)), ("status", json!("granted"))]))
                .collect(),
        ))
    }

    fn app_scope_rows(&self, node: &Node, edge: &'static Edge) -> Result<Items, Problem> {
        let allowed = self.ask(node, &edge.right)?;
        let Some(id) = node.id() else { return Ok(Items::Rows(Vec::new())) };
        if !matches!(allowed.caller, Caller::App { app, .. } if app == id) {
            self.ask(node, &Right { who: Who::Admin, ..edge.right })?;
        }
        let scopes = self.service().read(|s| s.app(id).map(|a| a.allowed_scopes))?.unwrap_or_default();
        Ok(Items::Rows(
            scopes
                .names()
                .into_iter()
                .map(|n| plain(&schema::PERMISSION, &[("permission", json!(n)), ("status", json!("live"))]))
                .collect(),
        ))
    }

    /// Without MANAGE on the asset a caller sees its own row alone.
    fn assigned_user_ids(&self, node: &Node) -> Result<Items, Problem> {
        let Node::Asset(asset, _) = node else { return Ok(Items::Ids(Vec::new())) };
        let question = Question { target: Target::Asset(asset.id), ..rights::list_assigned(asset.kind) };
        let allowed = self.service().ask(self.call, question)?;
        let business = match self.input.id("business")? {
            Some(id) => Some(id),
            None => allowed.caller.business(),
        };
        // The owner's ADMINs may ask who of a partner works on the asset; nobody else learns of users
        // of another business.
        let own = allowed.caller.business();
        if business != own && !(asset.business == own && business.is_some() && Cx::is_admin(&allowed)) {
            return Ok(Items::Ids(Vec::new()));
        }
        let manages = self.manages(asset.kind, &allowed);
        let ids = self.service().read(|s| {
            let users = s.list(List::UsersOn(asset.id)).into_iter();
            users
                .filter(|u| manages || allowed.caller.user() == Some(*u))
                .filter(|u| s.assignment(*u, asset.id).is_some_and(|a| Some(a.business) == business))
                .collect()
        })?;
        Ok(Items::Ids(ids))
    }

    fn manages(&self, kind: AssetKind, allowed: &Allowed) -> bool {
        let manage = kind.row().and_then(|r| TaskSet::named(r.tasks, "MANAGE"));
        Cx::is_admin(allowed) || manage.is_some_and(|m| allowed.held.meets(m))
    }

    fn partner_ids(&self, node: &Node) -> Result<Items, Problem> {
        let Node::Asset(asset, _) = node else { return Ok(Items::Ids(Vec::new())) };
        let allowed = self.service().ask(self.call, rights::share(asset.id, asset.kind).need(Need::Admin))?;
        let own = allowed.caller.business();
        let partners = self.service().read(|s| s.list(List::PartnersOf(asset.id)))?;
        let is_owner = asset.business == own;
        Ok(Items::Ids(partners.into_iter().filter(|p| is_owner || Some(*p) == own).collect()))
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

/// What cursors of a list are made for: the list of this node alone.
pub(super) fn list_tag(node: Option<Id>, edge: &Edge) -> String {
    let id = node.map(|id| id.to_string()).unwrap_or_default();
    format!("{id}/{}", edge.name)
}

/// The ids that an edge shows to a caller.
fn ids_of(state: &dyn State, work: &Work, node: &Node, edge: &Edge, allowed: &Allowed) -> Vec<Id> {
    let Some(id) = node.id() else { return Vec::new() };
    let look = |list: List| {
        let ids = state.list(list);
        work.spend(ids.len() as u64);
        ids
    };
    match edge.op {
        Op::ListSystemUsers => live_users(state, look(List::SystemUsers(id))),
        Op::ListOwned(AssetKind::APP) => match allowed.caller.user() {
            Some(user) if allowed.role != Role::Admin => look(List::InstalledApps(user)),
            _ => look(List::OwnedApps(id)),
        },
        Op::ListOwned(kind) => reachable(state, look(List::OwnedAssets(id)), kind, allowed),
        Op::ListClient(kind) => reachable(state, look(List::SharedAssets(id)), kind, allowed),
        Op::ListReachable(kind) => {
            let mut ids = look(List::OwnedAssets(id));
            ids.extend(look(List::SharedAssets(id)));
            ids.sort_unstable();
            ids.dedup();
            reachable(state, ids, kind, allowed)
        }
        Op::ListAgencies => partners_of(state, &look(List::OwnedAssets(id))),
        Op::ListClients => owners_of(state, &look(List::SharedAssets(id))),
        Op::ListInstalledApps => look(List::InstalledApps(id)),
        Op::ListAssigned(AssetKind::APP) => of_kind(look(List::AssetsOf(id)), AssetKind::APP),
        Op::ListAssigned(kind) => of_kind(look(List::AssetsOf(id)), kind),
        Op::ListAssignedAssets => look(List::AssetsOf(id)),
        Op::MyPages => everything_of(&look, node, AssetKind::PAGE),
        Op::MyAdAccounts => everything_of(&look, node, AssetKind::AD_ACCOUNT),
        Op::MyBusinesses => node.business().into_iter().collect(),
        // A system user is no person: its list is empty, and never refused.
        Op::MyBusinessUsers => {
            if matches!(node, Node::Person(_)) {
                vec![id]
            } else {
                Vec::new()
            }
        }
        _ => Vec::new(),
    }
}

fn live_users(state: &dyn State, users: Vec<Id>) -> Vec<Id> {
    let live = |u: &Id| state.system_user(*u).is_some_and(|u| u.status != Status::Deleted);
    users.into_iter().filter(live).collect()
}

pub(super) fn of_kind(ids: Vec<Id>, kind: AssetKind) -> Vec<Id> {
    ids.into_iter().filter(|id| id.kind() == Some(kind.id_kind())).collect()
}

/// An EMPLOYEE sees only what it holds some task on.
fn reachable(state: &dyn State, ids: Vec<Id>, kind: AssetKind, allowed: &Allowed) -> Vec<Id> {
    let mut ids = of_kind(ids, kind);
    if allowed.role != Role::Admin {
        ids.retain(|id| allowed.caller.user().is_some_and(|u| state.assignment(u, *id).is_some()));
    }
    ids
}

/// Everything of a kind that a user reaches: an ADMIN what its business owns or has been given,
/// an EMPLOYEE what is assigned to it.
fn everything_of(look: &dyn Fn(List) -> Vec<Id>, node: &Node, kind: AssetKind) -> Vec<Id> {
    let (role, id, business) = match node {
        Node::SystemUser(u) => (u.role, u.id, u.business),
        Node::Person(p) => (p.role, p.id, p.business),
        _ => return Vec::new(),
    };
    if role == Role::Employee {
        return of_kind(look(List::AssetsOf(id)), kind);
    }
    let mut ids = look(List::OwnedAssets(business));
    ids.extend(look(List::SharedAssets(business)));
    ids.sort_unstable();
    ids.dedup();
    of_kind(ids, kind)
}

fn partners_of(state: &dyn State, assets: &[Id]) -> Vec<Id> {
    let mut ids: Vec<Id> = assets.iter().flat_map(|a| state.list(List::PartnersOf(*a))).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn owners_of(state: &dyn State, assets: &[Id]) -> Vec<Id> {
    let mut ids: Vec<Id> = assets.iter().filter_map(|a| state.asset(*a)?.business).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
