//! `slots-...`: random slots of a table are emptied and filled again with blocks of random sizes;
//! `pareto` draws the sizes from a distribution with a long tail.
//!
//! The steady state of a cache or of a server: nothing is freed in the order in which it was asked
//! for, so free lists run all over memory and blocks of one age lie beside those of another. 10,000
//! slots of up to 256 bytes fit into a processor's second cache, 100,000 of up to 16 KiB (some
//! 800 MB) fit into none.

use fastrand::Rng;

use crate::block::{Block, LEAST_BYTES, block, two_below};
use crate::{Pass, Start, Workload};

pub(crate) const TEN_256: Workload = Workload {
    name: "slots-10k-256",
    summary: "random replacement in 10,000 slots of 8 to 256 bytes",
    operation: "a block freed and another asked for",
    start: Start::Warm,
    passes: 5,
    size: 1_600_000,
    prepare: |size| uniform(size, 10_000, 256),
    limits: &[],
};

pub(crate) const TEN_1K: Workload = Workload {
    name: "slots-10k-1k",
    summary: "random replacement in 10,000 slots of 8 to 1,024 bytes",
    size: 1_000_000,
    prepare: |size| uniform(size, 10_000, 1_024),
    ..TEN_256
};

pub(crate) const TEN_16K: Workload = Workload {
    name: "slots-10k-16k",
    summary: "random replacement in 10,000 slots of 8 to 16,384 bytes",
    size: 200_000,
    prepare: |size| uniform(size, 10_000, 16_384),
    ..TEN_256
};

pub(crate) const HUNDRED_256: Workload = Workload {
    name: "slots-100k-256",
    summary: "random replacement in 100,000 slots of 8 to 256 bytes",
    size: 300_000,
    prepare: |size| uniform(size, 100_000, 256),
    ..TEN_256
};

pub(crate) const HUNDRED_1K: Workload = Workload {
    name: "slots-100k-1k",
    summary: "random replacement in 100,000 slots of 8 to 1,024 bytes",
    size: 200_000,
    prepare: |size| uniform(size, 100_000, 1_024),
    ..TEN_256
};

pub(crate) const HUNDRED_16K: Workload = Workload {
    name: "slots-100k-16k",
    summary: "random replacement in 100,000 slots of 8 to 16,384 bytes",
    size: 100_000,
    prepare: |size| uniform(size, 100_000, 16_384),
    ..TEN_256
};

pub(crate) const PARETO: Workload = Workload {
    name: "pareto",
    summary: "random replacement in 10,000 slots of 16 bytes to 1 MiB, small ones mostly (Pareto)",
    size: 1_200_000,
    prepare: pareto,
    ..TEN_256
};

/// A table, and how one of its slots is chosen with the size of its next block.
fn replacing(
    replacements: u64,
    slots: usize,
    mut next: impl FnMut(usize) -> (usize, usize) + 'static,
) -> Pass {
    // Filled in order of the slots, whatever slot is drawn.
    let mut table: Vec<Block> = (0..slots).map(|_| block(next(slots).1)).collect();
    Box::new(move || {
        for _ in 0..replacements {
            let (slot, bytes) = next(slots);
            table[slot] = Block::default(); // freed first, and then asked for anew
            table[slot] = block(bytes);
        }
        replacements
    })
}

/// A table shrinks with the number of replacements, so that a small run stays a small run.
fn at_most(slots: usize, replacements: u64) -> usize {
    slots.min(replacements as usize)
}

fn uniform(replacements: u64, slots: usize, most_bytes: usize) -> Pass {
    let mut rng = Rng::with_seed(1);
    let sizes = most_bytes - LEAST_BYTES + 1;
    replacing(replacements, at_most(slots, replacements), move |slots| {
        let (slot, bytes) = two_below(&mut rng, slots, sizes);
        (slot, bytes + LEAST_BYTES)
    })
}

/// Sizes are looked up in a table, so that no power is computed while the clock runs.
fn pareto(replacements: u64) -> Pass {
    const LEAST: f64 = 16.0;
    const MOST: f64 = (1 << 20) as f64;
    const SHAPE: f64 = 1.1; // half of the blocks are below 30 bytes, one in a hundred above 1,000
    let mut rng = Rng::with_seed(1);
    let size = |rng: &mut Rng| (LEAST / (1.0 - rng.f64()).powf(1.0 / SHAPE)).min(MOST) as usize;
    let sizes: Vec<usize> = (0..1 << 14).map(|_| size(&mut rng)).collect();
    replacing(replacements, at_most(10_000, replacements), move |slots| {
        let (slot, index) = two_below(&mut rng, slots, sizes.len());
        (slot, sizes[index])
    })
}
