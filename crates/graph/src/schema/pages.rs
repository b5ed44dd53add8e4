//! Pages and their posts.
//!
//! A Page's own token is a field here. The right `PAGE_TOKEN` decides whether it is shown, in
//! addition to the level of the field.

use valetkey_service::authz::Sorts;
use valetkey_service::rights::{self, OPEN, Right, Tasks, Who};

use super::Type::{Boolean, Id, List, Node, Number, Object, Text, Time, UnixTime};
use super::assets::{
    assign, assigned, delete, empty, get, may_assign, may_list, partners, post, share, unassign, unshare, update,
};
use super::{Field, Listing, NodeType, Op, Param, PostList, Write, param};

pub(super) static TYPES: &[&NodeType] = &[&PAGE, &POST];

const USERS: &[&str] = &["business_management", "pages_manage_metadata"];
const READERS: &[&str] = &["business_management", "pages_manage_metadata", "pages_read_engagement"];
/// The Page's own token may also change assignments of the Page, if its parent is an ADMIN's token.
const MAY_ASSIGN: Right = Right { who: Who::Admin, scopes: USERS, sorts: Sorts::USERS_AND_PAGE, ..OPEN };
const MAY_SHARE: Right = Right { who: Who::OwnerAdmin, ..MAY_ASSIGN };
/// Reading what others wrote or did on a post.
const READ_ANSWERS: Right =
    Right { scopes: &["pages_read_user_content", "pages_read_engagement"], ..rights::READ_FEED };
/// Reading the Page's further places.
const READ_LOCATIONS: Right =
    Right { sorts: Sorts::USERS_AND_PAGE, scopes: &["pages_read_engagement"], tasks: Tasks::Any, ..OPEN };

const WINDOW: &[Param] = &[param("since", Time), param("until", Time)];

/// The parameters of a post.
const PUBLISH: &[Param] = &[
    param("message", Text),
    param("link", Text),
    param("published", Boolean),
    param("scheduled_publish_time", Time),
    param("unpublished_content_type", Text),
    param("attached_media", List),
    param("child_attachments", List),
    param("call_to_action", Object),
    param("targeting", Object),
    param("feed_targeting", Object),
    param("place", Text),
    param("tags", List),
    param("backdated_time", Time),
    param("backdated_time_granularity", Text),
    param("name", Text),
    param("caption", Text),
    param("description", Text),
    param("picture", Text),
    param("is_pinned", Boolean),
];

/// A Page.
pub static PAGE: NodeType = NodeType {
    name: "Page",
    fields: &[
        Field::new("id", Id).identity().both(),
        Field::new("name", Text).identity().both(),
        Field::new("access_token", Text).identity(),
        Field::new("page_token", Text).identity(),
        Field::new("category", Text).identity(),
        Field::new("category_list", List).identity(),
        Field::new("tasks", List).identity(),
        Field::new("permitted_tasks", List).identity(),
        Field::new("business", Node("Business")).identity(),
        Field::new("owner_business", Node("Business")).identity(),
        Field::new("created_time", Time).identity(),
        Field::new("link", Text).identity(),
        Field::new("username", Text).identity(),
        Field::new("picture", Object).identity(),
        Field::new("fan_count", Number).identity(),
        Field::new("verification_status", Text).identity(),
        Field::new("followers_count", Number),
        Field::new("is_published", Boolean),
    ],
    absent: "ad_campaign app_id best_page breaking_news_usage call_to_actions can_checkin can_post canvas_elements checkins \
             connected_instagram_account connected_page_backed_instagram_account contact_address conversations \
             copyright_attribution_insights copyright_whitelisted_ig_partners country_page_likes cover \
             delivery_and_pickup_option_info description_html differently_open_offerings display_subtext \
             displayed_message_response_time does_viewer_have_page_permission_link_ig engagement events featured_video \
             global_brand_children global_brand_page_name global_brand_root_id has_added_app has_lead_access \
             has_transitioned_to_new_page_experience has_whatsapp_business_number has_whatsapp_number image_copyrights \
             indexed_videos insights instagram_business_account is_always_open is_calling_eligible is_chain is_community_page \
             is_eligible_for_branded_content is_eligible_for_disable_connect_ig_btn_for_non_page_admin_am_web \
             is_messenger_bot_get_started_enabled is_messenger_platform_bot is_owned is_permanently_closed is_unclaimed \
             is_verified is_webhooks_subscribed keywords leadgen_tos_acceptance_time leadgen_tos_accepted \
             leadgen_tos_accepting_user likes location merchant_id merchant_review_status messaging_feature_status \
             messenger_ads_default_icebreakers messenger_ads_default_quick_replies messenger_ads_quick_replies_type \
             mini_shop_storefront name_with_location_descriptor new_like_count offer_eligible overall_star_rating \
             parent_page parking payment_options place_type preferred_audience priority_hours promotion_eligible \
             promotion_ineligible_reason rating_count recipient restaurant_services restaurant_specialties rtb_dynamic_posts \
             start_info store_code supports_donate_button_in_live_video tabs talking_about_count temporary_status \
             unread_message_count unread_notif_count unseen_message_count user_access_expire_time video_lists voip_info \
             were_here_count",
    kept: "about affiliation artists_we_like attire available_promo_offer_ids awards band_interests band_members bio birthday \
           booking_agent built company_overview culinary_team current_location description directed_by emails features \
           food_styles founded general_info general_manager genre hometown hours impressum influences members mission mpg network \
           personal_info personal_interests pharma_safety_info phone pickup_options plot_outline press_contact price_range \
           privacy_info_url produced_by products public_transit record_label release_date schedule screenplay_by season \
           single_line_address starring store_location_descriptor store_number studio website whatsapp_number written_by",
    identity: rights::READ_PAGE_IDENTITY,
    full: rights::READ_PAGE,
    guarded: rights::MANAGE_PAGE,
    calls: &[update(
        Op::Write(Write::UpdatePage),
        &[param("name", Text), param("category", Text)],
        rights::MANAGE_PAGE,
        "Changes the Page. Every kept descriptive field is a parameter too.",
    )],
    edges: &[
        get(
            "feed",
            Op::Posts(PostList::Published),
            "PagePost",
            WINDOW,
            rights::READ_FEED,
            "Published posts, newest first.",
        ),
        post(
            "feed",
            Op::Write(Write::PublishPost),
            "PagePost",
            PUBLISH,
            rights::PUBLISH,
            "Publishes a post; `published=false` keeps it back, with `scheduled_publish_time` until then. With `unpublished_content_type=ADS_POST` the task ADVERTISE and the scope `pages_manage_ads` are enough too.",
        ),
        get("posts", Op::Posts(PostList::Published), "PagePost", WINDOW, rights::READ_FEED, "The same as `feed`."),
        get(
            "published_posts",
            Op::Posts(PostList::Published),
            "PagePost",
            WINDOW,
            rights::READ_FEED,
            "The same as `feed`.",
        ),
        get(
            "scheduled_posts",
            Op::Posts(PostList::Scheduled),
            "PagePost",
            WINDOW,
            rights::READ_SCHEDULED,
            "Posts that wait for their time.",
        ),
        get(
            "ads_posts",
            Op::Posts(PostList::Ads),
            "PagePost",
            &[
                param("since", Time),
                param("until", Time),
                param("exclude_dynamic_ads", Boolean),
                param("include_inline_create", Boolean),
            ],
            rights::READ_ADS_POSTS,
            "Unpublished posts that were made for ads.",
        ),
        get(
            "tagged",
            Op::List(Listing::Empty),
            "PagePost",
            WINDOW,
            rights::READ_FEED,
            "Posts of others that name the Page; none are kept.",
        ),
        get(
            "visitor_posts",
            Op::List(Listing::Empty),
            "PagePost",
            WINDOW,
            rights::READ_FEED,
            "Posts of visitors; none are kept.",
        ),
        assigned(may_list(READERS)),
        assign(MAY_ASSIGN),
        unassign(may_assign(USERS)),
        partners(MAY_ASSIGN),
        share(MAY_SHARE),
        unshare(may_assign(USERS)),
        empty("albums", rights::READ_FEED, "Albums; none can be made yet."),
        empty("photos", rights::READ_FEED, "Photos; none can be made yet."),
        empty("videos", rights::READ_FEED, "Videos; none can be made yet."),
        empty("locations", READ_LOCATIONS, "Further places of the Page; none can be made yet."),
    ],
};

