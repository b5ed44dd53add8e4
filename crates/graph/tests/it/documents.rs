//! The reference documents are printed from the tables. To write them again:
//! `UPDATE_DOCS=1 cargo test -p valetkey-graph --test it documents`.

use std::path::Path;

use valetkey_graph::schema::{print, rights_doc};

fn check(name: &str, printed: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, printed).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == printed, "docs/reference/{name} is not what the tables say; write it anew with UPDATE_DOCS=1");
}

#[test]
fn the_graph_reference_is_what_the_tables_say() {
    check("graph.md", &print::markdown());
}

#[test]
fn the_rights_reference_is_what_the_tables_say() {
    check("rights.md", &rights_doc::markdown());
}
