//! Runs of large blocks that wait for the next one, in the table of the process and in a thread's hand.

#![cfg(not(feature = "hardened"))] // blocks with guards do not wait

mod support;

use std::thread::{self, sleep};

use support::found::Found;
use support::rounds::{LAPSED, MIB, earned, found_round, large_round, small_round};
use support::{Held, POOL, alone, fetched_pages, list, stats};

/// What is fetched all the same, for tables of pages and the test's own stack.
const FEW: usize = 40;

#[test]
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

/// Four blocks that have grown to 600 KiB grow on; how many of them stay where they are.
fn stay_as_they_grow<T>(
    mut blocks: Vec<T>,
    resize: impl Fn(&mut T, usize) -> bool,
    address: impl Fn(&T) -> usize,
) -> usize {
    let mut stayed = 0;
    for block in &mut blocks {
        let before = address(block);
        assert!(resize(block, 1_200 << 10));
        stayed += usize::from(address(block) == before);
    }
    stayed
}

#[test]
fn blocks_that_grow_in_turns_find_room_behind_them() {
    alone(|| {
        let held = |sizes: [usize; 2]| {
            earned(large_round);
            let [first, then] = sizes.map(|kib| kib << 10);
            let mut blocks = list(4, first);
            let resize = |block: &mut Held, size| block.try_resize(size);
            assert!(blocks.iter_mut().all(|block| resize(block, then)));
            stay_as_they_grow(blocks, resize, |block| block.range().start)
        };
        // The last one may have found another place on its way.
        assert!(held([100, 600]) >= 3, "out of pools");
        assert!(held([300, 600]) >= 3, "out of other runs");
        assert!(held([600, 600]) <= 1, "who has not grown stands close");

        earned(found_round);
        let mut blocks: Vec<_> = (0..4).map(|_| Found::new(100 << 10, 16)).collect();
        let resize = |block: &mut Found, size| block.try_resize(size);
        assert!(blocks.iter_mut().all(|block| resize(block, 600 << 10)));
        assert!(stay_as_they_grow(blocks, resize, Found::address) >= 3);
    });
}

/// The kernel does not move what is made of several mappings. Such a block is copied, and what is kept for a loop stays.
#[test]
#[cfg(target_os = "linux")]
fn a_block_of_several_mappings_grows() {
    fn split(block: usize) {
        let page = block & !4095;
        let half = std::ptr::with_exposed_provenance_mut((page + MIB / 2) as _);
        // SAFETY: the advice changes no contents. It is another for the half of a mapping, which makes it two.
        let status = unsafe { libc::madvise(half, MIB / 4, libc::MADV_DONTFORK) };
        assert_eq!(status, 0);
    }
    alone(|| {
        let kept = earned(small_round);
        let mut held = Held::new(MIB, 8, 1);
        split(held.range().start);
        assert!(held.try_resize(20 * MIB));
        let mut found = Found::new(MIB, 16);
        split(found.address());
        assert!(found.try_resize(20 * MIB));
        held.check();
        found.check();
        assert!(stats().cached_bytes >= kept, "{kept}: {:?}", stats());
        drop((held, found));
        assert_eq!((stats().allocated_bytes, stats().large_bytes), (0, 0));
    });
}

#[test]
fn of_more_runs_than_can_wait_the_longest_do() {
    alone(|| {
        let of = |count: usize, kib: usize| (0..count).map(move |_| Found::new(kib << 10, 16));
        let many = || {
            drop(of(60, 300).chain(of(5, 400)).collect::<Vec<_>>());
            stats().free_large_bytes
        };
        let most = 5 * (404 << 10) + 27 * (304 << 10) + AT_HAND;
        let kept = (0..500).map(|_| many()).find(|kept| *kept > 0);
        assert_eq!(
            kept,
            Some(most),
            "32, each with its header, and 3 at hand, of the 65"
        );
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

/// The other way round: in `reserve.rs`.
#[test]
fn what_waits_goes_as_the_program_goes_on_with_small_blocks() {
    alone(|| {
        for round in [large_round, found_round] {
            earned(round);
            sleep(LAPSED);
            assert!(stats().free_large_bytes > 15 * MIB);
            drop(list(2_000, 512));
            assert_eq!(stats().free_large_bytes, 0);
        }
    });
}

#[test]
fn a_thread_that_goes_on_with_what_it_has_at_hand_finds_that_the_reserve_has_ended() {
    alone(|| {
        earned_by_runs();
        sleep(LAPSED);
        drop(Found::new(KIB_300, 16));
        assert_eq!((stats().free_large_bytes, stats().large_bytes), (0, 0));
    });
}

#[test]
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
fn where_no_more_runs_can_wait_a_block_that_grows_leaves_no_room_before_it() {
    alone(|| {
        const LONGEST: usize = 3 * MIB;
        let shorter = || (0..60).map(|_| Found::new(KIB_300, 16)).collect::<Vec<_>>();
        let build = || vec![(shorter(), Held::new(LONGEST, 8, 1))];
        earned_by_runs_of(build);
        let mut block = Held::new(100 << 10, 8, 1);
        assert!(block.try_resize(KIB_300));
        // Else there would have been one run too many, and the least would have gone.
        let left = stats().free_large_bytes;
        assert_eq!(left, LONGEST - KIB_300 + 31 * (304 << 10));
    });
}

/// There it may join a run that waits. Here none touches another, and the table is full.
#[test]
fn what_a_thread_has_at_hand_goes_to_the_table_when_a_block_grows() {
    alone(|| {
        earned_by_runs();
        let mut block = Found::new(100 << 10, 16);
        assert!(block.try_resize(KIB_300));
        assert_eq!(stats().free_large_bytes, WAITING - (304 << 10));
    });
}

#[test]
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
