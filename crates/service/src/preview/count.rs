//! Compares the state with and without a planned change set.
//!
//! A token stops if it works before and not after, whatever the change was; a user loses what it holds
//! before and not after. Some users at a time are compared under one lock.

use std::collections::HashMap;
use std::time::Duration;

use valetkey_authz::overlay::{Layer, Overlay};
use valetkey_domain::noun::assignment::Assignment;
use valetkey_domain::noun::share::Share;
use valetkey_domain::noun::token::Token;
use valetkey_domain::rules::revocation;
use valetkey_domain::{
    AssetId, AssetKind, BusinessId, Change, ChangeSet, Name, Record, Refusal, State, Status, TaskSet, TokenId, UnixMs,
    UserId,
};
use valetkey_store::TokenUse;
use valetkey_store::telemetry::day_of;

use super::act::Act;
use super::found::{EndedAssignment, EndedShare, LostByPartner, LostReach, NarrowedToken, Part, Preview, StoppedToken};
use super::touched::Touched;
use crate::access::{Column, Entry};
use crate::call::Call;
use crate::core::Service;
use crate::person::about;
use crate::token_status::{TokenStatus, status};

/// How many users' tokens are compared under one lock.
const COMPARED_USERS: usize = 16;
/// How many pairs of users and assets are compared under one lock.
const COMPARED_PAIRS: usize = 256;
/// Over how many days uses are counted, today among them.
const USED_DAYS: i64 = 30;
/// How long the store may take to say how tokens were used. A preview must not keep anybody from revoking.
const USES_PATIENCE: Duration = Duration::from_secs(2);

impl Service {
    /// What an act would take away now. It is refused as the act would be, by its right or by its rule,
    /// and changes nothing.
    ///
    /// # Errors
    /// The refusal.
    pub async fn preview(&self, call: &Call, act: Act) -> Result<Preview, Refusal> {
        let question = self.right_of_act(call, &act)?;
        let subject = act.subject();
        let dry = self.plan_dry(call, question, |planner, allowed| act.plan(planner, allowed));
        let dry = dry.map_err(|refusal| match subject {
            Some(id) => about(refusal, id),
            None => refusal,
        })?;
        let (own, now) = (dry.allowed.caller.business(), dry.now);
        let (changes_nothing, narrows) = (dry.set.changes.is_empty(), dry.set.narrows());
        let mut preview = Preview { changes_nothing, narrows, ..Preview::default() };
        let touched = Touched::of(&dry.set);
        let (users, pairs) = self.read(|state| {
            dry.set.changes.iter().for_each(|change| add_ended(state, change, own, &mut preview));
            (touched.users(state, own), touched.pairs(state, own))
        })?;
        let layer = layer_of(&dry.set);
        let layer = self.compare_tokens(&users, layer, now, &mut preview).await?;
        self.compare_reach(&pairs, layer, &mut preview.reach).await?;
        self.add_uses(&mut preview, now).await;
        Ok(preview)
    }

    async fn compare_tokens(
        &self,
        users: &[UserId],
        mut layer: Layer,
        now: UnixMs,
        preview: &mut Preview,
    ) -> Result<Layer, Refusal> {
        for some in users.chunks(COMPARED_USERS) {
            layer = self.read(|state| {
                let after = Overlay::over(state, layer);
                for token in some.iter().flat_map(|user| revocation::tokens_of(state, *user)) {
                    compare_token(state, &after, &token, now, preview);
                }
                after.into_layer()
            })?;
            tokio::task::yield_now().await;
        }
        Ok(layer)
    }