/// A post of a Page.
pub static POST: NodeType = NodeType {
    name: "PagePost",
    fields: &[
        Field::new("id", Id).identity().both(),
        Field::new("message", Text).both(),
        Field::new("story", Text).both(),
        Field::new("created_time", Time).both(),
        Field::new("updated_time", Time),
        Field::new("from", Node("Page")),
        Field::new("link", Text),
        Field::new("permalink_url", Text),
        Field::new("is_published", Boolean),
        Field::new("is_hidden", Boolean),
        Field::new("scheduled_publish_time", UnixTime),
        Field::new("is_expired", Boolean),
        Field::new("is_popular", Boolean),
        Field::new("is_spherical", Boolean),
        Field::new("subscribed", Boolean),
        Field::new("failed", Text),
        Field::new("status_type", Text),
        Field::new("admin_creator", Node("BusinessUser")),
        Field::new("application", Node("Application")),
        Field::new("privacy", Object),
        Field::new("promotable_id", Id),
    ],
    absent: "actions allowed_advertising_objectives allowed_advertising_objects can_reply_privately comments_mirroring_domain coordinates event \
             expanded_height expanded_width full_picture height icon insights instagram_eligibility \
             is_app_share is_eligible_for_dark_post is_eligible_for_promotion is_inline_created is_instagram_eligible \
             message_tags multi_share_end_card multi_share_optimized object_id parent_id promotion_status properties shares source source_id story_tags \
             target timeline_visibility type via video_buying_eligibility viewed width with_tags",
    kept: "backdated_time backdated_time_granularity call_to_action caption child_attachments description feed_targeting is_pinned name \
           picture place targeting",
    identity: rights::READ_POST,
    full: rights::READ_POST,
    guarded: rights::PUBLISH,
    calls: &[
        update(
            Op::Write(Write::UpdatePost),
            &[
                param("message", Text),
                param("is_published", Boolean),
                param("is_hidden", Boolean),
                param("scheduled_publish_time", Time),
            ],
            rights::PUBLISH,
            "Changes the post, publishes one that waits, or moves its time. `is_hidden` alone needs MODERATE or CREATE_CONTENT, with `pages_manage_posts` or `pages_manage_engagement`.",
        ),
        delete("", Op::Write(Write::DeletePost), &[], rights::PUBLISH, "Deletes the post."),
    ],
    edges: &[
        empty("attachments", rights::READ_FEED, "Attachments; none are kept."),
        empty("sharedposts", rights::READ_FEED, "Posts that share this one; none are kept."),
        empty("to", rights::READ_FEED, "Who the post is addressed to; nobody."),
        empty("dynamic_posts", rights::READ_FEED, "Variants of the post; none are made."),
        empty("sponsor_tags", rights::READ_FEED, "Sponsors; none are kept."),
        empty("comments", READ_ANSWERS, "Comments; none can be made yet."),
        empty("likes", READ_ANSWERS, "Likes; none can be made yet."),
        empty("reactions", READ_ANSWERS, "Reactions; none can be made yet."),
    ],
};
