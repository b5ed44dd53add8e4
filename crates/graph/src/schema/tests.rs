//! Rules that hold for the whole table.

use std::collections::HashSet;

use valetkey_domain::{AssetKind, Scope};
use valetkey_service::rights::{Right, Tasks, Who};

use super::*;

/// Names that connectors, command lines and agents ask for, by kind. Each must be accepted, or the
/// whole call of such a program fails.
const ASKED: &[(&str, &str)] = &[
    ("Business", "id name"),
    ("SystemUser", "id name role"),
    ("AssignedUser", "id name tasks"),
    ("Application", "id name"),
    (
        "Page",
        "about access_token ad_campaign affiliation app_id artists_we_like attire awards band_interests band_members bio \
         birthday booking_agent built can_checkin can_post category category_list checkins company_overview contact_address \
         country_page_likes cover culinary_team delivery_and_pickup_option_info description description_html \
         differently_open_offerings directed_by display_subtext displayed_message_response_time emails engagement fan_count \
         featured_video features followers_count food_styles founded general_info general_manager global_brand_page_name \
         global_brand_root_id has_added_app has_transitioned_to_new_page_experience has_whatsapp_business_number \
         has_whatsapp_number hometown hours id impressum influences is_always_open is_chain is_community_page \
         is_eligible_for_branded_content is_messenger_bot_get_started_enabled is_messenger_platform_bot is_owned \
         is_permanently_closed is_published is_unclaimed is_webhooks_subscribed leadgen_tos_acceptance_time \
         leadgen_tos_accepted leadgen_tos_accepting_user link location members merchant_review_status \
         messenger_ads_default_icebreakers messenger_ads_default_quick_replies messenger_ads_quick_replies_type mission mpg \
         name name_with_location_descriptor new_like_count offer_eligible overall_star_rating page_token payment_options \
         personal_info personal_interests pharma_safety_info phone pickup_options place_type plot_outline press_contact \
         price_range privacy_info_url produced_by products promotion_eligible promotion_ineligible_reason public_transit \
         rating_count record_label release_date restaurant_services restaurant_specialties schedule screenplay_by season \
         single_line_address starring store_code store_location_descriptor store_number studio \
         supports_donate_button_in_live_video talking_about_count tasks temporary_status unread_message_count \
         unread_notif_count unseen_message_count username verification_status voip_info website were_here_count whatsapp_number \
         written_by albums call_to_actions canvas_elements events feed global_brand_children image_copyrights indexed_videos \
         likes photos picture posts published_posts rtb_dynamic_posts tabs tagged video_lists videos",
    ),
    (
        "PagePost",
        "actions admin_creator allowed_advertising_objects application backdated_time call_to_action can_reply_privately \
         child_attachments created_time feed_targeting from full_picture icon id instagram_eligibility \
         is_eligible_for_promotion is_expired is_hidden is_instagram_eligible is_popular is_published is_spherical message \
         message_tags multi_share_end_card multi_share_optimized parent_id permalink_url place privacy promotable_id properties \
         scheduled_publish_time shares status_type story story_tags subscribed targeting updated_time video_buying_eligibility \
         attachments sponsor_tags to comments likes insights",
    ),
    (
        "AdAccount",
        "account_id account_status age amount_spent balance business business_city business_country_code business_name \
         business_state business_street business_street2 business_zip can_create_brand_lift_study capabilities created_time \
         currency disable_reason end_advertiser end_advertiser_name extended_credit_invoice_group failed_delivery_checks \
         fb_entity funding_source funding_source_details has_migrated_permissions id io_number \
         is_attribution_spec_system_default is_direct_deals_enabled is_in_3ds_authorization_enabled_market \
         is_notifications_enabled is_personal is_prepay_account is_tax_id_required line_numbers media_agency \
         min_campaign_group_spend_cap min_daily_budget name offsite_pixels_tos_accepted owner partner rf_spec spend_cap tax_id \
         tax_id_status tax_id_type timezone_id timezone_name timezone_offset_hours_utc tos_accepted user_tasks \
         user_tos_accepted",
    ),
    (
        "Campaign",
        "account_id adlabels bid_strategy boosted_object_id budget_rebalance_flag budget_remaining buying_type \
         can_create_brand_lift_study can_use_spend_cap configured_status created_time daily_budget effective_status \
         has_secondary_skadnetwork_reporting id is_budget_schedule_enabled issues_info last_budget_toggling_time \
         lifetime_budget name objective pacing_type promoted_object recommendations smart_promotion_type source_campaign \
         source_campaign_id special_ad_categories special_ad_category special_ad_category_country spend_cap start_time status \
         stop_time topline_id updated_time",
    ),
    ("ProductCatalog", "business feed_count id name product_count vertical"),
];

fn edges(kind: &NodeType) -> impl Iterator<Item = &'static Edge> {
    kind.calls.iter().chain(kind.edges)
}

