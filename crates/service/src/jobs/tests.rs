//! The runner with test kinds, over the model; time moves only while all tasks wait.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use valetkey_domain::change::ActorKind;
use valetkey_domain::{Action, Actor, Id, JobId, Reason, Refusal, UnixMs};
use valetkey_seal::{KeyRing, MasterKey, OsRandom};
use valetkey_store::{Job, JobState, JobWrite, MemoryStore, Store};
use valetkey_testkit::random::SeededRandom;

use super::kind::{About, Kind};
use super::registry::KINDS;
use super::run::run_jobs;
use crate::call::Call;
use crate::clock::Clock;
use crate::core::{Deps, Service};
use crate::rights;
use crate::writer::Plan;

const START: UnixMs = 1_795_514_400_000;

/// A clock that moves with the runtime's time.
struct RuntimeClock(Instant);

impl Clock for RuntimeClock {
    fn now(&self) -> UnixMs {
        START + i64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}

const PLAIN: Kind = Kind {
    name: "plain",
    concurrent_limit: 2,
    attempts_limit: 4,
    lease_ms: 60_000,
    run_limit_ms: 600_000,
    first_pause_ms: 1_000,
    longest_pause_ms: 3_000,
    run: |service, job| {
        Box::pin(async move {
            let call = job.call();
            let done = service.command(&call, rights::MANAGE_BUSINESS.on_caller(), move |planner, allowed| {
                let subjects = [job.job().id.any()];
                let set = planner.finish(Action::ContentUpdated, &allowed.caller, None, &subjects);
                Ok((Plan { set, content: Vec::new(), jobs: vec![job.finish(planner.now())] }, ()))
            });
            done.await.map(drop)
        })
    },
    about: |_| About::default(),
    cancelled: |_, _, _| Ok(None),
};

static OWN: &[Kind] = &[
    PLAIN,
    Kind { name: "endless", run: |_, _| Box::pin(std::future::pending()), ..PLAIN },
    Kind { name: "failing", run: |_, _| Box::pin(async { Err(Refusal::of(Reason::Unavailable)) }), ..PLAIN },
    Kind { name: "broken", attempts_limit: 1, run: |_, _| Box::pin(async { panic!("as it must") }), ..PLAIN },
    Kind { name: "slow", run: |service, job| Box::pin(slow(service, job)), ..PLAIN },
];

/// Takes two and a half leases.
async fn slow(service: Service, job: super::backing::Backed) -> Result<(), Refusal> {
    tokio::time::sleep(Duration::from_secs(150)).await;
    (PLAIN.run)(service, job).await
}

struct World {
    store: MemoryStore,
    service: Service,
}

impl World {
    async fn new() -> World {
        let store = MemoryStore::new();
        let master = MasterKey::generate(&OsRandom).unwrap();
        let deps = Deps {
            store: Arc::new(store.clone()),
            clock: Arc::new(RuntimeClock(Instant::now())),
            random: Box::new(SeededRandom::new(7)),
            keys: KeyRing::open(&master, []).unwrap(),
            node: "node".to_owned(),
        };
        World { store, service: Service::open(deps).await.unwrap() }
    }

    async fn job(&self, n: u64, kind: &str, due_in_ms: i64) -> JobId {
        let id = Id::new(n).unwrap();
        let actor = Some(Actor { kind: ActorKind::Operator, id: None, token: None });
        let job = Job::new(id, kind, self.service.now() + due_in_ms, actor, "{}".to_owned());
        let call = Call::operator("test");
        let made = self.service.command(&call, rights::MANAGE_BUSINESS.on_caller(), move |planner, allowed| {
            let set = planner.finish(Action::ContentCreated, &allowed.caller, None, &[id.any()]);
            Ok((Plan { set, content: Vec::new(), jobs: vec![JobWrite::Insert(job.clone())] }, ()))
        });
        made.await.unwrap();
        id
    }

    async fn get(&self, id: JobId) -> Option<Job> {
        self.store.job(id).await.unwrap()
    }

