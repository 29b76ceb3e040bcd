//! The feature `stats`: each counter against a history whose figures are known beforehand.
//!
//! The allocator is not the global one here: what the test asks for is all that it counts. One test, so that no other
//! counts meanwhile. Without the feature, `cargo test` comes here to run it with the feature, in a build of its own.

#[cfg(all(feature = "stats", not(feature = "hardened")))]
mod history;

#[cfg(not(feature = "stats"))]
#[test]
fn every_counter_counts_what_it_says() {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["test", "--package", "pool-alloc", "--features", "stats"])
        .args(["--test", "counters"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{said}");
    let ran = "history::every_counter_counts_what_it_says ... ok";
    assert!(said.contains(ran), "the feature was not on: {said}");
}
