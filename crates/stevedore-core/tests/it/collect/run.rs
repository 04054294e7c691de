//! One schedule.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use stevedore_core::collect::collect;
use stevedore_core::suite::weak::WeakStore;

use super::client::{Client, Memory, collector};
use super::executor::{Nap, Task, alone, poll};
use super::ledger::Ledger;
use super::variant::Variant;
use super::world::{Manifests, Medium, World};

const CLIENTS: usize = 3;
const COLLECTORS: usize = 3;

/// Of so many turns, one kills its task, stalls it, cuts the power, is followed by a check.
const KILL: u64 = 300;
const STALL: u64 = 30;
const CUT: u64 = 1000;
const CHECK: u64 = 300;

/// A run that takes longer has clients that get nowhere.
const TURNS: u64 = 100_000;

pub(crate) struct Outcome {
    pub(crate) switches: u64,
    pub(crate) acknowledged: u64,
    pub(crate) violation: Option<String>,
}

struct Slot {
    task: Option<Task>,
    nap: Nap,
    wakes: SystemTime,
    /// Clients have one.
    memory: Option<Memory>,
}

pub(crate) fn run(medium: Medium, variant: Variant, seed: u64) -> Outcome {
    let world = Arc::new(World::new(medium, variant, seed));
    let ledger = Ledger::default();
    let mut slots: Vec<_> = (0..CLIENTS + COLLECTORS)
        .map(|number| Slot {
            task: None,
            nap: Nap::default(),
            wakes: world.clock.now(),
            memory: (number < CLIENTS).then(Memory::default),
        })
        .collect();
    for slot in &mut slots {
        slot.start(&world, &ledger);
    }
    let mut switches = 0;
    let mut violation = storm(&world, &ledger, &mut slots, &mut switches);
    drop(slots);
    if violation.is_none() {
        violation = aftermath(&world, &ledger);
    }
    Outcome {
        switches,
        acknowledged: ledger.acknowledged(),
        violation,
    }
}

/// Until all clients are done.
fn storm(world: &Arc<World>, ledger: &Ledger, slots: &mut [Slot], switches: &mut u64) -> Option<String> {
    let checker = world.process();
    // How much time passes in a turn: a push takes about a hundred of everybody's.
    let turn = world.grace / [50, 200, 1000][world.chance.index(3)];
    while slots[..CLIENTS].iter().any(|slot| slot.task.is_some()) {
        if *switches == TURNS {
            return Some("clients get nowhere".to_owned());
        }
        let number = next_turn(world, slots);
        let slot = &mut slots[number];
        if world.chance.one_in(KILL) {
            slot.start(world, ledger);
        } else if world.chance.one_in(STALL) {
            let stall = world.chance.up_to(world.grace * [1, 3, 6][world.chance.index(3)]);
            slot.wakes = world.clock.now() + stall;
        } else {
            slot.turn(world);
            *switches += 1;
        }
        world.clock.advance(world.chance.up_to(turn));
        if world.chance.one_in(CUT) && world.cut_power() {
            for slot in &mut *slots {
                if slot.task.is_some() {
                    slot.start(world, ledger);
                }
            }
        }
        if world.chance.one_in(CHECK) {
            let violation = ledger.violation(world, &checker);
            if violation.is_some() {
                return violation;
            }
        }
    }
    None
}

/// One of those who are awake; where all sleep, time passes.
fn next_turn(world: &World, slots: &[Slot]) -> usize {
    loop {
        let now = world.clock.now();
        // A chance among those seen so far, which comes to an equal one for all.
        let (mut chosen, mut awake, mut first) = (None, 0, None);
        for (number, slot) in slots.iter().enumerate() {
            if slot.task.is_none() {
                continue;
            }
            if slot.wakes <= now {
                awake += 1;
                if world.chance.one_in(awake) {
                    chosen = Some(number);
                }
            } else if first.is_none_or(|first| slot.wakes < first) {
                first = Some(slot.wakes);
            }
        }
        match (chosen, first) {
            (Some(chosen), _) => return chosen,
            (None, Some(first)) => world.clock.advance(first.duration_since(now).unwrap()),
            (None, None) => unreachable!("somebody lives"),
        }
    }
}

/// Quiet, and enough collections: all that was acknowledged is there, and nothing else.
fn aftermath(world: &World, ledger: &Ledger) -> Option<String> {
    world.calm_down();
    let process = world.process();
    if let Some(violation) = ledger.violation(world, &process) {
        return Some(violation);
    }
    for _ in 0..4 {
        world.clock.advance(3 * world.grace + WeakStore::IDLE);
        let mark = Manifests(Arc::clone(&process.names));
        let collected = alone(collect(
            &*process.store,
            &*process.names,
            &mark,
            &world.collection(),
        ));
        if let Err(error) = collected {
            return Some(format!("a quiet collection failed: {error}"));
        }
    }
    world.clock.advance(Duration::from_secs(1));
    let left = world.leftovers();
    if !left.is_empty() {
        return Some(format!("left for ever: {left:?}"));
    }
    ledger.violation(world, &process)
}

impl Slot {
    /// Starts the task, as another process; what ran before is dropped where it stands.
    fn start(&mut self, world: &Arc<World>, ledger: &Ledger) {
        let process = world.process();
        let nap = Nap::default();
        self.nap = nap.clone();
        self.wakes = world.clock.now();
        self.task = Some(match &self.memory {
            Some(memory) => {
                let client = Client {
                    world: Arc::clone(world),
                    ledger: ledger.clone(),
                    process,
                    nap,
                    memory: memory.clone(),
                };
                Box::pin(client.run())
            }
            None => Box::pin(collector(Arc::clone(world), process, nap)),
        });
    }

    fn turn(&mut self, world: &World) {
        if self.task.as_mut().is_some_and(poll) {
            self.task = None;
        }
        let nap = self.nap.taken();
        if !nap.is_zero() {
            self.wakes = world.clock.now() + nap;
        }
    }
}
