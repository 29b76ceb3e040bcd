//! Pools that their owner has laid aside when others empty them: what was there goes back, whatever the owner does.

mod support;

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Barrier};
use std::thread::{self, Scope, ScopedJoinHandle};

use support::rounds::{MIB, free, shuffled_round};
use support::{Held, POOL, alone, fetched_pages, list, stats};

/// What may stay after a drop: an arena's header, a few pools, and dirty slices.
const FEW: usize = MIB / 2;

/// A thread that does what it is told, and nothing in between.
struct Other<'scope> {
    tell: Sender<Work>,
    done: Receiver<()>,
    thread: ScopedJoinHandle<'scope, ()>,
}

type Work = Box<dyn FnOnce() + Send>;

impl<'scope> Other<'scope> {
    fn new(scope: &'scope Scope<'scope, '_>) -> Self {
        let (tell, told) = mpsc::channel::<Work>();
        let (say, done) = mpsc::channel();
        let thread = scope.spawn(move || {
            for work in told {
                work();
                say.send(()).expect("it waits for that");
            }
        });
        Self { tell, done, thread }
    }

    /// Its end, hooks included.
    fn ends(self) {
        drop(self.tell);
        self.thread.join().expect("it does not fail");
    }

    /// What `work` comes to on that thread.
    fn does<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let (send, receive) = mpsc::channel();
        let work = move || send.send(work()).expect("it waits for that");
        self.tell.send(Box::new(work)).expect("it listens");
        self.done.recv().expect("it does not fail");
        receive.recv().expect("it was done")
    }

    /// 20 MiB of blocks of `size` bytes of which it has freed `share` in a hundred, a few in each pool.
    fn builds(&self, size: usize, share: usize) -> Vec<Held> {
        self.does(move || {
            let (freed, kept) = split(list(20 * MIB / size, size), share);
            drop(freed);
            kept
        })
    }
}

/// So many in a hundred, and the others.
fn split(held: Vec<Held>, share: usize) -> (Vec<Held>, Vec<Held>) {
    let mut nth = 0;
    held.into_iter().partition(|_| {
        nth += 1;
        nth % 100 < share
    })
}

#[test]
fn what_others_empty_goes_back_though_its_owner_sleeps() {
    for (size, share) in [(64, 1), (500, 1), (500, 60), (20_000, 30)] {
        alone(|| {
            thread::scope(|scope| {
                let owner = Other::new(scope);
                let mut held = owner.builds(size, share);
                assert!(stats().allocated_bytes > 7 * MIB);
                // The order in which they come back is not that in which they were built.
                fastrand::Rng::with_seed(7).shuffle(&mut held);
                drop(held);
                let left = stats();
                // The current pool of the owner knows nothing of what came back.
                assert!(left.allocated_bytes < FEW / 2, "{size}: {left:?}");
                assert!(left.cached_bytes < FEW, "{size}: {left:?}");
                POOL.release();
                assert!(stats().cached_bytes < FEW / 2, "{size}: {:?}", stats());
                owner.ends();
            });
            POOL.release();
            assert_eq!(stats().arenas, 0, "{size}: {:?}", stats());
        });
    }
}

/// Others have freed most blocks of each pool, or a few, and the owner those that were left.
#[test]
fn what_the_owner_empties_last_goes_back_as_well() {
    for share in [1, 30, 97] {
        alone(|| {
            thread::scope(|scope| {
                let owner = Other::new(scope);
                let (last, first) = split(owner.builds(500, 1), share);
                drop(first);
                assert!(
                    stats().allocated_bytes > 19 * MIB,
                    "they wait, or are in use"
                );
                owner.does(|| drop(last));
                assert!(stats().allocated_bytes < FEW / 2, "{:?}", stats());
                // What is dirty, and the owner's current pool.
                assert!(stats().cached_bytes < FEW / 2, "{share}: {:?}", stats());
            });
        });
    }
}

/// A few pools may go unnoticed, each of whose last two blocks came back at the same moment.
#[test]
fn what_two_threads_drop_together_goes_back() {
    for size in [64, 500, 20_000] {
        alone(|| {
            thread::scope(|scope| {
                let owner = Other::new(scope);
                let mut held = list(20 * MIB / size, size);
                fastrand::Rng::with_seed(7).shuffle(&mut held);
                let others = held.split_off(held.len() / 2);
                let together = Arc::new(Barrier::new(2));
                let start = Arc::clone(&together);
                let drops = move || {
                    start.wait();
                    drop(others);
                };
                owner.tell.send(Box::new(drops)).expect("it listens");
                together.wait();
                drop(held);
                owner.done.recv().expect("it does not fail");
                let left = stats();
                assert!(left.allocated_bytes < MIB, "{size}: {left:?}");
            });
        });
    }
}

