//! Content: posts, campaigns and the descriptive fields of assets, written under the same decision
//! and the same commit as everything else.

use serde_json::{Map, Value};
use valetkey_authz::{Allowed, Question};
use valetkey_domain::campaign::{Campaign, CampaignInput};
use valetkey_domain::post::{Post, PostInput, PostState};
use valetkey_domain::rules::asset;
use valetkey_domain::{Action, AssetId, Caller, ContentId, IdKind, Name, Planner, Reason, Refusal};
pub use valetkey_store::ContentQuery;
use valetkey_store::{Content, ContentWrite, JobWrite};

use crate::call::Call;
use crate::core::Service;
use crate::jobs::{publish_job, publish_job_of};
use crate::writer::{Done, Plan};

use crate::content_row::new_row;
pub use crate::content_row::{Item, Rows};
pub(crate) use crate::content_row::{changed_row, content_plan, details_of, details_row, store_refusal};

/// How often a write is tried when another write changed the row first.
const CONFLICT_TRIES: usize = 8;

impl Service {
    /// Publishes, schedules or drafts a post on a Page.
    ///
    /// # Errors
    /// The refusal of the question or of the post's rules.
    pub async fn create_post(
        &self,
        call: &Call,
        question: Question,
        page: AssetId,
        input: PostInput,
    ) -> Result<Done<Item<Post>>, Refusal> {
        self.retry(|| {
            let input = input.clone();
            self.command(call, question, move |planner, allowed| {
                let now = planner.now();
                let app = match allowed.caller {
                    Caller::SystemUser { app, .. } => Some(app),
                    Caller::Person { .. } | Caller::App { .. } | Caller::Operator => None,
                };
                let post = Post::create(input.clone(), allowed.caller.user(), app, now)?;
                let id = planner.new_id(IdKind::Post);
                let status = post.state.as_str();
                let row = new_row(id, IdKind::Post, page, status, now, &post)?;
                let jobs = publish_job(planner.state(), id, page, &post, allowed)?;
                let plan = content_plan(
                    planner,
                    allowed,
                    Action::ContentCreated,
                    ContentWrite::Insert(row),
                    &[id.any(), page.any()],
                    jobs,
                );
                Ok((plan, Item { id, asset: page, created_at: now, updated_at: now, sort_at: now, body: post }))
            })
        })
        .await
    }

    /// Changes a post.
    ///
    /// # Errors
    /// `not_visible` if it is gone, else the refusal of the question or of the post's rules.
    pub async fn update_post(
        &self,
        call: &Call,
        question: Question,
        id: ContentId,
        input: PostInput,
    ) -> Result<Done<Item<Post>>, Refusal> {
        self.retry(|| async {
            let row = self.row(IdKind::Post, id).await?;
            let old: Item<Post> = Item::read(&row)?;
            let input = input.clone();
            self.command(call, question, move |planner, allowed| {
                let now = planner.now();
                let was = (old.body.state, old.body.scheduled_at);
                let post = old.body.clone().edit(input.clone(), now)?;
                let mut new = changed_row(&row, post.state.as_str(), now, &post)?;
                if was.0 != PostState::Published && post.state == PostState::Published {
                    new.sort_at = now;
                }
                let mut jobs = Vec::new();
                if (post.state, post.scheduled_at) != was {
                    jobs.push(JobWrite::Cancel { id: publish_job_of(id) });
                    jobs.extend(publish_job(planner.state(), id, row.asset, &post, allowed)?);
                }
                let sort_at = new.sort_at;
                let write = ContentWrite::Update { row: new, expected: row.version };
                let plan =
                    content_plan(planner, allowed, Action::ContentUpdated, write, &[id.any(), row.asset.any()], jobs);
                Ok((plan, Item { updated_at: now, sort_at, body: post, ..old.clone() }))
            })
            .await
        })
        .await
    }

    /// Deletes a post.
    ///
    /// # Errors
    /// `not_visible` if it is gone, else the refusal of the question.
    pub async fn delete_post(&self, call: &Call, question: Question, id: ContentId) -> Result<Done<()>, Refusal> {
        self.retry(|| async {
            let row = self.row(IdKind::Post, id).await?;
            self.command(call, question, move |planner, allowed| {
                let jobs = vec![JobWrite::Cancel { id: publish_job_of(id) }];
                let write = ContentWrite::Delete { id, expected: row.version };
                Ok((
                    content_plan(planner, allowed, Action::ContentDeleted, write, &[id.any(), row.asset.any()], jobs),
                    (),
                ))
            })
            .await
        })
        .await
    }

