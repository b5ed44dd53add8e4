//! A person of another business: the ids of the first one look like ids that were never issued, and
//! none of its names is ever shown.

use http::Method;

use crate::fixture::{Answer, Fields, Ids, OWN_NAMES, Session, World, fields, never_issued, signed_of};
use crate::html;

/// Fields in which pages may take ids, each with the place of its id in [`Ids::all`].
const ID_FIELDS: [(&str, usize); 12] = [
    ("user", 0),
    ("person", 1),
    ("app", 2),
    ("asset", 3),
    ("token", 4),
    ("about", 5),
    ("partner", 6),
    ("trace", 7),
    ("business", 8),
    ("page", 3),
    ("by", 1),
    ("q", 0),
];

/// Puts the same marks in the place of what was sent and of what is another at each request.
fn levelled(answer: &Answer, ids: &Ids) -> String {
    let marks = ["user", "person", "app", "asset", "token", "content", "partner", "trace", "other"];
    let all = ids.all().into_iter().zip(marks);
    all.fold(answer.without_trace(), |text, (id, mark)| text.replace(id, mark))
}

/// Says what of the first business is on a page.
fn leaks(world: &World, answer: &Answer) -> Vec<String> {
    let text = if answer.is_html() { html::words(&answer.html) } else { answer.html.clone() };
    let mut all: Vec<String> = OWN_NAMES.map(str::to_owned).to_vec();
    all.extend(world.secrets());
    all.retain(|name| text.contains(name.as_str()));
    all
}

async fn compare(world: &World, session: &Session, method: &Method, ours: &str, none: &str, sent: (&Fields, &Fields)) {
    let ids = world.ids();
    let asked = world.send(world.request(method.clone(), ours, Some(&session.text), sent.0)).await;
    let missing = world.send(world.request(method.clone(), none, Some(&session.text), sent.1)).await;
    assert_eq!(leaks(world, &asked), Vec::<String>::new(), "{method} {ours}");
    assert_eq!(asked.status, missing.status, "{method} {ours}");
    let (asked, missing) = (levelled(&asked, &ids), levelled(&missing, &ids.map(never_issued)));
    assert_eq!(asked, missing, "{method} {ours}");
}

#[tokio::test]
async fn an_id_of_another_business_looks_like_one_that_was_never_issued() {
    let world = World::new().await;
    let session = world.sign_in(world.stranger.admin_person).await;
    let (ids, none) = (world.ids(), world.ids().map(never_issued));
    let head = world.head().await;
    let empty = Fields::new();
    for route in signed_of(Method::GET).into_iter().filter(|route| route.path.contains("{}")) {
        let (ours, other) = (ids.address(&route.path), none.address(&route.path));
        let answer = world.open(Some(&session.text), &ours).await;
        assert_eq!(answer.code(), 404, "{ours}");
        compare(&world, &session, &Method::GET, &ours, &other, (&empty, &empty)).await;
    }
    for (at, route) in signed_of(Method::POST).into_iter().filter(|route| route.path.contains("{}")).enumerate() {
        let (ours, other) = (ids.path(&route.path), none.path(&route.path));
        for go in ["", "save", "generate", "review"] {
            let form = |mark: &str, ids: &Ids| {
                let id = format!("{mark}{at}{go}");
                let typed = [("form", id.as_str()), ("go", go), ("name", "Taken"), ("was", "x"), ("all", "yes")];
                let mut sent = fields(&typed);
                sent.extend([("asset".to_owned(), ids.asset.clone()), ("token".to_owned(), ids.token.clone())]);
                sent
            };
            let answer = world.submit(Some(&session.text), &ours, &form("a", &ids)).await;
            assert_eq!(answer.code(), 404, "POST {ours} {go}");
            let sent = (form("b", &ids), form("c", &none));
            compare(&world, &session, &Method::POST, &ours, &other, (&sent.0, &sent.1)).await;
        }
    }
    assert_eq!(world.head().await, head);
}

