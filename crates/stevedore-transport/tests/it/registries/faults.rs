//! Every fault on every profile, in both directions: a copy goes on and is whole, or is refused and leaves no name.

use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt as _, StreamExt as _, stream};
use http::{Method, StatusCode};
use stevedore_core::Platform;
use stevedore_fault_server::profile::{Auth, Chunks};
use stevedore_fault_server::{Fault, RetryAfter};

use super::*;

/// What becomes of a copy that meets a fault.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// It is whole.
    Whole,
    /// It fails in this way, and nothing has the name.
    Refused(ErrorKind),
}

/// A fault, what it is called, and how a copy ends that meets it.
type Case = (&'static str, Fault, End);

/// How many cases of a profile run at once.
const CASES_AT_ONCE: usize = 8;

const MANIFESTS: &str = "/v2/*/manifests/*";

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

/// How a token ends that is called expired although it is new.
fn expiry(profile: &Profile) -> End {
    match profile.auth {
        // It is no token: nobody could give another one.
        Auth::BasicToken(_) => End::Refused(ErrorKind::Unauthorized),
        _ => End::Whole,
    }
}

/// An image with a blob that is sent in a request of its own, and referrers.
fn sample() -> Sample {
    let layers = [noise(200_000), noise(70_000)];
    let image = Sample::image_of(layers, &Platform::new("linux", "amd64"))
        .with_referrer("application/vnd.example.signature", "of the image");
    Sample::index(vec![image]).with_referrer("application/vnd.example.note", "of the index")
}

/// Bytes in which a shift would not hide.
fn noise(length: usize) -> bytes::Bytes {
    let mut state = 0x2545_F491_4F6C_DD1D_u64 ^ length as u64;
    let bytes = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    bytes.flatten().take(length).collect::<Vec<u8>>().into()
}

/// The faults of a pull.
fn pulls(profile: &Profile, elsewhere: &FaultServer) -> Vec<Case> {
    use End::{Refused, Whole};
    let blob = |fault: Fault| fault.on(Method::GET, blobs(profile));
    let manifest = |fault: Fault| fault.on(Method::GET, MANIFESTS);
    let asked = |fault: Fault| fault.on(Method::GET, "/v2/*/blobs/*");
    let (first, second) = (first(profile), first(profile) + 1);
    vec![
        ("a blob's body cut", blob(Fault::cut_body_after(100)), Whole),
        ("a blob's body reset", blob(Fault::reset_body_after(100)), Whole),
        ("a blob's body stalled", blob(Fault::stall_body_after(100)), Whole),
        (
            "a blob's body in drops",
            blob(Fault::drip_body(2_000_000)).times(3),
            Whole,
        ),
        (
            "a blob's head in drops",
            blob(Fault::drip_head(Duration::from_micros(200))),
            Whole,
        ),
        (
            "a blob's length too long",
            blob(Fault::longer_length(10)),
            Refused(ErrorKind::Mismatch),
        ),
        (
            "a blob's length too short",
            blob(Fault::shorter_length(1)),
            Refused(ErrorKind::Mismatch),
        ),
        ("a blob without a length", blob(Fault::no_length()), Whole),
        ("a blob in chunks", blob(Fault::chunked()), Whole),
        (
            "a blob with another digest",
            blob(Fault::flip_byte(50)),
            Refused(ErrorKind::Mismatch),
        ),
        (
            "a blob said to be another",
            blob(Fault::wrong_digest_header()),
            Whole,
        ),
        ("a blob never answered for", blob(Fault::hang()), Whole),
        ("a blob answered by garbage", blob(Fault::garbage()), Whole),
        (
            "a blob 429",
            blob(Fault::too_many_requests(RetryAfter::Seconds(0))),
            Whole,
        ),
        (
            "a blob 500",
            blob(Fault::status(StatusCode::INTERNAL_SERVER_ERROR)).times(2),
            Whole,
        ),
        (
            "a blob 503 for long",
            asked(Fault::status(StatusCode::SERVICE_UNAVAILABLE)).times(3),
            Whole,
        ),
        (
            "a blob over many redirects",
            asked(Fault::redirect_chain(5)),
            Whole,
        ),
        (
            "a blob over redirects for ever",
            asked(Fault::redirect_loop()),
            Refused(ErrorKind::Invalid),
        ),
        (
            "a blob on another host",
            asked(Fault::redirect_to_base(elsewhere.url())),
            Whole,
        ),
        (
            "a token expired before a blob",
            asked(Fault::expire_token()),
            expiry(profile),
        ),
        (
            "a manifest's body cut",
            manifest(Fault::cut_body_after(20)),
            Whole,
        ),
        (
            "a manifest's body stalled",
            manifest(Fault::stall_body_after(20)),
            Whole,
        ),
        (
            "a manifest with another digest",
            manifest(Fault::flip_byte(30)).nth(second),
            Refused(ErrorKind::Mismatch),
        ),
        (
            "a manifest's length too short",
            manifest(Fault::shorter_length(1)).nth(second),
            Refused(ErrorKind::Mismatch),
        ),
        (
            "a tag said to be another manifest",
            manifest(Fault::wrong_digest_header()).nth(first),
            Refused(ErrorKind::Mismatch),
        ),
        (
            "a manifest 429",
            manifest(Fault::too_many_requests(RetryAfter::Seconds(0))),
            Whole,
        ),
        (
            "a manifest 500",
            manifest(Fault::status(StatusCode::INTERNAL_SERVER_ERROR)),
            Whole,
        ),
        (
            "a manifest on another host",
            manifest(Fault::redirect_to_base(elsewhere.url())),
            Whole,
        ),
        (
            "a token expired between manifests",
            manifest(Fault::expire_token()).nth(second),
            expiry(profile),
        ),
        ("a connection reset", Fault::reset_at_accept(), Whole),
    ]
}

/// The faults of a push.
fn pushes(profile: &Profile) -> Vec<Case> {
    use End::{Refused, Whole};
    let uploads = uploads(profile);
    let begin = |fault: Fault| fault.on(Method::POST, "/v2/*/blobs/uploads/");
    let put = |fault: Fault| fault.on(Method::PUT, &uploads);
    let manifest = |fault: Fault| fault.on(Method::PUT, MANIFESTS);
    vec![
        (
            "a blob's body cut",
            put(Fault::cut_request_after(50)).times(2),
            Whole,
        ),
        (
            "the answer to a blob lost",
            put(Fault::close().after_effect()),
            Whole,
        ),
        (
            "the answer to a blob reset",
            put(Fault::reset().after_effect()),
            Whole,
        ),
        ("a blob never answered for", put(Fault::hang()), Whole),
        (
            "a blob's answer in drops",
            put(Fault::drip_head(Duration::from_micros(200))),
            Whole,
        ),
        (
            "a blob said to be another",
            put(Fault::wrong_digest_header()),
            Refused(ErrorKind::Invalid),
        ),
        (
            "a blob 429",
            put(Fault::too_many_requests(RetryAfter::Seconds(0))),
            Whole,
        ),
        (
            "a blob 500",
            put(Fault::status(StatusCode::INTERNAL_SERVER_ERROR)).times(2),
            Whole,
        ),
        (
            "a blob stored, and 500",
            put(Fault::status(StatusCode::INTERNAL_SERVER_ERROR).after_effect()),
            Whole,
        ),
        ("a blob over many redirects", put(Fault::redirect_chain(5)), Whole),
        (
            "a token expired in mid-push",
            put(Fault::expire_token()),
            expiry(profile),
        ),
        (
            "the beginning 429",
            begin(Fault::too_many_requests(RetryAfter::Seconds(0))),
            Whole,
        ),
        (
            "the beginning 500",
            begin(Fault::status(StatusCode::INTERNAL_SERVER_ERROR)).times(2),
            Whole,
        ),
        ("the beginning never answered", begin(Fault::hang()), Whole),
        (
            "a token expired at the beginning",
            begin(Fault::expire_token()).nth(2),
            expiry(profile),
        ),
        (
            "a manifest's body cut",
            manifest(Fault::cut_request_after(20)),
            Whole,
        ),
        (
            "the answer to a manifest lost",
            manifest(Fault::close().after_effect()),
            Whole,
        ),
        ("a manifest never answered for", manifest(Fault::hang()), Whole),
        (
            "a manifest said to be another",
            manifest(Fault::wrong_digest_header()),
            Refused(ErrorKind::Invalid),
        ),
        (
            "a manifest 429",
            manifest(Fault::too_many_requests(RetryAfter::Seconds(0))),
            Whole,
        ),
        (
            "a manifest 500",
            manifest(Fault::status(StatusCode::INTERNAL_SERVER_ERROR)),
            Whole,
        ),
        (
            "a token expired between manifests",
            manifest(Fault::expire_token()).nth(2),
            expiry(profile),
        ),
        ("a connection reset", Fault::reset_at_accept(), Whole),
    ]
}

/// The faults of a push in chunks.
fn chunks(profile: &Profile) -> Vec<Case> {
    use End::Whole;
    if profile.push.chunks != Chunks::Kept {
        return Vec::new();
    }
    let uploads = uploads(profile);
    let patch = |fault: Fault| fault.on(Method::PATCH, &uploads);
    vec![
        ("a chunk cut", patch(Fault::cut_request_after(50)), Whole),
        (
            "the answer to a chunk lost",
            patch(Fault::close().after_effect()),
            Whole,
        ),
        ("a chunk 416", patch(Fault::range_conflict()), Whole),
        ("a chunk taken in part", patch(Fault::short_accept(20)), Whole),
        (
            "a chunk 500",
            patch(Fault::status(StatusCode::INTERNAL_SERVER_ERROR)),
            Whole,
        ),
        (
            "a chunk 429",
            patch(Fault::too_many_requests(RetryAfter::Seconds(0))),
            Whole,
        ),
        ("a chunk never answered for", patch(Fault::hang()), Whole),
        (
            "a token expired between chunks",
            patch(Fault::expire_token()),
            expiry(profile),
        ),
    ]
}

async fn pulls_of(profile: Profile) {
    let sample = sample();
    let elsewhere = start(Profile::spec()).await;
    let mirror = open(&elsewhere);
    sample
        .put(&*mirror, &["latest"])
        .await
        .expect("nothing goes wrong there");
    elsewhere.clear_log();
    let (profile, sample) = (&profile, &sample);
    let cases = pulls(profile, &elsewhere);
    let strange = cases.iter().filter(|(what, ..)| what.contains("another host"));
    let expected = strange.count();
    at_once(profile, cases, |(what, fault, end)| async move {
        let server = start(profile.clone()).await;
        sample
            .put(&*open(&server), &["latest"])
            .await
            .expect("nothing goes wrong yet");
        server.fail(fault);
        let memory = memory();
        let copied = copy(job(open(&server), Arc::clone(&memory) as _)).await;
        ends(copied, end, &*memory, sample, &server, what).await;
    })
    .await;
    let strange = elsewhere.requests();
    assert_eq!(strange.len(), expected, "{}", elsewhere.log().summary());
    let shown = strange.iter().any(|request| request.authorization().is_some());
    assert!(!shown, "credentials are for their own host");
}

async fn pushes_to(profile: Profile) {
    let sample = sample();
    let source = memory();
    sample.put(&*source, &["latest"]).await.expect("memory takes all");
    let (profile, source, sample) = (&profile, &source, &sample);
    for (chunk, cases) in [(None, pushes(profile)), (Some(30_000), chunks(profile))] {
        at_once(profile, cases, |(what, fault, end)| async move {
            let server = start(profile.clone()).await;
            server.fail(fault);
            let copied = copy(job(Arc::clone(source) as _, open_in_chunks(&server, chunk))).await;
            ends(copied, end, &*open(&server), sample, &server, what).await;
        })
        .await;
    }
}

/// Runs cases, a few at once for most of them wait, and tells of all that failed.
async fn at_once<F>(profile: &Profile, mut cases: Vec<Case>, run: impl Fn(Case) -> F + Send + Sync)
where
    F: Future<Output = ()> + Send,
{
    // Without tokens none expires.
    cases.retain(|(what, ..)| !what.contains("token") || !matches!(profile.auth, Auth::None));
    let run = &run;
    let runs = stream::iter(cases).map(|case| async move {
        let what = case.0;
        let outcome = AssertUnwindSafe(run(case)).catch_unwind().await;
        outcome.is_err().then_some(what)
    });
    let failed: Vec<_> = runs
        .buffer_unordered(CASES_AT_ONCE)
        .filter_map(|failed| async move { failed })
        .collect()
        .await;
    assert!(failed.is_empty(), "{}: failed: {failed:?}", profile.name);
}

/// Fails unless a copy ended as it should, having met its fault.
async fn ends(
    copied: Result<Copied>,
    end: End,
    destination: &dyn Source,
    sample: &Sample,
    server: &FaultServer,
    label: &str,
) {
    let pending = server.pending_faults();
    assert_eq!(pending, 0, "{label}: nobody met it\n{}", server.log().summary());
    server.heal();
    match (copied, end) {
        (Ok(_), End::Whole) => has_all(destination, sample, label).await,
        (Err(error), End::Refused(kind)) => {
            assert_eq!(error.kind(), kind, "{label}: {}", chain(&error));
            let named = destination.root(&Selector::Name(latest())).await;
            let named = named.expect_err("nothing has the name");
            assert!(named.is_not_found(), "{label}: {}", chain(&named));
        }
        (Err(error), End::Whole) => panic!("{label}: {}\n{}", chain(&error), server.log().summary()),
        (Ok(_), end) => panic!("{label}: it succeeded, not {end:?}\n{}", server.log().summary()),
    }
}

macro_rules! on_every_profile {
    ($($profile:ident)*) => {
        /// The list below leaves none out.
        #[test]
        fn all_profiles_are_there() {
            let listed = [$(Profile::$profile().name),*];
            let all: Vec<_> = Profile::all().iter().map(|profile| profile.name).collect();
            assert_eq!(listed[..], all[..]);
        }

        mod pulled_whole_or_not_at_all_from {
            $(#[tokio::test]
            async fn $profile() {
                super::pulls_of(super::Profile::$profile()).await;
            })*
        }

        mod pushed_whole_or_not_at_all_to {
            $(#[tokio::test]
            async fn $profile() {
                super::pushes_to(super::Profile::$profile()).await;
            })*
        }
    };
}

on_every_profile! { spec docker_hub ghcr ecr gar acr quay harbor gitlab artifactory }
