//! A page is touched only where nothing else will do, and what one class gives up serves the others.

mod support;

use std::alloc::{GlobalAlloc, Layout};
use std::{ptr, thread};

use support::{Held, POOL, alone, fetched_pages, list, stats};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
const PAGE: usize = 4 * KIB;
const SLICE: usize = 64 * KIB;

/// Small blocks; 128 fill a slice.
const SMALL: usize = 512;

/// Blocks of a pool of two slices.
const WIDE: usize = 24 * KIB;

/// All that was touched and not given back.
fn touched() -> usize {
    stats().allocated_bytes + stats().cached_bytes
}

#[test]
fn a_page_more_is_touched_when_it_is_needed() {
    alone(|| {
        let mut blocks = Vec::new();
        for number in 1..100 {
            blocks.push(Held::new(SMALL, 8, 1));
            assert_eq!(touched(), (number * SMALL).next_multiple_of(PAGE));
        }
    });
}

#[test]
fn what_others_freed_comes_before_a_page_more() {
    alone(|| {
        let turn = || {
            let blocks = list(10, SMALL);
            thread::scope(|scope| {
                scope
                    .spawn(|| drop(blocks))
                    .join()
                    .expect("it does not fail")
            });
        };
        turn();
        let once = touched();
        (0..100).for_each(|_| turn());
        // Two turns' blocks: those of the last wait for their owner until the next one needs more.
        assert!(touched() <= 2 * once, "{} and {once} at first", touched());
    });
}

#[test]
fn what_is_free_in_other_pools_comes_before_a_page_more() {
    alone(|| {
        let full = list(3 * SLICE / SMALL, SMALL);
        let begun = list(20, SMALL);
        let before = touched();
        let every_other = |(number, block)| (number % 2 == 0).then_some(block);
        let left: Vec<Held> = full
            .into_iter()
            .enumerate()
            .filter_map(every_other)
            .collect();
        // Now there is room for as many, and four on the page that was begun.
        let more = list(left.len(), SMALL);
        assert_eq!(touched(), before);
        // As well as for those that another thread frees in the pool whose turn comes then.
        thread::scope(|scope| {
            scope
                .spawn(|| drop(begun))
                .join()
                .expect("it does not fail")
        });
        let still_more = list(4 + 20, SMALL);
        assert_eq!(touched(), before);
        let last = Held::new(SMALL, 8, 1);
        assert_eq!(touched(), before + PAGE);
        drop((left, more, still_more, last));
    });
}

/// Blocks of forty pools, of which three in four come back, and the others are replaced evenly ever after.
#[test]
fn pools_that_are_mostly_free_go_on_draining() {
    alone(|| {
        let every_fourth = |(number, block)| (number % 4 == 0).then_some(block);
        let all = list(40 * SLICE / SMALL, SMALL);
        let mut left: Vec<Held> = all
            .into_iter()
            .enumerate()
            .filter_map(every_fourth)
            .collect();
        assert!(stats().cached_bytes > 2 * stats().allocated_bytes);
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..100 {
            // More than a thread's cache holds.
            for _ in 0..200 {
                drop(left.swap_remove(random.usize(..left.len())));
            }
            left.append(&mut list(200, SMALL));
        }
        let stats = stats();
        assert!(stats.cached_bytes < stats.allocated_bytes, "{stats:?}");
    });
}

#[test]
fn pools_that_have_only_rows_are_passed_over() {
    alone(|| {
        let mut full = list(3 * SLICE / SMALL, SMALL);
        let begun = list(20, SMALL);
        // The blocks of the first pool, which is shorter; half of them come back.
        let first: Vec<Held> = full.drain(..100).collect();
        let every_other = |(number, block)| (number % 2 == 0).then_some(block);
        let left: Vec<Held> = first
            .into_iter()
            .enumerate()
            .filter_map(every_other)
            .collect();
        // Four on the page that was begun; with the fifth the heap turns to the first pool.
        let five = list(5, SMALL);
        let before = touched();
        drop(full.drain(150..152));
        let more = list(50 - 1 + 2, SMALL);
        assert_eq!(
            touched(),
            before,
            "what came back of another pool is used, too"
        );
        let last = Held::new(SMALL, 8, 1);
        assert_eq!(touched(), before + PAGE);
        drop((full, begun, left, five, more, last));
    });
}

