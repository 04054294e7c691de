//! Chance, time and turns: one thread, one seed, no waiting.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A generator that all who share a run draw from, in the order in which they are polled.
#[derive(Clone)]
pub(crate) struct Chance(Arc<AtomicU64>);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        let state = seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x5851_f42d_4c95_7f2d;
        Self(Arc::new(AtomicU64::new(state)))
    }

    pub(crate) fn next(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&self, n: u64) -> u64 {
        self.next() % n
    }

    pub(crate) fn one_in(&self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn index(&self, n: usize) -> usize {
        usize::try_from(self.below(n as u64)).unwrap()
    }

    pub(crate) fn up_to(&self, span: Duration) -> Duration {
        Duration::from_millis(self.below(u64::try_from(span.as_millis()).unwrap() + 1))
    }
}

/// Where a task says for how long it does not want to be polled.
#[derive(Clone, Default)]
pub(crate) struct Nap(Arc<AtomicU64>);

impl Nap {
    pub(crate) async fn take(&self, span: Duration) {
        self.0
            .store(u64::try_from(span.as_millis()).unwrap(), Ordering::Relaxed);
        let mut waited = false;
        poll_fn(|_| {
            if std::mem::replace(&mut waited, true) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    pub(crate) fn taken(&self) -> Duration {
        Duration::from_millis(self.0.swap(0, Ordering::Relaxed))
    }
}

pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Gives a task its turn; gives whether it has ended.
pub(crate) fn poll(task: &mut Task) -> bool {
    task.as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
        .is_ready()
}

/// Runs a future while everybody else stands still.
pub(crate) fn alone<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}
