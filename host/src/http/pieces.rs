//! A body that one thread makes while another sends it.
//!
//! Ours instead of `http_body_util::channel`: that one looks for pieces first and then whether its
//! sender is gone, so that a last piece sent in between is dropped and the body ends as if it were
//! whole (0.1.5, `Channel::poll_frame`). Here the end is said, and a maker who leaves without
//! saying so breaks the connection off.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::sync::mpsc;

/// Pieces made and not yet sent; whoever makes them waits at this many.
const WAITING_MAX: usize = 2;

/// What is sent.
#[derive(Debug)]
pub(super) struct Pieces(mpsc::Receiver<Piece>);

/// Where it is made.
#[derive(Debug)]
pub(super) struct Maker(mpsc::Sender<Piece>);

#[derive(Debug)]
enum Piece {
    Bytes(Bytes),
    End,
}

/// The client is gone.
#[derive(Debug)]
pub(super) struct Gone;

/// Both ends.
pub(super) fn channel() -> (Maker, Pieces) {
    let (maker, pieces) = mpsc::channel(WAITING_MAX);
    (Maker(maker), Pieces(pieces))
}

impl Maker {
    /// Waits for room. Only where a thread may block.
    pub(super) fn send(&self, bytes: Vec<u8>) -> Result<(), Gone> {
        let piece = Piece::Bytes(bytes.into());
        self.0.blocking_send(piece).map_err(|_| Gone)
    }

    /// The body is whole.
    pub(super) fn end(self) {
        // Nobody to tell if the client is gone.
        let _ = self.0.blocking_send(Piece::End);
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(match ready!(self.0.poll_recv(cx)) {
            Some(Piece::Bytes(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Piece::End) => None,
            None => Some(Err(io::Error::other("the answer was not finished"))),
        })
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::channel;

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_made_while_it_is_sent_arrives_whole() {
        for _ in 0..2000 {
            let (maker, pieces) = channel();
            let making = tokio::task::spawn_blocking(move || {
                for piece in ["a", "bc", "d"] {
                    maker.send(piece.into()).expect("taken");
                }
                maker.end();
            });
            let body = pieces.collect().await.expect("whole").to_bytes();
            assert_eq!(body, "abcd");
            making.await.expect("made");
        }
    }

    #[tokio::test]
    async fn a_body_whose_maker_left_is_an_error() {
        let (maker, mut pieces) = channel();
        let making = tokio::task::spawn_blocking(move || maker.send("a".into()));
        let first = pieces.frame().await.expect("a piece").expect("bytes");
        assert_eq!(first.into_data().expect("data"), "a");
        assert!(making.await.expect("made").is_ok());
        assert!(pieces.frame().await.expect("an end").is_err());
    }

    #[tokio::test]
    async fn a_maker_learns_that_the_client_is_gone() {
        let (maker, pieces) = channel();
        drop(pieces);
        let made = tokio::task::spawn_blocking(move || maker.send("a".into()));
        assert!(made.await.expect("made").is_err());
    }
}
