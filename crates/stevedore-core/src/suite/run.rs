//! Small executors: one thread, many futures at random, and one future dropped half-way.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// A boxed future.
pub(super) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Runs a future to its end on this thread: for implementations that need no runtime of their own.
///
/// ```
/// assert_eq!(stevedore_core::suite::block_on(async { 1 + 1 }), 2);
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Polls a future at most so many times and then drops it at the await where it waits; gives its output where it
/// came to its end before.
///
/// Counting up from 0 until there is an output drops the future at each of its awaits, before the first one too:
///
/// ```
/// use stevedore_core::suite::{block_on, drop_after};
///
/// let polls = (0..).find(|&polls| block_on(drop_after(polls, async { "done" })).is_some());
/// assert_eq!(polls, Some(1));
/// ```
pub async fn drop_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    if polls == 0 {
        return None;
    }
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Runs futures side by side, polled in an order that follows from a seed, and gives their outputs in their own
/// order.
pub(super) async fn interleave<T>(seed: u64, futures: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    let mut dice = Dice::new(seed);
    let mut outputs: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    let mut running: Vec<_> = futures.into_iter().enumerate().collect();
    poll_fn(|context| {
        // Each once in a random order, some a second time: whoever gets ahead is up to the dice.
        for _ in 0..running.len() * 2 {
            if running.is_empty() {
                break;
            }
            let chosen = dice.below(running.len());
            let (index, future) = &mut running[chosen];
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                outputs[*index] = Some(output);
                drop(running.swap_remove(chosen));
            }
        }
        // Any that the dice left out and that has not been polled since it was woken.
        let mut index = 0;
        while index < running.len() {
            if let Poll::Ready(output) = running[index].1.as_mut().poll(context) {
                outputs[running[index].0] = Some(output);
                drop(running.swap_remove(index));
            } else {
                index += 1;
            }
        }
        if running.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

/// Numbers that look random and follow from a seed (splitmix64).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or_default() % bound
    }
}
