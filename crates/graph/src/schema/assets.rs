//! Instagram accounts, WhatsApp accounts and assets of declared kinds, and the edges that every
//! kind of asset has: who is assigned to it, and which partners it is shared with.
//!
//! The rights of those edges are listed here for the documents; the service asks the same ones
//! itself.

use valetkey_service::authz::Sorts;
use valetkey_service::rights::{self, OPEN, Right, Tasks, Who};

use super::Type::{Id, List, Node, Text, Time};
use super::{Edge, Field, Listing, NodeType, Op, Param, Verb, Write, param, required};

pub(super) static TYPES: &[&NodeType] = &[&INSTAGRAM_ACCOUNT, &WHATSAPP_ACCOUNT, &DECLARED_ASSET];

/// An edge that is read.
pub(super) const fn get(
    name: &'static str,
    op: Op,
    rows: &'static str,
    params: &'static [Param],
    right: Right,
    what: &'static str,
) -> Edge {
    Edge { name, verb: Verb::Get, op, rows, params, right, what }
}

/// An edge that makes or changes something.
pub(super) const fn post(
    name: &'static str,
    op: Op,
    rows: &'static str,
    params: &'static [Param],
    right: Right,
    what: &'static str,
) -> Edge {
    Edge { name, verb: Verb::Post, op, rows, params, right, what }
}

/// An edge that deletes or removes something.
pub(super) const fn delete(
    name: &'static str,
    op: Op,
    params: &'static [Param],
    right: Right,
    what: &'static str,
) -> Edge {
    Edge { name, verb: Verb::Delete, op, rows: "", params, right, what }
}

/// A list that is always empty, because its rows can't be created yet.
pub(super) const fn empty(name: &'static str, right: Right, what: &'static str) -> Edge {
    get(name, Op::List(Listing::Empty), "", &[], right, what)
}

/// A change of the node itself.
pub(super) const fn update(op: Op, params: &'static [Param], right: Right, what: &'static str) -> Edge {
    post("", op, "", params, right, what)
}

/// The right to list who is assigned.
pub(super) const fn may_list(scopes: &'static [&'static str]) -> Right {
    Right { scopes, tasks: Tasks::Any, sorts: Sorts::USERS_AND_PAGE, ..OPEN }
}

/// The right to change who is assigned, and to see or end shares.
pub(super) const fn may_assign(scopes: &'static [&'static str]) -> Right {
    Right { who: Who::Admin, scopes, ..OPEN }
}

/// The right to share.
pub(super) const fn may_share(scopes: &'static [&'static str]) -> Right {
    Right { who: Who::OwnerAdmin, scopes, ..OPEN }
}

/// The business whose users are listed.
pub(super) const OF_BUSINESS: &[Param] = &[param("business", Id)];

/// `GET assigned_users`.
pub(super) const fn assigned(right: Right) -> Edge {
    let what = "People and system users that are assigned, with their tasks; without MANAGE only one's own row. `business` picks another business that reaches the asset; without it, the caller's.";
    get("assigned_users", Op::List(Listing::AssignedUsers), "AssignedUser", OF_BUSINESS, right, what)
}

/// `POST assigned_users`.
pub(super) const fn assign(right: Right) -> Edge {
    let what = "Assigns a person or a system user with tasks; replaces the tasks that were set before. An ADMIN of a partner may give at most the permitted tasks.";
    post("assigned_users", Op::Write(Write::AssignUser), "", ASSIGN, right, what)
}

/// `DELETE assigned_users`.
pub(super) const fn unassign(right: Right) -> Edge {
    let what = "Takes the assignment away; it stops to count at once.";
    delete("assigned_users", Op::Write(Write::UnassignUser), UNASSIGN, right, what)
}

/// `GET agencies`.
pub(super) const fn partners(right: Right) -> Edge {
    let what = "Partners that the asset is shared with; an ADMIN of a partner sees its own row.";
    get("agencies", Op::List(Listing::Partners), "Agency", &[], right, what)
}

/// `POST agencies`.
pub(super) const fn share(right: Right) -> Edge {
    post(
        "agencies",
        Op::Write(Write::ShareAsset),
        "",
        SHARE,
        right,
        "Shares the asset with another business, up to the permitted tasks.",
    )
}

/// `DELETE agencies`.
pub(super) const fn unshare(right: Right) -> Edge {
    let what = "Ends the share, with every assignment that rested on it. An ADMIN of the owner may do it, or one of that partner.";
    delete("agencies", Op::Write(Write::UnshareAsset), UNSHARE, right, what)
}

