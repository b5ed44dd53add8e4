//! System users, people, tokens, and the rows that show users and partners of an asset.

use valetkey_domain::AssetKind;
use valetkey_service::authz::Sorts;
use valetkey_service::rights::{self, OPEN, Right, Who};

use super::Type::{Boolean, Id, List, Node, Number, Text, Time, UnixTime};
use super::assets::{delete, empty, get, post, update};
use super::{Edge, Field, Listing, NodeType, Op, Write, param, required};

pub(super) static TYPES: &[&NodeType] = &[&SYSTEM_USER, &BUSINESS_USER, &ASSIGNED_USER, &PARTNER, &ACCESS_TOKEN];

/// The right of an ADMIN, or of the user itself with one of these scopes.
const fn admin_or_self(scopes: &'static [&'static str]) -> Right {
    Right { own: Some(scopes), ..rights::MANAGE_BUSINESS }
}

/// The right of the user itself, and of nobody else. A user has no owner, so even an ADMIN is
/// refused for another user.
const fn myself(scopes: &'static [&'static str]) -> Right {
    Right { who: Who::OwnerAdmin, scopes, own: Some(scopes), ..OPEN }
}

const BUSINESS: &[&str] = &["business_management"];
const PAGES: &[&str] = &["pages_show_list"];
const ADS: &[&str] = &["ads_read", "ads_management"];
const CATALOGS: &[&str] = &["catalog_management", "ads_management", "ads_read"];
const INSTAGRAM: &[&str] = &["instagram_basic", "ads_read", "ads_management"];
const WHATSAPP: &[&str] = &["whatsapp_business_management"];

const fn list_assigned(
    name: &'static str,
    kind: AssetKind,
    rows: &'static str,
    own: &'static [&'static str],
    what: &'static str,
) -> Edge {
    get(name, Op::List(Listing::Assigned(kind)), rows, &[], admin_or_self(own), what)
}

