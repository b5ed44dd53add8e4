//! The usage headers: true counts of the sliding hour, in the form that clients parse.
//!
//! They limit nothing. Percentages refer to a nominal hour and stay below the marks at which
//! programs begin to sleep; see `docs/decisions/0006-usage-headers.md`.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use valetkey_domain::{AppId, AssetId, UnixMs};
use valetkey_service::usage::{Counter, Hour, Usage};

/// The calls per hour that count as one hundred percent.
const NOMINAL_CALLS: u64 = 1_000_000;
/// The working time per hour that counts as one hundred percent: one core.
const NOMINAL_BUSY_US: u64 = 3_600_000_000;
/// The highest percentage shown. From 85 on, connectors sleep for minutes, but nothing is limited
/// here.
const SHOWN_LIMIT: u64 = 84;

/// Counts a call and writes the headers.
pub(crate) fn write(
    headers: &mut HeaderMap,
    usage: &Usage,
    app: Option<AppId>,
    about: Option<(AssetId, &'static str)>,
    busy_us: u32,
    now: UnixMs,
) {
    write_app(headers, app.map_or(Hour::default(), |id| usage.count(Counter::App(id), busy_us, now)));
    let Some((asset, case)) = about else { return };
    let hour = usage.count(Counter::Asset(asset, case), busy_us, now);
    let mut entry = json!({
        "type": case,
        "call_count": calls(hour),
        "total_cputime": time(hour),
        "total_time": time(hour),
        "estimated_time_to_regain_access": 0,
    });
    if case.starts_with("ads_") {
        entry["ads_api_access_tier"] = json!("standard_access");
        put(
            headers,
            "x-ad-account-usage",
            &json!({ "acc_id_util_pct": calls(hour) as f64, "reset_time_duration": 3600, "ads_api_access_tier": "standard_access" }),
        );
    }
    put(headers, "x-business-use-case-usage", &json!({ asset.to_string(): [entry] }));
}

/// The headers of an answer without a known caller: nothing is counted.
pub(crate) fn write_none(headers: &mut HeaderMap) {
    write_app(headers, Hour::default());
}

fn write_app(headers: &mut HeaderMap, hour: Hour) {
    put(
        headers,
        "x-app-usage",
        &json!({ "call_count": calls(hour), "total_time": time(hour), "total_cputime": time(hour) }),
    );
}

fn calls(hour: Hour) -> u64 {
    (hour.calls * 100 / NOMINAL_CALLS).min(SHOWN_LIMIT)
}

fn time(hour: Hour) -> u64 {
    (hour.busy_us * 100 / NOMINAL_BUSY_US).min(SHOWN_LIMIT)
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &serde_json::Value) {
    if let Ok(value) = HeaderValue::from_str(&value.to_string()) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
