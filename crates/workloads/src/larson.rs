//! `larson`: two server threads that replace blocks at random, and inherit each other's.
//!
//! After Larson and Krishnan, "Memory allocation for long-running server applications" (1998): a
//! server's threads come and go, and a block is freed by another thread than the one that asked for
//! it. Here two threads work for a while, each on a table of its own; then both end, and two new ones
//! go on, each with the other's table.

use std::mem::swap;
use std::thread;

use fastrand::Rng;

use crate::block::{Block, LEAST_BYTES, block, two_below};
use crate::{Pass, Start, Workload};

pub(crate) const LARSON: Workload = Workload {
    name: "larson",
    summary: "two threads replace blocks of 8 to 1,024 bytes, and two new ones inherit them",
    operation: "a block freed and another asked for",
    start: Start::Warm,
    passes: 5,
    size: 800_000,
    prepare,
    limits: &[],
};

/// Generations of threads in a pass, each with `size` replacements by each thread in all of them.
const GENERATIONS: u64 = 10;

const SLOTS: usize = 1_000;
const MOST_BYTES: usize = 1_024;

/// A server's blocks, and which it replaces next.
struct Server {
    table: Vec<Block>,
    rng: Rng,
}

fn prepare(size: u64) -> Pass {
    let replacements = size.div_ceil(GENERATIONS);
    let [mut one, mut other] = [1, 2].map(|seed| Server {
        table: (0..SLOTS).map(|_| block(LEAST_BYTES)).collect(),
        rng: Rng::with_seed(seed),
    });
    Box::new(move || {
        for _ in 0..GENERATIONS {
            thread::scope(|scope| {
                let start = |server| scope.spawn(move || Server::serve(server, replacements));
                for thread in [&mut one, &mut other].map(start) {
                    // Joined here, since a scope ends before its threads have quite gone.
                    thread.join().expect("a thread that does not panic");
                }
            });
            swap(&mut one, &mut other);
        }
        2 * GENERATIONS * replacements
    })
}

impl Server {
    fn serve(&mut self, replacements: u64) {
        // A copy on the thread's own stack: side by side the two would share a cache line.
        let mut rng = self.rng.clone();
        for _ in 0..replacements {
            let (slot, bytes) = two_below(&mut rng, SLOTS, MOST_BYTES - LEAST_BYTES + 1);
            self.table[slot] = Block::default();
            self.table[slot] = block(bytes + LEAST_BYTES);
        }
        self.rng = rng;
    }
}
