//! A world of a given size for measurements: businesses, system users, assets, assignments, tokens.
//!
//! Every record follows from its number alone, so that a measuring process and a server on a data
//! folder see the same world. Nothing here is secret or random, and the product must never use it.

use valetkey_domain::credential::{CredentialKind, CredentialText, RANDOM_BYTES};
use valetkey_domain::limits::Limits;
use valetkey_domain::noun::app::{App, Connection, Installation, SealedSecret};
use valetkey_domain::noun::asset::Asset;
use valetkey_domain::noun::assignment::Assignment;
use valetkey_domain::noun::business::Business;
use valetkey_domain::noun::person::Person;
use valetkey_domain::noun::system_user::SystemUser;
use valetkey_domain::noun::terms::Acceptance;
use valetkey_domain::noun::token::{Token, TokenKind};
use valetkey_domain::{
    AppId, AssetId, AssetKind, BusinessId, Id, IdKind, Name, Record, Role, ScopeSet, Status, TaskSet, UnixMs, UserId,
};

/// When everything was made: early in 2026, so that the real clock is later.
pub const MADE_AT: UnixMs = 1_770_000_000_000;
/// The time of measured decisions, before any end.
pub const NOW: UnixMs = 1_790_000_000_000;
/// When tokens end: in 2090, later than any run.
const ENDS_AT: UnixMs = 3_790_000_000_000;
/// How many assets are assigned to each system user.
pub const ASSIGNED: usize = 10;
/// Tokens of ADMIN system users have numbers from here on, above all others.
const ADMIN_TOKENS_FROM: usize = 1 << 30;
/// What a measured question asks for: the task `CREATE_CONTENT` of a Page, and the scope beside it.
pub const TASK: (&str, TaskSet) = ("CREATE_CONTENT", TaskSet(0b10));
pub const SCOPE: &str = "pages_manage_posts";

/// How many of each. Users and assets belong to the businesses in turn.
#[derive(Debug, Clone, Copy)]
pub struct World {
    pub businesses: usize,
    pub users: usize,
    pub assets: usize,
}

/// The world of the spike: a million assignments.
pub const FULL: World = World { businesses: 1_000, users: 100_000, assets: 200_000 };
/// A small world that loads quickly, for measurements that do not depend on its size.
pub const SMALL: World = World { businesses: 10, users: 1_000, assets: 2_000 };

