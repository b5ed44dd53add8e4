//! Ad accounts and campaigns.

use valetkey_service::rights;

use super::Type::{Boolean, Id, List, Node, Number, NumberText, Object, Text, Time};
use super::assets::{
    OF_BUSINESS, assign, assigned, delete, empty, get, may_assign, may_list, may_share, partners, post, share,
    unassign, unshare, update,
};
use super::{Field, Listing, NodeType, Op, Param, Write, param, required};

pub(super) static TYPES: &[&NodeType] = &[&AD_ACCOUNT, &CAMPAIGN];

const USERS: &[&str] = &["business_management", "ads_management"];
const READERS: &[&str] = &["business_management", "ads_management", "ads_read"];

/// The parameters to create a campaign.
const CREATE_CAMPAIGN: &[Param] = &[
    required("name", Text),
    required("objective", Text),
    param("special_ad_categories", List),
    param("special_ad_category", Text),
    param("special_ad_category_country", List),
    param("status", Text),
    param("buying_type", Text),
    param("bid_strategy", Text),
    param("daily_budget", NumberText),
    param("lifetime_budget", NumberText),
    param("spend_cap", NumberText),
    param("start_time", Time),
    param("stop_time", Time),
    param("promoted_object", Object),
    param("pacing_type", List),
    param("smart_promotion_type", Text),
    param("is_adset_budget_sharing_enabled", Boolean),
    param("is_skadnetwork_attribution", Boolean),
    param("budget_schedule_specs", List),
    param("adlabels", List),
    param("source_campaign_id", Id),
    param("execution_options", List),
];

/// The parameters to update a campaign.
const UPDATE_CAMPAIGN: &[Param] = &[
    param("name", Text),
    param("objective", Text),
    param("special_ad_categories", List),
    param("special_ad_category", Text),
    param("special_ad_category_country", List),
    param("status", Text),
    param("bid_strategy", Text),
    param("daily_budget", NumberText),
    param("lifetime_budget", NumberText),
    param("spend_cap", NumberText),
    param("start_time", Time),
    param("stop_time", Time),
    param("promoted_object", Object),
    param("pacing_type", List),
    param("smart_promotion_type", Text),
    param("is_adset_budget_sharing_enabled", Boolean),
    param("is_skadnetwork_attribution", Boolean),
    param("budget_schedule_specs", List),
    param("adlabels", List),
    param("execution_options", List),
];

/// An ad account.
pub static AD_ACCOUNT: NodeType = NodeType {
    name: "AdAccount",
    fields: &[
        Field::new("id", Id).identity().always(),
        Field::new("account_id", Id).identity().always(),
        Field::new("name", Text).identity(),
        Field::new("account_status", Number).identity(),
        Field::new("business", Node("Business")).identity(),
        Field::new("business_name", Text),
        Field::new("owner_business", Node("Business")).identity(),
        Field::new("owner", Id).identity(),
        Field::new("created_time", Time).identity(),
        Field::new("age", Number),
        Field::new("currency", Text),
        Field::new("timezone_id", Number),
        Field::new("timezone_name", Text),
        Field::new("timezone_offset_hours_utc", Number),
        Field::new("amount_spent", NumberText),
        Field::new("balance", NumberText),
        Field::new("spend_cap", NumberText),
        Field::new("min_daily_budget", Number),
        Field::new("disable_reason", Number),
        Field::new("is_personal", Number),
        Field::new("user_tasks", List).identity(),
        Field::new("tasks", List).identity(),
        Field::new("permitted_tasks", List).identity(),
        Field::new("funding_source_details", Object).guarded(),
        Field::new("is_prepay_account", Boolean).guarded(),
    ],
    absent: "ad_account_promotable_objects agency_client_declaration all_capabilities attribution_spec brand_safety_content_filter_levels \
             business_city business_country_code business_state business_street business_street2 business_zip \
             can_create_brand_lift_study capabilities custom_audience_info default_dsa_beneficiary default_dsa_payor \
             end_advertiser_name existing_customers expired_funding_source_details extended_credit_invoice_group \
             failed_delivery_checks fb_entity funding_source has_migrated_permissions has_page_authorized_adaccount io_number \
             is_attribution_spec_system_default is_ba_skip_delayed_eligible is_direct_deals_enabled \
             is_in_3ds_authorization_enabled_market is_notifications_enabled is_tax_id_required liable_address \
             line_numbers marketing_messages_settings min_campaign_group_spend_cap offsite_clo_signal_status \
             offsite_pixels_tos_accepted opportunity_score rf_spec send_bill_to_address show_checkout_experience sold_to_address \
             tax_id tax_id_status tax_id_type tos_accepted user_access_expire_time user_tos_accepted viewable_business insights",
    kept: "end_advertiser media_agency partner",
    identity: rights::READ_ADS_IDENTITY,
    full: rights::READ_ADS,
    guarded: rights::MANAGE_ADS,
    calls: &[update(
        Op::Write(Write::UpdateAdAccount),
        &[
            param("name", Text),
            param("spend_cap", NumberText),
            param("spend_cap_action", Text),
            param("timezone_id", Number),
            param("end_advertiser", Text),
            param("media_agency", Text),
            param("partner", Text),
        ],
        rights::MANAGE_ADS,
        "Changes the ad account. `spend_cap` is in minor units of the currency; `spend_cap_action` is `reset` or `delete`.",
    )],
    edges: &[
        get(
            "campaigns",
            Op::Campaigns,
            "Campaign",
            &[
                param("effective_status", List),
                param("filtering", List),
                param("date_preset", Text),
                param("time_range", Object),
                param("is_completed", Boolean),
            ],
            rights::READ_ADS,
            "Campaigns; deleted and archived ones only when `effective_status` asks for them. `date_preset`, `time_range` and `is_completed` are accepted and hide nothing. `filtering` takes conditions on `id`, `name`, `objective`, `updated_time`, `created_time`, and on `effective_status` by `EQUAL`, `NOT_EQUAL`, `IN` and `NOT_IN`. `campaign_name`, `campaign_id` and a `campaign.` before any name are other spellings; `status`, `configured_status` and `delivery_info` are taken for `effective_status`. A condition on anything else is refused.",
        ),
        post(
            "campaigns",
            Op::Write(Write::CreateCampaign),
            "Campaign",
            CREATE_CAMPAIGN,
            rights::WRITE_ADS,
            "Makes a campaign; PAUSED unless `status` says otherwise.",
        ),
        assigned(may_list(READERS)),
        assign(may_assign(USERS)),
        unassign(may_assign(USERS)),
        partners(may_assign(USERS)),
        share(may_share(USERS)),
        unshare(may_assign(USERS)),
        get(
            "users",
            Op::List(Listing::AssignedUsers),
            "AssignedUser",
            OF_BUSINESS,
            may_list(READERS),
            "The older name of `assigned_users`.",
        ),
        empty("adsets", rights::READ_ADS, "Ad sets; none can be made yet."),
        empty("ads", rights::READ_ADS, "Ads; none can be made yet."),
        empty("adcreatives", rights::READ_ADS, "Creatives; none can be made yet."),
        empty("adimages", rights::READ_ADS, "Images; none can be made yet."),
        empty("advideos", rights::READ_ADS, "Videos; none can be made yet."),
        empty("adlabels", rights::READ_ADS, "Labels; none can be made yet."),
        empty("customaudiences", rights::READ_ADS, "Custom audiences; none can be made yet."),
        empty("saved_audiences", rights::READ_ADS, "Saved audiences; none can be made yet."),
        empty("customconversions", rights::READ_ADS, "Custom conversions; none can be made yet."),
    ],
};

