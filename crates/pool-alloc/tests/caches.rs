//! Thread caches: a large heap whose blocks come and go at random hands out next what it has taken back last; and not
//! a page is kept for that once something is dropped.

#![cfg(not(feature = "hardened"))]

mod support;

use std::collections::HashSet;
use std::sync::mpsc;
use std::thread;

use support::found::Found;
use support::{Held, LONG, POOL, SHORT, alone, churned, kept_bytes, list, stats};

const MIB: usize = 1 << 20;

/// Drops two blocks of this size, of different pools, and returns whether the next two requests get them, the last first.
fn last_freed_is_next(size: usize, blocks: &mut Vec<Held>) -> bool {
    let place = |block: &Held| block.range().start;
    let of_size = |block: &mut Held| block.range().len() == size;
    let mut of_size: Vec<Held> = blocks.extract_if(.., of_size).collect();
    let first = place(&of_size[0]);
    let is_elsewhere = |block: &Held| place(block) >> 16 != first >> 16;
    let other = of_size.iter().position(is_elsewhere).expect("not all are");
    let freed = [of_size.swap_remove(other), of_size.swap_remove(0)];
    blocks.append(&mut of_size);

    let places = freed.each_ref().map(place);
    drop(freed);
    let next = [(); 2].map(|()| Held::new(size, 8, 1));
    next.each_ref().map(place) == [places[1], places[0]]
}

fn in_use(blocks: &[Held]) -> usize {
    blocks.iter().map(|block| block.range().len()).sum()
}

#[test]
fn what_was_freed_last_goes_out_next_in_a_large_heap_that_churns() {
    for (churn, size) in [(&SHORT, 160), (&LONG, 5 << 10), (&LONG, 16 << 10)] {
        alone(|| {
            let some = 8 * MIB / size;
            let mut built = list(some, size);
            assert!(!last_freed_is_next(size, &mut built), "nothing has churned");
            drop(built);
            let mut churned = churned(churn);
            assert!(last_freed_is_next(size, &mut churned));
            drop(churned);
            let mut built = list(some, size);
            assert!(!last_freed_is_next(size, &mut built), "a drop closes them");
        });
    }
}

#[test]
fn growth_and_release_close_them() {
    alone(|| {
        let mut blocks = churned(&SHORT);
        POOL.release();
        assert!(!last_freed_is_next(160, &mut blocks));
        drop(blocks);
        let mut blocks = churned(&SHORT);
        let built = list(40_000, 160);
        assert!(!last_freed_is_next(160, &mut blocks));
        drop((blocks, built));
    });
}

#[test]
fn the_same_holds_where_blocks_are_found_by_their_address() {
    for (churn, size) in [(&SHORT, 160), (&LONG, 16 << 10)] {
        alone(|| {
            let blocks = churned(churn);
            let freed = [0, 1].map(|_| Found::new(size, 16));
            let places = freed.each_ref().map(Found::place);
            drop(freed);
            let next = [0, 1].map(|_| Found::new(size, 16));
            assert_eq!(next.each_ref().map(Found::place), [places[1], places[0]]);
            drop((blocks, next));
            assert_eq!(stats().allocated_bytes, 0);
        });
    }
}

/// A cache hands out what it was given; so what comes there has to be of its class, whose alignment is promised.
#[test]
fn a_block_that_shrank_is_none_of_the_class_that_it_was_of() {
    alone(|| {
        let blocks = churned(&SHORT);
        for (from, to) in [(160, 128), (96, 64), (1024, 512), (320, 256)] {
            for _ in 0..40 {
                let mut block = Held::new(from, 8, 1);
                block.resize(to);
                drop(block);
                // Each checks its alignment.
                drop(Held::new(to, to, 2));
            }
        }
        drop(blocks);
        assert_eq!(stats().allocated_bytes, 0);
    });
}

#[test]
fn a_cache_of_a_large_heap_holds_64_blocks() {
    alone(|| {
        let mut blocks = churned(&SHORT);
        // What was there is not there any more.
        let mut freed = list(100, 160);
        let places: Vec<usize> = freed.iter().map(|block| block.range().start).collect();
        freed.drain(..70);
        let next = list(64, 160);
        let next = next.iter().map(|block| block.range().start);
        assert!(next.eq(places[..64].iter().rev().copied()));
        blocks.append(&mut freed);
    });
}

