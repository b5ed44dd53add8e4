//! Telemetry: uses, refusals and tickets, in short transactions beside the ledger.
//!
//! Nothing here may hold the writing thread for long: revocations wait behind it.

use valetkey_domain::UnixMs;
use valetkey_domain::credential::Digest;
use valetkey_store::sql::refusals::{Keeper, read_held};
use valetkey_store::sql::{Value, rows, statements};
use valetkey_store::telemetry::{Quotas, REFUSALS_AT_ONCE, Usage, UsageBounds, UsageQuery};
use valetkey_store::{RefusalRow, StoreError, Ticket, TokenUse};

use crate::SqliteStore;

/// How many rows of uses one transaction writes: a few milliseconds.
const USES_AT_ONCE: usize = 1_000;
/// The most transactions that drop rows over a quota in one call. The rest waits for the next refusals.
const PASSES: usize = 200;

impl SqliteStore {
    pub(crate) async fn add_uses(&self, uses: &[TokenUse]) -> Result<(), StoreError> {
        for some in uses.chunks(USES_AT_ONCE) {
            let values: Vec<Vec<Value>> = some.iter().map(rows::use_values).collect();
            self.write(move |engine| engine.run_each(statements::ADD_USE, &values)).await?;
        }
        Ok(())
    }

    pub(crate) async fn add_usage(&self, usage: &[Usage], bounds: UsageBounds) -> Result<(), StoreError> {
        for some in usage.chunks(USES_AT_ONCE) {
            let values: Vec<Vec<Value>> = some.iter().map(|row| rows::usage_values(row, bounds.rows_a_day)).collect();
            self.write(move |engine| engine.run_each(statements::ADD_USAGE, &values)).await?;
        }
        let old = rows::prune_usage_values(bounds.first_day);
        self.write(move |engine| engine.run(statements::PRUNE_USAGE, &old).map(drop)).await
    }

    pub(crate) async fn list_usage(&self, query: &UsageQuery) -> Result<Vec<Usage>, StoreError> {
        let values = rows::usage_query_values(query);
        self.read(move |engine| engine.all(statements::USAGE, &values, rows::read_usage)).await
    }

    pub(crate) async fn add_refusals(
        &self,
        refusals: &[RefusalRow],
        quotas: Quotas,
        not_before: UnixMs,
    ) -> Result<(), StoreError> {
        let mut has_more = refusals.is_empty();
        for some in refusals.chunks(REFUSALS_AT_ONCE) {
            has_more = self.keep(Keeper::new(some, quotas, not_before)).await?;
        }
        for _ in 0..PASSES {
            if !has_more {
                break;
            }
            has_more = self.keep(Keeper::new(&[], quotas, not_before)).await?;
        }
        Ok(())
    }

    pub(crate) async fn keep_ticket(&self, ticket: &Ticket) -> Result<(), StoreError> {
        let values = rows::ticket_values(ticket);
        self.write(move |engine| engine.run(statements::PUT_TICKET, &values).map(drop)).await
    }

    pub(crate) async fn keep_new_ticket(&self, ticket: &Ticket) -> Result<bool, StoreError> {
        let values = rows::ticket_values(ticket);
        let kept = self.write(move |engine| engine.one(statements::PUT_NEW_TICKET, &values, |row| row.int(0))).await?;
        Ok(kept.is_some())
    }

    pub(crate) async fn take_out_ticket(&self, key: &Digest, now: UnixMs) -> Result<Option<Ticket>, StoreError> {
        let values = [Value::from(key.0.as_slice())];
        let taken = self.write(move |engine| engine.one(statements::TAKE_TICKET, &values, rows::read_ticket)).await?;
        Ok(taken.filter(|ticket| ticket.expires_at > now))
    }

    pub(crate) async fn drop_tickets(&self, now: UnixMs, limit: usize) -> Result<usize, StoreError> {
        let values = [now.into(), rows::stored_limit(limit)];
        let gone = self.write(move |engine| engine.all(statements::PURGE_TICKETS, &values, |row| row.int(0))).await?;
        Ok(gone.len())
    }