/// A stateless splitmix step: turns any number into a well-mixed one.
pub fn mixed(n: u64) -> u64 {
    let mut x = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

fn id<Of>(kind: IdKind, n: usize) -> Id<Of> {
    let value = ((30_000_000_000 + n as u64 * 7) << 22) | (kind as u64) << 14 | (mixed(n as u64) & 0x3FFF);
    Id::new(value).unwrap_or(Id::MIN)
}

/// The text of a token.
pub fn token_text(n: usize) -> CredentialText {
    let mut bytes = [0u8; RANDOM_BYTES];
    for (i, piece) in bytes.chunks_exact_mut(8).enumerate() {
        piece.copy_from_slice(&mixed((n * 3 + i) as u64).to_be_bytes());
    }
    CredentialText::from_random(CredentialKind::SystemUser, &bytes)
}

/// The text of the token of a business's ADMIN system user.
pub fn admin_text(business: usize) -> CredentialText {
    token_text(ADMIN_TOKENS_FROM + business)
}

impl World {
    pub fn business(self, n: usize) -> BusinessId {
        id(IdKind::Business, n % self.businesses)
    }

    pub fn app(self, n: usize) -> AppId {
        id(IdKind::App, n % self.businesses)
    }

    pub fn user(self, n: usize) -> UserId {
        id(IdKind::SystemUser, n)
    }

    pub fn asset(self, n: usize) -> AssetId {
        id(IdKind::Page, n)
    }

    /// The number of the `nth` asset that is assigned to a user.
    pub fn assigned(self, user: usize, nth: usize) -> usize {
        let of_business = self.assets / self.businesses;
        let place = (mixed(user as u64 * 31) as usize % of_business + nth * 17) % of_business;
        user % self.businesses + self.businesses * place
    }

    /// The number of the user that a token is for.
    pub fn token_user(self, n: usize) -> usize {
        mixed(n as u64 ^ 0x77) as usize % self.users
    }

    /// The record of a token, with creator, parent and end like a real one.
    pub fn token(self, n: usize) -> Record {
        let user = self.token_user(n);
        let scopes = [SCOPE, "pages_read_engagement", "pages_show_list"];
        let more = ["ads_read", "ads_management", "read_insights", "business_management"];
        Record::Token(Token {
            scopes: ScopeSet::of(&scopes).with(ScopeSet::of(&more[..n % 5])),
            expires_at: (!n.is_multiple_of(3)).then_some(ENDS_AT),
            created_by: Some(self.user(user % self.businesses)),
            parent: (n > 1000 && n.is_multiple_of(4)).then(|| id(IdKind::Token, n / 2)),
            ..self.token_of(n, user)
        })
    }

    fn token_of(self, n: usize, user: usize) -> Token {
        Token {
            id: id(IdKind::Token, n),
            digest: token_text(n).digest(),
            kind: TokenKind::SystemUser,
            user: self.user(user),
            business: self.business(user),
            app: Some(self.app(user)),
            scopes: ScopeSet::all(),
            created_at: MADE_AT,
            expires_at: None,
            created_by: None,
            parent: None,
            page: None,
            revoked_at: None,
            purpose: None,
            session: false,
        }
    }

    /// Everything but the tokens, in an order in which each record finds what it refers to.
    pub fn records(self) -> impl Iterator<Item = Record> {
        let businesses = (0..self.businesses).flat_map(move |b| self.business_records(b));
        let users = (0..self.users).flat_map(move |u| self.user_records(u));
        let assets = (0..self.assets).map(move |a| {
            Record::Asset(Asset {
                id: self.asset(a),
                kind: AssetKind::Page,
                business: Some(self.business(a)),
                name: title("Page", a),
                created_at: MADE_AT,
                deleted_at: None,
            })
        });
        let assignments = (0..self.users).flat_map(move |u| (0..ASSIGNED).map(move |nth| self.assignment(u, nth)));
        businesses.chain(users).chain(assets).chain(assignments)
    }

    /// A token with every scope for the ADMIN system user of each business.
    pub fn admin_tokens(self) -> impl Iterator<Item = Record> {
        (0..self.businesses).map(move |b| Record::Token(self.token_of(ADMIN_TOKENS_FROM + b, b)))
    }

    fn business_records(self, b: usize) -> [Record; 4] {
        let (business, app, person) = (self.business(b), self.app(b), id(IdKind::Person, b));
        [
            Record::Business(Business {
                id: business,
                name: title("Business", b),
                created_at: MADE_AT,
                accepted: Some(Acceptance { version: 1, person, at: MADE_AT }),
                limits: Limits::default(),
                strict_visibility: b.is_multiple_of(50),
                token_lifetime_limit_s: None,
                deleted_at: None,
            }),
            Record::Person(Person {
                id: person,
                business,
                name: title("Person", b),
                email: format!("person{b}@example.com"),
                role: Role::Admin,
                status: Status::Active,
                created_at: MADE_AT,
                human: None,
            }),
            Record::App(App {
                id: app,
                business,
                name: title("App", b),
                created_at: MADE_AT,
                // Never opened: no measured call sends a proof.
                secret: SealedSecret(vec![0; 64]),
                previous_secret: None,
                allowed_scopes: ScopeSet::all(),
                demands_proof: false,
                deleted_at: None,
            }),
            Record::Connection(Connection { business, app, created_at: MADE_AT }),
        ]
    }

    /// The first user of each business is its ADMIN.
    fn user_records(self, u: usize) -> [Record; 2] {
        let (user, business) = (self.user(u), self.business(u));
        [
            Record::SystemUser(SystemUser {
                id: user,
                business,
                name: title("System user", u),
                role: if u < self.businesses { Role::Admin } else { Role::Employee },
                status: Status::Active,
                created_at: MADE_AT,
                created_by: None,
                description: None,
            }),
            Record::Installation(Installation { system_user: user, app: self.app(u), business, created_at: MADE_AT }),
        ]
    }

    /// One assignment, with the task that the measured question asks for.
    pub fn assignment(self, u: usize, nth: usize) -> Record {
        Record::Assignment(Assignment {
            user: self.user(u),
            asset: self.asset(self.assigned(u, nth)),
            business: self.business(u),
            tasks: TASK.1,
            created_at: MADE_AT,
            created_by: None,
        })
    }
}

/// A name with a number.
pub fn title(what: &str, n: usize) -> Name {
    // These names are valid, so the program stops here only if the rule for names has changed.
    Name::parse(&format!("{what} {n}")).unwrap_or_else(|_| std::process::exit(70))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_records_have_one_key() {
        let records = SMALL.records().chain(SMALL.admin_tokens()).chain((0..5_000).map(|n| SMALL.token(n)));
        let mut keys = HashSet::new();
        let mut digests = HashSet::new();
        for record in records {
            assert!(keys.insert(record.key()), "{record:?}");
            if let Record::Token(token) = record {
                assert!(digests.insert(token.digest));
            }
        }
    }

    #[test]
    fn a_user_holds_assets_of_its_business_alone() {
        for (world, user) in [(SMALL, 7), (SMALL, 999), (FULL, 12_345)] {
            for nth in 0..ASSIGNED {
                assert_eq!(world.business(user), world.business(world.assigned(user, nth)));
            }
        }
    }
}
