//! Where connections may lead.
//!
//! A registry can send its clients elsewhere: by a redirect, a `Location`, a `realm`, a foreign layer's URL. Clients
//! that followed it anywhere were used to reach into the networks they run in (go-containerregistry#2193); those that
//! looked at the host name were fooled by a name that resolves to a private address (go-containerregistry#2440). So
//! the addresses are looked at after resolving, right before the connection is made to just these.
//!
//! Through a proxy there is nothing to look at: it resolves the name, in its own network, and where it leads to is for
//! those to decide who run it. What is left to decide here is decided all the same. A host that is an address is
//! refused as without a proxy, and so is one that looks like another spelling of an address (`2130706433`,
//! `0x7f.1`), for who knows how a proxy reads it. A registry behind a proxy that is named by its name counts as one of
//! the public network, which leads nowhere private. Names are not resolved here for the sake of it: where proxies are
//! needed names of the outside are often not known inside, and the proxy may well get another answer.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Which addresses may be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Any: for the registry itself, which the user named.
    Own = 0,
    /// Any but link-local ones, where clouds keep their secrets: for where a registry of a private network sends us.
    Private = 1,
    /// Only addresses of the public network: for where a registry of the public network sends us.
    Public = 2,
}

/// Whether something may read a host as an address although it is not written as one: its last label is a number, as
/// in what browsers take for addresses (URL Standard, "ends in a number checker").
pub(super) fn is_disguised(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.parse::<IpAddr>().is_ok() {
        return false;
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    match hexadecimal {
        Some(digits) => digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
        None => !last.is_empty() && last.bytes().all(|digit| digit.is_ascii_digit()),
    }
}

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Public,
    Private,
    /// Link-local, unspecified, multicast: nothing that a registry may name.
    Never,
}

impl Reach {
    pub(crate) const ALL: [Self; 3] = [Self::Own, Self::Private, Self::Public];

    /// How far one may go whom this peer sends elsewhere.
    pub(crate) fn beyond(peer: Option<Peer>) -> Self {
        match peer {
            Some(Peer(address)) if kind(address.ip()) == Kind::Public => Self::Public,
            Some(_) => Self::Private,
            // Not known: the careful answer.
            None => Self::Public,
        }
    }

    /// Whether an address may be connected to.
    pub(crate) fn admits(self, address: IpAddr) -> bool {
        match self {
            Self::Own => true,
            Self::Private => kind(address) != Kind::Never,
            Self::Public => kind(address) == Kind::Public,
        }
    }
}

fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            if v4.is_link_local() || v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast() || a >= 240
            {
                Kind::Never
            } else if v4.is_private()
                || v4.is_loopback()
                || a == 0
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (18..20).contains(&b))
            {
                Kind::Private
            } else {
                Kind::Public
            }
        }
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => kind(IpAddr::V4(v4)),
            None if v6.is_unicast_link_local() || v6.is_unspecified() || v6.is_multicast() => Kind::Never,
            // The address of a cloud's metadata service within the unique local ones.
            None if v6 == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254) => Kind::Never,
            None if v6.is_loopback() || v6.is_unique_local() || v6.segments()[0] & 0xffc0 == 0xfec0 => {
                Kind::Private
            }
            None => Kind::Public,
        },
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped, NAT64 or 6to4.
fn embedded(v6: Ipv6Addr) -> Option<std::net::Ipv4Addr> {
    if let Some(v4) = v6.to_ipv4_mapped() {
        return Some(v4);
    }
    let octets = v6.octets();
    let at = match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => 12,
        [0x2002, ..] => 2,
        _ => return None,
    };
    Some([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]].into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(reach: Reach, address: &str) -> bool {
        reach.admits(address.parse().expect("an address"))
    }

    #[test]
    fn go_containerregistry_2440_addresses_are_looked_at_whatever_their_spelling() {
        for address in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "fe80::1",
            "0.0.0.0",
            "::",
            "fd00:ec2::254",
        ] {
            assert!(admits(Reach::Own, address), "{address}");
            assert!(!admits(Reach::Private, address), "{address}");
            assert!(!admits(Reach::Public, address), "{address}");
        }
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.1.1",
            "172.16.0.1",
            "100.64.0.1",
            "::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "2002:a00:1::",
        ] {
            assert!(admits(Reach::Private, address), "{address}");
            assert!(!admits(Reach::Public, address), "{address}");
        }
        for address in [
            "1.1.1.1",
            "2606:4700::1111",
            "172.32.0.1",
            "100.128.0.1",
            "::ffff:8.8.8.8",
        ] {
            assert!(admits(Reach::Public, address), "{address}");
        }
    }

    #[test]
    fn go_containerregistry_2440_other_spellings_of_addresses_are_seen() {
        for host in [
            "2130706433",
            "0x7f.1",
            "127.1",
            "0x7f000001",
            "a.0x",
            "10.0.0.256",
            "1.",
            "017700000001",
        ] {
            assert!(is_disguised(host), "{host}");
        }
        for host in [
            "10.0.0.1",
            "::1",
            "a.example",
            "1.example",
            "0x7f.example",
            "x1",
            "",
        ] {
            assert!(!is_disguised(host), "{host}");
        }
    }

    #[test]
    fn only_private_registries_lead_into_private_networks() {
        let peer = |text: &str| Some(Peer(text.parse().expect("an address")));
        assert_eq!(Reach::beyond(peer("10.0.0.1:443")), Reach::Private);
        assert_eq!(Reach::beyond(peer("[::1]:443")), Reach::Private);
        assert_eq!(Reach::beyond(peer("1.1.1.1:443")), Reach::Public);
        assert_eq!(Reach::beyond(None), Reach::Public);
    }
}
