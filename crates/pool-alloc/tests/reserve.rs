//! Loops earn a reserve, and nothing else does: what a loop of small and of large blocks keeps, when, and how it goes.

mod support;

use std::alloc::{GlobalAlloc, Layout};
use std::thread::{self, sleep};
use std::time::Duration;

use support::found::Found;
use support::{Held, POOL, alone, list, stats, touched_by_freeing};

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

/// And in three that are found by their address.
fn found_round() -> usize {
    drop([4, 7, 9].map(|mib| Found::new(mib * MIB, 16)));
    stats().cached_bytes
}

/// What earns a reserve: large blocks that have guards do not wait for others.
const ROUNDS: &[fn() -> usize] = match cfg!(feature = "hardened") {
    true => &[small_round],
    false => &[small_round, large_round, found_round],
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

fn free(survivors: Vec<*mut u8>) {
    for block in survivors {
        // SAFETY: each block is held and freed once.
        unsafe { POOL.dealloc(block, Layout::from_size_align(512, 8).expect("valid")) };
    }
}

/// Rounds until there is a reserve that spares all of one.
fn earned_in_disorder() {
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

/// What a round leaves once there is a reserve. A few rounds earn it; one in which the machine let the test wait for
/// too long does not count.
fn earned(round: fn() -> usize) -> usize {
    let kept = (0..500).map(|_| round()).find(|kept| *kept > 15 * MIB);
    kept.expect("a loop of rounds of 20 MiB earns a reserve")
}

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
            let left = stats().cached_bytes;
            // SAFETY: the block is held and freed once.
            unsafe { POOL.dealloc(block, layout) };
            assert!(left < MIB, "{left} of {earned}");
        });
    }
}

/// Pages that the calling thread has been given, each on its first touch.
fn fetched_pages(work: impl FnOnce()) -> usize {
    let fetched = || {
        // SAFETY: all zeroes are a valid value of this type.
        let mut usage = unsafe { std::mem::zeroed::<libc::rusage>() };
        // SAFETY: `usage` is ours to write.
        let status = unsafe { libc::getrusage(libc::RUSAGE_THREAD, &mut usage) };
        assert_eq!(status, 0);
        usage.ru_minflt as usize
    };
    let before = fetched();
    work();
    fetched() - before
}

/// What is fetched all the same, for tables of pages and the test's own stack.
const FEW: usize = 40;

#[test]
#[cfg_attr(feature = "hardened", ignore = "blocks with guards do not wait")]
fn blocks_found_by_address_are_made_of_what_waits() {
    alone(|| {
        earned(found_round);
        let other_sizes = || drop([300, 2_000, 6_500, 900].map(|kib| Found::new(kib << 10, 16)));
        assert!(fetched_pages(other_sizes) < FEW);
        let zeroed = || drop([5, 9].map(|mib| Found::new_zeroed(mib * MIB)));
        assert!(fetched_pages(zeroed) < FEW);
        let of_the_other_sort = || drop(Held::new(8 * MIB, 8, 1));
        assert!(fetched_pages(of_the_other_sort) < FEW);
        POOL.release();
        assert!(
            fetched_pages(other_sizes) > 9 * MIB / 4096,
            "the measure tells"
        );
    });
}

#[test]
#[cfg_attr(feature = "hardened", ignore = "blocks with guards do not wait")]
fn blocks_grow_into_what_waits() {
    alone(|| {
        earned(found_round);
        let growth = || {
            let mut block = Found::new(300 << 10, 16);
            (1..=8).for_each(|mib| assert!(block.try_resize(mib * MIB)));
            (1..=3).for_each(|mib| assert!(block.try_resize(mib * MIB)));
        };
        assert!(fetched_pages(growth) < FEW);
        assert_eq!(stats().large_bytes, 0, "what was outgrown is not in use");
        POOL.release();
        assert!(fetched_pages(growth) > 7 * MIB / 4096, "the measure tells");
    });
}

#[test]
#[cfg_attr(feature = "hardened", ignore = "blocks with guards do not wait")]
fn of_more_runs_than_can_wait_the_longest_do() {
    alone(|| {
        let of = |count: usize, kib: usize| (0..count).map(move |_| Found::new(kib << 10, 16));
        let many = || {
            drop(of(60, 300).chain(of(5, 400)).collect::<Vec<_>>());
            stats().free_large_bytes
        };
        let most = 5 * (404 << 10) + 27 * (304 << 10);
        let kept = (0..500).map(|_| many()).find(|kept| *kept > 0);
        assert_eq!(kept, Some(most), "32 of the 65, each with its header");
    });
}

