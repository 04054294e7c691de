//! The names of all cases, once, and what is made of them.

use super::failure::Failure;
use super::fixture::{NamesFixture, StoreFixture, TransportFixture};

/// Calls a macro with the names of all cases for a store behind its arguments.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_cases {
    ([$($callback:tt)*] $($arguments:tt)*) => {
        $($callback)* ! {
            $($arguments)*
            store: absent_blob, small_blob, empty_blob, many_chunks, every_algorithm, byte_ranges,
                open_tells_the_size, list_is_complete, list_while_writing, open_while_deleted,
                invisible_until_commit, commit_of_anything, commit_by_another_algorithm, wrong_digest,
                wrong_digest_of_the_plan, wrong_size, short_of_the_plan, longer_than_the_plan, as_planned,
                body_that_lies, wrong_bytes_for_a_published_blob, there_already, commit_of_published,
                spent_ingest, abort, resume_of_nothing, held_key_is_busy, apart, dropped_key_goes_on,
                empty_key_goes_on, dropped_without_a_key, takeover_by_force, takeover_of_the_idle, broken_body,
                restart, plan_outlives_a_restart, another_plan_goes_on, two_instances, delete_as_seen,
                delete_as_listed, delete_after_a_touch, delete_after_a_push, delete_of_an_earlier_life,
                nothing_repeats, lives_outlive_a_restart, touching, looking_changes_nothing, idle_expires,
                idle_expires_after_a_restart, newer_stays, held_stays, published_stays, two_commits,
                many_writers, many_writers_of_a_key, writers_and_deleters;
            drops: dropped_ingest, dropped_ingest_of_published, dropped_append, dropped_append_resumes,
                dropped_append_without_a_key, dropped_resume, dropped_abort, dropped_expire, dropped_commit,
                dropped_commit_by_another_algorithm, dropped_commit_resumes, dropped_mismatch, dropped_touch,
                dropped_delete, dropped_read;
        }
    };
}

/// Calls a macro with the names of all cases for names behind its arguments.
#[doc(hidden)]
#[macro_export]
macro_rules! __names_cases {
    ([$($callback:tt)*] $($arguments:tt)*) => {
        $($callback)* ! {
            $($arguments)*
            names: absent_record, put_and_get, put_on_a_condition, put_conflicts, remove_on_a_condition,
                remove_conflicts, versions_never_repeat, earlier_version_is_stale, record_limit,
                records_outlive_a_restart, lookalike_keys, nested_keys, escaped_segments, longest_keys,
                list_order, list_of_nothing, list_pages, list_after, list_of_changes, list_while_changing,
                one_put_wins, one_change_wins, increments, readers_see_states;
            drops: dropped_put, dropped_remove, dropped_look;
        }
    };
}

/// Calls a macro with the names of all cases for a source and a sink behind its arguments.
#[doc(hidden)]
#[macro_export]
macro_rules! __transport_cases {
    ([$($callback:tt)*] $($arguments:tt)*) => {
        $($callback)* ! {
            $($arguments)*
            transport: image_comes_back, index_comes_back, odd_bytes_stay, docker_types_stay, other_documents_stay,
                every_algorithm_of_digest, document_by_a_wrong_descriptor, damaged_document,
                unknown_algorithm, document_put_twice, has_of_a_document, absent_document, only_of_several,
                nth_of_several, root_without_a_name, child_by_its_digest, many_names, blob_is_put,
                blob_is_empty, blob_ranges, blob_is_absent, blob_is_not_as_promised,
                blob_of_another_size_is_there, has_changes_nothing, blob_is_mounted, broken_supply,
                another_instance_goes_on, wrong_beginning, ingest_of_anything, ingest_of_nothing,
                ingest_of_a_digest, ingest_of_what_the_neighbour_has, name_moves, name_is_kept,
                names_are_kept_together, same_name_is_no_conflict, names_are_in_order, hundreds_of_names,
                annotation_is_no_name, referrers_are_listed, referrers_of_a_type, referrers_are_described,
                others_have_no_referrers, referrers_in_a_chain, hundreds_of_referrers, name_is_removed,
                document_is_removed, removed_comes_again, referrer_is_removed, absent_is_removed,
                removed_twice, source_says_what_it_lacks, sink_keeps_to_its_traits, one_blob_at_once,
                images_side_by_side, one_name_at_once, put_while_removing;
            drops: dropped_put_blob, dropped_put_document, dropped_move_of_a_name, dropped_put_of_a_referrer,
                dropped_remove_of_a_name, dropped_remove_of_a_document, dropped_commit_of_a_sink;
        }
    };
}

