//! Migrations: numbered, append-only lists of statements that make the tables.
//!
//! A migration that was released is never edited: its checksum is kept in the data, and a data
//! set whose checksums differ is refused.

use aws_lc_rs::digest::{Context, SHA256};

use crate::StoreError;
use crate::digest::to_hex;

/// One step from a format of the data to the next.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// The format that the data has afterwards; 1 for the first.
    pub number: i64,
    /// Statements with the templates of [`super::Dialect`].
    pub statements: &'static [&'static str],
}

impl Migration {
    /// SHA-256 of the statements before templates are filled, in hexadecimal; the same on all
    /// engines.
    pub fn checksum(&self) -> String {
        let mut context = Context::new(&SHA256);
        for statement in self.statements {
            context.update(&(statement.len() as u64).to_be_bytes());
            context.update(statement.as_bytes());
        }
        to_hex(context.finish().as_ref())
    }
}

/// Run before anything else, on every start; harmless when the tables are there.
pub const BOOTSTRAP: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS meta (name {TEXT} NOT NULL PRIMARY KEY, value BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS migrations (number {KEY}, checksum {TEXT} NOT NULL)",
    LEASE_TABLE,
];

/// The one table that is needed before the lease is held, and so before any migration runs. Its row
/// counts how often it moved and holds no time. Harmless when the table is there.
pub const LEASE_TABLE: &str = "CREATE TABLE IF NOT EXISTS lease (
    id {KEY} CHECK (id = 1), holder {TEXT} NOT NULL, counter BIGINT NOT NULL, length_ms BIGINT NOT NULL,
    released BIGINT NOT NULL)";

/// The name that holds the lease of format 1 for ever, so that a program of that format stops.
pub const NEWER_HOLDER: &str = "a newer version of valetkey";

/// The newest format that this program knows.
pub const FORMAT: i64 = 8;

/// All migrations, in order of their numbers from 1 without gaps.
pub const ALL: &[Migration] = &[
    Migration { number: 1, statements: FIRST },
    Migration { number: 2, statements: LEASE },
    Migration { number: 3, statements: JOBS },
    Migration { number: 4, statements: TELEMETRY },
    Migration { number: 5, statements: PAGE_COUNTERS },
    Migration { number: 6, statements: GUARDS },
    Migration { number: 7, statements: HUMANS },
    Migration { number: 8, statements: DELETES },
];

/// Which migrations are still to run.
///
/// `found` is the value of `format` in `meta` (none: a new store), `applied` the rows of
/// `migrations`, in any order.
///
/// # Errors
/// `Newer` when a newer program wrote the data; `Corrupt` when a migration that already ran is
/// not the one of this program.
pub fn pending(found: Option<i64>, applied: &[(i64, String)]) -> Result<&'static [Migration], StoreError> {
    let found = found.unwrap_or(0);
    if found > FORMAT {
        return Err(StoreError::Newer { found, known: FORMAT });
    }
    let done = usize::try_from(found).map_err(|_| StoreError::Corrupt(format!("the data has format {found}")))?;
    let (old, new) = ALL.split_at(done.min(ALL.len()));
    for migration in old {
        let kept =
            applied.iter().find(|(number, _)| *number == migration.number).map(|(_, checksum)| checksum.as_str());
        if kept != Some(migration.checksum().as_str()) {
            return Err(StoreError::Corrupt(format!(
                "migration {} ran with another text than this program has; use the program that made this data",
                migration.number
            )));
        }
    }
    if applied.len() != old.len() {
        return Err(StoreError::Corrupt(format!(
            "{} migrations are on record, but the data has format {found}",
            applied.len()
        )));
    }
    Ok(new)
}

