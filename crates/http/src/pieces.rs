//! The body of a reply, handed to hyper in pieces.
//!
//! Hyper copies head and body into one buffer, so that a small reply is one system call. The buffer
//! lives as long as its connection, so a large body must never be copied into it whole.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// The most bytes of one piece.
const PIECE_BYTES: usize = 64 * 1024;

/// A body that is completely known.
#[derive(Debug)]
pub(crate) struct Pieces(Bytes);

impl Pieces {
    pub(crate) fn new(body: Bytes) -> Pieces {
        Pieces(body)
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.0.len().min(PIECE_BYTES);
        Poll::Ready(Some(Ok(Frame::data(self.0.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn the_pieces_of_a_body_make_the_body() {
        for length in [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 7] {
            let whole = Bytes::from((0..length).map(|n| n as u8).collect::<Vec<_>>());
            let mut body = Pieces::new(whole.clone());
            assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(length as u64), length == 0));
            let mut read = Vec::new();
            while let Some(frame) = body.frame().await {
                let piece = frame.unwrap().into_data().unwrap();
                assert!(!piece.is_empty() && piece.len() <= PIECE_BYTES);
                read.extend_from_slice(&piece);
            }
            assert_eq!(read, whole);
        }
    }
}
