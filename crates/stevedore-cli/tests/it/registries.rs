//! Registries as places.

mod copies;
mod lies;
mod looks;
mod names;
mod retries;
mod troubles;
mod trust;

use stevedore_core::Platform;
use stevedore_core::samples::Sample;
use stevedore_fault_server::Profile;

use crate::registry::Registry;
use crate::stevedore::World;

/// Layouts, and a registry that does all that the specification says.
fn places() -> (World, Registry) {
    places_of(Profile::spec())
}

/// Layouts, and a registry with other habits.
fn places_of(profile: Profile) -> (World, Registry) {
    (World::new(), Registry::start(profile))
}

fn digest_of(sample: &Sample) -> String {
    sample.document().digest().to_string()
}

/// An index of two images, with a signature on it and an SBOM on one of the images.
fn family() -> Sample {
    let image = |text: &'static str, arch: &str| {
        Sample::image_of(
            [bytes::Bytes::from_static(text.as_bytes())],
            &Platform::new("linux", arch),
        )
    };
    let child = image("amd64", "amd64").with_referrer("application/vnd.example.sbom", "an SBOM");
    Sample::index(vec![child, image("arm64", "arm64")])
        .with_referrer("application/vnd.example.signature", "signed")
}
