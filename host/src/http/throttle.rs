//! How many writes are served at the same time, and how many may wait.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::config::Http;

/// Upstream's write throttle; a limit of 0 switches it off.
#[derive(Debug)]
pub(super) struct Throttle {
    slots: Option<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
    timeout: Duration,
}

/// The right to serve a write, until dropped.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    _permit: Option<SemaphorePermit<'a>>,
}

impl Throttle {
    pub(super) fn new(config: &Http) -> Self {
        let slots = config.max_concurrent_write_limit;
        Self {
            slots: (slots > 0).then(|| Semaphore::new(slots.min(Semaphore::MAX_PERMITS))),
            waiting: AtomicUsize::new(0),
            waiting_max: config.max_enqueued_write_limit,
            timeout: config.enqueued_write_timeout.0,
        }
    }

    /// A slot now or in time; the error is upstream's text.
    pub(super) async fn slot(&self) -> Result<Slot<'_>, &'static str> {
        let Some(slots) = &self.slots else {
            return Ok(Slot { _permit: None });
        };
        if let Ok(permit) = slots.try_acquire() {
            return Ok(Slot {
                _permit: Some(permit),
            });
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if self.waiting_max > 0 && before >= self.waiting_max {
            return Err("request throttled, queue full\n");
        }
        match tokio::time::timeout(self.timeout, slots.acquire()).await {
            Ok(Ok(permit)) => Ok(Slot {
                _permit: Some(permit),
            }),
            _ => Err("request throttled, exceeds timeout\n"),
        }
    }
}

/// Counts down even when the client goes away while waiting.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Span;

    fn throttle(slots: usize, waiting: usize) -> Throttle {
        Throttle::new(&Http {
            max_concurrent_write_limit: slots,
            max_enqueued_write_limit: waiting,
            enqueued_write_timeout: Span(Duration::from_millis(30)),
            ..Http::default()
        })
    }

    #[tokio::test]
    async fn a_write_waits_for_a_slot_but_not_forever_and_not_in_a_full_queue() {
        let throttle = throttle(1, 1);
        let held = throttle.slot().await.expect("free");
        let waits = throttle.slot();
        tokio::pin!(waits);
        let waiting = tokio::time::timeout(Duration::from_millis(5), waits.as_mut()).await;
        assert!(waiting.is_err());
        assert_eq!(
            throttle.slot().await.err(),
            Some("request throttled, queue full\n")
        );
        assert_eq!(
            waits.await.err(),
            Some("request throttled, exceeds timeout\n")
        );
        drop(held);
        throttle.slot().await.expect("free again");
    }

    #[tokio::test]
    async fn without_a_limit_every_write_has_a_slot() {
        let throttle = throttle(0, 0);
        let _first = throttle.slot().await.expect("free");
        throttle.slot().await.expect("free");
    }
}
