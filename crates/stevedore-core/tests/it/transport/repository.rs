//! What repositories do beyond the suite.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use stevedore_core::collect::{Collection, Mark, collect};
use stevedore_core::memory::{MemoryNames, MemoryStore};
use stevedore_core::raw::MANIFEST_LIMIT;
use stevedore_core::samples::{Sample, describe};
use stevedore_core::suite::block_on;
use stevedore_core::{
    Algorithm, AnyDigest, Blob, ByteRange, Clock, Descriptor, Document, Error, ErrorKind, ImageManifest,
    MediaType, Place, Put, Raw, RefName, Repositories, Result, Role, Selector, Sink as _, Source as _,
    Supply, stream,
};

fn test(case: impl Future<Output = Result<()>>) {
    if let Err(error) = block_on(case) {
        panic!("{error:?}");
    }
}

#[test]
fn names_that_are_not_of_the_grammar_are_carried() {
    test(async {
        let repository = Repositories::in_memory().open("app")?;
        let image = Sample::image(&["odd"]);
        let odd = [
            "two words",
            "a//b",
            "..",
            "\u{e4}",
            "%41",
            "a__b",
            "A/b",
            "a-b",
            "a.b",
        ];
        let names: Vec<_> = odd.iter().map(|name| RefName::verbatim(name)).collect();
        image.put(&repository, &[]).await?;
        let role = Role::Root {
            names: names.clone(),
            replace: false,
        };
        repository.put_document(image.document(), role).await?;
        for name in names {
            let document = repository.root(&Selector::Name(name)).await?;
            assert_eq!(document, *image.document());
        }
        let mut listed = Vec::new();
        let mut stream = repository.names();
        while let Some(named) = stream::next(&mut stream).await {
            listed.push(named?.name.as_str().to_owned());
        }
        let mut expected = odd.to_vec();
        expected.sort_unstable();
        assert_eq!(listed, expected);
        Ok(())
    });
}

#[test]
fn what_names_unknown_algorithms_is_carried() {
    test(async {
        let repository = Repositories::in_memory().open("app")?;
        let unknown: AnyDigest = "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8".parse()?;
        let config = describe(MediaType::OCI_EMPTY, b"{}");
        repository
            .put_blob(&config, &[], &Bytes::from_static(b"{}"))
            .await?;
        let layer = Descriptor::new(MediaType::OCI_LAYER, unknown.clone(), 5);
        let subject = Descriptor::new(MediaType::OCI_MANIFEST, unknown, 5);
        let manifest = ImageManifest::new(config, [layer]).with_subject(subject);
        let manifest = Raw::encode(&manifest, MediaType::OCI_MANIFEST, Algorithm::Sha256)?;
        let document = Document::from(manifest);
        repository.put_document(&document, Role::Child).await?;
        assert_eq!(repository.document(&document.descriptor()).await?, document);
        repository.remove(&Selector::Digest(document.digest())).await?;
        Ok(())
    });
}

#[test]
fn a_document_is_refused_by_another_type_than_it_was_put_under() {
    test(async {
        let repository = Repositories::in_memory().open("app")?;
        let sample = Sample::document_of(&b"text"[..], MediaType::from_static("application/vnd.example.a"))?;
        sample.put(&repository, &[]).await?;
        let mut other = sample.descriptor();
        other.media_type = MediaType::from_static("application/vnd.example.b");
        let error = repository.document(&other).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Mismatch);
        assert!(
            !repository
                .has(&Descriptor::new(MediaType::OCI_MANIFEST, other.digest, 4))
                .await?
        );
        Ok(())
    });
}

