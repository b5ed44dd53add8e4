//! Catalogs and pixels.

use valetkey_service::rights::{self, OPEN, Right, Tasks};

use super::Type::{Boolean, Id, List, Node, Number, Text, Time};
use super::assets::{
    assign, assigned, empty, may_assign, may_list, may_share, partners, share, unassign, unshare, update,
};
use super::{Field, NodeType, Op, Write, param};

pub(super) static TYPES: &[&NodeType] = &[&CATALOG, &PIXEL];

const CATALOG_USERS: &[&str] = &["business_management", "catalog_management", "ads_management"];
const PIXEL_USERS: &[&str] = &["business_management", "ads_management"];
const PIXEL_READERS: &[&str] = &["business_management", "ads_management", "ads_read"];
const READ_PRODUCTS: Right =
    Right { scopes: &["catalog_management", "ads_management", "ads_read"], tasks: Tasks::Any, ..OPEN };

/// A catalog.
pub static CATALOG: NodeType = NodeType {
    name: "ProductCatalog",
    fields: &[
        Field::new("id", Id).identity().both(),
        Field::new("name", Text).identity().both(),
        Field::new("business", Node("Business")).identity(),
        Field::new("owner_business", Node("Business")).identity(),
        Field::new("created_time", Time).identity(),
        Field::new("vertical", Text).identity(),
        Field::new("product_count", Number),
        Field::new("feed_count", Number),
        Field::new("tasks", List).identity(),
        Field::new("permitted_tasks", List).identity(),
    ],
    absent: "ad_account_to_collaborative_ads_share_settings agency_collaborative_ads_share_settings catalog_store commerce_merchant_settings \
             creator_user da_display_settings default_image_url destination_catalog_settings fallback_image_url is_catalog_segment \
             is_local_catalog latest_onsite_product_set_upload_session store_catalog_settings user_access_expire_time",
    kept: "",
    identity: rights::READ_CATALOG,
    full: rights::READ_CATALOG,
    guarded: rights::MANAGE_CATALOG,
    calls: &[update(
        Op::Write(Write::UpdateAsset),
        &[param("name", Text)],
        rights::MANAGE_CATALOG,
        "Renames the catalog.",
    )],
    edges: &[
        assigned(may_list(CATALOG_USERS)),
        assign(may_assign(CATALOG_USERS)),
        unassign(may_assign(CATALOG_USERS)),
        partners(may_assign(CATALOG_USERS)),
        share(may_share(CATALOG_USERS)),
        unshare(may_assign(CATALOG_USERS)),
        empty("products", READ_PRODUCTS, "Products; none can be made yet."),
        empty("product_sets", READ_PRODUCTS, "Product sets; none can be made yet."),
        empty("product_feeds", READ_PRODUCTS, "Product feeds; none can be made yet."),
    ],
};

/// A pixel.
pub static PIXEL: NodeType = NodeType {
    name: "AdsPixel",
    fields: &[
        Field::new("id", Id).identity().both(),
        Field::new("name", Text).identity().both(),
        Field::new("business", Node("Business")).identity(),
        Field::new("owner_business", Node("Business")).identity(),
        Field::new("created_time", Time).identity(),
        Field::new("creation_time", Time).identity(),
        Field::new("is_crm", Boolean),
        Field::new("is_unavailable", Boolean),
        Field::new("tasks", List).identity(),
        Field::new("permitted_tasks", List).identity(),
    ],
    absent: "automatic_matching_fields can_proxy code config creator data_use_setting description duplicate_entries \
             enable_auto_assign_to_accounts enable_automatic_matching event_stats event_time_max event_time_min \
             first_party_cookie_status has_1p_pixel_event is_consolidated_container is_created_by_business is_mta_use \
             is_restricted_use last_fired_time last_upload_app last_upload_app_changed_time match_rate_approx \
             matched_entries owner_ad_account usage user_access_expire_time valid_entries",
    kept: "",
    identity: rights::READ_PIXEL,
    full: rights::READ_PIXEL,
    guarded: rights::EDIT_PIXEL,
    calls: &[update(Op::Write(Write::UpdateAsset), &[param("name", Text)], rights::EDIT_PIXEL, "Renames the pixel.")],
    edges: &[
        assigned(may_list(PIXEL_READERS)),
        assign(may_assign(PIXEL_USERS)),
        unassign(may_assign(PIXEL_USERS)),
        partners(may_assign(PIXEL_USERS)),
        share(may_share(PIXEL_USERS)),
        unshare(may_assign(PIXEL_USERS)),
    ],
};
