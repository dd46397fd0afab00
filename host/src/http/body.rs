//! Receiving bodies: within limits, at a decent pace, inflated on the way.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use tidegate_core::http::{Answer, BodyError, Inflate, WritePlan};
use tokio::time::{Instant, timeout_at};

use super::budget::Taken;
use super::patience::Serving;
use super::pool::Pooled;

/// A body may be this slow to begin with, whatever the rate it has to keep up.
const GRACE: Duration = Duration::from_secs(10);
/// Room for what one step of inflating gives.
const INFLATE_ROOM: usize = 128 << 10;

/// Why a body is not there.
#[derive(Debug)]
pub(super) enum Lost {
    /// Its bytes are wrong, or too many.
    Bad(BodyError),
    /// It came too slowly.
    TooSlow,
    /// Too many bytes of other bodies are in memory.
    NoRoom,
}

impl From<BodyError> for Lost {
    fn from(error: BodyError) -> Self {
        Self::Bad(error)
    }
}

/// The body of a request, which tells its connection when it was read to its end.
#[derive(Debug)]
pub(super) struct Received {
    body: Incoming,
    serving: Serving,
}

impl Received {
    pub(super) fn new(body: Incoming, serving: Serving) -> Self {
        Self { body, serving }
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() {
            self.serving.body_ends();
        }
        Poll::Ready(frame)
    }
}

/// The pieces of a body as they arrive.
pub(super) struct Pieces {
    body: Received,
    began: Instant,
    received: u64,
    /// Bytes a second; 0 for no demand.
    rate_min: u64,
    /// 0 for no limit.
    limit: u64,
}

impl Pieces {
    pub(super) fn new(body: Received, limit: u64, rate_min: u64) -> Self {
        Self {
            body,
            began: Instant::now(),
            received: 0,
            rate_min,
            limit,
        }
    }

    /// The next piece; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Lost> {
        loop {
            let frame = match self.received.checked_div(self.rate_min) {
                None => self.body.frame().await,
                Some(seconds) => {
                    let deadline = self.began + GRACE + Duration::from_secs(seconds);
                    let frame = timeout_at(deadline, self.body.frame()).await;
                    frame.map_err(|_| Lost::TooSlow)?
                }
            };
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|error| BodyError::Read(error.to_string()))?;
            // Trailers carry nothing we know.
            let Ok(data) = frame.into_data() else {
                continue;
            };
            self.received += data.len() as u64;
            if self.limit > 0 && self.received > self.limit {
                return Err(BodyError::TooLarge.into());
            }
            return Ok(Some(data));
        }
    }
}

/// Receives the body of a write into `buffer`, or says what to answer instead.
pub(super) async fn receive(
    plan: &WritePlan,
    body: Received,
    rate_min: u64,
    taken: &mut Taken<'_>,
    buffer: &mut Pooled,
) -> Result<(), Answer> {
    let pieces = Pieces::new(body, plan.body_bytes_max, rate_min);
    let received = if plan.gzip {
        inflate(plan, pieces, taken, buffer).await
    } else {
        plain(plan, pieces, taken, buffer).await.map_err(Stop::Lost)
    };
    received.map_err(|stop| match stop {
        Stop::Answer(answer) => answer,
        Stop::Lost(Lost::Bad(error)) => plan.body_error(&error),
        // Not a 4xx: agents would drop the batch.
        Stop::Lost(Lost::TooSlow) => plan.unavailable("the body arrived too slowly"),
        Stop::Lost(Lost::NoRoom) => {
            plan.unavailable("too many bodies are being received, retry later")
        }
    })
}

enum Stop {
    Answer(Answer),
    Lost(Lost),
}

async fn plain(
    plan: &WritePlan,
    mut pieces: Pieces,
    taken: &mut Taken<'_>,
    buffer: &mut Pooled,
) -> Result<(), Lost> {
    if let Some(bytes) = plan.declared_bytes {
        // Within the limit, or it would have been refused by its head. Without a limit the
        // client's word is not worth more than this.
        let trusted = bytes.min(plan.body_bytes_max.max(1 << 20));
        buffer.expect(usize::try_from(trusted).unwrap_or(0));
    }
    while let Some(piece) = pieces.next().await? {
        if !taken.grow_to(buffer.len() + piece.len()) {
            return Err(Lost::NoRoom);
        }
        buffer.put(&piece);
    }
    Ok(())
}

async fn inflate(
    plan: &WritePlan,
    mut pieces: Pieces,
    taken: &mut Taken<'_>,
    buffer: &mut Pooled,
) -> Result<(), Stop> {
    let lost = |error: BodyError| Stop::Lost(error.into());
    let mut inflate = Inflate::new(plan.body_bytes_max);
    let mut head_checked = false;
    while let Some(piece) = pieces.next().await.map_err(Stop::Lost)? {
        let mut rest = &piece[..];
        loop {
            if !taken.grow_to(buffer.len() + INFLATE_ROOM) {
                return Err(Stop::Lost(Lost::NoRoom));
            }
            let done = inflate
                .inflate(rest, buffer.room(INFLATE_ROOM))
                .map_err(lost)?;
            buffer.advance(done.produced);
            rest = rest.get(done.consumed..).unwrap_or_default();
            if done.consumed == 0 && done.produced == 0 {
                break;
            }
        }
        if inflate.past_header() && !head_checked {
            head_checked = true;
            if let Some(answer) = plan.too_large_as_declared() {
                return Err(Stop::Answer(answer));
            }
        }
    }
    inflate.finish().map_err(lost)
}

/// Receives a small body whole.
pub(super) async fn form(body: Received, limit: u64, rate_min: u64) -> Result<Vec<u8>, Lost> {
    let mut pieces = Pieces::new(body, limit, rate_min);
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.next().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}
