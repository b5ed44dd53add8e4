//! Reading nodes: from the texts that name them, under the right that was chosen for them.
//! No row is read without the decision that it stands under.

use serde_json::{Map, Value};
use valetkey_domain::{AssetId, AssetKind, BusinessId, ContentId, Id, IdKind, TaskSet, TokenId};
use valetkey_service::Facts;
use valetkey_service::authz::{Allowed, Question, Sorts};
use valetkey_service::read::{Body, Guard};
use valetkey_service::rights::{self, Right};

use super::access::{self, ContentAccess, app_access, is_partner};
use super::cx::Cx;
use super::input::Problem;
use super::node::{Named, Node, Row, is_unpublished};
use super::shown::Access;
use crate::protocol::value::{self, IdText};
use crate::refusal::missing_object;
use crate::schema::Level;

impl Cx<'_> {
    /// What texts name, in their order; `None` for a text that can't be an id.
    pub async fn named(&self, texts: &[&str]) -> Result<Vec<Option<Named>>, Problem> {
        let read: Vec<_> = texts.iter().map(|text| value::id(text).ok()).collect();
        let id_of = |text: &IdText| match text {
            IdText::Object(n) | IdText::AdAccount(n) | IdText::Pair(_, n) => Id::new(*n),
        };
        let ids: Vec<Id> = read.iter().flatten().filter_map(id_of).collect();
        let guards = self.service().guards(&ids).await?;
        let named = |text: &Option<IdText>| {
            let text = text.as_ref()?;
            let id = id_of(text)?;
            let guard = guards.get(&id).copied().unwrap_or(Guard::Absent);
            let fits = match text {
                IdText::Object(_) => true,
                IdText::AdAccount(_) => guard == Guard::Asset { kind: AssetKind::AdAccount },
                // `{page}_{post}`: the second number names the post; the first must be its Page.
                IdText::Pair(page, _) => {
                    matches!(guard, Guard::Content { kind: IdKind::Post, asset, .. } if asset.get() == *page)
                }
            };
            let is_there =
                !matches!(guard, Guard::SystemUser { deleted: true, .. } | Guard::Person { deleted: true, .. });
            Some(Named { id, guard: if fits && is_there { guard } else { Guard::Absent } })
        };
        Ok(read.iter().map(named).collect())
    }

    /// What an id names.
    pub async fn named_id(&self, id: Id) -> Result<Named, Problem> {
        Ok(Named { id, guard: self.service().guard(id).await? })
    }

    /// Reads a node under a right, which is decided just before. `wanted` is the highest level of
    /// the requested fields. An asset is read without its descriptive fields.
    pub async fn load(&self, named: &Named, right: &Right, wanted: Level) -> Result<Row, Problem> {
        let mut rows = self.load_all(&[(*named, *right)], wanted).await?;
        rows.pop().flatten().ok_or_else(|| missing_object(self.input.verb, self.input.named().unwrap_or("me")).into())
    }

    /// The same with the descriptive fields of an asset.
    pub async fn load_whole(&self, named: &Named, right: &Right, wanted: Level) -> Result<Row, Problem> {
        let mut row = self.load(named, right, wanted).await?;
        self.add_details(std::iter::once(&mut row)).await?;
        Ok(row)
    }

    /// Reads several nodes, each under its right. The first refusal in their order is the answer.
    /// All bodies of content are read by one statement; content deleted meanwhile is `None`.
    pub async fn load_all(&self, wanted: &[(Named, Right)], level: Level) -> Result<Vec<Option<Row>>, Problem> {
        let mut rows: Vec<Option<Row>> = Vec::with_capacity(wanted.len());
        let mut permits = Vec::new();
        for (at, (named, right)) in wanted.iter().enumerate() {
            rows.push(match named.guard {
                Guard::Content { .. } => {
                    let permit = self.service().permit(self.call, ContentId::of(named.id), &named.guard, right)?;
                    permits.push((at, permit, self.content_access(named, level)));
                    None
                }
                Guard::Token { .. } => Some(self.load_token(named, level).await?),
                Guard::Business
                | Guard::SystemUser { .. }
                | Guard::Person { .. }
                | Guard::App { .. }
                | Guard::Asset { .. }
                | Guard::Absent => self.load_record(named, right, level)?,
            });
        }
        let (places, permits): (Vec<_>, Vec<_>) = permits.into_iter().map(|(at, p, s)| ((at, s), p)).unzip();
        if permits.is_empty() {
            return Ok(rows);
        }
        let bodies = self.service().bodies(&permits).await?;
        for ((at, access), (named, right)) in places.into_iter().filter_map(|place| Some((place, wanted.get(place.0)?)))
        {
            let Some(body) = bodies.get(&ContentId::of(named.id)) else { continue };
            let row = content_row(&named.guard, body, access)?;
            // Unpublished content needs another right than published content.
            if right.scopes == rights::READ_POST.scopes && is_unpublished(&row.node) {
                self.service().ask(self.call, named.question(&rights::READ_SCHEDULED))?;
            }
            if let Some(place) = rows.get_mut(at) {
                *place = Some(row);
            }
        }
        Ok(rows)
    }

    fn load_record(&self, named: &Named, right: &Right, level: Level) -> Result<Option<Row>, Problem> {
        if let Some(row) = self.known_by_name(named, level) {
            // The lookup above isn't counted. The answer must count as a use of the token.
            self.service().ask(self.call, Question::alive())?;
            return Ok(Some(row));
        }
        let read = |facts: &Facts<'_>| {
            let node = Node::known(&**facts, named.id)?;
            let access = access::of(facts, &node, level);
            Some(Row::seen(node, access))
        };
        Ok(self.service().step(self.call, named.question(right), read)?.into_inner())
    }

    /// The service asks the right itself. A token that isn't visible looks like an id that was
    /// never issued; every other refusal is answered as it is.
    async fn load_token(&self, named: &Named, level: Level) -> Result<Row, Problem> {
        let token = self.service().get_token(self.call, TokenId::of(named.id)).await?;
        let node = Node::Token(Box::new(token));
        let access = self.access_of(&node, level);
        Ok(Row::seen(node, access))
    }

    /// Adds the descriptive fields of assets. Seeing the asset is the only right they need.
    pub async fn add_details<'r>(&self, rows: impl Iterator<Item = &'r mut Row>) -> Result<(), Problem> {
        let mut assets: Vec<(AssetId, &mut Map<String, Value>)> = rows
            .filter_map(|row| {
                let Node::Asset(asset, details) = &mut row.node else { return None };
                (asset.kind != AssetKind::App).then_some((asset.id, details))
            })
            .collect();
        if assets.is_empty() {
            return Ok(());
        }
        let ids: Vec<AssetId> = assets.iter().map(|(id, _)| *id).collect();
        let open = Right { sorts: Sorts::ANY, ..rights::OPEN };
        let mut read = self.service().details(self.call, &ids, |id, kind| open.on_asset(id, kind)).await?;
        for (id, details) in &mut assets {
            **details = read.remove(id).unwrap_or_default();
        }
        Ok(())
    }

    /// What the caller holds on an asset, as the Graph prints it.
    pub fn printed_tasks(&self, kind: AssetKind, held: TaskSet) -> Vec<String> {
        use valetkey_domain::task::Vocabulary;
        let declared = self.service().declared_kind(kind);
        let set = if held == TaskSet::ALL { kind.full_tasks() } else { held };
        Vocabulary::of(kind, declared.as_ref())
            .map(|w| w.names(set).into_iter().map(str::to_owned).collect())
            .unwrap_or_default()
    }

    /// Asks a right about a node.
    pub fn ask(&self, node: &Node, right: &Right) -> Result<Allowed, Problem> {
        Ok(self.service.ask(self.call, node.question(right))?)
    }

    /// A node that the caller may name without a right to it: a partner of its business, the owner
    /// of an asset that it works on, the app of its token, and, for an app token, other apps of its
    /// business.
    pub fn known_by_name(&self, named: &Named, wanted: Level) -> Option<Row> {
        let read = |facts: &Facts<'_>| match named.guard {
            Guard::Business if is_partner(facts, BusinessId::of(named.id)) => {
                Node::known(&**facts, named.id).map(|node| Row::seen(node, Access::Named))
            }
            Guard::App { business } => {
                let access = app_access(facts, named, business, wanted)?;
                Node::known(&**facts, named.id).map(|node| Row::seen(node, access))
            }
            Guard::Business
            | Guard::SystemUser { .. }
            | Guard::Person { .. }
            | Guard::Asset { .. }
            | Guard::Token { .. }
            | Guard::Content { .. }
            | Guard::Absent => None,
        };
        self.service.quiet_step(self.call, Question::alive(), read)?.into_inner()
    }
}

fn content_row(guard: &Guard, body: &Body, access: ContentAccess) -> Result<Row, Problem> {
    let node = match guard {
        Guard::Content { kind: IdKind::Post, .. } => Node::Post(body.item()?),
        Guard::Content { kind: IdKind::Campaign, .. } => Node::Campaign(body.item()?),
        Guard::Content { .. }
        | Guard::Business
        | Guard::SystemUser { .. }
        | Guard::Person { .. }
        | Guard::App { .. }
        | Guard::Asset { .. }
        | Guard::Token { .. }
        | Guard::Absent => return Err(crate::protocol::envelope::server_fault().into()),
    };
    let access = access.of(&node);
    Ok(Row::seen(node, access))
}
