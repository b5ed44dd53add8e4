//! The state of each open connection, and the one task that closes those that idle, send their
//! headers too slowly or don't read their replies. It must never cut a connection with a running
//! request, unless the drain is over.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use crate::limits::Limits;
use crate::stats::Stats;

/// What a connection is ordered to do. An order is only replaced by a stronger one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Order {
    Run = 0,
    Finish = 1,
    Cut = 2,
}

/// The counters of one connection. Only its own task adds to them, so a load and
/// a store are enough. The sweep reads them; if a value is a moment old, the
/// sweep acts one turn later. This replaces three timers per request.
#[derive(Debug, Default)]
pub(crate) struct Control {
    reads: AtomicU64,
    writes: AtomicU64,
    requests: AtomicU64,
    reads_at_rest: AtomicU64,
    at_work: AtomicUsize,
    h2: AtomicBool,
    order: AtomicU8,
    waker: AtomicWaker,
}

/// Adds one to a counter that nobody else writes.
fn up(counter: &AtomicU64) {
    counter.store(counter.load(Relaxed).wrapping_add(1), Relaxed);
}

impl Control {
    /// Notes a request whose headers are complete.
    pub(crate) fn begin(&self, h2: bool) {
        up(&self.requests);
        if h2 {
            self.h2.store(true, Relaxed);
        }
        self.rest();
    }

    fn rest(&self) {
        self.reads_at_rest.store(self.reads.load(Relaxed), Relaxed);
    }

    /// Counts a request as running for as long as the guard lives.
    pub(crate) fn work(self: &Arc<Self>) -> Work {
        self.at_work.fetch_add(1, Relaxed);
        Work(Arc::clone(self))
    }

    /// Registers the task to wake, and returns the order in force.
    pub(crate) fn listen(&self, cx: &Context<'_>) -> Order {
        self.waker.register(cx.waker());
        match self.order.load(Acquire) {
            0 => Order::Run,
            1 => Order::Finish,
            _ => Order::Cut,
        }
    }

    fn raise(&self, order: Order) {
        if self.order.fetch_max(order as u8, AcqRel) < order as u8 {
            self.waker.wake();
        }
    }
}

/// A running request of a connection.
#[derive(Debug)]
pub(crate) struct Work(Arc<Control>);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.rest();
        self.0.at_work.fetch_sub(1, Relaxed);
    }
}

/// How long an ended connection is still read if its caller was sending, and how many bytes.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// A stream whose progress is counted, and which is read for a while before it closes.
#[derive(Debug)]
pub(crate) struct Watched<T> {
    stream: T,
    control: Arc<Control>,
    shut: bool,
    linger: Option<Pin<Box<Sleep>>>,
    lingered_bytes: usize,
}

impl<T> Watched<T> {
    pub(crate) fn new(stream: T, control: Arc<Control>) -> Self {
        Self { stream, control, shut: false, linger: None, lingered_bytes: 0 }
    }

    fn wrote(&self, result: &Poll<io::Result<usize>>) {
        if matches!(result, Poll::Ready(Ok(count)) if *count > 0) {
            up(&self.control.writes);
        }
    }
}

impl<T: AsyncRead + Unpin> Watched<T> {
    /// Unread bytes would turn the close into a reset, which may reach the caller
    /// before the reply does. So what still comes is read and dropped.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut space = [0u8; 4_096];
        loop {
            let mut buf = ReadBuf::new(&mut space);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => {
                    self.lingered_bytes += buf.filled().len();
                    if self.lingered_bytes > LINGER_LIMIT_BYTES {
                        return Poll::Ready(());
                    }
                    self.linger.get_or_insert_with(|| Box::pin(sleep(LINGER)));
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => {
                    return match &mut self.linger {
                        Some(until) => until.as_mut().poll(cx),
                        None => Poll::Ready(()),
                    };
                }
            }
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            up(&self.control.reads);
        }
        result
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(&result);
        result
    }

    /// Hyper then puts head and body together itself: one system call for a small reply.
    fn is_write_vectored(&self) -> bool {
        false
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.shut {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            this.shut = true;
        }
        this.poll_linger(cx).map(Ok)
    }
}

/// What the sweep remembers of a connection between its turns.
#[derive(Debug)]
struct Entry {
    control: Arc<Control>,
    born: Instant,
    progress: (u64, u64),
    progress_at: Instant,
    partial: Option<(u64, Instant)>,
}