    /// Makes a campaign in an ad account.
    ///
    /// # Errors
    /// The refusal of the question or of the campaign's rules.
    pub async fn create_campaign(
        &self,
        call: &Call,
        question: Question,
        account: AssetId,
        input: CampaignInput,
    ) -> Result<Done<Item<Campaign>>, Refusal> {
        self.retry(|| {
            let input = input.clone();
            self.command(call, question, move |planner, allowed| {
                let now = planner.now();
                let campaign = Campaign::create(input.clone())?;
                let id = planner.new_id(IdKind::Campaign);
                let row = new_row(id, IdKind::Campaign, account, &campaign.status, now, &campaign)?;
                let plan = content_plan(
                    planner,
                    allowed,
                    Action::ContentCreated,
                    ContentWrite::Insert(row),
                    &[id.any(), account.any()],
                    Vec::new(),
                );
                Ok((plan, Item { id, asset: account, created_at: now, updated_at: now, sort_at: now, body: campaign }))
            })
        })
        .await
    }

    /// Changes a campaign; setting the status DELETED is how one is deleted.
    ///
    /// # Errors
    /// `not_visible` if there is none, else the refusal of the question or of the campaign's rules.
    pub async fn update_campaign(
        &self,
        call: &Call,
        question: Question,
        id: ContentId,
        input: CampaignInput,
    ) -> Result<Done<Item<Campaign>>, Refusal> {
        self.retry(|| async {
            let row = self.row(IdKind::Campaign, id).await?;
            let old: Item<Campaign> = Item::read(&row)?;
            let input = input.clone();
            self.command(call, question, move |planner, allowed| {
                let now = planner.now();
                let campaign = old.body.clone().edit(input.clone())?;
                let gone = campaign.status == "DELETED";
                let write = ContentWrite::Update {
                    row: changed_row(&row, &campaign.status, now, &campaign)?,
                    expected: row.version,
                };
                let action = if gone { Action::ContentDeleted } else { Action::ContentUpdated };
                let plan = content_plan(planner, allowed, action, write, &[id.any(), row.asset.any()], Vec::new());
                Ok((plan, Item { updated_at: now, body: campaign, ..old.clone() }))
            })
            .await
        })
        .await
    }

    /// Changes an asset in one commit: its name, if one is given, and its descriptive fields. A field in
    /// `fields` replaces the stored one, and `null` removes it.
    ///
    /// # Errors
    /// The refusal of the question or of the name.
    pub async fn update_asset(
        &self,
        call: &Call,
        question: Question,
        id: AssetId,
        name: Option<Name>,
        changes: Map<String, Value>,
    ) -> Result<Done<()>, Refusal> {
        if changes.is_empty() {
            return match name {
                Some(name) => self.rename_asset(call, question, id, name).await,
                None => self.command(call, question, |planner, allowed| Ok((unchanged(planner, allowed), ()))).await,
            };
        }
        self.retry(|| async {
            let row = self.store().content(details_of(id)).await.map_err(|e| store_refusal(&e))?;
            let (changes, name) = (changes.clone(), name.clone());
            self.command(call, question, move |planner, allowed| {
                let write = details_write(planner, id, row.as_ref(), &changes)?;
                let renamed = name.clone().map(|n| asset::rename(planner, &allowed.caller, id, n)).transpose()?;
                Ok(match renamed.filter(|set| !set.changes.is_empty()) {
                    Some(set) => (Plan { set, content: vec![write], jobs: Vec::new() }, ()),
                    None => {
                        (content_plan(planner, allowed, Action::ContentUpdated, write, &[id.any()], Vec::new()), ())
                    }
                })
            })
            .await
        })
        .await
    }

    pub(crate) async fn row(&self, kind: IdKind, id: ContentId) -> Result<Content, Refusal> {
        let row = self.store().content(id).await.map_err(|e| store_refusal(&e))?;
        row.filter(|r| r.kind == kind as u8).ok_or_else(|| Refusal::not_visible(id))
    }

    /// Tries a write again as long as another write changes the row first.
    async fn retry<T, F, Fut>(&self, attempt: F) -> Result<Done<T>, Refusal>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<Done<T>, Refusal>>,
    {
        for _ in 1..CONFLICT_TRIES {
            match attempt().await {
                Err(refusal) if refusal.reason == Reason::Conflict => {}
                other => return other,
            }
        }
        attempt().await
    }
}

fn unchanged(planner: &mut Planner<'_>, allowed: &Allowed) -> Plan {
    Plan::of(planner.finish(Action::ContentUpdated, &allowed.caller, allowed.caller.business(), &[]))
}

/// The changed descriptive fields of an asset, as a write over the row that was read.
fn details_write(
    planner: &Planner<'_>,
    asset: AssetId,
    row: Option<&Content>,
    changes: &Map<String, Value>,
) -> Result<ContentWrite, Refusal> {
    let mut fields: Map<String, Value> = row.and_then(|r| serde_json::from_str(&r.body).ok()).unwrap_or_default();
    for (name, value) in changes {
        if value.is_null() {
            fields.remove(name)
        } else {
            fields.insert(name.clone(), value.clone())
        };
    }
    Ok(match row {
        Some(row) => ContentWrite::Update { row: changed_row(row, "", planner.now(), &fields)?, expected: row.version },
        None => ContentWrite::Insert(details_row(planner, asset, &fields)?),
    })
}
