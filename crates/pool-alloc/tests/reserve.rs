//! Loops earn a reserve, and nothing else does: what a loop of small and of large blocks keeps, when, and how it goes.

mod support;

use std::alloc::{GlobalAlloc, Layout};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::process::Command;
#[cfg(not(feature = "hardened"))]
use std::sync::mpsc;
use std::thread::{self, sleep};

use support::found::Found;
use support::rounds::{
    LAPSED, MIB, ROUNDS, earned, earned_in_disorder, free, shuffled_round, small_blocks,
    small_round,
};
use support::{Held, POOL, alone, list, stats, touched_by_freeing};

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

#[test]
fn a_reserve_ends_as_the_program_goes_on_with_large_blocks() {
    alone(|| {
        for large in [|| drop(Held::new(MIB, 8, 1)), || drop(Found::new(MIB, 16))] {
            earned(small_round);
            sleep(LAPSED);
            assert!(stats().free_slice_bytes > 15 * MIB);
            large();
            let left = stats();
            assert!(left.free_slice_bytes < MIB, "{left:?}");
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

/// Sets the limit back when it goes.
struct Unlimited;

impl Drop for Unlimited {
    fn drop(&mut self) {
        POOL.limit_reserve(usize::MAX);
    }
}

/// The most that any of some rounds leaves.
fn most_of(round: fn() -> usize) -> usize {
    (0..20).map(|_| round()).max().expect("some rounds")
}

#[test]
fn a_limit_holds_at_once_and_from_then_on() {
    for &round in ROUNDS {
        alone(|| {
            let _unlimited = Unlimited;
            earned(round);
            POOL.limit_reserve(4 * MIB);
            let some = 2 * MIB..5 * MIB;
            let left = stats().cached_bytes;
            assert!(some.contains(&left), "{left}");
            let left = most_of(round);
            assert!(some.contains(&left), "{left}");

            POOL.limit_reserve(0);
            let left = stats().cached_bytes;
            assert!(left < MIB, "{left}");
            POOL.release();
            let left = most_of(round);
            assert!(left < MIB, "the limit outlives a release: {left}");

            POOL.limit_reserve(usize::MAX);
            earned(round);
        });
    }
}

/// Runs this test once more, in a process of its own.
#[test]
fn the_environment_may_name_the_limit() {
    const NAME: &str = "POOL_ALLOC_RESERVE_KIB";
    const IS_THERE: &str = "a reserve";
    if std::env::var_os(NAME).is_some() {
        alone(|| {
            let kept = ROUNDS.iter().map(|round| most_of(*round));
            if kept.min() > Some(15 * MIB) {
                println!("{IS_THERE}");
            }
        });
        return;
    }
    let run = |value: &str| {
        let output = Command::new(std::env::current_exe().expect("a path"))
            .args([
                "--exact",
                "the_environment_may_name_the_limit",
                "--nocapture",
            ])
            .env(NAME, value)
            .output()
            .expect("it runs");
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (
            String::from_utf8_lossy(&output.stdout).contains(IS_THERE),
            said,
        )
    };
    assert_eq!(run("0"), (false, String::new()));
    // One of several processes is not kept waiting by the machine.
    assert!((0..9).any(|_| run("100000") == (true, String::new())));
    for odd in ["", "many", "-1"] {
        let said = run(odd).1;
        let fault = "pool-alloc: POOL_ALLOC_RESERVE_KIB is no number of KiB: there is no limit\n";
        assert_eq!(said, fault, "{odd}");
    }
}

/// Blocks of 64 bytes that a thread left which is gone, every tenth of its pools: a list for each pool.
fn pools_left_by_a_thread() -> Vec<Vec<Address>> {
    let leave = || {
        let mut pools = BTreeMap::<_, Vec<_>>::new();
        for _ in 0..32 << 10 {
            // SAFETY: the size is not zero.
            let block = unsafe { POOL.alloc(TINY) };
            pools.entry(block.addr() >> 16).or_default().push(block);
        }
        let mut left = Vec::new();
        for pool in pools.into_values() {
            let (kept, freed) = pool.into_iter().enumerate().partition(|(n, _)| n % 10 == 0);
            let kept: Vec<_> = kept;
            let freed: Vec<_> = freed;
            free_tiny(freed.into_iter().map(|(_, block)| Address(block)));
            left.push(kept.into_iter().map(|(_, block)| Address(block)).collect());
        }
        left
    };
    thread::scope(|scope| scope.spawn(leave).join().expect("it does not fail"))
}

const TINY: Layout = match Layout::from_size_align(64, 8) {
    Ok(layout) => layout,
    Err(_) => panic!("a layout"),
};

fn free_tiny(blocks: impl IntoIterator<Item = Address>) {
    for Address(block) in blocks {
        // SAFETY: each block is held and freed once.
        unsafe { POOL.dealloc(block, TINY) };
    }
}

#[test]
fn a_pool_that_was_spared_and_is_claimed_waits_once_to_be_swept() {
    alone(|| {
        earned_in_disorder();
        let mut pools = pools_left_by_a_thread();
        assert!(stats().cached_bytes > MIB, "they are spared: {:?}", stats());
        pools.sort_by_key(|left| Reverse(left.len()));
        // Four are claimed, and wait.
        let mut free_down_to = |pool: usize, blocks: usize| free_tiny(pools[pool].drain(blocks..));
        (0..4).for_each(|pool| free_down_to(pool, 90));
        sleep(LAPSED);
        small_blocks(MIB);
        // One more waits: whatever was spared is swept.
        free_down_to(4, 15);
        // One of the four has few blocks again, and then none.
        free_down_to(2, 14);
        free_down_to(2, 0);
        // Its place is for others now, when the turn of the four comes.
        let others = list(100, 500);
        (5..9).for_each(|pool| free_down_to(pool, 10));
        drop(list(10_000, 500));
        drop(others);
        for pool in pools {
            free_tiny(pool);
        }
        POOL.release();
        assert_eq!(stats().allocated_bytes, 0, "{:?}", stats());
    });
}

#[test]
fn empty_arenas_go_with_the_reserve() {
    alone(|| {
        let count = 64 * MIB / 64;
        // SAFETY: the size is not zero.
        let blocks: Vec<_> = (0..count)
            .map(|_| Address(unsafe { POOL.alloc(TINY) }))
            .collect();
        let mut survivors = Vec::new();
        for (number, block) in blocks.into_iter().enumerate() {
            match number % 500 {
                0 => survivors.push(block),
                _ => free_tiny([block]),
            }
        }
        let gives_nothing_back = || {
            let before = stats().released_bytes;
            small_blocks(3 * MIB);
            stats().released_bytes == before
        };
        assert!(
            (0..500).any(|_| gives_nothing_back()),
            "a loop earns a reserve"
        );
        free_tiny(survivors);
        assert!(stats().arenas > 20, "a control: {:?}", stats());
        sleep(LAPSED);
        small_blocks(MIB);
        assert!(stats().arenas <= 2, "{:?}", stats());
    });
}

/// What a thread has at hand is beyond everybody else's reach, and so beyond a limit that all of them are under.
#[cfg(not(feature = "hardened"))] // there large blocks do not wait
#[test]
fn with_a_limit_threads_have_no_runs_at_hand() {
    let left_with_a_limit_of = |bytes| {
        POOL.limit_reserve(bytes);
        let (say, told) = mpsc::channel();
        let (go, gone) = mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                drop(list(1, 16)); // it has a heap
                for _ in 0..2_000 {
                    drop([300, 310, 320].map(|kib| Held::new(kib << 10, 8, 1)));
                }
                say.send(()).expect("the other side lives");
                let _ = gone.recv();
            });
            told.recv().expect("it tells");
            POOL.release();
            let left = stats().free_large_bytes;
            drop(go);
            left
        })
    };
    alone(|| {
        let _unlimited = Unlimited;
        let left = left_with_a_limit_of(usize::MAX);
        assert!(left > 256 << 10, "a control: {left}");
        assert_eq!(left_with_a_limit_of(4 * MIB), 0);
    });
}
