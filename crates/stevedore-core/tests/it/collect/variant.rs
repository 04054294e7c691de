//! The protocol, and the protocol with a step left out: each of these must be found.

use bytes::Bytes;
use stevedore_core::collect::{self, Member, Published};
use stevedore_core::suite::weak::Fault;
use stevedore_core::{BlobInfo, Entry, ErrorKind, Key, Life, Names, Result, Store, When};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    Sound,
    /// A manifest is acknowledged as soon as it is written.
    NoSecondLook,
    /// The second look compares lives, and renews nothing.
    IdleSecondLook,
    /// A manifest is written on no version, and taken back for a life seen before somebody else's was acknowledged.
    BlindPublish,
    /// A push touches once before it joins.
    OneTouchJoin,
    /// HEAD renews nothing.
    IdleCheck,
    NoFence,
    ReuseLife,
    DeleteAnyVersion,
}

impl Variant {
    /// What the store leaves out.
    pub(crate) fn fault(self) -> Option<Fault> {
        match self {
            Self::NoFence => Some(Fault::NoFence),
            Self::ReuseLife => Some(Fault::ReuseLife),
            Self::DeleteAnyVersion => Some(Fault::DeleteAnyVersion),
            _ => None,
        }
    }

    /// Whether it shows only where several clients write the same at once.
    pub(crate) fn wants_a_crowd(self) -> bool {
        matches!(self, Self::BlindPublish | Self::OneTouchJoin)
    }

    pub(crate) async fn check(
        self,
        store: &dyn Store,
        names: &dyn Names,
        member: &Member,
    ) -> Result<Option<BlobInfo>> {
        match self {
            Self::IdleCheck => collect::peek(store, names, member).await,
            _ => collect::check(store, names, member).await,
        }
    }

    pub(crate) async fn join(
        self,
        store: &dyn Store,
        names: &dyn Names,
        member: &Member,
    ) -> Result<Option<BlobInfo>> {
        if self != Self::OneTouchJoin {
            return collect::join(store, names, member).await;
        }
        loop {
            let Some(info) = store.touch(&member.digest).await? else {
                return Ok(None);
            };
            let entry = names.get(&member.key).await?;
            if entry.as_ref().is_some_and(|entry| info.life.admits(life(entry))) {
                return Ok(Some(info));
            }
            let record = info.life.to_string().into();
            match names
                .put(&member.key, record, When::unchanged(entry.as_ref()))
                .await
            {
                Ok(_) => return Ok(Some(info)),
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) async fn publish(
        self,
        store: &dyn Store,
        names: &dyn Names,
        key: &Key,
        bytes: Bytes,
        needed: &[Member],
    ) -> Result<Published> {
        if !matches!(
            self,
            Self::NoSecondLook | Self::IdleSecondLook | Self::BlindPublish
        ) {
            return collect::publish(store, names, key, bytes, needed).await;
        }
        let mut lives = Vec::new();
        for member in needed {
            match collect::check(store, names, member).await? {
                Some(info) => lives.push(info.life),
                None => return Ok(Published::Missing(vec![member.digest])),
            }
        }
        let version = names.put(key, bytes, When::Always).await?;
        if self == Self::NoSecondLook {
            return Ok(Published::Done(version));
        }
        for (member, life) in needed.iter().zip(lives) {
            let now = match self {
                Self::IdleSecondLook => store.stat(&member.digest).await?,
                _ => store.touch(&member.digest).await?,
            };
            if now.is_none_or(|info| info.life != life) {
                names.remove(key, When::Is(version)).await?;
                return Ok(Published::Lost(vec![member.digest]));
            }
        }
        Ok(Published::Done(version))
    }
}

fn life(entry: &Entry) -> Life {
    std::str::from_utf8(&entry.bytes).unwrap().parse().unwrap()
}
