//! Which addresses a sink may call: names are resolved here, and what they resolve to is what is called.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use super::SinkError;

/// The addresses of a host. Fails when one of them belongs to this machine or network and `allow_private` is not set: a
/// name must not lead an outsider's alert to the router.
pub fn resolve(host: &str, port: u16, allow_private: bool) -> Result<Vec<SocketAddr>, SinkError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let found: Vec<SocketAddr> = match (bare, port).to_socket_addrs() {
        Ok(found) => found.collect(),
        Err(error) => return Err(SinkError::Later(format!("{host} has no address: {error}"))),
    };
    if found.is_empty() {
        return Err(SinkError::Later(format!("{host} has no address")));
    }
    match found.iter().find(|address| is_private(address.ip())) {
        Some(private) if !allow_private => Err(SinkError::Never(format!(
            "{host} is {}, an address of this machine or network; allow it in the sink's settings if that is meant",
            private.ip()
        ))),
        _ => Ok(found),
    }
}

/// Whether an address is not of the public internet.
pub fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_private_v4(ip),
        IpAddr::V6(ip) => is_private_v6(ip),
    }
}

fn is_private_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        // Carriers' shared space, protocol assignments, benchmarks.
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a == 198 && (18..20).contains(&b))
}

fn is_private_v6(ip: Ipv6Addr) -> bool {
    let parts = ip.segments();
    // Forms that carry an IPv4 address: mapped, compatible, NAT64, 6to4.
    let v4 = |high: u16, low: u16| is_private_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    if ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() {
        return true;
    }
    match parts {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => v4(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x64, 0xff9b, 1, ..] => true,
        [0x2002, high, low, ..] => v4(high, low),
        [0x2001, 0xdb8, ..] => true,
        [first, ..] => (first & 0xfe00) == 0xfc00 || (first & 0xffc0) == 0xfe80 || (first & 0xffc0) == 0xfec0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_machine_and_network_are_told_from_public_ones() {
        let private = [
            "127.0.0.1",
            "127.9.9.9",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "198.18.0.1",
            "192.0.0.8",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:7f00:1::",
            "ff02::1",
            "fec0::1",
        ];
        for text in private {
            assert!(is_private(text.parse().expect("an address")), "{text}");
        }
        for text in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::1.1.1.1", "::ffff:8.8.8.8"] {
            assert!(!is_private(text.parse().expect("an address")), "{text}");
        }
    }

    #[test]
    fn a_name_of_this_machine_is_refused_unless_allowed() {
        let refused = resolve("localhost", 80, false).expect_err("private");
        assert!(refused.to_string().contains("allow it in the sink's settings"), "{refused}");
        assert!(!refused.may_pass());
        assert!(resolve("localhost", 80, true).is_ok());
        assert!(resolve("[::1]", 80, false).is_err());
        // Other ways to write an address are read by the system as that address.
        assert!(resolve("0x7f.1", 80, false).is_err() && resolve("2130706433", 80, false).is_err());
    }
}
