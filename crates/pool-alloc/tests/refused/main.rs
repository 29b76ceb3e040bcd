//! A kernel that refuses: each call of a history fails in turn, and the answer is null or the long way round.
//!
//! This binary defines the calls that the crate makes (`shim`), so that they can be refused where a test says so: from
//! the n-th on, or the n-th only, for every n that the history reaches. The calls of other threads pass.
#![cfg(target_os = "linux")]

mod errno;
mod room;
mod shim;
#[path = "../support/mod.rs"]
mod support;
mod zeroes;

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread;

use shim::{Call, Refusal, refusing};
use support::found::Found;
use support::plan::nothing_is_left;
use support::rounds::MIB;
#[cfg(not(feature = "hardened"))]
use support::rounds::{earned, small_round};
use support::{Held, POOL, alone, huge_pages, list, stats};

/// Blocks of every kind, as many as there is memory for; then some of them resized, freed, and allocated again.
fn history() -> Vec<Held> {
    let mut held = Vec::with_capacity(1 << 12);
    let shapes = [
        (24, 8),
        (3_000, 8),
        (60_000, 64),
        (256 << 10, 8),
        (400 << 10, 8),
        (8, 4 << 20),
    ];
    for round in 0..2 {
        for (size, align) in shapes {
            let count = (128_usize << 10).div_ceil(size).clamp(2, 20);
            for number in 0..count {
                let seed = (number + round) as u8;
                match number % 2 {
                    0 => held.extend(Held::try_new(size, align, seed)),
                    _ => held.extend(Held::try_new_zeroed(size, align, seed)),
                }
            }
        }
        for (number, block) in held.iter_mut().enumerate().step_by(3) {
            block.try_resize([20_000, 600 << 10, 500 << 10, 10][number % 4]);
        }
        let mut number = 0;
        held.retain(|_| {
            number += 1;
            number % 3 == 0
        });
        POOL.release();
        stats();
    }
    held
}

/// Rounds of large blocks of both sorts, all alike: they earn a reserve, unless they have guards.
fn large_loop() {
    (0..9).for_each(|_| large_round(0));
    MOST_WAITED.fetch_max(stats().free_large_bytes, Relaxed);
}

/// Bytes of runs that waited after that loop.
static MOST_WAITED: AtomicUsize = AtomicUsize::new(0);

/// Rounds whose sizes are others than before, so that what waits is cut, stretched and moved.
fn large_history() -> Vec<Held> {
    for more in [0, 270, 1_300, 100] {
        large_round(more);
        stats();
    }
    Vec::new()
}

fn large_round(more: usize) {
    let size = |kib: usize| (kib + more) << 10;
    let held = [300, 500].map(|kib| Held::try_new(size(kib), 8, 1));
    let mut found = [400, 900].map(|kib| Found::try_new(size(kib), 16));
    let zeroed = Found::try_new_zeroed(size(450));
    found.iter_mut().flatten().for_each(|block| {
        block.try_resize(size(400 + 2 * more));
    });
    drop((held, found, zeroed));
}

/// A history under every refusal of `call` that it can meet, the memory being there before and afterwards.
fn survives(call: Call, before: fn(), history: fn() -> Vec<Held>) {
    alone(|| {
        for count in [1, usize::MAX] {
            for after in 0.. {
                let mut held = Vec::new();
                let refusal = Refusal { call, after, count };
                before();
                let refused = refusing(refusal, || held = history());
                held.iter().for_each(Held::check);
                drop(held);
                drop(list(100, 3_000));
                nothing_is_left();
                if refused == 0 {
                    assert!(after > 0, "the history makes no such call");
                    break;
                }
            }
        }
    });
}

/// The same where runs wait.
fn survives_with_a_reserve(call: Call) {
    survives(call, large_loop, large_history);
    let most = MOST_WAITED.load(Relaxed);
    match cfg!(feature = "hardened") {
        true => assert_eq!(most, 0, "blocks with guards do not wait"),
        false => assert!(most > 2 << 20, "nothing waited"),
    }
}

