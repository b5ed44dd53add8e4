//! Instants as the Graph writes them. All times are UTC; formatting is
//! total, and an instant outside the years 1 to 9999 is moved to the nearest
//! end.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// 0001-01-01T00:00:00Z, in milliseconds since 1970.
const FIRST_MS: i64 = -62_135_596_800_000;
/// 9999-12-30T00:00:00Z, in milliseconds since 1970.
const LAST_MS: i64 = 253_402_128_000_000;

/// `2026-01-31T10:00:00+0000`, the form of every time in an answer.
#[must_use]
pub fn graph_time(unix_ms: i64) -> String {
    let at = civil(unix_ms);
    let (year, month, day) = (at.year(), at.month(), at.day());
    let (hour, minute, second) = (at.hour(), at.minute(), at.second());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}+0000")
}

/// `Tuesday, 24-Nov-26 10:00:00 UTC`, the form inside the text of an
/// expired token's error, which clients look for.
#[must_use]
pub fn session_time(unix_ms: i64) -> String {
    civil(unix_ms).strftime("%A, %d-%b-%y %H:%M:%S UTC").to_string()
}

fn civil(unix_ms: i64) -> DateTime {
    let inside = unix_ms.clamp(FIRST_MS, LAST_MS);
    let instant = Timestamp::from_millisecond(inside).unwrap_or(Timestamp::UNIX_EPOCH);
    Offset::UTC.to_datetime(instant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_written_as_the_graph_writes_them() {
        assert_eq!(graph_time(1_769_853_600_000), "2026-01-31T10:00:00+0000");
        assert_eq!(graph_time(1_769_853_600_999), "2026-01-31T10:00:00+0000");
        assert_eq!(graph_time(0), "1970-01-01T00:00:00+0000");
        assert_eq!(graph_time(-1), "1969-12-31T23:59:59+0000");
        assert_eq!(session_time(1_795_514_400_000), "Tuesday, 24-Nov-26 10:00:00 UTC");
    }

    #[test]
    fn instants_beyond_the_calendar_stop_at_its_ends() {
        assert_eq!(graph_time(i64::MIN), "0001-01-01T00:00:00+0000");
        assert_eq!(graph_time(i64::MAX), "9999-12-30T00:00:00+0000");
    }

    proptest! {
        #[test]
        fn any_instant_has_both_forms(unix_ms: i64) {
            prop_assert_eq!(graph_time(unix_ms).len(), 24);
            prop_assert!(session_time(unix_ms).ends_with(" UTC"));
        }

        #[test]
        fn a_written_time_reads_back(seconds in -62_135_596_800i64..253_402_128_000) {
            let text = graph_time(seconds * 1000);
            prop_assert_eq!(crate::protocol::value::time_ms(&text), Ok(seconds * 1000));
        }
    }
}
