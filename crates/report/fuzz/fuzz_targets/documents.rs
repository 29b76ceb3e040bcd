//! The documents of `tests/fuzz.rs`, from bytes that are chosen by what they cover.
//!
//! ```text
//! cargo +nightly fuzz run documents
//! ```
#![no_main]

#[path = "../../tests/support/bytes.rs"]
mod bytes;
#[path = "../../tests/support/readings.rs"]
mod readings;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| drop(readings::read(&bytes::document(bytes))));
