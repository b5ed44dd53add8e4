//! A store that can't write: what ends something is in force at once, and no page says that nothing was
//! changed when something was, or may have been.

use http::Method;
use valetkey_http::{Adapter as _, Failure, Late};
use valetkey_service::Call;
use valetkey_service::authz::Question;
use valetkey_store::faulty::{Call as StoreCall, Fault};

use crate::fixture::{Answer, Fields, World, fields};
use crate::html;
use crate::rules::faults;

/// Lets nothing be written from now on.
fn fill(world: &World, fault: Fault) {
    let writes = |call| matches!(call, StoreCall::Commit | StoreCall::Telemetry);
    world.ground.faulty.follow(Box::new(move |call| writes(call).then_some(fault)));
}

/// The fields of the form to `action` on the page at `page`.
async fn form(world: &World, page: &str, action: &str) -> Fields {
    html::form_to(&world.get(page).await.html, action).fields
}

fn is_alive(world: &World, text: &str) -> bool {
    world.service.ask(&Call::with_token(text, "T"), Question::alive()).is_ok()
}

#[tokio::test]
async fn what_ends_something_bites_at_once_and_the_page_says_so() {
    for (page, action) in [
        ("/console/system-users/USER/revoke?token=TOKEN", "/console/system-users/USER/revoke"),
        ("/console/system-users/USER/revoke", "/console/system-users/USER/revoke"),
        ("/console/system-users/USER/status", "/console/system-users/USER/status"),
        ("/console/system-users/USER/delete", "/console/system-users/USER/delete"),
        ("/console/apps/APP/disconnect", "/console/apps/APP/disconnect"),
        ("/console/tokens/SESSION/revoke", "/console/tokens/SESSION/revoke"),
        ("/console/people/PERSON/status", "/console/people/PERSON/status"),
        ("/console/people/PERSON/remove", "/console/people/PERSON/remove"),
    ] {
        let world = World::in_memory().await;
        let session = world.sign_in(world.worker).await;
        let filled = |text: &str| {
            let of_user =
                text.replace("TOKEN", &world.robot_token.to_string()).replace("USER", &world.robot.to_string());
            let of_person = of_user.replace("SESSION", &session.token.to_string());
            of_person.replace("PERSON", &world.worker.to_string()).replace("APP", &world.app.to_string())
        };
        let victim =
            if page.contains("SESSION") || page.contains("PERSON") { &session.text } else { &world.robot_text };
        let (page, action) = (filled(page), filled(action));
        let sent = form(&world, &page, &action).await;
        assert!(is_alive(&world, victim), "{action}");
        fill(&world, Fault::Full);
        let answer = world.post(&action, &sent).await;
        assert_eq!(answer.code(), 503, "{action}: {}", answer.html);
        assert!(!is_alive(&world, victim), "{action} let the token live");
        assert!(answer.html.contains("in force"), "{action}: {}", answer.html);
        assert!(!answer.html.contains("Nothing was changed"), "{action}: {}", answer.html);
        assert_eq!(answer.header("retry-after"), "", "{action} must not be sent again blindly");
        assert_eq!(faults(&answer, &action), Vec::<String>::new());
    }
}

#[tokio::test]
async fn all_other_sessions_end_although_none_of_them_can_be_written() {
    let world = World::in_memory().await;
    let others = [world.sign_in(world.company.admin_person).await, world.sign_in(world.company.admin_person).await];
    let mut sent = form(&world, "/console/security", "/console/security/end").await;
    sent.retain(|(name, _)| name != "token");
    sent.extend(fields(&[("all", "yes")]));
    fill(&world, Fault::Full);
    let answer = world.post("/console/security/end", &sent).await;
    assert_eq!(answer.code(), 503, "{}", answer.html);
    for other in others {
        assert!(!is_alive(&world, &other.text));
    }
    assert!(is_alive(&world, &world.admin.text));
}

#[tokio::test]
async fn what_widens_is_refused_and_not_done() {
    let world = World::in_memory().await;
    let sent = form(&world, "/console/assets/new?kind=page", "/console/assets/new").await;
    let sent: Fields = sent.into_iter().filter(|(name, _)| name != "name").chain(fields(&[("name", "Teal")])).collect();
    let before = world.head().await;
    fill(&world, Fault::Full);
    let answer = world.post("/console/assets/new", &sent).await;
    assert_eq!((answer.code(), world.head().await), (503, before), "{}", answer.html);
    assert!(answer.html.contains("was not done"), "{}", answer.html);
}

/// A form whose answer came too late may have done its work.
#[tokio::test]
async fn an_answer_that_is_late_says_what_is_known() {
    let world = World::in_memory().await;
    for (method, text) in [(Method::GET, "Nothing was changed"), (Method::POST, "not known whether")] {
        let request = world.request(method.clone(), "/console/people", None, &Fields::new());
        let reply = world.console.failed(&request.head(), Failure::Late(Late::Answer));
        let answer = Answer::of(reply, request.request_id.as_str().to_owned());
        assert_eq!(answer.code(), 503, "{method}");
        assert!(answer.html.contains(text), "{method}: {}", answer.html);
        assert_eq!(answer.html.contains("Nothing was changed"), method == Method::GET, "{method}");
    }
}
