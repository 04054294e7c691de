//! What kind of document an object is, and the rules that hold before its values are looked at.

use super::{ParseError, object};
use crate::json::{Kind, Value, typed};
use crate::media_type::MediaType;
use crate::text::quote;

/// What `schemaVersion` says in every document that is read here (image-spec, "Image Manifest Property Descriptions").
pub(crate) const SCHEMA_VERSION: u8 = 2;

/// What an image manifest is called in errors.
pub(crate) const IMAGE: &str = "an image manifest";

const INDEX: &str = "an image index";

const ARTIFACT: &str = "an artifact manifest";

/// The keys that tell kinds of documents apart.
const TELLING: [&str; 4] = ["config", "layers", "manifests", "fsLayers"];

/// The members of a root that tell what it is. A `null` counts as absent, as it does in the typed view.
pub(crate) struct Shape<'a> {
    root: Value<'a>,
    version: Option<Value<'a>>,
    declared: Option<MediaType>,
    /// Those of [`TELLING`] that are there.
    telling: Vec<&'static str>,
}

impl<'a> Shape<'a> {
    /// Looks over a document, and refuses what is no JSON object or of schema 1.
    pub(crate) fn of(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut shape = Self {
            root: object(bytes)?,
            version: None,
            declared: None,
            telling: Vec::new(),
        };
        for member in shape.root.members().filter(|member| !member.value.is_null()) {
            match &*member.key {
                "schemaVersion" => shape.version = Some(member.value),
                "mediaType" => shape.declared = Some(typed(member.value)?),
                key => shape
                    .telling
                    .extend(TELLING.iter().filter(|telling| **telling == key)),
            }
        }
        // With `layers` or `manifests` beside them, `fsLayers` make a mixture, which is refused as such.
        let old = shape.has("fsLayers") && !shape.has("layers") && !shape.has("manifests");
        let declared = shape.declared.as_ref();
        if shape.spells_version("1") || declared.is_some_and(MediaType::is_schema1) || old {
            return Err(ParseError::SchemaOne);
        }
        Ok(shape)
    }

    /// The document itself.
    pub(crate) fn root(&self) -> Value<'a> {
        self.root
    }

    /// The media type of a document that came without one: the one that it declares, else by its keys.
    pub(crate) fn sniff(&self) -> Option<MediaType> {
        match &self.declared {
            Some(declared) => Some(declared.clone()).filter(MediaType::is_well_formed),
            None if self.has("manifests") => Some(MediaType::OCI_INDEX),
            None if self.has("config") || self.has("layers") => Some(MediaType::OCI_MANIFEST),
            None => None,
        }
    }

    /// Checks that the document, served under `served`, can be read as an image manifest only.
    pub(crate) fn expect_image(&self, served: &MediaType) -> Result<(), ParseError> {
        self.expect(
            IMAGE,
            served,
            served.is_image_manifest(),
            &["manifests", "fsLayers"],
        )?;
        self.expect_version()
    }

    /// Checks that the document, served under `served`, can be read as an index only.
    pub(crate) fn expect_index(&self, served: &MediaType) -> Result<(), ParseError> {
        self.expect(
            INDEX,
            served,
            served.is_index(),
            &["layers", "config", "fsLayers"],
        )?;
        self.expect_version()
    }

    /// Checks that the document, served under `served`, can be read as an artifact manifest only. It has no
    /// `schemaVersion`.
    pub(crate) fn expect_artifact(&self, served: &MediaType) -> Result<(), ParseError> {
        self.expect(ARTIFACT, served, served.is_artifact_manifest(), &TELLING)
    }

    fn expect(
        &self,
        kind: &'static str,
        served: &MediaType,
        fits: bool,
        foreign: &[&'static str],
    ) -> Result<(), ParseError> {
        if !fits {
            return Err(ParseError::WrongType {
                media_type: served.clone(),
                expected: kind,
            });
        }
        if let Some(declared) = self.declared.as_ref().filter(|declared| *declared != served) {
            return Err(ParseError::MediaTypeMismatch {
                served: served.clone(),
                declared: declared.clone(),
            });
        }
        if let Some(&key) = foreign.iter().find(|key| self.has(key)) {
            return Err(ParseError::Ambiguous { kind, key });
        }
        Ok(())
    }

    fn expect_version(&self) -> Result<(), ParseError> {
        if self.spells_version(&SCHEMA_VERSION.to_string()) {
            return Ok(());
        }
        let found = match self.version {
            Some(version) if version.kind() == Kind::Number => quote(version.as_written()),
            Some(version) => version.kind().name().to_owned(),
            None => "missing".to_owned(),
        };
        Err(ParseError::SchemaVersion { found })
    }

    fn has(&self, key: &str) -> bool {
        self.telling.contains(&key)
    }

    fn spells_version(&self, number: &str) -> bool {
        self.version.is_some_and(|version| version.as_written() == number)
    }
}
