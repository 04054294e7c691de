//! A blob on its way out.
//!
//! Small ones go with the first request. Others go in one `PUT`, which is what registries are fastest at; where that
//! breaks off, the registry is asked how much it has, and gets the rest. Chunks are for registries that want them, or
//! take no large requests (413).

use bytes::Bytes;
use stevedore_core::{Descriptor, Error as CoreError, Place, Put, Supply};

use super::Repository;
use super::outgoing::{Outgoing, Rest, Whole, fits, gather};
use super::session::{Begun, Session, is_out_of_step};
use crate::auth::Scopes;
use crate::error::{Error, Result};
use crate::request::pause_before;

/// A blob up to this size, in bytes, is sent with the first request.
const SINGLE_POST: u64 = 64 * 1024;

/// A chunk in bytes, where nothing else is asked for. GHCR takes no more.
pub(super) const CHUNK: u64 = 4 * 1024 * 1024;

/// The largest chunk that is held in memory; a registry that wants more gets a `PUT`.
const LARGEST_CHUNK: u64 = 16 * 1024 * 1024;

/// Places that a mount is tried from.
const MAX_MOUNTS: usize = 3;

impl Repository {
    /// Sees to it that a blob is there.
    pub(super) async fn push_blob(
        &self,
        descriptor: &Descriptor,
        held_at: &[Place],
        supply: &dyn Supply,
    ) -> stevedore_core::Result<Put> {
        let digest = descriptor.known_digest()?;
        let what = |error: Error| error.while_doing(format!("cannot write the blob {digest} to {self}"));
        if self.head_blob(&digest).await.map_err(what)? == Some(descriptor.size) {
            return Ok(Put::Present);
        }
        let outgoing = Outgoing {
            digest,
            size: descriptor.size,
            supply,
        };
        let session = match self.mount(&outgoing, held_at).await.map_err(what)? {
            Some(Begun::Done) => return Ok(Put::Mounted),
            Some(Begun::Session(session)) => Some(session),
            None => None,
        };
        self.send_blob(&outgoing, session).await.map_err(what)?;
        Ok(Put::Written)
    }

