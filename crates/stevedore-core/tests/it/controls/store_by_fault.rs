//! What is wrong with each faulty store, and which cases find it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use stevedore_core::memory::MemoryStore;
use stevedore_core::suite::{Outcome, StoreFixture, block_on};
use stevedore_core::{Result, Store};

use super::store::FaultyStore;
use crate::memory::StoreInMemory;

/// One promise that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// None: what the controls rest upon.
    None,
    AbortSuspends,
    AllOrNothingAppend,
    AppendKeepsOneChunk,
    AppendLosesOnDrop,
    ClampsRanges,
    ClaimsWholeSize,
    CommitAbortsFirst,
    CommitDoesNotTouch,
    CommitOfOneAlgorithm,
    DeletesAnything,
    DeleteIsRebirth,
    DeleteLies,
    DropDiscards,
    EmptyDropDiscards,
    ExpiresAll,
    ExpiresHeld,
    ExpiresNothing,
    ExpiresPublished,
    FirstPlanStays,
    ForceIsIdle,
    ForceNeedsHolder,
    ForgetsPlan,
    HalfVisible,
    HashRestarts,
    HoldLeaks,
    IgnoresSize,
    IngestRepublishes,
    InstancesApart,
    KeepsUnkeyed,
    KeysIgnoreCase,
    ListForgets,
    ListIsLive,
    ListsOtherVersions,
    LosesLastByte,
    LoserAborts,
    NeverSpent,
    NewLifeOnCommit,
    OffsetAhead,
    OneLife,
    OpenEndsEarly,
    OpenMoves,
    PlanIsAhead,
    RefusesEmpty,
    ResumeBegins,
    ResumeForgetsPlan,
    Sha256Only,
    StatOfSha256Only,
    StatTouches,
    Steals,
    ThereWithoutTouch,
    TouchErrsOnAbsent,
    TouchForgetsTime,
    TouchRepublishes,
    TrustsClaims,
    TrustsPublished,
    Unchecked,
    VisibleWhileStaged,
}

