//! The values of the fields of each kind of node.

use serde_json::{Value, json};
use valetkey_domain::post::PostState;
use valetkey_domain::{AppId, AssetKind, Id, UnixMs};
use valetkey_service::{Checked, Facts};

use super::{Cx, Node, VISIBLE};
use crate::protocol::times::graph_time;

/// The value of a field, or how to get it.
pub(crate) enum FieldValue {
    Json(Value),
    /// Another node, which is read with a right of its own.
    Node(Id),
    /// What the caller may do on the asset.
    Tasks,
    PageToken,
    Nothing,
}

impl FieldValue {
    /// Another node, if there is one.
    fn node(id: Option<impl Into<Id>>) -> FieldValue {
        id.map_or(FieldValue::Nothing, |id| FieldValue::Node(id.into()))
    }
}

impl From<Value> for FieldValue {
    fn from(value: Value) -> FieldValue {
        if value.is_null() { FieldValue::Nothing } else { FieldValue::Json(value) }
    }
}

fn time(at: UnixMs) -> Value {
    Value::String(graph_time(at))
}

fn money(amount: Option<i64>) -> Value {
    amount.map_or(Value::Null, |a| Value::String(a.to_string()))
}

/// The value of a field of a node.
pub(crate) fn value(cx: &Cx<'_>, node: &Node, name: &str) -> FieldValue {
    if name == "id" {
        return FieldValue::Json(Value::String(node.printed_id()));
    }
    match node {
        Node::Business(b) => match name {
            "name" => json!(b.name).into(),
            "created_time" => time(b.created_at).into(),
            "verification_status" => json!("not_verified").into(),
            "two_factor_type" => json!("none").into(),
            _ => FieldValue::Nothing,
        },
        Node::SystemUser(u) => match name {
            "name" => json!(u.name).into(),
            "role" => json!(u.role.as_str()).into(),
            "status" => json!(u.status.as_str()).into(),
            "created_time" => time(u.created_at).into(),
            "created_by" => FieldValue::node(u.created_by),
            "business" => FieldValue::node(Some(u.business)),
            _ => FieldValue::Nothing,
        },
        Node::Person(p) => match name {
            "name" => json!(p.name).into(),
            "role" => json!(p.role.as_str()).into(),
            "email" => json!(p.email).into(),
            "status" => json!(p.status.as_str()).into(),
            "created_time" => time(p.created_at).into(),
            "business" => FieldValue::node(Some(p.business)),
            _ => FieldValue::Nothing,
        },
        Node::Asset(..) => asset_value(cx, node, name),
        Node::Token(_) => token_value(node, name),
        Node::Post(_) => post_value(cx, node, name),
        Node::Campaign(_) => campaign_value(node, name),
        Node::Row(_, fields) => fields.get(name).cloned().unwrap_or_default().into(),
    }
}

/// An address at this server, if the base URL is known.
fn address(cx: &Cx<'_>, path: impl std::fmt::Display) -> FieldValue {
    cx.input.base_url.as_ref().map_or(FieldValue::Nothing, |base| json!(format!("{base}/{path}")).into())
}

fn asset_value(cx: &Cx<'_>, node: &Node, name: &str) -> FieldValue {
    let Node::Asset(asset, details) = node else { return FieldValue::Nothing };
    match name {
        "name" => return json!(asset.name).into(),
        "created_time" | "creation_time" => return time(asset.created_at).into(),
        "business" | "owner_business" => return FieldValue::node(asset.business),
        "tasks" | "user_tasks" => return FieldValue::Tasks,
        _ => {}
    }
    if let Some(kept) = details.get(name) {
        return kept.clone().into();
    }
    match asset.kind {
        AssetKind::Page => match name {
            "access_token" | "page_token" => FieldValue::PageToken,
            "category" => json!("Local business").into(),
            "category_list" => {
                let category = details.get("category").cloned().unwrap_or_else(|| json!("Local business"));
                json!([{ "id": "2500", "name": category }]).into()
            }
            "link" => address(cx, asset.id),
            "is_published" => json!(true).into(),
            "fan_count" | "followers_count" => json!(0).into(),
            "verification_status" => json!("not_verified").into(),
            _ => FieldValue::Nothing,
        },
        AssetKind::AdAccount => match name {
            "account_id" => json!(asset.id.to_string()).into(),
            "account_status" => json!(1).into(),
            "currency" => json!("USD").into(),
            "timezone_name" => json!("Etc/UTC").into(),
            "timezone_id" => json!(0).into(),
            "timezone_offset_hours_utc" => json!(0).into(),
            "amount_spent" | "balance" | "spend_cap" => json!("0").into(),
            "min_daily_budget" => json!(valetkey_domain::campaign::MIN_DAILY_BUDGET).into(),
            "disable_reason" => json!(0).into(),
            "owner" => asset.business.map_or(Value::Null, |b| json!(b)).into(),
            "business_name" => {
                let name = |facts: &Facts<'_>| asset.business.and_then(|b| facts.business(b)).map(|b| b.name);
                let name = cx.service().quiet_step(cx.call, node.question(&VISIBLE), name);
                name.and_then(Checked::into_inner).map_or(Value::Null, |name| json!(name)).into()
            }
            "age" => json!((cx.now - asset.created_at) as f64 / 86_400_000.0).into(),
            "is_prepay_account" | "is_personal" => {
                json!(if name == "is_personal" { json!(0) } else { json!(false) }).into()
            }
            _ => FieldValue::Nothing,
        },
        AssetKind::App => app_value(cx, node, AppId::of(asset.id.any()), name),
        AssetKind::Catalog => match name {
            "vertical" => json!("commerce").into(),
            "product_count" | "feed_count" => json!(0).into(),
            _ => FieldValue::Nothing,
        },
        AssetKind::Pixel => match name {
            "is_crm" | "is_unavailable" => json!(false).into(),
            _ => FieldValue::Nothing,
        },
        AssetKind::Declared(_) if name == "kind" => {
            let declared = cx.service().declared_kind(asset.kind);
            declared.map_or(Value::Null, |k| json!(k.word)).into()
        }
        AssetKind::InstagramAccount | AssetKind::WhatsappAccount | AssetKind::Declared(_) => FieldValue::Nothing,
    }
}

