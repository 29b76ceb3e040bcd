//! The program, or its environment, may limit what loops earn: at once, from then on, and in all threads.

mod support;

use std::process::Command;

use support::rounds::{MIB, ROUNDS, earned};
use support::{POOL, alone, stats};

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
        let fault = "is no number of KiB: there is no limit";
        assert_eq!(
            said,
            format!("pool-alloc: POOL_ALLOC_RESERVE_KIB={odd} {fault}\n")
        );
    }
}

/// What a thread keeps to itself is beyond everybody else's reach, and so beyond a limit that all of them are under.
#[cfg(not(feature = "hardened"))] // there they keep nothing
mod of_threads {
    use std::sync::mpsc;
    use std::thread;

    use super::*;
    use support::Held;

    /// What stays of a thread that has done this and sleeps, when all that is within others' reach has gone.
    fn left_with(limit: usize, work: fn(), left: fn() -> usize) -> usize {
        POOL.limit_reserve(limit);
        let (say, told) = mpsc::channel();
        let (go, gone) = mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                work();
                say.send(()).expect("the other side lives");
                let _ = gone.recv();
            });
            told.recv().expect("it tells");
            POOL.release();
            let left = left();
            drop(go);
            left
        })
    }

    #[test]
    fn with_a_limit_threads_have_no_runs_at_hand() {
        let left_with_a_limit_of = |bytes| {
            let work = || {
                for _ in 0..2_000 {
                    drop([300, 310, 320].map(|kib| Held::new(kib << 10, 8, 1)));
                }
            };
            left_with(bytes, work, || stats().free_large_bytes)
        };
        alone(|| {
            let _unlimited = Unlimited;
            let left = left_with_a_limit_of(usize::MAX);
            assert!(left > 256 << 10, "a control: {left}");
            assert_eq!(left_with_a_limit_of(4 * MIB), 0);
        });
    }

    #[test]
    fn with_a_limit_threads_cache_no_wide_blocks() {
        let left_with_a_limit_of = |bytes| {
            let work = || {
                for _ in 0..2_000 {
                    drop([96, 112, 128].map(|kib| Held::new(kib << 10, 8, 1)));
                }
            };
            left_with(bytes, work, || stats().cached_bytes)
        };
        alone(|| {
            let _unlimited = Unlimited;
            let left = left_with_a_limit_of(usize::MAX);
            assert!(left > 256 << 10, "a control: {left}");
            assert_eq!(left_with_a_limit_of(4 * MIB), 0);
        });
    }

    /// What is left in this thread's caches of wide blocks when a limit has been set like this.
    fn cached_after(set_limit: fn()) -> usize {
        let cached = || stats().cached_bytes - stats().free_slice_bytes;
        let _unlimited = Unlimited;
        for _ in 0..100 {
            drop([96, 112, 128].map(|kib| Held::new(kib << 10, 8, 1)));
        }
        assert!(cached() > 256 << 10, "a control: {}", cached());
        set_limit();
        cached()
    }

    #[test]
    fn a_thread_that_caches_wide_blocks_sends_them_home_once_it_sets_a_limit() {
        alone(|| assert_eq!(cached_after(|| POOL.limit_reserve(4 * MIB)), 0));
    }

    fn another_sets_a_limit() {
        let other = thread::spawn(|| POOL.limit_reserve(4 * MIB));
        other.join().expect("it ends");
    }

    #[test]
    fn or_finds_out_that_another_has_when_it_needs_a_pool() {
        alone(|| assert!(cached_after(another_sets_a_limit) > 256 << 10));
        alone(|| {
            let left = cached_after(|| {
                another_sets_a_limit();
                drop(Held::new(16, 8, 1));
            });
            assert!(left < 128 << 10, "{left}");
        });
    }
}
