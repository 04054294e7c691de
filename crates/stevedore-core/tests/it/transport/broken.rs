//! Controls: a repository that is broken in one way fails the suite, and in the cases that are about it.

mod repository;

use repository::{BrokenFixture, Fault};
use stevedore_core::suite::{self, block_on, transport_failures};

/// Fails unless each of these cases fails over a repository with a fault.
macro_rules! found {
    ($fault:expr => $($module:ident::$case:ident),+ $(,)?) => {$(
        let fixture = BrokenFixture::new($fault);
        let outcome = block_on(suite::$module::$case(&fixture));
        assert!(outcome.is_err(), "{} does not find {:?}", stringify!($case), $fault);
    )+};
}

#[test]
fn unverified_documents_are_found() {
    found!(Fault::UnverifiedDocuments => transport::document_by_a_wrong_descriptor, transport::damaged_document);
}

#[test]
fn unverified_blobs_are_found() {
    found!(Fault::UnverifiedBlobs => transport::blob_is_not_as_promised, transport::blob_of_another_size_is_there);
}

#[test]
fn clobbered_names_are_found() {
    found!(Fault::Clobbers => transport::name_is_kept, transport::one_name_at_once);
    found!(Fault::ClobbersSome => transport::names_are_kept_together);
}

#[test]
fn forgotten_referrers_are_found() {
    found!(Fault::ForgetsReferrers => transport::referrers_are_listed, drops::dropped_put_of_a_referrer);
    found!(Fault::ListsAllReferrers => transport::referrers_of_a_type, transport::referrers_are_described);
    found!(Fault::ForgetsAnnotations => transport::referrers_are_described);
}

#[test]
fn broken_listings_of_names_are_found() {
    found!(Fault::ListsInDisorder => transport::names_are_in_order, transport::hundreds_of_names);
    found!(Fault::TakesAnnotationsForNames => transport::annotation_is_no_name);
}

#[test]
fn broken_puts_of_blobs_are_found() {
    found!(Fault::NeverResumes => transport::broken_supply, transport::another_instance_goes_on);
    found!(Fault::OpensTheSupply => transport::blob_is_put, transport::blob_is_mounted);
    found!(Fault::HasEverything => transport::blob_is_put, transport::has_changes_nothing, transport::has_of_a_document);
    found!(Fault::MountsFromAnywhere => transport::blob_is_mounted);
}

#[test]
fn changed_documents_are_found() {
    found!(Fault::ForgetsTypes => transport::docker_types_stay, transport::other_documents_stay);
    found!(Fault::Reserialises => transport::odd_bytes_stay);
}

#[test]
fn broken_ranges_are_found() {
    found!(Fault::IgnoresRanges => transport::blob_ranges);
    found!(Fault::ClampsRanges => transport::blob_ranges, transport::blob_is_empty);
}

#[test]
fn broken_removals_are_found() {
    found!(Fault::RemovesAnything => transport::absent_is_removed, transport::removed_twice);
    found!(Fault::LeavesNames => transport::document_is_removed, drops::dropped_remove_of_a_document);
    found!(Fault::RemovesTooMuch => transport::name_is_removed);
}

#[test]
fn broken_selections_are_found() {
    found!(Fault::TakesTheFirst => transport::only_of_several);
    found!(Fault::BlursKinds => transport::absent_document, transport::blob_is_absent, transport::name_is_removed);
    found!(Fault::ResolvesToTheFirstImage => transport::index_comes_back);
}

#[test]
fn early_names_are_found() {
    found!(Fault::NamesFirst => drops::dropped_put_document, drops::dropped_move_of_a_name);
}

#[test]
fn failures_are_given_by_name() {
    let failures = block_on(transport_failures(|| BrokenFixture::new(Fault::TakesTheFirst)));
    let failed: Vec<_> = failures.iter().map(|(case, _)| *case).collect();
    assert_eq!(failed, ["only_of_several"]);
}