/// What the table holds, and what fits a thread's hand, of blocks of 300 KiB, each with its header.
const KIB_300: usize = 300 << 10;
const WAITING: usize = 32 * (304 << 10);
const AT_HAND: usize = 3 * (304 << 10);

/// Builds and drops more of them than can wait until there is a reserve; returns what waits then.
fn earned_by_runs() -> usize {
    earned_by_runs_of(|| (0..60).map(|_| Found::new(KIB_300, 16)).collect())
}

/// On a thread with a heap.
fn earned_by_runs_of<T>(build: impl Fn() -> Vec<T>) -> usize {
    drop(Held::new(16, 16, 1));
    let round = || {
        drop(build());
        stats().free_large_bytes
    };
    let kept = (0..500).map(|_| round()).find(|kept| *kept > 0);
    kept.expect("a loop earns a reserve")
}

#[test]
#[cfg_attr(feature = "hardened", ignore = "blocks with guards do not wait")]
fn a_thread_has_a_few_runs_at_hand_while_there_is_a_reserve() {
    alone(|| {
        assert_eq!(earned_by_runs(), WAITING + AT_HAND);
        assert_eq!(stats().large_bytes, 0);
        let block = Found::new(KIB_300, 16);
        assert_eq!(stats().free_large_bytes, WAITING + AT_HAND - (304 << 10));
        assert_eq!(stats().large_bytes, 304 << 10);
        drop(block);
        assert!(POOL.release() >= WAITING + AT_HAND);
        assert_eq!((stats().free_large_bytes, stats().large_bytes), (0, 0));

        earned_by_runs();
        sleep(LAPSED);
        // It finds out when it has been at the table, some time or other; a loop of its own this is, too.
        for _ in 0..100 {
            drop(Found::new(KIB_300, 16));
        }
        let left = stats();
        assert!(left.free_large_bytes <= 304 << 10, "{left:?}");
        assert_eq!(left.large_bytes, 0);
    });
}

#[test]
#[cfg_attr(feature = "hardened", ignore = "blocks with guards do not wait")]
fn what_a_thread_has_at_hand_goes_when_it_finds_the_reserve_gone() {
    alone(|| {
        earned_by_runs();
        thread::scope(|scope| scope.spawn(|| POOL.release()).join().expect("it ends"));
        assert_eq!(stats().free_large_bytes, AT_HAND);
        drop(Found::new(KIB_300, 16));
        assert_eq!((stats().free_large_bytes, stats().large_bytes), (0, 0));
    });
}

#[test]
#[cfg_attr(feature = "hardened", ignore = "blocks with guards do not wait")]
fn what_is_at_hand_is_as_aligned_as_is_asked_for() {
    alone(|| {
        earned_by_runs_of(|| list(60, KIB_300));
        // Each checks its alignment.
        drop(
            (0..3)
                .map(|_| Held::new(KIB_300, MIB, 1))
                .collect::<Vec<_>>(),
        );
    });
}

#[test]
#[cfg_attr(feature = "hardened", ignore = "blocks with guards do not wait")]
fn what_a_thread_has_at_hand_is_everybodys_when_it_ends() {
    alone(|| {
        thread::scope(|scope| {
            let earned = scope.spawn(earned_by_runs);
            let earned = earned.join().expect("it does not fail");
            assert_eq!(earned, WAITING + AT_HAND);
        });
        let left = stats();
        assert_eq!((left.free_large_bytes, left.large_bytes), (WAITING, 0));
    });
}

#[test]
#[cfg_attr(feature = "hardened", ignore = "blocks with guards do not wait")]
fn what_waits_is_as_aligned_as_is_asked_for() {
    alone(|| {
        for bit in (4..=30).rev() {
            earned(found_round);
            let mut blocks = [600 << 10, 3 * MIB, 1].map(|size| Found::new(size, 1 << bit));
            blocks
                .iter_mut()
                .for_each(|block| assert!(block.try_resize(700 << 10)));
            assert!(blocks.iter().all(|block| block.address() % 16 == 0));
        }
    });
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
