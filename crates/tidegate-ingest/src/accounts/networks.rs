//! Networks that an account may come from.
//!
//! Invariant: an address is compared in its own family; an IPv4 address that arrives over an IPv6
//! socket (`::ffff:192.0.2.1`) counts as IPv4.

use std::net::IpAddr;

use ipnet::IpNet;

/// Reads `192.0.2.0/24`, `2001:db8::/32` or a single address.
pub(crate) fn parse_network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// What counts as one place that connections come from: an IPv4 address, or the network of 64 bits that an
/// IPv6 address is in, because a host there has as many addresses as it likes (RFC 4291, 2.5.1).
pub(crate) fn source(peer: IpAddr) -> IpNet {
    let peer = IpNet::from(peer.to_canonical());
    let bits = peer.prefix_len().min(if peer.addr().is_ipv4() { 32 } else { 64 });
    IpNet::new(peer.addr(), bits).map_or(peer, |network| network.trunc())
}

/// Whether `peer` is in one of `networks`; an empty list means any. What is no network lets nobody
/// in.
pub(super) fn allows(networks: &[String], peer: IpAddr) -> bool {
    let peer = peer.to_canonical();
    let inside = |text: &String| parse_network(text).is_some_and(|network| network.contains(&peer));
    networks.is_empty() || networks.iter().any(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(networks: &[&str], peer: &str) -> bool {
        let networks: Vec<String> = networks.iter().map(|&text| text.to_owned()).collect();
        allows(&networks, peer.parse().unwrap())
    }

    #[test]
    fn an_address_has_to_lie_in_a_network_of_the_list() {
        assert!(check(&[], "203.0.113.9"));
        assert!(check(&["192.0.2.0/24"], "192.0.2.255"));
        assert!(!check(&["192.0.2.0/24"], "192.0.3.0"));
        assert!(check(&["192.0.2.7"], "192.0.2.7"));
        assert!(!check(&["192.0.2.7"], "192.0.2.8"));
        assert!(check(&["10.0.0.0/8", "2001:db8::/32"], "2001:db8::1"));
        assert!(!check(&["10.0.0.0/8"], "2001:db8::1"));
    }

    #[test]
    fn an_ipv4_peer_on_an_ipv6_socket_counts_as_ipv4() {
        assert!(check(&["192.0.2.0/24"], "::ffff:192.0.2.9"));
    }

    #[test]
    fn an_ipv6_host_is_one_source_whatever_its_address() {
        let of = |peer: &str| source(peer.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3::4"), "2001:db8:1:2::/64");
        assert_eq!(of("2001:db8:1:2::"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:3::"), of("2001:db8:1:2::"));
        assert_eq!(of("192.0.2.1"), "192.0.2.1/32");
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }

    #[test]
    fn a_broken_entry_lets_nobody_in() {
        assert!(!check(&["192.0.2.0/33"], "192.0.2.1"));
    }
}
