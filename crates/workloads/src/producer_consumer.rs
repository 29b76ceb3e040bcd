//! `producer-consumer`: one thread asks for every block, another one frees it.
//!
//! The way of a pipeline, and the worst case of allocators with a heap for each thread: no free is
//! the owner's. Blocks change hands by the thousand, so that the queue between the two, which is
//! the same under every allocator, costs little beside them.

use std::sync::mpsc::sync_channel;
use std::thread;

use fastrand::Rng;

use crate::block::{Block, LEAST_BYTES, block, two_below};
use crate::{Pass, Start, Workload};

pub(crate) const PRODUCER_CONSUMER: Workload = Workload {
    name: "producer-consumer",
    summary: "blocks of 8 to 512 bytes asked for by one thread and freed by another",
    operation: "a block asked for and freed",
    start: Start::Warm,
    passes: 5,
    size: 300,
    prepare,
    limits: &[],
};

/// Blocks that change hands at once.
const BATCH: u64 = 1_000;

/// Batches that wait at most: whoever is faster waits, and what is alive has a bound.
const WAITING: usize = 8;

const MOST_BYTES: usize = 512;

/// `size` batches a pass.
fn prepare(size: u64) -> Pass {
    let mut rng = Rng::with_seed(1);
    Box::new(move || {
        let (sender, receiver) = sync_channel::<Vec<Block>>(WAITING);
        let rng = &mut rng;
        thread::scope(|scope| {
            let consumer = scope.spawn(move || receiver.into_iter().for_each(drop));
            for _ in 0..size {
                let blocks = (0..BATCH).map(|_| {
                    let (bytes, _) = two_below(rng, MOST_BYTES - LEAST_BYTES + 1, 1);
                    block(bytes + LEAST_BYTES)
                });
                let sent = sender.send(blocks.collect());
                sent.expect("the consumer takes what comes until the sender has gone");
            }
            drop(sender);
            // Joined here, since a scope ends before its threads have quite gone.
            consumer.join().expect("a thread that does not panic");
        });
        size * BATCH
    })
}
