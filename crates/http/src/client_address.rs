//! The client's address behind a proxy. `X-Forwarded-For` is read only from
//! proxies that the operator named, and only up to the first entry that no
//! named proxy has added. The `Forwarded` header is never read.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use http::HeaderMap;
use thiserror::Error;

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// A network: an address and how many of its leading bits count.
///
/// It is written here because a strict parser and a comparison of masked integers don't justify a
/// dependency. IPv4-mapped IPv6 networks become IPv4 ones, as addresses do; so `::/0` does not
/// cover IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cidr {
    address: IpAddr,
    prefix_bits: u8,
}

/// Why a text is not a network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CidrError {
    /// The part before the slash is not an address.
    #[error("{0:?} is not an IP address or network: write for example 10.0.0.0/8, 192.0.2.7 or fd00::/8")]
    Address(String),
    /// The part after the slash is not a number that fits.
    #[error("{0:?} has a prefix that is not a number from 0 to {1}")]
    Prefix(String, u8),
    /// Bits beyond the prefix are set, so it is unclear what was meant.
    #[error(
        "{0:?} has bits set beyond its prefix: write {1} for the network, or leave the prefix out for the one address"
    )]
    HostBits(String, Cidr),
}

impl Cidr {
    /// The network that holds this one address.
    pub fn single(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self { address, prefix_bits: width_bits(address) }
    }

    /// Whether the address lies in this network.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && mask(address, self.prefix_bits) == self.address
    }
}

fn width_bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn mask(address: IpAddr, prefix_bits: u8) -> IpAddr {
    let kept = u32::from(prefix_bits);
    match address {
        IpAddr::V4(a) => {
            let bits = u32::MAX.checked_shl(32u32.saturating_sub(kept)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(a.to_bits() & bits))
        }
        IpAddr::V6(a) => {
            let bits = u128::MAX.checked_shl(128u32.saturating_sub(kept)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(a.to_bits() & bits))
        }
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let trimmed = text.trim();
        let (address, prefix) = match trimmed.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (trimmed, None),
        };
        let written: IpAddr = address.parse().map_err(|_| CidrError::Address(trimmed.to_owned()))?;
        let Some(prefix) = prefix else {
            return Ok(Self::single(written));
        };
        let most = width_bits(written);
        let digits = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit());
        let prefix_bits = prefix
            .parse::<u8>()
            .ok()
            .filter(|bits| digits && *bits <= most)
            .ok_or_else(|| CidrError::Prefix(trimmed.to_owned(), most))?;
        let masked = mask(written, prefix_bits);
        // An IPv4-mapped network of at least the mapping's own 96 bits is the
        // IPv4 network it spells.
        let network = match (masked, masked.to_canonical()) {
            (IpAddr::V6(_), v4 @ IpAddr::V4(_)) if prefix_bits >= 96 => {
                Self { address: v4, prefix_bits: prefix_bits - 96 }
            }
            _ => Self { address: masked, prefix_bits },
        };
        if masked != written {
            return Err(CidrError::HostBits(trimmed.to_owned(), network));
        }
        Ok(network)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_bits)
    }
}

/// The proxies whose `X-Forwarded-For` is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Cidr>);

impl TrustedProxies {
    /// No proxy: the peer is the client.
    pub fn none() -> Self {
        Self::default()
    }

    /// Parses a list of networks or addresses; empty items are refused.
    pub fn parse<S: AsRef<str>>(list: impl IntoIterator<Item = S>) -> Result<Self, CidrError> {
        list.into_iter().map(|text| text.as_ref().parse()).collect::<Result<_, _>>().map(Self)
    }

    /// Whether the address is one of these proxies.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// The client's address. Each trusted hop added one entry at the right end, so
    /// the list is read from the right, for as long as the hop before is trusted.
    /// An entry that can't be read ends the walk at the last address known.
    pub fn client_ip(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if self.0.is_empty() || !self.contains(client) {
            return client;
        }
        for header in headers.get_all(X_FORWARDED_FOR).iter().rev() {
            let Ok(text) = header.to_str() else {
                return client;
            };
            for entry in text.rsplit(',') {
                let Some(address) = entry_address(entry.trim()) else {
                    return client;
                };
                client = address;
                if !self.contains(client) {
                    return client;
                }
            }
        }
        client
    }
}