const FIRST: &[&str] = &[
    // One row. `hash` is NULL before the first entry.
    "CREATE TABLE head (id {KEY} CHECK (id = 1), revision BIGINT NOT NULL, hash {BLOB}, last_narrowing BIGINT NOT NULL)",
    "INSERT INTO head (id, revision, hash, last_narrowing) VALUES (1, 0, NULL, 0)",
    "CREATE TABLE ledger (
        revision {KEY}, format BIGINT NOT NULL, at_ms BIGINT NOT NULL, commit_id {BLOB} NOT NULL, class {TEXT} NOT NULL,
        action {TEXT} NOT NULL, actor_kind {TEXT} NOT NULL, actor_id BIGINT, actor_token BIGINT, business_id BIGINT,
        subjects {TEXT} NOT NULL, narrows BIGINT NOT NULL, body {TEXT}, salt {BLOB} NOT NULL, digest {BLOB} NOT NULL,
        prev {BLOB} NOT NULL, business_prev {BLOB} NOT NULL, hash {BLOB} NOT NULL)",
    "CREATE INDEX ledger_business ON ledger (business_id, revision)",
    "CREATE INDEX ledger_commit ON ledger (commit_id)",
    "CREATE TABLE business_heads (business_id {KEY}, revision BIGINT NOT NULL, hash {BLOB} NOT NULL)",
    // Authority records.
    "CREATE TABLE terms (id {KEY} CHECK (id = 1), version BIGINT NOT NULL, body {TEXT} NOT NULL)",
    "CREATE TABLE declared_kinds (kind {KEY}, word {TEXT} NOT NULL UNIQUE, title {TEXT} NOT NULL, tasks {TEXT} NOT NULL)",
    "CREATE TABLE businesses (
        id {KEY}, name {TEXT} NOT NULL, created_at BIGINT NOT NULL, accepted_version BIGINT, accepted_by BIGINT,
        accepted_at BIGINT, limit_admin_system_users BIGINT NOT NULL, limit_employee_system_users BIGINT NOT NULL,
        limit_people BIGINT NOT NULL, limit_apps BIGINT NOT NULL, limit_assets BIGINT NOT NULL,
        limit_tokens_per_system_user BIGINT NOT NULL, strict_visibility BIGINT NOT NULL, token_lifetime_limit_s BIGINT)",
    "CREATE TABLE people (
        id {KEY}, business_id BIGINT NOT NULL REFERENCES businesses (id), name {TEXT} NOT NULL, email {TEXT} NOT NULL,
        role {TEXT} NOT NULL, status {TEXT} NOT NULL, created_at BIGINT NOT NULL)",
    "CREATE UNIQUE INDEX people_email ON people (business_id, email) WHERE status <> 'DELETED'",
    "CREATE TABLE system_users (
        id {KEY}, business_id BIGINT NOT NULL REFERENCES businesses (id), name {TEXT} NOT NULL, role {TEXT} NOT NULL,
        status {TEXT} NOT NULL, created_at BIGINT NOT NULL, created_by BIGINT)",
    "CREATE TABLE apps (
        id {KEY}, business_id BIGINT NOT NULL REFERENCES businesses (id), name {TEXT} NOT NULL, created_at BIGINT NOT NULL,
        secret {BLOB} NOT NULL, previous_secret {BLOB}, previous_until BIGINT, allowed_scopes BIGINT NOT NULL,
        demands_proof BIGINT NOT NULL)",
    "CREATE TABLE connections (
        business_id BIGINT NOT NULL REFERENCES businesses (id), app_id BIGINT NOT NULL REFERENCES apps (id),
        created_at BIGINT NOT NULL, PRIMARY KEY (business_id, app_id)) {COMPACT}",
    "CREATE TABLE installations (
        system_user_id BIGINT NOT NULL REFERENCES system_users (id), app_id BIGINT NOT NULL REFERENCES apps (id),
        business_id BIGINT NOT NULL, created_at BIGINT NOT NULL, PRIMARY KEY (system_user_id, app_id)) {COMPACT}",
    "CREATE TABLE assets (
        id {KEY}, kind BIGINT NOT NULL, business_id BIGINT REFERENCES businesses (id), name {TEXT} NOT NULL,
        created_at BIGINT NOT NULL)",
    "CREATE TABLE shares (
        asset_id BIGINT NOT NULL, partner_id BIGINT NOT NULL REFERENCES businesses (id), tasks BIGINT NOT NULL,
        created_at BIGINT NOT NULL, created_by BIGINT, PRIMARY KEY (asset_id, partner_id)) {COMPACT}",
    "CREATE TABLE assignments (
        user_id BIGINT NOT NULL, asset_id BIGINT NOT NULL, business_id BIGINT NOT NULL REFERENCES businesses (id),
        tasks BIGINT NOT NULL, created_at BIGINT NOT NULL, created_by BIGINT, PRIMARY KEY (user_id, asset_id)) {COMPACT}",
    "CREATE TABLE tokens (
        id {KEY}, digest {BLOB} NOT NULL UNIQUE, kind {TEXT} NOT NULL, user_id BIGINT NOT NULL,
        business_id BIGINT NOT NULL REFERENCES businesses (id), app_id BIGINT, scopes BIGINT NOT NULL,
        created_at BIGINT NOT NULL, expires_at BIGINT, created_by BIGINT, parent_id BIGINT, page_id BIGINT,
        revoked_at BIGINT)",
    "CREATE TABLE sign_in_codes (
        digest {BLOB} NOT NULL PRIMARY KEY, person_id BIGINT NOT NULL REFERENCES people (id), business_id BIGINT NOT NULL,
        created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL)",
    // Content and jobs.
    "CREATE TABLE contents (
        id {KEY}, kind BIGINT NOT NULL, asset_id BIGINT NOT NULL, parent_id BIGINT NOT NULL, status {TEXT} NOT NULL,
        sort_at BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, version BIGINT NOT NULL,
        body {TEXT} NOT NULL)",
    "CREATE INDEX contents_list ON contents (parent_id, kind, sort_at, id)",
    "CREATE TABLE jobs (
        id {KEY}, kind {TEXT} NOT NULL, due_at BIGINT NOT NULL, payload {TEXT} NOT NULL, attempts BIGINT NOT NULL,
        lease_until BIGINT, holder {TEXT})",
    "CREATE INDEX jobs_free ON jobs (due_at, id) WHERE lease_until IS NULL",
    "CREATE INDEX jobs_held ON jobs (lease_until, due_at, id) WHERE lease_until IS NOT NULL",
    // Telemetry, keys, the node.
    "CREATE TABLE token_uses (token_id {KEY}, used_at BIGINT NOT NULL, ip {TEXT} NOT NULL, uses BIGINT NOT NULL)",
    "CREATE TABLE refusals (
        trace {TEXT} NOT NULL PRIMARY KEY, at_ms BIGINT NOT NULL, business_id BIGINT, token_id BIGINT,
        reason {TEXT} NOT NULL, body {TEXT} NOT NULL)",
    "CREATE INDEX refusals_at ON refusals (at_ms, trace)",
    "CREATE INDEX refusals_business ON refusals (business_id, at_ms, trace)",
    "CREATE TABLE data_keys (key_id {KEY}, master_id {TEXT} NOT NULL, bytes {BLOB} NOT NULL)",
    "CREATE TABLE node_lease (id {KEY} CHECK (id = 1), holder {TEXT} NOT NULL, until_ms BIGINT NOT NULL)",
];

