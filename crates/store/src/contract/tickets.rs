//! Tickets: kept, taken once, gone at their end.

use std::sync::Arc;

use valetkey_domain::UnixMs;
use valetkey_domain::credential::Digest;

use super::Home;
use super::world::*;
use crate::{Store, Ticket};

fn ticket(key: &str, created_at: UnixMs, expires_at: UnixMs) -> Ticket {
    Ticket {
        key: Digest::of(key),
        purpose: "form".to_owned(),
        owner: Some(id(7)),
        body: format!("\0body of {key}").into_bytes(),
        created_at,
        expires_at,
    }
}

pub(super) async fn a_ticket_is_taken_once_and_before_its_end(home: &dyn Home) {
    let store = home.open().await;
    let a = Ticket { owner: None, body: Vec::new(), ..ticket("a", -5, 10) };
    let b = ticket("b", 0, i64::MAX);
    for ticket in [&a, &b, &ticket("c", 0, 10), &ticket("d", 0, 10)] {
        store.put_ticket(ticket).await.unwrap();
    }
    assert_eq!(store.take_ticket(&Digest::of("x"), 0).await.unwrap(), None);
    assert_eq!(store.take_ticket(&a.key, 9).await.unwrap(), Some(a.clone()));
    assert_eq!(store.take_ticket(&a.key, 9).await.unwrap(), None, "it works once");
    // At its end it is gone for good, even for somebody whose clock is behind.
    assert_eq!(store.take_ticket(&Digest::of("c"), 10).await.unwrap(), None);
    assert_eq!(store.take_ticket(&Digest::of("c"), 9).await.unwrap(), None);
    assert_eq!(store.take_ticket(&b.key, i64::MAX - 1).await.unwrap(), Some(b.clone()));
    // A later one with the same key replaces the earlier.
    let later = Ticket { body: vec![0, 255], purpose: "other".to_owned(), ..ticket("d", 3, 20) };
    store.put_ticket(&later).await.unwrap();
    drop(store);
    let store = home.open().await;
    assert_eq!(store.take_ticket(&later.key, 15).await.unwrap(), Some(later));
}

pub(super) async fn a_ticket_is_put_if_none_lives_under_its_key(home: &dyn Home) {
    let store = home.open().await;
    let first = ticket("a", 0, 10);
    assert!(store.put_ticket_if_absent(&first).await.unwrap());
    assert!(!store.put_ticket_if_absent(&ticket("a", 9, 99)).await.unwrap(), "the first one lives");
    assert!(store.put_ticket_if_absent(&ticket("b", 9, 99)).await.unwrap());
    // It still is the first one.
    assert_eq!(store.take_ticket(&first.key, 5).await.unwrap(), Some(first.clone()));
    assert!(store.put_ticket_if_absent(&first).await.unwrap(), "it was taken");
    let second = Ticket { body: vec![2], ..ticket("a", 10, 99) };
    assert!(store.put_ticket_if_absent(&second).await.unwrap(), "the first one ended");
    assert_eq!(store.take_ticket(&second.key, 50).await.unwrap(), Some(second));
}

pub(super) async fn tickets_that_ended_are_removed(home: &dyn Home) {
    let store = home.open().await;
    for n in 0..10 {
        store.put_ticket(&ticket(&n.to_string(), 0, n)).await.unwrap();
    }
    assert_eq!(store.purge_tickets(-1, 100).await.unwrap(), 0);
    assert_eq!(store.purge_tickets(5, 0).await.unwrap(), 0);
    // The earliest go first.
    assert_eq!(store.purge_tickets(5, 4).await.unwrap(), 4);
    assert_eq!(store.purge_tickets(5, 4).await.unwrap(), 2);
    assert_eq!(store.purge_tickets(5, 4).await.unwrap(), 0);
    for n in 0..10i64 {
        let taken = store.take_ticket(&Digest::of(&n.to_string()), -1).await.unwrap();
        assert_eq!(taken.is_some(), n > 5, "{n}");
    }
}

/// Of several who try at once, over several handles where the engine lets several in, one succeeds.
pub(super) async fn one_of_many_gets_a_ticket(home: &dyn Home) {
    let store = home.open().await;
    let other = home.join().await.unwrap_or_else(|| Arc::clone(&store));
    for round in 0..20 {
        let fresh = ticket(&format!("round {round}"), 0, 10);
        let race = |take: bool| {
            let stores = [&store, &other, &store, &other].map(Arc::clone);
            let fresh = fresh.clone();
            async move {
                let tries: Vec<_> = stores
                    .into_iter()
                    .map(|store| {
                        let fresh = fresh.clone();
                        tokio::spawn(async move { attempt(&*store, &fresh, take).await })
                    })
                    .collect();
                let mut won = 0;
                for each in tries {
                    won += usize::from(each.await.unwrap());
                }
                won
            }
        };
        assert_eq!(race(false).await, 1, "one puts it");
        assert_eq!(race(true).await, 1, "one takes it");
    }
}

async fn attempt(store: &dyn Store, ticket: &Ticket, take: bool) -> bool {
    if take {
        return store.take_ticket(&ticket.key, 5).await.unwrap().is_some();
    }
    store.put_ticket_if_absent(ticket).await.unwrap()
}