/// An entry is an address, with a port as some proxies write it.
fn entry_address(entry: &str) -> Option<IpAddr> {
    if let Ok(address) = entry.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    if let Ok(socket) = entry.parse::<SocketAddr>() {
        return Some(socket.ip().to_canonical());
    }
    let inner = entry.strip_prefix('[')?.strip_suffix(']')?;
    inner.parse::<Ipv6Addr>().ok().map(|a| IpAddr::V6(a).to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_parse_or_say_what_is_wrong() {
        for (text, printed) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            (" 192.0.2.7 ", "192.0.2.7/32"),
            ("fd00::/8", "fd00::/8"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:10.1.2.3", "10.1.2.3/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(text.parse::<Cidr>().unwrap().to_string(), printed, "{text}");
        }
        for (text, error) in [
            ("", "\"\" is not an IP address"),
            ("proxy", "\"proxy\" is not an IP address"),
            ("10.0.0/8", "\"10.0.0/8\" is not an IP address"),
            ("10.0.0.0/33", "prefix that is not a number from 0 to 32"),
            ("10.0.0.0/", "prefix that is not a number"),
            ("10.0.0.0/+8", "prefix that is not a number"),
            ("10.0.0.1/8", "write 10.0.0.0/8 for the network"),
            ("::1/129", "prefix that is not a number from 0 to 128"),
        ] {
            let message = text.parse::<Cidr>().unwrap_err().to_string();
            assert!(message.contains(error), "{text}: {message}");
        }
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_other() {
        let inside = |network: &str, address: &str| network.parse::<Cidr>().unwrap().contains(address.parse().unwrap());
        assert!(inside("10.0.0.0/8", "10.255.0.1"));
        assert!(inside("10.0.0.0/8", "::ffff:10.255.0.1"));
        assert!(!inside("10.0.0.0/8", "11.0.0.1"));
        assert!(inside("0.0.0.0/0", "203.0.113.9"));
        assert!(!inside("0.0.0.0/0", "2001:db8::1"));
        assert!(!inside("::/0", "203.0.113.9"));
        assert!(inside("2001:db8::/33", "2001:db8:7fff::1"));
        assert!(!inside("2001:db8::/33", "2001:db8:8000::1"));
        assert!(inside("192.0.2.7", "192.0.2.7"));
        assert!(!inside("192.0.2.7", "192.0.2.6"));
    }

    #[test]
    fn the_list_is_read_from_the_right_through_trusted_hops_only() {
        let trusted = TrustedProxies::parse(["10.0.0.0/8", "fd00::/8"]).unwrap();
        let rows: &[(&str, &[&str], &str)] = &[
            // What an untrusted peer sends is ignored.
            ("203.0.113.9", &["1.1.1.1"], "203.0.113.9"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["1.1.1.1"], "1.1.1.1"),
            ("::ffff:10.0.0.1", &["::ffff:1.1.1.1"], "1.1.1.1"),
            // The left entries were written by the caller itself.
            ("10.0.0.1", &["9.9.9.9, 1.1.1.1"], "1.1.1.1"),
            ("10.0.0.1", &["9.9.9.9, 1.1.1.1, 10.0.0.2"], "1.1.1.1"),
            ("10.0.0.1", &["1.1.1.1", "10.0.0.2"], "1.1.1.1"),
            ("10.0.0.1", &["9.9.9.9", "1.1.1.1"], "1.1.1.1"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            // A malformed entry ends the walk.
            ("10.0.0.1", &["9.9.9.9, junk"], "10.0.0.1"),
            ("10.0.0.1", &["9.9.9.9, junk, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &["9.9.9.9, , 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            ("10.0.0.1", &["unknown"], "10.0.0.1"),
            // Ports and brackets as proxies write them.
            ("10.0.0.1", &["1.1.1.1:4711"], "1.1.1.1"),
            ("10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("10.0.0.1", &["[2001:db8::1]"], "2001:db8::1"),
            ("fd00::1", &["2001:db8::1, fd00::2"], "2001:db8::1"),
        ];
        for (peer, lines, client) in rows {
            let mut headers = HeaderMap::new();
            for line in *lines {
                headers.append(X_FORWARDED_FOR, line.parse().unwrap());
            }
            headers.append("forwarded", "for=8.8.8.8".parse().unwrap());
            let found = trusted.client_ip(peer.parse().unwrap(), &headers);
            assert_eq!(found.to_string(), *client, "{peer} {lines:?}");
        }
        let mut headers = HeaderMap::new();
        headers.append(X_FORWARDED_FOR, "1.1.1.1".parse().unwrap());
        let alone = TrustedProxies::none().client_ip("10.0.0.1".parse().unwrap(), &headers);
        assert_eq!(alone.to_string(), "10.0.0.1");
    }
}