    /// Runs for this long, on the runtime's clock.
    async fn run_for(&self, time: Duration) {
        let stop = CancellationToken::new();
        let runner = tokio::spawn(run_jobs(self.service.clone(), OWN, stop.clone()));
        tokio::time::sleep(time).await;
        stop.cancel();
        runner.await.unwrap();
    }
}

#[test]
fn pauses_grow_up_to_the_longest() {
    for kind in KINDS {
        let pauses: Vec<i64> = (0..=kind.attempts_limit).map(|n| kind.pause_ms(n)).collect();
        assert!(pauses.is_sorted());
        assert_eq!(pauses[1], i64::from(kind.first_pause_ms));
        assert_eq!(kind.pause_ms(2), 2 * pauses[1]);
        assert_eq!(kind.pause_ms(i64::MAX), i64::from(kind.longest_pause_ms));
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_that_never_end_hold_up_no_other_job() {
    let world = World::new().await;
    // More jobs than may run at once, and due before the others.
    for n in 1..=4 {
        world.job(n, "endless", 0).await;
    }
    let mut others = Vec::new();
    for n in 11..=20 {
        others.push(world.job(n, "plain", 1_000).await);
    }
    world.run_for(Duration::from_secs(5)).await;
    for id in others {
        assert_eq!(world.get(id).await, None, "{id} is done");
    }
    let endless = world.store.jobs_after(None, None, 9).await.unwrap();
    let held = endless.iter().filter(|j| j.is_held(world.service.now())).count();
    assert_eq!((endless.len(), held), (4, 2), "no more of a kind run than it has places");
}

#[tokio::test(start_paused = true)]
async fn a_job_runs_when_it_is_due_to_the_second() {
    let world = World::new().await;
    let id = world.job(1, "plain", 3_600_500).await;
    world.run_for(Duration::from_millis(3_600_400)).await;
    assert!(world.get(id).await.is_some());
    world.run_for(Duration::from_secs(1)).await;
    assert_eq!(world.get(id).await, None);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_fails_is_tried_after_growing_pauses_and_a_last_time() {
    let world = World::new().await;
    let id = world.job(1, "failing", 0).await;
    let mut pauses = Vec::new();
    for attempt in 1..PLAIN.attempts_limit {
        world.run_for(Duration::from_millis(20)).await;
        let job = world.get(id).await.unwrap();
        assert_eq!((job.attempts, job.state, job.reason.as_deref()), (attempt, JobState::Waiting, Some("unavailable")));
        assert!(!job.is_held(world.service.now()));
        pauses.push(job.not_before - job.tried_at.unwrap());
        tokio::time::sleep(Duration::from_millis(u64::try_from(job.not_before - world.service.now()).unwrap())).await;
    }
    assert_eq!(pauses, [1_000, 2_000, 3_000]);
    world.run_for(Duration::from_secs(600)).await;
    let job = world.get(id).await.unwrap();
    assert_eq!((job.attempts, job.state), (PLAIN.attempts_limit, JobState::Failed));
    assert!(job.tried_at.is_some() && job.reason.as_deref() == Some("unavailable"));
    let tallies = world.service.job_tallies().await.unwrap();
    assert_eq!((tallies[0].kind.as_str(), tallies[0].state, tallies[0].count), ("failing", JobState::Failed, 1));
}

#[tokio::test(start_paused = true)]
async fn a_run_without_an_end_counts_as_a_failed_attempt() {
    let world = World::new().await;
    let id = world.job(1, "endless", 0).await;
    world.run_for(Duration::from_secs(601)).await;
    let job = world.get(id).await.unwrap();
    assert_eq!(job.reason.as_deref(), Some("took_too_long"));
    world.run_for(Duration::from_secs(4_000)).await;
    let job = world.get(id).await.unwrap();
    assert_eq!((job.attempts, job.state), (PLAIN.attempts_limit, JobState::Failed));
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_for_as_long_as_its_run_takes() {
    let world = World::new().await;
    let id = world.job(1, "slow", 0).await;
    let other = world.store.clone();
    // Another runner would take the job as soon as its lease ran out.
    let thief = tokio::spawn(async move {
        let started = Instant::now();
        let mut taken = 0;
        tokio::time::sleep(Duration::from_secs(1)).await;
        while started.elapsed() < Duration::from_secs(149) {
            let now = START + i64::try_from(started.elapsed().as_millis()).unwrap();
            taken += other.claim_jobs("slow", "thief", now, now + 1, 9).await.unwrap().len();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        taken
    });
    world.run_for(Duration::from_secs(200)).await;
    assert_eq!(thief.await.unwrap(), 0);
    assert_eq!(world.get(id).await, None, "it is done");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_breaks_off_costs_its_attempt_and_nothing_else() {
    let world = World::new().await;
    let broken = world.job(1, "broken", 0).await;
    let plain = world.job(2, "plain", 0).await;
    world.run_for(Duration::from_secs(5)).await;
    let job = world.get(broken).await.unwrap();
    assert_eq!((job.state, job.reason.as_deref()), (JobState::Failed, Some("fault")));
    assert_eq!(world.get(plain).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_runs_died_is_not_tried_for_ever() {
    let world = World::new().await;
    let id = world.job(1, "plain", 0).await;
    for n in 0..PLAIN.attempts_limit {
        let now = world.service.now();
        assert_eq!(world.store.claim_jobs("plain", &format!("dead {n}"), now, now, 1).await.unwrap().len(), 1);
    }
    world.run_for(Duration::from_secs(5)).await;
    let job = world.get(id).await.unwrap();
    assert_eq!((job.state, job.reason.as_deref()), (JobState::Failed, Some("broke_off")));
}

#[tokio::test(start_paused = true)]
async fn a_job_of_an_unknown_kind_is_set_aside_and_stays() {
    let world = World::new().await;
    let strange = world.job(1, "strange", 0).await;
    let later = world.job(2, "strange", 60_000).await;
    let plain = world.job(3, "plain", 0).await;
    world.run_for(Duration::from_secs(5)).await;
    let job = world.get(strange).await.unwrap();
    assert_eq!((job.state, job.reason.as_deref(), job.holder), (JobState::SetAside, Some("unknown_kind"), None));
    assert_eq!(world.get(later).await.unwrap().state, JobState::Waiting, "its time has not come");
    assert_eq!(world.get(plain).await, None);
    // A retry does not help a version that does not know it.
    let refused = world.service.retry_job(&Call::operator("t"), strange).await.unwrap_err();
    assert!(refused.note.unwrap().contains("kind"));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_was_claimed_too_early_waits_for_its_time() {
    let world = World::new().await;
    let id = world.job(1, "plain", 60_000).await;
    // Somebody changed the time of the next attempt, which no entry covers.
    let planted = Job { not_before: START - 1, ..world.get(id).await.unwrap() };
    world.store.plant_job(id, Some(planted));
    world.run_for(Duration::from_secs(30)).await;
    let job = world.get(id).await.unwrap();
    assert_eq!((job.state, job.not_before), (JobState::Waiting, job.due_at));
    world.run_for(Duration::from_secs(31)).await;
    assert_eq!(world.get(id).await, None);
}
