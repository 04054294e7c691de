//! The annotation keys that the image-spec defines beforehand ("Annotations: Pre-Defined Annotation Keys").
//!
//! Annotations are maps of strings on manifests, indexes and descriptors. Their order means nothing; here they are
//! sorted by key, so that what is written is the same each time.
//!
//! ```
//! use stevedore_core::annotations::{self, Annotations};
//!
//! let annotations = Annotations::from([(annotations::VERSION.to_owned(), "1.2.0".to_owned())]);
//! assert_eq!(annotations["org.opencontainers.image.version"], "1.2.0");
//! ```

use std::collections::BTreeMap;

/// A map of annotations.
pub type Annotations = BTreeMap<String, String>;

/// When the image was built, an RFC 3339 date and time.
pub const CREATED: &str = "org.opencontainers.image.created";
/// Who is responsible for the image: names and addresses, free text.
pub const AUTHORS: &str = "org.opencontainers.image.authors";
/// Where to find out more about the image, a URL.
pub const URL: &str = "org.opencontainers.image.url";
/// Where its documentation is, a URL.
pub const DOCUMENTATION: &str = "org.opencontainers.image.documentation";
/// Where its source code is, a URL.
pub const SOURCE: &str = "org.opencontainers.image.source";
/// The version of the packaged software.
pub const VERSION: &str = "org.opencontainers.image.version";
/// The revision of the source code that the software was built from.
pub const REVISION: &str = "org.opencontainers.image.revision";
/// Who distributes the image: an organisation or a person.
pub const VENDOR: &str = "org.opencontainers.image.vendor";
/// The licences of the contained software, an SPDX expression.
pub const LICENSES: &str = "org.opencontainers.image.licenses";
/// The name of the entry in a layout's `index.json`; see [`RefName`](crate::RefName).
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The title of the image for people; artifact tools put a file name here.
pub const TITLE: &str = "org.opencontainers.image.title";
/// What the software in the image is, for people.
pub const DESCRIPTION: &str = "org.opencontainers.image.description";
/// The digest of the image that this one was built upon.
pub const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";
/// The reference of the image that this one was built upon.
pub const BASE_NAME: &str = "org.opencontainers.image.base.name";