/// The lease of format 1 was timed by the database's clock. Nobody may take it any more; the lease
/// now is in [`LEASE_TABLE`]. If a program of format 1 holds the old one, this fails.
const LEASE: &[&str] = &["INSERT INTO node_lease (id, holder, until_ms)
    SELECT 1, 'a newer version of valetkey', 9223372036854775807
    WHERE NOT EXISTS (SELECT 1 FROM node_lease WHERE holder = 'a newer version of valetkey')"];

/// Jobs: their digest, their last attempt.
const JOBS: &[&str] = &[
    // The actor that it runs as, and the entry that made it or changed it last; NULL in older rows.
    "ALTER TABLE jobs ADD COLUMN actor_kind {TEXT}",
    "ALTER TABLE jobs ADD COLUMN actor_id BIGINT",
    "ALTER TABLE jobs ADD COLUMN actor_token BIGINT",
    "ALTER TABLE jobs ADD COLUMN revision BIGINT",
    "ALTER TABLE jobs ADD COLUMN state {TEXT} NOT NULL DEFAULT 'waiting'",
    "ALTER TABLE jobs ADD COLUMN not_before BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE jobs ADD COLUMN reason {TEXT}",
    "ALTER TABLE jobs ADD COLUMN tried_at BIGINT",
    "UPDATE jobs SET not_before = due_at",
    "DROP INDEX jobs_free",
    "DROP INDEX jobs_held",
    "CREATE INDEX jobs_waiting ON jobs (kind, not_before, id) WHERE state = 'waiting'",
    "CREATE INDEX jobs_held ON jobs (kind, lease_until) WHERE state = 'waiting' AND lease_until IS NOT NULL",
    // The newest entry about a job is found by its first subject, which the chain's hashes cover. An
    // id has at most 19 digits, and a comma follows.
    "CREATE INDEX ledger_about ON ledger (substr(subjects || ',', 1, 20), revision) WHERE class = 'content'",
];

/// Refusals by source, and uses by scope, asset and task.
const TELEMETRY: &[&str] = &[
    // Where it came from: a token, an address, or a network of addresses. Old rows without a token
    // share one source.
    "ALTER TABLE refusals ADD COLUMN source {TEXT} NOT NULL DEFAULT ''",
    "UPDATE refusals SET source = 'token ' || token_id WHERE token_id IS NOT NULL",
    // Rows over a quota are dropped now: so far, calls without a token could fill the table.
    "DELETE FROM refusals WHERE trace IN (SELECT trace FROM (SELECT trace, business_id, ROW_NUMBER() OVER
        (PARTITION BY business_id, source ORDER BY at_ms DESC, trace DESC) AS place FROM refusals) AS placed
        WHERE place > CASE WHEN business_id IS NULL THEN 10000 ELSE 2000 END)",
    "CREATE INDEX refusals_source ON refusals ((COALESCE(business_id, 0)), source, at_ms, trace)",
    // How many rows each holds. Owner 0 is nobody: rows without a business.
    "CREATE TABLE refusal_sources (
        owner BIGINT NOT NULL, source {TEXT} NOT NULL, held BIGINT NOT NULL, oldest BIGINT NOT NULL,
        PRIMARY KEY (owner, source)) {COMPACT}",
    "CREATE INDEX refusal_sources_held ON refusal_sources (owner, held DESC, oldest, source)",
    "CREATE TABLE refusal_owners (owner {KEY}, held BIGINT NOT NULL)",
    "CREATE INDEX refusal_owners_held ON refusal_owners (held DESC, owner)",
    "CREATE TABLE refusal_total (id {KEY} CHECK (id = 1), held BIGINT NOT NULL, changes BIGINT NOT NULL)",
    "INSERT INTO refusal_sources (owner, source, held, oldest)
        SELECT COALESCE(business_id, 0), source, COUNT(*), MIN(at_ms) FROM refusals GROUP BY COALESCE(business_id, 0), source",
    "INSERT INTO refusal_owners (owner, held)
        SELECT COALESCE(business_id, 0), COUNT(*) FROM refusals GROUP BY COALESCE(business_id, 0)",
    "INSERT INTO refusal_total (id, held, changes) SELECT 1, COUNT(business_id), 0 FROM refusals",
    // What tokens are used for. A scope or task of -1 and an asset of 0 mean none. A scope of -2 is the
    // row of all uses that have no row of their own.
    "CREATE TABLE token_usage (
        token_id BIGINT NOT NULL, day BIGINT NOT NULL, scope BIGINT NOT NULL, asset_id BIGINT NOT NULL,
        task BIGINT NOT NULL, first_at BIGINT NOT NULL, last_at BIGINT NOT NULL, ip {TEXT} NOT NULL,
        user_agent {TEXT} NOT NULL, uses BIGINT NOT NULL,
        PRIMARY KEY (token_id, day, scope, asset_id, task)) {COMPACT}",
    "CREATE INDEX token_usage_day ON token_usage (day)",
];

