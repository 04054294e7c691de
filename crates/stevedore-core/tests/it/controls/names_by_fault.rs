//! What is wrong with each of the faulty names, and which cases find it.

use std::sync::Arc;

use async_trait::async_trait;
use stevedore_core::suite::{NamesFixture, Outcome, block_on};
use stevedore_core::{Names, Result};

use super::names::FaultyNames;

/// One promise that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// None: what the controls rest upon.
    None,
    AbsentRemoveConflicts,
    AfterIsIncluded,
    AfterMustExist,
    CheckThenAct,
    EmptyIsAbsent,
    GetTakesOut,
    InstancesApart,
    KeysIgnoreCase,
    ListsItself,
    ListsRemoved,
    NoLimit,
    OrdersBySegments,
    PutEmptiesFirst,
    PutIgnoresCondition,
    RemoveEmptiesFirst,
    RemoveIgnoresCondition,
    RemoveLeavesEmpty,
    RemovesBelow,
    ShortKeys,
    TornReads,
    Unescapes,
    VersionsByContent,
    VersionsByCount,
    VersionsRefused,
}

const CONTROLS: &[(Fault, &[&str])] = &[
    (Fault::AbsentRemoveConflicts, &["absent_record"]),
    (
        Fault::AfterIsIncluded,
        &["list_pages", "list_after", "list_while_changing", "list_order"],
    ),
    (Fault::AfterMustExist, &["list_after", "list_while_changing"]),
    (
        Fault::CheckThenAct,
        &["one_put_wins", "one_change_wins", "increments"],
    ),
    (Fault::EmptyIsAbsent, &["put_and_get"]),
    (Fault::GetTakesOut, &["dropped_look"]),
    (
        Fault::InstancesApart,
        &["records_outlive_a_restart", "one_put_wins"],
    ),
    (
        Fault::KeysIgnoreCase,
        &["lookalike_keys", "list_order", "list_pages"],
    ),
    (Fault::ListsItself, &["list_order", "list_of_nothing"]),
    (Fault::ListsRemoved, &["list_of_changes"]),
    (Fault::NoLimit, &["record_limit"]),
    (Fault::OrdersBySegments, &["list_order"]),
    (Fault::PutEmptiesFirst, &["dropped_put"]),
    (
        Fault::PutIgnoresCondition,
        &[
            "put_conflicts",
            "one_put_wins",
            "increments",
            "earlier_version_is_stale",
        ],
    ),
    (Fault::RemoveEmptiesFirst, &["dropped_remove"]),
    (
        Fault::RemoveIgnoresCondition,
        &["remove_conflicts", "one_change_wins", "earlier_version_is_stale"],
    ),
    (Fault::RemoveLeavesEmpty, &["remove_on_a_condition"]),
    (Fault::RemovesBelow, &["nested_keys"]),
    (Fault::ShortKeys, &["longest_keys"]),
    (Fault::TornReads, &["readers_see_states"]),
    (Fault::Unescapes, &["escaped_segments", "lookalike_keys"]),
    (
        Fault::VersionsByContent,
        &["versions_never_repeat", "earlier_version_is_stale"],
    ),
    (
        Fault::VersionsByCount,
        &["versions_never_repeat", "earlier_version_is_stale"],
    ),
    (Fault::VersionsRefused, &["put_on_a_condition"]),
];

struct Fixture(FaultyNames);

impl Fixture {
    fn new(fault: Fault) -> Self {
        Self(FaultyNames::new(fault))
    }
}

#[async_trait]
impl NamesFixture for Fixture {
    async fn open(&self) -> Result<Arc<dyn Names>> {
        if self.0.fault == Fault::InstancesApart {
            return Ok(Arc::new(FaultyNames::new(Fault::None)));
        }
        Ok(Arc::new(self.0.clone()))
    }
}

stevedore_core::__names_cases! { [controlled] }

#[test]
fn failures_are_listed_by_name() {
    let failures = block_on(stevedore_core::suite::names_failures(|| {
        Fixture::new(Fault::NoLimit)
    }));
    let names: Vec<_> = failures.iter().map(|(case, _)| *case).collect();
    assert_eq!(names, ["record_limit"]);
    assert!(
        failures[0].1.to_string().contains("TooLarge"),
        "{}",
        failures[0].1
    );
}
