//! Which platforms suit which, and which suits best.

use std::cmp::Reverse;

use super::Platform;

/// The best of `candidates` for `wanted`, as its position: [`Matcher::select`] with the usual rules.
pub fn select<'a>(
    wanted: &Platform,
    candidates: impl IntoIterator<Item = Option<&'a Platform>>,
) -> Option<usize> {
    Matcher::new(wanted).select(candidates)
}

/// The rules by which platforms of images suit a wanted one.
///
/// - Both are compared in their [normalised](Platform::normalized) form. Operating systems must be equal.
/// - Architectures must be equal. A lower variant suits as well, and the highest of them best: `arm` `v7` takes `v6`
///   and `v5`; `amd64` `v3` takes `v2` and `v1`; `arm64` `v8.2` takes `v8.1` and `v8`; `arm64` `v9.1` also takes
///   `v8.6` and lower, which it contains. [`strict`](Self::strict) takes the very variant only, and
///   [`with_other_architectures`](Self::with_other_architectures) takes what the CPU can run besides.
/// - On Windows, if both have a version, the wanted one is taken as the host's: before Windows Server 2022 it takes
///   its own build only, since then builds from the long-term release before it up to its own. The revision
///   does not matter. Elsewhere the version does not matter.
/// - Every `os.features` entry of the image must be wanted, but `win32k` on Windows, which every host but Nano Server
///   has.
/// - Among those of the best variant, more of the wanted features win, then the very version that was wanted, then
///   the higher version, then the earlier entry.
///
/// It differs from containerd's `Only` in that other architectures are taken only when asked for, and in odd cases: an
/// `arm64` variant that does not exist matches itself, where containerd lets it match nothing, and a wanted variant
/// without its `v`, as in `amd64/3`, matches that level too, not only the lower ones.
///
/// ```
/// use stevedore_core::platform::{Matcher, Platform};
///
/// let amd64 = Platform::new("linux", "amd64");
/// let i386 = Platform::new("linux", "386");
/// assert!(!Matcher::new(&amd64).matches(&i386));
/// assert!(Matcher::new(&amd64).with_other_architectures().matches(&i386));
/// ```
#[derive(Clone, Debug)]
pub struct Matcher {
    wanted: Platform,
    reach: Reach,
}

impl Matcher {
    /// The usual rules: the same architecture, in the same variant or a lower one.
    pub fn new(wanted: &Platform) -> Self {
        Self {
            wanted: wanted.normalized(),
            reach: Reach::LowerVariants,
        }
    }

