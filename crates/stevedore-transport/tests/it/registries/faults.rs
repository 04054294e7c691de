//! Every fault on every profile, in both directions: a copy goes on and is whole, or is refused and leaves no name.

mod case;
mod tables;

use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt as _, StreamExt as _, stream};
use stevedore_core::Platform;
use stevedore_fault_server::profile::Auth;

use super::*;

use case::{A_TOKEN_EXPIRED, Case, End};
use tables::{ON_ANOTHER_HOST, chunks, pulls, pushes};

/// How many cases of a profile run at once.
const CASES_AT_ONCE: usize = 8;

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
    let strange = cases.iter().filter(|case| case.what.contains(ON_ANOTHER_HOST));
    let expected = strange.count();
    at_once(profile, cases, |case| async move {
        let server = start(profile.clone()).await;
        sample
            .put(&*open(&server), &["latest"])
            .await
            .expect("nothing goes wrong yet");
        server.fail(case.fault);
        let memory = memory();
        let copied = copy(job(open(&server), Arc::clone(&memory) as _)).await;
        ends(copied, case.end, &*memory, sample, &server, &case.what).await;
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
        at_once(profile, cases, |case| async move {
            let server = start(profile.clone()).await;
            server.fail(case.fault);
            let copied = copy(job(Arc::clone(source) as _, open_in_chunks(&server, chunk))).await;
            ends(copied, case.end, &*open(&server), sample, &server, &case.what).await;
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
    cases.retain(|case| !case.what.contains(A_TOKEN_EXPIRED) || !matches!(profile.auth, Auth::None));
    let run = &run;
    let runs = stream::iter(cases).map(|case| async move {
        let what = case.what.clone();
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
