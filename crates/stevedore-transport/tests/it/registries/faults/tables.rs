//! Which faults a copy meets, in each direction, and how it ends then.

use std::time::Duration;

use http::{Method, StatusCode};
use stevedore_core::ErrorKind;
use stevedore_fault_server::profile::{Auth, Chunks};
use stevedore_fault_server::{Fault, FaultServer, Profile};

use super::case::{Case, Requests, connection_reset};

const MANIFESTS: &str = "/v2/*/manifests/*";

/// What a case is called whose answer leads to the other registry.
pub(super) const ON_ANOTHER_HOST: &str = "on another host";

/// The faults of a pull.
pub(super) fn pulls(profile: &Profile, elsewhere: &FaultServer) -> Vec<Case> {
    use ErrorKind::{Invalid, Mismatch};
    let bytes = Requests::new("the bytes of a blob", Method::GET, blobs(profile));
    let blob = Requests::new("a blob", Method::GET, "/v2/*/blobs/*");
    let manifest = Requests::new("a manifest", Method::GET, MANIFESTS);
    let (first, second) = (first(profile), first(profile) + 1);
    let mut cases = vec![
        bytes.meet("cut", Fault::cut_body_after(100)),
        bytes.meet("reset", Fault::reset_body_after(100)),
        bytes.meet("stalled", Fault::stall_body_after(100)),
        bytes.meet("in drops", Fault::drip_body(2_000_000)).times(3),
        bytes.meet("a head in drops", Fault::drip_head(Duration::from_micros(200))),
        bytes
            .meet("a length too long", Fault::longer_length(10))
            .refused(Mismatch),
        bytes
            .meet("a length too short", Fault::shorter_length(1))
            .refused(Mismatch),
        bytes.meet("without a length", Fault::no_length()),
        bytes.meet("in chunks", Fault::chunked()),
        bytes.meet("others", Fault::flip_byte(50)).refused(Mismatch),
        bytes.meet("said to be others", Fault::wrong_digest_header()),
        bytes.meet("garbage before them", Fault::garbage()),
        blob.meet("503 for long", Fault::status(StatusCode::SERVICE_UNAVAILABLE))
            .times(3),
        blob.meet("over many redirects", Fault::redirect_chain(5)),
        blob.meet("redirects for ever", Fault::redirect_loop())
            .refused(Invalid),
        blob.meet(ON_ANOTHER_HOST, Fault::redirect_to_base(elsewhere.url())),
        blob.expire_the_token(profile),
        manifest.meet("cut", Fault::cut_body_after(20)),
        manifest.meet("stalled", Fault::stall_body_after(20)),
        manifest
            .meet("another", Fault::flip_byte(30))
            .nth(second)
            .refused(Mismatch),
        manifest
            .meet("a length too short", Fault::shorter_length(1))
            .nth(second)
            .refused(Mismatch),
        manifest
            .meet("said to be another", Fault::wrong_digest_header())
            .nth(first)
            .refused(Mismatch),
        manifest.meet(ON_ANOTHER_HOST, Fault::redirect_to_base(elsewhere.url())),
        manifest.expire_the_token(profile).nth(second),
        connection_reset(),
    ];
    cases.extend([bytes, manifest].iter().flat_map(Requests::go_wrong));
    cases
}

/// The faults of a push.
pub(super) fn pushes(profile: &Profile) -> Vec<Case> {
    use ErrorKind::Invalid;
    let begin = Requests::new("the beginning", Method::POST, "/v2/*/blobs/uploads/");
    let put = Requests::new("a blob", Method::PUT, uploads(profile));
    let manifest = Requests::new("a manifest", Method::PUT, MANIFESTS);
    let mut cases = vec![
        begin.expire_the_token(profile).nth(2),
        put.meet("cut", Fault::cut_request_after(50)).times(2),
        put.lose_the_answer(),
        put.meet("the answer reset", Fault::reset().after_effect()),
        put.meet(
            "the answer in drops",
            Fault::drip_head(Duration::from_micros(200)),
        ),
        put.meet("said to be another", Fault::wrong_digest_header())
            .refused(Invalid),
        put.meet(
            "stored, and 500",
            Fault::status(StatusCode::INTERNAL_SERVER_ERROR).after_effect(),
        ),
        put.meet("over many redirects", Fault::redirect_chain(5)),
        put.expire_the_token(profile),
        manifest.meet("cut", Fault::cut_request_after(20)),
        manifest.lose_the_answer(),
        manifest
            .meet("said to be another", Fault::wrong_digest_header())
            .refused(Invalid),
        manifest.expire_the_token(profile).nth(2),
        connection_reset(),
    ];
    cases.extend([begin, put, manifest].iter().flat_map(Requests::go_wrong));
    cases
}

/// The faults of a push in chunks.
pub(super) fn chunks(profile: &Profile) -> Vec<Case> {
    if profile.push.chunks != Chunks::Kept {
        return Vec::new();
    }
    let patch = Requests::new("a chunk", Method::PATCH, uploads(profile));
    let mut cases = vec![
        patch.meet("cut", Fault::cut_request_after(50)),
        patch.lose_the_answer(),
        patch.meet("416", Fault::range_conflict()),
        patch.meet("taken in part", Fault::short_accept(20)),
        patch.expire_the_token(profile),
    ];
    cases.extend(patch.go_wrong());
    cases
}

/// Where a registry gives the bytes of a blob.
fn blobs(profile: &Profile) -> &'static str {
    match profile.pull.redirect {
        Some(_) => "/storage/**",
        None => "/v2/*/blobs/*",
    }
}

/// Where a registry takes the bytes of a blob.
fn uploads(profile: &Profile) -> String {
    match profile.push.session_path {
        Some(path) => format!("{path}*"),
        None => "/v2/*/blobs/uploads/*".to_owned(),
    }
}

/// Which request of one kind is the first to be let in.
fn first(profile: &Profile) -> usize {
    match profile.auth {
        Auth::None => 1,
        _ => 2,
    }
}