#[test]
fn what_small_pools_gave_up_serves_wide_ones() {
    alone(|| {
        let round = || {
            let before = stats().released_bytes;
            drop(list(MIB / SMALL, SMALL));
            drop(list(MIB / WIDE, WIDE));
            stats().released_bytes == before
        };
        // For both there is a reserve of one round and a third, so neither has one to itself.
        assert!((0..500).any(|_| round()), "a loop earns a reserve");
        assert!(stats().cached_bytes < 3 * MIB / 2, "{:?}", stats());
    });
}

/// Blocks that fill so many slices, by slice, but for the last, which holds one.
fn slices(count: usize) -> Vec<Vec<Held>> {
    let slice = |block: &Held| block.range().start / SLICE;
    let mut slices: Vec<Vec<Held>> = Vec::new();
    while slices.len() < count {
        let block = Held::new(SMALL, 8, slices.len() as u8);
        match slices.last_mut() {
            Some(last) if slice(&last[0]) == slice(&block) => last.push(block),
            _ => slices.push(vec![block]),
        }
    }
    slices
}

#[test]
fn a_wide_pool_takes_neighbours_or_an_arena_more() {
    alone(|| {
        let mut slices = slices(70);
        let is_odd = |slice: &mut Vec<Held>| slice[0].range().start / SLICE % 2 == 1;
        let odd: Vec<_> = slices.extract_if(5..60, is_odd).collect();
        assert!(odd.len() > 20, "they are in order");
        drop(odd);
        let arenas = stats().arenas;
        let small = list(5 * SLICE / SMALL, SMALL);
        assert_eq!(stats().arenas, arenas, "small pools take what is free");
        // The last arena has neighbours that are free, but not so many.
        let mut wide = Vec::new();
        while stats().arenas == arenas {
            wide.push(Held::new(WIDE, 8, 1));
        }
        let freed: Vec<Held> = slices.drain(10..20).flatten().collect();
        let starts: Vec<usize> = freed.iter().map(|block| block.range().start).collect();
        drop(freed);
        let is_among_these = |block: &Held| starts.contains(&block.range().start);
        wide.extend((0..8 * SLICE / WIDE).map(|_| Held::new(WIDE, 8, 1)));
        assert!(
            wide.iter().any(is_among_these),
            "neighbours when there are some"
        );
        drop((small, wide, slices));
        assert_eq!(stats().allocated_bytes, 0);
    });
}

/// Seven slices are clean, and of the eighth a page was touched.
#[test]
fn what_is_clean_stays_so_in_a_pool_that_takes_little_that_is_not() {
    alone(|| {
        let build = || slices(16);
        let mut small = thread::scope(|scope| scope.spawn(build).join().expect("it does not fail"));
        let (last, rest) = (small.pop(), small.split_off(8));
        drop(rest);
        POOL.release();
        drop(last);
        let layout = Layout::from_size_align(256 * KIB, 8).expect("valid");
        // SAFETY: the size is not zero.
        let zeroed = || unsafe { POOL.alloc_zeroed(layout) };
        let (mut one, mut other) = (ptr::null_mut(), ptr::null_mut());
        let fetched = fetched_pages(|| (one, other) = (zeroed(), zeroed()));
        assert!(fetched < 64, "{fetched} pages");
        for block in [one, other] {
            // SAFETY: each block is held and freed once.
            unsafe { POOL.dealloc(block, layout) };
        }
    });
}

#[test]
fn wide_pools_are_opened_where_pages_are_resident() {
    alone(|| {
        // All slices of two arenas.
        let mut small = slices(64);
        let big = Held::new(256 * KIB, 8, 1);
        let arena = |block: &Held| block.range().start / (2 * MIB);
        let is_full = |block: &Held| {
            small
                .iter()
                .flatten()
                .any(|other| arena(other) == arena(block))
        };
        assert!(!is_full(&big), "it has an arena of its own");
        let beside = thread::scope(|scope| {
            let allocate = || Held::new(WIDE, 8, 1);
            scope.spawn(allocate).join().expect("it does not fail")
        });
        // Neighbours in a fuller arena, which are clean, and others beside the big block, which are dirty.
        small.drain(34..40);
        POOL.release();
        drop(beside);
        let block = Held::new(WIDE, 8, 1);
        assert_eq!(arena(&block), arena(&big));
    });
}
