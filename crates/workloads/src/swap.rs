//! `swap`: two threads that put blocks of all sizes where others lie, and free those.
//!
//! A cache, a queue of work, a table of connections: whoever finds a block there frees it, whoever
//! asked for it. A thread's memory comes back through others, a block at a time, and each of them has
//! use for other sizes. An allocator that loses sight of what came back grows, though the program
//! does not.

use std::mem::replace;
use std::sync::{Mutex, PoisonError};
use std::thread;

use fastrand::Rng;

use crate::block::{Block, block, two_below};
use crate::{Pass, Start, Workload};

pub(crate) const SWAP: Workload = Workload {
    name: "swap",
    summary: "two threads swap blocks of 16 to 300,000 bytes with a table that they share",
    operation: "a block asked for, put in another's place, and that one freed",
    start: Start::Warm,
    passes: 5,
    size: 100_000,
    prepare,
    limits: &[],
};

const SLOTS: usize = 4_096;

/// What is asked for, each as often as the others.
const BYTES: [usize; 8] = [16, 40, 100, 700, 5_000, 60_000, 200_000, 300_000];

/// From here on a block is one of a few, in these first slots.
const FEW_FROM: usize = 60_000;
const FEW: usize = 16;

/// `size` swaps a pass by each of the threads.
fn prepare(size: u64) -> Pass {
    let table: Vec<Mutex<Block>> = (0..SLOTS).map(|_| Mutex::default()).collect();
    let mut rngs = [1, 2].map(Rng::with_seed);
    Box::new(move || {
        thread::scope(|scope| {
            let start = |rng| scope.spawn(|| swap(&table, rng, size));
            for thread in rngs.each_mut().map(start) {
                // Joined here, since a scope ends before its threads have quite gone.
                thread.join().expect("a thread that does not panic");
            }
        });
        2 * size
    })
}

fn swap(table: &[Mutex<Block>], rng: &mut Rng, swaps: u64) {
    for _ in 0..swaps {
        let (kind, slot) = two_below(rng, BYTES.len(), SLOTS);
        let bytes = BYTES[kind];
        let slot = if bytes < FEW_FROM { slot } else { slot % FEW };
        let new = block(bytes);
        let mut place = table[slot].lock().unwrap_or_else(PoisonError::into_inner);
        let old = replace(&mut *place, new);
        drop(place);
        drop(old);
    }
}
