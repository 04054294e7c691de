//! Work that serves all who asked for it before it began.

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Runs of the same work, one at a time. Whoever comes while one runs may be too late for it, and shares the next.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// How many rounds began.
    begun: u64,
    /// The last round that succeeded.
    succeeded: u64,
    running: bool,
    #[cfg(test)]
    waiting: usize,
}

impl Rounds {
    /// Returns after a round that began later than this call and succeeded, or with the failure of one that it ran
    /// itself. Blocks.
    pub(super) fn run(&self, work: impl Fn() -> io::Result<()>) -> io::Result<()> {
        let mut state = self.state();
        let wanted = state.begun + 1;
        while state.succeeded < wanted {
            if state.running {
                #[cfg(test)]
                {
                    state.waiting += 1;
                }
                state = self.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.running = true;
            state.begun += 1;
            let round = state.begun;
            drop(state);
            let mut ending = Ending {
                rounds: self,
                succeeded: 0,
            };
            work()?;
            ending.succeeded = round;
            drop(ending);
            state = self.state();
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of a round, also by a failure or a panic.
struct Ending<'a> {
    rounds: &'a Rounds,
    succeeded: u64,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let mut state = self.rounds.state();
        state.running = false;
        state.succeeded = state.succeeded.max(self.succeeded);
        drop(state);
        self.rounds.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;

    use super::*;

    /// Starts a first round, lets others ask while it runs, and gives how many rounds there were in all.
    fn rounds_for(others: usize, first: fn() -> io::Result<()>) -> (u32, Vec<io::Result<()>>) {
        let rounds = Rounds::default();
        let count = AtomicU32::new(0);
        let done = std::thread::scope(|scope| {
            let (begun, has_begun) = mpsc::channel();
            let (go_on, may_go_on) = mpsc::channel::<()>();
            let (rounds, count) = (&rounds, &count);
            let leader = scope.spawn(move || {
                rounds.run(|| {
                    count.fetch_add(1, Ordering::SeqCst);
                    begun.send(()).expect("somebody waits");
                    may_go_on.recv().expect("somebody lets it");
                    first()
                })
            });
            has_begun.recv().expect("it begins");
            let others: Vec<_> = (0..others)
                .map(|_| {
                    scope.spawn(move || {
                        rounds.run(|| {
                            count.fetch_add(1, Ordering::SeqCst);
                            Ok(())
                        })
                    })
                })
                .collect();
            // All of them wait, for a round that began before they came.
            while rounds.state().waiting < others.len() {
                std::thread::yield_now();
            }
            go_on.send(()).expect("it waits");
            let all = std::iter::once(leader).chain(others);
            all.map(|it| it.join().expect("no panic")).collect()
        });
        (count.into_inner(), done)
    }

    #[test]
    fn those_who_come_while_one_runs_share_the_next() {
        let (rounds, done) = rounds_for(5, || Ok(()));
        assert_eq!(rounds, 2);
        assert!(done.iter().all(io::Result::is_ok), "{done:?}");
    }

    #[test]
    fn a_failure_is_that_of_whoever_ran_it() {
        let (rounds, done) = rounds_for(5, || Err(io::ErrorKind::StorageFull.into()));
        assert_eq!(rounds, 2);
        assert!(done[0].is_err());
        assert!(done[1..].iter().all(io::Result::is_ok), "{done:?}");
    }

    #[test]
    fn a_round_is_not_shared_with_who_comes_after_it() {
        let rounds = Rounds::default();
        let count = AtomicU32::new(0);
        for _ in 0..3 {
            let work = || {
                count.fetch_add(1, Ordering::SeqCst);
                Ok(())
            };
            rounds.run(work).expect("it is done");
        }
        assert_eq!(count.into_inner(), 3);
    }
}
