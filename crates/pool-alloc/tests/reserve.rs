//! Loops earn a reserve, and nothing else does: what a loop of small and of large blocks keeps, when, and how it goes.

mod support;

use std::alloc::{GlobalAlloc, Layout};
use std::thread::sleep;

use support::found::Found;
use support::rounds::{LAPSED, MIB, ROUNDS, earned, small_blocks, small_round};
use support::{Held, POOL, alone, list, stats, touched_by_freeing};

/// A control is in `claims.rs`: without a loop they are not.
#[test]
fn in_a_loop_blocks_freed_in_order_are_linked() {
    alone(|| {
        earned(small_round);
        assert_eq!(touched_by_freeing(|_in_order| {}), 1_000);
    });
}

#[test]
fn a_loop_earns_a_reserve_after_some_rounds() {
    for &round in ROUNDS {
        alone(|| {
            let first: Vec<usize> = (0..3).map(|_| round()).collect();
            assert!(first.iter().all(|kept| *kept < MIB), "{first:?}");
            let kept = earned(round);
            assert!(POOL.release() >= kept);
            assert!(stats().cached_bytes == 0, "{:?}", stats());
        });
    }
}

/// What may stay without a reserve, and what the tide sees, leave no gap between them.
#[test]
fn a_loop_of_any_size_finds_its_memory_again() {
    for kib in [32, 96, 160, 224, 288, 512, 1_024] {
        alone(|| {
            let gives_nothing_back = || {
                let before = stats().released_bytes;
                small_blocks(kib << 10);
                stats().released_bytes == before
            };
            assert!((0..500).any(|_| gives_nothing_back()), "{kib} KiB");
        });
    }
}

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
            let left = stats().cached_bytes;
            // SAFETY: the block is held and freed once.
            unsafe { POOL.dealloc(block, layout) };
            assert!(left < MIB, "{left} of {earned}");
        });
    }
}

#[test]
fn a_reserve_ends_as_the_program_goes_on_with_large_blocks() {
    alone(|| {
        for large in [|| drop(Held::new(MIB, 8, 1)), || drop(Found::new(MIB, 16))] {
            earned(small_round);
            sleep(LAPSED);
            assert!(stats().free_slice_bytes > 15 * MIB);
            large();
            let left = stats();
            assert!(left.free_slice_bytes < MIB, "{left:?}");
        }
    });
}

#[test]
fn empty_arenas_go_with_the_reserve() {
    alone(|| {
        // Some of each pool survive, so that all arenas do.
        let mut number = 0;
        let mut survivors = list(100_000, 640);
        survivors.retain(|_| {
            number += 1;
            number % 40 == 0
        });
        let gives_nothing_back = || {
            let before = stats().released_bytes;
            small_blocks(3 * MIB);
            stats().released_bytes == before
        };
        assert!(
            (0..500).any(|_| gives_nothing_back()),
            "a loop earns a reserve"
        );
        drop(survivors);
        assert!(stats().arenas > 20, "a control: {:?}", stats());
        sleep(LAPSED);
        small_blocks(MIB);
        assert!(stats().arenas <= 2, "{:?}", stats());
    });
}
