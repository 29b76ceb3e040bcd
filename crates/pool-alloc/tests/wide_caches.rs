//! Wide caches: blocks of pools that are several slices wide are handed out again where they come and go, in a small heap
//! too; and what is dropped goes back, but for what a few of them leave.

#![cfg(not(feature = "hardened"))] // there are no caches there

mod support;

use support::found::Found;
use support::{Held, POOL, SHORT, alone, churned, kept_bytes, list, stats};

const KIB: usize = 1 << 10;

/// More rounds than it takes until a class has its cache.
const ROUNDS: usize = 100;

/// Blocks of this size in full pools, of which one goes and another comes until their class has a cache.
fn come_and_gone(count: usize, size: usize) -> Vec<Held> {
    let mut blocks = list(count, size);
    for _ in 0..ROUNDS {
        // The one that lies farthest back, so that the pools it meets are full.
        drop(blocks.remove(0));
        blocks.push(Held::new(size, 8, 1));
    }
    blocks
}

fn places(blocks: &[Held]) -> Vec<usize> {
    blocks.iter().map(|block| block.range().start).collect()
}

/// Whether of two blocks of different pools that are freed, the last is the next to be handed out.
fn last_freed_is_next(blocks: &mut Vec<Held>, size: usize) -> bool {
    let is_of_size = |block: &Held| block.range().len() == size;
    let first = blocks.remove(blocks.iter().position(is_of_size).expect("some are"));
    let pool = (4 * size).next_power_of_two().min(512 * KIB);
    let pool_of = |block: &Held| block.range().start / pool;
    let is_elsewhere = |block: &Held| is_of_size(block) && pool_of(block) != pool_of(&first);
    let other = blocks.iter().position(is_elsewhere).expect("not all are");
    let freed = [blocks.remove(other), first];
    let mut places = places(&freed);
    freed.into_iter().for_each(drop);
    let next = [(); 2].map(|()| Held::new(size, 8, 1));
    places.reverse();
    let is_next = next.each_ref().map(|block| block.range().start) == places[..];
    blocks.extend(next);
    is_next
}

#[test]
fn what_comes_and_goes_is_handed_out_again() {
    for size in [20, 60, 96, 160, 250].map(|kib| kib * KIB) {
        alone(|| {
            let mut built = list(24, size);
            assert!(
                !last_freed_is_next(&mut built, size),
                "nothing has come and gone"
            );
            drop(built);
            let mut blocks = come_and_gone(24, size);
            for _ in 0..50 {
                assert!(last_freed_is_next(&mut blocks, size), "{size}");
            }
        });
    }
}

#[test]
fn so_it_is_where_blocks_are_found_by_their_address() {
    const SIZE: usize = 60 * KIB;
    alone(|| {
        let mut blocks: Vec<Found> = (0..24).map(|_| Found::new(SIZE, 16)).collect();
        for _ in 0..ROUNDS {
            drop(blocks.remove(0));
            blocks.push(Found::new(SIZE, 16));
        }
        let freed = [blocks.remove(0), blocks.remove(10)];
        let places = freed.each_ref().map(Found::place);
        freed.into_iter().for_each(drop);
        let next = [0, 1].map(|_| Found::new(SIZE, 16));
        assert_eq!(next.each_ref().map(Found::place), [places[1], places[0]]);
        drop((blocks, next));
        POOL.release();
        assert_eq!(stats().allocated_bytes, 0);
    });
}

/// What the bounds leave, and no block of a cache.
#[test]
fn a_drop_of_many_leaves_nothing_in_caches() {
    for size in [60, 96, 160, 250].map(|kib| kib * KIB) {
        alone(|| {
            let mut blocks = come_and_gone(24, size);
            assert!(last_freed_is_next(&mut blocks, size));
            drop(blocks);
            let stats = stats();
            // A pool that rests.
            let cached = stats.cached_bytes - stats.free_slice_bytes;
            assert!(cached <= 64 * KIB, "{size}: {stats:?}");
            assert!(kept_bytes() < 256 * KIB, "{size}: {stats:?}");
        });
    }
}

