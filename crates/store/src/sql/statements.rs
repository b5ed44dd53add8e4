//! Every fixed statement, in one registry: a test of each engine prepares all of them.
//!
//! Statements that depend on the shape of a question are built in [`super::content`].

/// A statement. Its name serves messages and caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    pub name: &'static str,
    pub sql: &'static str,
}

macro_rules! statements {
    ($($(#[$meta:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$meta])* pub const $name: Statement = Statement { name: stringify!($name), sql: $sql };)*

        /// All of them.
        pub const ALL: &[Statement] = &[$($name),*];
    };
}

macro_rules! entry_columns {
    () => {
        "revision, format, at_ms, commit_id, class, action, actor_kind, actor_id, actor_token, business_id, subjects, \
         narrows, body, salt, digest, prev, business_prev, hash"
    };
}

macro_rules! content_columns {
    () => {
        "id, kind, asset_id, parent_id, status, sort_at, created_at, updated_at, version, body"
    };
}

macro_rules! job_columns {
    () => {
        "id, kind, due_at, payload, attempts, lease_until, holder"
    };
}

macro_rules! refusal_columns {
    () => {
        "trace, at_ms, business_id, token_id, reason, body"
    };
}

pub(crate) use content_columns;

statements! {
    /// The format of the data; no row in a new store.
    META_FORMAT = "SELECT value FROM meta WHERE name = 'format'";
    SET_META_FORMAT = "INSERT INTO meta (name, value) VALUES ('format', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    MIGRATIONS = "SELECT number, checksum FROM migrations ORDER BY number";
    INSERT_MIGRATION = "INSERT INTO migrations (number, checksum) VALUES ($1, $2)";

    /// An engine with several writers adds its words for locking the row.
    HEAD = "SELECT revision, hash, last_narrowing FROM head WHERE id = 1";
    SET_HEAD = "UPDATE head SET revision = $1, hash = $2, last_narrowing = $3 WHERE id = 1";
    BUSINESS_HEAD = "SELECT hash FROM business_heads WHERE business_id = $1";
    SET_BUSINESS_HEAD = "INSERT INTO business_heads (business_id, revision, hash) VALUES ($1, $2, $3) \
        ON CONFLICT (business_id) DO UPDATE SET revision = excluded.revision, hash = excluded.hash";
    INSERT_ENTRY = concat!("INSERT INTO ledger (", entry_columns!(), ") \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)");
    TAIL = concat!("SELECT ", entry_columns!(), " FROM ledger WHERE revision > $1 ORDER BY revision LIMIT $2");
    TAIL_OF = concat!("SELECT ", entry_columns!(), " FROM ledger WHERE business_id = $1 AND revision > $2 ORDER BY revision LIMIT $3");
    /// Revision and hash of the newest entry, to compare with the head.
    NEWEST_ENTRY = "SELECT revision, hash FROM ledger ORDER BY revision DESC LIMIT 1";
    /// One row; both columns NULL when the commit wrote nothing.
    OUTCOME = "SELECT MIN(revision), MAX(revision) FROM ledger WHERE commit_id = $1";

    UPSERT_TERMS = "INSERT INTO terms (id, version, body) VALUES (1, $1, $2) \
        ON CONFLICT (id) DO UPDATE SET version = excluded.version, body = excluded.body";
    DELETE_TERMS = "DELETE FROM terms WHERE id = 1";
    LOAD_TERMS = "SELECT version, body FROM terms WHERE id = 1";

    UPSERT_DECLARED_KIND = "INSERT INTO declared_kinds (kind, word, title, tasks) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (kind) DO UPDATE SET word = excluded.word, title = excluded.title, tasks = excluded.tasks";
    DELETE_DECLARED_KIND = "DELETE FROM declared_kinds WHERE kind = $1";
    LOAD_DECLARED_KINDS = "SELECT kind, word, title, tasks FROM declared_kinds ORDER BY kind";

    UPSERT_BUSINESS = "INSERT INTO businesses (id, name, created_at, accepted_version, accepted_by, accepted_at, \
        limit_admin_system_users, limit_employee_system_users, limit_people, limit_apps, limit_assets, \
        limit_tokens_per_system_user, strict_visibility, token_lifetime_limit_s) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, created_at = excluded.created_at, \
        accepted_version = excluded.accepted_version, accepted_by = excluded.accepted_by, accepted_at = excluded.accepted_at, \
        limit_admin_system_users = excluded.limit_admin_system_users, \
        limit_employee_system_users = excluded.limit_employee_system_users, limit_people = excluded.limit_people, \
        limit_apps = excluded.limit_apps, limit_assets = excluded.limit_assets, \
        limit_tokens_per_system_user = excluded.limit_tokens_per_system_user, \
        strict_visibility = excluded.strict_visibility, token_lifetime_limit_s = excluded.token_lifetime_limit_s";
    DELETE_BUSINESS = "DELETE FROM businesses WHERE id = $1";
    LOAD_BUSINESSES = "SELECT id, name, created_at, accepted_version, accepted_by, accepted_at, limit_admin_system_users, \
        limit_employee_system_users, limit_people, limit_apps, limit_assets, limit_tokens_per_system_user, strict_visibility, \
        token_lifetime_limit_s FROM businesses ORDER BY id";

    UPSERT_PERSON = "INSERT INTO people (id, business_id, name, email, role, status, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET business_id = excluded.business_id, \
        name = excluded.name, email = excluded.email, role = excluded.role, status = excluded.status, \
        created_at = excluded.created_at";
    DELETE_PERSON = "DELETE FROM people WHERE id = $1";
    LOAD_PEOPLE = "SELECT id, business_id, name, email, role, status, created_at FROM people ORDER BY id";

    UPSERT_SYSTEM_USER = "INSERT INTO system_users (id, business_id, name, role, status, created_at, created_by) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET business_id = excluded.business_id, \
        name = excluded.name, role = excluded.role, status = excluded.status, created_at = excluded.created_at, \
        created_by = excluded.created_by";
    DELETE_SYSTEM_USER = "DELETE FROM system_users WHERE id = $1";
    LOAD_SYSTEM_USERS = "SELECT id, business_id, name, role, status, created_at, created_by FROM system_users ORDER BY id";

    UPSERT_APP = "INSERT INTO apps (id, business_id, name, created_at, secret, previous_secret, previous_until, \
        allowed_scopes, demands_proof) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
        ON CONFLICT (id) DO UPDATE SET business_id = excluded.business_id, name = excluded.name, \
        created_at = excluded.created_at, secret = excluded.secret, previous_secret = excluded.previous_secret, \
        previous_until = excluded.previous_until, allowed_scopes = excluded.allowed_scopes, \
        demands_proof = excluded.demands_proof";
    DELETE_APP = "DELETE FROM apps WHERE id = $1";
    LOAD_APPS = "SELECT id, business_id, name, created_at, secret, previous_secret, previous_until, allowed_scopes, \
        demands_proof FROM apps ORDER BY id";

    UPSERT_CONNECTION = "INSERT INTO connections (business_id, app_id, created_at) VALUES ($1, $2, $3) \
        ON CONFLICT (business_id, app_id) DO UPDATE SET created_at = excluded.created_at";
    DELETE_CONNECTION = "DELETE FROM connections WHERE business_id = $1 AND app_id = $2";
    LOAD_CONNECTIONS = "SELECT business_id, app_id, created_at FROM connections ORDER BY business_id, app_id";

    UPSERT_INSTALLATION = "INSERT INTO installations (system_user_id, app_id, business_id, created_at) \
        VALUES ($1, $2, $3, $4) ON CONFLICT (system_user_id, app_id) DO UPDATE SET business_id = excluded.business_id, \
        created_at = excluded.created_at";
    DELETE_INSTALLATION = "DELETE FROM installations WHERE system_user_id = $1 AND app_id = $2";
    LOAD_INSTALLATIONS = "SELECT system_user_id, app_id, business_id, created_at FROM installations \
        ORDER BY system_user_id, app_id";

    UPSERT_ASSET = "INSERT INTO assets (id, kind, business_id, name, created_at) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, business_id = excluded.business_id, name = excluded.name, \
        created_at = excluded.created_at";
    DELETE_ASSET = "DELETE FROM assets WHERE id = $1";
    LOAD_ASSETS = "SELECT id, kind, business_id, name, created_at FROM assets ORDER BY id";

    UPSERT_SHARE = "INSERT INTO shares (asset_id, partner_id, tasks, created_at, created_by) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (asset_id, partner_id) DO UPDATE SET tasks = excluded.tasks, created_at = excluded.created_at, \
        created_by = excluded.created_by";
    DELETE_SHARE = "DELETE FROM shares WHERE asset_id = $1 AND partner_id = $2";
    LOAD_SHARES = "SELECT asset_id, partner_id, tasks, created_at, created_by FROM shares ORDER BY asset_id, partner_id";

    UPSERT_ASSIGNMENT = "INSERT INTO assignments (user_id, asset_id, business_id, tasks, created_at, created_by) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (user_id, asset_id) DO UPDATE SET business_id = excluded.business_id, \
        tasks = excluded.tasks, created_at = excluded.created_at, created_by = excluded.created_by";
    DELETE_ASSIGNMENT = "DELETE FROM assignments WHERE user_id = $1 AND asset_id = $2";
    LOAD_ASSIGNMENTS = "SELECT user_id, asset_id, business_id, tasks, created_at, created_by FROM assignments \
        ORDER BY user_id, asset_id";

    UPSERT_TOKEN = "INSERT INTO tokens (id, digest, kind, user_id, business_id, app_id, scopes, created_at, expires_at, \
        created_by, parent_id, page_id, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
        ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, kind = excluded.kind, user_id = excluded.user_id, \
        business_id = excluded.business_id, app_id = excluded.app_id, scopes = excluded.scopes, \
        created_at = excluded.created_at, expires_at = excluded.expires_at, created_by = excluded.created_by, \
        parent_id = excluded.parent_id, page_id = excluded.page_id, revoked_at = excluded.revoked_at";
    DELETE_TOKEN = "DELETE FROM tokens WHERE id = $1";
    LOAD_TOKENS = "SELECT id, digest, kind, user_id, business_id, app_id, scopes, created_at, expires_at, created_by, \
        parent_id, page_id, revoked_at FROM tokens ORDER BY id";

    UPSERT_SIGN_IN_CODE = "INSERT INTO sign_in_codes (digest, person_id, business_id, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (digest) DO UPDATE SET person_id = excluded.person_id, \
        business_id = excluded.business_id, created_at = excluded.created_at, expires_at = excluded.expires_at";
    DELETE_SIGN_IN_CODE = "DELETE FROM sign_in_codes WHERE digest = $1";
    LOAD_SIGN_IN_CODES = "SELECT digest, person_id, business_id, created_at, expires_at FROM sign_in_codes ORDER BY digest";

    /// One row written, or none when the id is taken.
    INSERT_CONTENT = concat!("INSERT INTO contents (", content_columns!(), ") \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING");
    /// One row written, or none when the version is not `$11`.
    UPDATE_CONTENT = "UPDATE contents SET kind = $2, asset_id = $3, parent_id = $4, status = $5, sort_at = $6, \
        created_at = $7, updated_at = $8, version = $9, body = $10 WHERE id = $1 AND version = $11";
    DELETE_CONTENT = "DELETE FROM contents WHERE id = $1 AND version = $2";
    CONTENT = concat!("SELECT ", content_columns!(), " FROM contents WHERE id = $1");

    /// From behind an id on.
    CONTENTS_AFTER = concat!("SELECT ", content_columns!(), " FROM contents WHERE id > $1 ORDER BY id LIMIT $2");

    INSERT_JOB = concat!("INSERT INTO jobs (", job_columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING");
    /// Id, holder, now.
    FINISH_JOB = "DELETE FROM jobs WHERE id = $1 AND holder = $2 AND lease_until > $3";
    CANCEL_JOB = "DELETE FROM jobs WHERE id = $1";
    /// Id, time. Whoever held it holds it no longer.
    MOVE_JOB = "UPDATE jobs SET due_at = $2, lease_until = NULL, holder = NULL WHERE id = $1";
    /// Holder, until when, now, how many. The outer conditions repeat the inner ones: where two
    /// runners claim at once, the second looks at the row again once the first has committed.
    /// Rows come in no order.
    CLAIM_JOBS = concat!("UPDATE jobs SET holder = $1, lease_until = $2, attempts = attempts + 1 \
        WHERE id IN (SELECT id FROM jobs WHERE due_at <= $3 AND (lease_until IS NULL OR lease_until <= $3) \
        ORDER BY due_at, id LIMIT $4) AND due_at <= $3 AND (lease_until IS NULL OR lease_until <= $3) \
        RETURNING ", job_columns!());
    /// One row, one column, NULL when there is no job.
    NEXT_JOB_AT = "SELECT MIN(t) FROM (SELECT MIN(due_at) AS t FROM jobs WHERE lease_until IS NULL UNION ALL \
        SELECT MIN(CASE WHEN lease_until > due_at THEN lease_until ELSE due_at END) AS t FROM jobs \
        WHERE lease_until IS NOT NULL) AS times";

    ADD_USE = "INSERT INTO token_uses (token_id, used_at, ip, uses) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (token_id) DO UPDATE SET \
        ip = CASE WHEN excluded.used_at >= token_uses.used_at THEN excluded.ip ELSE token_uses.ip END, \
        used_at = CASE WHEN excluded.used_at >= token_uses.used_at THEN excluded.used_at ELSE token_uses.used_at END, \
        uses = token_uses.uses + excluded.uses";

    ADD_REFUSAL = concat!("INSERT INTO refusals (", refusal_columns!(), ") VALUES ($1, $2, $3, $4, $5, $6) \
        ON CONFLICT (trace) DO UPDATE SET at_ms = excluded.at_ms, business_id = excluded.business_id, \
        token_id = excluded.token_id, reason = excluded.reason, body = excluded.body");
    PRUNE_REFUSALS_BY_AGE = "DELETE FROM refusals WHERE at_ms < $1";
    /// Removes all but the `$1` newest.
    PRUNE_REFUSALS_BY_COUNT = "DELETE FROM refusals WHERE (at_ms, trace) <= \
        (SELECT at_ms, trace FROM refusals ORDER BY at_ms DESC, trace DESC LIMIT 1 OFFSET $1)";
    REFUSAL = concat!("SELECT ", refusal_columns!(), " FROM refusals WHERE trace = $1");
    REFUSALS = concat!("SELECT ", refusal_columns!(), " FROM refusals ORDER BY at_ms DESC, trace DESC LIMIT $1");
    REFUSALS_OF = concat!("SELECT ", refusal_columns!(), " FROM refusals WHERE business_id = $1 \
        ORDER BY at_ms DESC, trace DESC LIMIT $2");

    KEYS = "SELECT key_id, master_id, bytes FROM data_keys ORDER BY key_id";
    DELETE_KEYS = "DELETE FROM data_keys";
    INSERT_KEY = "INSERT INTO data_keys (key_id, master_id, bytes) VALUES ($1, $2, $3)";

    /// Holder, until when, now by the store's clock. No row is written while another holds it.
    HOLD_LEASE = "INSERT INTO node_lease (id, holder, until_ms) VALUES (1, $1, $2) \
        ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms \
        WHERE node_lease.holder = excluded.holder OR node_lease.until_ms <= $3";
    LEASE = "SELECT holder, until_ms FROM node_lease WHERE id = 1";
    RELEASE_LEASE = "DELETE FROM node_lease WHERE id = 1 AND holder = $1";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_numbers_its_parameters_from_one_without_gaps() {
        for statement in ALL {
            let mut numbers: Vec<usize> = statement
                .sql
                .split('$')
                .skip(1)
                .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap())
                .collect();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>(), "{}", statement.name);
        }
    }
}