    /// Asks the registry to take the blob from another repository of its own. Where it opens a session instead,
    /// that is the one to go on in.
    async fn mount(&self, blob: &Outgoing<'_>, held_at: &[Place]) -> Result<Option<Begun>> {
        let digest = blob.digest.to_string();
        let others = held_at.iter().filter_map(|place| match place {
            Place::Repository { registry, repository }
                if registry == self.registry().as_str() && repository != self.name().as_str() =>
            {
                Some(repository.as_str())
            }
            _ => None,
        });
        let mut session = None;
        for from in others.take(MAX_MOUNTS) {
            let scopes = self.shared.push.union(&Scopes::pull(from));
            match self.begin(&[("mount", &digest), ("from", from)], &scopes).await {
                Ok(Begun::Done) => return Ok(Some(Begun::Done)),
                Ok(begun) => session = begun.session().or(session),
                // Who may not read there may still write here.
                Err(error) if error.refused().is_some() && !error.is_retryable() => {}
                Err(error) => return Err(error),
            }
        }
        if session.is_some() || blob.size <= SINGLE_POST || !self.host().habits().mounts_from_anywhere() {
            return Ok(session.map(Begun::Session));
        }
        // Without a place: the registry may know the blob from somewhere.
        match self.begin(&[("mount", &digest)], &self.shared.push).await {
            Ok(begun) => Ok(Some(begun)),
            Err(error) if error.refused().is_some() && !error.is_retryable() && !error.is_unauthorized() => {
                self.host().habits().set_mounts_from_anywhere(false);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn send_blob(&self, blob: &Outgoing<'_>, session: Option<Session>) -> Result<()> {
        if blob.size <= SINGLE_POST {
            return self.send_small(blob, session).await;
        }
        let mut session = match session {
            Some(session) => session,
            None => match self.begin(&[], &self.shared.push).await? {
                Begun::Session(session) => session,
                Begun::Done => return Ok(()),
            },
        };
        let mut from = 0;
        let mut tries = 0;
        let mut maimed = false;
        let mut whole_only = false;
        let mut chunked = self.host().settings().chunk_size.is_some();
        loop {
            let sent = if chunked && session.min_chunk <= LARGEST_CHUNK {
                self.send_chunks(blob, &mut session, &mut from).await
            } else {
                self.send_rest(blob, &session, from).await
            };
            let error = match sent {
                // Registries exist that keep the last part alone, and say that all is well.
                Ok(()) if (chunked || from > 0) && self.head_blob(&blob.digest).await? != Some(blob.size) => {
                    if std::mem::replace(&mut maimed, true) {
                        let stored = format!("what {self} made of the parts of {}", blob.digest);
                        let (expected, actual) = (format!("{} bytes", blob.size), "another size");
                        return Err(self.supply_error(CoreError::mismatch(stored, expected, actual)));
                    }
                    (chunked, from) = (false, 0);
                    match self.begin(&[], &self.shared.push).await? {
                        Begun::Session(new) => session = new,
                        Begun::Done => return Ok(()),
                    }
                    continue;
                }
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            tries += 1;
            let too_large = error.status() == Some(413) && !chunked;
            chunked |= too_large;
            // What a session makes of bytes that came twice shows in a wrong digest.
            let spoilt = from > 0
                && error
                    .refused()
                    .is_some_and(|refused| refused.has_code("DIGEST_INVALID"));
            // Registries exist that take no part of a blob, or none as small as these.
            let no_parts = (chunked || from > 0)
                && !too_large
                && matches!(error.status(), Some(400 | 405 | 415 | 501))
                && !spoilt;
            chunked &= !no_parts;
            whole_only |= no_parts;
            let passing = error.is_retryable() || is_out_of_step(&error) || too_large || spoilt || no_parts;
            let policy = &self.client().retry;
            if !passing || tries >= policy.attempts {
                self.cancel(&session).await.ok();
                return Err(error);
            }
            self.client().pause(&error, pause_before(tries, policy)).await;
            let known = if spoilt || whole_only {
                None
            } else {
                self.progress(&mut session).await?
            };
            match known.filter(|known| *known <= blob.size) {
                Some(known) => {
                    if known > from {
                        tries = 0;
                    }
                    from = known;
                }
                // The session is gone: because the upload ended and its answer was lost, or for good.
                None if self.head_blob(&blob.digest).await? == Some(blob.size) => return Ok(()),
                None => {
                    from = 0;
                    match self.begin(&[], &self.shared.push).await? {
                        Begun::Session(new) => session = new,
                        Begun::Done => return Ok(()),
                    }
                }
            }
        }
    }

    /// Sends a blob that fits into memory: with the first request, if the registry likes that.
    async fn send_small(&self, blob: &Outgoing<'_>, session: Option<Session>) -> Result<()> {
        let bytes = blob
            .read(SINGLE_POST)
            .await
            .map_err(|source| self.supply_error(source))?;
        let content = Whole(bytes.clone());
        let mut session = session;
        if session.is_none() && self.host().habits().takes_single_post() {
            match self.begin_with(&blob.digest, &bytes).await {
                Ok(Begun::Done) => return Ok(()),
                Ok(Begun::Session(begun)) => {
                    // It did not look at the bytes: they need not be sent this way again.
                    self.host().habits().set_takes_single_post(false);
                    session = Some(begun);
                }
                Err(error)
                    if error.refused().is_some() && !error.is_retryable() && !error.is_unauthorized() =>
                {
                    self.host().habits().set_takes_single_post(false);
                }
                Err(error) => return Err(error),
            }
        }
        let mut tries = 0;
        loop {
            let current = match session.take() {
                Some(session) => session,
                None => match self.begin(&[], &self.shared.push).await? {
                    Begun::Session(session) => session,
                    Begun::Done => return Ok(()),
                },
            };
            let Err(error) = self
                .put(&current, &blob.digest, Some((&content, 0, blob.size)))
                .await
            else {
                return Ok(());
            };
            tries += 1;
            let policy = &self.client().retry;
            if !(error.is_retryable() || is_out_of_step(&error)) || tries >= policy.attempts {
                return Err(error);
            }
            self.client().pause(&error, pause_before(tries, policy)).await;
            if self.head_blob(&blob.digest).await? == Some(blob.size) {
                return Ok(());
            }
        }
    }

    async fn send_rest(&self, blob: &Outgoing<'_>, session: &Session, from: u64) -> Result<()> {
        let hasher = blob
            .hash_up_to(from)
            .await
            .map_err(|source| self.supply_error(source))?;
        let rest = Rest { blob, from, hasher };
        if from == blob.size {
            // All of it is there. Nothing is sent, so the hash is looked at here.
            rest.hasher_fits().map_err(|source| self.supply_error(source))?;
            return self.put(session, &blob.digest, None).await;
        }
        self.put(session, &blob.digest, Some((&rest, from, blob.size)))
            .await
    }

    async fn send_chunks(&self, blob: &Outgoing<'_>, session: &mut Session, from: &mut u64) -> Result<()> {
        let supply_error = |source| self.supply_error(source);
        let chunk = self
            .host()
            .settings()
            .chunk_size
            .unwrap_or(CHUNK)
            .clamp(1, LARGEST_CHUNK)
            .max(session.min_chunk);
        let mut hasher = blob.hash_up_to(*from).await.map_err(supply_error)?;
        let mut stream = blob.supply.open(*from).await.map_err(supply_error)?.into_stream();
        let mut rest = Bytes::new();
        while *from < blob.size {
            let wanted = chunk.min(blob.size - *from);
            let bytes = gather(&mut stream, &mut rest, wanted)
                .await
                .map_err(supply_error)?;
            hasher.update(&bytes);
            if *from + wanted == blob.size {
                // The last one is held back until the hash fits.
                fits(hasher.clone(), blob.digest).map_err(supply_error)?;
            }
            let known = self.patch(session, *from, &bytes).await?;
            if known != *from + wanted {
                *from = known.min(blob.size);
                return self.send_rest_in_chunks(blob, session, from).await;
            }
            *from = known;
        }
        fits(hasher, blob.digest).map_err(supply_error)?;
        self.put(session, &blob.digest, None).await
    }

    /// Goes on where the registry says that it is. Boxed, for it is the same once more.
    fn send_rest_in_chunks<'f>(
        &'f self,
        blob: &'f Outgoing<'f>,
        session: &'f mut Session,
        from: &'f mut u64,
    ) -> futures_util::future::BoxFuture<'f, Result<()>> {
        Box::pin(self.send_chunks(blob, session, from))
    }

    pub(super) fn supply_error(&self, source: CoreError) -> Error {
        Error::Supply {
            method: "PUT".to_owned(),
            url: format!("{self}/blobs/uploads"),
            source,
        }
    }
}