    async fn compare_reach(
        &self,
        pairs: &[(UserId, AssetId)],
        mut layer: Layer,
        reach: &mut Part<LostReach>,
    ) -> Result<(), Refusal> {
        for some in pairs.chunks(COMPARED_PAIRS) {
            layer = self.read(|state| {
                let after = Overlay::over(state, layer);
                some.iter().for_each(|(user, asset)| compare_pair(state, &after, (*user, *asset), reach));
                after.into_layer()
            })?;
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Adds to the listed tokens how they were used, as far as the store says it in time.
    async fn add_uses(&self, preview: &mut Preview, now: UnixMs) {
        let Preview { tokens, page_tokens, narrowed_tokens, .. } = preview;
        let narrowed = narrowed_tokens.rows.iter_mut().map(|row| &mut row.token);
        let mut rows: Vec<&mut StoppedToken> =
            tokens.rows.iter_mut().chain(page_tokens.rows.iter_mut()).chain(narrowed).collect();
        let ids: Vec<TokenId> = rows.iter().map(|row| row.id).collect();
        if ids.is_empty() {
            return;
        }
        let read = async {
            let last: HashMap<TokenId, TokenUse> = self.uses_of(&ids).await?;
            let lately = self.uses_since(&ids, day_of(now) - USED_DAYS + 1).await?;
            Ok::<_, Refusal>((last, lately))
        };
        let Ok(Ok((last, lately))) = tokio::time::timeout(USES_PATIENCE, read).await else { return };
        for row in &mut rows {
            row.last_used_at = last.get(&row.id).map(|used| used.used_at);
            row.uses_30_days = Some(lately.get(&row.id).copied().unwrap_or(0));
        }
    }
}

fn layer_of(set: &ChangeSet) -> Layer {
    let mut layer = Layer::default();
    layer.apply(set);
    layer
}

/// Adds assignments and shares that a change ends, and what partners lose. Assignments of another
/// business's users are left out.
fn add_ended(state: &dyn State, change: &Change, own: Option<BusinessId>, preview: &mut Preview) {
    let Some(before) = &change.before else { return };
    match before {
        Record::Assignment(gone) if change.after.is_none() => {
            if own.is_none_or(|own| own == gone.business) {
                preview.assignments.add(|| ended_assignment(state, gone));
            }
        }
        Record::Share(share) => {
            if change.after.is_none() {
                preview.shares.add(|| ended_share(state, share));
            }
            let after = change.after.as_ref().and_then(Share::from_ref);
            let Some(column) = Column::of(state, share.partner, share.asset) else { return };
            let left = after.map_or(TaskSet::EMPTY, |after| column.expanded(after.tasks));
            let lost = without(column.expanded(share.tasks), left);
            if !lost.is_empty() {
                preview.partners.add(|| {
                    let (asset_name, kind) = asset_words(state, share.asset);
                    LostByPartner {
                        partner: share.partner,
                        partner_name: business_name(state, share.partner),
                        asset: share.asset,
                        asset_name,
                        kind,
                        lost: column.short_names(lost),
                    }
                });
            }
        }
        // Their tokens and what their users reach are compared before and after.
        Record::Assignment(_)
        | Record::Business(_)
        | Record::Person(_)
        | Record::SystemUser(_)
        | Record::App(_)
        | Record::Connection(_)
        | Record::Installation(_)
        | Record::DeclaredKind(_)
        | Record::Asset(_)
        | Record::Token(_)
        | Record::PageCounter(_)
        | Record::SignInCode(_)
        | Record::Human(_)
        | Record::Passkey(_)
        | Record::Terms(_) => {}
    }
}

fn ended_assignment(state: &dyn State, gone: &Assignment) -> EndedAssignment {
    let (asset_name, kind) = asset_words(state, gone.asset);
    let column = Column::of(state, gone.business, gone.asset);
    EndedAssignment {
        user: gone.user,
        user_name: user_name(state, gone.user),
        asset: gone.asset,
        asset_name,
        kind,
        tasks: column.map(|column| column.names(gone.tasks)).unwrap_or_default(),
    }
}

fn ended_share(state: &dyn State, share: &Share) -> EndedShare {
    let (asset_name, kind) = asset_words(state, share.asset);
    let column = Column::of(state, share.partner, share.asset);
    EndedShare {
        asset: share.asset,
        asset_name,
        kind,
        partner: share.partner,
        partner_name: business_name(state, share.partner),
        tasks: column.map(|column| column.names(share.tasks)).unwrap_or_default(),
    }
}

/// Adds a token that works before and not after, or that may do less after.
fn compare_token(state: &dyn State, after: &dyn State, token: &Token, now: UnixMs, preview: &mut Preview) {
    if status(state, token, now) != TokenStatus::Live {
        return;
    }
    match after.token(token.id).filter(|left| status(after, left, now) == TokenStatus::Live) {
        None if token.page.is_some() => preview.page_tokens.add(|| token_row(state, token)),
        None => preview.tokens.add(|| token_row(state, token)),
        Some(left) => {
            let lost = token.effective_scopes(state).without(left.effective_scopes(after));
            if !lost.is_empty() {
                preview.narrowed_tokens.add(|| NarrowedToken { token: token_row(state, token), lost });
            }
        }
    }
}

fn token_row(state: &dyn State, token: &Token) -> StoppedToken {
    StoppedToken {
        id: token.id,
        kind: token.kind,
        user: token.user,
        user_name: user_name(state, token.user),
        app: token.app,
        app_name: token.app.and_then(|app| state.app(app)).map(|app| app.name),
        page: token.page,
        page_name: token.page.and_then(|page| state.asset(page)).map(|page| page.name),
        created_at: token.created_at,
        expires_at: token.expires_at,
        last_used_at: None,
        uses_30_days: None,
    }
}

/// Adds a user that holds less on an asset after than before.
fn compare_pair(state: &dyn State, after: &dyn State, (user, asset): (UserId, AssetId), reach: &mut Part<LostReach>) {
    let Some((entry, column, before)) = held(state, user, asset) else { return };
    let left = held(after, user, asset).map_or(TaskSet::EMPTY, |(_, _, left)| left);
    let lost = without(before, left);
    if lost.is_empty() {
        return;
    }
    reach.add(|| LostReach {
        user,
        user_name: entry.name,
        asset,
        asset_name: column.asset.name.clone(),
        kind: column.asset.kind,
        lost: column.short_names(lost),
        keeps_some: !left.is_empty(),
    });
}

/// What a user holds; a user that is switched off holds nothing.
fn held(state: &dyn State, user: UserId, asset: AssetId) -> Option<(Entry, Column, TaskSet)> {
    let entry = Entry::of(state, user).filter(|entry| entry.status == Status::Active)?;
    let column = Column::of(state, entry.business, asset)?;
    let tasks = column.held(state, &entry)?.tasks;
    Some((entry, column, tasks))
}

fn without(before: TaskSet, after: TaskSet) -> TaskSet {
    TaskSet(before.0 & !after.0)
}

fn asset_words(state: &dyn State, id: AssetId) -> (Option<Name>, Option<AssetKind>) {
    state.asset(id).map_or((None, None), |asset| (Some(asset.name), Some(asset.kind)))
}

fn user_name(state: &dyn State, id: UserId) -> Option<Name> {
    Entry::of(state, id).map(|entry| entry.name)
}

fn business_name(state: &dyn State, id: BusinessId) -> Option<Name> {
    state.business(id).map(|business| business.name)
}