/// The edges of every user, system user or person; `me` leads here too.
const EDGES: &[Edge] = &[
    get(
        "applications",
        Op::List(Listing::InstalledApps),
        "Application",
        &[],
        rights::MANAGE_OR_SELF,
        "Apps that are installed on the user.",
    ),
    post(
        "applications",
        Op::Write(Write::InstallApp),
        "",
        &[required("business_app", Id)],
        rights::MANAGE_BUSINESS,
        "Installs an app of the business on the user, so that tokens can be issued for it.",
    ),
    delete(
        "applications",
        Op::Write(Write::UninstallApp),
        &[required("business_app", Id)],
        rights::MANAGE_BUSINESS,
        "Takes the app off the user; its tokens for that app stop at once (ours).",
    ),
    get(
        "access_tokens",
        Op::List(Listing::Tokens),
        "AccessToken",
        &[],
        rights::MANAGE_OR_SELF,
        "The user's tokens, never their text (ours).",
    ),
    post(
        "access_tokens",
        Op::Write(Write::IssueToken),
        "",
        &[
            required("business_app", Id),
            param("scope", List),
            param("appsecret_proof", Text),
            param("set_token_expires_in_60_days", Boolean),
            param("lifetime_s", Number),
            param("add_dependencies", Boolean),
        ],
        rights::MANAGE_OR_SELF,
        "Issues a token and shows it once, as `access_token` with `token_id` and `expires_at` (0: without end). An EMPLOYEE issues only for itself, and never more or longer than the calling token. `lifetime_s` and `add_dependencies` are ours.",
    ),
    delete(
        "access_tokens",
        Op::Write(Write::RevokeTokens),
        &[param("business_app", Id)],
        rights::MANAGE_OR_SELF,
        "Revokes all tokens of the user at once; with `business_app`, those for that app alone.",
    ),
    list_assigned(
        "assigned_pages",
        AssetKind::Page,
        "Page",
        PAGES,
        "Pages that are assigned to the user, with its tasks.",
    ),
    list_assigned(
        "assigned_ad_accounts",
        AssetKind::AdAccount,
        "AdAccount",
        ADS,
        "Ad accounts that are assigned to the user, with its tasks.",
    ),
    list_assigned(
        "assigned_product_catalogs",
        AssetKind::Catalog,
        "ProductCatalog",
        CATALOGS,
        "Catalogs that are assigned to the user, with its tasks.",
    ),
    list_assigned(
        "assigned_pixels",
        AssetKind::Pixel,
        "AdsPixel",
        ADS,
        "Pixels that are assigned to the user, with its tasks (ours).",
    ),
    list_assigned(
        "assigned_instagram_accounts",
        AssetKind::InstagramAccount,
        "InstagramUser",
        INSTAGRAM,
        "Instagram accounts that are assigned to the user, with its tasks.",
    ),
    list_assigned(
        "assigned_whatsapp_business_accounts",
        AssetKind::WhatsappAccount,
        "WhatsAppBusinessAccount",
        WHATSAPP,
        "WhatsApp accounts that are assigned to the user, with its tasks.",
    ),
    list_assigned(
        "assigned_applications",
        AssetKind::App,
        "Application",
        BUSINESS,
        "Apps that the user holds tasks on.",
    ),
    get(
        "assigned_assets",
        Op::List(Listing::AssignedAssets),
        "Asset",
        &[],
        admin_or_self(BUSINESS),
        "Assets of every kind that are assigned to the user, with its tasks (ours).",
    ),
    empty("assigned_business_asset_groups", admin_or_self(BUSINESS), "Groups of assets; none can be made yet."),
    get(
        "accounts",
        Op::List(Listing::MyPages),
        "Page",
        &[],
        myself(PAGES),
        "One's own Pages, each with its page token.",
    ),
    get("adaccounts", Op::List(Listing::MyAdAccounts), "AdAccount", &[], myself(ADS), "One's own ad accounts."),
    get(
        "businesses",
        Op::List(Listing::MyBusinesses),
        "Business",
        &[],
        Right { scope_free: Sorts::USER, ..myself(BUSINESS) },
        "One's own businesses; a system user has one.",
    ),
    get(
        "business_users",
        Op::List(Listing::MyBusinessUsers),
        "BusinessUser",
        &[],
        myself(&[]),
        "A person's own entries; empty for a system user, and never refused.",
    ),
    get(
        "permissions",
        Op::List(Listing::MyPermissions),
        "Permission",
        &[],
        myself(&[]),
        "What the calling token may be used for.",
    ),
    delete(
        "permissions",
        Op::Write(Write::DropPermissions),
        &[param("permission", Text)],
        myself(&[]),
        "Uninstalls the calling app from the user; with `permission`, or as `permissions/{scope}`, takes that scope from all tokens of this user and app.",
    ),
];

/// A system user.
pub static SYSTEM_USER: NodeType = NodeType {
    name: "SystemUser",
    fields: &[
        Field::new("id", Id).identity().both(),
        Field::new("name", Text).identity().both(),
        Field::new("role", Text).identity().row(),
        Field::new("status", Text),
        Field::new("business", Node("Business")).identity(),
        Field::new("created_by", Node("BusinessUser")),
        Field::new("created_time", Time),
    ],
    absent: "email finance_permission first_name ip_permission last_name link locale middle_name name_format picture short_name system_user_id \
             timezone title",
    kept: "",
    identity: rights::MANAGE_OR_SELF,
    full: rights::MANAGE_OR_SELF,
    guarded: rights::MANAGE_BUSINESS,
    calls: &[
        update(
            Op::Write(Write::UpdateSystemUser),
            &[param("name", Text), param("status", Text)],
            rights::MANAGE_BUSINESS,
            "Renames the system user, or sets `status` to ACTIVE or DEACTIVATED (ours). Nobody changes its own status.",
        ),
        delete(
            "",
            Op::Write(Write::DeleteSystemUser),
            &[],
            rights::MANAGE_BUSINESS,
            "Deletes the system user with its tokens and assignments (ours). Nobody deletes itself.",
        ),
    ],
    edges: EDGES,
};

