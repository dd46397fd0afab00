//! A connection that does not wait forever: for the rest of a head, or for a client that does
//! not take its answer. Heads pass through [`Targets`] on their way.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::target::Targets;

/// How far the request on a connection is; shared with whoever serves it.
#[derive(Clone, Debug, Default)]
pub(super) struct Serving(Arc<Progress>);

#[derive(Debug, Default)]
struct Progress {
    serving: AtomicBool,
    body_left: AtomicBool,
    requests: AtomicU64,
}

/// Marks the connection as serving until it is dropped.
#[derive(Debug)]
pub(super) struct ServingGuard(Serving);

impl Serving {
    /// From here on what arrives is no head. The body may be over already.
    pub(super) fn begin(&self, body_is_over: bool) -> ServingGuard {
        self.0.body_left.store(!body_is_over, Ordering::Relaxed);
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        self.0.serving.store(true, Ordering::Relaxed);
        ServingGuard(self.clone())
    }

    /// The body was read to its end.
    pub(super) fn body_ends(&self) {
        self.0.body_left.store(false, Ordering::Relaxed);
    }

    /// Whether the last request has not been answered whole.
    pub(super) fn now(&self) -> bool {
        self.0.serving.load(Ordering::Relaxed)
    }

    /// Whether something of the last request's body may still arrive.
    pub(super) fn is_body_left(&self) -> bool {
        self.0.body_left.load(Ordering::Relaxed)
    }

    /// How many requests have begun.
    pub(super) fn requests(&self) -> u64 {
        self.0.requests.load(Ordering::Relaxed)
    }
}

impl Drop for ServingGuard {
    fn drop(&mut self) {
        self.0.0.serving.store(false, Ordering::Relaxed);
    }
}

/// A stream with two deadlines.
///
/// hyper's own head timeout counts from the end of the previous request, so it has to be as
/// long as a connection may idle; this one counts from the first byte of the head.
#[derive(Debug)]
pub(super) struct Patient<S> {
    stream: S,
    serving: Serving,
    targets: Targets,
    head: Deadline,
    write: Deadline,
    linger: Linger,
}

/// After the last answer: what the client still sends is read and dropped for a while. Closing at
/// once would reset the connection, and an answer that came before the end of its request, such as
/// 413, be lost on its way.
///
/// Source: Go `net/http.conn.closeWriteAndWait`.
#[derive(Debug)]
struct Linger {
    deadline: Deadline,
    is_shut: bool,
    bytes_left: usize,
}

const LINGER: Duration = Duration::from_millis(500);

/// What a client may send in that time before it is cut off nevertheless.
const LINGER_BYTES_MAX: usize = 64 << 20;

#[derive(Debug)]
struct Deadline {
    after: Duration,
    sleep: Pin<Box<Sleep>>,
    armed: bool,
}

impl Deadline {
    fn new(after: Duration) -> Self {
        Self {
            after,
            sleep: Box::pin(sleep(after)),
            armed: false,
        }
    }

    fn arm(&mut self) {
        if !self.armed && !self.after.is_zero() {
            self.sleep.as_mut().reset(Instant::now() + self.after);
            self.armed = true;
        }
    }

    fn passed(&mut self, cx: &mut Context<'_>) -> bool {
        self.armed && self.sleep.as_mut().poll(cx).is_ready()
    }
}

impl<S> Patient<S> {
    /// Zero switches a deadline off.
    pub(super) fn new(stream: S, serving: Serving, head: Duration, write: Duration) -> Self {
        Self {
            stream,
            serving,
            targets: Targets::default(),
            head: Deadline::new(head),
            write: Deadline::new(write),
            linger: Linger {
                deadline: Deadline::new(LINGER),
                is_shut: false,
                bytes_left: LINGER_BYTES_MAX,
            },
        }
    }

    /// Passes on what a write gave, unless it has been pending for too long.
    fn written<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.write.armed = false;
            return result;
        }
        self.write.arm();
        if self.write.passed(cx) {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the client does not take its answer",
            )));
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.serving.now() {
            this.head.armed = false;
        }
        if this.targets.deliver(buffer) {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before && !this.serving.now() {
            this.head.arm();
            this.targets.escape(&this.serving, buffer, before);
        }
        if result.is_pending() && this.head.passed(cx) {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the head of a request took too long",
            )));
        }
        result
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.written(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.linger.is_shut {
            let result = Pin::new(&mut this.stream).poll_shutdown(cx);
            ready!(this.written(cx, result))?;
            this.linger.is_shut = true;
            this.linger.deadline.arm();
        }
        let mut scratch = [0; 16 << 10];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            let read = Pin::new(&mut this.stream).poll_read(cx, &mut buffer);
            let bytes = buffer.filled().len();
            match read {
                Poll::Ready(Ok(())) if bytes > 0 && bytes < this.linger.bytes_left => {
                    this.linger.bytes_left -= bytes;
                }
                Poll::Pending if !this.linger.deadline.passed(cx) => return Poll::Pending,
                _ => return Poll::Ready(Ok(())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    const SHORT: Duration = Duration::from_millis(40);

    #[tokio::test]
    async fn a_head_has_a_deadline_from_its_first_byte_and_a_body_has_none() {
        let (mut client, server) = duplex(64);
        let serving = Serving::default();
        let mut patient = Patient::new(server, serving.clone(), SHORT, Duration::ZERO);
        let mut byte = [0];
        // Idle: no deadline of ours.
        let idle = tokio::time::timeout(3 * SHORT, patient.read(&mut byte)).await;
        assert!(idle.is_err());
        client.write_all(b"P").await.expect("sent");
        patient.read_exact(&mut byte).await.expect("read");
        let guard = serving.begin(true);
        let body = tokio::time::timeout(3 * SHORT, patient.read(&mut byte)).await;
        assert!(body.is_err());
        drop(guard);
        client.write_all(b"G").await.expect("sent");
        patient.read_exact(&mut byte).await.expect("read");
        let late = patient.read(&mut byte).await.expect_err("too long");
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn what_still_comes_is_read_for_a_while_after_the_end() {
        let (mut client, server) = duplex(8);
        let mut patient = Patient::new(server, Serving::default(), SHORT, SHORT);
        let sent = tokio::spawn(async move {
            client.write_all(&[0; 64]).await.expect("taken");
            drop(client);
        });
        patient.shutdown().await.expect("shut");
        sent.await.expect("sent");
        // Who does not close is not waited for.
        let (_client, server) = duplex(8);
        let mut patient = Patient::new(server, Serving::default(), SHORT, SHORT);
        let shut = tokio::time::timeout(4 * LINGER, patient.shutdown()).await;
        shut.expect("in time").expect("shut");
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_is_given_up() {
        let (_client, server) = duplex(8);
        let mut patient = Patient::new(server, Serving::default(), SHORT, SHORT);
        let late = patient.write_all(&[0; 64]).await.expect_err("stalls");
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
    }
}
