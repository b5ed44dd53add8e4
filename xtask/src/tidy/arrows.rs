//! Which crate may depend on which: a table that the manifests are checked against.
//!
//! It must never guess: a crate without a row is a finding, so that its author decides its place.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::Finding;
use crate::place::cargo;

/// Every crate of the product with the others that it may name. Arrows point down only.
const CRATES: &[(&str, &[&str])] = &[
    ("valetkey-domain", &[]),
    ("valetkey-seal", &[]),
    ("valetkey-http", &[]),
    ("valetkey-authz", &["valetkey-domain"]),
    ("valetkey-store", &["valetkey-domain"]),
    ("valetkey-store-sqlite", &["valetkey-domain", "valetkey-store"]),
    ("valetkey-store-postgres", &["valetkey-domain", "valetkey-store"]),
    ("valetkey-service", &["valetkey-domain", "valetkey-authz", "valetkey-seal", "valetkey-store"]),
    ("valetkey-graph", ADAPTER),
    ("valetkey-gateway", ADAPTER),
    ("valetkey-api", ADAPTER),
    ("valetkey-console", ADAPTER),
];

const ADAPTER: &[&str] = &["valetkey-domain", "valetkey-service", "valetkey-http"];
const ADAPTERS: &[&str] = &["valetkey-graph", "valetkey-gateway", "valetkey-api", "valetkey-console"];
/// The binary may name all crates; none may name the binary.
const BINARY: &str = "valetkey";
/// Not part of the product: may name all but adapters and the binary, and only tests may name it.
const TESTKIT: &str = "valetkey-testkit";
/// Not part of the product: names none of its crates; the testkit and xtask name it.
const TEST_POSTGRES: &str = "valetkey-test-postgres";
/// Not part of the product: builds without it, and no crate may name it.
const XTASK: &str = "xtask";
/// The measuring programs are not part of the product either: they may name every layer, and no crate
/// may name them.
const BENCH: &str = "valetkey-bench";

/// Database drivers. Only the stores may name them, the benchmark, which also measures a driver alone,
/// and xtask.
const DRIVERS: &[&str] = &["rusqlite", "libsqlite3-sys", "tokio-postgres", "postgres", "deadpool-postgres", "sqlx"];

/// A crate of the workspace and what its manifest names.
#[derive(Debug)]
pub struct Package {
    name: String,
    manifest: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug)]
struct Dependency {
    name: String,
    for_tests: bool,
}

/// Reads the manifests through cargo, which understands every form of them.
pub fn of_repository(root: &Path) -> Result<Vec<Package>> {
    let output = cargo(root)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .context("can't start cargo, which reads the manifests")?;
    if !output.status.success() {
        bail!("cargo can't read the manifests: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).context("`cargo metadata` answered no JSON")?;
    packages(&metadata, &root.to_string_lossy())
}

fn packages(metadata: &Value, root: &str) -> Result<Vec<Package>> {
    let list = metadata["packages"].as_array().context("`cargo metadata` lists no packages")?;
    let text = |value: &Value| value.as_str().map(String::from).context("`cargo metadata` left out a name");
    let mut packages = Vec::new();
    for package in list {
        let manifest = text(&package["manifest_path"])?;
        let manifest = manifest.strip_prefix(root).map_or(manifest.as_str(), |path| path.trim_start_matches('/'));
        let mut dependencies = Vec::new();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let for_tests = dependency["kind"].as_str() == Some("dev");
            dependencies.push(Dependency { name: text(&dependency["name"])?, for_tests });
        }
        packages.push(Package { name: text(&package["name"])?, manifest: manifest.to_string(), dependencies });
    }
    Ok(packages)
}

pub fn check(packages: &[Package]) -> Vec<Finding> {
    let crates: BTreeMap<&str, &[&str]> = CRATES.iter().copied().collect();
    let known =
        |name: &str| crates.contains_key(name) || [BINARY, TESTKIT, TEST_POSTGRES, XTASK, BENCH].contains(&name);
    let mut findings = Vec::new();
    for package in packages {
        if !known(&package.name) {
            let what = format!("{} has no row in the table of xtask/src/tidy/arrows.rs", package.name);
            findings.push(Finding::new(&package.manifest, 0, what));
            continue;
        }
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            let inside = packages.iter().any(|other| other.name == name);
            let why = if inside {
                arrow(&crates, &package.name, name, dependency.for_tests)
            } else if DRIVERS.contains(&name) && !may_name_drivers(&package.name) {
                Some("only stores name a database driver")
            } else {
                None
            };
            if let Some(why) = why {
                let what = format!("{} must not depend on {name}: {why}", package.name);
                findings.push(Finding::new(&package.manifest, 0, what));
            }
        }
    }
    findings
}

pub(super) fn may_name_drivers(package: &str) -> bool {
    package.starts_with("valetkey-store-") || package == XTASK || package == BENCH
}

