//! Rows: how the ids of a list become what it shows.
//!
//! Rows are made for one page only. Which ids a caller may see is decided before; a row adds nothing
//! to that.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use valetkey_domain::{AssetKind, Id, List};

use super::fields::defaults;
use super::input::Problem;
use super::lists::of_kind;
use super::{Cx, Node, Row};
use crate::protocol::fields::FieldSpec;
use crate::schema::{self, Edge, Op};

impl Cx<'_> {
    /// The rows of some ids, in their order.
    pub async fn materialise(&self, node: &Node, edge: &'static Edge, ids: &[Id]) -> Result<Vec<Row>, Problem> {
        match edge.op {
            Op::ListAssignedUsers => Ok(self.assigned_rows(node, ids)?),
            Op::ListPartners => Ok(self.partner_rows(node, ids)?),
            Op::ListTokens | Op::ListBusinessTokens => {
                let listed = self.service().tokens(ids).await?;
                Ok(listed.into_iter().map(|t| Row::of(Node::Token(Box::new(t)))).collect())
            }
            Op::ListAssigned(_) | Op::ListAssignedAssets => self.rows_with_tasks(node, ids, true).await,
            Op::MyPages
            | Op::MyAdAccounts
            | Op::ListOwned(_)
            | Op::ListClient(_)
            | Op::ListReachable(_)
            | Op::ListInstalledApps => self.rows_with_tasks(node, ids, false).await,
            Op::ListAgencies => self.agency_rows(node, ids),
            _ => Ok(self.service().read(|s| ids.iter().filter_map(|id| Node::known(s, *id)).map(Row::of).collect())?),
        }
    }

    /// Assets with the tasks of the user whose list it is. `always` shows them unasked.
    async fn rows_with_tasks(&self, node: &Node, ids: &[Id], always: bool) -> Result<Vec<Row>, Problem> {
        let mut details = self.service().details(ids).await?;
        let user = node.id().filter(|_| matches!(node, Node::SystemUser(_) | Node::Person(_)));
        let mut rows = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(asset) = self.service().read(|s| s.asset(*id))? else { continue };
            let mut row = Row::of(Node::Asset(asset.clone(), details.remove(id).unwrap_or_default()));
            let (assigned, permitted) = self.service().read(|s| {
                let assigned = user.and_then(|u| s.assignment(u, *id)).map(|a| a.tasks);
                let business = node.business();
                (
                    assigned,
                    business.filter(|b| asset.business != Some(*b)).and_then(|b| s.share(*id, b)).map(|s| s.tasks),
                )
            })?;
            if let Some(tasks) = assigned {
                row.extra.insert("tasks".to_owned(), json!(self.printed_tasks(asset.kind, tasks)));
            }
            if let Some(tasks) = permitted {
                row.extra.insert("permitted_tasks".to_owned(), json!(self.printed_tasks(asset.kind, tasks)));
            }
            if always {
                row.always = &["tasks"];
            }
            rows.push(row);
        }
        Ok(rows)
    }

    /// The tokens of the Pages among the rows, if these are asked for, derived together so that a
    /// list costs one commit at most.
    pub async fn tokens_of_rows(&self, edge: &Edge, ids: &[Id]) -> Result<Option<HashMap<Id, String>>, Problem> {
        let pages = of_kind(ids.to_vec(), AssetKind::PAGE);
        let shows_assets = matches!(
            edge.op,
            Op::MyPages | Op::ListOwned(_) | Op::ListClient(_) | Op::ListAssigned(_) | Op::ListAssignedAssets
        );
        let names = |specs: Vec<FieldSpec>| specs.iter().any(|s| s.name == "access_token" || s.name == "page_token");
        let wanted = || Ok::<_, Problem>(self.field_specs(1, &schema::PAGE)?.map_or(edge.op == Op::MyPages, names));
        if pages.is_empty() || !shows_assets || !wanted()? {
            return Ok(None);
        }
        Ok(Some(self.page_token_texts(&pages).await?.into_iter().collect()))
    }

    /// Partners of a business with what is shared with each, by kind, as far as the Graph has a name
    /// for such a list.
    fn agency_rows(&self, node: &Node, ids: &[Id]) -> Result<Vec<Row>, Problem> {
        let Some(business) = node.id() else { return Ok(Vec::new()) };
        let found = self.service().read(|s| {
            let owned = s.list(List::OwnedAssets(business));
            self.work.spend(owned.len() as u64 * ids.len() as u64);
            let shared = |partner: Id| {
                let share = |id: &Id| Some((s.asset(*id)?, s.share(*id, partner)?.tasks));
                owned.iter().filter_map(share).collect::<Vec<_>>()
            };
            ids.iter().filter_map(|id| Some((Node::known(s, *id)?, shared(*id)))).collect::<Vec<_>>()
        })?;
        Ok(found
            .into_iter()
            .map(|(partner, shared)| {
                let mut row = Row::of(partner);
                for (kind, name) in PERMISSION_LISTS {
                    let of_kind = shared.iter().filter(|(asset, _)| asset.kind == *kind);
                    let rows: Vec<Value> = of_kind
                        .map(|(asset, tasks)| {
                            json!({
                                "id": Node::Asset(asset.clone(), Map::new()).printed_id(),
                                "permitted_tasks": self.printed_tasks(*kind, *tasks),
                                "access_status": "CONFIRMED",
                            })
                        })
                        .collect();
                    row.extra.insert((*name).to_owned(), Value::from(rows));
                }
                row
            })
            .collect())
    }

    fn assigned_rows(&self, node: &Node, ids: &[Id]) -> Result<Vec<Row>, Problem> {
        let Node::Asset(asset, _) = node else { return Ok(Vec::new()) };
        let found = self.service().read(|s| {
            let row = |id: &Id| {
                let given = s.assignment(*id, asset.id)?;
                let (name, role, kind) = match (s.system_user(*id), s.person(*id)) {
                    (Some(u), _) => (u.name, u.role, "system_user"),
                    (None, Some(p)) => (p.name, p.role, "business_user"),
                    (None, None) => return None,
                };
                Some((*id, name, role, kind, given, s.business(s.assignment(*id, asset.id)?.business).map(|b| b.name)))
            };
            ids.iter().filter_map(row).collect::<Vec<_>>()
        })?;
        Ok(found
            .into_iter()
            .map(|(id, name, role, kind, given, business)| {
                plain(
                    &schema::ASSIGNED_USER,
                    &[
                        ("id", json!(id)),
                        ("name", json!(name)),
                        ("tasks", json!(self.printed_tasks(asset.kind, given.tasks))),
                        ("user_type", json!(kind)),
                        ("role", json!(role.as_str())),
                        ("business", json!({ "id": given.business, "name": business })),
                    ],
                )
            })
            .collect())
    }

    fn partner_rows(&self, node: &Node, ids: &[Id]) -> Result<Vec<Row>, Problem> {
        let Node::Asset(asset, _) = node else { return Ok(Vec::new()) };
        let found = self.service().read(|s| {
            let row = |id: &Id| Some((*id, s.business(*id)?.name, s.share(asset.id, *id)?.tasks));
            ids.iter().filter_map(row).collect::<Vec<_>>()
        })?;
        Ok(found
            .into_iter()
            .map(|(id, name, tasks)| {
                plain(
                    &schema::PARTNER,
                    &[
                        ("id", json!(id)),
                        ("name", json!(name)),
                        ("permitted_tasks", json!(self.printed_tasks(asset.kind, tasks))),
                        ("access_status", json!("CONFIRMED")),
                    ],
                )
            })
            .collect())
    }
}