/// A campaign.
pub static CAMPAIGN: NodeType = NodeType {
    name: "Campaign",
    fields: &[
        Field::new("id", Id).identity().both(),
        Field::new("name", Text).identity(),
        Field::new("account_id", Id).identity(),
        Field::new("objective", Text),
        Field::new("status", Text),
        Field::new("configured_status", Text),
        Field::new("effective_status", Text),
        Field::new("buying_type", Text),
        Field::new("bid_strategy", Text),
        Field::new("daily_budget", NumberText),
        Field::new("lifetime_budget", NumberText),
        Field::new("budget_remaining", NumberText),
        Field::new("spend_cap", NumberText),
        Field::new("special_ad_categories", List),
        Field::new("special_ad_category", Text),
        Field::new("special_ad_category_country", List),
        Field::new("source_campaign_id", Id),
        Field::new("start_time", Time),
        Field::new("stop_time", Time),
        Field::new("created_time", Time),
        Field::new("updated_time", Time),
    ],
    absent: "advantage_state_info boosted_object_id brand_lift_studies budget_rebalance_flag campaign_group_active_time can_create_brand_lift_study can_use_spend_cap frequency_control_specs \
             has_secondary_skadnetwork_reporting insights is_budget_schedule_enabled is_direct_send_campaign is_message_campaign \
             is_meta_moment_maker_enabled is_pca_unified is_reels_trending_ads_enabled issues_info last_budget_toggling_time \
             primary_attribution recommendations source_campaign source_recommendation_type topline_id",
    kept: "adlabels budget_schedule_specs is_adset_budget_sharing_enabled is_skadnetwork_attribution pacing_type promoted_object \
           smart_promotion_type",
    identity: rights::READ_ADS,
    full: rights::READ_ADS,
    guarded: rights::MANAGE_ADS,
    calls: &[
        update(
            Op::Write(Write::UpdateCampaign),
            UPDATE_CAMPAIGN,
            rights::WRITE_ADS,
            "Changes the campaign; `stop_time` 0 removes the end.",
        ),
        delete(
            "",
            Op::Write(Write::DeleteCampaign),
            &[],
            rights::WRITE_ADS,
            "Sets the status to DELETED; the campaign can still be read by its id.",
        ),
    ],
    edges: &[
        empty("adsets", rights::READ_ADS, "Ad sets of the campaign; none can be made yet."),
        empty("ads", rights::READ_ADS, "Ads of the campaign; none can be made yet."),
    ],
};
