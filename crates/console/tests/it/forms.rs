//! Every form of every page, filled in and sent twice, as a second press or a reload does: its work is
//! done once.

use http::Method;

use crate::fixture::{Fields, World, signed_of};
use crate::html::{self, Form};
use crate::rules::faults;

/// Buttons that do the work of a form, in the order of preference; others only show it again.
const WORKING: [(&str, &str); 5] = [("go", "save"), ("go", "generate"), ("go", "review"), ("", ""), ("all", "yes")];

/// Types something that is right into what is empty, and changes what is not.
fn filled(world: &World, form: &Form, number: usize) -> Fields {
    let mut form = form.clone();
    for (name, kind) in form.typed.clone() {
        let before = form.value(&name).unwrap_or_default().to_owned();
        let value = match (name.as_str(), kind.as_str()) {
            (_, "search") => continue,
            (_, "email") => format!("new{number}@zeta.example"),
            (_, "date") => "2027-03-01".to_owned(),
            (_, "number") => "5".to_owned(),
            ("business", _) => world.partner.business.to_string(),
            ("currency", _) => "EUR".to_owned(),
            ("amount", _) => "30".to_owned(),
            _ => format!("{before} Zeta{number}").trim().to_owned(),
        };
        form.set(&name, &value);
    }
    let working = WORKING.iter().find(|(name, value)| form.buttons.iter().any(|b| b.0 == *name && b.1 == *value));
    match working {
        Some(("", _)) | None => form.fields,
        Some((name, value)) => form.press(name, value),
    }
}

#[tokio::test]
async fn a_form_that_is_sent_twice_does_its_work_once() {
    let mut acted = Vec::new();
    for route in signed_of(Method::GET) {
        let world = World::in_memory().await;
        let answer = world.get(&world.ids().address(&route.path)).await;
        if !answer.is_html() {
            continue;
        }
        let forms = html::forms(&answer.html).into_iter();
        let forms = forms.filter(|form| form.method == "post" && form.action != "/console/sign-out");
        for (number, form) in forms.enumerate() {
            let of = format!("the form to {} on {}", form.action, route.path);
            let sent = filled(&world, &form, number);
            let before = world.head().await;
            let first = world.post(&form.action, &sent).await;
            assert_eq!(faults(&first, &of), Vec::<String>::new());
            assert!([200, 303, 401, 404, 409, 422].contains(&first.code()), "{of} is {}", first.code());
            let after = world.head().await;
            let second = world.post(&form.action, &sent).await;
            assert_eq!(faults(&second, &of), Vec::<String>::new());
            assert!(!second.status.is_server_error(), "{of} is {}", second.code());
            assert_eq!(world.head().await, after, "{of} did its work twice");
            if after > before {
                // It is shown_again that it was sent; or what it was about is gone, or the session itself.
                assert!([404, 409, 401, 303].contains(&second.code()), "{of} is {} again", second.code());
                assert!(!second.html.contains("data-wipe"), "{of} shows a secret again");
                acted.push(form.action);
            }
        }
    }
    acted.sort();
    acted.dedup();
    assert!(acted.len() >= 15, "the walk did too little: {acted:#?}");
}

/// A form belongs to the person that it was made for, and to its own path.
#[tokio::test]
async fn nobody_uses_up_the_form_of_another() {
    let world = World::new().await;
    let other = world.sign_in(world.stranger.admin_person).await;
    let path = "/console/apps/new";
    let mut form = html::form_to(&world.get(path).await.html, path);
    form.set("name", "Lantern");
    let stolen = world.submit(Some(&other.text), path, &form.fields).await;
    assert_eq!(stolen.code(), 200, "theirs is another form");
    assert_eq!(world.post("/console/system-users/new", &form.fields).await.code(), 303, "so is that of another path");
    let own = world.post(path, &form.fields).await;
    assert_eq!(own.code(), 200, "{}", html::words(&own.html));
    assert!(own.html.contains("data-wipe"));
}

/// What was typed wrongly comes back, and the form that comes back works.
#[tokio::test]
async fn a_mistake_keeps_what_was_typed() {
    let world = World::new().await;
    let path = "/console/people/new";
    let mut form = html::form_to(&world.get(path).await.html, path);
    form.set("name", "Mara <i>");
    form.set("email", "no address");
    form.set("role", "ADMIN");
    let head = world.head().await;
    let answer = world.post(path, &form.fields).await;
    assert_eq!(answer.code(), 422);
    assert_eq!(world.head().await, head);
    assert_eq!(faults(&answer, path), Vec::<String>::new());
    let mut again = html::form_to(&answer.html, path);
    assert_eq!((again.value("name"), again.value("email")), (Some("Mara <i>"), Some("no address")));
    assert_eq!(again.value("role"), Some("ADMIN"));
    again.set("email", "mara@zeta.example");
    let done = world.post(path, &again.fields).await;
    assert_eq!(done.code(), 200, "{}", html::words(&done.html));
    assert!(world.head().await > head);
}
