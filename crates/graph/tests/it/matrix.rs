//! Every route of the schema table, tried with no, broken, foreign and weak credentials; and every
//! foreign id held against one that was never issued.

use valetkey_graph::schema::{self, Verb};

use crate::house::{Company, House, house};

/// The paths of a company's things, by the kind of node.
async fn paths(house: &House, m: &Company) -> Vec<(&'static str, String)> {
    let posted = house.post(&format!("/v26.0/{}/feed", m.page), &m.admin_token, &[("message", "hello")]).await;
    let body = [("name", "C"), ("objective", "OUTCOME_TRAFFIC"), ("special_ad_categories", "[]")];
    let campaign = house.post(&format!("/v26.0/act_{}/campaigns", m.account), &m.admin_token, &body).await;
    let token = house.get(&format!("/v26.0/{}/access_tokens", m.clerk), &m.admin_token).await;
    vec![
        ("Business", m.business.to_string()),
        ("SystemUser", m.clerk.to_string()),
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
    let house = house().await;
    let m = &house.maker;
    let broken = format!("{}x", &m.admin_token[..m.admin_token.len() - 1]);
    let things = paths(&house, m).await;
    house.delete(&format!("/v26.0/{}/access_tokens", m.clerk), &m.admin_token, &[]).await;
    let mut tried = 0;
    for (kind, id) in &things {
        for (method, edge) in routes(kind) {
            if matches!(edge, Some("instruments" | "activities")) && method == "POST" {
                continue;
            }
            let target = target(id, edge);
            for token in [None, Some(broken.as_str()), Some(m.clerk_token.as_str()), Some("nonsense")] {
                let answer = house.send(method, &target, token, &[]).await;
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
    println!("{tried} calls over {} kinds", things.len());
    assert!(tried > 300);
}

#[tokio::test]
async fn a_foreign_id_answers_like_one_that_was_never_issued() {
    let house = house().await;
    let things = paths(&house, &house.maker).await;
    let stranger = house.agency.admin_token.as_str();
    for (kind, id) in &things {
        // The same form, one digit away from anything that exists.
        let never: String = {
            let mut bytes = id.clone().into_bytes();
            let last = bytes.len() - 1;
            bytes[last] = if bytes[last] == b'9' { b'0' } else { bytes[last] + 1 };
            String::from_utf8(bytes).unwrap()
        };
        for (method, edge) in routes(kind) {
            let foreign = house.send(method, &target(id, edge), Some(stranger), &[]).await;
            let unknown = house.send(method, &target(&never, edge), Some(stranger), &[]).await;
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
            let names = |a: &crate::house::Answer| a.headers.keys().map(|k| k.as_str().to_owned()).collect::<Vec<_>>();
            assert_eq!(names(&foreign), names(&unknown), "{method} {kind} {edge:?}");
        }
    }
}

/// What an EMPLOYEE without any assignment, and one without scopes, gets at each route: the matrix
/// is printed, and every cell must be a plain no or an empty or public answer.
#[tokio::test]
async fn the_access_matrix_of_an_employee_without_assignments() {
    let house = house().await;
    let m = &house.maker;
    let things = paths(&house, m).await;
    let mut lines = Vec::new();
    for (kind, id) in &things {
        for (method, edge) in routes(kind) {
            let answer = house.send(method, &target(id, edge), Some(&m.clerk_token), &[]).await;
            let cell = match (answer.code(), answer.reason()) {
                (Some(code), reason) => format!("{code} {}", reason.unwrap_or("-")),
                (None, _) => format!("{}", answer.status.as_u16()),
            };
            lines.push(format!("{method:<6} {kind}/{:<28} {cell}", edge.unwrap_or("")));
            let own = *kind == "SystemUser" || *kind == "AccessToken" || *kind == "Application";
            let writes = method != "GET";
            if writes && !own {
                assert!(answer.code().is_some(), "{method} {kind} {edge:?} was allowed: {}", answer.text);
            }
        }
    }
    println!("{}", lines.join("\n"));
}
