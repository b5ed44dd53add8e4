//! Reads a body under its limits: its size, the longest silence, the request's deadline, and the
//! memory of all bodies together. It must never hold more bytes than it has counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

/// How much of each body is not counted, so that small requests work while large ones use all of
/// the memory.
const FREE_BYTES: usize = 64 * 1024;

/// Why a body couldn't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyFault {
    TooLarge,
    Late,
    Broken,
    MemoryFull,
}

/// Counts what all bodies hold together.
#[derive(Debug)]
pub(crate) struct Memory {
    held_bytes: AtomicUsize,
    limit_bytes: usize,
}

impl Memory {
    pub(crate) fn new(limit_bytes: usize) -> Arc<Self> {
        Arc::new(Self { held_bytes: AtomicUsize::new(0), limit_bytes })
    }
}

/// One body's share of that memory, returned when dropped.
#[derive(Debug)]
pub(crate) struct Hold {
    memory: Arc<Memory>,
    bytes: usize,
}

impl Hold {
    fn new(memory: &Arc<Memory>) -> Self {
        Self { memory: Arc::clone(memory), bytes: 0 }
    }

    fn grow(&mut self, size: usize) -> Result<(), BodyFault> {
        let more = size.saturating_sub(FREE_BYTES).saturating_sub(self.bytes);
        if more == 0 {
            return Ok(());
        }
        let before = self.memory.held_bytes.fetch_add(more, Relaxed);
        self.bytes += more;
        if before.saturating_add(more) > self.memory.limit_bytes {
            return Err(BodyFault::MemoryFull);
        }
        Ok(())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.memory.held_bytes.fetch_sub(self.bytes, Relaxed);
        }
    }
}

/// The bounds of one body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) limit_bytes: usize,
    pub(crate) silence: Duration,
    pub(crate) deadline: Instant,
}

/// Reads the whole body. A body whose declared length is too large is not read at all.
pub(crate) async fn collect<B>(body: &mut B, bounds: Bounds, memory: &Arc<Memory>) -> Result<(Bytes, Hold), BodyFault>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut hold = Hold::new(memory);
    if body.size_hint().lower() > bounds.limit_bytes as u64 {
        return Err(BodyFault::TooLarge);
    }
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    let mut size = 0usize;
    while !body.is_end_stream() {
        let until = (Instant::now() + bounds.silence).min(bounds.deadline);
        let frame = match timeout_at(until, body.frame()).await {
            Err(_) => return Err(BodyFault::Late),
            Ok(None) => break,
            Ok(Some(Err(_))) => return Err(BodyFault::Broken),
            Ok(Some(Ok(frame))) => frame,
        };
        // No adapter uses trailers.
        let Ok(data) = frame.into_data() else {
            continue;
        };
        size = size.saturating_add(data.len());
        if size > bounds.limit_bytes {
            return Err(BodyFault::TooLarge);
        }
        hold.grow(size)?;
        if first.is_empty() && whole.is_empty() {
            first = data;
        } else {
            if whole.is_empty() {
                whole.extend_from_slice(&first);
            }
            whole.extend_from_slice(&data);
        }
    }
    let bytes = if whole.is_empty() { first } else { whole.freeze() };
    Ok((bytes, hold))
}

/// Reads and discards the rest, so that a caller that sends first and reads
/// afterwards sees why it was refused.
pub(crate) async fn discard<B>(mut body: B, limit_bytes: usize, until: Instant)
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut size = 0usize;
    while let Ok(Some(Ok(frame))) = timeout_at(until, body.frame()).await {
        size = size.saturating_add(frame.data_ref().map_or(0, Bytes::len));
        if size > limit_bytes {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{Full, StreamBody};

    fn bounds(limit_bytes: usize) -> Bounds {
        Bounds { limit_bytes, silence: Duration::from_secs(5), deadline: Instant::now() + Duration::from_secs(5) }
    }

    fn chunks(sizes: &[usize]) -> impl Body<Data = Bytes, Error = std::convert::Infallible> + Unpin + use<> {
        let frames: Vec<_> =
            sizes.iter().map(|size| Ok(http_body::Frame::data(Bytes::from(vec![b'x'; *size])))).collect();
        StreamBody::new(futures_util::stream::iter(frames))
    }

    #[tokio::test]
    async fn the_limit_is_exact_with_and_without_a_length() {
        let memory = Memory::new(usize::MAX);
        let mut fits = Full::new(Bytes::from_static(b"12345"));
        assert_eq!(collect(&mut fits, bounds(5), &memory).await.unwrap().0, "12345");
        let mut declared = Full::new(Bytes::from_static(b"123456"));
        assert_eq!(collect(&mut declared, bounds(5), &memory).await.unwrap_err(), BodyFault::TooLarge);
        assert_eq!(collect(&mut chunks(&[2, 0, 3]), bounds(5), &memory).await.unwrap().0, "xxxxx");
        let over = collect(&mut chunks(&[2, 4]), bounds(5), &memory).await;
        assert_eq!(over.unwrap_err(), BodyFault::TooLarge);
    }

    #[tokio::test]
    async fn what_all_bodies_hold_is_bounded_and_released() {
        let memory = Memory::new(100_000);
        let large = FREE_BYTES + 60_000;
        let (_, first) = collect(&mut chunks(&[large]), bounds(large), &memory).await.unwrap();
        let second = collect(&mut chunks(&[large]), bounds(large), &memory).await;
        assert_eq!(second.unwrap_err(), BodyFault::MemoryFull);
        assert!(collect(&mut chunks(&[FREE_BYTES]), bounds(large), &memory).await.is_ok());
        drop(first);
        assert!(collect(&mut chunks(&[large]), bounds(large), &memory).await.is_ok());
        assert_eq!(memory.held_bytes.load(Relaxed), 0);
    }
}
