//! `int-list`: millions of small objects behind one list, as `range(50*1024*100)` makes them.
//!
//! The question of the Python FAQ, put to a Rust allocator: every object is freed, so why is the
//! process still large? Small blocks come from the part of an allocator that keeps most.

use std::hint::black_box;

use crate::{Object, Scenario, boxed};

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "int-list",
    summary: "boxed 24-byte integers behind a list of pointers, dropped front to back",
    question: "does memory come back when millions of small blocks are freed at once?",
    unit: "integers",
    default_size: 50 * 1024 * 100,
    footprint_bytes,
    build: |size, _seed| boxed(|| IntList::build(size)),
};

/// A Python 2 integer on a 64-bit machine, field by field.
pub(crate) struct Int {
    _reference_count: usize,
    _type_pointer: usize,
    _value: i64,
}

impl Int {
    /// Boxes one integer, out of the optimiser's sight.
    pub(crate) fn boxed(value: i64) -> Box<Int> {
        black_box(Box::new(Int {
            _reference_count: 1,
            _type_pointer: 0,
            _value: value,
        }))
    }
}

/// Bytes per element: the integer and the pointer to it.
pub(crate) const BYTES_PER_INT: u64 = (size_of::<Int>() + size_of::<Box<Int>>()) as u64;

const _: () = assert!(size_of::<Int>() == 24);

/// A list sized in advance, as `range` sizes it; `Vec` drops its elements front to back.
#[expect(clippy::vec_box, reason = "a block for each integer is the point")]
pub(crate) struct IntList(pub(crate) Vec<Box<Int>>);

impl IntList {
    fn build(size: u64) -> IntList {
        let mut list = Vec::with_capacity(size as usize);
        list.extend((0..size as i64).map(Int::boxed));
        IntList(list)
    }
}

impl Object for IntList {
    fn live_bytes(&self) -> u64 {
        (self.0.capacity() * size_of::<Box<Int>>() + self.0.len() * size_of::<Int>()) as u64
    }
}

pub(crate) fn footprint_bytes(size: u64) -> u64 {
    size.saturating_mul(BYTES_PER_INT)
}
