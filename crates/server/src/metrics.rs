//! `/metrics`: the server's counters as Prometheus reads them. It must show only counts, never a
//! name or an id of anything in the store.

use std::fmt::Write as _;

use valetkey_http::StatsSnapshot;

/// The values that the page shows beside the listener's counters.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gauges {
    /// Questions allowed and refused since the start.
    pub allowed: u64,
    pub refused: u64,
    /// The newest revision that is folded.
    pub revision: u64,
    /// Whether the node may answer.
    pub is_fresh: bool,
    /// Unix seconds at which the process was ready.
    pub started_s: i64,
    /// The last check of the ledger, in unix seconds, and whether it found nothing; `None` before the
    /// first.
    pub verified: Option<(i64, bool)>,
}

/// The page.
pub fn page(stats: &StatsSnapshot, gauges: &Gauges) -> String {
    let mut out = Page(String::with_capacity(4_096));
    out.info("valetkey_build_info", "The version that runs.", &[("version", env!("CARGO_PKG_VERSION"))]);
    out.gauge("valetkey_start_time_seconds", "When the server was ready, in unix seconds.", gauges.started_s);
    out.gauge("valetkey_fresh", "Whether this node may answer: 1 or 0.", u8::from(gauges.is_fresh));
    out.gauge("valetkey_revision", "The newest revision that this node knows.", gauges.revision);
    // Before the first check there is nothing to say, and a zero would sound an alarm.
    if let Some((at_s, is_ok)) = gauges.verified {
        out.gauge("valetkey_ledger_verified_seconds", "When the ledger was last verified, in unix seconds.", at_s);
        out.gauge("valetkey_ledger_verified_ok", "Whether nothing was found then: 1 or 0.", u8::from(is_ok));
    }
    out.counters(
        "valetkey_decisions_total",
        "Questions that were decided.",
        "answer",
        &[("allowed", gauges.allowed), ("refused", gauges.refused)],
    );
    out.counter("valetkey_http_requests_total", "Requests whose headers arrived.", stats.requests_total);
    out.counter("valetkey_http_fast_total", "Requests answered on the check path.", stats.fast_total);
    out.gauge("valetkey_http_in_flight", "Requests that are being read or handled now.", stats.in_flight);
    out.counter("valetkey_http_panics_total", "Panics; each cost one request, and is a bug.", stats.panics_total);
    out.counters(
        "valetkey_http_refused_total",
        "Requests refused before any adapter saw them, or cut off.",
        "why",
        &[
            ("too_large", stats.too_large_total),
            ("bad_request", stats.bad_requests_total),
            ("timeout", stats.timeouts_total),
            ("busy", stats.busy_total),
        ],
    );
    out.counter("valetkey_http_connections_total", "Connections taken.", stats.connections_total);
    out.gauge("valetkey_http_connections_open", "Connections open now.", stats.connections_open);
    out.counters(
        "valetkey_http_connections_ended_total",
        "Connections that the server ended early.",
        "why",
        &[
            ("timed_out", stats.connections_timed_out_total),
            ("shed", stats.connections_shed_total),
            ("tls_failed", stats.tls_failures_total),
        ],
    );
    out.0
}

struct Page(String);

impl Page {
    fn head(&mut self, name: &str, help: &str, sort: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {sort}");
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "counter");
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, help, "gauge");
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn counters(&mut self, name: &str, help: &str, label: &str, rows: &[(&str, u64)]) {
        self.head(name, help, "counter");
        for (word, value) in rows {
            let _ = writeln!(self.0, "{name}{{{label}=\"{word}\"}} {value}");
        }
    }

    fn info(&mut self, name: &str, help: &str, labels: &[(&str, &str)]) {
        self.head(name, help, "gauge");
        let labels: Vec<String> = labels.iter().map(|(label, word)| format!("{label}=\"{word}\"")).collect();
        let _ = writeln!(self.0, "{name}{{{}}} 1", labels.join(","));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_one_that_prometheus_reads() {
        let stats = StatsSnapshot { requests_total: 7, panics_total: 1, ..StatsSnapshot::default() };
        let gauges = Gauges {
            allowed: 3,
            refused: 2,
            revision: 41,
            is_fresh: true,
            started_s: 5,
            verified: Some((1_700, false)),
        };
        let unverified = super::page(&stats, &Gauges { verified: None, ..gauges });
        assert!(!unverified.contains("verified"), "{unverified}");
        let page = page(&stats, &gauges);
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.starts_with("valetkey_"), "{line}");
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let plain = name.split('{').next().unwrap();
            assert!(page.contains(&format!("# TYPE {plain} ")), "{line}");
        }
        for line in [
            "valetkey_http_requests_total 7",
            "valetkey_http_panics_total 1",
            "valetkey_decisions_total{answer=\"refused\"} 2",
            "valetkey_revision 41",
            "valetkey_fresh 1",
            "valetkey_ledger_verified_seconds 1700",
            "valetkey_ledger_verified_ok 0",
        ] {
            assert!(page.lines().any(|l| l == line), "{line}\n{page}");
        }
    }
}
