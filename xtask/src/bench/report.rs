//! What a run found, as Markdown: every goal with what was measured beside it.
//!
//! It must never say more than was measured.

use serde_json::Value;

use super::console as pages;
use super::figures::number;
use super::goals::{ROWS, goal_text, judged, text_at};

/// The whole document.
pub fn markdown(figures: &Value) -> String {
    let mut page = Page(String::new());
    page.text(
        "# Performance\n\nThe figures on this page were written by `cargo xtask bench`, whole, in one run. The reasons \
         beside missed goals stand in `xtask/src/bench/goals.rs`. Figures are medians; the range in brackets is the \
         median's 95 percent interval by rank. Nothing here is asserted by a test, for a time belongs to a machine.",
    );
    if figures["quick"] == true {
        page.text("**This was a quick run, which shows only that everything runs. Its figures mean nothing.**");
    }
    page.text("## Goals\n\nThe goals were set before the code was written.");
    let rows = ROWS.iter().map(|row| {
        let (measured, outcome) = judged(row, figures);
        vec![row.what.to_string(), goal_text(row), measured, outcome]
    });
    page.table(&["What", "Goal", "Measured", "Outcome"], rows);
    machine(&mut page, figures);
    check(&mut page, figures);
    adapters(&mut page, figures);
    instructions(&mut page, figures);
    decision(&mut page, figures);
    memory(&mut page, figures);
    issue(&mut page, figures);
    console(&mut page, figures);
    page.text(
        "## Again\n\n```sh\ncargo xtask bench\n```\n\nmeasures all of this anew and writes this page. `--only NAME` \
         measures a part, `--quick` only shows that it runs; both write to `target/xtask/performance.md` instead.",
    );
    page.0
}

fn machine(page: &mut Page, figures: &Value) {
    let text = |name: &str| figures["machine"][name].as_str().unwrap_or("unknown").to_string();
    let load = |place: &str| figures.pointer(place).and_then(Value::as_f64).map_or("unknown".into(), |l| number(l, 1));
    let guest = if figures["machine"]["virtual"] == true { ", a virtual machine" } else { "" };
    page.text("## Machine and method");
    let rows = [
        ("Processor", format!("{}, {} cores{guest}", text("cpu"), figures["machine"]["cores"])),
        ("Memory", format!("{} GiB", figures["machine"]["memory_gib"])),
        ("Kernel", text("kernel")),
        ("File system of the data", text("file_system")),
        ("Compiler", text("rustc")),
        ("Profile", "`dist`, as `cargo build --profile dist` builds it".to_string()),
        ("Load average before and after", format!("{} and {}", load("/machine/load_before"), load("/load_after"))),
    ];
    page.table(&["What", "Value"], rows.map(|(what, value)| vec![what.to_string(), value]));
    let pinned = figures["machine"]["pinned"] == true;
    let cores =
        if pinned { "is bound to one core each" } else { "was **not** bound to cores, for `taskset` is not here" };
    page.text(&format!(
        "Servers listen on loopback, and whoever asks them runs on the same machine; each of the two {cores}. Who asks \
         never sleeps, or the slower server would have to wake it more often and pay for it. Other programs may have run meanwhile, so read ratios, which compare what was measured right after each other, rather \
         than times."
    ));
}

fn check(page: &mut Page, figures: &Value) {
    page.text("## The check path beside a bare server");
    let found = &figures["check"];
    if !found.is_object() {
        page.text("Not measured in this run.");
        return;
    }
    page.text(&format!(
        "`valetkey serve` on a data folder with {} live tokens answers `GET /gateway/forward-auth` for {} tokens in \
         rotation. The bare server is hyper and tokio alone, with the same runtime, allocator and profile, and sends an \
         answer of the same size and as many headers ({} bytes) to everything. {} pairs of runs of {} requests over {} \
         kept connections, the order turning with each pair. CPU time is the server process's, in the kernel and outside.",
        count(&found["tokens"]),
        "4,096",
        count(&found["answer_bytes"]),
        count(&found["pairs"]),
        count(&found["requests"]),
        found["connections"].as_str().unwrap_or("64"),
    ));
    let row = |what: &str, name: &str, digits: usize| {
        let at = |side: &str, digits| text_at(found, &format!("/{name}/{side}"), digits);
        vec![what.to_string(), at("product", digits), at("bare", digits), at("ratio", 3)]
    };
    page.table(
        &["Of one run", "Valetkey", "Bare", "Ratio, by pairs"],
        [
            row("Requests a second", "per_s", 0),
            row("CPU of a request, µs", "cpu_us", 2),
            row("Half of the answers within, µs", "p50_us", 0),
            row("99 of 100 answers within, µs", "p99_us", 0),
        ],
    );
    page.text(&format!(
        "From the start of the process to the first answer, on all cores: {} s (the median of three). Resident memory then: {} MiB; after the load: {} MiB.",
        text_at(found, "/start_s", 1),
        text_at(found, "/resident_mib", 0),
        text_at(found, "/resident_after_mib", 0),
    ));
}