#[test]
fn a_cache_holds_64_kib_of_blocks_that_are_not_small() {
    const SIZE: usize = 16 << 10;
    alone(|| {
        let blocks = churned(&LONG);
        // What was there is not there any more.
        let mut freed = list(20, SIZE);
        let places: Vec<usize> = freed.iter().map(|block| block.range().start).collect();
        freed.drain(..10);
        let next: Vec<Held> = list(4, SIZE);
        let next: Vec<usize> = next.iter().map(|block| block.range().start).collect();
        assert_eq!(next, [3, 2, 1, 0].map(|nth| places[nth]));
        drop((freed, blocks));
    });
}

/// Slowly: between any two of its pools that are found nearly empty, the class that goes on needs one.
#[test]
fn what_is_dropped_while_another_class_goes_on_keeps_what_any_drop_keeps() {
    for (count, size) in [(32_768, 24), (2_048, 1_024)] {
        alone(|| {
            let mut random = fastrand::Rng::with_seed(3);
            let mut goes_on = list(60_000, 160);
            let mut churn = |steps| {
                for _ in 0..steps {
                    goes_on.swap_remove(random.usize(..goes_on.len()));
                    goes_on.push(Held::new(160, 8, 2));
                }
            };
            let mut dropped = list(count, size);
            fastrand::Rng::with_seed(5).shuffle(&mut dropped);
            churn(200_000);
            while dropped.pop().is_some() {
                churn(20);
            }
            churn(200_000);
            let kept = stats().cached_bytes;
            assert!(kept < 512 << 10, "{kept}");
            drop(goes_on);
        });
    }
}

/// In a small heap, too: what is another's block goes out next where it was freed, once threads have freed each other's.
#[test]
fn threads_that_free_each_others_blocks_take_them_over() {
    alone(|| {
        let (give, given) = mpsc::channel::<Vec<Held>>();
        let (take, taken) = mpsc::channel::<Vec<Held>>();
        thread::scope(|scope| {
            scope.spawn(move || {
                // Of pools that are its own as long as it lives.
                let _ = take.send(list(300, 160));
                let _ = take.send(list(100, 96));
                for blocks in given {
                    drop(blocks);
                    let _ = take.send(Vec::new());
                }
            });
            let mut theirs = taken.recv().expect("it lives");
            let mut others = taken.recv().expect("it lives");
            // How many of so many that are freed go out next, the last first.
            let taken_over = |blocks: &mut Vec<Held>, count: usize| {
                let size = blocks[0].range().len();
                let mut freed: Vec<Held> = blocks.drain(..count).collect();
                freed.reverse();
                let places: Vec<usize> = freed.iter().map(|block| block.range().start).collect();
                while freed.pop().is_some() {}
                let next = list(count, size);
                let first = places.len().saturating_sub(16);
                let pairs = next.iter().zip(&places[first..]);
                let same = pairs.filter(|(next, place)| next.range().start == **place);
                let same = same.count();
                blocks.extend(next);
                same
            };
            let share = || {
                for _ in 0..12 {
                    give.send(list(300, 160)).expect("it lives");
                    taken.recv().expect("it lives");
                }
            };
            let alone = || {
                let mut blocks = list(700, 160);
                for _ in 0..20_000 {
                    blocks.swap_remove(fastrand::usize(..700));
                    blocks.push(Held::new(160, 8, 1));
                }
                blocks
            };
            let own = alone();
            assert_eq!(taken_over(&mut theirs, 1), 0, "nobody has shared");
            drop(own);
            share();
            assert_eq!(taken_over(&mut theirs, 1), 1);
            assert_eq!(
                taken_over(&mut theirs, 20),
                16,
                "as many as a small heap caches"
            );
            assert_eq!(taken_over(&mut others, 1), 0, "none was needed here");
            drop(list(2_000, 160)); // a drop
            let own = alone();
            assert_eq!(taken_over(&mut theirs, 1), 0, "nobody has shared since");
            drop(own);
            assert!(stats().mapped_bytes <= 3 * MIB, "a small heap");
            drop(give);
        });
    });
}

