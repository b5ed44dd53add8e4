//! Times as parameters carry them: unix seconds, or ISO 8601 in the
//! spellings that survive a query string.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

use super::Expected;

const EXPECTED: Expected = Expected("a time: unix seconds, or 2026-01-31T10:00:00+0000");
/// 9999-12-31T23:59:59Z. A larger number is most often milliseconds, which
/// must be an error, not a date in the far future.
const MAX_UNIX_S: i64 = 253_402_300_799;
/// 0001-01-01T00:00:00Z.
const MIN_UNIX_S: i64 = -62_135_596_800;

/// A time in milliseconds since 1970. A time without a zone is UTC. A date alone means its
/// midnight.
///
/// # Errors
/// Any text that is not a time between the years 1 and 9999.
pub fn time_ms(text: &str) -> Result<i64, Expected> {
    time_ms_in(text, 0)
}

/// As [`time_ms`], but a time without a zone has this offset in seconds east of UTC, such as the
/// one of an ad account's zone.
///
/// # Errors
/// As [`time_ms`].
pub fn time_ms_in(text: &str, default_offset_s: i32) -> Result<i64, Expected> {
    let text = super::unquoted(text);
    if let Ok(seconds) = text.parse::<i64>() {
        return if (MIN_UNIX_S..=MAX_UNIX_S).contains(&seconds) { Ok(seconds * 1000) } else { Err(EXPECTED) };
    }
    iso(text, default_offset_s).ok_or(EXPECTED)
}

fn iso(text: &str, default_offset_s: i32) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let date = read_date(date)?;
    let (clock, zone) = match rest.strip_prefix(['T', 't', ' ']) {
        Some(rest) => read_clock(rest)?,
        None if rest.is_empty() => (Time::midnight(), ""),
        None => return None,
    };
    let offset_s = read_zone(zone, default_offset_s)?;
    let offset = Offset::from_seconds(offset_s).ok()?;
    let instant = offset.to_timestamp(DateTime::from_parts(date, clock)).ok()?;
    let in_range = (MIN_UNIX_S..=MAX_UNIX_S).contains(&instant.as_second());
    in_range.then(|| instant.as_millisecond())
}

fn read_date(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    let year = i16::try_from(two_digits_or_more(year)?).ok()?;
    Date::new(year, small(month)?, small(day)?).ok()
}

/// The clock, and the zone's text after it.
fn read_clock(text: &str) -> Option<(Time, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.')).unwrap_or(text.len());
    let (clock, zone) = text.split_at_checked(end)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let nanosecond = read_fraction(fraction)?;
    let mut parts = clock.split(':');
    let (hour, minute) = (small(parts.next()?)?, small(parts.next()?)?);
    let second = parts.next().map_or(Some(0), small)?;
    if parts.next().is_some() {
        return None;
    }
    Time::new(hour, minute, second, nanosecond).ok().map(|clock| (clock, zone))
}

/// Milliseconds of a second, as nanoseconds; finer digits are dropped.
fn read_fraction(digits: &str) -> Option<i32> {
    if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let milliseconds = format!("{digits:0<3}").get(..3)?.parse::<i32>().ok()?;
    Some(milliseconds * 1_000_000)
}

/// `Z`, `+0000`, `+00:00`, `-08`, and ` 0000`, which is a `+` that a query
/// string turned into a blank.
fn read_zone(text: &str, default_offset_s: i32) -> Option<i32> {
    if text.is_empty() {
        return Some(default_offset_s);
    }
    if matches!(text, "Z" | "z" | " UTC" | " GMT") {
        return Some(0);
    }
    let (sign, digits) = text.split_at_checked(1)?;
    let sign = match sign {
        "+" | " " => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = match digits.len() {
        2 => (digits, "00"),
        4 => digits.split_at_checked(2)?,
        5 => digits.split_once(':')?,
        _ => return None,
    };
    let (hours, minutes) = (i32::from(small(hours)?), i32::from(small(minutes)?));
    (hours <= 18 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn two_digits_or_more(text: &str) -> Option<u16> {
    let digits = text.len() >= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// Exactly two digits.
fn small(text: &str) -> Option<i8> {
    if text.len() != 2 {
        return None;
    }
    two_digits_or_more(text).and_then(|number| i8::try_from(number).ok())
}