fn adapters(page: &mut Page, figures: &Value) {
    page.text("## Other calls beside bare answers of their size");
    let found = &figures["adapters"];
    let Some(rows) = found["rows"].as_array() else {
        page.text("Not measured in this run.");
        return;
    };
    page.text(&format!(
        "The demo's world on the embedded store, one caller that asks the same in repetition, {} connections, {} pairs of \
         runs of {} requests. The bare server reads the body of a POST and sends as many bytes.",
        found["connections"].as_str().unwrap_or("32"),
        count(&found["pairs"]),
        count(&found["requests"]),
    ));
    let line = |row: &Value| {
        let at = |side: &str, digits| text_at(row, &format!("/cpu_us/{side}"), digits);
        let what = row["what"].as_str().unwrap_or_default().to_string();
        vec![what, count(&row["answer_bytes"]), at("product", 1), at("bare", 1), at("ratio", 2)]
    };
    page.table(&["Call", "Answer, bytes", "CPU, µs", "Bare, µs", "Ratio, by pairs"], rows.iter().map(line));
    page.text(&format!(
        "Each further question of a check costs {} µs of CPU, by the difference of the first two rows.",
        text_at(found, "/further_question_us", 2),
    ));
}

fn instructions(page: &mut Page, figures: &Value) {
    page.text("### By instructions");
    let found = &figures["instructions"];
    if !found.is_object() {
        page.text("Not measured: `valgrind` is not here, or this was not asked for.");
        return;
    }
    page.text(&format!(
        "Instructions of one request in user space, counted by {}: the difference between two runs, over {} requests. \
         The kernel's part, which is most of a request, is not counted; and valgrind's processor has no SHA-256 \
         instructions, so that hashing alone takes two thousand more here than on a real one.",
        figures["machine"]["valgrind"].as_str().unwrap_or("valgrind"),
        count(&found["requests"]),
    ));
    let cells = [("/product", 0), ("/bare", 0), ("/ratio", 3)].map(|(place, digits)| text_at(found, place, digits));
    page.table(&["Valetkey", "Bare", "Ratio"], [cells.to_vec()]);
}

fn decision(page: &mut Page, figures: &Value) {
    page.text("## A decision in process");
    let Some(rows) = figures["decision"].as_array() else {
        page.text("Not measured in this run.");
        return;
    };
    page.text(&format!(
        "All of the check path but HTTP: the token's checksum, its SHA-256, the lock, the index, `decide`. {} system \
         users, {} assignments. The hot set are 1,024 tokens in rotation, the random ones a million draws from all \
         tokens. Nanoseconds, medians of 101 blocks of 10,000. A fold is one change set, folded alone. *Huge pages* is a \
         run of its own with `GLIBC_TUNABLES=glibc.malloc.hugetlb=1`, which `serve` sets for itself where the kernel \
         leaves the choice to programs: [decision 0037](decisions/0037-large-pages.md).",
        count(&rows.first().map_or(Value::Null, |row| row["system_users"].clone())),
        count(&rows.first().map_or(Value::Null, |row| row["assignments"].clone())),
    ));
    let row = |row: &Value| {
        let at = |place| text_at(row, place, 0);
        let places = ["/hot_ns", "/huge_pages/hot_ns", "/random_ns", "/huge_pages/random_ns", "/folds_per_s"];
        [vec![count(&row["tokens"])], places.map(at).to_vec()].concat()
    };
    let head = ["Tokens", "Hot set", "Hot set, huge pages", "Random tokens", "Random, huge pages", "Folds a second"];
    page.table(&head, rows.iter().map(row));
    let parts = |row: &Value| {
        let at = |name: &str| text_at(row, &format!("/parts_ns/{name}"), 0);
        vec![count(&row["tokens"]), at("checksum"), at("sha256"), at("gather"), at("decide")]
    };
    page.text(
        "The steps, each alone on the hot set. Among the others a step also finds less of what it reads in the first \
         cache, so the whole is not their sum.",
    );
    page.table(&["Tokens", "Checksum", "SHA-256", "Index, lock included", "`decide`"], rows.iter().map(parts));
}

