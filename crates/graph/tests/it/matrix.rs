//! Every route of the schema table, tried with no, broken, foreign and weak credentials. Every
//! foreign id is compared with one that was never issued.

use valetkey_domain::rules::token::Lifetime;
use valetkey_graph::schema::{self, Verb};
use valetkey_service::Call;

use crate::fixture::{Company, Fixture, fixture};

/// The paths of a company's objects, by the kind of node.
async fn paths(fixture: &Fixture, m: &Company) -> Vec<(&'static str, String)> {
    let posted = fixture.post(&format!("/v26.0/{}/feed", m.page), &m.admin_token, &[("message", "hello")]).await;
    let body = [("name", "C"), ("objective", "OUTCOME_TRAFFIC"), ("special_ad_categories", "[]")];
    let campaign = fixture.post(&format!("/v26.0/act_{}/campaigns", m.account), &m.admin_token, &body).await;
    let token = fixture.get(&format!("/v26.0/{}/access_tokens", m.employee), &m.admin_token).await;
    vec![
        ("Business", m.business.to_string()),
        ("SystemUser", m.employee.to_string()),
        ("BusinessUser", m.admin_person.to_string()),
        ("Application", m.app.to_string()),
        ("Page", m.page.to_string()),
        ("AdAccount", format!("act_{}", m.account)),
        ("ProductCatalog", m.catalog.to_string()),
        ("AdsPixel", m.pixel.to_string()),
        ("PagePost", posted.str("id").to_owned()),
        ("Campaign", campaign.str("id").to_owned()),
        ("AccessToken", token.body["data"][0]["id"].as_str().unwrap_or_else(|| panic!("{}", token.text)).to_owned()),
    ]
}

fn routes(kind: &str) -> Vec<(&'static str, Option<&'static str>)> {
    let Some(node) = schema::find(kind) else { return Vec::new() };
    let verb = |v: Verb| match v {
        Verb::Get => "GET",
        Verb::Post => "POST",
        Verb::Delete => "DELETE",
    };
    let own = std::iter::once(("GET", None)).chain(node.calls.iter().map(|c| (verb(c.verb), None)));
    own.chain(node.edges.iter().map(|e| (verb(e.verb), Some(e.name)))).collect()
}

fn target(id: &str, edge: Option<&str>) -> String {
    edge.map_or(format!("/v26.0/{id}"), |e| format!("/v26.0/{id}/{e}"))
}

#[tokio::test]
async fn every_route_refuses_no_broken_and_dead_credentials() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let broken = format!("{}x", &m.admin_token[..m.admin_token.len() - 1]);
    let paths_of = paths(&fixture, m).await;
    fixture.delete(&format!("/v26.0/{}/access_tokens", m.employee), &m.admin_token, &[]).await;
    let mut tried = 0;
    for (kind, id) in &paths_of {
        for (method, edge) in routes(kind) {
            if matches!(edge, Some("instruments" | "activities")) && method == "POST" {
                continue;
            }
            let target = target(id, edge);
            for token in [None, Some(broken.as_str()), Some(m.employee_token.as_str()), Some("nonsense")] {
                let answer = fixture.send(method, &target, token, &[]).await;
                assert_eq!(
                    (answer.status.as_u16(), answer.code()),
                    (401, Some(190)),
                    "{method} {target} {token:?}: {}",
                    answer.text
                );
                tried += 1;
            }
        }
    }
    println!("{tried} calls over {} kinds", paths_of.len());
    assert!(tried > 300);
}

