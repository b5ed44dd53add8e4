//! A store that does not answer, or not in time: no caller waits without limit, nothing that was refused
//! is written, and revocations take effect meanwhile.

use std::future::Future;
use std::time::Duration;

use futures_util::future::{join, join_all};
use tokio::time::Instant;
use valetkey_domain::{Action, Reason};
use valetkey_service::readiness::Writing;
use valetkey_store::faulty::{Call as StoreCall, Fault};

use crate::fixture::{alive, fixture_in_memory};
use crate::full::{entries_of, fail, make, mend, revoke};

/// How long a command waits for the store.
const PATIENCE: Duration = Duration::from_secs(10);

async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let started = Instant::now();
    let value = work.await;
    (value, started.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_keeps_nobody_waiting_for_more_than_ten_seconds() {
    let fixture = fixture_in_memory().await;
    let token = &fixture.company.robot_token;
    fail(&fixture, StoreCall::LockHead, Fault::Stuck);
    for n in 0..3 {
        let (made, waited) = timed(make(&fixture, &format!("never {n}"))).await;
        assert_eq!(made, Err(Reason::Unavailable));
        assert!(waited <= PATIENCE, "{waited:?}");
    }
    assert_eq!(fixture.service.readiness().writing, Writing::Fails);
    let (revoked, waited) = timed(revoke(&fixture, token)).await;
    assert_eq!(revoked, Err(Reason::NotDurable));
    assert!(waited <= PATIENCE, "{waited:?}");
    assert_eq!(fixture.ask(token, alive()), "token_revoked");
    let ((), waited) = timed(mend(&fixture)).await;
    assert!(waited <= 2 * PATIENCE, "the writer itself waits no longer either: {waited:?}");
    assert!(make(&fixture, "now").await.is_ok());
    let made = entries_of(&fixture, Action::AssetCreated).await;
    assert_eq!(
        made.iter().filter(|e| e.business == Some(fixture.company.business)).count(),
        3,
        "nothing that was refused"
    );
    assert_eq!(entries_of(&fixture, Action::TokenRevoked).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_never_ends_is_abandoned_and_looked_up() {
    let fixture = fixture_in_memory().await;
    let company = &fixture.company;
    fixture.ground.faulty.fail_next(StoreCall::Commit, Fault::Stuck);
    let started = Instant::now();
    let (made, waited) = timed(make(&fixture, "stuck")).await;
    assert_eq!((made, waited), (Err(Reason::OutcomeUnknown), PATIENCE));
    assert_eq!(fixture.service.readiness().writing, Writing::OutcomeUnknown);
    insta::assert_snapshot!(fixture.service.readiness().to_string(), @"it is not known yet whether the last changes were written; until then nothing is written, and reads and checks go on");
    // The next command is refused in time, and a revocation takes effect before it is answered.
    let revoking = revoke(&fixture, &company.robot_token);
    let asking = async {
        tokio::task::yield_now().await;
        fixture.ask(&company.robot_token, alive())
    };
    let ((revoked, waited), asked) = join(timed(revoking), asking).await;
    assert_eq!((revoked, waited, asked), (Err(Reason::NotDurable), PATIENCE, "token_revoked"));
    let (refused, waited) = timed(make(&fixture, "refused")).await;
    assert_eq!((refused, waited), (Err(Reason::Unavailable), PATIENCE));
    mend(&fixture).await;
    assert!(started.elapsed() <= Duration::from_secs(62), "{:?}", started.elapsed());
    let made = entries_of(&fixture, Action::AssetCreated).await;
    assert_eq!(made.iter().filter(|e| e.business == Some(company.business)).count(), 2, "neither was written");
    assert_eq!(entries_of(&fixture, Action::TokenRevoked).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_revocation_whose_own_outcome_is_unknown_bites_and_is_written_once() {
    for (fault, known_after) in [(Fault::After, 3), (Fault::Lost, 3), (Fault::After, 90), (Fault::Lost, 90)] {
        let fixture = fixture_in_memory().await;
        let token = &fixture.company.robot_token;
        fixture.ground.faulty.fail_next(StoreCall::Commit, fault);
        // The head is taken once for the commit, then fails for a while when it is looked up.
        let mut locks = 0;
        fixture.ground.faulty.follow(Box::new(move |call| {
            locks += usize::from(call == StoreCall::LockHead);
            (call == StoreCall::LockHead && (2..=known_after).contains(&locks)).then_some(Fault::Before)
        }));
        let asking = async {
            while fixture.service.readiness().writing == Writing::Works {
                tokio::task::yield_now().await;
            }
            fixture.ask(token, alive())
        };
        let (revoked, asked) = join(revoke(&fixture, token), asking).await;
        assert_eq!(asked, "token_revoked", "{fault:?}: it bites while nobody knows");
        match revoked {
            Ok(revision) => assert!(known_after == 3 && revision == fixture.service.revision(), "{fault:?}"),
            Err(reason) => assert_eq!((reason, known_after), (Reason::NotDurable, 90), "{fault:?}"),
        }
        mend(&fixture).await;
        assert_eq!(entries_of(&fixture, Action::TokenRevoked).await.len(), 1, "{fault:?} {known_after}");
        assert_eq!(fixture.ask(token, alive()), "token_revoked");
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_that_waited_too_long_is_not_written_even_if_nobody_waits_for_it() {
    let fixture = fixture_in_memory().await;
    let company = &fixture.company;
    fixture.ground.faulty.fail_next(StoreCall::Commit, Fault::Stuck);
    let first = make(&fixture, "first");
    // Its caller is dropped before it is answered, and the writer takes it from the queue after a minute.
    let left = async {
        tokio::task::yield_now().await;
        let gone = make(&fixture, "gone");
        let _ = tokio::time::timeout(Duration::from_secs(5), gone).await.unwrap_err();
    };
    let (first, ()) = join(first, left).await;
    assert_eq!(first, Err(Reason::OutcomeUnknown));
    mend(&fixture).await;
    assert!(make(&fixture, "now").await.is_ok());
    let made = entries_of(&fixture, Action::AssetCreated).await;
    assert_eq!(made.iter().filter(|e| e.business == Some(company.business)).count(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_bounded_and_revocations_bite_when_it_is_full_too() {
    let fixture = fixture_in_memory().await;
    let company = &fixture.company;
    fail(&fixture, StoreCall::LockHead, Fault::Stuck);
    let flood = join_all((0..6_000).map(|n| {
        let fixture = &fixture;
        async move { make(fixture, &format!("P {n}")).await }
    }));
    let revoking = timed(async {
        tokio::task::yield_now().await;
        revoke(&fixture, &company.robot_token).await
    });
    let (made, (revoked, waited)) = join(flood, revoking).await;
    assert!(made.iter().all(|m| *m == Err(Reason::Unavailable)));
    assert_eq!((revoked, waited), (Err(Reason::NotDurable), PATIENCE));
    assert_eq!(fixture.ask(&company.robot_token, alive()), "token_revoked");
    mend(&fixture).await;
    assert_eq!(entries_of(&fixture, Action::TokenRevoked).await.len(), 1);
}
