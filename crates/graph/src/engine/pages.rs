//! Posts of a Page.

use serde::de::DeserializeOwned;
use serde_json::Value;
use valetkey_domain::post::{LINK_LIMIT_BYTES, MESSAGE_LIMIT_BYTES, Post, PostInput, PostState};
use valetkey_domain::{AssetId, AssetKind, ContentId, Id, IdKind};
use valetkey_service::authz::Question;
use valetkey_service::content::{ContentQuery, Item};
use valetkey_service::rights::{self, Right};

use super::input::Problem;
use super::lists::list_tag;
use super::work::BYTES_LIMIT;
use super::{Answer, Cx, Node, Row};
use crate::protocol::cursor::{Cursor, Key};
use crate::protocol::envelope;
use crate::protocol::paging;
use crate::schema::{Edge, PostList};

/// Further parameters of a post that are kept as they came.
const KEPT: &[&str] = &[
    "attached_media",
    "child_attachments",
    "call_to_action",
    "targeting",
    "feed_targeting",
    "place",
    "tags",
    "backdated_time",
    "backdated_time_granularity",
    "unpublished_content_type",
    "is_pinned",
    "picture",
    "caption",
    "description",
    "name",
];
/// The longest value of one of them, in bytes.
const KEPT_LIMIT_BYTES: usize = 20_000;
/// How many rows of content are read at a time. Even the largest that can be stored then fit into
/// one answer.
pub(super) const CONTENT_ROWS: usize = 80;
const _: () = assert!(CONTENT_ROWS * LARGEST_ROW_BYTES <= BYTES_LIMIT as usize);
/// A post with everything as long as it may be; campaigns are smaller.
const LARGEST_ROW_BYTES: usize = KEPT.len() * KEPT_LIMIT_BYTES + MESSAGE_LIMIT_BYTES + LINK_LIMIT_BYTES + 1_000;

/// A rendered page of content.
pub(crate) struct Rendered {
    pub data: Vec<Value>,
    /// The sort key of each row.
    pub keys: Vec<(i64, ContentId)>,
    pub more: bool,
}