fn memory(page: &mut Page, figures: &Value) {
    page.text("## Memory of each further token");
    let Some(steps) = figures["memory"]["steps"].as_array() else {
        page.text("Not measured in this run.");
        return;
    };
    page.text(
        "Tokens with creators, ends and parents are added to a full world in steps. *Counted* is what the index has \
         allocated for tokens. *Resident* is what the process has grown by; it also holds what the allocator keeps of \
         tables that have been outgrown, so it jumps, and its mean says more than its worst step.",
    );
    let row = |step: &Value| {
        let at = |place| text_at(step, place, 1);
        vec![count(&step["tokens"]), at("/counted_bytes_per_token"), at("/resident_bytes_per_token")]
    };
    let mut rows: Vec<Vec<String>> = steps.iter().map(row).collect();
    let mean = |name: &str| {
        let values: Vec<f64> = steps.iter().filter_map(|step| step[name].as_f64()).collect();
        number(values.iter().sum::<f64>() / values.len().max(1) as f64, 1)
    };
    rows.push(vec!["mean".into(), mean("counted_bytes_per_token"), mean("resident_bytes_per_token")]);
    page.table(&["Tokens", "Counted, bytes", "Resident, bytes"], rows);
}

fn issue(page: &mut Page, figures: &Value) {
    page.text("## Durable issue of tokens");
    let found = &figures["issue"];
    if !found.is_object() {
        page.text("Not measured in this run.");
        return;
    }
    page.text(&format!(
        "Tokens issued through the service over SQLite by so many callers, each of whom waits for its answer; beside it \
         the same rows (token, ledger entry, heads) with the same statements by SQLite alone, so many tokens to a commit, \
         and appends of 512 bytes to a file with `fdatasync` after each. All are durable when counted. {} rounds of {} s \
         each, in the same run.",
        count(&found["rounds"]),
        found["seconds"].as_str().unwrap_or("3"),
    ));
    let rows = [
        ("The disk: append and `fdatasync`", "fdatasync"),
        ("SQLite alone, 1 token to a commit", "sqlite_1"),
        ("Valetkey, 1 caller", "issue_1"),
        ("SQLite alone, 64 tokens to a commit", "sqlite_64"),
        ("Valetkey, 64 callers", "issue_64"),
    ];
    let row = |(what, name): (&str, &str)| vec![what.to_string(), text_at(found, &format!("/{name}"), 0)];
    page.table(&["What", "A second"], rows.map(row));
    page.text(&format!("With 64 callers a commit held {} tokens.", text_at(found, "/per_commit_64", 1)));
    let ratios = [
        ("1 caller to SQLite alone", "issue_1_to_sqlite_1"),
        ("1 caller to the disk", "issue_1_to_fdatasync"),
        ("64 callers to SQLite alone", "issue_64_to_sqlite_64"),
    ];
    let row = |(what, name): (&str, &str)| vec![what.to_string(), text_at(found, &format!("/{name}"), 2)];
    page.table(&["Ratio, by rounds", "Valetkey to it"], ratios.map(row));
}

fn console(page: &mut Page, figures: &Value) {
    page.text("## The console's pages with 10,000 assets");
    let found = &figures["console"];
    if !found.is_object() {
        page.text("Not measured in this run.");
        return;
    }
    page.text(&pages::method(found));
    page.text(&pages::outcome(found));
    page.table(&pages::HEAD, pages::rows(found).into_iter().map(Vec::from));
    page.text(&pages::files(found));
}

fn count(value: &Value) -> String {
    value.as_f64().map_or_else(|| "an unknown number".to_string(), |value| number(value, 0))
}

/// Markdown that grows: paragraphs and tables with a blank line between.
struct Page(String);

