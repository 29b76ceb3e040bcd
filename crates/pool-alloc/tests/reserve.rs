//! Loops earn a reserve, and nothing else does: what a loop of small and of large blocks keeps, when, and how it goes.

mod support;

use std::alloc::{GlobalAlloc, Layout};
use std::thread::sleep;
use std::time::Duration;

use support::{POOL, alone, stats};

const MIB: usize = 1 << 20;

/// What one build and drop of 20 MiB in small blocks leaves.
fn small_round() -> usize {
    small_blocks(20 * MIB);
    stats().cached_bytes
}

fn small_blocks(bytes: usize) {
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
fn large_round() -> usize {
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

/// What earns a reserve: large blocks that have guards do not wait for others.
const ROUNDS: &[fn() -> usize] = match cfg!(feature = "hardened") {
    true => &[small_round],
    false => &[small_round, large_round],
};

/// Half of the blocks of a round in an order that turns from pool to pool, and then the others, but for `survivors`.
fn shuffled_round(survivors: usize) -> Vec<*mut u8> {
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

/// What a round leaves once there is a reserve. A few rounds earn it; one in which the machine let the test wait for
/// too long does not count.
fn earned(round: fn() -> usize) -> usize {
    let kept = (0..500).map(|_| round()).find(|kept| *kept > 15 * MIB);
    kept.expect("a loop of rounds of 20 MiB earns a reserve")
}

#[test]
fn a_loop_earns_a_reserve_after_some_rounds() {
    for &round in ROUNDS {
        alone(|| {
            let first: Vec<usize> = (0..4).map(|_| round()).collect();
            assert!(first.iter().all(|kept| *kept < MIB), "{first:?}");
            let kept = earned(round);
            assert!(POOL.release() >= kept);
            assert!(stats().cached_bytes == 0, "{:?}", stats());
        });
    }
}

/// Longer than a round of 20 MiB is remembered.
const LAPSED: Duration = Duration::from_secs(2);

#[test]
fn a_reserve_that_is_not_used_goes_back() {
    for &round in ROUNDS {
        alone(|| {
            let earned = earned(round);
            sleep(LAPSED);
            // The first call that reaches the arenas, and the runs, finds out.
            small_blocks(MIB);
            let layout = Layout::from_size_align(MIB, 8).expect("valid");
            // SAFETY: the size is not zero.
            let block = unsafe { POOL.alloc(layout) };
            // SAFETY: the block is held and freed once.
            unsafe { POOL.dealloc(block, layout) };
            let left = stats().cached_bytes;
            assert!(left < MIB, "{left} of {earned}");
        });
    }
}

#[test]
fn a_loop_that_frees_in_disorder_is_spared_sweeps_and_what_survives_it_is_not() {
    alone(|| {
        let released = || stats().released_bytes;
        let gives_back_in_a_round = || {
            let before = released();
            assert_eq!(shuffled_round(0), []);
            released() - before
        };
        assert!(gives_back_in_a_round() > 19 * MIB);
        let spared = (0..500)
            .map(|_| gives_back_in_a_round())
            .find(|given| *given == 0);
        assert!(spared.is_some(), "a loop earns a reserve");

        let survivors = shuffled_round(100);
        let kept = stats().cached_bytes;
        assert!(kept > 10 * MIB, "{kept}");
        sleep(LAPSED);
        let before = released();
        assert_eq!(shuffled_round(0), []);
        let given = released() - before;
        assert!(given > 15 * MIB, "{given}");
        let left = stats().cached_bytes;
        assert!(left < 2 * MIB, "{left} of {kept}");
        for block in survivors {
            // SAFETY: each block is held and freed once.
            unsafe { POOL.dealloc(block, Layout::from_size_align(512, 8).expect("valid")) };
        }
    });
}
