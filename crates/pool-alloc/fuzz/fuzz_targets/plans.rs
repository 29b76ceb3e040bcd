//! The plans of `tests/fuzz.rs`, from bytes that are chosen by what they cover.
//!
//! ```text
//! cargo +nightly fuzz run plans fuzz/corpus/plans tests/regressions
//! ```
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

use libfuzzer_sys::fuzz_target;
use support::{bytes, plan};

fuzz_target!(|bytes: &[u8]| plan::run(&bytes::plan(bytes)));
