//! What is reached without a proxy: the list in `no_proxy`.

use std::net::IpAddr;

/// Hosts that are reached without a proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Exceptions {
    all: bool,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Network {
        address: IpAddr,
        /// The length of the prefix, in bits.
        bits: u32,
    },
    Address {
        address: IpAddr,
        port: Option<u16>,
    },
    Domain {
        /// With its leading dot, in lower case.
        suffix: String,
        /// Whether the name without the dot is meant, too.
        itself: bool,
        port: Option<u16>,
    },
}

impl Exceptions {
    /// Reads a list. As everywhere, what makes no sense in it matches nothing.
    pub(super) fn parse(text: &str) -> Self {
        let parts = text.split(|separator: char| separator == ',' || separator.is_whitespace());
        let parts = parts.filter(|part| !part.is_empty());
        Self {
            all: parts.clone().any(|part| part == "*"),
            entries: parts.filter_map(Entry::parse).collect(),
        }
    }

    /// Whether a host (an IPv6 address without brackets) is among them at a port.
    pub(super) fn cover(&self, host: &str, port: u16) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let address = host.parse::<IpAddr>().ok().map(|address| address.to_canonical());
        self.all
            || self
                .entries
                .iter()
                .any(|entry| entry.covers(&host, address, port))
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        if let Some((address, bits)) = text.split_once('/') {
            let address = address.parse::<IpAddr>().ok()?;
            let bits = bits.parse().ok().filter(|bits| *bits <= width(address))?;
            return Some(Self::Network { address, bits });
        }
        if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
            let address = address.to_canonical();
            return Some(Self::Address { address, port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (text, None),
        };
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            let address = address.to_canonical();
            return Some(Self::Address { address, port });
        }
        let host = host
            .strip_prefix('*')
            .filter(|rest| rest.starts_with('.'))
            .unwrap_or(host);
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let (suffix, itself) = if host.starts_with('.') {
            (host, false)
        } else {
            (format!(".{host}"), true)
        };
        (suffix.len() > 1).then_some(Self::Domain { suffix, itself, port })
    }

    fn covers(&self, host: &str, address: Option<IpAddr>, at: u16) -> bool {
        match self {
            Self::Network {
                address: network,
                bits,
            } => address.is_some_and(|address| is_within(address, *network, *bits)),
            Self::Address { address: own, port } => {
                address == Some(*own) && port.is_none_or(|port| port == at)
            }
            Self::Domain { suffix, itself, port } => {
                let named = host.ends_with(suffix.as_str()) || *itself && host == &suffix[1..];
                named && port.is_none_or(|port| port == at)
            }
        }
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Whether the first bits are the same.
fn is_within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let value = |address| match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    };
    let differing = value(address) ^ value(network);
    width(address) == width(network) && differing.checked_shr(width(network) - bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(list: &str, covered: &[(&str, u16)], others: &[(&str, u16)]) {
        let exceptions = Exceptions::parse(list);
        for (host, port) in covered {
            assert!(exceptions.cover(host, *port), "{list}: {host}:{port} is covered");
        }
        for (host, port) in others {
            assert!(
                !exceptions.cover(host, *port),
                "{list}: {host}:{port} is not covered"
            );
        }
    }

    #[test]
    fn names_cover_what_is_under_them() {
        let under = [("a.example.com", 443), ("b.a.example.com", 5000)];
        check(
            "example.com",
            &under,
            &[("badexample.com", 443), ("example.org", 443)],
        );
        check("example.com", &[("EXAMPLE.com", 443), ("example.com.", 80)], &[]);
        for list in [".example.com", "*.example.com", " x , .Example.COM"] {
            check(list, &under, &[("example.com", 443), ("badexample.com", 443)]);
        }
    }

    #[test]
    fn ports_narrow_names_and_addresses() {
        check(
            "example.com:5000",
            &[("example.com", 5000), ("a.example.com", 5000)],
            &[("example.com", 443)],
        );
        check(
            "10.0.0.1:80,[fd00::1]:80",
            &[("10.0.0.1", 80), ("fd00::1", 80)],
            &[("10.0.0.1", 443), ("fd00::1", 81)],
        );
        check("example.com:port", &[], &[("example.com", 80)]);
    }

    #[test]
    fn addresses_and_networks_cover_addresses_only() {
        check(
            "10.0.0.0/8 192.168.1.1,fd00::/16,[fe80::1]",
            &[
                ("10.255.0.1", 1),
                ("192.168.1.1", 1),
                ("fd00:1::", 1),
                ("fe80::1", 1),
                ("::ffff:10.1.1.1", 1),
            ],
            &[
                ("11.0.0.1", 1),
                ("192.168.1.2", 1),
                ("fd01::", 1),
                ("10.example", 1),
                ("fe80::2", 1),
            ],
        );
        check(
            "0.0.0.0/0",
            &[("8.8.8.8", 1)],
            &[("2001:db8::1", 1), ("a.example", 1)],
        );
        check("10.0.0.1/32", &[("10.0.0.1", 1)], &[("10.0.0.2", 1)]);
        check("10.0.0.0/33", &[], &[("10.0.0.0", 1)]);
    }

    #[test]
    fn a_star_covers_everything() {
        check("a.example,*", &[("b.example", 1), ("8.8.8.8", 1)], &[]);
        check("", &[], &[("b.example", 1)]);
        check(".,:80,*.,/8", &[], &[("b.example", 80), ("8.8.8.8", 1)]);
    }

    proptest! {
        #[test]
        fn no_list_breaks_it(list in "\\PC*", host in "\\PC*", port: u16) {
            Exceptions::parse(&list).cover(&host, port);
        }

        #[test]
        fn an_address_is_within_its_networks(address: [u8; 16], bits in 0u32..=128) {
            let address = IpAddr::from(address);
            prop_assert!(is_within(address, address, bits));
        }
    }
}
