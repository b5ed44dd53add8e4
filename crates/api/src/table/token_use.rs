//! What a token was used for: the handler of `token.uses`.

use jiff::civil::{Date, date};
use serde_json::{Value, json};
use valetkey_domain::{Refusal, State, TaskSet};
use valetkey_service::authz::{Question, Target};
use valetkey_service::store::{Usage, UsedFor};

use crate::command::{Answer, Ctx};
use crate::show;

const EPOCH: Date = date(1970, 1, 1);

pub(super) async fn uses(ctx: Ctx) -> Result<Answer, Refusal> {
    let token = ctx.need_id("token")?;
    let days = (day(&ctx, "from_day")?.unwrap_or(i64::MIN), day(&ctx, "until_day")?.unwrap_or(i64::MAX));
    let after = match ctx.text("after") {
        None => None,
        Some(text) => Some(place(text).ok_or_else(|| Refusal::invalid("after", "`next` of the page before"))?),
    };
    let found = ctx.service.token_usage(&ctx.call, token, days, after, ctx.limit()).await?.into_inner();
    let next = found.rows.last().filter(|_| found.has_more).map(place_text);
    let question = Question::about(Target::Nothing);
    let rows: Vec<Value> = ctx.step(question, |s| found.rows.iter().map(|row| shown(&**s, row)).collect())?;
    Ok(Answer::read(json!({
        "rows": rows,
        "next": next,
        "as_of": show::time(found.as_of),
        "written_until": show::maybe_time(found.written_until),
    })))
}

fn shown(state: &dyn State, row: &Usage) -> Value {
    let (scope, asset, task) = match row.what {
        UsedFor::Right { scope, asset, task } => (scope, asset, task),
        UsedFor::Other => (None, None, None),
    };
    let kind = asset.and_then(|id| state.asset(id)).map(|asset| asset.kind);
    let name = |bit: u8| {
        let named = kind.and_then(|kind| show::tasks(state, kind, TaskSet(1 << bit)).pop());
        named.unwrap_or_else(|| format!("task {bit}"))
    };
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    json!({
        "day": day_text(row.day),
        "scope": scope.map(|scope| scope.name()),
        "asset": asset,
        "task": task.map(name),
        "other": row.what == UsedFor::Other,
        "uses": row.count,
        "first_at": show::time(row.first_at),
        "last_at": show::time(row.last_at),
        "ip": text(&row.ip),
        "user_agent": text(&row.user_agent),
    })
}

fn day_text(day: i64) -> String {
    let date = jiff::Span::new().try_days(day).and_then(|span| EPOCH.checked_add(span));
    // Only a broken row can hold a day beyond the calendar.
    date.map_or_else(|_| format!("day {day}"), |date| date.to_string())
}

/// A day of the calendar in UTC, as the number of the day.
fn day(ctx: &Ctx, name: &str) -> Result<Option<i64>, Refusal> {
    let Some(text) = ctx.text(name) else { return Ok(None) };
    let date: Date = text.parse().map_err(|_| Refusal::invalid(name, "a day in UTC, such as 2026-11-24"))?;
    let since = date.since((jiff::Unit::Day, EPOCH)).map_err(|_| Refusal::invalid(name, "a day of our time"))?;
    Ok(Some(i64::from(since.get_days())))
}

/// Where a page ends: day, scope, asset and task as they are stored.
fn place_text(row: &Usage) -> String {
    let (scope, asset, task) = row.what.numbers();
    format!("{}.{scope}.{asset}.{task}", row.day)
}

fn place(text: &str) -> Option<(i64, UsedFor)> {
    let mut numbers = text.split('.').map(|part| part.parse::<i64>().ok());
    let mut next = || numbers.next().flatten();
    let (day, scope, asset, task) = (next()?, next()?, next()?, next()?);
    numbers.next().is_none().then_some((day, UsedFor::from_numbers(scope, asset, task)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_and_nothing_else_is_one() {
        for text in ["20781.9.123.1", "20781.-1.0.-1", "-3.-2.0.-1"] {
            let (day, what) = place(text).unwrap();
            let (scope, asset, task) = what.numbers();
            assert_eq!(format!("{day}.{scope}.{asset}.{task}"), text);
        }
        for text in ["", "1", "1.2.3", "1.2.3.4.5", "a.b.c.d", "1.99.1.1", "20781.9.123.99", "20781.9.-5.1"] {
            assert_eq!(place(text), None, "{text}");
        }
    }

    #[test]
    fn days_are_counted_from_the_first_of_1970() {
        assert_eq!([0, 20_781, -1].map(day_text), ["1970-01-01", "2026-11-24", "1969-12-31"]);
        assert_eq!(day_text(i64::MAX), format!("day {}", i64::MAX));
    }
}
