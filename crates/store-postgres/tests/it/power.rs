//! The server is killed under load, again and again.

use std::sync::Arc;

use tokio::sync::mpsc;
use valetkey_store::{CommitError, Outcome};
use valetkey_store_postgres::PostgresStore;
use valetkey_testkit::postgres::{Options, Server};

use crate::data::{batch, commit, new_id, outcome, verified_ledger, write, write_with_content};

const ROUNDS: usize = 4;
const WRITERS: usize = 4;

/// What a writer was told about a commit.
#[derive(Debug)]
enum Answer {
    Applied(Vec<u64>),
    Nothing,
    Unknown,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_a_killed_server() {
    let server = Arc::new(Server::start(Options::default()).unwrap());
    let database = server.create_database().unwrap();
    let store = Arc::new(PostgresStore::connect(&server.dsn(&database)).await.unwrap());
    let mut answers = Vec::new();
    for round in 0..ROUNDS {
        let (acknowledged, mut count) = mpsc::unbounded_channel();
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| tokio::spawn(write_until_it_fails(Arc::clone(&store), acknowledged.clone())))
            .collect();
        drop(acknowledged);
        // Killed at another point of the stream in each round.
        for _ in 0..20 + 7 * round {
            count.recv().await.unwrap();
        }
        let killed = Arc::clone(&server);
        tokio::task::spawn_blocking(move || killed.kill_all_processes()).await.unwrap().unwrap();
        for writer in writers {
            answers.extend(writer.await.unwrap());
        }
        let restarted = Arc::clone(&server);
        tokio::task::spawn_blocking(move || restarted.restart()).await.unwrap().unwrap();
    }
    let ledger = verified_ledger(store.as_ref()).await;
    let mut applied = 0;
    for (commit_id, said) in answers {
        let revisions: Vec<u64> = ledger.iter().filter(|e| e.commit_id == commit_id).map(|e| e.revision).collect();
        match said {
            Answer::Applied(expected) => {
                assert_eq!(revisions, expected);
                applied += expected.len();
            }
            Answer::Nothing => assert_eq!(revisions, Vec::<u64>::new()),
            Answer::Unknown => {
                assert!(revisions.is_empty() || revisions.len() == 2, "half a batch: {revisions:?}");
                let found = outcome(store.as_ref(), commit_id).await;
                assert_eq!(found, revisions.first().map(|first| (*first, first + 1)));
            }
        }
    }
    assert!(applied >= 2 * 20 * ROUNDS, "{applied}");
}

async fn write_until_it_fails(
    store: Arc<PostgresStore>,
    acknowledged: mpsc::UnboundedSender<()>,
) -> Vec<([u8; 16], Answer)> {
    let mut answers = Vec::new();
    loop {
        let next = batch(vec![write(), write_with_content(new_id())]);
        let commit_id = next.commit_id;
        match commit(store.as_ref(), next).await {
            Ok(outcomes) => {
                let revisions = outcomes.iter().map(|outcome| match outcome {
                    Outcome::Applied { revision } => *revision,
                    Outcome::Conflict => panic!("a conflict out of nothing"),
                });
                answers.push((commit_id, Answer::Applied(revisions.collect())));
                let _ = acknowledged.send(());
            }
            Err(CommitError::Unknown(_)) => {
                answers.push((commit_id, Answer::Unknown));
                return answers;
            }
            Err(CommitError::NotApplied(_)) => {
                answers.push((commit_id, Answer::Nothing));
                return answers;
            }
            Err(other) => panic!("{other}"),
        }
    }
}
