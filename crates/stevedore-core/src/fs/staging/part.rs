//! The names of staged files.

use std::fmt;

use crate::{Algorithm, Digest, IngestKey, IngestPlan};

/// The end of the name of a staged file.
const PART: &str = ".part";

/// The name of a staged file: the generation, a text that is never used again, and the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) generation: u32,
    pub(super) unique: String,
    algorithm: Algorithm,
    size: Option<u64>,
    digest: Option<Digest>,
}

impl Part {
    pub(super) fn new(generation: u32, unique: String, plan: &IngestPlan) -> Self {
        Self {
            generation,
            unique,
            algorithm: plan.algorithm,
            size: plan.size,
            digest: plan.digest,
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let mut fields = name.strip_suffix(PART)?.split('.');
        let mut next = || fields.next();
        let part = Self {
            generation: u32::from_str_radix(next()?, 16).ok()?,
            unique: next()?.to_owned(),
            algorithm: next()?.parse().ok()?,
            size: match next()? {
                "" => None,
                size => Some(size.parse().ok()?),
            },
            digest: match next()? {
                "" => None,
                digest => Some(digest.replacen('-', ":", 1).parse().ok()?),
            },
        };
        (part.to_string() == name).then_some(part)
    }

    pub(super) fn plan(&self, key: &IngestKey) -> IngestPlan {
        let mut plan = IngestPlan::new(self.algorithm).with_key(key.clone());
        plan.size = self.size;
        plan.digest = self.digest;
        plan
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}.{}.{}.", self.generation, self.unique, self.algorithm)?;
        if let Some(size) = self.size {
            write!(f, "{size}")?;
        }
        f.write_str(".")?;
        if let Some(digest) = self.digest {
            write!(f, "{}-{}", digest.algorithm(), digest.hex())?;
        }
        f.write_str(PART)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_part_says_the_plan() {
        let plans = [
            IngestPlan::new(Algorithm::Sha256),
            IngestPlan::new(Algorithm::Sha512).with_size(u64::MAX),
            IngestPlan::of(Algorithm::Sha512.digest(b"x")).with_size(7),
        ];
        let unique = "f".repeat(33 + 17);
        for plan in plans {
            let part = Part::new(u32::MAX, unique.clone(), &plan);
            let name = part.to_string();
            assert!(name.len() <= 255, "{name}");
            assert_eq!(Part::parse(&name), Some(part));
        }
        for name in [
            "",
            "x.part",
            "0.x.sha256...part",
            "00000000.x.sha256...tmp",
            "00000000.x.md5...part",
        ] {
            assert_eq!(Part::parse(name), None, "{name}");
        }
    }
}
