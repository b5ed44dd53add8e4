//! Businesses and apps.

use valetkey_domain::AssetKind;
use valetkey_service::authz::Sorts;
use valetkey_service::rights::{self, OPEN, Right};

use super::Type::{Boolean, Id, List, Node, Number, Text, Time};
use super::{Edge, Field, Listing, NodeType, Op, Param, Verb, Write, param, required};

pub(super) static TYPES: &[&NodeType] = &[&BUSINESS, &APPLICATION, &PERMISSION];

const LISTED: Right = Right { scopes: &["business_management"], ..OPEN };
const PAGES: Right = Right { scopes: &["business_management", "pages_show_list"], ..OPEN };
const ADS: Right = Right { scopes: &["business_management", "ads_read", "ads_management"], ..OPEN };
const CATALOGS: Right =
    Right { scopes: &["business_management", "catalog_management", "ads_read", "ads_management"], ..OPEN };
const INSTAGRAM: Right = Right { scopes: &["business_management", "instagram_basic"], ..OPEN };
const WHATSAPP: Right = Right { scopes: &["business_management", "whatsapp_business_management"], ..OPEN };
/// Calls that an app's own token may make beside an ADMIN.
const APP_OR_ADMIN: Right = Right { sorts: Sorts::USERS.with(Sorts::APP), ..OPEN };

const fn list(name: &'static str, op: Op, rows: &'static str, right: Right, what: &'static str) -> Edge {
    Edge { name, verb: Verb::Get, op, rows, params: &[], right, what }
}

const fn make(
    name: &'static str,
    op: Op,
    rows: &'static str,
    params: &'static [Param],
    right: Right,
    what: &'static str,
) -> Edge {
    Edge { name, verb: Verb::Post, op, rows, params, right, what }
}

