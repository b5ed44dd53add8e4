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

/// The columns of a job that a write sets; the revision is set with the entry.
macro_rules! job_fields {
    () => {
        "id, kind, due_at, payload, attempts, lease_until, holder, actor_kind, actor_id, actor_token, state, \
         not_before, reason, tried_at"
    };
}

macro_rules! job_columns {
    () => {
        concat!(job_fields!(), ", revision")
    };
}

macro_rules! refusal_columns {
    () => {
        "trace, at_ms, business_id, token_id, reason, body, source"
    };
}

macro_rules! traces {
    () => {
        "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
         $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, \
         $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, \
         $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, \
         $49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, \
         $61, $62, $63, $64)"
    };
}

pub(crate) use content_columns;

statements! {
    /// The format of the data; no row in a new store.
    META_FORMAT = "SELECT value FROM meta WHERE name = 'format'";
    SET_META_FORMAT = "INSERT INTO meta (name, value) VALUES ('format', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    /// Has no meaning; shows that something can be written.
    TRY_WRITE = "INSERT INTO meta (name, value) VALUES ('settled', 1) ON CONFLICT (name) DO UPDATE SET value = meta.value + 1";
    /// What the last check of the ledger found: five numbers beside the format, written as one.
    NOTE_VERIFICATION = "INSERT INTO meta (name, value) VALUES ('verified_at', CAST($1 AS BIGINT)), \
        ('verified_revision', CAST($2 AS BIGINT)), ('verified_chain', CAST($3 AS BIGINT)), \
        ('verified_differences', CAST($4 AS BIGINT)), ('verified_unverifiable', CAST($5 AS BIGINT)) \
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    /// One row; all columns NULL before the first check.
    VERIFICATION = "SELECT (SELECT value FROM meta WHERE name = 'verified_at'), \
        (SELECT value FROM meta WHERE name = 'verified_revision'), \
        (SELECT value FROM meta WHERE name = 'verified_chain'), \
        (SELECT value FROM meta WHERE name = 'verified_differences'), \
        (SELECT value FROM meta WHERE name = 'verified_unverifiable')";
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
    /// The index of entries by business is read backwards.
    TAIL_BEFORE = concat!("SELECT ", entry_columns!(), " FROM ledger WHERE revision < $1 ORDER BY revision DESC LIMIT $2");
    TAIL_OF_BEFORE = concat!("SELECT ", entry_columns!(), " FROM ledger WHERE business_id = $1 AND revision < $2 \
        ORDER BY revision DESC LIMIT $3");
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
        limit_tokens_per_system_user, strict_visibility, token_lifetime_limit_s, deleted_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, created_at = excluded.created_at, \
        accepted_version = excluded.accepted_version, accepted_by = excluded.accepted_by, accepted_at = excluded.accepted_at, \
        limit_admin_system_users = excluded.limit_admin_system_users, \
        limit_employee_system_users = excluded.limit_employee_system_users, limit_people = excluded.limit_people, \
        limit_apps = excluded.limit_apps, limit_assets = excluded.limit_assets, \
        limit_tokens_per_system_user = excluded.limit_tokens_per_system_user, \
        strict_visibility = excluded.strict_visibility, token_lifetime_limit_s = excluded.token_lifetime_limit_s, \
        deleted_at = excluded.deleted_at";
    DELETE_BUSINESS = "DELETE FROM businesses WHERE id = $1";
    LOAD_BUSINESSES = "SELECT id, name, created_at, accepted_version, accepted_by, accepted_at, limit_admin_system_users, \
        limit_employee_system_users, limit_people, limit_apps, limit_assets, limit_tokens_per_system_user, strict_visibility, \
        token_lifetime_limit_s, deleted_at FROM businesses ORDER BY id";

    UPSERT_HUMAN = "INSERT INTO humans (id, email, handle, password, totp_seed, totp_last_step, totp_confirmed_at, \
        recovery_codes, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
        ON CONFLICT (id) DO UPDATE SET email = excluded.email, handle = excluded.handle, password = excluded.password, \
        totp_seed = excluded.totp_seed, totp_last_step = excluded.totp_last_step, \
        totp_confirmed_at = excluded.totp_confirmed_at, recovery_codes = excluded.recovery_codes, \
        created_at = excluded.created_at, updated_at = excluded.updated_at";
    DELETE_HUMAN = "DELETE FROM humans WHERE id = $1";
    LOAD_HUMANS = "SELECT id, email, handle, password, totp_seed, totp_last_step, totp_confirmed_at, recovery_codes, \
        created_at, updated_at FROM humans ORDER BY id";

    UPSERT_PASSKEY = "INSERT INTO passkeys (id, human_id, credential, name, data, created_at, last_used_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET human_id = excluded.human_id, \
        credential = excluded.credential, name = excluded.name, data = excluded.data, created_at = excluded.created_at, \
        last_used_at = excluded.last_used_at";
    DELETE_PASSKEY = "DELETE FROM passkeys WHERE id = $1";
    LOAD_PASSKEYS = "SELECT id, human_id, credential, name, data, created_at, last_used_at FROM passkeys ORDER BY id";

    UPSERT_PERSON = "INSERT INTO people (id, business_id, name, email, role, status, created_at, human_id) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET business_id = excluded.business_id, \
        name = excluded.name, email = excluded.email, role = excluded.role, status = excluded.status, \
        created_at = excluded.created_at, human_id = excluded.human_id";
    DELETE_PERSON = "DELETE FROM people WHERE id = $1";
    LOAD_PEOPLE = "SELECT id, business_id, name, email, role, status, created_at, human_id FROM people ORDER BY id";

    UPSERT_SYSTEM_USER = "INSERT INTO system_users (id, business_id, name, role, status, created_at, created_by, \
        description) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET \
        business_id = excluded.business_id, name = excluded.name, role = excluded.role, status = excluded.status, \
        created_at = excluded.created_at, created_by = excluded.created_by, description = excluded.description";
    DELETE_SYSTEM_USER = "DELETE FROM system_users WHERE id = $1";
    LOAD_SYSTEM_USERS = "SELECT id, business_id, name, role, status, created_at, created_by, description \
        FROM system_users ORDER BY id";

    UPSERT_APP = "INSERT INTO apps (id, business_id, name, created_at, secret, previous_secret, previous_until, \
        allowed_scopes, demands_proof, deleted_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
        ON CONFLICT (id) DO UPDATE SET business_id = excluded.business_id, name = excluded.name, \
        created_at = excluded.created_at, secret = excluded.secret, previous_secret = excluded.previous_secret, \
        previous_until = excluded.previous_until, allowed_scopes = excluded.allowed_scopes, \
        demands_proof = excluded.demands_proof, deleted_at = excluded.deleted_at";
    DELETE_APP = "DELETE FROM apps WHERE id = $1";
    LOAD_APPS = "SELECT id, business_id, name, created_at, secret, previous_secret, previous_until, allowed_scopes, \
        demands_proof, deleted_at FROM apps ORDER BY id";

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

    UPSERT_ASSET = "INSERT INTO assets (id, kind, business_id, name, created_at, deleted_at) VALUES ($1, $2, $3, $4, $5, $6) \
        ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, business_id = excluded.business_id, name = excluded.name, \
        created_at = excluded.created_at, deleted_at = excluded.deleted_at";
    DELETE_ASSET = "DELETE FROM assets WHERE id = $1";
    LOAD_ASSETS = "SELECT id, kind, business_id, name, created_at, deleted_at FROM assets ORDER BY id";

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
        created_by, parent_id, page_id, revoked_at, purpose, session) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
        ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, kind = excluded.kind, user_id = excluded.user_id, \
        business_id = excluded.business_id, app_id = excluded.app_id, scopes = excluded.scopes, \
        created_at = excluded.created_at, expires_at = excluded.expires_at, created_by = excluded.created_by, \
        parent_id = excluded.parent_id, page_id = excluded.page_id, revoked_at = excluded.revoked_at, \
        purpose = excluded.purpose, session = excluded.session";
    DELETE_TOKEN = "DELETE FROM tokens WHERE id = $1";
    LOAD_TOKENS = "SELECT id, digest, kind, user_id, business_id, app_id, scopes, created_at, expires_at, created_by, \
        parent_id, page_id, revoked_at, purpose, session FROM tokens ORDER BY id";

    UPSERT_PAGE_COUNTER = "INSERT INTO page_counters (parent_id, page_id, counter) VALUES ($1, $2, $3) \
        ON CONFLICT (parent_id, page_id) DO UPDATE SET counter = excluded.counter";
    DELETE_PAGE_COUNTER = "DELETE FROM page_counters WHERE parent_id = $1 AND page_id = $2";
    LOAD_PAGE_COUNTERS = "SELECT parent_id, page_id, counter FROM page_counters ORDER BY parent_id, page_id";

    UPSERT_SIGN_IN_CODE = "INSERT INTO sign_in_codes (digest, person_id, business_id, created_at, expires_at, \
        created_by) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (digest) DO UPDATE SET person_id = excluded.person_id, \
        business_id = excluded.business_id, created_at = excluded.created_at, expires_at = excluded.expires_at, \
        created_by = excluded.created_by";
    DELETE_SIGN_IN_CODE = "DELETE FROM sign_in_codes WHERE digest = $1";
    LOAD_SIGN_IN_CODES = "SELECT digest, person_id, business_id, created_at, expires_at, created_by FROM sign_in_codes \
        ORDER BY digest";

    /// One row written, or none when the id is taken.
    INSERT_CONTENT = concat!("INSERT INTO contents (", content_columns!(), ") \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING");
    /// One row written, or none when the version is not `$11`.
    UPDATE_CONTENT = "UPDATE contents SET kind = $2, asset_id = $3, parent_id = $4, status = $5, sort_at = $6, \
        created_at = $7, updated_at = $8, version = $9, body = $10 WHERE id = $1 AND version = $11";
    DELETE_CONTENT = "DELETE FROM contents WHERE id = $1 AND version = $2";
    CONTENT = concat!("SELECT ", content_columns!(), " FROM contents WHERE id = $1");

    /// Rows after an id.
    CONTENTS_AFTER = concat!("SELECT ", content_columns!(), " FROM contents WHERE id > $1 ORDER BY id LIMIT $2");

    INSERT_JOB = concat!("INSERT INTO jobs (", job_fields!(), ") \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (id) DO NOTHING");
    /// The fields of `INSERT_JOB`, the entry that must have left it, now.
    REARM_JOB = "UPDATE jobs SET kind = $2, due_at = $3, payload = $4, attempts = $5, lease_until = $6, holder = $7, \
        actor_kind = $8, actor_id = $9, actor_token = $10, state = $11, not_before = $12, reason = $13, tried_at = $14 \
        WHERE id = $1 AND revision = $15 AND (lease_until IS NULL OR lease_until <= $16)";
    /// Takes a row without an entry that is as it was read.
    ENTER_JOB = "UPDATE jobs SET actor_kind = $5, actor_id = $6, actor_token = $7, state = $8, not_before = $9 \
        WHERE id = $1 AND kind = $2 AND due_at = $3 AND payload = $4 AND revision IS NULL";
    SET_JOB_REVISION = "UPDATE jobs SET revision = $2 WHERE id = $1";
    /// Id, holder, now, the entry that left it.
    FINISH_JOB = "DELETE FROM jobs WHERE id = $1 AND holder = $2 AND lease_until > $3 AND due_at <= $3 \
        AND state = 'waiting' AND revision = $4";
    CANCEL_JOB = "DELETE FROM jobs WHERE id = $1";
    /// Holder, until when, now, how many, kind. The outer conditions repeat the inner ones: where two
    /// runners claim at once, the second looks at the row again once the first has committed.
    /// Rows come in no order.
    CLAIM_JOBS = concat!("UPDATE jobs SET holder = $1, lease_until = $2, attempts = attempts + 1 \
        WHERE id IN (SELECT id FROM jobs WHERE kind = $5 AND state = 'waiting' AND not_before <= $3 \
        AND (lease_until IS NULL OR lease_until <= $3) ORDER BY not_before, id LIMIT $4) \
        AND state = 'waiting' AND not_before <= $3 AND (lease_until IS NULL OR lease_until <= $3) \
        RETURNING ", job_columns!());
    /// Id, holder, now, until when. One row if it was held.
    RENEW_JOB = "UPDATE jobs SET lease_until = $4 WHERE id = $1 AND holder = $2 AND lease_until > $3 \
        AND state = 'waiting' RETURNING id";
    /// Id, holder, now, state, not before, reason, when. One row if it was held.
    PUT_BACK_JOB = "UPDATE jobs SET state = $4, not_before = $5, reason = $6, tried_at = $7, lease_until = NULL, \
        holder = NULL WHERE id = $1 AND holder = $2 AND lease_until > $3 AND state = 'waiting' RETURNING id";
    /// A row for each kind with a waiting job: kind, when the next free one may be tried, when the next
    /// held one is free. The kinds are found one by one, each by the index.
    NEXT_JOBS = "WITH RECURSIVE kinds (kind) AS (SELECT MIN(kind) FROM jobs WHERE state = 'waiting' UNION ALL \
        SELECT (SELECT MIN(jobs.kind) FROM jobs WHERE jobs.state = 'waiting' AND jobs.kind > kinds.kind) FROM kinds \
        WHERE kinds.kind IS NOT NULL) \
        SELECT kinds.kind, (SELECT MIN(jobs.not_before) FROM jobs WHERE jobs.kind = kinds.kind AND jobs.state = 'waiting' \
        AND jobs.lease_until IS NULL), (SELECT MIN(CASE WHEN jobs.lease_until > jobs.not_before THEN jobs.lease_until \
        ELSE jobs.not_before END) FROM jobs WHERE jobs.kind = kinds.kind AND jobs.state = 'waiting' \
        AND jobs.lease_until IS NOT NULL) FROM kinds WHERE kinds.kind IS NOT NULL LIMIT 100";
    JOB = concat!("SELECT ", job_columns!(), " FROM jobs WHERE id = $1");
    /// Rows after an id; only those in a state, if the word is not empty.
    JOBS_AFTER = concat!("SELECT ", job_columns!(), " FROM jobs WHERE id > $1 AND ($3 = '' OR state = $3) \
        ORDER BY id LIMIT $2");
    JOB_COUNTS = "SELECT kind, state, COUNT(*) FROM jobs GROUP BY kind, state ORDER BY kind, state";
    /// Entries that write content or jobs, by their first subject and what follows it: from, to, after,
    /// how many. The words are those of the index `ledger_about`.
    ENTRIES_ABOUT = concat!("SELECT ", entry_columns!(), " FROM ledger WHERE class = 'content' \
        AND substr(subjects || ',', 1, 20) >= $1 AND substr(subjects || ',', 1, 20) < $2 AND revision > $3 \
        ORDER BY revision LIMIT $4");

    ADD_USE = "INSERT INTO token_uses (token_id, used_at, ip, uses) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (token_id) DO UPDATE SET \
        ip = CASE WHEN excluded.used_at >= token_uses.used_at THEN excluded.ip ELSE token_uses.ip END, \
        used_at = CASE WHEN excluded.used_at >= token_uses.used_at THEN excluded.used_at ELSE token_uses.used_at END, \
        uses = token_uses.uses + excluded.uses";

    /// A use that has a row is added to it. A new one gets a row while the token has fewer than `$11` rows
    /// on that day; otherwise it is added to the row of all others.
    ADD_USAGE = "INSERT INTO token_usage (token_id, day, scope, asset_id, task, first_at, last_at, ip, user_agent, uses) \
        SELECT token_id, day, CASE WHEN fits = 1 THEN scope ELSE -2 END, CASE WHEN fits = 1 THEN asset_id ELSE 0 END, \
        CASE WHEN fits = 1 THEN task ELSE -1 END, first_at, last_at, ip, user_agent, uses FROM (SELECT \
        CAST($1 AS BIGINT) AS token_id, CAST($2 AS BIGINT) AS day, CAST($3 AS BIGINT) AS scope, \
        CAST($4 AS BIGINT) AS asset_id, CAST($5 AS BIGINT) AS task, CAST($6 AS BIGINT) AS first_at, \
        CAST($7 AS BIGINT) AS last_at, CAST($8 AS TEXT) AS ip, CAST($9 AS TEXT) AS user_agent, \
        CAST($10 AS BIGINT) AS uses, CASE WHEN EXISTS (SELECT 1 FROM token_usage WHERE token_id = $1 AND day = $2 \
        AND scope = $3 AND asset_id = $4 AND task = $5) OR (SELECT COUNT(*) FROM token_usage WHERE token_id = $1 \
        AND day = $2) < $11 THEN 1 ELSE 0 END AS fits) AS new_use WHERE true \
        ON CONFLICT (token_id, day, scope, asset_id, task) DO UPDATE SET \
        ip = CASE WHEN excluded.last_at >= token_usage.last_at THEN excluded.ip ELSE token_usage.ip END, \
        user_agent = CASE WHEN excluded.last_at >= token_usage.last_at THEN excluded.user_agent ELSE token_usage.user_agent END, \
        first_at = CASE WHEN excluded.first_at < token_usage.first_at THEN excluded.first_at ELSE token_usage.first_at END, \
        last_at = CASE WHEN excluded.last_at >= token_usage.last_at THEN excluded.last_at ELSE token_usage.last_at END, \
        uses = token_usage.uses + excluded.uses";
    /// Removes rows of days before `$1`, at most `$2` of them.
    PRUNE_USAGE = "DELETE FROM token_usage WHERE (token_id, day, scope, asset_id, task) IN \
        (SELECT token_id, day, scope, asset_id, task FROM token_usage WHERE day < $1 ORDER BY day LIMIT $2)";
    /// Token, first and last day, behind which row, how many.
    USAGE = "SELECT token_id, day, scope, asset_id, task, first_at, last_at, ip, user_agent, uses FROM token_usage \
        WHERE token_id = $1 AND day >= $2 AND day <= $3 AND (day, scope, asset_id, task) < ($4, $5, $6, $7) \
        ORDER BY day DESC, scope DESC, asset_id DESC, task DESC LIMIT $8";

    ADD_REFUSAL = concat!("INSERT INTO refusals (", refusal_columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7)");
    /// Runs first, so that two nodes do not count at once.
    LOCK_REFUSALS = "UPDATE refusal_total SET changes = changes + 1 WHERE id = 1";
    /// Each statement of the journal that answers has the columns owner, source, rows, oldest.
    REFUSALS_AT = concat!("SELECT COALESCE(business_id, 0), source, CAST(1 AS BIGINT), at_ms FROM refusals WHERE trace IN ", traces!());
    DELETE_REFUSALS_AT = concat!("DELETE FROM refusals WHERE trace IN ", traces!());
    AGED_REFUSALS = "SELECT owner, source, COUNT(*), MIN(at_ms) FROM (SELECT COALESCE(business_id, 0) AS owner, source, at_ms \
        FROM refusals WHERE at_ms < $1 ORDER BY at_ms, trace LIMIT $2) AS aged GROUP BY owner, source";
    DELETE_AGED_REFUSALS = "DELETE FROM refusals WHERE trace IN \
        (SELECT trace FROM refusals WHERE at_ms < $1 ORDER BY at_ms, trace LIMIT $2)";
    /// The oldest `$3` rows of a source.
    DELETE_OLDEST_REFUSALS = "DELETE FROM refusals WHERE trace IN (SELECT trace FROM refusals \
        WHERE COALESCE(business_id, 0) = $1 AND source = $2 ORDER BY at_ms, trace LIMIT $3)";
    REFUSAL_SOURCE = "SELECT owner, source, held, oldest FROM refusal_sources WHERE owner = $1 AND source = $2";
    /// Adds to the count of a source, and looks up its oldest row again.
    COUNT_SOURCE = "INSERT INTO refusal_sources (owner, source, held, oldest) VALUES ($1, $2, $3, \
        COALESCE((SELECT at_ms FROM refusals WHERE COALESCE(business_id, 0) = $1 AND source = $2 \
        ORDER BY at_ms, trace LIMIT 1), 0)) ON CONFLICT (owner, source) DO UPDATE SET \
        held = refusal_sources.held + excluded.held, oldest = excluded.oldest";
    CLEAR_SOURCE = "DELETE FROM refusal_sources WHERE owner = $1 AND source = $2 AND held <= 0";
    COUNT_OWNER = "INSERT INTO refusal_owners (owner, held) VALUES ($1, $2) \
        ON CONFLICT (owner) DO UPDATE SET held = refusal_owners.held + excluded.held";
    COUNT_BUSINESSES = "UPDATE refusal_total SET held = held + $1 WHERE id = 1";
    STRANGERS_HELD = "SELECT owner, '', held, CAST(0 AS BIGINT) FROM refusal_owners WHERE owner = 0";
    BUSINESSES_HELD = "SELECT CAST(0 AS BIGINT), '', held, CAST(0 AS BIGINT) FROM refusal_total WHERE id = 1";
    TOP_OWNERS = "SELECT owner, '', held, CAST(0 AS BIGINT) FROM refusal_owners WHERE owner <> 0 \
        ORDER BY held DESC, owner LIMIT $1";
    TOP_SOURCES = "SELECT owner, source, held, oldest FROM refusal_sources WHERE owner = $1 \
        ORDER BY held DESC, oldest, source LIMIT $2";
    REFUSAL = concat!("SELECT ", refusal_columns!(), " FROM refusals WHERE trace = $1");
    REFUSALS = concat!("SELECT ", refusal_columns!(), " FROM refusals ORDER BY at_ms DESC, trace DESC LIMIT $1");
    REFUSALS_OF = concat!("SELECT ", refusal_columns!(), " FROM refusals WHERE business_id = $1 \
        ORDER BY at_ms DESC, trace DESC LIMIT $2");

    PUT_TICKET = "INSERT INTO tickets (digest, purpose, owner_id, body, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (digest) DO UPDATE SET purpose = excluded.purpose, \
        owner_id = excluded.owner_id, body = excluded.body, created_at = excluded.created_at, \
        expires_at = excluded.expires_at";
    /// One row, or none when a ticket with this key still lives.
    PUT_NEW_TICKET = "INSERT INTO tickets (digest, purpose, owner_id, body, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (digest) DO UPDATE SET purpose = excluded.purpose, \
        owner_id = excluded.owner_id, body = excluded.body, created_at = excluded.created_at, \
        expires_at = excluded.expires_at WHERE tickets.expires_at <= excluded.created_at RETURNING created_at";
    TAKE_TICKET = "DELETE FROM tickets WHERE digest = $1 \
        RETURNING digest, purpose, owner_id, body, created_at, expires_at";
    /// Removes tickets that ended, at most `$2` of them, and gives a row for each.
    PURGE_TICKETS = "DELETE FROM tickets WHERE digest IN \
        (SELECT digest FROM tickets WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) RETURNING created_at";

    KEYS = "SELECT key_id, master_id, bytes FROM data_keys ORDER BY key_id";
    DELETE_KEYS = "DELETE FROM data_keys";
    INSERT_KEY = "INSERT INTO data_keys (key_id, master_id, bytes) VALUES ($1, $2, $3)";

    /// No statement about the lease reads a clock.
    LEASE = "SELECT holder, counter, length_ms, released FROM lease WHERE id = 1";
    /// Holder, length. No row comes back if there is a lease.
    INSERT_LEASE = "INSERT INTO lease (id, holder, counter, length_ms, released) VALUES (1, $1, 1, $2, 0) \
        ON CONFLICT (id) DO NOTHING RETURNING counter";
    /// Holder, length, the holder and the counter that were seen. No row comes back if the row moved.
    TAKE_LEASE = "UPDATE lease SET holder = $1, counter = counter + 1, length_ms = $2, released = 0 \
        WHERE id = 1 AND holder = $3 AND counter = $4 RETURNING counter";
    /// The head comes from the same statement, so the holder has read it when the counter moved.
    RENEW_LEASE = "UPDATE lease SET counter = counter + 1 WHERE id = 1 AND holder = $1 AND released = 0 \
        RETURNING (SELECT revision FROM head WHERE id = 1), (SELECT hash FROM head WHERE id = 1), \
        (SELECT last_narrowing FROM head WHERE id = 1)";
    RELEASE_LEASE = "UPDATE lease SET counter = counter + 1, released = 1 \
        WHERE id = 1 AND holder = $1 AND released = 0";
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