impl Cx<'_> {
    pub async fn publish(&self, node: &Node) -> Result<Answer, Problem> {
        let page = node.asset_id().ok_or_else(envelope::server_fault)?;
        let published = self.input.boolean("published")?;
        let for_ads = self.is_for_ads(published);
        let question = self.right_to_publish().on_asset(page, AssetKind::Page);
        let mut input = self.post_input()?;
        input.published = if for_ads { Some(false) } else { published };
        let done = self.service().create_post(self.call, question, page, input).await?;
        let body = self.made(Node::Post(done.value)).await?;
        Ok(Answer::made(body, done.revision))
    }

    /// A post that is shown on the Page, now or later, is no post for ads, whatever
    /// `unpublished_content_type` says.
    fn is_for_ads(&self, published: Option<bool>) -> bool {
        self.input.get("unpublished_content_type") == Some("ADS_POST")
            && published != Some(true)
            && self.input.get("scheduled_publish_time").is_none()
    }

    /// The right that the new post needs. If a parameter can't be read, it is the stricter one.
    pub fn right_to_publish(&self) -> Right {
        let published = self.input.boolean("published").unwrap_or(Some(true));
        if self.is_for_ads(published) { rights::PUBLISH_ADS_POST } else { rights::PUBLISH }
    }

    /// The least right that a change of a post needs. The actual changes may need more.
    pub fn right_to_change_post(&self) -> Right {
        if self.input.get("is_hidden").is_some() { rights::HIDE_POST } else { rights::PUBLISH }
    }

    fn post_input(&self) -> Result<PostInput, Problem> {
        let more = self.input.kept(KEPT, KEPT_LIMIT_BYTES)?;
        Ok(PostInput {
            message: self.input.raw("message").map(str::to_owned),
            link: self.input.get("link").map(str::to_owned),
            published: None,
            scheduled_at: self.input.time("scheduled_publish_time")?,
            hidden: None,
            more,
        })
    }

    pub async fn update_post(&self, node: &Node) -> Result<Answer, Problem> {
        let Node::Post(post) = node else { return Err(envelope::unsupported_method("post").into()) };
        let hides = self.input.get("is_hidden").is_some();
        let mut input = self.post_input()?;
        input.hidden = self.input.boolean("is_hidden")?;
        // Programs send the whole post back, so equal values are no change.
        let is_published = post.body.state == PostState::Published;
        input.published = self.input.boolean("is_published")?.filter(|p| *p != is_published);
        input.message = input.message.filter(|m| Some(m) != post.body.message.as_ref());
        input.link = input.link.filter(|l| Some(l) != post.body.link.as_ref());
        input.scheduled_at = input.scheduled_at.filter(|at| Some(*at) != post.body.scheduled_at);
        input.more.retain(|name, value| post.body.more.get(name) != Some(value));
        // The right to hide covers hiding and nothing else.
        let hides_only = input.message.is_none()
            && input.link.is_none()
            && input.published.is_none()
            && input.scheduled_at.is_none()
            && input.more.is_empty();
        let right = if hides && hides_only { rights::HIDE_POST } else { rights::PUBLISH };
        let question = right.on_asset(post.asset, AssetKind::Page);
        let done = self.service().update_post(self.call, question, post.id, input).await?;
        Ok(Answer::success(done.revision))
    }

    pub async fn delete_post(&self, node: &Node) -> Result<Answer, Problem> {
        let Node::Post(post) = node else { return Err(envelope::unsupported_method("delete").into()) };
        let question = rights::PUBLISH.on_asset(post.asset, AssetKind::Page);
        let done = self.service().delete_post(self.call, question, post.id).await?;
        Ok(Answer::success(done.revision))
    }

    pub async fn list_posts(&self, node: &Node, edge: &'static Edge, which: PostList) -> Result<Answer, Problem> {
        let page = node.asset_id().ok_or_else(envelope::server_fault)?;
        // The right is asked before the parameters are read, and again with each read.
        self.ask(node, &edge.right)?;
        let statuses = match which {
            PostList::Published => vec![PostState::Published.as_str().to_owned()],
            PostList::Scheduled => vec![PostState::Scheduled.as_str().to_owned()],
            PostList::Ads => vec![PostState::Unpublished.as_str().to_owned()],
        };
        let query = self.content_query(page, IdKind::Post, statuses, edge)?;
        self.write_content::<Post>(edge, node.question(&edge.right), query, Node::Post).await
    }

    /// The query behind a list of content, with cursors and limit from the paging parameters.
    pub fn content_query(
        &self,
        parent: AssetId,
        kind: IdKind,
        statuses: Vec<String>,
        edge: &Edge,
    ) -> Result<ContentQuery, Problem> {
        let tag = list_tag(Some(parent.any()), edge);
        let place = |name: &str| -> Result<Option<(i64, ContentId)>, Problem> {
            let Some(text) = self.input.get(name) else { return Ok(None) };
            match Cursor::decode(&tag, text)?.keys() {
                [Key::Signed(at), Key::Unsigned(id)] => {
                    Ok(Some((*at, Id::new(*id).ok_or_else(envelope::invalid_cursor)?)))
                }
                _ => Err(envelope::invalid_cursor().into()),
            }
        };
        let after = place("after")?;
        Ok(ContentQuery {
            parent: parent.any(),
            kind: kind as u8,
            statuses,
            before: if after.is_some() { None } else { place("before")? },
            after,
            since: self.input.time("since")?,
            until: self.input.time("until")?,
            ascending: self.input.get("order") == Some("chronological"),
            limit: paging::limit(self.input.get("limit"))? as usize,
        })
    }

    /// Reads a page of content piece by piece, and writes it with its cursors.
    pub async fn write_content<T: DeserializeOwned>(
        &self,
        edge: &'static Edge,
        question: Question,
        query: ContentQuery,
        node: fn(Item<T>) -> Node,
    ) -> Result<Answer, Problem> {
        let backwards = query.before.is_some();
        let mut pieces: Vec<Vec<Value>> = Vec::new();
        let mut keys: Vec<(i64, ContentId)> = Vec::new();
        let mut part = query.clone();
        let more = loop {
            part.limit = (query.limit - keys.len()).min(CONTENT_ROWS);
            let access = self.list_access(edge, question)?;
            let found = self.service().list_content::<T>(self.call, question, &part).await?.into_inner();
            self.work.spend(found.rows.len() as u64);
            let more = found.more;
            let read: Vec<(i64, ContentId)> = found.rows.iter().map(|t| (t.sort_at, t.id)).collect();
            let rows: Vec<Row> = found.rows.into_iter().map(|t| access.row(node(t))).collect();
            let mut data = Vec::with_capacity(rows.len());
            self.render_rows(edge, &rows, &mut data).await?;
            pieces.push(data);
            // A page that is read backwards is filled from its end.
            let place = if backwards { read.first() } else { read.last() }.copied();
            if backwards {
                keys.splice(0..0, read);
            } else {
                keys.extend(read);
            }
            let Some(place) = place.filter(|_| more && keys.len() < query.limit) else { break more };
            *(if backwards { &mut part.before } else { &mut part.after }) = Some(place);
        };
        if backwards {
            pieces.reverse();
        }
        let page = Rendered { data: pieces.into_iter().flatten().collect(), keys, more };
        self.write_content_page(edge, question, &query, page, None).await
    }

    /// Writes rendered rows of content with their cursors. `counted` is the total where the store
    /// can't count it.
    pub async fn write_content_page(
        &self,
        edge: &'static Edge,
        question: Question,
        query: &ContentQuery,
        page: Rendered,
        counted: Option<u64>,
    ) -> Result<Answer, Problem> {
        let Rendered { data, keys, more } = page;
        let total = match (counted, self.input.get("summary")) {
            (Some(counted), _) => Some(counted),
            (None, Some(_)) => Some(self.service().count_content(self.call, question, query).await?),
            (None, None) => None,
        };
        let tag = list_tag(Some(query.parent), edge);
        let cursor = |key: Option<&(i64, ContentId)>| {
            key.map(|(at, id)| Cursor::new([Key::Signed(*at), Key::Unsigned(id.get())]).encode(&tag))
        };
        let (before, after) = (cursor(keys.first()), cursor(keys.last()));
        let backwards = query.before.is_some();
        self.write_list(data, total, |page| {
            page.before = before;
            page.after = after;
            page.has_next = if backwards { true } else { more };
            page.has_previous = if backwards { more } else { query.after.is_some() };
        })
    }
}
