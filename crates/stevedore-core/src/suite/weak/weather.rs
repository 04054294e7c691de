//! What goes wrong, from a seed.

use std::sync::{Mutex, PoisonError};

/// Decides what happens to requests. The same seed and the same questions give the same answers.
#[derive(Debug)]
pub struct Weather(Mutex<State>);

#[derive(Debug)]
struct State {
    random: SplitMix,
    stormy: bool,
}

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It takes effect, and its answer arrives.
    Answered,
    /// It takes effect, and its answer is lost.
    AnswerLost,
    /// It never arrives.
    Lost,
    /// The caller gives up on it, and it takes effect later.
    Late,
}

/// Of a thousand requests in a storm, how many meet each of the three mishaps.
const MISHAPS: u64 = 12;

impl Weather {
    /// Nothing goes wrong, and listings are current.
    pub fn calm() -> Self {
        Self(Mutex::new(State {
            random: SplitMix(0),
            stormy: false,
        }))
    }

    /// Requests and answers get lost or come late, and listings are as old as they may be.
    pub fn stormy(seed: u64) -> Self {
        Self(Mutex::new(State {
            random: SplitMix(seed),
            stormy: true,
        }))
    }

    /// Begins or ends the storm; gives whether there was one.
    pub fn set_stormy(&self, stormy: bool) -> bool {
        self.with(|state| std::mem::replace(&mut state.stormy, stormy))
    }

    pub(super) fn fate(&self) -> Fate {
        self.with(|state| {
            if !state.stormy {
                return Fate::Answered;
            }
            match state.random.below(1000) {
                n if n < MISHAPS => Fate::AnswerLost,
                n if n < 2 * MISHAPS => Fate::Lost,
                n if n < 3 * MISHAPS => Fate::Late,
                _ => Fate::Answered,
            }
        })
    }

    /// Whether something with a chance of one in `n` happens; never without a storm.
    pub(super) fn strikes(&self, n: u64) -> bool {
        self.with(|state| state.stormy && state.random.below(n) == 0)
    }

    /// Which of `n` is seen: the last one without a storm.
    pub(super) fn pick(&self, n: usize) -> usize {
        self.with(|state| {
            if state.stormy && n > 1 {
                let n = u64::try_from(n).unwrap_or(u64::MAX);
                usize::try_from(state.random.below(n)).unwrap_or(0)
            } else {
                n.saturating_sub(1)
            }
        })
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The generator of Steele, Lea and Flood: small, fast and good enough to choose with.
#[derive(Clone, Debug)]
pub(super) struct SplitMix(pub(super) u64);

impl SplitMix {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// Ids that no other process makes: random ones, which 128 bits keep apart.
#[derive(Debug)]
pub(super) struct Nonces(Mutex<SplitMix>);

impl Nonces {
    pub(super) fn new(seed: u64) -> Self {
        Self(Mutex::new(SplitMix(seed)))
    }

    pub(super) fn next(&self) -> u128 {
        let mut random = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (u128::from(random.next()) << 64) | u128::from(random.next())
    }
}

/// Suspends once: here others may run, and here the future may be dropped.
pub(super) use crate::stream::yield_now as pause;