#[test]
fn a_blob_of_another_repository_is_not_there_until_it_is_mounted() {
    test(async {
        let repositories = Repositories::in_memory();
        let (one, other) = (repositories.open("one")?, repositories.open("other")?);
        let bytes = Bytes::from_static(b"private");
        let blob = describe(MediaType::OCI_LAYER, &bytes);
        one.put_blob(&blob, &[], &bytes).await?;
        assert!(!other.has(&blob).await?);
        assert!(other.blob(&blob, ByteRange::FULL).await.is_err());

        let digest = blob.known_digest()?;
        let place = one.place(&digest).expect("a repository has a place");
        let foreign = Place::Memory {
            store: u64::MAX,
            repository: "one".into(),
        };
        let smaller = Descriptor::new(MediaType::OCI_LAYER, digest, 6);
        let refused = other
            .put_blob(&smaller, std::slice::from_ref(&place), &bytes)
            .await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Mismatch);
        assert!(!other.has(&blob).await?);
        let put = other.put_blob(&blob, &[foreign, place], &Bytes::new()).await?;
        assert_eq!(put, Put::Mounted);
        assert!(other.has(&blob).await?);
        Ok(())
    });
}

#[test]
fn a_collection_keeps_what_documents_name_and_takes_the_rest() {
    test(async {
        let (clock, grace) = (Clock::manual(), Duration::from_secs(3600));
        let store = Arc::new(MemoryStore::new().with_clock(clock.clone()).with_grace(grace));
        let repositories = Repositories::new(Arc::clone(&store) as _, Arc::new(MemoryNames::new()));
        let (one, other) = (repositories.open("one")?, repositories.open("other")?);
        let kept =
            Sample::index(vec![Sample::image(&["shared", "kept"])]).with_referrer("text/x-note", "note");
        let gone = Sample::image(&["shared", "gone"]);
        kept.put(&one, &["v1"]).await?;
        gone.put(&other, &["v1"]).await?;
        other.remove(&Selector::Digest(gone.document().digest())).await?;
        clock.advance(grace * 3);

        let collection = Collection::new(clock.now()).with_memberships(vec![repositories.root_key().clone()]);
        let names = repositories.records();
        let report = collect(&*store, &**names, &repositories, &collection).await?;
        // Its manifest, config and own layer; and the memberships of these.
        assert_eq!((report.deleted, report.memberships), (3, 3));
        for sample in kept.all() {
            assert_eq!(one.document(&sample.descriptor()).await?, *sample.document());
            for (descriptor, bytes) in sample.blobs() {
                let blob = one.blob(descriptor, ByteRange::FULL).await?;
                assert_eq!(blob.into_bytes(MANIFEST_LIMIT as u64).await?, *bytes);
            }
        }
        let (layer, _) = &gone.blobs()[2];
        assert!(
            other
                .blob(layer, ByteRange::FULL)
                .await
                .unwrap_err()
                .is_not_found()
        );
        assert!(!other.has(layer).await?);

        // It can come again, with other lives.
        gone.put(&other, &["v1"]).await?;
        assert_eq!(other.root(&Selector::Only).await?, *gone.document());
        assert!(other.has(layer).await?);
        let needed = repositories.mark().await?;
        assert!(needed.contains(&layer.known_digest()?));
        Ok(())
    });
}

#[test]
fn what_one_repository_staged_is_no_beginning_for_another() {
    /// Its body breaks behind the first half.
    struct Half(Bytes);

    #[async_trait]
    impl Supply for Half {
        async fn open(&self, _: u64) -> Result<Blob> {
            let broken = Err(Error::new(ErrorKind::Interrupted, "the body broke"));
            Ok(Blob::from_stream(
                stream::iter([Ok(self.0.slice(..self.0.len() / 2)), broken]),
                None,
            ))
        }
    }

    /// Gives the whole, and only from the beginning.
    struct Whole(Bytes);

    #[async_trait]
    impl Supply for Whole {
        async fn open(&self, from: u64) -> Result<Blob> {
            assert_eq!(from, 0, "a repository goes on with what another one staged");
            Ok(Blob::from(self.0.clone()))
        }
    }

    test(async {
        let repositories = Repositories::in_memory();
        let (one, other) = (repositories.open("one")?, repositories.open("other")?);
        let bytes = Bytes::from_static(b"known to one, and to the other not");
        let blob = describe(MediaType::OCI_LAYER, &bytes);
        assert!(one.put_blob(&blob, &[], &Half(bytes.clone())).await.is_err());
        other.put_blob(&blob, &[], &Whole(bytes)).await?;
        assert!(!one.has(&blob).await?);
        Ok(())
    });
}
