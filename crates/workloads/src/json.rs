//! `json`: a large document is parsed into a tree of values, and the tree dropped (serde_json).

use std::hint::black_box;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::text::word;
use crate::{Pass, Start, Workload};

pub(crate) const JSON: Workload = Workload {
    name: "json",
    summary: "a document of 10,000 records (2 MB) parsed into a tree, and the tree dropped",
    operation: "a record parsed and dropped",
    start: Start::Warm,
    passes: 5,
    size: 10_000,
    prepare,
    limits: &[],
};

fn prepare(size: u64) -> Pass {
    let mut rng = Rng::with_seed(1);
    let records: Vec<Value> = (0..size).map(|id| record(id, &mut rng)).collect();
    let text = Value::from(records).to_string();
    Box::new(move || {
        let tree: Value = serde_json::from_str(&text).expect("well-formed");
        drop(black_box(tree));
        size
    })
}

/// As a service would export its users.
fn record(id: u64, rng: &mut Rng) -> Value {
    let mut text = |least, most| {
        let length = rng.usize(least..most);
        word(rng, length)
    };
    json!({
        "id": id,
        "name": text(8, 24),
        "biography": text(20, 150),
        "active": true,
        "address": { "street": text(10, 30), "city": null, "position": [52.5, 13.4] },
        "scores": [id, id / 2, id / 3],
    })
}
