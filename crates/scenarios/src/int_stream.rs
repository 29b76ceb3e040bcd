//! `int-stream`: the integers of `int-list` one after the other, two alive at most.
//!
//! What the FAQ advises instead of the list: `for i in xrange(...)`. The same number of requests,
//! and nothing to give back. It shows that the number of allocations is not what stays.

use crate::int_list::Int;
use crate::{Object, Scenario, boxed};

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "int-stream",
    summary: "the same integers one at a time, two alive at most",
    question: "what stays when the same requests never pile up?",
    unit: "integers",
    default_size: 50 * 1024 * 100,
    footprint_bytes: |_size| 2 * size_of::<Int>() as u64,
    build: |size, _seed| boxed(|| IntStream::run(size)),
};

/// The last integer of the stream, as the loop variable still holds it.
struct IntStream(Box<Int>);

impl IntStream {
    fn run(size: u64) -> IntStream {
        let mut current = Int::boxed(0);
        for value in 1..size as i64 {
            // The next one is boxed before the one it replaces is freed: two alive.
            current = Int::boxed(value);
        }
        IntStream(current)
    }
}

impl Object for IntStream {
    fn live_bytes(&self) -> u64 {
        size_of_val(&*self.0) as u64
    }
}