fn rights(kind: &NodeType) -> Vec<(String, Right)> {
    let own = [("identity", kind.identity), ("full", kind.full), ("guarded", kind.guarded)];
    let own = own.into_iter().map(|(what, right)| (format!("{} {what}", kind.name), right));
    own.chain(edges(kind).map(|e| (format!("{} {} {}", kind.name, e.verb.as_str(), e.name), e.right))).collect()
}

/// The asset kinds on which the tasks of a kind's rights are looked up.
fn task_words(name: &str) -> Option<AssetKind> {
    match name {
        "Page" | "PagePost" => Some(AssetKind::Page),
        "AdAccount" | "Campaign" => Some(AssetKind::AdAccount),
        "ProductCatalog" => Some(AssetKind::Catalog),
        "AdsPixel" => Some(AssetKind::Pixel),
        "InstagramUser" => Some(AssetKind::InstagramAccount),
        "WhatsAppBusinessAccount" => Some(AssetKind::WhatsappAccount),
        "Application" => Some(AssetKind::App),
        _ => None,
    }
}

#[test]
fn no_name_stands_twice() {
    let mut kinds = HashSet::new();
    for kind in all() {
        assert!(kinds.insert(kind.name), "{} twice", kind.name);
        let mut names = HashSet::new();
        for name in kind.names() {
            assert!(names.insert(name), "{}.{name} twice", kind.name);
        }
        let mut calls = HashSet::new();
        for edge in edges(kind) {
            assert!(calls.insert((edge.name, edge.verb)), "{} {} {} twice", kind.name, edge.verb.as_str(), edge.name);
            let mut params = HashSet::new();
            for param in edge.params {
                assert!(params.insert(param.name), "{} {}: {} twice", kind.name, edge.name, param.name);
            }
        }
        assert!(kind.calls.iter().all(|e| e.name.is_empty() && e.verb != Verb::Get), "{}", kind.name);
        assert!(kind.edges.iter().all(|e| !e.name.is_empty()), "{}", kind.name);
    }
}

/// An edge with the name of a field could never be reached inside braces.
#[test]
fn no_edge_hides_behind_a_field() {
    for kind in all() {
        for edge in kind.edges.iter().filter(|e| e.verb == Verb::Get) {
            assert!(kind.field(edge.name).is_none(), "{}.{}", kind.name, edge.name);
        }
    }
}

#[test]
fn every_kind_that_is_named_is_there() {
    for kind in all() {
        for field in kind.fields {
            if let Type::Node(name) = field.ty {
                assert!(find(name).is_some(), "{}.{}: {name}", kind.name, field.name);
            }
        }
        for edge in edges(kind) {
            let makes_rows = edge.verb == Verb::Get && edge.op != Op::List(Listing::Empty);
            assert!(!makes_rows || !edge.rows.is_empty(), "{}/{} shows no rows", kind.name, edge.name);
            assert!(edge.rows.is_empty() || find(edge.rows).is_some(), "{}/{}: {}", kind.name, edge.name, edge.rows);
        }
    }
    for row in valetkey_domain::kind::TABLE {
        assert!(find(row.node).is_some(), "{}", row.node);
    }
}

#[test]
fn every_node_has_an_id_that_whoever_sees_it_gets() {
    for kind in all() {
        let lists_only = kind.calls.is_empty() && kind.edges.is_empty();
        let Some(id) = kind.fields.iter().find(|f| f.name == "id") else {
            assert!(lists_only, "{}", kind.name);
            continue;
        };
        assert!(id.on_node && id.in_rows, "{}", kind.name);
        assert!(id.level == Level::Identity || kind.name == "AccessToken", "{}", kind.name);
    }
}

#[test]
fn every_name_that_programs_ask_for_is_taken() {
    for (kind, names) in ASKED {
        let kind = find(kind).unwrap();
        for name in names.split_ascii_whitespace() {
            let taken = kind.field(name).is_some() || kind.edge(name, Verb::Get).is_some();
            assert!(taken, "{}.{name} is refused", kind.name);
        }
    }
    let count = |kind: &str| ASKED.iter().find(|(k, _)| *k == kind).unwrap().1.split_ascii_whitespace().count();
    assert_eq!((count("Page"), count("PagePost"), count("AdAccount"), count("Campaign")), (143, 47, 54, 36));
}

/// The defaults that programs rely on when they send no `fields`.
#[test]
fn what_is_shown_without_being_asked_for() {
    let shown = |kind: &str, row: bool| -> Vec<&str> {
        let fields = find(kind).unwrap().fields.iter();
        fields.filter(|f| if row { f.in_rows } else { f.on_node }).map(|f| f.name).collect()
    };
    let token = "id type user app page scopes created_by parent created_time expires_at last_used_time last_used_ip use_count status";
    let cases = [
        ("Business", "id name", "id name"),
        ("SystemUser", "id name", "id name role"),
        ("BusinessUser", "id name", "id name email role business"),
        ("AssignedUser", "id name tasks", "id name tasks"),
        ("Agency", "id name permitted_tasks access_status", "id name permitted_tasks access_status"),
        ("AccessToken", token, token),
        ("Application", "id name link category", "id name"),
        ("Page", "id name", "id name"),
        ("PagePost", "id message story created_time", "id message story created_time"),
        ("AdAccount", "id account_id", "id account_id"),
        ("Campaign", "id", "id"),
        ("ProductCatalog", "id name", "id name"),
        ("AdsPixel", "id name", "id name"),
        ("InstagramUser", "id", "id username"),
        ("WhatsAppBusinessAccount", "id name", "id name"),
        ("Permission", "permission status", "permission status"),
    ];
    for (kind, node, rows) in cases {
        assert_eq!(shown(kind, false).join(" "), node, "{kind} on the node");
        assert_eq!(shown(kind, true).join(" "), rows, "{kind} in rows");
    }
}

