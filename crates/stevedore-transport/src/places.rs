//! Locations opened.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use stevedore_core::{Error, ErrorKind, Opener, Repositories, Result, Sink, Source};
#[cfg(feature = "docker")]
use stevedore_registry_client::Client;

use crate::archive::Nothing;
use crate::{Archive, ArchiveSink, Directory, Layout, Location, WriteOptions};

/// What opens locations: how each transport is reached is said once, then a [`Location`] is all it takes.
///
/// ```
/// use stevedore_transport::{Location, Places};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # let text = format!("oci:{}:v1", dir.path().join("images").display());
/// let location: Location = text.parse()?;
/// let destination = Places::new().destination(&location)?;
/// assert!(!destination.sink.traits().sequential, "a layout takes several blobs at once");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Places {
    #[cfg(feature = "docker")]
    client: Option<Client>,
    writing: WriteOptions,
    shelves: Arc<Mutex<BTreeMap<String, Repositories>>>,
}

/// Something to write to, and to read from meanwhile.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Destination {
    /// To write to.
    pub sink: Arc<dyn Sink>,
    /// The same, to read from.
    pub source: Arc<dyn Source>,
}

impl Places {
    /// Layouts with their default options, an empty memory, and no registries.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same places, with registries as a client reaches them.
    #[cfg(feature = "docker")]
    #[must_use]
    pub fn with_client(mut self, client: Client) -> Self {
        self.client = Some(client);
        self
    }

    /// The same places, with other options for what is written.
    #[must_use]
    pub fn with_write_options(mut self, options: WriteOptions) -> Self {
        self.writing = options;
        self
    }

    /// Something to read from: of a registry, its mirrors too, where the client knows some. A registry is not asked
    /// anything yet.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where a layout is not there, [`ErrorKind::Unsupported`] where nothing was said about
    /// how such a place is reached.
    pub fn source(&self, location: &Location) -> Result<Arc<dyn Source>> {
        match location {
            Location::Layout { path, .. } => Ok(Arc::new(Layout::open(path)?)),
            Location::Archive { form, path, .. } => Ok(Arc::new(Archive::open(path, *form)?)),
            #[cfg(feature = "docker")]
            Location::Registry(reference) => {
                let client = self.client.as_ref().ok_or_else(|| unreachable(location))?;
                let source = client.source(reference);
                source.map_err(|error| error.while_doing(format!("cannot read {location}")))
            }
            other => Ok(self.existing(other)?.source),
        }
    }

    /// Something to write to; a layout that is not there is made with the first write.
    ///
    /// # Errors
    /// Those of [`source`](Self::source), and what making a layout can meet.
    pub fn destination(&self, location: &Location) -> Result<Destination> {
        match location {
            Location::Layout { path, .. } => Ok(Layout::create(path, self.writing)?.into()),
            Location::Directory { path, .. } => Ok(Destination::of(Directory::create(path, self.writing)?)),
            Location::Archive { form, path, .. } => Ok(Destination {
                sink: Arc::new(ArchiveSink::create(path, *form, self.writing)?),
                source: Arc::new(Nothing),
            }),
            other => self.existing(other),
        }
    }

    /// Something to change; a layout has to be there.
    ///
    /// # Errors
    /// Those of [`source`](Self::source).
    pub fn existing(&self, location: &Location) -> Result<Destination> {
        match location {
            Location::Layout { path, .. } => Ok(Layout::open(path)?.into()),
            Location::Directory { path, .. } => Ok(Destination::of(Directory::open(path)?)),
            Location::Archive { .. } => {
                let message = format!("{location} is an archive, which is only written whole");
                Err(Error::new(ErrorKind::Unsupported, message))
            }
            Location::Memory { shelf, .. } => {
                let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
                let shelf = shelves
                    .entry(shelf.clone())
                    .or_insert_with(Repositories::in_memory);
                Ok(Destination::of(shelf.open("shelf")?))
            }
            #[cfg(feature = "docker")]
            Location::Registry(reference) => {
                let client = self.client.as_ref().ok_or_else(|| unreachable(location))?;
                let repository = client.destination(reference);
                let repository =
                    repository.map_err(|error| error.while_doing(format!("cannot change {location}")))?;
                Ok(Destination::of(repository))
            }
            #[cfg(not(feature = "docker"))]
            Location::Registry(_) => Err(unreachable(location)),
        }
    }
}

#[async_trait]
impl Opener for Places {
    async fn source(&self, location: &str) -> Result<Arc<dyn Source>> {
        let location: Location = location.parse().map_err(|error| {
            Error::new(ErrorKind::Invalid, format!("{location:?} is no location")).with_source(error)
        })?;
        self.source(&location)
    }
}

impl Destination {
    fn of(place: impl Source + Sink + Clone + 'static) -> Self {
        Self {
            sink: Arc::new(place.clone()),
            source: Arc::new(place),
        }
    }
}

impl From<Layout> for Destination {
    fn from(layout: Layout) -> Self {
        Self::of(layout)
    }
}

fn unreachable(location: &Location) -> Error {
    let message = format!("nothing was said about how {location} is reached");
    Error::new(ErrorKind::Unsupported, message)
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places")
            .field("writing", &self.writing)
            .finish_non_exhaustive()
    }
}
