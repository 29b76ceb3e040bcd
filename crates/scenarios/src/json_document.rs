//! `json-document`: a large JSON document is parsed into a tree of values, and the tree dropped.
//!
//! Where does the memory of `serde_json::Value` go when it is dropped (serde-rs/json#1194)? Strings
//! of every length, maps of one middle size, lists that grew by doubling. The document itself is
//! written first, as a program would have read it from a file, and is gone once it has been parsed:
//! it counts towards the peak, and not towards what is alive.
//!
//! The program wants one record of it and makes a copy, which outlives the tree. Without that the
//! heap under glibc would be trimmed down to the highest block in the thread's cache, and the
//! verdict be that of the seed which put it there.

use std::fmt::Write;

use fastrand::Rng;
use serde_json::Value;

use crate::{Object, Scenario, boxed};

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "json-document",
    summary: "a parsed JSON document of records with nested objects and lists",
    question: "does memory come back when a large document was parsed and is dropped?",
    unit: "records",
    default_size: 60_000,
    footprint_bytes: |size| {
        size.saturating_mul(MOST_BYTES_PER_RECORD)
            .saturating_add(4096)
    },
    build: |size, seed| boxed(|| Document::build(size, seed)),
};

/// Two maps, three lists of values, some strings, its place in the list, and its text.
const MOST_BYTES_PER_RECORD: u64 = 2 * NODE_BYTES + 600 + TEXT_BYTES;

/// Room for a record's text: more than the mean, so that the document does not grow.
const TEXT_BYTES: u64 = 400;

/// A map of at most eleven entries is one node of a B-tree: eleven keys, eleven values, a pointer
/// to its parent and two counts.
const NODE_BYTES: u64 = (11 * (size_of::<String>() + size_of::<Value>()) + 16) as u64;

struct Document {
    root: Value,
    answer: Value,
}

impl Document {
    fn build(size: u64, seed: u64) -> Document {
        let text = written(size, &mut Rng::with_seed(seed));
        let root: Value = serde_json::from_str(&text).expect("well-formed");
        let answer = root[size as usize / 2].clone();
        drop(text);
        Document { root, answer }
    }
}

impl Object for Document {
    fn live_bytes(&self) -> u64 {
        bytes_of(&self.root) + bytes_of(&self.answer)
    }

    fn drop_large(mut self: Box<Self>) -> Option<Box<dyn Object>> {
        self.root = Value::Null;
        Some(self)
    }
}

/// What a value holds beyond itself.
fn bytes_of(value: &Value) -> u64 {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.capacity() as u64,
        Value::Array(list) => {
            let places = (list.capacity() * size_of::<Value>()) as u64;
            places + list.iter().map(bytes_of).sum::<u64>()
        }
        Value::Object(map) => {
            let entries = map
                .iter()
                .map(|(key, value)| key.capacity() as u64 + bytes_of(value));
            NODE_BYTES + entries.sum::<u64>()
        }
    }
}

/// The document's text: a list of records as a service would export its users.
fn written(size: u64, rng: &mut Rng) -> String {
    let mut text = String::with_capacity((size * TEXT_BYTES) as usize);
    text.push('[');
    for id in 0..size {
        if id > 0 {
            text.push(',');
        }
        record(&mut text, id, rng).expect("strings take all that is written");
    }
    text.push(']');
    text
}

fn record(text: &mut String, id: u64, rng: &mut Rng) -> std::fmt::Result {
    write!(
        text,
        r#"{{"id":{id},"balance":{:.2},"active":true,"name":""#,
        rng.f64() * 1e4
    )?;
    word(text, 8..24, rng);
    write!(text, r#"","biography":""#)?;
    word(text, 20..150, rng);
    write!(text, r#"","address":{{"street":""#)?;
    word(text, 10..30, rng);
    write!(text, r#"","city":null,"position":[52.5,13.4]}},"scores":["#)?;
    write!(text, "{id}")?;
    for _ in 0..rng.u8(0..6) {
        write!(text, ",{}", rng.u16(..))?;
    }
    write!(text, "]}}")
}

fn word(text: &mut String, lengths: std::ops::Range<usize>, rng: &mut Rng) {
    let length = rng.usize(lengths);
    text.extend((0..length).map(|_| rng.lowercase()));
}
