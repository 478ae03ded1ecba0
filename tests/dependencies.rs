//! What is built into the binary: every crate stands in `docs/crates.txt` with its licence, so that a change which
//! brings another one shows it to whoever reads the change. `HOLDLINE_BLESS=1 cargo test --test dependencies` writes
//! the file anew.
//!
//! Whether a crate has a known hole is not asked here: the database of advisories is not where these tests run.
//! `cargo audit` asks it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Licences that ask for no more than to be named.
const LICENCES: [&str; 6] =
    ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-3-Clause", "Unicode-3.0", "Unlicense"];

#[test]
fn every_crate_is_listed_and_free() {
    let metadata = metadata();
    let mut list = BTreeSet::new();
    for package in built_in(&metadata) {
        let (name, licence) = (text(package, "name"), text(package, "license"));
        assert!(text(package, "source").starts_with("registry+"), "{name} is not from the registry");
        let parts =
            licence.split(" OR ").flat_map(|part| part.split(" AND ")).map(|part| part.trim_matches(['(', ')']));
        let odd: Vec<&str> = parts.filter(|part| !LICENCES.contains(part)).collect();
        assert!(odd.is_empty(), "{name} is under {odd:?}");
        list.insert(format!("{name}: {licence}\n"));
    }
    let list: String = list.into_iter().collect();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/crates.txt");
    if std::env::var_os("HOLDLINE_BLESS").is_some() {
        fs::write(&file, &list).expect("docs/crates.txt is written");
    }
    let listed = fs::read_to_string(&file).expect("there is a docs/crates.txt");
    assert!(list == listed, "docs/crates.txt is not what is built in; HOLDLINE_BLESS=1 writes:\n{list}");
}

/// What Cargo knows of the packages in `Cargo.lock`, for Linux.
fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version=1"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("Cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

/// The packages that the binary needs, directly or not; those of tests alone are left out, and so is our own.
fn built_in(metadata: &Value) -> Vec<&Value> {
    let root = text(&metadata["resolve"], "root");
    let mut found = BTreeSet::from([root]);
    let mut next = vec![root];
    while let Some(id) = next.pop() {
        let node = list(&metadata["resolve"]["nodes"]).iter().find(|node| text(node, "id") == id).expect("a node");
        let needed = list(&node["deps"]).iter().filter(|dependency| {
            // A kind is "dev", "build", or null for one that is built in.
            list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null())
        });
        next.extend(needed.map(|dependency| text(dependency, "pkg")).filter(|id| found.insert(id)));
    }
    found.remove(root);
    list(&metadata["packages"]).iter().filter(|package| found.contains(text(package, "id"))).collect()
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}
