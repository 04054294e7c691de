//! The usual spelling of operating systems and architectures, and this machine's.

use super::Platform;

/// What containers run on; see [`Platform::host`].
pub(super) const HOST_OS: &str = "linux";

pub(super) fn normalize(platform: &Platform) -> Platform {
    let (architecture, variant) = architecture(
        &platform.architecture,
        platform.variant.as_deref().unwrap_or_default(),
    );
    let mut os_features: Vec<_> = platform
        .os_features
        .iter()
        .filter(|f| !f.is_empty())
        .cloned()
        .collect();
    os_features.sort_unstable();
    os_features.dedup();
    Platform {
        architecture,
        os: os(&platform.os),
        os_version: platform.os_version.clone().filter(|version| !version.is_empty()),
        os_features,
        variant: Some(variant).filter(|variant| !variant.is_empty()),
        features: platform.features.clone(),
    }
}

pub(super) fn os(os: &str) -> String {
    match os.to_lowercase().as_str() {
        "" => HOST_OS.to_owned(),
        "macos" => "darwin".to_owned(),
        other => other.to_owned(),
    }
}

/// An architecture and its variant, which is empty where it is the usual one (but for `arm`).
pub(super) fn architecture(architecture: &str, variant: &str) -> (String, String) {
    let (architecture, variant) = (architecture.to_lowercase(), variant.to_lowercase());
    let (architecture, variant) = match (architecture.as_str(), variant.as_str()) {
        ("i386", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64" | "amd64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "8" | "v8" | "v8.0") => ("arm64", ""),
        ("aarch64" | "arm64", "9" | "9.0" | "v9.0") => ("arm64", "v9"),
        ("aarch64" | "arm64", variant) => ("arm64", variant),
        ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
        ("armel", _) | ("arm", "6") => ("arm", "v6"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "8") => ("arm", "v8"),
        other => other,
    };
    (architecture.to_owned(), variant.to_owned())
}

/// The values of Go's `GOOS`.
pub(super) fn is_known_os(os: &str) -> bool {
    const KNOWN: &[&str] = &[
        "aix",
        "android",
        "darwin",
        "dragonfly",
        "freebsd",
        "hurd",
        "illumos",
        "ios",
        "js",
        "linux",
        "nacl",
        "netbsd",
        "openbsd",
        "plan9",
        "solaris",
        "windows",
        "zos",
    ];
    KNOWN.contains(&os)
}

/// The values of Go's `GOARCH`, those it only reserves included.
pub(super) fn is_known_architecture(architecture: &str) -> bool {
    const KNOWN: &[&str] = &[
        "386",
        "amd64",
        "amd64p32",
        "arm",
        "arm64",
        "arm64be",
        "armbe",
        "loong64",
        "mips",
        "mips64",
        "mips64le",
        "mips64p32",
        "mips64p32le",
        "mipsle",
        "ppc",
        "ppc64",
        "ppc64le",
        "riscv",
        "riscv64",
        "s390",
        "s390x",
        "sparc",
        "sparc64",
        "wasm",
    ];
    KNOWN.contains(&architecture)
}

/// The architecture this program was built for, in Go's words, with its variant if it has any.
pub(super) fn host_architecture() -> (&'static str, Option<&'static str>) {
    let little = cfg!(target_endian = "little");
    match std::env::consts::ARCH {
        "x86" => ("386", None),
        "x86_64" => ("amd64", None),
        "arm" => ("arm", Some("v7")),
        "aarch64" => ("arm64", Some("v8")),
        "loongarch64" => ("loong64", None),
        "mips" => (if little { "mipsle" } else { "mips" }, None),
        "mips64" => (if little { "mips64le" } else { "mips64" }, None),
        "powerpc" => ("ppc", None),
        "powerpc64" => (if little { "ppc64le" } else { "ppc64" }, None),
        "riscv32" => ("riscv", None),
        "wasm32" => ("wasm", None),
        other => (other, None),
    }
}
