//! `shared-table`: two threads that replace each other's blocks in one table, for long.
//!
//! As of a cache that all workers of a service use. A block is freed by whoever comes by, as likely another
//! as the one that asked for it, and the threads stay. So whose memory has room is chance, and changes. An
//! allocator that asks the system for more wherever one thread has none, while the other has much, goes on
//! growing; `swap`, whose threads end with each pass, does not show that.

use std::mem::replace;
use std::sync::{Mutex, PoisonError};
use std::thread;

use fastrand::Rng;

use crate::block::{Block, LEAST_BYTES, block, two_below};
use crate::{Pass, Start, Workload};

pub(crate) const SHARED_TABLE: Workload = Workload {
    name: "shared-table",
    summary: "two threads replace blocks of 8 to 2,048 bytes in 40,000 slots that they share",
    operation: "a block asked for, put in another's place, and that one freed",
    start: Start::Cold,
    passes: 1,
    size: 3_000_000,
    prepare,
    limits: &[],
};

const SLOTS: usize = 40_000;
const MOST_BYTES: usize = 2_048;

/// `size` replacements by each of the threads.
fn prepare(size: u64) -> Pass {
    let table: Vec<Mutex<Block>> = (0..SLOTS).map(|_| Mutex::default()).collect();
    Box::new(move || {
        thread::scope(|scope| {
            let start = |seed| {
                let table = &table;
                scope.spawn(move || replace_at_random(table, Rng::with_seed(seed), size))
            };
            for thread in [1, 2].map(start) {
                // Joined here, since a scope ends before its threads have quite gone.
                thread.join().expect("a thread that does not panic");
            }
        });
        2 * size
    })
}

fn replace_at_random(table: &[Mutex<Block>], mut rng: Rng, replacements: u64) {
    for _ in 0..replacements {
        let (slot, bytes) = two_below(&mut rng, SLOTS, MOST_BYTES - LEAST_BYTES + 1);
        let new = block(bytes + LEAST_BYTES);
        let mut place = table[slot].lock().unwrap_or_else(PoisonError::into_inner);
        let old = replace(&mut *place, new);
        drop(place);
        drop(old);
    }
}
