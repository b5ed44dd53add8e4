//! Revoked means revoked: once a narrowing call has answered, no check that starts passes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, future};
use valetkey_domain::app::AppEdit;
use valetkey_domain::business::BusinessEdit;
use valetkey_domain::person::PersonEdit;
use valetkey_domain::system_user::SystemUserEdit;
use valetkey_domain::{Reason, Role, Scope, Status};
use valetkey_service::authz::Question;
use valetkey_service::{Call, Service};

use crate::house::{House, answer, house, name, publish, tasks};

type Narrowing = for<'a> fn(&'a House) -> BoxFuture<'a, u64>;

/// Each narrowing call, with the text that is cut off and the reason that it meets then.
const CALLS: &[(&str, &str, &str, Narrowing)] = &[
    ("revoke", "robot", "token_revoked", |h| {
        async { h.service.revoke_token(&h.maker.person, h.maker.robot_token.id).await.unwrap().revision }.boxed()
    }),
    ("revoke all", "robot", "token_revoked", |h| {
        async { h.service.revoke_tokens(&h.maker.person, h.maker.robot, None).await.unwrap().revision }.boxed()
    }),
    ("revoke by text", "robot", "token_revoked", |h| {
        async {
            let app = h.service.prove_app(h.maker.app, &h.maker.secret).unwrap();
            let call = h.maker.robot_token.call();
            h.service.revoke_token_text(&call, app, &h.maker.robot_token.text).await.unwrap()
        }
        .boxed()
    }),
    ("unassign", "robot", "asset_not_assigned", |h| {
        async { h.service.unassign(&h.maker.person, h.maker.page, h.maker.robot).await.unwrap().revision }.boxed()
    }),
    ("assign less", "robot", "task_missing", |h| {
        async {
            let fewer = tasks(&["ANALYZE"]);
            h.service.assign(&h.maker.person, h.maker.page, h.maker.robot, fewer).await.unwrap().revision
        }
        .boxed()
    }),
    ("deactivate", "robot", "user_deactivated", |h| {
        async {
            let edit = SystemUserEdit { name: None, status: Some(Status::Deactivated) };
            h.service.update_system_user(&h.maker.person, h.maker.robot, edit).await.unwrap().revision
        }
        .boxed()
    }),
    ("delete", "robot", "user_deleted", |h| {
        async { h.service.delete_system_user(&h.maker.person, h.maker.robot).await.unwrap().revision }.boxed()
    }),
    ("uninstall", "robot", "token_revoked", |h| {
        async { h.service.uninstall_app(&h.maker.person, h.maker.robot, h.maker.app, false).await.unwrap().revision }
            .boxed()
    }),
    ("disconnect", "robot", "app_disconnected", |h| {
        async { h.service.disconnect_app(&h.maker.person, h.maker.business, h.maker.app).await.unwrap().revision }
            .boxed()
    }),
    ("drop a scope", "robot", "scope_missing", |h| {
        async {
            let scope = Scope::parse("pages_manage_posts").unwrap();
            h.service.drop_scope(&h.maker.robot_token.call(), scope).await.unwrap().revision
        }
        .boxed()
    }),
    ("demand proof", "robot", "proof_missing", |h| {
        async {
            let edit = AppEdit { demands_proof: Some(true), ..AppEdit::default() };
            h.service.update_app(&h.maker.person, h.maker.app, edit).await.unwrap().revision
        }
        .boxed()
    }),
    ("share less", "partner", "task_missing", |h| {
        async {
            let fewer = tasks(&["ANALYZE"]);
            h.service.share(&h.maker.person, h.maker.page, h.agency.business, fewer).await.unwrap().revision
        }
        .boxed()
    }),
    ("unshare", "partner", "not_visible", |h| {
        async { h.service.unshare(&h.maker.person, h.maker.page, h.agency.business).await.unwrap().revision }.boxed()
    }),
    ("switch a person off", "person", "user_deactivated", |h| {
        async {
            let edit = PersonEdit { status: Some(Status::Deactivated), ..PersonEdit::default() };
            let root = h.maker.root_token.call();
            h.service.update_person(&root, h.maker.admin_person, edit).await.unwrap().revision
        }
        .boxed()
    }),
];

async fn prepared() -> House {
    let house = house().await;
    let (service, maker, agency) = (&house.service, &house.maker, &house.agency);
    house.assign(maker.robot, maker.page, &["CREATE_CONTENT", "ANALYZE"]).await;
    service.share(&maker.person, maker.page, agency.business, tasks(&["MANAGE"])).await.unwrap();
    service.create_person(&maker.person, maker.business, name("Bea"), "bea@rad.example", Role::Admin).await.unwrap();
    house
}