/// A business.
pub static BUSINESS: NodeType = NodeType {
    name: "Business",
    fields: &[
        Field::new("id", Id).identity().both(),
        Field::new("name", Text).identity().both(),
        Field::new("created_time", Time),
        Field::new("verification_status", Text),
        Field::new("two_factor_type", Text),
        Field::new("link", Text),
        Field::new("adaccount_permissions", List),
        Field::new("page_permissions", List),
        Field::new("application_permissions", List),
        Field::new("productcatalog_permissions", List),
    ],
    absent: "primary_page vertical vertical_id timezone_id created_by updated_time updated_by extended_updated_time \
             profile_picture_uri is_hidden block_offline_analytics payment_account_id user_access_expire_time",
    kept: "",
    identity: OPEN,
    full: rights::READ_BUSINESS,
    guarded: rights::MANAGE_BUSINESS,
    calls: &[Edge {
        name: "",
        verb: Verb::Post,
        op: Op::Write(Write::UpdateBusiness),
        rows: "",
        params: &[param("name", Text), param("strict_visibility", Boolean)],
        right: rights::MANAGE_BUSINESS,
        what: "Renames the business, or switches `strict_visibility` (ours).",
    }],
    edges: &[
        list(
            "system_users",
            Op::List(Listing::SystemUsers),
            "SystemUser",
            rights::MANAGE_BUSINESS,
            "The system users of the business.",
        ),
        make(
            "system_users",
            Op::Write(Write::CreateSystemUser),
            "SystemUser",
            &[param("name", Text), param("role", Text), param("system_user_id", Id)],
            rights::MANAGE_BUSINESS,
            "Makes a system user; with `system_user_id` renames one.",
        ),
        list(
            "business_users",
            Op::List(Listing::People),
            "BusinessUser",
            rights::LIST_PEOPLE,
            "The people of the business; a person with the role EMPLOYEE sees itself, and other EMPLOYEEs are refused.",
        ),
        list(
            "access_tokens",
            Op::List(Listing::BusinessTokens),
            "AccessToken",
            rights::MANAGE_BUSINESS,
            "Every token of the business, dead ones included (ours).",
        ),
        list(
            "owned_pages",
            Op::List(Listing::Owned(AssetKind::Page)),
            "Page",
            PAGES,
            "Pages that the business owns and the caller may see.",
        ),
        make(
            "owned_pages",
            Op::Write(Write::CreateAsset(AssetKind::Page)),
            "Page",
            &[param("name", Text), param("category", Text)],
            rights::MANAGE_BUSINESS,
            "Makes a Page (ours).",
        ),
        list(
            "client_pages",
            Op::List(Listing::Client(AssetKind::Page)),
            "Page",
            PAGES,
            "Pages that are shared with the business.",
        ),
        list(
            "owned_ad_accounts",
            Op::List(Listing::Owned(AssetKind::AdAccount)),
            "AdAccount",
            ADS,
            "Ad accounts that the business owns and the caller may see.",
        ),
        list(
            "client_ad_accounts",
            Op::List(Listing::Client(AssetKind::AdAccount)),
            "AdAccount",
            ADS,
            "Ad accounts that are shared with the business.",
        ),
        make(
            "adaccount",
            Op::Write(Write::CreateAsset(AssetKind::AdAccount)),
            "AdAccount",
            &[
                required("name", Text),
                param("currency", Text),
                param("timezone_id", Number),
                param("end_advertiser", Text),
                param("media_agency", Text),
                param("partner", Text),
            ],
            rights::CREATE_ADS_ASSET,
            "Makes an ad account.",
        ),
        list(
            "owned_apps",
            Op::List(Listing::Owned(AssetKind::App)),
            "Application",
            LISTED,
            "Apps that the business owns; an EMPLOYEE sees those installed on it.",
        ),
        make(
            "owned_apps",
            Op::Write(Write::CreateApp),
            "Application",
            &[required("name", Text), param("demands_proof", Boolean)],
            rights::MANAGE_BUSINESS,
            "Makes an app and connects it; the answer shows its secret once (ours).",
        ),
        Edge {
            name: "owned_apps",
            verb: Verb::Delete,
            op: Op::Write(Write::DisconnectApp),
            rows: "",
            params: &[required("app_id", Id)],
            right: rights::MANAGE_BUSINESS,
            what: "Disconnects an app; its tokens stop at once, and stay dead when it is connected again (ours).",
        },
        list(
            "client_apps",
            Op::List(Listing::Empty),
            "Application",
            LISTED,
            "Apps of partners; none can be added yet.",
        ),
        list(
            "owned_pixels",
            Op::List(Listing::Owned(AssetKind::Pixel)),
            "AdsPixel",
            ADS,
            "Pixels that the business owns.",
        ),
        list(
            "client_pixels",
            Op::List(Listing::Client(AssetKind::Pixel)),
            "AdsPixel",
            ADS,
            "Pixels that are shared with the business.",
        ),
        list(
            "adspixels",
            Op::List(Listing::Reachable(AssetKind::Pixel)),
            "AdsPixel",
            ADS,
            "Pixels that the business can reach.",
        ),
        make(
            "adspixels",
            Op::Write(Write::CreateAsset(AssetKind::Pixel)),
            "AdsPixel",
            &[required("name", Text), param("is_crm", Boolean)],
            rights::CREATE_ADS_ASSET,
            "Makes a pixel.",
        ),
        list(
            "ads_dataset",
            Op::List(Listing::Reachable(AssetKind::Pixel)),
            "AdsPixel",
            ADS,
            "The newer name of `adspixels`.",
        ),
        make(
            "ads_dataset",
            Op::Write(Write::CreateAsset(AssetKind::Pixel)),
            "AdsPixel",
            &[required("name", Text), param("is_crm", Boolean)],
            rights::CREATE_ADS_ASSET,
            "The newer name of `adspixels`.",
        ),
        list(
            "owned_product_catalogs",
            Op::List(Listing::Owned(AssetKind::Catalog)),
            "ProductCatalog",
            CATALOGS,
            "Catalogs that the business owns.",
        ),
        make(
            "owned_product_catalogs",
            Op::Write(Write::CreateAsset(AssetKind::Catalog)),
            "ProductCatalog",
            &[required("name", Text), param("vertical", Text)],
            rights::CREATE_CATALOG,
            "Makes a catalog.",
        ),
        list(
            "client_product_catalogs",
            Op::List(Listing::Client(AssetKind::Catalog)),
            "ProductCatalog",
            CATALOGS,
            "Catalogs that are shared with the business.",
        ),
        list(
            "owned_instagram_accounts",
            Op::List(Listing::Owned(AssetKind::InstagramAccount)),
            "InstagramUser",
            INSTAGRAM,
            "Instagram accounts that the business owns.",
        ),
        list(
            "instagram_accounts",
            Op::List(Listing::Reachable(AssetKind::InstagramAccount)),
            "InstagramUser",
            INSTAGRAM,
            "Instagram accounts that the business can reach.",
        ),
        list(
            "instagram_business_accounts",
            Op::List(Listing::Reachable(AssetKind::InstagramAccount)),
            "InstagramUser",
            INSTAGRAM,
            "The same.",
        ),
        list(
            "owned_whatsapp_business_accounts",
            Op::List(Listing::Owned(AssetKind::WhatsappAccount)),
            "WhatsAppBusinessAccount",
            WHATSAPP,
            "WhatsApp accounts that the business owns.",
        ),
        list(
            "client_whatsapp_business_accounts",
            Op::List(Listing::Client(AssetKind::WhatsappAccount)),
            "WhatsAppBusinessAccount",
            WHATSAPP,
            "WhatsApp accounts that are shared with the business.",
        ),
        list(
            "agencies",
            Op::List(Listing::Agencies),
            "Business",
            rights::MANAGE_BUSINESS,
            "Partners that assets of the business are shared with; the lists that end with `_permissions` say which, and are only in these rows.",
        ),
        list(
            "clients",
            Op::List(Listing::Clients),
            "Business",
            rights::MANAGE_BUSINESS,
            "Businesses whose assets are shared with this one.",
        ),
    ],
};

