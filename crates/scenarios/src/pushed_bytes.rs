//! `pushed-bytes`: a `Vec<u8>` that grows byte by byte, without a size hint.
//!
//! Where does a buffer live that was moved every time it doubled? BasedHardware/omi#6938 is a
//! server of such buffers, yetanotherco/lambda_vm#966 the same with larger ones. Growing asks for
//! `realloc`: small buffers are copied and leave each former self behind, large ones may be moved
//! by the kernel, and by the end they are past every threshold.

use std::hint::black_box;

use crate::{Object, Scenario, boxed};

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "pushed-bytes",
    summary: "one buffer grown byte by byte without a size hint",
    question: "does a buffer come back that was reallocated at every doubling?",
    unit: "bytes",
    default_size: 1 << 26, // a power of two: the capacity is full and every page written
    footprint_bytes,
    build: |size, _seed| boxed(|| Pushed::build(size)),
};

/// The last capacity, a power of two from 8 on, and the half of it that is being copied from.
fn footprint_bytes(size: u64) -> u64 {
    let capacity = size.max(8).checked_next_power_of_two();
    capacity.map_or(u64::MAX, |capacity| capacity.saturating_add(capacity / 2))
}

struct Pushed(Vec<u8>);

impl Pushed {
    fn build(size: u64) -> Pushed {
        let mut bytes = Vec::new();
        for index in 0..size {
            bytes.push(index as u8 | 1);
        }
        Pushed(black_box(bytes))
    }
}

impl Object for Pushed {
    fn live_bytes(&self) -> u64 {
        self.0.capacity() as u64
    }
}
