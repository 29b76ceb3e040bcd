//! Pages of 16 and 64 KiB, as Linux has them on some processors, and macOS: whatever does not count pages passes.
//!
//! The system's pages are not larger for that. A debug build takes them for larger where the environment says so
//! (`POOL_ALLOC_PAGE_KIB`): what it maps, purges and guards are multiples of it then. The tests are run once more, in
//! processes of their own.
#![cfg(all(debug_assertions, not(feature = "hardened")))] // those of the feature tell where a guard is

use std::process::Command;

/// Those that hold on to no figure of theirs.
const TESTS: [&str; 7] = [
    "fork",
    "fuzz",
    "global",
    "model",
    "out_of_memory",
    "refused",
    "threads",
];

#[test]
fn tests_pass_with_larger_pages() {
    for kib in ["16", "64"] {
        let mut command = Command::new(env!("CARGO"));
        command.args(["test", "--package", "pool-alloc", "--lib"]);
        for test in TESTS {
            command.args(["--test", test]);
        }
        let output = command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("POOL_ALLOC_PAGE_KIB", kib)
            .env("POOL_ALLOC_FUZZ_SECONDS", "3")
            .output()
            .expect("cargo runs");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(output.status.success(), "{kib} KiB: {said}");
        let ran = "os::page::tests::pages_are_as_large_as_is_pretended ... ok";
        assert!(said.contains(ran), "{kib} KiB: {said}");
    }
}