    /// Takes the very variant only.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.reach = Reach::ThisVariant;
        self
    }

    /// Takes other architectures that such CPUs run, too, after all of its own: `386` on `amd64`, `arm` on `arm64`.
    #[must_use]
    pub fn with_other_architectures(mut self) -> Self {
        self.reach = Reach::OtherArchitectures;
        self
    }

    /// Whether an image of `candidate` suits.
    pub fn matches(&self, candidate: &Platform) -> bool {
        self.rank(candidate).is_some()
    }

    /// The position of the best of `candidates`; the first among equals. A candidate without a platform, as entries
    /// of an index may be, never suits.
    pub fn select<'a>(&self, candidates: impl IntoIterator<Item = Option<&'a Platform>>) -> Option<usize> {
        candidates
            .into_iter()
            .enumerate()
            .filter_map(|(position, candidate)| Some((self.rank(candidate?)?, position)))
            .min()
            .map(|(_, position)| position)
    }

    /// How well a platform suits, if it does: the least is the best.
    fn rank(&self, candidate: &Platform) -> Option<Rank> {
        let candidate = candidate.normalized();
        if candidate.os != self.wanted.os {
            return None;
        }
        let distance = self.distance(&candidate)?;
        let windows = self.wanted.os == "windows";
        if windows && !windows_suits(self.wanted.os_version.as_deref(), candidate.os_version.as_deref()) {
            return None;
        }
        let wanted = |feature: &String| self.wanted.os_features.contains(feature);
        let demanded = |feature: &&String| !(windows && feature.as_str() == "win32k");
        if !candidate.os_features.iter().filter(demanded).all(wanted) {
            return None;
        }
        Some(Rank {
            distance,
            features: Reverse(
                candidate
                    .os_features
                    .iter()
                    .filter(|feature| wanted(feature))
                    .count(),
            ),
            other_version: candidate.os_version != self.wanted.os_version,
            version: Reverse(numbers(candidate.os_version.as_deref().unwrap_or_default())),
        })
    }

    /// How far an architecture and variant are from the wanted ones, if it reaches so far.
    fn distance(&self, candidate: &Platform) -> Option<u32> {
        let (wanted, variant) = (self.wanted.architecture.as_str(), self.wanted.variant.as_deref());
        if candidate.architecture == wanted {
            if candidate.variant.as_deref() == variant {
                return Some(0);
            }
            if self.reach == Reach::ThisVariant {
                return None;
            }
            return below(wanted, variant, candidate.variant.as_deref());
        }
        if self.reach != Reach::OtherArchitectures {
            return None;
        }
        match (wanted, candidate.architecture.as_str()) {
            ("amd64", "386") if candidate.variant.is_none() => Some(FAR),
            // 64-bit ARM contains the 32-bit one of version 8.
            ("arm64", "arm") if arm64_version(variant).is_some() => match candidate.variant.as_deref() {
                Some("v8") => Some(FAR),
                lower => below("arm", Some("v8"), lower).map(|distance| FAR + distance),
            },
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reach {
    ThisVariant,
    LowerVariants,
    OtherArchitectures,
}

/// Compared from the top: the first field decides first.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
struct Rank {
    distance: u32,
    features: Reverse<usize>,
    other_version: bool,
    version: Reverse<Vec<u64>>,
}

/// Greater than any distance within an architecture.
const FAR: u32 = 1 << 16;

/// How far a variant is below another of the same architecture, if it is.
fn below(architecture: &str, upper: Option<&str>, lower: Option<&str>) -> Option<u32> {
    match architecture {
        "amd64" => upper
            .map_or(Some(1), wanted_number)?
            .checked_sub(lower.map_or(Some(1), number)?),
        "arm" => upper
            .and_then(wanted_number)?
            .checked_sub(lower.and_then(number).filter(|version| *version >= 5)?),
        "arm64" => match (arm64_version(upper)?, arm64_version(lower)?) {
            // Version 9.n contains version 8.(n + 5), as far as that one goes.
            ((9, upper), (8, lower)) => (upper + 5)
                .min(9)
                .checked_sub(lower)
                .map(|distance| distance + 10),
            ((upper, minor), (lower, lower_minor)) if upper == lower => minor.checked_sub(lower_minor),
            _ => None,
        },
        _ => None,
    }
}

/// The number in a variant such as `v3`. There are none near the limit.
fn number(variant: &str) -> Option<u32> {
    let digits = variant.strip_prefix('v')?;
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse().ok().filter(|number| plain && *number < 100)
}

/// The same for what people ask for, who also leave the `v` out.
fn wanted_number(variant: &str) -> Option<u32> {
    number(variant).or_else(|| number(&format!("v{variant}")))
}

/// The version of a 64-bit ARM architecture: 8.0 to 8.9 and 9.0 to 9.7 exist.
fn arm64_version(variant: Option<&str>) -> Option<(u32, u32)> {
    let variant = variant.unwrap_or("v8");
    let (major, minor) = match variant.split_once('.') {
        None => (number(variant)?, 0),
        Some((major, minor)) => (number(major)?, minor.parse().ok().filter(|_| minor.len() == 1)?),
    };
    matches!((major, minor), (8, 0..=9) | (9, 0..=7)).then_some((major, minor))
}

/// The long-term releases of Windows Server since images of earlier ones run: 2022 and 2025, by build.
const WINDOWS_RELEASES: [u64; 2] = [20348, 26100];

/// Whether a Windows of version `host` runs images of version `image`. Without a version on either side it is let be.
fn windows_suits(host: Option<&str>, image: Option<&str>) -> bool {
    let (Some(host), Some(image)) = (host.and_then(windows_version), image) else {
        return true;
    };
    let Some(image) = windows_version(image) else {
        return false;
    };
    if host[..2] != image[..2] {
        return false;
    }
    let (host, image) = (host[2], image[2]);
    if host < WINDOWS_RELEASES[0] {
        return host == image;
    }
    let earlier = WINDOWS_RELEASES.into_iter().rfind(|release| *release < host);
    (earlier.unwrap_or(WINDOWS_RELEASES[0])..=host).contains(&image)
}

/// The major, minor and build number of a version of Windows.
fn windows_version(version: &str) -> Option<[u64; 3]> {
    let mut parts = version.split('.').map(|part| part.parse().ok());
    Some([parts.next()??, parts.next()??, parts.next()??])
}

/// A version as numbers, for ordering.
fn numbers(version: &str) -> Vec<u64> {
    version.split('.').map_while(|part| part.parse().ok()).collect()
}