#[test]
fn every_right_names_scopes_and_tasks_that_exist() {
    for kind in all() {
        for (what, right) in rights(kind) {
            let scopes = right.scopes.iter().chain(right.admin_scopes).chain(right.own.unwrap_or_default());
            for scope in scopes {
                assert!(Scope::parse(scope).is_some(), "{what}: {scope}");
            }
            if let Tasks::OneOf(tasks) = right.tasks {
                let row =
                    task_words(kind.name).and_then(AssetKind::row).unwrap_or_else(|| panic!("{what} has no tasks"));
                for task in tasks {
                    assert!(row.tasks.iter().any(|t| t.name == *task), "{what}: {task}");
                }
            }
        }
    }
}

/// A caller that may only read itself must not read its neighbours. Otherwise every EMPLOYEE could
/// list what an ADMIN reaches.
#[test]
fn what_is_ones_own_is_refused_to_others() {
    for kind in [&SYSTEM_USER, &BUSINESS_USER] {
        for edge in edges(kind) {
            let mine = matches!(
                edge.op,
                Op::List(
                    Listing::MyPages
                        | Listing::MyAdAccounts
                        | Listing::MyBusinesses
                        | Listing::MyBusinessUsers
                        | Listing::MyPermissions
                ) | Op::Write(Write::DropPermissions)
            );
            let right = edge.right;
            assert_ne!(right.who, Who::Any, "{}/{}", kind.name, edge.name);
            assert_eq!(
                mine,
                right.who == Who::OwnerAdmin && right.own == Some(right.scopes),
                "{}/{}",
                kind.name,
                edge.name
            );
        }
    }
}

/// The table shows the rights of `assigned_users` and `agencies`; the service asks its own. Both
/// must say the same.
#[test]
fn the_rights_of_assignments_are_those_of_the_service() {
    use valetkey_domain::{Id, ScopeSet};
    use valetkey_service::authz::Need;
    use valetkey_service::rights;

    let id = Id::new(1).unwrap();
    let built_in = valetkey_domain::kind::TABLE.iter().filter(|r| r.kind != AssetKind::App).map(|r| (r.kind, r.node));
    for (kind, name) in built_in.chain([(AssetKind::Declared(0), "Asset")]) {
        let node = find(name).unwrap();
        let shown = |edge: &str, verb| node.edge(edge, verb).unwrap_or_else(|| panic!("{name}/{edge}")).right;
        let cases = [
            (shown("assigned_users", Verb::Get), rights::list_assigned(kind), Need::AnyTask),
            (shown("assigned_users", Verb::Post), rights::change_assigned(id, kind), Need::Admin),
            (shown("assigned_users", Verb::Delete), rights::unassign(id, kind), Need::Admin),
            (shown("agencies", Verb::Post), rights::share(id, kind), Need::OwnerAdmin),
            (shown("agencies", Verb::Delete), rights::unshare(id, kind), Need::Admin),
        ];
        for (i, (right, asked, need)) in cases.into_iter().enumerate() {
            assert_eq!(ScopeSet::of(right.scopes), asked.scopes, "{name} {i}");
            assert_eq!(right.sorts, asked.sorts, "{name} {i}");
            assert_eq!(asked.need, need, "{name} {i}");
            let shown = match (right.who, right.tasks) {
                (Who::Admin, Tasks::Nothing) => Need::Admin,
                (Who::OwnerAdmin, Tasks::Nothing) => Need::OwnerAdmin,
                (Who::Any, Tasks::Any) => Need::AnyTask,
                _ => Need::Nothing,
            };
            assert_eq!(shown, need, "{name} {i}");
        }
    }
}

#[test]
fn the_reference_is_whole_and_the_same_each_time() {
    let text = print::markdown();
    assert_eq!(text, print::markdown());
    for kind in all() {
        assert!(text.contains(&format!("\n## {}\n", kind.name)), "{}", kind.name);
        for name in kind.names() {
            assert!(text.contains(&format!("`{name}`")), "{}.{name}", kind.name);
        }
        for edge in edges(kind) {
            assert!(text.contains(edge.what), "{}/{}", kind.name, edge.name);
        }
    }
    // All rows of a Markdown table must have the same number of cells.
    let mut cells = None;
    for line in text.lines() {
        let count = line.starts_with('|').then(|| line.matches('|').count());
        assert!(cells.is_none() || count.is_none() || cells == count, "{line}");
        cells = count;
    }
}
