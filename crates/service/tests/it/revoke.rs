//! Revoked means revoked: once a narrowing call has answered, no check that starts passes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, future};
use valetkey_domain::rules::app::AppEdit;
use valetkey_domain::rules::business::BusinessEdit;
use valetkey_domain::rules::person::PersonEdit;
use valetkey_domain::rules::system_user::SystemUserEdit;
use valetkey_domain::{Reason, Role, Scope, Status};
use valetkey_service::authz::Question;
use valetkey_service::{Call, Service};

use crate::fixture::{Fixture, answer, fixture, name, publish, reader, tasks};

type Narrowing = for<'a> fn(&'a Fixture) -> BoxFuture<'a, u64>;

/// Each narrowing call, with the token that it cuts off and the reason of that token's refusal.
const CALLS: &[(&str, &str, &str, Narrowing)] = &[
    ("revoke", "robot", "token_revoked", |h| {
        async { h.service.revoke_token(&h.company.person, h.company.robot_token.id).await.unwrap().revision }.boxed()
    }),
    ("revoke all", "robot", "token_revoked", |h| {
        async { h.service.revoke_tokens(&h.company.person, h.company.robot, None).await.unwrap().revision }.boxed()
    }),
    ("revoke by text", "robot", "token_revoked", |h| {
        async {
            let app = h.service.prove_app(h.company.app, &h.company.secret).unwrap();
            let call = h.company.robot_token.call();
            h.service.revoke_token_text(&call, app, &h.company.robot_token.text).await.unwrap()
        }
        .boxed()
    }),
    ("unassign", "robot", "asset_not_assigned", |h| {
        async { h.service.unassign(&h.company.person, h.company.page, h.company.robot).await.unwrap().revision }.boxed()
    }),
    ("assign less", "robot", "task_missing", |h| {
        async {
            let fewer = tasks(&["ANALYZE"]);
            h.service.assign(&h.company.person, h.company.page, h.company.robot, fewer).await.unwrap().revision
        }
        .boxed()
    }),
    ("deactivate", "robot", "user_deactivated", |h| {
        async {
            let edit = SystemUserEdit { status: Some(Status::Deactivated), ..SystemUserEdit::default() };
            h.service.update_system_user(&h.company.person, h.company.robot, edit).await.unwrap().revision
        }
        .boxed()
    }),
    ("delete", "robot", "user_deleted", |h| {
        async { h.service.delete_system_user(&h.company.person, h.company.robot).await.unwrap().revision }.boxed()
    }),
    ("uninstall", "robot", "token_revoked", |h| {
        async {
            h.service.uninstall_app(&h.company.person, h.company.robot, h.company.app, false).await.unwrap().revision
        }
        .boxed()
    }),
    ("disconnect", "robot", "app_disconnected", |h| {
        async { h.service.disconnect_app(&h.company.person, h.company.business, h.company.app).await.unwrap().revision }
            .boxed()
    }),
    ("drop a scope", "robot", "scope_missing", |h| {
        async {
            let scope = Scope::parse("pages_manage_posts").unwrap();
            h.service.drop_scope(&h.company.robot_token.call(), scope).await.unwrap().revision
        }
        .boxed()
    }),
    ("demand proof", "robot", "proof_missing", |h| {
        async {
            let edit = AppEdit { demands_proof: Some(true), ..AppEdit::default() };
            h.service.update_app(&h.company.person, h.company.app, edit).await.unwrap().revision
        }
        .boxed()
    }),
    ("share less", "partner", "task_missing", |h| {
        async {
            let fewer = tasks(&["ANALYZE"]);
            h.service.share(&h.company.person, h.company.page, h.agency.business, fewer).await.unwrap().revision
        }
        .boxed()
    }),
    ("unshare", "partner", "not_visible", |h| {
        async { h.service.unshare(&h.company.person, h.company.page, h.agency.business).await.unwrap().revision }
            .boxed()
    }),
    ("switch a person off", "person", "user_deactivated", |h| {
        async {
            let edit = PersonEdit { status: Some(Status::Deactivated), ..PersonEdit::default() };
            let root = h.company.root_token.call();
            h.service.update_person(&root, h.company.admin_person, edit).await.unwrap().revision
        }
        .boxed()
    }),
];

