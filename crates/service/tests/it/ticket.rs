//! Tickets over the service: once, for one purpose, until their end, on any node.

use valetkey_domain::{Id, Reason};
use valetkey_store::faulty::{Call as StoreCall, Fault};

use crate::fixture::fixture;

#[tokio::test]
async fn a_text_comes_for_the_first_time_once_whichever_node_sees_it() {
    let fixture = fixture().await;
    let (one, other) = (&fixture.service, fixture.ground.stranger(5).await);
    assert!(one.once("form 1", 1_000).await.unwrap());
    assert!(!other.once("form 1", 1_000).await.unwrap());
    assert!(other.once("form 2", 1_000).await.unwrap());
    fixture.ground.clock.advance_ms(999);
    assert!(!one.once("form 1", 1_000).await.unwrap());
    fixture.ground.clock.advance_ms(1);
    assert!(one.once("form 1", 1_000).await.unwrap());
}

#[tokio::test]
async fn what_was_kept_is_taken_once_for_its_purpose_and_before_its_end() {
    let fixture = fixture().await;
    let (one, other) = (&fixture.service, fixture.ground.stranger(5).await);
    let owner = Some(Id::new(77).unwrap());
    let keep = |text: &'static str| one.keep_ticket("ceremony", text, owner, b"state".to_vec(), 300);
    keep("a").await.unwrap();
    keep("b").await.unwrap();
    assert_eq!(other.take_ticket("other purpose", "a").await.unwrap(), None);
    assert_eq!(other.take_ticket("ceremony", "another text").await.unwrap(), None);
    let taken = other.take_ticket("ceremony", "a").await.unwrap().unwrap();
    assert_eq!((taken.owner, taken.body.as_slice()), (owner, &b"state"[..]));
    assert!(!format!("{taken:?}").contains("state"));
    assert_eq!(one.take_ticket("ceremony", "a").await.unwrap(), None);
    fixture.ground.clock.advance_ms(300);
    assert_eq!(one.take_ticket("ceremony", "b").await.unwrap(), None);
}

#[tokio::test]
async fn a_store_that_fails_makes_no_first_time() {
    let fixture = fixture().await;
    for fault in [Fault::Before, Fault::After] {
        fixture.ground.faulty.fail_next(StoreCall::Telemetry, fault);
        assert_eq!(fixture.service.once("form", 1_000).await.unwrap_err().reason, Reason::Unavailable);
    }
    // The second failure came after the text was remembered, and it is not known who remembered it.
    assert!(!fixture.service.once("form", 1_000).await.unwrap());
}
