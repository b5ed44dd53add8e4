//! One row of uses in memory, and how the program's `User-Agent` is kept.

use std::net::IpAddr;

use valetkey_domain::credential;
use valetkey_domain::{TokenId, UnixMs};
use valetkey_store::telemetry::day_of;
use valetkey_store::{Usage, UsedFor};

/// Where a use came from.
#[derive(Debug, Clone, Copy, Default)]
pub struct UsedFrom<'a> {
    pub ip: Option<IpAddr>,
    /// The program, as it names itself.
    pub user_agent: Option<&'a str>,
}

/// How much of a program's name is kept, in bytes.
pub(super) const USER_AGENT_LIMIT_BYTES: usize = 200;
/// Replaces a program's name that contains a credential.
const WITHHELD: &str = "withheld: it holds a credential";

/// The uses of a token for one right on one day.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub what: UsedFor,
    pub day: i64,
    first_at: UnixMs,
    last_at: UnixMs,
    ip: Option<IpAddr>,
    user_agent: String,
    count: i64,
    /// The last call that was counted.
    call: u64,
}

impl Row {
    pub fn new(what: UsedFor, day: i64, from: UsedFrom<'_>, now: UnixMs, call: u64) -> Row {
        let user_agent = from.user_agent.map(bounded).unwrap_or_default().to_owned();
        Row { what, day, first_at: now, last_at: now, ip: from.ip, user_agent, count: 1, call }
    }

    /// Counts a call, once.
    pub fn note(&mut self, from: UsedFrom<'_>, now: UnixMs, call: u64) {
        if self.call != call {
            self.call = call;
            self.count += 1;
        }
        self.first_at = self.first_at.min(now);
        if now < self.last_at {
            return;
        }
        self.last_at = now;
        self.ip = from.ip.or(self.ip);
        // Calls that the server makes for a token, such as jobs, have neither.
        if from.ip.is_some() || from.user_agent.is_some() {
            let user_agent = from.user_agent.map(bounded).unwrap_or_default();
            if self.user_agent != user_agent {
                self.user_agent.clear();
                self.user_agent.push_str(user_agent);
            }
        }
    }

    pub fn usage(self, token: TokenId) -> Usage {
        let Row { what, day, first_at, last_at, ip, user_agent, count, .. } = self;
        let ip = ip.map(|ip| ip.to_string()).unwrap_or_default();
        Usage { token, day, what, first_at, last_at, ip, user_agent: shown(&user_agent), count }
    }
}

/// The uses of a token that were not kept apart.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rest {
    pub count: i64,
    first_at: UnixMs,
    last_at: UnixMs,
    call: u64,
}

impl Rest {
    pub fn note(&mut self, now: UnixMs, call: u64) {
        if self.count == 0 {
            *self = Rest { count: 0, first_at: now, last_at: now, call: 0 };
        }
        if self.call != call {
            self.call = call;
            self.count += 1;
        }
        self.first_at = self.first_at.min(now);
        self.last_at = self.last_at.max(now);
    }

    /// The program is not kept here.
    pub fn row(self, ip: Option<IpAddr>) -> Row {
        let Rest { count, first_at, last_at, call } = self;
        let (what, day) = (UsedFor::Other, day_of(last_at));
        Row { what, day, first_at, last_at, ip, user_agent: String::new(), count, call }
    }
}

/// A program's name as it may be kept and shown.
pub fn program(user_agent: &str) -> String {
    shown(bounded(user_agent))
}

/// The part of a program's name that is kept.
fn bounded(user_agent: &str) -> &str {
    &user_agent[..user_agent.floor_char_boundary(USER_AGENT_LIMIT_BYTES)]
}

/// A program's name as it is stored and shown: printable ASCII alone, and never a credential.
fn shown(user_agent: &str) -> String {
    if credential::is_within(user_agent) {
        return WITHHELD.to_owned();
    }
    let printable = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    user_agent.chars().map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_program_is_bounded_and_printable() {
        assert_eq!(shown(bounded("curl/8.5.0 (x86_64)")), "curl/8.5.0 (x86_64)");
        assert_eq!(shown(bounded("a\u{1b}[31m\r\nb\u{202e}c\u{0}é")), "a?[31m??b?c??");
        let long = "é".repeat(USER_AGENT_LIMIT_BYTES);
        assert_eq!(shown(bounded(&long)), "?".repeat(USER_AGENT_LIMIT_BYTES / 2));
        assert_eq!(bounded(&format!("x{long}")).len(), USER_AGENT_LIMIT_BYTES - 1);
        let token = credential::CredentialText::from_random(credential::CredentialKind::SystemUser, &[7; 24]);
        assert_eq!(shown(&format!("my program {}", token.reveal())), WITHHELD);
    }
}