/// An app.
pub static APPLICATION: NodeType = NodeType {
    name: "Application",
    fields: &[
        Field::new("id", Id).identity().both(),
        Field::new("name", Text).identity().both(),
        Field::new("link", Text).identity().node(),
        Field::new("category", Text).identity().node(),
        Field::new("created_time", Time).identity(),
        Field::new("business", Node("Business")).identity(),
        Field::new("owner_business", Node("Business")).identity(),
        Field::new("tasks", List).identity(),
        Field::new("permitted_tasks", List).identity(),
        Field::new("allowed_scopes", List).guarded(),
        Field::new("demands_proof", Boolean).guarded(),
        Field::new("connected", Boolean).guarded(),
    ],
    absent: "namespace app_type company icon_url logo_url description app_domains contact_email privacy_policy_url terms_of_service_url",
    kept: "",
    // The app itself and its tokens see all fields; other apps of the business see the public ones.
    identity: rights::MANAGE_BUSINESS,
    full: rights::MANAGE_BUSINESS,
    guarded: rights::MANAGE_BUSINESS,
    calls: &[Edge {
        name: "",
        verb: Verb::Post,
        op: Op::Write(Write::UpdateApp),
        rows: "",
        params: &[param("name", Text), param("demands_proof", Boolean), param("allowed_scopes", List)],
        right: rights::MANAGE_BUSINESS,
        what: "Changes the app.",
    }],
    edges: &[
        list(
            "permissions",
            Op::List(Listing::AppPermissions),
            "Permission",
            APP_OR_ADMIN,
            "What tokens for the app may carry.",
        ),
        make(
            "activities",
            Op::Write(Write::AcceptAnything),
            "",
            &[],
            Right { sorts: Sorts::ANY, ..OPEN },
            "Accepted, nothing is kept.",
        ),
        make(
            "instruments",
            Op::Write(Write::AcceptAnything),
            "",
            &[],
            Right { sorts: Sorts::ANY, ..OPEN },
            "Accepted, nothing is kept: crash reports of the SDKs.",
        ),
    ],
};

/// A row of `me/permissions` and of an app's `permissions`.
pub static PERMISSION: NodeType = NodeType {
    name: "Permission",
    fields: &[Field::new("permission", Text).identity().always(), Field::new("status", Text).identity().always()],
    absent: "",
    kept: "",
    identity: OPEN,
    full: OPEN,
    guarded: OPEN,
    calls: &[],
    edges: &[],
};