/// The same ids in a query: as a filter, as what a link opens a form with.
#[tokio::test]
async fn an_id_of_another_business_in_a_query_says_nothing() {
    let world = World::new().await;
    let session = world.sign_in(world.stranger.admin_person).await;
    let (ids, none) = (world.ids(), world.ids().map(never_issued));
    let own = Ids {
        user: world.stranger.employee.to_string(),
        person: world.stranger.admin_person.to_string(),
        app: world.stranger.app.to_string(),
        asset: world.stranger.assets[0].to_string(),
        token: world.stranger.employee_token.id.to_string(),
        ..world.ids()
    };
    let empty = Fields::new();
    for route in signed_of(Method::GET) {
        let base = own.address(&route.path);
        let sign = if base.contains('?') { '&' } else { '?' };
        // Each id in all fields together, and in each field the id that belongs there.
        let everywhere = |id: &str| ID_FIELDS.map(|(field, _)| format!("{field}={id}")).join("&");
        let mut queries: Vec<(String, String)> = Vec::new();
        queries.extend(ids.all().into_iter().zip(none.all()).map(|(a, b)| (everywhere(a), everywhere(b))));
        let alone = |ids: &Ids, (field, at): (&str, usize)| format!("{field}={}", ids.all()[at]);
        queries.extend(ID_FIELDS.map(|row| (alone(&ids, row), alone(&none, row))));
        for (ours, other) in queries {
            let (ours, other) = (format!("{base}{sign}{ours}"), format!("{base}{sign}{other}"));
            compare(&world, &session, &Method::GET, &ours, &other, (&empty, &empty)).await;
        }
    }
}

/// The same ids in forms about things of one's own: nothing of theirs is touched or shown.
#[tokio::test]
async fn an_id_of_another_business_in_a_form_is_refused_like_any_other() {
    let world = World::new().await;
    let session = world.sign_in(world.stranger.admin_person).await;
    let (user, page) = (world.stranger.employee, world.page);
    let never = never_issued(&page.to_string());
    let assign = format!("/console/system-users/{user}/assign");
    let token = format!("/console/system-users/{user}/token");
    let revoke = format!("/console/system-users/{user}/revoke");
    let share = "/console/partners/share".to_owned();
    let head = world.head().await;
    let draft = |id: &str| format!("{id}.0.1");
    let bodies = [
        (&assign, "shown", page.to_string(), never.clone()),
        (&assign, "asset", page.to_string(), never.clone()),
        (&assign, "draft", draft(&page.to_string()), draft(&never)),
        (&share, "asset", page.to_string(), never.clone()),
        (&token, "app", world.app.to_string(), never_issued(&world.app.to_string())),
    ];
    for (path, field, ours, other) in &bodies {
        for go in ["assets", "review", "app"] {
            let sent = |value: &str| fields(&[("form", "q"), ("go", go), ("kind", "page"), (*field, value)]);
            let (ours, other) = (sent(ours), sent(other));
            let asked = world.submit(Some(&session.text), path, &ours).await;
            assert_eq!(leaks(&world, &asked), Vec::<String>::new(), "{path} {field} {go}");
            assert_ne!(asked.code(), 303, "{path} {field} {go}");
            compare(&world, &session, &Method::POST, path, path, (&ours, &other)).await;
        }
    }
    // A token of theirs, named on a page of one's own.
    let sent = fields(&[("form", "r1"), ("token", world.robot_token.to_string().as_str())]);
    let answer = world.submit(Some(&session.text), &revoke, &sent).await;
    assert_eq!(answer.code(), 404, "{}", html::words(&answer.html));
    let end = fields(&[("form", "r2"), ("token", world.admin.token.to_string().as_str())]);
    assert_eq!(world.submit(Some(&session.text), "/console/security/end", &end).await.code(), 404);
    assert_eq!(world.head().await, head);
    assert_eq!(world.get("/console/security").await.code(), 200);
}

/// Pasting another business's token says no more than pasting one that never was.
#[tokio::test]
async fn a_pasted_token_of_another_business_is_unknown() {
    let world = World::new().await;
    let session = world.sign_in(world.stranger.admin_person).await;
    let path = "/console/tokens/find";
    let answer = world.submit(Some(&session.text), path, &fields(&[("text", world.robot_text.as_str())])).await;
    assert_eq!(answer.code(), 422);
    assert_eq!(leaks(&world, &answer), Vec::<String>::new());
    let own = world.post(path, &fields(&[("text", format!("Bearer {}", world.robot_text).as_str())])).await;
    assert!(own.location().starts_with(&format!("/console/tokens/{}", world.robot_token)), "{}", own.location());
    assert!(!own.location().contains(&world.robot_text) && own.html.is_empty());
}
