//! Rounds that earn a reserve: what a loop builds and drops, and what it keeps.

use std::alloc::{GlobalAlloc, Layout};
use std::time::Duration;

use super::found::Found;
use super::{POOL, stats};

pub const MIB: usize = 1 << 20;

/// What one build and drop of 20 MiB in small blocks leaves.
pub fn small_round() -> usize {
    small_blocks(20 * MIB);
    stats().cached_bytes
}

pub fn small_blocks(bytes: usize) {
    let layout = Layout::from_size_align(512, 8).expect("valid");
    // SAFETY: the size is not zero.
    let blocks: Vec<_> = (0..bytes / 512)
        .map(|_| unsafe { POOL.alloc(layout) })
        .collect();
    for block in blocks {
        // SAFETY: the block has room for a byte.
        unsafe { block.write(1) };
        // SAFETY: each block is held and freed once.
        unsafe { POOL.dealloc(block, layout) };
    }
}

/// The same in three blocks of 4 to 9 MiB.
pub fn large_round() -> usize {
    let layouts = [4, 7, 9].map(|mib| Layout::from_size_align(mib * MIB, 8).expect("valid"));
    // SAFETY: the sizes are not zero.
    let blocks = layouts.map(|layout| unsafe { POOL.alloc(layout) });
    for (block, layout) in blocks.into_iter().zip(layouts) {
        // SAFETY: the block is as large as that.
        unsafe { block.write_bytes(7, layout.size()) };
        // SAFETY: each block is held and freed once.
        unsafe { POOL.dealloc(block, layout) };
    }
    stats().cached_bytes
}

/// And in three that are found by their address.
pub fn found_round() -> usize {
    drop([4, 7, 9].map(|mib| Found::new(mib * MIB, 16)));
    stats().cached_bytes
}

/// What earns a reserve: large blocks that have guards do not wait for others.
pub const ROUNDS: &[fn() -> usize] = match cfg!(feature = "hardened") {
    true => &[small_round],
    false => &[small_round, large_round, found_round],
};

/// What a round leaves once there is a reserve. A few rounds earn it; one in which the machine let the test wait for
/// too long does not count.
pub fn earned(round: fn() -> usize) -> usize {
    let kept = (0..500).map(|_| round()).find(|kept| *kept > 15 * MIB);
    kept.expect("a loop of rounds of 20 MiB earns a reserve")
}

/// Half of the blocks of a round in an order that turns from pool to pool, and then the others, but for `survivors`.
pub fn shuffled_round(survivors: usize) -> Vec<*mut u8> {
    let layout = Layout::from_size_align(512, 8).expect("valid");
    let count = 20 * MIB / 512;
    // SAFETY: the size is not zero.
    let mut blocks: Vec<_> = (0..count).map(|_| unsafe { POOL.alloc(layout) }).collect();
    // A step without a common divisor with the count, larger than a pool.
    blocks = (0..count).map(|nth| blocks[nth * 1_237 % count]).collect();
    for block in blocks.drain(survivors..) {
        // SAFETY: each block is held and freed once.
        unsafe { POOL.dealloc(block, layout) };
    }
    blocks
}

pub fn free(survivors: Vec<*mut u8>) {
    for block in survivors {
        // SAFETY: each block is held and freed once.
        unsafe { POOL.dealloc(block, Layout::from_size_align(512, 8).expect("valid")) };
    }
}

/// Rounds until there is a reserve that spares all of one.
pub fn earned_in_disorder() {
    let gives_nothing_back = || {
        let before = stats().released_bytes;
        assert_eq!(shuffled_round(0), []);
        stats().released_bytes == before
    };
    assert!(
        (0..500).any(|_| gives_nothing_back()),
        "a loop earns a reserve"
    );
}

/// Longer than a round of 20 MiB is remembered.
pub const LAPSED: Duration = Duration::from_secs(2);