/// A person in a business.
pub static BUSINESS_USER: NodeType = NodeType {
    name: "BusinessUser",
    fields: &[
        Field::new("id", Id).identity().both(),
        Field::new("name", Text).identity().both(),
        Field::new("email", Text).guarded().row(),
        Field::new("role", Text).identity().row(),
        Field::new("business", Node("Business")).identity().row(),
        Field::new("status", Text),
        Field::new("created_time", Time),
    ],
    absent: "active_status business_role_request finance_permission first_name invite_link ip_permission is_two_fac_blocked last_name \
             link locale marked_for_removal middle_name name_format pending_email picture short_name tasks timezone title \
             two_fac_status user user_type",
    kept: "",
    identity: rights::MANAGE_OR_SELF,
    full: rights::MANAGE_OR_SELF,
    guarded: rights::MANAGE_BUSINESS,
    calls: &[
        update(
            Op::Write(Write::UpdatePerson),
            &[param("role", Text), param("name", Text)],
            rights::MANAGE_OR_SELF,
            "Changes the name, or for an ADMIN the role. The last ADMIN stays.",
        ),
        delete(
            "",
            Op::Write(Write::DeletePerson),
            &[],
            rights::MANAGE_OR_SELF,
            "Takes the person out of the business. The last ADMIN stays.",
        ),
    ],
    edges: EDGES,
};

/// A row of an asset's `assigned_users`.
pub static ASSIGNED_USER: NodeType = NodeType {
    name: "AssignedUser",
    fields: &[
        Field::new("id", Id).identity().always(),
        Field::new("name", Text).identity().both(),
        Field::new("tasks", List).identity().always(),
        Field::new("user_type", Text).identity(),
        Field::new("business", Node("Business")).identity(),
        Field::new("permitted_tasks", List).identity(),
        Field::new("role", Text).identity(),
    ],
    absent: "email first_name last_name",
    kept: "",
    identity: OPEN,
    full: OPEN,
    guarded: rights::MANAGE_BUSINESS,
    calls: &[],
    edges: &[],
};

/// A row of an asset's `agencies`.
pub static PARTNER: NodeType = NodeType {
    name: "Agency",
    fields: &[
        Field::new("id", Id).identity().always(),
        Field::new("name", Text).identity().both(),
        Field::new("permitted_tasks", List).identity().both(),
        Field::new("access_status", Text).identity().both(),
        Field::new("created_time", Time).identity(),
    ],
    absent: "access_requested_time access_updated_time created_by link permitted_roles primary_page profile_picture_uri timezone_id \
             two_factor_type updated_by updated_time verification_status vertical vertical_id",
    kept: "",
    identity: OPEN,
    full: OPEN,
    guarded: rights::MANAGE_BUSINESS,
    calls: &[],
    edges: &[],
};

/// A token, as it is listed: never its text.
pub static ACCESS_TOKEN: NodeType = NodeType {
    name: "AccessToken",
    fields: &[
        Field::new("id", Id).both(),
        Field::new("type", Text).both(),
        Field::new("user", Node("SystemUser")).both(),
        Field::new("app", Node("Application")).both(),
        Field::new("page", Node("Page")).both(),
        Field::new("scopes", List).both(),
        Field::new("created_by", Node("BusinessUser")).both(),
        Field::new("parent", Id).both(),
        Field::new("created_time", Time).both(),
        Field::new("expires_at", UnixTime).both(),
        Field::new("last_used_time", Time).both(),
        Field::new("last_used_ip", Text).both(),
        Field::new("use_count", Number).both(),
        Field::new("purpose", Text),
        Field::new("status", Text).always(),
    ],
    absent: "",
    kept: "",
    identity: rights::MANAGE_OR_SELF,
    full: rights::MANAGE_OR_SELF,
    guarded: rights::MANAGE_BUSINESS,
    calls: &[delete(
        "",
        Op::Write(Write::RevokeToken),
        &[param("with_descendants", Boolean)],
        rights::MANAGE_OR_SELF,
        "Revokes the token, and the page tokens that rest on it, at once (ours). With `with_descendants` also every \
         token that was issued with it or refreshed from it, and what came from those.",
    )],
    edges: &[],
};