fn app_value(cx: &Cx<'_>, node: &Node, id: AppId, name: &str) -> FieldValue {
    // These values are the same for every app, so no record is read.
    match name {
        "category" => return json!("Business").into(),
        "link" => return address(cx, id),
        _ => {}
    }
    let read = |facts: &Facts<'_>| {
        let app = facts.app(id)?;
        let connected = facts.connection(app.business, id).is_some();
        Some((app, connected))
    };
    let read = cx.service().quiet_step(cx.call, node.question(&VISIBLE), read).and_then(Checked::into_inner);
    let Some((app, connected)) = read else { return FieldValue::Nothing };
    match name {
        "allowed_scopes" => json!(app.allowed_scopes).into(),
        "demands_proof" => json!(app.demands_proof).into(),
        "connected" => json!(connected).into(),
        _ => FieldValue::Nothing,
    }
}

fn token_value(node: &Node, name: &str) -> FieldValue {
    let Node::Token(listed) = node else { return FieldValue::Nothing };
    let token = &listed.token;
    let used = listed.last_used.as_ref();
    match name {
        "app" => FieldValue::node(token.app),
        "user" => FieldValue::node(Some(token.user)),
        "created_by" => FieldValue::node(token.created_by),
        "page" => FieldValue::node(token.page),
        "scopes" => json!(listed.scopes).into(),
        "parent" => json!(token.parent).into(),
        "type" => json!(token.kind.as_str()).into(),
        "created_time" => time(token.created_at).into(),
        "expires_at" => json!(token.expires_at.map_or(0, |e| e / 1000)).into(),
        "last_used_time" => used.map_or(Value::Null, |u| time(u.used_at)).into(),
        "last_used_ip" => used.filter(|u| !u.ip.is_empty()).map_or(Value::Null, |u| json!(u.ip)).into(),
        "use_count" => json!(used.map_or(0, |u| u.count)).into(),
        "purpose" => json!(token.purpose).into(),
        "status" => json!(listed.status.as_str()).into(),
        _ => FieldValue::Nothing,
    }
}

fn post_value(cx: &Cx<'_>, node: &Node, name: &str) -> FieldValue {
    let Node::Post(post) = node else { return FieldValue::Nothing };
    let body = &post.body;
    match name {
        "message" => json!(body.message).into(),
        "link" => json!(body.link).into(),
        "story" => match (&body.message, &body.link) {
            (None, Some(_)) => json!("Shared a link.").into(),
            _ => FieldValue::Nothing,
        },
        "created_time" => time(post.sort_at).into(),
        "updated_time" => time(post.updated_at).into(),
        "permalink_url" => address(cx, format!("console/content/{}", post.id)),
        "from" => FieldValue::node(Some(post.asset)),
        "admin_creator" => FieldValue::node(body.author),
        "application" => FieldValue::node(body.app),
        "is_published" => json!(body.state == PostState::Published).into(),
        "is_hidden" => json!(body.hidden).into(),
        "is_expired" | "is_popular" | "is_spherical" | "subscribed" => json!(false).into(),
        "scheduled_publish_time" => json!(body.scheduled_at.map(|at| at / 1000)).into(),
        "status_type" => json!(if body.link.is_some() { "shared_story" } else { "mobile_status_update" }).into(),
        "promotable_id" => json!(node.printed_id()).into(),
        "privacy" => {
            json!({ "allow": "", "deny": "", "description": "Public", "friends": "", "value": "EVERYONE" }).into()
        }
        "failed" => json!(body.failed).into(),
        other => body.more.get(other).cloned().unwrap_or_default().into(),
    }
}

fn campaign_value(node: &Node, name: &str) -> FieldValue {
    let Node::Campaign(campaign) = node else { return FieldValue::Nothing };
    let body = &campaign.body;
    match name {
        "name" => json!(body.name),
        "account_id" => json!(campaign.asset),
        "objective" => json!(body.objective),
        "status" | "configured_status" | "effective_status" => json!(body.status),
        "special_ad_categories" => json!(body.special_ad_categories),
        "special_ad_category" => json!(body.special_ad_categories.first().map_or("NONE", String::as_str)),
        "special_ad_category_country" => json!(body.special_ad_category_country),
        "buying_type" => json!(body.buying_type),
        "bid_strategy" => json!(body.bid_strategy),
        "daily_budget" => money(body.daily_budget),
        "lifetime_budget" => money(body.lifetime_budget),
        // Nothing is spent here, so what remains is the whole budget.
        "budget_remaining" => money(body.daily_budget.or(body.lifetime_budget).or(Some(0))),
        "spend_cap" => money(body.spend_cap),
        "start_time" => body.start_at.map_or_else(|| time(campaign.created_at), time),
        "stop_time" => body.stop_at.map_or(Value::Null, time),
        "created_time" => time(campaign.created_at),
        "updated_time" => time(campaign.updated_at),
        "source_campaign_id" => body.more.get("source_campaign_id").cloned().unwrap_or_else(|| json!("0")),
        other => body.more.get(other).cloned().unwrap_or_default(),
    }
    .into()
}
