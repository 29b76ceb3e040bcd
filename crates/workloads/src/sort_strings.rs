//! `sort-strings`: lines are read into strings, sorted and dropped in their new order.

use std::hint::black_box;

use crate::text::strings;
use crate::{Pass, Start, Workload};

pub(crate) const SORT_STRINGS: Workload = Workload {
    name: "sort-strings",
    summary: "a vector of 50,000 strings of 6 to 400 bytes, sorted and dropped in the new order",
    operation: "a string made, sorted and dropped",
    start: Start::Warm,
    passes: 12,
    size: 50_000,
    prepare,
    limits: &[],
};

fn prepare(size: u64) -> Pass {
    let lines = strings(size);
    Box::new(move || {
        let mut read: Vec<String> = lines.iter().map(|line| String::from(&**line)).collect();
        read.sort(); // stable: it asks for a buffer
        drop(black_box(read));
        size
    })
}
