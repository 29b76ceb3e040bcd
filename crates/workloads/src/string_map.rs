//! `string-map`: a hash map of strings, grown without a size hint, and dropped.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::hint::black_box;

use crate::text::strings;
use crate::{Pass, Start, Workload};

pub(crate) const STRING_MAP: Workload = Workload {
    name: "string-map",
    summary: "a hash map of 50,000 strings of 6 to 400 bytes, grown by doubling and dropped",
    operation: "a string put into the map and dropped",
    start: Start::Warm,
    passes: 20,
    size: 50_000,
    prepare,
    limits: &[],
};

/// Without random seeds: every run has the same collisions.
type Map = HashMap<String, usize, BuildHasherDefault<DefaultHasher>>;

fn prepare(size: u64) -> Pass {
    let keys = strings(size);
    Box::new(move || {
        let mut map = Map::default();
        for (index, key) in keys.iter().enumerate() {
            map.insert(String::from(&**key), index);
        }
        drop(black_box(map));
        size
    })
}