#[test]
fn a_refused_mapping_gives_null_and_no_more() {
    survives(Call::Map, || (), history);
    survives_with_a_reserve(Call::Map);
}

#[test]
fn a_refused_unmapping_is_not_noticed() {
    survives(Call::Unmap, || (), history);
    survives_with_a_reserve(Call::Unmap);
}

#[test]
fn a_refused_purge_is_made_up_for_later() {
    survives(Call::Advise, || (), history);
}

#[test]
fn a_refused_move_becomes_a_copy() {
    survives(Call::Remap, || (), history);
    survives_with_a_reserve(Call::Remap);
}

/// The system does not move what is made of several mappings, as no block with guards is. Memory is not out for that.
#[cfg(not(feature = "hardened"))]
#[test]
fn what_is_kept_for_a_loop_stays_where_a_move_is_refused() {
    alone(|| {
        let kept = earned(small_round);
        let grow = || {
            let mut held = Held::new(MIB, 8, 1);
            assert!(held.try_resize(64 * MIB));
            let mut found = Found::new(MIB, 16);
            assert!(found.try_resize(64 * MIB));
        };
        assert!(
            refusing(from_now_on(Call::Remap), grow) >= 2,
            "each asked for a move"
        );
        assert!(stats().cached_bytes >= kept, "{kept}: {:?}", stats());
        nothing_is_left();
    });
}

#[cfg(not(feature = "hardened"))]
#[test]
fn what_waits_goes_on_waiting_where_a_move_is_refused() {
    const LONGEST: usize = 900 << 10;
    let ask = |size| Held::try_new(size, 8, 1);
    alone(|| {
        // Runs that happen to lie side by side are one, which may be long enough.
        let mut longer = Vec::new();
        let stretched = (0..8).any(|_| {
            large_loop();
            refusing(from_now_on(Call::Remap), || {
                longer.extend(ask(LONGEST + (200 << 10)))
            }) == 1
        });
        assert!(stretched, "the longest was to be stretched");
        // More is in use, so that less waits; the longest goes last.
        let mapped = refusing(from_now_on(Call::Map), || assert!(ask(LONGEST).is_some()));
        assert_eq!(mapped, 0, "it waits no more");
    });
}

/// What goes of it is free at once then. Where the system refuses, as an old one does, it is free when memory is short.
#[test]
fn a_huge_page_is_taken_apart_when_half_of_it_has_gone() {
    alone(|| {
        huge_pages(true);
        let mut blocks = list(96 * MIB / 100, 100);
        let arenas = stats().arenas;
        let mut nth = 0;
        let mut drop_but = |few: usize| {
            refusing(from_now_on(Call::Split), || {
                blocks.retain(|_| {
                    nth += 1;
                    nth % few == 0
                });
            })
        };
        assert_eq!(drop_but(2), 0, "hardly a page has gone");
        let split = drop_but(8_000);
        // The first sixteen MiB are in pages of the usual size.
        let huge = arenas - 8;
        match has_huge_pages() {
            true => assert!((huge / 2..=huge).contains(&split), "{split} of {huge}"),
            false => assert_eq!(split, 0),
        }
        drop(blocks);
        nothing_is_left();
    });
}

/// Whether a program that asks for huge pages has them.
fn has_huge_pages() -> bool {
    let said = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled");
    said.is_ok_and(|said| !said.contains("[never]"))
}

/// Of all calls, the next and those that follow.
fn from_now_on(call: Call) -> Refusal {
    Refusal {
        call,
        after: 0,
        count: usize::MAX,
    }
}

#[cfg(feature = "hardened")]
#[test]
fn a_refused_guard_gives_null_and_no_more() {
    survives(Call::Protect, || (), history);
    survives(Call::Protect, || (), large_history);
}