/// Why an arrow is forbidden; `None` if it is allowed.
fn arrow(crates: &BTreeMap<&str, &[&str]>, from: &str, to: &str, for_tests: bool) -> Option<&'static str> {
    if to == BINARY || to == XTASK || to == BENCH {
        return Some("nobody names the binary or xtask");
    }
    let to_adapter = ADAPTERS.contains(&to);
    match from {
        BINARY if [TESTKIT, TEST_POSTGRES].contains(&to) && !for_tests => {
            Some("only tests name the testkit and its parts")
        }
        TEST_POSTGRES => Some("the database server of the tests names no other crate"),
        XTASK if to != TEST_POSTGRES => Some("xtask must build without the product"),
        BINARY | XTASK | BENCH => None,
        TESTKIT if to_adapter => Some("the testkit names no adapter"),
        TESTKIT => None,
        _ if for_tests && to_adapter => {
            Some("an adapter never names another adapter, and nobody below names an adapter")
        }
        // Tests may set up more of the product than the crate itself may name.
        _ if for_tests => None,
        _ if to == TESTKIT || to == TEST_POSTGRES => Some("only tests name the testkit and its parts"),
        _ if crates.get(from).is_some_and(|allowed| allowed.contains(&to)) => None,
        _ => Some("the arrows between crates don't allow it (ARCHITECTURE.md)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(arrows: &[(&str, &str, bool)]) -> Vec<Package> {
        let names: Vec<&str> =
            CRATES.iter().map(|(name, _)| *name).chain([BINARY, TESTKIT, TEST_POSTGRES, XTASK, "stranger"]).collect();
        let packages: Vec<Value> = names
            .iter()
            .filter(|name| **name != "stranger" || arrows.iter().any(|(from, ..)| from == *name))
            .map(|name| {
                let dependencies: Vec<Value> = arrows
                    .iter()
                    .filter(|(from, ..)| from == name)
                    .map(|(_, to, dev)| serde_json::json!({"name": to, "kind": if *dev { Some("dev") } else { None }}))
                    .collect();
                let manifest_path = format!("/repo/crates/{name}/Cargo.toml");
                serde_json::json!({"name": name, "manifest_path": manifest_path, "dependencies": dependencies})
            })
            .collect();
        super::packages(&serde_json::json!({ "packages": packages }), "/repo").unwrap()
    }

    fn allowed(from: &str, to: &str, for_tests: bool) -> bool {
        check(&metadata(&[(from, to, for_tests)])).is_empty()
    }

    #[test]
    fn arrows_point_down() {
        assert!(allowed("valetkey-authz", "valetkey-domain", false));
        assert!(allowed("valetkey-graph", "valetkey-service", false));
        assert!(allowed("valetkey", "valetkey-store-sqlite", false));
        assert!(allowed("valetkey-domain", "serde", false));
        assert!(allowed("xtask", "valetkey-test-postgres", false));
        assert!(allowed("valetkey-testkit", "valetkey-test-postgres", false));
        for (from, to) in [
            ("valetkey-domain", "valetkey-authz"),
            ("valetkey-http", "valetkey-domain"),
            ("valetkey-service", "valetkey-store-sqlite"),
            ("valetkey-service", "valetkey-http"),
            ("valetkey-graph", "valetkey-gateway"),
            ("valetkey-graph", "valetkey-store"),
            ("valetkey-graph", "valetkey-authz"),
            ("valetkey-service", "valetkey"),
            ("valetkey-domain", "xtask"),
            ("valetkey-service", "valetkey-testkit"),
            ("valetkey", "valetkey-testkit"),
            ("valetkey-testkit", "valetkey-graph"),
            ("valetkey-test-postgres", "valetkey-domain"),
            ("xtask", "valetkey-domain"),
            ("valetkey-service", "valetkey-test-postgres"),
        ] {
            assert!(!allowed(from, to, false), "{from} to {to}");
        }
    }

    #[test]
    fn tests_reach_further_but_not_to_adapters() {
        assert!(allowed("valetkey-service", "valetkey-testkit", true));
        assert!(allowed("valetkey-graph", "valetkey-store-sqlite", true));
        assert!(!allowed("valetkey-service", "valetkey-graph", true));
        assert!(!allowed("valetkey-gateway", "valetkey-graph", true));
        assert!(!allowed("valetkey-graph", "valetkey", true));
    }

    #[test]
    fn drivers_stay_in_the_stores() {
        assert!(allowed("valetkey-store-sqlite", "rusqlite", false));
        assert!(allowed("xtask", "rusqlite", false));
        assert!(!allowed("valetkey", "rusqlite", false));
        assert!(!allowed("valetkey-store", "tokio-postgres", false));
        assert!(!allowed("valetkey-service", "tokio-postgres", true));
    }

    #[test]
    fn a_crate_without_a_row_is_found_with_its_manifest() {
        let findings = check(&metadata(&[("stranger", "serde", false)]));
        assert_eq!(findings.len(), 1);
        assert!(findings[0].text().starts_with("crates/stranger/Cargo.toml: stranger has no row"));
    }

    #[test]
    fn the_table_has_no_circle() {
        let mut placed: Vec<&str> = Vec::new();
        while placed.len() < CRATES.len() {
            let before = placed.len();
            for (name, below) in CRATES {
                if !placed.contains(name) && below.iter().all(|one| placed.contains(one)) {
                    placed.push(name);
                }
            }
            assert!(placed.len() > before, "a circle among what is not in {placed:?}");
        }
    }
}
