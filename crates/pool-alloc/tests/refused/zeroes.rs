//! What was written to is not zero though it was to go, where the system does not take it: pages that were swept and whose
//! pool is closed, that a resting pool was to be trimmed by, of a row that was given back, of a long run that waited.

use super::shim::{Call, Refusal, refusing};
use super::support::plan::nothing_is_left;
#[cfg(not(feature = "hardened"))]
use super::support::rounds::MIB;
use super::support::{Held, POOL, alone, list};

#[test]
fn what_a_refused_purge_leaves_is_no_zero() {
    let refusal = Refusal {
        call: Call::Advise,
        after: 0,
        count: usize::MAX,
    };
    fn zeroed(count: usize, size: usize) {
        let blocks = (0..count).map(|number| Held::new_zeroed(size, 8, number as u8));
        drop(blocks.collect::<Vec<_>>());
    }
    let histories: &[fn()] = &[
        || {
            let mut number = 0;
            let mut survivors = list(100_000, 160);
            survivors.retain(|_| {
                number += 1;
                number % 300 == 0
            });
            drop(survivors);
            zeroed(100_000, 160);
        },
        || {
            for size in [20, 40, 60].map(|kib| kib << 10) {
                drop(list(200, size));
                drop(Held::new(size, 8, 1));
                zeroed(200, size);
            }
        },
        || {
            drop(list(40_000, 160));
            // Of another class: where the others were.
            let first = Held::new(192, 8, 1);
            POOL.release();
            zeroed(40_000, 192);
            drop(first);
        },
        || {
            // A page of each of many slices, and then pools of two.
            drop(
                (1..64)
                    .map(|step| Held::new(16 * step, 8, 1))
                    .collect::<Vec<_>>(),
            );
            POOL.release();
            zeroed(200, 20 << 10);
        },
        #[cfg(not(feature = "hardened"))] // there it does not wait
        || {
            for _ in 0..8 {
                drop(Held::new(40 * MIB, 8, 0xff));
            }
            zeroed(1, 40 * MIB);
        },
    ];
    alone(|| {
        for history in histories {
            // An arena of which something is in use is not unmapped.
            let held = Held::new(3_000, 8, 1);
            assert!(refusing(refusal, *history) > 0, "it gives nothing back");
            drop(held);
            nothing_is_left();
        }
    });
}