/// How often the page tokens of a parent were taken away.
const PAGE_COUNTERS: &[&str] = &[
    // It refers to no token: a counter outlives the row of its parent.
    "CREATE TABLE page_counters (
        parent_id BIGINT NOT NULL, page_id BIGINT NOT NULL, counter BIGINT NOT NULL, PRIMARY KEY (parent_id, page_id)) {COMPACT}",
];

/// The fields that a right depends on have an index of their own, so it is decided before a body is read.
const GUARDS: &[&str] = &["CREATE INDEX contents_guard ON contents (id, kind, asset_id)"];

/// Humans behind people, their passkeys; what tokens and system users are for; sessions; tickets. No row is
/// rewritten: people get their human when a sign-in code is next made for them.
const HUMANS: &[&str] = &[
    "CREATE TABLE humans (
        id {KEY}, email {TEXT} NOT NULL UNIQUE, handle {BLOB} NOT NULL, password {BLOB}, totp_seed {BLOB},
        totp_last_step BIGINT, totp_confirmed_at BIGINT, recovery_codes {BLOB} NOT NULL, created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL)",
    "CREATE TABLE passkeys (
        id {KEY}, human_id BIGINT NOT NULL REFERENCES humans (id), credential {BLOB} NOT NULL UNIQUE,
        name {TEXT} NOT NULL, data {TEXT} NOT NULL, created_at BIGINT NOT NULL, last_used_at BIGINT)",
    "CREATE INDEX passkeys_human ON passkeys (human_id)",
    "ALTER TABLE people ADD COLUMN human_id BIGINT REFERENCES humans (id)",
    "CREATE INDEX people_human ON people (human_id)",
    "ALTER TABLE system_users ADD COLUMN description {TEXT}",
    "ALTER TABLE tokens ADD COLUMN purpose {TEXT}",
    "ALTER TABLE tokens ADD COLUMN session BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE sign_in_codes ADD COLUMN created_by BIGINT",
    "CREATE TABLE tickets (
        digest {BLOB} NOT NULL PRIMARY KEY, purpose {TEXT} NOT NULL, owner_id BIGINT, body {BLOB} NOT NULL,
        created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL)",
    "CREATE INDEX tickets_end ON tickets (expires_at)",
];

