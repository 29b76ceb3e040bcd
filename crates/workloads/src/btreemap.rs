//! `btreemap`: an ordered map whose first entry is taken out and another put in, with a block each.
//!
//! A queue of timers or of events. The map's own nodes come and go as it splits and merges them,
//! between the entries' blocks.

use std::collections::BTreeMap;
use std::hint::black_box;

use fastrand::Rng;

use crate::{Pass, Start, Workload};

pub(crate) const BTREEMAP: Workload = Workload {
    name: "btreemap",
    summary: "an ordered map of 50,000 boxed events: the first out, another in",
    operation: "an entry taken out and another put in",
    start: Start::Warm,
    passes: 4,
    size: 150_000,
    prepare,
    limits: &[],
};

const ENTRIES: u64 = 50_000;

/// How far ahead of the present an event lies at most.
const AHEAD: u64 = 1 << 32;

type Event = Box<[u64; 6]>;

/// `size` exchanges a pass.
fn prepare(size: u64) -> Pass {
    let mut rng = Rng::with_seed(1);
    let mut events: BTreeMap<(u64, u64), Event> = BTreeMap::new();
    let mut made = 0;
    let mut event = move |now: u64| {
        made += 1; // two events of one moment stay apart
        (
            (now + rng.u64(..AHEAD), made),
            black_box(Box::new([made; 6])),
        )
    };
    events.extend((0..ENTRIES.min(size)).map(|_| event(0)));
    Box::new(move || {
        for _ in 0..size {
            let first = events.pop_first();
            let now = first.as_ref().map_or(0, |((time, _), _)| *time);
            drop(black_box(first));
            let (key, value) = event(now);
            events.insert(key, value);
        }
        size
    })
}