#[test]
fn null_is_given_where_everything_is_refused() {
    alone(|| {
        let everything = Refusal {
            call: Call::Map,
            after: 0,
            count: usize::MAX,
        };
        let refused = refusing(everything, || {
            for size in [1, 24, 8_000, 100_000, 1 << 20] {
                assert!(Held::try_new(size, 8, 0).is_none());
                assert!(Held::try_new_zeroed(size, 8, 0).is_none());
                assert!(Found::try_new(size, 16).is_none());
                assert!(Found::try_new_zeroed(size).is_none());
            }
        });
        assert!(refused >= 10, "each asked for a mapping");
    });
}

/// Many arenas have free slices, which are no neighbours, and one that is not looked at before these has a place.
#[test]
fn a_wide_pool_finds_the_only_place_when_no_arena_is_to_be_had() {
    const SLICE: usize = 64 << 10;
    const SLICES: usize = 32;
    alone(|| {
        let slice = |block: &Held| block.range().start / SLICE;
        let mut blocks = Vec::new();
        while stats().arenas < 40 {
            blocks.push(Held::new(8_000, 8, 1));
        }
        drop(blocks.pop());
        let emptied = slice(&blocks[100]) / SLICES;
        let is_neighbour =
            |block: &Held| slice(block) / SLICES == emptied && slice(block) % SLICES >= 8;
        let goes = |block: &mut Held| slice(block) % 2 == 1 || is_neighbour(block);
        drop(blocks.extract_if(.., goes).collect::<Vec<_>>());
        POOL.release();
        let maps = Refusal {
            call: Call::Map,
            after: 0,
            count: usize::MAX,
        };
        let mut wide = None;
        refusing(maps, || wide = Held::try_new(256 << 10, 8, 1));
        let wide = wide.expect("there is a place");
        assert_eq!(slice(&wide) / SLICES, emptied);
        drop((wide, blocks));
        nothing_is_left();
    });
}

const CHILD: &str = "POOL_ALLOC_TEST_NO_HEAP";

/// Heaps are made forty or so to a mapping, and reused; so this takes a process of its own.
#[test]
fn a_thread_that_can_have_no_heap_can_free() {
    if std::env::var_os(CHILD).is_some() {
        return alone(free_without_a_heap);
    }
    let this = std::env::current_exe().expect("tests are files");
    let status = Command::new(this)
        .args([
            "--exact",
            "a_thread_that_can_have_no_heap_can_free",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .status()
        .expect("the test can start itself");
    assert!(status.success());
}

fn free_without_a_heap() {
    let everything = Refusal {
        call: Call::Map,
        after: 0,
        count: usize::MAX,
    };
    // Blocks of full pools, of this thread's current one, and of one whose owner has ended.
    let mut blocks = list(1_000, 1_000);
    blocks.extend(
        thread::spawn(|| list(10, 2_000))
            .join()
            .expect("it does not fail"),
    );
    let (mut waiting, mut without) = (Vec::new(), 0);
    // Threads that live together, until one can have no heap.
    while without == 0 {
        let (say, told) = mpsc::channel();
        let (go, gone) = mpsc::channel::<()>();
        let some = blocks.split_off(blocks.len().saturating_sub(100));
        let thread = thread::spawn(move || {
            let refused = refusing(everything, || {
                let got = Held::try_new(1_000, 8, 1);
                say.send(got.is_none()).expect("the other side lives");
                drop(got);
                if !some.is_empty() {
                    drop(some);
                }
            });
            let _ = gone.recv();
            refused
        });
        without += usize::from(told.recv().expect("it tells"));
        waiting.push((thread, go));
        if blocks.is_empty() {
            blocks = list(1_000, 1_000);
        }
        assert!(waiting.len() < 1_000, "heaps come from nowhere");
    }
    for (thread, go) in waiting {
        drop(go);
        thread.join().expect("it does not fail");
    }
    drop(blocks);
    nothing_is_left();
}
