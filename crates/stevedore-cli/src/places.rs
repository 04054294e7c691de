//! Locations opened.

use std::sync::Arc;

use stevedore_core::{Document, Error, ErrorKind, Platform, Result, Sink, Source};
use stevedore_transport::{Layout, LayoutOptions, Location, Platforms, copy};

use crate::args::PlatformFlags;

/// Something to write to, and to read from meanwhile.
pub(crate) struct Destination {
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) source: Arc<dyn Source>,
}

/// Something to read from.
pub(crate) fn source(location: &Location) -> Result<Arc<dyn Source>> {
    match location {
        Location::Layout { path, .. } => Ok(Arc::new(Layout::open(path)?)),
        other => Err(unsupported(other)),
    }
}

/// Something to write to, made where it is not there.
pub(crate) fn destination(location: &Location, options: LayoutOptions) -> Result<Destination> {
    match location {
        Location::Layout { path, .. } => Ok(Layout::create(path, options)?.into()),
        other => Err(unsupported(other)),
    }
}

/// Something to change, which has to be there.
pub(crate) fn existing(location: &Location) -> Result<Destination> {
    match location {
        Location::Layout { path, .. } => Ok(Layout::open(path)?.into()),
        other => Err(unsupported(other)),
    }
}

impl From<Layout> for Destination {
    fn from(layout: Layout) -> Self {
        Self {
            sink: Arc::new(layout.clone()),
            source: Arc::new(layout),
        }
    }
}

fn unsupported(location: &Location) -> Error {
    let message = format!("this version cannot reach {location}: it has OCI layouts (oci:DIR) only");
    Error::new(ErrorKind::Unsupported, message)
}

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
