//! Sources of refusals: where a refused call came from, as the quotas count it.
//!
//! A source consists only of what the server knows for sure. Nothing that a caller can choose freely,
//! such as the text of a token that does not exist, may make a new source.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use valetkey_authz::Subject;
use valetkey_domain::TokenId;

/// A source, under its business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// A token that belongs or belonged to the business.
    Token(TokenId),
    /// An IPv4 address, or the /64 network of an IPv6 address, since one customer usually has all of it.
    Address(IpAddr),
    Operator,
    /// Neither is known.
    Unknown,
}

impl Source {
    pub fn of(subject: &Subject, token: Option<TokenId>, ip: Option<IpAddr>) -> Source {
        match (subject, token, ip.map(|ip| ip.to_canonical())) {
            (Subject::Operator, ..) => Source::Operator,
            (_, Some(token), _) => Source::Token(token),
            (_, None, Some(IpAddr::V6(ip))) => Source::Address(IpAddr::V6(network(ip))),
            (_, None, Some(ip @ IpAddr::V4(_))) => Source::Address(ip),
            (_, None, None) => Source::Unknown,
        }
    }
}

fn network(ip: Ipv6Addr) -> Ipv6Addr {
    Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Token(id) => write!(f, "token {id}"),
            Source::Address(IpAddr::V4(ip)) => write!(f, "{ip}"),
            Source::Address(IpAddr::V6(ip)) => write!(f, "{ip}/64"),
            Source::Operator => f.write_str("operator"),
            Source::Unknown => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_counts_by_its_network() {
        let text = |ip: &str| Source::of(&Subject::Unknown, None, Some(ip.parse().unwrap())).to_string();
        assert_eq!(text("192.0.2.7"), "192.0.2.7");
        assert_eq!(text("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(text("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(text("2001:db8:1:2:ffff::"), "2001:db8:1:2::/64");
        assert_eq!(text("2001:db8:1:3::1"), "2001:db8:1:3::/64");
    }

    #[test]
    fn a_token_counts_as_itself_wherever_it_comes_from() {
        let ip = Some("192.0.2.7".parse().unwrap());
        assert_eq!(Source::of(&Subject::Unknown, TokenId::new(12), ip).to_string(), "token 12");
        assert_eq!(Source::of(&Subject::Unknown, None, None), Source::Unknown);
        assert_eq!(Source::of(&Subject::Operator, None, ip), Source::Operator);
    }
}
