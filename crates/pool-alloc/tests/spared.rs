//! Sparse pools of a loop are spared the sweep, as far as its reserve goes: a living thread's, and those that one leaves. When
//! the reserve is over they are swept, once each.

mod support;

use std::alloc::{GlobalAlloc, Layout};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::thread::{self, sleep};

use support::rounds::{LAPSED, MIB, earned_in_disorder, free, shuffled_round, small_blocks};
use support::{POOL, alone, list, stats};

/// The survivors of a round on a thread that ends, each in a pool of its own.
fn left_by_a_thread(survivors: usize) -> Vec<*mut u8> {
    let round = || {
        shuffled_round(survivors)
            .into_iter()
            .map(Address)
            .collect::<Vec<_>>()
    };
    let left = thread::scope(|scope| scope.spawn(round).join().expect("it does not fail"));
    left.into_iter().map(|Address(block)| block).collect()
}

struct Address(*mut u8);

// SAFETY: a block is memory like any other; only its holder touches it.
unsafe impl Send for Address {}

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
        free(survivors);
    });
}

#[test]
fn what_a_thread_leaves_in_a_loop_is_spared_until_the_loop_is_over() {
    let ends: [fn(); 2] = [
        || {
            POOL.release();
        },
        || {
            sleep(LAPSED);
            small_blocks(20 * MIB);
        },
    ];
    for end in ends {
        alone(|| {
            earned_in_disorder();
            let before = stats().released_bytes;
            let survivors = left_by_a_thread(100);
            assert_eq!(stats().released_bytes, before, "the next round may need it");
            let kept = stats().cached_bytes;
            assert!(kept > 10 * MIB, "{kept}");

            end();
            let left = stats().cached_bytes;
            assert!(left < 2 * MIB, "{left} of {kept}");
            free(survivors);
            POOL.release();
            assert_eq!(
                stats().allocated_bytes + stats().cached_bytes,
                0,
                "{:?}",
                stats()
            );

            // Without a reserve it goes when the thread ends.
            let before = stats().released_bytes;
            let survivors = left_by_a_thread(100);
            assert!(stats().released_bytes - before > 15 * MIB);
            free(survivors);
        });
    }
}

#[test]
fn what_is_spared_is_swept_while_others_free_and_adopt_it() {
    alone(|| {
        for _ in 0..20 {
            earned_in_disorder();
            let survivors = thread::scope(|scope| {
                let round = || {
                    let mut held = list(40_000, 500);
                    let mut nth = 0;
                    held.retain(|_| {
                        nth += 1;
                        nth % 100 == 0
                    });
                    held
                };
                scope.spawn(round).join().expect("it does not fail")
            });
            thread::scope(|scope| {
                scope.spawn(|| drop(survivors));
                scope.spawn(|| drop(list(10_000, 500)));
                POOL.release();
            });
        }
        POOL.release();
        assert_eq!(stats().allocated_bytes, 0);
    });
}

/// Blocks of 64 bytes that a thread left which is gone, every tenth of its pools: a list for each pool.
fn pools_left_by_a_thread() -> Vec<Vec<Address>> {
    let leave = || {
        let mut pools = BTreeMap::<_, Vec<_>>::new();
        for _ in 0..32 << 10 {
            // SAFETY: the size is not zero.
            let block = unsafe { POOL.alloc(TINY) };
            pools.entry(block.addr() >> 16).or_default().push(block);
        }
        let mut left = Vec::new();
        for pool in pools.into_values() {
            let (kept, freed) = pool.into_iter().enumerate().partition(|(n, _)| n % 10 == 0);
            let kept: Vec<_> = kept;
            let freed: Vec<_> = freed;
            free_tiny(freed.into_iter().map(|(_, block)| Address(block)));
            left.push(kept.into_iter().map(|(_, block)| Address(block)).collect());
        }
        left
    };
    thread::scope(|scope| scope.spawn(leave).join().expect("it does not fail"))
}

const TINY: Layout = match Layout::from_size_align(64, 8) {
    Ok(layout) => layout,
    Err(_) => panic!("a layout"),
};

fn free_tiny(blocks: impl IntoIterator<Item = Address>) {
    for Address(block) in blocks {
        // SAFETY: each block is held and freed once.
        unsafe { POOL.dealloc(block, TINY) };
    }
}

#[test]
fn a_pool_that_was_spared_and_is_claimed_waits_once_to_be_swept() {
    alone(|| {
        earned_in_disorder();
        let mut pools = pools_left_by_a_thread();
        assert!(stats().cached_bytes > MIB, "they are spared: {:?}", stats());
        pools.sort_by_key(|left| Reverse(left.len()));
        // Four are claimed, and wait.
        let mut free_down_to = |pool: usize, blocks: usize| free_tiny(pools[pool].drain(blocks..));
        (0..4).for_each(|pool| free_down_to(pool, 90));
        sleep(LAPSED);
        small_blocks(MIB);
        // One more waits: whatever was spared is swept.
        free_down_to(4, 15);
        // One of the four has few blocks again, and then none.
        free_down_to(2, 14);
        free_down_to(2, 0);
        // Its place is for others now, when the turn of the four comes.
        let others = list(100, 500);
        (5..9).for_each(|pool| free_down_to(pool, 10));
        drop(list(10_000, 500));
        drop(others);
        for pool in pools {
            free_tiny(pool);
        }
        POOL.release();
        assert_eq!(stats().allocated_bytes, 0, "{:?}", stats());
    });
}
