//! A user's own allocator crate, outside of this workspace, is measured beside the others.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::run::{finish, root, xtask};

const MANIFEST: &str = include_str!("../../examples/bring-your-own/Cargo.toml");
const MAIN: &str = include_str!("../../examples/bring-your-own/src/main.rs");
const LOCK: &str = include_str!("../../examples/bring-your-own/Cargo.lock");

/// The example as it would be for an allocator that cannot be asked.
fn without_a_release_call() -> String {
    let (before, _) = MAIN.split_once("    // SAFETY").expect("a call");
    format!("{before}    serve(&Plain::named(\"never-asked\", \"1\"))\n}}\n")
}

/// Makes the example a package in `folder`, which knows of this workspace as of any other place. What
/// it is built from stays in this workspace's `target`, or each test run would build it all again.
fn settle_outside(folder: &Path) {
    let ours = root().join("crates/subject").display().to_string();
    let manifest = MANIFEST.replace("../../crates/subject", &ours);
    let manifest = manifest.split("[workspace]").next().expect("a manifest");
    fs::create_dir_all(folder.join("src/bin")).expect("a folder");
    for (path, text) in [
        ("Cargo.toml", manifest),
        ("Cargo.lock", LOCK),
        ("src/main.rs", MAIN),
        ("src/bin/never-asked.rs", &without_a_release_call()),
    ] {
        fs::write(folder.join(path), text).expect("a file");
    }
    let target = root().join("target/bring-your-own");
    fs::create_dir_all(&target).expect("a folder");
    symlink(target, folder.join("target")).expect("a link");
}

#[test]
fn allocators_from_outside_are_measured_under_the_same_conditions() {
    let folder = tempfile::tempdir().expect("a folder");
    settle_outside(folder.path());
    let out = folder.path().join("result.json");
    let mut compare = xtask(&["compare", "--scenario", "int-list", "--allocator", "system"]);
    compare.arg("--subject").arg(folder.path());
    let outcome = finish(compare.arg("--out").arg(&out));
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);

    let result: serde_json::Value =
        serde_json::from_slice(&fs::read(&out).expect("a result")).expect("JSON");
    let cells = result["cells"].as_array().expect("cells");
    let of = |name| cells.iter().find(|cell| cell["allocator"] == name);
    let system = of("system").expect("a cell");
    let brought = of("mimalloc-2").expect("a cell");
    assert_eq!(brought["status"], "measured");
    assert_eq!(brought["release_call"], "mi_collect(true)");
    assert_eq!(brought["verdict"]["returns"], "on-request");
    assert_eq!(brought["upheld"], system["upheld"]);
    assert_eq!(brought["upheld"]["lab_clock"], true);
    assert_eq!(brought["upheld"]["seeded_randomness"], true);

    let never_asked = of("never-asked").expect("a cell");
    assert!(never_asked["release_call"].is_null());
    let last = never_asked["checkpoints"]
        .as_array()
        .and_then(|all| all.last());
    assert_eq!(last.expect("a checkpoint")["name"], "active");
    assert_ne!(never_asked["verdict"]["returns"], "on-request");
}

#[test]
fn the_page_shows_the_example_as_it_is() {
    let page = include_str!("../../docs/bring-your-own.md");
    let without_comment = |line: &&str| !line.starts_with("//!") && !line.is_empty();
    for line in MAIN.lines().filter(without_comment).chain(MANIFEST.lines()) {
        assert!(page.contains(line), "docs/bring-your-own.md lacks {line:?}");
    }
}