/// A `#[test]` of every case.
#[doc(hidden)]
#[macro_export]
macro_rules! __suite_tests {
    ({ $fixture:expr } { $block_on:expr } $($module:ident : $($case:ident),* ;)*) => {
        $($(
            #[test]
            fn $case() {
                let fixture = $fixture;
                let outcome: $crate::suite::Outcome =
                    ($block_on)($crate::suite::$module::$case(&fixture));
                if let Err(failure) = outcome {
                    panic!("{failure}");
                }
            }
        )*)*
    };
}

/// Makes a `#[test]` of every case for a [`Store`](crate::Store), in the module where it is called.
///
/// The first argument makes a [`StoreFixture`]; each test makes one of its own. The second runs a future to its end:
/// [`suite::block_on`](crate::suite::block_on) where there is none. An example is at [`suite`](crate::suite).
#[macro_export]
macro_rules! store_suite {
    ($fixture:expr $(,)?) => {
        $crate::store_suite!($fixture, $crate::suite::block_on);
    };
    ($fixture:expr, $block_on:expr $(,)?) => {
        $crate::__store_cases! { [$crate::__suite_tests] { $fixture } { $block_on } }
    };
}

/// Makes a `#[test]` of every case for [`Names`](crate::Names), in the module where it is called.
///
/// The first argument makes a [`NamesFixture`]; each test makes one of its own. The second runs a future to its end:
/// [`suite::block_on`](crate::suite::block_on) where there is none. An example is at [`suite`](crate::suite).
#[macro_export]
macro_rules! names_suite {
    ($fixture:expr $(,)?) => {
        $crate::names_suite!($fixture, $crate::suite::block_on);
    };
    ($fixture:expr, $block_on:expr $(,)?) => {
        $crate::__names_cases! { [$crate::__suite_tests] { $fixture } { $block_on } }
    };
}

/// Makes a `#[test]` of every case for a [`Source`](crate::Source) and a [`Sink`](crate::Sink) over the same place, in
/// the module where it is called.
///
/// The first argument makes a [`TransportFixture`]; each test makes one of its own. The second runs a future to its end:
/// [`suite::block_on`](crate::suite::block_on) where there is none.
#[macro_export]
macro_rules! transport_suite {
    ($fixture:expr $(,)?) => {
        $crate::transport_suite!($fixture, $crate::suite::block_on);
    };
    ($fixture:expr, $block_on:expr $(,)?) => {
        $crate::__transport_cases! { [$crate::__suite_tests] { $fixture } { $block_on } }
    };
}

macro_rules! all_failures {
    ({ $make:ident } $($module:ident : $($case:ident),* ;)*) => {{
        let mut failures = Vec::new();
        $($(
            if let Err(failure) = super::$module::$case(&$make()).await {
                failures.push((stringify!($case), failure));
            }
        )*)*
        failures
    }};
}

/// Runs every case for a store on a fixture of its own, and gives those that fail, by name.
///
/// For who wants no `#[test]`s, or a store that must fail.
pub async fn store_failures<F: StoreFixture>(
    make: impl Fn() -> F + Send + Sync,
) -> Vec<(&'static str, Failure)> {
    crate::__store_cases! { [all_failures] { make } }
}

/// Runs every case for names on a fixture of its own, and gives those that fail, by name.
///
/// For who wants no `#[test]`s, or names that must fail.
pub async fn names_failures<F: NamesFixture>(
    make: impl Fn() -> F + Send + Sync,
) -> Vec<(&'static str, Failure)> {
    crate::__names_cases! { [all_failures] { make } }
}

/// Runs every case for a source and a sink on a fixture of its own, and gives those that fail, by name.
///
/// For who wants no `#[test]`s, or a source or sink that must fail.
pub async fn transport_failures<F: TransportFixture>(
    make: impl Fn() -> F + Send + Sync,
) -> Vec<(&'static str, Failure)> {
    crate::__transport_cases! { [all_failures] { make } }
}
