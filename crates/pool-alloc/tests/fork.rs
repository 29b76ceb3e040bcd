//! `fork` in a process of several threads: the child allocates, and loses nothing of what the other threads had.

mod support;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread;

use support::rounds::{LAPSED, MIB, earned_in_disorder, free, shuffled_round};
use support::{Held, LONG, POOL, SHORT, alone, churned, list, stats};

/// Forks; the child ends with what `work` returns, 0 for all well, or is killed after a minute.
fn in_child(work: impl FnOnce() -> i32) {
    // SAFETY: the child does nothing but what is tested, and ends without unwinding.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    if pid == 0 {
        // SAFETY: this only asks for a signal.
        unsafe { libc::alarm(60) };
        let status = work();
        // SAFETY: the process ends.
        unsafe { libc::_exit(status) };
    }
    let mut status = 0;
    // SAFETY: `status` is ours to write.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    assert_eq!(status, 0, "the child's wait status");
}

#[test]
fn a_child_allocates_whatever_other_threads_were_doing() {
    alone(|| {
        let stop = AtomicBool::new(false);
        let churn = |size| {
            while !stop.load(Relaxed) {
                // Each pool holds a few of these blocks only, so the lock is in use, and more so by the statistics.
                drop(list(4, size));
                for _ in 0..1_000 {
                    stats();
                }
            }
        };
        thread::scope(|scope| {
            for size in [100_000, 150_000] {
                scope.spawn(move || churn(size));
            }
            let _stops = Stops(&stop);
            for number in 0..60 {
                in_child(|| {
                    for size in [16, 3_000, 100_000, 1 << 20] {
                        drop(Held::new(size, 8, number));
                    }
                    0
                });
            }
        });
    });
}

/// Stops the other threads, also where an assertion fails.
struct Stops<'a>(&'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Hands over what a thread makes that is there, and does nothing, as long as `work` goes on.
fn while_a_thread_sleeps<T: Send>(makes: impl FnOnce() -> T + Send, work: impl FnOnce(T)) {
    let (give, made) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            give.send(makes()).expect("it waits for that");
            // Until the other end is dropped.
            let _gone = ended.recv();
        });
        work(made.recv().expect("it sends that"));
        drop(end);
    });
}

const BLOCKS: usize = 20_000;

/// Most of so many blocks. Every pool got a free one, and so is the thread's own.
fn most_of_a_list() -> Vec<Held> {
    let held = list(BLOCKS, 500).into_iter().enumerate();
    let kept = held.filter(|(n, _)| n % 50 != 0);
    kept.map(|(_, held)| held).collect()
}

#[test]
fn pools_of_threads_that_the_child_has_not_come_back_to_it() {
    alone(|| {
        while_a_thread_sleeps(most_of_a_list, |held| {
            let before = stats();
            assert!(before.cached_bytes > BLOCKS / 60 * 500, "{before:?}");
            in_child(move || {
                let more = list(BLOCKS / 60, 500);
                if stats().cached_bytes > before.cached_bytes / 2 {
                    return 1; // the free blocks between those of the other thread were not used
                }
                drop((more, held));
                POOL.release();
                // What the thread was to free is the child's to free; nothing waits for an owner.
                i32::from(stats().allocated_bytes > 0) * 2
            });
        });
    });
}

/// Pools that others have emptied, and their owner, which the child has not, will never look for.
#[test]
fn slices_that_such_threads_would_find_vacant_come_back_to_the_child() {
    alone(|| {
        while_a_thread_sleeps(most_of_a_list, |held| {
            drop(held);
            let before = stats();
            assert!(before.allocated_bytes < BLOCKS * 5, "{before:?}");
            let build = || {
                let _held = list(BLOCKS / 2, 500);
                stats().mapped_bytes
            };
            in_child(move || i32::from(build() > before.mapped_bytes));
            assert!(build() > before.mapped_bytes, "the thread lives here");
        });
    });
}

/// As above, where the pools were spared for a loop's sake: the child's account is as if they had never been.
#[test]
fn what_such_threads_were_spared_is_off_the_childs_account() {
    alone(|| {
        let (give, left) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                earned_in_disorder();
                let survivors = shuffled_round(200);
                let survivors: Vec<usize> = survivors
                    .iter()
                    .map(|block| block.expose_provenance())
                    .collect();
                give.send(survivors).expect("it waits for that");
                let _gone = ended.recv();
            });
            let survivors = left.recv().expect("it sends that").into_iter();
            free(
                survivors
                    .map(std::ptr::with_exposed_provenance_mut)
                    .collect(),
            );
            in_child(|| {
                // In the same slices, in debug builds a look at each.
                drop(list(50, 200_000));
                drop(list(20_000, 60));
                earned_in_disorder();
                i32::from(POOL.release() == 0)
            });
            drop(end);
        });
    });
}

#[test]
fn pools_that_the_child_has_itself_stay_its_own() {
    alone(|| {
        let (end, ended) = mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                drop(list(1, 16));
                let _gone = ended.recv();
            });
            let mut held = list(20_000, 500);
            // In order, up to the middle of a pool, which is marked as one whose blocks come back so.
            held.drain(..5_050);
            in_child(move || {
                let more = list(20_000, 500);
                drop((more, held));
                POOL.release();
                i32::from(stats().allocated_bytes > 0)
            });
            drop(end);
        });
    });
}

#[test]
fn what_other_threads_have_in_their_caches_comes_back_to_the_child() {
    for churn in [&SHORT, &LONG] {
        alone(|| {
            let (give, built) = mpsc::channel();
            let (end, ended) = mpsc::channel::<()>();
            thread::scope(|scope| {
                scope.spawn(move || {
                    give.send(churned(churn)).expect("it waits for that");
                    let _gone = ended.recv();
                });
                let held = built.recv().expect("it sends that");
                in_child(move || {
                    drop(held);
                    POOL.release();
                    // A block that nobody has would hold its pool.
                    i32::from(stats().arenas > 0)
                });
                drop(end);
            });
        });
    }
}

/// A thread that the child has not had pools that its loop was spared.
#[test]
fn what_was_spared_goes_in_the_child_when_the_loop_is_over() {
    // A page each, of those that the tests may be run with.
    let page = std::env::var("POOL_ALLOC_PAGE_KIB").map_or(4, |kib| kib.parse().expect("a number"));
    let survivors = (100 * page) << 10;
    alone(|| {
        let (say, told) = mpsc::channel();
        let (go, gone) = mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                earned_in_disorder();
                let survivors = shuffled_round(100);
                say.send(()).expect("the other side lives");
                let _ = gone.recv();
                free(survivors);
            });
            told.recv().expect("it tells");
            assert!(stats().cached_bytes > 10 * MIB, "{:?}", stats());
            in_child(|| {
                thread::sleep(LAPSED);
                // Of another class, which needs pools of its own.
                drop(list(20_000, 1_000));
                i32::from(stats().cached_bytes > 2 * MIB + survivors)
            });
            drop(go);
        });
    });
}