impl Page {
    fn text(&mut self, text: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn table(&mut self, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let mut lines = vec![line(head), line(&vec!["---"; head.len()])];
        lines.extend(rows.into_iter().map(|row| line(&row)));
        self.text(&lines.join("\n"));
    }
}

fn line<T: AsRef<str>>(cells: &[T]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.as_ref().replace('|', "\\|")).collect();
    format!("| {} |", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::goals::summary;
    use super::*;

    fn sample() -> Value {
        let one = |value: f64| json!({ "median": value, "low": value * 0.9, "high": value * 1.1 });
        let sides =
            |ours: f64, theirs: f64| json!({ "product": one(ours), "bare": one(theirs), "ratio": one(ours / theirs) });
        json!({
            "machine": { "cpu": "A|B", "cores": 2, "memory_gib": 24.0, "pinned": true, "load_before": 0.5 },
            "load_after": 1.25,
            "decision": [{
                "tokens": 1_000_000, "system_users": 100_000, "assignments": 1_000_000, "folds_per_s": 1_154_282.0,
                "hot_ns": one(300.0), "random_ns": one(800.0), "parts_ns": { "sha256": one(67.0) },
                "huge_pages": { "hot_ns": one(396.0), "random_ns": one(560.0) },
            }],
            "memory": {
                "worst_resident_bytes_per_token": 134.8,
                "worst_counted_bytes_per_token": 111.2,
                "steps": [{ "tokens": 250_000, "resident_bytes_per_token": 134.8, "counted_bytes_per_token": 111.2 }],
            },
            "check": {
                "tokens": 1_000_000, "pairs": 21, "requests": 200_000, "connections": "64", "answer_bytes": 300.0,
                "per_s": sides(99_000.0, 100_000.0), "cpu_us": sides(8.6, 8.0), "start_s": 2.0,
            },
            "adapters": {
                "pairs": 11, "requests": 20_000, "connections": "32", "further_question_us": 0.6,
                "ratios": { "me": one(2.1) },
                "rows": [{ "name": "me", "what": "Graph: GET /me", "answer_bytes": 515, "cpu_us": sides(30.0, 14.0) }],
            },
            "issue": { "rounds": 7, "seconds": "3", "issue_1": one(2_860.0), "issue_1_to_sqlite_1": one(0.8) },
            "console": {
                "assets": 10_000, "files": { "console.css": 43_000 }, "most_kb": 71.3, "slowest_ms": 12.5,
                "pages": [
                    { "page": "Tokens", "answered": 200, "html_bytes": 28_300, "whole_bytes": 71_300,
                      "ms": one(11.0), "ms_95": 12.5 },
                    { "page": "Access", "answered": 404 },
                ],
            },
        })
    }

    /// Every table has one row of dashes and the same number of cells in each line, blank lines
    /// around it, and code fences are closed.
    fn check_form(text: &str) {
        let cells = |line: &str| line.replace("\\|", "").matches('|').count();
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let before = at.checked_sub(1).map_or("", |at| lines[at]);
            if line.starts_with('|') && before.starts_with('|') {
                assert_eq!(cells(before), cells(line), "{before}\n{line}");
            } else if line.starts_with('|') {
                assert_eq!(before, "", "no blank line before: {line}");
                assert!(lines[at + 1].starts_with("| ---"), "no row of dashes below: {line}");
            } else if before.starts_with('|') {
                assert_eq!(*line, "", "no blank line before: {line}");
            }
            assert_eq!(line.trim_end(), *line, "a blank at the end: {line}");
        }
        assert_eq!(text.matches("```").count() % 2, 0);
        assert!(text.starts_with("# ") && text.ends_with('\n') && !text.contains("\n\n\n"));
    }

    #[test]
    fn the_report_is_markdown_whatever_was_measured() {
        check_form(&markdown(&sample()));
        check_form(&markdown(&json!({ "quick": true })));
        check_form(&markdown(&Value::Null));
    }

    #[test]
    fn a_goal_is_met_missed_or_not_measured_and_never_left_out() {
        let text = markdown(&sample());
        let of = |what: &str| text.lines().find(|line| line.contains(what)).unwrap_or_default().to_string();
        assert!(of("on a hot set, among").contains("**missed by 20.0 %**"), "{}", of("on a hot set, among"));
        assert!(of("random tokens, of").ends_with("| met |"));
        assert!(of("CPU of a check").contains("1.075") && of("CPU of a check").contains("at most 1.1 |"));
        assert!(of("Folds a second, at").contains("1,154,282"));
        let decided = of("| 1,000,000 | 300 (");
        assert!(decided.contains("| 396 (356 to 436) | 800 (") && decided.contains("| 560 ("), "{decided}");
        assert!(of("console's slowest page").contains("| at most 10 ms | 12.50 ms | **missed by 25.0 %**"));
        assert!(text.contains("| Tokens | 28.3 | 71.3 | 11.00 | 12.50 | **missed**: time |"));
        let nothing = markdown(&Value::Null);
        assert_eq!(nothing.matches("not measured in this run | not known").count(), ROWS.len());
        assert_eq!(summary(&sample()).len(), ROWS.len());
    }

    #[test]
    fn a_run_without_valgrind_says_so() {
        assert!(markdown(&sample()).contains("`valgrind` is not here"));
    }
}