#[test]
fn blocks_in_caches_are_not_in_use() {
    for churn in [&SHORT, &LONG] {
        alone(|| {
            let mut blocks = churned(churn);
            for _ in 0..10 {
                assert_eq!(stats().allocated_bytes, in_use(&blocks));
                // Too few for a pool to be nearly empty.
                blocks.truncate(blocks.len() - churn.blocks / 500);
            }
            let before = stats();
            POOL.release();
            let after = stats();
            assert_eq!(after.allocated_bytes, before.allocated_bytes);
            assert_eq!(after.allocated_bytes, in_use(&blocks));
        });
    }
}

#[test]
fn a_drop_after_a_churn_keeps_what_any_drop_keeps() {
    for churn in [&SHORT, &LONG] {
        alone(|| {
            let blocks = churned(churn);
            let occupied = in_use(&blocks);
            drop(blocks);
            let kept = kept_bytes();
            // Eight pools rest, and so much is dirty.
            let most = 8 * (64 << 10) + (128 << 10) + occupied / 100;
            assert!(kept <= most, "{kept} of {occupied}: {:?}", stats());
        });
    }
}

/// Too few of each for a pool of theirs to be found nearly empty: the others' pools tell.
#[test]
fn a_drop_of_all_keeps_nothing_of_classes_with_few_blocks() {
    let sizes = [5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64].map(|kib| kib << 10);
    alone(|| {
        let few = sizes.map(|size| list(1 + (48 << 10) / size, size));
        let blocks = churned(&SHORT);
        drop(few);
        drop(blocks);
        let kept = kept_bytes();
        let most = 8 * (64 << 10) + (128 << 10) + MIB / 5;
        assert!(kept <= most, "{kept}: {:?}", stats());
    });
}

#[test]
fn survivors_of_a_churn_hold_their_pages_and_no_others() {
    for churn in [&SHORT, &LONG] {
        alone(|| {
            let mut blocks = churned(churn);
            let mut number = 0;
            blocks.retain(|_| {
                number += 1;
                number % 500 == 0
            });
            let kept = stats().cached_bytes;
            // A survivor may lie on two pages; and each class has a current pool, four wait to be swept.
            let pools = (churn.sizes.len() + 4) * (64 << 10);
            let most = blocks.len() * 8192 + pools + (128 << 10);
            assert!(kept <= most, "{kept} for {}", blocks.len());
        });
    }
}

#[test]
fn the_end_of_a_thread_sends_what_it_had_home() {
    for churn in [&SHORT, &LONG] {
        alone(|| {
            let build = || churned(churn);
            let blocks = thread::scope(|scope| scope.spawn(build).join().expect("it ends"));
            assert_eq!(stats().allocated_bytes, in_use(&blocks));
            drop(blocks);
            assert_eq!(stats().allocated_bytes, 0);
            POOL.release();
            assert_eq!(kept_bytes(), stats().metadata_bytes, "{:?}", stats());
            assert_eq!(stats().arenas, 0);
        });
    }
}

#[test]
fn two_threads_take_each_others_blocks_into_their_caches() {
    for churn in [&SHORT, &LONG] {
        alone(|| {
            let mut blocks = churned(churn);
            thread::scope(|scope| {
                let half = blocks.split_off(blocks.len() / 2);
                let theirs = scope.spawn(move || {
                    let mut blocks = churned(churn);
                    // Blocks of the other thread's pools, one for one of its own.
                    for (own, other) in blocks.iter_mut().zip(half) {
                        *own = other;
                    }
                    blocks
                });
                blocks.append(&mut theirs.join().expect("it ends"));
            });
            let places: HashSet<usize> = blocks.iter().map(|block| block.range().start).collect();
            assert_eq!(places.len(), blocks.len(), "no block is handed out twice");
            assert_eq!(stats().allocated_bytes, in_use(&blocks));
            drop(blocks);
            POOL.release();
            assert_eq!((stats().allocated_bytes, stats().arenas), (0, 0));
        });
    }
}
