//! Which documents of a location are meant.

use std::sync::Arc;

use stevedore_core::{Document, Platform, Result, Source};
use stevedore_transport::{Location, Platforms, copy};

use crate::args::PlatformFlags;

impl PlatformFlags {
    /// Whether nothing was said.
    pub(crate) fn is_default(&self) -> bool {
        let Self {
            platform,
            override_os,
            override_arch,
            override_variant,
        } = self;
        platform.is_none() && override_os.is_none() && override_arch.is_none() && override_variant.is_none()
    }

    /// The platform that was asked for.
    pub(crate) fn wanted(&self) -> Platforms {
        if let Some(platform) = &self.platform {
            return Platforms::One(platform.clone());
        }
        if self.is_default() {
            return Platforms::Host;
        }
        let host = Platform::host();
        // Of another architecture the host's variant says nothing.
        let same = self
            .override_arch
            .as_ref()
            .is_none_or(|arch| *arch == host.architecture);
        let mut platform = Platform::new(
            self.override_os.clone().unwrap_or(host.os),
            self.override_arch.clone().unwrap_or(host.architecture),
        );
        platform.variant = self
            .override_variant
            .clone()
            .or_else(|| host.variant.filter(|_| same));
        Platforms::One(platform)
    }
}

/// The document at a location as it is: an index as an index, unless a platform was asked for.
pub(crate) async fn document(
    source: &Arc<dyn Source>,
    location: &Location,
    platform: &PlatformFlags,
) -> Result<Document> {
    let platforms = if platform.is_default() {
        Platforms::All
    } else {
        platform.wanted()
    };
    let chosen = copy::choose(&**source, &location.selector(), &platforms).await?;
    Ok(chosen.document)
}

/// The image at a location: of an index, that of the host or the platform asked for.
pub(crate) async fn image(
    source: &Arc<dyn Source>,
    location: &Location,
    platform: &PlatformFlags,
) -> Result<Document> {
    let chosen = copy::choose(&**source, &location.selector(), &platform.wanted()).await?;
    Ok(chosen.document)
}

/// Whether two locations are of one directory or repository, whichever of its documents they name.
pub(crate) fn is_same(one: &Location, other: &Location) -> bool {
    match (one, other) {
        (Location::Registry(one), Location::Registry(other)) => {
            (one.registry(), one.repository()) == (other.registry(), other.repository())
        }
        (Location::Layout { path: one, .. }, Location::Layout { path: other, .. })
        | (Location::Directory { path: one, .. }, Location::Directory { path: other, .. })
        | (Location::Archive { path: one, .. }, Location::Archive { path: other, .. }) => {
            match (one.canonicalize(), other.canonicalize()) {
                (Ok(one), Ok(other)) => one == other,
                _ => false,
            }
        }
        (Location::Memory { shelf: one, .. }, Location::Memory { shelf: other, .. }) => one == other,
        _ => false,
    }
}
