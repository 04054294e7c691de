//! What each verb prints.

mod copy;
mod exact;
mod inspect;
mod names;
mod usage;

use stevedore_core::Platform;
use stevedore_core::samples::Sample;

use crate::stevedore::World;

/// An index of two platforms, with a signature of the index and one of an image, in `src:v1`.
fn world() -> (World, Sample) {
    let world = World::new();
    let amd64 = Sample::image(&["base", "app"])
        .for_platform(&Platform::new("linux", "amd64"))
        .with_referrer("application/vnd.example.sbom", "packages");
    let arm64 = Sample::image(&["base", "app on arm"]).for_platform(&Platform::new("linux", "arm64"));
    let index =
        Sample::index(vec![amd64, arm64]).with_referrer("application/vnd.example.signature", "signed");
    world.put("src", &index, &["v1"]);
    (world, index)
}

fn amd64(index: &Sample) -> &Sample {
    &index.children()[0]
}