impl Entry {
    fn next_order(&mut self, now: Instant, limits: &Limits) -> Order {
        let control = &self.control;
        if control.at_work.load(Relaxed) > 0 {
            self.progress_at = now;
            self.partial = None;
            return Order::Run;
        }
        let header_time = Duration::from_millis(limits.header_read_timeout_ms);
        let idle_time = Duration::from_millis(limits.keep_alive_idle_ms);
        let requests = control.requests.load(Relaxed);
        if requests == 0 && now - self.born >= header_time {
            return Order::Cut;
        }
        // HTTP/2 connections also write pings and their answers, so there writes are no sign of
        // progress.
        let writes = if control.h2.load(Relaxed) { 0 } else { control.writes.load(Relaxed) };
        let progress = (requests, writes);
        if progress != self.progress {
            self.progress = progress;
            self.progress_at = now;
        }
        // Bytes after the last request belong to the next one's headers. HTTP/2 has its own frames
        // between requests, so only its idle time counts.
        let more_came = control.reads.load(Relaxed) != control.reads_at_rest.load(Relaxed);
        self.partial = match self.partial {
            _ if !more_came || control.h2.load(Relaxed) || requests == 0 => None,
            Some((of, since)) if of == requests => Some((of, since)),
            _ => Some((requests, now)),
        };
        if self.partial.is_some_and(|(_, since)| now - since >= header_time) {
            return Order::Cut;
        }
        let idle = now - self.progress_at;
        if idle >= idle_time.saturating_mul(2) {
            // The order to finish was given one idle time ago.
            Order::Cut
        } else if idle >= idle_time {
            Order::Finish
        } else {
            Order::Run
        }
    }
}

/// All open connections.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    entries: Mutex<HashMap<u64, Entry>>,
    next: AtomicU64,
    draining: AtomicBool,
}

impl Registry {
    fn entries(&self) -> MutexGuard<'_, HashMap<u64, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a connection until the ticket is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> Ticket {
        let control = Arc::new(Control::default());
        let number = self.next.fetch_add(1, Relaxed);
        let now = Instant::now();
        let entry =
            Entry { control: Arc::clone(&control), born: now, progress: (0, 0), progress_at: now, partial: None };
        let mut entries = self.entries();
        if self.draining.load(Relaxed) {
            control.raise(Order::Finish);
        }
        entries.insert(number, entry);
        drop(entries);
        Ticket { registry: Arc::clone(self), number, control }
    }

    /// Gives an order to every connection, and makes later ones finish.
    pub(crate) fn raise_all(&self, order: Order) {
        let entries = self.entries();
        self.draining.store(true, Relaxed);
        for entry in entries.values() {
            entry.control.raise(order);
        }
    }

    /// Closes the connection that has been without a request the longest, to
    /// make room; `false` when all are at work or closing already.
    pub(crate) fn shed(&self) -> bool {
        let entries = self.entries();
        let idle = entries
            .values()
            .filter(|entry| {
                entry.control.at_work.load(Relaxed) == 0 && entry.control.order.load(Relaxed) == Order::Run as u8
            })
            .min_by_key(|entry| entry.progress_at);
        if let Some(entry) = idle {
            entry.control.raise(Order::Finish);
        }
        idle.is_some()
    }

    /// Looks once at each connection.
    fn sweep(&self, now: Instant, limits: &Limits, stats: &Stats) {
        for entry in self.entries().values_mut() {
            let order = entry.next_order(now, limits);
            let before = entry.control.order.load(Relaxed);
            if (order as u8) > before {
                if before == Order::Run as u8 {
                    stats.connections_timed_out.up();
                }
                entry.control.raise(order);
            }
        }
    }

    /// Sweeps until it is dropped, four times in the shortest of the timeouts.
    pub(crate) async fn keep_swept(&self, limits: &Limits, stats: &Stats) {
        let shortest = limits.header_read_timeout_ms.min(limits.keep_alive_idle_ms);
        let mut turns = tokio::time::interval(Duration::from_millis((shortest / 4).clamp(5, 1_000)));
        turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let now = turns.tick().await;
            self.sweep(now, limits, stats);
        }
    }
}