/// What a row shows when nothing is asked for. `accounts` shows more than other lists of Pages,
/// because programs take page tokens from it.
pub(super) fn row_defaults(edge: &Edge, kind: &'static schema::NodeType) -> Vec<FieldSpec> {
    match edge.op {
        Op::MyPages => {
            ["access_token", "category", "category_list", "name", "id", "tasks"].map(FieldSpec::plain).to_vec()
        }
        // What the share permits goes with these lists, where there is a share.
        Op::ListClient(AssetKind::PAGE) | Op::ListAssigned(_) | Op::ListAssignedAssets => {
            let mut shown = defaults(kind, true);
            shown.push(FieldSpec::plain("permitted_tasks"));
            shown
        }
        Op::ListAgencies => {
            let lists = PERMISSION_LISTS.iter().map(|(_, name)| FieldSpec::plain(name));
            defaults(kind, true).into_iter().chain(lists).collect()
        }
        _ => defaults(kind, true),
    }
}

/// The lists in a business's `agencies` rows.
const PERMISSION_LISTS: &[(AssetKind, &str)] = &[
    (AssetKind::AD_ACCOUNT, "adaccount_permissions"),
    (AssetKind::PAGE, "page_permissions"),
    (AssetKind::APP, "application_permissions"),
    (AssetKind::CATALOG, "productcatalog_permissions"),
];

/// Gives each Page its token, as far as the caller may have it.
pub(super) fn give_tokens(rows: &mut [Row], tokens: &mut HashMap<Id, String>) {
    for row in rows {
        let Some(id) = row.node.id() else { continue };
        // Absent says that the caller may not have it, so that no row asks once more.
        let text = tokens.remove(&id).map_or(Value::Null, Value::from);
        row.extra.insert("access_token".to_owned(), text.clone());
        row.extra.insert("page_token".to_owned(), text);
    }
}

/// A row that is no thing of its own.
pub(super) fn plain(kind: &'static schema::NodeType, fields: &[(&str, Value)]) -> Row {
    let map: Map<String, Value> = fields.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
    Row::of(Node::Row(kind, map))
}