    async fn keep(&self, mut keeper: Keeper) -> Result<bool, StoreError> {
        self.write(move |engine| {
            let mut answers = Vec::new();
            while let Some(round) = keeper.next(answers)? {
                let run = |(statement, values): &(_, Vec<Value>)| engine.all(*statement, values, read_held);
                answers = round.iter().map(run).collect::<Result<_, _>>()?;
            }
            Ok(keeper.has_more())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use valetkey_store::sql::Dialect;
    use valetkey_store::sql::migrations;

    use super::*;
    use crate::connection::{Engine, numbered, texts};

    fn run(engine: &Engine, migration: &migrations::Migration) {
        let dialect = Dialect { blob: "BLOB", text: "TEXT", key: "INTEGER PRIMARY KEY", compact: "WITHOUT ROWID" };
        for statement in migration.statements {
            engine.command(&dialect.fill(statement)).unwrap();
        }
    }

    fn empty() -> Engine {
        Engine::new(rusqlite::Connection::open_in_memory().unwrap(), texts())
    }

    fn in_memory() -> Engine {
        let engine = empty();
        migrations::ALL.iter().for_each(|migration| run(&engine, migration));
        engine
    }

    /// Owner or business, source, and how many.
    fn counts(engine: &Engine, sql: &str) -> Vec<(i64, String, i64)> {
        let mut statement = engine.connection().prepare(sql).unwrap();
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        statement.query_map([], read).unwrap().collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn old_refusals_are_counted_and_cut_by_the_migration() {
        let engine = empty();
        let (old, new) = migrations::ALL.split_at(3);
        old.iter().for_each(|migration| run(&engine, migration));
        let rows = "INSERT INTO refusals (trace, at_ms, business_id, token_id, reason, body)
            WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < $last)
            SELECT '$name' || n, n, $business, $token, 'r', '{}' FROM n";
        for (name, last, business, token) in
            [("stranger", "10499", "NULL", "NULL"), ("app", "4", "1", "NULL"), ("loud", "2099", "1", "51")]
        {
            let sql = rows.replace("$last", last).replace("$name", name);
            engine.command(&sql.replace("$business", business).replace("$token", token)).unwrap();
        }
        new.iter().for_each(|migration| run(&engine, migration));
        let sources = counts(&engine, "SELECT owner, source, held FROM refusal_sources ORDER BY owner, source");
        let strangers = (0, String::new(), 10_000);
        assert_eq!(sources, [strangers, (1, String::new(), 5), (1, "token 51".to_owned(), 2_000)]);
        let counted = "SELECT COALESCE(business_id, 0), source, COUNT(*) FROM refusals GROUP BY 1, 2 ORDER BY 1, 2";
        assert_eq!(counts(&engine, counted), sources);
        let owners = counts(&engine, "SELECT owner, '', held FROM refusal_owners ORDER BY owner");
        assert_eq!(
            owners.iter().map(|(owner, _, held)| (*owner, *held)).collect::<Vec<_>>(),
            [(0, 10_000), (1, 2_005)]
        );
        assert_eq!(counts(&engine, "SELECT id, '', held FROM refusal_total")[0].2, 2_005);
        // The oldest rows were dropped.
        let oldest = counts(&engine, "SELECT owner, source, oldest FROM refusal_sources ORDER BY owner, source");
        assert_eq!(oldest.into_iter().map(|(.., oldest)| oldest).collect::<Vec<_>>(), [500, 0, 100]);
    }

    fn plan(engine: &Engine, sql: &str) -> String {
        let mut statement = engine.connection().prepare(&format!("EXPLAIN QUERY PLAN {}", numbered(sql))).unwrap();
        for n in 1..=statement.parameter_count() {
            statement.raw_bind_parameter(n, 1).unwrap();
        }
        let mut rows = statement.raw_query();
        let mut text = String::new();
        while let Some(row) = rows.next().unwrap() {
            text.push_str(&row.get::<_, String>(3).unwrap());
            text.push('\n');
        }
        text
    }

    #[test]
    fn nothing_that_keeps_the_quotas_reads_a_table_from_end_to_end() {
        let engine = in_memory();
        for statement in statements::ALL {
            let is_telemetry =
                ["refusal", "token_usage", "token_uses"].iter().any(|table| statement.sql.contains(table));
            if !is_telemetry || statement == &statements::REFUSALS {
                continue;
            }
            let plan = plan(&engine, statement.sql);
            let tables = ["refusals", "refusal_sources", "refusal_total", "token_usage", "token_uses"];
            let scans = tables.into_iter().find(|table| plan.contains(&format!("SCAN {table}")));
            assert_eq!(scans, None, "{}\n{plan}", statement.name);
            assert!(!plan.contains("TEMP B-TREE FOR ORDER BY"), "{}\n{plan}", statement.name);
        }
        // The businesses are read in the order of their counts, as many as are wanted.
        let plan = plan(&engine, statements::TOP_OWNERS.sql);
        assert!(plan.contains("refusal_owners_held"), "{plan}");
    }
}
