//! `pair`: one block, asked for and freed, again and again.
//!
//! The shortest way through an allocator, there and back, with everything in the nearest cache. It
//! is the best case, and says little of a program that holds anything.

use crate::block::block;
use crate::{Pass, Start, Workload};

pub(crate) const PAIR: Workload = Workload {
    name: "pair",
    summary: "one block of 64 bytes, freed before the next is asked for",
    operation: "a block asked for and freed",
    start: Start::Warm,
    passes: 10,
    size: 1_500_000,
    prepare,
    limits: &[],
};

fn prepare(size: u64) -> Pass {
    Box::new(move || {
        for _ in 0..size {
            drop(block(64));
        }
        size
    })
}
