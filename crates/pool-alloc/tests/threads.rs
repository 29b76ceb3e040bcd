//! What the allocator promises where blocks and threads part ways, one claim a test.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Barrier, Mutex, mpsc};
use std::thread;

use support::plan::nothing_is_left;
use support::{Held, POOL, alone, list, stats};

/// Runs `work` on a thread and waits for the thread's end, hooks included. (A scope alone does not wait for those.)
fn on_a_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join().expect("the thread does not fail"))
}

#[test]
fn memory_freed_by_another_thread_is_not_lost() {
    alone(|| {
        let blocks = list(200_000, 64);
        let built = stats();
        // This thread built the list and does nothing more; the other one's frees alone give the memory back.
        on_a_thread(|| drop(blocks));
        let dropped = stats();
        assert!(built.allocated_bytes >= 200_000 * 64, "{built:?}");
        assert!(
            dropped.allocated_bytes <= 64 << 10,
            "what may wait for its owner is one pool: {dropped:?}"
        );
        assert!(dropped.cached_bytes <= 2 << 20, "{dropped:?}");
        POOL.release();
        assert_eq!(stats().allocated_bytes, 0, "release collects what waited");
    });
}

/// Pools become full, sparse and empty by the hands of two threads at once.
#[test]
fn blocks_that_threads_put_in_the_place_of_others_are_whole() {
    alone(|| {
        let table: Vec<Mutex<Option<Held>>> = (0..1_000).map(|_| Mutex::new(None)).collect();
        let swap = |seed: u64| {
            let mut random = fastrand::Rng::with_seed(seed);
            for _ in 0..50_000 {
                let size = random
                    .choice([100, 700, 5_000, 20_000])
                    .expect("there are some");
                let mut place = table[random.usize(..table.len())]
                    .lock()
                    .expect("nobody fails");
                let old = place.replace(Held::new(size, 8, random.u8(..)));
                drop(place);
                drop(old);
            }
        };
        thread::scope(|scope| {
            for thread in [1, 2].map(|seed| scope.spawn(move || swap(seed))) {
                thread.join().expect("it does not fail");
            }
        });
        drop(table);
        nothing_is_left();
    });
}

#[test]
fn pools_that_a_thread_claims_and_others_empty_do_not_pile_up() {
    alone(|| {
        let (to_claimer, claimed) = mpsc::channel::<Held>();
        let (done, is_done) = mpsc::channel();
        let claimer = move || {
            for block in claimed {
                drop(block);
                done.send(()).expect("the other thread waits for it");
            }
        };
        thread::scope(|scope| {
            scope.spawn(claimer);
            let mut pools = BTreeMap::<_, Vec<_>>::new();
            for number in 0..100 {
                let block = Held::new(250_000, 8, number);
                let pool = block.range().start >> 19;
                pools.entry(pool).or_default().push(block);
            }
            // The one that is not full is this thread's.
            let current = pools.pop_last();
            let mut stays = None;
            for mut blocks in pools.into_values() {
                // The other thread, which needs nothing, owns the pool from now on.
                to_claimer.send(blocks.remove(0)).expect("it is there");
                is_done.recv().expect("as above");
                // And this one empties it, but for the first.
                stays = stays.or_else(|| blocks.pop());
            }
            let stats = stats();
            assert!(
                stats.arenas <= 9,
                "50 pools are 13 arenas and more: {stats:?}"
            );
            drop((stays, current));
            drop(to_claimer);
        });
    });
}

#[test]
fn blocks_of_an_exited_thread_can_be_freed() {
    alone(|| {
        let blocks = on_a_thread(|| list(10_000, 200));
        assert!(stats().allocated_bytes >= 10_000 * 200);
        blocks.iter().for_each(Held::check);
        drop(blocks);
        POOL.release();
        assert_eq!((stats().allocated_bytes, stats().arenas), (0, 0));
    });
}