async fn prepared() -> Fixture {
    let fixture = fixture().await;
    let (service, company, agency) = (&fixture.service, &fixture.company, &fixture.agency);
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT", "ANALYZE"]).await;
    service.share(&company.person, company.page, agency.business, tasks(&["MANAGE"])).await.unwrap();
    service
        .create_person(&company.person, company.business, name("Bea"), "bea@rad.example", Role::Admin)
        .await
        .unwrap();
    fixture
}

fn text_of(fixture: &Fixture, who: &str) -> String {
    match who {
        "robot" => fixture.company.robot_token.text.clone(),
        "partner" => fixture.agency.root_token.text.clone(),
        _ => fixture.company.person.text().unwrap().to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_check_that_starts_after_the_answer_passes() {
    for (what, who, wanted, narrow) in CALLS {
        let fixture = prepared().await;
        let (text, question) = (text_of(&fixture, who), publish(fixture.company.page));
        assert_eq!(answer(&fixture.service, &text, question), "allow", "{what}: before");
        let hammer = Hammer::start(&fixture.service, &text, question);
        let revision = narrow(&fixture).await;
        hammer.answered.store(true, Ordering::SeqCst);
        assert_eq!(hammer.stop().await, 0, "{what}: a check passed after the answer");
        assert_eq!(answer(&fixture.service, &text, question), *wanted, "{what}: after");
        let head = fixture.service.head().await.unwrap();
        assert_eq!(head.last_narrowing, revision, "{what}: the head knows");
        assert_listed_as_checked(&fixture, &text, what);
    }
}

/// Lists and checks agree about a token.
fn assert_listed_as_checked(fixture: &Fixture, text: &str, what: &str) {
    use valetkey_service::token::status;
    let digest = valetkey_domain::credential::Digest::of(text);
    let listed = reader(&fixture.service).read(|state| {
        let token = state.token_by_digest(&digest).unwrap();
        status(state, &token, fixture.service.now()).reason(state, &token)
    });
    let checked = answer(&fixture.service, text, crate::fixture::alive());
    let said = if checked == "proof_missing" { "allow" } else { checked };
    assert_eq!(listed.unwrap().map_or("allow", Reason::as_str), said, "{what}");
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
    let fixture = fixture().await;
    let (service, company) = (&fixture.service, &fixture.company);
    fixture.assign(company.robot, company.page, &["CREATE_CONTENT"]).await;
    // The head is held, so that both commands wait for it, in this order, in one batch.
    let held = fixture.ground.store.lock_head().await.unwrap();
    let call = company.robot_token.call();
    let revoke = service.revoke_token(&company.person, company.robot_token.id);
    let late = service.create_post(&call, publish(company.page), company.page, crate::fixture::post("late"));
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
    let fixture = prepared().await;
    let (service, company) = (&fixture.service, &fixture.company);
    let call = Call::with_token(&company.robot_token.text, "strict");
    let question = publish(company.page);
    service.unassign(&company.person, company.page, company.robot).await.unwrap();
    assert_eq!(service.ask(&call, question).unwrap_err().reason, Reason::AssetNotAssigned);
    let edit = BusinessEdit { strict_visibility: Some(true), ..BusinessEdit::default() };
    service.update_business(&company.person, company.business, edit).await.unwrap();
    assert_eq!(service.ask(&call, question).unwrap_err().reason, Reason::NotVisible);
    let said = service.explain(&company.root_token.call(), "strict").await.unwrap();
    assert_eq!(said.reason, "asset_not_assigned");
}