fn text_of(house: &House, who: &str) -> String {
    match who {
        "robot" => house.maker.robot_token.text.clone(),
        "partner" => house.agency.root_token.text.clone(),
        _ => house.maker.person.text().unwrap().to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_check_that_starts_after_the_answer_passes() {
    for (what, who, wanted, narrow) in CALLS {
        let house = prepared().await;
        let (text, question) = (text_of(&house, who), publish(house.maker.page));
        assert_eq!(answer(&house.service, &text, question), "allow", "{what}: before");
        let hammer = Hammer::start(&house.service, &text, question);
        let revision = narrow(&house).await;
        hammer.answered.store(true, Ordering::SeqCst);
        assert_eq!(hammer.stop().await, 0, "{what}: a check passed after the answer");
        assert_eq!(answer(&house.service, &text, question), *wanted, "{what}: after");
        let head = house.service.head().await.unwrap();
        assert_eq!(head.last_narrowing, revision, "{what}: the head knows");
        assert_listed_as_checked(&house, &text, what);
    }
}

/// What lists say of a token is what a check says of it.
fn assert_listed_as_checked(house: &House, text: &str, what: &str) {
    use valetkey_service::token::status;
    let digest = valetkey_domain::credential::Digest::of(text);
    let listed = house.service.read(|state| {
        let token = state.token_by_digest(&digest).unwrap();
        status(state, &token, house.service.now()).reason(state, &token)
    });
    let checked = answer(&house.service, text, crate::house::alive());
    let told = if checked == "proof_missing" { "allow" } else { checked };
    assert_eq!(listed.unwrap().map_or("allow", Reason::as_str), told, "{what}");
}

/// A hundred tasks that check without pause.
struct Hammer {
    answered: Arc<AtomicBool>,
    late: Arc<AtomicU64>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Hammer {
    fn start(service: &Service, text: &str, question: Question) -> Hammer {
        let (answered, late) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let one = |_| {
            let (service, text) = (service.clone(), text.to_owned());
            let (answered, late) = (Arc::clone(&answered), Arc::clone(&late));
            tokio::spawn(async move {
                let mut after = 0;
                while after < 20 {
                    let starts_late = answered.load(Ordering::SeqCst);
                    let allowed = answer(&service, &text, question) == "allow";
                    late.fetch_add(u64::from(starts_late && allowed), Ordering::SeqCst);
                    after += u32::from(starts_late);
                    tokio::task::yield_now().await;
                }
            })
        };
        let tasks = (0..100).map(one).collect();
        Hammer { answered, late, tasks }
    }

    async fn stop(self) -> u64 {
        for task in self.tasks {
            task.await.unwrap();
        }
        self.late.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_write_that_was_sent_before_a_revoke_is_decided_after_it() {
    let house = house().await;
    let (service, maker) = (&house.service, &house.maker);
    house.assign(maker.robot, maker.page, &["CREATE_CONTENT"]).await;
    // The head is held, so that both commands wait for it, in this order, in one batch.
    let held = house.ground.store.lock_head().await.unwrap();
    let call = maker.robot_token.call();
    let revoke = service.revoke_token(&maker.person, maker.robot_token.id);
    let late = service.create_post(&call, publish(maker.page), maker.page, crate::house::post("late"));
    let release = async {
        tokio::task::yield_now().await;
        drop(held);
    };
    let (revoke, late, ()) = future::join3(revoke, late, release).await;
    revoke.unwrap();
    assert_eq!(late.unwrap_err().reason, Reason::TokenRevoked);
}

#[tokio::test]
async fn strict_visibility_and_a_limit_of_life_bite_at_once() {
    let house = prepared().await;
    let (service, maker) = (&house.service, &house.maker);
    let call = Call::with_token(&maker.robot_token.text, "strict");
    let question = publish(maker.page);
    service.unassign(&maker.person, maker.page, maker.robot).await.unwrap();
    assert_eq!(service.ask(&call, question).unwrap_err().reason, Reason::AssetNotAssigned);
    let edit = BusinessEdit { strict_visibility: Some(true), ..BusinessEdit::default() };
    service.update_business(&maker.person, maker.business, edit).await.unwrap();
    assert_eq!(service.ask(&call, question).unwrap_err().reason, Reason::NotVisible);
    let told = service.explain(&maker.root_token.call(), "strict").await.unwrap();
    assert_eq!(told.reason, "asset_not_assigned");
}
