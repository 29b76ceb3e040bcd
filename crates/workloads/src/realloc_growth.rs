//! `realloc-growth`: vectors that grow in turns, each doubling its block whenever it is full.
//!
//! What `Vec` does with everything that is read without knowing how much there will be. An
//! allocator that can enlarge a block where it lies, or move its pages, need not copy it.

use std::hint::black_box;

use crate::{Pass, Start, Workload};

pub(crate) const REALLOC_GROWTH: Workload = Workload {
    name: "realloc-growth",
    summary: "eight vectors grown in turns from nothing to 1 MiB, 256 bytes at a time",
    operation: "256 bytes appended",
    start: Start::Warm,
    passes: 80,
    size: 4_096,
    prepare,
    limits: &[],
};

const VECTORS: usize = 8;
const APPENDED: [u8; 256] = [1; 256];

/// `size` appends to each of the vectors a pass, at the end of which all of them are dropped.
fn prepare(size: u64) -> Pass {
    Box::new(move || {
        let mut vectors: [Vec<u8>; VECTORS] = Default::default();
        for _ in 0..size {
            for vector in &mut vectors {
                vector.extend_from_slice(&APPENDED);
            }
        }
        drop(black_box(vectors));
        size * VECTORS as u64
    })
}
