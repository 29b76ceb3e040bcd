//! The history, and what is expected after each of its steps.

use std::alloc::{GlobalAlloc, Layout};
use std::sync::mpsc;
use std::thread;

use pool_alloc::{Counters, PoolAlloc};

const POOL: PoolAlloc = PoolAlloc;

/// What a thread gets of another's.
struct Blocks(Vec<*mut u8>);

// SAFETY: blocks may be freed by any thread.
unsafe impl Send for Blocks {}

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 8).expect("it is a layout")
}

fn blocks(count: usize, size: usize) -> Blocks {
    // SAFETY: the size is not zero.
    let block = |_| unsafe { POOL.alloc(layout(size)) };
    Blocks((0..count).map(block).collect())
}

fn free(blocks: Blocks, size: usize) {
    for block in blocks.0 {
        // SAFETY: `blocks` asked for it with this layout.
        unsafe { POOL.dealloc(block, layout(size)) };
    }
}

/// What was counted from one reading to another.
#[track_caller]
fn check(what: impl FnOnce(), expected: Counters) {
    let before = POOL.counters();
    what();
    let counted = POOL.counters().since(&before);
    assert_eq!(counted, expected);
}

fn counters(set: impl FnOnce(&mut Counters)) -> Counters {
    let mut counters = Counters::default();
    set(&mut counters);
    counters
}

/// 128 blocks of 512 bytes are a pool, and 31 pools with one that is a header shorter are an arena.
const SIZE: usize = 512;
const PER_POOL: usize = (64 << 10) / SIZE;

#[test]
fn every_counter_counts_what_it_says() {
    let mut held = Blocks(Vec::new());
    check(
        || held = blocks(10, SIZE),
        counters(|c| {
            c.allocations = 10;
            (c.refills, c.pools_opened, c.arenas_mapped) = (1, 1, 1);
        }),
    );
    // The last pool to become empty rests.
    check(|| free(held, SIZE), counters(|c| c.frees = 10));

    // The resting pool and two arenas' more, of which the one that empties second goes.
    let many = 65 * PER_POOL;
    let mut held = Blocks(Vec::new());
    check(
        || held = blocks(many, SIZE),
        counters(|c| {
            c.allocations = many as u64;
            (c.refills, c.pools_opened, c.arenas_mapped) = (65, 65, 2);
        }),
    );
    check(
        || free(held, SIZE),
        counters(|c| {
            c.frees = many as u64;
            // All pools but the last were full, and full ones have no owner.
            (c.remote_frees, c.claims) = (65, 65);
            (c.pools_closed, c.arenas_unmapped) = (65, 1);
            // 128 KiB may be dirty, so each third pool is one too many.
            c.purges = 22;
        }),
    );
    survivors();
    another_thread();
    large();
    caches();
    wide_after_small();
}

/// 12 MiB of blocks, of which fifty at a time are replaced: the last ones from caches. Those that lie there go to their
/// pools, most of which are full, when all are freed, and are not counted again.
fn caches() {
    let before = POOL.counters();
    let mut held = blocks(24_000, SIZE);
    let mut at = 0;
    for round in 0..2_000 {
        let mut some = Vec::new();
        for _ in 0..50 {
            at = (at + 10_007) % held.0.len();
            some.push(held.0.swap_remove(at));
        }
        free(Blocks(some), SIZE);
        if round < 1_999 {
            held.0.append(&mut blocks(50, SIZE).0);
        }
    }
    let counted = POOL.counters().since(&before);
    assert_eq!(counted.caches_opened, 1, "{counted:?}");
    let all = 24_000 + 1_999 * 50;
    assert_eq!((counted.allocations, counted.frees), (all, 2_000 * 50));
    // Pool after pool, so that the first is empty while others are full.
    held.0.sort();
    free(held, SIZE);
    let counted = POOL.counters().since(&before);
    assert_eq!((counted.allocations, counted.frees), (all, all));
}

/// One block in a loop, of a pool that takes the place of small ones: it rests, though they have left more than may rest.
fn wide_after_small() {
    const WIDE: usize = 20 << 10;
    for pools in 1..12 {
        free(blocks(pools * PER_POOL, SIZE), SIZE);
        let before = POOL.counters();
        (0..100).for_each(|_| free(blocks(1, WIDE), WIDE));
        let opened = POOL.counters().since(&before).pools_opened;
        assert!(opened <= 1, "{opened} times after {pools} pools");
    }
}

/// Blocks of a pool that its owner still fills, and of one whose owner is gone.
fn another_thread() {
    let held = blocks(PER_POOL / 2, SIZE);
    let elsewhere =
        || thread::scope(|scope| scope.spawn(|| free(held, SIZE)).join().expect("it ends"));
    let half = PER_POOL as u64 / 2;
    check(
        elsewhere,
        counters(|c| (c.frees, c.remote_frees) = (half, half)),
    );

    let (send, receive) = mpsc::channel();
    let build = move || send.send(blocks(10, 1_000)).expect("somebody waits");
    check(
        || thread::spawn(build).join().expect("it ends"),
        counters(|c| {
            c.allocations = 10;
            (c.refills, c.pools_opened) = (1, 1);
        }),
    );
    let mut held = receive.recv().expect("it was sent");
    let mut more = Blocks(Vec::new());
    check(
        || more = blocks(1, 1_000),
        counters(|c| (c.allocations, c.refills, c.pools_adopted) = (1, 1, 1)),
    );
    held.0.append(&mut more.0);
    check(|| free(held, 1_000), counters(|c| c.frees = 11));
}

fn large() {
    let size = 1 << 20;
    let mut held = Blocks(Vec::new());
    check(
        || held = blocks(2, size),
        counters(|c| c.large_allocations = 2),
    );
    check(|| free(held, size), counters(|c| c.large_frees = 2));
    // The first rounds have to show that they are a loop.
    let before = POOL.counters();
    (0..20).for_each(|_| free(blocks(4, size), size));
    let reuses = POOL.counters().since(&before).large_reuses;
    assert!((4..80).contains(&reuses), "{reuses} of 80");
}

/// One block of each pool stays: all pools but the four that wait for their turn are swept.
fn survivors() {
    const SIZE: usize = 256;
    const PER_POOL: usize = (64 << 10) / SIZE;
    let mut held = blocks(30 * PER_POOL, SIZE);
    let stays = |block: &*mut u8| block.addr() % (64 << 10) == 32 << 10;
    let (kept, gone): (Vec<_>, Vec<_>) = held.0.drain(..).partition(stays);
    assert_eq!(kept.len(), 30);
    check(
        || free(Blocks(gone), SIZE),
        counters(|c| {
            c.frees = 30 * PER_POOL as u64 - 30;
            // The first of 31 is shorter by the arena's header, and the last is not full.
            (c.remote_frees, c.claims) = (30, 30);
            c.sweeps = 30 - 4;
        }),
    );
    free(Blocks(kept), SIZE);
}
