//! What the feature `hardened` notices, and that nothing else changes with it.
//!
//! Without the feature, `cargo test` comes here to run all tests of the crate with it, these included. That is a build
//! of its own: within one build, the feature would be everybody's.
//!
//! With it, each test is a program that is run twice, in processes of their own: once with a fault, of which it has to
//! die with the one line that says so, and once without, when it has to end well and say nothing.

#[cfg(feature = "hardened")]
mod large;
#[cfg(feature = "hardened")]
mod links;
#[cfg(feature = "hardened")]
mod pools;
#[cfg(feature = "hardened")]
mod program;

#[cfg(not(feature = "hardened"))]
#[test]
fn all_tests_pass_hardened() {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["test", "--package", "pool-alloc", "--features", "hardened"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("POOL_ALLOC_FUZZ_SECONDS", "3")
        .output()
        .expect("cargo runs");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{said}");
    let ran = "pools::a_second_free_is_a_double_free ... ok";
    assert!(said.contains(ran), "the feature was not on: {said}");
}