#[test]
fn so_does_one_of_small_blocks() {
    const SIZE: usize = 160 * KIB;
    alone(|| {
        let some = list(20_000, 24);
        drop(come_and_gone(6, SIZE));
        let cached = || stats().cached_bytes - stats().free_slice_bytes;
        assert!(
            cached() >= 3 * SIZE,
            "a control: three of a few are in the cache"
        );
        drop(some);
        assert!(cached() < 3 * 64 * KIB, "{:?}", stats());
    });
}

/// Each of the sixteen sizes has a cache as long as there are bytes for it. The largest is left out: its pools, of two, hand out
/// in the same order.
#[test]
fn all_of_them_have_a_mebibyte() {
    let sizes = [5, 6, 7, 8].map(|eighth| eighth * 4 * KIB);
    alone(|| {
        let sizes = (0..4).flat_map(|doubling| sizes.map(|size| size << doubling));
        let sizes = sizes.take(15);
        let built: Vec<(usize, Vec<Held>)> =
            sizes.map(|size| (size, come_and_gone(24, size))).collect();
        let mut cached = 0;
        let mut rest = Vec::new();
        for (size, mut blocks) in built {
            // Far apart, so that no pool hands them out in this order.
            let freed = [14, 7, 0].map(|nth| blocks.remove(nth));
            let mut places = places(&freed);
            freed.into_iter().for_each(drop);
            places.reverse();
            let next = list(3, size);
            // As many as there was room for are the first that were freed, the last of them first.
            let places_of_next: Vec<usize> = next.iter().map(|block| block.range().start).collect();
            let room = [3, 2]
                .into_iter()
                .find(|room| places_of_next.starts_with(&places[3 - room..]));
            cached += room.unwrap_or(0) * size;
            rest.push((blocks, next));
        }
        assert!((900 * KIB..=1024 * KIB).contains(&cached), "{cached}");
    });
}

#[test]
fn a_thread_that_goes_on_with_other_blocks_parts_with_them() {
    const SIZE: usize = 160 * KIB;
    let cached = || stats().cached_bytes - stats().free_slice_bytes;
    let goes_on: [fn() -> Vec<Held>; 2] = [
        // Growth, five to a pool, of which nothing is dropped before the caches are looked at.
        || list(1_500, 12 * KIB),
        || {
            for _ in 0..300 {
                drop(Held::new(300 * KIB, 8, 1));
            }
            Vec::new()
        },
    ];
    for work in goes_on {
        alone(|| {
            drop(come_and_gone(6, SIZE));
            assert!(cached() >= 3 * SIZE, "a control");
            let _in_use = work();
            let of_pools = cached() - stats().free_large_bytes;
            assert!(of_pools < SIZE, "{:?}", stats());
        });
    }
}

/// Else a loop of them would fill the cache and touch a block more each time.
#[test]
fn zeroed_blocks_are_taken_from_caches() {
    const SIZE: usize = 60 * KIB;
    alone(|| {
        let mut blocks = come_and_gone(24, SIZE);
        let freed = blocks.remove(0);
        let place = freed.range().start;
        drop(freed);
        let next = Held::new_zeroed(SIZE, 8, 1);
        assert_eq!(next.range().start, place);
    });
}

/// Neither opens nor closes the other's.
#[test]
fn small_blocks_and_wide_ones_have_their_caches_each_for_themselves() {
    const SIZE: usize = 160 * KIB;
    alone(|| {
        let mut small = churned(&SHORT);
        let mut wide = come_and_gone(24, SIZE);
        let _more = list(24, SIZE);
        assert!(last_freed_is_next(&mut small, 160));
        let _more = list(40_000, 160);
        assert!(!last_freed_is_next(&mut small, 160));
        assert!(last_freed_is_next(&mut wide, SIZE));
    });
}