const CONTROLS: &[(Fault, &[&str])] = &[
    (Fault::AbortSuspends, &["abort", "dropped_abort"]),
    (Fault::AllOrNothingAppend, &["broken_body"]),
    (Fault::AppendKeepsOneChunk, &["many_chunks"]),
    (Fault::AppendLosesOnDrop, &["dropped_append"]),
    (Fault::ClampsRanges, &["byte_ranges"]),
    (Fault::ClaimsWholeSize, &["open_tells_the_size"]),
    (
        Fault::CommitAbortsFirst,
        &["dropped_commit", "dropped_commit_resumes"],
    ),
    (Fault::CommitDoesNotTouch, &["commit_of_published"]),
    (
        Fault::CommitOfOneAlgorithm,
        &[
            "commit_by_another_algorithm",
            "dropped_commit_by_another_algorithm",
            "restart",
        ],
    ),
    (
        Fault::DeletesAnything,
        &[
            "delete_after_a_touch",
            "delete_after_a_push",
            "delete_of_an_earlier_life",
        ],
    ),
    (Fault::DeleteIsRebirth, &["dropped_delete"]),
    (Fault::DeleteLies, &["delete_as_seen", "writers_and_deleters"]),
    (
        Fault::DropDiscards,
        &["dropped_key_goes_on", "takeover_of_the_idle"],
    ),
    (Fault::EmptyDropDiscards, &["empty_key_goes_on"]),
    (Fault::ExpiresAll, &["newer_stays"]),
    (Fault::ExpiresHeld, &["held_stays", "dropped_expire"]),
    (
        Fault::ExpiresNothing,
        &["idle_expires", "idle_expires_after_a_restart"],
    ),
    (Fault::ExpiresPublished, &["published_stays"]),
    (Fault::FirstPlanStays, &["another_plan_goes_on"]),
    (Fault::ForceIsIdle, &["takeover_by_force", "two_instances"]),
    (Fault::ForceNeedsHolder, &["takeover_of_the_idle"]),
    (
        Fault::ForgetsPlan,
        &[
            "wrong_digest_of_the_plan",
            "short_of_the_plan",
            "longer_than_the_plan",
        ],
    ),
    (
        Fault::HalfVisible,
        &["dropped_commit", "dropped_commit_by_another_algorithm"],
    ),
    (Fault::HashRestarts, &["restart"]),
    (Fault::HoldLeaks, &["dropped_ingest", "dropped_resume"]),
    (Fault::IgnoresSize, &["wrong_size"]),
    (
        Fault::IngestRepublishes,
        &["dropped_ingest_of_published", "there_already"],
    ),
    (
        Fault::InstancesApart,
        &["two_instances", "restart", "lives_outlive_a_restart"],
    ),
    (
        Fault::KeepsUnkeyed,
        &["dropped_without_a_key", "dropped_append_without_a_key"],
    ),
    (Fault::KeysIgnoreCase, &["apart"]),
    (Fault::ListForgets, &["list_is_complete"]),
    (Fault::ListIsLive, &["list_while_writing"]),
    (Fault::ListsOtherVersions, &["delete_as_listed"]),
    (Fault::LosesLastByte, &["small_blob", "byte_ranges"]),
    (Fault::LoserAborts, &["takeover_by_force"]),
    (Fault::NeverSpent, &["spent_ingest"]),
    (
        Fault::NewLifeOnCommit,
        &["two_commits", "many_writers", "commit_of_published"],
    ),
    (
        Fault::OffsetAhead,
        &["dropped_append_resumes", "dropped_key_goes_on"],
    ),
    (Fault::OneLife, &["nothing_repeats", "delete_of_an_earlier_life"]),
    (Fault::OpenEndsEarly, &["open_while_deleted"]),
    (Fault::OpenMoves, &["dropped_read"]),
    (Fault::PlanIsAhead, &["as_planned"]),
    (Fault::RefusesEmpty, &["empty_blob"]),
    (Fault::ResumeBegins, &["resume_of_nothing"]),
    (Fault::ResumeForgetsPlan, &["plan_outlives_a_restart"]),
    (Fault::Sha256Only, &["commit_of_anything"]),
    (Fault::StatOfSha256Only, &["every_algorithm"]),
    (Fault::StatTouches, &["looking_changes_nothing"]),
    (Fault::Steals, &["held_key_is_busy", "many_writers_of_a_key"]),
    (Fault::ThereWithoutTouch, &["there_already"]),
    (Fault::TouchErrsOnAbsent, &["absent_blob"]),
    (Fault::TouchForgetsTime, &["touching"]),
    (Fault::TouchRepublishes, &["dropped_touch"]),
    (Fault::TrustsClaims, &["body_that_lies"]),
    (Fault::TrustsPublished, &["wrong_bytes_for_a_published_blob"]),
    (Fault::Unchecked, &["wrong_digest", "dropped_mismatch"]),
    (Fault::VisibleWhileStaged, &["invisible_until_commit"]),
];

struct Fixture {
    memory: StoreInMemory,
    store: FaultyStore,
}

impl Fixture {
    fn new(fault: Fault) -> Self {
        let memory = StoreInMemory::new();
        let store = FaultyStore::new(memory.store.clone(), fault);
        Self { memory, store }
    }
}

#[async_trait]
impl StoreFixture for Fixture {
    async fn open(&self) -> Result<Arc<dyn Store>> {
        if self.store.fault == Fault::InstancesApart {
            let apart = MemoryStore::new().with_clock(self.memory.clock.clone());
            return Ok(Arc::new(apart.with_grace(self.grace())));
        }
        Ok(Arc::new(self.store.clone()))
    }

    fn now(&self) -> SystemTime {
        self.memory.now()
    }

    async fn advance(&self, by: Duration) {
        self.memory.advance(by).await;
    }

    fn grace(&self) -> Duration {
        self.memory.grace()
    }
}

stevedore_core::__store_cases! { [controlled] }

#[test]
fn failures_are_listed_by_name() {
    let failures = block_on(stevedore_core::suite::store_failures(|| {
        Fixture::new(Fault::ClampsRanges)
    }));
    let names: Vec<_> = failures.iter().map(|(case, _)| *case).collect();
    assert_eq!(names, ["byte_ranges"]);
    let text = failures[0].1.to_string();
    assert!(
        text.contains("OutOfRange") && text.contains("reading.rs"),
        "{text}"
    );
}