#[test]
fn pools_of_an_exited_thread_are_used_again() {
    alone(|| {
        let mut left = Vec::new();
        // Each thread leaves one block behind: without adoption that would be one pool each.
        for number in 0..200 {
            left.push(on_a_thread(|| Held::new(48, 8, number)));
        }
        assert_eq!(stats().arenas, 1, "{:?}", stats());
        let places: BTreeSet<_> = left.iter().map(|block| block.range().start >> 16).collect();
        assert_eq!(places.len(), 1, "200 blocks of 48 bytes fit one pool");
    });
}

/// Who replaces a block frees another's. Who comes to own what room that leaves is chance, but neither thread is to
/// want new memory where the other has more than it needs.
#[test]
fn a_table_that_threads_share_takes_not_much_more_than_one_threads_own() {
    // Of many pools of a class each may have its share and more; of a few, that is what each has anyway.
    for (threads, slots, times) in [(2, 40_000, 1.4), (8, 100_000, 1.5)] {
        alone(|| {
            let table: Vec<Mutex<Option<Held>>> = (0..slots).map(|_| Mutex::new(None)).collect();
            let replace = |seed: u64| {
                let mut random = fastrand::Rng::with_seed(seed);
                for _ in 0..4_000_000 / threads {
                    let new = Held::new(random.usize(16..1_024), 8, random.u8(..));
                    let mut place = table[random.usize(..slots)].lock().expect("nobody fails");
                    let old = place.replace(new);
                    drop(place);
                    drop(old);
                }
            };
            thread::scope(|scope| {
                let all = (0..threads).map(|seed| scope.spawn(move || replace(seed)));
                for thread in all.collect::<Vec<_>>() {
                    thread.join().expect("it does not fail");
                }
            });
            let bytes = |place: &Mutex<Option<Held>>| {
                let held = place.lock().expect("nobody fails");
                held.as_ref().map_or(0, |held| held.range().len())
            };
            let live: usize = table.iter().map(bytes).sum();
            let taken = stats().allocated_bytes + stats().cached_bytes;
            let ratio = taken as f64 / live as f64;
            assert!(
                ratio < times,
                "{threads} threads: {ratio:.2}, {:?}",
                stats()
            );
        });
    }
}

#[test]
fn pools_that_many_threads_free_and_fill_at_once_are_not_lost() {
    alone(|| {
        let (first, second) = (list(50_000, 40), list(50_000, 40));
        let start = &Barrier::new(2);
        thread::scope(|scope| {
            let threads = [first, second].map(|blocks| {
                scope.spawn(move || {
                    start.wait();
                    for block in blocks {
                        drop(Held::new(40, 8, 1));
                        drop(block);
                    }
                })
            });
            for thread in threads {
                thread.join().expect("the thread does not fail");
            }
        });
        POOL.release();
        assert_eq!((stats().allocated_bytes, stats().arenas), (0, 0));
    });
}

#[test]
fn a_thread_may_end_while_others_free_its_blocks() {
    alone(|| {
        for _ in 0..300 {
            let halves = || (list(700, 96), list(700, 96));
            let start = &Barrier::new(3);
            thread::scope(|scope| {
                // The owner ends, with the pools half full, as the other two free.
                let (to_one, for_one) = mpsc::channel();
                let (to_two, for_two) = mpsc::channel();
                let owner = scope.spawn(move || {
                    let (one, two) = halves();
                    to_one.send(one).expect("the other side lives");
                    to_two.send(two).expect("the other side lives");
                    start.wait();
                });
                let others = [for_one, for_two].map(|blocks| {
                    scope.spawn(move || {
                        let blocks: Vec<Held> = blocks.recv().expect("the owner sends");
                        start.wait();
                        drop(blocks);
                        // Wants a pool of the same class, while others are being abandoned.
                        drop(list(50, 96));
                    })
                });
                owner.join().expect("the thread does not fail");
                for other in others {
                    other.join().expect("the thread does not fail");
                }
            });
        }
        POOL.release();
        assert_eq!((stats().allocated_bytes, stats().arenas), (0, 0));
    });
}
