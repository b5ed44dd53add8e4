//! A world of a given size for measurements: businesses, system users, assets, assignments, tokens.

use valetkey_domain::app::{App, Connection, Installation, SealedSecret};
use valetkey_domain::asset::Asset;
use valetkey_domain::assignment::Assignment;
use valetkey_domain::business::Business;
use valetkey_domain::credential::{CredentialKind, CredentialText, RANDOM_BYTES};
use valetkey_domain::limits::Limits;
use valetkey_domain::system_user::SystemUser;
use valetkey_domain::token::{Token, TokenKind};
use valetkey_domain::{AssetKind, Id, IdKind, Name, Record, Role, ScopeSet, Status, TaskSet, UnixMs};

pub const NOW: UnixMs = 1_790_000_000_000;
pub const BUSINESSES: usize = 1_000;
pub const USERS: usize = 100_000;
pub const ASSETS: usize = 200_000;
/// Ten for each user: a million in all.
pub const ASSIGNED: usize = 10;

/// A splitmix step: any number to a well-mixed one, without a state.
pub fn mixed(n: u64) -> u64 {
    let mut x = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

fn id(kind: IdKind, n: usize) -> Id {
    let value = ((40_000_000_000 + n as u64 * 37) << 22) | (kind as u64) << 14 | (mixed(n as u64) & 0x3FFF);
    Id::new(value).unwrap_or(Id::MIN)
}

pub fn user(n: usize) -> Id {
    id(IdKind::SystemUser, n)
}

pub fn asset(n: usize) -> Id {
    id(IdKind::Page, n)
}

/// The assets that a user has been given.
pub fn assigned(user: usize, nth: usize) -> usize {
    let business = user % BUSINESSES;
    business + BUSINESSES * ((mixed(user as u64 * 31) as usize + nth * 17) % (ASSETS / BUSINESSES))
}

pub fn token_user(n: usize) -> usize {
    mixed(n as u64 ^ 0x77) as usize % USERS
}

/// The text of a token.
pub fn token_text(n: usize) -> CredentialText {
    let mut bytes = [0u8; RANDOM_BYTES];
    for (i, piece) in bytes.chunks_exact_mut(8).enumerate() {
        piece.copy_from_slice(&mixed((n * 3 + i) as u64).to_be_bytes());
    }
    CredentialText::from_random(CredentialKind::SystemUser, &bytes)
}

/// The record of a token: creators, parents and ends as real ones have them.
pub fn token(n: usize) -> Record {
    let user_number = token_user(n);
    let business = id(IdKind::Business, user_number % BUSINESSES);
    let scopes = ["pages_manage_posts", "pages_read_engagement", "pages_show_list"];
    let more = ["ads_read", "ads_management", "read_insights", "business_management"];
    Record::Token(Token {
        id: id(IdKind::Token, n),
        digest: token_text(n).digest(),
        kind: TokenKind::SystemUser,
        user: user(user_number),
        business,
        app: Some(id(IdKind::App, user_number % BUSINESSES)),
        scopes: ScopeSet::of(&scopes).with(ScopeSet::of(&more[..n % 5])),
        created_at: NOW - 1_000_000,
        expires_at: (n % 3 != 0).then_some(NOW + 5_184_000_000),
        created_by: Some(user(user_number % BUSINESSES)),
        parent: (n > 1000 && n % 4 == 0).then(|| id(IdKind::Token, n / 2)),
        page: None,
        revoked_at: None,
    })
}

/// Everything but the tokens.
pub fn records() -> impl Iterator<Item = Record> {
    let limits = Limits::default();
    let title = |text: String| Name::parse(&text).unwrap_or_else(|_| unreachable_name());
    let businesses = (0..BUSINESSES).map(move |b| {
        Record::Business(Business {
            id: id(IdKind::Business, b),
            name: title(format!("Business {b}")),
            created_at: NOW,
            accepted: None,
            limits,
            strict_visibility: b % 50 == 0,
            token_lifetime_limit_s: None,
        })
    });
    let users = (0..USERS).map(move |u| {
        Record::SystemUser(SystemUser {
            id: user(u),
            business: id(IdKind::Business, u % BUSINESSES),
            name: title(format!("System user {u}")),
            role: Role::Employee,
            status: Status::Active,
            created_at: NOW,
            created_by: None,
        })
    });
    let apps = (0..BUSINESSES).flat_map(move |b| {
        let (app, business) = (id(IdKind::App, b), id(IdKind::Business, b));
        let record = App {
            id: app,
            business,
            name: title(format!("App {b}")),
            created_at: NOW,
            secret: SealedSecret(vec![0; 64]),
            previous_secret: None,
            allowed_scopes: ScopeSet::all(),
            demands_proof: false,
        };
        [Record::App(record), Record::Connection(Connection { business, app, created_at: NOW })]
    });
    let installations = (0..USERS).map(|u| {
        let business = id(IdKind::Business, u % BUSINESSES);
        Record::Installation(Installation { system_user: user(u), app: id(IdKind::App, u % BUSINESSES), business, created_at: NOW })
    });
    let assets = (0..ASSETS).map(move |a| {
        Record::Asset(Asset {
            id: asset(a),
            kind: AssetKind::PAGE,
            business: Some(id(IdKind::Business, a % BUSINESSES)),
            name: title(format!("Page {a}")),
            created_at: NOW,
        })
    });
    let assignments = (0..USERS).flat_map(|u| (0..ASSIGNED).map(move |nth| assignment(u, nth)));
    businesses.chain(users).chain(apps).chain(installations).chain(assets).chain(assignments)
}

/// One assignment, with the task that the measured question asks for.
pub fn assignment(u: usize, nth: usize) -> Record {
    Record::Assignment(Assignment {
        user: user(u),
        asset: asset(assigned(u, nth)),
        business: id(IdKind::Business, u % BUSINESSES),
        tasks: TaskSet(0b10),
        created_at: NOW,
        created_by: None,
    })
}

fn unreachable_name() -> Name {
    // The names above keep the rule, so the program stops here only if the rule changed.
    std::process::exit(70)
}