/// Where most blocks of many pools have come back, though it was others that freed them, the next ones come from the pool
/// that was laid aside last, and those before it go on draining.
#[test]
fn pools_that_others_drain_go_on_draining() {
    const A_POOL: usize = 128;
    alone(|| {
        thread::scope(|scope| {
            let owner = Other::new(scope);
            let built = owner.does(|| split(list(10 * A_POOL, 500), 1));
            let (freed, kept) = built;
            owner.does(|| drop(freed));
            let (kept, freed) = split(kept, 10);
            drop(freed);
            let pool = |held: &Held| held.range().start >> 16;
            let first: Vec<_> = kept[..kept.len() / 2].iter().map(pool).collect();
            let more = owner.does(|| list(A_POOL * 3 / 2, 500));
            assert!(more.iter().all(|held| !first.contains(&pool(held))));
            drop(kept);
        });
    });
}

#[test]
fn the_owner_finds_the_slices_again() {
    alone(|| {
        thread::scope(|scope| {
            let owner = Other::new(scope);
            let built = owner.builds(500, 1);
            let mapped = stats().mapped_bytes;
            drop(built);
            // Others do not.
            let others = list(10 * MIB / 500, 500);
            assert!(stats().mapped_bytes > mapped + 8 * MIB, "{:?}", stats());
            drop(others);
            POOL.release();
            let again = owner.builds(500, 1);
            assert!(stats().mapped_bytes <= mapped, "{:?}", stats());
            drop(again);
        });
    });
}

/// The owner's next rounds pay for no page, once the loop has earned it, though the other thread drops all the time.
#[test]
fn a_loop_of_two_earns_a_reserve() {
    alone(|| {
        thread::scope(|scope| {
            let owner = Other::new(scope);
            let fetched = || {
                let (held, fetched) = owner.does(|| {
                    let mut kept = Vec::new();
                    let fetched = fetched_pages(|| {
                        kept = split(list(10 * MIB / 500, 500), 1).1;
                    });
                    (kept, fetched)
                });
                drop(held);
                fetched
            };
            assert!(fetched() > 2_000, "the measure tells");
            assert!((0..500).any(|_| fetched() < 200), "{:?}", stats());
        });
    });
}

/// As above, where the owner frees in disorder all but a few blocks, and is spared the sweeps.
#[test]
fn what_is_spared_and_emptied_by_others_is_not_counted_twice() {
    alone(|| {
        thread::scope(|scope| {
            let owner = Other::new(scope);
            let fetched = || {
                let (left, fetched) = owner.does(|| {
                    let mut left = Vec::new();
                    let fetched = fetched_pages(|| left = shuffled_round(100));
                    (left.into_iter().map(Sent).collect::<Vec<_>>(), fetched)
                });
                free(left.into_iter().map(|Sent(block)| block).collect());
                fetched
            };
            assert!(fetched() > 4_000, "the measure tells");
            assert!((0..500).any(|_| fetched() < 1_000), "{:?}", stats());
        });
    });
}

/// A block that goes from one thread to another.
struct Sent(*mut u8);

// SAFETY: a block is memory like any other; only its holder touches it.
unsafe impl Send for Sent {}

/// A batch that the owner frees a third of, and another the rest, again and again: no arena comes and goes with it.
#[test]
fn a_loop_of_two_that_lives_in_a_few_arenas_pays_for_no_page() {
    for mib in [1, 2, 4, 8] {
        alone(|| {
            thread::scope(|scope| {
                let owner = Other::new(scope);
                let fetched = || {
                    let (kept, fetched) = owner.does(move || {
                        let mut kept = Vec::new();
                        let fetched = fetched_pages(|| {
                            let mut nth = 0;
                            let built = list(mib * MIB / 500, 500).into_iter();
                            let (freed, rest): (Vec<_>, Vec<_>) = built.partition(|_| {
                                nth += 1;
                                nth % 3 == 0
                            });
                            drop(freed);
                            kept = rest;
                        });
                        (kept, fetched)
                    });
                    drop(kept);
                    fetched
                };
                let tries = || (0..20).map(|_| fetched()).min();
                assert!((0..50).any(|_| tries() < Some(150)), "{mib}: {:?}", stats());
            });
        });
    }
}

#[test]
#[cfg(feature = "stats")]
fn pools_that_others_empty_are_counted() {
    alone(|| {
        thread::scope(|scope| {
            let owner = Other::new(scope);
            let held = owner.builds(500, 1);
            let before = POOL.counters();
            drop(held);
            let since = POOL.counters().since(&before);
            assert!(since.pools_vacated > 300, "{since:?}");
            assert!(since.pools_closed >= since.pools_vacated, "{since:?}");
        });
    });
}
