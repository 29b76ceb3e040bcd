//! `lifo-...`: batches of blocks of one size, freed last to first; `lifo-and-reverse` frees every
//! other batch first to last.
//!
//! What a recursive function does, or a request that is answered and forgotten. Last to first an
//! allocator's free list comes back in the order in which it was used; first to last it is turned
//! around, and the next batch runs through memory backwards.

use crate::block::{Block, block};
use crate::{Pass, Start, Workload};

pub(crate) const OF_24: Workload = Workload {
    name: "lifo-24",
    summary: "batches of 1,000 blocks of 24 bytes, freed last to first",
    operation: "a block asked for and freed",
    start: Start::Warm,
    passes: 10,
    size: 1_000,
    prepare: |size| prepare::<24>(size, 0),
    limits: &[],
};

pub(crate) const OF_256: Workload = Workload {
    name: "lifo-256",
    summary: "batches of 1,000 blocks of 256 bytes, freed last to first",
    passes: 6,
    prepare: |size| prepare::<256>(size, 0),
    ..OF_24
};

pub(crate) const OF_2048: Workload = Workload {
    name: "lifo-2048",
    summary: "batches of 1,000 blocks of 2,048 bytes, freed last to first",
    passes: 8,
    size: 250,
    prepare: |size| prepare::<2048>(size, 0),
    ..OF_24
};

pub(crate) const AND_REVERSE: Workload = Workload {
    name: "lifo-and-reverse",
    summary: "batches of 1,000 blocks of 64 bytes, freed last to first and first to last in turn",
    prepare: |size| prepare::<64>(size, 1),
    ..OF_24
};

/// Blocks of a batch.
const BATCH: u64 = 1_000;

/// `size` batches a pass; every other one is freed the other way round where `odd` is 1.
fn prepare<const BYTES: usize>(size: u64, odd: u64) -> Pass {
    let mut batch: Vec<Block> = Vec::with_capacity(BATCH as usize);
    Box::new(move || {
        for turn in 0..size {
            batch.extend((0..BATCH).map(|_| block(BYTES)));
            match turn & odd {
                0 => while batch.pop().is_some() {},
                _ => batch.clear(), // front to back
            }
        }
        size * BATCH
    })
}
