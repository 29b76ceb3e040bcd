//! A system that has no room left: what is refused succeeds where the reserve makes room for it, and only then.

use crate::shim::without_room;
use crate::support::found::Found;
use crate::support::plan::nothing_is_left;
use crate::support::{Held, alone, list, stats};

const MIB: usize = 1 << 20;

/// Loops that earn a reserve: of arenas, in pools of one slice and of several, and of runs, unless those have guards.
fn loops() -> impl Iterator<Item = fn()> {
    let of_arenas: [fn(); 2] = [
        || drop(list(20 * MIB / 8_000, 8_000)),
        || drop(list(100, 200 << 10)),
    ];
    let of_runs: [fn(); 2] = [
        || drop(list(3, 7 * MIB)),
        || drop([(); 3].map(|()| Found::new(7 * MIB, 16))),
    ];
    let wait = !cfg!(feature = "hardened");
    of_arenas
        .into_iter()
        .chain(of_runs.into_iter().filter(move |_| wait))
}

/// Requests for so many bytes in all; false where one was refused.
const REQUESTS: [fn(usize) -> bool; 7] = [
    |bytes| all((0..bytes / 1_000).map(|_| Held::try_new(1_000, 8, 1))),
    |bytes| all((0..bytes >> 18).map(|_| Held::try_new(1 << 18, 8, 2))),
    |bytes| all([Held::try_new(bytes, 8, 3)]),
    |bytes| all([Held::try_new_zeroed(bytes, 8, 4)]),
    |bytes| all([Found::try_new(bytes, 16)]),
    |bytes| all([Found::try_new_zeroed(bytes)]),
    |bytes| all([Found::try_new(bytes / 2, 4 * MIB)]),
];

fn all<T>(blocks: impl IntoIterator<Item = Option<T>>) -> bool {
    blocks.into_iter().collect::<Option<Vec<T>>>().is_some()
}

/// Runs a loop until more than 15 of its 20 MiB are kept; then `work`, without room.
fn with_a_reserve(a_loop: fn(), work: impl FnOnce()) {
    let kept = (0..500).map(|_| {
        a_loop();
        stats().cached_bytes
    });
    assert!(kept.into_iter().any(|kept| kept > 15 * MIB));
    without_room(work)
}

/// The same with no block in use, before and after.
fn alone_with_a_reserve(a_loop: fn(), work: impl FnOnce() + Send) {
    alone(|| {
        with_a_reserve(a_loop, work);
        nothing_is_left();
    });
}

#[test]
fn a_request_that_fits_where_the_reserve_was_succeeds() {
    for a_loop in loops() {
        for request in REQUESTS {
            alone_with_a_reserve(a_loop, || assert!(request(12 * MIB)));
        }
    }
}

#[test]
fn a_request_that_fits_nowhere_is_refused_and_nothing_is_lost() {
    for a_loop in loops() {
        for request in REQUESTS {
            alone_with_a_reserve(a_loop, || assert!(!request(64 * MIB)));
        }
    }
}

#[test]
fn a_block_grows_to_where_the_reserve_was_and_no_further() {
    for a_loop in loops() {
        alone(|| {
            let (mut held, mut found) = (Held::new(MIB, 8, 5), Found::new(MIB, 16));
            with_a_reserve(a_loop, || {
                assert!(!held.try_resize(64 * MIB) && !found.try_resize(64 * MIB));
            });
            with_a_reserve(a_loop, || assert!(held.try_resize(12 * MIB)));
            held.resize(MIB);
            with_a_reserve(a_loop, || assert!(found.try_resize(12 * MIB)));
            drop((held, found));
            nothing_is_left();
        });
    }
}