const ASSIGN: &[Param] = &[required("user", Id), required("tasks", List), param("business", Id)];
const UNASSIGN: &[Param] = &[required("user", Id)];
const SHARE: &[Param] = &[required("business", Id), required("permitted_tasks", List)];
const UNSHARE: &[Param] = &[required("business", Id)];

const INSTAGRAM: &[&str] = &["business_management", "instagram_basic"];
const WHATSAPP: &[&str] = &["business_management", "whatsapp_business_management"];
const DECLARED: &[&str] = &["business_management"];

/// An Instagram account.
pub static INSTAGRAM_ACCOUNT: NodeType = NodeType {
    name: "InstagramUser",
    fields: &[
        Field::new("id", Id).identity().both(),
        Field::new("name", Text).identity(),
        Field::new("username", Text).identity().row(),
        Field::new("business", Node("Business")).identity(),
        Field::new("owner_business", Node("Business")).identity(),
        Field::new("created_time", Time).identity(),
        Field::new("tasks", List).identity(),
        Field::new("permitted_tasks", List).identity(),
    ],
    absent: "biography followers_count follows_count has_profile_pic ig_id is_published legacy_instagram_user_id media_count \
             business_discovery mentioned_comment mentioned_media shopping_product_tag_eligibility shopping_review_status website",
    kept: "profile_picture_url",
    identity: rights::READ_INSTAGRAM,
    full: rights::READ_INSTAGRAM,
    guarded: may_assign(INSTAGRAM),
    calls: &[],
    edges: &[
        assigned(may_list(INSTAGRAM)),
        assign(may_assign(INSTAGRAM)),
        unassign(may_assign(INSTAGRAM)),
        partners(may_assign(INSTAGRAM)),
        share(may_share(INSTAGRAM)),
        unshare(may_assign(INSTAGRAM)),
    ],
};

/// A WhatsApp account.
pub static WHATSAPP_ACCOUNT: NodeType = NodeType {
    name: "WhatsAppBusinessAccount",
    fields: &[
        Field::new("id", Id).identity().both(),
        Field::new("name", Text).identity().both(),
        Field::new("business", Node("Business")).identity(),
        Field::new("owner_business", Node("Business")).identity(),
        Field::new("created_time", Time).identity(),
        Field::new("tasks", List).identity(),
        Field::new("permitted_tasks", List).identity(),
    ],
    absent: "account_review_status analytics auth_international_rate_eligibility business_verification_status country creation_time currency disable_marketing_messages_on_cloud_api \
             health_status is_enabled_for_insights is_shared_with_partners linked_commerce_account message_template_namespace \
             marketing_messages_lite_api_status marketing_messages_onboarding_status on_behalf_of_business_info owner \
             owner_business_info ownership_type primary_business_location primary_funding_id purchase_order_number \
             status template_auto_archival_enabled timezone_id whatsapp_business_manager_messaging_limit",
    kept: "",
    identity: rights::READ_WHATSAPP,
    full: rights::READ_WHATSAPP,
    guarded: may_assign(WHATSAPP),
    calls: &[],
    edges: &[
        assigned(may_list(WHATSAPP)),
        assign(may_assign(WHATSAPP)),
        unassign(may_assign(WHATSAPP)),
        partners(may_assign(WHATSAPP)),
        share(may_share(WHATSAPP)),
        unshare(may_assign(WHATSAPP)),
    ],
};

/// An asset of a kind that the operator declared.
pub static DECLARED_ASSET: NodeType = NodeType {
    name: "Asset",
    fields: &[
        Field::new("id", Id).identity().both(),
        Field::new("name", Text).identity().both(),
        Field::new("kind", Text).identity().both(),
        Field::new("business", Node("Business")).identity(),
        Field::new("owner_business", Node("Business")).identity(),
        Field::new("created_time", Time).identity(),
        Field::new("tasks", List).identity(),
        Field::new("permitted_tasks", List).identity(),
    ],
    absent: "",
    kept: "",
    identity: rights::READ_DECLARED,
    full: rights::READ_DECLARED,
    guarded: may_assign(DECLARED),
    calls: &[],
    edges: &[
        assigned(may_list(DECLARED)),
        assign(may_assign(DECLARED)),
        unassign(may_assign(DECLARED)),
        partners(may_assign(DECLARED)),
        share(may_share(DECLARED)),
        unshare(may_assign(DECLARED)),
    ],
};
