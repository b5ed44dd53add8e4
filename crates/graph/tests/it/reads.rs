//! Every read of the route table, by callers that may not make it: as a call of its own, as `ids=`,
//! and as an expansion inside an object that they may read.

use valetkey_domain::rules::token::Lifetime;
use valetkey_graph::schema::{self, NodeType, Verb};

use crate::fixture::{Company, Fixture, encode, fixture};

/// Texts that only the forbidden objects hold.
const MARKS: &[&str] = &["MARK-post", "MARK-scheduled", "MARK-campaign", "City bikes", "Ads EU", "All bikes", "Shop"];

struct Ids {
    of_kind: Vec<(&'static str, String)>,
}

async fn nodes(fixture: &Fixture, m: &Company) -> Ids {
    let feed = format!("/v26.0/{}/feed", m.page);
    let post = fixture.post(&feed, &m.admin_token, &[("message", "MARK-post")]).await;
    let later = (valetkey_service::Clock::now(&*fixture.clock) / 1000 + 86_400).to_string();
    let body = [("message", "MARK-scheduled"), ("published", "false"), ("scheduled_publish_time", later.as_str())];
    let scheduled = fixture.post(&feed, &m.admin_token, &body).await;
    let body = [("name", "MARK-campaign"), ("objective", "OUTCOME_TRAFFIC"), ("special_ad_categories", "[]")];
    let campaign = fixture.post(&format!("/v26.0/act_{}/campaigns", m.account), &m.admin_token, &body).await;
    let of_kind = vec![
        ("Business", m.business.to_string()),
        ("SystemUser", m.admin.to_string()),
        ("BusinessUser", m.admin_person.to_string()),
        ("Page", m.page.to_string()),
        ("AdAccount", format!("act_{}", m.account)),
        ("ProductCatalog", m.catalog.to_string()),
        ("AdsPixel", m.pixel.to_string()),
        ("PagePost", post.str("id").to_owned()),
        ("PagePost", scheduled.str("id").to_owned()),
        ("Campaign", campaign.str("id").to_owned()),
    ];
    Ids { of_kind }
}

/// All fields and edges of a kind, each with its inner fields.
fn wide(kind: &NodeType) -> String {
    let fields = kind.fields.iter().map(|f| match f.ty {
        schema::Type::Node(_) => format!("{}{{id,name}}", f.name),
        _ => f.name.to_owned(),
    });
    let edges = kind.edges.iter().filter(|e| e.verb == Verb::Get).map(|e| format!("{}.limit(5){{id}}", e.name));
    fields.chain(edges).collect::<Vec<_>>().join(",")
}

/// The reads of one object, in every form.
fn targets(kind: &NodeType, id: &str) -> Vec<String> {
    let id = encode(id);
    let edges = kind.edges.iter().filter(|e| e.verb == Verb::Get);
    let forms = |edge: &schema::Edge| {
        let rows = schema::find(edge.rows).map(|kind| kind.fields.iter().map(|f| f.name).collect::<Vec<_>>().join(","));
        let fields = encode(&rows.unwrap_or_else(|| "id".to_owned()));
        [
            format!("/v26.0/{id}/{}", edge.name),
            format!("/v26.0/{id}/{}?fields={fields}&summary=total_count", edge.name),
            format!("/v26.0/{}?ids={id}", edge.name),
            format!("/v26.0/{id}?fields={}", encode(&format!("id,{}{{id}}", edge.name))),
        ]
    };
    let own = [
        format!("/v26.0/{id}"),
        format!("/v26.0/?ids={id}"),
        format!("/v26.0/{id}?fields={}", encode(&wide(kind))),
        format!("/v26.0/?ids={id}&fields={}", encode(&wide(kind))),
        format!("/v26.0/{id}?metadata=1"),
    ];
    own.into_iter().chain(edges.flat_map(forms)).collect()
}

#[tokio::test]
async fn no_read_shows_anything_to_a_caller_who_may_not_make_it() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let ids = nodes(&fixture, m).await;
    let narrow = fixture.token(m, m.employee, &["public_profile"], Lifetime::Never).await;
    let callers = [("a stranger", fixture.agency.admin_token.clone()), ("an EMPLOYEE without scopes", narrow)];
    let mut calls = 0;
    for (who, token) in &callers {
        for (kind, id) in &ids.of_kind {
            let Some(node) = schema::find(kind) else { panic!("{kind}") };
            for target in targets(node, id) {
                let answer = fixture.get(&target, token).await;
                calls += 1;
                for mark in MARKS {
                    assert!(!answer.text.contains(mark), "{who} reads {mark} at {target}: {}", answer.text);
                }
                let is_open = matches!(*kind, "Business" | "SystemUser") && *who != "a stranger";
                assert!(is_open || answer.code().is_some(), "{who} reads {target}: {}", answer.text);
            }
        }
    }
    // Expansions inside objects that they may read.
    for (who, token) in &callers {
        for (target, kind) in [("/v26.0/me", "SystemUser"), ("/v26.0/me/assigned_assets", "Page")] {
            let Some(node) = schema::find(kind) else { panic!("{kind}") };
            let answer = fixture.get(&format!("{target}?fields={}", encode(&wide(node))), token).await;
            calls += 1;
            let own = if *who == "a stranger" { &[] } else { MARKS };
            assert!(own.iter().all(|mark| !answer.text.contains(mark)), "{who} at {target}: {}", answer.text);
        }
    }
    println!("{calls} reads by callers who may not make them");
    assert!(calls > 700, "{calls}");
}

/// A `fields` list that expands an unreadable object leaves it out and journals nothing.
#[tokio::test]
async fn an_expansion_that_is_refused_is_left_out_in_silence() {
    let fixture = fixture().await;
    let m = &fixture.company;
    let token = fixture.token(m, m.admin, &["pages_show_list"], Lifetime::Never).await;
    let before = fixture.service.decision_counts().1;
    let answer = fixture.get("/v26.0/me?fields=id,accounts{id,posts{message}}", &token).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    let page = answer.body.pointer("/accounts/data/0").unwrap_or_else(|| panic!("{}", answer.text));
    assert!(page.get("id").is_some() && page.get("posts").is_none(), "{}", answer.text);
    assert_eq!(fixture.service.decision_counts().1, before, "a field that is left out was journaled");
}

#[tokio::test]
async fn the_first_refused_id_of_several_answers_and_nothing_of_the_others_is_shown() {
    let fixture = fixture().await;
    let (m, agency) = (&fixture.company, &fixture.agency);
    let target = format!("/v26.0/?ids={},{},{}", m.page, agency.page, agency.account);
    let answer = fixture.get(&target, &m.admin_token).await;
    assert!(answer.text.contains(&agency.page.to_string()), "{}", answer.text);
    assert!(
        !answer.text.contains(&agency.account.to_string()) && !answer.text.contains("City bikes"),
        "{}",
        answer.text
    );
    let other = format!("/v26.0/?ids={},{}", agency.account, agency.page);
    let answer = fixture.get(&other, &m.admin_token).await;
    assert!(answer.text.contains(&agency.account.to_string()), "{}", answer.text);
}
