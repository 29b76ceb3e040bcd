//! Ordinary traffic: what a program that goes on running asks of its allocator.
//!
//! Allocators that give memory back "on activity" do so on their slow paths, and each has others:
//! glibc consolidates its fastbins when a request of 1 KiB or more misses the thread's cache,
//! jemalloc looks at its decay at one in 1,000 operations that get past the thread's cache (all
//! above 32 KiB do), mimalloc looks at its purge delay when a page falls empty. So the traffic is
//! small blocks that live for a while, and now and then a buffer that does not.
//!
//! The sizes are few, so that traffic leaves little of its own behind, and each has its reason.
//! All of it is freed again: what blocks that stay alive do to the memory around them is a
//! question for scenarios.

use std::hint::black_box;

use fastrand::Rng;

/// A list node, a small struct, a string, a line or packet, a page.
const SMALL_BYTES: [usize; 5] = [24, 64, 200, 1_500, 4_096];

/// An I/O buffer, past the largest size that any of the thread caches holds (32 KiB in jemalloc).
const BUFFER_BYTES: usize = 40_000;

/// Small blocks alive at a time: 64 of them come to about 75 KiB.
const WINDOW: usize = 64;

/// Small blocks replaced in one moment of traffic.
const OPERATIONS: usize = 20_000;

/// One buffer to so many small blocks: 5,000 in all, which are 10,000 operations. jemalloc looks at its
/// decay with a chance of 1 in 1,000 at each: that it does not look at all in a moment of traffic has
/// one of 1 in 20,000.
const BLOCKS_PER_BUFFER: usize = 4;

/// Allocates and frees as an ordinary program would for a moment. Every call asks for the same.
pub fn traffic() {
    let mut rng = Rng::with_seed(1);
    let mut window: [Vec<u8>; WINDOW] = [const { Vec::new() }; WINDOW];
    for operation in 0..OPERATIONS {
        let bytes = SMALL_BYTES[rng.usize(0..SMALL_BYTES.len())];
        window[rng.usize(0..WINDOW)] = written(bytes);
        if operation % BLOCKS_PER_BUFFER == 0 {
            drop(written(BUFFER_BYTES));
        }
    }
}

/// A block whose first byte has been written, out of the optimiser's sight.
fn written(bytes: usize) -> Vec<u8> {
    let mut block = Vec::with_capacity(bytes);
    block.push(1);
    black_box(block)
}
