//! `comers-and-goers`: threads come, ask for blocks, leave them behind and go.
//!
//! What a pool of workers does to an allocator that is sized by the hour. Each thread's heap is
//! new, or somebody's who has gone; its blocks outlive it and are freed by the main thread while
//! younger ones come and go.

use std::collections::VecDeque;
use std::thread;

use fastrand::Rng;

use crate::block::{Block, LEAST_BYTES, block, two_below};
use crate::{Pass, Start, Workload};

pub(crate) const COMERS_AND_GOERS: Workload = Workload {
    name: "comers-and-goers",
    summary: "threads one after the other, each leaving 2,000 blocks of 8 to 512 bytes behind",
    operation: "a block asked for and freed",
    start: Start::Warm,
    passes: 5,
    size: 100,
    prepare,
    limits: &[],
};

/// Blocks that a thread leaves behind.
const LEFT: usize = 2_000;

/// Threads whose blocks are still alive when the next one comes.
const REMEMBERED: usize = 16;

const MOST_BYTES: usize = 512;

/// `size` threads a pass. What the last ones of a pass have left is there when the next begins.
fn prepare(size: u64) -> Pass {
    let mut left: VecDeque<Vec<Block>> = VecDeque::with_capacity(REMEMBERED + 1);
    let mut seed = 0;
    Box::new(move || {
        for _ in 0..size {
            seed += 1;
            let thread = thread::spawn(move || come_and_go(seed));
            left.push_back(thread.join().expect("a thread that does not panic"));
            if left.len() > REMEMBERED {
                left.pop_front();
            }
        }
        size * LEFT as u64
    })
}

fn come_and_go(seed: u64) -> Vec<Block> {
    let mut rng = Rng::with_seed(seed);
    let blocks = (0..LEFT).map(|_| {
        let (bytes, _) = two_below(&mut rng, MOST_BYTES - LEAST_BYTES + 1, 1);
        block(bytes + LEAST_BYTES)
    });
    blocks.collect()
}