#[tokio::test]
async fn a_foreign_id_answers_like_one_that_was_never_issued() {
    let fixture = fixture().await;
    let paths_of = paths(&fixture, &fixture.company).await;
    let stranger = fixture.agency.admin_token.as_str();
    for (kind, id) in &paths_of {
        // The same form, one digit away from anything that exists.
        let never: String = {
            let mut bytes = id.clone().into_bytes();
            let last = bytes.len() - 1;
            bytes[last] = if bytes[last] == b'9' { b'0' } else { bytes[last] + 1 };
            String::from_utf8(bytes).unwrap()
        };
        for (method, edge) in routes(kind) {
            let foreign = fixture.send(method, &target(id, edge), Some(stranger), &[]).await;
            let unknown = fixture.send(method, &target(&never, edge), Some(stranger), &[]).await;
            if matches!(edge, Some("instruments" | "activities")) && method == "POST" {
                continue;
            }
            assert_eq!(foreign.without_trace(id), unknown.without_trace(&never), "{method} {kind} {edge:?}");
            assert_eq!(foreign.status, unknown.status);
            assert_eq!(
                (foreign.code(), foreign.body["error"]["error_subcode"].as_u64()),
                (Some(100), Some(33)),
                "{method} {kind} {edge:?}: {}",
                foreign.text
            );
            let names =
                |a: &crate::fixture::Answer| a.headers.keys().map(|k| k.as_str().to_owned()).collect::<Vec<_>>();
            assert_eq!(names(&foreign), names(&unknown), "{method} {kind} {edge:?}");
        }
    }
}