/// A connection's place in the registry.
#[derive(Debug)]
pub(crate) struct Ticket {
    registry: Arc<Registry>,
    number: u64,
    pub(crate) control: Arc<Control>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.registry.entries().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock that only the test moves.
    struct Bench {
        registry: Arc<Registry>,
        ticket: Ticket,
        start: Instant,
        stats: Stats,
    }

    impl Bench {
        fn new() -> Self {
            let registry = Arc::new(Registry::default());
            let ticket = registry.enter();
            Self { registry, ticket, start: Instant::now(), stats: Stats::default() }
        }

        fn order_after(&self, ms: u64) -> u8 {
            let limits = Limits { header_read_timeout_ms: 10, keep_alive_idle_ms: 1_000, ..Limits::default() };
            let now = self.start + Duration::from_millis(ms);
            self.registry.sweep(now, &limits, &self.stats);
            self.ticket.control.order.load(Relaxed)
        }
    }

    #[test]
    fn a_first_request_that_doesnt_come_cuts() {
        let bench = Bench::new();
        bench.ticket.control.reads.fetch_add(1, Relaxed);
        assert_eq!(bench.order_after(9), Order::Run as u8);
        assert_eq!(bench.order_after(11), Order::Cut as u8);
        assert_eq!(bench.stats.snapshot().connections_timed_out_total, 1);
    }

    #[test]
    fn trickled_headers_of_a_later_request_cut_but_silence_waits() {
        let bench = Bench::new();
        let control = &bench.ticket.control;
        control.begin(false);
        assert_eq!(bench.order_after(900), Order::Run as u8);
        control.reads.fetch_add(1, Relaxed);
        assert_eq!(bench.order_after(905), Order::Run as u8);
        control.reads.fetch_add(1, Relaxed);
        control.begin(false);
        control.reads.fetch_add(1, Relaxed);
        assert_eq!(bench.order_after(916), Order::Run as u8);
        control.reads.fetch_add(1, Relaxed);
        assert_eq!(bench.order_after(926), Order::Cut as u8);
    }

    #[test]
    fn a_body_is_not_taken_for_trickled_headers() {
        let bench = Bench::new();
        let control = &bench.ticket.control;
        control.begin(false);
        let work = control.work();
        control.reads.fetch_add(1, Relaxed);
        drop(work);
        assert_eq!(bench.order_after(5), Order::Run as u8);
        assert_eq!(bench.order_after(900), Order::Run as u8);
    }

    #[test]
    fn idling_finishes_then_cuts_and_progress_or_work_wait() {
        let bench = Bench::new();
        let control = &bench.ticket.control;
        control.begin(false);
        assert_eq!(bench.order_after(0), Order::Run as u8);
        let work = control.work();
        assert_eq!(bench.order_after(5_000), Order::Run as u8);
        drop(work);
        assert_eq!(bench.order_after(5_999), Order::Run as u8);
        control.writes.fetch_add(1, Relaxed);
        assert_eq!(bench.order_after(6_001), Order::Run as u8);
        assert_eq!(bench.order_after(7_002), Order::Finish as u8);
        assert_eq!(bench.order_after(8_002), Order::Cut as u8);
    }

    #[test]
    fn pings_are_no_progress() {
        let bench = Bench::new();
        let control = &bench.ticket.control;
        control.begin(true);
        for (at, order) in [(0, Order::Run), (900, Order::Run), (1_100, Order::Finish), (2_100, Order::Cut)] {
            control.reads.fetch_add(1, Relaxed);
            control.writes.fetch_add(1, Relaxed);
            assert_eq!(bench.order_after(at), order as u8, "after {at} ms");
        }
    }

    #[test]
    fn the_longest_idle_one_is_shed_and_none_at_work() {
        let bench = Bench::new();
        let other = bench.registry.enter();
        let work = bench.ticket.control.work();
        assert!(bench.registry.shed());
        assert_eq!(other.control.order.load(Relaxed), Order::Finish as u8);
        assert!(!bench.registry.shed());
        drop(work);
        assert!(bench.registry.shed());
        assert_eq!(bench.ticket.control.order.load(Relaxed), Order::Finish as u8);
    }

    #[test]
    fn a_connection_that_enters_during_the_drain_is_ordered_too() {
        let bench = Bench::new();
        bench.registry.raise_all(Order::Finish);
        assert_eq!(bench.registry.enter().control.order.load(Relaxed), Order::Finish as u8);
    }
}