/// Assets, apps and businesses can be deleted; their rows stay, marked.
const DELETES: &[&str] = &[
    "ALTER TABLE assets ADD COLUMN deleted_at BIGINT",
    "ALTER TABLE apps ADD COLUMN deleted_at BIGINT",
    "ALTER TABLE businesses ADD COLUMN deleted_at BIGINT",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_gaps_and_end_at_the_format() {
        let numbers: Vec<i64> = ALL.iter().map(|m| m.number).collect();
        assert_eq!(numbers, (1..=FORMAT).collect::<Vec<_>>());
    }

    #[test]
    fn pending_refuses_newer_edited_and_incomplete_data() {
        let good = vec![(1, ALL[0].checksum())];
        assert_eq!(pending(None, &[]).unwrap().len(), ALL.len());
        assert_eq!(pending(Some(1), &good).unwrap().len(), ALL.len() - 1);
        assert_eq!(
            pending(Some(FORMAT + 1), &good).unwrap_err(),
            StoreError::Newer { found: FORMAT + 1, known: FORMAT }
        );
        assert!(matches!(pending(Some(1), &[(1, "00".into())]), Err(StoreError::Corrupt(_))));
        assert!(matches!(pending(Some(1), &[]), Err(StoreError::Corrupt(_))));
        assert!(matches!(pending(None, &good), Err(StoreError::Corrupt(_))));
        assert!(matches!(pending(Some(-1), &[]), Err(StoreError::Corrupt(_))));
    }
}