/// The answer to an EMPLOYEE with every scope and no assignment at each route. A read or write that
/// becomes possible shows up as a difference.
#[tokio::test]
async fn the_access_matrix_of_an_employee_without_assignments() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let paths_of = paths(&fixture, m).await;
    let person = Call::with_token(&m.person_token, "seed");
    let operator = valetkey_service::operator::Operator::of(&fixture.service, "t");
    let scopes = operator.read(|s| s.app(m.app).unwrap().allowed_scopes.names()).unwrap();
    let mut lines = Vec::new();
    for (kind, id) in &paths_of {
        for (method, edge) in routes(kind) {
            // Each call has a fresh token, since some calls revoke it, and one uninstalls the app.
            fixture.service.install_app(&person, m.employee, m.app).await.unwrap();
            let token = fixture.token(m, m.employee, &scopes, Lifetime::Never).await;
            let answer = fixture.send(method, &target(id, edge), Some(&token), &[]).await;
            let cell = match (answer.code(), answer.reason()) {
                (Some(code), reason) => format!("{code} {}", reason.unwrap_or("-")),
                (None, _) => "ok".to_owned(),
            };
            let route = format!("{method} {kind}/{}", edge.unwrap_or(""));
            lines.push(format!("{route:<56} {cell}"));
            let own = *kind == "SystemUser" || *kind == "AccessToken" || *kind == "Application";
            let writes = method != "GET";
            if writes && !own {
                assert!(answer.code().is_some(), "{method} {kind} {edge:?} was allowed: {}", answer.text);
            }
        }
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    GET Business/                                            ok
    POST Business/                                           200 role_insufficient
    GET Business/system_users                                200 role_insufficient
    POST Business/system_users                               200 role_insufficient
    GET Business/business_users                              200 role_insufficient
    GET Business/access_tokens                               200 role_insufficient
    GET Business/owned_pages                                 ok
    POST Business/owned_pages                                200 role_insufficient
    GET Business/client_pages                                ok
    GET Business/owned_ad_accounts                           ok
    GET Business/client_ad_accounts                          ok
    POST Business/adaccount                                  200 role_insufficient
    GET Business/owned_apps                                  ok
    POST Business/owned_apps                                 200 role_insufficient
    DELETE Business/owned_apps                               200 role_insufficient
    GET Business/client_apps                                 ok
    GET Business/owned_pixels                                ok
    GET Business/client_pixels                               ok
    GET Business/adspixels                                   ok
    POST Business/adspixels                                  200 role_insufficient
    GET Business/ads_dataset                                 ok
    POST Business/ads_dataset                                200 role_insufficient
    GET Business/owned_product_catalogs                      ok
    POST Business/owned_product_catalogs                     200 role_insufficient
    GET Business/client_product_catalogs                     ok
    GET Business/owned_instagram_accounts                    ok
    GET Business/instagram_accounts                          ok
    GET Business/instagram_business_accounts                 ok
    GET Business/owned_whatsapp_business_accounts            ok
    GET Business/client_whatsapp_business_accounts           ok
    GET Business/agencies                                    200 role_insufficient
    GET Business/clients                                     200 role_insufficient
    GET SystemUser/                                          ok
    POST SystemUser/                                         200 role_insufficient
    DELETE SystemUser/                                       200 role_insufficient
    GET SystemUser/applications                              ok
    POST SystemUser/applications                             200 role_insufficient
    DELETE SystemUser/applications                           200 role_insufficient
    GET SystemUser/access_tokens                             ok
    POST SystemUser/access_tokens                            100 -
    DELETE SystemUser/access_tokens                          ok
    GET SystemUser/assigned_pages                            ok
    GET SystemUser/assigned_ad_accounts                      ok
    GET SystemUser/assigned_product_catalogs                 ok
    GET SystemUser/assigned_pixels                           ok
    GET SystemUser/assigned_instagram_accounts               ok
    GET SystemUser/assigned_whatsapp_business_accounts       ok
    GET SystemUser/assigned_applications                     ok
    GET SystemUser/assigned_assets                           ok
    GET SystemUser/assigned_business_asset_groups            ok
    GET SystemUser/accounts                                  ok
    GET SystemUser/adaccounts                                ok
    GET SystemUser/businesses                                ok
    GET SystemUser/business_users                            ok
    GET SystemUser/permissions                               ok
    DELETE SystemUser/permissions                            ok
    GET BusinessUser/                                        200 role_insufficient
    POST BusinessUser/                                       200 role_insufficient
    DELETE BusinessUser/                                     200 role_insufficient
    GET BusinessUser/applications                            200 role_insufficient
    POST BusinessUser/applications                           200 role_insufficient
    DELETE BusinessUser/applications                         200 role_insufficient
    GET BusinessUser/access_tokens                           200 role_insufficient
    POST BusinessUser/access_tokens                          200 role_insufficient
    DELETE BusinessUser/access_tokens                        200 role_insufficient
    GET BusinessUser/assigned_pages                          200 role_insufficient
    GET BusinessUser/assigned_ad_accounts                    200 role_insufficient
    GET BusinessUser/assigned_product_catalogs               200 role_insufficient
    GET BusinessUser/assigned_pixels                         200 role_insufficient
    GET BusinessUser/assigned_instagram_accounts             200 role_insufficient
    GET BusinessUser/assigned_whatsapp_business_accounts     200 role_insufficient
    GET BusinessUser/assigned_applications                   200 role_insufficient
    GET BusinessUser/assigned_assets                         200 role_insufficient
    GET BusinessUser/assigned_business_asset_groups          200 role_insufficient
    GET BusinessUser/accounts                                200 role_insufficient
    GET BusinessUser/adaccounts                              200 role_insufficient
    GET BusinessUser/businesses                              200 role_insufficient
    GET BusinessUser/business_users                          200 role_insufficient
    GET BusinessUser/permissions                             200 role_insufficient
    DELETE BusinessUser/permissions                          200 role_insufficient
    GET Application/                                         ok
    POST Application/                                        200 role_insufficient
    GET Application/permissions                              200 role_insufficient
    POST Application/activities                              ok
    POST Application/instruments                             ok
    GET Page/                                                200 asset_not_assigned
    POST Page/                                               200 asset_not_assigned
    GET Page/feed                                            200 asset_not_assigned
    POST Page/feed                                           200 asset_not_assigned
    GET Page/posts                                           200 asset_not_assigned
    GET Page/published_posts                                 200 asset_not_assigned
    GET Page/scheduled_posts                                 200 asset_not_assigned
    GET Page/ads_posts                                       200 asset_not_assigned
    GET Page/tagged                                          200 asset_not_assigned
    GET Page/visitor_posts                                   200 asset_not_assigned
    GET Page/assigned_users                                  200 asset_not_assigned
    POST Page/assigned_users                                 200 role_insufficient
    DELETE Page/assigned_users                               200 role_insufficient
    GET Page/agencies                                        200 role_insufficient
    POST Page/agencies                                       200 role_insufficient
    DELETE Page/agencies                                     200 role_insufficient
    GET Page/albums                                          200 asset_not_assigned
    GET Page/photos                                          200 asset_not_assigned
    GET Page/videos                                          200 asset_not_assigned
    GET Page/locations                                       200 asset_not_assigned
    GET AdAccount/                                           200 asset_not_assigned
    POST AdAccount/                                          200 asset_not_assigned
    GET AdAccount/campaigns                                  200 asset_not_assigned
    POST AdAccount/campaigns                                 200 asset_not_assigned
    GET AdAccount/assigned_users                             200 asset_not_assigned
    POST AdAccount/assigned_users                            200 role_insufficient
    DELETE AdAccount/assigned_users                          200 role_insufficient
    GET AdAccount/agencies                                   200 role_insufficient
    POST AdAccount/agencies                                  200 role_insufficient
    DELETE AdAccount/agencies                                200 role_insufficient
    GET AdAccount/users                                      200 asset_not_assigned
    GET AdAccount/adsets                                     200 asset_not_assigned
    GET AdAccount/ads                                        200 asset_not_assigned
    GET AdAccount/adcreatives                                200 asset_not_assigned
    GET AdAccount/adimages                                   200 asset_not_assigned
    GET AdAccount/advideos                                   200 asset_not_assigned
    GET AdAccount/adlabels                                   200 asset_not_assigned
    GET AdAccount/customaudiences                            200 asset_not_assigned
    GET AdAccount/saved_audiences                            200 asset_not_assigned
    GET AdAccount/customconversions                          200 asset_not_assigned
    GET ProductCatalog/                                      200 asset_not_assigned
    POST ProductCatalog/                                     200 asset_not_assigned
    GET ProductCatalog/assigned_users                        200 asset_not_assigned
    POST ProductCatalog/assigned_users                       200 role_insufficient
    DELETE ProductCatalog/assigned_users                     200 role_insufficient
    GET ProductCatalog/agencies                              200 role_insufficient
    POST ProductCatalog/agencies                             200 role_insufficient
    DELETE ProductCatalog/agencies                           200 role_insufficient
    GET ProductCatalog/products                              200 asset_not_assigned
    GET ProductCatalog/product_sets                          200 asset_not_assigned
    GET ProductCatalog/product_feeds                         200 asset_not_assigned
    GET AdsPixel/                                            200 asset_not_assigned
    POST AdsPixel/                                           200 asset_not_assigned
    GET AdsPixel/assigned_users                              200 asset_not_assigned
    POST AdsPixel/assigned_users                             200 role_insufficient
    DELETE AdsPixel/assigned_users                           200 role_insufficient
    GET AdsPixel/agencies                                    200 role_insufficient
    POST AdsPixel/agencies                                   200 role_insufficient
    DELETE AdsPixel/agencies                                 200 role_insufficient
    GET PagePost/                                            200 asset_not_assigned
    POST PagePost/                                           200 asset_not_assigned
    DELETE PagePost/                                         200 asset_not_assigned
    GET PagePost/attachments                                 200 asset_not_assigned
    GET PagePost/sharedposts                                 200 asset_not_assigned
    GET PagePost/to                                          200 asset_not_assigned
    GET PagePost/dynamic_posts                               200 asset_not_assigned
    GET PagePost/sponsor_tags                                200 asset_not_assigned
    GET PagePost/comments                                    200 asset_not_assigned
    GET PagePost/likes                                       200 asset_not_assigned
    GET PagePost/reactions                                   200 asset_not_assigned
    GET Campaign/                                            200 asset_not_assigned
    POST Campaign/                                           200 asset_not_assigned
    DELETE Campaign/                                         200 asset_not_assigned
    GET Campaign/adsets                                      200 asset_not_assigned
    GET Campaign/ads                                         200 asset_not_assigned
    GET AccessToken/                                         ok
    DELETE AccessToken/                                      ok
    ");
}
