//! `size-drift`: every object is replaced by a slightly larger one, over and over, in no order.
//!
//! What of the memory of former sizes serves the next ones? jemalloc/jemalloc#2817 (a configuration
//! loaded again at intervals) grew that way, and gperftools/gperftools#1073 for want of one empty
//! page: a size class gets its pages back only when its last object has gone, and the hole that
//! an object leaves is too small for its successor. The rounds stand inside one build, because a
//! build is to ask for the same blocks every time. One object in three misses a round, and so
//! there are always some of former sizes.

use std::hint::black_box;

use fastrand::Rng;

use crate::{Object, Scenario, boxed};

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "size-drift",
    summary: "objects replaced at random by slightly larger ones, from 200 to 480 bytes",
    question: "does memory come back, and is it used again, when sizes drift?",
    unit: "objects",
    default_size: 80_000,
    footprint_bytes: |size| size.saturating_mul(bytes(ROUNDS - 1) + REFERENCE_BYTES),
    build: |size, seed| boxed(|| Drift::build(size, seed)),
};

type Thing = Box<[u8]>;

const REFERENCE_BYTES: u64 = size_of::<Thing>() as u64;

const ROUNDS: u64 = 8;

/// The size of a round's objects: another size class of nearly every allocator each time.
const fn bytes(round: u64) -> u64 {
    200 + 40 * round
}

struct Drift {
    things: Vec<Thing>,
}

impl Drift {
    fn build(size: u64, seed: u64) -> Drift {
        let mut rng = Rng::with_seed(seed);
        let mut things: Vec<Thing> = (0..size).map(|_| thing(0)).collect();
        for round in 1..ROUNDS {
            for _ in 0..size {
                let index = rng.usize(0..things.len());
                things[index] = thing(round); // the new one is there before the old one goes
            }
        }
        Drift { things }
    }
}

impl Object for Drift {
    fn live_bytes(&self) -> u64 {
        let things = self.things.iter().map(|thing| thing.len() as u64);
        things.sum::<u64>() + self.things.capacity() as u64 * REFERENCE_BYTES
    }
}

fn thing(round: u64) -> Thing {
    black_box(vec![1; bytes(round) as usize].into_boxed_slice())
}
